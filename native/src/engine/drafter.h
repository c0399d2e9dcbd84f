// SPDX-License-Identifier: Apache-2.0
/*
 * A draft model: a small model of the same vocabulary says what it would say next, and the engine's model verifies it
 * (draft.h). It has a runner, and a cache of its own within the engine's budget: a share as its pages have of a
 * position's bytes.
 *
 * Its pages are a convenience: nobody waits for them, they evict nothing of the engine's model, and where they run out
 * a sequence goes on without guesses. Whole ones are found again by tokens as others are, so that sequences that don't
 * generate need not hold any.
 *
 * Invariants: draft_cached <= count, the positions of a sequence's tokens whose keys and values its draft pages hold;
 * `ahead` positions more hold those of guesses.
 */
#ifndef PUNA_ENGINE_DRAFTER_H
#define PUNA_ENGINE_DRAFTER_H

#include "engine/engine.h"

typedef struct drafter drafter;

/* Whether two models have the same tokens: PUNA_INVALID_ARGUMENT names the first one that differs. */
puna_status drafter_check(const model *m, const model *draft, puna_error *error);

/* options.draft's, with so many bytes for its cache. */
puna_status drafter_create(engine *e, uint64_t cache_bytes, drafter **out, puna_error *error);
void drafter_destroy(engine *e, drafter *d); /* NULL is allowed; no sequence holds pages */

/* What it is accounted with beside its pages: when it was created, and further for sequences of so many positions. */
puna_status drafter_measure(const puna_engine_options *decided, uint64_t cache_bytes, uint32_t positions,
                            uint64_t *scratch, uint64_t *sequences, puna_error *error);

/* What computes it. */
device_runner *drafter_runner(const drafter *d);
const device *drafter_device(const drafter *d);

/* What a guess costs beside its row, in units of a step with one row. */
float drafter_cost(const engine *e);

/* Positions that it can look ahead of a sequence. */
uint32_t drafter_reach(const engine *e, const sequence *s);

/* Fills the guesses of the running sequences that `asks_drafter`; none where it has to read more of a prompt first, or
   has no pages. */
void drafter_guess(engine *e);

/* The sequence's draft pages go; all that no running sequence holds. */
void drafter_drop(engine *e, sequence *s);
void drafter_trim(engine *e);

#endif
