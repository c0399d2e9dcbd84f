// SPDX-License-Identifier: Apache-2.0
/*
 * GPT, the first one (Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018): LayerNorm
 * after each sum, none at the end; learned positions, biases, GELU's form with tanh; the output matrix is the
 * embedding.
 *
 * llama.cpp has no such architecture, so the file's form is ours: general.architecture "openai-gpt", keys and tensors
 * as for "gpt2", without output_norm; attn_norm and ffn_norm are the norms after attention and feed-forward.
 */
#include "model/decoder.h"

graph_value openai_gpt_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    decoder_attention how = {.table = GRAPH_ABSENT, .scale = decoder_scale(h)};
    graph_weight positions = build_matrix(b, h->context_length, h->embedding, "position_embd.weight");
    graph_value x = decoder_embed(b);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    x = graph_add(g, x, graph_position(g, positions, 0));
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        x = decoder_norm(b, graph_add(g, x, decoder_attend(b, x, i, &how)), i, "attn_norm");
        x = decoder_norm(b, graph_add(g, x, decoder_feed_plain(b, x, i, GRAPH_GELU)), i, "ffn_norm");
    }
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_set_result(g, GRAPH_HIDDEN, x);
    return decoder_project(b, graph_select(g, x));
}
