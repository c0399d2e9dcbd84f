// SPDX-License-Identifier: Apache-2.0
/*
 * Writing GGUF files: entries and tensors in the order in which they are given, then one save.
 *
 *     gguf_writer *writer;
 *     gguf_writer_create(3, &writer, &error);
 *     gguf_write_text(writer, "general.architecture", (gguf_text){"llama", 5}, &error);
 *     gguf_write_tensor(writer, "output_norm.weight", BLOCK_F32, 1, (uint64_t[]){576}, bytes, &error);
 *     gguf_writer_save(writer, "model.gguf", &error);
 *     gguf_writer_free(writer);
 *
 * Tensors lie in the file in their order, each at the next multiple of the alignment (32, or what the uint32 entry
 * general.alignment says) and padded to it. A file that is copied whole, with nothing beside it, keeps its own layout:
 * any file comes out byte for byte, with gaps, bytes between tensors, tensors in another order, and what stands behind.
 * One thread at a time. After a failed call the writer holds what it held before.
 *
 * A file whose tensors don't fit in memory is written as they come: they are announced, gguf_writer_begin writes all
 * that stands before them, and their bytes follow in their order, in pieces of any size.
 */
#ifndef PUNA_FORMAT_GGUF_WRITE_H
#define PUNA_FORMAT_GGUF_WRITE_H

#include "format/gguf.h"

typedef struct gguf_writer gguf_writer;

/* version: 2 or 3 (they differ in the number alone). */
puna_status gguf_writer_create(uint32_t version, gguf_writer **writer, puna_error *error);
void gguf_writer_free(gguf_writer *writer); /* NULL is allowed */

/* A scalar of any type; `number` points to `element_bytes` of the type in this machine's own representation: uint8_t
   ... double, a boolean as uint8_t. Keys are 1 to 65,535 bytes of UTF-8, zero-terminated. */
puna_status gguf_write_scalar(gguf_writer *writer, const char *key, uint32_t type, const void *number,
                              puna_error *error);
puna_status gguf_write_u32(gguf_writer *writer, const char *key, uint32_t number, puna_error *error);
puna_status gguf_write_f32(gguf_writer *writer, const char *key, float number, puna_error *error);
puna_status gguf_write_bool(gguf_writer *writer, const char *key, bool truth, puna_error *error);
puna_status gguf_write_text(gguf_writer *writer, const char *key, gguf_text text, puna_error *error);

/* Arrays of scalars (`numbers` as a C array of the type) and of strings. */
puna_status gguf_write_array(gguf_writer *writer, const char *key, uint32_t element_type, const void *numbers,
                             uint64_t count, puna_error *error);
puna_status gguf_write_texts(gguf_writer *writer, const char *key, const gguf_text *texts, uint64_t count,
                             puna_error *error);

/* An entry of an open file as it is, nested arrays too. */
puna_status gguf_write_value(gguf_writer *writer, const gguf_file *file, const gguf_value *value, puna_error *error);

/* A tensor of any known type. `data` holds its blocks and is read when the file is saved: it must live until then. */
puna_status gguf_write_tensor(gguf_writer *writer, const char *name, uint32_t type, uint32_t dimensions,
                              const uint64_t *shape, const void *data, puna_error *error);

/* A tensor whose bytes gguf_writer_put will bring. */
puna_status gguf_write_announced(gguf_writer *writer, const char *name, uint32_t type, uint32_t dimensions,
                                 const uint64_t *shape, puna_error *error);

/* All entries of an open file, without those that tell of a split ("split.") unless asked for; one of its tensors. */
puna_status gguf_write_values(gguf_writer *writer, const gguf_file *file, bool split, puna_error *error);
puna_status gguf_write_copy(gguf_writer *writer, const gguf_file *file, const gguf_tensor *tensor, puna_error *error);

/* All entries and tensors of an open file, which must stay open until the save. A split file becomes one. */
puna_status gguf_write_file(gguf_writer *writer, const gguf_file *file, puna_error *error);

/* Writes the file, under a temporary name until it is whole. May be called again. PUNA_INVALID_ARGUMENT where a key or
   a tensor's name was given twice. */
puna_status gguf_writer_save(gguf_writer *writer, const char *path, puna_error *error);

/* Writing as the bytes come, all tensors being announced ones. Between begin and end nothing can be added
   (PUNA_INVALID_ARGUMENT); a put that goes beyond the last tensor, or an end before it is whole, is refused likewise.
   Where the system refuses to write, the temporary file is removed and the writer is as it was before begin. Freeing
   the writer meanwhile removes it, too. */
puna_status gguf_writer_begin(gguf_writer *writer, const char *path, puna_error *error);
puna_status gguf_writer_put(gguf_writer *writer, const void *bytes, uint64_t count, puna_error *error);
puna_status gguf_writer_end(gguf_writer *writer, puna_error *error);

#endif
