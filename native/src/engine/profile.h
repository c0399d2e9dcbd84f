// SPDX-License-Identifier: Apache-2.0
/*
 * Where an engine's time goes: its runners are watched (device.h), and the time inside its calls is taken, so that what
 * is neither computing nor the caller's is known, too. engine->profile is NULL where nobody asked.
 *
 * Invariant: with a profile every runner is watched. One that is made later joins before it runs.
 */
#ifndef PUNA_ENGINE_PROFILE_H
#define PUNA_ENGINE_PROFILE_H

#include "engine/engine.h"

typedef struct profile {
    uint64_t began;            /* by os_clock_ns */
    uint64_t entered, inside;  /* the call that runs; those before it, together */
    uint64_t steps;            /* of the engine, when it began; so are those below */
    engine_counts counts;
} profile;

/* From zero, or no more. PUNA_OUT_OF_MEMORY: as it was. */
puna_status profile_watch(engine *e, bool on, puna_error *error);

/* For a runner that was just made. PUNA_OUT_OF_MEMORY: it may not run. */
puna_status profile_join(engine *e, device_runner *runner, puna_error *error);

void profile_free(engine *e); /* the runners are gone */

/* Of a part, PUNA_PROFILE_MODEL to PROFILE_PARTS - 1: NULL where the engine has no such runner. */
#define PROFILE_PARTS 4u
const device_profile *profile_of(const engine *e, uint32_t part);

#endif
