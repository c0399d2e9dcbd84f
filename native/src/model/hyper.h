// SPDX-License-Identifier: Apache-2.0
/*
 * Hyperparameters: what a GGUF file's metadata says about a decoder's shape, checked for sense before anything is
 * computed from it. Keys are "ARCHITECTURE.name" as llama.cpp writes them.
 */
#ifndef PUNA_MODEL_HYPER_H
#define PUNA_MODEL_HYPER_H

#include "format/gguf.h"

typedef enum hyper_rope { HYPER_ROPE_NONE, HYPER_ROPE_LINEAR, HYPER_ROPE_LLAMA3, HYPER_ROPE_YARN } hyper_rope;

/* Where a family leaves the choice to the file. */
typedef enum hyper_activation { HYPER_FAMILYS_OWN, HYPER_GELU, HYPER_SILU, HYPER_RELU, HYPER_TANH } hyper_activation;

#define HYPER_MOST_LAYERS 1024u

/* yarn (Peng et al., arXiv:2309.00071). */
typedef struct hyper_yarn {
    uint32_t original_context; /* positions that the model knew before */
    float extrapolation;       /* share of the unscaled frequency where a dimension turns fast; 1 for most */
    float beta_fast, beta_slow; /* turns over the original context: above, below */
    float magnitude;           /* of cosines and sines */
    float many;                /* yarn_log_multiplier: how much of 0.1 log(factor) sharpens scores instead */
    bool exact;                /* the ramp begins and ends between dimensions: gpt-oss */
} hyper_yarn;

/* Mixtures of experts. */
typedef struct hyper_experts {
    uint32_t count, chosen;   /* 0: a family without */
    uint32_t feed_forward;    /* of one expert */
    uint32_t shared;          /* experts that every token goes to, as one network */
    uint32_t shared_feed_forward; /* its width */
    uint32_t dense_layers;    /* so many in front have no experts */
    uint32_t groups, groups_chosen;
    uint32_t gating;          /* HYPER_GATING_*, 0: the family's own */
    bool renormalize; /* weights of the chosen ones add up to 1: the file says so */
    bool as_they_are; /* the file says that they don't */
    float scale;              /* of the chosen ones' weights; 0: none */
} hyper_experts;

enum { HYPER_GATING_SOFTMAX = 1, HYPER_GATING_SIGMOID = 2, HYPER_GATING_CHOSEN = 3 };

/* Multi-head latent attention (DeepSeek V2). */
typedef struct hyper_latent {
    uint32_t query, key_value; /* ranks; query 0: queries are made directly */
    uint32_t dim_k, dim_v;     /* of a head, as if keys and values were there */
} hyper_latent;

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
    bool layer_norm;         /* norms subtract the mean: the file names an epsilon for LayerNorm, none for RMSNorm */
    bool parallel;           /* attention and feed-forward read the same x */
    float rope_base;
    hyper_rope rope_scaling;
    float rope_factor;
    hyper_yarn yarn;
    uint32_t rope_original;  /* of longrope: the context for which the short factors are */
    float rope_magnitude;    /* of longrope: of cosines and sines */
    float rope_base_local;   /* of the layers with a window, where the family turns those otherwise */
    uint32_t window;         /* positions that a layer with a window sees, the query's included; 0: none has one */
    uint32_t window_period;  /* the last of each so many layers has none; HYPER_UNSAID, or HYPER_LISTED: in windowed */
    bool windowed[HYPER_MOST_LAYERS];
    float final_softcap;     /* of the logits; 0: none */
    float score_softcap;     /* of attention's scores; 0: none */
    float score_scale;       /* of attention's scores; 0: the family's own */
    float alibi;             /* the largest bias that slopes reach (ALiBi); 0: none */
    float clamp_qkv;         /* queries, keys and values lie between -that and that; 0: anywhere */
    hyper_experts experts;
    hyper_latent latent;
    bool causal;             /* a token sees those before it alone */
    uint32_t pooling;        /* PUNA_POOL_*: what the file says a text's vector is made of; PUNA_POOL_MODEL: nothing */
    bool pooled_scores;      /* a classifier reads the mean of all tokens; else one token */
    hyper_activation classifier_activation, gate_activation;
    float embedding_scale, residual_scale, logit_scale; /* 0: none; what a family does with each is its own */
} hyper;

#define HYPER_UNSAID UINT32_MAX
#define HYPER_LISTED (UINT32_MAX - 1u)

/* The window of a layer, 0 for none. default_period counts where the file says none; 0: every layer has the window. */
uint32_t hyper_window(const hyper *h, uint32_t layer, uint32_t default_period);

/* The architecture's name alone. PUNA_INVALID_FILE if it is missing or too long. */
puna_status hyper_read_architecture(const gguf_file *file, char name[32], puna_error *error);

/* Bounds: layers 1 to 1024, widths 1 to 2^20, heads 1 to 4096, context 1 to 2^30. Errors name file and key. */
puna_status hyper_read(const gguf_file *file, hyper *h, puna_error *error);

#endif
