// SPDX-License-Identifier: Apache-2.0
/* puna.h's files: arguments are checked here, the reader does the rest. */
#include <inttypes.h>
#include <string.h>

#include "api/api_structs.h"
#include "base/utf8.h"
#include "format/block.h"
#include "format/gguf.h"

/* The caller's mistake with one of the arguments. */
static puna_status file_refuse(puna_error *error, const char *argument, const char *reason) {
    return error_set(error, PUNA_INVALID_ARGUMENT, argument, "%s %s", argument, reason);
}

puna_status puna_file_open(const char *path, puna_file **file, puna_error *error) {
    if (!file) return file_refuse(error, "file", "is NULL; a place for the handle is needed");
    *file = NULL;
    if (!path) return file_refuse(error, "path", "is NULL; the path of a GGUF file is needed");
    if (!*path) return file_refuse(error, "path", "is empty; the path of a GGUF file is needed");
    return gguf_open(path, file, error);
}

void puna_file_close(puna_file *file) { gguf_close(file); }

uint64_t puna_file_size(const puna_file *file) { return file ? gguf_size(file) : 0; }
uint32_t puna_file_version(const puna_file *file) { return file ? gguf_version(file) : 0; }
uint64_t puna_file_metadata_count(const puna_file *file) { return file ? gguf_value_count(file) : 0; }
uint64_t puna_file_tensor_count(const puna_file *file) { return file ? gguf_tensor_count(file) : 0; }

static puna_status file_check_index(const puna_file *file, uint64_t index, uint64_t count, puna_error *error) {
    if (index < count) return PUNA_OK;
    return gguf_error(file, error, PUNA_INVALID_ARGUMENT, "index", PUNA_NO_OFFSET,
                      "index is %" PRIu64 "; the file has %" PRIu64, index, count);
}

puna_status puna_file_metadata(const puna_file *file, uint64_t index, puna_metadata *metadata, puna_error *error) {
    if (!file) return file_refuse(error, "file", "is NULL");
    if (!metadata) return file_refuse(error, "metadata", "is NULL");
    puna_status status = file_check_index(file, index, gguf_value_count(file), error);
    if (status != PUNA_OK) return status;
    const gguf_value *value = gguf_value_at(file, index);
    puna_metadata filled = {.type = value->type,
                            .element_type = value->element_type,
                            .count = value->count,
                            .key = value->key.data,
                            .key_length = value->key.length};
    structs_give(metadata, &filled, sizeof filled);
    return PUNA_OK;
}

puna_status puna_file_tensor(const puna_file *file, uint64_t index, puna_tensor *tensor, puna_error *error) {
    if (!file) return file_refuse(error, "file", "is NULL");
    if (!tensor) return file_refuse(error, "tensor", "is NULL");
    puna_status status = file_check_index(file, index, gguf_tensor_count(file), error);
    if (status != PUNA_OK) return status;
    const gguf_tensor *row = gguf_tensor_at(file, index);
    puna_tensor filled = {.type = row->type,
                          .type_name = block_type_name(row->type),
                          .name = row->name.data,
                          .name_length = row->name.length,
                          .dimensions = row->dimensions,
                          .offset = row->offset,
                          .bytes = row->bytes};
    memcpy(filled.shape, row->shape, sizeof filled.shape);
    structs_give(tensor, &filled, sizeof filled);
    return PUNA_OK;
}

puna_status puna_file_find(const puna_file *file, const char *key, uint64_t *index, puna_error *error) {
    if (!file) return file_refuse(error, "file", "is NULL");
    if (!key) return file_refuse(error, "key", "is NULL");
    if (!index) return file_refuse(error, "index", "is NULL");
    const gguf_value *value = gguf_find(file, key);
    if (!value)
        return gguf_error(file, error, PUNA_NOT_FOUND, key, PUNA_NO_OFFSET,
                          "the file has no metadata entry of this name");
    *index = (uint64_t)(value - gguf_value_at(file, 0));
    return PUNA_OK;
}

/* The entry that `index` and `element` name, or an error. */
static puna_status file_element(const puna_file *file, uint64_t index, uint64_t element, const void *out,
                                const gguf_value **value, puna_error *error) {
    if (!file) return file_refuse(error, "file", "is NULL");
    if (!out) return file_refuse(error, "value", "is NULL; a place for the value is needed");
    puna_status status = file_check_index(file, index, gguf_value_count(file), error);
    if (status != PUNA_OK) return status;
    *value = gguf_value_at(file, index);
    if (element < (*value)->count) return PUNA_OK;
    return gguf_error(file, error, PUNA_INVALID_ARGUMENT, "element", (*value)->offset,
                      "element is %" PRIu64 "; metadata entry %" PRIu64 " has %" PRIu64, element, index,
                      (*value)->count);
}

static puna_status file_wrong_kind(const puna_file *file, const gguf_value *value, const char *wanted,
                                   puna_error *error) {
    char key[100];
    size_t length = value->key.length < sizeof key - 1 ? (size_t)value->key.length : sizeof key - 1;
    length = utf8_complete(value->key.data, length);
    memcpy(key, value->key.data, length);
    key[length] = 0;
    return gguf_error(file, error, PUNA_INVALID_ARGUMENT, key, value->offset, "%s%s can't be read as %s",
                      value->type == PUNA_ARRAY ? "an element of type " : "a value of type ",
                      gguf_type_name(value->element_type), wanted);
}

puna_status puna_file_integer(const puna_file *file, uint64_t index, uint64_t element, int64_t *value,
                              puna_error *error) {
    const gguf_value *entry = NULL;
    puna_status status = file_element(file, index, element, value, &entry, error);
    if (status != PUNA_OK) return status;
    return gguf_integer(file, entry, element, value) ? PUNA_OK : file_wrong_kind(file, entry, "an integer", error);
}

puna_status puna_file_real(const puna_file *file, uint64_t index, uint64_t element, double *value, puna_error *error) {
    const gguf_value *entry = NULL;
    puna_status status = file_element(file, index, element, value, &entry, error);
    if (status != PUNA_OK) return status;
    return gguf_real(file, entry, element, value) ? PUNA_OK : file_wrong_kind(file, entry, "a number", error);
}

puna_status puna_file_string(const puna_file *file, uint64_t index, uint64_t element, const char **text,
                             uint64_t *length, puna_error *error) {
    const gguf_value *entry = NULL;
    puna_status status = file_element(file, index, element, text && length ? (const void *)text : NULL, &entry, error);
    if (status != PUNA_OK) return status;
    gguf_text found;
    if (!gguf_string(file, entry, element, &found)) return file_wrong_kind(file, entry, "a string", error);
    *text = found.data;
    *length = found.length;
    return PUNA_OK;
}
