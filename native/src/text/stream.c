// SPDX-License-Identifier: Apache-2.0
/*
 * Two stations, each of which holds back as little as it can:
 *
 *   - bytes to UTF-8: a character that is not complete waits (at most three bytes); bytes that can't be one any more
 *     become U+FFFD, one for each maximal part of a character, as the Unicode standard recommends (chapter 3.9);
 *   - stop strings: all of them at once, by the tree of their prefixes with links to the longest shorter suffix
 *     (Aho and Corasick). What waits is exactly the text's longest end that begins a stop.
 *
 * A stop is reached where it first ends; of those that end at the same place the one that began first is taken. So
 * the result does not depend on how the text was cut into tokens.
 */
#include "text/stream.h"

#include <string.h>

#include "base/utf8.h"
#include "text/trie.h"

#define MAX_STOP_BYTES (64u * 1024u)

struct stream {
    memory_account *account;
    const tokenizer *tokenizer;
    trie stops;
    uint32_t *shorter;      /* of each node: the node of the longest proper suffix that begins a stop */
    uint32_t *depth;        /* of each node: its bytes */
    int32_t *ends;          /* of each node: the longest stop that is a suffix of it, or -1 */
    uint32_t *stop_lengths;
    uint32_t node;          /* the longest end of the text so far that begins a stop */
    int32_t stopped;        /* the stop that was reached, -1 before */
    uint8_t partial[4];     /* an incomplete character */
    uint32_t partial_count;
    char *text;             /* [0, released) was handed out by the last call, [released, count) is held */
    size_t released, count, capacity;
};

/* ---- Creation ---- */

static puna_status check_stops(const puna_text *stops, uint32_t count, size_t *total, puna_error *error) {
    *total = 0;
    if (count > PUNA_MAX_STOPS) {
        return error_set(error, PUNA_INVALID_ARGUMENT, "stops", "There are %u stop strings; at most %u are allowed.",
                         count, PUNA_MAX_STOPS);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!stops[i].text || stops[i].length == 0) {
            return error_set(error, PUNA_INVALID_ARGUMENT, "stops",
                             "Stop string %u is empty: it would end every text.", i);
        }
        if (stops[i].length > MAX_STOP_BYTES - *total) {
            return error_set(error, PUNA_INVALID_ARGUMENT, "stops",
                             "The stop strings are longer than 64 KiB together.");
        }
        *total += (size_t)stops[i].length;
        if (utf8_valid(stops[i].text, (size_t)stops[i].length) != stops[i].length) {
            return error_set(error, PUNA_INVALID_ARGUMENT, "stops", "Stop string %u is not UTF-8.", i);
        }
    }
    return PUNA_OK;
}

/* Nodes are numbered as strings were added, so a node's suffixes, which are shorter, may have higher numbers: the
   strings are walked side by side, one more byte a round, and a round needs only the ones before. */
static void link_suffixes(stream *s, const puna_text *stops, uint32_t count) {
    uint32_t nodes[PUNA_MAX_STOPS] = {0};
    bool more = count > 0;
    s->ends[0] = -1;
    for (uint64_t at = 0; more; at++) {
        more = false;
        for (uint32_t i = 0; i < count; i++) {
            if (at >= stops[i].length) continue;
            uint8_t byte = (uint8_t)stops[i].text[at];
            uint32_t parent = nodes[i], node = trie_next(&s->stops, parent, byte), suffix = s->shorter[parent];
            more = true;
            nodes[i] = node;
            if (s->depth[node]) continue; /* shared with a stop before */
            while (suffix && !trie_next(&s->stops, suffix, byte)) suffix = s->shorter[suffix];
            s->shorter[node] = parent ? trie_next(&s->stops, suffix, byte) : 0;
            s->depth[node] = (uint32_t)at + 1;
            s->ends[node] = s->stops.values[node] >= 0 ? s->stops.values[node] : s->ends[s->shorter[node]];
        }
    }
}

static puna_status fill(stream *s, const puna_text *stops, uint32_t count, size_t total, puna_error *error) {
    bool made = trie_create(s->account, total, &s->stops);
    s->shorter = memory_array(s->account, total + 1, sizeof *s->shorter);
    s->depth = memory_array(s->account, total + 1, sizeof *s->depth);
    s->ends = memory_array(s->account, total + 1, sizeof *s->ends);
    s->stop_lengths = memory_array(s->account, count, sizeof *s->stop_lengths);
    if (!made || !s->shorter || !s->depth || !s->ends || !s->stop_lengths) {
        return error_memory(error, "stop strings", total * 36);
    }
    for (uint32_t i = 0; i < count; i++) {
        trie_add(&s->stops, stops[i].text, (size_t)stops[i].length, (int32_t)i);
        s->stop_lengths[i] = (uint32_t)stops[i].length;
    }
    link_suffixes(s, stops, count);
    return PUNA_OK;
}

puna_status stream_create(memory_account *account, const tokenizer *t, const puna_text *stops, uint32_t stop_count,
                          stream **out, puna_error *error) {
    size_t total;
    *out = NULL;
    puna_status status = check_stops(stops, stop_count, &total, error);
    if (status != PUNA_OK) return status;
    stream *s = memory_new(account, sizeof *s);
    if (!s) return error_memory(error, "a stream of text", sizeof *s);
    s->account = account;
    s->tokenizer = t;
    s->stopped = -1;
    status = fill(s, stops, stop_count, total, error);
    if (status == PUNA_OK) *out = s;
    else stream_free(account, s);
    return status;
}

void stream_free(memory_account *account, stream *s) {
    if (!s) return;
    trie_free(account, &s->stops);
    memory_free(account, s->shorter);
    memory_free(account, s->depth);
    memory_free(account, s->ends);
    memory_free(account, s->stop_lengths);
    memory_free(account, s->text);
    memory_free(account, s);
}

/* ---- The text ---- */

static bool reserve(stream *s, size_t more) {
    size_t needed, capacity = s->capacity ? s->capacity : 256;
    if (!memory_add(s->count, more, &needed) || needed > SIZE_MAX / 2) return false;
    if (needed <= s->capacity) return true;
    while (capacity < needed) capacity *= 2;
    char *text = memory_grow(s->account, s->text, capacity);
    if (!text) return false;
    s->text = text;
    s->capacity = capacity;
    return true;
}

/* What the last call handed out is forgotten. */
static void drop_released(stream *s) {
    if (s->released) memmove(s->text, s->text + s->released, s->count - s->released);
    s->count -= s->released;
    s->released = 0;
}

/* A byte of valid text: searches for stops. */
static void add_byte(stream *s, uint8_t byte) {
    if (s->stopped >= 0) return;
    s->text[s->count++] = (char)byte;
    uint32_t next;
    while ((next = trie_next(&s->stops, s->node, byte)) == 0 && s->node) s->node = s->shorter[s->node];
    s->node = next;
    if (s->ends[s->node] < 0) return;
    s->stopped = s->ends[s->node];
    s->count -= s->stop_lengths[s->stopped];
    s->node = 0;
}

static void add_replacement(stream *s) {
    add_byte(s, 0xEF);
    add_byte(s, 0xBF);
    add_byte(s, 0xBD);
    s->partial_count = 0;
}

/* ---- Bytes to UTF-8 ---- */

/* Bytes of the character that begins with `lead`; 0 if none does. */
static uint32_t character_bytes(uint8_t lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/* Whether `byte` may follow partial[0 .. count): the second byte's range excludes overlong forms, surrogates and what
   is beyond U+10FFFF. */
static bool may_follow(const stream *s, uint8_t byte) {
    uint8_t low = 0x80, high = 0xBF, lead = s->partial[0];
    if (s->partial_count == 1) {
        if (lead == 0xE0) low = 0xA0;
        if (lead == 0xED) high = 0x9F;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;
    }
    return byte >= low && byte <= high;
}

static void push_byte(stream *s, uint8_t byte) {
    if (s->partial_count && !may_follow(s, byte)) add_replacement(s);
    s->partial[s->partial_count++] = byte;
    uint32_t needed = character_bytes(s->partial[0]);
    if (needed == 0) {
        add_replacement(s);
    } else if (s->partial_count == needed) {
        for (uint32_t i = 0; i < needed; i++) add_byte(s, s->partial[i]);
        s->partial_count = 0;
    }
}

/* ---- Interface ---- */

static void hand_out(stream *s, size_t end, const char **text, size_t *length) {
    *text = end ? s->text : "";
    *length = s->released = end;
}

puna_status stream_push(stream *s, int32_t id, const char **text, size_t *length, int32_t *stop, puna_error *error) {
    size_t count = 0;
    if (id < 0 || id >= tokenizer_size(s->tokenizer)) {
        return error_set(error, PUNA_INVALID_ARGUMENT, "id", "Token %d does not exist; the vocabulary has 0 to %d.", id,
                         tokenizer_size(s->tokenizer) - 1);
    }
    const char *bytes = tokenizer_bytes(s->tokenizer, id, &count);
    /* Each byte may become U+FFFD, and so may the incomplete character before. Nothing has changed if this fails. */
    if (!reserve(s, 3 * (count + 4))) return error_memory(error, "generated text", 3 * (uint64_t)count);
    drop_released(s);
    for (size_t i = 0; i < count && s->stopped < 0; i++) push_byte(s, (uint8_t)bytes[i]);
    hand_out(s, s->count - s->depth[s->node], text, length);
    *stop = s->stopped;
    return PUNA_OK;
}

size_t stream_held(const stream *s) { return s->count - s->released + 3 * (size_t)s->partial_count; }

puna_status stream_finish(stream *s, const char **text, size_t *length, puna_error *error) {
    if (!reserve(s, 3)) return error_memory(error, "generated text", 3);
    drop_released(s);
    if (s->partial_count && s->stopped < 0) add_replacement(s);
    hand_out(s, s->count, text, length);
    s->node = 0;
    return PUNA_OK;
}
