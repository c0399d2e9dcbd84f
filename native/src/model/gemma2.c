// SPDX-License-Identifier: Apache-2.0
/*
 * Gemma 2 ("Gemma 2: Improving Open Language Models at a Practical Size", arXiv:2408.00118).
 *
 * Every other layer, from the first, has a window. Scores and logits are capped; what attention and
 * feed-forward give is normed before it is added. Embeddings, gate and output matrix as in Gemma.
 */
#include "model/decoder.h"

#include "base/math.h"

#define PERIOD 2

/* The 27B model's scores are scaled by the width a head would have if the heads shared the embedding. */
static float score_scale(const hyper *h) {
    return h->layers == 46 ? 1.0f / sqrtf((float)(h->embedding / h->heads)) : decoder_scale(h);
}

graph_value gemma2_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .scale = score_scale(h), .softcap = h->score_softcap};
    graph_value x = graph_scale(g, decoder_embed(b), sqrtf((float)h->embedding));
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        how.window = hyper_window(h, i, PERIOD);
        graph_value y = decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how);
        x = graph_add(g, x, decoder_norm(b, y, i, "post_attention_norm"));
        y = decoder_feed(b, decoder_norm(b, x, i, "ffn_norm"), i, graph_gelu_mul);
        x = graph_add(g, x, decoder_norm(b, y, i, "post_ffw_norm"));
    }
    return decoder_logits(b, x);
}
