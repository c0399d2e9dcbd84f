// SPDX-License-Identifier: Apache-2.0
/*
 * Qwen2 and Qwen2.5: LLaMA's shape with biases on queries, keys and values, and rotary positions on the two halves of a
 * head ("Qwen2 Technical Report", arXiv:2407.10671).
 */
#include "model/parts.h"

graph_value qwen2_logits(build *b) {
    parts_attention how = {.table = build_rope_table(b), .scale = parts_scale(b->h)};
    return parts_decoder(b, how, 0);
}
