// SPDX-License-Identifier: Apache-2.0
/* A sequence that is saved, and what it says when it goes on: for the tests of states. */
#ifndef PUNA_SAVING_H
#define PUNA_SAVING_H

#include "api/bed.h"

#define SAVING_FIRST 24u  /* tokens generated before */
#define SAVING_SECOND 20u /* and after */

typedef struct saved {
    uint8_t *bytes; /* to be freed */
    uint64_t length;
} saved;

void saving_fill(int32_t *ids, uint32_t count, uint32_t salt);

/* Draws with penalties and a temperature; log-probabilities are wanted. */
puna_generation saving_generation(uint32_t tokens);

saved saving_take(bed *b, uint64_t id);

/* Opens the bed: a sequence with `length` tokens of prompt and SAVING_FIRST generated ones. */
bool saving_begin(bed *b, const char *name, uint32_t length, const puna_engine_options *o, bed_result *r);

/* What the sequence says behind 10 further tokens of a user's. */
void saving_go_on(bed *b, uint64_t id, bed_result *r);

/* The same SAVING_SECOND tokens and log-probabilities. */
void saving_same(const bed_result *a, const bed_result *b, const char *what);

#endif
