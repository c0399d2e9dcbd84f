// SPDX-License-Identifier: Apache-2.0
#include "text/trie.h"

bool trie_create(memory_account *account, size_t bytes, trie *t) {
    uint32_t slots = 4;
    *t = (trie){0};
    if (bytes > (size_t)1 << 23) return false;
    while (slots < 2 * bytes) slots *= 2;
    t->edge_mask = slots - 1;
    t->values = memory_array(account, bytes + 1, sizeof *t->values);
    t->edges = memory_array(account, slots, sizeof *t->edges);
    if (!t->values || !t->edges) return false;
    t->values[0] = TRIE_NO_VALUE;
    t->node_count = 1;
    return true;
}

void trie_free(memory_account *account, trie *t) {
    memory_free(account, t->values);
    memory_free(account, t->edges);
    *t = (trie){0};
}

static uint32_t slot_of(const trie *t, uint32_t key) {
    uint32_t slot = (key * 2654435761u ^ key >> 13) & t->edge_mask;
    while (t->edges[slot].key && t->edges[slot].key != key) slot = (slot + 1) & t->edge_mask;
    return slot;
}

static uint32_t key_of(uint32_t node, uint8_t byte) { return (node << 8 | byte) + 1; }

uint32_t trie_next_from(const trie *t, uint32_t node, uint8_t byte) {
    return t->edges[slot_of(t, key_of(node, byte))].to;
}

void trie_add(trie *t, const char *text, size_t length, int32_t value) {
    uint32_t node = 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)text[i];
        uint32_t next = trie_next(t, node, byte);
        if (!next) {
            next = t->node_count++;
            t->values[next] = TRIE_NO_VALUE;
            if (node == 0) {
                t->root[byte] = next;
            } else {
                trie_edge *edge = &t->edges[slot_of(t, key_of(node, byte))];
                edge->key = key_of(node, byte);
                edge->to = next;
            }
        }
        node = next;
    }
    if (t->values[node] == TRIE_NO_VALUE) t->values[node] = value;
}
