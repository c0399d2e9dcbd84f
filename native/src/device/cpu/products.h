// SPDX-License-Identifier: Apache-2.0
/* A tier's product kernels as rows of a small table, so that a kernel's name stays with its function. */
#ifndef PUNA_DEVICE_CPU_PRODUCTS_H
#define PUNA_DEVICE_CPU_PRODUCTS_H

#include "device/cpu/kernels.h"

typedef void (*cpu_product_run)(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);

typedef struct cpu_product_row {
    uint32_t type; /* BLOCK_* */
    cpu_product_run run;
    const char *name; /* "q4_1_avx512" */
} cpu_product_row;

/* Zero-terminated by a row whose run is NULL. */
static inline cpu_product_run cpu_product_pick(const cpu_product_row *rows, uint32_t type) {
    for (; rows->run; rows++)
        if (rows->type == type) return rows->run;
    return NULL;
}

#endif
