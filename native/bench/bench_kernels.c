// SPDX-License-Identifier: Apache-2.0
/*
 * The tiers' kernels on one thread, in its processor time, beside the ceilings of the machine measured in the same run.
 *
 *     bench_kernels [--json] [--quick] [--best] [--shape ROWSxCOLSxCOUNT] [TIER [FORMAT ... | attention | rows]]
 *
 * All tiers and kernels, or what is named: formats as files name them. --quick: one short sample each of the small
 * shapes, to see that it runs. --shape: products of this shape alone. --best: the best sample instead of the median,
 * for machines with neighbours. "evex" is the avxvnni tier as tests run it on processors with AVX-512.
 */
#include <stdlib.h>
#include <string.h>

#include "device/cpu/cache_page.h"
#include "device/cpu/columns.h"
#include "device/cpu/kernels_peak.h"
#include "device/evex/evex.h"
#include "device/shapes.h"
#include "format/block.h"
#include "puna.h"
#include "testing.h"

static struct {
    bool json, quick, best;
    uint32_t rows, cols, count; /* the shape that was asked for, or 0 */
    int reported;
} settings;

/* One measurement; a rate or ceiling that is not known, or does not matter, is 0. */
typedef struct figure {
    const char *tier, *kernel;
    char shape[40];
    double products, products_peak; /* G multiply-adds/s */
    double reads, reads_peak;       /* GB/s of weights or cache */
    double numbers;                 /* a nanosecond */
} figure;

static void report(const figure *f) {
    if (settings.json) {
        printf("%s\n    {\"tier\": \"%s\", \"kernel\": \"%s\", \"shape\": \"%s\"", settings.reported ? "," : "",
               f->tier, f->kernel, f->shape);
        if (f->products > 0) printf(", \"gmacs\": %.2f, \"gmacs_peak\": %.2f", f->products, f->products_peak);
        if (f->reads > 0) printf(", \"gbytes\": %.2f, \"gbytes_peak\": %.2f", f->reads, f->reads_peak);
        if (f->numbers > 0) printf(", \"numbers_ns\": %.2f", f->numbers);
        printf("}");
    } else {
        printf("%-8s %-12s %-24s", f->tier, f->kernel, f->shape);
        if (f->products > 0) printf(" %8.1f G multiply-adds/s", f->products);
        if (f->products_peak > 0) printf(" (%2.0f%% of %.0f)", 100 * f->products / f->products_peak, f->products_peak);
        if (f->reads > 0) printf(" %7.1f GB/s", f->reads);
        if (f->reads_peak > 0) printf(" (%.0f%% of %.1f)", 100 * f->reads / f->reads_peak, f->reads_peak);
        if (f->numbers > 0) printf(" %8.2f numbers/ns", f->numbers);
        printf("\n");
    }
    settings.reported++;
    fflush(stdout);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The seconds of one call, the median or the best of seven samples of at least 20 ms. */
static double seconds_of(void (*work)(void *), void *context) {
    double samples[7];
    const int count = settings.quick ? 1 : 7;
    work(context);
    for (int i = 0; i < count; i++) {
        double begin = kernels_peak_seconds(), now = begin;
        int calls = 0;
        for (; now - begin < (settings.quick ? 0.0005 : 0.02); calls++, now = kernels_peak_seconds()) work(context);
        samples[i] = (now - begin) / calls;
    }
    qsort(samples, (size_t)count, sizeof *samples, by_size);
    return samples[settings.best ? 0 : count / 2];
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
    j->k->product(j->p.weight->type)(&j->p, 0, j->p.weight->tiles);
}

static void bench_product(const cpu_kernels *k, uint32_t type, uint32_t rows, uint32_t cols, uint32_t count) {
    cols = shapes_whole(type, cols);
    shapes_matrix m = shapes_matrix_new(type, rows, cols, false);
    shapes_columns c = shapes_columns_new(cols, count, false);
    job j = {.k = k};
    float *out = shapes_new((size_t)rows * count * sizeof(float));
    j.p = (cpu_product){.weight = &m.weight, .x = &c.x, .xf = c.floats, .xf_stride = cols, .count = count, .out = out,
                        .out_stride = rows};
    const size_t bytes = m.weight.tile_bytes * m.weight.tiles;
    const bool floats = type == BLOCK_F32 || type == BLOCK_F16 || type == BLOCK_BF16;
    const double s = seconds_of(run_product, &j);
    figure f = {.tier = k->tier, .kernel = block_type_name(type), .products = (double)rows * cols * count / s * 1e-9,
                .products_peak = floats ? kernels_peak_floats(k->tier) : kernels_peak_products(k->tier)};
    if (count <= 8) {
        f.reads = (double)bytes / s * 1e-9;
        f.reads_peak = kernels_peak_reads(m.tiles, bytes);
    }
    snprintf(f.shape, sizeof f.shape, "%u x %u by %u", rows, cols, count);
    report(&f);
    shapes_free(out);
    shapes_columns_free(&c);
    shapes_matrix_free(&m);
}

static void run_attention(void *context) {
    job *j = context;
    j->k->attention(j->a, &j->queries, 0, j->a->heads_kv, j->scratch);
}

/* `rows` queries at the end of `positions` keys: multiply-adds of the keys that they see, and bytes of all pages. */
static void bench_attention(const cpu_kernels *k, uint32_t type, uint32_t heads, uint32_t group, uint32_t dim,
                            uint32_t positions, uint32_t rows) {
    static const char *const names[] = {"attend F16", "attend F32", "attend Q8_0"};
    const uint32_t width = heads * group * dim;
    cpu_attention a = {.type = type, .heads_kv = heads, .group = group, .dim_k = dim, .dim_v = dim, .scale = 0.125f,
                       .causal = 1};
    shapes_cache c = shapes_cache_new(a, positions);
    float *q = shapes_new((size_t)width * rows * 4), *out = shapes_new((size_t)width * rows * 4);
    for (size_t i = 0; i < (size_t)width * rows; i++) q[i] = testing_normal();
    job j = {.k = k, .a = &c.a, .scratch = shapes_new(k->attention_scratch(&c.a)),
             .queries = {q, width, out, width, rows, positions - rows, positions}};
    const double s = seconds_of(run_attention, &j), keys = (double)positions - (rows - 1) / 2.0;
    figure f = {.tier = k->tier, .kernel = names[type == PUNA_CACHE_F16 ? 0 : type == PUNA_CACHE_F32 ? 1 : 2],
                .products = keys * rows * 2 * width / s * 1e-9, .products_peak = kernels_peak_floats(k->tier)};
    if (rows == 1) {
        const size_t page = heads * (cache_page_keys(type, dim) + cache_page_values(type, dim));
        const size_t bytes = page * (positions / CPU_PAGE);
        f.reads = (double)bytes / s * 1e-9;
        f.reads_peak = kernels_peak_reads(c.bytes, bytes);
    }
    snprintf(f.shape, sizeof f.shape, "%u x %u x %u, %u by %u", heads, group, dim, positions, rows);
    report(&f);
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
    const struct {
        const char *name;
        void (*run)(void *);
    } kernels[] = {{"quantize", run_quantize}, {"rms_norm", run_norm}, {"silu_mul", run_silu}};
    for (int i = 0; i < 3; i++) {
        figure f = {.tier = k->tier, .kernel = kernels[i].name, .numbers = ROW * 1e-9 / seconds_of(kernels[i].run, &j)};
        snprintf(f.shape, sizeof f.shape, "%d", ROW);
        report(&f);
    }
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
    if (settings.rows > 0) {
        bench_product(k, type, settings.rows, settings.cols, settings.count);
        return;
    }
    bench_product(k, type, 576, 576, 1);
    bench_product(k, type, 576, 576, slow || settings.quick ? 8 : 512);
    if (slow || settings.quick) return;
    bench_product(k, type, 65536, 2048, 1); /* more than the last cache holds */
    bench_product(k, type, 65536, 2048, 4);
    for (uint32_t count = 1; count <= 8; count *= 2) bench_product(k, type, 1024, 2048, count);
    bench_product(k, type, 576, 1536, 512);
    bench_product(k, type, 2048, 2048, 512);
}

/* SmolLM2's heads, then those of a llama of 1.1 G weights: generation, then a piece of a prompt. */
static void bench_attentions(const cpu_kernels *k, uint32_t type, bool slow) {
    bench_attention(k, type, 3, 3, 64, slow || settings.quick ? 128 : 4096, 1);
    if (slow || settings.quick) return;
    bench_attention(k, type, 3, 3, 64, 512, 16);
    bench_attention(k, type, 3, 3, 64, 4096, 16);
    bench_attention(k, type, 4, 8, 64, 4096, 1);
    bench_attention(k, type, 4, 8, 64, 4096, 16);
    bench_attention(k, type, 1, 4, 256, 4096, 16); /* Gemma's */
}

static int usage(void) {
    fprintf(stderr, "usage: bench_kernels [--json] [--quick] [--best] [--shape ROWSxCOLSxCOUNT] "
                    "[TIER [FORMAT ... | attention | rows]]\n");
    return 2;
}

/* "ROWSxCOLSxCOUNT": each at least 1; matrix, columns and result of at most 2^28 numbers each. */
static bool shape_read(const char *text) {
    unsigned rows, cols, count;
    char more;
    if (sscanf(text, "%7ux%6ux%5u%c", &rows, &cols, &count, &more) != 3 || !rows || !cols || !count) return false;
    settings.rows = rows;
    settings.cols = cols;
    settings.count = count;
    const uint64_t most = 1u << 28;
    return (uint64_t)rows * cols <= most && (uint64_t)cols * count <= most && (uint64_t)rows * count <= most;
}

int main(int argc, char **argv) {
    int skip = 1;
    for (; skip < argc && argv[skip][0] == '-'; skip++) {
        if (strcmp(argv[skip], "--json") == 0) settings.json = true;
        else if (strcmp(argv[skip], "--quick") == 0) settings.quick = true;
        else if (strcmp(argv[skip], "--best") == 0) settings.best = true;
        else if (strcmp(argv[skip], "--shape") == 0 && skip + 1 < argc && shape_read(argv[skip + 1])) skip++;
        else return usage();
    }
    const int count = argc - skip, kernels = count > 0 ? count - 1 : 0;
    char **names = argv + skip;
    const char *tiers[] = {"ref", "avx2", "avxvnni", "evex", "avx512"};
    if (settings.json) printf("{\"runs\": [");
    for (int i = 0; i < 5; i++) {
        if (!wanted(tiers[i], count > 0, names)) continue;
        const cpu_kernels *k = evex_find(tiers[i]);
        if (!k) fprintf(stderr, "%s: not on this CPU\n", tiers[i]);
        if (!k) continue;
        const bool slow = i == 0;
        for (int t = 0; t < SHAPES_TYPES; t++)
            if (wanted(block_type_name(shapes_types[t]), kernels, names + 1)) bench_type(k, shapes_types[t], slow);
        if (wanted("rows", kernels, names + 1)) bench_rows(k);
        for (uint32_t type = 0; type < 3 && wanted("attention", kernels, names + 1); type++)
            bench_attentions(k, type, slow);
    }
    if (settings.json) printf("\n]}\n");
    if (settings.reported == 0) fprintf(stderr, "bench_kernels: nothing here has such a name\n");
    return settings.reported == 0;
}
