// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/cpuid.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct leaf {
    uint32_t a, b, c, d;
} leaf;

static leaf ask_part(uint32_t number, uint32_t part) {
    leaf l = {0, 0, 0, 0};
    uint32_t highest = __get_cpuid_max(0, 0);
    if (number <= highest) __cpuid_count(number, part, l.a, l.b, l.c, l.d);
    return l;
}

static leaf ask(uint32_t number) { return ask_part(number, 0); }

static bool has(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

/* The register state that the operating system saves (XCR0); 0 if it saves none of it. */
static uint32_t saved(void) {
    const uint32_t osxsave = 1u << 27;
    if (!has(ask(1).c, osxsave)) return 0;
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    return low;
}

bool cpuid_avx2(void) {
    const uint32_t fma = 1u << 12, f16c = 1u << 29, avx = 1u << 28; /* leaf 1, ecx */
    const uint32_t avx2 = 1u << 5, bmi2 = 1u << 8;                  /* leaf 7, ebx */
    return has(saved(), 0x6) && has(ask(1).c, fma | f16c | avx) && has(ask(7).b, avx2 | bmi2);
}

bool cpuid_avxvnni(void) {
    const uint32_t vnni = 1u << 4; /* leaf 7, part 1, eax; leaf 7 says in eax which part is its last */
    return cpuid_avx2() && ask(7).a >= 1 && has(ask_part(7, 1).a, vnni);
}

bool cpuid_avx512(void) {
    const uint32_t f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31; /* leaf 7, ebx */
    const uint32_t vnni = 1u << 11; /* leaf 7, ecx */
    return cpuid_avx2() && has(saved(), 0xe6) && has(ask(7).b, f | dq | bw | vl) && has(ask(7).c, vnni);
}

/* Three leaves of 16 characters each, often filled up with spaces at either end. */
void cpuid_name(char *out, size_t capacity) {
    const uint32_t first = 0x80000002u;
    char text[49] = "";
    if (__get_cpuid_max(0x80000000u, 0) >= first + 2)
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t words[4];
            __cpuid(first + i, words[0], words[1], words[2], words[3]);
            memcpy(text + i * sizeof words, words, sizeof words);
        }
    char *begin = text, *end = text + strlen(text);
    while (*begin == ' ') begin++;
    while (end > begin && end[-1] == ' ') end--;
    *end = 0;
    if (capacity > 0) snprintf(out, capacity, "%s", begin);
}

#else

void cpuid_name(char *out, size_t capacity) {
    if (capacity > 0) out[0] = 0;
}

bool cpuid_avx2(void) { return false; }
bool cpuid_avxvnni(void) { return false; }

bool cpuid_avx512(void) { return false; }

#endif
