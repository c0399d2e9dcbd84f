// SPDX-License-Identifier: Apache-2.0
/*
 * StableLM 2 and 3B-4E1T ("Stable LM 2 1.6B Technical Report", arXiv:2402.17834): LayerNorm, SwiGLU, part of each head
 * turned, biases of q, k and v in some. The 12B norms queries and keys by head, and its attention and feed-forward read
 * the same x through one norm.
 */
#include "model/decoder.h"

graph_value stablelm_logits(build *b) {
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h)};
    if (build_has(b, "blk.0.attn_q_norm.weight")) how.norm = DECODER_OWN_NORM;
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        graph_value n = decoder_norm(b, x, i, "attn_norm");
        x = graph_add(g, x, decoder_attend(b, n, i, &how));
        if (build_has(b, "blk.%u.ffn_norm.weight", i)) n = decoder_norm(b, x, i, "ffn_norm");
        x = graph_add(g, x, decoder_feed(b, n, i, graph_silu_mul));
    }
    return decoder_logits(b, x);
}
