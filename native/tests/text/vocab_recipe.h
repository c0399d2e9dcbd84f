// SPDX-License-Identifier: Apache-2.0
/* Small vocabularies for tests: written down token by token, saved as a GGUF file, loaded again. */
#ifndef PUNA_TESTS_VOCAB_RECIPE_H
#define PUNA_TESTS_VOCAB_RECIPE_H

#include "format/gguf_write.h"
#include "text/tokenizer.h"

#define RECIPE_TOKENS 8192u

typedef struct recipe {
    const char *model, *pre; /* NULL: left out */
    gguf_text tokens[RECIPE_TOKENS], merges[RECIPE_TOKENS];
    int32_t kinds[RECIPE_TOKENS];
    uint32_t token_count, kind_count, merge_count;
    bool no_tokens, no_kinds, no_merges;
    int64_t bos, eos, eot, unknown; /* -1: left out */
    int add_bos, add_eos;           /* -1: left out */
    float scores[RECIPE_TOKENS];
    uint32_t score_count;           /* 0: left out */
    int space_prefix, remove_spaces; /* -1: left out */
    char pool[1 << 20];
    size_t pool_used;
} recipe;

/* Where recipes are saved; each program sets its own, since programs run side by side. */
extern const char *recipe_path;

void recipe_begin(recipe *r, const char *pre); /* model gpt2, nothing in it */
void recipe_begin_spm(recipe *r);                /* model llama; <unk>, <s>, </s> */
int32_t recipe_token(recipe *r, const char *text, size_t length, int32_t kind);
void recipe_bytes(recipe *r);                  /* ids 0 to 255: a token for each byte */

/* For SentencePiece. */
int32_t recipe_piece(recipe *r, const char *text, int32_t kind, float score);
void recipe_byte_tokens(recipe *r); /* the next 256 ids: <0x00> to <0xFF> */

/* A merge of two spellings; the result becomes a token unless there is one. */
void recipe_merge(recipe *r, const char *left, const char *right);
void recipe_raw_merge(recipe *r, const char *text);

/* The spelling of bytes in the byte-level alphabet, zero-terminated; returns its length. out: 2 * length + 1. */
size_t recipe_spell(const char *bytes, size_t length, char *out);

gguf_file *recipe_open(const recipe *r); /* NULL and a failed test if it does not work */

/* The tokenizer, or NULL with *status. */
tokenizer *recipe_load(const recipe *r, puna_status *status, puna_error *error);

#endif
