// SPDX-License-Identifier: Apache-2.0
/*
 * Threads: a pool that runs a list of phases, one after the other, each cut into chunks.
 *
 * A phase ends when all its chunks are done, not when all threads have come: a thread that the system has taken off its
 * core delays only the chunk that it holds. Within a phase each thread first takes the chunks of its own contiguous
 * share, then what others left. The results must not depend on who computed which chunk.
 *
 * Waiting threads spin briefly (at most 50 us by the clock; not at all where there are more threads than cores), then
 * park in the kernel: an idle pool costs no time. The calling thread is worker 0.
 */
#ifndef PUNA_BASE_THREADS_H
#define PUNA_BASE_THREADS_H

#include "base/error.h"
#include "base/memory.h"

typedef struct threads_pool threads_pool;

/* Computes chunks [begin, end) of a phase as worker `thread` (0 to count - 1: for scratch memory of its own). */
typedef void (*threads_work)(void *context, uint32_t begin, uint32_t end, uint32_t thread);

typedef struct threads_phase {
    threads_work work;
    void *context;
    uint32_t chunks; /* 0: nothing to do, skipped */
    uint32_t grain;  /* chunks taken at once at most, at least 1; fewer towards the end of a share */
} threads_phase;

/* count >= 1 threads, the caller included; 1 makes none. `max_phases` bounds later lists. */
puna_status threads_create(memory_account *account, uint32_t count, uint32_t max_phases, threads_pool **pool,
                           puna_error *error);
void threads_destroy(memory_account *account, threads_pool *pool); /* NULL is allowed */
uint64_t threads_bytes(uint32_t count, uint32_t max_phases); /* what such a pool is accounted with */
uint32_t threads_count(const threads_pool *pool);

/* Runs the phases in order and returns when the last is done. One caller at a time. Never fails. */
void threads_run(threads_pool *pool, const threads_phase *phases, uint32_t count);

/* Nanoseconds that workers spent waiting inside threads_run since creation (for benches). */
uint64_t threads_waited_ns(const threads_pool *pool);

/* min(physical cores in the affinity mask, max(1, floor(cgroup quota))). */
uint32_t threads_default_count(void);

/* What the system says (affinity respected). */
uint32_t threads_hardware_count(void);
uint32_t threads_core_count(void);

#endif
