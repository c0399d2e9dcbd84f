// SPDX-License-Identifier: Apache-2.0
/* What the GGUF reader's own files share: the handle, and a cursor that cannot leave the file. */
#ifndef PUNA_FORMAT_GGUF_FILE_H
#define PUNA_FORMAT_GGUF_FILE_H

#include "format/bytes.h"
#include "format/gguf.h"
#include "format/gguf_names.h"

/* Bounds of what is read at all, far above real files: time and memory to open a file are bounded by them. */
#define GGUF_MAX_HEADER (1ull << 28) /* bytes before the tensor data */
#define GGUF_FIRST_READ (1u << 16)   /* bytes */
#define GGUF_MAX_ROWS (1ull << 20)   /* metadata entries; tensors */
#define GGUF_MAX_KEY 65535u          /* bytes, by the specification */
#define GGUF_MAX_NAME 64u            /* likewise */
#define GGUF_MAX_DEPTH 4             /* of arrays in arrays */
#define GGUF_DEFAULT_ALIGNMENT 32u
#define GGUF_ALIGNMENT_KEY "general.alignment"

/* Every 16th string of an array has a mark, its place in the file: at most 15 steps to any other. */
#define GGUF_MARK_EVERY 16u

struct puna_file {
    memory_account account; /* counts this struct too */
    char *path;
    os_input *input; /* NULL after gguf_detach */
    uint64_t file_bytes;
    uint8_t *header; /* the first header_bytes of the file; names and texts point into it */
    uint64_t header_bytes;
    uint32_t version;
    uint64_t alignment;
    uint64_t fingerprint;
    gguf_value *values; /* in the file's order */
    uint64_t value_room;
    uint64_t values_end; /* where the metadata table ends and the tensor table begins */
    uint64_t tensors_end; /* where the tensor table ends */
    gguf_tensor *tensors;
    uint64_t tensor_room;
    uint64_t *marks;
    uint64_t mark_count;
    uint64_t mark_room;
    gguf_file **parts; /* of a split file, this one first; else NULL */
    uint32_t part_count;
    gguf_names keys;  /* over values */
    gguf_names names; /* over tensors */
};

/* Invariant: at <= header_bytes, at <= end <= the file's size. */
typedef struct gguf_cursor {
    gguf_file *file;
    uint64_t at;
    uint64_t end; /* the file's, or GGUF_MAX_HEADER */
    puna_error *error;
} gguf_cursor;

/* A key or name as errors show it: control characters replaced, cut to the buffer. */
typedef struct gguf_field {
    char text[100];
} gguf_field;
gguf_field gguf_field_of(const char *prefix, gguf_text name);

/* Makes the header at least `bytes` long, which the file is; pointers into it move along. */
puna_status gguf_read_header_to(gguf_file *file, uint64_t bytes, puna_error *error);

/* Lets go what the header holds behind `bytes`. */
puna_status gguf_trim_header(gguf_file *file, uint64_t bytes, puna_error *error);

/* Each takes bytes at the cursor or fails with an error about `field`. What *out points to stays where it is until the
   next one. */
puna_status gguf_take_u32(gguf_cursor *cursor, const char *field, uint32_t *out);
puna_status gguf_take_u64(gguf_cursor *cursor, const char *field, uint64_t *out);
puna_status gguf_take_bytes(gguf_cursor *cursor, const char *field, uint64_t bytes, const uint8_t **out);
puna_status gguf_take_text(gguf_cursor *cursor, const char *field, gguf_text *out);

/* A name: text that is not empty, valid UTF-8, without zero bytes, at most `limit` bytes long. */
puna_status gguf_take_name(gguf_cursor *cursor, const char *field, uint64_t limit, gguf_text *out);

/* Fails unless `count` things of at least `each` bytes may follow the cursor. */
puna_status gguf_expect(gguf_cursor *cursor, const char *field, uint64_t count, uint64_t each);

/* Bytes of a scalar of a metadata type; 0 for strings, arrays and unknown numbers. */
uint64_t gguf_scalar_bytes(uint32_t type);

/* The tables behind the header's counts, at the cursor. */
puna_status gguf_read_values(gguf_cursor *cursor, uint64_t count);
puna_status gguf_read_tensors(gguf_cursor *cursor, uint64_t count);

/* Part `index`; a file that is not split is its own part 0. */
const gguf_file *gguf_part(const gguf_file *file, uint32_t index);

/* Of `count` bytes and a number; not meant to withstand someone who looks for collisions. */
uint64_t gguf_hash(const uint8_t *bytes, uint64_t count, uint64_t size);

/* "is not a GGUF file: ..." with what it looks like. Call it where the magic number is wrong. */
puna_status gguf_refuse(const gguf_file *file, puna_error *error);

#endif
