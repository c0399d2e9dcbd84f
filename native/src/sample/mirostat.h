// SPDX-License-Identifier: Apache-2.0
/*
 * What both versions of mirostat (arXiv:2007.14966) remember: mu, the surprise that is allowed, in bits. After each
 * token mu -= rate * (surprise - target), with the token's surprise among the candidates that were left at the chain's
 * end. It begins at twice the target.
 */
#ifndef PUNA_SAMPLE_MIROSTAT_H
#define PUNA_SAMPLE_MIROSTAT_H

#include "sample/stage.h"

typedef struct mirostat_state {
    double mu, target, rate;
    double surprise; /* of the token that was chosen and perhaps not accepted yet */
    int32_t chosen;  /* -1: none */
    uint32_t vocabulary;
} mirostat_state;

puna_status mirostat_create(memory_account *account, const stage_setting *at, void **memory, puna_error *error);
void mirostat_free(memory_account *account, void *memory);
void mirostat_accept(void *memory, int32_t id);
void mirostat_chosen(void *memory, int32_t id, double surprise);

#define MIROSTAT_LN2 0.69314718055994531

#endif
