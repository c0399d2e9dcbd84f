// SPDX-License-Identifier: Apache-2.0
/*
 * How often each token occurred among the last ones, and what that costs it.
 *
 * Invariant: counts[id] is the number of places of id among the last min(window, accepted) tokens, or among all of them
 * with a window of -1.
 */
#ifndef PUNA_SAMPLE_PENALTIES_H
#define PUNA_SAMPLE_PENALTIES_H

#include "base/error.h"
#include "base/memory.h"

#define PENALTIES_MAX_WINDOW (1 << 20)

typedef struct penalties {
    float repeat;
    float frequency;
    float presence;
    uint32_t vocabulary;
    uint32_t *counts;
    int32_t *ring;   /* the last tokens; NULL with a window of -1 */
    uint32_t window;
    uint32_t filled;
    uint32_t next;   /* the ring's oldest place, once it is full */
} penalties;

/* NULL without memory. The stage was checked. */
penalties *penalties_new(memory_account *account, const puna_stage *stage, uint32_t vocabulary);
void penalties_free(memory_account *account, penalties *p); /* NULL is allowed */
void penalties_accept(penalties *p, int32_t id);

/* A finite value after its penalties; finite too. */
float penalties_apply(const penalties *p, uint32_t id, float value);

/* value, or the nearest finite number. */
static inline float penalties_finite(float value) {
    const float most = 3.402823466e38f;
    return value > most ? most : value < -most ? -most : value;
}

#endif
