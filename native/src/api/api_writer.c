// SPDX-License-Identifier: Apache-2.0
/* puna.h, part 7: writing GGUF files. Arguments are checked here, format/ does the rest. */
#include <inttypes.h>
#include <string.h>

#include "api/api_enter.h"
#include "base/math.h"
#include "format/block.h"
#include "format/gguf_write.h"

struct puna_writer {
    gguf_writer *writer;
    memory_account account; /* of this struct and what a call needs meanwhile */
};

puna_status puna_writer_create(puna_writer **out, puna_error *error) {
    if (!out) return api_missing(error, "writer");
    *out = NULL;
    memory_account account;
    memory_account_init(&account);
    puna_writer *w = memory_new(&account, sizeof *w);
    if (!w) return error_memory(error, "a GGUF file to be written", sizeof *w);
    memory_account_init(&w->account);
    atomic_store(&w->account.used, memory_used(&account));
    puna_status status = gguf_writer_create(3, &w->writer, error);
    if (status == PUNA_OK) *out = w;
    else puna_writer_close(w);
    return status;
}

void puna_writer_close(puna_writer *w) {
    if (!w) return;
    gguf_writer_free(w->writer);
    memory_account last;
    memory_account_init(&last);
    atomic_store(&last.used, memory_used(&w->account));
    memory_free(&last, w);
}

static puna_status check_key(const puna_writer *w, const char *key, puna_error *error) {
    if (!w) return api_missing(error, "writer");
    return key ? PUNA_OK : api_missing(error, "key");
}

puna_status puna_writer_scalar(puna_writer *w, const char *key, uint32_t type, const void *number, puna_error *error) {
    puna_status status = check_key(w, key, error);
    if (status != PUNA_OK) return status;
    if (!number) return api_missing(error, "number");
    return gguf_write_scalar(w->writer, key, type, number, error);
}

puna_status puna_writer_text(puna_writer *w, const char *key, const char *text, uint64_t length, puna_error *error) {
    puna_status status = check_key(w, key, error);
    if (status != PUNA_OK) return status;
    if (!text && length) return api_missing(error, "text");
    return gguf_write_text(w->writer, key, (gguf_text){text ? text : "", length}, error);
}

puna_status puna_writer_array(puna_writer *w, const char *key, uint32_t element_type, const void *numbers,
                              uint64_t count, puna_error *error) {
    puna_status status = check_key(w, key, error);
    if (status != PUNA_OK) return status;
    if (!numbers && count) return api_missing(error, "numbers");
    return gguf_write_array(w->writer, key, element_type, numbers, count, error);
}

puna_status puna_writer_texts(puna_writer *w, const char *key, const char *texts, const uint64_t *lengths,
                              uint64_t count, puna_error *error) {
    puna_status status = check_key(w, key, error);
    if (status != PUNA_OK) return status;
    if (!lengths && count) return api_missing(error, "lengths");
    if (count > SIZE_MAX / sizeof(gguf_text)) return error_memory(error, "texts", count);
    gguf_text *rows = memory_array(&w->account, (size_t)count + 1, sizeof *rows);
    if (!rows) return error_memory(error, "texts", count * sizeof *rows);
    for (uint64_t i = 0; i < count; i++) {
        if (!texts && lengths[i]) {
            memory_free(&w->account, rows);
            return api_missing(error, "texts");
        }
        rows[i] = (gguf_text){texts ? texts : "", lengths[i]};
        if (texts) texts += lengths[i];
    }
    status = gguf_write_texts(w->writer, key, rows, count, error);
    memory_free(&w->account, rows);
    return status;
}

puna_status puna_writer_tensor(puna_writer *w, const char *name, uint32_t type, uint32_t dimensions,
                               const uint64_t *shape, puna_error *error) {
    if (!w) return api_missing(error, "writer");
    if (!name) return api_missing(error, "name");
    if (!shape) return api_missing(error, "shape");
    return gguf_write_announced(w->writer, name, type, dimensions, shape, error);
}

puna_status puna_writer_begin(puna_writer *w, const char *path, puna_error *error) {
    if (!w) return api_missing(error, "writer");
    if (!path || !*path) return error_set(error, PUNA_INVALID_ARGUMENT, "path", "path is empty; a file's is needed");
    return gguf_writer_begin(w->writer, path, error);
}

puna_status puna_writer_put(puna_writer *w, const void *bytes, uint64_t count, puna_error *error) {
    if (!w) return api_missing(error, "writer");
    if (!bytes && count) return api_missing(error, "bytes");
    return gguf_writer_put(w->writer, bytes, count, error);
}

puna_status puna_writer_end(puna_writer *w, puna_error *error) {
    if (!w) return api_missing(error, "writer");
    return gguf_writer_end(w->writer, error);
}

static puna_status check_types(const block_format *from, const block_format *to, uint32_t a, uint32_t b,
                               puna_error *error) {
    char names[256];
    if (from && to && to->encode) return PUNA_OK;
    if (!from || !to)
        return error_set(error, PUNA_UNSUPPORTED, from ? "to" : "from", "type %" PRIu32 " is not one of %s",
                         from ? b : a, block_names(names, sizeof names));
    return error_set(error, PUNA_UNSUPPORTED, "to", "nothing is converted to %s", to->name);
}

enum { PIECE = 1024 }; /* numbers; whole blocks of every format */

puna_status puna_convert_numbers(uint32_t from_type, const void *numbers, uint64_t count, uint32_t to_type,
                                 void *blocks, uint64_t capacity, uint64_t *bytes, puna_error *error) {
    if (!bytes) return api_missing(error, "bytes");
    if (count && (!numbers || !blocks)) return api_missing(error, numbers ? "blocks" : "numbers");
    const block_format *from = block_find(from_type), *to = block_find(to_type);
    puna_status status = check_types(from, to, from_type, to_type, error);
    if (status != PUNA_OK) return status;
    if (count % from->length || count % to->length || count > UINT64_MAX / BLOCK_BYTES_MAX)
        return error_set(error, PUNA_INVALID_ARGUMENT, "count", "count is %" PRIu64 "; %s has %" PRIu32
                         " numbers a block, %s has %" PRIu32, count, from->name, from->length, to->name, to->length);
    uint64_t needed = count / to->length * to->bytes;
    *bytes = needed;
    if (needed > capacity)
        return error_set(error, PUNA_BUFFER_TOO_SMALL, "capacity", "%" PRIu64 " bytes are needed", needed);
    float piece[PIECE];
    const uint8_t *in = numbers;
    uint8_t *out = blocks;
    math_environment saved = math_environment_enter();
    for (uint64_t left = count; left > 0;) {
        size_t n = left < PIECE ? (size_t)left : PIECE;
        from->decode(in, n, piece);
        to->encode(piece, n, out);
        in += n / from->length * from->bytes;
        out += n / to->length * to->bytes;
        left -= n;
    }
    math_environment_leave(saved);
    return PUNA_OK;
}
