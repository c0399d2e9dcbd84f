// SPDX-License-Identifier: Apache-2.0
/*
 * SmolLM3 (Hugging Face, 2025): LLaMA's shape; every fourth layer turns nothing by its position ("RoPE to NoRoPE and
 * Back Again", arXiv:2501.18795).
 */
#include "model/decoder.h"

#define PERIOD 4

graph_value smollm3_logits(build *b) {
    graph *g = b->g;
    uint32_t table = build_rope_table(b);
    decoder_attention how = {.interleaved = true, .scale = decoder_scale(b->h)};
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        how.table = (i + 1) % PERIOD == 0 ? GRAPH_ABSENT : table;
        x = graph_add(g, x, decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how));
        x = graph_add(g, x, decoder_feed(b, decoder_norm(b, x, i, "ffn_norm"), i, graph_silu_mul));
    }
    return decoder_logits(b, x);
}
