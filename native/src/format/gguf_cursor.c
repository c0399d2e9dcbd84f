// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "format/gguf_file.h"

gguf_field gguf_field_of(const char *prefix, gguf_text name) {
    gguf_field field;
    size_t used = strlen(prefix), room = sizeof field.text - 1;
    memcpy(field.text, prefix, used);
    size_t take = name.length < room - used ? (size_t)name.length : room - used;
    take = utf8_complete(name.data, take);
    for (size_t i = 0; i < take; i++) {
        unsigned char byte = (unsigned char)name.data[i];
        field.text[used++] = byte < 32 || byte == 127 ? '?' : (char)byte;
    }
    field.text[used] = 0;
    return field;
}

/* The cursor's end was met: the file's own, or our bound. */
static puna_status gguf_past_end(gguf_cursor *cursor, const char *field, uint64_t needed) {
    const gguf_file *file = cursor->file;
    if (cursor->end < file->file_bytes)
        return gguf_error(file, cursor->error, PUNA_UNSUPPORTED, field, cursor->at,
                          "the header is longer than %" PRIu64 " bytes, the most that is read",
                          (uint64_t)GGUF_MAX_HEADER);
    uint64_t left = cursor->end - cursor->at;
    puna_status status = gguf_error(file, cursor->error, PUNA_INVALID_FILE, field, cursor->at,
                                    "the file is truncated or damaged: %" PRIu64 " bytes are needed here, %" PRIu64
                                    " are left of %" PRIu64, needed, left, file->file_bytes);
    if (cursor->error) {
        cursor->error->needed = needed;
        cursor->error->available = left;
    }
    return status;
}

puna_status gguf_take_bytes(gguf_cursor *cursor, const char *field, uint64_t bytes, const uint8_t **out) {
    if (bytes > cursor->end - cursor->at) return gguf_past_end(cursor, field, bytes);
    puna_status status = gguf_read_header_to(cursor->file, cursor->at + bytes, cursor->error);
    if (status != PUNA_OK) return status;
    *out = cursor->file->header + cursor->at;
    cursor->at += bytes;
    return PUNA_OK;
}

puna_status gguf_take_u32(gguf_cursor *cursor, const char *field, uint32_t *out) {
    const uint8_t *bytes = NULL;
    puna_status status = gguf_take_bytes(cursor, field, 4, &bytes);
    if (status == PUNA_OK) *out = bytes_u32(bytes);
    return status;
}

puna_status gguf_take_u64(gguf_cursor *cursor, const char *field, uint64_t *out) {
    const uint8_t *bytes = NULL;
    puna_status status = gguf_take_bytes(cursor, field, 8, &bytes);
    if (status == PUNA_OK) *out = bytes_u64(bytes);
    return status;
}

puna_status gguf_take_text(gguf_cursor *cursor, const char *field, gguf_text *out) {
    puna_status status = gguf_take_u64(cursor, field, &out->length);
    const uint8_t *bytes = NULL;
    if (status == PUNA_OK) status = gguf_take_bytes(cursor, field, out->length, &bytes);
    out->data = (const char *)bytes;
    return status;
}

puna_status gguf_take_name(gguf_cursor *cursor, const char *field, uint64_t limit, gguf_text *out) {
    uint64_t start = cursor->at;
    puna_status status = gguf_take_text(cursor, field, out);
    if (status != PUNA_OK) return status;
    const char *fault = NULL;
    if (out->length == 0) fault = "the name is empty";
    else if (out->length > limit) fault = "the name is too long";
    else if (utf8_valid(out->data, (size_t)out->length) != out->length) fault = "the name is not UTF-8";
    else if (memchr(out->data, 0, (size_t)out->length)) fault = "the name holds a zero byte";
    if (!fault) return PUNA_OK;
    return gguf_error(cursor->file, cursor->error, PUNA_INVALID_FILE, field, start,
                      "%s (%" PRIu64 " bytes; 1 to %" PRIu64 " bytes of UTF-8 are allowed)", fault, out->length, limit);
}

puna_status gguf_expect(gguf_cursor *cursor, const char *field, uint64_t count, uint64_t each) {
    uint64_t left = cursor->end - cursor->at;
    if (count <= left / each) return PUNA_OK;
    if (count > cursor->file->file_bytes / each)
        return gguf_error(cursor->file, cursor->error, PUNA_INVALID_FILE, field, cursor->at,
                          "the count is %" PRIu64 ", more than a file of %" PRIu64
                          " bytes can hold; it is truncated or damaged", count, cursor->file->file_bytes);
    return gguf_past_end(cursor, field, count * each);
}
