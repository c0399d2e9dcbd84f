// SPDX-License-Identifier: Apache-2.0
/*
 * What a beam search remembers for those who ask for log-probabilities: for each step and each beginning in it where it
 * comes from, how probable its last token was, and the best tokens behind it. An answer is followed back from its last
 * step, when the search is over.
 *
 * Invariants: rows of step s are written in order, s = 0, 1, ...; `way` is of the answer that was followed last. Memory
 * grows with the steps: width * (12 + 8 * top) bytes each.
 */
#ifndef PUNA_ENGINE_BEAM_PAST_H
#define PUNA_ENGINE_BEAM_PAST_H

#include "base/error.h"
#include "base/memory.h"
#include "sample/sampler.h"

typedef struct beam_link {
    uint32_t parent; /* place among the beginnings of the step before */
    float logprob;   /* of the last token after that one */
    uint32_t found;  /* of its best tokens */
} beam_link;

typedef struct beam_past {
    uint32_t width, top; /* beginnings at most; best tokens that are wanted of each */
    uint32_t steps;      /* that there is room for */
    beam_link *links;    /* [steps][width] */
    puna_logprob *best;  /* [steps][width][top] */
    uint32_t *way;       /* [steps] */
} beam_past;

/* Room for the beginnings of `step`; what is known of those before stays. */
puna_status beam_past_reserve(memory_account *account, beam_past *p, uint32_t step, puna_error *error);
void beam_past_free(memory_account *account, beam_past *p);

/* Beginning i of a step: what it is made of, then, when it was computed, the best tokens behind it. */
void beam_past_link(beam_past *p, uint32_t step, uint32_t i, uint32_t parent, float logprob);
void beam_past_best(beam_past *p, uint32_t step, uint32_t i, const puna_logprob *candidates, uint32_t found);

/* Follows the answer whose last token, of that log-probability, came behind beginning i of a step; then token k of it,
   0 to that step, as a sampler would have told of it. */
void beam_past_follow(beam_past *p, uint32_t step, uint32_t i);
void beam_past_tell(const beam_past *p, uint32_t step, float last, uint32_t k, sampler_choice *choice);

#endif
