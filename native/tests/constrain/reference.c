// SPDX-License-Identifier: Apache-2.0
#include "constrain/reference.h"

#include "base/utf8.h"

const uint32_t reference_alphabet[] = {'a', 'b', 'c', 0xE9, 0x20AC, 0x1F600};
const size_t reference_letters = sizeof reference_alphabet / sizeof *reference_alphabet;

/* ---- Making ---- */

static int make(reference *r, int depth) {
    if (r->used == REFERENCE_EXPRESSIONS) return r->used - 1;
    int at = r->used++;
    reference_expression *e = &r->expressions[at];
    memset(e, 0, sizeof *e);
    uint32_t choice = testing_below(depth > 3 ? 50 : 100);
    if (choice < 30) {
        e->kind = REFERENCE_TEXT;
        e->count = testing_below(10) == 0 ? 0 : 1 + testing_below(2);
        for (uint32_t i = 0; i < e->count; i++)
            e->text[i] = reference_alphabet[testing_below((uint32_t)reference_letters)];
    } else if (choice < 42) {
        e->kind = REFERENCE_CLASS;
        e->count = 2;
        e->negated = testing_below(4) == 0;
        e->text[0] = reference_alphabet[testing_below((uint32_t)reference_letters)];
        e->text[1] = e->text[0] + testing_below(3);
    } else if (choice < 50) {
        e->kind = REFERENCE_CALL;
        e->rule = testing_below(REFERENCE_RULES);
    } else {
        e->kind = choice < 70 ? REFERENCE_SEQUENCE : choice < 85 ? REFERENCE_CHOICE : REFERENCE_REPEAT;
        e->parts = e->kind == REFERENCE_REPEAT ? 1 : 2 + testing_below(2);
        e->least = testing_below(3);
        e->most = testing_below(3) == 0 ? 99 : e->least + testing_below(3);
        for (uint32_t i = 0; i < e->parts; i++) {
            int part = make(r, depth + 1);
            r->expressions[at].part[i] = part;
        }
    }
    return at;
}

void reference_random(reference *r) {
    do {
        r->used = 0;
        for (int i = 0; i < REFERENCE_RULES; i++) r->root[i] = make(r, 0);
    } while (r->used == REFERENCE_EXPRESSIONS);
}

static void print(const reference *r, int at, char *text, size_t capacity, size_t *used) {
    const reference_expression *e = &r->expressions[at];
    char bytes[4];
#define PUT(...) *used += (size_t)snprintf(text + *used, capacity - *used, __VA_ARGS__)
    switch (e->kind) {
    case REFERENCE_TEXT:
        PUT("\"");
        for (uint32_t i = 0; i < e->count; i++) {
            if (e->text[i] == 0xE9) PUT("\\u00e9");
            else PUT("%.*s", (int)utf8_encode(e->text[i], bytes), bytes);
        }
        PUT("\"");
        break;
    case REFERENCE_CLASS: PUT("[%s\\U%08x-\\U%08x]", e->negated ? "^" : "", e->text[0], e->text[1]); break;
    case REFERENCE_CALL: PUT("rule-%u", e->rule); break;
    default:
        PUT("(");
        for (uint32_t i = 0; i < e->parts; i++) {
            if (i) PUT(e->kind == REFERENCE_CHOICE ? " |\n  " : " ");
            print(r, e->part[i], text, capacity, used);
        }
        PUT(")");
        if (e->kind != REFERENCE_REPEAT) break;
        if (e->most == 99 && e->least < 2) PUT(e->least ? "+" : "*");
        else if (e->most == 99) PUT("{%u,}", e->least);
        else if (e->least == 0 && e->most == 1) PUT("?");
        else if (e->least == e->most) PUT("{%u}", e->least);
        else PUT("{%u,%u}", e->least, e->most);
    }
#undef PUT
}

void reference_print(const reference *r, char *text, size_t capacity) {
    size_t used = (size_t)snprintf(text, capacity, "# made at random\nroot ::= rule-0\n");
    for (uint32_t i = 0; i < REFERENCE_RULES; i++) {
        used += (size_t)snprintf(text + used, capacity - used, "rule-%u ::= ", i);
        print(r, r->root[i], text, capacity, &used);
        used += (size_t)snprintf(text + used, capacity - used, "\n");
    }
}

/* ---- Asking ---- */

typedef struct walk {
    const reference *r;
    const uint32_t *text;
    size_t length;
    long moves;
    int depth;
    reference_answer answer;
} walk;

/* What is to be matched afterwards. */
typedef struct then { int expression; uint32_t part; size_t from; const struct then *next; } then;

static void go(walk *w, const then *t, size_t at);

static void enter(walk *w, int expression, const then *next, size_t at) {
    then t = {expression, 0, at, next};
    go(w, &t, at);
}

/* `part` of the expression t is next (of a repetition: so many were matched, the last one from `from`). */
static void go(walk *w, const then *t, size_t at) {
    if (--w->moves < 0 || (w->answer.begins && w->answer.whole)) return;
    if (!t) {
        if (at == w->length) w->answer = (reference_answer){true, true};
        return;
    }
    if (++w->depth > 2000) w->moves = -1;
    const reference_expression *e = &w->r->expressions[t->expression];
    if (w->moves >= 0) switch (e->kind) {
    case REFERENCE_TEXT: {
        uint32_t i = 0;
        while (i < e->count && at + i < w->length && w->text[at + i] == e->text[i]) i++;
        if (i == e->count) go(w, t->next, at + i);
        else if (at + i == w->length) w->answer.begins = true;
        break;
    }
    case REFERENCE_CLASS:
        if (at == w->length) w->answer.begins = true;
        else if ((w->text[at] >= e->text[0] && w->text[at] <= e->text[1]) != e->negated) go(w, t->next, at + 1);
        break;
    case REFERENCE_CALL: enter(w, w->r->root[e->rule], t->next, at); break;
    case REFERENCE_CHOICE:
        for (uint32_t i = 0; i < e->parts; i++) enter(w, e->part[i], t->next, at);
        break;
    case REFERENCE_SEQUENCE:
        if (t->part == e->parts) {
            go(w, t->next, at);
        } else {
            then rest = {t->expression, t->part + 1, at, t->next};
            enter(w, e->part[t->part], &rest, at);
        }
        break;
    case REFERENCE_REPEAT:
        if (t->part >= e->least) go(w, t->next, at);
        if (t->part < e->most && !(t->part > e->least && at == t->from)) { /* an empty round adds nothing */
            then rest = {t->expression, e->most == 99 && t->part > e->least ? t->part : t->part + 1, at, t->next};
            enter(w, e->part[0], &rest, at);
        }
        break;
    }
    w->depth--;
}

bool reference_ask(const reference *r, const uint32_t *text, size_t length, long limit, reference_answer *answer) {
    walk w = {.r = r, .text = text, .length = length, .moves = limit};
    enter(&w, r->root[0], NULL, 0);
    *answer = w.answer;
    return w.moves >= 0;
}
