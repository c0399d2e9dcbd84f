// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/kernels_peak.h"

#include <string.h>
#include <time.h>

#include "base/os.h"

double kernels_peak_seconds(void) {
#if defined(CLOCK_THREAD_CPUTIME_ID) && !defined(_WIN32)
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
#else
    return (double)os_clock_ns() * 1e-9;
#endif
}

/* The greatest rate: whatever disturbs makes it smaller. */
static double best_of_three(double (*once)(const void *what), const void *what) {
    double most = 0;
    for (int i = 0; i < 3; i++) {
        double rate = once(what);
        if (rate > most) most = rate;
    }
    return most;
}

#if defined(__x86_64__)

#include <immintrin.h>

enum { ROUNDS = 100000, CHAINS = 12 };

/* CHAINS sums that the instruction adds to, each of which waits for itself alone. */
#define SUMS(NAME, FEATURES, VECTOR, START, A, B, INSTRUCTION)                                                     \
    __attribute__((target(FEATURES))) static void NAME(void) {                                                     \
        VECTOR sum[CHAINS], a = A, b = B;                                                                          \
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) sum[i] = START(i);                               \
        for (int r = 0; r < ROUNDS; r++)                                                                           \
            _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++)                                              \
                __asm__(INSTRUCTION " %2, %1, %0" : "+v"(sum[i]) : "v"(a), "v"(b));                                \
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : "v"(sum[i]));            \
    }

SUMS(wide, "avx512f,avx512vnni", __m512i, _mm512_set1_epi32, _mm512_set1_epi8(3), _mm512_set1_epi8(2), "vpdpbusd")

/* Registers of 32 bytes as the avxvnni tier has them, encoded for processors with AVX-512. */
SUMS(half, "avx512f,avx512vl,avx512vnni", __m256i, _mm256_set1_epi32, _mm256_set1_epi8(3), _mm256_set1_epi8(2),
     "vpdpbusd")

SUMS(wide_floats, "avx512f", __m512, _mm512_set1_ps, _mm512_set1_ps(0.5f), _mm512_set1_ps(0.5f), "vfmadd231ps")
SUMS(narrow_floats, "avx2,fma", __m256, _mm256_set1_ps, _mm256_set1_ps(0.5f), _mm256_set1_ps(0.5f), "vfmadd231ps")

/* The product alone: what the avx2 tier adds it to is another instruction. */
__attribute__((target("avx2"))) static void narrow(void) {
    __m256i out[CHAINS], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(2);
    for (int r = 0; r < ROUNDS; r++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) __asm__ volatile("vpmaddubsw %2, %1, %0" : "=x"(out[i]) : "x"(a), "x"(b));
}

typedef struct loop {
    void (*run)(void);
    int lanes;
} loop;

static double run_once(const void *what) {
    const loop *l = what;
    double begin = kernels_peak_seconds();
    l->run();
    return (double)ROUNDS * CHAINS * l->lanes / (kernels_peak_seconds() - begin) * 1e-9;
}

static double loop_peak(void (*run)(void), int lanes) { return best_of_three(run_once, &(loop){run, lanes}); }

double kernels_peak_products(const char *tier) {
    if (strcmp(tier, "avx512") == 0) return loop_peak(wide, 64);
    if (strcmp(tier, "evex") == 0) return loop_peak(half, 32);
    return strcmp(tier, "avx2") == 0 ? loop_peak(narrow, 32) : 0;
}

double kernels_peak_floats(const char *tier) {
    if (strcmp(tier, "avx512") == 0) return loop_peak(wide_floats, 16);
    return strcmp(tier, "ref") == 0 ? 0 : loop_peak(narrow_floats, 8);
}

#else

double kernels_peak_products(const char *tier) {
    (void)tier;
    return 0;
}

double kernels_peak_floats(const char *tier) {
    (void)tier;
    return 0;
}

#endif

typedef uint64_t lanes __attribute__((vector_size(16)));

typedef struct bytes {
    const uint8_t *data;
    size_t count;
} bytes;

static double read_once(const void *what) {
    const bytes *b = what;
    lanes sum[4] = {{0}};
    double begin = kernels_peak_seconds();
    for (size_t i = 0; i + 64 <= b->count; i += 64)
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            lanes x;
            memcpy(&x, b->data + i + 16 * k, sizeof x);
            sum[k] ^= x;
        }
    double took = kernels_peak_seconds() - begin;
    volatile uint64_t kept = (sum[0] ^ sum[1] ^ sum[2] ^ sum[3])[0];
    (void)kept;
    return (double)b->count / took * 1e-9;
}

double kernels_peak_reads(const uint8_t *data, size_t count) { return best_of_three(read_once, &(bytes){data, count}); }
