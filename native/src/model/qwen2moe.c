// SPDX-License-Identifier: Apache-2.0
/*
 * Qwen1.5-MoE and Qwen2-57B-A14B ("Qwen2 Technical Report", arXiv:2407.10671): Qwen2 with experts, whose weights are a
 * softmax over all of them, and a shared one behind a gate of its own. A layer without a router is Qwen2's.
 */
#include "model/decoder.h"

static graph_value half(build *b, graph_value x, uint32_t layer) {
    if (!build_has(b, "blk.%u.ffn_gate_inp.weight", layer)) return decoder_feed(b, x, layer, graph_silu_mul);
    graph_routing how = decoder_routing(b->h, GRAPH_SOFTMAX, false);
    return decoder_mixture(b, x, layer, how, graph_silu_mul);
}

graph_value qwen2moe_logits(build *b) {
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h)};
    return decoder_with(b, how, 0, half);
}
