// SPDX-License-Identifier: Apache-2.0
#include "format/gguf_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "format/block.h"
#include "format/gguf_writer.h"

static puna_status gguf_no_memory(puna_error *error, uint64_t needed) {
    return error_memory(error, "a GGUF file to be written", needed);
}

bool gguf_reserve(gguf_writer *writer, gguf_buffer *buffer, size_t more) {
    size_t needed;
    if (!memory_add(buffer->used, more, &needed)) return false;
    if (needed <= buffer->room) return true;
    size_t room = needed > 2 * buffer->room ? needed : 2 * buffer->room;
    uint8_t *grown = memory_grow(&writer->account, buffer->bytes, room);
    if (!grown) return false;
    buffer->bytes = grown;
    buffer->room = room;
    return true;
}

void gguf_put(gguf_buffer *buffer, const void *bytes, size_t count) {
    if (count) memcpy(buffer->bytes + buffer->used, bytes, count);
    buffer->used += count;
}

void gguf_put_u32(gguf_buffer *buffer, uint32_t number) {
    uint8_t bytes[4];
    bytes_put_u32(bytes, number);
    gguf_put(buffer, bytes, sizeof bytes);
}

void gguf_put_u64(gguf_buffer *buffer, uint64_t number) {
    uint8_t bytes[8];
    bytes_put_u64(bytes, number);
    gguf_put(buffer, bytes, sizeof bytes);
}

void gguf_put_text(gguf_buffer *buffer, gguf_text text) {
    gguf_put_u64(buffer, text.length);
    gguf_put(buffer, text.data, (size_t)text.length);
}

/* Numbers of this machine's byte order, each `each` bytes wide. */
static void gguf_put_numbers(gguf_buffer *buffer, const void *numbers, uint64_t count, uint64_t each) {
    const uint8_t *from = numbers;
    for (uint64_t i = 0; i < count; i++, from += each) {
        uint16_t two;
        uint32_t four;
        uint64_t eight;
        uint8_t *to = buffer->bytes + buffer->used;
        switch (each) {
        case 2: memcpy(&two, from, 2); bytes_put_u16(to, two); break;
        case 4: memcpy(&four, from, 4); bytes_put_u32(to, four); break;
        case 8: memcpy(&eight, from, 8); bytes_put_u64(to, eight); break;
        default: *to = *from; break;
        }
        buffer->used += (size_t)each;
    }
}

puna_status gguf_writer_create(uint32_t version, gguf_writer **out, puna_error *error) {
    *out = NULL;
    if (version != 2 && version != 3)
        return error_set(error, PUNA_INVALID_ARGUMENT, "version", "version is %" PRIu32 "; GGUF 2 and 3 are written",
                         version);
    memory_account account;
    memory_account_init(&account);
    gguf_writer *writer = memory_new(&account, sizeof *writer);
    if (!writer) return gguf_no_memory(error, sizeof *writer);
    memory_account_init(&writer->account);
    atomic_store(&writer->account.used, memory_used(&account));
    writer->version = version;
    writer->alignment = GGUF_DEFAULT_ALIGNMENT;
    *out = writer;
    return PUNA_OK;
}

void gguf_writer_free(gguf_writer *writer) {
    if (!writer) return;
    os_output_discard(writer->output);
    memory_account *account = &writer->account, last;
    for (uint64_t i = 0; i < writer->key_count; i++) memory_free(account, (void *)(uintptr_t)writer->keys[i].data);
    for (uint64_t i = 0; i < writer->tensor_count; i++)
        memory_free(account, (void *)(uintptr_t)writer->tensors[i].name.data);
    memory_free(account, writer->keys);
    memory_free(account, writer->tensors);
    memory_free(account, writer->values.bytes);
    memory_account_init(&last);
    atomic_store(&last.used, memory_used(account));
    memory_free(&last, writer);
}

/* Room for one more row of a table of `size` bytes a row. */
static void *gguf_more_rows(gguf_writer *writer, void *rows, uint64_t count, uint64_t *room, size_t size) {
    if (count < *room) return rows;
    uint64_t wanted = *room ? 2 * *room : 16;
    void *grown = memory_grow(&writer->account, rows, (size_t)wanted * size);
    if (grown) *room = wanted;
    return grown;
}

static puna_status gguf_copy_name(gguf_writer *writer, const char *what, gguf_text name, uint64_t limit,
                                  gguf_text *copy, puna_error *error) {
    if (name.length == 0 || name.length > limit || utf8_valid(name.data, (size_t)name.length) != name.length)
        return error_set(error, PUNA_INVALID_ARGUMENT, what,
                         "%s has %" PRIu64 " bytes; 1 to %" PRIu64 " bytes of UTF-8 are allowed", what, name.length,
                         limit);
    char *bytes = memory_new(&writer->account, (size_t)name.length);
    if (!bytes) return gguf_no_memory(error, name.length);
    memcpy(bytes, name.data, (size_t)name.length);
    *copy = (gguf_text){bytes, name.length};
    return PUNA_OK;
}

static puna_status gguf_check_open(const gguf_writer *writer, puna_error *error) {
    if (!writer->output) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "writer", "the file was begun; nothing can be added to its front");
}

static gguf_text gguf_text_of(const char *text) { return (gguf_text){text, strlen(text)}; }

/* Writes key and type, with room left for `payload` bytes, which the caller puts next and which can't fail. */
static puna_status gguf_begin(gguf_writer *writer, gguf_text key, uint32_t type, uint64_t payload, puna_error *error) {
    const gguf_text alignment = gguf_text_of(GGUF_ALIGNMENT_KEY);
    puna_status status = gguf_check_open(writer, error);
    if (status != PUNA_OK) return status;
    if (type != PUNA_UINT32 && key.length == alignment.length && !memcmp(key.data, alignment.data, alignment.length))
        return error_set(error, PUNA_INVALID_ARGUMENT, GGUF_ALIGNMENT_KEY, "general.alignment must be a uint32, not %s",
                         gguf_type_name(type));
    gguf_text *keys = gguf_more_rows(writer, writer->keys, writer->key_count, &writer->key_room, sizeof *keys);
    if (!keys) return gguf_no_memory(error, sizeof *keys);
    writer->keys = keys;
    size_t needed;
    if (payload > SIZE_MAX / 2 || !memory_add((size_t)payload, 8 + 4 + GGUF_MAX_KEY, &needed) ||
        !gguf_reserve(writer, &writer->values, needed))
        return gguf_no_memory(error, payload);
    gguf_text copy;
    status = gguf_copy_name(writer, "key", key, GGUF_MAX_KEY, &copy, error);
    if (status != PUNA_OK) return status;
    writer->keys[writer->key_count++] = copy;
    gguf_put_text(&writer->values, copy);
    gguf_put_u32(&writer->values, type);
    return PUNA_OK;
}

static puna_status gguf_check_scalar(uint32_t type, uint64_t *each, puna_error *error) {
    *each = gguf_scalar_bytes(type);
    if (*each) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "type", "type is %" PRIu32 " (%s); a number's type is needed", type,
                     gguf_type_name(type));
}

/* A file's own alignment, where an entry sets it. A wrong one is refused, since the reader would. */
static puna_status gguf_note_alignment(gguf_writer *writer, const char *key, const void *number, puna_error *error) {
    if (strcmp(key, GGUF_ALIGNMENT_KEY) != 0) return PUNA_OK;
    uint32_t alignment;
    memcpy(&alignment, number, sizeof alignment);
    if (alignment < 8 || (alignment & (alignment - 1)) != 0)
        return error_set(error, PUNA_INVALID_ARGUMENT, key,
                         "general.alignment is %" PRIu32 "; a power of two, at least 8, is needed", alignment);
    writer->alignment = alignment;
    return PUNA_OK;
}

puna_status gguf_write_scalar(gguf_writer *writer, const char *key, uint32_t type, const void *number,
                              puna_error *error) {
    uint64_t each, alignment = writer->alignment;
    puna_status status = gguf_check_scalar(type, &each, error);
    if (status == PUNA_OK && type == PUNA_UINT32) status = gguf_note_alignment(writer, key, number, error);
    if (status == PUNA_OK) status = gguf_begin(writer, gguf_text_of(key), type, each, error);
    if (status == PUNA_OK) gguf_put_numbers(&writer->values, number, 1, each);
    else writer->alignment = alignment;
    return status;
}

puna_status gguf_write_u32(gguf_writer *writer, const char *key, uint32_t number, puna_error *error) {
    return gguf_write_scalar(writer, key, PUNA_UINT32, &number, error);
}

puna_status gguf_write_f32(gguf_writer *writer, const char *key, float number, puna_error *error) {
    return gguf_write_scalar(writer, key, PUNA_FLOAT32, &number, error);
}

puna_status gguf_write_bool(gguf_writer *writer, const char *key, bool truth, puna_error *error) {
    uint8_t byte = truth;
    return gguf_write_scalar(writer, key, PUNA_BOOL, &byte, error);
}

puna_status gguf_write_text(gguf_writer *writer, const char *key, gguf_text text, puna_error *error) {
    if (text.length > SIZE_MAX / 2) return gguf_no_memory(error, text.length);
    puna_status status = gguf_begin(writer, gguf_text_of(key), PUNA_STRING, 8 + text.length, error);
    if (status == PUNA_OK) gguf_put_text(&writer->values, text);
    return status;
}

puna_status gguf_write_array(gguf_writer *writer, const char *key, uint32_t element_type, const void *numbers,
                             uint64_t count, puna_error *error) {
    uint64_t each;
    puna_status status = gguf_check_scalar(element_type, &each, error);
    if (status != PUNA_OK) return status;
    if (count > SIZE_MAX / 2 / each) return gguf_no_memory(error, count);
    status = gguf_begin(writer, gguf_text_of(key), PUNA_ARRAY, 12 + count * each, error);
    if (status != PUNA_OK) return status;
    gguf_put_u32(&writer->values, element_type);
    gguf_put_u64(&writer->values, count);
    gguf_put_numbers(&writer->values, numbers, count, each);
    return PUNA_OK;
}

puna_status gguf_write_texts(gguf_writer *writer, const char *key, const gguf_text *texts, uint64_t count,
                             puna_error *error) {
    uint64_t payload = 12;
    for (uint64_t i = 0; i < count; i++) {
        if (texts[i].length > SIZE_MAX / 2 - 8 || payload > SIZE_MAX / 2) return gguf_no_memory(error, payload);
        payload += 8 + texts[i].length;
    }
    puna_status status = gguf_begin(writer, gguf_text_of(key), PUNA_ARRAY, payload, error);
    if (status != PUNA_OK) return status;
    gguf_put_u32(&writer->values, PUNA_STRING);
    gguf_put_u64(&writer->values, count);
    for (uint64_t i = 0; i < count; i++) gguf_put_text(&writer->values, texts[i]);
    return PUNA_OK;
}

/* Where an entry ends: at the next one's key, or where the table ends. */
static uint64_t gguf_value_end(const gguf_file *file, const gguf_value *value) {
    uint64_t next = (uint64_t)(value - file->values) + 1;
    if (next == gguf_value_count(file)) return file->values_end;
    return (uint64_t)((const uint8_t *)file->values[next].key.data - file->header) - 8;
}

puna_status gguf_write_value(gguf_writer *writer, const gguf_file *file, const gguf_value *value, puna_error *error) {
    const uint8_t *start = (const uint8_t *)value->key.data + value->key.length + 4;
    uint64_t bytes = gguf_value_end(file, value) - (uint64_t)(start - file->header), alignment = 0;
    bool aligns = value == gguf_find(file, GGUF_ALIGNMENT_KEY);
    if (aligns) alignment = gguf_alignment(file);
    puna_status status = gguf_begin(writer, value->key, value->type, bytes, error);
    if (status != PUNA_OK) return status;
    gguf_put(&writer->values, start, (size_t)bytes);
    if (aligns) writer->alignment = alignment;
    return PUNA_OK;
}

static puna_status gguf_measure(gguf_output *tensor, puna_error *error) {
    uint32_t length, bytes;
    if (tensor->dimensions < 1 || tensor->dimensions > 4)
        return error_set(error, PUNA_INVALID_ARGUMENT, "dimensions", "dimensions is %" PRIu32 "; 1 to 4 are allowed",
                         tensor->dimensions);
    if (!block_type_shape(tensor->type, &length, &bytes))
        return error_set(error, PUNA_INVALID_ARGUMENT, "type", "tensor type %" PRIu32 " is unknown", tensor->type);
    uint64_t elements = 1;
    for (uint32_t i = 0; i < tensor->dimensions; i++) {
        uint64_t extent = tensor->shape[i];
        if (extent == 0 || extent > (uint64_t)INT64_MAX / bytes / elements)
            return error_set(error, PUNA_INVALID_ARGUMENT, "shape",
                             "dimension %" PRIu32 " is %" PRIu64 "; the shape is empty or too large", i, extent);
        elements *= extent;
    }
    if (tensor->shape[0] % length != 0)
        return error_set(error, PUNA_INVALID_ARGUMENT, "shape",
                         "rows of %" PRIu64 " numbers don't divide into %s blocks of %" PRIu32, tensor->shape[0],
                         block_type_name(tensor->type), length);
    tensor->bytes = elements / length * bytes;
    return PUNA_OK;
}

static puna_status gguf_add_tensor(gguf_writer *writer, gguf_text name, gguf_output tensor, puna_error *error) {
    puna_status status = gguf_check_open(writer, error);
    if (status != PUNA_OK) return status;
    gguf_output *rows =
        gguf_more_rows(writer, writer->tensors, writer->tensor_count, &writer->tensor_room, sizeof *rows);
    if (!rows) return gguf_no_memory(error, sizeof *rows);
    writer->tensors = rows;
    status = gguf_measure(&tensor, error);
    if (status == PUNA_OK) status = gguf_copy_name(writer, "tensor name", name, GGUF_MAX_NAME, &tensor.name, error);
    if (status == PUNA_OK) writer->tensors[writer->tensor_count++] = tensor;
    return status;
}

puna_status gguf_write_tensor(gguf_writer *writer, const char *name, uint32_t type, uint32_t dimensions,
                              const uint64_t *shape, const void *data, puna_error *error) {
    gguf_output tensor = {.type = type, .dimensions = dimensions, .data = data};
    for (uint32_t i = 0; i < dimensions && i < 4; i++) tensor.shape[i] = shape[i];
    return gguf_add_tensor(writer, gguf_text_of(name), tensor, error);
}

puna_status gguf_write_announced(gguf_writer *writer, const char *name, uint32_t type, uint32_t dimensions,
                                 const uint64_t *shape, puna_error *error) {
    return gguf_write_tensor(writer, name, type, dimensions, shape, NULL, error);
}

puna_status gguf_write_copy(gguf_writer *writer, const gguf_file *file, const gguf_tensor *from, puna_error *error) {
    gguf_output tensor = {.type = from->type, .dimensions = from->dimensions, .file = file, .from = *from};
    memcpy(tensor.shape, from->shape, sizeof tensor.shape);
    return gguf_add_tensor(writer, from->name, tensor, error);
}

puna_status gguf_write_values(gguf_writer *writer, const gguf_file *file, bool split, puna_error *error) {
    puna_status status = PUNA_OK;
    for (uint64_t i = 0; i < gguf_value_count(file) && status == PUNA_OK; i++) {
        const gguf_value *value = gguf_value_at(file, i);
        if (!split && value->key.length > 6 && memcmp(value->key.data, "split.", 6) == 0) continue;
        status = gguf_write_value(writer, file, value, error);
    }
    return status;
}

puna_status gguf_write_file(gguf_writer *writer, const gguf_file *file, puna_error *error) {
    bool whole = gguf_part_count(file) == 1 && writer->key_count == 0 && writer->tensor_count == 0;
    puna_status status = gguf_write_values(writer, file, gguf_part_count(file) == 1, error);
    for (uint64_t i = 0; i < gguf_tensor_count(file) && status == PUNA_OK; i++)
        status = gguf_write_copy(writer, file, gguf_tensor_at(file, i), error);
    if (status == PUNA_OK && whole) {
        writer->origin = file;
        writer->origin_keys = writer->key_count;
        writer->origin_tensors = writer->tensor_count;
    }
    return status;
}
