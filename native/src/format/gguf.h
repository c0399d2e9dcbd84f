// SPDX-License-Identifier: Apache-2.0
/*
 * GGUF files, versions 2 and 3 (the format is specified in ggml's docs/gguf.md).
 *
 * Invariant of an open file: every string and array lies inside the header, which is in memory, every tensor inside the
 * file; names are valid UTF-8 and unique, shapes are non-zero and their products fit, so that readers below need no
 * further check of bounds. What becomes of the file on disk changes none of this: tensors are read, not mapped.
 */
#ifndef PUNA_FORMAT_GGUF_H
#define PUNA_FORMAT_GGUF_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/os.h"

typedef struct gguf_text {
    const char *data; /* not zero-terminated; inside the header */
    uint64_t length;
} gguf_text;

typedef struct gguf_value {
    gguf_text key;
    uint32_t type;         /* PUNA_UINT8 ... */
    uint32_t element_type; /* of an array; else as type */
    uint64_t count;        /* of an array; else 1 */
    uint64_t offset;       /* of the first element's bytes in the file */
    uint64_t index;        /* of its place among strings, reader's own */
} gguf_value;

typedef struct gguf_tensor {
    gguf_text name;
    uint32_t type;        /* GGUF's number; block_find may still be NULL */
    uint32_t dimensions;
    uint64_t shape[4];    /* fastest first; 1 beyond dimensions */
    uint64_t offset;      /* in its part of the file */
    uint64_t bytes;
    uint32_t part;        /* of a split file, from 0 */
} gguf_tensor;

typedef struct puna_file gguf_file; /* the public handle is the same object */

/* `path` is kept for messages. On success the caller owns *file (gguf_close). A part of a split file opens all parts as
   one file, whichever it is (gguf_split.h); gguf_open_part opens just the one that was named. */
puna_status gguf_open_part(const char *path, gguf_file **file, puna_error *error);
puna_status gguf_open(const char *path, gguf_file **file, puna_error *error);
void gguf_close(gguf_file *file);

/* Lets go of the file itself, for one whose tensors were read: nothing but gguf_tensor_bytes needs it. */
void gguf_detach(gguf_file *file);

const char *gguf_path(const gguf_file *file);
uint64_t gguf_size(const gguf_file *file);     /* bytes, of all parts */
uint32_t gguf_part_count(const gguf_file *file); /* 1 unless split */
uint32_t gguf_version(const gguf_file *file);
uint64_t gguf_fingerprint(const gguf_file *file); /* a hash of header and size, of all parts */
uint64_t gguf_alignment(const gguf_file *file);   /* of the tensors' offsets */
uint64_t gguf_memory(const gguf_file *file);      /* bytes of memory that the open file takes */

uint64_t gguf_value_count(const gguf_file *file);
const gguf_value *gguf_value_at(const gguf_file *file, uint64_t index);
const gguf_value *gguf_find(const gguf_file *file, const char *key); /* NULL if there is none */

uint64_t gguf_place(const gguf_file *file, const char *key); /* of its value, PUNA_NO_OFFSET if there is none */

uint64_t gguf_tensor_count(const gguf_file *file);
const gguf_tensor *gguf_tensor_at(const gguf_file *file, uint64_t index);
const gguf_tensor *gguf_find_tensor(const gguf_file *file, const char *name); /* NULL if there is none */
/* Reads `count` of its bytes from `offset` on, which it has. Any thread. PUNA_IO names file, tensor and place. */
puna_status gguf_tensor_bytes(const gguf_file *file, const gguf_tensor *tensor, uint64_t offset, void *bytes,
                              size_t count, puna_error *error);

/* An error about byte `offset` of a tensor. */
puna_status gguf_tensor_error(const gguf_file *file, const gguf_tensor *tensor, puna_error *error, puna_status status,
                              uint64_t offset, const char *what);

/* Elements (0 unless an array; index < count is the caller's duty). False where the type does not fit. */
bool gguf_integer(const gguf_file *file, const gguf_value *value, uint64_t element, int64_t *out);
bool gguf_real(const gguf_file *file, const gguf_value *value, uint64_t element, double *out);
bool gguf_string(const gguf_file *file, const gguf_value *value, uint64_t element, gguf_text *out);

/* "uint8" ... "float64"; "unknown" for another number. */
const char *gguf_type_name(uint32_t type);

/* Typed look-ups that name file and key in the error. `fallback` versions accept an absent key, never a wrong type. */
puna_status gguf_need_u32(const gguf_file *file, const char *key, uint32_t *out, puna_error *error);
puna_status gguf_get_u32(const gguf_file *file, const char *key, uint32_t fallback, uint32_t *out, puna_error *error);
puna_status gguf_get_f32(const gguf_file *file, const char *key, float fallback, float *out, puna_error *error);
puna_status gguf_get_bool(const gguf_file *file, const char *key, bool fallback, bool *out, puna_error *error);
/* Absent: length 0. */
puna_status gguf_get_text(const gguf_file *file, const char *key, gguf_text *out, puna_error *error);

/* An error about this file: subject "path: field". */
puna_status gguf_error(const gguf_file *file, puna_error *error, puna_status status, const char *field,
                       uint64_t offset, const char *format, ...) ERROR_FORMAT(6, 7);

#endif
