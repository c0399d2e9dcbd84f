// SPDX-License-Identifier: Apache-2.0
/*
 * Whether the portable kernels mean what docs/numerics.md says: products against three scalar loops over the file's own
 * bytes (equal, bit for bit), and products, norm and attention against plain computations in double (within a bound).
 * And that a forced tier is the one that runs, or none.
 */
#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "device/cpu/columns.h"
#include "device/cpu/ref/ref.h"
#include "format/block.h"
#include "format/bytes.h"
#include "puna.h"
#include "shapes.h"
#include "testing.h"
#include "graph/graph.h"

static double distance(double a, double b, double size) { return fabs(a - b) / (size + 1e-30); }

/* Rule 2 for one element, from a row as it lies in the file. */
static float rule_two(uint32_t type, const uint8_t *row, const cpu_columns *x, uint32_t column) {
    float acc = 0.0f;
    for (uint32_t g = 0; g < x->cols / 32; g++) {
        columns_group at = columns_at(x, column, g);
        float w = math_from_half(bytes_u16(row));
        float m = type == BLOCK_Q4_1 ? math_from_half(bytes_u16(row + 2)) : 0.0f;
        const uint8_t *numbers = row + (type == BLOCK_Q4_1 ? 4 : 2);
        int32_t product = 0, sum = 0;
        for (int i = 0; i < 32; i++) {
            int number = type == BLOCK_Q8_0 ? (int8_t)numbers[i] : i < 16 ? numbers[i] & 15 : numbers[i - 16] >> 4;
            if (type == BLOCK_Q4_0) number -= 8;
            product += number * at.q[i];
            sum += at.q[i];
        }
        volatile float scale = w * *at.d, both = *at.d * (float)sum;
        acc = math_fmaf((float)product, scale, acc);
        if (type == BLOCK_Q4_1) acc = math_fmaf(m, both, acc);
        row += block_find(type)->bytes;
    }
    return acc;
}

static void products_are_three_loops(void) {
    const uint32_t rows = 37, cols = 160, count = 3, types[] = {BLOCK_Q4_0, BLOCK_Q4_1, BLOCK_Q8_0};
    float *out = shapes_new(rows * count * sizeof(float)), *bias = shapes_new(rows * sizeof(float));
    for (uint32_t r = 0; r < rows; r++) bias[r] = testing_normal();
    for (int t = 0; t < 3; t++) {
        shapes_matrix m = shapes_matrix_new(types[t], rows, cols, false);
        shapes_columns c = shapes_columns_new(cols, count, false);
        cpu_product p = {.weight = &m.weight, .x = &c.x, .count = count, .out = out, .out_stride = rows, .bias = bias};
        ref_kernels.product(types[t])(&p, 0, m.weight.tiles);
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t r = 0; r < rows; r++) {
                float y = rule_two(types[t], m.file + r * m.row_bytes, &c.x, i) + bias[r];
                CHECK(memcmp(&y, &out[i * rows + r], sizeof y) == 0);
            }
        shapes_columns_free(&c);
        shapes_matrix_free(&m);
    }
    shapes_free(out);
    shapes_free(bias);
}

/* Decoded weights times the activations before quantizing: 8 bits cost at most half a step a number. */
static void products_are_right(void) {
    const uint32_t rows = 33, cols = 512, count = 2;
    float *out = shapes_new(rows * count * sizeof(float)), row[512];
    for (int t = 0; t < SHAPES_TYPES; t++) {
        const block_format *format = block_find(shapes_types[t]);
        shapes_matrix m = shapes_matrix_new(format->type, rows, cols, false);
        shapes_columns c = shapes_columns_new(cols, count, false);
        cpu_product p = {.weight = &m.weight, .x = &c.x, .xf = c.floats, .xf_stride = cols, .count = count, .out = out,
                         .out_stride = rows};
        ref_kernels.product(format->type)(&p, 0, m.weight.tiles);
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t r = 0; r < rows; r++) {
                double sum = 0, size = 0, step = 0;
                format->decode(m.file + r * m.row_bytes, cols, row);
                for (uint32_t k = 0; k < cols; k++) {
                    sum += (double)row[k] * c.floats[i * cols + k];
                    size += fabs((double)row[k] * c.floats[i * cols + k]);
                    step += fabs((double)row[k]) * (format->length > 1 ? 0.501 * *columns_at(&c.x, i, k / 32).d : 0);
                }
                CHECK(fabs(sum - out[i * rows + r]) <= step + 1e-5 * size);
            }
        shapes_columns_free(&c);
        shapes_matrix_free(&m);
    }
    shapes_free(out);
}

static void norm_is_right(void) {
    float x[577], w[577], y[577];
    double squares = 0;
    for (int i = 0; i < 577; i++) {
        x[i] = testing_normal();
        w[i] = testing_normal();
        squares += (double)x[i] * x[i];
    }
    ref_rms_norm(x, w, 577, 1e-5f, y);
    for (int i = 0; i < 577; i++)
        CHECK(distance(y[i], x[i] / sqrt(squares / 577 + 1e-5) * w[i], fabs((double)x[i] * w[i])) < 1e-5);
    ref_silu_mul(x, w, 577, y);
    for (int i = 0; i < 577; i++)
        CHECK(distance(y[i], x[i] / (1 + exp(-(double)x[i])) * w[i], fabs((double)x[i] * w[i])) < 1e-5);
    ref_gelu_mul(x, w, 577, y);
    for (int i = 0; i < 577; i++) {
        double inner = sqrt(2 / 3.14159265358979323846) * (x[i] + 0.044715 * x[i] * x[i] * x[i]);
        CHECK(distance(y[i], 0.5 * x[i] * (1 + tanh(inner)) * w[i], fabs((double)x[i] * w[i])) < 1e-6);
    }
    ref_softcap(x, 1.5f, 577, y);
    for (int i = 0; i < 577; i++) CHECK(distance(y[i], 1.5 * tanh(x[i] / 1.5), fabs((double)x[i])) < 1e-6);
}

static void layer_norm_is_right(void) {
    float x[577], w[577], b[577], y[577];
    double sum = 0, squares = 0;
    for (int i = 0; i < 577; i++) {
        x[i] = testing_normal() + 3;
        w[i] = testing_normal();
        b[i] = testing_normal();
        sum += (double)x[i];
    }
    double mean = sum / 577;
    for (int i = 0; i < 577; i++) squares += (x[i] - mean) * (x[i] - mean);
    ref_layer_norm(x, w, b, 577, 1e-5f, y);
    for (int i = 0; i < 577; i++)
        CHECK(distance(y[i], (x[i] - mean) / sqrt(squares / 577 + 1e-5) * w[i] + b[i], 1 + fabs((double)w[i])) < 1e-5);
    ref_layer_norm(x, NULL, NULL, 577, 1e-5f, y);
    for (int i = 0; i < 577; i++) CHECK(distance(y[i], (x[i] - mean) / sqrt(squares / 577 + 1e-5), 1) < 1e-5);
}

static void activations_are_right(void) {
    float x[577], y[577];
    for (int i = 0; i < 577; i++) x[i] = 2 * testing_normal();
    ref_activate(GRAPH_GELU_ERF, x, 577, y);
    for (int i = 0; i < 577; i++)
        CHECK(distance(y[i], 0.5 * x[i] * (1 + erf(x[i] / sqrt(2.0))), fabs((double)x[i])) < 1e-6);
    ref_activate(GRAPH_GELU, x, 577, y);
    for (int i = 0; i < 577; i++) {
        double inner = sqrt(2 / 3.14159265358979323846) * (x[i] + 0.044715 * x[i] * x[i] * x[i]);
        CHECK(distance(y[i], 0.5 * x[i] * (1 + tanh(inner)), fabs((double)x[i])) < 1e-6);
    }
    ref_activate(GRAPH_SILU, x, 577, y);
    for (int i = 0; i < 577; i++) CHECK(distance(y[i], x[i] / (1 + exp(-(double)x[i])), fabs((double)x[i])) < 1e-6);
    ref_activate(GRAPH_RELU, x, 577, y);
    for (int i = 0; i < 577; i++) CHECK(y[i] == (x[i] > 0 ? x[i] : 0));
    ref_activate(GRAPH_RELU_SQUARED, x, 577, y);
    for (int i = 0; i < 577; i++) CHECK(y[i] == (x[i] > 0 ? x[i] * x[i] : 0));
}

static void softplus_is_right(void) {
    float x[577], y[577];
    for (int i = 0; i < 577; i++) x[i] = 8 * testing_normal();
    ref_activate(GRAPH_SOFTPLUS, x, 577, y);
    for (int i = 0; i < 577; i++) CHECK(fabs((double)y[i] / log1p(exp((double)x[i])) - 1) < 4e-7);
}

static void conv_is_right(void) {
    float x[30 * 16], w[16 * 4], bias[16], y[30 * 16], state[3 * 16], first[3 * 16];
    for (int i = 0; i < 30 * 16; i++) x[i] = testing_normal();
    for (int i = 0; i < 16 * 4; i++) w[i] = testing_normal();
    for (int i = 0; i < 16; i++) bias[i] = testing_normal();
    for (int i = 0; i < 3 * 16; i++) first[i] = testing_normal();
    memcpy(state, first, sizeof state);
    cpu_conv c = {.rows = 30, .lanes = 16, .taps = 4, .x = x, .x_stride = 16, .y = y, .y_stride = 16, .weight = w,
                  .bias = bias, .state = state};
    ref_conv(&c);
    for (int t = 0; t < 30; t++)
        for (int lane = 0; lane < 16; lane++) {
            double sum = bias[lane];
            for (int k = 0; k < 4; k++) {
                int from = t - 3 + k;
                double input = from < 0 ? first[(3 + from) * 16 + lane] : x[from * 16 + lane];
                sum += input * w[lane * 4 + k];
            }
            CHECK(fabs(y[t * 16 + lane] - sum) < 1e-5);
        }
    CHECK(memcmp(state, x + 27 * 16, sizeof state) == 0);
}

/* Of mamba's and mamba2's kind, against the recurrence in double. */
static void scan_is_right(void) {
    enum { T = 40, N = 11 };
    static float x[T * 16], step[T * 16], b[T * N], c[T * N], decay[16 * N], skip[16], y[T * 16], state[N * 16],
        scratch[N * 16];
    for (int each = 0; each < 2; each++) {
        static double h[16][N];
        memset(h, 0, sizeof h);
        memset(state, 0, sizeof state);
        for (int i = 0; i < T * 16; i++) x[i] = testing_normal(), step[i] = fabsf(testing_normal());
        for (int i = 0; i < T * N; i++) b[i] = testing_normal(), c[i] = testing_normal();
        for (int i = 0; i < 16 * N; i++) decay[i] = -fabsf(testing_normal());
        for (int i = 0; i < 16; i++) skip[i] = testing_normal();
        cpu_scan s = {.rows = T, .lanes = 16, .states = N, .each = each, .x = x, .x_stride = 16, .step = step,
                      .step_stride = 16, .decay = decay, .skip = skip, .b = b, .c = c, .bc_stride = N, .y = y,
                      .y_stride = 16, .state = state, .scratch = scratch};
        ref_scan(&s);
        for (int t = 0; t < T; t++)
            for (int lane = 0; lane < 16; lane++) {
                double d = step[t * 16 + (each ? lane : 0)], in = x[t * 16 + lane], sum = in * skip[each ? lane : 0];
                for (int n = 0; n < N; n++) {
                    h[lane][n] = h[lane][n] * exp(d * decay[each ? lane * N + n : 0]) + d * in * b[t * N + n];
                    sum += h[lane][n] * c[t * N + n];
                }
                CHECK(fabs(y[t * 16 + lane] - sum) < 1e-4 * (1 + fabs(sum)));
            }
    }
}

/* Dimension i of a head's key or value; where it lies is said anew here. */
static double cached(const cpu_attention *a, bool value, uint32_t head, uint32_t position, uint32_t i) {
    uint32_t dim = value ? a->dim_v : a->dim_k, j = position % 64, groups = (dim + 31) / 32;
    const uint8_t *at = a->pages[position / 64] + (value ? a->v_offset : a->k_offset);
    float x;
    if (a->type == PUNA_CACHE_Q8_0) {
        uint32_t wide = value ? dim : (dim + 3) / 4 * 4;
        at += (size_t)head * 64 * (wide + groups * 4);
        memcpy(&x, at + 64 * (size_t)wide + (i / 32 * 64 + j) * 4, sizeof x);
        return (double)x * (value ? (int8_t)at[j * dim + i] : at[(i / 4 * 64 + j) * 4 + i % 4] - 128);
    }
    size_t index = value ? ((size_t)head * 64 + j) * dim + i : ((size_t)head * dim + i) * 64 + j;
    if (a->type == PUNA_CACHE_F16) return math_from_half(bytes_u16(at + 2 * index));
    memcpy(&x, at + 4 * index, sizeof x);
    return x;
}

/* What a query's number is worth: itself, or what its group's rounding to int8 makes of it. */
static double asked(const cpu_attention *a, const float *q, uint32_t i) {
    if (a->type != PUNA_CACHE_Q8_0) return (double)q[i] * a->scale;
    float amax = 0;
    for (uint32_t j = i / 32 * 32; j < a->dim_k && j < i / 32 * 32 + 32; j++)
        amax = fmaxf(amax, fabsf(q[j] * a->scale));
    return amax == 0 ? 0 : rintf(q[i] * a->scale * (127 / amax)) * ((double)amax / 127);
}

/* One row and head, all in double. */
static void attend(const cpu_attention *a, const float *q, uint32_t line, uint32_t position, uint32_t low,
                   uint32_t high, double *out) {
    double *weight = malloc(high * sizeof *weight), total = 0, most = a->sinks ? (double)a->sinks[line] : -INFINITY;
    uint32_t head = line / a->group;
    for (uint32_t j = low; j < high; j++) {
        double score = 0;
        for (uint32_t i = 0; i < a->dim_k; i++)
            score += asked(a, q, i) * cached(a, false, head, j, i);
        if (a->slopes) score -= (double)a->slopes[line] * fabs((double)position - j);
        if (a->relative) {
            double d = fmin(fmax((double)j - position, -(double)a->reach), a->reach);
            score += (double)a->relative[line * (2 * a->reach + 1) + (uint32_t)(d + a->reach)];
        }
        if (a->softcap > 0) score = a->softcap * tanh(score / a->softcap);
        weight[j] = score;
        if (score > most) most = score;
    }
    memset(out, 0, a->dim_v * sizeof *out);
    for (uint32_t j = low; j < high; j++) {
        double p = exp(weight[j] - most);
        total += p;
        for (uint32_t i = 0; i < a->dim_v; i++)
            out[i] += p * cached(a, true, head, j, i);
    }
    if (a->sinks) total += exp((double)a->sinks[line] - most);
    for (uint32_t i = 0; i < a->dim_v; i++) out[i] /= total;
    free(weight);
}

/* Rows that `ahead` keys follow, which a symmetric one sees, too. */
static void compare_attention(cpu_attention a, uint32_t keys, uint32_t rows, uint32_t ahead) {
    shapes_cache c = shapes_cache_new(a, keys);
    uint32_t heads = a.heads_kv * a.group, q_stride = heads * a.dim_k, out_stride = heads * a.dim_v;
    float *q = shapes_new(rows * q_stride * sizeof *q), *out = shapes_new(rows * out_stride * sizeof *out);
    double *expected = shapes_new(a.dim_v * sizeof *expected);
    for (uint32_t i = 0; i < rows * q_stride; i++) q[i] = testing_normal();
    void *scratch = shapes_new(ref_attention_scratch(&c.a));
    cpu_queries queries = {q, q_stride, out, out_stride, rows, keys - rows - ahead, keys};
    ref_attention(&c.a, &queries, 0, a.heads_kv, scratch);
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t h = 0; h < heads; h++) {
            uint32_t at = keys - rows - ahead + r, high = a.causal ? at + 1 : keys;
            uint32_t back = a.causal ? a.window : a.window / 2 + 1;
            uint32_t low = a.window && at + 1 > back ? at + 1 - back : 0;
            if (a.window && !a.causal && high > at + back) high = at + back;
            attend(&c.a, q + r * q_stride + h * a.dim_k, h, at, low, high, expected);
            for (uint32_t i = 0; i < a.dim_v; i++)
                CHECK(fabs(expected[i] - out[r * out_stride + h * a.dim_v + i]) < 2e-5);
        }
    shapes_free(scratch);
    shapes_free(expected);
    shapes_free(out);
    shapes_free(q);
    shapes_cache_free(&c);
}

static void attention_is_right(void) {
    const uint32_t positions[] = {1, 70, 600, 1030}, windows[] = {0, 40, 520}, dims[] = {24, 40, 64};
    for (uint32_t round = 0; round < 48; round++) {
        uint32_t keys = positions[round % 4];
        cpu_attention a = {.type = round / 4 % 3, .heads_kv = 2, .group = 2, .dim_k = dims[round / 12 % 3], .dim_v = 16,
                           .scale = 0.2f, .window = windows[round / 12 % 3], .causal = round % 5 != 0,
                           .softcap = round % 7 ? 0.0f : 20.0f};
        if (round % 2) a.dim_v = 36;
        const float slopes[] = {0.5f, 0.25f, 0.0625f, 0.01f}, sinks[] = {1, -2, 3, 0.5f};
        if (round % 3 == 1) a.slopes = slopes;
        if (round % 4 != 2) a.sinks = sinks;
        static float relative[4 * 101];
        for (uint32_t i = 0; i < 4 * 101; i++) relative[i] = testing_normal();
        a.reach = 50;
        if (round % 5 == 1) a.relative = relative;
        uint32_t rows = keys < 3 ? keys : 3;
        compare_attention(a, keys, rows, 0);
        compare_attention(a, keys, rows, keys - rows < 33 ? keys - rows : 33);
    }
}

/* A Q8_0 cache holds what was stored to within half a step of its group: a 254th of the group's largest. */
static void q8_0_caches_round_by_half_a_step(void) {
    const uint32_t dims[] = {1, 31, 32, 40, 64, 80, 128, 256};
    for (uint32_t round = 0; round < 8; round++) {
        cpu_attention a = {.type = PUNA_CACHE_Q8_0, .heads_kv = 2, .dim_k = dims[round], .dim_v = dims[7 - round]};
        shapes_cache c = shapes_cache_new(a, 64);
        float x[2][512]; /* keys, values */
        for (uint32_t i = 0; i < 1024; i++) x[i / 512][i % 512] = testing_normal() * (i % 3 ? 1.0f : 50.0f);
        uint32_t slot = testing_below(64);
        ref_cache_store(&c.a, c.bytes, slot, x[0], x[1]);
        for (int value = 0; value < 2; value++) {
            uint32_t dim = value ? a.dim_v : a.dim_k;
            for (uint32_t i = 0; i < 2 * dim; i++) {
                const float *head = x[value] + i / dim * dim;
                uint32_t at = i % dim, begin = at / 32 * 32;
                double most = 0;
                for (uint32_t j = begin; j < dim && j < begin + 32; j++) most = fmax(most, fabs((double)head[j]));
                CHECK(fabs(cached(&c.a, value, i / dim, slot, at) - head[at]) <= most / 254 * 1.0001);
            }
        }
        shapes_cache_free(&c);
    }
}

static void force(const char *name) {
#if defined(_WIN32)
    _putenv_s("PUNA_CPU_TIER", name);
#else
    setenv("PUNA_CPU_TIER", name, 1);
#endif
}

static void a_forced_tier_is_taken_or_refused(void) {
    const char *tiers[] = {"ref", "avx2", "avxvnni", "avx512", "nonsense"};
    char forced[16], list[64];
    cpu_kernels_list(list, sizeof list);
    printf("tiers that run here: %s\n", list);
    for (int i = 0; i < 5; i++) {
        force(tiers[i]);
        const cpu_kernels *k = cpu_kernels_select(forced);
        CHECK_TEXT(forced, tiers[i]);
        CHECK(k == cpu_kernels_find(tiers[i]));
        if (k) CHECK_TEXT(k->tier, tiers[i]);
        else if (i < 4) printf("%s: not on this CPU\n", tiers[i]);
        CHECK((k != NULL) == (strstr(list, tiers[i]) != NULL));
    }
    CHECK(cpu_kernels_find("ref") == &ref_kernels && cpu_kernels_find("nonsense") == NULL);
    force("");
    const cpu_kernels *best = cpu_kernels_select(forced);
    NEED(best != NULL);
    CHECK(strcmp(list + strlen(list) - strlen(best->tier), best->tier) == 0);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(products_are_three_loops);
    TEST(products_are_right);
    TEST(norm_is_right);
    TEST(layer_norm_is_right);
    TEST(activations_are_right);
    TEST(softplus_is_right);
    TEST(conv_is_right);
    TEST(scan_is_right);
    TEST(attention_is_right);
    TEST(q8_0_caches_round_by_half_a_step);
    TEST(a_forced_tier_is_taken_or_refused);
    return testing_end();
}
