// SPDX-License-Identifier: Apache-2.0
/*
 * Low-rank adapters on the CPU: y += B (s A x), s = the run's weight * the part's scale, rounded; A x and B z are float
 * products as any other (kernels.h), each result one accumulator; what several adapters of a set add joins one after
 * the other. docs/numerics.md, rule 11.
 *
 * A set's A x of a phase are computed before it, in a phase of their own: z, a row for each row of the batch. What a
 * product made gets its B z tile by tile, by whoever computed the tile. Both by segments: consecutive rows of the same
 * set. So a row's result depends on its own set alone, and rows without one are not touched.
 *
 * Invariant: z has room for every set that a run of the batch may name (cpu_adapters_reserve).
 */
#ifndef PUNA_DEVICE_CPU_CPU_ADAPTER_H
#define PUNA_DEVICE_CPU_CPU_ADAPTER_H

#include "device/cpu/cpu.h"

/* Of one weight. Its data are the adapter's; a.data NULL: the adapter leaves that weight alone. */
typedef struct cpu_adapter_part {
    cpu_weight a, b;
    float scale;
} cpu_adapter_part;

struct device_adapter {
    cpu_adapter_part *parts; /* [the graph's weights] */
    uint32_t most_rank;      /* of any part */
    uint8_t *arena;
    size_t arena_bytes;
};

typedef struct cpu_segment {
    const device_set *set;
    uint32_t row, rows; /* of the tokens, or of the outputs */
} cpu_segment;

enum { CPU_BY_TOKENS, CPU_BY_OUTPUTS, CPU_SEGMENTED };

typedef struct cpu_adapting {
    float *z;              /* [rows][stride]: each of a phase's adapted steps has `width` of a row */
    uint32_t width, stride;
    cpu_segment *segments[CPU_SEGMENTED];
    uint32_t segment_count[CPU_SEGMENTED];
    cpu_segment *pieces[CPU_SEGMENTED]; /* the same cut into at most CPU_QUERY_ROWS rows: what threads share out */
    uint32_t piece_count[CPU_SEGMENTED];
} cpu_adapting;

puna_status cpu_adapter_load(const graph *g, const device_part *parts, uint32_t count, memory_account *account,
                             device_adapter **adapter, puna_error *error);
void cpu_adapter_unload(memory_account *account, device_adapter *adapter);

puna_status cpu_adapters_reserve(device_runner *r, memory_account *account, const device_set *set, puna_error *error);
void cpu_adapting_free(device_runner *r, memory_account *account);

/* Cuts the batch into segments: whether any row of it has a set. */
bool cpu_adapters_begin(device_runner *r);

/* A x for a phase's steps, chunk by chunk. */
uint32_t cpu_adapters_chunks(const device_runner *r, const plan_phase *phase);
void cpu_adapters_down(const device_runner *r, const plan_phase *phase, uint32_t begin, uint32_t end);

/* B z joins tiles [begin, end) of what the step made; all of one row of it. */
void cpu_adapters_up(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end);
void cpu_adapters_up_row(const device_runner *r, const plan_step *s, uint32_t row);

#endif
