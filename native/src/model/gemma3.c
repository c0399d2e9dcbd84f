// SPDX-License-Identifier: Apache-2.0
/*
 * Gemma 3, its text part ("Gemma 3 Technical Report", arXiv:2503.19786).
 *
 * Of each six layers five have a window, with rotary positions of a base of their own that no scaling touches; the
 * sixth sees everything. What attention and feed-forward give is normed before it is added; queries and keys are normed
 * head by head. Embeddings are multiplied by the square root of their width; the gate is GELU's form with tanh; the
 * output matrix is the embedding. Scores are not capped, whatever the file says (neither transformers nor llama.cpp
 * does it here); logits are, where it says so. Norm weights in GGUF files have their 1 added already.
 */
#include "model/decoder.h"

#include "base/math.h"

#define PERIOD 6

/* The 27B model's scores are scaled by the width a head would have if the heads shared the embedding. */
static float score_scale(const hyper *h) {
    return h->layers == 62 ? 1.0f / sqrtf((float)(h->embedding / h->heads)) : decoder_scale(h);
}

graph_value gemma3_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    decoder_attention how = {.norm = DECODER_HEAD_NORM, .scale = score_scale(h)};
    uint32_t global = build_rope_table(b), local = h->window ? build_plain_rope_table(b, h->rope_base_local) : global;
    graph_value x = decoder_embed(b);
    x = graph_scale(g, x, sqrtf((float)h->embedding));
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        how.window = hyper_window(h, i, PERIOD);
        how.table = how.window ? local : global;
        graph_value y = decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how);
        x = graph_add(g, x, decoder_norm(b, y, i, "post_attention_norm"));
        y = decoder_feed(b, decoder_norm(b, x, i, "ffn_norm"), i, graph_gelu_mul);
        x = graph_add(g, x, decoder_norm(b, y, i, "post_ffw_norm"));
    }
    return decoder_logits(b, x);
}
