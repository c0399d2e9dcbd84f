// SPDX-License-Identifier: Apache-2.0
/* What so many cores of this machine can do together at most: what a bench's figures are shares of. */
#ifndef PUNA_BENCH_CEILINGS_H
#define PUNA_BENCH_CEILINGS_H

#include <stdint.h>

typedef struct ceilings {
    double reads;    /* GB/s from memory in 2 MiB pages, more than the caches hold, read by all threads at once */
    double products; /* G int8 multiply-adds/s by the best tier's instruction, all threads; 0: unknown */
} ceilings;

/* A quarter of a second. Rates are the best of several tries, since what else runs can only lower them. All zeros
   where there is no memory. */
ceilings ceilings_measure(uint32_t threads);

#endif
