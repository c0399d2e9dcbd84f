// SPDX-License-Identifier: Apache-2.0
/*
 * OLMo 2 ("2 OLMo 2 Furious", arXiv:2501.00656): no norm before attention and feed-forward, one after each, before it
 * is added; queries and keys are normed over all their heads at once. OLMo 3's files have the same name, and windows in
 * three of four layers, whose rotation no scaling touches.
 */
#include "model/decoder.h"

#define PERIOD 4

graph_value olmo2_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    uint32_t global = build_rope_table(b), local = h->window ? build_plain_rope_table(b, h->rope_base) : global;
    decoder_attention how = {.norm = DECODER_ROW_NORM, .scale = decoder_scale(h)};
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        how.window = hyper_window(h, i, PERIOD);
        how.table = how.window ? local : global;
        x = graph_add(g, x, decoder_norm(b, decoder_attend(b, x, i, &how), i, "post_attention_norm"));
        x = graph_add(g, x, decoder_norm(b, decoder_feed(b, x, i, graph_silu_mul), i, "post_ffw_norm"));
    }
    return decoder_logits(b, x);
}
