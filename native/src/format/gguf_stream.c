// SPDX-License-Identifier: Apache-2.0
/* Writing a file as its tensors' bytes come. */
#include <inttypes.h>

#include "format/gguf_writer.h"

/* Nothing that was written stays. */
static puna_status gguf_give_up(gguf_writer *writer, puna_status status) {
    os_output_discard(writer->output);
    writer->output = NULL;
    return status;
}

puna_status gguf_writer_begin(gguf_writer *writer, const char *path, puna_error *error) {
    if (writer->output) return error_set(error, PUNA_INVALID_ARGUMENT, "writer", "a file was begun already");
    for (uint64_t i = 0; i < writer->tensor_count; i++)
        if (writer->tensors[i].data || writer->tensors[i].file)
            return error_set(error, PUNA_INVALID_ARGUMENT, "tensors", "%s was not announced: it has its bytes",
                             gguf_field_of("", writer->tensors[i].name).text);
    uint64_t header;
    puna_status status = gguf_save_front(writer, path, &writer->output, &header, error);
    if (status != PUNA_OK) {
        writer->output = NULL;
        return status;
    }
    writer->put_tensor = writer->put_bytes = 0;
    if (writer->tensor_count) status = gguf_pad(writer, writer->output, header, error);
    return status == PUNA_OK ? status : gguf_give_up(writer, status);
}

static uint64_t gguf_left(const gguf_writer *writer) {
    uint64_t left = 0;
    for (uint64_t i = writer->put_tensor; i < writer->tensor_count; i++) left += writer->tensors[i].bytes;
    return left - writer->put_bytes;
}

static puna_status gguf_check_begun(const gguf_writer *writer, puna_error *error) {
    if (writer->output) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "writer", "no file was begun");
}

puna_status gguf_writer_put(gguf_writer *writer, const void *bytes, uint64_t count, puna_error *error) {
    puna_status status = gguf_check_begun(writer, error);
    if (status != PUNA_OK) return status;
    /* the sum can't overflow: gguf_make_table has checked it */
    if (count > gguf_left(writer))
        return error_set(error, PUNA_INVALID_ARGUMENT, "count", "%" PRIu64 " bytes; the tensors have room for %" PRIu64,
                         count, gguf_left(writer));
    const uint8_t *from = bytes;
    while (count > 0) {
        uint64_t size = writer->tensors[writer->put_tensor].bytes, piece = size - writer->put_bytes;
        if (piece > count) piece = count;
        status = os_output_write(writer->output, from, (size_t)piece, error);
        writer->put_bytes += piece;
        from += piece;
        count -= piece;
        if (status == PUNA_OK && writer->put_bytes == size) {
            status = gguf_pad(writer, writer->output, size, error);
            writer->put_tensor++;
            writer->put_bytes = 0;
        }
        if (status != PUNA_OK) return gguf_give_up(writer, status);
    }
    return PUNA_OK;
}

puna_status gguf_writer_end(gguf_writer *writer, puna_error *error) {
    puna_status status = gguf_check_begun(writer, error);
    if (status != PUNA_OK) return status;
    if (gguf_left(writer))
        return error_set(error, PUNA_INVALID_ARGUMENT, "writer", "%s lacks bytes: %" PRIu64 " are still to be put",
                         gguf_field_of("", writer->tensors[writer->put_tensor].name).text, gguf_left(writer));
    os_output *output = writer->output;
    writer->output = NULL;
    return os_output_commit(output, error);
}
