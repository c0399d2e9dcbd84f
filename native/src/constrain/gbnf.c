// SPDX-License-Identifier: Apache-2.0
/*
 * Recursive descent, one function a level:
 *
 *     grammar  := (name '::=' choice newline)*
 *     choice   := sequence ('|' sequence)*
 *     sequence := (atom count*)*
 *     atom     := '"' text '"' | '[' class ']' | '.' | name | '(' choice ')'
 */
#include "constrain/gbnf.h"

#include <string.h>

#include "base/utf8.h"

enum { MAX_DEPTH = 128, MAX_COUNT = 100000, MAX_LITERAL = 1 << 16, SLOTS = 2 * GBNF_MAX_RULES };

typedef struct parser {
    pushdown *p;
    const char *text;
    uint32_t length, at, depth, named;
    uint32_t *slots; /* rule + 1 by its name's hash */
    puna_error *error;
} parser;

static puna_status parse_choice(parser *g, pushdown_part *out);

static puna_status fail(const parser *g, uint32_t offset, const char *reason) {
    uint32_t line = 1, column = 1;
    for (uint32_t i = 0; i < offset; i++) {
        column = g->text[i] == '\n' ? 1 : column + 1;
        line += g->text[i] == '\n';
    }
    return error_at(g->error, PUNA_INVALID_ARGUMENT, "grammar", offset,
                    "The grammar can't be read at offset %u (line %u, column %u): %s.", offset, line, column, reason);
}

static pushdown_place place(const parser *g, uint32_t offset) { return (pushdown_place){offset, g->error}; }
static bool at_end(const parser *g) { return g->at == g->length; }
static char peek(const parser *g) { return at_end(g) ? '\0' : g->text[g->at]; }

static bool take(parser *g, const char *text) {
    size_t length = strlen(text);
    if (g->length - g->at < length || memcmp(g->text + g->at, text, length) != 0) return false;
    g->at += (uint32_t)length;
    return true;
}

/* Blanks and comments; line ends only where the line can go on. */
static void skip_blanks(parser *g, bool lines) {
    for (; !at_end(g); g->at++) {
        char c = peek(g);
        if (c == '#') {
            while (!at_end(g) && peek(g) != '\n') g->at++;
            if (at_end(g)) return;
            c = '\n';
        }
        if (c != ' ' && c != '\t' && !(lines && (c == '\n' || c == '\r'))) return;
    }
}

static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* ---- Names ---- */

static puna_status parse_name(parser *g, uint32_t *rule) {
    uint32_t start = g->at, hash = 2166136261u;
    for (; is_name(peek(g)); g->at++) hash = (hash ^ (uint8_t)peek(g)) * 16777619u;
    uint32_t length = g->at - start, slot = (hash ^ hash >> 15) % SLOTS;
    for (; g->slots[slot]; slot = (slot + 1) % SLOTS) {
        const pushdown_rule *r = &g->p->rules[g->slots[slot] - 1];
        if (r->name_length == length && memcmp(g->text + r->name, g->text + start, length) == 0) {
            *rule = g->slots[slot] - 1;
            return PUNA_OK;
        }
    }
    if (g->named++ == GBNF_MAX_RULES) return fail(g, start, "it has more than 16384 rules");
    puna_status status = pushdown_new_rule(g->p, place(g, start), length, rule);
    if (status == PUNA_OK) g->slots[slot] = *rule + 1;
    return status;
}

/* ---- Characters ---- */

static puna_status parse_hex(parser *g, int digits, uint32_t *value) {
    uint32_t start = g->at;
    *value = 0;
    for (int i = 0; i < digits; i++, g->at++) {
        char c = peek(g);
        uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : (c | 32) >= 'a' && (c | 32) <= 'f'
                         ? (uint32_t)((c | 32) - 'a' + 10) : 16;
        if (digit == 16) return fail(g, start, "\\x, \\u and \\U need 2, 4 and 8 hexadecimal digits");
        *value = *value << 4 | digit;
    }
    char spelled[4];
    return utf8_encode(*value, spelled) ? PUNA_OK : fail(g, start, "no character has this number");
}

static puna_status parse_character(parser *g, uint32_t *c) {
    size_t used;
    if (!take(g, "\\")) {
        *c = utf8_decode(g->text + g->at, g->length - g->at, &used);
        if (*c == UTF8_INVALID) return fail(g, g->at, "it is not UTF-8");
        g->at += (uint32_t)used;
        return PUNA_OK;
    }
    if (at_end(g)) return fail(g, g->at - 1, "a backslash at its end");
    switch (g->text[g->at++]) {
    case 'n': *c = '\n'; return PUNA_OK;
    case 'r': *c = '\r'; return PUNA_OK;
    case 't': *c = '\t'; return PUNA_OK;
    case 'x': return parse_hex(g, 2, c);
    case 'u': return parse_hex(g, 4, c);
    case 'U': return parse_hex(g, 8, c);
    case '\\': case '"': case '[': case ']': case '-': case '^':
        *c = (uint8_t)g->text[g->at - 1];
        return PUNA_OK;
    default:
        return fail(g, g->at - 2, "this escape is not known; there are \\n \\r \\t \\\\ \\\" \\[ \\] \\- \\^ \\xHH "
                                  "\\uHHHH \\UHHHHHHHH");
    }
}

static puna_status parse_text(parser *g, pushdown_part *out) {
    uint32_t start = g->at - 1, c;
    pushdown_part next;
    char bytes[4];
    puna_status status = pushdown_empty(g->p, place(g, start), out);
    while (status == PUNA_OK && !take(g, "\"")) {
        if (at_end(g) || peek(g) == '\n') return fail(g, start, "a text is not closed");
        status = parse_character(g, &c);
        if (status == PUNA_OK)
            status = pushdown_bytes(g->p, place(g, start), bytes, utf8_encode(c, bytes), &next);
        if (status == PUNA_OK) pushdown_join(g->p, out, next);
    }
    return status;
}

static puna_status parse_members(parser *g, uint32_t start, regex_set *set) {
    bool negated = take(g, "^"), stored = true;
    while (stored && !take(g, "]")) {
        uint32_t begin = g->at, first, last;
        if (at_end(g)) return fail(g, start, "a class is not closed");
        puna_status status = parse_character(g, &first);
        if (status != PUNA_OK) return status;
        last = first;
        if (peek(g) == '-' && g->at + 1 < g->length && g->text[g->at + 1] != ']') {
            g->at++;
            if ((status = parse_character(g, &last)) != PUNA_OK) return status;
            if (last < first) return fail(g, begin, "a range goes down");
        }
        stored = regex_set_add(g->p->account, set, first, last);
    }
    if (stored && negated) stored = regex_set_negate(g->p->account, set);
    return stored ? PUNA_OK : error_memory(g->error, "a grammar", set->count * 2 * sizeof *set->ranges);
}

static puna_status parse_class(parser *g, pushdown_part *out) {
    uint32_t start = g->at - 1;
    regex_set set = {0};
    puna_status status = parse_members(g, start, &set);
    if (status == PUNA_OK) return pushdown_characters(g->p, place(g, start), &set, out);
    regex_set_free(g->p->account, &set);
    return status;
}

static puna_status parse_any(parser *g, pushdown_part *out) {
    regex_set set = {0};
    if (!regex_set_add(g->p->account, &set, 0, UNICODE_LAST)) return error_memory(g->error, "a grammar", sizeof set);
    return pushdown_characters(g->p, place(g, g->at - 1), &set, out);
}

/* ---- Structure ---- */

static puna_status parse_group(parser *g, pushdown_part *out) {
    uint32_t start = g->at - 1;
    if (++g->depth > MAX_DEPTH) return fail(g, start, "its groups are nested more than 128 deep");
    puna_status status = parse_choice(g, out);
    g->depth--;
    if (status != PUNA_OK) return status;
    if (take(g, ")")) return PUNA_OK;
    if (at_end(g)) return fail(g, start, "a group is not closed");
    return fail(g, g->at, "\")\" or the group's next part is needed");
}

static puna_status parse_number(parser *g, uint32_t *number) {
    uint32_t start = g->at;
    *number = 0;
    for (; peek(g) >= '0' && peek(g) <= '9'; g->at++) {
        *number = *number * 10 + (uint32_t)(peek(g) - '0');
        if (*number > MAX_COUNT) return fail(g, start, "a count is above 100000");
    }
    return g->at > start ? PUNA_OK : fail(g, start, "a count needs a number");
}

static puna_status parse_braces(parser *g, uint32_t *least, uint32_t *most) {
    uint32_t start = g->at - 1;
    skip_blanks(g, false);
    puna_status status = parse_number(g, least);
    if (status != PUNA_OK) return status;
    *most = *least;
    skip_blanks(g, false);
    if (take(g, ",")) {
        skip_blanks(g, false);
        *most = PUSHDOWN_NONE;
        if (peek(g) != '}' && (status = parse_number(g, most)) != PUNA_OK) return status;
        skip_blanks(g, false);
    }
    if (!take(g, "}")) return fail(g, start, "a count is not closed");
    return *least <= *most ? PUNA_OK : fail(g, start, "a count's limits are the wrong way round");
}

static puna_status parse_counts(parser *g, pushdown_part *part) {
    puna_status status = PUNA_OK;
    while (status == PUNA_OK) {
        uint32_t start = g->at, least = 0, most = PUSHDOWN_NONE;
        if (take(g, "+")) least = 1;
        else if (take(g, "?")) most = 1;
        else if (take(g, "{")) status = parse_braces(g, &least, &most);
        else if (!take(g, "*")) break;
        if (status == PUNA_OK) status = pushdown_repeat(g->p, place(g, start), least, most, part);
    }
    return status;
}

static puna_status parse_atom(parser *g, pushdown_part *out, bool *none) {
    uint32_t start = g->at, rule;
    *none = false;
    if (take(g, "\"")) return parse_text(g, out);
    if (take(g, "[")) return parse_class(g, out);
    if (take(g, ".")) return parse_any(g, out);
    if (take(g, "(")) return parse_group(g, out);
    if (is_name(peek(g))) {
        puna_status status = parse_name(g, &rule);
        return status == PUNA_OK ? pushdown_call(g->p, place(g, start), rule, out) : status;
    }
    if (peek(g) == '<' || peek(g) == '!')
        return error_at(g->error, PUNA_UNSUPPORTED, "grammar", start,
                        "The grammar asks for a token by its name at offset %u; only texts, classes and rules can "
                        "stand here: what a model is made to write never holds a control token.", start);
    *none = true;
    return PUNA_OK;
}

static puna_status parse_sequence(parser *g, pushdown_part *out) {
    puna_status status = pushdown_empty(g->p, place(g, g->at), out);
    bool none = false;
    while (status == PUNA_OK) {
        pushdown_part part;
        skip_blanks(g, g->depth > 0);
        status = parse_atom(g, &part, &none);
        if (status != PUNA_OK || none) break;
        status = parse_counts(g, &part);
        if (status == PUNA_OK) pushdown_join(g->p, out, part);
    }
    return status;
}

static puna_status parse_choice(parser *g, pushdown_part *out) {
    pushdown_part next;
    skip_blanks(g, true);
    puna_status status = parse_sequence(g, out);
    while (status == PUNA_OK && take(g, "|")) {
        uint32_t start = g->at;
        skip_blanks(g, true);
        status = parse_sequence(g, &next);
        if (status == PUNA_OK) status = pushdown_choice(g->p, place(g, start), out, next);
    }
    return status;
}

static puna_status parse_rule(parser *g) {
    uint32_t start = g->at, rule;
    pushdown_part body;
    if (!is_name(peek(g))) return fail(g, start, "a rule's name is needed");
    puna_status status = parse_name(g, &rule);
    if (status != PUNA_OK) return status;
    if (g->p->rules[rule].start != PUSHDOWN_NONE) return fail(g, start, "this rule was defined before");
    skip_blanks(g, false);
    if (!take(g, "::=")) return fail(g, g->at, "\"::=\" is needed behind a rule's name");
    status = parse_choice(g, &body);
    if (status != PUNA_OK) return status;
    if (!at_end(g) && peek(g) != '\n' && peek(g) != '\r')
        return fail(g, g->at, "a text, a class, a name, a group, | or the line's end is needed");
    return pushdown_define(g->p, place(g, start), rule, body);
}

static puna_status parse_all(parser *g) {
    puna_status status = PUNA_OK;
    for (skip_blanks(g, true); status == PUNA_OK && !at_end(g); skip_blanks(g, true)) status = parse_rule(g);
    if (status != PUNA_OK) return status;
    for (uint32_t i = 0; i < g->p->rule_count; i++) {
        const pushdown_rule *r = &g->p->rules[i];
        if (r->start == PUSHDOWN_NONE) return fail(g, r->name, "this rule is used, but not defined");
        if (r->name_length == 4 && memcmp(g->text + r->name, "root", 4) == 0) g->p->root = i;
    }
    if (g->p->root == PUSHDOWN_NONE) return fail(g, 0, "it has no rule \"root\", at which matching begins");
    return pushdown_finish(g->p, g->text, g->error);
}

puna_status gbnf_read(pushdown *p, const char *text, size_t length, puna_error *error) {
    if (length > GBNF_MAX_LENGTH)
        return error_set(error, PUNA_INVALID_ARGUMENT, "grammar", "the grammar has %zu bytes; at most %u are allowed",
                         length, GBNF_MAX_LENGTH);
    parser g = {.p = p, .text = text, .length = (uint32_t)length, .error = error};
    g.slots = memory_array(p->account, SLOTS, sizeof *g.slots);
    if (!g.slots) return error_memory(error, "a grammar", SLOTS * sizeof *g.slots);
    puna_status status = parse_all(&g);
    memory_free(p->account, g.slots);
    return status;
}
