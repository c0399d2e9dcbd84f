// SPDX-License-Identifier: Apache-2.0
/*
 * Phi-3, Phi-3.5 and Phi-4 ("Phi-3 Technical Report", arXiv:2404.14219): LLaMA's shape with one matrix for queries,
 * keys and values, and one for gate and up; rotary positions on the halves of a head, of a part of it in Phi-4-mini.
 * A window that the file names holds for every layer.
 *
 * Those for 128k positions have two sets of factors for the frequencies, for contexts up to the original length and
 * beyond. Which one holds is decided by the engine's context, once, and not by a sequence's length: otherwise the
 * keys in the cache would be others' after the border.
 */
#include "model/decoder.h"

graph_value phi3_logits(build *b) {
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h)};
    return decoder_whole(b, how, 0);
}
