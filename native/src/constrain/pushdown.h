// SPDX-License-Identifier: Apache-2.0
/*
 * A context-free grammar over bytes as a recursive network: rules are small automata that may call each other.
 *
 *     RANGE  eats one byte, low to high, and goes on to out
 *     SPLIT  goes on to out and to other
 *     CALL   goes through the rule `other`, then on to out
 *     END    the rule's end
 *     EMPTY  goes on to out; pushdown_finish leaves none that anything leads to
 *
 * A builder (gbnf.c) makes fragments and joins them; pushdown_finish then checks the whole, after which it is
 * immutable.
 *
 * Invariants after pushdown_finish: no rule reaches a call of itself without eating a byte (no left recursion), so that
 * following calls always ends; from everywhere some text leads to the end, so that a grammar has no blind alley.
 */
#ifndef PUNA_CONSTRAIN_PUSHDOWN_H
#define PUNA_CONSTRAIN_PUSHDOWN_H

#include "base/error.h"
#include "base/memory.h"
#include "base/regex_set.h"

#define PUSHDOWN_MAX_NODES (1u << 18)
#define PUSHDOWN_NONE 0xFFFFFFFFu
#define PUSHDOWN_SETS 64u

typedef enum pushdown_kind {
    PUSHDOWN_EMPTY, PUSHDOWN_SPLIT, PUSHDOWN_RANGE, PUSHDOWN_CALL, PUSHDOWN_END
} pushdown_kind;

typedef struct pushdown_node {
    uint8_t kind, low, high;
    bool tail; /* a CALL with nothing but the end behind it: needs no way back */
    uint32_t out, other;
} pushdown_node;

typedef struct pushdown_rule {
    uint32_t start;       /* PUSHDOWN_NONE until it is defined */
    uint32_t name;        /* offset in the grammar's text; of a hidden rule: of what it was made from */
    uint32_t name_length; /* 0: hidden */
} pushdown_rule;

/* Sets of characters that were asked for last: each is one hidden rule, however often it occurs. */
typedef struct pushdown_set { regex_set set; uint32_t rule; } pushdown_set;

typedef struct pushdown {
    memory_account *account;
    pushdown_node *nodes;
    uint32_t node_count;
    pushdown_rule *rules;
    uint32_t rule_count;
    uint32_t root;
    pushdown_set sets[PUSHDOWN_SETS];
    uint32_t set_next;
} pushdown;

/* Entered at start, left at end: an EMPTY whose out is still open. */
typedef struct pushdown_part { uint32_t start, end; } pushdown_part;

/* Where building stands: the place in the grammar's text for errors. PUNA_INVALID_ARGUMENT with its offset where the
   grammar becomes too large, PUNA_OUT_OF_MEMORY. */
typedef struct pushdown_place { uint32_t offset; puna_error *error; } pushdown_place;

void pushdown_begin(pushdown *p, memory_account *account);
void pushdown_free(pushdown *p);

puna_status pushdown_empty(pushdown *p, pushdown_place at, pushdown_part *out);
puna_status pushdown_bytes(pushdown *p, pushdown_place at, const char *bytes, size_t length, pushdown_part *out);
puna_status pushdown_choice(pushdown *p, pushdown_place at, pushdown_part *whole, pushdown_part other);
void pushdown_join(pushdown *p, pushdown_part *whole, pushdown_part next);
puna_status pushdown_call(pushdown *p, pushdown_place at, uint32_t rule, pushdown_part *out);

/* `most` PUSHDOWN_NONE: no limit. */
puna_status pushdown_repeat(pushdown *p, pushdown_place at, uint32_t least, uint32_t most, pushdown_part *part);

/* One character of a set, as UTF-8. Takes the set over, whatever it returns; surrogates and bytes that are not UTF-8 in
   it mean nothing. An empty set is refused. */
puna_status pushdown_characters(pushdown *p, pushdown_place at, regex_set *set, pushdown_part *out);

puna_status pushdown_new_rule(pushdown *p, pushdown_place at, uint32_t name_length, uint32_t *rule);
puna_status pushdown_define(pushdown *p, pushdown_place at, uint32_t rule, pushdown_part part);

/* PUNA_INVALID_ARGUMENT: left recursion, or a rule that can never end; `text` is the grammar's, for names. */
puna_status pushdown_finish(pushdown *p, const char *text, puna_error *error);

#endif
