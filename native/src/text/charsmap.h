// SPDX-License-Identifier: Apache-2.0
/*
 * SentencePiece's precompiled map of characters: what a text's strings are normalized to (NFKC with additions, mostly).
 *
 * As files hold it: the number of bytes of a double array (darts-clone's), the array's 32-bit units, then the
 * replacements, each ended by a zero byte; an array's value is where a replacement begins. Nothing of it is trusted: a
 * unit beyond the array ends a search, a replacement beyond the end is empty; one of more than 256 bytes is refused, so
 * that no text grows without bound.
 */
#ifndef PUNA_TEXT_CHARSMAP_H
#define PUNA_TEXT_CHARSMAP_H

#include "format/gguf.h"

typedef struct charsmap {
    uint32_t *units;
    size_t unit_count;
    char *texts; /* ends with a zero byte */
    size_t text_bytes;
} charsmap;

/* Reads tokenizer.ggml.precompiled_charsmap; empty where the file has none. To be freed in any case.
   PUNA_INVALID_FILE, PUNA_OUT_OF_MEMORY. */
puna_status charsmap_load(memory_account *account, const gguf_file *file, charsmap *m, puna_error *error);
void charsmap_free(memory_account *account, charsmap *m);

/* The longest string at the beginning of a text that the map knows: its bytes, and what it becomes; 0: none. */
size_t charsmap_match(const charsmap *m, const char *text, size_t length, const char **becomes, size_t *becomes_length);

#endif
