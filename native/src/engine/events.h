// SPDX-License-Identifier: Apache-2.0
/*
 * What a step tells: a list of events with their texts and log-probabilities, kept until the next step.
 *
 * Invariant: texts and lists lie in two growing buffers; an event holds offsets until it is taken, since the buffers
 * may move while the step goes on.
 */
#ifndef PUNA_ENGINE_EVENTS_H
#define PUNA_ENGINE_EVENTS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct events_entry {
    puna_event event;
    size_t text, message, top; /* offsets */
} events_entry;

typedef struct events {
    memory_account *account;
    events_entry *entries;
    uint32_t count, capacity, taken;
    char *text;
    size_t text_length, text_capacity;
    puna_logprob *top;
    size_t top_count, top_capacity;
} events;

void events_init(events *e, memory_account *account);
void events_free(events *e);
void events_clear(events *e);

/* Room for that many more events with texts and lists of these sizes together (a text counts with its end, a byte):
   adding them can't fail then. False without memory. */
bool events_reserve(events *e, uint32_t entries, size_t text, size_t top);

/* Adds a copy of `event`, of its text, message and top list. False without memory: nothing is added. */
bool events_add(events *e, const puna_event *event);

/* As puna_engine_next_event. */
int32_t events_take(events *e, puna_event *out);

#endif
