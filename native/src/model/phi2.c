// SPDX-License-Identifier: Apache-2.0
/*
 * Phi-1.5 and Phi-2 ("Textbooks Are All You Need II", arXiv:2309.05463): one LayerNorm for attention and feed-forward,
 * which read the same x; biases everywhere, the output matrix's included; part of each head is turned; GELU's form with
 * tanh.
 */
#include "model/decoder.h"

graph_value phi2_logits(build *b) {
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h)};
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        graph_value n = decoder_norm(b, x, i, "attn_norm");
        x = graph_add(g, x, decoder_attend(b, n, i, &how));
        x = graph_add(g, x, decoder_feed_plain(b, n, i, GRAPH_GELU));
    }
    return decoder_logits(b, x);
}
