// SPDX-License-Identifier: Apache-2.0
/*
 * Every kernel on the user's own machine, compared with ref over a few shapes: what says "this processor, this compiler
 * or this memory is at fault" in a bug report. The products of ref itself are compared with a computation in double.
 *
 * The inputs are the same in every run. A kernel takes some milliseconds. What is wrong with it may also end the
 * process: callers that care run it in another one. Any thread.
 */
#ifndef PUNA_DEVICE_CPU_SELFTEST_H
#define PUNA_DEVICE_CPU_SELFTEST_H

#include "base/memory.h"
#include "device/cpu/kernels.h"

typedef struct selftest_result {
    uint32_t cases;     /* that were compared */
    uint32_t different; /* of those */
    char detail[200];   /* the first one that differed; else "" */
} selftest_result;

/* How many kernels of a tier there are to test; a kernel's name by its number, "product_q4_1" (static storage). */
uint32_t selftest_count(const cpu_kernels *tier);
const char *selftest_name(const cpu_kernels *tier, uint32_t kernel);

/* Compares one; false if memory ran out: nothing is said of the kernel then. */
bool selftest_run(const cpu_kernels *tier, uint32_t kernel, memory_account *account, selftest_result *result);

#endif
