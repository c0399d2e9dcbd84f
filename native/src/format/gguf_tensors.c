// SPDX-License-Identifier: Apache-2.0
/* The tensor table: shapes, types and places, each checked against the file and against each other. */
#include <inttypes.h>
#include <stdio.h>

#include "format/block.h"
#include "format/gguf_file.h"
#include "format/order.h"

static puna_status gguf_read_shape(gguf_cursor *cursor, const char *field, gguf_tensor *tensor, uint64_t *elements) {
    const gguf_file *file = cursor->file;
    puna_status status = gguf_take_u32(cursor, field, &tensor->dimensions);
    if (status != PUNA_OK) return status;
    if (tensor->dimensions < 1 || tensor->dimensions > 4)
        return gguf_error(file, cursor->error, PUNA_INVALID_FILE, field, cursor->at - 4,
                          "the tensor has %" PRIu32 " dimensions; 1 to 4 are allowed", tensor->dimensions);
    *elements = 1;
    for (uint32_t i = 0; i < 4; i++) {
        tensor->shape[i] = 1;
        if (i >= tensor->dimensions) continue;
        status = gguf_take_u64(cursor, field, &tensor->shape[i]);
        if (status != PUNA_OK) return status;
        if (tensor->shape[i] == 0)
            return gguf_error(file, cursor->error, PUNA_INVALID_FILE, field, cursor->at - 8,
                              "dimension %" PRIu32 " is 0", i);
        if (tensor->shape[i] > (uint64_t)INT64_MAX / *elements)
            return gguf_error(file, cursor->error, PUNA_INVALID_FILE, field, cursor->at - 8,
                              "dimension %" PRIu32 " is %" PRIu64 ": the shape's product overflows", i,
                              tensor->shape[i]);
        *elements *= tensor->shape[i];
    }
    return PUNA_OK;
}

static puna_status gguf_read_type(gguf_cursor *cursor, const char *field, gguf_tensor *tensor, uint64_t elements) {
    const gguf_file *file = cursor->file;
    puna_status status = gguf_take_u32(cursor, field, &tensor->type);
    if (status != PUNA_OK) return status;
    uint32_t length, bytes;
    if (!block_type_shape(tensor->type, &length, &bytes))
        return gguf_error(file, cursor->error, PUNA_UNSUPPORTED, field, cursor->at - 4,
                          "the tensor's type number %" PRIu32 " is unknown: the file is damaged or newer than this "
                          "library", tensor->type);
    if (tensor->shape[0] % length != 0)
        return gguf_error(file, cursor->error, PUNA_INVALID_FILE, field, cursor->at - 4,
                          "rows of %" PRIu64 " numbers don't divide into %s blocks of %" PRIu32, tensor->shape[0],
                          block_type_name(tensor->type), length);
    uint64_t blocks = elements / length;
    if (blocks > (uint64_t)INT64_MAX / bytes)
        return gguf_error(file, cursor->error, PUNA_INVALID_FILE, field, cursor->at - 4,
                          "the tensor's size in bytes overflows");
    tensor->bytes = blocks * bytes;
    return PUNA_OK;
}

/* Leaves the offset as the file has it: from the data's beginning, which is not known yet. */
static puna_status gguf_read_tensor(gguf_cursor *cursor, uint64_t number, gguf_tensor *tensor) {
    char place[48];
    snprintf(place, sizeof place, "name of tensor %" PRIu64, number);
    puna_status status = gguf_take_name(cursor, place, GGUF_MAX_NAME, &tensor->name);
    if (status != PUNA_OK) return status;
    gguf_field field = gguf_field_of("tensor ", tensor->name);
    uint64_t elements = 0;
    status = gguf_read_shape(cursor, field.text, tensor, &elements);
    if (status == PUNA_OK) status = gguf_read_type(cursor, field.text, tensor, elements);
    if (status == PUNA_OK) status = gguf_take_u64(cursor, field.text, &tensor->offset);
    if (status != PUNA_OK) return status;
    if (tensor->offset % cursor->file->alignment != 0)
        return gguf_error(cursor->file, cursor->error, PUNA_INVALID_FILE, field.text, cursor->at - 8,
                          "the tensor's offset %" PRIu64 " is not a multiple of the alignment %" PRIu64,
                          tensor->offset, cursor->file->alignment);
    return PUNA_OK;
}

/* Where the table holds a tensor's offset. */
static uint64_t gguf_offset_place(const gguf_file *file, const gguf_tensor *tensor) {
    uint64_t name = (uint64_t)((const uint8_t *)tensor->name.data - file->header);
    return name + tensor->name.length + 4 + 8 * (uint64_t)tensor->dimensions + 4;
}

static puna_status gguf_place_tensor(gguf_cursor *cursor, uint64_t start, gguf_tensor *tensor) {
    gguf_file *file = cursor->file;
    uint64_t size = file->file_bytes;
    if (start <= size && tensor->offset <= size - start && tensor->bytes <= size - start - tensor->offset) {
        tensor->offset += start;
        return PUNA_OK;
    }
    bool fits = tensor->offset <= INT64_MAX - start && tensor->bytes <= INT64_MAX - start - tensor->offset;
    uint64_t needed = fits ? start + tensor->offset + tensor->bytes : UINT64_MAX;
    gguf_field field = gguf_field_of("tensor ", tensor->name);
    if (!fits)
        return gguf_error(file, cursor->error, PUNA_INVALID_FILE, field.text, gguf_offset_place(file, tensor),
                          "the tensor's offset %" PRIu64 " overflows", tensor->offset);
    puna_status status = gguf_error(file, cursor->error, PUNA_INVALID_FILE, field.text,
                                    gguf_offset_place(file, tensor), "the file is truncated: it needs %" PRIu64
                                    " bytes, has %" PRIu64 "; get it again", needed, size);
    if (cursor->error) {
        cursor->error->needed = needed;
        cursor->error->available = size;
    }
    return status;
}

static bool gguf_lies_before(const void *context, uint32_t a, uint32_t b) {
    const gguf_tensor *tensors = context;
    return tensors[a].offset != tensors[b].offset ? tensors[a].offset < tensors[b].offset : a < b;
}

static puna_status gguf_check_overlap(gguf_cursor *cursor, uint32_t count) {
    gguf_file *file = cursor->file;
    const gguf_tensor *tensors = file->tensors;
    uint32_t *order = memory_array(&file->account, count, sizeof(uint32_t));
    if (!order) return error_memory(cursor->error, "the order of a GGUF file's tensors", count * sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++) order[i] = i;
    order_sort(order, count, gguf_lies_before, tensors);
    puna_status status = PUNA_OK;
    for (uint32_t i = 1; i < count && status == PUNA_OK; i++) {
        const gguf_tensor *before = &tensors[order[i - 1]], *after = &tensors[order[i]];
        if (after->offset - before->offset >= before->bytes) continue;
        gguf_field field = gguf_field_of("tensor ", after->name), other = gguf_field_of("", before->name);
        status = gguf_error(file, cursor->error, PUNA_INVALID_FILE, field.text, gguf_offset_place(file, after),
                            "the tensor begins inside another one, %s", other.text);
    }
    memory_free(&file->account, order);
    return status;
}

static puna_status gguf_index_tensors(gguf_cursor *cursor, uint32_t count) {
    gguf_file *file = cursor->file;
    if (!gguf_names_build(&file->names, &file->account, file->tensors, sizeof(gguf_tensor), count))
        return error_memory(cursor->error, "the index of a GGUF file's tensors", count * sizeof(uint32_t));
    uint32_t row;
    if (!gguf_names_duplicate(&file->names, &row)) return PUNA_OK;
    gguf_text name = file->tensors[row].name;
    return gguf_error(file, cursor->error, PUNA_INVALID_FILE, gguf_field_of("tensor ", name).text,
                      (uint64_t)((const uint8_t *)name.data - file->header), "two tensors have this name");
}

static puna_status gguf_read_rows(gguf_cursor *cursor, uint64_t count) {
    gguf_file *file = cursor->file;
    /* The shortest row: a name of one byte, one dimension, type and offset. */
    puna_status status = gguf_expect(cursor, "tensor count", count, 8 + 1 + 4 + 8 + 4 + 8);
    uint64_t room = 0;
    for (uint64_t i = 0; i < count && status == PUNA_OK; i++) {
        if (i == room) {
            room = room ? 2 * room : 64;
            if (room > count) room = count;
            gguf_tensor *grown = memory_grow(&file->account, file->tensors, (size_t)room * sizeof(gguf_tensor));
            if (!grown) return error_memory(cursor->error, "a GGUF file's tensor table", room * sizeof(gguf_tensor));
            file->tensors = grown;
            file->tensor_room = room;
        }
        status = gguf_read_tensor(cursor, i, &file->tensors[i]);
    }
    return status;
}

puna_status gguf_read_tensors(gguf_cursor *cursor, uint64_t count) {
    gguf_file *file = cursor->file;
    puna_status status = gguf_read_rows(cursor, count);
    if (status != PUNA_OK) return status;
    file->tensors_end = cursor->at;
    /* No overflow: the cursor is below GGUF_MAX_HEADER, the alignment below 2^32. */
    uint64_t start = (cursor->at + file->alignment - 1) / file->alignment * file->alignment;
    for (uint64_t i = 0; i < count && status == PUNA_OK; i++)
        status = gguf_place_tensor(cursor, start, &file->tensors[i]);
    if (status == PUNA_OK) status = gguf_index_tensors(cursor, (uint32_t)count);
    if (status == PUNA_OK) status = gguf_check_overlap(cursor, (uint32_t)count);
    return status;
}
