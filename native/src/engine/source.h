// SPDX-License-Identifier: Apache-2.0
/*
 * Sources: what an encoder-decoder reads before it answers. A source is read whole in one step, by a runner of its own,
 * into pages of its own, which the answer attends to. They belong to the sequence and its forks; who loses its pages
 * loses these, too, and reads the source again, to the same bits.
 *
 * Invariants: source_cached is true only where source_pages hold all of the source, as the sequence's set of adapters
 * makes it (adapters.h); a sequence's cached positions are a function of its source and its tokens, so that another
 * source leaves nothing of them, and they never enter the prefix index.
 */
#ifndef PUNA_ENGINE_SOURCE_H
#define PUNA_ENGINE_SOURCE_H

#include "engine/engine.h"

/* Whether `ids` can be a source, and the generation's answer begin as it says. */
puna_status source_check(const engine *e, const int32_t *ids, uint64_t count, const puna_generation *g,
                         puna_error *error);

/* The sequence's source from now on; its tokens stay, what the cache holds of them only if the source is the same. */
puna_status source_set(engine *e, sequence *s, const int32_t *ids, uint32_t count, puna_error *error);

/* The source, and as the sequence's tokens the model's first one and the beginning of the answer. */
puna_status source_begin(engine *e, sequence *s, const int32_t *ids, uint32_t count, const puna_generation *g,
                         puna_error *error);

/* `to`, freshly opened, has the source of `from` and shares its pages. */
puna_status source_share(engine *e, const sequence *from, sequence *to, puna_error *error);
void source_lose(engine *e, sequence *s); /* its pages */

/* Bytes of pages that it has (each page counted once for a mark) and lacks. */
uint64_t source_bytes(engine *e, const sequence *s, uint64_t mark);

/* Whose sources are read in the coming step: as many as rows hold, a quarter of these while somebody waits for a token,
   but one at least. Who must wait computes nothing. */
void source_plan(engine *e);

/* Reads those of all that compute rows in this step and have pages. Returns how many tokens. */
uint32_t source_read(engine *e);
void source_read_one(engine *e, sequence *s); /* where it wasn't yet */

#endif
