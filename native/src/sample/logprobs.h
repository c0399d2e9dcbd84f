// SPDX-License-Identifier: Apache-2.0
/*
 * Log-probabilities of the model's own distribution: before penalties, temperature and everything else.
 *
 *     logprob(i) = (logit[i] - max) - log(sum of exp(logit[j] - max))
 *
 * in single precision; the sum by the arithmetic contract's 16 lanes, element j in lane j mod 16.
 */
#ifndef PUNA_SAMPLE_LOGPROBS_H
#define PUNA_SAMPLE_LOGPROBS_H

#include "base/error.h"

typedef struct logprobs {
    float max;
    float log_sum;
} logprobs;

/* `max` is the row's maximum, a finite number. */
logprobs logprobs_of(const float *logits, uint32_t count, float max);

static inline float logprobs_at(logprobs l, float logit) { return (logit - l.max) - l.log_sum; }

/* The `wanted` best tokens (at most PUNA_MAX_TOP_LOGPROBS), best first, the lower id first among equals; those of -inf
   are left out. Returns how many. */
uint32_t logprobs_top(logprobs l, const float *logits, uint32_t count, uint32_t wanted, puna_logprob *top);

#endif
