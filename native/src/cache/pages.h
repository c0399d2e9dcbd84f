// SPDX-License-Identifier: Apache-2.0
/*
 * Pages of one size class each (a cache group), taken from slabs within a budget of bytes. Inside src/cache alone.
 *
 * Invariants: a page is free where no list holds it and the prefix index doesn't either; `used` is the bytes of all
 * others, `held` of those that lists hold; a slab without a used page is given back to the system at once.
 */
#ifndef PUNA_CACHE_PAGES_H
#define PUNA_CACHE_PAGES_H

#include "cache/cache.h"

typedef struct cache_slab cache_slab;

struct cache_page {
    uint8_t *data;
    cache_slab *home;
    uint32_t lists; /* that hold it */
    bool indexed;   /* a node of the prefix index holds it */
    uint64_t mark;  /* the last count that saw it (cache_count) */
    cache_page *next_free;
};

typedef struct cache_pool {
    size_t page_bytes;
    uint32_t window, most, every; /* as in cache_group */
    bool source;
    cache_slab *slabs;
    cache_page *free; /* in slabs with at least one used page, or just made */
} cache_pool;

typedef struct prefix_index {
    struct prefix_node **buckets; /* [bucket_count], a power of two, or none yet */
    uint32_t bucket_count, count;
    struct prefix_node *newest, *oldest; /* by use; a node is never older than those below it */
} prefix_index;

struct cache {
    memory_account *account;
    cache_pool *pools;
    uint32_t groups;
    uint64_t budget, used, held;
    uint64_t clock, marks;
    prefix_index index;
};

/* A page for one list, or NULL with the error filled. */
cache_page *page_take(cache *c, uint32_t group, puna_error *error);
void page_hold(cache *c, uint32_t group, cache_page *page);  /* one more list */
void page_give(cache *c, uint32_t group, cache_page *page);  /* one list less */
void page_index(cache *c, uint32_t group, cache_page *page, bool indexed);
void pages_free(cache *c, cache_pool *pool);                 /* all slabs, at the cache's end */

/* prefix.c */
void prefix_clear(cache *c);
uint64_t prefix_bytes(uint32_t groups, uint64_t nodes); /* that many pages known, of each group */

/* Whether a page that is full is kept: of states, not each one is. */
static inline bool cache_keeps(const cache_pool *pool, uint32_t page) {
    return pool->every <= 1 || (page + 1) % pool->every == 0;
}

/* The first page that a query at `position` sees. */
uint32_t cache_first_page(const cache_pool *pool, uint32_t position);
/* The next group from g on that the sequence has pages of; c->groups: none. */
uint32_t cache_next(const cache *c, bool source, uint32_t g);
bool cache_list_reserve(cache *c, cache_sequence *s, uint32_t group, uint32_t count);

#endif
