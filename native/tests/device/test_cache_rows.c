// SPDX-License-Identifier: Apache-2.0
/* A page's rows in plain order: what was stored comes out, whatever the tier and the type, and goes back to the same
   page. */
#include <stdlib.h>

#include "base/math.h"
#include "device/cpu/cache_page.h"
#include "device/cpu/cpu.h"
#include "device/cpu/ref/ref.h"
#include "device/shapes.h"
#include "testing.h"

enum { HEADS = 3, LAYERS = 3, MOST = HEADS * 96 };

static const uint32_t types[] = {PUNA_CACHE_F32, PUNA_CACHE_F16, PUNA_CACHE_Q8_0};
static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};

/* A runner as far as rows need one: layers 0 and 2 are a group, layer 1 is another. */
typedef struct rows_bed {
    memory_account account;
    graph g;
    device_runner runner;
    size_t offsets[LAYERS];
    size_t bytes; /* of the larger page */
} rows_bed;

static void open_bed(rows_bed *b, uint32_t type, uint32_t dim_k, uint32_t dim_v) {
    memset(b, 0, sizeof *b);
    memory_account_init(&b->account);
    graph_init(&b->g, &b->account);
    graph_add_cache_layer(&b->g, HEADS, dim_k, dim_v, 0);
    graph_add_cache_layer(&b->g, HEADS, dim_k, dim_v, 100);
    graph_add_cache_layer(&b->g, HEADS, dim_k, dim_v, 0);
    for (uint32_t l = 0; l < LAYERS; l++) {
        const graph_cache_group *c = &b->g.groups[b->g.cache_layers[l].group];
        b->offsets[l] = b->g.cache_layers[l].slot * (cpu_cache_keys(c, type) + cpu_cache_values(c, type));
    }
    b->runner = (device_runner){.g = &b->g, .options = {.cache_type = type}, .layer_offset = b->offsets};
    b->bytes = cpu_device.page_bytes(&b->g, 0, type);
}

/* What a head's row is in plain order, by its definition. */
static size_t plain(uint32_t type, const float *x, uint32_t dim, uint8_t *out) {
    for (uint32_t i = 0; i < dim && type != PUNA_CACHE_Q8_0; i++) {
        uint16_t half = math_to_half(x[i]);
        if (type == PUNA_CACHE_F16) memcpy(out + 2 * i, &half, 2);
        else memcpy(out + 4 * i, &x[i], 4);
    }
    if (type != PUNA_CACHE_Q8_0) return dim * (type == PUNA_CACHE_F16 ? 2u : 4u);
    uint32_t groups = (dim + 31) / 32;
    for (uint32_t g = 0; g < groups; g++) {
        float part[32] = {0}, d, ds;
        int8_t q[32];
        int32_t s;
        uint32_t length = dim - 32 * g < 32 ? dim - 32 * g : 32;
        memcpy(part, x + 32 * g, length * sizeof *part);
        ref_quantize(part, 32, q, &d, &ds, &s);
        memcpy(out + 32 * g, q, length);
        memcpy(out + dim + 4 * g, &d, 4);
    }
    return dim + 4 * groups;
}

static void check_layer(rows_bed *b, const cpu_kernels *kernels, uint32_t layer, uint32_t dim_k, uint32_t dim_v) {
    const graph_cache_group *c = &b->g.groups[b->g.cache_layers[layer].group];
    uint32_t type = b->runner.options.cache_type;
    cpu_attention a = {.type = type, .heads_kv = HEADS, .group = 1, .dim_k = dim_k, .dim_v = dim_v,
                       .k_offset = b->offsets[layer], .v_offset = b->offsets[layer] + cpu_cache_keys(c, type)};
    size_t row[2] = {cpu_device.row_bytes(&b->runner, layer, false), cpu_device.row_bytes(&b->runner, layer, true)};
    uint8_t *page = shapes_new(b->bytes), *copy = shapes_new(b->bytes), *rows = shapes_new(64 * (row[0] + row[1]));
    uint8_t *expected = shapes_new(64 * (row[0] + row[1])), *at[2] = {expected, expected + 64 * row[0]};
    for (uint32_t slot = 0; slot < 64; slot++) {
        float k[MOST], v[MOST];
        for (uint32_t i = 0; i < MOST; i++) k[i] = testing_normal(), v[i] = testing_normal();
        kernels->cache_store(&a, page, slot, k, v);
        for (uint32_t h = 0; h < HEADS; h++) {
            at[0] += plain(type, k + h * dim_k, dim_k, at[0]);
            at[1] += plain(type, v + h * dim_v, dim_v, at[1]);
        }
    }
    CHECK_EQUAL(at[0] - expected, 64 * row[0]);
    CHECK_EQUAL(at[1] - (expected + 64 * row[0]), 64 * row[1]);
    for (int values = 0; values < 2; values++) {
        uint8_t *mine = rows + (values ? 64 * row[0] : 0);
        uint32_t cut = testing_below(65); /* in two parts */
        cpu_device.rows_read(&b->runner, layer, values, page, 0, cut, mine);
        cpu_device.rows_read(&b->runner, layer, values, page, cut, 64 - cut, mine + cut * row[values]);
        cpu_device.rows_write(&b->runner, layer, values, copy, cut, 64 - cut, mine + cut * row[values]);
        cpu_device.rows_write(&b->runner, layer, values, copy, 0, cut, mine);
    }
    CHECK(memcmp(rows, expected, 64 * (row[0] + row[1])) == 0);
    CHECK(memcmp(page, copy, b->bytes) == 0);
    shapes_free(page);
    shapes_free(copy);
    shapes_free(rows);
    shapes_free(expected);
}

static void rows_come_out_and_go_back(void) {
    static const uint32_t dims[][2] = {{64, 64}, {16, 32}, {96, 80}, {40, 24}, {8, 8}, {33, 7}};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
            rows_bed b;
            open_bed(&b, types[t], dims[d][0], dims[d][1]);
            for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++) {
                const cpu_kernels *kernels = cpu_kernels_find(tiers[i]);
                if (!kernels && i == 0) testing_fail(__FILE__, __LINE__, "ref is missing");
                for (uint32_t l = 0; kernels && l < LAYERS; l++) check_layer(&b, kernels, l, dims[d][0], dims[d][1]);
            }
            graph_free(&b.g);
        }
    }
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(rows_come_out_and_go_back);
    return testing_end();
}
