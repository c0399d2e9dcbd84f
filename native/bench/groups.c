// SPDX-License-Identifier: Apache-2.0
// What the length of an activation group costs: the measurement behind rule 2 of the arithmetic contract.
//
// A tile of 32 weight rows (unsigned bytes, 16 rows interleaved by 4 bytes of K, lane = row) meets 6 columns of int8
// activations at a time, 480 columns in all. After each group the exact integer sum becomes
// acc = fmaf((float)I, w * dA, acc), and with a minimum acc = fmaf(m, dA * (float)S, acc). Groups of 16, 32 and 256
// differ in how often that happens; 256 has one scale for all its weights and is an upper bound. The first columns are
// compared with scalar loops, bit for bit. Times are this thread's processor time, so that busy neighbours disturb them
// little.
//
// Stands alone (x86 with AVX-512 VNNI): cc -O3 -march=native -ffp-contract=off groups.c -lm && ./a.out
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 32, COLUMNS = 6, K = 1536, BATCHES = 80, REPEATS = 31, SMALLEST = 16, MAX_GROUPS = K / SMALLEST };

static uint8_t panel[K / 4][ROWS / 16][64] __attribute__((aligned(64)));
static float scale[MAX_GROUPS][ROWS] __attribute__((aligned(64))),
    minimum[MAX_GROUPS][ROWS] __attribute__((aligned(64)));
static int8_t activation[BATCHES * COLUMNS][K] __attribute__((aligned(64)));
static float column_scale[BATCHES * COLUMNS][MAX_GROUPS], column_sum[BATCHES * COLUMNS][MAX_GROUPS]; // sum: dA * S
static float result[BATCHES * COLUMNS][ROWS] __attribute__((aligned(64)));

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// One tile by COLUMNS columns from `column` on; group and with_minimum are constants where this is inlined.
static inline __attribute__((always_inline)) void tile(int column, int group, int with_minimum)
{
    __m512 acc[COLUMNS][2];
    for (int c = 0; c < COLUMNS; c++) acc[c][0] = acc[c][1] = _mm512_setzero_ps();
    for (int g = 0; g < K / group; g++) {
        __m512i sum[COLUMNS][2];
        for (int c = 0; c < COLUMNS; c++) sum[c][0] = sum[c][1] = _mm512_setzero_si512();
#pragma GCC unroll 4
        for (int k = g * group; k < (g + 1) * group; k += 4) {
            __m512i low = _mm512_load_si512(panel[k / 4][0]), high = _mm512_load_si512(panel[k / 4][1]);
            for (int c = 0; c < COLUMNS; c++) {
                int four;
                memcpy(&four, &activation[column + c][k], 4);
                __m512i a = _mm512_set1_epi32(four);
                sum[c][0] = _mm512_dpbusd_epi32(sum[c][0], low, a);
                sum[c][1] = _mm512_dpbusd_epi32(sum[c][1], high, a);
            }
        }
        for (int c = 0; c < COLUMNS; c++) {
            __m512 d = _mm512_set1_ps(column_scale[column + c][g]), s = _mm512_set1_ps(column_sum[column + c][g]);
            for (int h = 0; h < 2; h++) {
                __m512 w = _mm512_mul_ps(_mm512_load_ps(scale[g] + 16 * h), d);
                acc[c][h] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum[c][h]), w, acc[c][h]);
                if (with_minimum) acc[c][h] = _mm512_fmadd_ps(_mm512_load_ps(minimum[g] + 16 * h), s, acc[c][h]);
            }
        }
    }
    for (int c = 0; c < COLUMNS; c++)
        for (int h = 0; h < 2; h++) _mm512_store_ps(result[column + c] + 16 * h, acc[c][h]);
}

#define ALL(name, group, with_minimum)                                                                                 \
    static void name(void)                                                                                             \
    {                                                                                                                  \
        for (int b = 0; b < BATCHES; b++) tile(b * COLUMNS, group, with_minimum);                                      \
    }
ALL(plain_16, 16, 0)
ALL(plain_32, 32, 0)
ALL(plain_256, 256, 0)
ALL(minimum_16, 16, 1)
ALL(minimum_32, 32, 1)
ALL(minimum_256, 256, 1)

// As many multiply-adds as one product above, with nothing else: what the processor can do.
static void peak(void)
{
    __m512i acc[12], a = _mm512_set1_epi32(0x01020304), w = _mm512_set1_epi32(0x05060708);
    for (int i = 0; i < 12; i++) acc[i] = _mm512_setzero_si512();
    for (int k = 0; k < BATCHES * K / 4; k++) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++) acc[i] = _mm512_dpbusd_epi32(acc[i], w, a);
        __asm__ volatile("" : "+v"(a), "+v"(w));
    }
    for (int i = 1; i < 12; i++) acc[0] = _mm512_add_epi32(acc[0], acc[i]);
    _mm512_store_ps(result[0], _mm512_castsi512_ps(acc[0]));
}

static int wrong(int group, int with_minimum)
{
    int count = 0;
    for (int c = 0; c < 2 * COLUMNS; c++)
        for (int r = 0; r < ROWS; r++) {
            float acc = 0;
            for (int g = 0; g < K / group; g++) {
                int sum = 0;
                for (int k = g * group; k < (g + 1) * group; k++)
                    sum += panel[k / 4][r / 16][r % 16 * 4 + k % 4] * activation[c][k];
                acc = fmaf((float)sum, scale[g][r] * column_scale[c][g], acc);
                if (with_minimum) acc = fmaf(minimum[g][r], column_sum[c][g], acc);
            }
            count += memcmp(&acc, &result[c][r], 4) != 0;
        }
    return count;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    static const struct { const char *name; void (*run)(void); int group, with_minimum; } cases[] = {
        {"peak of vpdpbusd", peak, 0, 0},
        {"groups of  16", plain_16, 16, 0},           {"groups of  32", plain_32, 32, 0},
        {"groups of 256", plain_256, 256, 0},         {"groups of  16, minimum", minimum_16, 16, 1},
        {"groups of  32, minimum", minimum_32, 32, 1}, {"groups of 256, minimum", minimum_256, 256, 1}};
    enum { CASES = sizeof cases / sizeof *cases };
    static double time[CASES][REPEATS];
    uint8_t *bytes = &panel[0][0][0];
    for (size_t i = 0; i < sizeof panel; i++) bytes[i] = (uint8_t)(rand() & 31);
    for (int c = 0; c < BATCHES * COLUMNS; c++)
        for (int k = 0; k < K; k++) activation[c][k] = (int8_t)(rand() % 255 - 127);
    for (int g = 0; g < MAX_GROUPS; g++) {
        for (int r = 0; r < ROWS; r++) scale[g][r] = (float)rand() / 1e12f, minimum[g][r] = (float)rand() / 1e12f;
        for (int c = 0; c < BATCHES * COLUMNS; c++)
            column_scale[c][g] = (float)rand() / 1e9f, column_sum[c][g] = (float)(rand() % 999) - 500;
    }
    for (int t = 0; t < REPEATS; t++) // interleaved, so that a slow moment hits all alike
        for (int i = 0; i < CASES; i++) {
            double start = seconds();
            cases[i].run();
            time[i][t] = seconds() - start;
            if (t == 0 && cases[i].group && wrong(cases[i].group, cases[i].with_minimum))
                return fprintf(stderr, "%s: not equal to the scalar loops\n", cases[i].name), 1;
        }
    for (int i = 0; i < CASES; i++) qsort(time[i], REPEATS, sizeof **time, ascending);
    for (int i = 0; i < CASES; i++)
        printf("%-24s %6.1f G multiply-adds/s, %5.1f%% of the peak\n", cases[i].name,
               1e-9 * ROWS * COLUMNS * BATCHES * K / time[i][REPEATS / 2],
               100 * time[0][REPEATS / 2] / time[i][REPEATS / 2]);
    return 0;
}
