// SPDX-License-Identifier: Apache-2.0
/*
 * The tokens that may still be chosen, with their values: never copied or sorted as a whole.
 *
 * A set begins *dense*: the row of logits and a list of steps that say how a value changes and what is dropped, applied
 * anew each time a token is looked at. As soon as a step leaves at most CANDIDATES_LIST tokens, it becomes a *list*.
 *
 * A candidate is one number, its key: the value's bits, made to order like the value, above the inverted id. Greater
 * keys are better, and no two are equal.
 *
 * Invariants: a set is never empty; values are finite; list[0..length) descends.
 */
#ifndef PUNA_SAMPLE_CANDIDATES_H
#define PUNA_SAMPLE_CANDIDATES_H

#include "sample/penalties.h"

#define CANDIDATES_LIST 1024u

/* Vocabularies up to here keep sums of 2^40 units a token inside 63 bits. */
#define CANDIDATES_MAX (1 << 23)

typedef enum candidates_kind { CANDIDATES_DIVIDE, CANDIDATES_PENALIZE, CANDIDATES_FLOOR } candidates_kind;

typedef struct candidates_step {
    candidates_kind kind;
    float divisor;
    const penalties *table;
    uint64_t floor; /* the least key that stays */
} candidates_step;

typedef struct candidates {
    const float *logits;
    uint32_t vocabulary;
    uint32_t steps;
    candidates_step step[PUNA_MAX_STAGES];
    bool best_known; /* of a dense set */
    float best;      /* the greatest value */
    bool listed;
    uint32_t length;
    uint64_t list[CANDIDATES_LIST];
} candidates;

/* All tokens whose logit isn't -inf. The row holds no NaN and no +inf; `best` is its maximum, a finite number. */
void candidates_begin(candidates *c, const float *logits, uint32_t vocabulary, float best);

void candidates_divide(candidates *c, float divisor);
void candidates_penalize(candidates *c, const penalties *table);
void candidates_keep(candidates *c, uint64_t count);       /* the best ones; at least 1 */
void candidates_keep_share(candidates *c, float share);    /* the best ones whose probabilities reach a share of 1 */
void candidates_keep_near(candidates *c, float part);      /* those of `part` (0 to 1) of the best one's, at least */

/* The one that a draw, 64 random bits, hits. */
int32_t candidates_pick(candidates *c, uint64_t draw);

uint64_t candidates_key(float value, uint32_t id);
float candidates_value(uint64_t key);
uint32_t candidates_id(uint64_t key);

#endif
