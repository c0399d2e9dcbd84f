// SPDX-License-Identifier: Apache-2.0
/* SentencePiece's merging against its definition, carried out literally; and its time. */
#include "text/spm.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "growth.h"
#include "testing.h"
#include "vocab_recipe.h"

#define MARK "\xE2\x96\x81"
#define MAX_TEXT 400
#define MAX_NORMAL (3 * MAX_TEXT + 4)

static recipe r;

/* ---- The definition ---- */

typedef struct symbol { size_t start, length; bool frozen; } symbol;

typedef struct literal {
    const char *text;
    symbol symbols[MAX_NORMAL];
    size_t count;
    size_t splits[RECIPE_TOKENS]; /* of an unused piece: what was noted last */
    int32_t *ids;
    size_t id_count;
    bool has_bytes;
} literal;

/* The pieces' spellings in normalized text: user-defined tokens are written with spaces. */
static char spellings[RECIPE_TOKENS][64];

static size_t write_marks(const char *text, size_t length, char *out) {
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != ' ') out[written++] = text[i];
        else memcpy(out + written, MARK, 3), written += 3;
    }
    return written;
}

static int32_t find_piece(const char *text, size_t length) {
    for (uint32_t id = 0; id < r.token_count; id++) {
        if (spellings[id][0] == text[0] && strlen(spellings[id]) == length && memcmp(spellings[id], text, length) == 0)
            return (int32_t)id;
    }
    return -1;
}

static int32_t pair(literal *l, size_t left) {
    symbol *a = &l->symbols[left], *b = a + 1;
    if (left + 1 >= l->count || a->frozen || b->frozen) return -1;
    return find_piece(l->text + a->start, a->length + b->length);
}

static void note(literal *l, size_t left) {
    int32_t id = pair(l, left);
    if (id >= 0 && r.kinds[id] == PUNA_TOKEN_UNUSED) l->splits[id] = l->symbols[left].length;
}

static void put_literally(literal *l, size_t start, size_t length) {
    int32_t id = find_piece(l->text + start, length);
    if (id >= 0 && r.kinds[id] != PUNA_TOKEN_UNUSED) {
        l->ids[l->id_count++] = id;
    } else if (id >= 0 && l->splits[id]) {
        size_t split = l->splits[id];
        put_literally(l, start, split);
        put_literally(l, start + split, length - split);
    } else if (l->has_bytes) {
        for (size_t i = 0; i < length; i++) l->ids[l->id_count++] = 3 + (uint8_t)l->text[start + i];
    } else if (l->id_count == 0 || l->ids[l->id_count - 1] != (int32_t)r.unknown) {
        l->ids[l->id_count++] = (int32_t)r.unknown;
    }
}

static void cut_literally(literal *l, size_t length) {
    for (size_t at = 0; at < length; at += l->symbols[l->count++].length) {
        symbol *s = &l->symbols[l->count];
        *s = (symbol){.start = at};
        for (size_t size = length - at; size > 0 && !s->frozen; size--) {
            int32_t id = find_piece(l->text + at, size);
            s->frozen = id >= 0 && r.kinds[id] == PUNA_TOKEN_USER_DEFINED;
            s->length = size;
        }
        if (!s->frozen) (void)utf8_decode(l->text + at, length - at, &s->length);
    }
}

static size_t encode_literally(const char *text, size_t length, bool has_bytes, int32_t *ids) {
    static literal l;
    memset(&l, 0, sizeof l);
    l.text = text, l.ids = ids, l.has_bytes = has_bytes;
    cut_literally(&l, length);
    for (size_t i = 0; i + 1 < l.count; i++) note(&l, i);
    for (;;) {
        size_t best = l.count;
        float best_score = 0;
        for (size_t i = 0; i + 1 < l.count; i++) {
            int32_t id = pair(&l, i);
            if (id >= 0 && (best == l.count || r.scores[id] > best_score)) best = i, best_score = r.scores[id];
        }
        if (best == l.count) break;
        l.symbols[best].length += l.symbols[best + 1].length;
        l.count--;
        memmove(&l.symbols[best + 1], &l.symbols[best + 2], (l.count - best - 1) * sizeof l.symbols[0]);
        if (best > 0) note(&l, best - 1);
        note(&l, best);
    }
    for (size_t i = 0; i < l.count; i++) {
        int32_t id = find_piece(text + l.symbols[i].start, l.symbols[i].length);
        if (l.symbols[i].frozen) ids[l.id_count++] = id;
        else put_literally(&l, l.symbols[i].start, l.symbols[i].length);
    }
    return l.id_count;
}

static size_t normalize_literally(const char *text, size_t length, char *out) {
    size_t prefix = r.space_prefix != 0 ? write_marks(" ", 1, out) : 0;
    return prefix + write_marks(text, length, out + prefix);
}

/* ---- Random vocabularies ---- */

static const char *const characters[] = {"a", "b", "c", MARK, "\xC3\xA9", "\xE2\x82\xAC", "d"};
#define CHARACTERS 7

static void add_piece(const char *text, int32_t kind, float score) {
    char spelling[64] = "";
    if (find_piece(spelling, write_marks(text, strlen(text), spelling)) >= 0) return;
    memcpy(spellings[recipe_piece(&r, text, kind, score)], spelling, sizeof spelling);
}

static void random_recipe(bool has_bytes, bool unused) {
    recipe_begin_spm(&r);
    if (has_bytes) recipe_byte_tokens(&r);
    uint32_t first = r.token_count;
    memset(spellings, 0, sizeof spellings);
    for (int i = 0; i < CHARACTERS; i++) {
        if (testing_below(6)) add_piece(characters[i], unused && testing_below(5) == 0 ? 5 : 1, testing_float(-9, 0));
    }
    for (uint32_t i = 0, count = testing_below(30); i < count; i++) {
        char both[128] = "";
        for (int side = 0; side < 2; side++) {
            uint32_t choice = testing_below(CHARACTERS + r.token_count - first);
            if (choice < CHARACTERS) strcat(both, characters[choice]);
            else strncat(both, r.tokens[first + choice - CHARACTERS].data,
                         r.tokens[first + choice - CHARACTERS].length);
        }
        if (strlen(both) > 24) continue;
        add_piece(both, unused && testing_below(4) == 0 ? 5 : 1, (float)testing_below(8) - 8); /* many are equal */
    }
    if (testing_below(2)) add_piece("ab c", PUNA_TOKEN_USER_DEFINED, -1);
    if (testing_below(2)) add_piece("ab", PUNA_TOKEN_USER_DEFINED, -1);
    if (testing_below(4) == 0) add_piece("  ", PUNA_TOKEN_USER_DEFINED, -1);
    r.space_prefix = (int)testing_below(3) - 1;
}

static void agrees(bool has_bytes, bool unused) {
    int merged = 0;
    for (int round = 0; round < 80; round++) {
        puna_status status;
        random_recipe(has_bytes, unused);
        tokenizer *t = recipe_load(&r, &status, NULL);
        NEED(t);
        for (int i = 0; i < 12; i++) {
            char text[MAX_TEXT], normal[MAX_NORMAL + 4];
            static int32_t expected[MAX_NORMAL], ids[MAX_NORMAL];
            /* on both sides of the heap's threshold */
            size_t length = 0, count, most = 1 + testing_below(i < 9 ? 40 : MAX_TEXT - 8);
            while (length < most) {
                const char *c = characters[testing_below(CHARACTERS)];
                if (*c == MARK[0] && strcmp(c, MARK) == 0 && testing_below(4)) c = " ";
                memcpy(text + length, c, strlen(c));
                length += strlen(c);
                if (testing_below(40) == 0) text[length++] = testing_below(2) ? '\xFF' : 'z';
            }
            size_t wanted = encode_literally(normal, normalize_literally(text, length, normal), has_bytes, expected);
            CHECK_EQUAL(tokenizer_encode(t, text, length, 0, ids, MAX_NORMAL, &count, NULL), PUNA_OK);
            if (count != wanted || memcmp(ids, expected, count * sizeof *ids) != 0) {
                testing_fail(__FILE__, __LINE__, "%.*s gives %zu tokens, not %zu, or others", (int)length, text, count,
                             wanted);
            }
            merged += count < length;
        }
        tokenizer_free(t);
    }
    CHECK(merged > 200);
}

static void agrees_with_the_definition(void) { agrees(true, false); }
static void agrees_without_byte_tokens(void) { agrees(false, false); }
static void agrees_with_unused_pieces(void) { agrees(true, true); agrees(false, true); }

/* A long text goes through the cache of words and the memo of pairs, short ones don't. */
static void remembers_rightly(void) {
    enum { LENGTH = 30000 };
    static char text[LENGTH];
    static int32_t ids[3 * LENGTH];
    for (int round = 0; round < 20; round++) {
        puna_status status;
        size_t count, wanted = 0, at = 0;
        random_recipe(true, false);
        r.space_prefix = 0;
        for (uint32_t i = 0; i < r.token_count; i++) { /* then every line is a text of its own */
            CHECK(!memchr(r.tokens[i].data, '\n', r.tokens[i].length));
        }
        tokenizer *t = recipe_load(&r, &status, NULL);
        NEED(t);
        for (size_t i = 0; i < LENGTH; i++) text[i] = i % 50 == 49 ? '\n' : "abc d"[testing_below(5)];
        CHECK_EQUAL(tokenizer_encode(t, text, LENGTH, 0, ids, 3 * LENGTH, &count, NULL), PUNA_OK);
        for (; at < LENGTH; at += 50) {
            int32_t line[200];
            size_t some;
            CHECK_EQUAL(tokenizer_encode(t, text + at, 50, 0, line, 200, &some, NULL), PUNA_OK);
            CHECK(wanted + some <= count && memcmp(ids + wanted, line, some * sizeof *line) == 0);
            wanted += some;
        }
        CHECK_EQUAL(count, wanted);
        tokenizer_free(t);
    }
}

/* ---- Time ---- */

static void takes_near_linear_time(void) {
    size_t length = TESTING_THIN(1 << 20, 1 << 18, 1 << 18);
    char *text = malloc(length);
    NEED(text);
    for (int unused = 0; unused < 2; unused++) {
        puna_status status;
        char piece[130];
        random_recipe(true, unused);
        if (unused) add_piece("cdcd", PUNA_TOKEN_UNUSED, -1), add_piece("cd", PUNA_TOKEN_UNUSED, -2);
        for (size_t size = 2; size < sizeof piece; size *= 2) { /* a long run can be joined to long pieces */
            memset(piece, 'x', size);
            piece[size] = 0;
            if (size < 32) add_piece(piece, PUNA_TOKEN_NORMAL, -(float)size); /* a random one may be the same */
            else recipe_piece(&r, piece, PUNA_TOKEN_NORMAL, -(float)size);
        }
        for (int k = 0; k < 1000; k++) { /* thousands of tokens that begin alike */
            char name[64];
            snprintf(name, sizeof name, "<|reserved_special_token_%d|>", k);
            recipe_piece(&r, name, PUNA_TOKEN_USER_DEFINED, 0);
        }
        tokenizer *t = recipe_load(&r, &status, NULL);
        NEED(t);
        for (size_t k = 0; k < length; k++) text[k] = (char)('a' + testing_below(4));
        growth_check(t, "one line of letters", text, length);
        memset(text, 'x', length);
        growth_check(t, "one letter", text, length);
        memset(text, ' ', length);
        growth_check(t, "spaces", text, length);
        for (size_t k = 0; k < length; k++) text[k] = (char)(unsigned char)testing_below(256);
        growth_check(t, "bytes", text, length);
        for (size_t k = 0; k < length; k++) text[k] = "<|reserved_special_token_"[k % 25];
        growth_check(t, "beginnings of special tokens", text, length);
        tokenizer_free(t);
    }
    free(text);
}

int main(int argc, char **argv) {
    recipe_path = "test_spm.tmp.gguf";
    testing_begin(argc, argv);
    TEST(agrees_with_the_definition);
    TEST(agrees_without_byte_tokens);
    TEST(agrees_with_unused_pieces);
    TEST(remembers_rightly);
    TEST(takes_near_linear_time);
    return testing_end();
}
