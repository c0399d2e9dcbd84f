// SPDX-License-Identifier: Apache-2.0
/*
 * Nemotron-4 and Minitron ("Nemotron-4 15B Technical Report", arXiv:2402.16819): LayerNorm, the square of ReLU
 * without a gate, part of each head turned. Norm weights in GGUF files have their 1 added already.
 */
#include "model/decoder.h"

static graph_value half(build *b, graph_value x, uint32_t layer) {
    return decoder_feed_plain(b, x, layer, GRAPH_RELU_SQUARED);
}

graph_value nemotron_logits(build *b) {
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h)};
    return decoder_with(b, how, 0, half);
}
