// SPDX-License-Identifier: Apache-2.0
/*
 * ModernBERT (arXiv:2412.13663): norms in front of attention and feed-forward, but for the first attention, whose input
 * is normed already; a gate of GELU (or what the file names); rotary positions. Of each three layers the first sees all
 * tokens, the others those within half a window to each side, turned by a base of their own.
 */
#include "model/encoder.h"

#define PERIOD 3

graph_value modernbert_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    decoder_attention how = {.scale = decoder_scale(h), .whole = true};
    uint32_t global = build_rope_table(b), local = h->window ? build_plain_rope_table(b, h->rope_base_local) : global;
    uint32_t period = h->window_period < HYPER_LISTED && h->window_period ? h->window_period : PERIOD;
    decoder_gate gate = h->gate_activation == HYPER_SILU ? graph_silu_mul : encoder_gelu_mul;
    graph_value x = encoder_embed(b);
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        bool windowed = h->window_period == HYPER_LISTED ? h->windowed[i] : i % period != 0;
        how.window = windowed ? h->window : 0;
        how.table = windowed ? local : global;
        graph_value n = build_has(b, "blk.%u.attn_norm.weight", i) ? decoder_norm(b, x, i, "attn_norm") : x;
        x = graph_add(g, x, decoder_attend(b, n, i, &how));
        x = graph_add(g, x, decoder_feed(b, decoder_norm(b, x, i, "ffn_norm"), i, gate));
    }
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_weight weight = build_vector(b, h->embedding, "output_norm.weight");
    graph_weight bias = build_optional_vector(b, h->embedding, "output_norm.bias");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return encoder_finish(b, graph_layer_norm(g, x, 1, weight, bias, h->norm_epsilon), GRAPH_GELU_ERF);
}
