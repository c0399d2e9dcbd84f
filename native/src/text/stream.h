// SPDX-License-Identifier: Apache-2.0
/*
 * Generated tokens to text, piece by piece: a piece never ends inside a UTF-8 character, and text that may be the
 * beginning of a stop string is held back until it is certain. Bytes that can't become UTF-8 come out as U+FFFD, so
 * that the text handed out is always valid UTF-8.
 *
 * Invariant: released text + held text = the text of all tokens pushed, up to a stop.
 */
#ifndef PUNA_TEXT_STREAM_H
#define PUNA_TEXT_STREAM_H

#include "text/tokenizer.h"

typedef struct stream stream;

/* Copies the stop strings (each non-empty, count <= PUNA_MAX_STOPS, together at most 64 KiB). */
puna_status stream_create(memory_account *account, const tokenizer *t, const puna_text *stops, uint32_t stop_count,
                          stream **out, puna_error *error);
void stream_free(memory_account *account, stream *s);

/* Adds a token. *text, *length: what became final (valid until the next call). Returns PUNA_OK; *stop is the index of
   the stop string that was reached (the one that ends first; of those that end together the longest), else -1. */
puna_status stream_push(stream *s, int32_t id, const char **text, size_t *length, int32_t *stop, puna_error *error);

/* Bytes that wait, as they would be handed out at most. */
size_t stream_held(const stream *s);

/* The end: whatever was held. An incomplete character becomes U+FFFD; if that completes a stop string, the text ends
   before the stop, which is not reported. */
puna_status stream_finish(stream *s, const char **text, size_t *length, puna_error *error);

#endif
