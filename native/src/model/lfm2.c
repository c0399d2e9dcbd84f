// SPDX-License-Identifier: Apache-2.0
/*
 * LFM2 (Liquid AI, arXiv:2511.23404): short convolutions, gated on both sides, and some layers of attention with normed
 * queries and keys. llama.cpp's name for the last norm is token_embd_norm.
 */
#include "model/recurrent.h"

graph_value lfm2_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .norm = DECODER_HEAD_NORM, .scale = decoder_scale(h)};
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        graph_value y = decoder_norm(b, x, i, "attn_norm");
        how.window = hyper_window(h, i, 0);
        x = graph_add(g, x, h->recurs[i] ? recurrent_short(b, y, i) : decoder_attend(b, y, i, &how));
        x = graph_add(g, x, decoder_feed(b, decoder_norm(b, x, i, "ffn_norm"), i, graph_silu_mul));
    }
    return decoder_logits_by(b, x, "token_embd_norm");
}
