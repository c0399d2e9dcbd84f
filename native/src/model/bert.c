// SPDX-License-Identifier: Apache-2.0
/*
 * BERT (Devlin et al., arXiv:1810.04805) and those of its shape: RoBERTa and XLM-RoBERTa, whose table of positions
 * llama.cpp stores without its first rows, and DistilBERT, which has no token types. GELU in its exact form.
 */
#include "model/encoder.h"

static graph_value feed(build *b, graph_value x, uint32_t layer) {
    return decoder_feed_plain(b, x, layer, GRAPH_GELU_ERF);
}

graph_value bert_logits(build *b) {
    decoder_attention how = {.table = GRAPH_ABSENT, .scale = decoder_scale(b->h), .whole = true};
    graph_value x = encoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) x = encoder_layer(b, x, i, &how, feed);
    return encoder_finish(b, x, GRAPH_TANH);
}
