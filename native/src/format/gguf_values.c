// SPDX-License-Identifier: Apache-2.0
/* The metadata table: walked once, every byte of it inside the header. */
#include <inttypes.h>
#include <stdio.h>

#include "format/gguf_file.h"

uint64_t gguf_scalar_bytes(uint32_t type) {
    static const uint8_t bytes[] = {
        [PUNA_UINT8] = 1, [PUNA_INT8] = 1, [PUNA_UINT16] = 2, [PUNA_INT16] = 2, [PUNA_UINT32] = 4, [PUNA_INT32] = 4,
        [PUNA_FLOAT32] = 4, [PUNA_BOOL] = 1, [PUNA_UINT64] = 8, [PUNA_INT64] = 8, [PUNA_FLOAT64] = 8};
    return type < sizeof bytes ? bytes[type] : 0;
}

static puna_status gguf_check_type(gguf_cursor *cursor, const char *field, uint32_t type) {
    if (type <= PUNA_FLOAT64) return PUNA_OK;
    return gguf_error(cursor->file, cursor->error, PUNA_INVALID_FILE, field, cursor->at - 4,
                      "the value has type number %" PRIu32 "; GGUF's types are 0 to 12", type);
}

/* `count` scalars of one type. */
static puna_status gguf_skip_scalars(gguf_cursor *cursor, const char *field, uint32_t type, uint64_t count) {
    uint64_t each = gguf_scalar_bytes(type), start = cursor->at;
    puna_status status = gguf_expect(cursor, field, count, each);
    if (status != PUNA_OK) return status;
    const uint8_t *bytes;
    status = gguf_take_bytes(cursor, field, count * each, &bytes);
    if (status != PUNA_OK || type != PUNA_BOOL) return status;
    for (uint64_t i = 0; i < count; i++)
        if (bytes[i] > 1)
            return gguf_error(cursor->file, cursor->error, PUNA_INVALID_FILE, field, start + i,
                              "a boolean is %u; it must be 0 or 1", (unsigned)bytes[i]);
    return PUNA_OK;
}

/* Room for the marks of `count` more strings; doubling, since there may be many short arrays. */
static bool gguf_grow_marks(gguf_file *file, uint64_t count) {
    uint64_t needed = file->mark_count + count / GGUF_MARK_EVERY + 1;
    if (needed <= file->mark_room) return true;
    uint64_t room = needed > 2 * file->mark_room ? needed : 2 * file->mark_room;
    uint64_t *grown = memory_grow(&file->account, file->marks, (size_t)room * sizeof(uint64_t));
    if (!grown) return false;
    file->marks = grown;
    file->mark_room = room;
    return true;
}

/* Strings one after the other; `value` (NULL unless they are the elements of an outermost array) gets its marks. */
static puna_status gguf_skip_strings(gguf_cursor *cursor, const char *field, uint64_t count, gguf_value *value) {
    gguf_file *file = cursor->file;
    puna_status status = gguf_expect(cursor, field, count, 8);
    if (status != PUNA_OK) return status;
    if (value) {
        if (!gguf_grow_marks(file, count))
            return error_memory(cursor->error, "the index of a GGUF file's strings",
                                (file->mark_count + count / GGUF_MARK_EVERY + 1) * sizeof(uint64_t));
        value->index = file->mark_count;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (value && i % GGUF_MARK_EVERY == 0) file->marks[file->mark_count++] = cursor->at;
        gguf_text text;
        status = gguf_take_text(cursor, field, &text);
        if (status != PUNA_OK) return status;
    }
    return PUNA_OK;
}

static puna_status gguf_skip_array(gguf_cursor *cursor, const char *field, int depth, gguf_value *value) {
    uint32_t type;
    uint64_t count;
    puna_status status = gguf_take_u32(cursor, field, &type);
    if (status == PUNA_OK) status = gguf_check_type(cursor, field, type);
    if (status == PUNA_OK) status = gguf_take_u64(cursor, field, &count);
    if (status != PUNA_OK) return status;
    if (value) {
        value->element_type = type;
        value->count = count;
        value->offset = cursor->at;
    }
    if (type == PUNA_STRING) return gguf_skip_strings(cursor, field, count, value);
    if (type != PUNA_ARRAY) return gguf_skip_scalars(cursor, field, type, count);
    if (depth >= GGUF_MAX_DEPTH)
        return gguf_error(cursor->file, cursor->error, PUNA_UNSUPPORTED, field, cursor->at,
                          "arrays are nested more than %d deep", GGUF_MAX_DEPTH);
    status = gguf_expect(cursor, field, count, 12);
    for (uint64_t i = 0; i < count && status == PUNA_OK; i++) status = gguf_skip_array(cursor, field, depth + 1, NULL);
    return status;
}

static puna_status gguf_read_value(gguf_cursor *cursor, uint64_t number, gguf_value *value) {
    char place[48];
    snprintf(place, sizeof place, "key of metadata entry %" PRIu64, number);
    puna_status status = gguf_take_name(cursor, place, GGUF_MAX_KEY, &value->key);
    if (status != PUNA_OK) return status;
    gguf_field field = gguf_field_of("", value->key);
    status = gguf_take_u32(cursor, field.text, &value->type);
    if (status == PUNA_OK) status = gguf_check_type(cursor, field.text, value->type);
    if (status != PUNA_OK) return status;
    value->element_type = value->type;
    value->count = 1;
    value->offset = cursor->at;
    if (value->type == PUNA_ARRAY) return gguf_skip_array(cursor, field.text, 1, value);
    if (value->type == PUNA_STRING) return gguf_skip_strings(cursor, field.text, 1, NULL);
    return gguf_skip_scalars(cursor, field.text, value->type, 1);
}

static puna_status gguf_index_values(gguf_cursor *cursor, uint32_t count) {
    gguf_file *file = cursor->file;
    if (!gguf_names_build(&file->keys, &file->account, file->values, sizeof(gguf_value), count))
        return error_memory(cursor->error, "the index of a GGUF file's keys", count * sizeof(uint32_t));
    uint32_t row;
    if (!gguf_names_duplicate(&file->keys, &row)) return PUNA_OK;
    gguf_text key = file->values[row].key;
    return gguf_error(file, cursor->error, PUNA_INVALID_FILE, gguf_field_of("", key).text,
                      (uint64_t)((const uint8_t *)key.data - file->header), "the key occurs twice");
}

puna_status gguf_read_values(gguf_cursor *cursor, uint64_t count) {
    gguf_file *file = cursor->file;
    /* The shortest entry: a key of one byte and a boolean. Rows are allocated as entries turn up, since a count is
       easily lied about. */
    puna_status status = gguf_expect(cursor, "metadata count", count, 8 + 1 + 4 + 1);
    uint64_t room = 0;
    for (uint64_t i = 0; i < count && status == PUNA_OK; i++) {
        if (i == room) {
            room = room ? 2 * room : 64;
            if (room > count) room = count;
            gguf_value *grown = memory_grow(&file->account, file->values, (size_t)room * sizeof(gguf_value));
            if (!grown) return error_memory(cursor->error, "a GGUF file's metadata table", room * sizeof(gguf_value));
            file->values = grown;
            file->value_room = room;
        }
        status = gguf_read_value(cursor, i, &file->values[i]);
    }
    return status == PUNA_OK ? gguf_index_values(cursor, (uint32_t)count) : status;
}
