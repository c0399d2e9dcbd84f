// SPDX-License-Identifier: Apache-2.0
/*
 * Qwen3: Qwen2 without biases; queries and keys are normed head by head before their rotation ("Qwen3 Technical
 * Report", arXiv:2505.09388).
 */
#include "model/decoder.h"

graph_value qwen3_logits(build *b) {
    decoder_attention how = {.table = build_rope_table(b), .norm = DECODER_HEAD_NORM, .scale = decoder_scale(b->h)};
    return decoder_whole(b, how, 0);
}
