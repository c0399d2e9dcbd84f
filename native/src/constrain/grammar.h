// SPDX-License-Identifier: Apache-2.0
/*
 * Constrained output: a grammar, compiled for one vocabulary, and the matchers that sequences walk it with.
 *
 *     text ─ gbnf ─► pushdown ─ automaton ─► states ─ × token tree ─► masks: the tokens that may come in a state
 *
 * What matchers find out (states, masks) is the grammar's and shared by all of them; tables that outgrow
 * GRAMMAR_TABLE_BYTES are cleared but for the states in which matchers are. What a mask holds depends on the text
 * alone: neither on other sequences nor on what was cached.
 *
 * A token may come if its bytes, one after the other, keep the text the beginning of something that the grammar allows;
 * tokens may end inside a character. Tokens that end a generation may come exactly where the text is whole. Control
 * tokens, unknown and unused ones never come.
 *
 * Threads: any; a grammar's lock is held while one of its matchers works. A matcher belongs to one thread at a time.
 */
#ifndef PUNA_CONSTRAIN_GRAMMAR_H
#define PUNA_CONSTRAIN_GRAMMAR_H

#include "text/tokenizer.h"

#define GRAMMAR_TABLE_BYTES ((uint64_t)24 << 20)

typedef struct puna_grammar grammar;
typedef struct matcher matcher;

/* Errors: those of gbnf_read; PUNA_INVALID_ARGUMENT where only the empty text is allowed. The caller holds one
   reference; the tokenizer may be freed before the grammar. */
puna_status grammar_compile(const tokenizer *t, const char *text, size_t length, grammar **out, puna_error *error);
void grammar_hold(grammar *g);
void grammar_release(grammar *g); /* NULL is allowed */
uint64_t grammar_memory(const grammar *g);

/* How many of a text's bytes are allowed, and whether all of them are a whole text. Errors as of matcher_take. */
puna_status grammar_match(grammar *g, const char *text, size_t length, size_t *matched, bool *whole, puna_error *error);

/* Tests make the tables' bound smaller, so that clearing happens. */
void grammar_bound(grammar *g, uint64_t bytes);

/* A matcher at the text's beginning; it holds the grammar. PUNA_INVALID_ARGUMENT where the grammar was compiled for
   another vocabulary than t's. */
puna_status matcher_create(grammar *g, const tokenizer *t, matcher **out, puna_error *error);
void matcher_free(matcher *m); /* NULL is allowed */

/* Sets the bits of the tokens that may come, of words * 64 bits; the others are cleared. `ends`: tokens that end a
   generation among them, where they may. PUNA_UNSUPPORTED: no token may, since no token of this vocabulary begins with
   a character that the grammar wants; or the grammar is too ambiguous. PUNA_OUT_OF_MEMORY. */
puna_status matcher_allow(matcher *m, bool ends, uint64_t *bits, size_t words, puna_error *error);

/* Takes a token of the text: one that was allowed, or one that ends a generation (nothing changes). A token that was
   not allowed is PUNA_INVALID_ARGUMENT. */
puna_status matcher_accept(matcher *m, const tokenizer *t, int32_t id, puna_error *error);

/* Takes bytes; PUNA_INVALID_ARGUMENT where the grammar does not allow them, with the offset: the matcher is then as it
   was. */
puna_status matcher_take(matcher *m, const char *bytes, size_t length, puna_error *error);

bool matcher_whole(const matcher *m); /* the text may end here */
bool matcher_over(const matcher *m);  /* it must: nothing can follow */

#endif
