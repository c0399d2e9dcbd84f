// SPDX-License-Identifier: Apache-2.0
/*
 * Low-rank adapters (LoRA: Hu et al., arXiv:2106.09685) of a model, from files as llama.cpp has them: general.type
 * "adapter", adapter.type "lora", adapter.lora.alpha, and for a tensor NAME of the model NAME.lora_a [inputs, rank]
 * and NAME.lora_b [rank, outputs]. y = W x becomes y + weight * (alpha / rank) * B (A x); with an alpha of 0 the scale
 * is 1.
 *
 * Invariant of one that is loaded: each of its parts fits a matrix of the model that products take; its numbers are
 * finite. Immutable, shared through a reference count; it holds its model.
 */
#ifndef PUNA_MODEL_ADAPTER_H
#define PUNA_MODEL_ADAPTER_H

#include "model/model.h"

struct puna_adapter {
    _Atomic uint32_t references;
    memory_account account;
    model *model;
    device_adapter *data;
    uint64_t serial;      /* no two adapters of a process have the same */
    uint64_t fingerprint; /* of all that the file says, its numbers too: equal ones give equal bits */
    uint64_t parameters;
    float alpha;
    uint32_t tensors;     /* of the model, that it changes */
    uint32_t rank;        /* the largest */
    char name[128];       /* general.name, may be empty */
};

typedef struct puna_adapter adapter;

/* PUNA_INVALID_FILE (what contradicts itself), PUNA_UNSUPPORTED (another kind of adapter, a tensor that adapters can't
   change), PUNA_INVALID_ARGUMENT (one for another model), PUNA_CANCELLED, and those of gguf_open. */
puna_status adapter_load(model *m, const char *path, puna_task *task, adapter **out, puna_error *error);
adapter *adapter_share(adapter *a);
void adapter_release(adapter *a); /* NULL is allowed */
uint64_t adapter_memory(const adapter *a);

#endif
