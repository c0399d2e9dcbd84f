// SPDX-License-Identifier: Apache-2.0
/*
 * The llama family: LLaMA 1 to 3, TinyLlama, SmolLM2 and whoever shares their shape.
 *
 * Touvron et al., "LLaMA: Open and Efficient Foundation Language Models" (arXiv:2302.13971); grouped-query attention as
 * in "Llama 2" (arXiv:2307.09288). Pre-norm with RMSNorm, rotary positions on interleaved pairs (GGUF stores the rows
 * of q and k in that order), SwiGLU, no biases unless the file has them. The output matrix is the embedding where the
 * file has no matrix of its own.
 */
#include "model/build.h"

#include "base/math.h"

typedef struct layer {
    graph_weight attention_norm, q, k, v, o, q_bias, k_bias, v_bias, o_bias;
    graph_weight feed_norm, gate, up, down, gate_bias, up_bias, down_bias;
} layer;

static layer weights_of(build *b, uint32_t i) {
    const hyper *h = b->h;
    uint32_t q = h->heads * h->head_dim_k, k = h->heads_kv * h->head_dim_k, v = h->heads_kv * h->head_dim_v;
    return (layer){
        .attention_norm = build_vector(b, h->embedding, "blk.%u.attn_norm.weight", i),
        .q = build_matrix(b, q, h->embedding, "blk.%u.attn_q.weight", i),
        .k = build_matrix(b, k, h->embedding, "blk.%u.attn_k.weight", i),
        .v = build_matrix(b, v, h->embedding, "blk.%u.attn_v.weight", i),
        .o = build_matrix(b, h->embedding, h->heads * h->head_dim_v, "blk.%u.attn_output.weight", i),
        .q_bias = build_optional_vector(b, q, "blk.%u.attn_q.bias", i),
        .k_bias = build_optional_vector(b, k, "blk.%u.attn_k.bias", i),
        .v_bias = build_optional_vector(b, v, "blk.%u.attn_v.bias", i),
        .o_bias = build_optional_vector(b, h->embedding, "blk.%u.attn_output.bias", i),
        .feed_norm = build_vector(b, h->embedding, "blk.%u.ffn_norm.weight", i),
        .gate = build_matrix(b, h->feed_forward, h->embedding, "blk.%u.ffn_gate.weight", i),
        .up = build_matrix(b, h->feed_forward, h->embedding, "blk.%u.ffn_up.weight", i),
        .down = build_matrix(b, h->embedding, h->feed_forward, "blk.%u.ffn_down.weight", i),
        .gate_bias = build_optional_vector(b, h->feed_forward, "blk.%u.ffn_gate.bias", i),
        .up_bias = build_optional_vector(b, h->feed_forward, "blk.%u.ffn_up.bias", i),
        .down_bias = build_optional_vector(b, h->embedding, "blk.%u.ffn_down.bias", i),
    };
}

static graph_value attention(build *b, const layer *l, graph_value x, uint32_t table) {
    const hyper *h = b->h;
    graph *g = b->g;
    uint32_t cache = graph_add_cache_layer(g, h->heads_kv, h->head_dim_k, h->head_dim_v, 0);
    graph_value normed = graph_rms_norm(g, x, l->attention_norm, h->norm_epsilon);
    graph_value q = graph_linear(g, normed, l->q, l->q_bias);
    graph_value k = graph_linear(g, normed, l->k, l->k_bias);
    graph_value v = graph_linear(g, normed, l->v, l->v_bias);
    q = graph_rope(g, q, h->heads, h->head_dim_k, true, table);
    k = graph_rope(g, k, h->heads_kv, h->head_dim_k, true, table);
    graph_store(g, k, v, cache);
    float scale = 1.0f / sqrtf((float)h->head_dim_k);
    graph_value mixed = graph_attend(g, q, h->heads, scale, 0, cache);
    return graph_add(g, x, graph_linear(g, mixed, l->o, l->o_bias));
}

static graph_value feed_forward(build *b, const layer *l, graph_value x) {
    graph *g = b->g;
    graph_value normed = graph_rms_norm(g, x, l->feed_norm, b->h->norm_epsilon);
    graph_value gate = graph_linear(g, normed, l->gate, l->gate_bias);
    graph_value up = graph_linear(g, normed, l->up, l->up_bias);
    return graph_add(g, x, graph_linear(g, graph_silu_mul(g, gate, up), l->down, l->down_bias));
}

graph_value llama_logits(build *b) {
    const hyper *h = b->h;
    graph_weight embedding = build_matrix(b, h->vocabulary, h->embedding, "token_embd.weight");
    graph_weight output = build_optional_matrix(b, h->vocabulary, h->embedding, "output.weight");
    graph_weight norm = build_vector(b, h->embedding, "output_norm.weight");
    uint32_t table = build_rope_table(b);
    graph_value x = graph_embed(b->g, embedding);
    for (uint32_t i = 0; i < h->layers && b->status == PUNA_OK; i++) {
        layer l = weights_of(b, i);
        if (b->status != PUNA_OK) break;
        x = attention(b, &l, x, table);
        x = feed_forward(b, &l, x);
    }
    x = graph_rms_norm(b->g, graph_select(b->g, x), norm, h->norm_epsilon);
    return graph_linear_fine(b->g, x, output == GRAPH_ABSENT ? embedding : output);
}
