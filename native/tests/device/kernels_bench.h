// SPDX-License-Identifier: Apache-2.0
/* Times the tiers' kernels on one thread and prints them: all, or those of a tier (names[0]) and its formats (the rest,
   as the files name them). */
#ifndef PUNA_TEST_KERNELS_BENCH_H
#define PUNA_TEST_KERNELS_BENCH_H

int kernels_bench(int count, char **names);

#endif
