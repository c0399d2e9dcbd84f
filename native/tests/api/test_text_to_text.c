// SPDX-License-Identifier: Apache-2.0
/* Encoder-decoders: transformers' answers (recorded by tools/make_tiny_t5.py), the same bits whatever shares a step,
   what happens to a source under pressure and in forks, and what is refused. */
#include <math.h>
#include <stdlib.h>

#include "api/golden.h"
#include "api/t5.h"
#include "graph/graph.h"

/* ---- as transformers ---- */

static double worst;

static void near_to(const char *name, const char *what, size_t count, const float *is, const double *should) {
    for (size_t i = 0; i < count; i++) {
        double difference = fabs(is[i] - should[i]);
        if (!(difference <= worst)) worst = difference;
        if (!(difference <= 1e-4))
            testing_fail(__FILE__, __LINE__, "%s, %s, number %zu: %.7g, not %.7g", name, what, i, (double)is[i],
                         should[i]);
    }
}

static float logits[(T5_ANSWER + 1) * T5_VOCABULARY];

static puna_status answer_logits(bed *b, const t5_case *e, size_t first, float *out) {
    return puna_engine_answer_logits(b->engine, e->source, e->length, e->ids, e->count, first, out,
                                     (T5_ANSWER + 1) * T5_VOCABULARY, NULL, &b->error);
}

static void compare(bed *b, const char *name, const t5_case *e) {
    NEED(answer_logits(b, e, 0, logits) == PUNA_OK);
    for (size_t row = 0; row <= e->count; row++) {
        double sum = 0;
        for (size_t i = 0; i < T5_VOCABULARY; i++) sum += logits[row * T5_VOCABULARY + i];
        float mean = (float)(sum / T5_VOCABULARY);
        near_to(name, "a row's mean", 1, &mean, &e->means[row]);
    }
    near_to(name, "the middle row", T5_VOCABULARY, logits + e->count / 2 * T5_VOCABULARY, e->middle);
    near_to(name, "the last row", T5_VOCABULARY, logits + e->count * T5_VOCABULARY, e->last);
    bed_result r;
    puna_generation g = bed_generation(T5_NEW);
    g.flags = 0;
    NEED(bed_start(b, &r, e->source, e->length, &g) == PUNA_OK);
    bed_run(b, &r, 1, 100);
    CHECK_EQUAL(r.count, e->answered);
    CHECK(memcmp(r.tokens, e->greedy, e->answered * sizeof *r.tokens) == 0);
    CHECK_EQUAL(r.prompt_tokens, e->length);
    bool ended = e->answered < T5_NEW || e->greedy[T5_NEW - 1] == 1;
    CHECK_EQUAL(r.stop, (ended ? PUNA_STOP_END : PUNA_STOP_LENGTH));
}

static void agrees(const char *name) {
    bed b;
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F32);
    worst = 0;
    NEED(t5_read(name));
    NEED(t5_open(&b, name, &o));
    for (size_t i = 0; i < T5_CASES; i++) compare(&b, name, &t5_cases[i]);
    printf("%-20s %d cases, largest difference %.2g (bound 1e-4)\n", name, T5_CASES, worst);
    bed_close(&b);
}

static void t5(void) { agrees("t5"); }
static void t5_gated(void) { agrees("t5_gated"); }

static void buckets_are_theirs(void) {
    char name[64];
    golden g;
    size_t cases = 0;
    NEED(golden_open(&g, PUNA_TEST_DATA "/text_to_text/buckets.golden"));
    for (const char *at = golden_next(&g, NULL, name); at; at = golden_next(&g, at, name), cases++) {
        int32_t settings[3], buckets[601];
        NEED(golden_ids(&g, at, "settings", settings, 3) == 3 && golden_ids(&g, at, "buckets", buckets, 601) == 601);
        for (int i = 0; i < 601; i++)
            if (graph_bucket(i - 300, (uint32_t)settings[0], (uint32_t)settings[1], settings[2]) !=
                (uint32_t)buckets[i])
                testing_fail(__FILE__, __LINE__, "%s: distance %d has the bucket %d", name, i - 300, buckets[i]);
    }
    CHECK_EQUAL(cases, 8);
    golden_close(&g);
}

/* ---- the promise ---- */

static const char *const names[] = {"t5", "t5_gated", "t5_gated_q8_0"};
static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};

static uint64_t digest_of(const char *name, uint32_t threads, uint32_t step_tokens, uint32_t cache_type) {
    bed b;
    puna_engine_options o = bed_options(threads, step_tokens, 3, cache_type);
    uint64_t digest = 14695981039346656037u;
    if (!t5_open(&b, name, &o)) return 0;
    for (size_t i = 0; i < T5_CASES; i++) {
        const t5_case *e = &t5_cases[i];
        CHECK(answer_logits(&b, e, 0, logits) == PUNA_OK);
        digest = bed_digest(digest, logits, (e->count + 1) * T5_VOCABULARY * sizeof *logits);
        static float last[T5_VOCABULARY];
        CHECK(puna_engine_answer_logits(b.engine, e->source, e->length, e->ids, e->count, e->count, last, T5_VOCABULARY,
                                        NULL, &b.error) == PUNA_OK);
        CHECK(memcmp(last, logits + e->count * T5_VOCABULARY, sizeof last) == 0);
    }
    bed_close(&b);
    return digest;
}

static void logits_are_equal_over_tiers_threads_and_chunks(void) {
    static const uint32_t settings[][2] = {{1, 1}, {2, 64}, {3, 512}, {2, 7}};
    static const uint32_t types[] = {PUNA_CACHE_F16, PUNA_CACHE_F32, PUNA_CACHE_Q8_0};
    NEED(t5_read("t5"));
    for (size_t m = 0; m < TESTING_THIN(3, 2, 1); m++)
        for (size_t c = 0; c < TESTING_THIN(3, 3, 1); c++) {
            bed_tier("ref");
            uint64_t expected = digest_of(names[m], 1, 512, types[c]);
            for (size_t t = 0; t < 4; t++) {
                if (!bed_tier(tiers[t])) continue;
                for (size_t i = (m + c + t) % 2; i < 4; i += 2)
                    if (digest_of(names[m], settings[i][0], settings[i][1], types[c]) != expected)
                        testing_fail(__FILE__, __LINE__, "%s, cache %u, tier %s, %u threads, %u a step: other bits",
                                     names[m], types[c], tiers[t], settings[i][0], settings[i][1]);
            }
        }
    bed_tier(NULL);
}

/* Texts of many lengths that ask one after the other; sampled, so that a difference shows. */
enum { MANY = 12 };

static uint32_t length_of(uint32_t i) { return 1 + (i * 53 + 17) % 180; }

static puna_status start(bed *b, bed_result *r, uint32_t i) {
    static const puna_stage warm = {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.9f};
    puna_generation g = bed_generation(20 + i * 7);
    g.seed = 1000 + i;
    g.stages = &warm;
    g.stage_count = 1;
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    g.top_logprobs = 8;
    return bed_start(b, r, t5_cases[4].source + i, length_of(i), &g);
}

static void alone(const char *name, bed_result *expected) {
    bed b;
    bed_tier("ref");
    puna_engine_options o = bed_options(1, 512, 1, PUNA_CACHE_F16);
    NEED(t5_open(&b, name, &o));
    for (uint32_t i = 0; i < MANY; i++) {
        NEED(start(&b, &expected[i], i) == PUNA_OK);
        bed_run(&b, &expected[i], 1, 200);
    }
    bed_close(&b);
    bed_tier(NULL);
}

static void same(const char *what, const bed_result *is, const bed_result *should) {
    for (uint32_t i = 0; i < MANY; i++)
        if (is[i].count != should[i].count || is[i].top != should[i].top ||
            memcmp(is[i].tokens, should[i].tokens, should[i].count * sizeof *is[i].tokens) != 0)
            testing_fail(__FILE__, __LINE__, "%s, text %u: another answer (%u tokens, %s)", what, i, is[i].count,
                         is[i].message);
}

static void neighbours_and_pressure_change_nothing(void) {
    static bed_result expected[MANY], results[MANY];
    NEED(t5_read("t5"));
    for (size_t m = 0; m < TESTING_THIN(3, 2, 1); m++) {
        alone(names[m], expected);
        for (uint32_t threads = TESTING_THIN(1, 1, 2); threads <= 3; threads++) {
            bed b;
            puna_engine_options o = bed_options(threads, threads == 1 ? 7 : 64, threads * 3, PUNA_CACHE_F16);
            puna_memory_plan plan = {.size = sizeof plan};
            NEED(t5_open(&b, names[m], NULL));
            NEED(puna_plan(puna_model_file(b.model), &o, &plan, &b.error) == PUNA_OK);
            bed_close(&b);
            o.cache_bytes = (plan.cache_position * 256) + (threads == 3 ? 1u << 22 : 0); /* a context; plenty */
            if (threads > 1) o.speculation = PUNA_SPECULATE_LOOKUP;
            NEED(t5_open(&b, names[m], &o));
            for (uint32_t i = 0; i < MANY; i++) NEED(start(&b, &results[i], i) == PUNA_OK);
            bed_run(&b, results, MANY, 5000);
            same(names[m], results, expected);
            if (threads == 2) CHECK(bed_evictions(&b) > 0);
            if (threads == 3) CHECK_EQUAL(bed_evictions(&b), 0);
            bed_close(&b);
        }
    }
}

/* ---- sequences ---- */

static void a_source_is_read_once(void) {
    bed b;
    bed_result r, again;
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    puna_generation g = bed_generation(30);
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    NEED(t5_read("t5"));
    NEED(t5_open(&b, "t5", &o));
    const t5_case *e = &t5_cases[4];
    NEED(bed_start(&b, &r, e->source, 150, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    CHECK_EQUAL(r.cached_tokens, 0);
    again = r;
    again.count = 0;
    NEED(puna_sequence_generate(b.engine, r.sequence, e->source, 150, &g, &b.error) == PUNA_OK);
    bed_run(&b, &again, 1, 100);
    CHECK_EQUAL(again.cached_tokens, 150);
    CHECK(again.count == 30 && memcmp(again.tokens, r.tokens, 30 * sizeof *r.tokens) == 0);
    /* another source leaves nothing of the answer */
    again.count = 0;
    NEED(puna_sequence_generate(b.engine, r.sequence, e->source, 149, &g, &b.error) == PUNA_OK);
    bed_run(&b, &again, 1, 100);
    CHECK_EQUAL(again.cached_tokens, 0);
    bed_result fresh;
    NEED(bed_start(&b, &fresh, e->source, 149, &g) == PUNA_OK);
    bed_run(&b, &fresh, 1, 100);
    CHECK(fresh.count == 30 && memcmp(again.tokens, fresh.tokens, 30 * sizeof *fresh.tokens) == 0);
    bed_close(&b);
}

static void forks_share_the_source(void) {
    bed b;
    bed_result r, other = {0};
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    puna_generation g = bed_generation(30);
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    NEED(t5_read("t5_gated"));
    NEED(t5_open(&b, "t5_gated", &o));
    const t5_case *e = &t5_cases[4];
    NEED(bed_start(&b, &r, e->source, 200, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    puna_engine_info before = {.size = sizeof before}, after = {.size = sizeof after};
    puna_engine_describe(b.engine, &before);
    NEED(puna_sequence_fork(b.engine, r.sequence, 11, &other.sequence, &b.error) == PUNA_OK);
    puna_engine_describe(b.engine, &after);
    CHECK_EQUAL(before.pages_used, after.pages_used);
    int32_t tokens[64];
    uint64_t count;
    NEED(puna_sequence_tokens(b.engine, other.sequence, tokens, 64, &count, &b.error) == PUNA_OK);
    CHECK_EQUAL(count, 11);
    CHECK(tokens[0] == 0 && memcmp(tokens + 1, r.tokens, 10 * sizeof *tokens) == 0);
    /* it goes on from ten tokens of the answer as the first one did, though that one is gone */
    CHECK(puna_sequence_close(b.engine, r.sequence, &b.error) == PUNA_OK);
    g.max_tokens = 20;
    g.answer = r.tokens;
    g.answer_count = 10;
    NEED(puna_sequence_generate(b.engine, other.sequence, e->source, 200, &g, &b.error) == PUNA_OK);
    bed_run(&b, &other, 1, 100);
    CHECK(other.count == 20 && memcmp(other.tokens, r.tokens + 10, 20 * sizeof *tokens) == 0);
    CHECK_EQUAL(other.cached_tokens, 200);
    CHECK_EQUAL(other.prompt_tokens, 210);
    /* rewound to nothing, and trimmed: nothing is left, and it can begin anew */
    CHECK(puna_sequence_rewind(b.engine, other.sequence, 0, &b.error) == PUNA_OK);
    CHECK(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
    puna_engine_describe(b.engine, &after);
    CHECK_EQUAL(after.pages_used, 0);
    other.count = 0;
    NEED(puna_sequence_generate(b.engine, other.sequence, e->source, 200, &g, &b.error) == PUNA_OK);
    bed_run(&b, &other, 1, 100);
    CHECK(other.count == 20 && memcmp(other.tokens, r.tokens + 10, 20 * sizeof *tokens) == 0);
    CHECK_EQUAL(other.cached_tokens, 0);
    bed_close(&b);
}

static void grammars_and_stops_hold(void) {
    bed b;
    bed_result r;
    puna_grammar *grammar;
    NEED(t5_open(&b, "t5", NULL));
    const char *text = "root ::= [a-c]+ \"x\"";
    NEED(puna_grammar_compile(puna_model_tokenizer(b.model), text, strlen(text), &grammar, &b.error) == PUNA_OK);
    puna_generation g = bed_generation(60);
    g.grammar = grammar;
    int32_t ids[4] = {40, 50, 60, 1};
    NEED(bed_start(&b, &r, ids, 4, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    CHECK(r.text_length > 0 && strspn(r.text, "abc") + (r.stop == PUNA_STOP_END) == r.text_length);
    puna_text stop = {r.text + r.text_length / 2, 1};
    g.stops = &stop;
    g.stop_count = 1;
    bed_result cut;
    NEED(bed_start(&b, &cut, ids, 4, &g) == PUNA_OK);
    bed_run(&b, &cut, 1, 100);
    CHECK_EQUAL(cut.stop, PUNA_STOP_TEXT);
    CHECK_EQUAL(cut.text_length, strcspn(r.text, (char[]){stop.text[0], 0}));
    puna_grammar_close(grammar);
    bed_close(&b);
}

/* ---- refusals, memory ---- */

static void refuses_what_is_wrong(void) {
    bed b, draft;
    bed_result r;
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    o.context_length = 20;
    NEED(t5_read("t5"));
    NEED(t5_open(&b, "t5", &o));
    CHECK_EQUAL(b.info.capabilities, PUNA_CAN_GENERATE | PUNA_CAN_TRANSFORM);
    puna_generation g = bed_generation(5);
    CHECK_EQUAL(bed_start(&b, &r, t5_cases[4].source, 21, &g), PUNA_CONTEXT_FULL);
    CHECK_EQUAL(b.error.needed, 21);
    CHECK_EQUAL(b.error.available, 20);
    CHECK_EQUAL(bed_start(&b, &r, t5_cases[4].source, 0, &g), PUNA_INVALID_ARGUMENT);
    int32_t wrong[2] = {5, T5_VOCABULARY};
    CHECK_EQUAL(bed_start(&b, &r, wrong, 2, &g), PUNA_INVALID_ARGUMENT);
    g.answer = wrong;
    g.answer_count = 2;
    CHECK_EQUAL(bed_start(&b, &r, t5_cases[4].source, 20, &g), PUNA_INVALID_ARGUMENT);
    g.answer = t5_cases[4].source;
    g.answer_count = 19;
    CHECK_EQUAL(bed_start(&b, &r, t5_cases[4].source, 20, &g), PUNA_CONTEXT_FULL);
    g.answer = NULL;
    CHECK_EQUAL(bed_start(&b, &r, t5_cases[4].source, 20, &g), PUNA_INVALID_ARGUMENT);
    g.answer = t5_cases[4].source;
    g.answer_count = 18;
    NEED(bed_start(&b, &r, t5_cases[4].source, 20, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    CHECK_EQUAL(r.count, 1);
    uint64_t length, other;
    CHECK_EQUAL(puna_sequence_save(b.engine, r.sequence, NULL, 0, &length, &b.error), PUNA_UNSUPPORTED);
    CHECK_TEXT(b.error.message, "this model (t5) can't save or restore sequences; it can: generate text, turn a text "
               "into another");
    CHECK_EQUAL(puna_sequence_restore(b.engine, "PUNASEQ\n", 8, &other, &b.error), PUNA_UNSUPPORTED);
    CHECK_EQUAL(puna_engine_logits(b.engine, wrong, 1, 0, logits, T5_VOCABULARY, NULL, &b.error), PUNA_UNSUPPORTED);
    puna_input in = {wrong, NULL, 1};
    CHECK_EQUAL(puna_engine_embed(b.engine, &in, 1, NULL, logits, T5_VOCABULARY, NULL, &b.error), PUNA_UNSUPPORTED);
    CHECK_EQUAL(puna_engine_answer_logits(b.engine, wrong, 2, NULL, 0, 0, logits, T5_VOCABULARY, NULL, &b.error),
                PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_engine_answer_logits(b.engine, wrong, 1, NULL, 0, 1, logits, T5_VOCABULARY, NULL, &b.error),
                PUNA_INVALID_ARGUMENT);
    o.speculation = PUNA_SPECULATE_DRAFT;
    o.draft = b.model;
    puna_engine *engine;
    CHECK_EQUAL(puna_engine_create(b.model, &o, &engine, &b.error), PUNA_INVALID_ARGUMENT);
    NEED(bed_open(&draft, "llama.gguf", NULL));
    CHECK_EQUAL(puna_engine_create(draft.model, &o, &engine, &draft.error), PUNA_UNSUPPORTED);
    g.answer_count = 1;
    CHECK_EQUAL(bed_start(&draft, &r, t5_cases[4].source, 20, &g), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_engine_answer_logits(draft.engine, wrong, 1, NULL, 0, 0, logits, T5_VOCABULARY, NULL, &b.error),
                PUNA_UNSUPPORTED);
    bed_close(&draft);
    bed_close(&b);
}

static void memory_is_as_planned(void) {
    bed b;
    static bed_result results[4];
    NEED(t5_read("t5"));
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    NEED(t5_open(&b, "t5_gated", &o));
    puna_memory_plan plan = {.size = sizeof plan};
    NEED(puna_plan(puna_model_file(b.model), &o, &plan, &b.error) == PUNA_OK);
    puna_engine_info info = {.size = sizeof info}, model = {.size = sizeof model};
    puna_engine_describe(b.engine, &model);
    puna_generation g = bed_generation(0);
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    int32_t source[256];
    for (int i = 0; i < 256; i++) source[i] = 3 + i;
    for (int i = 0; i < 4; i++) NEED(bed_start(&b, &results[i], source, 256, &g) == PUNA_OK);
    bed_run(&b, results, 4, 400);
    puna_engine_describe(b.engine, &info);
    puna_model_info m = {.size = sizeof m};
    puna_model_describe(b.model, &m);
    double is = (double)(info.memory_bytes + m.memory_bytes), said = (double)plan.total;
    if (!(fabs(is - said) <= 0.02 * is)) testing_fail(__FILE__, __LINE__, "%.0f bytes, %.0f were planned", is, said);
    for (int i = 0; i < 4; i++) CHECK(puna_sequence_close(b.engine, results[i].sequence, &b.error) == PUNA_OK);
    CHECK(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.pages_used, 0);
    CHECK_EQUAL(info.memory_bytes, model.memory_bytes);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(t5);
    TEST(t5_gated);
    TEST(buckets_are_theirs);
    TEST(logits_are_equal_over_tiers_threads_and_chunks);
    TEST(neighbours_and_pressure_change_nothing);
    TEST(a_source_is_read_once);
    TEST(forks_share_the_source);
    TEST(grammars_and_stops_hold);
    TEST(refuses_what_is_wrong);
    TEST(memory_is_as_planned);
    return testing_end();
}
