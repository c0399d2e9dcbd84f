// SPDX-License-Identifier: Apache-2.0
/*
 * The llama family: LLaMA 1 to 3, TinyLlama, SmolLM2, Mistral and whoever shares their shape.
 *
 * Touvron et al., "LLaMA: Open and Efficient Foundation Language Models" (arXiv:2302.13971); grouped-query attention as
 * in "Llama 2" (arXiv:2307.09288). Pre-norm with RMSNorm, rotary positions on interleaved pairs (GGUF stores the rows
 * of q and k in that order), SwiGLU, no biases unless the file has them. The output matrix is the embedding where the
 * file has no matrix of its own. A window that the file names (Mistral 7B: Jiang et al., arXiv:2310.06825) holds for
 * every layer, unless a pattern says otherwise.
 */
#include "model/decoder.h"

graph_value llama_logits(build *b) {
    decoder_attention how = {.table = build_rope_table(b), .interleaved = true, .scale = decoder_scale(b->h)};
    return decoder_whole(b, how, 0);
}
