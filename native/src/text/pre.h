// SPDX-License-Identifier: Apache-2.0
/*
 * Pre-tokenizers: a text cut into words, each of which is merged by itself. The table is text/pre.def.
 *
 * Invariant of cutting: the words, in order and without gaps, are the text; a word is never empty. Linear time.
 */
#ifndef PUNA_TEXT_PRE_H
#define PUNA_TEXT_PRE_H

#include "base/regex.h"
#include "format/gguf.h"

typedef struct pre {
    const char *name; /* of the table, static */
    regex *first, *second; /* second: NULL if there is none */
    bool whole_words, add_bos;
} pre;

/* Finds tokenizer.ggml.pre in the table. Errors: PUNA_UNSUPPORTED with the names that there are; memory. */
puna_status pre_load(memory_account *account, const gguf_file *file, pre *p, puna_error *error);
void pre_free(memory_account *account, pre *p);

typedef struct pre_cutter {
    const char *text;
    size_t length, at;
    size_t piece_end; /* of the first pattern's piece */
} pre_cutter;

/* The next word: its beginning in the text and its length; 0 at the end. Zero at and piece_end before the first. */
size_t pre_next(const pre *p, pre_cutter *cutter, const char **word);

#endif
