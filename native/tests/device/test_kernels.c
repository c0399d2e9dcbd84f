// SPDX-License-Identifier: Apache-2.0
/*
 * Every tier's kernels equal ref's, bit for bit; ref's products equal three scalar loops written here, and a
 * computation in double within a bound. bench/bench_kernels.c times them.
 */
#include "device/cpu/kernels.h"
#include "graph/graph.h"

#include <math.h>

#include "base/math.h"
#include "device/cpu/cache_page.h"
#include "device/cpu/columns.h"
#include "device/cpu/ref/ref.h"
#include "device/evex/evex.h"
#include "format/block.h"
#include "shapes.h"
#include "testing.h"

static const cpu_kernels *tier; /* under test */

static uint32_t pick(const uint32_t *values, uint32_t count) { return values[testing_below(count)]; }

/* ---- rows ---- */

static void fill(float *x, size_t n, int kind) {
    for (size_t i = 0; i < n; i++) {
        x[i] = testing_normal() * (kind == 1 ? 1e-39f : kind == 2 ? 1e30f : 3.0f);
        if (kind == 3 && testing_below(3) == 0) x[i] = testing_below(2) ? 0.0f : -0.0f;
        if (kind == 4) x[i] = 0.5f * (float)((int)testing_below(255) - 127); /* ties */
        if (kind == 5 && testing_below(64) == 0)
            x[i] = testing_below(2) ? INFINITY : testing_below(2) ? -INFINITY : NAN;
        if (kind == 6) x[i] *= 40.0f;
    }
    if (kind == 4 && n > 0) x[0] = 63.5f;
    if (kind == 7) memset(x, 0, n * sizeof *x);
}

static void quantize(void) {
    float x[1536], d[2][48], ds[2][48];
    int8_t q[2][1536];
    int32_t s[2][48];
    const uint32_t widths[] = {32, 64, 96, 576, 1536};
    for (int round = 0; round < 400; round++) {
        uint32_t cols = pick(widths, 5);
        size_t at = 0;
        fill(x, cols, round % 8);
        ref_quantize(x, cols, q[0], d[0], ds[0], s[0]);
        tier->quantize(x, cols, q[1], d[1], ds[1], s[1]);
        CHECK(memcmp(q[0], q[1], cols) == 0);
        CHECK(memcmp(s[0], s[1], cols / 32 * 4) == 0);
        CHECK(shapes_same(d[0], d[1], cols / 32, &at) && shapes_same(ds[0], ds[1], cols / 32, &at));
    }
}

/* Every group of every column lies in a place of its own, with its own sums. */
static void columns(void) {
    for (uint32_t count = 1; count <= 35; count++) {
        const uint32_t cols = 96, groups = count * (cols / 32);
        shapes_columns c = shapes_columns_new(cols, count, count % 2);
        bool *taken = shapes_new(groups * COLUMNS_GROUP_BYTES);
        for (uint32_t i = 0; i < count; i++) {
            int8_t q[96];
            float d[3], ds[3];
            int32_t s[3];
            tier->quantize(c.floats + i * cols, cols, q, d, ds, s);
            for (uint32_t g = 0; g < cols / 32; g++) {
                columns_group at = columns_at(&c.x, i, g);
                int32_t lanes[2][2] = {{0}};
                for (int k = 0; k < 32; k++) lanes[k / 16][k % 4 / 2] += q[32 * g + (uint32_t)k];
                CHECK(memcmp(at.q, q + 32 * g, 32) == 0);
                for (int h = 0; h < 2; h++)
                    CHECK((int16_t)(*at.lanes[h] & 0xffff) == lanes[h][0] && *at.lanes[h] >> 16 == lanes[h][1]);
                CHECK(memcmp(at.d, &d[g], 4) == 0 && memcmp(at.ds, &ds[g], 4) == 0 && *at.s == s[g]);
                const uint8_t *parts[] = {(uint8_t *)at.q, (uint8_t *)at.d, (uint8_t *)at.ds, (uint8_t *)at.s,
                                          (uint8_t *)at.lanes[0], (uint8_t *)at.lanes[1]};
                for (int part = 0; part < 6; part++)
                    for (int k = 0; k < (part ? 4 : 32); k++) {
                        size_t byte = (size_t)(parts[part] - c.x.groups) + (size_t)k;
                        NEED(byte < (size_t)groups * COLUMNS_GROUP_BYTES);
                        CHECK(!taken[byte]);
                        taken[byte] = true;
                    }
            }
        }
        shapes_free(taken);
        shapes_columns_free(&c);
    }
}

static void rms_norm(void) {
    float x[600], w[600], y[2][600];
    const uint32_t widths[] = {1, 15, 16, 17, 24, 64, 576, 600};
    for (int round = 0; round < 400; round++) {
        uint32_t n = pick(widths, 8);
        size_t at = 0;
        fill(x, n, round % 8);
        fill(w, n, 0);
        ref_rms_norm(x, w, n, 1e-5f, y[0]);
        tier->rms_norm(x, w, n, 1e-5f, y[1]);
        CHECK(shapes_same(y[0], y[1], n, &at));
        tier->rms_norm(x, w, n, 1e-5f, x);
        CHECK(shapes_same(y[0], x, n, &at));
    }
}

static void layer_norm(void) {
    float x[600], w[600], b[600], y[2][600];
    const uint32_t widths[] = {1, 15, 16, 17, 24, 64, 576, 600};
    for (int round = 0; round < 400; round++) {
        uint32_t n = pick(widths, 8);
        size_t at = 0;
        fill(x, n, round % 8);
        fill(w, n, 0);
        fill(b, n, 0);
        const float *weight = testing_below(4) ? w : NULL, *bias = testing_below(3) ? b : NULL;
        ref_layer_norm(x, weight, bias, n, 1e-5f, y[0]);
        tier->layer_norm(x, weight, bias, n, 1e-5f, y[1]);
        CHECK(shapes_same(y[0], y[1], n, &at));
        tier->layer_norm(x, weight, bias, n, 1e-5f, x);
        CHECK(shapes_same(y[0], x, n, &at));
    }
}

static void activate(void) {
    float a[600], y[2][601];
    for (int round = 0; round < 400; round++) {
        uint32_t n = 1 + testing_below(600);
        size_t at = 0;
        fill(a, n, round % 8);
        y[1][n] = 7.0f;
        for (uint32_t f = GRAPH_GELU; f <= GRAPH_SOFTPLUS; f++) {
            ref_activate(f, a, n, y[0]);
            tier->activate(f, a, n, y[1]);
            CHECK(shapes_same(y[0], y[1], n, &at));
        }
        CHECK(y[1][n] == 7.0f);
    }
    /* over both branches of erf and its far end */
    for (uint32_t i = 0; i < 600; i++) a[i] = ((float)i - 300.0f) / 60.0f;
    ref_activate(GRAPH_GELU_ERF, a, 600, y[0]);
    tier->activate(GRAPH_GELU_ERF, a, 600, y[1]);
    size_t at = 0;
    CHECK(shapes_same(y[0], y[1], 600, &at));
}

static void elementwise(void) {
    float a[600], b[600], y[2][601];
    for (int round = 0; round < 400; round++) {
        uint32_t n = 1 + testing_below(600);
        size_t at = 0;
        fill(a, n, round % 8);
        fill(b, n, (round / 8) % 8);
        y[1][n] = 7.0f;
        ref_silu_mul(a, b, n, y[0]);
        tier->silu_mul(a, b, n, y[1]);
        CHECK(shapes_same(y[0], y[1], n, &at));
        ref_gelu_mul(a, b, n, y[0]);
        tier->gelu_mul(a, b, n, y[1]);
        CHECK(shapes_same(y[0], y[1], n, &at));
        ref_softcap(a, 20.0f, n, y[0]);
        tier->softcap(a, 20.0f, n, y[1]);
        CHECK(shapes_same(y[0], y[1], n, &at));
        ref_multiply(a, b, n, y[0]);
        tier->multiply(a, b, n, y[1]);
        CHECK(shapes_same(y[0], y[1], n, &at));
        ref_add(a, b, n, y[0]);
        tier->add(a, b, n, y[1]);
        CHECK(shapes_same(y[0], y[1], n, &at));
        ref_scale(a, 0.3f, n, y[0]);
        tier->scale(a, 0.3f, n, y[1]);
        CHECK(shapes_same(y[0], y[1], n, &at));
        CHECK(y[1][n] == 7.0f);
    }
}

static void rope(void) {
    float x[2][512], c[64], s[64];
    const uint32_t dims[] = {2, 16, 24, 64, 80, 128};
    for (int round = 0; round < 400; round++) {
        uint32_t dim = pick(dims, 6), heads = 1 + testing_below(4);
        uint32_t rotated = round % 3 ? dim : 2 * (1 + testing_below(dim / 2));
        size_t at = 0;
        fill(x[0], 512, round % 4);
        memcpy(x[1], x[0], sizeof x[0]);
        fill(c, 64, 0);
        fill(s, 64, 0);
        ref_rope(x[0], heads, dim, rotated, round % 2, c, s);
        tier->rope(x[1], heads, dim, rotated, round % 2, c, s);
        CHECK(shapes_same(x[0], x[1], 512, &at));
    }
}

/* ---- recurrent layers ---- */

enum { RECURRENT_ROWS = 70, MOST_STATES = 33 };

static void conv(void) {
    static float x[RECURRENT_ROWS * 40], w[16 * CPU_MOST_TAPS], bias[16], y[2][RECURRENT_ROWS * 40];
    _Alignas(64) float state[2][CPU_MOST_TAPS * 16];
    for (int round = 0; round < 300; round++) {
        size_t at = 0;
        cpu_conv c = {.rows = 1 + testing_below(RECURRENT_ROWS), .lanes = round % 3 ? 16 : 1 + testing_below(16),
                      .taps = 2 + testing_below(CPU_MOST_TAPS - 1), .x = x, .x_stride = 40, .y_stride = 40,
                      .weight = w, .bias = round % 2 ? bias : NULL};
        fill(x, RECURRENT_ROWS * 40, round % 8);
        fill(w, 16 * CPU_MOST_TAPS, 0);
        fill(bias, 16, 0);
        fill(state[0], CPU_MOST_TAPS * 16, 0);
        for (uint32_t i = 0; i < CPU_MOST_TAPS * 16; i++) state[0][i] = i % 16 < c.lanes ? state[0][i] : 0;
        memcpy(state[1], state[0], sizeof state[0]);
        for (int i = 0; i < 2; i++) {
            for (uint32_t k = 0; k < RECURRENT_ROWS * 40; k++) y[i][k] = 7.0f;
            c.y = y[i];
            c.state = state[i];
            (i ? tier->conv : ref_conv)(&c);
        }
        CHECK(shapes_same(y[0], y[1], RECURRENT_ROWS * 40, &at));
        CHECK(shapes_same(state[0], state[1], (c.taps - 1) * 16, &at));
    }
}

static void scan(void) {
    static float x[RECURRENT_ROWS * 20], step[RECURRENT_ROWS * 20], bc[RECURRENT_ROWS * 2 * MOST_STATES];
    static float decay[16 * MOST_STATES], skip[16], y[2][RECURRENT_ROWS * 20];
    _Alignas(64) static float state[2][MOST_STATES * 16], scratch[MOST_STATES * 16];
    for (int round = 0; round < 400; round++) {
        size_t at = 0;
        cpu_scan s = {.rows = 1 + testing_below(RECURRENT_ROWS), .lanes = round % 3 ? 16 : 1 + testing_below(16),
                      .states = 1 + testing_below(MOST_STATES), .each = round % 2, .x = x, .x_stride = 20, .step = step,
                      .step_stride = 20, .decay = decay, .skip = round % 5 ? skip : NULL, .b = bc,
                      .c = bc + MOST_STATES, .bc_stride = 2 * MOST_STATES, .y_stride = 20, .scratch = scratch};
        fill(x, RECURRENT_ROWS * 20, round % 8);
        fill(step, RECURRENT_ROWS * 20, 0);
        fill(bc, RECURRENT_ROWS * 2 * MOST_STATES, 0);
        fill(decay, 16 * MOST_STATES, 0);
        fill(skip, 16, 0);
        for (uint32_t i = 0; round % 7 && i < RECURRENT_ROWS * 20; i++) step[i] = fabsf(step[i]); /* as it should be */
        for (uint32_t i = 0; round % 7 && i < 16 * MOST_STATES; i++) decay[i] = -fabsf(decay[i]);
        fill(state[0], MOST_STATES * 16, 0);
        for (uint32_t i = 0; i < MOST_STATES * 16; i++) state[0][i] = i % 16 < s.lanes ? state[0][i] : 0;
        memcpy(state[1], state[0], sizeof state[0]);
        for (int i = 0; i < 2; i++) {
            for (uint32_t k = 0; k < RECURRENT_ROWS * 20; k++) y[i][k] = 7.0f;
            s.y = y[i];
            s.state = state[i];
            (i ? tier->scan : ref_scan)(&s);
        }
        CHECK(shapes_same(y[0], y[1], RECURRENT_ROWS * 20, &at));
        CHECK(shapes_same(state[0], state[1], s.states * 16, &at));
    }
}

/* ---- products ---- */

typedef struct task {
    shapes_matrix m;
    shapes_columns c;
    float *bias, *residual, *out[2];
    size_t stride, n; /* of out: its last row ends with the matrix's last */
} task;

static task task_new(uint32_t type, uint32_t rows, uint32_t cols, uint32_t count, bool wild) {
    task t = {.stride = rows + testing_below(3)};
    t.m = shapes_matrix_new(type, rows, cols, wild);
    t.c = shapes_columns_new(cols, count, wild);
    t.n = t.stride * (count - 1) + rows;
    t.bias = testing_below(2) ? shapes_floats(rows) : NULL;
    t.residual = testing_below(2) ? shapes_floats(t.n) : NULL;
    t.out[0] = shapes_floats(t.n);
    t.out[1] = shapes_floats(t.n);
    if (t.bias) fill(t.bias, rows, 0);
    if (t.residual) fill(t.residual, t.n, 0);
    return t;
}

static void task_free(task *t) {
    shapes_matrix_free(&t->m);
    shapes_columns_free(&t->c);
    shapes_free(t->bias);
    shapes_free(t->residual);
    shapes_free(t->out[0]);
    shapes_free(t->out[1]);
}

static void task_run(const task *t, const cpu_kernels *k, uint32_t begin, uint32_t end, float *out) {
    cpu_product p = {.weight = &t->m.weight, .x = &t->c.x, .xf = t->c.floats, .xf_stride = t->c.x.cols,
                     .count = t->c.x.count, .out = out, .out_stride = t->stride, .bias = t->bias,
                     .residual = t->residual};
    k->product(t->m.weight.type)(&p, begin, end);
}

static void compare_product(uint32_t type, uint32_t rows, uint32_t cols, uint32_t count, bool wild) {
    cols = shapes_whole(type, cols);
    task t = task_new(type, rows, cols, count, wild);
    size_t at = 0;
    uint32_t tiles = t.m.weight.tiles, middle = testing_below(tiles + 1);
    task_run(&t, &ref_kernels, 0, tiles, t.out[0]);
    task_run(&t, tier, middle, tiles, t.out[1]); /* in two parts, in any order */
    task_run(&t, tier, 0, middle, t.out[1]);
    if (!shapes_same(t.out[0], t.out[1], t.n, &at))
        testing_fail(__FILE__, __LINE__, "%s: %u x %u by %u: element %zu: %a, not %a",
                     cpu_kernels_product_name(tier, type), rows, cols, count, at, (double)t.out[1][at],
                     (double)t.out[0][at]);
    task_free(&t);
}

static void products(void) {
    const uint32_t rows[] = {1, 15, 16, 17, 64, 65, 130}, cols[] = {32, 64, 96, 576};
    for (int t = 0; t < SHAPES_TYPES; t++) {
        uint32_t type = shapes_types[t];
        for (uint32_t count = 1; count <= 34; count++)
            compare_product(type, pick(rows, 7), pick(cols, 3), count, false);
        for (int round = 0; round < 12; round++)
            compare_product(type, pick(rows, 7), pick(cols, 4), 1 + testing_below(9), true);
        const uint32_t many[] = {47, 48, 63, 64, 65, 68, 128, 133}; /* around what a tier takes at once */
        for (int i = 0; i < 8; i++) compare_product(type, pick(rows, 7), pick(cols, 3), many[i], i % 2);
        compare_product(type, 576, 576, 3, false);
        compare_product(type, 33, 1536, 17, false);
    }
    for (int t = 0; t < SHAPES_FLOATS; t++) { /* floats: any number of columns of the matrix */
        const uint32_t odd[] = {1, 7, 33, 100};
        for (int round = 0; round < 12; round++)
            compare_product(shapes_types[t], pick(rows, 7), pick(odd, 4), 1 + testing_below(9), round % 2);
    }
}

/* Every format at the edges of its tiles, blocks and groups of columns: memory ends where the matrix, the columns and
   the output do (guarded.h). */
static void products_keep_to_their_memory(void) {
    const uint32_t rows[] = {1, 15, 16, 17, 33}, counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33};
    for (int t = 0; t < SHAPES_TYPES; t++) {
        const uint32_t type = shapes_types[t], block = shapes_whole(type, 32);
        for (uint32_t blocks = 1; blocks <= 3; blocks++)
            for (int r = 0; r < 5; r++)
                for (int c = 0; c < 12; c += TESTING_THIN(1, 5, 5))
                    compare_product(type, rows[r], blocks * block, counts[c], false);
    }
}

/* The largest sums: all bits of the weights set or none, activations all 127 or -127. Nothing may saturate. */
static void products_at_the_ends(void) {
    for (int t = SHAPES_FLOATS; t < SHAPES_TYPES; t++)
        for (int round = 0; round < 4; round++) {
            uint32_t type = shapes_types[t], cols = shapes_whole(type, 64), n = 33 * 5;
            shapes_matrix m = shapes_matrix_new(type, 33, cols, false);
            shapes_columns c = shapes_columns_new(cols, 5, false);
            float *out[2] = {shapes_floats(n), shapes_floats(n)};
            size_t at = 0, tile_bytes = m.weight.tile_bytes, blocks = cols / block_find(type)->length;
            /* In every block of a tile from the halves on; d of the K-quants that end in it stays as it was made. */
            size_t size = tile_bytes / blocks;
            size_t head = type == BLOCK_MXFP4 ? 16 : type == BLOCK_Q4_K || type == BLOCK_Q5_K || type == BLOCK_Q4_1 ||
                          type == BLOCK_Q5_1 ? 64 : type == BLOCK_Q3_K || type == BLOCK_Q2_K ? 0 : 32;
            size_t tail = type == BLOCK_Q3_K ? 32 : type == BLOCK_Q2_K ? 64 : 0;
            for (size_t b = 0; b < blocks * m.weight.tiles; b++)
                memset(m.tiles + b * size + head, round % 2 ? 0xff : 0, size - head - tail);
            for (uint32_t g = 0; g < cols / 32 * 5; g++) {
                columns_group to = columns_at(&c.x, g % 5, g / 5);
                memset(to.q, round / 2 ? 127 : -127, 32);
                *to.s = round / 2 ? 32 * 127 : -32 * 127;
                *to.lanes[0] = *to.lanes[1] = (int32_t)((uint32_t)(*to.s / 4) << 16 | ((uint32_t)(*to.s / 4) & 0xffff));
                *to.ds = *to.d * (float)*to.s;
            }
            for (int k = 0; k < 2; k++) {
                const cpu_kernels *kernels = k ? tier : &ref_kernels;
                cpu_product p = {.weight = &m.weight, .x = &c.x, .count = 5, .out = out[k], .out_stride = 33};
                kernels->product(type)(&p, 0, m.weight.tiles);
            }
            if (!shapes_same(out[0], out[1], n, &at))
                testing_fail(__FILE__, __LINE__, "%s %s: round %d: element %zu: %a, not %a", tier->tier,
                             block_type_name(type), round, at, (double)out[1][at], (double)out[0][at]);
            shapes_free(out[0]);
            shapes_free(out[1]);
            shapes_columns_free(&c);
            shapes_matrix_free(&m);
        }
}

/* A residual that is the output itself, and a NaN scale that comes through. */
static void products_in_place(void) {
    task t = task_new(BLOCK_Q4_1, 40, 64, 5, false);
    size_t at = 0, n = t.n;
    columns_group first = columns_at(&t.c.x, 1, 0);
    *first.d = *first.ds = NAN;
    shapes_free(t.residual);
    fill(t.out[0], n, 0);
    memcpy(t.out[1], t.out[0], n * sizeof(float));
    t.residual = t.out[0];
    task_run(&t, &ref_kernels, 0, 3, t.out[0]);
    t.residual = t.out[1];
    task_run(&t, tier, 0, 3, t.out[1]);
    CHECK(shapes_same(t.out[0], t.out[1], n, &at));
    CHECK(isnan(t.out[1][t.stride]) && !isnan(t.out[1][0]));
    t.residual = NULL;
    task_free(&t);
}

/* The tier that was asked for did the work: no silent fall to another. */
static void products_are_the_tiers_own(void) {
    const char *formats[SHAPES_TYPES] = {"f32",  "f16",  "bf16", "q4_0", "q4_1", "q8_0",   "q5_0",   "q5_1",
                                         "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs", "mxfp4"};
    for (int t = 0; t < SHAPES_TYPES; t++) {
        char expected[32];
        const bool vnni = strcmp(tier->tier, "avxvnni") == 0; /* its floats are AVX2's */
        snprintf(expected, sizeof expected, "%s_%s", formats[t], vnni && t < SHAPES_FLOATS ? "avx2" : tier->tier);
        const char *name = cpu_kernels_product_name(tier, shapes_types[t]);
        NEED(name != NULL);
        CHECK_TEXT(name, expected);
    }
    CHECK(tier->product(16) == NULL && cpu_kernels_product_name(tier, 16) == NULL);
    CHECK(cpu_kernels_find(tier->tier) == tier);
}

/* ---- attention ---- */

/* Each head's spans backwards, then the heads' joins: parts must not be shared by mistake. */
static void attend_by_spans(const cpu_kernels *k, const cpu_attention *a, const cpu_queries *queries) {
    const uint32_t span = CPU_PAGE * CPU_SPAN_PAGES, lines = queries->rows * a->group;
    uint32_t low, high, unused;
    cpu_seen(a, queries, queries->first, &low, &unused);
    cpu_seen(a, queries, queries->first + queries->rows - 1, &unused, &high);
    cpu_parts parts = {NULL, low / span, (high + span - 1) / span - low / span};
    const size_t each = (size_t)lines * parts.spans * cpu_part_floats(a->dim_v);
    float *all = shapes_floats(each * a->heads_kv);
    void *scratch = shapes_new(k->attention_scratch(a));
    for (uint32_t head = 0; head < a->heads_kv; head++) {
        parts.at = all + head * each;
        for (uint32_t n = parts.spans; n-- > 0;) k->attention_span(a, queries, head, parts.first + n, &parts, scratch);
    }
    for (uint32_t head = 0; head < a->heads_kv; head++) {
        parts.at = all + head * each;
        k->attention_join(a, queries, head, &parts, scratch);
    }
    shapes_free(all);
    shapes_free(scratch);
}

static void compare_attention(cpu_attention a, uint32_t positions, uint32_t rows, bool spikes) {
    uint32_t heads = a.heads_kv * a.group;
    shapes_cache c = shapes_cache_new(a, positions);
    size_t q_stride = (size_t)heads * a.dim_k + 3, out_stride = (size_t)heads * a.dim_v + 1, at = 0;
    size_t q_count = q_stride * rows - 3, out_count = out_stride * rows - 1;
    float *q = shapes_floats(q_count), *out[2] = {shapes_floats(out_count), shapes_floats(out_count)};
    for (size_t i = 0; i < q_count; i++) q[i] = testing_normal() * (spikes ? 30.0f : 1.0f);
    const cpu_kernels *kernels[2] = {&ref_kernels, tier};
    for (int k = 0; k < 2; k++) {
        void *scratch = shapes_new(kernels[k]->attention_scratch(&c.a));
        cpu_queries queries = {q, q_stride, out[k], out_stride, rows, positions - rows, positions};
        uint32_t middle = a.heads_kv / 2;
        kernels[k]->attention(&c.a, &queries, middle, a.heads_kv, scratch);
        kernels[k]->attention(&c.a, &queries, 0, middle, scratch);
        shapes_free(scratch);
    }
    if (!shapes_same(out[0], out[1], out_count, &at))
        testing_fail(__FILE__, __LINE__,
                     "heads %u x %u, dims %u %u, type %u, window %u, causal %u, softcap %g, positions %u, rows %u: "
                     "%zu: %a, not %a",
                     a.heads_kv, a.group, a.dim_k, a.dim_v, a.type, a.window, a.causal, (double)a.softcap, positions,
                     rows, at, (double)out[1][at], (double)out[0][at]);
    for (int k = 0; k < 2; k++) { /* and span by span, in any order */
        memset(out[1], 0, out_count * sizeof(float));
        cpu_queries queries = {q, q_stride, out[1], out_stride, rows, positions - rows, positions};
        attend_by_spans(kernels[k], &c.a, &queries);
        if (!shapes_same(out[0], out[1], out_count, &at))
            testing_fail(__FILE__, __LINE__,
                         "%s by spans: heads %u x %u, dims %u %u, type %u, window %u, causal %u, positions %u, "
                         "rows %u: %zu: %a, not %a",
                         kernels[k]->tier, a.heads_kv, a.group, a.dim_k, a.dim_v, a.type, a.window, a.causal, positions,
                         rows, at, (double)out[1][at], (double)out[0][at]);
    }
    shapes_free(q);
    shapes_free(out[0]);
    shapes_free(out[1]);
    shapes_cache_free(&c);
}

static void attention(void) {
    const uint32_t dims[] = {2, 16, 24, 64, 80, 128, 10, 40, 256, 33, 96},
        lengths[] = {1, 2, 63, 64, 65, 100, 130, 511, 513, 600, 1100};
    const uint32_t windows[] = {0, 0, 1, 5, 64, 70, 520}, groups[] = {1, 2, 3, 4, 7, 8};
    for (int round = 0; round < TESTING_THIN(240, 60, 60); round++) {
        uint32_t positions = pick(lengths, 11), rows = 1 + testing_below(20);
        if (rows > positions) rows = positions;
        cpu_attention a = {.type = (uint32_t)round % 3, .heads_kv = 1 + testing_below(3), .group = pick(groups, 6),
                           .dim_k = pick(dims, 11), .scale = 0.125f, .window = pick(windows, 7),
                           .causal = testing_below(5) != 0, .softcap = testing_below(5) ? 0.0f : 30.0f};
        a.dim_v = testing_below(3) ? a.dim_k : pick(dims, 11);
        float slopes[24], sinks[24];
        for (uint32_t h = 0; h < 24; h++) {
            slopes[h] = 1.0f / (float)(1 + testing_below(256));
            sinks[h] = testing_normal() * (round % 4 ? 1.0f : 40.0f);
        }
        if (round % 3 == 1) a.slopes = slopes;
        if (round % 5 == 2) a.sinks = sinks;
        const uint32_t reaches[] = {1, 3, 20, 64, 128, 700};
        a.reach = pick(reaches, 6);
        static float relative[24 * 1401];
        for (uint32_t i = 0; i < 24 * (2 * a.reach + 1); i++) relative[i] = testing_normal() * 3;
        if (round % 4 == 3) a.relative = relative;
        compare_attention(a, positions, rows, round % 7 == 0);
    }
}

static void cache_store(void) {
    float k[3 * 80], v[3 * 80];
    for (uint32_t round = 0; round < 150; round++) {
        cpu_attention a = {.type = round % 3, .heads_kv = 1 + testing_below(3), .dim_k = 1 + testing_below(80),
                           .dim_v = 1 + testing_below(80)};
        shapes_cache c[2] = {shapes_cache_new(a, 1), shapes_cache_new(a, 1)};
        size_t bytes = c[0].a.v_offset + a.heads_kv * cache_page_values(a.type, a.dim_v);
        memset(c[0].bytes, 0x55, bytes);
        memset(c[1].bytes, 0x55, bytes);
        fill(k, 240, (int)(round / 3 % 4));
        fill(v, 240, (int)(round / 3 % 4));
        if (round / 12 % 2) k[1] = 65519.0f, k[0] = -65520.0f, v[1] = INFINITY, v[0] = -1e30f;
        if (a.type == PUNA_CACHE_Q8_0 && round / 12 % 4 == 3) k[0] = NAN, v[2] = 1e-44f;
        uint32_t slot = testing_below(CPU_PAGE);
        ref_cache_store(&c[0].a, c[0].bytes, slot, k, v);
        tier->cache_store(&c[1].a, c[1].bytes, slot, k, v);
        CHECK(memcmp(c[0].bytes, c[1].bytes, bytes) == 0);
        shapes_cache_free(&c[0]);
        shapes_cache_free(&c[1]);
    }
}

/* Neighbours together: as one by one, and nothing beside them. */
static void cache_store_rows(void) {
    static float k[16 * 300], v[16 * 300];
    for (uint32_t round = 0; round < 150; round++) {
        cpu_attention a = {.type = round % 3, .heads_kv = 1 + testing_below(3), .dim_k = 1 + testing_below(80),
                           .dim_v = 1 + testing_below(80)};
        shapes_cache c[2] = {shapes_cache_new(a, 1), shapes_cache_new(a, 1)};
        size_t bytes = c[0].a.v_offset + a.heads_kv * cache_page_values(a.type, a.dim_v);
        size_t k_stride = a.heads_kv * a.dim_k + testing_below(9), v_stride = a.heads_kv * a.dim_v + testing_below(9);
        memset(c[0].bytes, 0x55, bytes);
        memset(c[1].bytes, 0x55, bytes);
        fill(k, 16 * 300, (int)(round / 3 % 4));
        fill(v, 16 * 300, (int)(round / 3 % 4));
        if (round / 12 % 2) k[1] = 65519.0f, k[0] = -65520.0f, v[1] = INFINITY, v[0] = -1e30f, k[k_stride] = NAN;
        uint32_t rows = 1 + testing_below(CPU_STORE_ROWS), slot = testing_below(CPU_PAGE - rows + 1);
        for (uint32_t i = 0; i < rows; i++)
            ref_cache_store(&c[0].a, c[0].bytes, slot + i, k + i * k_stride, v + i * v_stride);
        tier->cache_store_rows(&c[1].a, c[1].bytes, slot, rows, k, k_stride, v, v_stride);
        CHECK(memcmp(c[0].bytes, c[1].bytes, bytes) == 0);
        shapes_cache_free(&c[0]);
        shapes_cache_free(&c[1]);
    }
}

int main(int argc, char **argv) {
    const char *tiers[] = {"ref", "avx2", "avxvnni", "evex", "avx512"};
    testing_begin(argc, argv);
    for (int i = 0; i < 5; i++) {
        tier = evex_find(tiers[i]);
        printf("%s%s\n", tiers[i], tier ? ":" : ": not on this CPU");
        if (!tier) continue;
        if (strcmp(tiers[i], "evex") != 0) TEST(products_are_the_tiers_own);
        TEST(quantize);
        TEST(columns);
        TEST(rms_norm);
        TEST(layer_norm);
        TEST(activate);
        TEST(elementwise);
        TEST(rope);
        TEST(conv);
        TEST(scan);
        TEST(products);
        TEST(products_keep_to_their_memory);
        TEST(products_at_the_ends);
        TEST(products_in_place);
        TEST(cache_store);
        TEST(cache_store_rows);
        TEST(attention);
    }
    return testing_end();
}
