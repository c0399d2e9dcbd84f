// SPDX-License-Identifier: Apache-2.0
/*
 * gpt-oss ("gpt-oss-120b & gpt-oss-20b Model Card", arXiv:2508.10925): every other layer has a window; each head has a
 * sink; experts have biases, their weights are a softmax over those chosen alone; gate and up are clamped:
 * (up + 1) * gate * sigmoid(1.702 gate). Its yarn has whole numbers nowhere (hyper_yarn.exact).
 */
#include "model/decoder.h"

#include <math.h>

#define PERIOD 2
#define LIMIT 7.0f
#define STEEP 1.702f

/* gate * sigmoid(a * gate) is silu(a * gate) / a. */
static graph_value clamped(graph *g, graph_value gate, graph_value up) {
    gate = graph_scale(g, graph_clamp(g, gate, -INFINITY, LIMIT, 0.0f), STEEP);
    up = graph_clamp(g, up, -LIMIT, LIMIT, 1.0f);
    return graph_scale(g, graph_silu_mul(g, gate, up), 1.0f / STEEP);
}

graph_value gpt_oss_logits(build *b) {
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h), .sinks = true};
    graph_routing routing = decoder_routing(b->h, GRAPH_SOFTMAX_CHOSEN, false);
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        how.window = hyper_window(b->h, i, PERIOD);
        x = graph_add(g, x, decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how));
        x = graph_add(g, x, decoder_mixture(b, decoder_norm(b, x, i, "post_attention_norm"), i, routing, clamped));
    }
    return decoder_logits(b, x);
}
