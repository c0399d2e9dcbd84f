// SPDX-License-Identifier: Apache-2.0
/* The promise with every kind of stage, alone and all in one chain: the same tokens on every tier, with any threads,
   any chunks, alone and in a batch. */
#include <math.h>

#include "api/bed.h"

#define NEW 24
#define MODEL "llama_q4_1.gguf"

#define STAGE(name, ...) {.kind = PUNA_SAMPLE_##name, .repeat = 1, __VA_ARGS__}
#define COUNT(array) (sizeof array / sizeof *array)

/* Mild ones, so that in one chain each finds several candidates. */
static const puna_stage stages[] = {
    STAGE(PENALTIES, .window = 32, .frequency = 0.4f, .presence = 0.4f),
    STAGE(DRY, .value = 1.5f, .base = 1.75f, .allowed_length = 1, .window = -1),
    STAGE(TOP_N_SIGMA, .value = 2.5f),
    STAGE(TOP_K, .value = 60),
    STAGE(TYPICAL, .value = 0.97f),
    STAGE(TOP_P, .value = 0.95f),
    STAGE(MIN_P, .value = 0.02f),
    STAGE(XTC, .value = 0.7f, .threshold = 0.05f),
    STAGE(TEMPERATURE, .value = 1.3f),
    STAGE(DYNAMIC_TEMPERATURE, .value = 1.1f, .range = 0.6f, .exponent = 1.2f),
    STAGE(MIROSTAT, .value = 2.5f, .rate = 0.3f),
    STAGE(MIROSTAT_2, .value = 2.5f, .rate = 0.3f),
    STAGE(ADAPTIVE_P, .value = 0.1f, .decay = 0.8f),
};

static const puna_bias biases[] = {{17, 2}, {40, -INFINITY}, {41, -3}};
static const puna_text breakers[] = {{"e", 1}, {"\n", 1}};

/* Case 0: a draw at temperature 1; then each stage before it; at last all of them. */
#define CASES (COUNT(stages) + 2)
#define ALL (COUNT(stages) + 1)

static puna_generation sampled(uint32_t number, puna_stage chain[2]) {
    puna_generation g = bed_generation(NEW);
    g.seed = 500;
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    g.logprobs = 1;
    g.breakers = breakers;
    g.breaker_count = COUNT(breakers);
    g.stages = chain;
    g.stage_count = 1;
    chain[0] = (puna_stage)STAGE(TEMPERATURE, .value = 1);
    if (number == ALL) {
        g.stages = stages;
        g.stage_count = COUNT(stages);
        g.biases = biases;
        g.bias_count = COUNT(biases);
    } else if (number > 0) {
        chain[1] = chain[0];
        chain[0] = stages[number - 1];
        g.stage_count = 2;
    }
    return g;
}

static void start(bed *b, bed_result *r, uint32_t number) {
    /* what repeats, for penalties and DRY */
    static const int32_t prompt[] = {20, 90, 91, 92, 20, 90, 91, 92, 20, 90, 91, 92, 20};
    puna_stage chain[2];
    puna_generation g = sampled(number, chain);
    puna_status status = bed_start(b, r, prompt, COUNT(prompt), &g);
    if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "case %u: %s", number, b->error.message);
}

static void same(const bed_result *expected, const bed_result *got, uint32_t number, const char *tier,
                 const char *what) {
    CHECK_EQUAL(got->count, NEW);
    if (memcmp(expected->tokens, got->tokens, NEW * sizeof *got->tokens) != 0 ||
        memcmp(expected->logprobs, got->logprobs, NEW * sizeof *got->logprobs) != 0)
        testing_fail(__FILE__, __LINE__, "case %u on %s: other tokens or log-probabilities %s", number, tier, what);
}

static bed_result expected[CASES], got[CASES];

static void each_alone(bed_result *results, uint32_t threads, uint32_t step_tokens) {
    bed b;
    puna_engine_options o = bed_options(threads, step_tokens, 1, PUNA_CACHE_F16);
    NEED(bed_open(&b, MODEL, &o));
    for (uint32_t i = 0; i < CASES; i++) {
        results[i] = (bed_result){.count = 0};
        start(&b, &results[i], i);
        bed_run(&b, &results[i], 1, 1000);
        CHECK(puna_sequence_close(b.engine, results[i].sequence, &b.error) == PUNA_OK);
    }
    bed_close(&b);
}

static void together(bed_result *results, uint32_t threads, uint32_t step_tokens) {
    bed b;
    puna_engine_options o = bed_options(threads, step_tokens, CASES, PUNA_CACHE_F16);
    NEED(bed_open(&b, MODEL, &o));
    for (uint32_t i = 0; i < CASES; i++) {
        results[i] = (bed_result){.count = 0};
        start(&b, &results[i], i);
    }
    bed_run(&b, results, CASES, 1000);
    bed_close(&b);
}

static void every_stage_keeps_the_promise(void) {
    static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};
    bed_tier("ref");
    each_alone(expected, 1, 512);
    for (size_t t = 0; t < COUNT(tiers); t++) {
        if (!bed_tier(tiers[t])) continue;
        each_alone(got, 2, 3);
        for (uint32_t i = 0; i < CASES; i++) same(&expected[i], &got[i], i, tiers[t], "with 2 threads, steps of 3");
        together(got, 2, 64);
        for (uint32_t i = 0; i < CASES; i++) same(&expected[i], &got[i], i, tiers[t], "in a batch");
        together(got, 3, 20);
        for (uint32_t i = 0; i < CASES; i++) same(&expected[i], &got[i], i, tiers[t], "in a batch of small steps");
    }
    bed_tier(NULL);
}

/* A stage that is dropped on the way to the sampler would keep its promise too. */
static void every_stage_does_something(void) {
    each_alone(expected, 2, 64);
    for (uint32_t i = 1; i < CASES; i++) {
        CHECK_EQUAL(expected[i].count, NEW);
        if (memcmp(expected[0].tokens, expected[i].tokens, NEW * sizeof *expected[i].tokens) == 0)
            testing_fail(__FILE__, __LINE__, "case %u: the same tokens as without its stage", i);
    }
    for (uint32_t i = 0; i < NEW; i++) CHECK(expected[ALL].tokens[i] != 40); /* banned */
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(every_stage_keeps_the_promise);
    TEST(every_stage_does_something);
    return testing_end();
}
