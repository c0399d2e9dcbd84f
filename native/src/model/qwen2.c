// SPDX-License-Identifier: Apache-2.0
/*
 * Qwen2 and Qwen2.5: LLaMA's shape with biases on queries, keys and values, and rotary positions on the two halves of a
 * head ("Qwen2 Technical Report", arXiv:2407.10671).
 */
#include "model/decoder.h"

graph_value qwen2_logits(build *b) {
    decoder_attention how = {.table = build_rope_table(b), .scale = decoder_scale(b->h)};
    return decoder_whole(b, how, 0);
}
