// SPDX-License-Identifier: Apache-2.0
/*
 * A pushdown network, made deterministic while it is walked: a state is the set of all places that the bytes so far can
 * have led to, each with its stack of calls to return from.
 *
 * Stacks are lists of cells that share their lower parts, and equal ones are one; so equal sets are one state with one
 * number, and what was once found out about it (where a byte leads, which tokens may come) is kept until the tables are
 * cleared.
 *
 * State 0 is the dead one: nothing leads on from it. Every other state leads to the grammar's end by some bytes.
 *
 * Threads: one at a time.
 */
#ifndef PUNA_CONSTRAIN_AUTOMATON_H
#define PUNA_CONSTRAIN_AUTOMATON_H

#include "constrain/pushdown.h"

#define AUTOMATON_DEAD 0u
#define AUTOMATON_UNKNOWN 0xFFFFFFFFu

/* Places that a state may have, those on the way to it included: an ambiguous grammar can have more stacks than atoms
   in the universe. */
#define AUTOMATON_MAX_PLACES 8192u

/* Bytes that one walk may add. */
#define AUTOMATON_MAX_GROWTH ((uint64_t)64 << 20)

typedef struct automaton_state {
    uint32_t first, count; /* places[first .. first + count), ascending */
    uint32_t mark;         /* the user's; 0 at first */
    bool accepts;          /* the text may end here */
} automaton_state;

typedef struct automaton_cell { uint32_t back, below; } automaton_cell; /* return to a node, then to the cell below */

typedef struct automaton_table { uint32_t *slots, size; } automaton_table; /* index + 1; 0: free */

typedef struct automaton {
    memory_account *account;
    const pushdown *p;
    uint8_t classes[256];     /* bytes that no RANGE tells apart */
    uint32_t class_count;
    automaton_state *states;
    uint32_t *rows;           /* [state][class]: the next state, or AUTOMATON_UNKNOWN */
    uint32_t state_count;
    uint64_t *places;         /* node << 32 | cell */
    uint32_t place_count;
    automaton_cell *cells;    /* cell 0 is the empty stack */
    uint32_t cell_count;
    uint32_t state_room, place_room, cell_room;
    automaton_table state_table, cell_table;
    uint64_t *stack;          /* AUTOMATON_MAX_PLACES: still to be followed */
    uint64_t *seen;           /* 2 * AUTOMATON_MAX_PLACES slots, of the set that is being made */
    uint32_t *seen_slots;     /* those in use, so that clearing costs no more than filling */
    uint32_t seen_count;
    uint64_t *found;          /* AUTOMATON_MAX_PLACES */
    uint32_t found_count;
    bool found_end;
    uint64_t limit;           /* of automaton_bytes, for the walk that is on */
    puna_status failed;       /* why the last walks broke off; PUNA_OK: they did not */
} automaton;

/* The network is finished and stays. *start: the state before the first byte. To be freed in any case. */
puna_status automaton_create(memory_account *account, const pushdown *p, automaton *a, uint32_t *start,
                             puna_error *error);
void automaton_free(automaton *a);

uint64_t automaton_bytes(const automaton *a);

/* Begins a walk: it may grow the tables by AUTOMATON_MAX_GROWTH. */
void automaton_begin(automaton *a);

/* What automaton_next found out only now. */
uint32_t automaton_discover(automaton *a, uint32_t state, uint8_t byte);

/* The state behind a byte. Where memory, or what a walk may use, runs out: the dead one, and a->failed says so. */
static inline uint32_t automaton_next(automaton *a, uint32_t state, uint8_t byte) {
    uint32_t next = a->rows[(size_t)state * a->class_count + a->classes[byte]];
    return next != AUTOMATON_UNKNOWN ? next : automaton_discover(a, state, byte);
}

/* PUNA_OK, or what automaton_next met. */
puna_status automaton_check(const automaton *a, puna_error *error);

/* Clears the tables, all but the states in `kept`, which get their new numbers. PUNA_OUT_OF_MEMORY: nothing changed. */
puna_status automaton_clear(automaton *a, uint32_t *const *kept, uint32_t count, puna_error *error);

#endif
