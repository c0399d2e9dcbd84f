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

#include <string.h>

#include "base/math.h"
#include "sample/additions.h"
#include "sample/penalties.h"

#define CANDIDATES_LIST 1024u

/* Vocabularies up to here keep sums of 2^40 units a token inside 63 bits. */
#define CANDIDATES_MAX (1 << 23)

typedef enum candidates_kind {
    CANDIDATES_DIVIDE, CANDIDATES_PENALIZE, CANDIDATES_ADD, CANDIDATES_AIM, CANDIDATES_FLOOR, CANDIDATES_CEILING,
    CANDIDATES_CENTRE
} candidates_kind;

/* Values made anew from probabilities, greatest at the target: with p = exp(v - best) / total and
   d = |p - target| / 0.3, a value becomes 5 - 10 d^2 / (1 + d). */
typedef struct candidates_aim {
    float best, total; /* of the set that it is applied to; total is the sum of exp(v - best) */
    float target;
} candidates_aim;

typedef struct candidates_step {
    candidates_kind kind;
    float divisor;
    const penalties *table;
    const additions *added;
    candidates_aim aim;
    float centre;
    uint64_t floor; /* the least key that stays; of a ceiling the greatest, of a centre the least nearness */
} candidates_step;

typedef struct candidates {
    const float *logits;
    uint32_t vocabulary;
    uint32_t steps;
    candidates_step step[PUNA_MAX_STAGES + 1]; /* biases come before the stages */
    bool best_known; /* of a dense set */
    float best;      /* the greatest value */
    double surprise; /* of the token picked: -ln of its probability among what was left */
    bool listed;
    uint32_t length;
    uint64_t list[CANDIDATES_LIST];
} candidates;

/* All tokens whose logit isn't -inf. The row holds no NaN and no +inf; `best` is its maximum, a finite number. */
void candidates_begin(candidates *c, const float *logits, uint32_t vocabulary, float best);

void candidates_divide(candidates *c, float divisor);
void candidates_penalize(candidates *c, const penalties *table);
void candidates_add_to(candidates *c, const additions *added); /* only in front of all else may -inf be added */
void candidates_aim_at(candidates *c, const candidates_aim *aim);
void candidates_keep(candidates *c, uint64_t count);       /* the best ones; at least 1 */
void candidates_keep_share(candidates *c, float share);    /* the best ones whose probabilities reach a share of 1 */
void candidates_keep_near(candidates *c, float part);      /* those of `part` (0 to 1) of the best one's, at least */
void candidates_keep_from(candidates *c, float least);     /* those of a value of `least` at least; at least the best */
/* as keep_share, those nearest to `centre` first */
void candidates_keep_centre(candidates *c, float centre, float share);
void candidates_drop_top(candidates *c, float part);       /* of those with probability `part` all but the least */

/* What a set comes to, exactly and in any order. Weights and surprises are in units of 2^-40 of the best one's
   weight. */
typedef struct candidates_sums {
    uint32_t count;
    uint64_t weight, surprise; /* sums of exp(v - best), and of exp(v - best) * (best - v) */
    double log_total;          /* of the sum of exp(v - best) */
    double entropy;            /* in nats */
} candidates_sums;

candidates_sums candidates_sum(candidates *c);
double candidates_deviation(candidates *c); /* of the values: root of the mean square distance from their mean */
float candidates_best(candidates *c);       /* the greatest value */

/* The `count` best (at most CANDIDATES_LIST / 2), best first; how many there are. Valid until the next call. */
uint32_t candidates_peek(candidates *c, uint32_t count, const uint64_t **keys);

/* A token's value; false if it was dropped. */
bool candidates_find(const candidates *c, uint32_t id, float *value);

/* A value's probability by the sums of `aim`. */
static inline float candidates_share(const candidates_aim *aim, float value) {
    return math_expf(value - aim->best) / aim->total;
}

/* The one that a draw, 64 random bits, hits. */
int32_t candidates_pick(candidates *c, uint64_t draw);

static inline uint64_t candidates_key(float value, uint32_t id) {
    uint32_t bits;
    value += 0.0f; /* -0 becomes +0: they are equal */
    memcpy(&bits, &value, sizeof bits);
    bits ^= bits >> 31 ? 0xFFFFFFFFu : 0x80000000u;
    return (uint64_t)bits << 32 | (0xFFFFFFFFu - id);
}

static inline float candidates_value(uint64_t key) {
    uint32_t bits = (uint32_t)(key >> 32);
    float value;
    bits ^= bits >> 31 ? 0x80000000u : 0xFFFFFFFFu;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t candidates_id(uint64_t key) { return 0xFFFFFFFFu - (uint32_t)key; }

#endif
