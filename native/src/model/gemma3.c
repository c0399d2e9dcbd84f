// SPDX-License-Identifier: Apache-2.0
/*
 * Gemma 3, its text part ("Gemma 3 Technical Report", arXiv:2503.19786).
 *
 * Of each six layers five have a window, with rotary positions of a base of their own that no scaling touches; the
 * sixth sees everything. What attention and feed-forward give is normed before it is added; queries and keys are normed
 * head by head. Embeddings are multiplied by the square root of their width; the gate is GELU's form with tanh; the
 * output matrix is the embedding. Scores are not capped, whatever the file says (neither transformers nor llama.cpp
 * does it here); logits are, where it says so. Norm weights in GGUF files have their 1 added already.
 *
 * EmbeddingGemma ("gemma-embedding", arXiv:2509.20354) is the same as an encoder: all tokens see each other, in layers
 * with a window those within half of it. Two matrices may follow, which stand behind pooling elsewhere: they are
 * linear.
 */
#include "model/encoder.h"

#include "base/math.h"

#define PERIOD 6

/* The 27B model's scores are scaled by the width a head would have if the heads shared the embedding. */
static float score_scale(const hyper *h) {
    return h->layers == 62 ? 1.0f / sqrtf((float)(h->embedding / h->heads)) : decoder_scale(h);
}

static graph_value layers(build *b, bool whole) {
    const hyper *h = b->h;
    graph *g = b->g;
    decoder_attention how = {.norm = DECODER_HEAD_NORM, .scale = score_scale(h), .whole = whole};
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
    return x;
}

graph_value gemma3_logits(build *b) { return decoder_logits(b, layers(b, false)); }

/* dense_2, then dense_3, from the embedding's width to any and back. */
static graph_value dense(build *b, graph_value x) {
    if (b->status != PUNA_OK || !build_has(b, "dense_2.weight")) return x;
    uint32_t wide = build_tensor_rows(b, "dense_2.weight");
    graph_weight up = build_matrix(b, wide, b->h->embedding, "dense_2.weight");
    graph_weight down = build_matrix(b, b->h->embedding, wide, "dense_3.weight");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return graph_linear(b->g, graph_linear(b->g, x, up, GRAPH_ABSENT), down, GRAPH_ABSENT);
}

graph_value gemma_embedding_logits(build *b) {
    graph_value x = layers(b, true);
    graph_weight weight = build_vector(b, b->h->embedding, "output_norm.weight");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return encoder_finish(b, dense(b, graph_rms_norm(b->g, x, weight, b->h->norm_epsilon)), GRAPH_TANH);
}
