// SPDX-License-Identifier: Apache-2.0
/*
 * Qwen3: Qwen2 without biases; queries and keys are normed head by head before their rotation ("Qwen3 Technical Report",
 * arXiv:2505.09388).
 */
#include "model/parts.h"

graph_value qwen3_logits(build *b) {
    parts_attention how = {.table = build_rope_table(b), .head_norms = true, .scale = parts_scale(b->h)};
    return parts_decoder(b, how, 0);
}
