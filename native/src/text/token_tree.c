// SPDX-License-Identifier: Apache-2.0
#include "text/token_tree.h"

#include <string.h>

/* Longer tokens are left out: no vocabulary has a use for them, and depths fit 16 bits. */
#define MAX_TOKEN_BYTES 4096u

static bool stands_for_text(const vocabulary_token *t) {
    bool kind = t->kind == PUNA_TOKEN_NORMAL || t->kind == PUNA_TOKEN_USER_DEFINED || t->kind == PUNA_TOKEN_BYTE;
    return kind && !t->ends_generation && t->bytes_length > 0 && t->bytes_length <= MAX_TOKEN_BYTES;
}

/* By bytes, then by id. */
static int compare(const vocabulary *v, int32_t a, int32_t b) {
    uint32_t la = v->tokens[a].bytes_length, lb = v->tokens[b].bytes_length;
    int order = memcmp(vocabulary_bytes(v, a), vocabulary_bytes(v, b), la < lb ? la : lb);
    if (order) return order;
    if (la != lb) return la < lb ? -1 : 1;
    return a < b ? -1 : 1;
}

/* Merging runs from below: no recursion, and no vocabulary makes it slow. */
static int32_t *sort(const vocabulary *v, int32_t *from, int32_t *to, uint32_t count) {
    for (uint64_t run = 1; run < count; run *= 2) {
        for (uint64_t start = 0; start < count; start += 2 * run) {
            uint64_t middle = start + run < count ? start + run : count;
            uint64_t end = start + 2 * run < count ? start + 2 * run : count;
            for (uint64_t a = start, b = middle, at = start; at < end; at++) {
                bool left = a < middle && (b >= end || compare(v, from[a], from[b]) < 0);
                to[at] = from[left ? a++ : b++];
            }
        }
        int32_t *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

static uint32_t common(const vocabulary *v, int32_t a, int32_t b) {
    uint32_t la = v->tokens[a].bytes_length, lb = v->tokens[b].bytes_length, i = 0;
    const char *x = vocabulary_bytes(v, a), *y = vocabulary_bytes(v, b);
    while (i < la && i < lb && x[i] == y[i]) i++;
    return i;
}

/* Nodes that the sorted tokens make; with `t->nodes` they are written, too. `open`: the nodes on the way to the
   last. */
static uint32_t lay_out(token_tree *t, const vocabulary *v, const int32_t *ids, uint32_t *open) {
    uint32_t count = 0, depth = 0;
    for (uint32_t i = 0; i < t->id_count; i++) {
        uint32_t shared = i ? common(v, ids[i - 1], ids[i]) : 0, length = v->tokens[ids[i]].bytes_length;
        const uint8_t *bytes = (const uint8_t *)vocabulary_bytes(v, ids[i]);
        for (; depth > shared; depth--)
            if (t->nodes) t->nodes[open[depth]].skip = count;
        for (; depth < length; count++) {
            if (t->nodes) t->nodes[count] = (token_tree_node){0, i, (uint16_t)(depth + 1), bytes[depth]};
            open[++depth] = count;
        }
        if (length > t->depth) t->depth = length;
    }
    for (; t->nodes && depth > 0; depth--) t->nodes[open[depth]].skip = count;
    return count;
}

/* A node's tokens begin where those of the node before end. A new node's tokens so far begin at the token that made it,
   which ends at the last node of its chain: the ones before hold none. */
static void share_out(token_tree *t, const vocabulary *v) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < t->node_count; i++) {
        uint32_t begin = t->nodes[i].first;
        bool ends = v->tokens[t->ids[begin]].bytes_length == t->nodes[i].depth;
        t->nodes[i].first = at;
        if (!ends) continue;
        for (at = begin + 1; at < t->id_count; at++) /* tokens of the same bytes */
            if (v->tokens[t->ids[at]].bytes_length != t->nodes[i].depth ||
                common(v, t->ids[begin], t->ids[at]) != t->nodes[i].depth) break;
    }
    t->nodes[t->node_count].first = t->id_count;
}

static bool gather(token_tree *t, const vocabulary *v) {
    for (int32_t id = 0; id < v->size; id++) {
        t->id_count += stands_for_text(&v->tokens[id]);
        t->end_count += v->tokens[id].ends_generation;
    }
    int32_t *ids = memory_array(&t->account, t->id_count, sizeof *ids);
    int32_t *other = memory_array(&t->account, t->id_count, sizeof *ids);
    t->ends = memory_array(&t->account, t->end_count, sizeof *t->ends);
    if (ids && other && t->ends) {
        uint32_t at = 0, end = 0;
        for (int32_t id = 0; id < v->size; id++) {
            if (v->tokens[id].ends_generation) t->ends[end++] = id;
            if (stands_for_text(&v->tokens[id])) ids[at++] = id;
        }
        t->ids = sort(v, ids, other, t->id_count);
    }
    if (t->ids != ids) memory_free(&t->account, ids);
    if (t->ids != other) memory_free(&t->account, other);
    return t->ids != NULL;
}

static bool build(token_tree *t, const vocabulary *v) {
    if (!gather(t, v)) return false;
    uint32_t *open = memory_array(&t->account, MAX_TOKEN_BYTES + 1, sizeof *open);
    if (!open) return false;
    t->node_count = lay_out(t, v, t->ids, open);
    t->nodes = memory_array(&t->account, (size_t)t->node_count + 1, sizeof *t->nodes);
    if (t->nodes) {
        lay_out(t, v, t->ids, open);
        share_out(t, v);
    }
    memory_free(&t->account, open);
    return t->nodes != NULL;
}

puna_status token_tree_create(const vocabulary *v, token_tree **out, puna_error *error) {
    memory_account account;
    memory_account_init(&account);
    *out = NULL;
    token_tree *t = memory_new(&account, sizeof *t);
    if (!t) return error_memory(error, "a tree of tokens", sizeof *t);
    memory_account_init(&t->account);
    atomic_store(&t->account.used, memory_used(&account)); /* the object accounts for itself, too */
    atomic_init(&t->references, 1);
    t->vocabulary = v->size;
    if (!build(t, v)) {
        token_tree_release(t);
        return error_memory(error, "a tree of tokens", 16 * (uint64_t)v->size);
    }
    *out = t;
    return PUNA_OK;
}

void token_tree_hold(token_tree *t) { atomic_fetch_add_explicit(&t->references, 1, memory_order_relaxed); }

void token_tree_release(token_tree *t) {
    if (!t || atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) != 1) return;
    memory_free(&t->account, t->nodes);
    memory_free(&t->account, t->ids);
    memory_free(&t->account, t->ends);
    memory_account account;
    memory_account_init(&account);
    atomic_store(&account.used, memory_used(&t->account));
    memory_free(&account, t);
}
