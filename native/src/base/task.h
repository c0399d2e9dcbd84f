// SPDX-License-Identifier: Apache-2.0
/* A piece of work that others watch and cancel: puna_task of puna.h. All fields may be touched by any thread. */
#ifndef PUNA_BASE_TASK_H
#define PUNA_BASE_TASK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"

struct puna_task {
    _Atomic uint64_t done, total; /* bytes */
    _Atomic bool cancelled;
};

/* All three accept NULL: no task, nothing to tell. */
bool task_cancelled(puna_task *task);
void task_total(puna_task *task, uint64_t total);
void task_advance(puna_task *task, uint64_t done);

/* PUNA_CANCELLED for `what`. */
puna_status task_stopped(puna_error *error, const char *what);

#endif
