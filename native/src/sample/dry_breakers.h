// SPDX-License-Identifier: Apache-2.0
/*
 * Texts that end repetitions: found in the text of the tokens as it grows, wherever tokens cut it.
 *
 * Invariant: `tail` ends with the last bytes of that text, at least one less than the longest breaker has.
 */
#ifndef PUNA_SAMPLE_DRY_BREAKERS_H
#define PUNA_SAMPLE_DRY_BREAKERS_H

#include "sample/stage.h"

typedef struct dry_breakers dry_breakers;

/* Copies the generation's breakers; *out stays NULL where there are none. PUNA_INVALID_ARGUMENT (one is empty, too
   long, or there are too many), PUNA_OUT_OF_MEMORY. */
puna_status dry_breakers_create(memory_account *account, const puna_generation *generation, const sampler_model *model,
                                dry_breakers **out, puna_error *error);
void dry_breakers_free(memory_account *account, dry_breakers *b); /* NULL is allowed, as below */

/* Another token; true if a breaker ends in it. */
bool dry_breakers_accept(dry_breakers *b, int32_t id);

#endif
