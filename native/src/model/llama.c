// SPDX-License-Identifier: Apache-2.0
/*
 * The llama family: LLaMA 1 to 3, TinyLlama, SmolLM2, Mistral and whoever shares their shape.
 *
 * Touvron et al., "LLaMA: Open and Efficient Foundation Language Models" (arXiv:2302.13971); grouped-query attention as
 * in "Llama 2" (arXiv:2307.09288). Pre-norm with RMSNorm, rotary positions on interleaved pairs (GGUF stores the rows
 * of q and k in that order), SwiGLU, no biases unless the file has them. The output matrix is the embedding where the
 * file has no matrix of its own. A window that the file names (Mistral 7B: Jiang et al., arXiv:2310.06825) holds for
 * every layer, unless a pattern says otherwise. Mixtral (arXiv:2401.04088) has experts, whose chosen weights add up to
 * 1, and goes by the same name.
 */
#include "model/decoder.h"

static graph_value half(build *b, graph_value x, uint32_t layer) {
    if (b->h->experts.count == 0) return decoder_feed(b, x, layer, graph_silu_mul);
    return decoder_mixture(b, x, layer, decoder_routing(b->h, GRAPH_SOFTMAX, true), graph_silu_mul);
}

graph_value llama_logits(build *b) {
    decoder_attention how = {.table = build_rope_table(b), .interleaved = true, .scale = decoder_scale(b->h)};
    return decoder_with(b, how, 0, half);
}
