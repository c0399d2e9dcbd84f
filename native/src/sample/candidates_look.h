// SPDX-License-Identifier: Apache-2.0
/* What a set says of one token: inline, since all of a vocabulary's are asked for. For the set's own files. */
#ifndef PUNA_SAMPLE_CANDIDATES_LOOK_H
#define PUNA_SAMPLE_CANDIDATES_LOOK_H

#include <float.h>
#include <math.h>

#include "sample/candidates.h"

/* A probability's unit: weights are whole multiples of 2^-40 of the best one's, so that sums are exact. */
#define CANDIDATES_UNITS 1099511627776.0f

/* What candidates count when they are summed up, and which of them come first. */
typedef struct candidates_measure {
    bool weighted; /* else each candidate counts 1 */
    float best;    /* the greatest value, where weighted */
    bool centred;  /* those nearest to `centre` come first, else the greatest */
    float centre;
} candidates_measure;

/* A key by nearness to `centre`: nearer is greater, then the lower id. */
static inline uint64_t candidates_nearness(float centre, float value, uint32_t id) {
    return candidates_key(-penalties_finite(fabsf(value - centre)), id);
}

static inline uint64_t candidates_order(candidates_measure measure, uint64_t key) {
    return measure.centred ? candidates_nearness(measure.centre, candidates_value(key), candidates_id(key)) : key;
}

static inline uint64_t candidates_weigh(candidates_measure measure, uint64_t key) {
    if (!measure.weighted) return 1;
    float below = candidates_value(key) - measure.best;
    if (below < -28.0f) return 0; /* e^-28 is 0.76 units: most tokens need no exp */
    return (uint64_t)(math_expf(below) * CANDIDATES_UNITS);
}

static inline float candidates_aimed(const candidates_aim *aim, float value) {
    float distance = fabsf(candidates_share(aim, value) - aim->target) * (1.0f / 0.3f);
    return 5.0f - 10.0f * distance * distance / (1.0f + distance);
}

/* The token's key after all steps, or 0 (which is no key: values are finite) if it was dropped. */
static inline uint64_t candidates_look(const candidates *c, uint32_t id) {
    float value = c->logits[id];
    if (value < -FLT_MAX) return 0;
    for (uint32_t i = 0; i < c->steps; i++) {
        const candidates_step *step = &c->step[i];
        if (step->kind == CANDIDATES_DIVIDE) value = penalties_finite(value / step->divisor);
        else if (step->kind == CANDIDATES_PENALIZE) value = penalties_apply(step->table, id, value);
        else if (step->kind == CANDIDATES_ADD) value = additions_apply(step->added, id, value);
        else if (step->kind == CANDIDATES_AIM) value = candidates_aimed(&step->aim, value);
        else if (step->kind == CANDIDATES_CEILING && candidates_key(value, id) > step->floor) return 0;
        else if (step->kind == CANDIDATES_FLOOR && candidates_key(value, id) < step->floor) return 0;
        else if (step->kind == CANDIDATES_CENTRE && candidates_nearness(step->centre, value, id) < step->floor)
            return 0;
        if (value < -FLT_MAX) return 0;
    }
    return candidates_key(value, id);
}

/* The key at one of the places that are to be gone through, those of the list or all tokens; 0: it was dropped. */
static inline uint64_t candidates_at(const candidates *c, uint32_t place) {
    return c->listed ? c->list[place] : candidates_look(c, place);
}

static inline uint32_t candidates_places(const candidates *c) { return c->listed ? c->length : c->vocabulary; }

#endif
