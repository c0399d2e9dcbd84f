// SPDX-License-Identifier: Apache-2.0
/*
 * Falcon ("The Falcon Series of Open Language Models", arXiv:2311.16867): attention and feed-forward read the same x
 * through one LayerNorm, or (40B, 180B) through two, attention's being attn_norm_2; no biases beside the norms'; GELU
 * in its exact form.
 */
#include "model/decoder.h"

graph_value falcon_logits(build *b) {
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h)};
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        graph_value n = decoder_norm(b, x, i, "attn_norm");
        graph_value a = build_has(b, "blk.%u.attn_norm_2.weight", i) ? decoder_norm(b, x, i, "attn_norm_2") : n;
        x = graph_add(g, x, decoder_attend(b, a, i, &how));
        x = graph_add(g, x, decoder_feed_plain(b, n, i, GRAPH_GELU_ERF));
    }
    return decoder_logits(b, x);
}
