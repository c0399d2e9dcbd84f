// SPDX-License-Identifier: Apache-2.0
/* puna.h, part 6: sequences that are saved and restored. */
#include "engine/state.h"

static puna_status missing(puna_error *error, const char *name) {
    return error_set(error, PUNA_INVALID_ARGUMENT, name, "%s is NULL", name);
}

/* Lets the caller in and finds its sequence; on success the caller must leave. */
static puna_status enter(puna_engine *e, uint64_t id, sequence **s, puna_error *error) {
    if (!e) return missing(error, "engine");
    puna_status status = engine_enter(e, error);
    if (status != PUNA_OK) return status;
    status = engine_find(e, id, s, error);
    if (status == PUNA_OK && e->model->graph.source)
        status = model_refuse(e->model, "save or restore sequences", error);
    if (status != PUNA_OK) engine_leave(e);
    return status;
}

puna_status puna_sequence_save(puna_engine *e, uint64_t id, void *bytes, uint64_t capacity, uint64_t *length,
                               puna_error *error) {
    sequence *s;
    if (!length) return missing(error, "length");
    if (!bytes && capacity) return missing(error, "bytes");
    puna_status status = enter(e, id, &s, error);
    if (status != PUNA_OK) return status;
    uint64_t needed = state_save_bytes(e, s);
    if (capacity < needed) {
        status = error_set(error, PUNA_BUFFER_TOO_SMALL, "bytes", "the sequence takes %llu bytes",
                           (unsigned long long)needed);
        if (error) error->needed = needed;
        *length = needed;
    } else {
        state_sink sink = {.bytes = bytes};
        status = state_save(e, s, &sink, error);
        if (status == PUNA_OK) *length = needed;
    }
    engine_leave(e);
    return status;
}

static puna_status save_file(engine *e, const sequence *s, const char *path, puna_error *error) {
    state_sink sink = {0};
    puna_status status = os_output_open(path, &sink.output, error);
    if (status != PUNA_OK) return status;
    status = state_save(e, s, &sink, error);
    if (status == PUNA_OK) return os_output_commit(sink.output, error);
    os_output_discard(sink.output);
    return status;
}

puna_status puna_sequence_save_file(puna_engine *e, uint64_t id, const char *path, puna_error *error) {
    sequence *s;
    if (!path) return missing(error, "path");
    puna_status status = enter(e, id, &s, error);
    if (status != PUNA_OK) return status;
    status = save_file(e, s, path, error);
    engine_leave(e);
    return status;
}

static puna_status restore(puna_engine *e, const state_source *source, uint64_t *id, puna_error *error) {
    puna_status status = engine_enter(e, error);
    if (status != PUNA_OK) return status;
    status = e->model->graph.source ? model_refuse(e->model, "save or restore sequences", error)
                                    : state_restore(e, source, id, error);
    engine_leave(e);
    return status;
}

puna_status puna_sequence_restore(puna_engine *e, const void *bytes, uint64_t length, uint64_t *id, puna_error *error) {
    if (!id) return missing(error, "sequence");
    *id = 0;
    if (!e) return missing(error, "engine");
    if (!bytes && length) return missing(error, "bytes");
    return restore(e, &(state_source){.bytes = bytes, .size = length, .name = "the saved sequence"}, id, error);
}

puna_status puna_sequence_restore_file(puna_engine *e, const char *path, uint64_t *id, puna_error *error) {
    if (!id) return missing(error, "sequence");
    *id = 0;
    if (!e) return missing(error, "engine");
    if (!path) return missing(error, "path");
    state_source source = {.name = path};
    puna_status status = os_input_open(path, &source.input, &source.size, error);
    if (status != PUNA_OK) return status;
    status = restore(e, &source, id, error);
    os_input_close(source.input);
    return status;
}
