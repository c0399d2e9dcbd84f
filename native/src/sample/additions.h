// SPDX-License-Identifier: Apache-2.0
/*
 * Amounts added to the values of a few tokens: a caller's biases, or what repetitions cost.
 *
 * A bit for each token says whether it is one of them, so that the many others cost next to nothing.
 *
 * Invariant: ids ascend, each once; the bits are those of the ids.
 */
#ifndef PUNA_SAMPLE_ADDITIONS_H
#define PUNA_SAMPLE_ADDITIONS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct additions {
    uint32_t vocabulary, capacity, count;
    uint64_t *bits;
    puna_bias *list;
} additions;

/* Room for `capacity` tokens; NULL without memory. */
additions *additions_new(memory_account *account, uint32_t vocabulary, uint32_t capacity);
void additions_free(memory_account *account, additions *a); /* NULL is allowed */
void additions_clear(additions *a);

/* Sets an id's amount, finite or -inf; in any order, each id once, before additions_close. */
void additions_put(additions *a, int32_t id, float amount);
void additions_close(additions *a);

/* A finite value and what is added to it: finite again, or -inf if -inf is added. */
float additions_apply_listed(const additions *a, uint32_t id, float value);

static inline float additions_apply(const additions *a, uint32_t id, float value) {
    return a->bits[id / 64] >> (id % 64) & 1 ? additions_apply_listed(a, id, value) : value;
}

#endif
