// SPDX-License-Identifier: Apache-2.0
/*
 * BLOOM ("BLOOM: A 176B-Parameter Open-Access Multilingual Language Model", arXiv:2211.05100): embeddings are normed;
 * slopes instead of positions; LayerNorm and biases everywhere, GELU's form with tanh.
 */
#include "model/decoder.h"

#define MOST_BIAS 8.0f

graph_value bloom_logits(build *b) {
    const hyper *h = b->h;
    graph *g = b->g;
    decoder_attention how = {.table = GRAPH_ABSENT, .scale = decoder_scale(h), .sloped = true};
    decoder_slopes(b, MOST_BIAS);
    graph_weight weight = build_vector(b, h->embedding, "token_embd_norm.weight");
    graph_weight bias = build_optional_vector(b, h->embedding, "token_embd_norm.bias");
    graph_value x = decoder_embed(b);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    x = graph_layer_norm(g, x, 1, weight, bias, h->norm_epsilon);
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        x = graph_add(g, x, decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how));
        x = graph_add(g, x, decoder_feed_plain(b, decoder_norm(b, x, i, "ffn_norm"), i, GRAPH_GELU));
    }
    return decoder_logits(b, x);
}
