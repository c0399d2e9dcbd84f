// SPDX-License-Identifier: Apache-2.0
/*
 * OLMo, the first one ("OLMo: Accelerating the Science of Language Models", arXiv:2402.00838): LLaMA's shape with
 * LayerNorms that have no weights; some clamp queries, keys and values.
 */
#include "model/decoder.h"

static graph_value bare(build *b, graph_value x) {
    return b->status == PUNA_OK ? graph_layer_norm(b->g, x, 1, GRAPH_ABSENT, GRAPH_ABSENT, b->h->norm_epsilon)
                                : GRAPH_ABSENT;
}

graph_value olmo_logits(build *b) {
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .interleaved = true, .scale = decoder_scale(b->h)};
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        x = graph_add(g, x, decoder_attend(b, bare(b, x), i, &how));
        x = graph_add(g, x, decoder_feed(b, bare(b, x), i, graph_silu_mul));
    }
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_set_result(g, GRAPH_HIDDEN, bare(b, x));
    return decoder_project(b, bare(b, graph_select(g, x)));
}
