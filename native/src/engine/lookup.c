// SPDX-License-Identifier: Apache-2.0
#include "engine/lookup.h"

#include <string.h>

#define FIRST 64u
#define MEMORY 32.0f /* guesses that a share remembers */
#define BELIEF 4.0f  /* guesses that a share begins with */

/* Shortest matches of each share, and what is believed of it before anything was seen. */
static const struct { uint32_t from; float share; } lengths[LOOKUP_LENGTHS] = {
    {2, 0.2f}, {3, 0.3f}, {4, 0.4f}, {6, 0.55f}, {10, 0.7f}, {18, 0.85f}};

lookup *lookup_new(memory_account *account) {
    lookup *l = memory_new(account, sizeof *l);
    for (uint32_t i = 0; l && i < LOOKUP_LENGTHS; i++) {
        l->shares[i].guesses = BELIEF;
        l->shares[i].right = BELIEF * lengths[i].share;
    }
    return l;
}

void lookup_free(memory_account *account, lookup *l) {
    if (!l) return;
    memory_free(account, l->heads);
    memory_free(account, l->links);
    memory_free(account, l);
}

static uint64_t capacity_for(uint32_t count) {
    uint64_t capacity = FIRST;
    while (capacity < count) capacity *= 2;
    return capacity;
}

uint64_t lookup_bytes(uint32_t positions) { return sizeof(lookup) + 2 * capacity_for(positions) * sizeof(uint32_t); }

void lookup_forget(lookup *l) {
    l->count = l->match = l->length = 0;
    if (l->heads) memset(l->heads, 0, l->capacity * sizeof *l->heads);
}

static bool reserve(memory_account *account, lookup *l, uint32_t count) {
    if (count <= l->capacity) return true;
    uint64_t capacity = capacity_for(count);
    uint32_t *heads = memory_array(account, capacity, sizeof *heads), *links = NULL;
    if (heads) links = memory_array(account, capacity, sizeof *links);
    if (!links) {
        memory_free(account, heads);
        return false;
    }
    memory_free(account, l->heads);
    memory_free(account, l->links);
    l->heads = heads;
    l->links = links;
    l->capacity = (uint32_t)capacity;
    return true;
}

static uint32_t *head(const lookup *l, const int32_t *tokens, uint32_t place) {
    uint64_t two = (uint64_t)(uint32_t)tokens[place - 2] << 32 | (uint32_t)tokens[place - 1];
    return &l->heads[(two * 0x9E3779B97F4A7C15u >> 32) & (l->capacity - 1)];
}

/* Enters the place behind the first `place` tokens. */
static void enter(lookup *l, const int32_t *tokens, uint32_t place) {
    if (place < 2) return;
    uint32_t *last = head(l, tokens, place);
    l->links[place - 1] = *last;
    *last = place;
}

static uint32_t share_of(uint32_t length) {
    uint32_t i = LOOKUP_LENGTHS - 1;
    while (i > 0 && length < lengths[i].from) i--;
    return i;
}

static void learn(lookup *l, bool right) {
    struct lookup_share *s = &l->shares[share_of(l->length)];
    if (s->guesses >= MEMORY) {
        s->right *= (MEMORY - 1) / MEMORY;
        s->guesses = MEMORY - 1;
    }
    s->right += right ? 1 : 0;
    s->guesses += 1;
}

/* How many tokens before two places are the same, `b` being the later one. */
static uint32_t common(const int32_t *tokens, uint32_t a, uint32_t b) {
    uint32_t length = 0;
    while (length < LOOKUP_LONG && length < a && tokens[a - 1 - length] == tokens[b - 1 - length]) length++;
    return length;
}

/* The best place for the first `count` tokens; that one is not entered yet. */
static void search(lookup *l, const int32_t *tokens, uint32_t count) {
    if (count < 2 || l->length >= LOOKUP_LONG) return;
    uint32_t place = *head(l, tokens, count), best = 0, longest = 1;
    for (uint32_t i = 0; i < LOOKUP_PLACES && place; i++, place = l->links[place - 1]) {
        uint32_t length = common(tokens, place, count);
        if (length <= longest) continue;
        longest = length;
        best = place;
    }
    if (!best || longest <= l->length) return;
    l->match = best;
    l->length = longest;
}

static void add(lookup *l, const int32_t *tokens) {
    uint32_t at = l->count;
    if (l->match) {
        bool right = tokens[l->match] == tokens[at];
        learn(l, right);
        l->match = right ? l->match + 1 : 0;
        l->length = right ? l->length + 1 : 0;
    }
    l->count = at + 1;
    search(l, tokens, l->count);
    enter(l, tokens, l->count);
}

bool lookup_read(memory_account *account, lookup *l, const int32_t *tokens, uint32_t count) {
    if (count > l->capacity) {
        if (!reserve(account, l, count)) {
            lookup_forget(l);
            return false;
        }
        for (uint32_t place = 2; place <= l->count; place++) enter(l, tokens, place);
    }
    while (l->count < count) add(l, tokens);
    return true;
}

float lookup_chance(const lookup *l, uint32_t index) {
    if (!l->match) return 0;
    const struct lookup_share *s = &l->shares[share_of(l->length + index)];
    return s->right / s->guesses;
}

void lookup_propose(const lookup *l, const int32_t *tokens, uint32_t count, int32_t *proposal) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = l->match + i;
        proposal[i] = at < l->count ? tokens[at] : proposal[at - l->count];
    }
}
