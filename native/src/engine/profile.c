// SPDX-License-Identifier: Apache-2.0
#include "engine/profile.h"

#include "engine/drafter.h"

typedef struct part {
    const device *device;
    device_runner *runner; /* NULL: none, or not yet */
} part;

static part part_of(const engine *e, uint32_t which) {
    const device *d = e->model->device;
    switch (which) {
    case PUNA_PROFILE_MODEL: return (part){d, e->runner};
    case PUNA_PROFILE_STATES: return (part){d, e->reader};
    case PUNA_PROFILE_SOURCE: return (part){d, e->source_runner};
    default: return e->drafter ? (part){drafter_device(e->drafter), drafter_runner(e->drafter)} : (part){d, NULL};
    }
}

const device_profile *profile_of(const engine *e, uint32_t which) {
    part p = part_of(e, which);
    return p.runner ? p.device->watched(p.runner) : NULL;
}

/* Those whose bit is set. Never fails where they are watched already, or shall not be any more. */
static void watch_some(engine *e, uint32_t parts, bool on) {
    for (uint32_t i = 0; i < PROFILE_PARTS; i++) {
        part p = part_of(e, i);
        if (p.runner && parts >> i & 1) p.device->watch(p.runner, &e->account, on, NULL);
    }
}

static const uint32_t all_parts = (1u << PROFILE_PARTS) - 1;

/* Memory first, so that nothing has changed where there is none. */
static puna_status watch_all(engine *e, puna_error *error) {
    puna_status status = PUNA_OK;
    uint32_t added = 0;
    for (uint32_t i = 0; status == PUNA_OK && i < PROFILE_PARTS; i++) {
        part p = part_of(e, i);
        if (!p.runner || p.device->watched(p.runner)) continue;
        status = p.device->watch(p.runner, &e->account, true, error);
        if (status == PUNA_OK) added |= 1u << i;
    }
    watch_some(e, status == PUNA_OK ? all_parts & ~added : added, status == PUNA_OK);
    return status;
}

puna_status profile_watch(engine *e, bool on, puna_error *error) {
    if (!on) {
        watch_some(e, all_parts, false);
        profile_free(e);
        return PUNA_OK;
    }
    profile *p = e->profile ? e->profile : memory_new(&e->account, sizeof *p);
    if (!p) return error_memory(error, "profile", sizeof *p);
    puna_status status = watch_all(e, error);
    if (status != PUNA_OK) {
        if (!e->profile) memory_free(&e->account, p);
        return status;
    }
    uint64_t now = os_clock_ns();
    *p = (profile){.began = now, .entered = now, .steps = e->steps, .counts = e->counts};
    e->profile = p;
    return PUNA_OK;
}

puna_status profile_join(engine *e, device_runner *runner, puna_error *error) {
    const device *d = e->model->device;
    if (!e->profile || d->watched(runner)) return PUNA_OK;
    return d->watch(runner, &e->account, true, error);
}

void profile_free(engine *e) {
    memory_free(&e->account, e->profile);
    e->profile = NULL;
}
