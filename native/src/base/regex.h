// SPDX-License-Identifier: Apache-2.0
/*
 * Small regular expressions, compiled to a deterministic automaton over Unicode code points.
 *
 * Pre-tokenizers cut texts with them now; constrained output will walk them later. Time to match is linear in the text.
 * Syntax: literals, escapes (\n \r \t \s \S \d \p{L} \p{N} \p{Han} \P{..} \x{4E00} ...), classes, with && and another
 * class at their end, groups (?:...), (?i:...), alternation (leftmost alternative first, as in PCRE: not
 * leftmost-longest), greedy repetition * + ? {m,n}, and the look-ahead at one character that pre-tokenizers use:
 * (?!\S).
 */
#ifndef PUNA_BASE_REGEX_H
#define PUNA_BASE_REGEX_H

#include "base/error.h"
#include "base/memory.h"

typedef struct regex regex;

/* Errors: PUNA_INVALID_ARGUMENT with the offset in the pattern, PUNA_UNSUPPORTED, PUNA_OUT_OF_MEMORY. Bounded
   states. */
puna_status regex_compile(memory_account *account, const char *pattern, regex **out, puna_error *error);
void regex_free(memory_account *account, regex *automaton);

/* Bytes matched by the pattern at the very beginning of text (0: no match, or an empty one). */
size_t regex_match(const regex *automaton, const char *text, size_t length);

/* The same where each byte is a character of its own, with the code point of its value. */
size_t regex_match_bytes(const regex *automaton, const char *text, size_t length);

#endif
