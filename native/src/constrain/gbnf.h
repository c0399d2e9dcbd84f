// SPDX-License-Identifier: Apache-2.0
/*
 * Grammar texts in the notation that llama.cpp calls GBNF:
 *
 *     root   ::= "yes" | "no" | list      # one rule a line; a line goes on behind | and inside ( )
 *     list   ::= "[" item ("," item){0,9} "]"
 *     item   ::= [a-z_]+ [^\x00-\x1F"]? .
 *
 * Texts and classes know \n \r \t \\ \" \[ \] \- \^ \xHH \uHHHH \UHHHHHHHH; a character is a code point, never a byte.
 * Counts are * + ? {m} {m,} {m,n}. Names are letters, digits, - and _. Matching begins at `root`.
 */
#ifndef PUNA_CONSTRAIN_GBNF_H
#define PUNA_CONSTRAIN_GBNF_H

#include "constrain/pushdown.h"

#define GBNF_MAX_LENGTH (1u << 20)
#define GBNF_MAX_RULES (1u << 14)

/* Reads the whole text into `p`, begun and empty, and finishes it. PUNA_INVALID_ARGUMENT with the offset in the text
   and what is wrong there, PUNA_UNSUPPORTED (tokens by name), PUNA_OUT_OF_MEMORY; p is to be freed in any case. */
puna_status gbnf_read(pushdown *p, const char *text, size_t length, puna_error *error);

#endif
