// SPDX-License-Identifier: Apache-2.0
/*
 * GPT-NeoX and Pythia ("GPT-NeoX-20B", arXiv:2204.06745): LayerNorm, biases, part of each head turned by its position,
 * GELU in its exact form; attention and feed-forward read the same x, each through a norm of its own, unless the file
 * says that one follows the other.
 */
#include "model/decoder.h"

graph_value gptneox_logits(build *b) {
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h)};
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        graph_value y = graph_add(g, x, decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how));
        graph_value source = b->h->parallel ? x : y;
        x = graph_add(g, y, decoder_feed_plain(b, decoder_norm(b, source, i, "ffn_norm"), i, GRAPH_GELU_ERF));
    }
    return decoder_logits(b, x);
}
