// SPDX-License-Identifier: Apache-2.0
#include "engine/sequence.h"

#include <string.h>

static void enter(sequence_list *list, sequence *s) {
    list->count++;
    list->hidden += s->hidden;
    s->home = list;
}

void sequence_append(sequence_list *list, sequence *s) {
    s->next = NULL;
    s->previous = list->last;
    if (list->last) list->last->next = s;
    else list->first = s;
    list->last = s;
    enter(list, s);
}

void sequence_insert(sequence_list *list, sequence *s) {
    sequence *before = list->last;
    while (before && before->order > s->order) before = before->previous;
    if (before == list->last) {
        sequence_append(list, s);
        return;
    }
    s->previous = before;
    s->next = before ? before->next : list->first;
    s->next->previous = s;
    if (before) before->next = s;
    else list->first = s;
    enter(list, s);
}

void sequence_remove(sequence *s) {
    sequence_list *list = s->home;
    if (s->previous) s->previous->next = s->next;
    else list->first = s->next;
    if (s->next) s->next->previous = s->previous;
    else list->last = s->previous;
    s->next = s->previous = NULL;
    s->home = NULL;
    list->count--;
    list->hidden -= s->hidden;
}

static uint64_t tokens_capacity(uint32_t count, uint64_t capacity) {
    if (capacity == 0) capacity = 64;
    while (capacity < count) capacity *= 2;
    return capacity;
}

uint64_t sequence_bytes(uint32_t groups, uint32_t positions) {
    return sizeof(sequence) + tokens_capacity(positions, 0) * sizeof(int32_t) + cache_list_bytes(groups, positions);
}

uint64_t sequence_source_bytes(uint32_t groups, uint32_t positions) {
    return positions * sizeof(int32_t) + cache_list_bytes(groups, positions);
}

static puna_status reserve(memory_account *account, sequence *s, uint32_t count, puna_error *error) {
    if (count <= s->capacity) return PUNA_OK;
    uint64_t capacity = tokens_capacity(count, s->capacity);
    int32_t *tokens = memory_grow(account, s->tokens, capacity * sizeof *tokens);
    if (!tokens) return error_memory(error, "sequence", capacity * sizeof *tokens);
    s->tokens = tokens;
    s->capacity = (uint32_t)capacity;
    return PUNA_OK;
}

void sequence_cut(cache *c, sequence *s, uint32_t positions) {
    if (positions < s->draft_cached) s->draft_cached = positions;
    if (positions < s->remembered) s->remembered = positions / CACHE_PAGE * CACHE_PAGE;
    if (positions >= s->cached) return;
    positions = cache_rewound(c, positions);
    cache_truncate(c, &s->pages, positions);
    if (!cache_reaches(c, &s->pages, positions)) {
        cache_truncate(c, &s->pages, 0);
        positions = 0;
    }
    s->cached = positions;
}

puna_status sequence_set_tokens(memory_account *account, cache *c, sequence *s, const int32_t *ids, uint32_t count,
                                puna_error *error) {
    puna_status status = reserve(account, s, count, error);
    if (status != PUNA_OK) return status;
    uint32_t common = 0, most = s->cached < count - 1 ? s->cached : count - 1;
    while (common < most && s->tokens[common] == ids[common]) common++;
    memcpy(s->tokens, ids, count * sizeof *ids);
    s->count = count;
    sequence_cut(c, s, common);
    return PUNA_OK;
}

puna_status sequence_add_token(memory_account *account, sequence *s, int32_t id, puna_error *error) {
    puna_status status = reserve(account, s, s->count + 1, error);
    if (status == PUNA_OK) s->tokens[s->count++] = id;
    return status;
}

bool sequence_has_pages(const sequence *s) { return s->cached || s->source_cached; }

void sequence_end_generation(memory_account *account, sequence *s) {
    sampler_free(account, s->sampler);
    stream_free(account, s->stream);
    matcher_free(s->matcher);
    memory_free(account, s->allowed);
    memory_free(account, s->shown);
    lookup_free(account, s->lookup);
    s->sampler = NULL;
    s->stream = NULL;
    s->matcher = NULL;
    s->allowed = NULL;
    s->shown = NULL;
    s->lookup = NULL;
    s->asks = s->chosen = false;
    s->cancelled = false;
    s->rows = s->guesses = 0;
    s->output = UINT32_MAX;
}

void sequence_free(memory_account *account, cache *c, sequence *s) {
    if (!s) return;
    sequence_end_generation(account, s);
    cache_sequence_release(c, &s->pages);
    cache_sequence_release(c, &s->source_pages);
    memory_free(account, s->source);
    memory_free(account, s->tokens);
    memory_free(account, s);
}
