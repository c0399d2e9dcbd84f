// SPDX-License-Identifier: Apache-2.0
/*
 * Hyperparameters: what a GGUF file's metadata says about a decoder's shape, checked for sense before anything is
 * computed from it. Keys are "ARCHITECTURE.name" as llama.cpp writes them.
 */
#ifndef PUNA_MODEL_HYPER_H
#define PUNA_MODEL_HYPER_H

#include "format/gguf.h"

typedef enum hyper_rope { HYPER_ROPE_NONE, HYPER_ROPE_LINEAR, HYPER_ROPE_LLAMA3 } hyper_rope;

typedef struct hyper {
    char architecture[32];
    uint32_t layers;
    uint32_t context_length;
    uint32_t embedding;
    uint32_t feed_forward;
    uint32_t heads, heads_kv;
    uint32_t head_dim_k, head_dim_v;
    uint32_t rotated;        /* elements of a head that rope turns */
    uint32_t vocabulary;     /* rows of the embedding */
    float norm_epsilon;
    float rope_base;
    hyper_rope rope_scaling;
    float rope_factor;
} hyper;

/* The architecture's name alone. PUNA_INVALID_FILE if it is missing or too long. */
puna_status hyper_read_architecture(const gguf_file *file, char name[32], puna_error *error);

/* Bounds: layers 1 to 1024, widths 1 to 2^20, heads 1 to 4096, context 1 to 2^30. Errors name file and key. */
puna_status hyper_read(const gguf_file *file, hyper *h, puna_error *error);

#endif
