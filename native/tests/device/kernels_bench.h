// SPDX-License-Identifier: Apache-2.0
/* Times each tier's kernels on one thread and prints them. */
#ifndef PUNA_TEST_KERNELS_BENCH_H
#define PUNA_TEST_KERNELS_BENCH_H

int kernels_bench(void);

#endif
