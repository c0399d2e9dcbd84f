// SPDX-License-Identifier: Apache-2.0
/* The header in memory: read as the cursor gets on, since nothing says beforehand how long it is. */
#include <string.h>

#include "format/gguf_file.h"

/* Names that point into the old header point to the same place of the new one. */
static void gguf_rebase(gguf_file *file, uint8_t *header) {
    for (uint64_t i = 0; i < file->value_room; i++) {
        gguf_text *key = &file->values[i].key;
        if (key->data) key->data = (const char *)header + ((const uint8_t *)key->data - file->header);
    }
    for (uint64_t i = 0; i < file->tensor_room; i++) {
        gguf_text *name = &file->tensors[i].name;
        if (name->data) name->data = (const char *)header + ((const uint8_t *)name->data - file->header);
    }
}

/* A header of `bytes`, of which `kept` are the old one's. */
static puna_status gguf_move_header(gguf_file *file, uint64_t bytes, uint64_t kept, puna_error *error) {
    uint8_t *header = memory_new(&file->account, (size_t)bytes);
    if (!header) return error_memory(error, "a GGUF file's header", bytes);
    if (kept) memcpy(header, file->header, (size_t)kept);
    puna_status status = PUNA_OK;
    if (bytes > kept)
        status = os_input_read(file->input, kept, header + kept, (size_t)(bytes - kept), error);
    if (status != PUNA_OK) {
        memory_free(&file->account, header);
        return status;
    }
    gguf_rebase(file, header);
    memory_free(&file->account, file->header);
    file->header = header;
    file->header_bytes = bytes;
    return PUNA_OK;
}

puna_status gguf_read_header_to(gguf_file *file, uint64_t bytes, puna_error *error) {
    if (bytes <= file->header_bytes) return PUNA_OK;
    uint64_t wanted = bytes > 2 * file->header_bytes ? bytes : 2 * file->header_bytes;
    if (wanted > file->file_bytes) wanted = file->file_bytes;
    return gguf_move_header(file, wanted, file->header_bytes, error);
}

puna_status gguf_trim_header(gguf_file *file, uint64_t bytes, puna_error *error) {
    return bytes < file->header_bytes ? gguf_move_header(file, bytes, bytes, error) : PUNA_OK;
}
