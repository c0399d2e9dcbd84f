// SPDX-License-Identifier: Apache-2.0
/* The last step of building a network: what it promises is checked, and ways that eat nothing are shortened. */
#include <string.h>

#include "constrain/pushdown.h"

/* Which nodes lead to the end of their rule (`bytes`: by any way; else: without eating a byte). The least solution, by
   telling the nodes in front of each one that was found; CSR lists say who they are. */
typedef struct reach {
    pushdown *p;
    uint32_t *first, *before; /* before[first[n] .. first[n + 1]): nodes in front of n; of a start, its calls, too */
    uint32_t *queue;
    uint8_t *found;
    bool bytes;
} reach;

static uint32_t successors(const pushdown *p, uint32_t n, uint32_t out[3]) {
    const pushdown_node *node = &p->nodes[n];
    uint32_t count = 0;
    if (node->out != PUSHDOWN_NONE) out[count++] = node->out;
    if (node->kind == PUSHDOWN_SPLIT) out[count++] = node->other;
    if (node->kind == PUSHDOWN_CALL) out[count++] = p->rules[node->other].start;
    return count;
}

static bool holds(const reach *r, const pushdown_node *n) {
    switch (n->kind) {
    case PUSHDOWN_END: return true;
    case PUSHDOWN_RANGE: return r->bytes && r->found[n->out];
    case PUSHDOWN_SPLIT: return r->found[n->out] || r->found[n->other];
    case PUSHDOWN_CALL: return r->found[n->out] && r->found[r->p->rules[n->other].start];
    default: return n->out != PUSHDOWN_NONE && r->found[n->out];
    }
}

static void solve(reach *r, bool bytes) {
    uint32_t head = 0, tail = 0, count = r->p->node_count;
    r->bytes = bytes;
    memset(r->found, 0, count);
    for (uint32_t n = 0; n < count; n++) {
        if (r->p->nodes[n].kind != PUSHDOWN_END) continue;
        r->found[n] = 1;
        r->queue[tail++] = n;
    }
    while (head < tail) {
        uint32_t n = r->queue[head++];
        for (uint32_t i = r->first[n]; i < r->first[n + 1]; i++) {
            uint32_t b = r->before[i];
            if (r->found[b] || !holds(r, &r->p->nodes[b])) continue;
            r->found[b] = 1;
            r->queue[tail++] = b;
        }
    }
}

static bool reach_begin(reach *r, pushdown *p) {
    uint32_t count = p->node_count, next[3];
    r->p = p;
    r->first = memory_array(p->account, (size_t)count + 2, sizeof *r->first);
    r->before = memory_array(p->account, 2 * (size_t)count + 1, sizeof *r->before);
    r->queue = memory_array(p->account, count, sizeof *r->queue);
    r->found = memory_array(p->account, count, 1);
    if (!r->first || !r->before || !r->queue || !r->found) return false;
    for (uint32_t n = 0; n < count; n++)
        for (uint32_t i = successors(p, n, next); i-- > 0;) r->first[next[i] + 2]++;
    for (uint32_t n = 2; n < count + 2; n++) r->first[n] += r->first[n - 1];
    for (uint32_t n = 0; n < count; n++)
        for (uint32_t i = successors(p, n, next); i-- > 0;) r->before[r->first[next[i] + 1]++] = n;
    return true;
}

static void reach_end(reach *r) {
    memory_free(r->p->account, r->first);
    memory_free(r->p->account, r->before);
    memory_free(r->p->account, r->queue);
    memory_free(r->p->account, r->found);
}

/* ---- Mistakes ---- */

static puna_status refuse(const pushdown *p, const char *text, uint32_t rule, const char *what, puna_error *error) {
    const pushdown_rule *r = &p->rules[rule];
    int shown = r->name_length < 80 ? (int)r->name_length : 80;
    if (!r->name_length)
        return error_at(error, PUNA_INVALID_ARGUMENT, "grammar", r->name, "The part at offset %u of the grammar %s.",
                        r->name, what);
    return error_at(error, PUNA_INVALID_ARGUMENT, "grammar", r->name,
                    "The rule \"%.*s\" at offset %u of the grammar %s.", shown, text + r->name, r->name, what);
}

static puna_status check_ends(const reach *r, const char *text, puna_error *error) {
    for (uint32_t i = 0; i < r->p->rule_count; i++)
        if (!r->found[r->p->rules[i].start])
            return refuse(r->p, text, i, "can never end: each of its ways leads back into it", error);
    return PUNA_OK;
}

/* Left recursion is a circle of rules that call each other before they eat a byte. */
typedef struct circle {
    uint32_t *first, *callees; /* of a rule: callees[first[rule] .. first[rule + 1]) */
    uint32_t *stack, *at;      /* depth-first: rules on the way, and each rule's next callee */
    uint8_t *state;            /* of a rule: 0 new, 1 on the way, 2 done; before that: of a node, seen */
} circle;

/* The rules that each rule may call first. Every node belongs to one rule: all together, nodes are walked once. */
static void find_callees(circle *c, const reach *r) {
    const pushdown *p = r->p;
    uint32_t total = 0;
    for (uint32_t rule = 0; rule < p->rule_count; rule++) {
        uint32_t depth = 0;
        c->first[rule] = total;
        c->stack[depth++] = p->rules[rule].start;
        while (depth > 0) {
            uint32_t n = c->stack[--depth];
            const pushdown_node *node = &p->nodes[n];
            if (c->state[n]) continue;
            c->state[n] = 1;
            bool on = node->kind == PUSHDOWN_EMPTY || node->kind == PUSHDOWN_SPLIT;
            if (node->kind == PUSHDOWN_CALL) {
                c->callees[total++] = node->other;
                on = r->found[p->rules[node->other].start];
            }
            if (on) c->stack[depth++] = node->out;
            if (node->kind == PUSHDOWN_SPLIT) c->stack[depth++] = node->other;
        }
    }
    c->first[p->rule_count] = total;
}

static uint32_t find_circle(circle *c, uint32_t rules) {
    memset(c->state, 0, rules);
    for (uint32_t from = 0; from < rules; from++) {
        uint32_t depth = 0;
        if (c->state[from]) continue;
        c->stack[depth++] = from;
        c->state[from] = 1;
        c->at[from] = c->first[from];
        while (depth > 0) {
            uint32_t rule = c->stack[depth - 1];
            if (c->at[rule] == c->first[rule + 1]) {
                c->state[rule] = 2;
                depth--;
                continue;
            }
            uint32_t callee = c->callees[c->at[rule]++];
            if (c->state[callee] == 1) return callee;
            if (c->state[callee] == 2) continue;
            c->state[callee] = 1;
            c->at[callee] = c->first[callee];
            c->stack[depth++] = callee;
        }
    }
    return PUSHDOWN_NONE;
}

static puna_status check_recursion(const reach *r, const char *text, puna_error *error) {
    const pushdown *p = r->p;
    size_t most = (p->node_count > p->rule_count ? p->node_count : p->rule_count) + (size_t)1;
    circle c = {.first = memory_array(p->account, (size_t)p->rule_count + 1, sizeof *c.first),
                .callees = memory_array(p->account, most, sizeof *c.callees),
                .stack = memory_array(p->account, 2 * most, sizeof *c.stack),
                .at = memory_array(p->account, p->rule_count, sizeof *c.at),
                .state = memory_array(p->account, most, 1)};
    puna_status status = PUNA_OK;
    if (!c.first || !c.callees || !c.stack || !c.at || !c.state) {
        status = error_memory(error, "a grammar", 8 * (uint64_t)most);
    } else {
        find_callees(&c, r);
        uint32_t rule = find_circle(&c, p->rule_count);
        if (rule != PUSHDOWN_NONE)
            status = refuse(p, text, rule, "is left-recursive: it can call itself before it takes a character; write "
                            "the repetition with * or with the recursive part at the end", error);
    }
    memory_free(p->account, c.first);
    memory_free(p->account, c.callees);
    memory_free(p->account, c.stack);
    memory_free(p->account, c.at);
    memory_free(p->account, c.state);
    return status;
}

/* ---- Shortening ---- */

/* The first node behind n that isn't EMPTY (or the open end of a part that was dropped). The nodes on the way learn it,
   so that a long row is walked once. */
static uint32_t skip(pushdown *p, uint32_t n) {
    uint32_t end = n;
    while (p->nodes[end].kind == PUSHDOWN_EMPTY && p->nodes[end].out != PUSHDOWN_NONE) end = p->nodes[end].out;
    while (n != end) {
        uint32_t next = p->nodes[n].out;
        p->nodes[n].out = end;
        n = next;
    }
    return end;
}

static void shorten(pushdown *p) {
    for (uint32_t i = 0; i < p->node_count; i++) {
        pushdown_node *n = &p->nodes[i];
        if (n->kind == PUSHDOWN_END || n->out == PUSHDOWN_NONE) continue;
        n->out = skip(p, n->out);
        if (n->kind == PUSHDOWN_SPLIT) n->other = skip(p, n->other);
        n->tail = n->kind == PUSHDOWN_CALL && p->nodes[n->out].kind == PUSHDOWN_END;
    }
    for (uint32_t i = 0; i < p->rule_count; i++) p->rules[i].start = skip(p, p->rules[i].start);
}

puna_status pushdown_finish(pushdown *p, const char *text, puna_error *error) {
    reach r = {0};
    puna_status status = PUNA_OK;
    if (!reach_begin(&r, p)) {
        status = error_memory(error, "a grammar", 16 * (uint64_t)p->node_count);
    } else {
        solve(&r, true);
        status = check_ends(&r, text, error);
        if (status == PUNA_OK) {
            solve(&r, false);
            status = check_recursion(&r, text, error);
        }
    }
    reach_end(&r);
    if (status != PUNA_OK) return status;
    shorten(p);
    for (uint32_t i = 0; i < PUSHDOWN_SETS; i++) regex_set_free(p->account, &p->sets[i].set);
    return PUNA_OK;
}
