// SPDX-License-Identifier: Apache-2.0
/*
 * The automaton's tables and the walk through them.
 *
 * Characters that no set of the pattern tells apart form a class. A state of the deterministic automaton is the list of
 * places where a matcher that tries alternatives in order could be, the preferred first; a place behind a match that is
 * certain is cut, since the match wins over it. What a look-ahead or a match at a place means is settled by the next
 * character, or by the text's end, which is a class of its own: an entry of the table says "matched before this
 * character" and the state behind it.
 */
#include "base/regex.h"

#include <string.h>

#include "base/regex_parse.h"
#include "base/utf8.h"

#define MAX_STATES 4096u
#define MAX_CLASSES 255u
#define BLOCK 256u
#define BLOCKS ((UNICODE_LAST + 1) / BLOCK)
#define DEAD 0u
#define START 1u

struct regex {
    uint32_t columns;         /* classes of characters, then the text's end */
    uint32_t invalid;         /* the class of bytes that are not UTF-8 */
    uint32_t *next;           /* [state][column]: state << 1 | matched before this character */
    uint16_t blocks[BLOCKS];  /* of code points: which row of `classes` */
    uint8_t *classes;         /* [row][BLOCK] */
};

typedef struct builder {
    memory_account *account;
    regex *automaton;
    regex_program program;
    uint64_t signatures[MAX_CLASSES + 1]; /* of each class: the sets that hold it; 0 for the text's end */
    uint32_t class_count;
    uint32_t state_count, state_capacity;
    size_t *lists;                        /* of each state: where its places begin in `places`, and one more */
    uint16_t *places;
    size_t place_count, place_capacity;
    uint32_t slots[MAX_STATES * 2];       /* states by their lists; 0: free */
    uint16_t stack[REGEX_MAX_NODES + 1], outer[REGEX_MAX_NODES + 1];
    uint32_t seen[REGEX_MAX_NODES], walked[REGEX_MAX_NODES];
    uint32_t round;
    uint16_t list[REGEX_MAX_NODES];       /* the state being made */
    uint32_t list_count;
    puna_error *error;
} builder;

/* What it holds already is needed, and more. */
static puna_status no_memory(const builder *b) {
    return error_memory(b->error, "a pattern's automaton", memory_used(b->account) + 1);
}

static puna_status too_large(const builder *b, const char *what) {
    return error_set(b->error, PUNA_UNSUPPORTED, "pattern", "The pattern needs more than the %s that are allowed.",
                     what);
}

/* ---- Classes ---- */

static puna_status class_of(builder *b, uint64_t signature, uint32_t *class) {
    for (uint32_t i = 0; i < b->class_count; i++) {
        if (b->signatures[i] == signature) {
            *class = i;
            return PUNA_OK;
        }
    }
    if (b->class_count == MAX_CLASSES) return too_large(b, "255 classes of characters");
    *class = b->class_count;
    b->signatures[b->class_count++] = signature;
    return PUNA_OK;
}

/* Walks all sets' ranges at once: from each border to the next, the same sets hold the characters. */
static puna_status fill_classes(builder *b, uint8_t *flat) {
    const regex_program *program = &b->program;
    size_t cursor[REGEX_MAX_SETS] = {0};
    uint64_t invalid = 0;
    for (uint32_t first = 0; first <= UNICODE_LAST;) {
        uint64_t signature = 0;
        uint32_t border = UNICODE_LAST + 1, class = 0;
        for (uint32_t i = 0; i < program->set_count; i++) {
            const regex_set *set = &program->sets[i];
            while (cursor[i] < set->count && set->ranges[cursor[i]].last < first) cursor[i]++;
            if (cursor[i] == set->count) continue;
            unicode_range range = set->ranges[cursor[i]];
            bool inside = range.first <= first;
            uint32_t change = inside ? range.last + 1 : range.first;
            if (inside) signature |= (uint64_t)1 << i;
            if (change < border) border = change;
        }
        puna_status status = class_of(b, signature, &class);
        if (status != PUNA_OK) return status;
        memset(flat + first, (int)class, border - first);
        first = border;
    }
    for (uint32_t i = 0; i < program->set_count; i++) {
        if (program->sets[i].invalid) invalid |= (uint64_t)1 << i;
    }
    return class_of(b, invalid, &b->automaton->invalid);
}

/* Most blocks of 256 code points are alike: equal ones are held once. */
static puna_status fold_classes(builder *b, const uint8_t *flat) {
    regex *a = b->automaton;
    uint32_t rows = 0;
    a->classes = memory_array(b->account, 64, BLOCK);
    if (!a->classes) return no_memory(b);
    for (uint32_t block = 0; block < BLOCKS; block++) {
        const uint8_t *source = flat + (size_t)block * BLOCK;
        uint32_t row = 0;
        while (row < rows && memcmp(a->classes + (size_t)row * BLOCK, source, BLOCK) != 0) row++;
        if (row == rows) {
            if (rows >= 64 && (rows & (rows - 1)) == 0) {
                uint8_t *grown = memory_grow(b->account, a->classes, (size_t)rows * 2 * BLOCK);
                if (!grown) return no_memory(b);
                a->classes = grown;
            }
            memcpy(a->classes + (size_t)rows++ * BLOCK, source, BLOCK);
        }
        a->blocks[block] = (uint16_t)row;
    }
    return PUNA_OK;
}

static puna_status make_classes(builder *b) {
    uint8_t *flat = memory_array(b->account, UNICODE_LAST + 1, 1);
    if (!flat) return no_memory(b);
    puna_status status = fill_classes(b, flat);
    if (status == PUNA_OK) status = fold_classes(b, flat);
    memory_free(b->account, flat);
    b->automaton->columns = b->class_count + 1;
    return status;
}

/* ---- States ---- */

/* Appends the places reached from `node` without eating a character, the preferred first, each once. */
static void add_places(builder *b, uint16_t node) {
    uint32_t depth = 0;
    b->stack[depth++] = node;
    while (depth) {
        uint16_t index = b->stack[--depth];
        const regex_node *n = &b->program.nodes[index];
        if (b->seen[index] == b->round) continue;
        b->seen[index] = b->round;
        switch (n->kind) {
        case REGEX_EMPTY: b->stack[depth++] = n->out; break;
        case REGEX_SPLIT:
            b->stack[depth++] = n->other;
            b->stack[depth++] = n->out;
            break;
        default: b->list[b->list_count++] = index;
        }
    }
}

/* From one place, with the next character's class known: goes on through look-aheads, adds what eating the character
   leads to. True if that meets a match, which cuts everything less preferred. */
static bool step_place(builder *b, uint16_t place, uint64_t signature) {
    uint16_t *stack = b->outer; /* add_places uses the other one meanwhile */
    uint32_t depth = 0;
    stack[depth++] = place;
    while (depth) {
        uint16_t index = stack[--depth];
        const regex_node *n = &b->program.nodes[index];
        if (b->walked[index] == b->round) continue;
        b->walked[index] = b->round;
        switch (n->kind) {
        case REGEX_MATCH: return true;
        case REGEX_SET:
            if (signature >> n->set & 1) add_places(b, n->out);
            break;
        case REGEX_NOT_NEXT:
            if (!(signature >> n->set & 1)) stack[depth++] = n->out;
            break;
        case REGEX_EMPTY: stack[depth++] = n->out; break;
        case REGEX_SPLIT:
            stack[depth++] = n->other;
            stack[depth++] = n->out;
            break;
        }
    }
    return false;
}

static uint32_t hash_list(const uint16_t *list, uint32_t count) {
    uint32_t hash = 2166136261u;
    for (uint32_t i = 0; i < count; i++) hash = (hash ^ list[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static puna_status reserve_state(builder *b) {
    if (b->state_count == MAX_STATES) return too_large(b, "4096 states");
    if (b->state_count + 1 >= b->state_capacity) {
        uint32_t capacity = b->state_capacity ? b->state_capacity * 2 : 64;
        size_t *lists = memory_grow(b->account, b->lists, (capacity + 1) * sizeof *lists);
        if (!lists) return no_memory(b);
        b->lists = lists;
        uint32_t *next = memory_grow(b->account, b->automaton->next,
                                     (size_t)capacity * b->automaton->columns * sizeof *next);
        if (!next) return no_memory(b);
        b->automaton->next = next;
        b->state_capacity = capacity;
    }
    if (b->place_count + b->list_count > b->place_capacity) {
        size_t capacity = (b->place_count + b->list_count) * 2;
        uint16_t *places = memory_grow(b->account, b->places, capacity * sizeof *places);
        if (!places) return no_memory(b);
        b->places = places;
        b->place_capacity = capacity;
    }
    return PUNA_OK;
}

/* The state of b->list, a new one where there is none yet. */
static puna_status state_of(builder *b, uint32_t *state) {
    uint32_t slot = hash_list(b->list, b->list_count) % (MAX_STATES * 2);
    *state = DEAD;
    if (b->list_count == 0 && b->state_count > 0) return PUNA_OK;
    for (; b->slots[slot]; slot = (slot + 1) % (MAX_STATES * 2)) {
        uint32_t old = b->slots[slot];
        if (b->lists[old + 1] - b->lists[old] == b->list_count
            && memcmp(b->places + b->lists[old], b->list, b->list_count * sizeof *b->list) == 0) {
            *state = old;
            return PUNA_OK;
        }
    }
    puna_status status = reserve_state(b);
    if (status != PUNA_OK) return status;
    *state = b->state_count++;
    if (*state != DEAD) b->slots[slot] = *state;
    if (b->list_count) memcpy(b->places + b->place_count, b->list, b->list_count * sizeof *b->list);
    b->lists[*state] = b->place_count;
    b->place_count += b->list_count;
    b->lists[*state + 1] = b->place_count;
    return PUNA_OK;
}

static puna_status make_states(builder *b) {
    uint32_t state;
    puna_status status = state_of(b, &state); /* DEAD: the empty list */
    if (status != PUNA_OK) return status;
    b->round = 1;
    add_places(b, b->program.start);
    if ((status = state_of(b, &state)) != PUNA_OK) return status; /* START */
    for (uint32_t from = START; from < b->state_count; from++) {
        for (uint32_t column = 0; column < b->automaton->columns; column++) {
            bool matched = false;
            b->round++;
            b->list_count = 0;
            for (size_t i = b->lists[from]; i < b->lists[from + 1] && !matched; i++) {
                matched = step_place(b, b->places[i], b->signatures[column]);
            }
            if (column == b->class_count) b->list_count = 0; /* nothing is eaten at the end */
            if ((status = state_of(b, &state)) != PUNA_OK) return status;
            b->automaton->next[(size_t)from * b->automaton->columns + column] = state << 1 | matched;
        }
    }
    return PUNA_OK;
}

/* ---- Interface ---- */

puna_status regex_compile(memory_account *account, const char *pattern, regex **out, puna_error *error) {
    *out = NULL;
    builder *b = memory_new(account, sizeof *b);
    regex *automaton = memory_new(account, sizeof *automaton);
    if (!b || !automaton) {
        memory_free(account, b);
        memory_free(account, automaton);
        return error_memory(error, "a pattern's automaton", sizeof *b + sizeof *automaton);
    }
    b->account = account;
    b->automaton = automaton;
    b->error = error;
    puna_status status = regex_parse(account, pattern, &b->program, error);
    if (status == PUNA_OK) status = make_classes(b);
    if (status == PUNA_OK) status = make_states(b);
    regex_program_free(account, &b->program);
    memory_free(account, b->lists);
    memory_free(account, b->places);
    memory_free(account, b);
    if (status == PUNA_OK) *out = automaton;
    else regex_free(account, automaton);
    return status;
}

void regex_free(memory_account *account, regex *automaton) {
    if (!automaton) return;
    memory_free(account, automaton->next);
    memory_free(account, automaton->classes);
    memory_free(account, automaton);
}

static inline uint32_t class_at(const regex *a, uint32_t code_point) {
    return a->classes[(size_t)a->blocks[code_point / BLOCK] * BLOCK + code_point % BLOCK];
}

static inline size_t match(const regex *automaton, const char *text, size_t length, bool bytes) {
    size_t at = 0, matched = 0;
    uint32_t state = START, entry;
    while (at < length) {
        size_t used = 1;
        uint32_t class, code_point = (unsigned char)text[at];
        if (code_point >= 0x80 && !bytes) code_point = utf8_decode(text + at, length - at, &used);
        class = code_point == UTF8_INVALID ? automaton->invalid : class_at(automaton, code_point);
        entry = automaton->next[(size_t)state * automaton->columns + class];
        if (entry & 1) matched = at;
        state = entry >> 1;
        if (state == DEAD) return matched;
        at += used;
    }
    entry = automaton->next[(size_t)state * automaton->columns + automaton->columns - 1];
    return entry & 1 ? at : matched;
}

size_t regex_match(const regex *automaton, const char *text, size_t length) {
    return match(automaton, text, length, false);
}

size_t regex_match_bytes(const regex *automaton, const char *text, size_t length) {
    return match(automaton, text, length, true);
}
