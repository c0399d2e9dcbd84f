// SPDX-License-Identifier: Apache-2.0
/*
 * The search without sorting against a plain one that sorts everything, over random rows and chains; and the draws'
 * distribution.
 */
#include "sample/candidates.h"

#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "sample/sampler.h"
#include "testing.h"

/* ---- the plain way ---- */

typedef struct plain {
    float value;
    uint32_t id;
    uint64_t weight;
} plain;

static int better_first(const void *a, const void *b) {
    const plain *x = a, *y = b;
    if (x->value != y->value) return x->value > y->value ? -1 : 1;
    return x->id < y->id ? -1 : 1;
}

static uint64_t weigh(plain *all, size_t count) {
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        all[i].weight = (uint64_t)(math_expf(all[i].value - all[0].value) * 0x1p40f);
        total += all[i].weight;
    }
    return total;
}

static uint32_t seen_count; /* tokens 0, 3, 6, ... were accepted (id % 4 + 1) times by penalized chains */

static float bounded(float v) {
    return v > 3.402823466e38f ? 3.402823466e38f : v < -3.402823466e38f ? -3.402823466e38f : v;
}

static size_t plain_stage(plain *all, size_t count, const puna_stage *stage) {
    size_t kept = count;
    uint64_t sum = 0;
    switch (stage->kind) {
    case PUNA_SAMPLE_TEMPERATURE:
        if (stage->value == 0) return 1;
        for (size_t i = 0; i < count; i++) all[i].value = bounded(all[i].value / stage->value);
        break;
    case PUNA_SAMPLE_PENALTIES:
        for (size_t i = 0; i < count; i++) {
            if (all[i].id % 3 || all[i].id >= seen_count) continue;
            float v = all[i].value, n = (float)(all[i].id % 4 + 1);
            v = bounded(v > 0 ? v / stage->repeat : v * stage->repeat);
            all[i].value = bounded(v - (n * stage->frequency + stage->presence));
        }
        break;
    case PUNA_SAMPLE_TOP_K:
        if (stage->value >= 1 && (size_t)stage->value < count) kept = (size_t)stage->value;
        break;
    case PUNA_SAMPLE_MIN_P:
        if (stage->value > 0)
            for (kept = 1; kept < count && all[kept].value >= all[0].value + math_logf(stage->value);) kept++;
        break;
    default:
        if (stage->value < 1) {
            uint64_t target = (uint64_t)ceil((double)stage->value * (double)weigh(all, count));
            for (kept = 0; kept < count && (kept == 0 || sum < target);) sum += all[kept++].weight;
        }
    }
    qsort(all, kept, sizeof *all, better_first);
    return kept;
}

static int32_t plain_choose(const float *logits, uint32_t vocabulary, const puna_stage *stages, uint32_t stage_count,
                            uint64_t draw) {
    plain *all = malloc(vocabulary * sizeof *all);
    size_t count = 0;
    for (uint32_t id = 0; all && id < vocabulary; id++)
        if (logits[id] != -INFINITY) all[count++] = (plain){logits[id], id, 0};
    qsort(all, count, sizeof *all, better_first);
    for (uint32_t i = 0; i < stage_count; i++) count = plain_stage(all, count, &stages[i]);
    uint64_t total = weigh(all, count), sum = 0;
    __extension__ typedef unsigned __int128 wide;
    uint64_t point = (uint64_t)((wide)draw * total >> 64);
    size_t at = 0;
    while ((sum += all[at].weight) <= point) at++;
    int32_t id = (int32_t)all[at].id;
    free(all);
    return id;
}

/* ---- random rows and chains ---- */

static void random_row(float *logits, uint32_t vocabulary) {
    uint32_t shape = testing_below(7), masked = testing_below(3);
    for (uint32_t i = 0; i < vocabulary; i++) {
        float x = testing_normal();
        logits[i] = shape == 0   ? x * 4
                    : shape == 1 ? roundf(x * 3)             /* many equals */
                    : shape == 2 ? x * 0.01f                 /* nearly flat */
                    : shape == 3 ? 1.25f                     /* all equal */
                    : shape == 4 ? -fabsf(x) * 20            /* all negative */
                    : shape == 5 ? (float)i * 1e-3f          /* ascending */
                                 : x * x * x * 5 - 10;
        if (masked == 1 && testing_below(2)) logits[i] = -INFINITY;
        if (masked == 2 && testing_below(50) == 0) logits[i] = i % 2 ? 0.0f : -0.0f;
    }
    logits[testing_below(vocabulary)] = 0.5f; /* one at least is finite */
}

static puna_stage random_stage(uint32_t vocabulary) {
    puna_stage stage = {.kind = 1 + testing_below(5), .repeat = 1};
    switch (stage.kind) {
    case PUNA_SAMPLE_TEMPERATURE: stage.value = testing_below(8) ? testing_float(0.1f, 3) : 0; break;
    case PUNA_SAMPLE_TOP_K:
        stage.value = testing_below(2) ? (float)testing_below(100) : (float)testing_below(vocabulary + 10);
        break;
    case PUNA_SAMPLE_TOP_P: stage.value = testing_below(2) ? testing_float(0, 1) : testing_float(0.9f, 1); break;
    case PUNA_SAMPLE_MIN_P: stage.value = testing_below(2) ? testing_float(0, 1) : testing_float(0, 0.001f); break;
    default:
        stage.window = -1;
        stage.repeat = testing_float(0.5f, 2);
        stage.frequency = testing_float(-0.5f, 1);
        stage.presence = testing_float(-0.5f, 1);
    }
    return stage;
}

static void compare(uint32_t vocabulary, int rows) {
    memory_account account;
    puna_error error = PUNA_ERROR_INIT;
    memory_account_init(&account);
    float *logits = malloc(vocabulary * sizeof(float));
    NEED(logits);
    for (int row = 0; row < rows; row++) {
        puna_stage stages[5];
        random_row(logits, vocabulary);
        uint32_t count = 1 + testing_below(5);
        for (uint32_t i = 0; i < count; i++) stages[i] = random_stage(vocabulary);
        puna_generation g = {.size = sizeof g, .stages = stages, .stage_count = count, .seed = testing_random()};
        sampler *s;
        NEED(sampler_create(&account, &g, &(sampler_model){.vocabulary = (int32_t)vocabulary}, &s, &error) == PUNA_OK);
        seen_count = vocabulary < 3000 ? vocabulary : 3000;
        for (uint32_t id = 0; id < seen_count; id += 3)
            for (uint32_t n = 0; n < id % 4 + 1; n++) sampler_accept(s, (int32_t)id);
        for (uint64_t position = 0; position < 3; position++) {
            sampler_choice choice = {0};
            CHECK_EQUAL(sampler_choose(s, logits, position, &choice, &error), PUNA_OK);
            int32_t expected = plain_choose(logits, vocabulary, stages, count, sampler_draw(g.seed, position, 0));
            if (choice.id == expected) continue;
            testing_fail(__FILE__, __LINE__, "vocabulary %u, row %d: id %d, not %d; kinds %u %u %u of %u", vocabulary,
                         row, choice.id, expected, stages[0].kind, stages[1].kind, stages[2].kind, count);
        }
        sampler_free(&account, s);
    }
    free(logits);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void equal_to_sorting_small(void) {
    static const uint32_t sizes[] = {1, 2, 3, 17, 100, 1023, 1024, 1025, 2500};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) compare(sizes[i], 150);
}

static void equal_to_sorting_large(void) {
    compare(49152, 20);
    compare(256000, 4);
}

static void keys_order_like_values(void) {
    const float values[] = {-3.402823466e38f, -1e10f, -2, -1, -1e-40f, 0, 1e-45f, 1e-40f, 1, 1.0000001f, 3e38f};
    enum { N = sizeof values / sizeof values[0] };
    for (int i = 0; i < N; i++) {
        CHECK(candidates_value(candidates_key(values[i], 12)) == values[i]);
        CHECK_EQUAL(candidates_id(candidates_key(values[i], 12)), 12);
        CHECK(candidates_key(values[i], 0) > candidates_key(values[i], 1)); /* the lower id is better */
        CHECK(candidates_key(values[i], 0xFFFFFFFEu) != 0);
        if (i) CHECK(candidates_key(values[i], 99) > candidates_key(values[i - 1], 0));
    }
    CHECK(candidates_key(-0.0f, 5) == candidates_key(0.0f, 5));
}

/* ---- the distribution ---- */

/* Pearson's statistic of 40,000 draws (fixed seed) against the probabilities. */
static double chi_square(const float *logits, uint32_t vocabulary, const puna_stage *stages, uint32_t count,
                         const double *p) {
    enum { DRAWS = 40000 };
    static uint32_t hits[2048];
    memory_account account;
    puna_error error = PUNA_ERROR_INIT;
    memory_account_init(&account);
    puna_generation g = {.size = sizeof g, .stages = stages, .stage_count = count, .seed = 20260101};
    sampler *s;
    if (sampler_create(&account, &g, &(sampler_model){.vocabulary = (int32_t)vocabulary}, &s, &error) != PUNA_OK)
        return 1e9;
    memset(hits, 0, sizeof hits);
    for (uint64_t position = 0; position < DRAWS; position++) {
        sampler_choice choice = {0};
        sampler_choose(s, logits, position, &choice, &error);
        hits[choice.id]++;
    }
    sampler_free(&account, s);
    double chi = 0;
    for (uint32_t i = 0; i < vocabulary; i++) {
        double expected = p[i] * DRAWS, off = hits[i] - expected;
        if (p[i] == 0 && hits[i]) return 1e9;
        if (p[i] > 0) chi += off * off / expected;
    }
    return chi;
}

static void draws_follow_the_probabilities(void) {
    /* 8 tokens in proportions 1 to 8; the chance of a statistic above 24.3 (7 degrees of freedom) is 0.001. */
    float logits[8];
    double p[8];
    for (int i = 0; i < 8; i++) {
        logits[i] = logf((float)(i + 1));
        p[i] = (i + 1) / 36.0;
    }
    const puna_stage plainly[] = {{.kind = PUNA_SAMPLE_TEMPERATURE, .value = 1}};
    CHECK(chi_square(logits, 8, plainly, 1, p) < 24.3);
    /* Temperature 0.5 squares them: 1 to 64 of 204. */
    for (int i = 0; i < 8; i++) p[i] = (i + 1) * (i + 1) / 204.0;
    const puna_stage cold[] = {{.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.5f}};
    CHECK(chi_square(logits, 8, cold, 1, p) < 24.3);
    /* The best 3 of them: 6, 7, 8 of 21; 13.8 for 2 degrees. */
    for (int i = 0; i < 8; i++) p[i] = i < 5 ? 0 : (i + 1) / 21.0;
    const puna_stage best[] = {{.kind = PUNA_SAMPLE_TOP_K, .value = 3}};
    CHECK(chi_square(logits, 8, best, 1, p) < 13.8);
}

/* More candidates than a list holds: the radix search draws. 750 equal ones and 750 of half their probability; 1,499
   degrees of freedom, deviation 54.8. */
static void many_candidates_are_drawn_evenly(void) {
    static float logits[1500];
    static double p[1500];
    for (int i = 0; i < 1500; i++) {
        logits[i] = i % 2 ? 0 : 0.6931472f;
        p[i] = (i % 2 ? 1 : 2) / 2250.0;
    }
    const puna_stage plainly[] = {{.kind = PUNA_SAMPLE_TEMPERATURE, .value = 1}};
    double chi = chi_square(logits, 1500, plainly, 1, p);
    CHECK(chi > 1499 - 4 * 55 && chi < 1499 + 4 * 55);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(keys_order_like_values);
    TEST(equal_to_sorting_small);
    TEST(equal_to_sorting_large);
    TEST(draws_follow_the_probabilities);
    TEST(many_candidates_are_drawn_evenly);
    return testing_end();
}
