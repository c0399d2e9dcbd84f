// SPDX-License-Identifier: Apache-2.0
/*
 * Gemma, the first ("Gemma: Open Models Based on Gemini Research and Technology", arXiv:2403.08295): LLaMA's order of
 * norms and sums, GELU's form with tanh in the gate, embeddings multiplied by the square root of their width, the
 * output matrix the embedding, heads wider than their share. Norm weights in GGUF files have their 1 added already.
 */
#include "model/decoder.h"

#include "base/math.h"

graph_value gemma_logits(build *b) {
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h)};
    graph_value x = graph_scale(g, decoder_embed(b), sqrtf((float)b->h->embedding));
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        x = graph_add(g, x, decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how));
        x = graph_add(g, x, decoder_feed(b, decoder_norm(b, x, i, "ffn_norm"), i, graph_gelu_mul));
    }
    return decoder_logits(b, x);
}
