// SPDX-License-Identifier: Apache-2.0
/*
 * MPT (MosaicML, 2023): no positions but slopes, which let farther keys score less; LayerNorm without biases before
 * attention and feed-forward, GELU in its exact form. Some clamp queries, keys and values.
 */
#include "model/decoder.h"

graph_value mpt_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    decoder_attention how = {.table = GRAPH_ABSENT, .scale = decoder_scale(h), .sloped = h->alibi > 0};
    if (how.sloped) decoder_slopes(b, h->alibi);
    graph_value x = decoder_embed(b);
    if (build_has(b, "position_embd.weight")) {
        graph_weight positions = build_matrix(b, h->context_length, h->embedding, "position_embd.weight");
        if (b->status == PUNA_OK) x = graph_add(g, x, graph_position(g, positions, 0));
    }
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        x = graph_add(g, x, decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how));
        x = graph_add(g, x, decoder_feed_plain(b, decoder_norm(b, x, i, "ffn_norm"), i, GRAPH_GELU_ERF));
    }
    return decoder_logits(b, x);
}
