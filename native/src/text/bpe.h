// SPDX-License-Identifier: Apache-2.0
/*
 * Byte-pair encoding of one word: its symbols, at first one a byte, are joined pair by pair, always the pair whose
 * merge comes first in the list, the leftmost among equals, until no pair is in the list.
 *
 * Time is O(n log n) in the word's length.
 */
#ifndef PUNA_TEXT_BPE_H
#define PUNA_TEXT_BPE_H

#include "text/vocabulary.h"

typedef struct bpe_merge { int32_t left, right, result; } bpe_merge; /* token ids */
typedef struct bpe_slot { uint32_t left, right, rank; } bpe_slot;    /* rank + 1; 0: free */

typedef struct bpe {
    int32_t byte_ids[256]; /* -1: the vocabulary has no token for the byte, which is left out */
    bpe_merge *merges;     /* by rank */
    uint32_t merge_count;
    bpe_slot *slots;
    uint32_t slot_mask;
} bpe;

/* Reads tokenizer.ggml.merges ("left right" each). `unknown`: the token for bytes that have none, -1 if there is none.
   Merges that would make a control token are left out: no text may turn into one. To be freed in any case. */
puna_status bpe_load(memory_account *account, const gguf_file *file, const vocabulary *v, int32_t unknown, bpe *b,
                     puna_error *error);
void bpe_free(memory_account *account, bpe *b);

/* Memory for words of a length; grows as needed. Zero it first. */
typedef struct bpe_scratch {
    int32_t *symbols, *before, *after; /* the word as a linked list */
    uint64_t *heap;                    /* rank << 32 | position of the left symbol */
    size_t capacity, heap_count;
} bpe_scratch;

bool bpe_reserve(memory_account *account, bpe_scratch *scratch, size_t length);
void bpe_release(memory_account *account, bpe_scratch *scratch);

/* The word's tokens in scratch->symbols[0 .. result). length < 2^31, reserved before. */
size_t bpe_merge_word(const bpe *b, bpe_scratch *scratch, const char *word, size_t length);

#endif
