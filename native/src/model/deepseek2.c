// SPDX-License-Identifier: Apache-2.0
/*
 * DeepSeek V2 and V3, R1 and their relations ("DeepSeek-V2", arXiv:2405.04434; "DeepSeek-V3 Technical Report",
 * arXiv:2412.19437): latent attention and a mixture of experts with shared ones.
 *
 * The cache holds a latent row a position, and the rotated part of the one key that all heads share. A head's keys
 * and values would be products of the latent row by matrices of its own; these are multiplied into the query and the
 * output instead: a query's plain part goes through the head's attn_k_b to the width of the latent row, all heads
 * attend to the same row as key and as value, and what comes out goes through the head's attn_v_b.
 */
#include "model/decoder.h"

#include "base/math.h"

/* yarn: the longer context sharpens the scores. */
static float score_scale(const hyper *h) {
    float sharper = 1.0f;
    if (h->rope_scaling == HYPER_ROPE_YARN && h->rope_factor > 1.0f)
        sharper += (float)(0.1 * (double)h->yarn.many * math_log((double)h->rope_factor));
    return sharper * sharper / sqrtf((float)h->latent.dim_k);
}

static graph_value normed(build *b, graph_value x, uint32_t n, uint32_t layer, const char *name) {
    graph_weight weight = build_vector(b, n, "blk.%u.%s.weight", layer, name);
    return b->status == PUNA_OK ? graph_rms_norm(b->g, x, weight, b->h->norm_epsilon) : GRAPH_ABSENT;
}

static graph_value queries(build *b, graph_value x, uint32_t layer) {
    const hyper *h = b->h;
    uint32_t rows = h->heads * h->latent.dim_k;
    if (h->latent.query == 0) return decoder_linear(b, x, rows, h->embedding, layer, "attn_q");
    x = decoder_linear(b, x, h->latent.query, h->embedding, layer, "attn_q_a");
    x = normed(b, x, h->latent.query, layer, "attn_q_a_norm");
    return decoder_linear(b, x, rows, h->latent.query, layer, "attn_q_b");
}

static graph_value attend(build *b, graph_value x, uint32_t layer, uint32_t table) {
    const hyper *h = b->h;
    const hyper_latent *l = &h->latent;
    graph *g = b->g;
    uint32_t rank = l->key_value, turned = h->rotated, plain = l->dim_k - turned;
    graph_value q = queries(b, x, layer);
    graph_value kv = decoder_linear(b, x, rank + turned, h->embedding, layer, "attn_kv_a_mqa");
    graph_weight into = build_matrices(b, h->heads, rank, plain, "blk.%u.attn_k_b.weight", layer);
    graph_weight out = build_matrices(b, h->heads, l->dim_v, rank, "blk.%u.attn_v_b.weight", layer);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    uint32_t cache = graph_add_cache_layer(g, 1, rank + turned, rank, 0);
    graph_value row = normed(b, graph_slice(g, kv, 1, 0, rank), rank, layer, "attn_kv_a_norm");
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_value k = graph_rope(g, graph_slice(g, kv, 1, rank, turned), 1, turned, true, table);
    graph_value q_turned = graph_rope(g, graph_slice(g, q, h->heads, plain, turned), h->heads, turned, true, table);
    q = graph_head_linear(g, graph_slice(g, q, h->heads, 0, plain), into);
    graph_store(g, graph_join(g, row, k, 1), row, cache);
    q = graph_join(g, q, q_turned, h->heads);
    graph_value mixed = graph_head_linear(g, graph_attend(g, q, h->heads, score_scale(h), 0, cache), out);
    return decoder_linear(b, mixed, h->embedding, h->heads * l->dim_v, layer, "attn_output");
}

static graph_value half(build *b, graph_value x, uint32_t layer) {
    if (layer < b->h->experts.dense_layers || b->h->experts.count == 0)
        return decoder_feed(b, x, layer, graph_silu_mul);
    graph_routing how = decoder_routing(b->h, GRAPH_SOFTMAX, false);
    return decoder_mixture(b, x, layer, how, graph_silu_mul);
}

static puna_status check(const build *b) {
    const hyper *h = b->h;
    if (!build_has(b, "blk.0.attn_k_b.weight"))
        return gguf_error(b->file, b->error, PUNA_UNSUPPORTED, "blk.0.attn_k_b.weight", PUNA_NO_OFFSET,
                          "the file is of before 2025 and has attn_kv_b in one piece: convert the model anew");
    if (h->latent.key_value > 0 && h->latent.dim_v > 0 && h->latent.dim_k > h->rotated && h->rotated > 0)
        return PUNA_OK;
    return gguf_error(b->file, b->error, PUNA_INVALID_FILE, "deepseek2.attention.key_length_mla",
                      gguf_place(b->file, "deepseek2.attention.key_length_mla"),
                      "heads of %u and %u over a latent row of %u, of which %u are turned", h->latent.dim_k,
                      h->latent.dim_v, h->latent.key_value, h->rotated);
}

graph_value deepseek2_logits(build *b) {
    b->status = check(b);
    uint32_t table = build_rope_table(b);
    graph_value x = decoder_embed(b);
    for (uint32_t i = 0; i < b->h->layers && b->status == PUNA_OK; i++) {
        x = graph_add(b->g, x, attend(b, decoder_norm(b, x, i, "attn_norm"), i, table));
        x = graph_add(b->g, x, half(b, decoder_norm(b, x, i, "ffn_norm"), i));
    }
    return decoder_logits(b, x);
}
