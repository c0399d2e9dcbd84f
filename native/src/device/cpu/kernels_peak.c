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

#if defined(__x86_64__)

#include <immintrin.h>

enum { ROUNDS = 100000, CHAINS = 12 };

__attribute__((target("avx512f,avx512vnni"))) static void wide(void) {
    __m512i sum[CHAINS], a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(2);
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_set1_epi32(i);
    for (int r = 0; r < ROUNDS; r++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum[i]) : "v"(a), "v"(b));
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : "v"(sum[i]));
}

__attribute__((target("avx2"))) static void narrow(void) {
    __m256i out[CHAINS], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(2);
    for (int r = 0; r < ROUNDS; r++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) __asm__ volatile("vpmaddubsw %2, %1, %0" : "=x"(out[i]) : "x"(a), "x"(b));
}

/* Registers of 32 bytes as the avxvnni tier has them, encoded for processors with AVX-512. */
__attribute__((target("avx512f,avx512vl,avx512vnni"))) static void half(void) {
    __m256i sum[CHAINS], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(2);
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) sum[i] = _mm256_set1_epi32(i);
    for (int r = 0; r < ROUNDS; r++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum[i]) : "v"(a), "v"(b));
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : "v"(sum[i]));
}

__attribute__((target("avx512f"))) static void wide_floats(void) {
    __m512 sum[CHAINS], a = _mm512_set1_ps(0.5f);
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) sum[i] = _mm512_set1_ps((float)i);
    for (int r = 0; r < ROUNDS; r++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) __asm__("vfmadd231ps %1, %1, %0" : "+v"(sum[i]) : "v"(a));
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : "v"(sum[i]));
}

__attribute__((target("avx2,fma"))) static void narrow_floats(void) {
    __m256 sum[CHAINS], a = _mm256_set1_ps(0.5f);
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) sum[i] = _mm256_set1_ps((float)i);
    for (int r = 0; r < ROUNDS; r++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) __asm__("vfmadd231ps %1, %1, %0" : "+x"(sum[i]) : "x"(a));
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++) __asm__ volatile("" : : "x"(sum[i]));
}

static double best_of(void (*run)(void), int lanes) {
    double most = 0;
    for (int i = 0; i < 3; i++) {
        double begin = kernels_peak_seconds();
        run();
        double rate = (double)ROUNDS * CHAINS * lanes / (kernels_peak_seconds() - begin) * 1e-9;
        if (rate > most) most = rate;
    }
    return most;
}

double kernels_peak_products(const char *tier) {
    if (strcmp(tier, "avx512") == 0) return best_of(wide, 64);
    if (strcmp(tier, "evex") == 0) return best_of(half, 32);
    return strcmp(tier, "avx2") == 0 ? best_of(narrow, 32) : 0;
}

double kernels_peak_floats(const char *tier) {
    if (strcmp(tier, "avx512") == 0) return best_of(wide_floats, 16);
    return strcmp(tier, "ref") == 0 ? 0 : best_of(narrow_floats, 8);
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

static double read_once(const uint8_t *data, size_t bytes) {
    lanes sum[4] = {{0}};
    double begin = kernels_peak_seconds();
    for (size_t i = 0; i + 64 <= bytes; i += 64)
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            lanes x;
            memcpy(&x, data + i + 16 * k, sizeof x);
            sum[k] ^= x;
        }
    double took = kernels_peak_seconds() - begin;
    volatile uint64_t kept = (sum[0] ^ sum[1] ^ sum[2] ^ sum[3])[0];
    (void)kept;
    return (double)bytes / took * 1e-9;
}

double kernels_peak_reads(const uint8_t *data, size_t bytes) {
    double most = 0;
    for (int i = 0; i < 3; i++) {
        double rate = read_once(data, bytes);
        if (rate > most) most = rate;
    }
    return most;
}
