// SPDX-License-Identifier: Apache-2.0
/*
 * The CPU as a device: packed weights (cpu_weights.c), a runner that turns the plan's phases into the thread pool's
 * (cpu_runner.c), and what each step does with a range of rows, tiles or heads (cpu_steps.c). What the kernels compute
 * is said in kernels.h.
 */
#ifndef PUNA_DEVICE_CPU_CPU_H
#define PUNA_DEVICE_CPU_CPU_H

#include "base/threads.h"
#include "device/cpu/kernels.h"
#include "device/device.h"
#include "graph/plan.h"

extern const device cpu_device;

/* One weight of the graph, in the forms that its uses need. */
typedef struct cpu_tensor {
    cpu_weight packed;      /* GRAPH_USE_MATRIX; data NULL otherwise */
    const float *vector;    /* GRAPH_USE_VECTOR */
    const uint8_t *rows;    /* GRAPH_USE_ROWS without a matrix: as in the file */
    size_t row_bytes;
} cpu_tensor;

struct device_weights {
    const cpu_kernels *kernels;
    cpu_tensor *tensors; /* one a graph weight */
    uint32_t count;
    uint8_t *arena;      /* packed weights and vectors, in 2 MiB pages */
    size_t arena_bytes;
};

puna_status cpu_weights_measure(const graph *g, device_memory *memory, puna_error *error);
puna_status cpu_weights_load(const graph *g, const device_source *sources, uint32_t threads,
                             puna_task *task, memory_account *account, device_weights **weights, puna_error *error);
void cpu_weights_unload(memory_account *account, device_weights *weights);

/* Rows of queries that one piece of attention takes at most: they share the loads of keys and values. */
#define CPU_QUERY_ROWS 16u

/* A piece of attention: some query rows of one run. */
typedef struct cpu_piece {
    uint32_t run;
    uint32_t row, rows; /* within the batch */
} cpu_piece;

struct device_runner {
    const graph *g;
    const device_weights *weights;
    const cpu_kernels *kernels;
    device_options options;
    plan plan;
    threads_pool *pool;
    threads_phase *phases;      /* rotary tables, then the plan's phases; two for one by columns */
    struct cpu_job *jobs;       /* one a phase */
    uint32_t job_count;
    uint8_t *arena;             /* the plan's buffers */
    size_t arena_bytes;
    float *rotary;              /* [table][cos, sin][max_tokens][count] */
    size_t *rotary_offset;      /* [table], in floats */
    uint8_t **scratch;          /* [thread] */
    size_t scratch_bytes;
    float *relative;            /* what scores change by, as cpu_attention has it */
    size_t *relative_offset;    /* [op]: an ATTEND's place there */
    size_t *layer_offset;       /* [cache layer] of its keys in a page; values follow */
    cpu_piece *pieces;
    uint32_t piece_count;
    struct cpu_adapting *adapting; /* cpu_adapter.h; NULL: nobody asked for adapters */
    uint8_t *parts;             /* of attention by spans (cpu_attend.h); NULL where that never happens */
    size_t parts_bytes;
    _Atomic uint32_t *arrived;  /* [row's kv head]: spans that are done; all 0 between phases */
    const device_batch *batch;  /* during a run */
    struct cpu_profile *profile; /* NULL where nobody watches */
};

typedef struct cpu_profile cpu_profile; /* cpu_profile.h */

typedef struct cpu_job {
    device_runner *runner;
    const plan_phase *phase; /* NULL: rotary tables */
    bool later;              /* of a phase by columns: what follows its products, where these go alone */
    bool adapts;             /* before the phase: A x of the adapters that its steps apply */
} cpu_job;

/* cpu_steps.c: the work of a phase, for the pool. */
void cpu_steps_run(void *job, uint32_t begin, uint32_t end, uint32_t thread);

/* Chunks and grain of a job for the current batch. */
void cpu_steps_measure(const cpu_job *job, uint32_t *chunks, uint32_t *grain);

/* The cache: bytes of keys and of values of one layer of a group in a page. */
size_t cpu_cache_keys(const graph_cache_group *group, uint32_t cache_type);
size_t cpu_cache_values(const graph_cache_group *group, uint32_t cache_type);

/* cpu_cache.c: rows of a page in plain order, as device.h says. */
size_t cpu_cache_row_bytes(const device_runner *r, uint32_t layer, bool values);
void cpu_cache_read(const device_runner *r, uint32_t layer, bool values, const uint8_t *page, uint32_t slot,
                    uint32_t count, uint8_t *rows);
void cpu_cache_write(const device_runner *r, uint32_t layer, bool values, uint8_t *page, uint32_t slot, uint32_t count,
                     const uint8_t *rows);

/* cpu_relative.c: relative positions of ATTENDs, spread out by distance. Floats that they take; laying them out and
   filling them, once the runner has its memory. */
size_t cpu_relative_floats(const graph *g, bool source);
void cpu_relative_fill(device_runner *r);

bool cpu_quantizes(uint32_t type);

#endif
