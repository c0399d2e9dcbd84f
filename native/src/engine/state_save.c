// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "engine/adapters.h"
#include "engine/state.h"
#include "format/bytes.h"

static puna_status put(state_sink *sink, const void *bytes, size_t count, puna_error *error) {
    state_sum_add(&sink->sum, bytes, count);
    if (sink->output) return os_output_write(sink->output, bytes, count, error);
    memcpy(sink->bytes, bytes, count);
    sink->bytes += count;
    return PUNA_OK;
}

static puna_status put_sum(state_sink *sink, puna_error *error) {
    uint8_t bytes[STATE_SUM];
    bytes_put_u64(bytes, state_sum_end(&sink->sum));
    return put(sink, bytes, sizeof bytes, error);
}

static puna_status put_adapter(const adapters_entry *entry, state_sink *sink, puna_error *error) {
    uint8_t bytes[STATE_ADAPTER] = {0};
    uint32_t weight;
    memcpy(&weight, &entry->weight, sizeof weight);
    bytes_put_u64(bytes, entry->fingerprint);
    bytes_put_u32(bytes + 8, weight);
    return put(sink, bytes, sizeof bytes, error);
}

static puna_status put_front(const engine *e, const sequence *s, state_sink *sink, puna_error *error) {
    state_front f = state_front_of(e, s);
    uint8_t front[STATE_FRONT] = STATE_MAGIC, layer[STATE_LAYER] = {0};
    const uint32_t last[] = {f.arithmetic, f.cache_type, f.vocabulary, f.layers, f.tokens, f.cached, f.adapters};
    bytes_put_u32(front + 8, f.version);
    bytes_put_u32(front + 12, f.front_bytes);
    bytes_put_u64(front + 16, f.bytes);
    bytes_put_u64(front + 24, f.fingerprint);
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) bytes_put_u32(front + 32 + 4 * i, last[i]);
    puna_status status = put(sink, front, sizeof front, error);
    for (uint32_t l = 0; l < f.layers && status == PUNA_OK; l++) {
        state_layer of = state_layer_of(e, l, f.cached);
        const uint32_t numbers[] = {of.heads, of.dim_k, of.dim_v, of.window, of.first};
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) bytes_put_u32(layer + 4 * i, numbers[i]);
        status = put(sink, layer, sizeof layer, error);
    }
    for (uint32_t i = 0; i < f.adapters && status == PUNA_OK; i++)
        status = put_adapter(&s->set->entries[i], sink, error);
    return status == PUNA_OK ? put_sum(sink, error) : status;
}

static puna_status put_tokens(const sequence *s, state_sink *sink, puna_error *error) {
    puna_status status = PUNA_OK;
    uint8_t bytes[512 * sizeof(int32_t)];
    for (uint32_t at = 0, part; at < s->count && status == PUNA_OK; at += part) {
        part = s->count - at < 512 ? s->count - at : 512;
        for (uint32_t i = 0; i < part; i++) bytes_put_u32(bytes + 4 * i, (uint32_t)s->tokens[at + i]);
        status = put(sink, bytes, part * sizeof(int32_t), error);
    }
    return status;
}

/* One layer's keys or values, a page at a time. */
static puna_status put_rows(const engine *e, const sequence *s, uint32_t layer, bool values, uint8_t *rows,
                            state_sink *sink, puna_error *error) {
    const device *d = e->model->device;
    uint8_t *const *pages = s->pages.data[e->model->graph.cache_layers[layer].group];
    size_t row = d->row_bytes(e->runner, layer, values);
    puna_status status = PUNA_OK;
    for (uint32_t at = state_layer_of(e, layer, s->cached).first, part; at < s->cached && status == PUNA_OK;
         at += part) {
        part = s->cached - at < CACHE_PAGE ? s->cached - at : CACHE_PAGE;
        d->rows_read(e->runner, layer, values, pages[at / CACHE_PAGE], 0, part, rows);
        status = put(sink, rows, part * row, error);
    }
    return status;
}

uint64_t state_save_bytes(const engine *e, const sequence *s) { return state_front_of(e, s).bytes; }

puna_status state_save(engine *e, const sequence *s, state_sink *sink, puna_error *error) {
    uint8_t *rows = memory_new(&e->account, state_rows_bytes(e));
    if (!rows) return error_memory(error, "saving a sequence", state_rows_bytes(e));
    puna_status status = put_front(e, s, sink, error);
    if (status == PUNA_OK) status = put_tokens(s, sink, error);
    for (uint32_t l = 0; l < e->model->graph.cache_layer_count && status == PUNA_OK; l++) {
        status = put_rows(e, s, l, false, rows, sink, error);
        if (status == PUNA_OK) status = put_rows(e, s, l, true, rows, sink, error);
    }
    if (status == PUNA_OK) status = put_sum(sink, error);
    memory_free(&e->account, rows);
    return status;
}
