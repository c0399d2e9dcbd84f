// SPDX-License-Identifier: Apache-2.0
/*
 * Where a runner's time goes: each phase's, each step's, and what passes between phases. For benches: a runner without
 * a profile pays one look at a pointer for each piece of a phase.
 *
 * Threads: workers write rows of their own, cpu_profile_collect adds them up between runs. Attach and read it while the
 * runner is not running.
 */
#ifndef PUNA_DEVICE_CPU_CPU_PROFILE_H
#define PUNA_DEVICE_CPU_CPU_PROFILE_H

#include "device/cpu/cpu.h"

/* Sums over all runs since it was cleared. */
typedef struct cpu_profile_phase {
    uint64_t runs;     /* in which it had something to do */
    uint64_t wall_ns;  /* from the begin of its first piece to the end of its last */
    uint64_t busy_ns;  /* of all threads; the rest of threads * wall_ns they waited */
    uint64_t gap_ns;   /* from the end of what was before to its begin: the barrier */
    uint64_t bytes;    /* of weights, or of keys and values, that it had to read */
    uint64_t products; /* multiply-adds of its products or its attention */
} cpu_profile_phase;

/* What one thread saw of one phase in this run. */
typedef struct cpu_profile_span {
    uint64_t begin, end, busy; /* begin 0: nothing */
} cpu_profile_span;

struct cpu_profile {
    uint32_t threads, phases, steps;
    cpu_profile_phase *phase;  /* [phases]: the first one makes the rotary tables, then come the plan's */
    cpu_profile_span *spans;   /* [thread][phases] */
    uint64_t *step_ns;         /* [thread][steps of the plan], all threads' time; a phase of products has all of its
                                  time at its first step */
    uint64_t run_ns, runs;     /* of the device: what an engine does besides is not in it */
};

/* NULL where there is no memory. Attach it by runner->profile. */
cpu_profile *cpu_profile_new(const device_runner *r, memory_account *account);
void cpu_profile_free(cpu_profile *p, memory_account *account); /* NULL is allowed */
void cpu_profile_clear(cpu_profile *p);

/* A thread has computed a piece of a phase (NULL: the rotary tables), since `begin`; or one step of some rows. */
void cpu_profile_piece(cpu_profile *p, const device_runner *r, const plan_phase *phase, uint32_t thread,
                       uint64_t begin);
void cpu_profile_step(cpu_profile *p, const device_runner *r, const plan_step *s, uint32_t thread, uint64_t begin);

/* After a run that began then, while the batch is still known. */
void cpu_profile_collect(cpu_profile *p, const device_runner *r, uint64_t begin);

#endif
