// SPDX-License-Identifier: Apache-2.0
/*
 * Speculation with everything that a generation may be asked for: events, in order and to the bit, are those of an
 * engine without it. (Tiers, threads, batches, chunks and histories are test_promise_matrix.c's.)
 */
#include <math.h>
#include <stdlib.h>

#include "api/bed.h"

#define MODEL "llama_q4_1.gguf"
#define CHAT "tiny-chat.gguf"
#define COUNT(array) (sizeof array / sizeof *array)
#define STAGE(name, ...) {.kind = PUNA_SAMPLE_##name, .repeat = 1, __VA_ARGS__}

/* Repeats itself, so that much is guessed. */
static const int32_t loop[] = {20, 90, 91, 92, 20, 90, 91, 92, 20, 90, 91, 92, 20, 90, 91, 92, 20, 90, 91, 92, 20, 90};

/* The models themselves, which guess well and do not pay: so they are made to. */
static puna_model *draft, *chat_draft;

typedef struct guessed {
    uint64_t drafted, accepted;
} guessed;

static puna_model *load(const char *name) {
    char path[512];
    puna_model *model = NULL;
    puna_error error = PUNA_ERROR_INIT;
    snprintf(path, sizeof path, "%s/tiny/%s", PUNA_TEST_DATA, name);
    if (puna_model_load(path, NULL, NULL, &model, &error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s", error.message);
    return model;
}

static puna_engine_options options(uint32_t guesses) {
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    o.speculation = guesses ? PUNA_SPECULATE_LOOKUP : PUNA_SPECULATE_OFF;
    o.draft_tokens = guesses;
    return o;
}

/* One generation on an engine of its own; a digest of all that its events say but times and guesses. */
static uint64_t digest_of(const char *model, const puna_engine_options *o, const puna_generation *g, guessed *sum) {
    bed b;
    uint64_t digest = 7, sequence;
    puna_generation asked = *g;
    puna_grammar *grammar = NULL;
    if (!bed_open(&b, model, o)) return 0;
    if (asked.grammar) {
        static const char text[] = "root ::= \"a\" item{4,12} \"z\"\nitem ::= [a-f]+ \",\" | \"xyxyxyxyxyxy\"\n";
        CHECK_EQUAL(puna_grammar_compile(puna_model_tokenizer(b.model), text, sizeof text - 1, &grammar,
                                         &b.error), PUNA_OK);
        asked.grammar = grammar;
    }
    CHECK_EQUAL(puna_sequence_open(b.engine, &sequence, &b.error), PUNA_OK);
    puna_status status = puna_sequence_generate(b.engine, sequence, loop, COUNT(loop), &asked, &b.error);
    if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s", b.error.message);
    for (puna_step step = {.size = sizeof step, .active = 1}; step.active && status == PUNA_OK;) {
        CHECK_EQUAL(puna_engine_step(b.engine, &step, &b.error), PUNA_OK);
        for (puna_event e = {.size = sizeof e}; puna_engine_next_event(b.engine, &e);) {
            uint32_t said[] = {e.kind, (uint32_t)e.token, e.stop, e.stop_index, e.stop_index_valid, e.prompt_tokens,
                               e.generated_tokens, e.dropped_tokens, e.top_count};
            digest = bed_digest(digest, said, sizeof said);
            digest = bed_digest(digest, &e.logprob, sizeof e.logprob);
            digest = bed_digest(digest, e.text, e.text_length);
            digest = bed_digest(digest, e.message, strlen(e.message));
            for (uint32_t i = 0; i < e.top_count; i++) digest = bed_digest(digest, &e.top[i], sizeof *e.top);
            sum->drafted += e.drafted_tokens;
            sum->accepted += e.accepted_tokens;
        }
    }
    int32_t ids[1024];
    uint64_t count = 0;
    CHECK_EQUAL(puna_sequence_tokens(b.engine, sequence, ids, 1024, &count, &b.error), PUNA_OK);
    digest = bed_digest(digest, ids, count * sizeof *ids);
    bed_close(&b);
    puna_grammar_close(grammar);
    return digest;
}

static void same(const char *what, const char *model, uint32_t context, const puna_generation *g, guessed *sum) {
    static const uint32_t guesses[] = {1, 2, 5, 16, 64};
    puna_engine_options o = options(0);
    guessed none = {0, 0};
    o.context_length = context;
    uint64_t expected = digest_of(model, &o, g, &none);
    CHECK(none.drafted == 0 && none.accepted == 0);
    for (size_t i = 0; i < COUNT(guesses); i++) {
        o = options(guesses[i]);
        o.context_length = context;
        if (digest_of(model, &o, g, sum) != expected)
            testing_fail(__FILE__, __LINE__, "%s, %u guesses: not what comes without", what, guesses[i]);
        o.speculation = PUNA_SPECULATE_DRAFT;
        o.draft = strcmp(model, CHAT) == 0 ? chat_draft : draft;
        o.draft_least = guesses[i] / 2;
        if (digest_of(model, &o, g, sum) != expected)
            testing_fail(__FILE__, __LINE__, "%s, %u guesses of a draft model: not what comes without", what,
                         guesses[i]);
    }
}

static void every_sampler_is_exact(void) {
    static const puna_stage stages[] = {
        STAGE(PENALTIES, .window = 32, .frequency = 0.4f, .presence = 0.4f),
        STAGE(DRY, .value = 1.5f, .base = 1.75f, .allowed_length = 2, .window = -1),
        STAGE(TOP_N_SIGMA, .value = 2.5f), STAGE(TOP_K, .value = 3), STAGE(TYPICAL, .value = 0.5f),
        STAGE(TOP_P, .value = 0.3f), STAGE(MIN_P, .value = 0.5f), STAGE(XTC, .value = 0.7f, .threshold = 0.05f),
        STAGE(DYNAMIC_TEMPERATURE, .value = 0.4f, .range = 0.3f, .exponent = 1.2f),
        STAGE(MIROSTAT, .value = 1, .rate = 0.3f), STAGE(MIROSTAT_2, .value = 1, .rate = 0.3f),
        STAGE(ADAPTIVE_P, .value = 0.1f, .decay = 0.8f)};
    static const puna_bias biases[] = {{20, 6}, {90, 5.5f}, {17, -INFINITY}};
    static const float warmth[] = {0, 0.05f, 0.5f, 1.3f};
    guessed sum = {0, 0};
    for (size_t w = 0; w < COUNT(warmth); w++) {
        for (size_t i = w % TESTING_THIN(1, 4, 4); i <= COUNT(stages); i += TESTING_THIN(1, 4, 12)) {
            puna_generation g = bed_generation(60);
            puna_stage chain[2] = {STAGE(TEMPERATURE, .value = warmth[w])};
            if (i < COUNT(stages)) chain[1] = stages[i];
            g.seed = 11 + i;
            g.stages = chain;
            g.stage_count = i < COUNT(stages) ? 2 : 1;
            g.top_logprobs = (uint32_t)(i % 3) * 8;
            g.biases = biases;
            g.bias_count = i % 2 ? COUNT(biases) : 0;
            same("sampled", MODEL, 0, &g, &sum);
        }
    }
    CHECK(sum.accepted > TESTING_THIN(500, 50, 50) && sum.drafted > sum.accepted + TESTING_THIN(500, 50, 50));
}

static void ends_are_exact(void) {
    guessed sum = {0, 0};
    for (uint32_t n = 1; n < 30; n += TESTING_THIN(1, 4, 14)) { /* max_tokens, also within guesses */
        puna_generation g = bed_generation(n);
        same("length", MODEL, 0, &g, &sum);
    }
    for (uint32_t context = 24; context < 60; context += TESTING_THIN(5, 15, 25)) { /* full, with and without a shift */
        puna_generation g = bed_generation(0);
        same("context", MODEL, context, &g, &sum);
        g = bed_generation(150);
        g.flags |= PUNA_GENERATE_SHIFT;
        g.keep = 3;
        same("shift", MODEL, context, &g, &sum);
    }
    CHECK(sum.accepted > TESTING_THIN(500, 50, 50));
}

static void stop_strings_and_grammars_are_exact(void) {
    guessed sum = {0, 0};
    for (uint32_t seed = 0; seed < TESTING_THIN(6, 2, 2); seed++) {
        puna_generation g = bed_generation(80);
        puna_stage chain[] = {STAGE(TEMPERATURE, .value = 0.2f * (float)seed)};
        g.seed = seed;
        g.stages = chain;
        g.stage_count = 1;
        static const puna_text stops[] = {{"e", 1}, {"never there", 11}, {" t", 2}};
        g.stops = stops;
        g.stop_count = seed % 2 ? 2 : 3;
        same("stops", CHAT, 0, &g, &sum);
        g.stop_count = 0;
        g.flags = 0;
        same("the model's own end", CHAT, 0, &g, &sum);
        g.flags = PUNA_GENERATE_IGNORE_EOS;
        g.grammar = (puna_grammar *)&sum; /* digest_of makes one */
        same("grammar", CHAT, 0, &g, &sum);
    }
    CHECK(sum.accepted > TESTING_THIN(50, 5, 5));
}

/* Cancelled at any step, then asked to go on: to the same tokens, and what is cached is what was computed. */
static void a_cancelled_one_goes_on_to_the_same(void) {
    static bed_result whole, part;
    bed plain, b;
    puna_engine_options none = options(0), some = options(16);
    puna_generation g = bed_generation(60);
    NEED(bed_open(&plain, MODEL, &none));
    CHECK_EQUAL(bed_start(&plain, &whole, loop, COUNT(loop), &g), PUNA_OK);
    bed_run(&plain, &whole, 1, 200);
    bed_close(&plain);
    NEED(bed_open(&b, MODEL, &some));
    for (int after = 1; after < 12; after++) {
        puna_step step = {.size = sizeof step};
        CHECK_EQUAL(bed_start(&b, &part, loop, COUNT(loop), &g), PUNA_OK);
        for (int n = 0; n < after; n++) {
            CHECK_EQUAL(puna_engine_step(b.engine, &step, &b.error), PUNA_OK);
            bed_take(&b, &part, 1);
        }
        CHECK_EQUAL(puna_sequence_cancel(b.engine, part.sequence, &b.error), PUNA_OK);
        bed_run(&b, &part, 1, 2);
        int32_t ids[256];
        uint64_t count = 0, fork = 0;
        CHECK_EQUAL(puna_sequence_tokens(b.engine, part.sequence, ids, 256, &count, &b.error), PUNA_OK);
        CHECK_EQUAL(count, COUNT(loop) + part.count);
        CHECK(memcmp(part.tokens, whole.tokens, part.count * sizeof *ids) == 0);
        if (part.count >= 60) continue;
        CHECK_EQUAL(puna_sequence_fork(b.engine, part.sequence, PUNA_ALL, &fork, &b.error), PUNA_OK);
        puna_generation rest = bed_generation(60 - part.count);
        static bed_result forked;
        memset(&forked, 0, sizeof forked);
        forked.sequence = fork;
        CHECK_EQUAL(puna_sequence_generate(b.engine, fork, ids, count, &rest, &b.error), PUNA_OK);
        bed_run(&b, &forked, 1, 200);
        CHECK_EQUAL(forked.cached_tokens, count - 1);
        CHECK(memcmp(forked.tokens, whole.tokens + part.count, forked.count * sizeof *ids) == 0);
        CHECK_EQUAL(puna_sequence_close(b.engine, fork, &b.error), PUNA_OK);
        CHECK_EQUAL(puna_sequence_close(b.engine, part.sequence, &b.error), PUNA_OK);
    }
    bed_close(&b);
}

/* Where pages are short, guesses take none from anybody: no more is evicted than without them. */
static void guesses_evict_nobody_who_runs(void) {
    static bed_result r[2][4];
    uint64_t evictions[2] = {0, 0};
    for (uint32_t side = 0; side < 2; side++) {
        bed b;
        puna_engine_options o = options(side ? 32 : 0);
        o.draft_least = 8;
        o.context_length = 256;
        puna_engine_info info = {.size = sizeof info};
        NEED(bed_open(&b, MODEL, &o));
        puna_engine_describe(b.engine, &info);
        o.cache_bytes = info.page_bytes * 5;
        bed_close(&b);
        NEED(bed_open(&b, MODEL, &o));
        for (uint32_t i = 0; i < 4; i++) {
            puna_generation g = bed_generation(120 + i);
            CHECK_EQUAL(bed_start(&b, &r[side][i], loop, COUNT(loop) - i, &g), PUNA_OK);
        }
        bed_run(&b, r[side], 4, 3000);
        puna_engine_describe(b.engine, &info);
        evictions[side] = info.evictions;
        if (side) CHECK(info.drafted_tokens > 100);
        bed_close(&b);
    }
    for (uint32_t i = 0; i < 4; i++) {
        CHECK_EQUAL(r[0][i].count, r[1][i].count);
        CHECK(memcmp(r[0][i].tokens, r[1][i].tokens, r[0][i].count * sizeof *r[0][i].tokens) == 0);
    }
    CHECK(evictions[1] <= evictions[0]);
}

static void counts_add_up(void) {
    bed b;
    puna_engine_options o = options(16);
    puna_generation g = bed_generation(60);
    puna_engine_info info = {.size = sizeof info};
    guessed sum = {0, 0};
    NEED(bed_open(&b, MODEL, &o));
    for (int round = 0; round < 2; round++) {
        uint64_t sequence, steps = 0, tokens = 0;
        CHECK_EQUAL(puna_sequence_open(b.engine, &sequence, &b.error), PUNA_OK);
        CHECK_EQUAL(puna_sequence_generate(b.engine, sequence, loop, COUNT(loop), &g, &b.error), PUNA_OK);
        uint32_t accepted = 0;
        for (puna_step step = {.size = sizeof step, .active = 1}; step.active; steps++) {
            CHECK_EQUAL(puna_engine_step(b.engine, &step, &b.error), PUNA_OK);
            tokens += step.tokens;
            for (puna_event e = {.size = sizeof e}; puna_engine_next_event(b.engine, &e);) {
                sum.drafted += e.drafted_tokens;
                accepted += e.accepted_tokens;
            }
        }
        sum.accepted += accepted;
        CHECK_EQUAL(tokens, 60);
        CHECK_EQUAL(steps, 60 - accepted); /* a token a step, and those that were guessed; the prompt's has one, too */
        if (round) CHECK_EQUAL(accepted, 0);
        else CHECK(accepted > 0);
        g.flags |= PUNA_GENERATE_NO_DRAFTS;
    }
    puna_engine_describe(b.engine, &info);
    CHECK(sum.drafted == info.drafted_tokens && sum.accepted == info.accepted_tokens);
    CHECK_EQUAL(info.generated_tokens, 120);
    bed_close(&b);
}

/* What a draft model takes is within the plan, and given back. */
static void a_draft_model_is_accounted_for(void) {
    static bed_result r[4];
    bed b;
    puna_engine_options o = options(16);
    puna_engine_info info = {.size = sizeof info};
    puna_generation g = bed_generation(0);
    o.speculation = PUNA_SPECULATE_DRAFT;
    o.draft = draft;
    o.draft_least = 4;
    o.context_length = 512;
    NEED(bed_open(&b, MODEL, &o));
    puna_engine_describe(b.engine, &info);
    uint64_t before = info.memory_bytes;
    puna_memory_plan plan = {.size = sizeof plan};
    CHECK_EQUAL(puna_plan(puna_model_file(b.model), &o, &plan, &b.error), PUNA_OK);
    CHECK(before <= plan.scratch + plan.scratch / 50);
    for (uint32_t i = 0; i < 4; i++) {
        g.seed = i;
        int32_t ids[2] = {(int32_t)(20 + 40 * i), 7};
        CHECK_EQUAL(bed_start(&b, &r[i], ids, 2, &g), PUNA_OK);
    }
    uint64_t most = 0;
    for (puna_step step = {.size = sizeof step, .active = 1}; step.active;) {
        CHECK_EQUAL(puna_engine_step(b.engine, &step, &b.error), PUNA_OK);
        bed_take(&b, r, 4);
        puna_engine_describe(b.engine, &info);
        if (info.memory_bytes > most) most = info.memory_bytes;
    }
    CHECK(info.accepted_tokens > 50);
    uint64_t planned = plan.cache + plan.scratch + plan.sequences;
    if (most > planned + planned / 50)
        testing_fail(__FILE__, __LINE__, "%llu bytes, planned were %llu", (unsigned long long)most,
                     (unsigned long long)planned);
    for (uint32_t i = 0; i < 4; i++) CHECK_EQUAL(puna_sequence_close(b.engine, r[i].sequence, &b.error), PUNA_OK);
    CHECK_EQUAL(puna_engine_trim(b.engine, &b.error), PUNA_OK);
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.memory_bytes, before);
    bed_close(&b);
}

static void a_draft_model_of_another_vocabulary_is_refused(void) {
    bed b;
    puna_engine *engine;
    puna_engine_options o = options(4);
    NEED(bed_open(&b, MODEL, &o));
    o.speculation = PUNA_SPECULATE_DRAFT;
    CHECK_EQUAL(puna_engine_create(b.model, &o, &engine, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(b.error.message, "no draft model"));
    o.draft = chat_draft;
    CHECK_EQUAL(puna_engine_create(b.model, &o, &engine, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(b.error.message, "same vocabulary"));
    o.speculation = PUNA_SPECULATE_LOOKUP;
    CHECK_EQUAL(puna_engine_create(b.model, &o, &engine, &b.error), PUNA_INVALID_ARGUMENT);
    bed_close(&b);
}

static void settings_out_of_range_are_refused(void) {
    bed b;
    puna_engine *engine;
    puna_engine_options o = options(0);
    NEED(bed_open(&b, MODEL, &o));
    o.speculation = 7;
    CHECK_EQUAL(puna_engine_create(b.model, &o, &engine, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(b.error.message, "speculation is 7"));
    o = options(257);
    CHECK_EQUAL(puna_engine_create(b.model, &o, &engine, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(b.error.message, "draft_tokens is 257"));
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    draft = load(MODEL);
    chat_draft = load(CHAT);
    TEST(every_sampler_is_exact);
    TEST(ends_are_exact);
    TEST(stop_strings_and_grammars_are_exact);
    TEST(a_cancelled_one_goes_on_to_the_same);
    TEST(guesses_evict_nobody_who_runs);
    TEST(counts_add_up);
    TEST(a_draft_model_is_accounted_for);
    TEST(a_draft_model_of_another_vocabulary_is_refused);
    TEST(settings_out_of_range_are_refused);
    puna_model_close(draft);
    puna_model_close(chat_draft);
    return testing_end();
}
