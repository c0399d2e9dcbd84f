// SPDX-License-Identifier: Apache-2.0
/*
 * Jina Embeddings 2 (arXiv:2310.19923): BERT's layers; no positions, but scores that fall with the distance to either
 * side (ALiBi, arXiv:2108.12409, symmetric); a gate of GELU; some norm queries and keys, or add the layer's input
 * twice.
 */
#include "model/encoder.h"

#include <stdio.h>

#define MOST_BIAS 8.0f

static graph_value feed(build *b, graph_value x, uint32_t layer) {
    bool gated = build_has(b, "blk.%u.ffn_gate.weight", layer);
    if (!gated && b->status == PUNA_OK) {
        char name[64];
        snprintf(name, sizeof name, "blk.%u.ffn_up.weight", layer);
        gated = build_tensor_rows(b, name) != b->h->feed_forward; /* the gate is its first half */
    }
    return gated ? decoder_feed(b, x, layer, encoder_gelu_mul) : decoder_feed_plain(b, x, layer, GRAPH_GELU_ERF);
}

graph_value jina_bert_logits(build *b) {
    decoder_attention how = {.table = GRAPH_ABSENT, .scale = decoder_scale(b->h), .whole = true, .sloped = true};
    if (build_has(b, "blk.0.attn_q_norm.weight")) how.norm = DECODER_ROW_NORM;
    decoder_slopes(b, MOST_BIAS);
    graph_value x = encoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) x = encoder_layer(b, x, i, &how, feed);
    return encoder_finish(b, x, GRAPH_TANH);
}
