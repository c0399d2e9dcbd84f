// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/kernels.h"

#include <string.h>

#include "base/os.h"
#include "device/cpu/cpuid.h"
#include "device/cpu/ref/ref.h"
#include "device/cpu/x86/x86.h"

static bool always(void) { return true; }

typedef struct rung {
    const cpu_kernels *kernels;
    const cpu_product_row *products;
    bool (*runs)(void);
} rung;

/* From low to high. A new instruction set is a row here. */
static const rung ladder[] = {
    {&ref_kernels, ref_products, always},
#if defined(__x86_64__)
    {&avx2_kernels, avx2_products, cpuid_avx2},
    {&avxvnni_kernels, avxvnni_products, cpuid_avxvnni},
    {&avx512_kernels, avx512_products, cpuid_avx512},
#endif
};

enum { RUNGS = sizeof ladder / sizeof ladder[0] };

const cpu_kernels *cpu_kernels_find(const char *tier) {
    for (int i = 0; i < RUNGS; i++)
        if (strcmp(ladder[i].kernels->tier, tier) == 0) return ladder[i].runs() ? ladder[i].kernels : NULL;
    return NULL;
}

const cpu_kernels *cpu_kernels_at(uint32_t index) {
    for (int i = 0; i < RUNGS; i++)
        if (ladder[i].runs() && index-- == 0) return ladder[i].kernels;
    return NULL;
}

const cpu_kernels *cpu_kernels_select(char forced[16]) {
    forced[0] = 0;
    if (os_environment("PUNA_CPU_TIER", forced, 16) > 0) return cpu_kernels_find(forced);
    const cpu_kernels *best = ladder[0].kernels;
    for (int i = 1; i < RUNGS; i++)
        if (ladder[i].runs()) best = ladder[i].kernels;
    return best;
}

void cpu_kernels_list(char *out, size_t capacity) {
    size_t used = 0;
    if (capacity == 0) return;
    for (int i = 0; i < RUNGS; i++) {
        size_t length = strlen(ladder[i].kernels->tier);
        if (!ladder[i].runs() || used + length + 2 > capacity) continue;
        if (used > 0) out[used++] = ' ';
        memcpy(out + used, ladder[i].kernels->tier, length);
        used += length;
    }
    out[used] = 0;
}

const char *cpu_kernels_product_name(const cpu_kernels *k, uint32_t type) {
    cpu_product_run run = k->product(type);
    for (int i = 0; run && i < RUNGS; i++)
        for (const cpu_product_row *row = ladder[i].products; row->run; row++)
            if (row->run == run && row->type == type) return row->name;
    return NULL;
}
