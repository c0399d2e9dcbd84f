// SPDX-License-Identifier: Apache-2.0
/* What this processor and its operating system can run. The only reader of CPUID. */
#ifndef PUNA_DEVICE_CPU_CPUID_H
#define PUNA_DEVICE_CPU_CPUID_H

#include <stdbool.h>
#include <stddef.h>

/* AVX2, FMA, F16C, BMI2, and registers that the system saves. */
bool cpuid_avx2(void);

/* Those and AVX-VNNI: vpdpbusd in VEX encoding, for registers of 32 bytes. */
bool cpuid_avxvnni(void);

/* What cpuid_avx2 says and AVX-512 F, BW, VL, DQ, VBMI, VNNI. */
bool cpuid_avx512(void);

/* What the processor calls itself, zero-terminated; "" if it does not say. */
void cpuid_name(char *out, size_t capacity);

#endif
