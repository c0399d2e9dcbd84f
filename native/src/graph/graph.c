// SPDX-License-Identifier: Apache-2.0
#include "graph/graph_build.h"

#include <string.h>

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

void graph_fail(graph *g, const char *op, const char *why) {
    if (g->status != PUNA_OK) return;
    g->status = error_set(&g->error, PUNA_INVALID_ARGUMENT, "graph", "%s: %s", op, why);
}

void *graph_append(graph *g, void **array, uint32_t *count, size_t size) {
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
    graph_weight_info *w = graph_append(g, (void **)&g->weights, &g->weight_count, sizeof *w);
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
    graph_table *table = graph_append(g, (void **)&g->tables, &g->table_count, sizeof *table);
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

graph_op *graph_op_new(graph *g, graph_kind kind, graph_value a, graph_value b) {
    if (g->status != PUNA_OK) return NULL;
    graph_value in[GRAPH_INPUTS] = {a, b};
    for (uint32_t i = 0; i < rows[kind].inputs; i++) {
        if (in[i] >= g->value_count) {
            graph_fail(g, rows[kind].name, "an input that no op has made");
            return NULL;
        }
    }
    graph_op *op = graph_append(g, (void **)&g->ops, &g->op_count, sizeof *op);
    if (op)
        *op = (graph_op){.kind = kind, .in = {a, b}, .out = GRAPH_ABSENT, .weight = GRAPH_ABSENT, .bias = GRAPH_ABSENT,
                         .relative = GRAPH_ABSENT, .source = g->in_source};
    return op;
}

graph_value graph_make(graph *g, graph_op *op, uint32_t width) {
    if (!op) return GRAPH_ABSENT;
    graph_rows symbol = rows[op->kind].rows == GRAPH_INPUT ? g->values[op->in[0]].rows : rows[op->kind].rows;
    graph_value_info *value = graph_append(g, (void **)&g->values, &g->value_count, sizeof *value);
    if (!value) return GRAPH_ABSENT;
    *value = (graph_value_info){symbol, width};
    return op->out = g->value_count - 1;
}

bool graph_use(graph *g, graph_op *op, graph_weight weight, uint32_t how) {
    if (!op) return false;
    if (weight >= g->weight_count) {
        graph_fail(g, rows[op->kind].name, "a weight that was not declared");
        return false;
    }
    g->weights[weight].uses |= how;
    return true;
}

uint32_t graph_width(const graph *g, graph_value value) { return value < g->value_count ? g->values[value].width : 0; }

bool graph_expect(graph *g, const graph_op *op, bool fits) {
    if (op && !fits) graph_fail(g, rows[op->kind].name, "widths that do not fit");
    return op && fits;
}

void graph_set_result(graph *g, graph_result which, graph_value value) {
    graph_rows expected = which == GRAPH_HIDDEN ? GRAPH_TOKENS : GRAPH_OUTPUTS;
    if (g->status != PUNA_OK) return;
    bool fits = value < g->value_count && g->values[value].rows == expected;
    if (fits) g->results[which] = value;
    else graph_fail(g, "result", "not a value of such rows");
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
