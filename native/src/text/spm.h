// SPDX-License-Identifier: Apache-2.0
/*
 * SentencePiece's byte-pair encoding (arXiv:1808.06226) of normalized text: its symbols, at first one a character, are
 * joined two by two, always the pair whose joined spelling is the piece with the highest score, the leftmost among
 * equals, until no two neighbours make a piece. Normalized: a space is written as U+2581.
 *
 * Pieces are normal, user-defined and unused tokens. A user-defined one that stands in the text is a symbol from the
 * beginning and is never joined. An unused one is joined and, if it is left at the end, taken apart again; where it is
 * a character, it is unknown.
 *
 * Time is O(n log n) in the length of a word: a stretch of text that can be encoded without looking beyond its ends.
 */
#ifndef PUNA_TEXT_SPM_H
#define PUNA_TEXT_SPM_H

#include "text/trie.h"
#include "text/vocabulary.h"

#define SPM_NONE (-1)

typedef struct spm {
    const vocabulary *vocabulary;
    uint32_t *order;      /* of each token: the higher its score, the smaller */
    trie user_defined;    /* normalized spellings */
    bool any_user_defined, spaced; /* spaced: one of them is spelled with spaces in the vocabulary */
    bool restores;        /* text can be joined to an unused piece, which depends on all of the text */
    size_t longest;       /* bytes of the longest piece */
    uint64_t *neighbours; /* a bit for each two characters side by side in a piece, by hash: too many, never too few */
    uint32_t neighbour_mask;
    int32_t ascii[128];   /* the pieces of these characters */
    int32_t byte_ids[256];/* the byte tokens, `unknown` where there is none */
    int32_t unknown;      /* SPM_NONE: the vocabulary has no token for what it does not know */
    bool has_bytes;
} spm;

/* Reads tokenizer.ggml.scores; `v` stays where it is for as long as *s is used. To be freed in any case. */
puna_status spm_load(memory_account *account, const gguf_file *file, const vocabulary *v, int32_t unknown, spm *s,
                     puna_error *error);
void spm_free(memory_account *account, spm *s);

typedef struct spm_memo { int32_t left, right, joined; } spm_memo; /* left, right: id + 1; 0: free */

/* One call's memory. Zero it first. */
typedef struct spm_scratch {
    uint32_t *starts;              /* of each symbol: its first byte in the word */
    int32_t *symbols;              /* ids; SPM_NONE: a character that is no piece */
    int32_t *joined;               /* of each symbol: the piece that it and the next one make, or SPM_NONE */
    int32_t *before, *after;       /* the word as a linked list */
    uint64_t *heap;                /* order << 32 | left symbol */
    size_t capacity, heap_count;
    spm_memo *memo;                /* what pairs make: NULL for short texts */
    uint32_t *splits;              /* of each unused token that was made: bytes of its left part */
    int32_t *ids;                  /* the result */
    size_t id_count, id_capacity;
} spm_scratch;

bool spm_remember(memory_account *account, spm_scratch *scratch); /* makes the memo */
void spm_release(memory_account *account, spm_scratch *scratch);

/* The user-defined token at the beginning of a text, the longest; SPM_NONE if there is none. */
int32_t spm_user_defined(const spm *s, const char *text, size_t length, size_t *matched);

/* Bytes of the first word, length > 0. It is the whole text where the vocabulary does not allow cutting it. */
size_t spm_word(const spm *s, const char *text, size_t length);

/* The word's tokens in scratch->ids[0 .. id_count). length < 2^31. False where memory runs out. */
bool spm_merge(const spm *s, memory_account *account, spm_scratch *scratch, const char *word, size_t length);

#endif
