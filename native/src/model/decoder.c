// SPDX-License-Identifier: Apache-2.0
#include "model/decoder.h"

#include "base/math.h"

float decoder_scale(const hyper *h) { return 1.0f / sqrtf((float)h->head_dim_k); }

graph_value decoder_norm(build *b, graph_value x, uint32_t layer, const char *name) {
    graph_weight weight = build_vector(b, b->h->embedding, "blk.%u.%s.weight", layer, name);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return graph_rms_norm(b->g, x, weight, b->h->norm_epsilon);
}

static graph_value linear(build *b, graph_value x, uint32_t rows, uint32_t cols, uint32_t layer, const char *name) {
    graph_weight weight = build_matrix(b, rows, cols, "blk.%u.%s.weight", layer, name);
    graph_weight bias = build_optional_vector(b, rows, "blk.%u.%s.bias", layer, name);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return graph_linear(b->g, x, weight, bias);
}

static graph_value norm_heads(build *b, graph_value x, uint32_t heads, uint32_t layer, const char *name,
                              decoder_query_norm how) {
    if (how == DECODER_NO_NORM) return x;
    uint32_t parts = how == DECODER_HEAD_NORM ? heads : 1;
    graph_weight weight = build_vector(b, heads / parts * b->h->head_dim_k, "blk.%u.%s.weight", layer, name);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return graph_rms_norm_heads(b->g, x, parts, weight, b->h->norm_epsilon);
}

static graph_value turn(build *b, graph_value x, uint32_t heads, const decoder_attention *how) {
    if (how->table == GRAPH_ABSENT) return x;
    return graph_rope(b->g, x, heads, b->h->head_dim_k, how->interleaved, how->table);
}

graph_value decoder_attend(build *b, graph_value x, uint32_t layer, const decoder_attention *how) {
    const hyper *h = b->h;
    graph *g = b->g;
    uint32_t cache = graph_add_cache_layer(g, h->heads_kv, h->head_dim_k, h->head_dim_v, how->window);
    graph_value q = linear(b, x, h->heads * h->head_dim_k, h->embedding, layer, "attn_q");
    graph_value k = linear(b, x, h->heads_kv * h->head_dim_k, h->embedding, layer, "attn_k");
    graph_value v = linear(b, x, h->heads_kv * h->head_dim_v, h->embedding, layer, "attn_v");
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
    graph_value gate = linear(b, x, h->feed_forward, h->embedding, layer, "ffn_gate");
    graph_value up = linear(b, x, h->feed_forward, h->embedding, layer, "ffn_up");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return linear(b, combine(b->g, gate, up), h->embedding, h->feed_forward, layer, "ffn_down");
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
    graph_weight norm = build_vector(b, h->embedding, "output_norm.weight");
    graph_weight output = build_optional_matrix(b, h->vocabulary, h->embedding, "output.weight");
    if (output == GRAPH_ABSENT) output = embedding(b);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    x = graph_rms_norm(b->g, graph_select(b->g, x), norm, h->norm_epsilon);
    graph_value logits = graph_linear_fine(b->g, x, output);
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
