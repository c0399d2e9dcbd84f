// SPDX-License-Identifier: Apache-2.0
/*
 * A lock for moments: held while a few tables are read or grown, never while anything waits. One word; zeroed memory is
 * an open lock, and nothing has to be freed.
 */
#ifndef PUNA_BASE_LOCK_H
#define PUNA_BASE_LOCK_H

#include "base/os.h"

/* 0: open, 1: held, 2: held and somebody may sleep on it. */
typedef struct lock { _Atomic uint32_t word; } lock;

static inline void lock_take(lock *l) {
    uint32_t seen = 0;
    if (atomic_compare_exchange_strong_explicit(&l->word, &seen, 1, memory_order_acquire, memory_order_relaxed)) return;
    while (atomic_exchange_explicit(&l->word, 2, memory_order_acquire) != 0) os_wait(&l->word, 2);
}

static inline void lock_give(lock *l) {
    if (atomic_exchange_explicit(&l->word, 0, memory_order_release) == 2) os_wake_all(&l->word);
}

#endif
