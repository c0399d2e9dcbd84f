// SPDX-License-Identifier: Apache-2.0
/*
 * What decoder families have in common: grouped-query attention with rotary positions, a gated feed-forward network,
 * the embedding and the output matrix. A family's file says in which order, between which norms and sums.
 *
 * Tensors are named as llama.cpp names them; biases are used where the file has them. Like all of a build, these
 * remember the first error; values made after it are GRAPH_ABSENT and harmless.
 */
#ifndef PUNA_MODEL_DECODER_H
#define PUNA_MODEL_DECODER_H

#include "model/build.h"

/* How queries and keys are normed, by attn_q_norm and attn_k_norm: not, head by head with the same weights, head by
   head with each head's own, or all heads as one row. */
typedef enum decoder_query_norm {
    DECODER_NO_NORM,
    DECODER_HEAD_NORM,
    DECODER_OWN_NORM,
    DECODER_ROW_NORM
} decoder_query_norm;

/* How a layer attends. */
typedef struct decoder_attention {
    uint32_t table;      /* of rotary frequencies; GRAPH_ABSENT: positions turn nothing */
    bool interleaved;    /* rotary pairs (2i, 2i + 1); else halves */
    decoder_query_norm norm;
    uint32_t window;     /* 0: none */
    float scale;         /* of scores */
    float softcap;       /* of scores; 0: none */
    bool whole;          /* tokens see those behind them, too: an encoder; the file may say so of any family */
} decoder_attention;

/* The usual scale: 1 / sqrt(width of a head). */
float decoder_scale(const hyper *h);

/* The family's norm, RMSNorm or LayerNorm (hyper.layer_norm), with blk.LAYER.NAME.weight and, of a LayerNorm, .bias
   where the file has it. */
graph_value decoder_norm(build *b, graph_value x, uint32_t layer, const char *name);

/* Queries, keys and values of x, which is normed already, by attn_q, attn_k and attn_v or by attn_qkv, which holds the
   three one below the other; their mixture through attn_output. Nothing is added to it. */
graph_value decoder_attend(build *b, graph_value x, uint32_t layer, const decoder_attention *how);

/* down(gate(x) * up(x)) of x, which is normed already. combine: graph_silu_mul or graph_gelu_mul. Without ffn_gate the
   gate is the upper half of ffn_up. */
typedef graph_value (*decoder_gate)(graph *g, graph_value gate, graph_value up);
graph_value decoder_feed(build *b, graph_value x, uint32_t layer, decoder_gate combine);

/* down(f(up(x))): without a gate. */
graph_value decoder_feed_plain(build *b, graph_value x, uint32_t layer, graph_activation f);

/* Rows of token_embd. */
graph_value decoder_embed(build *b);

/* From the last layer to the logits: output_norm, then output (and its bias) or, where the file has none, the
   embedding. The normed states are what texts' vectors are made of (GRAPH_HIDDEN). */
graph_value decoder_logits(build *b, graph_value x);

/* A whole decoder of LLaMA's shape, pre-norm with SwiGLU: x + attend(norm(x)), then x + feed(norm(x)). how->window is
   set layer by layer, default_period as in hyper_window. */
graph_value decoder_whole(build *b, decoder_attention how, uint32_t default_period);

#endif
