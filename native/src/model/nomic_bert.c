// SPDX-License-Identifier: Apache-2.0
/*
 * Nomic Embed (arXiv:2402.01613): BERT's layers with rotary positions instead of learned ones and SwiGLU, without
 * biases but in the norms.
 */
#include "model/encoder.h"

static graph_value feed(build *b, graph_value x, uint32_t layer) { return decoder_feed(b, x, layer, graph_silu_mul); }

graph_value nomic_bert_logits(build *b) {
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h), .whole = true};
    graph_value x = encoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) x = encoder_layer(b, x, i, &how, feed);
    return encoder_finish(b, x, GRAPH_TANH);
}
