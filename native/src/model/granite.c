// SPDX-License-Identifier: Apache-2.0
/*
 * Granite 3 (IBM): LLaMA's shape with four factors of its own, for the embeddings, for what each half layer adds, for
 * the scores, and a divisor of the logits (the "power scheduler" of arXiv:2408.13359 keeps learning rates by them).
 * Granite 3's "granitemoe" has experts, weighed by a softmax over those chosen alone, and some a shared one. Most
 * layers of Granite 4's "granitehybrid" are Mamba 2's instead of attention, and positions may turn nothing.
 */
#include "model/recurrent.h"

static graph_value scaled(build *b, graph_value x, float factor) {
    return factor > 0 && b->status == PUNA_OK ? graph_scale(b->g, x, factor) : x;
}

static graph_value half(build *b, graph_value x, uint32_t layer) {
    if (b->h->experts.count == 0) return decoder_feed(b, x, layer, graph_silu_mul);
    return decoder_mixture(b, x, layer, decoder_routing(b->h, GRAPH_SOFTMAX_CHOSEN, false), graph_silu_mul);
}

graph_value granite_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    decoder_attention how = {.table = h->turns ? build_rope_table(b) : GRAPH_ABSENT, .interleaved = true,
                             .scale = h->score_scale > 0 ? h->score_scale : decoder_scale(h)};
    graph_value x = scaled(b, decoder_embed(b), h->embedding_scale);
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        graph_value y = decoder_norm(b, x, i, "attn_norm");
        y = h->recurs[i] ? recurrent_mamba2(b, y, i) : decoder_attend(b, y, i, &how);
        x = graph_add(g, x, scaled(b, y, h->residual_scale));
        y = half(b, decoder_norm(b, x, i, "ffn_norm"), i);
        x = graph_add(g, x, scaled(b, y, h->residual_scale));
    }
    return scaled(b, decoder_logits(b, x), h->logit_scale > 0 ? 1.0f / h->logit_scale : 0.0f);
}
