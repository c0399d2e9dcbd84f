// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a state in this order: the front and its sum, what it says against the length and the model, the sum of all,
 * the tokens; only then a sequence is opened and pages are taken. So a damaged state costs nobody a page.
 *
 * What was restored gets a prefix space of its own: others find pages that this engine computed, never such that a file
 * claims to be computed from their tokens. Forks share it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "engine/adapters.h"
#include "engine/state.h"
#include "format/bytes.h"

#define CHUNK ((size_t)64 << 10)
#define RESTORED (UINT64_C(1) << 63) /* prefix spaces from here on */

typedef struct restoring {
    engine *e;
    const state_source *source;
    state_front front;
    state_layer *layers; /* [front.layers] */
    int32_t *tokens;     /* [front.tokens] */
    adapter_set *claim;  /* NULL: no adapters */
    puna_error *error;
} restoring;

static puna_status take(const restoring *r, uint64_t offset, void *bytes, size_t count) {
    if (r->source->input) return os_input_read(r->source->input, offset, bytes, count, r->error);
    memcpy(bytes, r->source->bytes + offset, count);
    return PUNA_OK;
}

static puna_status refuse(const restoring *r, puna_status status, const char *field, uint64_t offset, const char *why) {
    char subject[256];
    snprintf(subject, sizeof subject, "%s: %s", r->source->name, field);
    return error_at(r->error, status, subject, offset, "%s: %s", r->source->name, why);
}

static puna_status damaged(const restoring *r, const char *field, uint64_t offset, const char *why) {
    return refuse(r, PUNA_INVALID_FILE, field, offset, why);
}

/* ---- the front ---- */

static puna_status check_sum(const restoring *r, uint64_t begin, uint64_t end, state_sum *sum, const char *field) {
    uint8_t *bytes = memory_new(&r->e->account, CHUNK), expected[STATE_SUM];
    if (!bytes) return error_memory(r->error, "restoring a sequence", CHUNK);
    puna_status status = PUNA_OK;
    for (uint64_t at = begin; at < end && status == PUNA_OK;) {
        size_t part = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
        status = take(r, at, bytes, part);
        if (status == PUNA_OK) state_sum_add(sum, bytes, part);
        at += part;
    }
    memory_free(&r->e->account, bytes);
    if (status == PUNA_OK) status = take(r, end, expected, sizeof expected);
    if (status != PUNA_OK) return status;
    if (state_sum_end(sum) != bytes_u64(expected))
        return damaged(r, field, end, "it is damaged: its bytes do not have the sum that was written");
    state_sum_add(sum, expected, sizeof expected);
    return PUNA_OK;
}

static puna_status read_front(restoring *r, state_sum *sum) {
    uint8_t front[STATE_FRONT];
    state_front *f = &r->front;
    if (r->source->size < sizeof front)
        return damaged(r, "length", r->source->size, "it is too short for a saved sequence");
    puna_status status = take(r, 0, front, sizeof front);
    if (status != PUNA_OK) return status;
    if (memcmp(front, STATE_MAGIC, 8) != 0) return damaged(r, "magic", 0, "it is no saved sequence");
    f->version = bytes_u32(front + 8);
    if (f->version != STATE_VERSION) {
        char why[128];
        snprintf(why, sizeof why, "it has version %" PRIu32 " of the form; this library reads %u", f->version,
                 STATE_VERSION);
        return refuse(r, PUNA_UNSUPPORTED, "version", 8, why);
    }
    f->front_bytes = bytes_u32(front + 12);
    f->bytes = bytes_u64(front + 16);
    f->fingerprint = bytes_u64(front + 24);
    uint32_t *const last[] = {&f->arithmetic, &f->cache_type, &f->vocabulary, &f->layers, &f->tokens, &f->cached,
                              &f->adapters};
    for (size_t i = 0; i < sizeof last / sizeof *last; i++) *last[i] = bytes_u32(front + 32 + 4 * i);
    if ((uint64_t)f->front_bytes + STATE_SUM != state_front_bytes(f)
        || state_front_bytes(f) > r->source->size)
        return damaged(r, "layers", 44, "its front has not the length that its layers need");
    return check_sum(r, 0, f->front_bytes, sum, "front");
}

/* Against the model and the engine; what belongs to the caller's choice gets a sentence of its own. */
static puna_status check_front(const restoring *r) {
    const state_front *f = &r->front;
    const engine *e = r->e;
    char why[256];
    static const char *const types[] = {"F32", "F16", "Q8_0"};
    state_front mine = state_front_of(e, &(sequence){0});
    if (f->fingerprint != mine.fingerprint) {
        snprintf(why, sizeof why,
                 "it was saved with another model: fingerprint %016" PRIx64 ", this one has %016" PRIx64,
                 f->fingerprint, mine.fingerprint);
        return refuse(r, PUNA_INVALID_ARGUMENT, "model", 24, why);
    }
    if (f->arithmetic != mine.arithmetic) {
        snprintf(why, sizeof why,
                 "it was computed by version %" PRIu32 " of the arithmetic contract; this library has %"
                 PRIu32, f->arithmetic, mine.arithmetic);
        return refuse(r, PUNA_UNSUPPORTED, "arithmetic version", 32, why);
    }
    if ((f->cache_type ^ mine.cache_type) == STATE_LONG)
        return refuse(r, PUNA_INVALID_ARGUMENT, "context_length", 36,
                      "the model has frequencies for short contexts and for long ones, and it was saved by an engine "
                      "whose context_length asks for the others");
    if (f->cache_type != mine.cache_type) {
        snprintf(why, sizeof why, "its keys and values are of type %s; this engine's cache is %s",
                 (f->cache_type & 0xff) < 3 ? types[f->cache_type & 0xff] : "unknown", types[mine.cache_type & 0xff]);
        return refuse(r, PUNA_INVALID_ARGUMENT, "cache_type", 36, why);
    }
    if (f->vocabulary != mine.vocabulary || f->layers != mine.layers)
        return damaged(r, "vocabulary", 40, "its vocabulary or its layers are not the model's");
    if (f->adapters > PUNA_MAX_ADAPTERS) return damaged(r, "adapters", 56, "it has more adapters than can be used");
    if (f->cached > f->tokens) return damaged(r, "cached", 52, "it holds more positions than tokens");
    if (f->tokens > e->options.context_length) {
        snprintf(why, sizeof why, "it has %" PRIu32 " tokens; the context holds %" PRIu32, f->tokens,
                 e->options.context_length);
        puna_status status = refuse(r, PUNA_CONTEXT_FULL, "tokens", 48, why);
        if (r->error) {
            r->error->needed = f->tokens;
            r->error->available = e->options.context_length;
        }
        return status;
    }
    return PUNA_OK;
}

static puna_status read_layers(restoring *r) {
    const state_front *f = &r->front;
    r->layers = memory_array(&r->e->account, f->layers, sizeof *r->layers);
    if (!r->layers) return error_memory(r->error, "restoring a sequence", f->layers * sizeof *r->layers);
    for (uint32_t l = 0; l < f->layers; l++) {
        uint8_t bytes[STATE_LAYER];
        uint64_t at = STATE_FRONT + (uint64_t)l * STATE_LAYER;
        state_layer mine = state_layer_of(r->e, l, f->cached);
        puna_status status = take(r, at, bytes, sizeof bytes);
        if (status != PUNA_OK) return status;
        state_layer *of = &r->layers[l];
        *of = (state_layer){bytes_u32(bytes), bytes_u32(bytes + 4), bytes_u32(bytes + 8), bytes_u32(bytes + 12),
                            bytes_u32(bytes + 16)};
        if (of->heads != mine.heads || of->dim_k != mine.dim_k || of->dim_v != mine.dim_v || of->window != mine.window)
            return damaged(r, "layers", at, "a layer has not the model's shape");
        bool state = r->e->model->graph.groups[r->e->model->graph.cache_layers[l].group].state;
        if (of->first > mine.first || (state && of->first != mine.first))
            return damaged(r, "layers", at + 16, "a layer lacks positions that its window sees");
    }
    uint64_t bytes = state_bytes(r->e, f, r->layers);
    if (f->bytes != bytes || r->source->size != bytes)
        return damaged(r, "length", r->source->size,
                       "it has not the length that it should have: it is cut, or more follows");
    return PUNA_OK;
}

/* What the caches are said to be computed with: compared when a generation says what it wants. */
static puna_status read_adapters(restoring *r) {
    const state_front *f = &r->front;
    if (!f->adapters) return PUNA_OK;
    r->claim = adapters_claim(r->e, f->adapters);
    if (!r->claim) return error_memory(r->error, "restoring a sequence", f->adapters * sizeof(adapters_entry));
    for (uint32_t i = 0; i < f->adapters; i++) {
        uint8_t bytes[STATE_ADAPTER];
        uint64_t at = STATE_FRONT + (uint64_t)f->layers * STATE_LAYER + (uint64_t)i * STATE_ADAPTER;
        puna_status status = take(r, at, bytes, sizeof bytes);
        if (status != PUNA_OK) return status;
        uint32_t weight = bytes_u32(bytes + 8);
        r->claim->entries[i].fingerprint = bytes_u64(bytes);
        memcpy(&r->claim->entries[i].weight, &weight, sizeof weight);
    }
    return PUNA_OK;
}

static puna_status read_tokens(restoring *r) {
    const state_front *f = &r->front;
    if (f->tokens == 0) return PUNA_OK;
    uint64_t at = state_front_bytes(f);
    r->tokens = memory_array(&r->e->account, f->tokens, sizeof *r->tokens);
    if (!r->tokens) return error_memory(r->error, "restoring a sequence", f->tokens * sizeof *r->tokens);
    puna_status status = take(r, at, r->tokens, f->tokens * sizeof *r->tokens);
    if (status != PUNA_OK) return status;
    for (uint32_t i = 0; i < f->tokens; i++) {
        uint32_t id = bytes_u32((const uint8_t *)&r->tokens[i]);
        if (id >= f->vocabulary) return damaged(r, "tokens", at + 4 * (uint64_t)i, "a token is beyond the vocabulary");
        r->tokens[i] = (int32_t)id;
    }
    return PUNA_OK;
}

/* ---- the sequence ---- */

/* Pages for what the state holds, from those who need theirs least. Nobody's are taken where that would not do. */
static bool take_pages(const restoring *r, sequence *s) {
    engine *e = r->e;
    uint64_t mark = cache_mark(e->cache), bytes = cache_seen_bytes(e->cache, r->front.cached);
    for (const sequence *other = e->running.first; other; other = other->next)
        bytes += cache_count(e->cache, &other->pages, mark);
    if (bytes > cache_budget(e->cache)) return false;
    while (cache_place(e->cache, &s->pages, r->front.cached, NULL) != PUNA_OK)
        if (!evict_one(e, s)) return false;
    return true;
}

/* One layer's keys or values, a page at a time, from `at` in the source; what lies before the pages is passed over. */
static puna_status fill_rows_of(const restoring *r, sequence *s, uint32_t layer, bool values, uint64_t at,
                                uint8_t *rows) {
    const engine *e = r->e;
    const device *d = e->model->device;
    size_t row = d->row_bytes(e->runner, layer, values);
    uint32_t position = state_layer_of(e, layer, r->front.cached).first;
    uint8_t *const *pages = s->pages.data[e->model->graph.cache_layers[layer].group];
    puna_status status = PUNA_OK;
    at += (uint64_t)(position - r->layers[layer].first) * row;
    for (uint32_t part; position < r->front.cached && status == PUNA_OK; position += part, at += part * row) {
        part = r->front.cached - position < CACHE_PAGE ? r->front.cached - position : CACHE_PAGE;
        status = take(r, at, rows, part * row);
        if (status == PUNA_OK) d->rows_write(e->runner, layer, values, pages[position / CACHE_PAGE], 0, part, rows);
    }
    return status;
}

static puna_status fill_pages(const restoring *r, sequence *s) {
    engine *e = r->e;
    uint8_t *rows = memory_new(&e->account, state_rows_bytes(e));
    if (!rows) return error_memory(r->error, "restoring a sequence", state_rows_bytes(e));
    uint64_t at = state_front_bytes(&r->front) + r->front.tokens * sizeof(int32_t);
    puna_status status = PUNA_OK;
    for (uint32_t l = 0; l < r->front.layers && status == PUNA_OK; l++) {
        uint64_t keys = (uint64_t)(r->front.cached - r->layers[l].first) * e->model->device->row_bytes(e->runner, l,
            false);
        status = fill_rows_of(r, s, l, false, at, rows);
        if (status == PUNA_OK) status = fill_rows_of(r, s, l, true, at + keys, rows);
        at += state_cache_bytes(e, l, r->layers[l].first, r->front.cached);
    }
    memory_free(&e->account, rows);
    return status;
}

static puna_status make(const restoring *r, sequence *s) {
    engine *e = r->e;
    if (r->front.tokens == 0) return PUNA_OK;
    puna_status status = sequence_set_tokens(&e->account, e->cache, s, r->tokens, r->front.tokens, r->error);
    if (status != PUNA_OK || r->front.cached == 0) return status;
    if (!take_pages(r, s)) {
        log_write(PUNA_LOG_INFO,
                  "%s: no room for %u cached positions beside those that run: they will be computed again",
                  r->source->name, r->front.cached);
        return PUNA_OK;
    }
    status = fill_pages(r, s);
    if (status != PUNA_OK) return status;
    s->cached = r->front.cached;
    s->space = RESTORED + ++e->restored;
    s->set = adapters_share(r->claim);
    sequence_remove(s);
    scheduler_rest(e, s);
    return PUNA_OK;
}

static puna_status open_sequence(const restoring *r, uint64_t *id) {
    sequence *s = NULL;
    puna_status status = engine_open_sequence(r->e, id, r->error);
    if (status == PUNA_OK) status = engine_find(r->e, *id, &s, r->error);
    if (status != PUNA_OK) return status;
    status = make(r, s);
    if (status == PUNA_OK) return PUNA_OK;
    engine_close_sequence(r->e, s);
    *id = 0;
    return status;
}

puna_status state_restore(engine *e, const state_source *source, uint64_t *id, puna_error *error) {
    restoring r = {.e = e, .source = source, .error = error};
    state_sum sum = {0};
    puna_status status = read_front(&r, &sum);
    if (status == PUNA_OK) status = check_front(&r);
    if (status == PUNA_OK) status = read_layers(&r);
    if (status == PUNA_OK)
        status = check_sum(&r, state_front_bytes(&r.front), r.front.bytes - STATE_SUM, &sum, "contents");
    if (status == PUNA_OK) status = read_tokens(&r);
    if (status == PUNA_OK) status = read_adapters(&r);
    if (status == PUNA_OK) status = open_sequence(&r, id);
    memory_free(&e->account, r.layers);
    memory_free(&e->account, r.tokens);
    adapters_give(e, r.claim);
    return status;
}
