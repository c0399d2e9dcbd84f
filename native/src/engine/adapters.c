// SPDX-License-Identifier: Apache-2.0
#include "engine/adapters.h"

#include <math.h>
#include <string.h>

#include "engine/source.h"

#define REMEMBERED 64u /* sets without uses */

static adapter_set *new_set(engine *e, uint32_t count) {
    size_t front = sizeof(adapter_set) + count * sizeof(adapters_entry);
    adapter_set *set = memory_new(&e->account, front + count * sizeof(device_adapted));
    if (!set) return NULL;
    set->count = count;
    set->adapted = (device_adapted *)(void *)((char *)set + front);
    set->view = (device_set){set->adapted, count};
    return set;
}

static puna_status check(const engine *e, const puna_adapter_use *asked, uint32_t count, puna_error *error) {
    if (count > PUNA_MAX_ADAPTERS)
        return error_set(error, PUNA_INVALID_ARGUMENT, "adapters", "%u adapters; at most %u can be used at once", count,
                         PUNA_MAX_ADAPTERS);
    for (uint32_t i = 0; i < count; i++) {
        if (!asked[i].adapter)
            return error_set(error, PUNA_INVALID_ARGUMENT, "adapters", "adapter %u is NULL", i);
        if (!isfinite(asked[i].weight))
            return error_set(error, PUNA_INVALID_ARGUMENT, "adapters",
                             "the weight of adapter %u is not a finite number", i);
        if (asked[i].adapter->model != e->model)
            return error_set(error, PUNA_INVALID_ARGUMENT, "adapters",
                             "adapter %u was loaded for another model than this engine's", i);
    }
    return PUNA_OK;
}

/* ---- which one ---- */

static bool same_weight(float a, float b) { return memcmp(&a, &b, sizeof a) == 0; }

/* Whether a set is what was asked for, of which weights of 0 were taken out. */
static bool is_asked(const adapter_set *set, const puna_adapter_use *asked, uint32_t count) {
    if (set->count != count) return false;
    for (uint32_t i = 0; i < count; i++)
        if (set->entries[i].serial != asked[i].adapter->serial || !same_weight(set->entries[i].weight, asked[i].weight))
            return false;
    return true;
}

static adapter_set *find(engine *e, const puna_adapter_use *asked, uint32_t count) {
    for (adapter_set **at = &e->sets; *at; at = &(*at)->next) {
        adapter_set *set = *at;
        if (!is_asked(set, asked, count)) continue;
        *at = set->next; /* the one used last stands first */
        set->next = e->sets;
        return e->sets = set;
    }
    return NULL;
}

static adapter_set *make(engine *e, const puna_adapter_use *asked, uint32_t count) {
    adapter_set *set = new_set(e, count);
    if (!set) return NULL;
    for (uint32_t i = 0; i < count; i++)
        set->entries[i] = (adapters_entry){NULL, asked[i].adapter->serial, asked[i].adapter->fingerprint,
                                           asked[i].weight};
    set->space = ++e->set_spaces;
    set->next = e->sets;
    return e->sets = set;
}

static void forget(engine *e, uint32_t most) {
    uint32_t unused = 0;
    for (adapter_set **at = &e->sets, *set; (set = *at) != NULL;) {
        if (set->uses || unused++ < most) {
            at = &set->next;
            continue;
        }
        *at = set->next;
        memory_free(&e->account, set);
    }
}

static puna_status make_room(engine *e, const adapter_set *set, puna_error *error) {
    const device *d = e->model->device;
    device_runner *all[] = {e->runner, e->reader, e->source_runner};
    puna_status status = PUNA_OK;
    for (int i = 0; i < 3 && status == PUNA_OK; i++)
        if (all[i]) status = d->adapt(all[i], &e->account, &set->view, error);
    return status;
}

/* ---- uses ---- */

static void begin_use(adapter_set *set, const puna_adapter_use *asked) {
    for (uint32_t i = 0; i < set->count; i++) {
        adapters_entry *entry = &set->entries[i];
        entry->adapter = adapter_share(asked[i].adapter);
        set->adapted[i] = (device_adapted){entry->adapter->data, entry->weight};
    }
}

puna_status adapters_take(engine *e, const puna_adapter_use *asked, uint32_t count, adapter_set **out,
                          puna_error *error) {
    puna_adapter_use wanted[PUNA_MAX_ADAPTERS];
    uint32_t number = 0;
    *out = NULL;
    puna_status status = check(e, asked, count, error);
    if (status != PUNA_OK) return status;
    for (uint32_t i = 0; i < count; i++)
        if (asked[i].weight != 0) wanted[number++] = asked[i];
    if (!number) return PUNA_OK;
    adapter_set *set = find(e, wanted, number);
    if (!set) set = make(e, wanted, number);
    if (!set) return error_memory(error, "adapters", sizeof *set + number * sizeof *set->entries);
    if (set->uses++ == 0) begin_use(set, wanted);
    status = make_room(e, set, error);
    if (status == PUNA_OK) *out = set;
    else adapters_give(e, set);
    return status;
}

adapter_set *adapters_share(adapter_set *set) {
    if (set) set->uses++;
    return set;
}

void adapters_give(engine *e, adapter_set *set) {
    if (!set || --set->uses) return;
    for (uint32_t i = 0; i < set->count; i++) {
        adapter_release(set->entries[i].adapter);
        set->entries[i].adapter = NULL;
    }
    if (set->space) forget(e, REMEMBERED);
    else memory_free(&e->account, set);
}

/* ---- sequences ---- */

adapter_set *adapters_claim(engine *e, uint32_t count) {
    adapter_set *set = new_set(e, count);
    if (set) set->uses = 1;
    return set;
}

static bool fits_claim(const adapter_set *claim, const adapter_set *set) {
    if (!claim || !set || claim->space || claim->count != set->count) return false;
    for (uint32_t i = 0; i < set->count; i++)
        if (claim->entries[i].fingerprint != set->entries[i].fingerprint ||
            !same_weight(claim->entries[i].weight, set->entries[i].weight))
            return false;
    return true;
}

void adapters_adopt(engine *e, sequence *s, adapter_set *set) {
    if (s->set != set && !fits_claim(s->set, set)) {
        sequence_cut(e->cache, s, 0);
        source_lose(e, s);
    }
    adapters_give(e, s->set);
    s->set = set;
    if (s->cached == 0) s->space = set ? set->space : 0; /* all will be computed here */
}

puna_status adapters_for_engine(engine *e, const puna_adapter_use *asked, uint32_t count, puna_error *error) {
    adapter_set *set;
    puna_status status = adapters_take(e, asked, count, &set, error);
    if (status != PUNA_OK) return status;
    adapters_give(e, e->set);
    e->set = set;
    return PUNA_OK;
}

void adapters_trim(engine *e) {
    forget(e, 0);
    if (e->sets) return;
    const device *d = e->model->device;
    device_runner *all[] = {e->runner, e->reader, e->source_runner};
    for (int i = 0; i < 3; i++)
        if (all[i]) d->adapt(all[i], &e->account, NULL, NULL);
}
