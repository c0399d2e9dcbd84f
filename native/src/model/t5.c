// SPDX-License-Identifier: Apache-2.0
/*
 * T5 (Raffel et al., arXiv:1910.10683) and its gated form: T5 1.1 and FLAN-T5 (Shazeer, arXiv:2002.05202), mT5. An
 * encoder reads the text, a decoder answers it and attends to the encoder's states.
 *
 * Scores are not scaled; the first layer of each half has numbers for buckets of distances that all its layers add to
 * their scores, the decoder's attention to the source has none. Norms are RMS norms in front, nothing has a bias. Where
 * the output matrix is the embedding, its input is scaled by 1 / sqrt(width), unless the file has a logit_scale (ours:
 * transformers ties the two in T5 1.1, too, but does not scale there).
 *
 * The encoder's own keys and values are needed for one layer at a time: they lie where the decoder's first layer will
 * find the source's.
 */
#include <stdio.h>

#include "base/math.h"
#include "model/decoder.h"

static graph_value norm(build *b, graph_value x, const char *half, uint32_t layer, const char *name) {
    graph_weight w = build_vector(b, b->h->embedding, "%s.blk.%u.%s.weight", half, layer, name);
    return b->status == PUNA_OK ? graph_rms_norm(b->g, x, w, b->h->norm_epsilon) : GRAPH_ABSENT;
}

static graph_value last_norm(build *b, graph_value x, const char *half) {
    graph_weight w = build_vector(b, b->h->embedding, "%s.output_norm.weight", half);
    return b->status == PUNA_OK ? graph_rms_norm(b->g, x, w, b->h->norm_epsilon) : GRAPH_ABSENT;
}

static graph_value linear(build *b, graph_value x, uint32_t rows, uint32_t cols, const char *half, uint32_t layer,
                          const char *name) {
    graph_weight w = build_matrix(b, rows, cols, "%s.blk.%u.%s.weight", half, layer, name);
    return b->status == PUNA_OK ? graph_linear(b->g, x, w, GRAPH_ABSENT) : GRAPH_ABSENT;
}

static void store(build *b, graph_value x, const char *half, uint32_t layer, const char *key, const char *value,
                  uint32_t place) {
    const hyper *h = b->h;
    graph_value k = linear(b, x, h->heads * h->head_dim_k, h->embedding, half, layer, key);
    graph_value v = linear(b, x, h->heads * h->head_dim_v, h->embedding, half, layer, value);
    if (b->status == PUNA_OK) graph_store(b->g, k, v, place);
}

/* A layer's own table, or the first one's. */
static graph_weight relative(build *b, const char *half, uint32_t layer) {
    if (!build_has(b, "%s.blk.%u.attn_rel_b.weight", half, layer)) layer = 0;
    return build_matrix(b, b->h->relative_buckets, b->h->heads, "%s.blk.%u.attn_rel_b.weight", half, layer);
}

/* x plus its attention to its own text. */
static graph_value attend(build *b, graph_value x, const char *half, uint32_t layer, uint32_t place, bool both) {
    const hyper *h = b->h;
    graph_value y = norm(b, x, half, layer, "attn_norm");
    graph_value q = linear(b, y, h->heads * h->head_dim_k, h->embedding, half, layer, "attn_q");
    store(b, y, half, layer, "attn_k", "attn_v", place);
    graph_weight table = relative(b, half, layer);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    y = graph_attend(b->g, q, h->heads, 1.0f, 0.0f, place);
    graph_attend_relative(b->g, y, table, h->relative_reach, both);
    y = linear(b, y, h->embedding, h->heads * h->head_dim_v, half, layer, "attn_o");
    return b->status == PUNA_OK ? graph_add(b->g, x, y) : GRAPH_ABSENT;
}

static graph_value feed(build *b, graph_value x, const char *half, uint32_t layer) {
    const hyper *h = b->h;
    graph_value y = norm(b, x, half, layer, "ffn_norm"), up, gate;
    up = linear(b, y, h->feed_forward, h->embedding, half, layer, "ffn_up");
    if (build_has(b, "%s.blk.%u.ffn_gate.weight", half, layer)) {
        gate = linear(b, y, h->feed_forward, h->embedding, half, layer, "ffn_gate");
        if (b->status == PUNA_OK) y = graph_gelu_mul(b->g, gate, up);
    } else if (b->status == PUNA_OK) {
        y = graph_activate(b->g, up, GRAPH_RELU);
    }
    y = linear(b, y, h->embedding, h->feed_forward, half, layer, "ffn_down");
    return b->status == PUNA_OK ? graph_add(b->g, x, y) : GRAPH_ABSENT;
}

static graph_value encode(build *b, graph_value x, uint32_t place) {
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++)
        x = feed(b, attend(b, x, "enc", i, place, true), "enc", i);
    return last_norm(b, x, "enc");
}

/* x plus its attention to the source. */
static graph_value cross(build *b, graph_value x, uint32_t layer, uint32_t place) {
    const hyper *h = b->h;
    graph_value y = norm(b, x, "dec", layer, "cross_attn_norm");
    graph_value q = linear(b, y, h->heads * h->head_dim_k, h->embedding, "dec", layer, "cross_attn_q");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    y = graph_attend(b->g, q, h->heads, 1.0f, 0.0f, place);
    y = linear(b, y, h->embedding, h->heads * h->head_dim_v, "dec", layer, "cross_attn_o");
    return b->status == PUNA_OK ? graph_add(b->g, x, y) : GRAPH_ABSENT;
}

static graph_value logits(build *b, graph_value x) {
    const hyper *h = b->h;
    x = last_norm(b, x, "dec");
    graph_weight output = build_optional_matrix(b, h->vocabulary, h->embedding, "output.weight");
    graph_weight tied = build_matrix(b, h->vocabulary, h->embedding, "token_embd.weight");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    x = graph_select(b->g, x);
    float scale = h->logit_scale > 0 ? h->logit_scale : output == GRAPH_ABSENT ? 1.0f / sqrtf((float)h->embedding) : 1;
    if (scale != 1) x = graph_scale(b->g, x, scale);
    return graph_linear_fine(b->g, x, output == GRAPH_ABSENT ? tied : output, GRAPH_ABSENT);
}

/* What the file says of distances, and of the token that answers begin with. */
static void check_keys(build *b) {
    const hyper *h = b->h;
    const char *key = h->decoder_start >= h->vocabulary ? "decoder_start_token_id"
                      : h->relative_reach <= h->relative_buckets / 2 ? "attention.relative_buckets_count" : NULL;
    char name[96];
    if (b->status != PUNA_OK || !key) return;
    snprintf(name, sizeof name, "%s.%s", h->architecture, key);
    b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, name, gguf_place(b->file, name),
                           key[0] == 'd' ? "the token is not in the vocabulary"
                                         : "so many buckets don't fit into the distances that they are for");
}

graph_value t5_logits(build *b) {
    const hyper *h = b->h;
    check_keys(b);
    uint32_t self[HYPER_MOST_LAYERS], source[HYPER_MOST_LAYERS];
    for (uint32_t i = 0; i < h->decoder_layers; i++) {
        self[i] = graph_add_cache_layer(b->g, h->heads, h->head_dim_k, h->head_dim_v, 0);
        source[i] = graph_add_source_layer(b->g, h->heads, h->head_dim_k, h->head_dim_v);
    }
    graph_begin_source(b->g);
    graph_value states = encode(b, decoder_embed(b), source[0]);
    for (uint32_t i = 0; i < h->decoder_layers && b->status == PUNA_OK; i++)
        store(b, states, "dec", i, "cross_attn_k", "cross_attn_v", source[i]);
    graph_end_source(b->g);
    graph_value x = b->status == PUNA_OK ? decoder_embed(b) : GRAPH_ABSENT;
    for (uint32_t i = 0; i < h->decoder_layers && b->status == PUNA_OK; i++) {
        x = attend(b, x, "dec", i, self[i], false);
        x = feed(b, cross(b, x, i, source[i]), "dec", i);
    }
    return logits(b, x);
}

/* The encoder alone: sentence-t5 and its kin. */
graph_value t5_encoder_logits(build *b) {
    const hyper *h = b->h;
    check_keys(b);
    uint32_t place = graph_add_whole_layer(b->g, h->heads, h->head_dim_k, h->head_dim_v, 0);
    graph_value x = encode(b, decoder_embed(b), place);
    if (b->status == PUNA_OK) graph_set_result(b->g, GRAPH_HIDDEN, x);
    return GRAPH_ABSENT;
}
