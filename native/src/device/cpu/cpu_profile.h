// SPDX-License-Identifier: Apache-2.0
/*
 * Where a runner's time goes, as device.h tells it: each phase's, each op's, and what passes between phases. A runner
 * that nobody watches pays one look at a pointer for each piece of a phase.
 *
 * Phases that have the same name are one row: a layer's are named as those of the layers like it. What a name is made
 * of is decided when watching begins, so that a run and a reader need no memory.
 *
 * Threads: workers write rows of their own, cpu_profile_collect adds them up between runs. Attach and read it while the
 * runner is not running.
 */
#ifndef PUNA_DEVICE_CPU_CPU_PROFILE_H
#define PUNA_DEVICE_CPU_CPU_PROFILE_H

#include "device/cpu/cpu.h"

/* What one thread saw of one phase in this run. */
typedef struct cpu_profile_span {
    uint64_t begin, end, busy; /* begin 0: nothing */
} cpu_profile_span;

struct cpu_profile {
    device_profile told;
    uint32_t phases;         /* the first one makes the rotary tables, then come the plan's */
    uint32_t ops;            /* numbers of op_ns a thread: whole cache lines */
    device_work *work;       /* [told.rows]: phases, then ops */
    uint32_t *row_of;        /* [phases] */
    uint32_t *op_row;        /* [GRAPH_KINDS + 1], the last one of rotary tables; CPU_PROFILE_NONE: no such op */
    cpu_profile_span *spans; /* [thread][phases] */
    uint64_t *op_ns;         /* [thread][ops]: in this run; all of a phase of products is its first step's */
    uint32_t *active;        /* [buffer], of orders: experts that have rows in this run */
};

#define CPU_PROFILE_NONE UINT32_MAX

/* device.watch and device.watched. */
puna_status cpu_profile_watch(device_runner *r, memory_account *account, bool on, puna_error *error);
const device_profile *cpu_profile_watched(const device_runner *r);

void cpu_profile_free(cpu_profile *p, memory_account *account); /* NULL is allowed */

/* A thread has computed a piece of a phase (NULL: the rotary tables), since `begin`; or one step of some rows. */
void cpu_profile_piece(cpu_profile *p, const device_runner *r, const plan_phase *phase, uint32_t thread,
                       uint64_t begin);
void cpu_profile_step(cpu_profile *p, const plan_step *s, uint32_t thread, uint64_t begin);

/* After a run that began then, while the batch is still known. */
void cpu_profile_collect(cpu_profile *p, const device_runner *r, uint64_t begin);

#endif
