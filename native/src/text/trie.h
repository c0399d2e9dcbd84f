// SPDX-License-Identifier: Apache-2.0
/*
 * A tree of byte strings: special tokens are found with it, and (with links to the next shorter suffix, which its user
 * adds) stop strings.
 *
 * Node 0 is the root. An edge is looked up by hash, except from the root, so that a text's ordinary bytes cost one
 * load.
 */
#ifndef PUNA_TEXT_TRIE_H
#define PUNA_TEXT_TRIE_H

#include "base/error.h"
#include "base/memory.h"

#define TRIE_NO_VALUE (-1)

typedef struct trie_edge { uint32_t key, to; } trie_edge; /* key: (node << 8 | byte) + 1; 0: free */

typedef struct trie {
    uint32_t root[256];   /* the node behind the first byte; 0: none */
    int32_t *values;      /* of each node: the string's value, or TRIE_NO_VALUE */
    uint32_t node_count;
    trie_edge *edges;
    uint32_t edge_mask;
} trie;

/* Room for strings of `bytes` bytes together (at most 2^23). False where memory runs out; to be freed in any case. */
bool trie_create(memory_account *account, size_t bytes, trie *t);
void trie_free(memory_account *account, trie *t);

/* Adds a string that is not empty. One that is there already keeps its first value. */
void trie_add(trie *t, const char *text, size_t length, int32_t value);

uint32_t trie_next_from(const trie *t, uint32_t node, uint8_t byte);

/* The node behind `node` and a byte; 0 if there is none. */
static inline uint32_t trie_next(const trie *t, uint32_t node, uint8_t byte) {
    return node == 0 ? t->root[byte] : trie_next_from(t, node, byte);
}

#endif
