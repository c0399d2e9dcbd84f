// SPDX-License-Identifier: Apache-2.0
/*
 * Special tokens: the ids that metadata names, the tokens that end a generation, and finding their spellings in a text.
 *
 * What a text may turn into: user-defined tokens are plain text with an id of its own, found always; control and
 * unknown tokens are found only where the caller asks for them, so that no text of a user can forge one.
 */
#ifndef PUNA_TEXT_SPECIAL_H
#define PUNA_TEXT_SPECIAL_H

#include "text/trie.h"
#include "text/vocabulary.h"

typedef struct special {
    int32_t bos, eos, eot, eom, pad, unknown; /* -1: none; so are those of encoders */
    int32_t cls, separator, mask;
    trie spellings;                           /* control, unknown and user-defined tokens by their ids */
} special;

/* Reads the ids, marks in `v` the tokens that end a generation, and makes well-known ones control tokens. */
puna_status special_load(memory_account *account, const gguf_file *file, vocabulary *v, special *s, puna_error *error);
void special_free(memory_account *account, special *s);

/* The longest spelling at the very beginning of text: its id and bytes; -1 if there is none. `control`: also tokens
   that are not user-defined. */
int32_t special_match(const special *s, const vocabulary *v, const char *text, size_t length, bool control,
                      size_t *matched);

#endif
