// SPDX-License-Identifier: Apache-2.0
/*
 * EXAONE 4.0 (LG AI Research, arXiv:2507.11407): norms after attention and feed-forward alone; queries and keys are
 * normed head by head. In the 32B three of four layers have a window, and the fourth, which sees everything, turns
 * nothing; the 1.2B has no windows and turns everywhere.
 */
#include "model/decoder.h"

#define PERIOD 4

graph_value exaone4_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    uint32_t table = build_rope_table(b);
    decoder_attention how = {.norm = DECODER_HEAD_NORM, .scale = decoder_scale(h)};
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        how.window = hyper_window(h, i, PERIOD);
        how.table = how.window || !h->window ? table : GRAPH_ABSENT;
        x = graph_add(g, x, decoder_norm(b, decoder_attend(b, x, i, &how), i, "post_attention_norm"));
        x = graph_add(g, x, decoder_norm(b, decoder_feed(b, x, i, graph_silu_mul), i, "post_ffw_norm"));
    }
    return decoder_logits(b, x);
}
