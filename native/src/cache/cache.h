// SPDX-License-Identifier: Apache-2.0
/*
 * The cache: keys and values in pages of 64 positions, for all sequences of an engine.
 *
 * A sequence holds, for each cache group, a list of pages in order of position; where a group has a window, pages that
 * no later query sees are given up and leave holes (NULL). Pages are taken on demand within a budget of bytes, and
 * counted by reference: forks share them, and who writes into a shared page gets a copy first.
 *
 * A group of states (recurrent layers) has pages that hold what became of all positions up to the last one computed.
 * Its window is 2, since who goes on needs the page before, and that at its end: what was computed of a sequence can
 * only serve as far as it goes, or up to a page's end (cache_rewound). States that lie behind each other are kept every
 * so many pages, where each is large; holes are between them.
 *
 *     cache.c    sequences: lists of pages that grow, shrink and fork
 *     prefix.c   full pages by the tokens that they were computed from: found again by any sequence
 *     pages.c    pages in slabs, the budget
 *
 * Invariant: a page in the prefix index is full and never written again (its writers copy), so what it holds is a
 * function of the tokens up to its end alone.
 *
 * Encoder-decoders: what an answer attends to in its source lies in groups of their own, by the source's positions. The
 * source's cache_sequence has pages of those groups alone, the answer's of the others; all share the budget.
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

typedef struct cache_group {
    size_t page_bytes;
    uint32_t window; /* positions that a query sees, its own included; 0: all */
    bool source;     /* pages of a source, which a cache_sequence of its own holds */
    uint32_t most;   /* pages that one sequence holds at a time, for cache_bytes_for; 0: all of its positions */
    uint32_t every;  /* of states: pages between those that are kept; 0: no states */
} cache_group;

typedef struct cache_list {
    uint8_t **data;     /* [count]: what the device reads; NULL: a hole */
    cache_page **pages; /* [count] */
    uint32_t count, capacity;
    uint32_t from;      /* all entries before it are holes */
} cache_list;

/* One sequence's pages. Zero-initialised by cache_sequence_init. */
typedef struct cache_sequence {
    cache_list *lists;               /* [groups] */
    uint8_t *const **data;           /* [groups]: lists[g].data, as the device wants it */
    uint32_t groups;
    bool source;                     /* it has pages of the groups that are a source's, else of the others alone */
} cache_sequence;

puna_status cache_create(memory_account *account, const cache_group *groups, uint32_t count, uint64_t budget,
                         cache **out, puna_error *error);
void cache_destroy(cache *c); /* all sequences released before; NULL is allowed */

puna_status cache_sequence_init(cache *c, cache_sequence *s, puna_error *error);
puna_status cache_source_init(cache *c, cache_sequence *s, puna_error *error); /* of a source */
void cache_sequence_release(cache *c, cache_sequence *s); /* gives back its pages and itself */

/* Makes room for `positions` in all, of which those from `writable` on will be written: shared pages from there on are
   copied. PUNA_OUT_OF_MEMORY (the budget or the system): the list is then as it was, but for copies made. */
puna_status cache_extend(cache *c, cache_sequence *s, uint32_t positions, uint32_t writable, puna_error *error);

/* Pages for an empty sequence that will be given `positions` from elsewhere: those that a query at `positions` sees,
   before them holes. PUNA_OUT_OF_MEMORY: it is empty still. */
puna_status cache_place(cache *c, cache_sequence *s, uint32_t positions, puna_error *error);

/* The first position that such a query finds in a group, the beginning of a page; bytes of the pages from there. */
uint32_t cache_first(const cache *c, uint32_t group, uint32_t positions);
uint64_t cache_seen_bytes(const cache *c, uint32_t positions);

/* How many of the first `positions` of a sequence that was computed further can be gone on from: all of them, or where
   there are states, whole pages. */
uint32_t cache_rewound(const cache *c, uint32_t positions);

/* Keeps the pages that hold positions below `positions`. */
void cache_truncate(cache *c, cache_sequence *s, uint32_t positions);

/* Whether a query at `positions` finds all that it sees. */
bool cache_reaches(const cache *c, const cache_sequence *s, uint32_t positions);

/* Gives up what no query at `positions` or later sees. */
void cache_pass(cache *c, cache_sequence *s, uint32_t positions);

/* `to`, freshly initialised, shares the pages of `from` that hold positions below `positions`. */
puna_status cache_fork(cache *c, const cache_sequence *from, cache_sequence *to, uint32_t positions,
                       puna_error *error);

uint64_t cache_budget(const cache *c);
uint64_t cache_used(const cache *c); /* bytes of pages that sequences or the index hold */
uint64_t cache_held(const cache *c); /* bytes of pages that sequences hold */
uint64_t cache_bytes_for(const cache *c, uint32_t positions); /* of a sequence that long (and as long a source), nothing
                                                                 shared */
uint64_t cache_bytes_of(const cache *c, bool source, uint32_t positions); /* of either alone */
uint64_t cache_missing(const cache *c, const cache_sequence *s, uint32_t positions); /* of that, what it has not yet */

/* Bytes of the sequence's pages that no cache_count of this mark has seen; marks come from cache_mark. */
uint64_t cache_mark(cache *c);
uint64_t cache_count(cache *c, const cache_sequence *s, uint64_t mark);

/* A time that every call and every use of the index moves on, to compare uses with. */
uint64_t cache_clock(cache *c);

/* ---- prefix.c: `space` keeps apart what other weights computed (adapters); 0 is the model alone ---- */

/* Remembers the full pages among the first `count` positions of s, which were computed from `tokens`. Pages that are
   known already are exchanged for the known ones: equal bits, held once. Without memory nothing is remembered. */
void cache_remember(cache *c, uint64_t space, const int32_t *tokens, uint32_t count, cache_sequence *s);

/* Looks for a longer beginning of `tokens` than the `have` positions that s holds, at most `most` long; s holds it
   then. Returns the positions held, `have` where there is nothing better. */
uint32_t cache_recall(cache *c, uint64_t space, const int32_t *tokens, uint32_t have, uint32_t most, cache_sequence *s);

/* The time at which the page that cache_forget would take was last used; UINT64_MAX: there is none. */
uint64_t cache_oldest(const cache *c);

/* Forgets the page longest unused, of those that nobody but the index holds. `held`: of all, where those are used up,
   so that their holders may write without a copy. False: there is none. */
bool cache_forget(cache *c, bool held);

/* What is accounted beside the pages themselves: for a whole budget of pages, and for a sequence's lists of them. */
uint64_t cache_tables(const size_t *page_bytes, uint32_t groups, uint64_t budget);
uint64_t cache_list_bytes(uint32_t groups, uint32_t positions);

#endif
