// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cache/pages.h"

puna_status cache_create(memory_account *account, const cache_group *groups, uint32_t count, uint64_t budget,
                         cache **out, puna_error *error) {
    cache *c = memory_new(account, sizeof *c);
    cache_pool *pools = memory_array(account, count, sizeof *pools);
    if (!c || !pools) {
        memory_free(account, c);
        memory_free(account, pools);
        return error_memory(error, "cache", sizeof *c + count * sizeof *pools);
    }
    *c = (cache){.account = account, .pools = pools, .groups = count, .budget = budget};
    for (uint32_t g = 0; g < count; g++)
        pools[g] = (cache_pool){.page_bytes = groups[g].page_bytes, .window = groups[g].window, .most = groups[g].most,
                                .every = groups[g].every, .source = groups[g].source};
    *out = c;
    return PUNA_OK;
}

void cache_destroy(cache *c) {
    if (!c) return;
    prefix_clear(c);
    for (uint32_t g = 0; g < c->groups; g++) pages_free(c, &c->pools[g]);
    memory_account *account = c->account;
    memory_free(account, c->pools);
    memory_free(account, c);
}

uint32_t cache_next(const cache *c, bool source, uint32_t g) {
    while (g < c->groups && c->pools[g].source != source) g++;
    return g;
}

/* The groups that a sequence has pages of. */
#define EACH_GROUP(c, is_source, g) \
    (uint32_t g = cache_next(c, is_source, 0); g < (c)->groups; g = cache_next(c, is_source, g + 1))

static puna_status init(cache *c, cache_sequence *s, bool source, puna_error *error) {
    s->groups = c->groups;
    s->source = source;
    s->lists = memory_array(c->account, c->groups, sizeof *s->lists);
    s->data = memory_array(c->account, c->groups, sizeof *s->data);
    if (s->lists && s->data) return PUNA_OK;
    memory_free(c->account, s->lists);
    memory_free(c->account, s->data);
    memset(s, 0, sizeof *s);
    return error_memory(error, "sequence", c->groups * sizeof(cache_list));
}

puna_status cache_sequence_init(cache *c, cache_sequence *s, puna_error *error) { return init(c, s, false, error); }

puna_status cache_source_init(cache *c, cache_sequence *s, puna_error *error) { return init(c, s, true, error); }

static void list_cut(cache *c, uint32_t group, cache_list *l, uint32_t count) {
    while (l->count > count)
        if (l->pages[--l->count]) page_give(c, group, l->pages[l->count]);
    if (l->from > l->count) l->from = l->count;
}

void cache_sequence_release(cache *c, cache_sequence *s) {
    for (uint32_t g = 0; g < s->groups; g++) {
        list_cut(c, g, &s->lists[g], 0);
        memory_free(c->account, s->lists[g].data);
        memory_free(c->account, s->lists[g].pages);
    }
    memory_free(c->account, s->lists);
    memory_free(c->account, s->data);
    memset(s, 0, sizeof *s);
}

static uint32_t list_capacity(uint32_t count, uint32_t capacity) {
    if (capacity == 0) capacity = 8;
    while (capacity < count) capacity *= 2;
    return capacity;
}

bool cache_list_reserve(cache *c, cache_sequence *s, uint32_t group, uint32_t count) {
    cache_list *l = &s->lists[group];
    if (count <= l->capacity) return true;
    uint32_t capacity = list_capacity(count, l->capacity);
    uint8_t **data = memory_grow(c->account, l->data, capacity * sizeof *data);
    if (!data) return false;
    l->data = data;
    s->data[group] = data;
    cache_page **pages = memory_grow(c->account, l->pages, capacity * sizeof *pages);
    if (!pages) return false;
    l->pages = pages;
    l->capacity = capacity;
    return true;
}

static uint32_t pages_for(uint32_t positions) { return positions / CACHE_PAGE + (positions % CACHE_PAGE != 0); }

/* Shared pages from `from` on become the sequence's own. */
static puna_status list_own(cache *c, uint32_t group, cache_list *l, uint32_t from, puna_error *error) {
    for (uint32_t i = from; i < l->count; i++) {
        if (!l->pages[i] || (l->pages[i]->lists == 1 && !l->pages[i]->indexed)) continue;
        cache_page *copy = page_take(c, group, error);
        if (!copy) return PUNA_OUT_OF_MEMORY;
        memcpy(copy->data, l->data[i], c->pools[group].page_bytes);
        page_give(c, group, l->pages[i]);
        l->pages[i] = copy;
        l->data[i] = copy->data;
    }
    return PUNA_OK;
}

/* The last page is needed, those before it where others may want to go on from them. */
static puna_status list_extend(cache *c, cache_sequence *s, uint32_t group, uint32_t count, puna_error *error) {
    cache_list *l = &s->lists[group];
    if (!cache_list_reserve(c, s, group, count)) return error_memory(error, "sequence", count * sizeof(void *));
    while (l->count < count) {
        bool hole = l->count + 1 < count && !cache_keeps(&c->pools[group], l->count);
        cache_page *page = hole ? NULL : page_take(c, group, error);
        if (!page && !hole) return PUNA_OUT_OF_MEMORY;
        l->pages[l->count] = page;
        l->data[l->count++] = page ? page->data : NULL;
    }
    return PUNA_OK;
}

puna_status cache_extend(cache *c, cache_sequence *s, uint32_t positions, uint32_t writable, puna_error *error) {
    puna_status status = PUNA_OK;
    uint32_t first = cache_next(c, s->source, 0), before = first < c->groups ? s->lists[first].count : 0;
    for EACH_GROUP(c, s->source, g) {
        if (status != PUNA_OK) break;
        status = list_own(c, g, &s->lists[g], writable / CACHE_PAGE, error);
        if (status == PUNA_OK) status = list_extend(c, s, g, pages_for(positions), error);
    }
    if (status != PUNA_OK)
        for EACH_GROUP(c, s->source, g) list_cut(c, g, &s->lists[g], before);
    return status;
}

void cache_truncate(cache *c, cache_sequence *s, uint32_t positions) {
    for EACH_GROUP(c, s->source, g) list_cut(c, g, &s->lists[g], pages_for(positions));
}

/* ---- windows ---- */

uint32_t cache_first_page(const cache_pool *pool, uint32_t position) {
    return pool->window && position >= pool->window ? (position + 1 - pool->window) / CACHE_PAGE : 0;
}

bool cache_reaches(const cache *c, const cache_sequence *s, uint32_t positions) {
    for EACH_GROUP(c, s->source, g) {
        const cache_list *l = &s->lists[g];
        if (l->count < pages_for(positions)) return false;
        uint32_t first = cache_first_page(&c->pools[g], positions);
        if (l->from > first) return false;
        if (positions && c->pools[g].every && !l->pages[first]) return false;
    }
    return true;
}

uint32_t cache_rewound(const cache *c, uint32_t positions) {
    for (uint32_t g = 0; g < c->groups; g++)
        if (c->pools[g].every) return positions / CACHE_PAGE * CACHE_PAGE;
    return positions;
}

uint32_t cache_first(const cache *c, uint32_t group, uint32_t positions) {
    return cache_first_page(&c->pools[group], positions) * CACHE_PAGE;
}

uint64_t cache_seen_bytes(const cache *c, uint32_t positions) {
    uint64_t bytes = 0;
    for (uint32_t g = 0; g < c->groups; g++)
        bytes += (uint64_t)(pages_for(positions) - pages_for(cache_first(c, g, positions))) * c->pools[g].page_bytes;
    return bytes;
}

puna_status cache_place(cache *c, cache_sequence *s, uint32_t positions, puna_error *error) {
    puna_status status = PUNA_OK;
    for EACH_GROUP(c, s->source, g) {
        if (status != PUNA_OK) break;
        cache_list *l = &s->lists[g];
        uint32_t holes = cache_first(c, g, positions) / CACHE_PAGE;
        if (!cache_list_reserve(c, s, g, pages_for(positions))) {
            status = error_memory(error, "sequence", pages_for(positions) * sizeof(void *));
            break;
        }
        for (l->count = 0; l->count < holes; l->count++) {
            l->pages[l->count] = NULL;
            l->data[l->count] = NULL;
        }
        l->from = holes;
        status = list_extend(c, s, g, pages_for(positions), error);
    }
    if (status != PUNA_OK) cache_truncate(c, s, 0);
    return status;
}

void cache_pass(cache *c, cache_sequence *s, uint32_t positions) {
    for EACH_GROUP(c, s->source, g) {
        cache_list *l = &s->lists[g];
        uint32_t end = cache_first_page(&c->pools[g], positions);
        for (; l->from < end && l->from < l->count; l->from++) {
            if (l->pages[l->from]) page_give(c, g, l->pages[l->from]);
            l->pages[l->from] = NULL;
            l->data[l->from] = NULL;
        }
    }
}

puna_status cache_fork(cache *c, const cache_sequence *from, cache_sequence *to, uint32_t positions,
                       puna_error *error) {
    for EACH_GROUP(c, from->source, g) {
        const cache_list *l = &from->lists[g];
        uint32_t count = pages_for(positions) < l->count ? pages_for(positions) : l->count;
        if (!cache_list_reserve(c, to, g, count)) {
            cache_truncate(c, to, 0);
            return error_memory(error, "sequence", count * sizeof(void *));
        }
        for (uint32_t i = 0; i < count; i++) {
            if (l->pages[i]) page_hold(c, g, l->pages[i]);
            to->lists[g].pages[i] = l->pages[i];
            to->lists[g].data[i] = l->data[i];
        }
        to->lists[g].count = count;
        to->lists[g].from = l->from < count ? l->from : count;
    }
    return PUNA_OK;
}

/* ---- figures ---- */

uint64_t cache_list_bytes(uint32_t groups, uint32_t positions) {
    uint64_t entries = list_capacity(pages_for(positions), 0);
    uint64_t list = sizeof(cache_list) + sizeof(uint8_t *const *)
        + entries * (sizeof(uint8_t *) + sizeof(cache_page *));
    return groups * list;
}

uint64_t cache_budget(const cache *c) { return c->budget; }

uint64_t cache_used(const cache *c) { return c->used; }

uint64_t cache_held(const cache *c) { return c->held; }

uint64_t cache_clock(cache *c) { return ++c->clock; }

static uint64_t pages_of(const cache_pool *p, uint32_t positions) {
    uint32_t pages = pages_for(positions);
    return p->most && p->most < pages ? p->most : pages;
}

uint64_t cache_bytes_for(const cache *c, uint32_t positions) {
    uint64_t bytes = 0;
    for (uint32_t g = 0; g < c->groups; g++) bytes += pages_of(&c->pools[g], positions) * c->pools[g].page_bytes;
    return bytes;
}

uint64_t cache_bytes_of(const cache *c, bool source, uint32_t positions) {
    uint64_t bytes = 0;
    for EACH_GROUP(c, source, g) bytes += pages_of(&c->pools[g], positions) * c->pools[g].page_bytes;
    return bytes;
}

uint64_t cache_missing(const cache *c, const cache_sequence *s, uint32_t positions) {
    uint64_t bytes = 0;
    for EACH_GROUP(c, s->source, g) {
        uint64_t wanted = pages_of(&c->pools[g], positions), have = s->lists[g].count - s->lists[g].from;
        if (wanted > have) bytes += (wanted - have) * c->pools[g].page_bytes;
    }
    return bytes;
}

uint64_t cache_mark(cache *c) { return ++c->marks; }

uint64_t cache_count(cache *c, const cache_sequence *s, uint64_t mark) {
    uint64_t bytes = 0;
    for EACH_GROUP(c, s->source, g) {
        for (uint32_t i = s->lists[g].from; i < s->lists[g].count; i++) {
            cache_page *page = s->lists[g].pages[i];
            if (!page || page->mark == mark) continue;
            page->mark = mark;
            bytes += c->pools[g].page_bytes;
        }
    }
    return bytes;
}
