// SPDX-License-Identifier: Apache-2.0
#include "constrain/pushdown.h"

#include <string.h>

void pushdown_begin(pushdown *p, memory_account *account) {
    *p = (pushdown){.account = account, .root = PUSHDOWN_NONE};
}

void pushdown_free(pushdown *p) {
    for (uint32_t i = 0; i < PUSHDOWN_SETS; i++) regex_set_free(p->account, &p->sets[i].set);
    memory_free(p->account, p->nodes);
    memory_free(p->account, p->rules);
    *p = (pushdown){.account = p->account, .root = PUSHDOWN_NONE};
}

static puna_status too_large(pushdown_place at) {
    return error_at(at.error, PUNA_INVALID_ARGUMENT, "grammar", at.offset,
                    "The grammar becomes too large at offset %u: it may have %u states; repetitions with large counts "
                    "cost one or two for each.", at.offset, PUSHDOWN_MAX_NODES);
}

/* Room for one more; arrays double. */
static void *room(pushdown *p, void *array, uint32_t count, size_t size) {
    if (count & (count - 1) || (count && count < 64)) return array;
    return memory_grow(p->account, array, (count ? 2 * (size_t)count : 64) * size);
}

static puna_status new_node(pushdown *p, pushdown_place at, pushdown_kind kind, uint32_t *index) {
    if (p->node_count == PUSHDOWN_MAX_NODES) return too_large(at);
    pushdown_node *nodes = room(p, p->nodes, p->node_count, sizeof *nodes);
    if (!nodes) return error_memory(at.error, "a grammar", 2 * (uint64_t)p->node_count * sizeof *nodes);
    p->nodes = nodes;
    *index = p->node_count++;
    nodes[*index] = (pushdown_node){.kind = (uint8_t)kind, .out = PUSHDOWN_NONE, .other = PUSHDOWN_NONE};
    return PUNA_OK;
}

puna_status pushdown_empty(pushdown *p, pushdown_place at, pushdown_part *out) {
    puna_status status = new_node(p, at, PUSHDOWN_EMPTY, &out->start);
    out->end = out->start;
    return status;
}

/* A node of its own with an open end behind it. */
static puna_status single(pushdown *p, pushdown_place at, pushdown_node node, pushdown_part *out) {
    puna_status status = new_node(p, at, node.kind, &out->start);
    if (status == PUNA_OK) status = new_node(p, at, PUSHDOWN_EMPTY, &out->end);
    if (status != PUNA_OK) return status;
    node.out = out->end;
    p->nodes[out->start] = node;
    return PUNA_OK;
}

static puna_status add_range(pushdown *p, pushdown_place at, uint8_t low, uint8_t high, pushdown_part *out) {
    pushdown_node node = {.kind = PUSHDOWN_RANGE, .low = low, .high = high, .other = PUSHDOWN_NONE};
    return single(p, at, node, out);
}

puna_status pushdown_call(pushdown *p, pushdown_place at, uint32_t rule, pushdown_part *out) {
    return single(p, at, (pushdown_node){.kind = PUSHDOWN_CALL, .other = rule}, out);
}

void pushdown_join(pushdown *p, pushdown_part *whole, pushdown_part next) {
    p->nodes[whole->end].out = next.start;
    whole->end = next.end;
}

puna_status pushdown_bytes(pushdown *p, pushdown_place at, const char *bytes, size_t length, pushdown_part *out) {
    if (length == 1) return add_range(p, at, (uint8_t)bytes[0], (uint8_t)bytes[0], out);
    puna_status status = pushdown_empty(p, at, out);
    for (size_t i = 0; status == PUNA_OK && i < length; i++) {
        pushdown_part next;
        status = add_range(p, at, (uint8_t)bytes[i], (uint8_t)bytes[i], &next);
        if (status == PUNA_OK) pushdown_join(p, out, next);
    }
    return status;
}

puna_status pushdown_choice(pushdown *p, pushdown_place at, pushdown_part *whole, pushdown_part other) {
    uint32_t split;
    puna_status status = new_node(p, at, PUSHDOWN_SPLIT, &split);
    if (status != PUNA_OK) return status;
    p->nodes[split].out = whole->start;
    p->nodes[split].other = other.start;
    p->nodes[other.end].out = whole->end;
    whole->start = split;
    return PUNA_OK;
}

puna_status pushdown_new_rule(pushdown *p, pushdown_place at, uint32_t name_length, uint32_t *rule) {
    pushdown_rule *rules = room(p, p->rules, p->rule_count, sizeof *rules);
    if (!rules) return error_memory(at.error, "a grammar", 2 * (uint64_t)p->rule_count * sizeof *rules);
    p->rules = rules;
    *rule = p->rule_count++;
    rules[*rule] = (pushdown_rule){PUSHDOWN_NONE, at.offset, name_length};
    return PUNA_OK;
}

puna_status pushdown_define(pushdown *p, pushdown_place at, uint32_t rule, pushdown_part part) {
    uint32_t end;
    puna_status status = new_node(p, at, PUSHDOWN_END, &end);
    if (status != PUNA_OK) return status;
    p->nodes[part.end].out = end;
    p->rules[rule].start = part.start;
    return PUNA_OK;
}

/* ---- Repetition ---- */

/* Is the part one node and its open end? Then copies of it are as small as calls. */
static bool is_single(const pushdown *p, pushdown_part part) {
    const pushdown_node *n = &p->nodes[part.start];
    return (n->kind == PUSHDOWN_RANGE || n->kind == PUSHDOWN_CALL) && n->out == part.end;
}

/* `least` copies, then a loop, or optional copies each of which goes on only behind the one before. */
puna_status pushdown_repeat(pushdown *p, pushdown_place at, uint32_t least, uint32_t most, pushdown_part *part) {
    puna_status status;
    if (least == 1 && most == 1) return PUNA_OK;
    if (!is_single(p, *part) && most > 0) { /* a rule of its own, so that a copy costs two nodes */
        uint32_t rule;
        if ((status = pushdown_new_rule(p, at, 0, &rule)) != PUNA_OK) return status;
        if ((status = pushdown_define(p, at, rule, *part)) != PUNA_OK) return status;
        if ((status = pushdown_call(p, at, rule, part)) != PUNA_OK) return status;
    }
    pushdown_node model = p->nodes[part->start];
    pushdown_part whole, next;
    uint32_t end, split;
    if ((status = pushdown_empty(p, at, &whole)) != PUNA_OK) return status;
    for (uint32_t i = 0; i < least; i++) {
        if ((status = single(p, at, model, &next)) != PUNA_OK) return status;
        pushdown_join(p, &whole, next);
    }
    if ((status = new_node(p, at, PUSHDOWN_EMPTY, &end)) != PUNA_OK) return status;
    uint32_t optional = most == PUSHDOWN_NONE ? 1 : most - least;
    for (uint32_t i = 0; i < optional; i++) {
        if ((status = new_node(p, at, PUSHDOWN_SPLIT, &split)) != PUNA_OK) return status;
        if ((status = single(p, at, model, &next)) != PUNA_OK) return status;
        p->nodes[split].out = next.start;
        p->nodes[split].other = end;
        pushdown_join(p, &whole, (pushdown_part){split, next.end});
        if (most == PUSHDOWN_NONE) p->nodes[next.end].out = split;
    }
    if (optional == 0 || most != PUSHDOWN_NONE) p->nodes[whole.end].out = end;
    whole.end = end;
    *part = whole;
    return PUNA_OK;
}

/* ---- Characters ---- */

typedef struct utf8_span { pushdown *p; pushdown_place at; pushdown_part *whole; bool any; } utf8_span;

/* Code points of one length whose encodings are all combinations of a range for each byte. */
static puna_status add_block(utf8_span *s, uint32_t first, uint32_t last, int bytes) {
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    pushdown_part row, next;
    puna_status status = PUNA_OK;
    for (int i = 0; status == PUNA_OK && i < bytes; i++) {
        int shift = 6 * (bytes - 1 - i);
        uint8_t mark = i ? 0x80 : lead[bytes];
        uint32_t mask = i ? 0x3F : 0x7F;
        status = add_range(s->p, s->at, (uint8_t)(mark | (first >> shift & mask)),
                           (uint8_t)(mark | (last >> shift & mask)), i ? &next : &row);
        if (status == PUNA_OK && i) pushdown_join(s->p, &row, next);
    }
    if (status != PUNA_OK) return status;
    if (!s->any) *s->whole = row;
    else status = pushdown_choice(s->p, s->at, s->whole, row);
    s->any = true;
    return status;
}

/* Code points first to last, no surrogates: cut where the number of bytes changes, and where a lower byte's range would
   not be whole under the upper ones. The depth is bounded by the bits of a code point. */
static puna_status add_span(utf8_span *s, uint32_t first, uint32_t last) {
    static const uint32_t limits[] = {0x7F, 0x7FF, 0xFFFF};
    puna_status status;
    int bytes = 1;
    for (int i = 0; i < 3; i++) {
        if (first <= limits[i] && last > limits[i]) {
            status = add_span(s, first, limits[i]);
            return status == PUNA_OK ? add_span(s, limits[i] + 1, last) : status;
        }
        bytes += first > limits[i];
    }
    for (int i = 1; i < bytes; i++) {
        uint32_t low = (1u << (6 * i)) - 1, cut;
        if ((first & ~low) == (last & ~low)) continue;
        if (first & low) cut = (first | low) + 1;
        else if ((last & low) != low) cut = last & ~low;
        else continue;
        status = add_span(s, first, cut - 1);
        return status == PUNA_OK ? add_span(s, cut, last) : status;
    }
    return add_block(s, first, last, bytes);
}

static puna_status spell(pushdown *p, pushdown_place at, const regex_set *set, pushdown_part *out) {
    utf8_span s = {p, at, out, false};
    puna_status status = PUNA_OK;
    for (size_t i = 0; status == PUNA_OK && i < set->count; i++) {
        uint32_t first = set->ranges[i].first, last = set->ranges[i].last;
        if (first < 0xD800) status = add_span(&s, first, last < 0xD800 ? last : 0xD7FF);
        if (status == PUNA_OK && last > 0xDFFF) status = add_span(&s, first > 0xDFFF ? first : 0xE000, last);
    }
    if (status != PUNA_OK || s.any) return status;
    return error_at(at.error, PUNA_INVALID_ARGUMENT, "grammar", at.offset,
                    "The class at offset %u of the grammar holds no character.", at.offset);
}

/* Few ranges of ASCII are written in place; everything else is a hidden rule, found again by its set. */
puna_status pushdown_characters(pushdown *p, pushdown_place at, regex_set *set, pushdown_part *out) {
    puna_status status;
    regex_set_normalize(set);
    if (set->count == 1 && set->ranges[0].last < 0x80) {
        status = spell(p, at, set, out);
        regex_set_free(p->account, set);
        return status;
    }
    for (uint32_t i = 0; i < PUSHDOWN_SETS; i++) {
        if (!p->sets[i].set.count || !regex_set_equal(&p->sets[i].set, set)) continue;
        regex_set_free(p->account, set);
        return pushdown_call(p, at, p->sets[i].rule, out);
    }
    uint32_t rule;
    status = spell(p, at, set, out);
    if (status == PUNA_OK) status = pushdown_new_rule(p, at, 0, &rule);
    if (status == PUNA_OK) status = pushdown_define(p, at, rule, *out);
    if (status == PUNA_OK) {
        pushdown_set *place = &p->sets[p->set_next++ % PUSHDOWN_SETS];
        regex_set_free(p->account, &place->set);
        *place = (pushdown_set){*set, rule};
        *set = (regex_set){0};
        status = pushdown_call(p, at, rule, out);
    }
    regex_set_free(p->account, set);
    return status;
}
