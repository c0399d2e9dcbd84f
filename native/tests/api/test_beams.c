// SPDX-License-Identifier: Apache-2.0
/* Beams: transformers' searches (recorded by tools/make_tiny_t5.py), the same answers whatever shares a step, of
   encoder-decoders and decoders, and what a search refuses. */
#include <math.h>

#include "api/golden.h"
#include "api/t5.h"

static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};

typedef struct found {
    int32_t tokens[T5_NEW + 1];
    size_t count;
    double score;
} found;

static found answers[T5_CASES][T5_SEARCHES];

static bool read_answers(const char *name) {
    char path[512], which[64], key[64];
    golden g;
    snprintf(path, sizeof path, "%s/text_to_text/%s.golden", PUNA_TEST_DATA, name);
    if (!golden_open(&g, path)) return false;
    size_t count = 0;
    for (const char *at = golden_next(&g, NULL, which); at; at = golden_next(&g, at, which), count++)
        for (size_t i = 0; i < T5_SEARCHES && count < T5_CASES; i++) {
            snprintf(key, sizeof key, "beams %s", t5_searches[i].key);
            answers[count][i].count = golden_ids(&g, at, key, answers[count][i].tokens, T5_NEW + 1);
            snprintf(key, sizeof key, "score %s", t5_searches[i].key);
            golden_floats(&g, at, key, &answers[count][i].score, 1);
        }
    golden_close(&g);
    return count == T5_CASES;
}

static void is_found(const char *what, const bed_result *r, const found *should, double bound) {
    bool same = r->count == should->count && memcmp(r->tokens, should->tokens, r->count * sizeof *r->tokens) == 0;
    if (!same || !(fabs((double)r->score - should->score) <= bound * fmax(1, fabs(should->score))))
        testing_fail(__FILE__, __LINE__, "%s: %u tokens, score %.7g, not %zu, %.7g%s %s", what, r->count,
                     (double)r->score, should->count, should->score, same ? "" : ": others", r->message);
}

/* Alone, and many searches at a time beside plain generations, in a cache that holds few of them. */
static void beams_find(const char *name) {
    bed b;
    static bed_result together[T5_CASES * T5_SEARCHES + 2];
    char what[96];
    NEED(t5_read(name) && read_answers(name));
    puna_engine_options o = bed_options(2, 64, 5, PUNA_CACHE_F32);
    NEED(t5_open(&b, name, &o));
    for (size_t c = 0; c < TESTING_THIN(T5_CASES, 2, 1); c++)
        for (size_t i = 0; i < T5_SEARCHES; i++) {
            bed_result r;
            puna_generation g = t5_search(t5_searches[i].width, t5_searches[i].penalty, t5_searches[i].early);
            NEED(bed_start(&b, &r, t5_cases[c].source, t5_cases[c].length, &g) == PUNA_OK);
            bed_run(&b, &r, 1, 100);
            snprintf(what, sizeof what, "%s, source %zu, beams %s", name, c, t5_searches[i].key);
            is_found(what, &r, &answers[c][i], 1e-5);
            int32_t tokens[T5_NEW + 2];
            uint64_t count = 0;
            CHECK(puna_sequence_tokens(b.engine, r.sequence, tokens, T5_NEW + 2, &count, &b.error) == PUNA_OK);
            CHECK(count == r.count + 1 && memcmp(tokens + 1, r.tokens, r.count * sizeof *tokens) == 0);
            CHECK(puna_sequence_close(b.engine, r.sequence, &b.error) == PUNA_OK);
        }
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.sequences, 0);
    CHECK_EQUAL(info.pages_used, 0);
    bed_close(&b);
    puna_memory_plan plan = {.size = sizeof plan};
    NEED(t5_open(&b, name, NULL));
    o.context_length = 200;
    o.max_sequences = 6;
    NEED(puna_plan(puna_model_file(b.model), &o, &plan, &b.error) == PUNA_OK);
    bed_close(&b);
    o.cache_bytes = plan.cache_position * 256 * 4; /* a search takes up to a page and four of a source, times five */
    NEED(t5_open(&b, name, &o));
    const size_t count = TESTING_THIN(T5_CASES, 3, 2) * T5_SEARCHES; /* of searches */
    for (size_t c = 0; c < count / T5_SEARCHES; c++)
        for (size_t i = 0; i < T5_SEARCHES; i++) {
            puna_generation g = t5_search(t5_searches[i].width, t5_searches[i].penalty, t5_searches[i].early);
            NEED(bed_start(&b, &together[c * T5_SEARCHES + i], t5_cases[c].source, t5_cases[c].length, &g) == PUNA_OK);
            puna_generation plain = bed_generation(150);
            plain.flags = PUNA_GENERATE_IGNORE_EOS;
            if (c * T5_SEARCHES + i < 2)
                NEED(bed_start(&b, &together[count + i], t5_cases[4].source, 200, &plain) == PUNA_OK);
        }
    bed_run(&b, together, (uint32_t)count + 2, 20000);
    for (size_t i = 0; i < count; i++)
        is_found(name, &together[i], &answers[i / T5_SEARCHES][i % T5_SEARCHES], 1e-5);
    CHECK_EQUAL(together[count + 1].count, 150);
    CHECK(bed_evictions(&b) > 0);
    bed_close(&b);
}

static void beams_of_t5(void) { beams_find("t5"); }
static void beams_of_t5_gated(void) { beams_find("t5_gated"); }

/* Every other search uses the adapter (of tests/data/adapters; NULL: none does). */
static uint64_t searched(const char *file, const char *adapter, uint32_t threads, uint32_t sequences,
                         uint32_t step_tokens) {
    bed b;
    static bed_result r[6];
    puna_adapter_use use = {NULL, 1, 0};
    char path[512];
    uint64_t digest = 14695981039346656037u;
    puna_engine_options o = bed_options(threads, step_tokens, sequences, PUNA_CACHE_F16);
    if (!bed_open(&b, file, &o)) return 0;
    snprintf(path, sizeof path, "%s/adapters/%s.gguf", PUNA_TEST_DATA, adapter ? adapter : "");
    if (adapter) CHECK(puna_adapter_load(b.model, path, NULL, &use.adapter, &b.error) == PUNA_OK);
    for (uint32_t i = 0; i < 6; i++) {
        puna_generation g = t5_search(2 + i % 3, 1, i % 3);
        g.max_tokens = 20 + i;
        if (use.adapter && i % 2) g.adapters = &use, g.adapter_count = 1;
        CHECK(bed_start(&b, &r[i], t5_cases[4].source + i, 70 + 9 * i, &g) == PUNA_OK);
        if (sequences < 9) bed_run(&b, r, i + 1, 1000); /* one by one */
    }
    bed_run(&b, r, 6, 3000);
    for (uint32_t i = 0; i < 6; i++) {
        CHECK(r[i].count > 0);
        digest = bed_digest(digest, r[i].tokens, r[i].count * sizeof *r[i].tokens);
        digest = bed_digest(digest, &r[i].score, sizeof r[i].score);
    }
    puna_adapter_close(use.adapter);
    bed_close(&b);
    return digest;
}

/* Decoders search, too; forks share the prompt's pages, and a recurrent model's are copied where they differ. */
static void searches_are_equal_over_tiers_threads_and_neighbours(void) {
    static const struct { const char *file, *adapter; } files[] = {
        {"llama.gguf", "llama_law"}, {"../text_to_text/t5.gguf", NULL}, {"mamba.gguf", NULL}, {"gemma3.gguf", NULL},
        {"../text_to_text/t5_gated_q8_0.gguf", NULL}, {"llama.gguf", NULL}, {"granitehybrid.gguf", NULL}};
    NEED(t5_read("t5"));
    for (size_t f = 0; f < TESTING_THIN(sizeof files / sizeof *files, 2, 1); f++) {
        const char *file = files[f].file, *adapter = files[f].adapter;
        bed_tier("ref");
        uint64_t expected = searched(file, adapter, 1, 4, 512);
        if (adapter) CHECK(searched(file, NULL, 1, 4, 512) != expected);
        for (size_t t = 0; t < 4; t++) {
            if (!bed_tier(tiers[t])) continue;
            for (uint32_t threads = TESTING_THIN(1, 1, 2); threads <= TESTING_THIN(3, 2, 2); threads++)
                if (searched(file, adapter, threads, threads * 5, threads == 2 ? 7 : 64) != expected)
                    testing_fail(__FILE__, __LINE__, "%s, %s, tier %s, %u threads: another answer", file,
                                 adapter ? adapter : "no adapter", tiers[t], threads);
        }
    }
    bed_tier(NULL);
}

static void searches_are_cancelled_paused_and_closed(void) {
    bed b;
    static bed_result r, again;
    NEED(t5_read("t5"));
    puna_engine_options o = bed_options(2, 64, 8, PUNA_CACHE_F16);
    NEED(t5_open(&b, "t5", &o));
    puna_engine_info begun = {.size = sizeof begun}, info = {.size = sizeof info};
    puna_engine_describe(b.engine, &begun);
    puna_generation g = t5_search(4, 2, PUNA_EARLY_NEVER);
    for (int round = 0; round < 4; round++) {
        puna_step step = {.size = sizeof step};
        NEED(bed_start(&b, &r, t5_cases[4].source, 100, &g) == PUNA_OK);
        if (round == 3) NEED(bed_start(&b, &again, t5_cases[4].source, 100, &g) == PUNA_OK);
        for (int i = 0; i < 3 + round; i++) NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        if (round == 0) {
            CHECK(puna_sequence_cancel(b.engine, r.sequence, &b.error) == PUNA_OK);
            bed_run(&b, &r, 1, 5);
            CHECK_EQUAL(r.stop, PUNA_STOP_CANCELLED);
        } else if (round == 1) { /* its pages may go; the answer is the same */
            CHECK(puna_sequence_pause(b.engine, r.sequence, &b.error) == PUNA_OK);
            CHECK(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
            CHECK_EQUAL(step.active, 0);
            CHECK(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
            CHECK(puna_sequence_resume(b.engine, r.sequence, &b.error) == PUNA_OK);
            bed_run(&b, &r, 1, 100);
            NEED(bed_start(&b, &again, t5_cases[4].source, 100, &g) == PUNA_OK);
            bed_run(&b, &again, 1, 100);
            CHECK(again.count == r.count && memcmp(again.tokens, r.tokens, r.count * sizeof *r.tokens) == 0);
            CHECK(puna_sequence_close(b.engine, again.sequence, &b.error) == PUNA_OK);
        } else if (round == 3) {
            bed_close(&b); /* in the midst of two */
            return;
        }
        CHECK(puna_sequence_close(b.engine, r.sequence, &b.error) == PUNA_OK);
        CHECK(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
        puna_engine_describe(b.engine, &info);
        CHECK_EQUAL(info.memory_bytes, begun.memory_bytes);
        CHECK_EQUAL(info.pages_used, 0);
    }
}

static void searches_refuse_what_has_no_place(void) {
    bed b;
    bed_result r;
    puna_engine_options o = bed_options(1, 64, 4, PUNA_CACHE_F16);
    NEED(t5_read("t5") && t5_open(&b, "t5", &o));
    puna_stage warm = {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.5f};
    puna_text stop = {"x", 1};
    for (int i = 0; i < 9; i++) {
        puna_generation g = t5_search(4, 1, 0);
        if (i == 0) g.stages = &warm, g.stage_count = 1;
        if (i == 1) g.stops = &stop, g.stop_count = 1;
        if (i == 2) g.flags = PUNA_GENERATE_LOGITS;
        if (i == 3) g.flags = PUNA_GENERATE_IGNORE_EOS;
        if (i == 4) g.length_penalty = NAN;
        if (i == 5) g.early_stopping = 3;
        if (i == 6) g.beams = 5; /* more than places */
        if (i == 7) g.beams = 33;
        if (i == 8) g.flags = PUNA_GENERATE_SHIFT;
        CHECK_EQUAL(bed_start(&b, &r, t5_cases[2].source, 20, &g), PUNA_INVALID_ARGUMENT);
    }
    bed_close(&b);
    o.cache_bytes = 1u << 18;
    o.context_length = 128;
    NEED(t5_open(&b, "t5", &o));
    puna_generation g = t5_search(4, 1, 0);
    g.max_tokens = 100;
    CHECK_EQUAL(bed_start(&b, &r, t5_cases[4].source, 128, &g), PUNA_OUT_OF_MEMORY);
    CHECK(b.error.needed > b.error.available && b.error.available == 1u << 18);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(beams_of_t5);
    TEST(beams_of_t5_gated);
    TEST(searches_are_equal_over_tiers_threads_and_neighbours);
    TEST(searches_are_cancelled_paused_and_closed);
    TEST(searches_refuse_what_has_no_place);
    return testing_end();
}
