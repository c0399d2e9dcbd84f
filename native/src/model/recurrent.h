// SPDX-License-Identifier: Apache-2.0
/*
 * Layers that carry a state from token to token instead of attending to keys. Each takes x, normed already, and gives
 * what the layer adds to the row. Tensors as llama.cpp names them.
 */
#ifndef PUNA_MODEL_RECURRENT_H
#define PUNA_MODEL_RECURRENT_H

#include "model/decoder.h"

/* Mamba's mixer: ssm_in gives channels and their gates; a convolution and SiLU; ssm_x gives each token's step (through
   ssm_dt), b and c; a scan with decays ssm_a and skips ssm_d; ssm_out of what the gates leave. */
graph_value recurrent_mamba(build *b, graph_value x, uint32_t layer);

/* Mamba 2's: channels belong to heads, with one step, decay and skip each; ssm_in gives the steps, b and c, too, and b
   and c go through the convolution; what the gates leave is normed, each group of heads for itself. */
graph_value recurrent_mamba2(build *b, graph_value x, uint32_t layer);

/* LFM2's: shortconv.in_proj gives b, c and x; a convolution of b * x, times c; shortconv.out_proj. */
graph_value recurrent_short(build *b, graph_value x, uint32_t layer);

#endif
