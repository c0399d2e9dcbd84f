// SPDX-License-Identifier: Apache-2.0
/* Laying out and writing what a gguf_writer has collected. */
#include <inttypes.h>
#include <string.h>

#include "format/gguf_writer.h"

static uint64_t gguf_aligned(const gguf_writer *writer, uint64_t at) {
    return (at + writer->alignment - 1) / writer->alignment * writer->alignment;
}

static puna_status gguf_check_unique(gguf_writer *writer, const char *what, const void *rows, size_t stride,
                                     uint64_t count, puna_error *error) {
    gguf_names names;
    if (count > GGUF_MAX_ROWS)
        return error_set(error, PUNA_INVALID_ARGUMENT, what, "%" PRIu64 " were given; at most %" PRIu64 " are allowed",
                         count, (uint64_t)GGUF_MAX_ROWS);
    if (!gguf_names_build(&names, &writer->account, rows, stride, (uint32_t)count))
        return error_memory(error, "a GGUF file to be written", count * sizeof(uint32_t));
    puna_status status = PUNA_OK;
    uint32_t row;
    if (gguf_names_duplicate(&names, &row)) {
        const gguf_text *name = (const gguf_text *)(const void *)((const uint8_t *)rows + row * stride);
        status = error_set(error, PUNA_INVALID_ARGUMENT, what, "%s was given twice", gguf_field_of("", *name).text);
    }
    gguf_names_free(&names, &writer->account);
    return status;
}

/* What stands before the metadata table. */
static void gguf_make_head(const gguf_writer *writer, gguf_buffer *buffer) {
    gguf_put(buffer, "GGUF", 4);
    gguf_put_u32(buffer, writer->version);
    gguf_put_u64(buffer, writer->tensor_count);
    gguf_put_u64(buffer, writer->key_count);
}

/* The file whose layout is kept, or NULL. */
static const gguf_file *gguf_kept(const gguf_writer *writer) {
    bool alone = writer->key_count == writer->origin_keys && writer->tensor_count == writer->origin_tensors;
    return alone ? writer->origin : NULL;
}

static puna_status gguf_make_table(gguf_writer *writer, gguf_buffer *table, puna_error *error) {
    const gguf_file *kept = gguf_kept(writer);
    uint64_t offset = 0, start = kept ? gguf_aligned(writer, kept->tensors_end) : 0;
    for (uint64_t i = 0; i < writer->tensor_count; i++) {
        const gguf_output *tensor = &writer->tensors[i];
        if (kept) offset = gguf_tensor_at(kept, i)->offset - start;
        if (!gguf_reserve(writer, table, 8 + (size_t)tensor->name.length + 4 + 4 * 8 + 4 + 8))
            return error_memory(error, "a GGUF file's tensor table", table->used);
        gguf_put_text(table, tensor->name);
        gguf_put_u32(table, tensor->dimensions);
        for (uint32_t d = 0; d < tensor->dimensions; d++) gguf_put_u64(table, tensor->shape[d]);
        gguf_put_u32(table, tensor->type);
        gguf_put_u64(table, offset);
        if (offset > (uint64_t)INT64_MAX - tensor->bytes)
            return error_set(error, PUNA_INVALID_ARGUMENT, "tensors", "the tensors' sizes overflow in sum");
        offset = gguf_aligned(writer, offset + tensor->bytes);
    }
    return PUNA_OK;
}

puna_status gguf_pad(const gguf_writer *writer, os_output *output, uint64_t at, puna_error *error) {
    static const uint8_t zeros[256];
    uint64_t left = gguf_aligned(writer, at) - at;
    while (left > 0) {
        size_t piece = left < sizeof zeros ? (size_t)left : sizeof zeros;
        puna_status status = os_output_write(output, zeros, piece, error);
        if (status != PUNA_OK) return status;
        left -= piece;
    }
    return PUNA_OK;
}

#define GGUF_COPY_PIECE ((size_t)1 << 20)

/* A file's tensor, piece by piece. */
static puna_status gguf_save_copy(gguf_writer *writer, os_output *output, const gguf_output *tensor,
                                  puna_error *error) {
    size_t room = tensor->bytes < GGUF_COPY_PIECE ? (size_t)tensor->bytes : GGUF_COPY_PIECE;
    uint8_t *piece = memory_new(&writer->account, room);
    if (!piece) return error_memory(error, "a copy of a tensor", room);
    puna_status status = PUNA_OK;
    for (uint64_t at = 0; at < tensor->bytes && status == PUNA_OK; at += room) {
        if (room > tensor->bytes - at) room = (size_t)(tensor->bytes - at);
        status = gguf_tensor_bytes(tensor->file, &tensor->from, at, piece, room, error);
        if (status == PUNA_OK) status = os_output_write(output, piece, room, error);
    }
    memory_free(&writer->account, piece);
    return status;
}

/* All of a file from `at` on. */
static puna_status gguf_save_rest(gguf_writer *writer, os_output *output, const gguf_file *file, uint64_t at,
                                  puna_error *error) {
    uint8_t *piece = memory_new(&writer->account, GGUF_COPY_PIECE);
    if (!piece) return error_memory(error, "a copy of a file", GGUF_COPY_PIECE);
    puna_status status = PUNA_OK;
    while (at < file->file_bytes && status == PUNA_OK) {
        uint64_t left = file->file_bytes - at;
        size_t room = left < GGUF_COPY_PIECE ? (size_t)left : GGUF_COPY_PIECE;
        status = os_input_read(file->input, at, piece, room, error);
        if (status == PUNA_OK) status = os_output_write(output, piece, room, error);
        at += room;
    }
    memory_free(&writer->account, piece);
    return status;
}

static puna_status gguf_save_tensors(gguf_writer *writer, os_output *output, uint64_t header, puna_error *error) {
    const gguf_file *kept = gguf_kept(writer); /* entries and tensors are the file's, and so is the header's length */
    if (kept) return gguf_save_rest(writer, output, kept, header, error);
    if (writer->tensor_count == 0) return PUNA_OK;
    puna_status status = gguf_pad(writer, output, header, error);
    for (uint64_t i = 0; i < writer->tensor_count && status == PUNA_OK; i++) {
        const gguf_output *tensor = &writer->tensors[i];
        status = tensor->data ? os_output_write(output, tensor->data, (size_t)tensor->bytes, error)
                              : gguf_save_copy(writer, output, tensor, error);
        if (status == PUNA_OK) status = gguf_pad(writer, output, tensor->bytes, error);
    }
    return status;
}

static puna_status gguf_write_front(gguf_writer *writer, const char *path, const gguf_buffer *table,
                                    os_output **output, uint64_t *header, puna_error *error) {
    uint8_t room[24];
    gguf_buffer head = {room, 0, sizeof room};
    gguf_make_head(writer, &head);
    puna_status status = os_output_open(path, output, error);
    if (status != PUNA_OK) return status;
    const gguf_buffer *parts[] = {&head, &writer->values, table};
    *header = 0;
    for (int i = 0; i < 3 && status == PUNA_OK; i++) {
        *header += parts[i]->used;
        if (parts[i]->used) status = os_output_write(*output, parts[i]->bytes, parts[i]->used, error);
    }
    if (status != PUNA_OK) os_output_discard(*output);
    return status;
}

puna_status gguf_save_front(gguf_writer *writer, const char *path, os_output **output, uint64_t *header,
                            puna_error *error) {
    puna_status status =
        gguf_check_unique(writer, "keys", writer->keys, sizeof(gguf_text), writer->key_count, error);
    if (status == PUNA_OK)
        status = gguf_check_unique(writer, "tensors", writer->tensors, sizeof(gguf_output), writer->tensor_count,
                                   error);
    if (status != PUNA_OK) return status;
    gguf_buffer table = {0};
    status = gguf_make_table(writer, &table, error);
    if (status == PUNA_OK) status = gguf_write_front(writer, path, &table, output, header, error);
    memory_free(&writer->account, table.bytes);
    return status;
}

/* Bytes that nobody has. */
static puna_status gguf_check_present(const gguf_writer *writer, puna_error *error) {
    for (uint64_t i = 0; i < writer->tensor_count; i++) {
        const gguf_output *tensor = &writer->tensors[i];
        if (tensor->data || tensor->file) continue;
        return error_set(error, PUNA_INVALID_ARGUMENT, "tensors",
                         "%s was announced: its bytes must be put, between begin and end",
                         gguf_field_of("", tensor->name).text);
    }
    return PUNA_OK;
}

puna_status gguf_writer_save(gguf_writer *writer, const char *path, puna_error *error) {
    os_output *output;
    uint64_t header;
    puna_status status = gguf_check_present(writer, error);
    if (status == PUNA_OK) status = gguf_save_front(writer, path, &output, &header, error);
    if (status != PUNA_OK) return status;
    status = gguf_save_tensors(writer, output, header, error);
    if (status == PUNA_OK) return os_output_commit(output, error);
    os_output_discard(output);
    return status;
}
