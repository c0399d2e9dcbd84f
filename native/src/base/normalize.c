// SPDX-License-Identifier: Apache-2.0
/*
 * Most text has nothing to do. What has is worked on in stretches: from a character that may begin a text to the next
 * one that may; a stretch is taken apart, its marks are put in order, and it is composed again.
 */
#include "base/normalize.h"

#include <string.h>

#include "base/normalize_table.h"
#include "base/utf8.h"

#define RAW 0x110000u /* and the byte: one that is not UTF-8 */
#define HANGUL 0xAC00u
#define HANGUL_COUNT 11172u
#define JAMO_L 0x1100u
#define JAMO_V 0x1161u
#define JAMO_T 0x11A7u

typedef struct mark { uint32_t character, class; } mark;

typedef struct work {
    memory_account *account;
    char *out;
    size_t length, capacity;
    mark *marks, *sorted; /* the stretch; `sorted` is as large */
    size_t count, room;
} work;

/* ---- Tables ---- */

static bool is_unsure(uint32_t character) {
    size_t low = 0, high = normalize_unsure_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (normalize_unsure[middle].last < character) low = middle + 1;
        else high = middle;
    }
    return low < normalize_unsure_count && normalize_unsure[low].first <= character;
}

static uint32_t class_of(uint32_t character) {
    size_t low = 0, high = normalize_class_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (normalize_classes[middle].last < character) low = middle + 1;
        else high = middle;
    }
    bool found = low < normalize_class_count && normalize_classes[low].first <= character;
    return found ? normalize_classes[low].class : 0;
}

static const normalize_pair *parts_of(uint32_t character) {
    size_t low = 0, high = normalize_pair_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (normalize_pairs[middle].character < character) low = middle + 1;
        else high = middle;
    }
    return low < normalize_pair_count && normalize_pairs[low].character == character ? &normalize_pairs[low] : NULL;
}

/* What the two become, or 0. */
static uint32_t composed(uint32_t first, uint32_t second) {
    if (first - JAMO_L < 19 && second - JAMO_V < 21) return HANGUL + ((first - JAMO_L) * 21 + second - JAMO_V) * 28;
    if (first - HANGUL < HANGUL_COUNT && (first - HANGUL) % 28 == 0 && second - JAMO_T - 1 < 27)
        return first + second - JAMO_T;
    size_t low = 0, high = normalize_composition_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const normalize_pair *pair = &normalize_pairs[normalize_compositions[middle]];
        if (pair->first < first || (pair->first == first && pair->second < second)) low = middle + 1;
        else high = middle;
    }
    if (low == normalize_composition_count) return 0;
    const normalize_pair *pair = &normalize_pairs[normalize_compositions[low]];
    return pair->first == first && pair->second == second ? pair->character : 0;
}

/* ---- A stretch ---- */

static bool add_mark(work *w, uint32_t character) {
    if (w->count == w->room) {
        size_t room = w->room ? w->room * 2 : 64;
        mark *marks = memory_grow(w->account, w->marks, room * sizeof *marks);
        if (!marks) return false;
        w->marks = marks;
        mark *sorted = memory_grow(w->account, w->sorted, room * sizeof *sorted);
        if (!sorted) return false;
        w->sorted = sorted;
        w->room = room;
    }
    w->marks[w->count++] = (mark){character, class_of(character)};
    return true;
}

/* Apart, whole: the first of two parts may have parts itself; there are never more than four in the end. */
static bool take_apart(work *w, uint32_t character) {
    uint32_t behind[4];
    size_t waiting = 0;
    if (character - HANGUL < HANGUL_COUNT) {
        uint32_t index = character - HANGUL, last = index % 28;
        return add_mark(w, JAMO_L + index / (21 * 28)) && add_mark(w, JAMO_V + index % (21 * 28) / 28)
            && (last == 0 || add_mark(w, JAMO_T + last));
    }
    for (const normalize_pair *pair; waiting < 4 && (pair = parts_of(character)) != NULL; character = pair->first) {
        if (pair->second) behind[waiting++] = pair->second;
    }
    if (!add_mark(w, character)) return false;
    while (waiting) {
        if (!add_mark(w, behind[--waiting])) return false;
    }
    return true;
}

/* Each run of marks by class; equal classes keep their order. Counting, so that no text can make it slow. */
static void put_in_order(work *w) {
    for (size_t begin = 0, end; begin < w->count; begin = end) {
        size_t places[256] = {0};
        bool ordered = true;
        end = begin + 1;
        if (w->marks[begin].class == 0) continue;
        for (; end < w->count && w->marks[end].class; end++)
            ordered = ordered && w->marks[end].class >= w->marks[end - 1].class;
        if (ordered) continue;
        for (size_t i = begin; i < end; i++) places[w->marks[i].class]++;
        for (size_t class = 0, before = begin; class < 256; class++) {
            size_t count = places[class];
            places[class] = before;
            before += count;
        }
        for (size_t i = begin; i < end; i++) w->sorted[places[w->marks[i].class]++] = w->marks[i];
        memcpy(w->marks + begin, w->sorted + begin, (end - begin) * sizeof *w->marks);
    }
}

/* A mark joins the last character that is none, unless a mark of its class, or a higher one, stands between. */
static void compose(work *w) {
    size_t kept = 0, base = SIZE_MAX;
    for (size_t i = 0; i < w->count; i++) {
        mark m = w->marks[i];
        bool next_to_it = base != SIZE_MAX && kept == base + 1;
        bool reaches = base != SIZE_MAX && (next_to_it || (m.class && w->marks[kept - 1].class < m.class));
        uint32_t both = reaches ? composed(w->marks[base].character, m.character) : 0;
        if (both) {
            w->marks[base].character = both;
            continue;
        }
        if (m.class == 0) base = kept;
        w->marks[kept++] = m;
    }
    w->count = kept;
}

/* ---- The text ---- */

static bool put(work *w, const char *bytes, size_t length) {
    if (length > w->capacity - w->length) {
        size_t capacity = (w->length + length) * 2;
        char *out = memory_grow(w->account, w->out, capacity);
        if (!out) return false;
        w->out = out;
        w->capacity = capacity;
    }
    if (length) memcpy(w->out + w->length, bytes, length);
    w->length += length;
    return true;
}

static bool put_character(work *w, uint32_t character) {
    char bytes[4] = {(char)(unsigned char)(character - RAW)};
    return put(w, bytes, character >= RAW ? 1 : utf8_encode(character, bytes));
}

static uint32_t next(const char *text, size_t length, size_t *used) {
    uint32_t character = utf8_decode(text, length, used);
    if (character != UTF8_INVALID) return character;
    *used = 1;
    return RAW + (unsigned char)*text;
}

static bool stretch(work *w, const char *text, size_t length) {
    size_t used;
    w->count = 0;
    for (size_t at = 0; at < length; at += used) {
        if (!take_apart(w, next(text + at, length - at, &used))) return false;
    }
    put_in_order(w);
    compose(w);
    for (size_t i = 0; i < w->count; i++) {
        if (!put_character(w, w->marks[i].character)) return false;
    }
    return true;
}

/* Where the first unsure character at or behind `at` stands; *begin: the character before it. */
static size_t find_unsure(const char *text, size_t length, size_t at, size_t *begin) {
    size_t used;
    for (; at < length; at += used) {
        used = 1;
        /* Below U+0300, whose first byte is CC, everything may stand. */
        if ((unsigned char)text[at] >= 0xCC && is_unsure(next(text + at, length - at, &used))) return at;
        if ((text[at] & 0xC0) != 0x80) *begin = at;
    }
    return length;
}

bool normalize_nfc(memory_account *account, const char *text, size_t length, char **result, size_t *result_length) {
    work w = {.account = account};
    size_t copied = 0, at, begin = 0, used;
    bool done = true;
    *result = NULL;
    *result_length = length;
    while (done && (at = find_unsure(text, length, copied, &begin)) < length) {
        if (begin < copied) begin = copied;
        size_t end = at;
        while (end < length && is_unsure(next(text + end, length - end, &used))) end += used;
        done = put(&w, text + copied, begin - copied) && stretch(&w, text + begin, end - begin);
        copied = end;
        begin = end;
    }
    if (done && w.out) done = put(&w, text + copied, length - copied);
    memory_free(account, w.marks);
    memory_free(account, w.sorted);
    if (!done || !w.out || (w.length == length && memcmp(w.out, text, length) == 0)) {
        memory_free(account, w.out);
        return done;
    }
    *result = w.out;
    *result_length = w.length;
    return true;
}

/* Stretches end at ASCII, or behind some hundred marks where the next one may stand first. */
bool normalize_nfd(memory_account *account, const char *text, size_t length, char **result, size_t *result_length) {
    work w = {.account = account};
    bool done = true;
    size_t used;
    for (size_t at = 0; done && at < length; at += used) {
        size_t before = w.count;
        uint32_t character = next(text + at, length - at, &used);
        done = character < 0x80 ? add_mark(&w, character) : take_apart(&w, character);
        if (!done || (at + used < length && (before < 256 || w.marks[before].class))) continue;
        size_t last = at + used < length ? before : w.count, count = w.count;
        w.count = last;
        put_in_order(&w);
        for (size_t i = 0; done && i < last; i++) done = put_character(&w, w.marks[i].character);
        memmove(w.marks, w.marks + last, (count - last) * sizeof *w.marks);
        w.count = count - last;
    }
    memory_free(account, w.marks);
    memory_free(account, w.sorted);
    if (done && !w.out) done = (w.out = memory_new(account, 1)) != NULL;
    if (!done) memory_free(account, w.out);
    *result = done ? w.out : NULL;
    *result_length = done ? w.length : 0;
    return done;
}
