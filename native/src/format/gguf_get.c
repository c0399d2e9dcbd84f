// SPDX-License-Identifier: Apache-2.0
/* Reading an open file. All bounds were checked when it was opened. */
#include <inttypes.h>
#include <string.h>

#include "format/gguf_file.h"

const char *gguf_path(const gguf_file *file) { return file->path; }
uint32_t gguf_version(const gguf_file *file) { return file->version; }
uint64_t gguf_fingerprint(const gguf_file *file) { return file->fingerprint; }
uint64_t gguf_alignment(const gguf_file *file) { return file->alignment; }
uint64_t gguf_value_count(const gguf_file *file) { return file->keys.count; }
const gguf_value *gguf_value_at(const gguf_file *file, uint64_t index) { return &file->values[index]; }
uint64_t gguf_tensor_count(const gguf_file *file) { return file->names.count; }
const gguf_tensor *gguf_tensor_at(const gguf_file *file, uint64_t index) { return &file->tensors[index]; }

const gguf_file *gguf_part(const gguf_file *file, uint32_t index) { return file->parts ? file->parts[index] : file; }
uint32_t gguf_part_count(const gguf_file *file) { return file->parts ? file->part_count : 1; }

uint64_t gguf_size(const gguf_file *file) {
    uint64_t size = 0;
    for (uint32_t i = 0; i < gguf_part_count(file); i++) size += gguf_part(file, i)->file_bytes;
    return size;
}

uint64_t gguf_memory(const gguf_file *file) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < gguf_part_count(file); i++) bytes += memory_used(&gguf_part(file, i)->account);
    return bytes;
}

const gguf_value *gguf_find(const gguf_file *file, const char *key) {
    return gguf_names_find(&file->keys, key, strlen(key));
}

uint64_t gguf_place(const gguf_file *file, const char *key) {
    const gguf_value *value = gguf_find(file, key);
    return value ? value->offset : PUNA_NO_OFFSET;
}

const gguf_tensor *gguf_find_tensor(const gguf_file *file, const char *name) {
    return gguf_names_find(&file->names, name, strlen(name));
}

puna_status gguf_tensor_error(const gguf_file *file, const gguf_tensor *tensor, puna_error *error, puna_status status,
                              uint64_t offset, const char *what) {
    return gguf_error(gguf_part(file, tensor->part), error, status, gguf_field_of("tensor ", tensor->name).text,
                      tensor->offset + offset, "%s", what);
}

puna_status gguf_tensor_bytes(const gguf_file *file, const gguf_tensor *tensor, uint64_t offset, void *bytes,
                              size_t count, puna_error *error) {
    puna_error cause = PUNA_ERROR_INIT;
    puna_status status = os_input_read(gguf_part(file, tensor->part)->input, tensor->offset + offset, bytes, count,
                                       &cause);
    if (status == PUNA_OK) return PUNA_OK;
    if (cause.offset != PUNA_NO_OFFSET) offset = cause.offset - tensor->offset;
    return gguf_tensor_error(file, tensor, error, status, offset, cause.message);
}

const char *gguf_type_name(uint32_t type) {
    static const char *const names[] = {"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32",
                                        "bool", "string", "array", "uint64", "int64", "float64"};
    return type < sizeof names / sizeof names[0] ? names[type] : "unknown";
}

/* The bytes of a scalar, or of an array's scalar; NULL where the elements are no scalars. */
static const uint8_t *gguf_scalar(const gguf_file *file, const gguf_value *value, uint64_t element) {
    uint64_t each = gguf_scalar_bytes(value->element_type);
    return each ? file->header + value->offset + element * each : NULL;
}

bool gguf_integer(const gguf_file *file, const gguf_value *value, uint64_t element, int64_t *out) {
    const uint8_t *bytes = gguf_scalar(file, value, element);
    if (!bytes) return false;
    switch (value->element_type) {
    case PUNA_UINT8: case PUNA_BOOL: *out = bytes[0]; return true;
    case PUNA_INT8: *out = (int8_t)bytes[0]; return true;
    case PUNA_UINT16: *out = bytes_u16(bytes); return true;
    case PUNA_INT16: *out = (int16_t)bytes_u16(bytes); return true;
    case PUNA_UINT32: *out = bytes_u32(bytes); return true;
    case PUNA_INT32: *out = (int32_t)bytes_u32(bytes); return true;
    case PUNA_INT64: *out = (int64_t)bytes_u64(bytes); return true;
    case PUNA_UINT64: {
        uint64_t number = bytes_u64(bytes);
        *out = number > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)number;
        return true;
    }
    default: return false;
    }
}

bool gguf_real(const gguf_file *file, const gguf_value *value, uint64_t element, double *out) {
    const uint8_t *bytes = gguf_scalar(file, value, element);
    if (!bytes || value->element_type == PUNA_BOOL) return false;
    if (value->element_type == PUNA_FLOAT32) {
        uint32_t bits = bytes_u32(bytes);
        float number;
        memcpy(&number, &bits, sizeof number);
        *out = number;
    } else if (value->element_type == PUNA_FLOAT64) {
        uint64_t bits = bytes_u64(bytes);
        memcpy(out, &bits, sizeof *out);
    } else if (value->element_type == PUNA_UINT64) {
        *out = (double)bytes_u64(bytes);
    } else {
        int64_t number = 0;
        gguf_integer(file, value, element, &number);
        *out = (double)number;
    }
    return true;
}

bool gguf_string(const gguf_file *file, const gguf_value *value, uint64_t element, gguf_text *out) {
    if (value->element_type != PUNA_STRING) return false;
    uint64_t at = value->offset;
    if (value->type == PUNA_ARRAY) {
        at = file->marks[value->index + element / GGUF_MARK_EVERY];
        for (uint64_t i = element % GGUF_MARK_EVERY; i > 0; i--) at += 8 + bytes_u64(file->header + at);
    }
    out->length = bytes_u64(file->header + at);
    out->data = (const char *)file->header + at + 8;
    return true;
}

static puna_status gguf_wrong_type(const gguf_file *file, const gguf_value *value, const char *key, const char *needed,
                                   puna_error *error) {
    bool array = value->type == PUNA_ARRAY;
    return gguf_error(file, error, PUNA_INVALID_FILE, key, value->offset,
                      "the metadata entry has type %s%s; %s is needed",
                      array ? "array of " : "", gguf_type_name(value->element_type), needed);
}

static puna_status gguf_to_u32(const gguf_file *file, const gguf_value *value, const char *key, uint32_t *out,
                               puna_error *error) {
    int64_t number;
    if (value->type == PUNA_ARRAY || value->type == PUNA_BOOL || !gguf_integer(file, value, 0, &number))
        return gguf_wrong_type(file, value, key, "an unsigned integer", error);
    if (number < 0 || number > (int64_t)UINT32_MAX)
        return gguf_error(file, error, PUNA_INVALID_FILE, key, value->offset,
                          "the metadata entry is %" PRId64 "; 0 to %" PRIu32 " is allowed", number, UINT32_MAX);
    *out = (uint32_t)number;
    return PUNA_OK;
}

puna_status gguf_need_u32(const gguf_file *file, const char *key, uint32_t *out, puna_error *error) {
    const gguf_value *value = gguf_find(file, key);
    if (value) return gguf_to_u32(file, value, key, out, error);
    return gguf_error(file, error, PUNA_INVALID_FILE, key, PUNA_NO_OFFSET,
                      "the file lacks this metadata entry, which it needs");
}

puna_status gguf_get_u32(const gguf_file *file, const char *key, uint32_t fallback, uint32_t *out, puna_error *error) {
    const gguf_value *value = gguf_find(file, key);
    if (value) return gguf_to_u32(file, value, key, out, error);
    *out = fallback;
    return PUNA_OK;
}

puna_status gguf_get_f32(const gguf_file *file, const char *key, float fallback, float *out, puna_error *error) {
    const gguf_value *value = gguf_find(file, key);
    *out = fallback;
    if (!value) return PUNA_OK;
    double number;
    if (value->type == PUNA_ARRAY || !gguf_real(file, value, 0, &number))
        return gguf_wrong_type(file, value, key, "a number", error);
    *out = (float)number;
    return PUNA_OK;
}

puna_status gguf_get_bool(const gguf_file *file, const char *key, bool fallback, bool *out, puna_error *error) {
    const gguf_value *value = gguf_find(file, key);
    *out = fallback;
    if (!value) return PUNA_OK;
    if (value->type != PUNA_BOOL) return gguf_wrong_type(file, value, key, "a boolean", error);
    *out = file->header[value->offset] != 0;
    return PUNA_OK;
}

puna_status gguf_get_text(const gguf_file *file, const char *key, gguf_text *out, puna_error *error) {
    const gguf_value *value = gguf_find(file, key);
    *out = (gguf_text){"", 0};
    if (!value) return PUNA_OK;
    if (value->type != PUNA_STRING) return gguf_wrong_type(file, value, key, "a string", error);
    gguf_string(file, value, 0, out);
    return PUNA_OK;
}
