// SPDX-License-Identifier: Apache-2.0
#include "constrain/automaton.h"

#include <string.h>

enum { SEEN_SLOTS = 2 * AUTOMATON_MAX_PLACES };

static uint32_t hash_of(uint64_t key) {
    key *= 0x9E3779B97F4A7C15u;
    key ^= key >> 32;
    key *= 0xD6E8FEB86659FD93u;
    return (uint32_t)(key >> 32);
}

/* ---- Tables ---- */

static bool fail(automaton *a, puna_status status) {
    if (a->failed == PUNA_OK) a->failed = status;
    return false;
}

uint64_t automaton_bytes(const automaton *a) {
    return (uint64_t)a->state_count * (sizeof *a->states + (uint64_t)a->class_count * sizeof *a->rows) +
           (uint64_t)a->place_count * sizeof *a->places + (uint64_t)a->cell_count * sizeof *a->cells;
}

static bool within(automaton *a) { return automaton_bytes(a) <= a->limit || fail(a, PUNA_UNSUPPORTED); }

static bool room(automaton *a, void **array, uint32_t *have, uint64_t wanted, size_t size) {
    if (wanted <= *have) return true;
    uint64_t capacity = *have ? *have : 64;
    while (capacity < wanted) capacity *= 2;
    if (capacity > UINT32_MAX) return fail(a, PUNA_UNSUPPORTED);
    void *grown = memory_grow(a->account, *array, capacity * size);
    if (!grown) return fail(a, PUNA_OUT_OF_MEMORY);
    *array = grown;
    *have = (uint32_t)capacity;
    return true;
}

/* Doubles a table that became half full; `hash` gives the hash of an index. */
static bool table_room(automaton *a, automaton_table *t, uint32_t count,
                       uint32_t (*hash)(const automaton *, uint32_t)) {
    if (t->size && count < t->size / 2) return true;
    automaton_table grown = {NULL, t->size ? 2 * t->size : 256};
    grown.slots = memory_array(a->account, grown.size, sizeof *grown.slots);
    if (!grown.slots) return fail(a, PUNA_OUT_OF_MEMORY);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = hash(a, i) & (grown.size - 1);
        while (grown.slots[slot]) slot = (slot + 1) & (grown.size - 1);
        grown.slots[slot] = i + 1;
    }
    memory_free(a->account, t->slots);
    *t = grown;
    return true;
}

static uint32_t cell_hash(const automaton *a, uint32_t i) {
    return hash_of((uint64_t)a->cells[i].back << 32 | a->cells[i].below);
}

static uint32_t places_hash(const uint64_t *places, uint32_t count, bool accepts) {
    uint64_t hash = accepts;
    for (uint32_t i = 0; i < count; i++) hash = (hash ^ places[i]) * 0x100000001B3u + hash_of(places[i]);
    return hash_of(hash);
}

static uint32_t state_hash(const automaton *a, uint32_t i) {
    return places_hash(a->places + a->states[i].first, a->states[i].count, a->states[i].accepts);
}

/* The cell, an old or a new one. */
static bool put_cell(automaton *a, uint32_t back, uint32_t below, uint32_t *out) {
    if (!table_room(a, &a->cell_table, a->cell_count, cell_hash)) return false;
    uint32_t mask = a->cell_table.size - 1, slot = hash_of((uint64_t)back << 32 | below) & mask;
    for (; a->cell_table.slots[slot]; slot = (slot + 1) & mask) {
        uint32_t i = a->cell_table.slots[slot] - 1;
        if (a->cells[i].back != back || a->cells[i].below != below) continue;
        *out = i;
        return true;
    }
    if (!within(a) || !room(a, (void **)&a->cells, &a->cell_room, (uint64_t)a->cell_count + 1, sizeof *a->cells))
        return false;
    *out = a->cell_count++;
    a->cells[*out] = (automaton_cell){back, below};
    a->cell_table.slots[slot] = *out + 1;
    return true;
}

static bool grow_states(automaton *a) {
    uint32_t have = a->state_room;
    if (!room(a, (void **)&a->states, &have, (uint64_t)a->state_count + 1, sizeof *a->states)) return false;
    if (have != a->state_room) {
        uint32_t *rows = memory_grow(a->account, a->rows, (size_t)have * a->class_count * sizeof *rows);
        if (!rows) return fail(a, PUNA_OUT_OF_MEMORY);
        a->rows = rows;
        a->state_room = have;
    }
    return true;
}

/* The state of a set of places, ascending: an old or a new one. */
static bool put_state(automaton *a, const uint64_t *places, uint32_t count, bool accepts, uint32_t *out) {
    if (!table_room(a, &a->state_table, a->state_count, state_hash)) return false;
    uint32_t mask = a->state_table.size - 1, slot = places_hash(places, count, accepts) & mask;
    for (; a->state_table.slots[slot]; slot = (slot + 1) & mask) {
        uint32_t i = a->state_table.slots[slot] - 1;
        const automaton_state *s = &a->states[i];
        if (s->count != count || s->accepts != accepts) continue;
        if (count && memcmp(a->places + s->first, places, count * sizeof *places) != 0) continue;
        *out = i;
        return true;
    }
    if (!within(a) || !grow_states(a) ||
        !room(a, (void **)&a->places, &a->place_room, (uint64_t)a->place_count + count, sizeof *a->places))
        return false;
    if (count) memcpy(a->places + a->place_count, places, count * sizeof *places);
    *out = a->state_count++;
    a->states[*out] = (automaton_state){a->place_count, count, 0, accepts};
    a->place_count += count;
    memset(a->rows + (size_t)*out * a->class_count, 0xFF, a->class_count * sizeof *a->rows);
    a->state_table.slots[slot] = *out + 1;
    return true;
}

/* ---- Following ---- */

/* Remembers a place in the set that is being made; false if it was there. */
static bool see(automaton *a, uint64_t place) {
    uint32_t slot = hash_of(place) & (SEEN_SLOTS - 1);
    for (; a->seen[slot]; slot = (slot + 1) & (SEEN_SLOTS - 1))
        if (a->seen[slot] == place + 1) return false;
    if (a->seen_count == AUTOMATON_MAX_PLACES) return fail(a, PUNA_UNSUPPORTED);
    a->seen[slot] = place + 1;
    a->seen_slots[a->seen_count++] = slot;
    return true;
}

static void forget_seen(automaton *a) {
    for (uint32_t i = 0; i < a->seen_count; i++) a->seen[a->seen_slots[i]] = 0;
    a->seen_count = 0;
    a->found_count = 0;
    a->found_end = false;
}

/* Adds all places that are reached from one without a byte. Each is pushed once: the stack can't overflow. */
static bool follow(automaton *a, uint32_t node, uint32_t cell) {
    uint32_t depth = 0;
    uint64_t place = (uint64_t)node << 32 | cell;
    if (see(a, place)) a->stack[depth++] = place;
    while (depth > 0 && a->failed == PUNA_OK) {
        place = a->stack[--depth];
        cell = (uint32_t)place;
        const pushdown_node *n = &a->p->nodes[place >> 32];
        uint64_t next[2];
        uint32_t count = 0, pushed = cell;
        switch (n->kind) {
        case PUSHDOWN_RANGE:
            a->found[a->found_count++] = place;
            break;
        case PUSHDOWN_SPLIT:
            next[count++] = (uint64_t)n->other << 32 | cell;
            next[count++] = (uint64_t)n->out << 32 | cell;
            break;
        case PUSHDOWN_CALL:
            if (!n->tail && !put_cell(a, n->out, cell, &pushed)) return false;
            next[count++] = (uint64_t)a->p->rules[n->other].start << 32 | pushed;
            break;
        default: /* the end of a rule; of the whole where there is nothing to return to */
            if (cell == 0) a->found_end = true;
            else next[count++] = (uint64_t)a->cells[cell].back << 32 | a->cells[cell].below;
        }
        for (uint32_t i = 0; i < count; i++)
            if (see(a, next[i])) a->stack[depth++] = next[i];
    }
    return a->failed == PUNA_OK;
}

/* Ascending (Shell's method, with Ciura's gaps). */
static void sort(uint64_t *list, uint32_t count) {
    static const uint32_t gaps[] = {3548, 1577, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        for (uint32_t i = gaps[g]; i < count; i++) {
            uint64_t moved = list[i];
            uint32_t j = i;
            for (; j >= gaps[g] && list[j - gaps[g]] > moved; j -= gaps[g]) list[j] = list[j - gaps[g]];
            list[j] = moved;
        }
    }
}

static bool settle(automaton *a, uint32_t *out) {
    sort(a->found, a->found_count);
    return put_state(a, a->found, a->found_count, a->found_end, out);
}

uint32_t automaton_discover(automaton *a, uint32_t state, uint8_t byte) {
    uint32_t next = AUTOMATON_DEAD;
    if (a->failed != PUNA_OK) return AUTOMATON_DEAD;
    forget_seen(a);
    for (uint32_t i = 0; i < a->states[state].count; i++) {
        uint64_t place = a->places[a->states[state].first + i];
        const pushdown_node *n = &a->p->nodes[place >> 32];
        if (byte < n->low || byte > n->high) continue;
        if (!follow(a, n->out, (uint32_t)place)) return AUTOMATON_DEAD;
    }
    if ((a->found_count || a->found_end) && !settle(a, &next)) return AUTOMATON_DEAD;
    a->rows[(size_t)state * a->class_count + a->classes[byte]] = next;
    return next;
}

/* ---- Beginning, clearing, ending ---- */

/* Bytes that the same ranges hold are one class: a new one begins wherever a range begins or has ended. */
static void classify(automaton *a) {
    bool border[257] = {false};
    for (uint32_t i = 0; i < a->p->node_count; i++) {
        if (a->p->nodes[i].kind != PUSHDOWN_RANGE) continue;
        border[a->p->nodes[i].low] = true;
        border[a->p->nodes[i].high + 1] = true;
    }
    uint32_t class = 0;
    for (uint32_t byte = 0; byte < 256; byte++) {
        if (byte && border[byte]) class++;
        a->classes[byte] = (uint8_t)class;
    }
    a->class_count = class + 1;
}

static void free_tables(automaton *a) {
    memory_free(a->account, a->states);
    memory_free(a->account, a->rows);
    memory_free(a->account, a->places);
    memory_free(a->account, a->cells);
    memory_free(a->account, a->state_table.slots);
    memory_free(a->account, a->cell_table.slots);
}

/* Empty tables, with the dead state and the empty stack. */
static bool begin_tables(automaton *a) {
    uint32_t index;
    a->states = NULL;
    a->rows = NULL;
    a->places = NULL;
    a->cells = NULL;
    a->state_count = a->place_count = a->cell_count = 0;
    a->state_room = a->place_room = a->cell_room = 0;
    a->state_table = a->cell_table = (automaton_table){0};
    automaton_begin(a);
    return put_cell(a, PUSHDOWN_NONE, PUSHDOWN_NONE, &index) && put_state(a, NULL, 0, false, &index);
}

void automaton_begin(automaton *a) {
    a->limit = automaton_bytes(a) + AUTOMATON_MAX_GROWTH;
    a->failed = PUNA_OK;
}

puna_status automaton_create(memory_account *account, const pushdown *p, automaton *a, uint32_t *start,
                             puna_error *error) {
    *a = (automaton){.account = account, .p = p};
    classify(a);
    a->stack = memory_array(account, AUTOMATON_MAX_PLACES, sizeof *a->stack);
    a->seen = memory_array(account, SEEN_SLOTS, sizeof *a->seen);
    a->seen_slots = memory_array(account, AUTOMATON_MAX_PLACES, sizeof *a->seen_slots);
    a->found = memory_array(account, AUTOMATON_MAX_PLACES, sizeof *a->found);
    if (!a->stack || !a->seen || !a->seen_slots || !a->found)
        return error_memory(error, "a grammar's automaton", 5 * (uint64_t)AUTOMATON_MAX_PLACES * sizeof *a->stack);
    if (begin_tables(a) && follow(a, p->rules[p->root].start, 0)) settle(a, start);
    return automaton_check(a, error);
}

void automaton_free(automaton *a) {
    free_tables(a);
    memory_free(a->account, a->stack);
    memory_free(a->account, a->seen);
    memory_free(a->account, a->seen_slots);
    memory_free(a->account, a->found);
}

puna_status automaton_check(const automaton *a, puna_error *error) {
    if (a->failed == PUNA_OK) return PUNA_OK;
    if (a->failed == PUNA_OUT_OF_MEMORY) return error_memory(error, "a grammar's automaton", automaton_bytes(a));
    return error_set(error, a->failed, "grammar",
                     "the grammar is too ambiguous: the text so far can be read in too many ways (%u places at most); "
                     "write its alternatives so that they differ earlier", AUTOMATON_MAX_PLACES);
}

/* What moves from old tables to new ones: each old cell's new number, or PUSHDOWN_NONE; and room for a stack of
   cells. */
typedef struct automaton_move { const automaton *old; uint32_t *moved, *way; } automaton_move;

/* The new number of a cell of the old tables: what of its stack has not moved does, from below. */
static bool move_cell(automaton *a, const automaton_move *m, uint32_t cell, uint32_t *out) {
    uint32_t depth = 0;
    for (uint32_t c = cell; m->moved[c] == PUSHDOWN_NONE; c = m->old->cells[c].below) m->way[depth++] = c;
    while (depth > 0) {
        uint32_t c = m->way[--depth];
        const automaton_cell *from = &m->old->cells[c];
        if (!put_cell(a, from->back, m->moved[from->below], &m->moved[c])) return false;
    }
    *out = m->moved[cell];
    return true;
}

static bool move_state(automaton *a, const automaton_move *m, uint32_t state, uint32_t *out) {
    const automaton_state *s = &m->old->states[state];
    for (uint32_t i = 0; i < s->count; i++) {
        uint64_t place = m->old->places[s->first + i];
        uint32_t cell;
        if (!move_cell(a, m, (uint32_t)place, &cell)) return false;
        a->found[i] = place >> 32 << 32 | cell;
    }
    sort(a->found, s->count);
    return put_state(a, a->found, s->count, s->accepts, out);
}

puna_status automaton_clear(automaton *a, uint32_t *const *kept, uint32_t count, puna_error *error) {
    automaton old = *a;
    automaton_move m = {.old = &old, .moved = memory_array(a->account, old.cell_count, sizeof *m.moved),
                        .way = memory_array(a->account, old.cell_count, sizeof *m.way)};
    uint32_t *numbers = memory_array(a->account, count, sizeof *numbers);
    bool ready = m.moved && m.way && numbers, done = ready && begin_tables(a);
    if (done) {
        memset(m.moved, 0xFF, old.cell_count * sizeof *m.moved);
        m.moved[0] = 0;
        a->limit = UINT64_MAX; /* what lives was allowed before */
    }
    for (uint32_t i = 0; done && i < count; i++) done = move_state(a, &m, *kept[i], &numbers[i]);
    for (uint32_t i = 0; done && i < count; i++) *kept[i] = numbers[i];
    memory_free(a->account, m.moved);
    memory_free(a->account, m.way);
    memory_free(a->account, numbers);
    if (done) {
        free_tables(&old);
        automaton_begin(a);
        return PUNA_OK;
    }
    if (ready) free_tables(a);
    *a = old;
    return error_memory(error, "a grammar's automaton", automaton_bytes(a));
}
