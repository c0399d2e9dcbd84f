// SPDX-License-Identifier: Apache-2.0
#include "text/bpe.h"

#include <string.h>

#include "text/heap.h"

#define NO_RANK UINT32_MAX
#define DROPPED (-1)

/* Words up to this many symbols are merged by looking at all pairs each time: less to set up than a heap. */
#define SHORT_WORD 32u

static uint32_t slot_of(const bpe *b, uint32_t left, uint32_t right) {
    uint64_t hash = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15u;
    uint32_t slot = (uint32_t)(hash >> 32) & b->slot_mask;
    while (b->slots[slot].rank && (b->slots[slot].left != left || b->slots[slot].right != right)) {
        slot = (slot + 1) & b->slot_mask;
    }
    return slot;
}

static inline uint32_t rank_of(const bpe *b, int32_t left, int32_t right) {
    return b->slots[slot_of(b, (uint32_t)left, (uint32_t)right)].rank - 1; /* 0 - 1: NO_RANK */
}

/* ---- Short words ---- */

static size_t merge_short(const bpe *b, int32_t *symbols, size_t count) {
    uint32_t ranks[SHORT_WORD];
    for (size_t i = 0; i + 1 < count; i++) ranks[i] = rank_of(b, symbols[i], symbols[i + 1]);
    while (count > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < count; i++) {
            if (ranks[i] < ranks[best]) best = i;
        }
        if (ranks[best] == NO_RANK) break;
        symbols[best] = b->merges[ranks[best]].result;
        count--;
        memmove(symbols + best + 1, symbols + best + 2, (count - best - 1) * sizeof *symbols);
        memmove(ranks + best, ranks + best + 1, (count - best - 1) * sizeof *ranks);
        if (best > 0) ranks[best - 1] = rank_of(b, symbols[best - 1], symbols[best]);
        if (best + 1 < count) ranks[best] = rank_of(b, symbols[best], symbols[best + 1]);
    }
    return count;
}

/* ---- Long words: a heap of pairs, some of them out of date ---- */

static void push_pair(const bpe *b, bpe_scratch *s, int32_t left) {
    if (left < 0 || s->after[left] < 0) return;
    uint32_t rank = rank_of(b, s->symbols[left], s->symbols[s->after[left]]);
    if (rank == NO_RANK) return;
    heap_push(s->heap, &s->heap_count, (uint64_t)rank << 32 | (uint32_t)left);
}

static void fill_heap(const bpe *b, bpe_scratch *s, size_t count) {
    s->heap_count = 0;
    for (size_t i = 0; i < count; i++) {
        s->before[i] = (int32_t)i - 1;
        s->after[i] = i + 1 < count ? (int32_t)i + 1 : -1;
        uint32_t rank = i + 1 < count ? rank_of(b, s->symbols[i], s->symbols[i + 1]) : NO_RANK;
        if (rank != NO_RANK) s->heap[s->heap_count++] = (uint64_t)rank << 32 | i;
    }
    heap_order(s->heap, s->heap_count);
}

static size_t merge_long(const bpe *b, bpe_scratch *s, size_t count) {
    fill_heap(b, s, count);
    while (s->heap_count) {
        uint64_t item = heap_pop(s->heap, &s->heap_count);
        int32_t left = (int32_t)(uint32_t)item, right = s->after[left];
        const bpe_merge *merge = &b->merges[item >> 32];
        if (right < 0 || s->symbols[left] != merge->left || s->symbols[right] != merge->right) continue;
        s->symbols[left] = merge->result;
        s->symbols[right] = DROPPED;
        s->after[left] = s->after[right];
        if (s->after[right] >= 0) s->before[s->after[right]] = left;
        push_pair(b, s, s->before[left]);
        push_pair(b, s, left);
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (s->symbols[i] != DROPPED) s->symbols[kept++] = s->symbols[i];
    }
    return kept;
}

size_t bpe_merge_word(const bpe *b, bpe_scratch *scratch, const char *word, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        int32_t id = b->byte_ids[(unsigned char)word[i]];
        if (id >= 0) scratch->symbols[count++] = id;
    }
    return count <= SHORT_WORD ? merge_short(b, scratch->symbols, count) : merge_long(b, scratch, count);
}

bool bpe_reserve(memory_account *account, bpe_scratch *s, size_t length) {
    size_t capacity = s->capacity ? s->capacity : 64;
    if (length <= s->capacity) return true;
    while (capacity < length) capacity *= 2;
    bpe_release(account, s);
    s->symbols = memory_array(account, capacity, sizeof *s->symbols);
    if (s->symbols && capacity > SHORT_WORD) {
        s->before = memory_array(account, capacity, sizeof *s->before);
        s->after = memory_array(account, capacity, sizeof *s->after);
        /* A merge takes one pair out and puts at most two in: never more than twice the symbols at once. */
        s->heap = memory_array(account, capacity, 2 * sizeof *s->heap);
    }
    if (!s->symbols || !s->before || !s->after || !s->heap) {
        bpe_release(account, s);
        return false;
    }
    s->capacity = capacity;
    return true;
}

void bpe_release(memory_account *account, bpe_scratch *s) {
    memory_free(account, s->symbols);
    memory_free(account, s->before);
    memory_free(account, s->after);
    memory_free(account, s->heap);
    *s = (bpe_scratch){0};
}

/* ---- Loading ---- */

#define MERGES "tokenizer.ggml.merges"
#define MAX_MERGES (1u << 28)

static puna_status wrong_merge(const gguf_file *file, const gguf_value *merges, uint64_t index, puna_error *error,
                               const char *what) {
    return gguf_error(file, error, PUNA_INVALID_FILE, MERGES, merges->offset,
                      "Merge %llu can't be used: %s. The file is damaged or was converted wrongly.",
                      (unsigned long long)index, what);
}

/* "left right": spellings hold no space. A merge's place in the list is its rank, also where it is never used. */
static puna_status read_merge(const gguf_file *file, const gguf_value *merges, uint64_t index, const vocabulary *v,
                              char *joined, bpe *b, puna_error *error) {
    gguf_text text;
    if (!gguf_string(file, merges, index, &text)) return wrong_merge(file, merges, index, error, "it is not a string");
    if (text.length > (1u << 20)) return wrong_merge(file, merges, index, error, "it is longer than 1 MiB");
    const char *space = text.length ? memchr(text.data, ' ', (size_t)text.length) : NULL;
    size_t left = space ? (size_t)(space - text.data) : 0, right = space ? (size_t)text.length - left - 1 : 0;
    if (left == 0 || right == 0 || memchr(space + 1, ' ', right)) {
        return wrong_merge(file, merges, index, error, "it is not two parts with one space between");
    }
    memcpy(joined, text.data, left);
    memcpy(joined + left, space + 1, right);
    bpe_merge merge = {vocabulary_find(v, text.data, left), vocabulary_find(v, space + 1, right),
                       vocabulary_find(v, joined, left + right)};
    if (merge.left < 0 || merge.right < 0) {
        return wrong_merge(file, merges, index, error, "one of its parts is not in the vocabulary");
    }
    if (merge.result < 0) return wrong_merge(file, merges, index, error, "its result is not in the vocabulary");
    b->merges[index] = merge;
    if (v->tokens[merge.result].kind == PUNA_TOKEN_CONTROL) return PUNA_OK;
    bpe_slot *slot = &b->slots[slot_of(b, (uint32_t)merge.left, (uint32_t)merge.right)];
    if (slot->rank == 0) *slot = (bpe_slot){(uint32_t)merge.left, (uint32_t)merge.right, (uint32_t)index + 1};
    return PUNA_OK;
}

puna_status bpe_load(memory_account *account, const gguf_file *file, const vocabulary *v, int32_t unknown, bpe *b,
                     puna_error *error) {
    const gguf_value *merges = gguf_find(file, MERGES);
    puna_status status = PUNA_OK;
    uint32_t slots = 4;
    size_t longest = 0;
    if (!merges || merges->type != PUNA_ARRAY || merges->element_type != PUNA_STRING || merges->count > MAX_MERGES) {
        return gguf_error(file, error, PUNA_INVALID_FILE, MERGES, merges ? merges->offset : PUNA_NO_OFFSET,
                          "A byte-level vocabulary needs %s, an array of at most 2^28 strings.", MERGES);
    }
    b->merge_count = (uint32_t)merges->count;
    while (slots < 2 * b->merge_count) slots *= 2;
    b->slot_mask = slots - 1;
    for (uint64_t i = 0; i < merges->count; i++) {
        gguf_text text;
        if (gguf_string(file, merges, i, &text) && text.length > longest) longest = (size_t)text.length;
    }
    b->merges = memory_array(account, b->merge_count, sizeof *b->merges);
    b->slots = memory_array(account, slots, sizeof *b->slots);
    char *joined = memory_new(account, longest);
    if (!b->merges || !b->slots || !joined) status = error_memory(error, "a vocabulary's merges", (uint64_t)slots * 24);
    for (uint64_t i = 0; status == PUNA_OK && i < merges->count; i++) {
        status = read_merge(file, merges, i, v, joined, b, error);
    }
    memory_free(account, joined);
    for (int byte = 0; byte < 256; byte++) b->byte_ids[byte] = unknown;
    return status;
}

void bpe_free(memory_account *account, bpe *b) {
    memory_free(account, b->merges);
    memory_free(account, b->slots);
    *b = (bpe){0};
}
