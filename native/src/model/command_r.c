// SPDX-License-Identifier: Apache-2.0
/*
 * Command R, Aya 23 and Command R7B (Cohere; "Command A", arXiv:2504.00698): attention and feed-forward read the same x
 * through one LayerNorm without bias; SwiGLU; logits are multiplied. Command R+ norms queries and keys by head.
 * Command R7B ("cohere2"): of each four layers three have a window and turn queries and keys, the fourth sees
 * everything and turns nothing.
 */
#include "model/decoder.h"

#define PERIOD 4

static graph_value logits(build *b, bool windows) {
    const hyper *h = b->h;
    graph *g = b->g;
    uint32_t table = build_rope_table(b);
    decoder_attention how = {.table = table, .interleaved = true, .scale = decoder_scale(h)};
    if (build_has(b, "blk.0.attn_q_norm.weight")) how.norm = DECODER_OWN_NORM;
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        if (windows) {
            how.window = hyper_window(h, i, PERIOD);
            how.table = how.window ? table : GRAPH_ABSENT;
        }
        graph_value n = decoder_norm(b, x, i, "attn_norm");
        x = graph_add(g, x, decoder_attend(b, n, i, &how));
        x = graph_add(g, x, decoder_feed(b, n, i, graph_silu_mul));
    }
    x = decoder_logits(b, x);
    return h->logit_scale > 0 && b->status == PUNA_OK ? graph_scale(g, x, h->logit_scale) : x;
}

graph_value command_r_logits(build *b) { return logits(b, false); }

graph_value cohere2_logits(build *b) { return logits(b, true); }
