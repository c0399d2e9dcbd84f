// SPDX-License-Identifier: Apache-2.0
/*
 * SentencePiece's unigram model (arXiv:1804.10959): of all ways to cut a normalized text into pieces the one whose
 * scores add up to the most, in f32 from the text's beginning, as its encoder adds them; the earlier beginning among
 * equals. A character that no piece has costs ten more than the rarest piece.
 *
 * Time and memory are linear in a text's length; where no piece goes over the beginning of a word, memory is a word's.
 */
#ifndef PUNA_TEXT_UNIGRAM_H
#define PUNA_TEXT_UNIGRAM_H

#include "text/trie.h"
#include "text/vocabulary.h"

typedef struct unigram {
    const vocabulary *vocabulary;
    float *scores;       /* of each token */
    trie pieces;         /* normal and user-defined ones */
    trie user_defined;   /* these alone, as a text that is not yet normalized has them */
    bool any_user_defined;
    bool crosses;        /* a piece holds a space behind its first character */
    float unknown_score;
    int32_t byte_ids[256]; /* -1: it has none; all or none count */
    bool has_bytes;
    int32_t unknown;     /* -1: what it does not know is lost */
} unigram;

/* Reads tokenizer.ggml.scores; `v` stays where it is for as long as *u is used. To be freed in any case. */
puna_status unigram_load(memory_account *account, const gguf_file *file, const vocabulary *v, int32_t unknown,
                         unigram *u, puna_error *error);
void unigram_free(memory_account *account, unigram *u);

/* The best way to a place in the text. */
typedef struct unigram_node { float score; int32_t id; uint32_t from; } unigram_node;

typedef struct unigram_scratch {
    unigram_node *nodes;
    size_t capacity;
    float score; /* of the text so far; 0 at its beginning */
} unigram_scratch;

/* A stretch of normalized text that no piece goes beyond: nodes[length] and, by `from`, those before it are its
   pieces; id -1: an unknown character. False where memory ran out. */
bool unigram_cut(const unigram *u, memory_account *account, unigram_scratch *s, const char *text, size_t length);

#endif
