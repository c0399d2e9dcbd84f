// SPDX-License-Identifier: Apache-2.0
/* puna.h, part 7: where an engine's time goes, and what the machine can do at most. */
#include <string.h>

#include "api/api_enter.h"
#include "api/api_structs.h"
#include "base/threads.h"
#include "device/cpu/ceilings.h"
#include "engine/profile.h"

puna_status puna_engine_profile(puna_engine *e, uint32_t on, puna_error *error) {
    if (on > PUNA_PROFILE_ON)
        return error_set(error, PUNA_INVALID_ARGUMENT, "on", "on is %u; it may be %u or %u", on, PUNA_PROFILE_OFF,
                         PUNA_PROFILE_ON);
    puna_status status = api_enter(e, error);
    if (status != PUNA_OK) return status;
    status = profile_watch(e, on == PUNA_PROFILE_ON, error);
    engine_leave(e);
    return status;
}

static puna_profile sums_of(const engine *e) {
    const profile *p = e->profile;
    uint64_t now = os_clock_ns();
    puna_profile sums = {.threads = e->options.threads, .elapsed_ns = now - p->began,
                         .engine_ns = p->inside + (now - p->entered), .steps = e->steps - p->steps,
                         .prompt_tokens = e->counts.prompt_tokens - p->counts.prompt_tokens,
                         .generated_tokens = e->counts.generated_tokens - p->counts.generated_tokens};
    for (uint32_t part = 0; part < PROFILE_PARTS; part++) {
        const device_profile *d = profile_of(e, part);
        sums.runs += d ? d->runs : 0;
        sums.run_ns += d ? d->run_ns : 0;
    }
    return sums;
}

static puna_profile_row row_of(const device_profile *d, const device_work *w, uint32_t part) {
    puna_profile_row row = {.kind = w->op ? PUNA_PROFILE_OP : PUNA_PROFILE_PHASE, .part = part, .threads = d->threads,
                            .calls = w->calls, .wall_ns = w->wall_ns, .busy_ns = w->busy_ns,
                            .barrier_ns = w->barrier_ns, .bytes = w->bytes, .products = w->products};
    uint64_t all = d->threads * (w->wall_ns + w->barrier_ns);
    row.idle_ns = !w->op && all > w->busy_ns ? all - w->busy_ns : 0;
    _Static_assert(sizeof row.name == sizeof w->name, "a name fits");
    memcpy(row.name, w->name, sizeof row.name);
    return row;
}

/* The rows that were called, `bytes` apart, as far as they have room; how many there are. */
static uint64_t give_rows(const engine *e, puna_profile_row *rows, size_t bytes, uint64_t capacity) {
    uint64_t count = 0;
    for (uint32_t part = 0; part < PROFILE_PARTS; part++) {
        const device_profile *d = profile_of(e, part);
        for (uint32_t i = 0; d && i < d->rows; i++) {
            if (!d->work[i].calls) continue;
            if (count < capacity) {
                puna_profile_row row = row_of(d, &d->work[i], part);
                uint32_t size = (uint32_t)bytes;
                char *to = (char *)rows + count * bytes;
                memcpy(to, &size, sizeof size);
                structs_give(to, &row, sizeof row);
            }
            count++;
        }
    }
    return count;
}

/* How far the caller's rows lie apart: as the first one says. */
static puna_status read_size(const puna_profile_row *rows, uint64_t capacity, size_t *bytes, puna_error *error) {
    uint32_t size = 0;
    if (!rows && capacity) return api_missing(error, "rows");
    if (rows && capacity) memcpy(&size, rows, sizeof size);
    *bytes = size ? size : sizeof *rows;
    if (*bytes >= sizeof *rows) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "rows", "size of the first row is %u; a row has %u bytes at least",
                     size, (unsigned)sizeof *rows);
}

static puna_status read_profile(const engine *e, puna_profile *told, puna_profile_row *rows, size_t bytes,
                                uint64_t capacity, uint64_t *count, puna_error *error) {
    if (!e->profile)
        return error_set(error, PUNA_INVALID_ARGUMENT, "profile",
                         "this engine's profile is off: puna_engine_profile switches it on");
    uint64_t needed = give_rows(e, NULL, 0, 0);
    *count = needed;
    if (needed > capacity) {
        puna_status status = error_set(error, PUNA_BUFFER_TOO_SMALL, "rows", "the profile has %llu rows; there is room "
                                       "for %llu", (unsigned long long)needed, (unsigned long long)capacity);
        if (error) {
            error->needed = needed;
            error->available = capacity;
        }
        return status;
    }
    puna_profile sums = sums_of(e);
    give_rows(e, rows, bytes, capacity);
    if (told) structs_give(told, &sums, sizeof sums);
    return PUNA_OK;
}

puna_status puna_engine_profile_read(puna_engine *e, puna_profile *told, puna_profile_row *rows, uint64_t capacity,
                                     uint64_t *count, puna_error *error) {
    size_t bytes = sizeof *rows;
    if (!count) return api_missing(error, "count");
    puna_status status = read_size(rows, capacity, &bytes, error);
    if (status == PUNA_OK) status = api_enter(e, error);
    if (status != PUNA_OK) return status;
    status = read_profile(e, told, rows, bytes, capacity, count, error);
    engine_leave(e);
    return status;
}

puna_status puna_ceilings_measure(uint32_t threads, puna_ceilings *out, puna_error *error) {
    ceilings found;
    if (!out) return api_missing(error, "ceilings");
    if (threads == 0) threads = threads_default_count();
    if (threads > CEILINGS_THREADS)
        return error_set(error, PUNA_INVALID_ARGUMENT, "threads", "threads is %u; it may be 1 to %u, 0 for the cores",
                         threads, CEILINGS_THREADS);
    puna_status status = ceilings_measure(threads, &found, error);
    if (status != PUNA_OK) return status;
    puna_ceilings filled = {.threads = threads, .reads = found.reads * 1e9, .products = found.products * 1e9};
    structs_give(out, &filled, sizeof filled);
    return PUNA_OK;
}
