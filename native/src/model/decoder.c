// SPDX-License-Identifier: Apache-2.0
#include "model/decoder.h"

#include "base/math.h"
#include "format/block.h"

float decoder_scale(const hyper *h) { return 1.0f / sqrtf((float)h->head_dim_k); }

/* heads > 0: of each head, and each with weights of its own where the file has so many. */
static graph_value norm(build *b, graph_value x, uint32_t heads, graph_weight weight, graph_weight bias) {
    const hyper *h = b->h;
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    if (h->layer_norm) return graph_layer_norm(b->g, x, heads, weight, bias, h->norm_epsilon);
    return graph_rms_norm_heads(b->g, x, heads, weight, h->norm_epsilon);
}

graph_value decoder_norm(build *b, graph_value x, uint32_t layer, const char *name) {
    graph_weight weight = build_vector(b, b->h->embedding, "blk.%u.%s.weight", layer, name), bias = GRAPH_ABSENT;
    if (b->h->layer_norm) bias = build_optional_vector(b, b->h->embedding, "blk.%u.%s.bias", layer, name);
    return norm(b, x, 1, weight, bias);
}

typedef graph_value (*linear)(graph *, graph_value, graph_weight, graph_weight);

static graph_value linear_by(linear product, build *b, graph_value x, uint32_t rows, uint32_t cols, uint32_t layer,
                             const char *name) {
    graph_weight weight = build_matrix(b, rows, cols, "blk.%u.%s.weight", layer, name);
    graph_weight bias = build_optional_vector(b, rows, "blk.%u.%s.bias", layer, name);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return product(b->g, x, weight, bias);
}

graph_value decoder_linear(build *b, graph_value x, uint32_t rows, uint32_t cols, uint32_t layer, const char *name) {
    return linear_by(graph_linear, b, x, rows, cols, layer, name);
}

/* Rows [first, first + rows) of a tensor that holds several matrices. */
static graph_value part_by(linear product, build *b, graph_value x, uint32_t first, uint32_t rows, uint32_t all,
                           uint32_t layer, const char *name) {
    graph_weight weight = build_rows(b, first, rows, all, b->h->embedding, "blk.%u.%s.weight", layer, name);
    graph_weight bias = build_optional_elements(b, first, rows, all, "blk.%u.%s.bias", layer, name);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return product(b->g, x, weight, bias);
}

static graph_value part(build *b, graph_value x, uint32_t first, uint32_t rows, uint32_t all, uint32_t layer,
                        const char *name) {
    return part_by(graph_linear, b, x, first, rows, all, layer, name);
}

/* An encoder's values take their input in two terms: most of what rounding does to a text's vector goes through
   them. */
static graph_value values_of(build *b, graph_value x, bool whole, uint32_t first, uint32_t rows, uint32_t all,
                             uint32_t layer, const char *name) {
    return part_by(whole ? graph_linear_fine : graph_linear, b, x, first, rows, all, layer, name);
}

static graph_value norm_heads(build *b, graph_value x, uint32_t heads, uint32_t layer, const char *name,
                              decoder_query_norm how) {
    uint32_t dim = b->h->head_dim_k;
    switch (how) {
    case DECODER_HEAD_NORM: return norm(b, x, heads, build_vector(b, dim, "blk.%u.%s.weight", layer, name),
                                        GRAPH_ABSENT);
    case DECODER_OWN_NORM:
        return norm(b, x, heads, build_matrix(b, heads, dim, "blk.%u.%s.weight", layer, name), GRAPH_ABSENT);
    case DECODER_ROW_NORM: {
        graph_weight weight = build_vector(b, heads * dim, "blk.%u.%s.weight", layer, name), bias = GRAPH_ABSENT;
        if (b->h->layer_norm) bias = build_optional_vector(b, heads * dim, "blk.%u.%s.bias", layer, name);
        return norm(b, x, 1, weight, bias);
    }
    default: return x;
    }
}

static graph_value turn(build *b, graph_value x, uint32_t heads, const decoder_attention *how) {
    if (how->table == GRAPH_ABSENT) return x;
    return graph_rope(b->g, x, heads, b->h->head_dim_k, how->interleaved, how->table);
}

static graph_value clamped(build *b, graph_value x) {
    float most = b->h->clamp_qkv;
    return most > 0 && b->status == PUNA_OK ? graph_clamp(b->g, x, -most, most, 0) : x;
}

graph_value decoder_attend(build *b, graph_value x, uint32_t layer, const decoder_attention *how) {
    const hyper *h = b->h;
    graph *g = b->g;
    bool whole = how->whole || !h->causal;
    uint32_t cache = (whole ? graph_add_whole_layer : graph_add_cache_layer)(g, h->heads_kv, h->head_dim_k,
                                                                             h->head_dim_v, how->window);
    uint32_t rows_q = h->heads * h->head_dim_k, rows_k = h->heads_kv * h->head_dim_k,
        rows_v = h->heads_kv * h->head_dim_v;
    graph_value q, k, v;
    if (build_has(b, "blk.%u.attn_qkv.weight", layer)) {
        uint32_t all = rows_q + rows_k + rows_v;
        q = part(b, x, 0, rows_q, all, layer, "attn_qkv");
        k = part(b, x, rows_q, rows_k, all, layer, "attn_qkv");
        v = values_of(b, x, whole, rows_q + rows_k, rows_v, all, layer, "attn_qkv");
    } else {
        q = decoder_linear(b, x, rows_q, h->embedding, layer, "attn_q");
        k = decoder_linear(b, x, rows_k, h->embedding, layer, "attn_k");
        v = values_of(b, x, whole, 0, rows_v, rows_v, layer, "attn_v");
    }
    q = clamped(b, q);
    k = clamped(b, k);
    v = clamped(b, v);
    q = norm_heads(b, q, h->heads, layer, "attn_q_norm", how->norm);
    k = norm_heads(b, k, h->heads_kv, layer, "attn_k_norm", how->norm);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    q = turn(b, q, h->heads, how);
    k = turn(b, k, h->heads_kv, how);
    graph_store(g, k, v, cache);
    graph_value mixed = graph_attend(g, q, h->heads, how->scale, how->softcap, cache);
    graph_weight sinks = how->sinks ? build_vector(b, h->heads, "blk.%u.attn_sinks.weight", layer) : GRAPH_ABSENT;
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    if (how->sinks || how->sloped) graph_attend_more(g, mixed, sinks, how->sloped);
    return decoder_linear(b, mixed, h->embedding, h->heads * h->head_dim_v, layer, "attn_output");
}

void decoder_slopes(build *b, float most) {
    uint32_t heads = b->h->heads, whole = 1;
    float *slopes = b->status == PUNA_OK ? memory_array(b->g->account, heads, sizeof *slopes) : NULL;
    if (!slopes) {
        if (b->status == PUNA_OK) b->status = error_memory(b->error, "slopes", heads * sizeof *slopes);
        return;
    }
    while (whole * 2 <= heads) whole *= 2;
    for (uint32_t i = 0; i < heads; i++) { /* beyond a power of two: every other one of twice as many */
        double step = i < whole ? (double)(i + 1) : (double)(2 * (i - whole) + 1) / 2;
        slopes[i] = (float)math_pow(2.0, -(double)most * step / (double)whole);
    }
    graph_set_slopes(b->g, slopes, heads);
    memory_free(b->g->account, slopes);
}

/* Weights of eight bits lose so little that rounding their input would decide: where the states themselves are what one
   wants, it goes in two terms. Beside weights of fewer bits it would not show. */
static graph_value fine_beside_8_bits(graph *g, graph_value x, graph_weight weight, graph_weight bias) {
    const bool eight = weight != GRAPH_ABSENT && g->weights[weight].type == BLOCK_Q8_0; /* absent: no memory */
    return (eight ? graph_linear_fine : graph_linear)(g, x, weight, bias);
}

static linear feed_product(const hyper *h) { return h->causal ? graph_linear : fine_beside_8_bits; }

graph_value decoder_feed(build *b, graph_value x, uint32_t layer, decoder_gate combine) {
    const hyper *h = b->h;
    const linear product = feed_product(h);
    graph_value gate, up;
    if (build_has(b, "blk.%u.ffn_gate.weight", layer)) {
        gate = linear_by(product, b, x, h->feed_forward, h->embedding, layer, "ffn_gate");
        up = linear_by(product, b, x, h->feed_forward, h->embedding, layer, "ffn_up");
    } else {
        gate = part_by(product, b, x, 0, h->feed_forward, 2 * h->feed_forward, layer, "ffn_up");
        up = part_by(product, b, x, h->feed_forward, h->feed_forward, 2 * h->feed_forward, layer, "ffn_up");
    }
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return linear_by(product, b, combine(b->g, gate, up), h->embedding, h->feed_forward, layer, "ffn_down");
}

graph_value decoder_feed_plain(build *b, graph_value x, uint32_t layer, graph_activation f) {
    const hyper *h = b->h;
    const linear product = feed_product(h);
    graph_value up = linear_by(product, b, x, h->feed_forward, h->embedding, layer, "ffn_up");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return linear_by(product, b, graph_activate(b->g, up, f), h->embedding, h->feed_forward, layer, "ffn_down");
}

static graph_weight embedding(build *b) {
    return build_matrix(b, b->h->vocabulary, b->h->embedding, "token_embd.weight");
}

graph_value decoder_embed(build *b) {
    graph_weight table = embedding(b);
    return b->status == PUNA_OK ? graph_embed(b->g, table) : GRAPH_ABSENT;
}

graph_value decoder_project(build *b, graph_value x) {
    const hyper *h = b->h;
    graph_weight output = build_optional_matrix(b, h->vocabulary, h->embedding, "output.weight");
    if (output == GRAPH_ABSENT) output = embedding(b);
    graph_weight bias = build_optional_vector(b, h->vocabulary, "output.bias");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_value logits = graph_linear_fine(b->g, x, output, bias);
    return h->final_softcap > 0 ? graph_softcap(b->g, logits, h->final_softcap) : logits;
}

graph_value decoder_logits(build *b, graph_value x) { return decoder_logits_by(b, x, "output_norm"); }

graph_value decoder_logits_by(build *b, graph_value x, const char *last_norm) {
    const hyper *h = b->h;
    graph_weight weight = build_vector(b, h->embedding, "%s.weight", last_norm), bias = GRAPH_ABSENT;
    if (h->layer_norm) bias = build_optional_vector(b, h->embedding, "%s.bias", last_norm);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_set_result(b->g, GRAPH_HIDDEN, norm(b, x, 1, weight, bias));
    return decoder_project(b, norm(b, graph_select(b->g, x), 1, weight, bias));
}

graph_value decoder_with(build *b, decoder_attention how, uint32_t default_period, decoder_half half) {
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        how.window = hyper_window(b->h, i, default_period);
        x = graph_add(b->g, x, decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how));
        x = graph_add(b->g, x, half(b, decoder_norm(b, x, i, "ffn_norm"), i));
    }
    return decoder_logits(b, x);
}

static graph_value swiglu(build *b, graph_value x, uint32_t layer) { return decoder_feed(b, x, layer, graph_silu_mul); }

graph_value decoder_whole(build *b, decoder_attention how, uint32_t default_period) {
    return decoder_with(b, how, default_period, swiglu);
}
