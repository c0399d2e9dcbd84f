// SPDX-License-Identifier: Apache-2.0
#include "engine/events.h"

#include <string.h>

void events_init(events *e, memory_account *account) {
    memset(e, 0, sizeof *e);
    e->account = account;
}

void events_free(events *e) {
    memory_free(e->account, e->entries);
    memory_free(e->account, e->text);
    memory_free(e->account, e->top);
    events_init(e, e->account);
}

void events_clear(events *e) {
    e->count = e->taken = 0;
    e->text_length = e->top_count = 0;
}

/* Room for `more` elements of `size` bytes behind `count`; false without memory. */
static bool reserve(memory_account *account, void **array, size_t count, size_t more, size_t *capacity, size_t size) {
    if (count + more <= *capacity) return true;
    size_t wanted = *capacity ? *capacity : 64, bytes;
    while (wanted < count + more) wanted *= 2;
    void *grown = memory_multiply(wanted, size, &bytes) ? memory_grow(account, *array, bytes) : NULL;
    if (!grown) return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

static size_t put_text(events *e, const char *text, size_t length) {
    size_t at = e->text_length;
    if (length) memcpy(e->text + at, text, length);
    e->text[at + length] = 0;
    e->text_length = at + length + 1;
    return at;
}

bool events_reserve(events *e, uint32_t entries, size_t text, size_t top) {
    size_t capacity = e->capacity;
    bool room = reserve(e->account, (void **)&e->entries, e->count, entries, &capacity, sizeof *e->entries);
    e->capacity = (uint32_t)capacity;
    return room && reserve(e->account, (void **)&e->text, e->text_length, text, &e->text_capacity, 1) &&
           reserve(e->account, (void **)&e->top, e->top_count, top, &e->top_capacity, sizeof *e->top);
}

bool events_add(events *e, const puna_event *event) {
    size_t message = event->message ? strlen(event->message) : 0, length = (size_t)event->text_length;
    if (!events_reserve(e, 1, length + message + 2, event->top_count)) return false;
    events_entry *entry = &e->entries[e->count++];
    entry->event = *event;
    entry->text = put_text(e, event->text, length);
    entry->message = put_text(e, event->message, message);
    entry->top = e->top_count;
    if (event->top_count) memcpy(e->top + e->top_count, event->top, event->top_count * sizeof *e->top);
    e->top_count += event->top_count;
    return true;
}

int32_t events_take(events *e, puna_event *out) {
    if (e->taken == e->count) return 0;
    const events_entry *entry = &e->entries[e->taken++];
    *out = entry->event;
    out->size = sizeof *out;
    out->text = e->text + entry->text;
    out->message = e->text + entry->message;
    out->top = entry->event.top_count ? e->top + entry->top : NULL;
    return 1;
}
