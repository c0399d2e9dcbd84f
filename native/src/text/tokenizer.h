// SPDX-License-Identifier: Apache-2.0
/*
 * A tokenizer: vocabulary, special tokens, the pre-tokenizer and the merge algorithm behind one interface. Immutable
 * after loading; any number of threads. Its functions are those of puna.h (puna_tokenizer_*, puna_tokenize,
 * puna_detokenize), which call these.
 */
#ifndef PUNA_TEXT_TOKENIZER_H
#define PUNA_TEXT_TOKENIZER_H

#include <stdbool.h>

#include "format/gguf.h"

typedef struct puna_tokenizer tokenizer;
typedef struct token_tree token_tree; /* text/token_tree.h */

/* Errors: PUNA_UNSUPPORTED (tokenizer.ggml.model or .pre that we don't have: the message lists those that we do),
   PUNA_INVALID_FILE (fields missing, lengths that disagree, merges that don't parse, special ids beyond the
   vocabulary), PUNA_OUT_OF_MEMORY. */
puna_status tokenizer_load(const gguf_file *file, tokenizer **out, puna_error *error);
void tokenizer_free(tokenizer *t);
uint64_t tokenizer_memory(const tokenizer *t); /* bytes accounted */

int32_t tokenizer_size(const tokenizer *t);
bool tokenizer_ends_generation(const tokenizer *t, int32_t id); /* EOS, end of turn, ... */
bool tokenizer_is_control(const tokenizer *t, int32_t id);
void tokenizer_describe(const tokenizer *t, puna_tokenizer_info *info);
puna_status tokenizer_token(const tokenizer *t, int32_t id, puna_token *token, puna_error *error);

/* Bytes that a token stands for in a text; control tokens: none. id must be valid. Lives as long as the tokenizer. */
const char *tokenizer_bytes(const tokenizer *t, int32_t id, size_t *length);

/* The vocabulary as a tree, made when it is first asked for and kept; the caller holds a reference, which may outlive
   the tokenizer. PUNA_OUT_OF_MEMORY. */
puna_status tokenizer_tree(const tokenizer *t, token_tree **out, puna_error *error);

/* A SentencePiece vocabulary that wants a space in front of a text gets it at the beginning and behind each control
   token, not behind a user-defined one. A byte-level vocabulary whose model was trained on normalized texts (NFC in
   text/pre.def) takes letters and marks as composed: what comes back from the ids is the text in form C. */
puna_status tokenizer_encode(const tokenizer *t, const char *text, size_t length, uint32_t flags, int32_t *ids,
                             size_t capacity, size_t *count, puna_error *error);
/* As puna_tokenize_parts. */
puna_status tokenizer_encode_parts(const tokenizer *t, const puna_part *parts, size_t part_count, int32_t *ids,
                                   size_t capacity, size_t *count, puna_error *error);
/* As puna_tokenize_pair: text/pair.c. */
puna_status tokenizer_encode_pair(const tokenizer *t, const puna_text *first, const puna_text *second, uint32_t flags,
                                  int32_t *ids, uint32_t *types, size_t capacity, size_t *count, puna_error *error);
/* The bytes of all tokens in a row, as a stream of them gives: for SentencePiece a text comes back with the space in
   front that encoding added (as llama.cpp's pieces have it), so that texts of pieces can be joined. */
puna_status tokenizer_decode(const tokenizer *t, const int32_t *ids, size_t count, uint32_t flags, char *text,
                             size_t capacity, size_t *length, puna_error *error);

#endif
