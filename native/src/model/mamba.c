// SPDX-License-Identifier: Apache-2.0
/* Mamba (Gu and Dao, arXiv:2312.00752) and Mamba 2 (Dao and Gu, arXiv:2405.21060): nothing but recurrent layers. */
#include "model/recurrent.h"

static graph_value whole(build *b, graph_value (*mix)(build *b, graph_value x, uint32_t layer)) {
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++)
        x = graph_add(b->g, x, mix(b, decoder_norm(b, x, i, "attn_norm"), i));
    return decoder_logits(b, x);
}

graph_value mamba_logits(build *b) { return whole(b, recurrent_mamba); }

graph_value mamba2_logits(build *b) { return whole(b, recurrent_mamba2); }
