// SPDX-License-Identifier: Apache-2.0
/*
 * GPT-2 (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019): learned positions added to the
 * embeddings, LayerNorm before attention and feed-forward, biases everywhere, GELU's form with tanh.
 */
#include "model/decoder.h"

graph_value gpt2_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    decoder_attention how = {.table = GRAPH_ABSENT, .scale = decoder_scale(h)};
    graph_weight positions = build_matrix(b, h->context_length, h->embedding, "position_embd.weight");
    graph_value x = decoder_embed(b);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    x = graph_add(g, x, graph_position(g, positions, 0));
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        x = graph_add(g, x, decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how));
        x = graph_add(g, x, decoder_feed_plain(b, decoder_norm(b, x, i, "ffn_norm"), i, GRAPH_GELU));
    }
    return decoder_logits(b, x);
}
