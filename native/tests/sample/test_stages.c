// SPDX-License-Identifier: Apache-2.0
/* Truncating, aiming and remembering stages by hand: small distributions worked out in the comments;
   memory; refusals. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "sample/candidates.h"
#include "sample/sampler.h"
#include "testing.h"

static puna_error error = PUNA_ERROR_INIT;
static memory_account account;

#define STAGE(name, ...) (puna_stage){.kind = PUNA_SAMPLE_##name, .repeat = 1, __VA_ARGS__}
#define GREEDY STAGE(TEMPERATURE, .value = 0)

static const char *letter(const void *context, int32_t id, size_t *length) {
    *length = 1;
    return (const char *)context + id % 26;
}

static sampler *make(puna_generation g, int32_t vocabulary) {
    sampler_model model = {vocabulary, 4096, "abcdefghijklmnopqrstuvwxyz", letter};
    sampler *s = NULL;
    g.size = sizeof g;
    if (sampler_create(&account, &g, &model, &s, &error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s: %s", error.subject, error.message);
    return s;
}

static int32_t choose(sampler *s, const float *logits, uint64_t position) {
    sampler_choice choice;
    puna_status status = sampler_choose(s, logits, position, &choice, &error);
    return status == PUNA_OK ? choice.id : -status;
}

/* Which ids come up in 4,000 draws, as a bit set. */
static uint32_t reachable(const puna_stage *stages, uint32_t count, const float *logits, int32_t vocabulary) {
    sampler *s = make((puna_generation){.seed = 7, .stages = stages, .stage_count = count}, vocabulary);
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

/* Probabilities 0.4, 0.3, 0.2, 0.1 for ids 2, 0, 3, 1: bits 4, 1, 8, 2. */
static const float four[] = {-1.2039728f, -2.3025851f, -0.9162907f, -1.6094379f};

/* Entropy 1.2799; surprises 0.916, 1.204, 1.609, 2.303 are 0.364, 0.076, 0.330, 1.023 from it: 0, 3, 2, 1 in order. */
static void typical_goes_by_nearness_to_the_entropy(void) {
    REACHES(1, four, STAGE(TYPICAL, .value = 0));
    REACHES(1, four, STAGE(TYPICAL, .value = 0.29f));
    REACHES(1 | 8, four, STAGE(TYPICAL, .value = 0.31f));
    REACHES(1 | 8 | 4, four, STAGE(TYPICAL, .value = 0.51f));
    REACHES(15, four, STAGE(TYPICAL, .value = 0.91f));
    REACHES(15, four, STAGE(TYPICAL, .value = 1));
    const float equal[] = {2, 2, 2, 2};
    REACHES(1 | 2, equal, STAGE(TYPICAL, .value = 0.5f)); /* ties: the lower ids */
}

/* 0, 1, 2, 3: mean 1.5, deviation sqrt(1.25) = 1.118. */
static void top_n_sigma_counts_deviations(void) {
    const float steps[] = {0, 1, 2, 3, -INFINITY};
    REACHES(8, steps, STAGE(TOP_N_SIGMA, .value = 0.8f));
    REACHES(8 | 4, steps, STAGE(TOP_N_SIGMA, .value = 1));
    REACHES(8 | 4 | 2, steps, STAGE(TOP_N_SIGMA, .value = 2));
    REACHES(15, steps, STAGE(TOP_N_SIGMA, .value = 3));
    REACHES(15, steps, STAGE(TOP_N_SIGMA, .value = 0));
    REACHES(8, steps, STAGE(TOP_K, .value = 2), STAGE(TOP_N_SIGMA, .value = 1)); /* 3, 2: deviation 0.5 */
}

static void xtc_drops_the_top(void) {
    REACHES(1 | 8 | 2, four, STAGE(XTC, .value = 1, .threshold = 0.25f));
    REACHES(8 | 2, four, STAGE(XTC, .value = 1, .threshold = 0.15f));
    REACHES(15, four, STAGE(XTC, .value = 1, .threshold = 0.35f)); /* one alone stays */
    REACHES(15, four, STAGE(XTC, .value = 1, .threshold = 0.51f));
    REACHES(15, four, STAGE(XTC, .value = 0, .threshold = 0.1f));
    REACHES(4 | 1, four, STAGE(XTC, .value = 0.5f, .threshold = 0.25f), GREEDY); /* dropped in some draws */
    REACHES(1, four, STAGE(TOP_K, .value = 2), STAGE(XTC, .value = 1, .threshold = 0.25f));
}

/* In bits the surprises are 1.32, 1.74, 2.32, 3.32; mu begins at twice the target. */
static void mirostat_2_cuts_at_mu(void) {
    REACHES(4, four, STAGE(MIROSTAT_2, .value = 0.5f, .rate = 0.1f));
    REACHES(4, four, STAGE(MIROSTAT_2, .value = 0.8f, .rate = 0.1f));
    REACHES(4 | 1, four, STAGE(MIROSTAT_2, .value = 0.9f, .rate = 0.1f));
    REACHES(4 | 1 | 8, four, STAGE(MIROSTAT_2, .value = 1.2f, .rate = 0.1f));
    REACHES(15, four, STAGE(MIROSTAT_2, .value = 2, .rate = 0.1f));
}

/* Two equals have a surprise of one bit. mu: 1.2, then 1.2 - (1 - 0.6) = 0.8, which only the best one's place survives
   (surprise 0), then 0.8 + 0.6 = 1.4: both again. */
static void mirostat_learns_when_a_token_is_accepted(void) {
    const float two[] = {0, 0};
    const puna_stage stages[] = {STAGE(MIROSTAT_2, .value = 0.6f, .rate = 1)};
    uint32_t seen[3] = {0};
    for (uint64_t seed = 0; seed < 40; seed++) {
        sampler *s = make((puna_generation){.seed = seed, .stages = stages, .stage_count = 1}, 2);
        for (uint64_t i = 0; i < 3; i++) {
            int32_t id = choose(s, two, i);
            CHECK_EQUAL(choose(s, two, i), id); /* choosing alone changes nothing */
            seen[i] |= 1u << id;
            sampler_accept(s, id);
        }
        sampler_free(&account, s);
    }
    CHECK_EQUAL(seen[0], 3);
    CHECK_EQUAL(seen[1], 1);
    CHECK_EQUAL(seen[2], 3);
}

/* Zipf's law with exponent 1 over 4 tokens: 2^mu / ln 4 of them, 4 / 1.386 = 2.9 and 5.66 / 1.386 = 4.1. */
static void mirostat_1_counts_by_zipf(void) {
    const float zipf[] = {0, -0.6931472f, -1.0986123f, -1.3862944f};
    REACHES(1 | 2, zipf, STAGE(MIROSTAT, .value = 1, .rate = 0.1f));
    REACHES(15, zipf, STAGE(MIROSTAT, .value = 1.25f, .rate = 0.1f));
    const float equal[] = {1, 1, 1, 1}, single[] = {3};
    REACHES(15, equal, STAGE(MIROSTAT, .value = 5, .rate = 0.1f));
    REACHES(1, single, STAGE(MIROSTAT, .value = 5, .rate = 0.1f));
}

/* The entropy is 0.9233 of ln 4. With 0 to 1: T = 0.9233, and 0.75^(1 / T) = 0.7323. Squared: T = 0.8524, 0.7136. */
static void dynamic_temperature_follows_the_entropy(void) {
    REACHES(4 | 1, four, STAGE(DYNAMIC_TEMPERATURE, .value = 0.5f, .range = 0.5f, .exponent = 1),
        STAGE(MIN_P, .value = 0.73f));
    REACHES(4, four, STAGE(DYNAMIC_TEMPERATURE, .value = 0.5f, .range = 0.5f, .exponent = 1),
        STAGE(MIN_P, .value = 0.735f));
    REACHES(4 | 1, four, STAGE(DYNAMIC_TEMPERATURE, .value = 0.5f, .range = 0.5f, .exponent = 2),
        STAGE(MIN_P, .value = 0.713f));
    REACHES(4, four, STAGE(DYNAMIC_TEMPERATURE, .value = 0.5f, .range = 0.5f, .exponent = 2),
        STAGE(MIN_P, .value = 0.715f));
    REACHES(4, four, STAGE(DYNAMIC_TEMPERATURE, .value = 0, .exponent = 1));
}

/* At 0.3: distances 0, and 1/3 twice: 5 - 10/9/(4/3) = 4.1667, e^-0.8333 = 0.4346 of the best. */
static void adaptive_p_aims(void) {
    REACHES(1, four, STAGE(ADAPTIVE_P, .value = 0.3f, .decay = 0.9f), GREEDY);
    REACHES(2, four, STAGE(ADAPTIVE_P, .value = 0.05f, .decay = 0.9f), GREEDY);
    REACHES(1 | 4 | 8, four, STAGE(ADAPTIVE_P, .value = 0.3f, .decay = 0.9f), STAGE(MIN_P, .value = 0.43f));
    REACHES(1, four, STAGE(ADAPTIVE_P, .value = 0.3f, .decay = 0.9f), STAGE(MIN_P, .value = 0.44f));
    REACHES(8, four, STAGE(TOP_K, .value = 3), STAGE(ADAPTIVE_P, .value = 0.2f, .decay = 0), GREEDY);
    /* 0.36: nearest 0.4; then 0.72 - 0.4 = 0.32: 0.3; then 0.72 - 0.3 = 0.42: 0.4 */
    const puna_stage stages[] = {STAGE(ADAPTIVE_P, .value = 0.36f, .decay = 0), GREEDY};
    const int32_t expected[] = {2, 0, 2};
    sampler *s = make((puna_generation){.stages = stages, .stage_count = 2}, 4);
    for (int i = 0; i < 3; i++) {
        int32_t id = choose(s, four, (uint64_t)i);
        CHECK_EQUAL(id, expected[i]);
        sampler_accept(s, id);
    }
    sampler_free(&account, s);
}

static int32_t dry(puna_stage stage, const char *history, const char *breaker, float favoured, int32_t favourite) {
    const puna_stage stages[] = {stage, GREEDY};
    const puna_text breakers[] = {{breaker, breaker ? strlen(breaker) : 0}};
    float logits[8] = {0};
    logits[favourite] = favoured;
    sampler *s = make((puna_generation){.stages = stages, .stage_count = 2, .breakers = breakers,
                                        .breaker_count = breaker ? 1 : 0}, 8);
    for (const char *h = history; *h; h++) sampler_accept(s, *h - 'a');
    int32_t id = choose(s, logits, 0);
    sampler_free(&account, s);
    return id;
}

static void dry_costs_what_repeats(void) {
#define DRY(m, b, a, w) STAGE(DRY, .value = m, .base = b, .allowed_length = a, .window = w)
    CHECK_EQUAL(dry(DRY(0.5f, 2, 2, -1), "bcdbc", NULL, 1, 3), 3); /* d after bc: 1 - 0.5 */
    CHECK_EQUAL(dry(DRY(1.5f, 2, 2, -1), "bcdbc", NULL, 1, 3), 0);
    CHECK_EQUAL(dry(DRY(1.5f, 2, 3, -1), "bcdbc", NULL, 1, 3), 3);
    CHECK_EQUAL(dry(DRY(0.5f, 2, 2, -1), "bcdebcd", NULL, 1.5f, 4), 4); /* 1.5 - 0.5 * 2 */
    CHECK_EQUAL(dry(DRY(0.5f, 4, 2, -1), "bcdebcd", NULL, 1.5f, 4), 0); /* 1.5 - 0.5 * 4 */
    CHECK_EQUAL(dry(DRY(1.5f, 2, 2, 4), "bcdbc", NULL, 1, 3), 3);  /* cdbc repeats only c */
    CHECK_EQUAL(dry(DRY(1.5f, 2, 2, 5), "bcdbc", NULL, 1, 3), 0);
    CHECK_EQUAL(dry(DRY(1.5f, 2, 2, -1), "bcdbc", "b", 1, 3), 3);  /* one token behind the breaker */
    CHECK_EQUAL(dry(DRY(1.5f, 2, 2, -1), "bcdbc", "bc", 1, 3), 3); /* a breaker across two tokens */
    CHECK_EQUAL(dry(DRY(1.5f, 2, 2, -1), "bcdbc", "db", 1, 3), 3);
    CHECK_EQUAL(dry(DRY(1.5f, 2, 2, -1), "bcdbc", "dc", 1, 3), 0);
    CHECK_EQUAL(dry(DRY(0, 2, 1, -1), "bcdbc", NULL, 1, 3), 3);
}

/* Against the definition, place by place. */
static void dry_equals_its_definition(void) {
    uint64_t state = testing_random();
    for (int trial = 0; trial < 2000; trial++) {
        int32_t history[48];
        float logits[3], costs[3] = {0};
        int window = 3 + trial % 40, allowed = 1 + trial % 3, n = 48 < window ? 48 : window;
        const puna_stage stages[] = {DRY(0.7f, 1.3f, allowed, window), GREEDY};
        sampler *s = make((puna_generation){.stages = stages, .stage_count = 2}, 3);
        for (int i = 0; i < 48; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            history[i] = (int32_t)(state >> 60) % 3;
            sampler_accept(s, history[i]);
        }
        for (int i = 0; i < 3; i++) logits[i] = (float)((state >> (20 + 12 * i)) & 4095) / 400.0f;
        const int32_t *last = history + 47;
        for (int k = 1; k < n && n > allowed; k++) {
            int m = 0;
            while (k + m < n && last[-m] == last[-(k + m)]) m++;
            float cost = m >= allowed ? (float)(0.7f * math_pow((double)1.3f, m - allowed)) : 0;
            if (cost > costs[last[-(k - 1)]]) costs[last[-(k - 1)]] = cost;
        }
        int32_t best = 0;
        for (int i = 1; i < 3; i++)
            if (logits[i] - costs[i] > logits[best] - costs[best]) best = i;
        CHECK_EQUAL(choose(s, logits, 0), best);
        sampler_free(&account, s);
    }
}

static int32_t biased(const puna_bias *biases, uint32_t count) {
    sampler *s = make((puna_generation){.biases = biases, .bias_count = count}, 4);
    int32_t id = choose(s, four, 0);
    sampler_free(&account, s);
    return id;
}

static void biases_are_added(void) {
    CHECK_EQUAL(biased((const puna_bias[]){{1, 5}}, 1), 1);
    CHECK_EQUAL(biased((const puna_bias[]){{2, -INFINITY}}, 1), 0);
    CHECK_EQUAL(biased((const puna_bias[]){{3, 1}, {2, -INFINITY}, {0, 0.2f}}, 3), 3);
    CHECK_EQUAL(biased((const puna_bias[]){{2, -INFINITY}, {0, -INFINITY}, {1, -INFINITY}, {3, -INFINITY}}, 4),
                -PUNA_INVALID_ARGUMENT);
}

/* A set too flat for a list: the same tokens as by sorting them all. */
static void typical_of_many(void) {
    enum { N = 3000 };
    static float logits[N];
    static candidates c;
    uint64_t state = testing_random();
    float best = -10;
    for (int i = 0; i < N; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        logits[i] = (float)(state >> 54) / 512.0f; /* many equals */
        if (logits[i] > best) best = logits[i];
    }
    candidates_begin(&c, logits, N, best);
    candidates_keep_centre(&c, 1.0f, 0.8f);
    uint64_t total = candidates_sum(&c).weight, whole = 0;
    uint32_t kept = 0;
    float furthest = 0, value;
    for (uint32_t i = 0; i < N; i++) {
        whole += (uint64_t)(math_expf(logits[i] - best) * 1099511627776.0f);
        if (!candidates_find(&c, i, &value)) continue;
        kept++;
        if (fabsf(value - 1.0f) > furthest) furthest = fabsf(value - 1.0f);
    }
    CHECK(kept > CANDIDATES_LIST && kept < N);
    bool dropped = false;
    for (uint32_t i = 0; i < N; i++) {
        bool in = candidates_find(&c, i, &value);
        if (!in) CHECK(fabsf(logits[i] - 1.0f) >= furthest);
        if (!in && fabsf(logits[i] - 1.0f) == furthest) dropped = true;
        if (in && fabsf(logits[i] - 1.0f) == furthest) CHECK(!dropped); /* the lower ids of equals */
    }
    float ours = candidates_best(&c);
    CHECK((double)total * exp((double)(ours - best)) >= 0.8 * (double)whole * (1 - 1e-5));
    CHECK((double)total * exp((double)(ours - best)) <= 0.8 * (double)whole * 1.01);
}

static void refused(puna_stage stage, const char *name) {
    const puna_generation g = {.size = sizeof g, .stages = &stage, .stage_count = 1};
    sampler_model model = {4, 100, NULL, NULL};
    sampler *s;
    CHECK_EQUAL(sampler_create(&account, &g, &model, &s, &error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(error.message, name) != NULL);
}

static void settings_out_of_range_are_named(void) {
    refused(STAGE(TYPICAL, .value = NAN), "typical");
    refused(STAGE(TOP_N_SIGMA, .value = -1), "top_n_sigma");
    refused(STAGE(XTC, .value = 1.5f), "xtc probability");
    refused(STAGE(XTC, .threshold = -1), "xtc threshold");
    refused(STAGE(MIROSTAT, .value = -1), "mirostat target");
    refused(STAGE(MIROSTAT_2, .rate = NAN), "mirostat rate");
    refused(DRY(-1, 2, 2, -1), "dry multiplier");
    refused(DRY(1, 0.5f, 2, -1), "dry base");
    refused(DRY(1, 2, 0, -1), "dry allowed length");
    refused(DRY(1, 2, 2, -2), "dry window");
    refused(STAGE(DYNAMIC_TEMPERATURE, .range = -1), "temperature range");
    refused(STAGE(ADAPTIVE_P, .value = 2), "adaptive_p target");
    refused(STAGE(ADAPTIVE_P, .decay = 1), "adaptive_p decay");
    const puna_bias wrong[][2] = {{{4, 1}, {0, 0}}, {{0, NAN}, {1, 0}}, {{0, INFINITY}, {1, 0}}, {{1, 1}, {1, 2}}};
    for (int i = 0; i < 4; i++) {
        const puna_generation g = {.size = sizeof g, .biases = wrong[i], .bias_count = 2};
        sampler *s;
        CHECK_EQUAL(sampler_create(&account, &g, &(sampler_model){.vocabulary = 4}, &s, &error), PUNA_INVALID_ARGUMENT);
    }
    CHECK_EQUAL(memory_used(&account), 0);
}

/* Every stage in every place beside every other one: a token always comes out, and none that was masked. */
static void every_order_works(void) {
    const puna_stage all[] = {STAGE(TEMPERATURE, .value = 0.7f), STAGE(TOP_K, .value = 3), STAGE(TOP_P, .value = 0.9f),
        STAGE(MIN_P, .value = 0.1f), STAGE(PENALTIES, .window = 9, .presence = 1), STAGE(TYPICAL, .value = 0.6f),
        STAGE(TOP_N_SIGMA, .value = 1), STAGE(XTC, .value = 1, .threshold = 0.1f),
        STAGE(MIROSTAT, .value = 3, .rate = 1), STAGE(MIROSTAT_2, .value = 3, .rate = 1), DRY(1, 2, 1, -1),
        STAGE(DYNAMIC_TEMPERATURE, .value = 1, .range = 0.5f, .exponent = 1),
        STAGE(ADAPTIVE_P, .value = 0.3f, .decay = 0.5f)};
    const float logits[] = {1, -INFINITY, 3e38f, 3e38f, -3e38f, 0, 2, 2}, plain[] = {1, -INFINITY, 0.5f, 3, 2, 0, 2, 2};
    enum { COUNT = sizeof all / sizeof all[0] };
    for (int a = 0; a < COUNT; a++) {
        for (int b = 0; b < COUNT; b++) {
            for (int c = 0; c < COUNT; c++) {
                const puna_stage stages[] = {all[a], all[b], all[c]};
                sampler *s = make((puna_generation){.seed = 3, .stages = stages, .stage_count = 3}, 8);
                for (uint64_t i = 0; i < 8; i++) {
                    int32_t id = choose(s, i & 1 ? logits : plain, i);
                    CHECK(id >= 0 && id < 8 && id != 1);
                    sampler_accept(s, id);
                }
                sampler_free(&account, s);
            }
        }
    }
    CHECK_EQUAL(memory_used(&account), 0);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    memory_account_init(&account);
    TEST(typical_goes_by_nearness_to_the_entropy);
    TEST(top_n_sigma_counts_deviations);
    TEST(xtc_drops_the_top);
    TEST(mirostat_2_cuts_at_mu);
    TEST(mirostat_learns_when_a_token_is_accepted);
    TEST(mirostat_1_counts_by_zipf);
    TEST(dynamic_temperature_follows_the_entropy);
    TEST(adaptive_p_aims);
    TEST(dry_costs_what_repeats);
    TEST(dry_equals_its_definition);
    TEST(biases_are_added);
    TEST(typical_of_many);
    TEST(settings_out_of_range_are_named);
    TEST(every_order_works);
    return testing_end();
}
