// SPDX-License-Identifier: Apache-2.0
/* Mixtures of experts, as decoder.h says them. */
#include "model/decoder.h"

graph_routing decoder_routing(const hyper *h, graph_scoring scoring, bool renormalize) {
    static const graph_scoring named[] = {[HYPER_GATING_SOFTMAX] = GRAPH_SOFTMAX,
                                          [HYPER_GATING_SIGMOID] = GRAPH_SIGMOID,
                                          [HYPER_GATING_CHOSEN] = GRAPH_SOFTMAX_CHOSEN};
    const hyper_experts *e = &h->experts;
    if (e->says_renormalize) renormalize = e->renormalize;
    return (graph_routing){.scoring = e->gating ? named[e->gating] : scoring, .chosen = e->chosen, .groups = e->groups,
                           .groups_chosen = e->groups_chosen, .renormalize = renormalize, .scale = e->scale,
                           .bias = GRAPH_ABSENT};
}

static graph_value experts(build *b, graph_value x, graph_value routing, uint32_t rows, uint32_t cols, uint32_t layer,
                           const char *name) {
    uint32_t count = b->h->experts.count;
    graph_weight weight = build_matrices(b, count, rows, cols, "blk.%u.%s.weight", layer, name);
    graph_weight bias = build_optional_matrix(b, count, rows, "blk.%u.%s.bias", layer, name);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return graph_expert_linear(b->g, x, routing, weight, bias);
}

static graph_value routed(build *b, graph_value x, uint32_t layer, graph_routing how, decoder_gate combine) {
    const hyper *h = b->h;
    const uint32_t width = h->experts.feed_forward;
    graph_value logits = decoder_linear(b, x, h->experts.count, h->embedding, layer, "ffn_gate_inp");
    how.bias = build_optional_vector(b, h->experts.count, "blk.%u.exp_probs_b.bias", layer);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_value routing = graph_route(b->g, logits, &how), gate, up;
    if (build_has(b, "blk.%u.ffn_gate_up_exps.weight", layer)) {
        graph_value both = experts(b, x, routing, 2 * width, h->embedding, layer, "ffn_gate_up_exps");
        if (b->status != PUNA_OK) return GRAPH_ABSENT;
        gate = graph_slice(b->g, both, 1, 0, width);
        up = graph_slice(b->g, both, 1, width, width);
    } else {
        gate = experts(b, x, routing, width, h->embedding, layer, "ffn_gate_exps");
        up = experts(b, x, routing, width, h->embedding, layer, "ffn_up_exps");
    }
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_value down = experts(b, combine(b->g, gate, up), routing, h->embedding, width, layer, "ffn_down_exps");
    return b->status == PUNA_OK ? graph_mix(b->g, routing, down) : GRAPH_ABSENT;
}

static graph_value shared(build *b, graph_value x, uint32_t layer, decoder_gate combine) {
    const hyper *h = b->h;
    const hyper_experts *e = &h->experts;
    uint32_t width = e->shared_feed_forward ? e->shared_feed_forward : e->shared * e->feed_forward;
    if (width == 0) width = h->feed_forward;
    graph_value gate = decoder_linear(b, x, width, h->embedding, layer, "ffn_gate_shexp");
    graph_value up = decoder_linear(b, x, width, h->embedding, layer, "ffn_up_shexp");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_value y = decoder_linear(b, combine(b->g, gate, up), h->embedding, width, layer, "ffn_down_shexp");
    if (!build_has(b, "blk.%u.ffn_gate_inp_shexp.weight", layer)) return y;
    graph_value open = decoder_linear(b, x, 1, h->embedding, layer, "ffn_gate_inp_shexp");
    return b->status == PUNA_OK ? graph_gate(b->g, y, open) : GRAPH_ABSENT;
}

graph_value decoder_mixture(build *b, graph_value x, uint32_t layer, graph_routing routing, decoder_gate combine) {
    graph_value y = routed(b, x, layer, routing, combine);
    if (!build_has(b, "blk.%u.ffn_up_shexp.weight", layer)) return y;
    graph_value always = shared(b, x, layer, combine);
    return b->status == PUNA_OK ? graph_add(b->g, y, always) : GRAPH_ABSENT;
}
