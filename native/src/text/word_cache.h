// SPDX-License-Identifier: Apache-2.0
/*
 * Words repeat: a call remembers the ids of short ones, in a table that forgets by overwriting. Words lie in text that
 * has to stay where it is for as long as the table is used.
 */
#ifndef PUNA_TEXT_WORD_CACHE_H
#define PUNA_TEXT_WORD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WORD_CACHE_SLOTS 4096u
#define WORD_CACHE_WORD 32u   /* bytes of the longest word remembered */
#define WORD_CACHE_IDS 6u
#define WORD_CACHE_TEXT 2048u /* bytes of text below which a table costs more than it gives */

typedef struct word_cache_entry {
    const char *word; /* NULL: free */
    uint32_t length, count;
    int32_t ids[WORD_CACHE_IDS];
} word_cache_entry;

/* Where a word of at most WORD_CACHE_WORD bytes belongs. */
static inline word_cache_entry *word_cache_place(word_cache_entry *cache, const char *word, size_t length) {
    uint64_t hash = length * 0x9E3779B97F4A7C15u, piece;
    const char *at = word;
    size_t left = length;
    for (; left >= 8; at += 8, left -= 8) {
        memcpy(&piece, at, 8);
        hash = (hash ^ piece) * 0xFF51AFD7ED558CCDu;
        hash ^= hash >> 32;
    }
    piece = 0;
    memcpy(&piece, at, left);
    hash = (hash ^ piece) * 0xFF51AFD7ED558CCDu;
    return &cache[(uint32_t)(hash >> 40) % WORD_CACHE_SLOTS];
}

static inline bool word_cache_holds(const word_cache_entry *entry, const char *word, size_t length) {
    return entry->word && entry->length == length && memcmp(entry->word, word, length) == 0;
}

static inline void word_cache_put(word_cache_entry *entry, const char *word, size_t length, const int32_t *ids,
                                  size_t count) {
    if (count > WORD_CACHE_IDS) return;
    *entry = (word_cache_entry){.word = word, .length = (uint32_t)length, .count = (uint32_t)count};
    memcpy(entry->ids, ids, count * sizeof *ids);
}

#endif
