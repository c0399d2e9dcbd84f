// SPDX-License-Identifier: Apache-2.0
/* What collecting (gguf_write.c) and saving (gguf_save.c) share. */
#ifndef PUNA_FORMAT_GGUF_WRITER_H
#define PUNA_FORMAT_GGUF_WRITER_H

#include "base/os.h"
#include "format/gguf_file.h"
#include "format/gguf_write.h"

/* Bytes that grow. Invariant: used <= room. */
typedef struct gguf_buffer {
    uint8_t *bytes;
    size_t used;
    size_t room;
} gguf_buffer;

typedef struct gguf_output {
    gguf_text name; /* the writer's own copy, so that rows can be indexed by name */
    uint32_t type;
    uint32_t dimensions;
    uint64_t shape[4];
    uint64_t bytes;
    const uint8_t *data;   /* NULL: the bytes are a file's */
    const gguf_file *file; /* NULL, too: they are announced */
    gguf_tensor from;      /* of that file */
} gguf_output;

struct gguf_writer {
    memory_account account;
    uint32_t version;
    uint64_t alignment;
    gguf_buffer values; /* the metadata table as it will lie in the file */
    gguf_text *keys;    /* copies */
    uint64_t key_count, key_room;
    gguf_output *tensors;
    uint64_t tensor_count, tensor_room;
    const gguf_file *origin; /* what gguf_write_file copied whole: where nothing was added, its layout is kept */
    uint64_t origin_keys, origin_tensors;
    os_output *output;                 /* between begin and end; else NULL */
    uint64_t put_tensor, put_bytes;    /* what comes next: a tensor, and how many of its bytes there are */
};

/* Room for `more` bytes; then bytes are put without a further check. */
bool gguf_reserve(gguf_writer *writer, gguf_buffer *buffer, size_t more);
void gguf_put(gguf_buffer *buffer, const void *bytes, size_t count);
void gguf_put_u32(gguf_buffer *buffer, uint32_t number);
void gguf_put_u64(gguf_buffer *buffer, uint64_t number);
void gguf_put_text(gguf_buffer *buffer, gguf_text text);

/* Opens the file and writes all that stands before the tensors, the padding between excluded; its length in bytes. On
   failure no file is left. */
puna_status gguf_save_front(gguf_writer *writer, const char *path, os_output **output, uint64_t *header,
                            puna_error *error);

/* Zeros from `at` to the next multiple of the alignment. */
puna_status gguf_pad(const gguf_writer *writer, os_output *output, uint64_t at, puna_error *error);

#endif
