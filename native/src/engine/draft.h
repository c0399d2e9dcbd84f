// SPDX-License-Identifier: Apache-2.0
/*
 * Speculation: tokens that are guessed ahead of a sequence's end, computed in one step together with the row that is
 * due, and kept as far as they are what is chosen anyway.
 *
 *     tokens    t0 .. tn            the cache holds t0 .. tn-1
 *     step      tn  d1  d2  d3      four rows, each with its logits
 *     chosen    d1  d2  x           x is not d3: d3's row is dropped, three tokens came of one step
 *
 * Why this is exact. A row of logits doesn't depend on the rows behind it, nor on how rows are cut into steps (the
 * arithmetic contract); the token at a position is chosen by seed, position and the tokens before it, one after the
 * other, with the sampler, the grammar and the stops as they are then. So each token comes from the very numbers that
 * it would have come from alone, and a wrong guess costs time, never a token. What the cache got from a wrong guess
 * lies beyond `cached` and is overwritten; windows pass by what is cached, so they never pass what is still needed.
 *
 * How much is guessed: a row more costs DRAFT_ROW_COST of a step with one, so a guess must come true often enough to be
 * worth its row, in the company that it has: among many sequences, whose rows fill the step already, hardly any is.
 * At most draft_tokens for all sequences together, and never a page that somebody who runs would lose by it.
 */
#ifndef PUNA_ENGINE_DRAFT_H
#define PUNA_ENGINE_DRAFT_H

#include "engine/engine.h"

#define DRAFT_ROW_COST 0.2f
#define DRAFT_CHANCE 0.3f /* below it nothing is guessed: choosing and verifying cost something, too */

/* For the sequences that compute one row in the coming step: what is guessed for them, and so many rows more. */
void draft_plan(engine *e);

/* Whether there is room for a sequence's guesses that costs nobody pages; else they are dropped. */
void draft_fit(engine *e, sequence *s);

/* A generation begins. */
void draft_begin(sequence *s);

/* The sequence chose `id`: whether that was its next guess, which is then taken off; else all are. */
bool draft_check(engine *e, sequence *s, int32_t id);

#endif
