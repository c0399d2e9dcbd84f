// SPDX-License-Identifier: Apache-2.0
/*
 * Beam search: a generation that follows the `width` most probable beginnings of an answer at once, and gives the best
 * of those that ended. What is kept, what counts as ended and when the search is over is as transformers' generate()
 * has it (num_beams, length_penalty, early_stopping), so that both give the same answer:
 *
 *   - A beginning's score is the sum of its tokens' log-probabilities; the best continuations of all beginnings go on.
 *   - One that ends while it is among the `width` best, or reaches the limit, is an answer with the score
 *     sum / tokens^length_penalty, the end's token counted. The `width` best answers are kept.
 *   - The search is over at the limit, or when there are `width` answers and early_stopping is YES, or when the best
 *     beginning's sum / tokens^length_penalty is not above the worst of them: tokens until now or, with NEVER and a
 *     penalty above 0, those until the limit, so that no answer that could be better is missed.
 *
 * Each beginning is a sequence like any other, which the scheduler runs, pauses and evicts: the caller's own one, and
 * hidden ones that share its pages, place in the queue and end. Each has its candidates, then waits for the others.
 *
 * Invariants: members[0 .. live) are sequences of this engine that point here, the caller's among them; all have as
 * many tokens. A member that is `ready` computes nothing.
 */
#ifndef PUNA_ENGINE_BEAM_H
#define PUNA_ENGINE_BEAM_H

#include "engine/beam_past.h"
#include "engine/engine.h"

#define BEAM_MOST 32u

typedef struct beam_answer {
    int32_t *tokens;
    uint32_t count;
    float score;
    uint32_t member; /* of the step in which it ended, with a token of this log-probability */
    float last;
} beam_answer;

typedef struct beam_candidate {
    uint32_t member;
    int32_t token;
    float score;   /* of the beginning with this token */
    float logprob; /* of the token */
} beam_candidate;

typedef struct beams {
    uint32_t width, live, begun;  /* beginnings at most and now; tokens before the answer */
    uint32_t early;               /* PUNA_EARLY_* */
    float penalty;
    uint32_t each;                /* candidates of a member */
    sequence *leader;             /* the caller's */
    sequence **members;           /* [width], best first */
    float *scores;                /* [width] */
    puna_logprob *candidates;     /* [width][each] */
    uint32_t *found;              /* [width] */
    beam_candidate *all;          /* [width * each] */
    beam_answer *answers;         /* [width], best first */
    uint32_t answered;
    bool tells;                   /* of log-probabilities, by what `past` has of them */
    beam_past past;
    puna_status status;           /* the first failure of a member */
    puna_error error;
} beams;

/* Whether the generation may be searched for: width 2 to BEAM_MOST, nothing asked for that beams have no place for,
   room in the batch and in the cache for all of them. */
puna_status beam_check(const engine *e, const puna_generation *g, uint64_t limit, uint64_t source, puna_error *error);
puna_status beam_begin(engine *e, sequence *s, const puna_generation *g, puna_error *error);
void beam_free(engine *e, sequence *s); /* the search and its hidden members, whoever of them is given */

/* A member's row of logits: its candidates. Called from several threads for several members. */
puna_status beam_look(sequence *s, const float *logits, uint32_t vocabulary, puna_error *error);
void beam_ready(sequence *s, puna_status status, const puna_error *error); /* after that */

/* The search's past, from which the best answer's tokens are told; the caller's from now on. Empty where nobody asked
   for log-probabilities. */
beam_past beam_take_past(beams *b);

/* Goes a token on where all members are ready. True: it is over, with b->status, or with the best answer in
   b->answers[0] and the leader as it was before its answer. */
bool beam_advance(engine *e, beams *b);

#endif
