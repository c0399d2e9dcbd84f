// SPDX-License-Identifier: Apache-2.0
/*
 * The cache: keys and values in pages of 64 positions, for all sequences of an engine.
 *
 * A sequence holds, for each cache group, a list of pages in order of position. Pages are taken on demand within a
 * budget of bytes, counted by reference (a fork shares them; who writes into a shared page gets a copy first), and
 * given back to the system a slab at a time.
 *
 * Invariant: the references of a page are the number of lists that hold it; `used` is the bytes of all pages with at
 * least one reference; slabs without a used page are freed at once.
 *
 * One thread at a time (the engine's).
 */
#ifndef PUNA_CACHE_CACHE_H
#define PUNA_CACHE_CACHE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"

#define CACHE_PAGE 64u

typedef struct cache cache;
typedef struct cache_page cache_page;

typedef struct cache_list {
    uint8_t **data;     /* [count]: what the device reads */
    cache_page **pages; /* [count] */
    uint32_t count, capacity;
} cache_list;

/* One sequence's pages. Zero-initialised by cache_sequence_init. */
typedef struct cache_sequence {
    cache_list *lists;               /* [groups] */
    uint8_t *const **data;           /* [groups]: lists[g].data, as the device wants it */
    uint32_t groups;
} cache_sequence;

/* page_bytes[g]: of one page of group g. */
puna_status cache_create(memory_account *account, const size_t *page_bytes, uint32_t groups, uint64_t budget,
                         cache **out, puna_error *error);
void cache_destroy(cache *c); /* all sequences released before; NULL is allowed */

puna_status cache_sequence_init(cache *c, cache_sequence *s, puna_error *error);
void cache_sequence_release(cache *c, cache_sequence *s); /* gives back its pages and itself */

/* Makes room for `positions` in all, of which those from `writable` on will be written: shared pages from there on are
   copied. PUNA_OUT_OF_MEMORY (the budget or the system): the list is then as it was, but for copies made. */
puna_status cache_extend(cache *c, cache_sequence *s, uint32_t positions, uint32_t writable, puna_error *error);

/* Keeps the pages that hold positions below `positions`. */
void cache_truncate(cache *c, cache_sequence *s, uint32_t positions);

/* `to`, freshly initialised, shares the pages of `from`. */
puna_status cache_fork(cache *c, const cache_sequence *from, cache_sequence *to, puna_error *error);

uint64_t cache_budget(const cache *c);
uint64_t cache_used(const cache *c);                      /* bytes of pages with a reference */
uint64_t cache_bytes_for(const cache *c, uint32_t positions); /* of a sequence that long, nothing shared */

/* What is accounted beside the pages themselves: for a whole budget of pages, and for a sequence's lists of them. */
uint64_t cache_tables(const size_t *page_bytes, uint32_t groups, uint64_t budget);
uint64_t cache_list_bytes(uint32_t groups, uint32_t positions);

#endif
