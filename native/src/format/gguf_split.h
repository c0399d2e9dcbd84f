// SPDX-License-Identifier: Apache-2.0
/*
 * Split files: NAME-00001-of-00003.gguf ... NAME-00003-of-00003.gguf, as llama.cpp's gguf-split writes them. Part 1 has
 * the metadata; each part has tensors of its own and the entries split.no (from 0), split.count and split.tensors.count
 * (of all parts together).
 */
#ifndef PUNA_FORMAT_GGUF_SPLIT_H
#define PUNA_FORMAT_GGUF_SPLIT_H

#include "format/gguf_write.h"

/* Where *file says that it is a part of several: all are opened, checked against each other and joined. *file is then
   part 1 and owns the others. It may be a new object; on failure *file is still an open file, the caller's to close.
   Errors name the part that is missing or disagrees. */
puna_status gguf_join(gguf_file **file, puna_error *error);

/* Writes an open file as `count` parts PREFIX-00001-of-...: tensors keep their order and are shared out by their bytes,
   at least one in each part. PUNA_INVALID_ARGUMENT for a count of 0, or above the tensors' or 65,535. Parts that were
   written before a failure stay. */
puna_status gguf_write_parts(const gguf_file *file, const char *prefix, uint32_t count, puna_error *error);

#endif
