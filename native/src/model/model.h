// SPDX-License-Identifier: Apache-2.0
/*
 * A loaded model: file, tokenizer, hyperparameters, graph and packed weights. Immutable; shared by engines through a
 * reference count, so that the order of closing does not matter.
 */
#ifndef PUNA_MODEL_MODEL_H
#define PUNA_MODEL_MODEL_H

#include <stdatomic.h>

#include "base/task.h"
#include "device/device.h"
#include "model/hyper.h"
#include "text/tokenizer.h"

struct puna_model {
    _Atomic uint32_t references;
    memory_account account;
    gguf_file *file;
    tokenizer *tokenizer;
    hyper hyper;
    graph graph;
    const device *device;
    device_weights *weights;
    uint64_t parameters;
    uint32_t main_type; /* what most weights are stored as */
};

typedef struct puna_model model;

puna_status model_load(const char *path, uint32_t threads, puna_task *task, model **out, puna_error *error);
model *model_share(model *m);
void model_release(model *m); /* NULL is allowed */

uint64_t model_memory(const model *m);

/* What it can do: PUNA_CAN_*; what it gives for a text. */
uint32_t model_capabilities(const model *m);
uint32_t model_labels(const model *m);  /* 0: no classifier */
uint32_t model_pooling(const model *m); /* PUNA_POOL_*, decided */
uint32_t model_types(const model *m);   /* token types; 0: it has none */

/* Fails for a model that can't do `what` ("generate text"): PUNA_UNSUPPORTED with what it is and can do. */
puna_status model_refuse(const model *m, const char *what, puna_error *error);

/* Everything of a model but its weights: to be added to what the outline's account, a tokenizer and the file hold. */
uint64_t model_overhead(const device_memory *memory);

/* Hyperparameters and graph from metadata alone, nothing loaded: what a plan needs. *h and *g are filled; free g. */
puna_status model_outline(const gguf_file *file, memory_account *account, hyper *h, graph *g, puna_error *error);

#endif
