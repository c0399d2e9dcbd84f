// SPDX-License-Identifier: Apache-2.0
/*
 * StarCoder 2 ("StarCoder 2 and The Stack v2", arXiv:2402.19173): grouped queries, LayerNorm, biases, GELU's form with
 * tanh, no gate. A window, where the file names one, holds for every layer.
 */
#include "model/decoder.h"

graph_value starcoder2_logits(build *b) {
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h)};
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        how.window = hyper_window(b->h, i, 0);
        x = graph_add(g, x, decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how));
        x = graph_add(g, x, decoder_feed_plain(b, decoder_norm(b, x, i, "ffn_norm"), i, GRAPH_GELU));
    }
    return decoder_logits(b, x);
}
