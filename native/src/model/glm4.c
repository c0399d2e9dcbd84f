// SPDX-License-Identifier: Apache-2.0
/*
 * GLM-4 of 2025 (9B and 32B; "ChatGLM: A Family of Large Language Models", arXiv:2406.12793): a norm before and one
 * after both attention and feed-forward; half of each head is turned, on neighbours; biases of queries, keys and
 * values.
 */
#include "model/decoder.h"

graph_value glm4_logits(build *b) {
    graph *g = b->g;
    decoder_attention how = {.table = build_rope_table(b), .interleaved = true, .scale = decoder_scale(b->h)};
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        graph_value y = decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how);
        x = graph_add(g, x, decoder_norm(b, y, i, "post_attention_norm"));
        y = decoder_feed(b, decoder_norm(b, x, i, "ffn_norm"), i, graph_silu_mul);
        x = graph_add(g, x, decoder_norm(b, y, i, "post_ffw_norm"));
    }
    return decoder_logits(b, x);
}
