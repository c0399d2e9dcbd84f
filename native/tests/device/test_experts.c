// SPDX-License-Identifier: Apache-2.0
/*
 * Mixtures and heads, in every format and tier: an expert's product is, bit for bit, that of a plain matrix with the
 * same rows, whoever else is in the batch; what is mixed is the sum by rank; and the choice of experts against plain
 * computations in double.
 */
#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "device/cpu/cpu_rows.h"
#include "device/device.h"
#include "device/shapes.h"
#include "format/block.h"
#include "testing.h"

enum { IDS = 40, EXPERTS = 5, CHOSEN = 2, ROWS = 37, TOKENS = 40 };

typedef struct bytes {
    const uint8_t *at;
} bytes;

static puna_status give(const void *context, uint64_t offset, void *to, size_t count, puna_error *error) {
    (void)error;
    memcpy(to, ((const bytes *)context)->at + offset, count);
    return PUNA_OK;
}

static puna_status unsound(const void *context, uint64_t offset, puna_error *error) {
    (void)context;
    (void)offset;
    return error_set(error, PUNA_INVALID_FILE, "test", "unsound");
}

static void need(bool done) {
    if (done) return;
    printf("a graph that can't be computed\n");
    exit(1);
}

/* What the graphs' weights are made of, by number. */
enum { EMBEDDING, ROUTER, UP, UP_BIAS, DOWN, PARTS };

static shapes_matrix parts[PARTS];

/* The graph's logits for `tokens` rows with ids 0, 1, 2 ...: [tokens][width], to be freed. */
static float *compute(graph *g, graph_value y, uint32_t tokens, uint32_t threads) {
    puna_error error = PUNA_ERROR_INIT;
    const device *d = device_find("cpu");
    device_weights *weights = NULL;
    device_runner *runner = NULL;
    bytes at[PARTS * EXPERTS];
    device_source sources[PARTS * EXPERTS];
    need(graph_finish(g, graph_select(g, y), &error) == PUNA_OK);
    for (uint32_t i = 0; i < g->weight_count; i++) {
        const graph_weight_info *w = &g->weights[i];
        const shapes_matrix *m = &parts[w->tensor];
        size_t number = m->row_bytes / m->weight.cols; /* of a vector: F32 */
        at[i].at = m->file + (w->rows == 1 && w->first_row ? number * w->first_row : m->row_bytes * w->first_row);
        sources[i] = (device_source){give, unsound, &at[i], m->row_bytes * w->rows * w->matrices};
    }
    need(d->load(g, sources, threads, NULL, g->account, &weights, &error) == PUNA_OK);
    device_options o = {.threads = threads, .max_tokens = TOKENS, .max_outputs = TOKENS, .max_runs = 1,
                        .cache_type = PUNA_CACHE_F16};
    need(d->create(g, weights, &o, g->account, &runner, &error) == PUNA_OK);
    int32_t ids[TOKENS];
    uint32_t positions[TOKENS], outputs[TOKENS];
    for (uint32_t i = 0; i < tokens; i++) ids[i] = (int32_t)i, positions[i] = outputs[i] = i;
    device_run run = {.rows = tokens};
    device_batch batch = {tokens, ids, positions, NULL, &run, 1, outputs, tokens};
    d->run(runner, &batch);
    size_t size = tokens * g->values[g->results[GRAPH_LOGITS]].width * sizeof(float);
    float *copy = malloc(size);
    memcpy(copy, d->result(runner, GRAPH_LOGITS), size);
    d->destroy(g->account, runner);
    d->unload(g->account, weights);
    graph_free(g);
    return copy;
}

static graph_value embedded(graph *g, memory_account *account) {
    graph_init(g, account);
    return graph_embed(g, graph_add_weight(g, EMBEDDING, BLOCK_F32, IDS, parts[EMBEDDING].weight.cols));
}

static const graph_routing plain = {.scoring = GRAPH_SOFTMAX, .chosen = CHOSEN, .renormalize = true,
                                    .bias = GRAPH_ABSENT};

static float *mixed(memory_account *account, uint32_t type, uint32_t tokens, uint32_t threads) {
    graph g;
    uint32_t cols = parts[UP].weight.cols, width = parts[DOWN].weight.cols;
    graph_value x = embedded(&g, account);
    graph_weight router = graph_add_weight(&g, ROUTER, BLOCK_F32, EXPERTS, cols);
    graph_weight up = graph_add_matrices(&g, UP, type, EXPERTS, width, cols);
    graph_weight bias = graph_add_weight(&g, UP_BIAS, BLOCK_F32, EXPERTS, width);
    graph_weight down = graph_add_matrices(&g, DOWN, type, EXPERTS, ROWS, width);
    graph_value routing = graph_route(&g, graph_linear(&g, x, router, GRAPH_ABSENT), &plain);
    graph_value y = graph_activate(&g, graph_expert_linear(&g, x, routing, up, bias), GRAPH_SILU);
    y = graph_expert_linear(&g, y, routing, down, GRAPH_ABSENT);
    return compute(&g, graph_mix(&g, routing, y), tokens, threads);
}

/* One expert for all tokens, as a plain network. */
static float *alone(memory_account *account, uint32_t type, uint32_t expert) {
    graph g;
    uint32_t cols = parts[UP].weight.cols, width = parts[DOWN].weight.cols;
    graph_value x = embedded(&g, account);
    graph_weight up = graph_add_slice(&g, UP, type, expert * width, width, cols);
    graph_weight bias = graph_add_slice(&g, UP_BIAS, BLOCK_F32, expert * width, 1, width);
    graph_weight down = graph_add_slice(&g, DOWN, type, expert * ROWS, ROWS, width);
    graph_value y = graph_activate(&g, graph_linear(&g, x, up, bias), GRAPH_SILU);
    return compute(&g, graph_linear(&g, y, down, GRAPH_ABSENT), TOKENS, 1);
}

static float *router_logits(memory_account *account) {
    graph g;
    graph_value x = embedded(&g, account);
    graph_weight router = graph_add_weight(&g, ROUTER, BLOCK_F32, EXPERTS, parts[UP].weight.cols);
    return compute(&g, graph_linear(&g, x, router, GRAPH_ABSENT), TOKENS, 1);
}

static float *expected_of(memory_account *account, uint32_t type) {
    float *each[EXPERTS], *logits = router_logits(account), *out = calloc(TOKENS * ROWS, sizeof *out);
    for (uint32_t e = 0; e < EXPERTS; e++) each[e] = alone(account, type, e);
    for (uint32_t t = 0; t < TOKENS; t++) {
        float routed[2 * CHOSEN];
        uint32_t expert;
        cpu_route(&plain, NULL, EXPERTS, logits + t * EXPERTS, routed);
        for (uint32_t n = 0; n < CHOSEN; n++) {
            memcpy(&expert, &routed[n], sizeof expert);
            for (uint32_t i = 0; i < ROWS; i++)
                out[t * ROWS + i] = math_fmaf(routed[CHOSEN + n], each[expert][t * ROWS + i], out[t * ROWS + i]);
        }
    }
    for (uint32_t e = 0; e < EXPERTS; e++) free(each[e]);
    free(logits);
    return out;
}

static void force(const char *tier) {
#if defined(_WIN32)
    _putenv_s("PUNA_CPU_TIER", tier);
#else
    setenv("PUNA_CPU_TIER", tier, 1);
#endif
}

static const char *const tiers[] = {"ref", "avx2", "avx512"};

static void make_parts(uint32_t type) {
    uint32_t cols = shapes_whole(type, 64), width = shapes_whole(type, 96);
    parts[EMBEDDING] = shapes_matrix_new(BLOCK_F32, IDS, cols, false);
    parts[ROUTER] = shapes_matrix_new(BLOCK_F32, EXPERTS, cols, false);
    parts[UP] = shapes_matrix_new(type, EXPERTS * width, cols, false);
    parts[UP_BIAS] = shapes_matrix_new(BLOCK_F32, EXPERTS, width, false);
    parts[DOWN] = shapes_matrix_new(type, EXPERTS * ROWS, width, false);
}

static void free_parts(void) {
    for (uint32_t i = 0; i < PARTS; i++) shapes_matrix_free(&parts[i]);
}

static void experts_are_plain_networks(void) {
    memory_account account;
    memory_account_init(&account);
    static const uint32_t batches[] = {TOKENS, 1, 3, 17};
    for (uint32_t i = 0; i < SHAPES_TYPES; i++) {
        make_parts(shapes_types[i]);
        force("ref");
        float *expected = expected_of(&account, shapes_types[i]);
        for (uint32_t t = 0; t < 3; t++) {
            if (!cpu_kernels_find(tiers[t])) continue;
            force(tiers[t]);
            for (uint32_t n = 0; n < 4; n++) {
                float *got = mixed(&account, shapes_types[i], batches[n], 1 + n % 3);
                if (memcmp(got, expected, batches[n] * ROWS * sizeof *got) != 0)
                    testing_fail(__FILE__, __LINE__, "type %u on %s, %u tokens: other bits", shapes_types[i], tiers[t],
                                 batches[n]);
                free(got);
            }
        }
        free(expected);
        free_parts();
    }
    force("");
    CHECK_EQUAL(memory_used(&account), 0);
}

/* Heads: EXPERTS of them, each 1 of EXPERTS parts of a row that UP's first rows make. */
static float *by_heads(memory_account *account, uint32_t type, uint32_t tokens, bool together) {
    graph g;
    uint32_t cols = parts[UP].weight.cols, width = parts[DOWN].weight.cols;
    graph_value x = embedded(&g, account), y = GRAPH_ABSENT;
    graph_weight wide = graph_add_slice(&g, UP, type, 0, EXPERTS * width, cols);
    x = graph_linear(&g, x, wide, GRAPH_ABSENT);
    if (together) y = graph_head_linear(&g, x, graph_add_matrices(&g, DOWN, type, EXPERTS, ROWS, width));
    for (uint32_t h = 0; h < EXPERTS && !together; h++) {
        graph_weight w = graph_add_slice(&g, DOWN, type, h * ROWS, ROWS, width);
        graph_value part = graph_linear(&g, graph_slice(&g, x, 1, h * width, width), w, GRAPH_ABSENT);
        y = h == 0 ? part : graph_join(&g, y, part, 1);
    }
    return compute(&g, y, tokens, 2);
}

static void heads_are_plain_products(void) {
    memory_account account;
    memory_account_init(&account);
    for (uint32_t i = 0; i < SHAPES_TYPES; i++) {
        make_parts(shapes_types[i]);
        for (uint32_t t = 0; t < 3; t++) {
            if (!cpu_kernels_find(tiers[t])) continue;
            force(tiers[t]);
            float *apart = by_heads(&account, shapes_types[i], TOKENS, false);
            for (uint32_t n = 1; n <= TOKENS; n += 13) {
                float *got = by_heads(&account, shapes_types[i], n, true);
                if (memcmp(got, apart, (size_t)n * EXPERTS * ROWS * sizeof *got) != 0)
                    testing_fail(__FILE__, __LINE__, "type %u on %s, %u tokens: other bits", shapes_types[i], tiers[t],
                                 n);
                free(got);
            }
            free(apart);
        }
        free_parts();
    }
    force("");
    CHECK_EQUAL(memory_used(&account), 0);
}

/* ---- the choice, in double ---- */

static double score_of(const graph_routing *how, const float *x, uint32_t count, uint32_t i) {
    if (how->scoring == GRAPH_SIGMOID) return 1 / (1 + exp(-(double)x[i]));
    double sum = 0;
    for (uint32_t k = 0; k < count; k++) sum += exp((double)x[k]);
    return exp((double)x[i]) / sum; /* of those chosen: the same order */
}

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Whether expert i lies in one of the best groups. */
static bool allowed(const graph_routing *how, const double *choice, uint32_t count, uint32_t i) {
    if (how->groups < 2) return true;
    uint32_t size = count / how->groups, better = 0;
    double scores[16];
    for (uint32_t g = 0; g < how->groups; g++) {
        double sorted[64];
        memcpy(sorted, choice + g * size, size * sizeof *sorted);
        qsort(sorted, size, sizeof *sorted, descending);
        scores[g] = how->scoring == GRAPH_SIGMOID && size > 1 ? sorted[0] + sorted[1] : sorted[0];
    }
    for (uint32_t g = 0; g < how->groups; g++) better += scores[g] > scores[i / size];
    return better < how->groups_chosen;
}

static void check_route(const graph_routing *how, uint32_t count, const float *bias) {
    float x[64], got[64];
    double choice[64], weights[64], sum = 0, factor = how->scale > 0 ? (double)how->scale : 1;
    for (uint32_t i = 0; i < count; i++) x[i] = testing_normal() * 2;
    for (uint32_t i = 0; i < count; i++) choice[i] = score_of(how, x, count, i) + (bias ? (double)bias[i] : 0);
    cpu_route(how, bias, count, x, got);
    uint32_t last = UINT32_MAX;
    for (uint32_t n = 0; n < how->chosen; n++) {
        uint32_t expert;
        memcpy(&expert, &got[n], sizeof expert);
        NEED(expert < count);
        uint32_t better = 0;
        for (uint32_t i = 0; i < count; i++) better += allowed(how, choice, count, i) && choice[i] > choice[expert];
        CHECK(allowed(how, choice, count, expert));
        CHECK_EQUAL(better, n);
        CHECK(expert != last);
        last = expert;
        sum += weights[n] = score_of(how, x, count, expert);
    }
    bool whole = how->renormalize || how->scoring == GRAPH_SOFTMAX_CHOSEN;
    for (uint32_t n = 0; n < how->chosen; n++)
        CHECK(fabs((double)got[how->chosen + n] - weights[n] / (whole ? sum : 1) * factor) < 2e-6 * factor);
}

static void the_best_are_chosen(void) {
    for (uint32_t round = 0; round < 300; round++) {
        float bias[64];
        uint32_t count = 4 * (1 + testing_below(16));
        for (uint32_t i = 0; i < count; i++) bias[i] = testing_normal() * 0.1f;
        graph_routing how = {.scoring = round % 3, .chosen = 1 + testing_below(count / 2 < 8 ? count / 2 : 8),
                             .renormalize = testing_below(2), .scale = testing_below(2) ? 2.5f : 0.0f,
                             .bias = GRAPH_ABSENT};
        if (round % 3 != GRAPH_SOFTMAX_CHOSEN && testing_below(2)) how.groups = 4, how.groups_chosen = 2;
        check_route(&how, count, round % 3 != GRAPH_SOFTMAX_CHOSEN && testing_below(2) ? bias : NULL);
    }
}

/* Equal ones: the lower number; NaN: somebody, within bounds. */
static void ties_and_nan_are_decided(void) {
    float x[8] = {1, 2, 2, 0, 2, 1, 1, 0}, got[6];
    uint32_t experts[3];
    graph_routing how = {.scoring = GRAPH_SOFTMAX, .chosen = 3, .bias = GRAPH_ABSENT};
    cpu_route(&how, NULL, 8, x, got);
    memcpy(experts, got, sizeof experts);
    CHECK(experts[0] == 1 && experts[1] == 2 && experts[2] == 4);
    for (uint32_t i = 0; i < 8; i++) x[i] = NAN;
    cpu_route(&how, NULL, 8, x, got);
    memcpy(experts, got, sizeof experts);
    CHECK(experts[0] < 8 && experts[1] < 8 && experts[2] < 8 && experts[0] != experts[1] && experts[1] != experts[2]);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(experts_are_plain_networks);
    TEST(heads_are_plain_products);
    TEST(the_best_are_chosen);
    TEST(ties_and_nan_are_decided);
    return testing_end();
}
