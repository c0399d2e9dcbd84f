// SPDX-License-Identifier: Apache-2.0
#include "constrain/grammar.h"

#include <string.h>

#include "base/lock.h"
#include "constrain/automaton.h"
#include "constrain/gbnf.h"
#include "text/token_tree.h"

struct matcher {
    grammar *grammar;
    matcher *next, *previous; /* in the grammar's list */
    uint32_t state;
    bool whole, over; /* of the state, so that asking needs no lock */
};

struct puna_grammar {
    _Atomic uint32_t references;
    memory_account account;
    lock lock; /* everything below but pushdown and tree */
    pushdown pushdown;
    token_tree *tree;
    automaton automaton;
    uint32_t start;
    uint64_t *masks; /* mask n of a state with mark n + 1 begins at n * words */
    size_t words;    /* of a mask */
    uint32_t mask_count, mask_room;
    uint64_t bound;
    uint32_t *levels; /* the states on the way down the tree */
    matcher *matchers;
    uint32_t matcher_count;
};

/* ---- Compiling ---- */

static puna_status compile(grammar *g, const tokenizer *t, const char *text, size_t length, puna_error *error) {
    pushdown_begin(&g->pushdown, &g->account);
    puna_status status = gbnf_read(&g->pushdown, text, length, error);
    if (status == PUNA_OK) status = automaton_create(&g->account, &g->pushdown, &g->automaton, &g->start, error);
    if (status == PUNA_OK && g->automaton.states[g->start].count == 0)
        status = error_set(error, PUNA_INVALID_ARGUMENT, "grammar", "the grammar allows nothing but the empty text");
    if (status == PUNA_OK) status = tokenizer_tree(t, &g->tree, error);
    if (status != PUNA_OK) return status;
    g->words = ((size_t)g->tree->vocabulary + 63) / 64;
    g->levels = memory_array(&g->account, (size_t)g->tree->depth + 1, sizeof *g->levels);
    return g->levels ? PUNA_OK : error_memory(error, "a grammar", g->tree->depth * sizeof *g->levels);
}

puna_status grammar_compile(const tokenizer *t, const char *text, size_t length, grammar **out, puna_error *error) {
    memory_account account;
    memory_account_init(&account);
    *out = NULL;
    grammar *g = memory_new(&account, sizeof *g);
    if (!g) return error_memory(error, "a grammar", sizeof *g);
    memory_account_init(&g->account);
    atomic_store(&g->account.used, memory_used(&account)); /* the object accounts for itself, too */
    atomic_init(&g->references, 1);
    g->bound = GRAMMAR_TABLE_BYTES;
    puna_status status = compile(g, t, text, length, error);
    if (status == PUNA_OK) *out = g;
    else grammar_release(g);
    return status;
}

void grammar_hold(grammar *g) { atomic_fetch_add_explicit(&g->references, 1, memory_order_relaxed); }

void grammar_release(grammar *g) {
    if (!g || atomic_fetch_sub_explicit(&g->references, 1, memory_order_acq_rel) != 1) return;
    if (g->automaton.account) automaton_free(&g->automaton);
    pushdown_free(&g->pushdown);
    token_tree_release(g->tree);
    memory_free(&g->account, g->masks);
    memory_free(&g->account, g->levels);
    memory_account account;
    memory_account_init(&account);
    atomic_store(&account.used, memory_used(&g->account));
    memory_free(&account, g);
}

uint64_t grammar_memory(const grammar *g) { return memory_used(&g->account); }

void grammar_bound(grammar *g, uint64_t bytes) { g->bound = bytes; }

/* A matcher enters the list of those whose state lives, or leaves it. */
static void enter(matcher *m) {
    m->next = m->grammar->matchers;
    if (m->next) m->next->previous = m;
    m->grammar->matchers = m;
    m->grammar->matcher_count++;
}

static void leave(matcher *m) {
    if (m->previous) m->previous->next = m->next;
    else m->grammar->matchers = m->next;
    if (m->next) m->next->previous = m->previous;
    m->grammar->matcher_count--;
}

/* ---- Masks ---- */

/* All tokens whose bytes lead on from a state: one sweep over the tree, in which a dead state jumps over a subtree. */
static void sweep(grammar *g, uint32_t state, uint64_t *bits) {
    const token_tree *t = g->tree;
    automaton *a = &g->automaton;
    g->levels[0] = state;
    for (uint32_t i = 0; i < t->node_count;) {
        const token_tree_node *n = &t->nodes[i];
        uint32_t next = automaton_next(a, g->levels[n->depth - 1], n->byte);
        if (next == AUTOMATON_DEAD) {
            i = n->skip;
            continue;
        }
        g->levels[n->depth] = next;
        for (uint32_t k = n->first; k < t->nodes[i + 1].first; k++)
            bits[t->ids[k] / 64] |= (uint64_t)1 << (t->ids[k] % 64);
        i++;
    }
}

/* Clears the tables if they have become too large. */
static puna_status trim(grammar *g, puna_error *error) {
    if (automaton_bytes(&g->automaton) + g->mask_count * g->words * sizeof *g->masks <= g->bound) return PUNA_OK;
    uint32_t count = 0;
    uint32_t **kept = memory_array(&g->account, (size_t)g->matcher_count + 1, sizeof *kept);
    if (!kept) return error_memory(error, "a grammar", g->matcher_count * sizeof *kept);
    kept[count++] = &g->start;
    for (matcher *m = g->matchers; m; m = m->next) kept[count++] = &m->state;
    puna_status status = automaton_clear(&g->automaton, kept, count, error);
    memory_free(&g->account, kept);
    if (status != PUNA_OK) return status;
    memory_free(&g->account, g->masks);
    g->masks = NULL;
    g->mask_count = g->mask_room = 0;
    return PUNA_OK;
}

static puna_status add_mask(grammar *g, uint32_t state, puna_error *error) {
    if (g->mask_count == g->mask_room) {
        uint32_t capacity = g->mask_room ? 2 * g->mask_room : 4;
        uint64_t *masks = memory_grow(&g->account, g->masks, capacity * g->words * sizeof *masks);
        if (!masks) return error_memory(error, "a grammar's masks", capacity * g->words * sizeof *masks);
        g->masks = masks;
        g->mask_room = capacity;
    }
    uint64_t *bits = g->masks + g->mask_count * g->words;
    memset(bits, 0, g->words * sizeof *bits);
    automaton_begin(&g->automaton);
    sweep(g, state, bits);
    puna_status status = automaton_check(&g->automaton, error);
    if (status == PUNA_OK) g->automaton.states[state].mark = ++g->mask_count;
    return status;
}

static puna_status no_way_on(puna_error *error) {
    return error_set(error, PUNA_UNSUPPORTED, "grammar",
                     "the grammar wants a character here with which no token of this vocabulary begins");
}

static puna_status allow(matcher *m, bool ends, uint64_t *bits, size_t words, puna_error *error) {
    grammar *g = m->grammar;
    puna_status status = trim(g, error);
    if (status == PUNA_OK && !g->automaton.states[m->state].mark) status = add_mask(g, m->state, error);
    if (status != PUNA_OK) return status;
    size_t known = words < g->words ? words : g->words;
    const uint64_t *mask = g->masks + (g->automaton.states[m->state].mark - 1) * g->words;
    memcpy(bits, mask, known * sizeof *bits);
    memset(bits + known, 0, (words - known) * sizeof *bits);
    for (uint32_t i = 0; ends && m->whole && i < g->tree->end_count; i++) {
        size_t id = (size_t)g->tree->ends[i];
        if (id / 64 < words) bits[id / 64] |= (uint64_t)1 << (id % 64);
    }
    for (size_t i = 0; i < words; i++)
        if (bits[i]) return PUNA_OK;
    return no_way_on(error);
}

puna_status matcher_allow(matcher *m, bool ends, uint64_t *bits, size_t words, puna_error *error) {
    lock_take(&m->grammar->lock);
    puna_status status = allow(m, ends, bits, words, error);
    lock_give(&m->grammar->lock);
    return status;
}

/* ---- Whole texts ---- */

/* Piece by piece, with tables that are cleared in between: a long text needs no more memory than a short one. */
static puna_status match(grammar *g, uint32_t *state, const char *text, size_t length, size_t *matched,
                         puna_error *error) {
    for (size_t at = 0; at < length;) {
        puna_status status = trim(g, error);
        if (status != PUNA_OK) return status;
        size_t end = length - at > 4096 ? at + 4096 : length;
        automaton_begin(&g->automaton);
        for (; at < end; at++) {
            uint32_t next = automaton_next(&g->automaton, *state, (uint8_t)text[at]);
            if (next == AUTOMATON_DEAD) {
                *state = next;
                return automaton_check(&g->automaton, error);
            }
            *state = next;
            *matched = at + 1;
        }
    }
    return PUNA_OK;
}

puna_status grammar_match(grammar *g, const char *text, size_t length, size_t *matched, bool *whole,
                          puna_error *error) {
    matcher m = {.grammar = g}; /* so that clearing keeps the state */
    *matched = 0;
    lock_take(&g->lock);
    m.state = g->start;
    enter(&m);
    puna_status status = match(g, &m.state, text, length, matched, error);
    *whole = status == PUNA_OK && g->automaton.states[m.state].accepts;
    leave(&m);
    lock_give(&g->lock);
    return status;
}

/* ---- Matchers ---- */

static void settle(matcher *m, uint32_t state) {
    const automaton_state *s = &m->grammar->automaton.states[state];
    m->state = state;
    m->whole = s->accepts;
    m->over = s->accepts && s->count == 0;
}

puna_status matcher_create(grammar *g, const tokenizer *t, matcher **out, puna_error *error) {
    token_tree *tree;
    *out = NULL;
    puna_status status = tokenizer_tree(t, &tree, error);
    if (status != PUNA_OK) return status;
    token_tree_release(tree); /* the tokenizer holds it */
    if (tree != g->tree)
        return error_set(error, PUNA_INVALID_ARGUMENT, "grammar",
                         "the grammar was compiled for the vocabulary of another model");
    matcher *m = memory_new(&g->account, sizeof *m);
    if (!m) return error_memory(error, "a grammar's matcher", sizeof *m);
    m->grammar = g;
    grammar_hold(g);
    lock_take(&g->lock);
    settle(m, g->start);
    enter(m);
    lock_give(&g->lock);
    *out = m;
    return PUNA_OK;
}

void matcher_free(matcher *m) {
    if (!m) return;
    grammar *g = m->grammar;
    lock_take(&g->lock);
    leave(m);
    lock_give(&g->lock);
    memory_free(&g->account, m);
    grammar_release(g);
}

puna_status matcher_take(matcher *m, const char *bytes, size_t length, puna_error *error) {
    grammar *g = m->grammar;
    size_t at = 0;
    lock_take(&g->lock);
    uint32_t state = m->state;
    automaton_begin(&g->automaton);
    for (; at < length && state != AUTOMATON_DEAD; at++)
        state = automaton_next(&g->automaton, state, (uint8_t)bytes[at]);
    puna_status status = automaton_check(&g->automaton, error);
    if (status == PUNA_OK && state == AUTOMATON_DEAD)
        status = error_at(error, PUNA_INVALID_ARGUMENT, "text", at - 1,
                          "the grammar does not allow the byte at offset %zu", at - 1);
    if (status == PUNA_OK) settle(m, state);
    lock_give(&g->lock);
    return status;
}

puna_status matcher_accept(matcher *m, const tokenizer *t, int32_t id, puna_error *error) {
    size_t length = 0;
    if (tokenizer_ends_generation(t, id)) return PUNA_OK;
    const char *bytes = id >= 0 && id < tokenizer_size(t) ? tokenizer_bytes(t, id, &length) : "";
    if (length == 0)
        return error_set(error, PUNA_INVALID_ARGUMENT, "token",
                         "the grammar does not allow token %d: it is no text", id);
    return matcher_take(m, bytes, length, error);
}

bool matcher_whole(const matcher *m) { return m->whole; }

bool matcher_over(const matcher *m) { return m->over; }
