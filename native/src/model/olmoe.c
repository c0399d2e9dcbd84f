// SPDX-License-Identifier: Apache-2.0
/*
 * OLMoE ("OLMoE: Open Mixture-of-Experts Language Models", arXiv:2409.02060): LLaMA's shape with experts in every
 * layer, whose weights are a softmax over all of them; queries and keys are normed over all their heads at once.
 */
#include "model/decoder.h"

static graph_value half(build *b, graph_value x, uint32_t layer) {
    graph_routing how = decoder_routing(b->h, GRAPH_SOFTMAX, false);
    return decoder_mixture(b, x, layer, how, graph_silu_mul);
}

graph_value olmoe_logits(build *b) {
    decoder_attention how = {.table = build_rope_table(b), .norm = DECODER_ROW_NORM, .scale = decoder_scale(b->h)};
    return decoder_with(b, how, 0, half);
}
