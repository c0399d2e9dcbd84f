// SPDX-License-Identifier: Apache-2.0
#include "model/encoder.h"

/* By the name of its tensors; the bias where the file has one. */
static graph_value named_norm(build *b, graph_value x, const char *name) {
    graph_weight weight = build_vector(b, b->h->embedding, "%s.weight", name);
    graph_weight bias = build_optional_vector(b, b->h->embedding, "%s.bias", name);
    return b->status == PUNA_OK ? graph_layer_norm(b->g, x, 1, weight, bias, b->h->norm_epsilon) : GRAPH_ABSENT;
}

static graph_value named_linear(build *b, graph_value x, uint32_t rows, const char *name) {
    graph_weight weight = build_matrix(b, rows, b->h->embedding, "%s.weight", name);
    graph_weight bias = build_optional_vector(b, rows, "%s.bias", name);
    return b->status == PUNA_OK ? graph_linear(b->g, x, weight, bias) : GRAPH_ABSENT;
}

graph_value encoder_embed(build *b) {
    const hyper *h = b->h;
    graph_value x = decoder_embed(b);
    if (build_has(b, "token_types.weight")) {
        graph_weight types = build_matrix(b, build_tensor_rows(b, "token_types.weight"), h->embedding,
                                          "token_types.weight");
        if (b->status == PUNA_OK) x = graph_add(b->g, x, graph_type(b->g, types));
    }
    if (build_has(b, "position_embd.weight")) {
        graph_weight positions = build_matrix(b, h->context_length, h->embedding, "position_embd.weight");
        if (b->status == PUNA_OK) x = graph_add(b->g, x, graph_position(b->g, positions, 0));
    }
    return named_norm(b, x, "token_embd_norm");
}

graph_value encoder_layer(build *b, graph_value x, uint32_t layer, const decoder_attention *how, encoder_feed feed) {
    graph *g = b->g;
    graph_value mixed = decoder_attend(b, x, layer, how);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_value middle = decoder_norm(b, graph_add(g, x, mixed), layer, "attn_output_norm");
    if (build_has(b, "blk.%u.attn_norm_2.weight", layer))
        middle = decoder_norm(b, graph_add(g, x, middle), layer, "attn_norm_2");
    graph_value fed = feed(b, middle, layer);
    return b->status == PUNA_OK ? decoder_norm(b, graph_add(g, middle, fed), layer, "layer_output_norm")
                                : GRAPH_ABSENT;
}

graph_value encoder_gelu_mul(graph *g, graph_value gate, graph_value up) {
    return graph_multiply(g, graph_activate(g, gate, GRAPH_GELU_ERF), up);
}

static graph_activation activation(hyper_activation asked, graph_activation own) {
    switch (asked) {
    case HYPER_GELU: return GRAPH_GELU_ERF;
    case HYPER_SILU: return GRAPH_SILU;
    case HYPER_RELU: return GRAPH_RELU;
    case HYPER_TANH: return GRAPH_TANH;
    default: return own;
    }
}

/* cls alone projects to the labels; before cls.output it is a layer of its own. */
static void classify(build *b, graph_value x, graph_activation own) {
    bool two = build_has(b, "cls.output.weight"), one = build_has(b, "cls.weight");
    if (b->status != PUNA_OK || (!one && !two)) return;
    if (!two && build_tensor_rows(b, "cls.weight") == b->h->embedding) return; /* a pooler that nothing follows */
    x = b->h->pooled_scores ? graph_pool(b->g, x) : graph_select(b->g, x);
    if (two && one) {
        x = named_linear(b, x, b->h->embedding, "cls");
        if (b->status == PUNA_OK) x = graph_activate(b->g, x, activation(b->h->classifier_activation, own));
        if (build_has(b, "cls.norm.weight")) x = named_norm(b, x, "cls.norm");
    }
    const char *last = two ? "cls.output" : "cls";
    x = named_linear(b, x, two ? build_tensor_rows(b, "cls.output.weight") : build_tensor_rows(b, "cls.weight"), last);
    if (b->status == PUNA_OK) graph_set_result(b->g, GRAPH_SCORES, x);
}

static graph_value fill(build *b, graph_value x) {
    const hyper *h = b->h;
    if (b->status != PUNA_OK || !build_has(b, "mlm.dense.weight")) return GRAPH_ABSENT;
    x = named_linear(b, graph_select(b->g, x), h->embedding, "mlm.dense");
    if (b->status == PUNA_OK) x = graph_activate(b->g, x, GRAPH_GELU_ERF);
    x = named_norm(b, x, "mlm.norm");
    graph_weight output = build_optional_matrix(b, h->vocabulary, h->embedding, "output.weight");
    if (output == GRAPH_ABSENT) output = build_matrix(b, h->vocabulary, h->embedding, "token_embd.weight");
    graph_weight bias = build_optional_vector(b, h->vocabulary, "output.bias");
    return b->status == PUNA_OK ? graph_linear_fine(b->g, x, output, bias) : GRAPH_ABSENT;
}

graph_value encoder_finish(build *b, graph_value x, graph_activation own) {
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_set_result(b->g, GRAPH_HIDDEN, x);
    classify(b, x, own);
    return fill(b, x);
}
