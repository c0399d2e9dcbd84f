// SPDX-License-Identifier: Apache-2.0
/* What so many cores of this machine can do together at most: what figures of speed are shares of. */
#ifndef PUNA_DEVICE_CPU_CEILINGS_H
#define PUNA_DEVICE_CPU_CEILINGS_H

#include "base/error.h"

#define CEILINGS_THREADS 256u /* at most */

typedef struct ceilings {
    double reads;    /* GB/s from memory in 2 MiB pages, more than the caches hold, read by all threads at once */
    double products; /* G int8 multiply-adds/s by the best tier's instruction, all threads; 0: unknown */
} ceilings;

/* A quarter of a second, and 320 MiB meanwhile. Rates are the best of several tries, since what else runs can only
   lower them. 1 to CEILINGS_THREADS threads. PUNA_OUT_OF_MEMORY, PUNA_UNSUPPORTED (a tier that isn't there). Any
   thread; two at once measure half of the machine each. */
puna_status ceilings_measure(uint32_t threads, ceilings *found, puna_error *error);

#endif
