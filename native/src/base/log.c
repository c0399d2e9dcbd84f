// SPDX-License-Identifier: Apache-2.0
/*
 * A ring of slots, each with a stamp. The writer of ticket t claims slot t mod 256 by making its stamp odd (2t + 1),
 * writes the words and makes it even (2t + 2). A reader that finds another stamp after copying throws its copy away. So
 * a writer waits for nobody: where another writer, 256 tickets behind, still is inside the slot, it gives its own entry
 * up.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/utf8.h"

enum { LOG_SLOTS = 256, LOG_TEXT = 480, LOG_WORDS = 2 + LOG_TEXT / 8 };

typedef struct log_slot {
    _Atomic uint64_t stamp;
    _Atomic uint64_t given_up; /* ticket + 1 of an entry that found the slot taken */
    _Atomic uint64_t words[LOG_WORDS]; /* level, time, text */
} log_slot;

static log_slot slots[LOG_SLOTS];
static _Atomic uint64_t next_ticket;
static _Atomic uint64_t read_ticket; /* guarded by reading */
static _Atomic uint64_t lost;        /* likewise: since the last entry that was read */
static atomic_flag reading = ATOMIC_FLAG_INIT;
static uint64_t loaded_ns;

__attribute__((constructor)) static void log_start(void) { loaded_ns = os_clock_ns(); }

void log_write(int32_t level, const char *format, ...) {
    char text[LOG_TEXT];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (length < 0) return;
    size_t used = (size_t)length < sizeof text ? (size_t)length : utf8_complete(text, sizeof text - 1);
    memset(text + used, 0, sizeof text - used);

    uint64_t ticket = atomic_fetch_add_explicit(&next_ticket, 1, memory_order_relaxed);
    log_slot *slot = &slots[ticket % LOG_SLOTS];
    uint64_t stamp = atomic_load_explicit(&slot->stamp, memory_order_relaxed);
    if ((stamp & 1) || stamp > 2 * ticket ||
        !atomic_compare_exchange_strong_explicit(&slot->stamp, &stamp, 2 * ticket + 1, memory_order_acq_rel,
                                                 memory_order_relaxed)) {
        atomic_store_explicit(&slot->given_up, ticket + 1, memory_order_release);
        return;
    }
    /* Release: whoever sees one of these words sees the odd stamp as well. */
    atomic_store_explicit(&slot->words[0], (uint64_t)(uint32_t)level, memory_order_release);
    atomic_store_explicit(&slot->words[1], os_clock_ns() - loaded_ns, memory_order_release);
    for (size_t i = 2; i < LOG_WORDS; i++) {
        uint64_t word;
        memcpy(&word, text + 8 * (i - 2), 8);
        atomic_store_explicit(&slot->words[i], word, memory_order_release);
    }
    atomic_store_explicit(&slot->stamp, 2 * ticket + 2, memory_order_release);
}

/* Copies ticket's entry; 1: done, 0: it is not written yet, -1: it is gone. */
static int copy_slot(uint64_t ticket, uint64_t words[LOG_WORDS]) {
    log_slot *slot = &slots[ticket % LOG_SLOTS];
    uint64_t stamp = atomic_load_explicit(&slot->stamp, memory_order_acquire);
    if (stamp > 2 * ticket + 2) return -1;
    if (stamp < 2 * ticket + 2) {
        return atomic_load_explicit(&slot->given_up, memory_order_acquire) == ticket + 1 ? -1 : 0;
    }
    for (size_t i = 0; i < LOG_WORDS; i++) words[i] = atomic_load_explicit(&slot->words[i], memory_order_acquire);
    return atomic_load_explicit(&slot->stamp, memory_order_relaxed) == stamp ? 1 : -1;
}

/* Under `reading`: the next entry that can be read. */
static bool take_locked(uint64_t words[LOG_WORDS], uint64_t *dropped) {
    uint64_t ticket = atomic_load_explicit(&read_ticket, memory_order_relaxed);
    uint64_t gone = atomic_load_explicit(&lost, memory_order_relaxed);
    int result = 0;
    for (;;) {
        uint64_t next = atomic_load_explicit(&next_ticket, memory_order_relaxed);
        if (ticket == next) break;
        if (next - ticket > LOG_SLOTS) {
            gone += next - ticket - LOG_SLOTS;
            ticket = next - LOG_SLOTS;
        }
        result = copy_slot(ticket, words);
        if (result == 0) break;
        ticket++;
        if (result > 0) break;
        gone++;
    }
    *dropped = gone;
    atomic_store_explicit(&lost, result > 0 ? 0 : gone, memory_order_relaxed);
    atomic_store_explicit(&read_ticket, ticket, memory_order_relaxed);
    return result > 0;
}

int32_t log_take(puna_log_entry *entry) {
    uint64_t words[LOG_WORDS], dropped;
    if (!entry || atomic_flag_test_and_set_explicit(&reading, memory_order_acquire)) return 0; /* another one reads */
    bool taken = take_locked(words, &dropped);
    atomic_flag_clear_explicit(&reading, memory_order_release);
    if (!taken) return 0;
    puna_log_entry made = { .size = entry->size, .level = (int32_t)(uint32_t)words[0], .time_ns = words[1],
                            .dropped = dropped };
    memcpy(made.message, words + 2, sizeof made.message);
    made.message[sizeof made.message - 1] = 0;
    memcpy(entry, &made, entry->size < sizeof made ? entry->size : sizeof made);
    return 1;
}
