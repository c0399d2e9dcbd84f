// SPDX-License-Identifier: Apache-2.0
/*
 * Sets of adapters: what a generation asks for, in its order, each with a weight. A weight of 0 is as if the adapter
 * were not there; a set of none is NULL.
 *
 * Keys and values are a set's: equal sets of an engine (the same adapters, the same weights, the same order) are one
 * object with a prefix space of its own, so that sequences find each other's pages where, and only where, the same was
 * computed. So are the pages of a source (source.h), which lie with one sequence and its forks. A set that nobody uses
 * lets go of its adapters, but keeps its space for when it comes again; the last few of those are remembered.
 *
 * What was restored from a file claims to be of a set: adapters by their fingerprints, which are believed as the rest
 * of the file is. A sequence keeps its pages where the set that is asked for fits the claim.
 *
 * The engine's thread alone. A set is held by counted uses; adapters by references, so that they may be closed.
 */
#ifndef PUNA_ENGINE_ADAPTERS_H
#define PUNA_ENGINE_ADAPTERS_H

#include "engine/engine.h"
#include "model/adapter.h"

typedef struct adapters_entry {
    adapter *adapter;     /* NULL: nobody uses the set, or it is a claim */
    uint64_t serial;      /* 0: of a claim */
    uint64_t fingerprint;
    float weight;
} adapters_entry;

struct adapter_set {
    struct adapter_set *next;
    uint64_t space;       /* 0: a claim */
    uint32_t uses, count;
    device_set view;      /* for the device, while it is used */
    device_adapted *adapted;
    adapters_entry entries[];
};

/* Finds or makes the set, counts a use of it, and makes room for it. PUNA_INVALID_ARGUMENT (too many, a weight that is
   not finite, an adapter of another model), PUNA_OUT_OF_MEMORY. */
puna_status adapters_take(engine *e, const puna_adapter_use *asked, uint32_t count, adapter_set **out,
                          puna_error *error);
adapter_set *adapters_share(adapter_set *set); /* NULL: NULL */
void adapters_give(engine *e, adapter_set *set);

/* The sequence computes with this set from now on, whose use it takes over; it loses its pages if they are another
   one's. */
void adapters_adopt(engine *e, sequence *s, adapter_set *set);

/* A claim, to be filled in by the caller. */
adapter_set *adapters_claim(engine *e, uint32_t count);

/* What puna_engine_logits, puna_engine_embed and puna_engine_fill compute with. */
puna_status adapters_for_engine(engine *e, const puna_adapter_use *asked, uint32_t count, puna_error *error);

/* Forgets sets without uses; where none has any, the runners' room goes, too. All of it at the engine's end. */
void adapters_trim(engine *e);

#endif
