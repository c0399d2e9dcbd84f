// SPDX-License-Identifier: Apache-2.0
/*
 * The seam between a model and what computes it. A device prepares weights once, makes a runner for each engine, and
 * runs one batch after the other. The CPU is one row of device_find; GPUs will be others.
 *
 * Threads: weights are immutable and shared; a runner serves one caller at a time.
 */
#ifndef PUNA_DEVICE_DEVICE_H
#define PUNA_DEVICE_DEVICE_H

#include "base/os.h"
#include "base/task.h"
#include "graph/graph.h"

#define DEVICE_PAGE 64u /* positions of a cache page: part of the arithmetic contract */

/* Where a graph weight's bytes come from: rows * cols numbers of `type` (the graph says which), row after row. Any
   thread may call its functions, which give errors that name weight and place. */
typedef struct device_source {
    puna_status (*read)(const void *context, uint64_t offset, void *bytes, size_t count, puna_error *error);
    puna_status (*unsound)(const void *context, uint64_t offset, puna_error *error); /* NaN or infinite there */
    const void *context;
    uint64_t bytes;
} device_source;

typedef struct device_weights device_weights;
typedef struct device_runner device_runner;
typedef struct device_adapter device_adapter;

/* A low-rank adapter (Hu et al., arXiv:2106.09685) has a part for each weight of the graph that it changes: to y = W x
   of a LINEAR it adds scale * B (A x). */
typedef struct device_part {
    graph_weight weight;
    uint32_t rank;
    float scale;
    uint32_t type_a, type_b; /* BLOCK_* */
    device_source a;         /* [rank][the weight's cols] */
    device_source b;         /* [the weight's rows][rank] */
} device_part;

/* What a run's products are changed by, in this order; each scale is multiplied by a weight of the run's. */
typedef struct device_adapted {
    const device_adapter *adapter;
    float weight;
} device_adapted;

typedef struct device_set {
    const device_adapted *of;
    uint32_t count;
} device_set;

typedef struct device_options {
    uint32_t threads;
    uint32_t max_tokens;  /* rows of a batch */
    uint32_t max_outputs; /* rows of logits */
    uint32_t max_runs;    /* sequences in a batch */
    uint32_t cache_type;  /* PUNA_CACHE_* */
    uint32_t positions;   /* of the longest sequence: graph_add_long_table */
    bool plain;           /* no fusion, no reuse of buffers: for tests */
    uint32_t results;     /* 1 << GRAPH_LOGITS ...: what is computed; 0: logits */
    bool source;          /* a graph's part that reads the source, instead of the other one */
} device_options;

/* Consecutive rows of the batch that are consecutive positions of one sequence. */
typedef struct device_run {
    uint32_t row, rows;
    uint32_t position;                 /* of the first row; 0 where the graph is whole: all of the sequence */
    uint8_t *const *const *pages;      /* [cache group][page]: enough for position + rows */
    uint8_t *const *const *source;     /* likewise, of the source's groups; NULL: there is none */
    uint32_t source_rows;              /* positions of the source, all of them stored */
    const device_set *set;             /* that device.adapt has made room for; NULL: the model as it is */
} device_run;

typedef struct device_batch {
    uint32_t tokens;
    const int32_t *ids;                /* [tokens], within the vocabulary */
    const uint32_t *positions;         /* [tokens] */
    const uint32_t *types;             /* [tokens], within the graph's table of types; NULL: all 0 */
    const device_run *runs;
    uint32_t run_count;
    const uint32_t *outputs;           /* rows whose logits or scores are wanted */
    uint32_t output_count;
} device_batch;

#define DEVICE_WORK_NAME 96u

/* A row of a runner's profile: sums over its runs. */
typedef struct device_work {
    char name[DEVICE_WORK_NAME];
    bool op;             /* an op, in whatever phases it is: of its time calls and busy_ns are known; else phases that
                            are alike: what threads do between two barriers */
    uint64_t calls;
    uint64_t wall_ns;    /* from the begin of a phase's first piece to the end of its last */
    uint64_t busy_ns;    /* of all threads together */
    uint64_t barrier_ns; /* from the end of the phase before to the begin of this one */
    uint64_t bytes;      /* of weights, or of keys and values, that it had to read */
    uint64_t products;   /* multiply-adds of its products or its attention */
} device_work;

typedef struct device_profile {
    uint32_t threads, rows;
    uint64_t runs, run_ns; /* of runs as a whole */
    const device_work *work; /* [rows]: phases in their order, then ops; some without any calls */
} device_profile;

typedef struct device_memory {
    uint64_t weights; /* bytes that device_weights takes */
    uint64_t tables;  /* bytes of device_weights beside the weights themselves */
} device_memory;

typedef struct device {
    const char *name;

    /* Whether it can run at all here; PUNA_UNSUPPORTED says why not. */
    puna_status (*check)(puna_error *error);

    /* From shapes alone. */
    puna_status (*measure)(const graph *g, device_memory *memory, puna_error *error);

    /* Reads and packs all weights of the graph; sources[i] belongs to g->weights[i] and is not needed afterwards.
       Cancelled and watched by task (may be NULL). Fails as a source does, or where one is unsound. */
    puna_status (*load)(const graph *g, const device_source *sources, uint32_t threads,
                        puna_task *task, memory_account *account, device_weights **weights, puna_error *error);
    void (*unload)(memory_account *account, device_weights *weights);

    /* Bytes of one page of a cache group (all its layers). */
    size_t (*page_bytes)(const graph *g, uint32_t group, uint32_t cache_type);

    /* Bytes that a runner with these options will take; from shapes alone. */
    puna_status (*runner_bytes)(const graph *g, const device_options *options, uint64_t *bytes, puna_error *error);

    /* The graph and the weights must outlive the runner. */
    puna_status (*create)(const graph *g, const device_weights *weights, const device_options *options,
                          memory_account *account, device_runner **runner, puna_error *error);
    void (*destroy)(memory_account *account, device_runner *runner);

    /* An adapter of weights that graph's LINEARs take, a part each; sources as for load. */
    puna_status (*adapter_load)(const graph *g, const device_part *parts, uint32_t count, memory_account *account,
                                device_adapter **adapter, puna_error *error);
    void (*adapter_unload)(memory_account *account, device_adapter *adapter); /* NULL is allowed */

    /* Room for runs with this set; NULL: none will come, and the room is given back. PUNA_OUT_OF_MEMORY: as before. */
    puna_status (*adapt)(device_runner *runner, memory_account *account, const device_set *set, puna_error *error);

    /* Computes a batch: caches of its runs are extended, results are filled. */
    void (*run)(device_runner *runner, const device_batch *batch);

    /* A result of the last run, as graph_result says; valid until the next. NULL: it is not computed. */
    const float *(*result)(const device_runner *runner, graph_result which);

    /* A layer's (of graph->cache_layers) keys or values in plain order, whatever the packing of a page: a row a
       position, [kv head][dimension] of the cache's type; a head in Q8_0 is its int8 numbers, then a float scale for
       each 32 of them. Positions slot to slot + count - 1 of one page, [count][row_bytes]; of a recurrent layer, whose
       page holds one state, count is 1. Not while the runner runs. */
    size_t (*row_bytes)(const device_runner *runner, uint32_t layer, bool values);
    void (*rows_read)(const device_runner *runner, uint32_t layer, bool values, const uint8_t *page, uint32_t slot,
                      uint32_t count, uint8_t *rows);
    void (*rows_write)(const device_runner *runner, uint32_t layer, bool values, uint8_t *page, uint32_t slot,
                       uint32_t count, const uint8_t *rows);

    /* Takes the time of its runs from now on, from zero; false: no more, and the memory for it is given back.
       PUNA_OUT_OF_MEMORY: as it was. Not while the runner runs, as the next one. */
    puna_status (*watch)(device_runner *runner, memory_account *account, bool on, puna_error *error);
    const device_profile *(*watched)(const device_runner *runner); /* valid until the next run; NULL: it is not */

    /* The runner's threads, for what else an engine computes in parallel; NULL if it has none. */
    struct threads_pool *(*threads)(device_runner *runner);
} device;

const device *device_find(const char *name); /* "cpu"; NULL for one that this build lacks */

#endif
