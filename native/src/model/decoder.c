// SPDX-License-Identifier: Apache-2.0
#include "model/decoder.h"

#include "base/math.h"

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

static graph_value linear(build *b, graph_value x, uint32_t rows, uint32_t cols, uint32_t layer, const char *name) {
    graph_weight weight = build_matrix(b, rows, cols, "blk.%u.%s.weight", layer, name);
    graph_weight bias = build_optional_vector(b, rows, "blk.%u.%s.bias", layer, name);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return graph_linear(b->g, x, weight, bias);
}

/* Rows [first, first + rows) of a tensor that holds several matrices. */
static graph_value part(build *b, graph_value x, uint32_t first, uint32_t rows, uint32_t all, uint32_t layer,
                        const char *name) {
    graph_weight weight = build_rows(b, first, rows, all, b->h->embedding, "blk.%u.%s.weight", layer, name);
    graph_weight bias = build_optional_elements(b, first, rows, all, "blk.%u.%s.bias", layer, name);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return graph_linear(b->g, x, weight, bias);
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
        v = part(b, x, rows_q + rows_k, rows_v, all, layer, "attn_qkv");
    } else {
        q = linear(b, x, rows_q, h->embedding, layer, "attn_q");
        k = linear(b, x, rows_k, h->embedding, layer, "attn_k");
        v = linear(b, x, rows_v, h->embedding, layer, "attn_v");
    }
    q = norm_heads(b, q, h->heads, layer, "attn_q_norm", how->norm);
    k = norm_heads(b, k, h->heads_kv, layer, "attn_k_norm", how->norm);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    q = turn(b, q, h->heads, how);
    k = turn(b, k, h->heads_kv, how);
    graph_store(g, k, v, cache);
    graph_value mixed = graph_attend(g, q, h->heads, how->scale, how->softcap, cache);
    return linear(b, mixed, h->embedding, h->heads * h->head_dim_v, layer, "attn_output");
}

graph_value decoder_feed(build *b, graph_value x, uint32_t layer, decoder_gate combine) {
    const hyper *h = b->h;
    graph_value gate, up;
    if (build_has(b, "blk.%u.ffn_gate.weight", layer)) {
        gate = linear(b, x, h->feed_forward, h->embedding, layer, "ffn_gate");
        up = linear(b, x, h->feed_forward, h->embedding, layer, "ffn_up");
    } else {
        gate = part(b, x, 0, h->feed_forward, 2 * h->feed_forward, layer, "ffn_up");
        up = part(b, x, h->feed_forward, h->feed_forward, 2 * h->feed_forward, layer, "ffn_up");
    }
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return linear(b, combine(b->g, gate, up), h->embedding, h->feed_forward, layer, "ffn_down");
}

graph_value decoder_feed_plain(build *b, graph_value x, uint32_t layer, graph_activation f) {
    const hyper *h = b->h;
    graph_value up = linear(b, x, h->feed_forward, h->embedding, layer, "ffn_up");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return linear(b, graph_activate(b->g, up, f), h->embedding, h->feed_forward, layer, "ffn_down");
}

static graph_weight embedding(build *b) {
    return build_matrix(b, b->h->vocabulary, b->h->embedding, "token_embd.weight");
}

graph_value decoder_embed(build *b) {
    graph_weight table = embedding(b);
    return b->status == PUNA_OK ? graph_embed(b->g, table) : GRAPH_ABSENT;
}

graph_value decoder_logits(build *b, graph_value x) {
    const hyper *h = b->h;
    graph_weight weight = build_vector(b, h->embedding, "output_norm.weight"), bias = GRAPH_ABSENT;
    if (h->layer_norm) bias = build_optional_vector(b, h->embedding, "output_norm.bias");
    graph_weight output = build_optional_matrix(b, h->vocabulary, h->embedding, "output.weight");
    if (output == GRAPH_ABSENT) output = embedding(b);
    graph_weight output_bias = build_optional_vector(b, h->vocabulary, "output.bias");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_set_result(b->g, GRAPH_HIDDEN, norm(b, x, 1, weight, bias));
    x = norm(b, graph_select(b->g, x), 1, weight, bias);
    graph_value logits = graph_linear_fine(b->g, x, output, output_bias);
    return h->final_softcap > 0 ? graph_softcap(b->g, logits, h->final_softcap) : logits;
}

graph_value decoder_whole(build *b, decoder_attention how, uint32_t default_period) {
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        how.window = hyper_window(b->h, i, default_period);
        x = graph_add(b->g, x, decoder_attend(b, decoder_norm(b, x, i, "attn_norm"), i, &how));
        x = graph_add(b->g, x, decoder_feed(b, decoder_norm(b, x, i, "ffn_norm"), i, graph_silu_mul));
    }
    return decoder_logits(b, x);
}
