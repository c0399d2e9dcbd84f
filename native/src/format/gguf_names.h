// SPDX-License-Identifier: Apache-2.0
/*
 * An index over names: the order of a table's rows by name, searched by halving. No hash, so that no file can be made
 * that is slow to open.
 *
 * Invariant: order[0..count) is a permutation of the rows, ascending by (length, bytes).
 */
#ifndef PUNA_FORMAT_GGUF_NAMES_H
#define PUNA_FORMAT_GGUF_NAMES_H

#include "format/gguf.h"

typedef struct gguf_names {
    const uint8_t *rows; /* each begins with its name, a gguf_text */
    size_t stride;       /* bytes a row */
    uint32_t count;
    uint32_t *order;
} gguf_names;

/* Sorts `count` rows, which must stay where they are. False: no memory. */
bool gguf_names_build(gguf_names *names, memory_account *account, const void *rows, size_t stride, uint32_t count);
void gguf_names_free(gguf_names *names, memory_account *account);

/* Two rows of one name, the later one in *row. False if all names differ. */
bool gguf_names_duplicate(const gguf_names *names, uint32_t *row);

/* The row of a name, or NULL. */
const void *gguf_names_find(const gguf_names *names, const char *name, size_t length);

#endif
