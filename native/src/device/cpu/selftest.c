// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/selftest.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/math.h"
#include "device/cpu/cache_page.h"
#include "device/cpu/columns.h"
#include "device/cpu/pack.h"
#include "device/cpu/ref/ref.h"
#include "format/block.h"

enum { BLOCKS = 16, BYTES_OF_GUARD = 64 };

/* One kernel's run: where its memory comes from, its stream of random numbers, what was found. */
typedef struct bed {
    const cpu_kernels *tier;
    memory_account *account;
    selftest_result *result;
    uint64_t random;
    void *blocks[BLOCKS];
    uint32_t block_count;
    bool full;
} bed;

/* ---- memory and numbers ---- */

/* Bytes of 0x55 with a guard behind them, which comparisons of whole buffers include. */
static void *take(bed *b, size_t bytes) {
    void *block = b->full || b->block_count == BLOCKS ? NULL : memory_new(b->account, bytes + BYTES_OF_GUARD);
    if (!block) {
        b->full = true;
        return NULL;
    }
    memset(block, 0x55, bytes + BYTES_OF_GUARD);
    return b->blocks[b->block_count++] = block;
}

static float *floats(bed *b, size_t n) { return take(b, n * sizeof(float)); }

static void give_back(bed *b) {
    while (b->block_count > 0) memory_free(b->account, b->blocks[--b->block_count]);
}

static uint64_t draw(bed *b) { /* splitmix64 */
    uint64_t z = b->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* From -3 to 3; one in eight is a zero, nearly nothing, or large. */
static float number(bed *b) {
    uint64_t z = draw(b);
    float x = (float)((int32_t)(z >> 40) - (1 << 23)) * 0x3p-23f;
    switch (z & 31u) {
    case 0: return 0.0f;
    case 1: return -0.0f;
    case 2: return x * 1e-38f;
    case 3: return x * 1e3f;
    default: return x;
    }
}

static void fill(bed *b, float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = number(b);
}

/* ---- comparing ---- */

__attribute__((format(printf, 2, 3))) static void differs(bed *b, const char *format, ...) {
    if (b->result->different++ > 0) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(b->result->detail, sizeof b->result->detail, format, arguments);
    va_end(arguments);
}

/* Floats with the guard behind them: the same bits, any NaN being equal to any NaN. */
static void same_floats(bed *b, const float *is, const float *should, size_t n, const char *what) {
    b->result->cases++;
    for (size_t i = 0; i < n + BYTES_OF_GUARD / sizeof(float); i++) {
        if (memcmp(&is[i], &should[i], sizeof(float)) == 0 || (isnan(is[i]) && isnan(should[i]))) continue;
        if (i >= n) differs(b, "%s: wrote beyond its %zu numbers", what, n);
        else differs(b, "%s: element %zu of %zu is %a, not %a", what, i, n, (double)is[i], (double)should[i]);
        return;
    }
}

static void same_bytes(bed *b, const uint8_t *is, const uint8_t *should, size_t n, const char *what) {
    b->result->cases++;
    for (size_t i = 0; i < n + BYTES_OF_GUARD; i++) {
        if (is[i] == should[i]) continue;
        differs(b, "%s: byte %zu of %zu is %u, not %u", what, i, n, (unsigned)is[i], (unsigned)should[i]);
        return;
    }
}

/* ---- rows ---- */

static const uint32_t lengths[] = {1, 15, 16, 17, 64, 100, 576};
enum { LENGTHS = sizeof lengths / sizeof *lengths, LONGEST = 576 };

static void test_quantize(bed *b, uint32_t unused) {
    (void)unused;
    float *x = floats(b, LONGEST);
    int8_t *q[2] = {take(b, LONGEST), take(b, LONGEST)};
    float *d[2] = {floats(b, 18), floats(b, 18)}, *ds[2] = {floats(b, 18), floats(b, 18)};
    int32_t *s[2] = {take(b, 18 * 4), take(b, 18 * 4)};
    if (b->full) return;
    for (uint32_t round = 0; round < 8; round++) {
        uint32_t cols = round % 2 ? 96 : LONGEST;
        fill(b, x, cols);
        if (round == 2) memset(x, 0, 128);
        if (round == 4) x[7] = INFINITY, x[40] = NAN;
        ref_quantize(x, cols, q[0], d[0], ds[0], s[0]);
        b->tier->quantize(x, cols, q[1], d[1], ds[1], s[1]);
        same_bytes(b, (uint8_t *)q[1], (uint8_t *)q[0], LONGEST, "numbers");
        same_bytes(b, (uint8_t *)s[1], (uint8_t *)s[0], 18 * 4, "sums");
        same_floats(b, d[1], d[0], 18, "scales");
        same_floats(b, ds[1], ds[0], 18, "scaled sums");
    }
}

enum { RMS_NORM, SILU_MUL, GELU_MUL, SOFTCAP, MULTIPLY, ADD, SCALE };

static void run_row(const cpu_kernels *k, uint32_t which, const float *a, const float *w, uint32_t n, float *y) {
    switch (which) {
    case RMS_NORM: k->rms_norm(a, w, n, 1e-5f, y); break;
    case SILU_MUL: k->silu_mul(a, w, n, y); break;
    case GELU_MUL: k->gelu_mul(a, w, n, y); break;
    case SOFTCAP: k->softcap(a, 20.0f, n, y); break;
    case MULTIPLY: k->multiply(a, w, n, y); break;
    case ADD: k->add(a, w, n, y); break;
    default: k->scale(a, 0.3f, n, y); break;
    }
}

static void test_row(bed *b, uint32_t which) {
    float *a = floats(b, LONGEST), *w = floats(b, LONGEST), *y[2] = {floats(b, LONGEST), floats(b, LONGEST)};
    if (b->full) return;
    for (uint32_t i = 0; i < LENGTHS; i++) {
        fill(b, a, LONGEST);
        fill(b, w, LONGEST);
        run_row(&ref_kernels, which, a, w, lengths[i], y[0]);
        run_row(b->tier, which, a, w, lengths[i], y[1]);
        same_floats(b, y[1], y[0], LONGEST, "row");
    }
}

static void test_rope(bed *b, uint32_t unused) {
    (void)unused;
    static const uint32_t dims[] = {16, 64, 80, 128};
    float *x[2] = {floats(b, 3 * 128), floats(b, 3 * 128)}, *c = floats(b, 64), *s = floats(b, 64);
    if (b->full) return;
    for (uint32_t round = 0; round < 16; round++) {
        uint32_t dim = dims[round % 4], rotated = round % 8 < 4 ? dim : dim / 2;
        fill(b, x[0], 3 * 128);
        fill(b, c, 64);
        fill(b, s, 64);
        memcpy(x[1], x[0], 3 * 128 * sizeof(float));
        ref_rope(x[0], 3, dim, rotated, round >= 8, c, s);
        b->tier->rope(x[1], 3, dim, rotated, round >= 8, c, s);
        same_floats(b, x[1], x[0], 3 * 128, "heads");
    }
}

/* ---- the cache ---- */

static void test_cache_store(bed *b, uint32_t type) {
    cpu_attention a = {.type = type, .heads_kv = 2, .dim_k = 80, .dim_v = 64};
    a.v_offset = 2 * cache_page_keys(type, a.dim_k);
    size_t bytes = a.v_offset + 2 * cache_page_values(type, a.dim_v);
    float *k = floats(b, 160), *v = floats(b, 128);
    uint8_t *page[2] = {take(b, bytes), take(b, bytes)};
    if (b->full) return;
    for (uint32_t slot = 0; slot < CPU_PAGE; slot += 7) {
        fill(b, k, 160);
        fill(b, v, 128);
        if (slot == 7) k[3] = 70000.0f, v[5] = INFINITY;
        ref_cache_store(&a, page[0], slot, k, v);
        b->tier->cache_store(&a, page[1], slot, k, v);
        same_bytes(b, page[1], page[0], bytes, "page");
    }
}

static void test_cache_store_rows(bed *b, uint32_t type) {
    enum { WIDTH = 100, ROWS_MOST = CPU_STORE_ROWS };
    cpu_attention a = {.type = type, .heads_kv = 2, .dim_k = 40, .dim_v = 33};
    a.v_offset = 2 * cache_page_keys(type, a.dim_k);
    size_t bytes = a.v_offset + 2 * cache_page_values(type, a.dim_v);
    float *k = floats(b, ROWS_MOST * WIDTH), *v = floats(b, ROWS_MOST * WIDTH);
    uint8_t *page[2] = {take(b, bytes), take(b, bytes)};
    if (b->full) return;
    for (uint32_t rows = 1, slot = 0; rows <= ROWS_MOST; slot = (slot + rows++) % (CPU_PAGE - ROWS_MOST)) {
        fill(b, k, ROWS_MOST * WIDTH);
        fill(b, v, ROWS_MOST * WIDTH);
        for (uint32_t i = 0; i < rows; i++) ref_cache_store(&a, page[0], slot + i, k + i * WIDTH, v + i * WIDTH);
        b->tier->cache_store_rows(&a, page[1], slot, rows, k, WIDTH, v, WIDTH);
        same_bytes(b, page[1], page[0], bytes, "page");
    }
}

enum { SPAN = CPU_PAGE * CPU_SPAN_PAGES };
enum { POSITIONS = 600, PAGES = (POSITIONS + CPU_PAGE - 1) / CPU_PAGE, ROWS = 5 };

static void compare_attention(bed *b, cpu_attention *a, const float *q, uint32_t positions, float *out[2]) {
    uint32_t heads = a->heads_kv * a->group, width = heads * a->dim_v;
    const cpu_kernels *kernels[2] = {&ref_kernels, b->tier};
    for (int i = 0; i < 2; i++) {
        void *scratch = take(b, kernels[i]->attention_scratch(a));
        if (!scratch) return;
        cpu_queries queries = {q, (size_t)heads * a->dim_k, out[i], width, ROWS, positions - ROWS, positions};
        kernels[i]->attention(a, &queries, 0, a->heads_kv, scratch);
        memory_free(b->account, b->blocks[--b->block_count]);
    }
    char what[64];
    snprintf(what, sizeof what, "%u positions, heads %u wide, window %u", positions, a->dim_k, a->window);
    same_floats(b, out[1], out[0], (size_t)width * ROWS, what);
    const uint32_t spans = (positions + SPAN - 1) / SPAN;
    void *scratch = take(b, b->tier->attention_scratch(a));
    float *parts = floats(b, (size_t)ROWS * a->group * spans * cpu_part_floats(a->dim_v));
    if (!scratch || !parts) return;
    cpu_queries queries = {q, (size_t)heads * a->dim_k, out[1], width, ROWS, positions - ROWS, positions};
    const cpu_parts all = {parts, 0, spans};
    memset(out[1], 0, (size_t)width * ROWS * sizeof(float));
    for (uint32_t head = 0; head < a->heads_kv; head++) {
        for (uint32_t span = 0; span < spans; span++)
            b->tier->attention_span(a, &queries, head, span, &all, scratch);
        b->tier->attention_join(a, &queries, head, &all, scratch);
    }
    for (int i = 0; i < 2; i++) memory_free(b->account, b->blocks[--b->block_count]);
    same_floats(b, out[1], out[0], (size_t)width * ROWS, "by spans");
}

#define REACH 40u /* of relative positions */

static void test_attention(bed *b, uint32_t type) {
    static const uint32_t dims[] = {64, 80, 32}, positions[] = {5, 65, POSITIONS};
    static const float slopes[] = {0.5f, 0.25f, 0.125f, 0.0625f, 0.03125f, 0.75f};
    float relative[6 * (2 * REACH + 1)];
    fill(b, relative, sizeof relative / sizeof *relative);
    for (uint32_t round = 0; round < 3 && !b->full; round++) {
        cpu_attention a = {.type = type, .heads_kv = 2, .group = 3, .dim_k = dims[round], .dim_v = dims[round],
                           .scale = 0.125f, .causal = round != 2, .window = round ? 70 : 0,
                           .softcap = round == 1 ? 30.0f : 0.0f, .slopes = round == 2 ? slopes : NULL,
                           .relative = round ? NULL : relative, .reach = REACH};
        a.v_offset = 2 * cache_page_keys(type, a.dim_k);
        size_t page_bytes = (a.v_offset + 2 * cache_page_values(type, a.dim_v) + 63) & ~(size_t)63;
        size_t width = (size_t)6 * a.dim_k;
        uint8_t *bytes = take(b, page_bytes * PAGES);
        float *k = floats(b, width), *v = floats(b, width), *q = floats(b, width * ROWS);
        float *out[2] = {floats(b, width * ROWS), floats(b, width * ROWS)};
        if (b->full) break;
        const uint8_t *pages[PAGES];
        for (uint32_t p = 0; p < PAGES; p++) pages[p] = bytes + p * page_bytes;
        a.pages = pages;
        for (uint32_t p = 0; p < POSITIONS; p++) {
            fill(b, k, (size_t)2 * a.dim_k);
            fill(b, v, (size_t)2 * a.dim_v);
            ref_cache_store(&a, bytes + (p / CPU_PAGE) * page_bytes, p % CPU_PAGE, k, v);
        }
        fill(b, q, width * ROWS);
        for (uint32_t i = 0; i < 3; i++) compare_attention(b, &a, q, positions[i], out);
        give_back(b);
    }
}

/* ---- recurrent layers ---- */

enum { STEPS = 9, TAPS = 4, STATES = 21 };

static void test_conv(bed *b, uint32_t unused) {
    (void)unused;
    float *x = floats(b, STEPS * 16), *w = floats(b, 16 * TAPS), *bias = floats(b, 16);
    float *y[2] = {floats(b, STEPS * 16), floats(b, STEPS * 16)};
    float *state[2] = {floats(b, (TAPS - 1) * 16), floats(b, (TAPS - 1) * 16)};
    const cpu_kernels *kernels[2] = {&ref_kernels, b->tier};
    if (b->full) return;
    for (uint32_t lanes = 5; lanes <= 16; lanes += 11) {
        fill(b, x, STEPS * 16);
        fill(b, w, 16 * TAPS);
        fill(b, bias, 16);
        memset(state[0], 0, (TAPS - 1) * 16 * sizeof(float));
        memset(state[1], 0, (TAPS - 1) * 16 * sizeof(float));
        for (int i = 0; i < 2; i++)
            kernels[i]->conv(&(cpu_conv){.rows = STEPS, .lanes = lanes, .taps = TAPS, .x = x, .x_stride = 16, .y = y[i],
                                         .y_stride = 16, .weight = w, .bias = bias, .state = state[i]});
        same_floats(b, y[1], y[0], STEPS * 16, "rows");
        same_floats(b, state[1], state[0], (TAPS - 1) * 16, "inputs kept");
    }
}

static void test_scan(bed *b, uint32_t each) {
    float *x = floats(b, STEPS * 16), *step = floats(b, STEPS * 16), *bc = floats(b, STEPS * 2 * STATES);
    float *decay = floats(b, 16 * STATES), *skip = floats(b, 16), *scratch = floats(b, STATES * 16);
    float *y[2] = {floats(b, STEPS * 16), floats(b, STEPS * 16)};
    float *state[2] = {floats(b, STATES * 16), floats(b, STATES * 16)};
    const cpu_kernels *kernels[2] = {&ref_kernels, b->tier};
    if (b->full) return;
    for (uint32_t lanes = 5; lanes <= 16; lanes += 11) {
        fill(b, x, STEPS * 16);
        fill(b, bc, STEPS * 2 * STATES);
        fill(b, skip, 16);
        for (uint32_t i = 0; i < STEPS * 16; i++) step[i] = fabsf(number(b));
        for (uint32_t i = 0; i < 16 * STATES; i++) decay[i] = -fabsf(number(b));
        memset(state[0], 0, STATES * 16 * sizeof(float));
        memset(state[1], 0, STATES * 16 * sizeof(float));
        for (int i = 0; i < 2; i++)
            kernels[i]->scan(&(cpu_scan){.rows = STEPS, .lanes = lanes, .states = STATES, .each = each, .x = x,
                                         .x_stride = 16, .step = step, .step_stride = 16, .decay = decay, .skip = skip,
                                         .b = bc, .c = bc + STATES, .bc_stride = 2 * STATES, .y = y[i], .y_stride = 16,
                                         .state = state[i], .scratch = scratch});
        same_floats(b, y[1], y[0], STEPS * 16, "rows");
        same_floats(b, state[1], state[0], STATES * 16, "states");
    }
}

/* ---- products ---- */

enum { MATRIX_ROWS = 33, COLUMNS = 17 };

/* Any bytes that mean numbers of moderate size: the format itself says whether they do. */
static void random_blocks(bed *b, const block_format *format, size_t count, uint8_t *out) {
    float values[BLOCK_LENGTH_MAX];
    for (size_t i = 0; i < count; i++, out += format->bytes) {
        bool fine = false;
        while (!fine) {
            for (uint32_t at = 0; at < format->bytes; at++) out[at] = (uint8_t)(draw(b) >> 32);
            format->decode(out, format->length, values);
            fine = true;
            for (uint32_t v = 0; v < format->length; v++) fine = fine && fabsf(values[v]) < 1000.0f;
        }
    }
}

/* What the product is in double, and how far from it a float's rounding may lead. */
static void test_in_double(bed *b, const cpu_product *p, const float *rows, const float *out) {
    const cpu_weight *w = p->weight;
    b->result->cases++;
    for (uint32_t c = 0; c < p->count; c++)
        for (uint32_t r = 0; r < w->rows; r++) {
            double sum = p->bias[r], size = fabs(sum);
            for (uint32_t i = 0; i < w->cols; i++) {
                double x = p->xf[c * p->xf_stride + i];
                if (w->type != BLOCK_F32 && w->type != BLOCK_F16 && w->type != BLOCK_BF16) {
                    columns_group at = columns_at(p->x, c, i / CPU_GROUP);
                    x = (double)at.q[i % CPU_GROUP] * *at.d;
                }
                sum += rows[(size_t)r * w->cols + i] * x;
                size += fabs(rows[(size_t)r * w->cols + i] * x);
            }
            double is = out[c * p->out_stride + r];
            if (fabs(is - sum) <= size * 1e-5) continue;
            differs(b, "%u columns: row %u of column %u is %a, not nearly %a", p->count, r, c, is, sum);
            return;
        }
}

static void test_product(bed *b, uint32_t type) {
    static const uint32_t counts[] = {1, 2, 5, COLUMNS};
    const block_format *format = block_find(type);
    uint32_t cols = 256, tiles = (MATRIX_ROWS + CPU_TILE - 1) / CPU_TILE, groups = cols / CPU_GROUP;
    size_t row_bytes = cols / format->length * format->bytes, tile_bytes = pack_tile_bytes(type, cols);
    uint8_t *file = take(b, row_bytes * MATRIX_ROWS), *packed = take(b, tile_bytes * tiles);
    float *rows = floats(b, (size_t)MATRIX_ROWS * cols), *row = floats(b, cols);
    float *x = floats(b, (size_t)COLUMNS * cols), *bias = floats(b, MATRIX_ROWS);
    uint8_t *quantized = take(b, (size_t)COLUMNS * groups * COLUMNS_GROUP_BYTES);
    float *out[2] = {floats(b, COLUMNS * MATRIX_ROWS), floats(b, COLUMNS * MATRIX_ROWS)};
    if (b->full) return;
    random_blocks(b, format, (size_t)MATRIX_ROWS * cols / format->length, file);
    for (uint32_t t = 0; t < tiles; t++) {
        uint32_t left = MATRIX_ROWS - t * CPU_TILE;
        pack_tile(type, file + t * CPU_TILE * row_bytes, row_bytes, left < CPU_TILE ? left : CPU_TILE, cols,
                  packed + t * tile_bytes);
    }
    cpu_weight weight = {type, MATRIX_ROWS, cols, tiles, tile_bytes, packed};
    for (uint32_t r = 0; r < MATRIX_ROWS; r++) {
        format->decode(file + r * row_bytes, cols, rows + (size_t)r * cols);
        b->tier->decode_row(&weight, r, row);
        b->result->cases++;
        if (memcmp(row, rows + (size_t)r * cols, cols * sizeof *row) != 0) differs(b, "row %u is decoded wrongly", r);
    }
    fill(b, bias, MATRIX_ROWS);
    for (uint32_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        fill(b, x, (size_t)COLUMNS * cols);
        cpu_columns columns = {quantized, cols, counts[i]};
        for (uint32_t c = 0; c < counts[i]; c++) columns_put(&columns, &ref_kernels, x + (size_t)c * cols, c);
        cpu_product p = {.weight = &weight, .x = &columns, .xf = x, .xf_stride = cols, .count = counts[i],
                         .out = out[0], .out_stride = MATRIX_ROWS, .bias = bias};
        ref_kernels.product(type)(&p, 0, tiles);
        if (b->tier == &ref_kernels) {
            test_in_double(b, &p, rows, out[0]);
            continue;
        }
        p.out = out[1];
        b->tier->product(type)(&p, 0, tiles);
        char what[32];
        snprintf(what, sizeof what, "%u columns", counts[i]);
        same_floats(b, out[1], out[0], COLUMNS * MATRIX_ROWS, what);
    }
}

/* ---- the list ---- */

typedef struct test {
    const char *name;
    void (*run)(bed *b, uint32_t what);
    uint32_t what;
} test;

static const test tests[] = {
    {"product_f32", test_product, BLOCK_F32},       {"product_f16", test_product, BLOCK_F16},
    {"product_bf16", test_product, BLOCK_BF16},     {"product_q4_0", test_product, BLOCK_Q4_0},
    {"product_q4_1", test_product, BLOCK_Q4_1},     {"product_q5_0", test_product, BLOCK_Q5_0},
    {"product_q5_1", test_product, BLOCK_Q5_1},     {"product_q8_0", test_product, BLOCK_Q8_0},
    {"product_q2_k", test_product, BLOCK_Q2_K},     {"product_q3_k", test_product, BLOCK_Q3_K},
    {"product_q4_k", test_product, BLOCK_Q4_K},     {"product_q5_k", test_product, BLOCK_Q5_K},
    {"product_q6_k", test_product, BLOCK_Q6_K},     {"product_iq4_nl", test_product, BLOCK_IQ4_NL},
    {"product_iq4_xs", test_product, BLOCK_IQ4_XS}, {"product_mxfp4", test_product, BLOCK_MXFP4},
    /* From here on ref has nothing to be compared with. */
    {"quantize", test_quantize, 0},
    {"rms_norm", test_row, RMS_NORM},
    {"silu_mul", test_row, SILU_MUL},
    {"gelu_mul", test_row, GELU_MUL},
    {"softcap", test_row, SOFTCAP},
    {"multiply", test_row, MULTIPLY},
    {"add", test_row, ADD},
    {"scale", test_row, SCALE},
    {"rope", test_rope, 0},
    {"cache_store_one_f32", test_cache_store, PUNA_CACHE_F32},
    {"cache_store_one_f16", test_cache_store, PUNA_CACHE_F16},
    {"cache_store_one_q8_0", test_cache_store, PUNA_CACHE_Q8_0},
    {"cache_store_rows_f32", test_cache_store_rows, PUNA_CACHE_F32},
    {"cache_store_rows_f16", test_cache_store_rows, PUNA_CACHE_F16},
    {"cache_store_rows_q8_0", test_cache_store_rows, PUNA_CACHE_Q8_0},
    {"attention_f32", test_attention, PUNA_CACHE_F32},
    {"attention_f16", test_attention, PUNA_CACHE_F16},
    {"attention_q8_0", test_attention, PUNA_CACHE_Q8_0},
    {"conv", test_conv, 0},
    {"scan_each", test_scan, 1},
    {"scan_shared", test_scan, 0},
};
enum { TESTS = sizeof tests / sizeof *tests, TESTS_OF_REF = 16 };

uint32_t selftest_count(const cpu_kernels *tier) { return tier == &ref_kernels ? TESTS_OF_REF : TESTS; }

const char *selftest_name(const cpu_kernels *tier, uint32_t kernel) {
    return kernel < selftest_count(tier) ? tests[kernel].name : "";
}

bool selftest_run(const cpu_kernels *tier, uint32_t kernel, memory_account *account, selftest_result *result) {
    bed b = {.tier = tier, .account = account, .result = result, .random = kernel};
    memset(result, 0, sizeof *result);
    if (kernel >= selftest_count(tier)) return true;
    math_environment environment = math_environment_enter();
    tests[kernel].run(&b, tests[kernel].what);
    math_environment_leave(environment);
    give_back(&b);
    return !b.full;
}
