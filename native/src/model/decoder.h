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
    bool sloped;         /* farther keys score less (decoder_slopes) */
    bool sinks;          /* attn_sinks: a score a head that takes its share and gives nothing */
    bool whole;          /* tokens see those behind them, too: an encoder; the file may say so of any family */
} decoder_attention;

/* The usual scale: 1 / sqrt(width of a head). */
float decoder_scale(const hyper *h);

/* The family's norm, RMSNorm or LayerNorm (hyper.layer_norm), with blk.LAYER.NAME.weight and, of a LayerNorm, .bias
   where the file has it. */
graph_value decoder_norm(build *b, graph_value x, uint32_t layer, const char *name);

/* The slopes of ALiBi (Press et al., arXiv:2108.12409) for the file's heads, whose largest exponent is `most`. */
void decoder_slopes(build *b, float most);

/* Queries, keys and values of x, which is normed already, by attn_q, attn_k and attn_v or by attn_qkv, which holds the
   three one below the other; their mixture through attn_output. Nothing is added to it. */
graph_value decoder_attend(build *b, graph_value x, uint32_t layer, const decoder_attention *how);

/* down(gate(x) * up(x)) of x, which is normed already. combine: graph_silu_mul or graph_gelu_mul. Without ffn_gate the
   gate is the upper half of ffn_up. */
typedef graph_value (*decoder_gate)(graph *g, graph_value gate, graph_value up);
graph_value decoder_feed(build *b, graph_value x, uint32_t layer, decoder_gate combine);

/* down(f(up(x))): without a gate. */
graph_value decoder_feed_plain(build *b, graph_value x, uint32_t layer, graph_activation f);

/* A mixture of experts, with those that every token goes to where the file has them: ffn_gate_inp chooses (by
   exp_probs_b, too), ffn_gate_exps, ffn_up_exps and ffn_down_exps are the experts, all with biases where the file has
   them; ffn_*_shexp is the shared one, gated by ffn_gate_inp_shexp where the file has it. combine as above. routing:
   how experts are chosen; its bias is filled in here. */
graph_value decoder_mixture(build *b, graph_value x, uint32_t layer, graph_routing routing, decoder_gate combine);

/* The metadata's routing: scoring where the metadata name none, and whether the chosen weights add up to 1. */
graph_routing decoder_routing(const hyper *h, graph_scoring scoring, bool renormalize);

/* Products of x by blk.LAYER.NAME, with its bias where the file has one. */
graph_value decoder_linear(build *b, graph_value x, uint32_t rows, uint32_t cols, uint32_t layer, const char *name);

/* Rows of token_embd. */
graph_value decoder_embed(build *b);

/* From the last layer to the logits: output_norm, then output (and its bias) or, where the file has none, the
   embedding. The normed states are what texts' vectors are made of (GRAPH_HIDDEN). */
graph_value decoder_logits(build *b, graph_value x);
graph_value decoder_logits_by(build *b, graph_value x, const char *last_norm); /* where it has another name */

/* What a layer's second half adds: a feed-forward network, a mixture of experts. */
typedef graph_value (*decoder_half)(build *b, graph_value x, uint32_t layer);

/* The output matrix, for rows that are normed and selected already. */
graph_value decoder_project(build *b, graph_value x);

/* A whole decoder of LLaMA's shape, pre-norm: x + attend(norm(x)), then x + half(norm(x)). how->window is set layer by
   layer, default_period as in hyper_window. */
graph_value decoder_with(build *b, decoder_attention how, uint32_t default_period, decoder_half half);

/* The same with SwiGLU. */
graph_value decoder_whole(build *b, decoder_attention how, uint32_t default_period);

#endif
