// SPDX-License-Identifier: Apache-2.0
/*
 * One row for each kind of stage: how its settings are checked, what it does to the candidates, and what it remembers.
 *
 * Memory changes only when a token is accepted: choosing twice gives the same token. It belongs to the sampler, so that
 * a sequence that loses its cached keys and values keeps it.
 */
#ifndef PUNA_SAMPLE_STAGE_H
#define PUNA_SAMPLE_STAGE_H

#include "sample/candidates.h"
#include "sample/sampler.h"

/* What a stage applies to. */
typedef struct stage_moment {
    void *memory;  /* the stage's own; NULL without one */
    uint64_t draw; /* 64 random bits of this stage alone */
} stage_moment;

/* What a stage's memory is made for. */
typedef struct stage_setting {
    const puna_stage *settings; /* checked */
    const puna_generation *generation;
    uint32_t vocabulary;
    const sampler_model *model;
} stage_setting;

typedef struct stage_memory {
    /* *memory is NULL before; it may stay so, where the settings change nothing. On failure nothing is left. */
    puna_status (*create)(memory_account *account, const stage_setting *at, void **memory, puna_error *error);
    void (*free)(memory_account *account, void *memory); /* never NULL, in these three */
    void (*accept)(void *memory, int32_t id);
    /* May be NULL: `id` was drawn from `c`, with surprise -ln(probability) there. It counts once it is accepted. */
    void (*chosen)(void *memory, int32_t id, double surprise);
} stage_memory;

typedef struct stage {
    uint32_t kind; /* PUNA_SAMPLE_* */
    /* PUNA_INVALID_ARGUMENT with the setting's name, value and range, or PUNA_OK. */
    puna_status (*check)(const puna_stage *settings, puna_error *error);
    void (*apply)(candidates *c, const puna_stage *settings, const stage_moment *moment);
    const stage_memory *memory; /* or NULL */
} stage;

#define SAMPLE_STAGE(number, symbol) \
    puna_status symbol##_check(const puna_stage *settings, puna_error *error); \
    void symbol##_apply(candidates *c, const puna_stage *settings, const stage_moment *moment);
#define SAMPLE_MEMORY(number, symbol) \
    SAMPLE_STAGE(number, symbol) \
    extern const stage_memory symbol##_memory;
#include "sample/stage.def"
#undef SAMPLE_MEMORY
#undef SAMPLE_STAGE

/* The kind's row, or NULL. */
const stage *stage_find(uint32_t kind);

/* PUNA_OK if low <= value <= high, else an error that says so. */
puna_status stage_range(const char *name, float value, float low, float high, puna_error *error);

#endif
