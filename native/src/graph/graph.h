// SPDX-License-Identifier: Apache-2.0
/*
 * A model's computation, said once: a list of coarse ops over values.
 *
 * Invariants: single assignment (each value has one op that makes it); ops stand in an order in which they can run;
 * row counts are symbols, so that one graph serves every batch. Effects (STORE) are explicit and keep their order.
 *
 * A model file builds its graph with the functions below; they remember the first error, so that only graph_finish has
 * to be checked. The planner (plan.h) turns the graph into steps with buffers.
 */
#ifndef PUNA_GRAPH_GRAPH_H
#define PUNA_GRAPH_GRAPH_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"

typedef enum graph_rows { GRAPH_INPUT, GRAPH_TOKENS, GRAPH_OUTPUTS, GRAPH_PAIRS, GRAPH_NONE } graph_rows;

typedef enum graph_kind {
#define OP(NAME, text, inputs, rows, local) GRAPH_##NAME##_OP,
#include "graph/op.def"
#undef OP
    GRAPH_KINDS
} graph_kind;

/* GELU's form with tanh and its exact one; x / (1 + e^-x); max(x, 0) and its square; tanh; log(1 + e^x). */
typedef enum graph_activation { GRAPH_GELU, GRAPH_GELU_ERF, GRAPH_SILU, GRAPH_RELU,
    GRAPH_RELU_SQUARED, GRAPH_TANH, GRAPH_SOFTPLUS } graph_activation;

typedef struct graph_op_row {
    const char *name;
    uint32_t inputs;
    graph_rows rows;
    bool local;
} graph_op_row;

const graph_op_row *graph_op_find(graph_kind kind);

typedef uint32_t graph_value;  /* index of a value */
typedef uint32_t graph_weight; /* index of a weight */
#define GRAPH_ABSENT UINT32_MAX
#define GRAPH_INPUTS 2
#define GRAPH_MOST_EXPERTS 1024u
#define GRAPH_MOST_TAPS 16u
#define GRAPH_MOST_STATES (1u << 28) /* floats of a layer */

/* How a weight is used; one may be used in several ways (a tied embedding). */
enum { GRAPH_USE_MATRIX = 1, GRAPH_USE_ROWS = 2, GRAPH_USE_VECTOR = 4 };

typedef struct graph_weight_info {
    uint32_t tensor; /* the model's own number for where the bytes are */
    uint32_t type;   /* BLOCK_* */
    uint32_t rows, cols;
    uint32_t first_row; /* of the tensor's: several weights may share a tensor */
    uint32_t matrices;  /* that many of rows x cols, one below the other: experts, heads; 1 for most */
    uint32_t uses;
} graph_weight_info;

typedef struct graph_value_info {
    graph_rows rows; /* TOKENS, OUTPUTS or PAIRS */
    uint32_t width;  /* floats a row */
} graph_value_info;

/* Layers whose caches have the same shape share page lists: one group. Where queries see the keys behind them, too
   (whole), a sequence is computed in one step and its keys are needed for one layer at a time: such layers share one
   place. */
typedef struct graph_cache_layer {
    uint32_t group;
    uint32_t slot; /* number within the group */
} graph_cache_layer;

typedef struct graph_cache_group {
    uint32_t heads, dim_k, dim_v;
    uint32_t window; /* 0: all positions */
    uint32_t layers;
    bool whole;      /* queries see keys before and behind them; the window is half to each side */
    bool state;      /* no keys: what a recurrent layer keeps of all positions up to one, dim_k floats of a CONV and
                        dim_v of a SCAN, once a page; heads is 1, and window 2: who comes next needs the last page */
    bool source;     /* of the source's positions (graph.source) */
} graph_cache_group;

/* How a row of logits becomes a choice of experts (ROUTE); device/cpu/cpu_route.c has the sequence of operations. */
typedef enum graph_scoring {
    GRAPH_SOFTMAX,         /* of all logits */
    GRAPH_SOFTMAX_CHOSEN,  /* of those chosen alone */
    GRAPH_SIGMOID
} graph_scoring;

typedef struct graph_routing {
    graph_scoring scoring;
    uint32_t chosen;               /* experts a token */
    uint32_t groups, groups_chosen; /* experts come from the best groups alone; 0 or 1: from all */
    bool renormalize;              /* weights of the chosen add up to 1 */
    float scale;                   /* of the weights then; 0: none */
    graph_weight bias;             /* added for the choice, not to the weights; may be absent */
} graph_routing;

/* Shape of a selective scan: `heads` heads of `width` channels; each of `groups` groups of heads shares b and c, which
   are `states` numbers. Each channel has so many states. */
typedef struct graph_scanning {
    uint32_t heads, width, groups, states;
    bool each; /* steps, decays and skips are a channel's, not a head's; one group then */
} graph_scanning;

typedef struct graph_op {
    graph_kind kind;
    graph_value in[GRAPH_INPUTS];
    graph_value out;
    graph_weight weight; /* EMBED, POSITION, TYPE, LINEAR, RMS_NORM; LAYER_NORM: may be absent; CONV; SCAN: decays */
    graph_weight bias;   /* LINEAR, EXPERT_LINEAR, LAYER_NORM, CONV; ATTEND: sinks; SCAN: skips; may be absent */
    uint32_t layer;      /* STORE, ATTEND, CONV, SCAN: index into cache_layers */
    uint32_t table;      /* ROPE: index of the frequency table */
    uint32_t heads;      /* ROPE, ATTEND, norms, SLICE, JOIN, HEAD_LINEAR: heads in a row */
    uint32_t first;      /* POSITION: the row of position 0; SLICE: the first element */
    uint32_t experts;    /* ROUTE: of how many */
    graph_routing routing;
    graph_scanning scanning; /* SCAN */
    graph_activation activation;
    uint32_t dimension;  /* ROPE: of a head */
    bool interleaved;    /* ROPE: pairs (2i, 2i + 1) */
    float number;        /* norms: epsilon; SCALE: factor; ATTEND: scale; SOFTCAP: cap */
    float softcap;       /* ATTEND: 0 is none */
    float low, high;     /* CLAMP; `number` is added */
    bool sloped;         /* ATTEND: by graph.slopes */
    graph_weight relative; /* ATTEND: [buckets][heads], added to scores by distance; may be absent */
    uint32_t reach;      /* ATTEND: the distance from which on all keys have the last bucket */
    bool both;           /* ATTEND: half of the buckets are of keys behind the query */
    bool cross;          /* ATTEND: the keys are the source's */
    bool source;         /* of the part that reads the source */
    bool fine;           /* LINEAR: quantized activations in two terms (graph_linear_fine) */
} graph_op;

typedef struct graph_table {
    float *frequencies; /* [count] */
    uint32_t count;     /* rotated / 2 */
    uint32_t original;  /* frequencies[count ...] instead for contexts longer than that; UINT32_MAX: never */
    float magnitude;    /* cosines and sines are multiplied by it (yarn); 1 for most */
} graph_table;

/* What a graph computes; a plan computes those that are asked for. */
typedef enum graph_result {
    GRAPH_LOGITS, /* [outputs, vocabulary] */
    GRAPH_HIDDEN, /* [tokens, width]: each token's last state, what embeddings are made of */
    GRAPH_SCORES, /* [outputs, labels]: a classifier's, of one token of a sequence */
    GRAPH_RESULTS
} graph_result;

typedef struct graph {
    memory_account *account;
    graph_op *ops;
    uint32_t op_count;
    graph_value_info *values;
    uint32_t value_count;
    graph_weight_info *weights;
    uint32_t weight_count;
    graph_cache_layer *cache_layers;
    uint32_t cache_layer_count;
    graph_cache_group *groups;
    uint32_t group_count;
    graph_table *tables;
    uint32_t table_count;
    float *slopes;      /* [slope_count] of ALiBi, one a head: the same in every layer; NULL: none */
    uint32_t slope_count;
    uint32_t chosen;    /* experts a token goes to, the same in every layer; 0: no experts */
    uint32_t most_positions; /* of a sequence, where a table of positions ends; UINT32_MAX: no table */
    bool recurrent;     /* a layer has states: what was computed serves where it ends, or at a page's end */
    bool whole;         /* queries see what follows them: a sequence is one step's, and its keys last no longer */
    bool source;        /* an encoder-decoder: some ops read a source, a text of its own, whole; what they store in
                           groups of the source's positions is what the others attend to. A plan has either part */
    bool in_source;     /* while building: ops are of that part */
    graph_value results[GRAPH_RESULTS]; /* GRAPH_ABSENT: it has none such */
    puna_status status; /* the first failure while building */
    puna_error error;
} graph;

void graph_init(graph *g, memory_account *account);
void graph_free(graph *g);

/* Declarations. `tensor` is the model's own number, given back in weights[].tensor. */
graph_weight graph_add_weight(graph *g, uint32_t tensor, uint32_t type, uint32_t rows, uint32_t cols);

/* The same of a tensor's rows from first_row on: one matrix of several (q, k and v in one tensor). Of a vector (a bias,
   rows 1) first_row counts elements. */
graph_weight graph_add_slice(graph *g, uint32_t tensor, uint32_t type, uint32_t first_row, uint32_t rows,
                             uint32_t cols);
uint32_t graph_add_cache_layer(graph *g, uint32_t heads, uint32_t dim_k, uint32_t dim_v, uint32_t window);
uint32_t graph_add_whole_layer(graph *g, uint32_t heads, uint32_t dim_k, uint32_t dim_v, uint32_t window);

/* A recurrent layer's place: for a CONV of `channels` with `taps` inputs each, and for a SCAN (NULL: none). */
uint32_t graph_add_state_layer(graph *g, uint32_t channels, uint32_t taps, const graph_scanning *scan);

/* Keys and values of a source, made by its part of the graph, read by the other one. That part's own attention may use
   the layer as its place before it is filled. */
uint32_t graph_add_source_layer(graph *g, uint32_t heads, uint32_t dim_k, uint32_t dim_v);

/* What is built between the two reads the source: a run is a whole text. The halves share weights alone. */
void graph_begin_source(graph *g);
void graph_end_source(graph *g);
uint32_t graph_add_table(graph *g, const float *frequencies, uint32_t count, float magnitude); /* copied */

/* Of two sets of frequencies, [2][count]: the second for engines whose context is longer than `original`. */
uint32_t graph_add_long_table(graph *g, const float *frequencies, uint32_t count, float magnitude, uint32_t original);
void graph_set_slopes(graph *g, const float *slopes, uint32_t count); /* copied */

/* A tensor of several matrices of rows x cols. */
graph_weight graph_add_matrices(graph *g, uint32_t tensor, uint32_t type, uint32_t matrices, uint32_t rows,
                                uint32_t cols);

/* Ops. bias may be GRAPH_ABSENT. */
graph_value graph_embed(graph *g, graph_weight table);
graph_value graph_position(graph *g, graph_weight table, uint32_t first); /* position p: row first + p */
graph_value graph_type(graph *g, graph_weight table); /* by token type; a batch's types lie within the table */
graph_value graph_linear(graph *g, graph_value x, graph_weight weight, graph_weight bias);

/* y = W x for where rounding shows most, the output matrix: quantized activations are taken in two terms, x = x1 + x2
   with x2 what the rounding of x1 left (docs/numerics.md, rule 2). Float weights: as graph_linear. */
graph_value graph_linear_fine(graph *g, graph_value x, graph_weight weight, graph_weight bias);
graph_value graph_rms_norm(graph *g, graph_value x, graph_weight weight, float epsilon);

/* Each of the `heads` parts of a row is normed for itself, with the same weight or, of a [heads, part], its own. */
graph_value graph_rms_norm_heads(graph *g, graph_value x, uint32_t heads, graph_weight weight, float epsilon);

/* Weights of all heads one after the other, or one head's for each; both weights may be absent. */
graph_value graph_layer_norm(graph *g, graph_value x, uint32_t heads, graph_weight weight, graph_weight bias,
                             float epsilon);
graph_value graph_activate(graph *g, graph_value x, graph_activation f);
graph_value graph_rope(graph *g, graph_value x, uint32_t heads, uint32_t dimension, bool interleaved, uint32_t table);
void graph_store(graph *g, graph_value k, graph_value v, uint32_t layer);
graph_value graph_attend(graph *g, graph_value q, uint32_t heads, float scale, float softcap, uint32_t layer);

/* Of the attention that was just added: a sink a head (a vector; GRAPH_ABSENT: none), slopes. */
void graph_attend_more(graph *g, graph_value attended, graph_weight sinks, bool sloped);

/* Of the attention that was just added: relative positions in buckets (T5: Raffel et al., arXiv:1910.10683). A key at
   distance n has the bucket n where n is less than half of the buckets; the other half are of distances that grow by
   equal factors up to `reach`. both: keys behind the query have buckets of their own, half of all. weight:
   [buckets][heads]. */
void graph_attend_relative(graph *g, graph_value attended, graph_weight weight, uint32_t reach, bool both);

/* The bucket of the key at `distance` (key's position - query's). */
uint32_t graph_bucket(int64_t distance, uint32_t buckets, uint32_t reach, bool both);
graph_value graph_silu_mul(graph *g, graph_value gate, graph_value up);
graph_value graph_gelu_mul(graph *g, graph_value gate, graph_value up);
graph_value graph_multiply(graph *g, graph_value a, graph_value b); /* element by element */
graph_value graph_add(graph *g, graph_value a, graph_value b);
graph_value graph_scale(graph *g, graph_value a, float factor);
graph_value graph_softcap(graph *g, graph_value a, float cap); /* cap above 0 */
graph_value graph_clamp(graph *g, graph_value a, float low, float high, float plus); /* low may be -INFINITY */
graph_value graph_gate(graph *g, graph_value a, graph_value b);
graph_value graph_slice(graph *g, graph_value a, uint32_t heads, uint32_t first, uint32_t count);
graph_value graph_join(graph *g, graph_value a, graph_value b, uint32_t heads);
graph_value graph_select(graph *g, graph_value a);

/* Recurrent layers. weight: [channels, taps]; the layer is one of graph_add_state_layer's, for these shapes. */
graph_value graph_conv(graph *g, graph_value x, graph_weight weight, graph_weight bias, uint32_t layer);

/* xbc: a row's heads of x, then b, then c of each group. steps: above 0, one a head or a channel. decay: one a head, or
   [channels, states]; skip: one a head or channel, may be absent. Gives as many numbers as x has. */
graph_value graph_scan(graph *g, graph_value xbc, graph_value steps, const graph_scanning *how, graph_weight decay,
                       graph_weight skip, uint32_t layer);
graph_value graph_pool(graph *g, graph_value a); /* of a whole sequence, where the graph is whole */

/* Mixtures of experts. logits: one an expert. The pairs' rows are sorted by expert; whatever works row by row may work
   on them. bias: a row an expert, [matrices][rows], may be absent. */
graph_value graph_route(graph *g, graph_value logits, const graph_routing *how);
graph_value graph_expert_linear(graph *g, graph_value x, graph_value routing, graph_weight weight, graph_weight bias);
graph_value graph_mix(graph *g, graph_value routing, graph_value pairs);

/* Part h of a row by matrix h of the weight, which has `heads` of them. */
graph_value graph_head_linear(graph *g, graph_value x, graph_weight weight);

/* Names a result. */
void graph_set_result(graph *g, graph_result which, graph_value value);

/* Names the logits (GRAPH_ABSENT: there are none, but another result) and says whether everything above fitted. */
puna_status graph_finish(graph *g, graph_value logits, puna_error *error);

#endif
