// SPDX-License-Identifier: Apache-2.0
/*
 * Qwen3-30B-A3B and its relations ("Qwen3 Technical Report", arXiv:2505.09388): Qwen3 with experts; the weights of the
 * chosen ones add up to 1, unless the file says otherwise. A layer without a router is Qwen3's.
 */
#include "model/decoder.h"

static graph_value half(build *b, graph_value x, uint32_t layer) {
    if (!build_has(b, "blk.%u.ffn_gate_inp.weight", layer)) return decoder_feed(b, x, layer, graph_silu_mul);
    graph_routing how = decoder_routing(b->h, GRAPH_SOFTMAX, !b->h->experts.as_they_are);
    return decoder_mixture(b, x, layer, how, graph_silu_mul);
}

graph_value qwen3moe_logits(build *b) {
    decoder_attention how = {.table = build_rope_table(b), .norm = DECODER_HEAD_NORM, .scale = decoder_scale(b->h)};
    return decoder_with(b, how, 0, half);
}
