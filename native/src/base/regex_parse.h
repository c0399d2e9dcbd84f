// SPDX-License-Identifier: Apache-2.0
/*
 * A pattern's text as a non-deterministic automaton with priorities: the way stations between base/regex.c's text and
 * its tables. `out` of a split is preferred to `other`: that alone carries the meaning of | and of greedy repetition.
 */
#ifndef PUNA_BASE_REGEX_PARSE_H
#define PUNA_BASE_REGEX_PARSE_H

#include "base/error.h"
#include "base/regex_set.h"

#define REGEX_MAX_NODES 4096u
#define REGEX_MAX_SETS 64u
#define REGEX_NONE 0xFFFFu

typedef enum regex_kind {
    REGEX_EMPTY,   /* goes on to out */
    REGEX_SPLIT,   /* out first, then other */
    REGEX_SET,     /* eats one character of `set` */
    REGEX_NOT_NEXT, /* goes on to out unless the next character is of `set`; at the text's end it does */
    REGEX_MATCH
} regex_kind;

typedef struct regex_node {
    uint8_t kind;
    uint8_t set;
    uint16_t out, other;
} regex_node;

typedef struct regex_program {
    regex_node *nodes; /* REGEX_MAX_NODES */
    uint32_t node_count;
    uint16_t start;
    regex_set sets[REGEX_MAX_SETS]; /* distinct, normalized */
    uint32_t set_count;
} regex_program;

/* Zero the program first; free it in any case. */
puna_status regex_parse(memory_account *account, const char *pattern, regex_program *program, puna_error *error);
void regex_program_free(memory_account *account, regex_program *program);

#endif
