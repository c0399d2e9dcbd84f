// SPDX-License-Identifier: Apache-2.0
#include "kernels_bench.h"

#include <stdlib.h>
#include <string.h>

#include "device/cpu/cache_page.h"
#include "device/cpu/columns.h"
#include "format/block.h"
#include "kernels_peak.h"
#include "puna.h"
#include "shapes.h"
#include "testing.h"

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median seconds of one call: seven samples of at least 20 ms. */
static double median(void (*work)(void *), void *context) {
    double samples[7];
    work(context);
    for (int i = 0; i < 7; i++) {
        double begin = kernels_peak_seconds(), now = begin;
        int calls = 0;
        for (; now - begin < 0.02; calls++, now = kernels_peak_seconds()) work(context);
        samples[i] = (now - begin) / calls;
    }
    qsort(samples, 7, sizeof *samples, by_size);
    return samples[3];
}

typedef struct job {
    const cpu_kernels *k;
    cpu_product p;
    const cpu_attention *a;
    cpu_queries queries;
    void *scratch;
    float *x, *y, *z;
    shapes_columns *c;
} job;

static void run_product(void *context) {
    job *j = context;
    j->k->product(j->p.weight->type)(&j->p, 0, j->p.weight->tiles, j->scratch);
}

static void bench_product(const cpu_kernels *k, uint32_t type, uint32_t rows, uint32_t cols, uint32_t count) {
    cols = shapes_whole(type, cols);
    shapes_matrix m = shapes_matrix_new(type, rows, cols, false);
    shapes_columns c = shapes_columns_new(cols, count, false);
    job j = {.k = k, .scratch = shapes_new(k->scratch_bytes(type, cols))};
    float *out = shapes_new((size_t)rows * count * sizeof(float));
    j.p = (cpu_product){.weight = &m.weight, .x = &c.x, .xf = c.floats, .xf_stride = cols, .count = count, .out = out,
                        .out_stride = rows};
    size_t bytes = m.weight.tile_bytes * m.weight.tiles;
    double s = median(run_product, &j), peak = kernels_peak_products(k->tier);
    double reads = kernels_peak_reads(m.tiles, bytes);
    double rate = (double)rows * cols * count / s * 1e-9, read = (double)bytes / s * 1e-9;
    printf("  %-14s %5u x %-5u by %-3u %8.1f G multiply-adds/s", cpu_kernels_product_name(k, type), rows, cols,
           count, rate);
    if (peak > 0 && type != BLOCK_F32 && type != BLOCK_F16 && type != BLOCK_BF16)
        printf(" (%2.0f%% of %.0f)", 100 * rate / peak, peak);
    if (count <= 8) printf(" %7.1f GB/s of weights (%.0f%% of %.1f)", read, 100 * read / reads, reads);
    printf("\n");
    fflush(stdout);
    shapes_free(out);
    shapes_free(j.scratch);
    shapes_columns_free(&c);
    shapes_matrix_free(&m);
}

static void run_attention(void *context) {
    job *j = context;
    j->k->attention(j->a, &j->queries, 0, j->a->heads_kv, j->scratch);
}

static void bench_attention(const cpu_kernels *k, uint32_t type, uint32_t positions, uint32_t rows) {
    cpu_attention a = {.type = type, .heads_kv = 3, .group = 3, .dim_k = 64, .dim_v = 64, .scale = 0.125f, .causal = 1};
    shapes_cache c = shapes_cache_new(a, positions);
    float *q = shapes_new((size_t)576 * rows * 4), *out = shapes_new((size_t)576 * rows * 4);
    for (uint32_t i = 0; i < 576 * rows; i++) q[i] = testing_normal();
    job j = {.k = k, .a = &c.a, .scratch = shapes_new(k->attention_scratch(&c.a)),
             .queries = {q, 576, out, 576, rows, positions - rows, positions}};
    double s = median(run_attention, &j), keys = (double)positions - (rows - 1) / 2.0;
    printf("  attention %-4s   %5u keys  by %-3u %8.1f G multiply-adds/s %7.1f GB/s of cache\n",
           type == PUNA_CACHE_F16 ? "f16" : type == PUNA_CACHE_F32 ? "f32" : "q8_0", positions, rows,
           keys * rows * 9 * 128 / s * 1e-9,
           (double)positions * 3 * 2 / CPU_PAGE * (double)cache_page_keys(type, 64) / s * 1e-9);
    fflush(stdout);
    shapes_free(j.scratch);
    shapes_free(q);
    shapes_free(out);
    shapes_cache_free(&c);
}

enum { ROW = 1536 };

static void run_quantize(void *context) {
    job *j = context;
    columns_put(&j->c->x, j->k, j->x, 0);
}

static void run_norm(void *context) {
    job *j = context;
    j->k->rms_norm(j->x, j->y, ROW, 1e-5f, j->z);
}

static void run_silu(void *context) {
    job *j = context;
    j->k->silu_mul(j->x, j->y, ROW, j->z);
}

static void bench_rows(const cpu_kernels *k) {
    shapes_columns c = shapes_columns_new(ROW, 1, false);
    float *y = shapes_new(ROW * 4), *z = shapes_new(ROW * 4);
    job j = {.k = k, .c = &c, .x = c.floats, .y = y, .z = z};
    for (int i = 0; i < ROW; i++) y[i] = testing_normal();
    printf("  quantize %.2f, rms_norm %.2f, silu_mul %.2f numbers/ns\n", ROW * 1e-9 / median(run_quantize, &j),
           ROW * 1e-9 / median(run_norm, &j), ROW * 1e-9 / median(run_silu, &j));
    shapes_free(y);
    shapes_free(z);
    shapes_columns_free(&c);
}

static bool wanted(const char *name, int count, char **names) {
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0) return true;
    return count == 0;
}

static void bench_type(const cpu_kernels *k, uint32_t type, bool slow) {
    bench_product(k, type, 576, 576, 1);
    bench_product(k, type, 576, 576, slow ? 8 : 512);
    if (slow) return;
    bench_product(k, type, 65536, 2048, 1); /* more than the last cache holds */
    bench_product(k, type, 65536, 2048, 4);
    bench_product(k, type, 1024, 2048, 4);
    bench_product(k, type, 1024, 2048, 8);
    bench_product(k, type, 576, 1536, 512);
    bench_product(k, type, 2048, 2048, 512);
}

int kernels_bench(int count, char **names) {
    const char *tiers[] = {"ref", "avx2", "avx512"};
    for (int i = 0; i < 3; i++) {
        const cpu_kernels *k = cpu_kernels_find(tiers[i]);
        if (!wanted(tiers[i], count > 0, names)) continue;
        printf("%s%s\n", tiers[i], k ? "" : ": not on this CPU");
        if (!k) continue;
        bool slow = i == 0, all = count < 2;
        for (int t = 0; t < SHAPES_TYPES; t++)
            if (all || wanted(block_type_name(shapes_types[t]), count - 1, names + 1))
                bench_type(k, shapes_types[t], slow);
        if (!all) continue;
        bench_rows(k);
        for (uint32_t type = 0; type < 3; type++) {
            bench_attention(k, type, slow ? 128 : 4096, 1);
            if (!slow) bench_attention(k, type, 512, 16);
            if (!slow) bench_attention(k, type, 4096, 16);
        }
    }
    return 0;
}
