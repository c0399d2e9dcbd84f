// SPDX-License-Identifier: Apache-2.0
/*
 * Memory between pages that nobody may touch: what a kernel reads or writes in front of its begin or behind its end is
 * a fault, in every build. The product kernels are compiled without sanitizers (native/CMakeLists.txt), so that this is
 * what holds them to their bounds.
 */
#ifndef PUNA_TEST_GUARDED_H
#define PUNA_TEST_GUARDED_H

#include <stddef.h>

/* `bytes` zeros at a multiple of `alignment` (a power of two, at most 64). By chance a block begins at a guard page or,
   more often, ends at one; where the alignment leaves a gap behind its end, the gap's bytes are watched for writes.
   Exits when memory ends. */
void *guarded_new(size_t bytes, size_t alignment);

/* Ends the program if the gap was written to. NULL is nothing. */
void guarded_free(void *block);

#endif
