// SPDX-License-Identifier: Apache-2.0
#include "text/spm.h"

#include <string.h>

#include "text/heap.h"
#include "text/spm_pieces.h"

/* Words up to this many symbols are merged by looking at all pairs each time: less to set up than a heap. */
#define SHORT_WORD 32u
#define MEMO_SLOTS 16384u
#define DROPPED INT32_MIN
#define FROZEN (1 << 30) /* added to the id of a symbol that is never joined; ids are below 2^28 */

/* ---- Memory ---- */

static void release_symbols(memory_account *account, spm_scratch *x) {
    memory_free(account, x->starts);
    memory_free(account, x->symbols);
    memory_free(account, x->joined);
    memory_free(account, x->before);
    memory_free(account, x->after);
    memory_free(account, x->heap);
    x->starts = NULL, x->symbols = x->joined = x->before = x->after = NULL, x->heap = NULL;
    x->capacity = 0;
}

static bool reserve_symbols(memory_account *account, spm_scratch *x, size_t count) {
    size_t capacity = count < 64 ? 64 : count + count / 4;
    if (count <= x->capacity) return true;
    release_symbols(account, x);
    x->starts = memory_array(account, capacity + 1, sizeof *x->starts);
    x->symbols = memory_array(account, capacity, sizeof *x->symbols);
    x->joined = memory_array(account, capacity, sizeof *x->joined);
    x->before = memory_array(account, capacity, sizeof *x->before);
    x->after = memory_array(account, capacity, sizeof *x->after);
    /* A merge takes one pair out and puts at most two in: never more than twice the symbols at once. */
    x->heap = memory_array(account, capacity, 2 * sizeof *x->heap);
    if (!x->starts || !x->symbols || !x->joined || !x->before || !x->after || !x->heap) return false;
    x->capacity = capacity;
    return true;
}

static size_t count_characters(const char *word, size_t length) {
    size_t count = 0, used;
    for (size_t at = 0; at < length; at += used, count++) (void)spm_character(word + at, length - at, &used);
    return count;
}

/* Room for a word's symbols, at most one a character, and for its ids, at most one a byte. */
static bool reserve(const spm *s, memory_account *account, spm_scratch *x, const char *word, size_t length) {
    if (s->restores && !x->splits) {
        x->splits = memory_array(account, (size_t)s->vocabulary->size, sizeof *x->splits);
        if (!x->splits) return false;
    }
    if (length > x->id_capacity) {
        size_t capacity = length < 64 ? 64 : length + length / 4;
        memory_free(account, x->ids);
        x->id_capacity = 0;
        x->ids = memory_array(account, capacity, sizeof *x->ids);
        if (!x->ids) return false;
        x->id_capacity = capacity;
    }
    return length <= x->capacity || reserve_symbols(account, x, count_characters(word, length));
}

bool spm_remember(memory_account *account, spm_scratch *x) {
    if (!x->memo) x->memo = memory_array(account, MEMO_SLOTS, sizeof *x->memo);
    return x->memo != NULL;
}

void spm_release(memory_account *account, spm_scratch *x) {
    release_symbols(account, x);
    memory_free(account, x->memo);
    memory_free(account, x->splits);
    memory_free(account, x->ids);
    *x = (spm_scratch){0};
}

/* ---- Pairs ---- */

static bool is_frozen(int32_t symbol) { return symbol >= FROZEN; }

static int32_t find_joined(const spm *s, spm_scratch *x, const char *text, size_t length, int32_t left, int32_t right) {
    if (!x->memo || left < 0 || right < 0) return spm_find(s, text, length);
    uint64_t hash = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15u;
    spm_memo *memo = &x->memo[hash >> 40 & (MEMO_SLOTS - 1)];
    if (memo->left != left + 1 || memo->right != right + 1) {
        *memo = (spm_memo){left + 1, right + 1, spm_find(s, text, length)};
    }
    return memo->joined;
}

/* The piece that two neighbours make: word[start .. middle) and word[middle .. end). */
static int32_t join(const spm *s, spm_scratch *x, const char *word, int32_t left, int32_t right, size_t start,
                    size_t middle, size_t end) {
    if (end - start > s->longest || is_frozen(left) || is_frozen(right)) return SPM_NONE;
    int32_t id = find_joined(s, x, word + start, end - start, left, right);
    /* Which pair an unused piece falls into again is what SentencePiece noted last, be it ever joined or not. */
    if (s->restores && id >= 0 && s->vocabulary->tokens[id].kind == PUNA_TOKEN_UNUSED) {
        x->splits[id] = (uint32_t)(middle - start);
    }
    return id;
}

/* ---- Short words ---- */

static void join_at(const spm *s, spm_scratch *x, const char *word, size_t i) {
    x->joined[i] = join(s, x, word, x->symbols[i], x->symbols[i + 1], x->starts[i], x->starts[i + 1], x->starts[i + 2]);
}

static size_t merge_short(const spm *s, spm_scratch *x, const char *word, size_t count) {
    for (size_t i = 0; i + 1 < count; i++) join_at(s, x, word, i);
    while (count > 1) {
        size_t best = count;
        uint32_t best_order = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            if (x->joined[i] < 0) continue;
            uint32_t order = s->order[x->joined[i]];
            if (best == count || order < best_order) best = i, best_order = order;
        }
        if (best == count) break;
        x->symbols[best] = x->joined[best];
        count--;
        memmove(x->symbols + best + 1, x->symbols + best + 2, (count - best - 1) * sizeof *x->symbols);
        memmove(x->starts + best + 1, x->starts + best + 2, (count - best) * sizeof *x->starts);
        memmove(x->joined + best, x->joined + best + 1, (count - best - 1) * sizeof *x->joined);
        if (best > 0) join_at(s, x, word, best - 1);
        if (best + 1 < count) join_at(s, x, word, best);
    }
    return count;
}

/* ---- Long words: a heap of pairs, some of them out of date ---- */

static size_t end_of(const spm_scratch *x, int32_t symbol, size_t length) {
    return x->after[symbol] < 0 ? length : x->starts[x->after[symbol]];
}

/* Notes what a symbol and the next one make. */
static void note_pair(const spm *s, spm_scratch *x, const char *word, size_t length, int32_t left) {
    int32_t right = x->after[left];
    x->joined[left] = right < 0 ? SPM_NONE : join(s, x, word, x->symbols[left], x->symbols[right], x->starts[left],
                                                  x->starts[right], end_of(x, right, length));
}

static uint64_t item_of(const spm *s, const spm_scratch *x, int32_t left) {
    return (uint64_t)s->order[x->joined[left]] << 32 | (uint32_t)left;
}

static void push_pair(const spm *s, spm_scratch *x, const char *word, size_t length, int32_t left) {
    if (left < 0) return;
    note_pair(s, x, word, length, left);
    if (x->joined[left] >= 0) heap_push(x->heap, &x->heap_count, item_of(s, x, left));
}

static void fill_heap(const spm *s, spm_scratch *x, const char *word, size_t length, size_t count) {
    x->heap_count = 0;
    for (size_t i = 0; i < count; i++) {
        x->before[i] = (int32_t)i - 1;
        x->after[i] = i + 1 < count ? (int32_t)i + 1 : -1;
    }
    for (size_t i = 0; i < count; i++) {
        /* The next symbol's end is its neighbour's start, and both stand already. */
        note_pair(s, x, word, length, (int32_t)i);
        if (x->joined[i] >= 0) x->heap[x->heap_count++] = item_of(s, x, (int32_t)i);
    }
    heap_order(x->heap, x->heap_count);
}

/* A pair in the heap is out of date unless its left symbol still waits with the same order: if that is by chance a
   younger pair's, that one stands in the heap at the same place. */
static size_t merge_long(const spm *s, spm_scratch *x, const char *word, size_t length, size_t count) {
    fill_heap(s, x, word, length, count);
    while (x->heap_count) {
        uint64_t item = heap_pop(x->heap, &x->heap_count);
        int32_t left = (int32_t)(uint32_t)item;
        if (x->symbols[left] == DROPPED || x->joined[left] < 0 || item_of(s, x, left) != item) continue;
        int32_t right = x->after[left];
        x->symbols[left] = x->joined[left];
        x->symbols[right] = DROPPED;
        x->after[left] = x->after[right];
        if (x->after[right] >= 0) x->before[x->after[right]] = left;
        push_pair(s, x, word, length, x->before[left]);
        push_pair(s, x, word, length, left);
    }
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (x->symbols[i] == DROPPED) continue;
        x->symbols[kept] = x->symbols[i];
        x->starts[kept++] = x->starts[i];
    }
    x->starts[kept] = (uint32_t)length;
    return kept;
}

/* ---- Words ---- */

int32_t spm_user_defined(const spm *s, const char *text, size_t length, size_t *matched) {
    int32_t found = SPM_NONE;
    uint32_t node = 0;
    if (!s->any_user_defined) return SPM_NONE;
    for (size_t i = 0; i < length; i++) {
        node = trie_next(&s->user_defined, node, (uint8_t)text[i]);
        if (node == 0) break;
        if (s->user_defined.values[node] < 0) continue;
        found = s->user_defined.values[node];
        *matched = i + 1;
    }
    return found;
}

size_t spm_word(const spm *s, const char *text, size_t length) {
    size_t at, used, matched;
    if (s->restores) return length;
    uint32_t left = spm_character(text, length, &at), right;
    for (; at < length; at += used, left = right) {
        if (spm_user_defined(s, text + at, length - at, &matched) >= 0) break;
        right = spm_character(text + at, length - at, &used);
        if (!spm_neighbours(s, left, right)) break;
    }
    return at;
}

/* The word's characters and user-defined tokens. */
static size_t fill_symbols(const spm *s, spm_scratch *x, const char *word, size_t length) {
    size_t count = 0, used;
    for (size_t at = 0; at < length; at += used, count++) {
        /* A word that was cut has none. */
        int32_t id = s->restores ? spm_user_defined(s, word + at, length - at, &used) : SPM_NONE;
        x->starts[count] = (uint32_t)at;
        if (id >= 0) {
            x->symbols[count] = id | FROZEN;
        } else {
            (void)spm_character(word + at, length - at, &used);
            x->symbols[count] = used == 1 && (uint8_t)word[at] < 0x80
                ? s->ascii[(uint8_t)word[at]] : spm_find(s, word + at, used);
        }
    }
    x->starts[count] = (uint32_t)length;
    return count;
}

/* A symbol that is a piece gives its id; another one, and an unused piece that can't be taken apart, those of its
   bytes. */
static void put(const spm *s, spm_scratch *x, const char *word, size_t start, size_t end, int32_t id) {
    if (id >= 0 && s->vocabulary->tokens[id].kind != PUNA_TOKEN_UNUSED) {
        x->ids[x->id_count++] = id;
    } else if (s->has_bytes) {
        for (size_t at = start; at < end; at++) {
            int32_t byte = s->byte_ids[(uint8_t)word[at]];
            if (byte >= 0) x->ids[x->id_count++] = byte;
        }
    } else if (s->unknown >= 0) {
        x->ids[x->id_count++] = s->unknown;
    }
}

/* An unused piece falls into its parts again, and they into theirs. The heap, empty by now, has room for all of
   them. */
static void put_parts(const spm *s, spm_scratch *x, const char *word, size_t start, size_t end) {
    size_t depth = 0;
    x->heap[depth++] = (uint64_t)start << 32 | end;
    while (depth) {
        uint64_t part = x->heap[--depth];
        size_t from = (size_t)(part >> 32), to = (size_t)(part & UINT32_MAX);
        int32_t id = spm_find(s, word + from, to - from);
        uint32_t split = id >= 0 && s->vocabulary->tokens[id].kind == PUNA_TOKEN_UNUSED ? x->splits[id] : 0;
        if (split == 0) {
            put(s, x, word, from, to, id);
            continue;
        }
        x->heap[depth++] = (uint64_t)(from + split) << 32 | to;
        x->heap[depth++] = (uint64_t)from << 32 | (from + split);
    }
}

bool spm_merge(const spm *s, memory_account *account, spm_scratch *x, const char *word, size_t length) {
    if (!reserve(s, account, x, word, length)) return false;
    size_t count = fill_symbols(s, x, word, length);
    count = count <= SHORT_WORD ? merge_short(s, x, word, count) : merge_long(s, x, word, length, count);
    x->id_count = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t id = x->symbols[i];
        if (is_frozen(id)) x->ids[x->id_count++] = id & ~FROZEN;
        else if (s->restores) put_parts(s, x, word, x->starts[i], x->starts[i + 1]);
        else put(s, x, word, x->starts[i], x->starts[i + 1], id);
    }
    return true;
}
