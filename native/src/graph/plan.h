// SPDX-License-Identifier: Apache-2.0
/*
 * The planner: a graph becomes a list of steps with buffers assigned, cut into phases between which threads wait.
 *
 * What it does, in order: a residual addition joins the product before it; a product over quantized weights gets its
 * input quantized, once for all products that share it; neighbours that work row by row share a phase, as do products
 * that share an input, and what is done to their results element by element; buffers whose lives do not meet share
 * memory. None of it changes a result: with fusion and reuse off the same bits come out (tests hold it to that). Ops
 * that no wanted result needs are left out; effects stay.
 *
 * What an adapter adds (device.h) joins a product's result last: behind the bias and behind a residual that the product
 * could take over, whether it does or not. So a step says whose adapters it applies to what it made, and from which
 * floats: the product's own input, which is read between the phase before and the step's own.
 *
 * Mixtures of experts: after each ROUTE a SORT puts the pairs (token, rank of an expert among the token's) in the
 * order of experts, tokens, ranks. An order is u32 [experts + 1] the first pair of each expert, [experts] those that
 * have any, [1] how many have, [pairs] the pair's number token * chosen + rank, [pairs] each number's place. What is
 * quantized for experts lies expert by expert, each one's columns by themselves.
 *
 * Invariant: two buffers whose phases overlap do not overlap in memory, but for a value that is updated in place.
 */
#ifndef PUNA_GRAPH_PLAN_H
#define PUNA_GRAPH_PLAN_H

#include "graph/graph.h"

typedef uint32_t plan_buffer; /* index; PLAN_NO_BUFFER: none */
#define PLAN_NO_BUFFER UINT32_MAX

typedef struct plan_buffer_info {
    graph_rows rows;
    uint32_t width;   /* floats, or quantized numbers, a row */
    bool quantized;   /* int8 columns with scales and sums */
    bool doubled;     /* twice the rows: the two terms of a fine product */
    uint32_t extra;   /* floats beside the rows */
    uint32_t first, last; /* phases of its life */
    size_t offset;    /* bytes from the arena's begin, a multiple of 64 */
    size_t bytes;
} plan_buffer_info;

typedef struct plan_step {
    const graph_op *op;   /* for QUANTIZE: NULL */
    graph_kind kind;
    graph_rows rows;      /* what it iterates over */
    plan_buffer in[GRAPH_INPUTS];
    plan_buffer out;
    plan_buffer residual; /* LINEAR: what is added. A fine QUANTIZE: floats for what the first term left */
    plan_buffer order;    /* SORT: what it makes; steps on PAIRS and MIX: what they go by */
    const graph_op *adapted; /* the LINEAR whose adapters join what the step made; NULL: none do */
    plan_buffer plain;    /* then: its input as floats */
    uint32_t slot;        /* then: its number among those of the phase */
    bool spread;          /* QUANTIZE: rows of pairs from those of their tokens */
    bool fine;            /* QUANTIZE, LINEAR: in two terms, first those of all rows, then the second ones */
} plan_step;

typedef struct plan_phase {
    uint32_t first, count; /* steps */
    graph_rows rows;
    bool local;            /* steps run one after the other on each row; else they are products or one attention */
    uint32_t by_columns;   /* of the steps, behind products: see plan_step_by_columns */
    uint32_t adapted;      /* steps that apply adapters */
} plan_phase;

typedef struct plan_options {
    uint32_t max_tokens, max_outputs; /* rows that buffers hold */
    bool fuse, reuse;
    bool (*quantizes)(uint32_t type); /* whether products with weights of this type take int8 activations */
    uint32_t results; /* 1 << GRAPH_LOGITS ...: what is computed, of what the graph has; 0: its logits */
    bool source;      /* the part of the graph that reads the source, which has effects alone; else the other one */
} plan_options;

typedef struct plan {
    memory_account *account;
    plan_step *steps;
    uint32_t step_count;
    plan_phase *phases;
    uint32_t phase_count;
    plan_buffer_info *buffers;
    uint32_t buffer_count;
    uint32_t most_adapted; /* steps of a phase that apply adapters */
    plan_buffer results[GRAPH_RESULTS]; /* read after the run; PLAN_NO_BUFFER: not computed */
    uint32_t chosen; /* experts a token: PAIRS has that many rows for each */
    size_t arena_bytes;
} plan;

/* The unit of columns in which a phase with steps by columns is computed: a group of quantized numbers. */
#define PLAN_COLUMNS 32u

/* Whether PLAN_COLUMNS columns of the step's result need only these columns of its inputs, in any row. Such steps may
   join the products that make their inputs, if all of these are equally wide, a multiple of PLAN_COLUMNS: who has
   computed some columns of the products goes on with them while they are near. */
bool plan_step_by_columns(const plan_step *s);

/* The graph must outlive the plan. */
puna_status plan_create(const graph *g, const plan_options *options, memory_account *account, plan *out,
                        puna_error *error);
void plan_free(plan *p);

/* Bytes of one row of `width` quantized numbers: a group of 32 has its int8, a scale, a scaled sum, a sum, and a sum by
   lanes of each half (device/cpu/columns.h). */
enum { PLAN_QUANTIZED_GROUP_BYTES = 32 + 5 * 4 };
size_t plan_quantized_row_bytes(uint32_t width);

#endif
