// SPDX-License-Identifier: Apache-2.0
#include "base/task.h"

bool task_cancelled(puna_task *task) {
    return task && atomic_load_explicit(&task->cancelled, memory_order_relaxed);
}

void task_total(puna_task *task, uint64_t total) {
    if (task) atomic_store_explicit(&task->total, total, memory_order_relaxed);
}

void task_advance(puna_task *task, uint64_t done) {
    if (task) atomic_fetch_add_explicit(&task->done, done, memory_order_relaxed);
}

puna_status task_stopped(puna_error *error, const char *what) {
    return error_set(error, PUNA_CANCELLED, what, "%s was cancelled", what);
}
