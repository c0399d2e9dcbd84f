// SPDX-License-Identifier: Apache-2.0
#include "model/recurrent.h"

/* What any of these layers can't be, said of the file. */
static bool fits(build *b, bool sizes, const char *why) {
    const hyper *h = b->h;
    if (b->status != PUNA_OK) return false;
    if (h->recurrent.taps == 0 || !sizes)
        b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, h->architecture, PUNA_NO_OFFSET, "%s", why);
    else if (!h->causal)
        b->status = gguf_error(b->file, b->error, PUNA_UNSUPPORTED, "attention.causal", PUNA_NO_OFFSET,
                               "recurrent layers see what is before them alone; a model of them that shall see both "
                               "sides is not supported");
    else if (h->recurrent.normed)
        b->status = gguf_error(b->file, b->error, PUNA_UNSUPPORTED, "ssm.dt_b_c_rms", PUNA_NO_OFFSET,
                               "norms of steps, b and c (Falcon Mamba) are not supported");
    return b->status == PUNA_OK;
}

/* Rows [first, first + rows) of a tensor with `all` of them. */
static graph_value part(build *b, graph_value x, uint32_t first, uint32_t rows, uint32_t all, uint32_t cols,
                        uint32_t layer, const char *name, graph_weight bias) {
    graph_weight weight = build_rows(b, first, rows, all, cols, "blk.%u.%s.weight", layer, name);
    return b->status == PUNA_OK ? graph_linear(b->g, x, weight, bias) : GRAPH_ABSENT;
}

static graph_value convolved(build *b, graph_value x, uint32_t channels, uint32_t state, uint32_t layer) {
    uint32_t taps = b->h->recurrent.taps;
    graph_weight weight = build_matrix(b, channels, taps, "blk.%u.ssm_conv1d.weight", layer);
    graph_weight bias = build_optional_vector(b, channels, "blk.%u.ssm_conv1d.bias", layer);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    return graph_activate(b->g, graph_conv(b->g, x, weight, bias, state), GRAPH_SILU);
}

graph_value recurrent_mamba(build *b, graph_value x, uint32_t layer) {
    const hyper_recurrent *s = &b->h->recurrent;
    graph *g = b->g;
    const uint32_t inner = s->inner, states = s->states, made = s->rank + 2 * states;
    if (!fits(b, inner > 0, "it has no ssm.inner_size")) return GRAPH_ABSENT;
    graph_scanning how = {.heads = 1, .width = inner, .groups = 1, .states = states, .each = true};
    uint32_t state = graph_add_state_layer(g, inner, s->taps, &how);
    graph_value u = part(b, x, 0, inner, 2 * inner, b->h->embedding, layer, "ssm_in", GRAPH_ABSENT);
    graph_value gate = part(b, x, inner, inner, 2 * inner, b->h->embedding, layer, "ssm_in", GRAPH_ABSENT);
    u = convolved(b, u, inner, state, layer);
    graph_value low = part(b, u, 0, s->rank, made, inner, layer, "ssm_x", GRAPH_ABSENT);
    graph_value bc = part(b, u, s->rank, 2 * states, made, inner, layer, "ssm_x", GRAPH_ABSENT);
    graph_value steps = decoder_linear(b, low, inner, s->rank, layer, "ssm_dt");
    graph_weight decay = build_matrix(b, inner, states, "blk.%u.ssm_a", layer);
    graph_weight skip = build_vector(b, inner, "blk.%u.ssm_d", layer);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    steps = graph_activate(g, steps, GRAPH_SOFTPLUS);
    graph_value y = graph_scan(g, graph_join(g, u, bc, 1), steps, &how, decay, skip, state);
    return decoder_linear(b, graph_silu_mul(g, gate, y), b->h->embedding, inner, layer, "ssm_out");
}

graph_value recurrent_mamba2(build *b, graph_value x, uint32_t layer) {
    const hyper_recurrent *s = &b->h->recurrent;
    graph *g = b->g;
    const uint32_t inner = s->inner, heads = s->rank, mixed = inner + 2 * s->groups * s->states;
    const uint32_t all = inner + mixed + heads, width = b->h->embedding;
    bool even = heads > 0 && inner % heads == 0 && heads % s->groups == 0;
    if (!fits(b, even, "ssm.inner_size, ssm.time_step_rank (heads) and ssm.group_count do not divide evenly"))
        return GRAPH_ABSENT;
    graph_scanning how = {.heads = heads, .width = inner / heads, .groups = s->groups, .states = s->states};
    uint32_t state = graph_add_state_layer(g, mixed, s->taps, &how);
    graph_weight from = build_vector(b, heads, "blk.%u.ssm_dt.bias", layer);
    graph_value gate = part(b, x, 0, inner, all, width, layer, "ssm_in", GRAPH_ABSENT);
    graph_value xbc = part(b, x, inner, mixed, all, width, layer, "ssm_in", GRAPH_ABSENT);
    graph_value steps = part(b, x, inner + mixed, heads, all, width, layer, "ssm_in", from);
    xbc = convolved(b, xbc, mixed, state, layer);
    graph_weight decay = build_matrix(b, heads, 1, "blk.%u.ssm_a", layer);
    graph_weight skip = build_matrix(b, heads, 1, "blk.%u.ssm_d", layer);
    graph_weight norm = build_matrix(b, s->groups, inner / s->groups, "blk.%u.ssm_norm.weight", layer);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    steps = graph_activate(g, steps, GRAPH_SOFTPLUS);
    graph_value y = graph_silu_mul(g, gate, graph_scan(g, xbc, steps, &how, decay, skip, state));
    y = graph_rms_norm_heads(g, y, s->groups, norm, b->h->norm_epsilon);
    return decoder_linear(b, y, width, inner, layer, "ssm_out");
}

graph_value recurrent_short(build *b, graph_value x, uint32_t layer) {
    const uint32_t width = b->h->embedding;
    graph *g = b->g;
    if (!fits(b, true, "it has no shortconv.l_cache")) return GRAPH_ABSENT;
    uint32_t state = graph_add_state_layer(g, width, b->h->recurrent.taps, NULL);
    graph_value in = part(b, x, 0, width, 3 * width, width, layer, "shortconv.in_proj", GRAPH_ABSENT);
    graph_value out = part(b, x, width, width, 3 * width, width, layer, "shortconv.in_proj", GRAPH_ABSENT);
    graph_value u = part(b, x, 2 * width, width, 3 * width, width, layer, "shortconv.in_proj", GRAPH_ABSENT);
    graph_weight weight = build_matrix(b, width, b->h->recurrent.taps, "blk.%u.shortconv.conv.weight", layer);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    graph_value y = graph_conv(g, graph_multiply(g, in, u), weight, GRAPH_ABSENT, state);
    return decoder_linear(b, graph_multiply(g, out, y), width, width, layer, "shortconv.out_proj");
}
