// SPDX-License-Identifier: Apache-2.0
/*
 * A vocabulary's tokens: spelling, kind, the bytes that each stands for, and the way back from a spelling to its id.
 *
 * Invariant: ids are 0 to size - 1; spellings that are not empty are distinct; control and unknown tokens stand for no
 * bytes.
 */
#ifndef PUNA_TEXT_VOCABULARY_H
#define PUNA_TEXT_VOCABULARY_H

#include "format/gguf.h"

typedef struct vocabulary_token {
    uint64_t text, bytes; /* offsets into the pools below */
    uint32_t text_length, bytes_length;
    uint8_t kind;         /* PUNA_TOKEN_NORMAL ... */
    bool ends_generation;
} vocabulary_token;

typedef struct vocabulary {
    vocabulary_token *tokens;
    int32_t size;
    char *texts, *bytes;
    int32_t *slots; /* id + 1 by the spelling's hash; 0: free */
    uint32_t slot_mask;
} vocabulary;

/* Writes the bytes that a spelling of this kind stands for, at most `length`, and returns how many. */
typedef size_t (*vocabulary_decode)(uint8_t kind, const char *text, size_t length, char *bytes);

/* Reads tokenizer.ggml.tokens and .token_type. On failure the vocabulary is to be freed all the same. */
puna_status vocabulary_load(memory_account *account, const gguf_file *file, vocabulary_decode decode, vocabulary *v,
                            puna_error *error);
void vocabulary_free(memory_account *account, vocabulary *v);

/* PUNA_INVALID_FILE: the entry `key`, which may be missing (value NULL), is not what a vocabulary needs. */
puna_status vocabulary_wrong(const gguf_file *file, const gguf_value *value, const char *key, puna_error *error,
                             const char *what);

/* The id of a spelling, or -1. */
int32_t vocabulary_find(const vocabulary *v, const char *text, size_t length);

static inline const char *vocabulary_text(const vocabulary *v, int32_t id) { return v->texts + v->tokens[id].text; }
static inline const char *vocabulary_bytes(const vocabulary *v, int32_t id) { return v->bytes + v->tokens[id].bytes; }

#endif
