// SPDX-License-Identifier: Apache-2.0
/*
 * Prompt lookup: what came after the last place in a sequence's own tokens at which the same tokens stood as at its
 * end. Where a text repeats itself (code with one edit, a quotation, a list), that is what comes next.
 *
 *     a b c d e ... a b c | d e      the end "a b c" matched three tokens; "d e" is proposed
 *           └──── match ──┘
 *
 * Places are found by a hash of two tokens and compared, so that a match is never a collision. A match that goes on is
 * followed; else the newest LOOKUP_PLACES places are looked at and the longest match is taken, the newest among equals.
 * So a token costs a bounded time, and memory is bounded by the context: about 12 bytes a token.
 *
 * How far a match can be trusted depends on its length and on the text, so each length's share of right guesses is
 * counted for every token that comes, whether it was proposed to anybody or not: what is not worth proposing costs
 * nothing to learn.
 *
 * Invariant: nothing here changes what is generated; what is proposed is verified.
 */
#ifndef PUNA_ENGINE_LOOKUP_H
#define PUNA_ENGINE_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"

#define LOOKUP_PLACES 8u /* looked at for one token */
#define LOOKUP_LONG 32u  /* tokens compared at most; a match that is followed may be longer */
#define LOOKUP_LENGTHS 6u

typedef struct lookup {
    uint32_t *heads;    /* [capacity]: the last place whose two tokens before it have this hash, 0: none */
    uint32_t *links;    /* [capacity]: the place before it of the same hash, 0: none */
    uint32_t capacity;  /* a power of two, not less than `count` */
    uint32_t count;     /* tokens that were read */
    uint32_t match;     /* the tokens before it are those at the end; 0: there is no such place */
    uint32_t length;    /* how many of them */
    struct lookup_share {
        float right, guesses; /* older ones fade */
    } shares[LOOKUP_LENGTHS];
} lookup;

lookup *lookup_new(memory_account *account);                /* NULL without memory */
void lookup_free(memory_account *account, lookup *l);       /* NULL is allowed */
uint64_t lookup_bytes(uint32_t positions);                  /* accounted to one that has read so many */

/* Reads the tokens that it has not read yet, of `count`; those before must be what they were, unless it was forgotten.
   False without memory: it then proposes nothing until it has some. */
bool lookup_read(memory_account *account, lookup *l, const int32_t *tokens, uint32_t count);

/* The tokens are others now. What was learned of shares stays. */
void lookup_forget(lookup *l);

/* The chance that token `index` of the proposal is right, given that those before it are; 0: it proposes none. */
float lookup_chance(const lookup *l, uint32_t index);

/* The first `count` tokens of the proposal, from all that it has read. A match that reaches the end goes on with what
   it proposes itself. */
void lookup_propose(const lookup *l, const int32_t *tokens, uint32_t count, int32_t *proposal);

#endif
