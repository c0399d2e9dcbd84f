// SPDX-License-Identifier: Apache-2.0
/*
 * A sequence: token ids, how many of them the cache holds, and the generation that runs on them, if one does.
 *
 * Invariants: cached <= count; while a generation runs, cached < count; pages hold what a query at `cached` sees. All
 * but running sequences may lose their pages at any time (cached becomes 0): computing them again gives the same bits.
 */
#ifndef PUNA_ENGINE_SEQUENCE_H
#define PUNA_ENGINE_SEQUENCE_H

#include "cache/cache.h"
#include "constrain/grammar.h"
#include "engine/lookup.h"
#include "sample/sampler.h"
#include "text/stream.h"

typedef enum sequence_state {
    SEQUENCE_IDLE,    /* between generations */
    SEQUENCE_WAITING, /* in the queue */
    SEQUENCE_RUNNING, /* in the batch: its prompt, or token by token */
    SEQUENCE_PAUSED   /* its caller wants no more tokens for now */
} sequence_state;

typedef struct sequence {
    uint64_t id;
    sequence_state state;
    struct sequence *next, *previous; /* in the list that it is in */
    struct sequence_list *home;
    int32_t *tokens;
    uint32_t count, capacity;
    uint32_t cached;         /* positions whose keys and values the pages hold */
    cache_sequence pages;
    int32_t *source;         /* what an encoder-decoder reads before it answers; `tokens` is the answer alone then */
    uint32_t source_count, source_capacity;
    bool source_cached;      /* source_pages hold what the answer attends to: all of it */
    cache_sequence source_pages;
    uint32_t remembered;     /* positions of its tokens that were offered to the prefix index */
    uint64_t space;          /* of the prefix index: 0 where this engine computed the pages, from the tokens alone */
    struct adapter_set *set; /* what its pages were computed with beside the model (adapters.h); NULL: nothing */
    uint64_t used;           /* the cache's time when it last ran */
    /* the generation */
    sampler *sampler;
    stream *stream;
    matcher *matcher;        /* what the text must be; NULL: anything */
    uint64_t *allowed;       /* with a matcher: a bit for each id of the model's vocabulary */
    uint64_t order;          /* of asking: who asked first is served first, and paused last */
    uint32_t prompt, reused, generated;
    uint32_t max_tokens;     /* 0: no limit but the context */
    bool shifts;             /* a full context loses tokens instead of ending the generation */
    uint32_t keep, dropped;  /* first tokens that stay then; tokens lost so far */
    uint32_t limit;          /* tokens that `count` may reach: prompt + max_tokens, at most the context */
    bool limited;            /* by max_tokens rather than by the context */
    bool cancelled;
    bool asks;               /* its logits are shown: it computes nothing before its caller has chosen */
    bool chosen;             /* the caller has: the coming step takes a token from `shown` */
    float *shown;            /* a row of logits; NULL: its caller does not want to see any */
    bool ignores_end;
    struct beams *beams;     /* of a search (beam.h), in which it is a member; NULL: none */
    bool hidden;             /* no caller's: a search made it */
    float beam_score;        /* of the answer that a search found; 0: none searched */
    bool ready;              /* in a search: its candidates are known, it waits for the others */
    lookup *lookup;          /* guesses what comes; NULL: nobody does */
    uint32_t drafted, accepted; /* tokens that were guessed and computed; of those, right */
    cache_sequence draft_pages; /* of a draft model, within its cache; those below are drafter.h's */
    uint32_t draft_cached, draft_remembered, ahead;
    bool asks_drafter;       /* in the coming step */
    float draft_right, draft_guesses; /* how many of its guesses were right; older ones fade */
    uint32_t row, rows;      /* in the batch of the current step; rows 0: not in it */
    uint32_t output;         /* row of logits, UINT32_MAX: none; more rows follow, one for each guess */
    uint32_t guesses;        /* of the rows, the last ones: tokens that are guessed, not known */
    int32_t *guess;          /* [guesses] */
    float chance;            /* that one guess more, and those before it, are right; while a step is planned */
    uint64_t asked_ns, started_ns, first_ns, last_ns;
} sequence;

/* Sequences in order, first come first. */
typedef struct sequence_list {
    sequence *first, *last;
    uint32_t count, hidden;
} sequence_list;

/* How many of them are requests: a search is where its caller's sequence is. */
static inline uint32_t sequence_requests(const sequence_list *list) { return list->count - list->hidden; }

void sequence_append(sequence_list *list, sequence *s);
void sequence_insert(sequence_list *list, sequence *s); /* by `order` */
void sequence_remove(sequence *s);                      /* from the list that it is in */

/* What the cache holds is cut to `positions` at most, to whole pages of them where it has states, or to nothing where a
   window has passed these. */
void sequence_cut(cache *c, sequence *s, uint32_t positions);

/* Replaces the tokens by `ids`; what the cache holds of a common beginning stays (but the last token is always computed
   again: its logits are wanted). */
puna_status sequence_set_tokens(memory_account *account, cache *c, sequence *s, const int32_t *ids, uint32_t count,
                                puna_error *error);
puna_status sequence_add_token(memory_account *account, sequence *s, int32_t id, puna_error *error);

/* What a sequence of so many tokens is accounted with, its pages and its generation left out. */
uint64_t sequence_bytes(uint32_t groups, uint32_t positions);

uint64_t sequence_source_bytes(uint32_t groups, uint32_t positions); /* with a source of as many, further */

/* Whether it has pages that it could lose. */
bool sequence_has_pages(const sequence *s);

/* Ends the generation: frees what only it needed. */
void sequence_end_generation(memory_account *account, sequence *s);
void sequence_free(memory_account *account, cache *c, sequence *s);

#endif
