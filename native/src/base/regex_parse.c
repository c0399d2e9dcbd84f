// SPDX-License-Identifier: Apache-2.0
/*
 * Recursive descent, one function a level of the grammar:
 *
 *     choice   := sequence ('|' sequence)*
 *     sequence := (atom count?)*
 *     count    := '*' | '+' | '?' | '{' m (',' n?)? '}'
 *     atom     := '(' choice ')' | '(?:' choice ')' | '(?i:' choice ')' | '(?!' character ')' | character
 *     class    := '[' '^'? member+ ('&&' class)? ']'
 *
 * A counted atom is read again for each copy. Depth, nodes, sets and the atoms read are bounded, so that no pattern,
 * however nested its counts, costs more than a moment.
 */
#include "base/regex_parse.h"

#include <string.h>

#include "base/utf8.h"

#define MAX_DEPTH 64u
#define MAX_ATOMS 20000u
#define MAX_COUNT 1000u

typedef struct parser {
    memory_account *account;
    regex_program *program;
    const char *pattern;
    size_t length, at;
    uint32_t depth, atoms;
    bool any_case;
    puna_error *error;
} parser;

/* A part of the automaton: entered at `start`, left at `end`, a REGEX_EMPTY whose out is still open. */
typedef struct fragment { uint16_t start, end; } fragment;

static puna_status parse_choice(parser *p, fragment *out);

static puna_status fail(const parser *p, size_t offset, const char *reason) {
    return error_at(p->error, PUNA_INVALID_ARGUMENT, "pattern", offset, "The pattern can't be read at offset %zu: %s.",
                    offset, reason);
}

static puna_status refuse(const parser *p, const char *reason) {
    return error_at(p->error, PUNA_UNSUPPORTED, "pattern", p->at, "The pattern is not supported at offset %zu: %s.",
                    p->at, reason);
}

static puna_status no_memory(const parser *p) {
    return error_memory(p->error, "a pattern's automaton", memory_used(p->account) + 1);
}

static bool at_end(const parser *p) { return p->at == p->length; }
static char peek(const parser *p) { return at_end(p) ? '\0' : p->pattern[p->at]; }

static bool take(parser *p, const char *text) {
    size_t length = strlen(text);
    if (p->length - p->at < length || memcmp(p->pattern + p->at, text, length) != 0) return false;
    p->at += length;
    return true;
}

static puna_status new_node(parser *p, regex_kind kind, uint16_t *index) {
    if (p->program->node_count == REGEX_MAX_NODES) return refuse(p, "its automaton is too large");
    *index = (uint16_t)p->program->node_count++;
    p->program->nodes[*index] = (regex_node){.kind = (uint8_t)kind, .out = REGEX_NONE, .other = REGEX_NONE};
    return PUNA_OK;
}

/* ---- Characters ---- */

static puna_status parse_code_point(parser *p, uint32_t *code_point) {
    size_t used;
    if (at_end(p)) return fail(p, p->at, "it ends where a character is needed");
    uint32_t c = utf8_decode(p->pattern + p->at, p->length - p->at, &used);
    if (c == UTF8_INVALID) return fail(p, p->at, "it is not UTF-8");
    p->at += used;
    *code_point = c;
    return PUNA_OK;
}

static puna_status parse_property(parser *p, regex_set *set) {
    size_t start = p->at;
    if (!take(p, "{")) return fail(p, start, "\\p needs a name in braces");
    const char *close = memchr(p->pattern + p->at, '}', p->length - p->at);
    if (!close) return fail(p, start, "a brace is not closed");
    size_t length = (size_t)(close - (p->pattern + p->at));
    const char *name = p->pattern + p->at;
    uint32_t categories = unicode_categories_named(name, length);
    bool han = length == 3 && memcmp(name, "Han", 3) == 0;
    if (!categories && !han)
        return fail(p, start, "no general category has this name, and of the scripts there is Han");
    p->at += length + 1;
    bool added = han ? regex_set_add_han(p->account, set) : regex_set_add_categories(p->account, set, categories);
    return added ? PUNA_OK : no_memory(p);
}

/* Behind \x: a code point in hexadecimal, in braces. */
static puna_status parse_hexadecimal(parser *p, uint32_t *code_point) {
    size_t start = p->at;
    uint32_t value = 0;
    if (!take(p, "{")) return fail(p, start, "\\x needs a code point in braces");
    for (; !at_end(p) && peek(p) != '}'; p->at++) {
        char c = peek(p);
        if (c >= '0' && c <= '9') value = value * 16 + (uint32_t)(c - '0');
        else if (c >= 'A' && c <= 'F') value = value * 16 + (uint32_t)(c - 'A') + 10;
        else return fail(p, p->at, "a code point has digits and the letters A to F");
        if (value > UNICODE_LAST) return fail(p, start, "no character has this code point");
    }
    if (p->at == start + 1 || !take(p, "}")) return fail(p, start, "\\x needs a code point in braces");
    *code_point = value;
    return PUNA_OK;
}

/* After a backslash: adds what it stands for; *single is its code point, or UTF8_INVALID where it stands for many. */
static puna_status parse_escape(parser *p, regex_set *set, uint32_t *single) {
    size_t start = p->at - 1;
    bool negated = false, stored = true;
    regex_set part = {0};
    puna_status status = PUNA_OK;
    *single = UTF8_INVALID;
    if (at_end(p)) return fail(p, start, "a backslash at its end");
    char c = p->pattern[p->at++];
    switch (c) {
    case 'n': *single = '\n'; break;
    case 'r': *single = '\r'; break;
    case 't': *single = '\t'; break;
    case 'f': *single = '\f'; break;
    case 'v': *single = '\v'; break;
    case 'S': negated = true; /* fall through */
    case 's': stored = regex_set_add_spaces(p->account, &part); break;
    case 'D': negated = true; /* fall through */
    case 'd': stored = regex_set_add_categories(p->account, &part, 1u << UNICODE_ND); break;
    case 'P': negated = true; /* fall through */
    case 'p': status = parse_property(p, &part); break;
    case 'x':
        status = parse_hexadecimal(p, single);
        if (status != PUNA_OK) return status;
        break;
    default:
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80) {
            return fail(p, start, "this escape is not known");
        }
        *single = (unsigned char)c;
    }
    if (*single != UTF8_INVALID) return regex_set_add(p->account, set, *single, *single) ? PUNA_OK : no_memory(p);
    if (status == PUNA_OK) {
        stored = stored && (!negated || regex_set_negate(p->account, &part))
            && regex_set_add_set(p->account, set, &part);
        if (!stored) status = no_memory(p);
    }
    regex_set_free(p->account, &part);
    return status;
}

/* One member of a bracketed class: a character, a range, an escape. */
static puna_status parse_member(parser *p, regex_set *set) {
    size_t start = p->at;
    uint32_t first, last;
    puna_status status;
    if (take(p, "\\")) {
        status = parse_escape(p, set, &first);
        if (status != PUNA_OK || first == UTF8_INVALID) return status;
    } else {
        if (peek(p) == '[') return refuse(p, "a bracket inside a class must be escaped");
        if ((status = parse_code_point(p, &first)) != PUNA_OK) return status;
    }
    last = first;
    if (peek(p) == '-' && p->length - p->at > 1 && p->pattern[p->at + 1] != ']') {
        regex_set ignored = {0};
        p->at++;
        if (take(p, "\\")) {
            status = parse_escape(p, &ignored, &last);
            regex_set_free(p->account, &ignored);
        } else {
            status = parse_code_point(p, &last);
        }
        if (status != PUNA_OK) return status;
        if (last == UTF8_INVALID || last < first) return fail(p, start, "the range is not one");
    }
    if (p->any_case && last >= 0x80) return refuse(p, "(?i:) knows ASCII letters only");
    return regex_set_add(p->account, set, first, last) ? PUNA_OK : no_memory(p);
}

static puna_status parse_class(parser *p, regex_set *set);

/* Behind && in a class: leaves in the set what the class that follows holds, too. */
static puna_status parse_common(parser *p, regex_set *set) {
    regex_set other = {0};
    if (!take(p, "[")) return refuse(p, "behind && stands a class in brackets");
    if (++p->depth > MAX_DEPTH) return refuse(p, "its classes are nested too deep");
    puna_status status = parse_class(p, &other);
    p->depth--;
    /* What both hold is what neither lacks. */
    if (status == PUNA_OK
        && !(regex_set_negate(p->account, set) && regex_set_negate(p->account, &other)
             && regex_set_add_set(p->account, set, &other) && regex_set_negate(p->account, set))) {
        status = no_memory(p);
    }
    regex_set_free(p->account, &other);
    return status;
}

static puna_status parse_class(parser *p, regex_set *set) {
    size_t start = p->at - 1;
    bool negated = take(p, "^"), first = true;
    puna_status status;
    while (peek(p) != ']' || first) {
        if (at_end(p)) return fail(p, start, "a class is not closed");
        if (take(p, "&&")) {
            if ((status = parse_common(p, set)) != PUNA_OK) return status;
            break;
        }
        if ((status = parse_member(p, set)) != PUNA_OK) return status;
        first = false;
    }
    if (!take(p, "]")) return fail(p, start, "a class is not closed");
    if (p->any_case && !regex_set_add_cases(p->account, set)) return no_memory(p);
    return !negated || regex_set_negate(p->account, set) ? PUNA_OK : no_memory(p);
}

/* A character, an escape, a dot or a class, into an empty set. */
static puna_status parse_character(parser *p, regex_set *set) {
    uint32_t single;
    puna_status status;
    if (take(p, "[")) return parse_class(p, set);
    if (take(p, ".")) {
        return regex_set_add(p->account, set, '\n', '\n') && regex_set_negate(p->account, set) ? PUNA_OK : no_memory(p);
    }
    if (take(p, "\\")) {
        status = parse_escape(p, set, &single);
    } else {
        if (peek(p) == '^' || peek(p) == '$') return refuse(p, "anchors do not exist here");
        if (peek(p) == '*' || peek(p) == '+' || peek(p) == '?' || peek(p) == '{') {
            return fail(p, p->at, "there is nothing to repeat");
        }
        if ((status = parse_code_point(p, &single)) == PUNA_OK) {
            if (p->any_case && single >= 0x80) return refuse(p, "(?i:) knows ASCII letters only");
            if (!regex_set_add(p->account, set, single, single)) return no_memory(p);
        }
    }
    if (status == PUNA_OK && p->any_case && single != UTF8_INVALID && !regex_set_add_cases(p->account, set)) {
        return no_memory(p);
    }
    return status;
}

/* Finds or stores the set in the program, which takes it over. */
static puna_status intern_set(parser *p, regex_set *set, uint8_t *index) {
    regex_program *program = p->program;
    regex_set_normalize(set);
    for (uint32_t i = 0; i < program->set_count; i++) {
        if (!regex_set_equal(&program->sets[i], set)) continue;
        *index = (uint8_t)i;
        regex_set_free(p->account, set);
        return PUNA_OK;
    }
    if (program->set_count == REGEX_MAX_SETS) return refuse(p, "it has too many different classes");
    *index = (uint8_t)program->set_count;
    program->sets[program->set_count++] = *set;
    *set = (regex_set){0};
    return PUNA_OK;
}

/* ---- Structure ---- */

static puna_status parse_one(parser *p, regex_kind kind, fragment *out) {
    regex_set set = {0};
    uint8_t index = 0;
    puna_status status = parse_character(p, &set);
    if (status == PUNA_OK) status = intern_set(p, &set, &index);
    regex_set_free(p->account, &set);
    if (status == PUNA_OK) status = new_node(p, kind, &out->start);
    if (status == PUNA_OK) status = new_node(p, REGEX_EMPTY, &out->end);
    if (status != PUNA_OK) return status;
    p->program->nodes[out->start].set = index;
    p->program->nodes[out->start].out = out->end;
    return PUNA_OK;
}

static puna_status parse_group(parser *p, size_t start, fragment *out) {
    bool outer_case = p->any_case, ahead = false;
    if (take(p, "?i:")) p->any_case = true;
    else if (take(p, "?!")) ahead = true;
    else if (!take(p, "?:") && peek(p) == '?')
        return refuse(p, "of the groups with ? there are (?:, (?i: and (?! only");
    if (++p->depth > MAX_DEPTH) return refuse(p, "its groups are nested too deep");
    puna_status status = ahead ? parse_one(p, REGEX_NOT_NEXT, out) : parse_choice(p, out);
    p->depth--;
    p->any_case = outer_case;
    if (status != PUNA_OK) return status;
    if (take(p, ")")) return PUNA_OK;
    return ahead ? refuse(p, "(?! looks at one character only") : fail(p, start, "a group is not closed");
}

static puna_status parse_atom(parser *p, fragment *out) {
    size_t start = p->at;
    if (++p->atoms > MAX_ATOMS) return refuse(p, "its counts make it too large");
    return take(p, "(") ? parse_group(p, start, out) : parse_one(p, REGEX_SET, out);
}

static puna_status parse_number(parser *p, uint32_t *number) {
    size_t start = p->at;
    *number = 0;
    while (peek(p) >= '0' && peek(p) <= '9') {
        *number = *number * 10 + (uint32_t)(p->pattern[p->at++] - '0');
        if (*number > MAX_COUNT) return refuse(p, "a count above 1000");
    }
    return p->at > start ? PUNA_OK : fail(p, start, "a count needs a number");
}

/* What stands behind an atom; {1,1} where nothing does. most = MAX_COUNT + 1: no limit. */
static puna_status parse_count(parser *p, uint32_t *least, uint32_t *most) {
    size_t start = p->at;
    puna_status status;
    *least = *most = 1;
    if (take(p, "*")) *least = 0, *most = MAX_COUNT + 1;
    else if (take(p, "+")) *most = MAX_COUNT + 1;
    else if (take(p, "?")) *least = 0;
    else if (take(p, "{")) {
        if ((status = parse_number(p, least)) != PUNA_OK) return status;
        *most = *least;
        if (take(p, ",")) {
            *most = MAX_COUNT + 1;
            if (peek(p) != '}' && (status = parse_number(p, most)) != PUNA_OK) return status;
        }
        if (!take(p, "}")) return fail(p, start, "a count is not closed");
        if (*most < *least) return fail(p, start, "a count's limits are the wrong way round");
    }
    if (p->at > start && (peek(p) == '?' || peek(p) == '+' || peek(p) == '*' || peek(p) == '{')) {
        return refuse(p, "repetition is greedy only, and not repeated itself");
    }
    return PUNA_OK;
}

/* body, made optional or repeated: split -> body -> (split | end), split -> end. */
static puna_status wrap(parser *p, fragment body, bool repeat, fragment *out) {
    puna_status status = new_node(p, REGEX_SPLIT, &out->start);
    if (status == PUNA_OK) status = new_node(p, REGEX_EMPTY, &out->end);
    if (status != PUNA_OK) return status;
    regex_node *nodes = p->program->nodes;
    nodes[out->start].out = body.start;
    nodes[out->start].other = out->end;
    nodes[body.end].out = repeat ? out->start : out->end;
    return PUNA_OK;
}

static void join(parser *p, fragment *whole, fragment next) {
    p->program->nodes[whole->end].out = next.start;
    whole->end = next.end;
}

/* An atom with its count: `least` copies, then a loop or optional copies (each goes on only if the one before matched:
   for greedy repetition a row of optional copies means the same). */
static puna_status parse_piece(parser *p, fragment *whole) {
    size_t atom_at = p->at, behind;
    uint32_t nodes = p->program->node_count, least, most;
    fragment part, piece;
    puna_status status = parse_atom(p, &part);
    if (status == PUNA_OK) status = parse_count(p, &least, &most);
    if (status != PUNA_OK) return status;
    behind = p->at;
    p->program->node_count = nodes; /* read again below, once for each copy */
    uint32_t copies = most > MAX_COUNT ? least + 1 : most;
    for (uint32_t i = 0; i < copies; i++) {
        p->at = atom_at;
        if ((status = parse_atom(p, &part)) != PUNA_OK) return status;
        if (i >= least) {
            if ((status = wrap(p, part, most > MAX_COUNT, &piece)) != PUNA_OK) return status;
            part = piece;
        }
        join(p, whole, part);
    }
    p->at = behind;
    return PUNA_OK;
}

static puna_status parse_sequence(parser *p, fragment *out) {
    puna_status status = new_node(p, REGEX_EMPTY, &out->start);
    out->end = out->start;
    while (status == PUNA_OK && !at_end(p) && peek(p) != '|' && peek(p) != ')') status = parse_piece(p, out);
    return status;
}

static puna_status parse_choice(parser *p, fragment *out) {
    fragment next;
    uint16_t split, end;
    puna_status status = parse_sequence(p, out);
    if (status != PUNA_OK || peek(p) != '|') return status;
    uint16_t last = REGEX_NONE; /* the split whose second way is the next alternative */
    if ((status = new_node(p, REGEX_EMPTY, &end)) != PUNA_OK) return status;
    next = *out;
    for (;;) {
        regex_node *nodes = p->program->nodes;
        nodes[next.end].out = end;
        if (peek(p) != '|') {
            nodes[last].other = next.start;
            break;
        }
        p->at++;
        if ((status = new_node(p, REGEX_SPLIT, &split)) != PUNA_OK) return status;
        nodes[split].out = next.start;
        if (last == REGEX_NONE) out->start = split;
        else nodes[last].other = split;
        last = split;
        if ((status = parse_sequence(p, &next)) != PUNA_OK) return status;
    }
    out->end = end;
    return PUNA_OK;
}

puna_status regex_parse(memory_account *account, const char *pattern, regex_program *program, puna_error *error) {
    parser p = {.account = account, .program = program, .pattern = pattern, .length = strlen(pattern), .error = error};
    fragment whole;
    uint16_t match;
    program->nodes = memory_array(account, REGEX_MAX_NODES, sizeof *program->nodes);
    if (!program->nodes) return no_memory(&p);
    puna_status status = parse_choice(&p, &whole);
    if (status == PUNA_OK && !at_end(&p)) status = fail(&p, p.at, "a parenthesis closes nothing");
    if (status == PUNA_OK) status = new_node(&p, REGEX_MATCH, &match);
    if (status != PUNA_OK) return status;
    program->nodes[whole.end].out = match;
    program->start = whole.start;
    return PUNA_OK;
}

void regex_program_free(memory_account *account, regex_program *program) {
    for (uint32_t i = 0; i < program->set_count; i++) regex_set_free(account, &program->sets[i]);
    memory_free(account, program->nodes);
    *program = (regex_program){0};
}
