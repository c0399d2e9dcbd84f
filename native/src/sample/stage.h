// SPDX-License-Identifier: Apache-2.0
/* One row for each kind of stage: how its settings are checked, and what it does to the candidates. */
#ifndef PUNA_SAMPLE_STAGE_H
#define PUNA_SAMPLE_STAGE_H

#include "sample/candidates.h"

typedef struct stage {
    uint32_t kind; /* PUNA_SAMPLE_* */
    /* PUNA_INVALID_ARGUMENT with the setting's name, value and range, or PUNA_OK. */
    puna_status (*check)(const puna_stage *settings, puna_error *error);
    /* `table` is NULL but for penalties (and for these too, where they change nothing). */
    void (*apply)(candidates *c, const puna_stage *settings, const penalties *table);
} stage;

#define SAMPLE_STAGE(number, symbol) \
    puna_status symbol##_check(const puna_stage *settings, puna_error *error); \
    void symbol##_apply(candidates *c, const puna_stage *settings, const penalties *table);
#include "sample/stage.def"
#undef SAMPLE_STAGE

/* The kind's row, or NULL. */
const stage *stage_find(uint32_t kind);

#endif
