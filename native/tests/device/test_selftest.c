// SPDX-License-Identifier: Apache-2.0
/* The self-test finds nothing where all is well, and each kernel that was made wrong, by its name. */
#include "device/cpu/selftest.h"

#include "device/cpu/cache_page.h"
#include "device/cpu/ref/ref.h"
#include "testing.h"

static memory_account account;
static cpu_kernels broken; /* a copy of ref, with one function that errs */

static void finds_nothing_wrong(void) {
    const char *tiers[] = {"ref", "avx2", "avxvnni", "avx512"};
    for (int t = 0; t < 4; t++) {
        const cpu_kernels *tier = cpu_kernels_find(tiers[t]);
        for (uint32_t k = 0; tier && k < selftest_count(tier); k++) {
            selftest_result result;
            CHECK(selftest_run(tier, k, &account, &result));
            CHECK(result.cases >= 3);
            if (result.different > 0)
                testing_fail(__FILE__, __LINE__, "%s %s: %s", tiers[t], selftest_name(tier, k), result.detail);
            CHECK_TEXT(result.detail, "");
        }
    }
    CHECK_EQUAL(memory_used(&account), 0);
}

/* Each of these does what ref does and then changes one bit of one number. */
static void flip(void *number) { *(uint8_t *)number ^= 1; }

static void wrong_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s) {
    ref_quantize(x, cols, q, d, ds, s);
    flip(q + cols - 1);
}

static void wrong_rms_norm(const float *x, const float *weight, uint32_t n, float epsilon, float *y) {
    ref_rms_norm(x, weight, n, epsilon, y);
    flip(y + n - 1);
}

#define WRONG_GATE(name) \
    static void wrong_##name(const float *a, const float *b, size_t n, float *y) { \
        ref_##name(a, b, n, y); \
        flip(y + n - 1); \
    }
#define WRONG_FACTOR(name) \
    static void wrong_##name(const float *a, float factor, size_t n, float *y) { \
        ref_##name(a, factor, n, y); \
        flip(y + n - 1); \
    }
WRONG_GATE(silu_mul)
WRONG_GATE(gelu_mul)
WRONG_GATE(multiply)
WRONG_GATE(add)
WRONG_FACTOR(softcap)
WRONG_FACTOR(scale)

static void wrong_rope(float *x, uint32_t heads, uint32_t dim, uint32_t rotated, bool interleaved,
                       const float *cosines, const float *sines) {
    ref_rope(x, heads, dim, rotated, interleaved, cosines, sines);
    flip(x + heads * dim - 1);
}

static void wrong_cache_store(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v) {
    ref_cache_store(a, page, slot, k, v);
    flip(page + a->v_offset + slot);
}

static void wrong_cache_store_rows(const cpu_attention *a, uint8_t *page, uint32_t slot, uint32_t rows, const float *k,
                                   size_t k_stride, const float *v, size_t v_stride) {
    ref_cache_store_rows(a, page, slot, rows, k, k_stride, v, v_stride);
    flip(page + a->v_offset + slot + rows - 1);
}

static void wrong_attention(const cpu_attention *a, const cpu_queries *queries, uint32_t head_begin, uint32_t head_end,
                            void *scratch) {
    ref_attention(a, queries, head_begin, head_end, scratch);
    flip(queries->out + queries->out_stride * (queries->rows - 1));
}

static void wrong_conv(const cpu_conv *c) {
    ref_conv(c);
    flip(c->y + (c->rows - 1) * c->y_stride);
}

static void wrong_scan(const cpu_scan *s) {
    ref_scan(s);
    flip(s->state);
}

static void wrong_join(const cpu_attention *a, const cpu_queries *queries, uint32_t head, const cpu_parts *parts,
                       void *scratch) {
    ref_attention_join(a, queries, head, parts, scratch);
    if (head) flip(queries->out + queries->out_stride * queries->rows - 1);
}

static uint32_t asked; /* the type of the last product */

static void wrong_run(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    ref_kernels.product(asked)(p, tile_begin, tile_end);
    flip(p->out + (p->count - 1) * p->out_stride + p->weight->rows - 1);
}

static void (*wrong_product(uint32_t type))(const cpu_product *, uint32_t, uint32_t) {
    asked = type;
    return wrong_run;
}

/* A row beyond the last: what a tile written whole would be. */
static void long_run(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end) {
    ref_kernels.product(asked)(p, tile_begin, tile_end);
    if (p->count == 17) p->out[p->count * p->out_stride] = 1.0f;
}

static void (*long_product(uint32_t type))(const cpu_product *, uint32_t, uint32_t) {
    asked = type;
    return long_run;
}

/* The names that begin with `prefix` are found wrong, all others are not. */
static void only_these_are_wrong(const char *prefix) {
    uint32_t found = 0;
    for (uint32_t k = 0; k < selftest_count(&broken); k++) {
        const char *name = selftest_name(&broken, k);
        bool expected = strncmp(name, prefix, strlen(prefix)) == 0;
        if (TESTING_THIN(false, true, true) && !expected) continue; /* `ref` was found right above */
        selftest_result result;
        CHECK(selftest_run(&broken, k, &account, &result));
        if ((result.different > 0) != expected || (result.detail[0] != 0) != expected)
            testing_fail(__FILE__, __LINE__, "%s broken, and %s: %u of %u: %s", prefix, name, result.different,
                         result.cases, result.detail);
        found += expected;
    }
    CHECK(found > 0);
    broken = ref_kernels;
}

static void finds_each_kernel_that_errs(void) {
    broken = ref_kernels;
    broken.quantize = wrong_quantize, only_these_are_wrong("quantize");
    broken.rms_norm = wrong_rms_norm, only_these_are_wrong("rms_norm");
    broken.silu_mul = wrong_silu_mul, only_these_are_wrong("silu_mul");
    broken.gelu_mul = wrong_gelu_mul, only_these_are_wrong("gelu_mul");
    broken.softcap = wrong_softcap, only_these_are_wrong("softcap");
    broken.multiply = wrong_multiply, only_these_are_wrong("multiply");
    broken.add = wrong_add, only_these_are_wrong("add");
    broken.scale = wrong_scale, only_these_are_wrong("scale");
    broken.rope = wrong_rope, only_these_are_wrong("rope");
    broken.cache_store = wrong_cache_store, only_these_are_wrong("cache_store_one");
    broken.cache_store_rows = wrong_cache_store_rows, only_these_are_wrong("cache_store_rows");
    broken.attention = wrong_attention, only_these_are_wrong("attention");
    broken.conv = wrong_conv, only_these_are_wrong("conv");
    broken.scan = wrong_scan, only_these_are_wrong("scan");
    broken.attention_join = wrong_join, only_these_are_wrong("attention");
    broken.product = wrong_product, only_these_are_wrong("product");
    broken.product = long_product, only_these_are_wrong("product");
}

static uint32_t left; /* allocations that still succeed */

static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return left > 0 && left--;
}

static void says_when_memory_ran_out(void) {
    const cpu_kernels *tier = &broken;
    broken = ref_kernels;
    for (uint32_t k = 0; k < selftest_count(tier); k++) {
        selftest_result result;
        bool done = false;
        for (uint32_t allowed = 0; !done; allowed++) {
            left = allowed;
            memory_set_gate(gate, NULL);
            done = selftest_run(tier, k, &account, &result);
            memory_set_gate(NULL, NULL);
            CHECK(done || result.different == 0);
            CHECK_EQUAL(memory_used(&account), 0);
            NEED(allowed < 100);
        }
    }
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(finds_nothing_wrong);
    TEST(finds_each_kernel_that_errs);
    TEST(says_when_memory_ran_out);
    return testing_end();
}
