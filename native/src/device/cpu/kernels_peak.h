// SPDX-License-Identifier: Apache-2.0
/* What one core of this machine can do at most: what figures of speed are shares of. */
#ifndef PUNA_DEVICE_CPU_KERNELS_PEAK_H
#define PUNA_DEVICE_CPU_KERNELS_PEAK_H

#include <stddef.h>
#include <stdint.h>

/* Seconds of this thread's processor time, so that busy neighbours disturb little; of the clock where there is none. */
double kernels_peak_seconds(void);

/* G multiply-adds/s of int8 by the tier's instruction: vpdpbusd (avx512, evex), vpmaddubsw (avx2); 0: unknown. */
double kernels_peak_products(const char *tier);

/* The same of float: vfmadd of the tier's width; 0: unknown. */
double kernels_peak_floats(const char *tier);

/* GB/s of reading `bytes` once, wherever they are. */
double kernels_peak_reads(const uint8_t *data, size_t bytes);

#endif
