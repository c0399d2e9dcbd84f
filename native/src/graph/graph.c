// SPDX-License-Identifier: Apache-2.0
#include "graph/graph.h"

#include <string.h>

#include "base/math.h"

static const graph_op_row rows[GRAPH_KINDS] = {
#define OP(NAME, text, inputs, output, local) {text, inputs, GRAPH_##output, local},
#include "graph/op.def"
#undef OP
};

const graph_op_row *graph_op_find(graph_kind kind) { return (unsigned)kind < GRAPH_KINDS ? &rows[kind] : NULL; }

void graph_init(graph *g, memory_account *account) {
    memset(g, 0, sizeof *g);
    g->account = account;
    for (uint32_t i = 0; i < GRAPH_RESULTS; i++) g->results[i] = GRAPH_ABSENT;
    g->most_positions = UINT32_MAX;
    g->error.size = sizeof g->error;
}

void graph_free(graph *g) {
    for (uint32_t i = 0; i < g->table_count; i++) memory_free(g->account, g->tables[i].frequencies);
    memory_free(g->account, g->ops);
    memory_free(g->account, g->values);
    memory_free(g->account, g->weights);
    memory_free(g->account, g->cache_layers);
    memory_free(g->account, g->groups);
    memory_free(g->account, g->tables);
    memory_free(g->account, g->slopes);
    graph_init(g, g->account);
}

static void fail(graph *g, const char *op, const char *why) {
    if (g->status != PUNA_OK) return;
    g->status = error_set(&g->error, PUNA_INVALID_ARGUMENT, "graph", "%s: %s", op, why);
}

/* Room for one more element of an array that grows by doubling; NULL (and a remembered error) without memory. */
static void *append(graph *g, void **array, uint32_t *count, size_t size) {
    uint32_t n = *count;
    if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
        size_t bytes, capacity = n == 0 ? 8 : (size_t)n * 2;
        void *grown = memory_multiply(capacity, size, &bytes) ? memory_grow(g->account, *array, bytes) : NULL;
        if (!grown) {
            if (g->status == PUNA_OK) g->status = error_memory(&g->error, "graph", capacity * size);
            return NULL;
        }
        *array = grown;
    }
    *count = n + 1;
    return (char *)*array + (size_t)n * size;
}

graph_weight graph_add_weight(graph *g, uint32_t tensor, uint32_t type, uint32_t row_count, uint32_t cols) {
    return graph_add_slice(g, tensor, type, 0, row_count, cols);
}

graph_weight graph_add_slice(graph *g, uint32_t tensor, uint32_t type, uint32_t first_row, uint32_t row_count,
                             uint32_t cols) {
    graph_weight_info *w = append(g, (void **)&g->weights, &g->weight_count, sizeof *w);
    if (!w) return GRAPH_ABSENT;
    *w = (graph_weight_info){.tensor = tensor, .type = type, .rows = row_count, .cols = cols, .first_row = first_row,
                             .matrices = 1};
    return g->weight_count - 1;
}

graph_weight graph_add_matrices(graph *g, uint32_t tensor, uint32_t type, uint32_t matrices, uint32_t row_count,
                                uint32_t cols) {
    graph_weight w = graph_add_slice(g, tensor, type, 0, row_count, cols);
    if (w != GRAPH_ABSENT) g->weights[w].matrices = matrices;
    return w;
}

/* The group's number, GRAPH_ABSENT without memory. */
static uint32_t cache_group(graph *g, graph_cache_group like) {
    uint32_t group = 0;
    for (; group < g->group_count; group++) {
        graph_cache_group *have = &g->groups[group];
        if (have->heads == like.heads && have->dim_k == like.dim_k && have->dim_v == like.dim_v &&
            have->window == like.window && have->whole == like.whole && have->state == like.state &&
            have->source == like.source)
            return group;
    }
    graph_cache_group *added = append(g, (void **)&g->groups, &g->group_count, sizeof *added);
    if (!added) return GRAPH_ABSENT;
    *added = like;
    return group;
}

static uint32_t cache_layer(graph *g, uint32_t group) {
    graph_cache_layer *layer = append(g, (void **)&g->cache_layers, &g->cache_layer_count, sizeof *layer);
    if (!layer) return GRAPH_ABSENT;
    *layer = (graph_cache_layer){group, g->groups[group].layers++};
    return g->cache_layer_count - 1;
}

uint32_t graph_add_cache_layer(graph *g, uint32_t heads, uint32_t dim_k, uint32_t dim_v, uint32_t window) {
    uint32_t group = cache_group(
        g, (graph_cache_group){.heads = heads, .dim_k = dim_k, .dim_v = dim_v, .window = window});
    return group == GRAPH_ABSENT ? GRAPH_ABSENT : cache_layer(g, group);
}

uint32_t graph_add_whole_layer(graph *g, uint32_t heads, uint32_t dim_k, uint32_t dim_v, uint32_t window) {
    uint32_t group = cache_group(
        g, (graph_cache_group){.heads = heads, .dim_k = dim_k, .dim_v = dim_v, .window = window, .whole = true});
    g->whole = true;
    for (uint32_t i = 0; i < g->cache_layer_count; i++)
        if (g->cache_layers[i].group == group) return i;
    return group == GRAPH_ABSENT ? GRAPH_ABSENT : cache_layer(g, group);
}

/* A tile of 16 channels lies together: [tile][number of the tap, or of the state][16]. */
static uint64_t conv_floats(uint32_t channels, uint32_t taps) {
    return ((uint64_t)channels + 15) / 16 * 16 * (taps - 1);
}

static uint64_t scan_floats(const graph_scanning *s) {
    return ((uint64_t)s->width + 15) / 16 * 16 * s->heads * s->states;
}

uint32_t graph_add_state_layer(graph *g, uint32_t channels, uint32_t taps, const graph_scanning *scan) {
    uint64_t conv = taps >= 2 && taps <= GRAPH_MOST_TAPS ? conv_floats(channels, taps) : UINT64_MAX;
    uint64_t states = scan && scan->width <= GRAPH_MOST_STATES && scan->heads <= GRAPH_MOST_STATES
        && scan->states <= GRAPH_MOST_STATES ? scan_floats(scan) : scan ? UINT64_MAX : 0;
    if (conv > GRAPH_MOST_STATES || states > GRAPH_MOST_STATES) {
        fail(g, "state", "a layer's state is too large, or it has less than 2 or more than 16 taps");
        return GRAPH_ABSENT;
    }
    g->recurrent = true;
    uint32_t group = cache_group(g, (graph_cache_group){.heads = 1, .dim_k = (uint32_t)conv, .dim_v = (uint32_t)states,
                                                        .window = 2, .state = true});
    return group == GRAPH_ABSENT ? GRAPH_ABSENT : cache_layer(g, group);
}

uint32_t graph_add_source_layer(graph *g, uint32_t heads, uint32_t dim_k, uint32_t dim_v) {
    uint32_t group = cache_group(g, (graph_cache_group){.heads = heads, .dim_k = dim_k, .dim_v = dim_v, .whole = true,
                                                       .source = true});
    g->source = true;
    return group == GRAPH_ABSENT ? GRAPH_ABSENT : cache_layer(g, group);
}

void graph_begin_source(graph *g) { g->in_source = true; }

void graph_end_source(graph *g) { g->in_source = false; }

void graph_set_slopes(graph *g, const float *slopes, uint32_t count) {
    float *copy = memory_array(g->account, count, sizeof *copy);
    if (!copy) {
        if (g->status == PUNA_OK) g->status = error_memory(&g->error, "graph", count * sizeof *copy);
        return;
    }
    memcpy(copy, slopes, count * sizeof *copy);
    memory_free(g->account, g->slopes);
    g->slopes = copy;
    g->slope_count = count;
}

static uint32_t add_table(graph *g, const float *frequencies, uint32_t count, float magnitude, uint32_t original) {
    uint32_t sets = original == UINT32_MAX ? 1 : 2;
    graph_table *table = append(g, (void **)&g->tables, &g->table_count, sizeof *table);
    if (!table) return GRAPH_ABSENT;
    *table = (graph_table){memory_array(g->account, (size_t)sets * count, sizeof(float)), count, original, magnitude};
    if (!table->frequencies) {
        g->table_count--;
        if (g->status == PUNA_OK) g->status = error_memory(&g->error, "graph", (uint64_t)sets * count * sizeof(float));
        return GRAPH_ABSENT;
    }
    memcpy(table->frequencies, frequencies, (size_t)sets * count * sizeof(float));
    return g->table_count - 1;
}

uint32_t graph_add_table(graph *g, const float *frequencies, uint32_t count, float magnitude) {
    return add_table(g, frequencies, count, magnitude, UINT32_MAX);
}

uint32_t graph_add_long_table(graph *g, const float *frequencies, uint32_t count, float magnitude, uint32_t original) {
    return add_table(g, frequencies, count, magnitude, original);
}

static graph_op *add_op(graph *g, graph_kind kind, graph_value a, graph_value b) {
    if (g->status != PUNA_OK) return NULL;
    graph_value in[GRAPH_INPUTS] = {a, b};
    for (uint32_t i = 0; i < rows[kind].inputs; i++) {
        if (in[i] >= g->value_count) {
            fail(g, rows[kind].name, "an input that no op has made");
            return NULL;
        }
    }
    graph_op *op = append(g, (void **)&g->ops, &g->op_count, sizeof *op);
    if (op)
        *op = (graph_op){.kind = kind, .in = {a, b}, .out = GRAPH_ABSENT, .weight = GRAPH_ABSENT, .bias = GRAPH_ABSENT,
                         .relative = GRAPH_ABSENT, .source = g->in_source};
    return op;
}

static graph_value make(graph *g, graph_op *op, uint32_t width) {
    if (!op) return GRAPH_ABSENT;
    graph_rows symbol = rows[op->kind].rows == GRAPH_INPUT ? g->values[op->in[0]].rows : rows[op->kind].rows;
    graph_value_info *value = append(g, (void **)&g->values, &g->value_count, sizeof *value);
    if (!value) return GRAPH_ABSENT;
    *value = (graph_value_info){symbol, width};
    return op->out = g->value_count - 1;
}

static bool use(graph *g, graph_op *op, graph_weight weight, uint32_t how) {
    if (!op) return false;
    if (weight >= g->weight_count) {
        fail(g, rows[op->kind].name, "a weight that was not declared");
        return false;
    }
    g->weights[weight].uses |= how;
    return true;
}

static uint32_t width(const graph *g, graph_value value) { return value < g->value_count ? g->values[value].width : 0; }

static bool expect(graph *g, const graph_op *op, bool fits) {
    if (op && !fits) fail(g, rows[op->kind].name, "widths that do not fit");
    return op && fits;
}

graph_value graph_embed(graph *g, graph_weight table) {
    graph_op *op = add_op(g, GRAPH_EMBED_OP, GRAPH_ABSENT, GRAPH_ABSENT);
    if (!use(g, op, table, GRAPH_USE_ROWS)) return GRAPH_ABSENT;
    op->weight = table;
    return make(g, op, g->weights[table].cols);
}

graph_value graph_position(graph *g, graph_weight table, uint32_t first) {
    graph_op *op = add_op(g, GRAPH_POSITION_OP, GRAPH_ABSENT, GRAPH_ABSENT);
    if (!use(g, op, table, GRAPH_USE_ROWS)) return GRAPH_ABSENT;
    if (!expect(g, op, first < g->weights[table].rows)) return GRAPH_ABSENT;
    op->weight = table;
    op->first = first;
    uint32_t positions = g->weights[table].rows - first;
    if (positions < g->most_positions) g->most_positions = positions;
    return make(g, op, g->weights[table].cols);
}

graph_value graph_type(graph *g, graph_weight table) {
    graph_op *op = add_op(g, GRAPH_TYPE_OP, GRAPH_ABSENT, GRAPH_ABSENT);
    if (!use(g, op, table, GRAPH_USE_ROWS)) return GRAPH_ABSENT;
    op->weight = table;
    return make(g, op, g->weights[table].cols);
}

graph_value graph_linear(graph *g, graph_value x, graph_weight weight, graph_weight bias) {
    graph_op *op = add_op(g, GRAPH_LINEAR_OP, x, GRAPH_ABSENT);
    if (!use(g, op, weight, GRAPH_USE_MATRIX)) return GRAPH_ABSENT;
    const graph_weight_info *w = &g->weights[weight];
    if (!expect(g, op, w->cols == width(g, x))) return GRAPH_ABSENT;
    if (bias != GRAPH_ABSENT) {
        if (!use(g, op, bias, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
        if (!expect(g, op, g->weights[bias].cols == w->rows)) return GRAPH_ABSENT;
    }
    op->weight = weight;
    op->bias = bias;
    return make(g, op, w->rows);
}

graph_value graph_linear_fine(graph *g, graph_value x, graph_weight weight, graph_weight bias) {
    graph_value y = graph_linear(g, x, weight, bias);
    if (y != GRAPH_ABSENT) g->ops[g->op_count - 1].fine = true;
    return y;
}

graph_value graph_rms_norm(graph *g, graph_value x, graph_weight weight, float epsilon) {
    return graph_rms_norm_heads(g, x, 1, weight, epsilon);
}

graph_value graph_rms_norm_heads(graph *g, graph_value x, uint32_t heads, graph_weight weight, float epsilon) {
    graph_op *op = add_op(g, GRAPH_RMS_NORM_OP, x, GRAPH_ABSENT);
    if (!use(g, op, weight, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
    const graph_weight_info *w = &g->weights[weight];
    bool fits = heads > 0 && (uint64_t)heads * w->cols == width(g, x) && (w->rows == 1 || w->rows == heads);
    if (!expect(g, op, fits)) return GRAPH_ABSENT;
    op->weight = weight;
    op->heads = heads;
    op->number = epsilon;
    return make(g, op, width(g, x));
}

static bool norm_vector(graph *g, graph_op *op, graph_weight v, uint32_t all, uint32_t part) {
    if (v == GRAPH_ABSENT) return true;
    if (!use(g, op, v, GRAPH_USE_VECTOR)) return false;
    uint64_t elements = (uint64_t)g->weights[v].rows * g->weights[v].cols;
    return expect(g, op, elements == all || elements == part);
}

graph_value graph_layer_norm(graph *g, graph_value x, uint32_t heads, graph_weight weight, graph_weight bias,
                             float epsilon) {
    graph_op *op = add_op(g, GRAPH_LAYER_NORM_OP, x, GRAPH_ABSENT);
    uint32_t all = width(g, x);
    if (!op || !expect(g, op, heads > 0 && all % heads == 0)) return GRAPH_ABSENT;
    if (!norm_vector(g, op, weight, all, all / heads) || !norm_vector(g, op, bias, all, all / heads))
        return GRAPH_ABSENT;
    op->weight = weight;
    op->bias = bias;
    op->heads = heads;
    op->number = epsilon;
    return make(g, op, all);
}

graph_value graph_activate(graph *g, graph_value x, graph_activation f) {
    graph_op *op = add_op(g, GRAPH_ACTIVATE_OP, x, GRAPH_ABSENT);
    if (!op) return GRAPH_ABSENT;
    op->activation = f;
    return make(g, op, width(g, x));
}

graph_value graph_rope(graph *g, graph_value x, uint32_t heads, uint32_t dimension, bool interleaved, uint32_t table) {
    graph_op *op = add_op(g, GRAPH_ROPE_OP, x, GRAPH_ABSENT);
    bool fits = op && table < g->table_count && (uint64_t)heads * dimension == width(g, x) &&
                (uint64_t)g->tables[table].count * 2 <= dimension;
    if (!expect(g, op, fits)) return GRAPH_ABSENT;
    op->heads = heads;
    op->dimension = dimension;
    op->interleaved = interleaved;
    op->table = table;
    return make(g, op, width(g, x));
}

void graph_store(graph *g, graph_value k, graph_value v, uint32_t layer) {
    graph_op *op = add_op(g, GRAPH_STORE_OP, k, v);
    if (!op) return;
    if (!expect(g, op, layer < g->cache_layer_count)) return;
    const graph_cache_group *c = &g->groups[g->cache_layers[layer].group];
    bool fits = (uint64_t)c->heads * c->dim_k == width(g, k) && (uint64_t)c->heads * c->dim_v == width(g, v);
    if (!expect(g, op, !c->state && fits)) return;
    op->layer = layer;
}

graph_value graph_attend(graph *g, graph_value q, uint32_t heads, float scale, float softcap, uint32_t layer) {
    graph_op *op = add_op(g, GRAPH_ATTEND_OP, q, GRAPH_ABSENT);
    if (!op || !expect(g, op, layer < g->cache_layer_count)) return GRAPH_ABSENT;
    const graph_cache_group *c = &g->groups[g->cache_layers[layer].group];
    bool fits = !c->state && heads % c->heads == 0 && (uint64_t)heads * c->dim_k == width(g, q);
    if (!expect(g, op, fits)) return GRAPH_ABSENT;
    op->heads = heads;
    op->number = scale;
    op->softcap = softcap;
    op->layer = layer;
    op->cross = c->source && !g->in_source;
    return make(g, op, heads * c->dim_v);
}

void graph_attend_more(graph *g, graph_value attended, graph_weight sinks, bool sloped) {
    if (g->status != PUNA_OK || g->op_count == 0) return;
    graph_op *op = &g->ops[g->op_count - 1];
    if (op->kind != GRAPH_ATTEND_OP || op->out != attended || (sloped && g->slope_count != op->heads)) {
        fail(g, "attend", "more of an attention that was not just added, or other slopes");
        return;
    }
    op->sloped = sloped;
    if (sinks == GRAPH_ABSENT || !use(g, op, sinks, GRAPH_USE_VECTOR)) return;
    if (expect(g, op, g->weights[sinks].rows == 1 && g->weights[sinks].cols == op->heads)) op->bias = sinks;
}

void graph_attend_relative(graph *g, graph_value attended, graph_weight weight, uint32_t reach, bool both) {
    if (g->status != PUNA_OK || g->op_count == 0) return;
    graph_op *op = &g->ops[g->op_count - 1];
    if (op->kind != GRAPH_ATTEND_OP || op->out != attended) {
        fail(g, "attend", "more of an attention that was not just added");
        return;
    }
    if (!use(g, op, weight, GRAPH_USE_VECTOR)) return;
    uint32_t exact = g->weights[weight].rows / (both ? 4 : 2);
    if (!expect(g, op, g->weights[weight].cols == op->heads && exact > 0 && reach > exact && reach <= 1u << 20)) return;
    op->relative = weight;
    op->reach = reach;
    op->both = both;
}

/* Where a distance is a whole number of factors, the logarithms' rounding must not decide. */
uint32_t graph_bucket(int64_t distance, uint32_t buckets, uint32_t reach, bool both) {
    uint32_t first = 0;
    if (both) {
        buckets /= 2;
        if (distance > 0) first = buckets;
    }
    uint64_t n = distance < 0 ? (uint64_t)-distance : both ? (uint64_t)distance : 0;
    uint32_t exact = buckets / 2, last = buckets - 1;
    if (n < exact) return first + (uint32_t)n;
    if (n >= reach) return first + last;
    double factors = math_log((double)n / (double)exact) / math_log((double)reach / (double)exact);
    uint32_t bucket = exact + (uint32_t)(factors * (double)(buckets - exact) + 1e-9);
    return first + (bucket < last ? bucket : last);
}

static graph_value pair(graph *g, graph_kind kind, graph_value a, graph_value b) {
    graph_op *op = add_op(g, kind, a, b);
    bool fits = op && width(g, a) == width(g, b) && g->values[a].rows == g->values[b].rows;
    return expect(g, op, fits) ? make(g, op, width(g, a)) : GRAPH_ABSENT;
}

graph_value graph_silu_mul(graph *g, graph_value gate, graph_value up) { return pair(g, GRAPH_SILU_MUL_OP, gate, up); }

graph_value graph_gelu_mul(graph *g, graph_value gate, graph_value up) { return pair(g, GRAPH_GELU_MUL_OP, gate, up); }

graph_value graph_multiply(graph *g, graph_value a, graph_value b) { return pair(g, GRAPH_MULTIPLY_OP, a, b); }

graph_value graph_add(graph *g, graph_value a, graph_value b) { return pair(g, GRAPH_ADD_OP, a, b); }

static graph_value with_number(graph *g, graph_kind kind, graph_value a, float number) {
    graph_op *op = add_op(g, kind, a, GRAPH_ABSENT);
    if (!op) return GRAPH_ABSENT;
    op->number = number;
    return make(g, op, width(g, a));
}

graph_value graph_scale(graph *g, graph_value a, float factor) { return with_number(g, GRAPH_SCALE_OP, a, factor); }

graph_value graph_softcap(graph *g, graph_value a, float cap) { return with_number(g, GRAPH_SOFTCAP_OP, a, cap); }

graph_value graph_clamp(graph *g, graph_value a, float low, float high, float plus) {
    graph_value y = with_number(g, GRAPH_CLAMP_OP, a, plus);
    if (y == GRAPH_ABSENT) return y;
    g->ops[g->op_count - 1].low = low;
    g->ops[g->op_count - 1].high = high;
    return y;
}

graph_value graph_gate(graph *g, graph_value a, graph_value b) {
    graph_op *op = add_op(g, GRAPH_GATE_OP, a, b);
    bool fits = op && width(g, b) == 1 && g->values[a].rows == g->values[b].rows;
    return expect(g, op, fits) ? make(g, op, width(g, a)) : GRAPH_ABSENT;
}

graph_value graph_slice(graph *g, graph_value a, uint32_t heads, uint32_t first, uint32_t count) {
    graph_op *op = add_op(g, GRAPH_SLICE_OP, a, GRAPH_ABSENT);
    bool fits = op && heads > 0 && count > 0 && width(g, a) % heads == 0 &&
                (uint64_t)first + count <= width(g, a) / heads;
    if (!expect(g, op, fits)) return GRAPH_ABSENT;
    op->heads = heads;
    op->first = first;
    return make(g, op, heads * count);
}

graph_value graph_join(graph *g, graph_value a, graph_value b, uint32_t heads) {
    graph_op *op = add_op(g, GRAPH_JOIN_OP, a, b);
    bool fits = op && heads > 0 && width(g, a) % heads == 0 && width(g, b) % heads == 0 &&
                g->values[a].rows == g->values[b].rows && width(g, a) <= UINT32_MAX - width(g, b);
    if (!expect(g, op, fits)) return GRAPH_ABSENT;
    op->heads = heads;
    return make(g, op, width(g, a) + width(g, b));
}

static bool routable(const graph_routing *how, uint32_t experts) {
    uint32_t groups = how->groups > 1 ? how->groups : 1, kept = how->groups > 1 ? how->groups_chosen : 1;
    return experts > 0 && experts % groups == 0 && kept > 0 && kept <= groups && how->chosen > 0 &&
           how->chosen <= experts / groups * kept;
}

graph_value graph_route(graph *g, graph_value logits, const graph_routing *how) {
    graph_op *op = add_op(g, GRAPH_ROUTE_OP, logits, GRAPH_ABSENT);
    uint32_t experts = width(g, logits);
    bool fits = op && experts <= GRAPH_MOST_EXPERTS && routable(how, experts) &&
                g->values[logits].rows == GRAPH_TOKENS && (g->chosen == 0 || g->chosen == how->chosen);
    if (!expect(g, op, fits)) return GRAPH_ABSENT;
    if (how->bias != GRAPH_ABSENT) {
        if (!use(g, op, how->bias, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
        if (!expect(g, op, g->weights[how->bias].rows == 1 && g->weights[how->bias].cols == experts))
            return GRAPH_ABSENT;
    }
    g->chosen = how->chosen;
    op->experts = experts;
    op->routing = *how;
    return make(g, op, 2 * how->chosen);
}

/* The ROUTE that made a value; NULL: another op did. */
static const graph_op *route_of(const graph *g, graph_value routing) {
    for (uint32_t i = g->op_count; i-- > 0;)
        if (g->ops[i].out == routing) return g->ops[i].kind == GRAPH_ROUTE_OP ? &g->ops[i] : NULL;
    return NULL;
}

graph_value graph_expert_linear(graph *g, graph_value x, graph_value routing, graph_weight weight, graph_weight bias) {
    const graph_op *made = g->status == PUNA_OK ? route_of(g, routing) : NULL;
    uint32_t experts = made ? made->experts : 0;
    graph_op *op = add_op(g, GRAPH_EXPERT_LINEAR_OP, x, routing);
    if (!use(g, op, weight, GRAPH_USE_MATRIX)) return GRAPH_ABSENT;
    const graph_weight_info *w = &g->weights[weight];
    bool fits = experts > 0 && w->matrices == experts && w->cols == width(g, x) && g->values[x].rows != GRAPH_OUTPUTS;
    if (!expect(g, op, fits)) return GRAPH_ABSENT;
    if (bias != GRAPH_ABSENT) {
        if (!use(g, op, bias, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
        if (!expect(g, op, g->weights[bias].cols == w->rows && g->weights[bias].rows == experts)) return GRAPH_ABSENT;
    }
    op->weight = weight;
    op->bias = bias;
    op->experts = experts;
    return make(g, op, w->rows);
}

graph_value graph_mix(graph *g, graph_value routing, graph_value pairs) {
    bool routed = g->status == PUNA_OK && route_of(g, routing);
    graph_op *op = add_op(g, GRAPH_MIX_OP, routing, pairs);
    if (!expect(g, op, op && routed && g->values[pairs].rows == GRAPH_PAIRS)) return GRAPH_ABSENT;
    return make(g, op, width(g, pairs));
}

graph_value graph_head_linear(graph *g, graph_value x, graph_weight weight) {
    graph_op *op = add_op(g, GRAPH_HEAD_LINEAR_OP, x, GRAPH_ABSENT);
    if (!use(g, op, weight, GRAPH_USE_MATRIX)) return GRAPH_ABSENT;
    const graph_weight_info *w = &g->weights[weight];
    bool fits = (uint64_t)w->matrices * w->cols == width(g, x) && (uint64_t)w->matrices * w->rows <= 1u << 24;
    if (!expect(g, op, fits)) return GRAPH_ABSENT;
    op->weight = weight;
    op->heads = w->matrices;
    return make(g, op, w->matrices * w->rows);
}

graph_value graph_select(graph *g, graph_value a) {
    graph_op *op = add_op(g, GRAPH_SELECT_OP, a, GRAPH_ABSENT);
    return op ? make(g, op, width(g, a)) : GRAPH_ABSENT;
}

void graph_set_result(graph *g, graph_result which, graph_value value) {
    graph_rows expected = which == GRAPH_HIDDEN ? GRAPH_TOKENS : GRAPH_OUTPUTS;
    if (g->status != PUNA_OK) return;
    if (value >= g->value_count || g->values[value].rows != expected) fail(g, "result", "not a value of such rows");
    else g->results[which] = value;
}

graph_value graph_pool(graph *g, graph_value a) {
    graph_op *op = add_op(g, GRAPH_POOL_OP, a, GRAPH_ABSENT);
    return op ? make(g, op, width(g, a)) : GRAPH_ABSENT;
}

/* Whether the layer is a recurrent one with so much of each. */
static bool keeps(const graph *g, uint32_t layer, uint64_t conv, uint64_t states) {
    if (layer >= g->cache_layer_count) return false;
    const graph_cache_group *c = &g->groups[g->cache_layers[layer].group];
    return c->state && (conv == 0 || c->dim_k == conv) && (states == 0 || c->dim_v == states);
}

graph_value graph_conv(graph *g, graph_value x, graph_weight weight, graph_weight bias, uint32_t layer) {
    graph_op *op = add_op(g, GRAPH_CONV_OP, x, GRAPH_ABSENT);
    if (!use(g, op, weight, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
    const graph_weight_info *w = &g->weights[weight];
    bool fits = w->rows == width(g, x) && w->cols >= 2 && w->cols <= GRAPH_MOST_TAPS &&
                g->values[x].rows == GRAPH_TOKENS && keeps(g, layer, conv_floats(w->rows, w->cols), 0);
    if (!expect(g, op, fits)) return GRAPH_ABSENT;
    if (bias != GRAPH_ABSENT) {
        if (!use(g, op, bias, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
        if (!expect(g, op, g->weights[bias].rows == 1 && g->weights[bias].cols == w->rows)) return GRAPH_ABSENT;
    }
    op->weight = weight;
    op->bias = bias;
    op->layer = layer;
    return make(g, op, width(g, x));
}

static uint64_t elements(const graph *g, graph_weight weight) {
    const graph_weight_info *w = &g->weights[weight];
    return (uint64_t)w->rows * w->cols;
}

graph_value graph_scan(graph *g, graph_value xbc, graph_value steps, const graph_scanning *how, graph_weight decay,
                       graph_weight skip, uint32_t layer) {
    graph_op *op = add_op(g, GRAPH_SCAN_OP, xbc, steps);
    if (!use(g, op, decay, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
    uint64_t channels = (uint64_t)how->heads * how->width, owners = how->each ? channels : how->heads;
    bool fits = channels > 0 && how->groups > 0 && how->heads % how->groups == 0 && how->states > 0 &&
                keeps(g, layer, 0, scan_floats(how)) &&
                channels + 2 * (uint64_t)how->groups * how->states == width(g, xbc) && owners == width(g, steps) &&
                elements(g, decay) == owners * (how->each ? how->states : 1) && (!how->each || how->heads == 1) &&
                g->values[xbc].rows == GRAPH_TOKENS && g->values[steps].rows == GRAPH_TOKENS;
    if (!expect(g, op, fits)) return GRAPH_ABSENT;
    if (skip != GRAPH_ABSENT) {
        if (!use(g, op, skip, GRAPH_USE_VECTOR)) return GRAPH_ABSENT;
        if (!expect(g, op, elements(g, skip) == owners)) return GRAPH_ABSENT;
    }
    op->weight = decay;
    op->bias = skip;
    op->scanning = *how;
    op->layer = layer;
    return make(g, op, (uint32_t)channels);
}

puna_status graph_finish(graph *g, graph_value logits, puna_error *error) {
    bool other = g->results[GRAPH_HIDDEN] != GRAPH_ABSENT;
    if (logits != GRAPH_ABSENT || !other) graph_set_result(g, GRAPH_LOGITS, logits);
    if (g->status == PUNA_OK) return PUNA_OK;
    error_set(error, g->status, g->error.subject, "%s", g->error.message);
    if (error) {
        error->needed = g->error.needed;
        error->available = g->error.available;
    }
    return g->status;
}
