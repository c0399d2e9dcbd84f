// SPDX-License-Identifier: Apache-2.0
/*
 * What encoder families have in common beside what they share with decoders (decoder.h): embeddings of token, type and
 * position under one norm, and what stands on the last layer. Names are llama.cpp's; where it has none, they are ours
 * (docs/models.md).
 */
#ifndef PUNA_MODEL_ENCODER_H
#define PUNA_MODEL_ENCODER_H

#include "model/decoder.h"

/* token_embd, plus token_types and position_embd where the file has them, normed by token_embd_norm. */
graph_value encoder_embed(build *b);

/* A layer of BERT's shape, norms behind the sums: x = norm(x + attend(x)), then norm(x + f), f = feed(x). */
typedef graph_value (*encoder_feed)(build *b, graph_value x, uint32_t layer);
graph_value encoder_layer(build *b, graph_value x, uint32_t layer, const decoder_attention *how, encoder_feed feed);

/* gelu(gate) * up, GELU in its exact form: a decoder_gate. */
graph_value encoder_gelu_mul(graph *g, graph_value gate, graph_value up);

/* From the last states to the results: GRAPH_HIDDEN is x; GRAPH_SCORES by cls and cls.output where the file has a
   classifier (of one token or, where the file says so, of the mean of all); the logits of a masked language model where
   it has mlm.dense, else GRAPH_ABSENT. `own`: what a classifier's first matrix is followed by unless the file says. */
graph_value encoder_finish(build *b, graph_value x, graph_activation own);

#endif
