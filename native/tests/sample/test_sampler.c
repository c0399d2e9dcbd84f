// SPDX-License-Identifier: Apache-2.0
/* Sampling by hand: every stage and order, penalties, draws, log-probabilities, refusals. */
#include "sample/sampler.h"

#include <math.h>
#include <stdlib.h>

#include "sample/candidates.h"
#include "testing.h"

static puna_error error = PUNA_ERROR_INIT;
static memory_account account;

static puna_stage temperature(float value) { return (puna_stage){.kind = PUNA_SAMPLE_TEMPERATURE, .value = value}; }
static puna_stage top_k(float value) { return (puna_stage){.kind = PUNA_SAMPLE_TOP_K, .value = value}; }
static puna_stage top_p(float value) { return (puna_stage){.kind = PUNA_SAMPLE_TOP_P, .value = value}; }
static puna_stage min_p(float value) { return (puna_stage){.kind = PUNA_SAMPLE_MIN_P, .value = value}; }
static puna_stage penalties_of(int32_t window, float repeat, float frequency, float presence) {
    return (puna_stage){.kind = PUNA_SAMPLE_PENALTIES, .window = window, .repeat = repeat, .frequency = frequency,
                        .presence = presence};
}

static sampler *make(const puna_stage *stages, uint32_t count, uint64_t seed, int32_t vocabulary) {
    puna_generation g = {.size = sizeof g, .seed = seed, .stages = stages, .stage_count = count};
    sampler *s;
    if (sampler_create(&account, &g, &(sampler_model){.vocabulary = vocabulary}, &s, &error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s: %s", error.subject, error.message);
    return s;
}

static int32_t choose(sampler *s, const float *logits, uint64_t position) {
    sampler_choice choice;
    puna_status status = sampler_choose(s, logits, position, &choice, &error);
    return status == PUNA_OK ? choice.id : -status;
}

/* Which ids come up in 4,000 draws, as a bit set (ids below 32). */
static uint32_t reachable(const puna_stage *stages, uint32_t count, const float *logits, int32_t vocabulary) {
    sampler *s = make(stages, count, 7, vocabulary);
    uint32_t seen = 0;
    for (uint64_t position = 0; s && position < 4000; position++) seen |= 1u << choose(s, logits, position);
    sampler_free(&account, s);
    return seen;
}

#define REACHES(expected, logits, ...) \
    do { \
        const puna_stage stages_[] = {__VA_ARGS__}; \
        CHECK_EQUAL(reachable(stages_, sizeof stages_ / sizeof stages_[0], logits, sizeof logits / sizeof logits[0]), \
                    expected); \
    } while (0)

static void greedy_takes_the_best(void) {
    const float logits[] = {1, 3, 3, -2, INFINITY * -1};
    sampler *s = make(NULL, 0, 1, 5);
    NEED(s);
    for (uint64_t position = 0; position < 50; position++) CHECK_EQUAL(choose(s, logits, position), 1);
    sampler_free(&account, s);
    REACHES(1u << 1, logits, temperature(0));
    REACHES(1u << 1, logits, temperature(1e-35f));
    REACHES(1u << 1, logits, top_k(1));
    REACHES(1u << 1, logits, temperature(2), top_k(1));
    REACHES(1u << 1, logits, top_k(3), temperature(0));
    REACHES(1u << 1, logits, top_p(0));
    REACHES(1u << 2 | 1u << 1, logits, min_p(1)); /* equals stay */
}

/* Probabilities 0.4, 0.3, 0.2, 0.1 for ids 2, 0, 3, 1. */
static const float four[] = {-1.2039728f, -2.3025851f, -0.9162907f, -1.6094379f};

static void stages_keep_what_they_say(void) {
    REACHES(15, four, temperature(1));
    REACHES(15, four, top_k(0));
    REACHES(15, four, top_k(4));
    REACHES(15, four, top_k(1000));
    REACHES(4 | 1, four, top_k(2));
    REACHES(4 | 1 | 8, four, top_k(3));
    REACHES(15, four, top_p(1));
    REACHES(4, four, top_p(0.39f));
    REACHES(4 | 1, four, top_p(0.41f));
    REACHES(4 | 1, four, top_p(0.69f));
    REACHES(4 | 1 | 8, four, top_p(0.71f));
    REACHES(15, four, top_p(0.91f));
    REACHES(15, four, min_p(0));
    REACHES(15, four, min_p(0.24f));
    REACHES(4 | 1 | 8, four, min_p(0.26f));
    REACHES(4 | 1 | 8, four, min_p(0.49f));
    REACHES(4 | 1, four, min_p(0.51f));
    REACHES(4, four, min_p(0.76f));
}

/* At temperature 0.5 the four are 16, 9, 4, 1 thirtieths; at 2 they are 2, 1.732, 1.414, 1 of 6.146. */
static void order_matters(void) {
    REACHES(4 | 1, four, temperature(0.5f), top_p(0.8f));     /* 16 + 9 = 25 of 30 */
    REACHES(4 | 1 | 8, four, top_p(0.8f), temperature(0.5f)); /* 0.4 + 0.3 + 0.2 */
    REACHES(4 | 1 | 8, four, temperature(2), min_p(0.7f));    /* 1.414 of 2 */
    REACHES(4 | 1, four, min_p(0.7f), temperature(2));
    REACHES(4, four, top_k(2), top_p(0.55f));                 /* 4/7 */
    REACHES(4 | 1, four, top_p(0.55f), top_k(2));
    REACHES(4 | 1, four, top_k(3), top_p(0.77f));             /* 7/9 */
    REACHES(4 | 1, four, top_p(0.75f), top_k(2), min_p(0.1f), temperature(3));
    REACHES(4 | 1 | 8, four, temperature(0.5f), temperature(4), min_p(0.7f));
}

static void masked_tokens_are_never_taken(void) {
    const float logits[] = {-INFINITY, 0, -INFINITY, -1, -INFINITY};
    REACHES(2 | 8, logits, temperature(5));
    REACHES(2 | 8, logits, top_k(4));
    REACHES(2 | 8, logits, temperature(0.1f), top_p(0.99999f), temperature(50));
    REACHES(2 | 8, logits, penalties_of(-1, 1.1f, 0, 0), temperature(9));
    const float one[] = {-INFINITY, -INFINITY, 4};
    REACHES(4, one, temperature(1));
    const float single[] = {-3};
    REACHES(1, single, temperature(1), top_k(5), top_p(0.5f), min_p(0.5f));
}

static void extreme_numbers(void) {
    const float wide[] = {3e38f, -3e38f, 3e38f};
    REACHES(1 | 4, wide, temperature(1));
    REACHES(1 | 4, wide, temperature(1e-29f)); /* quotients overflow to the greatest number, equals */
    const float tiny[] = {1e-40f, 0, -0.0f};
    REACHES(7, tiny, temperature(1));
    REACHES(1, tiny, top_k(1));
    const float zeros[] = {-0.0f, 0.0f};
    REACHES(1, zeros, top_k(1)); /* equal: the lower id */
}

/* Exact: value after penalties is compared through the choice of temperature 0. */
static int32_t best_after(const int32_t *accepted, int count, puna_stage penalty, const float *logits,
                          int32_t vocabulary) {
    const puna_stage stages[] = {penalty, temperature(0)};
    sampler *s = make(stages, 2, 1, vocabulary);
    if (!s) return -1;
    for (int i = 0; i < count; i++) sampler_accept(s, accepted[i]);
    int32_t id = choose(s, logits, 0);
    sampler_free(&account, s);
    return id;
}

static void penalties_by_hand(void) {
    const float logits[] = {4, 3, -1, -1.5f};
    const int32_t seen[] = {0, 0, 0, 2};
    CHECK_EQUAL(best_after(seen, 4, penalties_of(-1, 1, 0, 0), logits, 4), 0);
    CHECK_EQUAL(best_after(seen, 4, penalties_of(-1, 1.3f, 0, 0), logits, 4), 0);  /* 3.077 */
    CHECK_EQUAL(best_after(seen, 4, penalties_of(-1, 1.34f, 0, 0), logits, 4), 1); /* 2.985 */
    CHECK_EQUAL(best_after(seen, 4, penalties_of(-1, 1, 0.3f, 0), logits, 4), 0);  /* 4 - 0.9 */
    CHECK_EQUAL(best_after(seen, 4, penalties_of(-1, 1, 0.35f, 0), logits, 4), 1); /* 4 - 1.05 */
    CHECK_EQUAL(best_after(seen, 4, penalties_of(-1, 1, 0, 0.95f), logits, 4), 0);
    CHECK_EQUAL(best_after(seen, 4, penalties_of(-1, 1, 0, 1.05f), logits, 4), 1);
    CHECK_EQUAL(best_after(seen, 4, penalties_of(-1, 1, 0.3f, 0.2f), logits, 4), 1); /* 4 - 0.9 - 0.2 */
    /* negative logits are multiplied: -1 * 1.6 falls behind -1.5 */
    const float negative[] = {-9, -9, -1, -1.5f};
    CHECK_EQUAL(best_after(seen, 4, penalties_of(-1, 1.4f, 0, 0), negative, 4), 2);
    CHECK_EQUAL(best_after(seen, 4, penalties_of(-1, 1.6f, 0, 0), negative, 4), 3);
    /* rewards: a negative presence, a repeat below 1 */
    CHECK_EQUAL(best_after(seen + 3, 1, penalties_of(-1, 1, 0, -6), logits, 4), 2);
    const float close[] = {2, 3};
    CHECK_EQUAL(best_after(seen, 1, penalties_of(-1, 0.5f, 0, 0), close, 2), 0);
}

static void penalties_look_back(void) {
    const float logits[] = {4, 3, 0};
    const int32_t seen[] = {0, 2, 2};
    puna_stage hard = penalties_of(3, 1, 0, 2);
    CHECK_EQUAL(best_after(seen, 3, hard, logits, 3), 1);
    hard.window = 2; /* the 0 is three tokens back */
    CHECK_EQUAL(best_after(seen, 3, hard, logits, 3), 0);
    hard.window = 0;
    CHECK_EQUAL(best_after(seen, 1, hard, logits, 3), 0);
    hard.window = -1;
    CHECK_EQUAL(best_after(seen, 3, hard, logits, 3), 1);
    const int32_t outside[] = {-1, 3, 1000000, INT32_MIN};
    CHECK_EQUAL(best_after(outside, 4, hard, logits, 3), 0);
    /* A window of 4 over a long text holds exactly the last 4. */
    int32_t text[1000];
    for (int i = 0; i < 1000; i++) text[i] = i % 5;
    const float equal[] = {1, 1, 1, 1, 1};
    for (int length = 5; length < 1000; length += 37)
        CHECK_EQUAL(best_after(text, length, penalties_of(4, 1, 1, 0), equal, 5), length % 5);
}

/* Two penalty stages have windows of their own, and penalties may follow a cut. */
static void penalties_anywhere_in_the_chain(void) {
    const float logits[] = {4, 3.9f, 3.8f, 3.7f};
    const puna_stage stages[] = {top_k(2), penalties_of(-1, 1, 0, 3), penalties_of(1, 1, 0, 3), temperature(0)};
    sampler *s = make(stages, 4, 1, 4);
    NEED(s);
    CHECK_EQUAL(choose(s, logits, 0), 0);
    sampler_accept(s, 0);
    CHECK_EQUAL(choose(s, logits, 0), 1); /* 2 and 3 were cut before */
    sampler_accept(s, 1);
    CHECK_EQUAL(choose(s, logits, 0), 0); /* 4 - 3 against 3.9 - 6 */
    sampler_free(&account, s);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void draws_are_the_stated_hash(void) {
    /* splitmix64 seeded with 0 begins with these: M(G), M(2G) */
    CHECK(sampler_draw(0, 0, 0) != sampler_draw(0, 0, 1));
    uint64_t z = 0;
    const uint64_t g = 0x9E3779B97F4A7C15u, add[] = {g, g * 6, g * 8};
    for (int i = 0; i < 3; i++) {
        z += add[i];
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        z ^= z >> 31;
        if (i == 0) CHECK(z == 0xE220A8397B1DCDAFu);
    }
    CHECK(sampler_draw(0, 5, 7) == z);
    /* neighbours differ in about half of their bits */
    int bits = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t a = sampler_draw(i, 3, 0) ^ sampler_draw(i + 1, 3, 0),
            b = sampler_draw(9, i, 0) ^ sampler_draw(9, i + 1, 0);
        for (uint64_t d = a; d; d &= d - 1) bits++;
        for (uint64_t d = b; d; d &= d - 1) bits++;
    }
    CHECK(bits > 63000 && bits < 65000);
}

static void seeds_repeat(void) {
    float logits[200];
    for (int i = 0; i < 200; i++) logits[i] = testing_normal();
    const puna_stage stages[] = {temperature(1.5f)};
    sampler *a = make(stages, 1, 42, 200), *b = make(stages, 1, 42, 200), *c = make(stages, 1, 43, 200);
    NEED(a && b && c);
    int same_seed = 0, other_seed = 0, neighbours = 0;
    for (uint64_t p = 0; p < 500; p++) {
        int32_t id = choose(a, logits, p);
        same_seed += choose(b, logits, p) == id;
        other_seed += choose(c, logits, p) == id;
        neighbours += choose(a, logits, p + 1) == id;
    }
    CHECK_EQUAL(same_seed, 500);
    CHECK(other_seed < 50);
    CHECK(neighbours < 50);
    for (uint64_t p = 500; p-- > 0;) CHECK_EQUAL(choose(a, logits, p), choose(b, logits, p)); /* no state */
    sampler_free(&account, a);
    sampler_free(&account, b);
    sampler_free(&account, c);
}

static void log_probabilities(void) {
    puna_stage stages[] = {penalties_of(-1, 1, 0, 50), temperature(0)};
    puna_generation g = {.size = sizeof g, .stages = stages, .stage_count = 2, .logprobs = 1, .top_logprobs = 3};
    sampler *s;
    CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = 4}, &s, &error), PUNA_OK);
    NEED(s);
    sampler_accept(s, 2);
    sampler_choice choice;
    CHECK_EQUAL(sampler_choose(s, four, 0, &choice, &error), PUNA_OK);
    CHECK_EQUAL(choice.id, 0); /* 2 is penalized; its probability is not */
    CHECK(fabsf(choice.logprob - logf(0.3f)) < 1e-6f);
    CHECK_EQUAL(choice.top_count, 3);
    const int32_t ids[] = {2, 0, 3};
    const float p[] = {0.4f, 0.3f, 0.2f};
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(choice.top[i].id, ids[i]);
        CHECK(fabsf(choice.top[i].logprob - logf(p[i])) < 1e-6f);
    }
    const float masked[] = {-INFINITY, 5, 5, -INFINITY};
    CHECK_EQUAL(sampler_choose(s, masked, 0, &choice, &error), PUNA_OK);
    CHECK_EQUAL(choice.top_count, 2);
    CHECK_EQUAL(choice.top[0].id, 1);
    CHECK_EQUAL(choice.top[1].id, 2);
    CHECK(choice.top[0].logprob == choice.top[1].logprob);
    sampler_free(&account, s);
    g.top_logprobs = 0;
    g.logprobs = 0;
    CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = 4}, &s, &error), PUNA_OK);
    NEED(s);
    CHECK_EQUAL(sampler_choose(s, four, 0, &choice, &error), PUNA_OK);
    CHECK(choice.logprob == 0 && choice.top_count == 0);
    sampler_free(&account, s);
}

static int descending(const void *a, const void *b) {
    const puna_logprob *x = a, *y = b;
    if (x->logprob != y->logprob) return x->logprob > y->logprob ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

static void log_probabilities_of_long_rows(void) {
    enum { N = 49152 };
    float *logits = malloc(N * sizeof(float));
    puna_logprob *all = malloc(N * sizeof *all);
    NEED(logits && all);
    double sum = 0, max = -1e9;
    for (int i = 0; i < N; i++) {
        logits[i] = roundf(testing_normal() * 64) / 16; /* many equals */
        all[i] = (puna_logprob){i, logits[i]};
        max = logits[i] > max ? logits[i] : max;
    }
    for (int i = 0; i < N; i++) sum += exp(logits[i] - max);
    qsort(all, N, sizeof *all, descending);
    puna_generation g = {.size = sizeof g, .top_logprobs = PUNA_MAX_TOP_LOGPROBS};
    sampler *s;
    sampler_choice choice = {0};
    CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = N}, &s, &error), PUNA_OK);
    NEED(s);
    CHECK_EQUAL(sampler_choose(s, logits, 0, &choice, &error), PUNA_OK);
    CHECK_EQUAL(choice.top_count, PUNA_MAX_TOP_LOGPROBS);
    for (uint32_t i = 0; i < choice.top_count; i++) {
        CHECK_EQUAL(choice.top[i].id, all[i].id);
        CHECK(fabs(choice.top[i].logprob - (logits[all[i].id] - max - log(sum))) < 1e-5);
    }
    sampler_free(&account, s);
    free(logits);
    free(all);
}

static void rows_that_are_not_finite(void) {
    float logits[100];
    const puna_stage stages[] = {temperature(1)};
    for (uint32_t count = 0; count < 2; count++) {
        sampler *s = make(stages, count, 1, 100);
        NEED(s);
        const float odd[] = {NAN, -NAN, INFINITY};
        for (int i = 0; i < 3; i++) {
            for (int at = 0; at < 100; at += 33) {
                for (int j = 0; j < 100; j++) logits[j] = j % 3 ? (float)j : -INFINITY;
                logits[at] = odd[i];
                CHECK_EQUAL(choose(s, logits, 0), -PUNA_NOT_FINITE);
                CHECK(strstr(error.message, i < 2 ? "NaN" : "inf"));
            }
        }
        for (int j = 0; j < 100; j++) logits[j] = -INFINITY;
        CHECK_EQUAL(choose(s, logits, 0), -PUNA_NOT_FINITE);
        CHECK(strstr(error.message, "no finite"));
        logits[0] = NAN;
        CHECK_EQUAL(choose(s, logits, 0), -PUNA_NOT_FINITE);
        logits[0] = -3e38f;
        CHECK_EQUAL(choose(s, logits, 0), 0);
        sampler_free(&account, s);
    }
}

#define REFUSED(stage_, subject_, part) \
    do { \
        const puna_stage stages_[] = {temperature(1), stage_}; \
        puna_generation g_ = {.size = sizeof g_, .stages = stages_, .stage_count = 2}; \
        sampler *s_ = (sampler *)&g_; \
        error = (puna_error)PUNA_ERROR_INIT; \
        CHECK_EQUAL(sampler_create(&account, &g_, &(sampler_model){.vocabulary = 10}, &s_, &error), \
                    PUNA_INVALID_ARGUMENT); \
        CHECK(s_ == NULL); \
        CHECK_TEXT(error.subject, subject_); \
        if (!strstr(error.message, part)) \
            testing_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", error.message, part); \
    } while (0)

static void settings_out_of_range(void) {
    REFUSED(temperature(NAN), "temperature", "temperature is nan; a finite number, 0 or more");
    REFUSED(temperature(-0.5f), "temperature", "-0.5");
    REFUSED(temperature(INFINITY), "temperature", "inf");
    REFUSED(top_k(-1), "top_k", "top_k is -1");
    REFUSED(top_k(2.5f), "top_k", "2.5");
    REFUSED(top_k(NAN), "top_k", "whole number");
    REFUSED(top_k(1e20f), "top_k", "1e+20");
    REFUSED(top_p(1.5f), "top_p", "top_p is 1.5; a number from 0 to 1");
    REFUSED(top_p(-0.1f), "top_p", "-0.1");
    REFUSED(top_p(NAN), "top_p", "nan");
    REFUSED(min_p(2), "min_p", "min_p is 2");
    REFUSED(min_p(-1), "min_p", "-1");
    REFUSED(min_p(NAN), "min_p", "nan");
    REFUSED(penalties_of(-2, 1, 0, 0), "penalty window", "-2");
    REFUSED(penalties_of(INT32_MAX, 1, 0, 0), "penalty window", "1048576");
    REFUSED(penalties_of(64, 0, 0, 0), "repeat penalty", "above 0");
    REFUSED(penalties_of(64, NAN, 0, 0), "repeat penalty", "nan");
    REFUSED(penalties_of(64, -1, 0, 0), "repeat penalty", "-1");
    REFUSED(penalties_of(64, 1, INFINITY, 0), "frequency penalty", "inf");
    REFUSED(penalties_of(64, 1, 0, NAN), "presence penalty", "nan");
    REFUSED(((puna_stage){.kind = 0}), "stages", "stage 1 has kind 0");
    REFUSED(((puna_stage){.kind = 14}), "stages", "kind 14");
}

static void counts_out_of_range(void) {
    puna_stage stages[PUNA_MAX_STAGES + 1];
    for (uint32_t i = 0; i <= PUNA_MAX_STAGES; i++) stages[i] = temperature(1);
    sampler *s;
    puna_generation g = {.size = sizeof g, .stages = stages, .stage_count = PUNA_MAX_STAGES + 1};
    CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = 10}, &s, &error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "17") && strstr(error.message, "16"));
    g.stage_count = 1;
    g.stages = NULL;
    CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = 10}, &s, &error), PUNA_INVALID_ARGUMENT);
    g.stage_count = 0;
    g.top_logprobs = PUNA_MAX_TOP_LOGPROBS + 1;
    CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = 10}, &s, &error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "65") && strstr(error.message, "64"));
    g.top_logprobs = 0;
    g.logprobs = 2;
    CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = 10}, &s, &error), PUNA_INVALID_ARGUMENT);
    g.logprobs = 0;
    CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = 0}, &s, &error), PUNA_UNSUPPORTED);
    CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = INT32_MAX}, &s, &error), PUNA_UNSUPPORTED);
    g.stages = stages;
    g.stage_count = PUNA_MAX_STAGES; /* as many as are allowed, all of them at work */
    for (uint32_t i = 0; i < PUNA_MAX_STAGES; i++) stages[i] = temperature(1.01f);
    CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = 4}, &s, &error), PUNA_OK);
    NEED(s);
    CHECK(choose(s, four, 0) >= 0);
    sampler_free(&account, s);
}

static int allowed;

static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return allowed-- > 0;
}

static void each_allocation_fails_once(void) {
    const puna_stage stages[] = {penalties_of(64, 1.1f, 0, 0), penalties_of(-1, 1, 1, 0), temperature(1)};
    puna_generation g = {.size = sizeof g, .stages = stages, .stage_count = 3};
    sampler *s;
    for (int n = 0; n < 20; n++) {
        allowed = n;
        memory_set_gate(gate, NULL);
        puna_status status = sampler_create(&account, &g, &(sampler_model){.vocabulary = 1000}, &s, &error);
        memory_set_gate(NULL, NULL);
        if (status == PUNA_OK) {
            CHECK_EQUAL(n, 6);
            allowed = 0;
            memory_set_gate(gate, NULL); /* choosing takes no memory at all */
            float logits[1000];
            for (int i = 0; i < 1000; i++) logits[i] = testing_normal();
            sampler_accept(s, 3);
            CHECK(choose(s, logits, 1) >= 0);
            memory_set_gate(NULL, NULL);
            CHECK_EQUAL(allowed, 0);
            sampler_free(&account, s);
            CHECK_EQUAL(memory_used(&account), 0);
            return;
        }
        CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
        CHECK(s == NULL);
        CHECK_EQUAL(memory_used(&account), 0);
    }
    CHECK(!"it was never made");
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    memory_account_init(&account);
    TEST(greedy_takes_the_best);
    TEST(stages_keep_what_they_say);
    TEST(order_matters);
    TEST(masked_tokens_are_never_taken);
    TEST(extreme_numbers);
    TEST(penalties_by_hand);
    TEST(penalties_look_back);
    TEST(penalties_anywhere_in_the_chain);
    TEST(draws_are_the_stated_hash);
    TEST(seeds_repeat);
    TEST(log_probabilities);
    TEST(log_probabilities_of_long_rows);
    TEST(rows_that_are_not_finite);
    TEST(settings_out_of_range);
    TEST(counts_out_of_range);
    TEST(each_allocation_fails_once);
    return testing_end();
}
