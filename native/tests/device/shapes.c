// SPDX-License-Identifier: Apache-2.0
#include "shapes.h"

#include <math.h>

#include "base/math.h"
#include "device/cpu/cache_page.h"
#include "device/cpu/columns.h"
#include "device/cpu/pack.h"
#include "device/cpu/ref/ref.h"
#include "format/block.h"
#include "format/bytes.h"
#include "guarded.h"
#include "puna.h"
#include "testing.h"

const uint32_t shapes_types[SHAPES_TYPES] = {BLOCK_F32,    BLOCK_F16,    BLOCK_BF16, BLOCK_Q4_0, BLOCK_Q4_1, BLOCK_Q8_0,
                                            BLOCK_Q5_0,   BLOCK_Q5_1,   BLOCK_Q2_K, BLOCK_Q3_K, BLOCK_Q4_K, BLOCK_Q5_K,
                                            BLOCK_Q6_K,   BLOCK_IQ4_NL, BLOCK_IQ4_XS, BLOCK_MXFP4};

uint32_t shapes_whole(uint32_t type, uint32_t cols) {
    uint32_t length = block_find(type)->length;
    return (cols + length - 1) / length * length;
}

void *shapes_new(size_t bytes) { return guarded_new(bytes, 64); }

float *shapes_floats(size_t n) { return guarded_new(n * sizeof(float), sizeof(float)); }

void shapes_free(void *block) { guarded_free(block); }

static float number(bool wild) {
    float x = testing_normal() * 0.05f;
    if (!wild) return x;
    switch (testing_below(12)) {
    case 0: return 0.0f;
    case 1: return -0.0f;
    case 2: return x * 1e-38f;
    case 3: return x * 1e5f;
    default: return x;
    }
}

static void random_block(const block_format *format, bool wild, uint8_t *out) {
    if (format->length == 1) {
        float x = number(wild);
        format->encode(&x, 1, out);
        return;
    }
    for (uint32_t i = 0; i < format->bytes; i++) out[i] = (uint8_t)testing_random();
    static const uint8_t second[] = {BLOCK_Q4_1, BLOCK_Q5_1, BLOCK_Q4_K, BLOCK_Q5_K, BLOCK_Q2_K};
    uint32_t type = format->type;
    uint8_t *d = out + (type == BLOCK_Q6_K ? 208 : type == BLOCK_Q3_K ? 108 : type == BLOCK_Q2_K ? 80 : 0);
    if (type == BLOCK_MXFP4) {
        if (!wild || testing_below(2)) out[0] = (uint8_t)(110 + testing_below(16));
        else if (out[0] > 230) out[0] = 0;
        return;
    }
    bytes_put_u16(d, math_to_half(number(wild)));
    if (memchr(second, (int)type, sizeof second)) bytes_put_u16(d + 2, math_to_half(number(wild)));
}

shapes_matrix shapes_matrix_new(uint32_t type, uint32_t rows, uint32_t cols, bool wild) {
    const block_format *format = block_find(type);
    shapes_matrix m = {.row_bytes = (size_t)(cols / format->length) * format->bytes};
    m.file = shapes_new(m.row_bytes * rows);
    for (size_t i = 0; i < m.row_bytes * rows; i += format->bytes) random_block(format, wild, m.file + i);
    uint32_t tiles = (rows + CPU_TILE - 1) / CPU_TILE;
    m.weight = (cpu_weight){type, rows, cols, tiles, pack_tile_bytes(type, cols), NULL};
    m.tiles = shapes_new(m.weight.tile_bytes * tiles);
    m.weight.data = m.tiles;
    for (uint32_t t = 0; t < tiles; t++) {
        uint32_t left = rows - t * CPU_TILE;
        pack_tile(type, m.file + (size_t)t * CPU_TILE * m.row_bytes, m.row_bytes, left < CPU_TILE ? left : CPU_TILE,
                  cols, m.tiles + t * m.weight.tile_bytes);
    }
    return m;
}

void shapes_matrix_free(shapes_matrix *m) {
    shapes_free(m->file);
    shapes_free(m->tiles);
}

shapes_columns shapes_columns_new(uint32_t cols, uint32_t count, bool wild) {
    shapes_columns c = {.x = {shapes_new((size_t)count * (cols / CPU_GROUP) * COLUMNS_GROUP_BYTES), cols, count}};
    c.floats = shapes_floats((size_t)cols * count);
    for (size_t i = 0; i < (size_t)cols * count; i++) c.floats[i] = 20.0f * number(wild);
    for (uint32_t i = 0; i < count; i++) columns_put(&c.x, &ref_kernels, c.floats + (size_t)i * cols, i);
    return c;
}

void shapes_columns_free(shapes_columns *c) {
    shapes_free(c->floats);
    shapes_free(c->x.groups);
}

shapes_cache shapes_cache_new(cpu_attention a, uint32_t positions) {
    shapes_cache c = {.a = a, .positions = positions};
    uint32_t pages = (positions + CPU_PAGE - 1) / CPU_PAGE;
    /* Another layer's 128 bytes in front, so that offsets count. */
    c.a.k_offset = 128;
    c.a.v_offset = 128 + a.heads_kv * cache_page_keys(a.type, a.dim_k);
    size_t page_bytes = c.a.v_offset + a.heads_kv * cache_page_values(a.type, a.dim_v);
    page_bytes = (page_bytes + 63) & ~(size_t)63;
    c.bytes = shapes_new(page_bytes * pages);
    memset(c.bytes, 0xff, page_bytes * pages);
    c.pages = shapes_new(pages * sizeof *c.pages);
    for (uint32_t p = 0; p < pages; p++) c.pages[p] = c.bytes + p * page_bytes;
    c.a.pages = c.pages;
    float *k = shapes_floats((size_t)a.heads_kv * a.dim_k), *v = shapes_floats((size_t)a.heads_kv * a.dim_v);
    for (uint32_t p = 0; p < positions; p++) {
        for (uint32_t i = 0; i < a.heads_kv * a.dim_k; i++) k[i] = testing_normal();
        for (uint32_t i = 0; i < a.heads_kv * a.dim_v; i++) v[i] = testing_normal();
        ref_cache_store(&c.a, c.bytes + (p / CPU_PAGE) * page_bytes, p % CPU_PAGE, k, v);
    }
    shapes_free(k);
    shapes_free(v);
    return c;
}

void shapes_cache_free(shapes_cache *c) {
    shapes_free(c->pages);
    shapes_free(c->bytes);
}

bool shapes_same(const float *a, const float *b, size_t n, size_t *at) {
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&a[i], &b[i], sizeof(float)) == 0 || (isnan(a[i]) && isnan(b[i]))) continue;
        *at = i;
        return false;
    }
    return true;
}
