// SPDX-License-Identifier: Apache-2.0
/* Automata against what the patterns mean: expected splits, a matcher by backtracking, failing memory, linear time. */
#include "base/regex.h"

#include <stdlib.h>

#include "base/unicode.h"
#include "base/utf8.h"
#include "testing.h"

#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define LLAMA3 "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" \
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

static memory_account account;

static regex *compile(const char *pattern) {
    puna_error error = PUNA_ERROR_INIT;
    regex *automaton = NULL;
    if (regex_compile(&account, pattern, &automaton, &error) != PUNA_OK) {
        testing_fail(__FILE__, __LINE__, "%s: %s", pattern, error.message);
    }
    return automaton;
}

static void matches(const char *pattern, const char *text, size_t expected) {
    regex *automaton = compile(pattern);
    if (!automaton) return;
    size_t length = regex_match(automaton, text, strlen(text));
    if (length != expected) {
        testing_fail(__FILE__, __LINE__, "/%s/ matches %zu bytes of \"%s\", not %zu", pattern, length, text, expected);
    }
    regex_free(&account, automaton);
}

/* `cut` is the text with a bar between the pieces. */
static void splits(const char *pattern, const char *text, const char *cut) {
    regex *automaton = compile(pattern);
    char found[512];
    size_t length = strlen(text), at = 0, written = 0;
    if (!automaton) return;
    while (at < length && written + 64 < sizeof found) {
        size_t piece = regex_match(automaton, text + at, length - at);
        if (piece == 0) break;
        if (at) found[written++] = '|';
        memcpy(found + written, text + at, piece);
        written += piece;
        at += piece;
    }
    found[written] = 0;
    CHECK_TEXT(found, cut);
    regex_free(&account, automaton);
}

static void prefers_the_leftmost_alternative(void) {
    matches("a|ab", "ab", 1);
    matches("ab|a", "ab", 2);
    matches("(?:a|ab)(?:c|bcd)", "abcd", 4);
    matches("(?:ab|a)(?:bcd|c)", "abcd", 3);
    matches("(?:a|b)*", "abbac", 4);
    matches("a?a", "a", 1);
    matches("a?ab?", "ab", 2);
    matches("x*", "", 0);
    matches("x+y|x", "xxx", 1);
    matches("x{2,3}", "xxxx", 3);
    matches("x{2,}", "xxxx", 4);
    matches("x{2}", "x", 0);
    matches("x{0}y", "y", 1);
    matches("(?:x{2}){1,2}", "xxxxx", 4);
    matches("(x?y?)*", "xyyxz", 4);
    matches("(?:)a", "a", 1);
    matches("|a", "a", 0);
}

static void knows_classes(void) {
    matches("[a-c]+", "abcd", 3);
    matches("[^a-c]+", "xyza", 3);
    matches("[]a]+", "]a]b", 3);
    matches("[a-]+", "a-b", 2);
    matches("[a-f&&[^c]]+", "abcd", 2);
    matches("[^a-f&&[^c]]+", "xcya", 3);
    matches("[\\p{L}&&[^\\p{Han}]]+", "ab\xE4\xBD\xA0", 2);
    matches("\\p{Han}+", "\xE4\xBD\xA0\xE3\x80\x85x", 6);
    matches("[&]+", "&&", 2);
    matches("\\x{61}[\\x{E9}-\\x{FF}]", "a\xC3\xA9", 3);
    matches("[\\p{L}\\d_]+", "h\xC3\xA9llo_1 ", 8);
    matches("\\P{L}+", "12a", 2);
    matches(".+", "ab\ncd", 2);
    matches("\\.", ".", 1);
    matches("\\s+", " \t\n\xC2\xA0\xE3\x80\x80x", 8);
    matches("\\S+", "ab c", 2);
    matches("\\p{Lu}\\p{Ll}+", "Hello World", 5);
    matches("[\\S]", "a", 1);
    matches("[\\p{P}\\p{S}]+", "+-$.\xE2\x82\xACx", 7);
}

static void folds_cases(void) {
    matches("(?i:'ll)", "'Ll", 3);
    matches("(?i:'s)", "'\xC5\xBF", 3); /* long s */
    matches("(?i:k)", "\xE2\x84\xAA", 3); /* the Kelvin sign */
    matches("(?i:[a-f]+)g", "aBFg", 4);
    matches("(?i:a)a", "Aa", 2);
    matches("(?i:a)a", "AA", 0);
    matches("(?i:[^a])", "A", 0);
}

static void looks_ahead(void) {
    matches("\\s+(?!\\S)|\\s+", "   x", 2);
    matches("\\s+(?!\\S)|\\s+", "   ", 3);
    matches("\\s+(?!\\S)|\\s+", " x", 1);
    matches("a(?!\\S)", "ab", 0);
    matches("a(?!\\S)", "a b", 1);
    matches("a(?!b)|ab", "ab", 2);
    matches("a(?!b)", "ac", 1);
    matches("(?:a(?![bc]))*", "aaab", 2);
    matches("a+(?!\\S)", "aa\xFF", 0); /* a byte that is not UTF-8 is no space */
}

static void takes_bytes_that_are_not_utf8(void) {
    matches("\\p{L}+", "ab\xFF", 2);
    matches("[^\\s\\p{L}\\p{N}]+", "\xFF\xC0\x80 ", 3);
    matches(".+", "\xE2\x82", 2);
    matches("\\S", "\x80", 1);
    matches("\xEF\xBF\xBD", "\xFF", 0);
    regex *automaton = compile("\\p{L}+");
    NEED(automaton);
    CHECK_EQUAL(regex_match(automaton, "a\xC3\xA9", 2), 1); /* cut off inside the character */
    CHECK_EQUAL(regex_match(automaton, "a\xC3\xA9", 3), 3);
    CHECK_EQUAL(regex_match(automaton, NULL, 0), 0);
    regex_free(&account, automaton);
}

static void splits_as_the_pretokenizers_do(void) {
    splits(GPT2, "I've  got 12 apples!!  ", "I|'ve| | got| 12| apples|!!|  ");
    splits(GPT2, "don'T\n\n x", "don|'|T|\n\n| x");
    splits(GPT2, "a\xE0\xA4\xBF" "b", "a|\xE0\xA4\xBF|b"); /* a mark is no letter */
    splits(LLAMA3, "I'VE 12345 a\n\n  b\r\n", "I|'VE| |123|45| a|\n\n| | b|\r\n");
    splits(LLAMA3, "x  \n  y!\n?", "x|  \n| | y|!\n|?");
    splits("\\p{N}|\\P{N}+", "ab12 c3", "ab|1|2| c|3");
}

static void refuses(const char *pattern, puna_status expected, uint64_t offset) {
    puna_error error = PUNA_ERROR_INIT;
    regex *automaton = NULL;
    uint64_t before = memory_used(&account);
    puna_status status = regex_compile(&account, pattern, &automaton, &error);
    if (status != expected || (offset != PUNA_NO_OFFSET && error.offset != offset) || !error.message[0]) {
        testing_fail(__FILE__, __LINE__, "/%s/ gives status %d at %" PRIu64 ": %s", pattern, status, error.offset,
                     error.message);
    }
    CHECK(automaton == NULL);
    CHECK_EQUAL(memory_used(&account), before);
}

static void says_what_is_wrong_with_a_pattern(void) {
    refuses("a(b", PUNA_INVALID_ARGUMENT, 1);
    refuses("ab)", PUNA_INVALID_ARGUMENT, 2);
    refuses("x[a-", PUNA_INVALID_ARGUMENT, 1);
    refuses("(?!", PUNA_INVALID_ARGUMENT, 3);
    refuses("a(?!", PUNA_INVALID_ARGUMENT, 4);
    refuses("[b-a]", PUNA_INVALID_ARGUMENT, 1);
    refuses("a**", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
    refuses("*a", PUNA_INVALID_ARGUMENT, 0);
    refuses("a{2,1}", PUNA_INVALID_ARGUMENT, 1);
    refuses("a{", PUNA_INVALID_ARGUMENT, PUNA_NO_OFFSET);
    refuses("a{1001}", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
    refuses("\\p{Quux}", PUNA_INVALID_ARGUMENT, PUNA_NO_OFFSET);
    refuses("\\p{L", PUNA_INVALID_ARGUMENT, PUNA_NO_OFFSET);
    refuses("\\q", PUNA_INVALID_ARGUMENT, 0);
    refuses("\\x41", PUNA_INVALID_ARGUMENT, PUNA_NO_OFFSET);
    refuses("\\x{}", PUNA_INVALID_ARGUMENT, PUNA_NO_OFFSET);
    refuses("\\x{110000}", PUNA_INVALID_ARGUMENT, PUNA_NO_OFFSET);
    refuses("\\x{41", PUNA_INVALID_ARGUMENT, PUNA_NO_OFFSET);
    refuses("[a&&b]", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
    refuses("[a&&[b]c]", PUNA_INVALID_ARGUMENT, PUNA_NO_OFFSET);
    refuses("[a&&[b]", PUNA_INVALID_ARGUMENT, PUNA_NO_OFFSET);
    refuses("ab\\", PUNA_INVALID_ARGUMENT, 2);
    refuses("\xFF", PUNA_INVALID_ARGUMENT, 0);
    refuses("a+?", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
    refuses("(?=a)", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
    refuses("(?!ab)", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
    refuses("^a", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
    refuses("(?i:\xC3\xA9)", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
}

static void bounds_hostile_patterns(void) {
    char deep[256];
    refuses("(a{1000}){1000}", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
    refuses("((((a{1000}){0}){1000}){0}){1000}", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
    refuses("(?:a|b)*a(?:a|b){20}", PUNA_UNSUPPORTED, PUNA_NO_OFFSET); /* 2^20 states */
    memset(deep, '(', sizeof deep);
    memset(deep + 126, ')', 126);
    deep[252] = 0;
    refuses(deep, PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
    matches("(((((a*)*)*)*)*)*b", "aaab", 4);
    matches("(?:(?:a?){10}){10}", "aaaa", 4);
    refuses("(?:(?:a?){30}){30}", PUNA_UNSUPPORTED, PUNA_NO_OFFSET);
}

/* ---- A second opinion: the same grammar's core, matched by backtracking over a random syntax tree ---- */

typedef struct tree { char kind; char c; struct tree *a, *b; } tree;

static tree pool[64];
static int pool_used;

static tree *grow(int depth, char *out) {
    tree *t = &pool[pool_used++];
    *t = (tree){.kind = "ccc.|*+?n"[testing_below(depth > 0 ? 9 : 3)], .c = (char)('a' + testing_below(3))};
    char left[256] = "", right[256] = "";
    if (t->kind == '.' || t->kind == '|') t->a = grow(depth - 1, left), t->b = grow(depth - 1, right);
    if (t->kind == '*' || t->kind == '+' || t->kind == '?') t->a = grow(depth - 1, left);
    if (t->kind == 'c') sprintf(out, "%c", t->c);
    else if (t->kind == 'n') sprintf(out, "(?!%c)", t->c);
    else if (t->kind == '.') sprintf(out, "(?:%s)(?:%s)", left, right);
    else if (t->kind == '|') sprintf(out, "(?:%s|%s)", left, right);
    else sprintf(out, "(?:%s)%c", left, t->kind);
    return t;
}

typedef struct follow { const tree *t; const struct follow *next; const char *loop_at; } follow;

/* The end of the first match in order of preference, or NULL. */
static const char *backtrack(const tree *t, const char *at, const char *loop_at, const follow *next) {
    const char *end;
    if (!t) return next ? backtrack(next->t, at, next->loop_at, next->next) : at;
    switch (t->kind) {
    case 'c': return *at == t->c ? backtrack(NULL, at + 1, NULL, next) : NULL;
    case 'n': return *at == t->c ? NULL : backtrack(NULL, at, NULL, next);
    case '.': {
        follow then = {t->b, next, NULL};
        return backtrack(t->a, at, NULL, &then);
    }
    case '|':
        end = backtrack(t->a, at, NULL, next);
        return end ? end : backtrack(t->b, at, NULL, next);
    case '?':
        end = backtrack(t->a, at, NULL, next);
        return end ? end : backtrack(NULL, at, NULL, next);
    case '*':
    case '+': {
        if (loop_at == at) return NULL; /* an empty round */
        follow again = {t, next, at}; /* a+ is a, then a*: the node itself, once entered */
        if ((end = backtrack(t->a, at, NULL, &again)) != NULL) return end;
        return t->kind == '*' || loop_at ? backtrack(NULL, at, NULL, next) : NULL;
    }
    }
    return NULL;
}

static bool may_be_empty(const tree *t) {
    if (t->kind == 'c') return false;
    if (t->kind == '.') return may_be_empty(t->a) && may_be_empty(t->b);
    if (t->kind == '|') return may_be_empty(t->a) || may_be_empty(t->b);
    if (t->kind == '+') return may_be_empty(t->a);
    return true;
}

/* Engines differ on loops whose body may be empty; the patterns of the comparison have none. */
static bool has_empty_loop(const tree *t) {
    if (!t) return false;
    if ((t->kind == '*' || t->kind == '+') && may_be_empty(t->a)) return true;
    return has_empty_loop(t->a) || has_empty_loop(t->b);
}

static void agrees_with_backtracking(void) {
    int compared = 0, matched = 0;
    for (int round = 0; round < 3000; round++) {
        char pattern[256], text[16];
        pool_used = 0;
        const tree *t = grow(3, pattern);
        if (has_empty_loop(t)) continue;
        regex *automaton = compile(pattern);
        NEED(automaton);
        for (int i = 0; i < 20; i++) {
            size_t length = testing_below(12);
            for (size_t k = 0; k < length; k++) text[k] = (char)('a' + testing_below(3));
            text[length] = 0;
            const char *end = backtrack(t, text, NULL, NULL);
            size_t expected = end ? (size_t)(end - text) : 0, found = regex_match(automaton, text, length);
            if (found != expected) {
                testing_fail(__FILE__, __LINE__, "/%s/ on \"%s\": %zu, not %zu", pattern, text, found, expected);
            }
            compared++;
            matched += found > 0;
        }
        regex_free(&account, automaton);
    }
    CHECK(compared > 10000 && matched > 3000);
}

static bool allow_few(void *context, size_t bytes) {
    (void)bytes;
    int *left = context;
    return (*left)-- > 0;
}

static void survives_failing_memory(void) {
    puna_error error = PUNA_ERROR_INIT;
    puna_status status = PUNA_OUT_OF_MEMORY;
    int allowed = 0;
    for (; allowed < 1000 && status != PUNA_OK; allowed++) {
        int left = allowed;
        regex *automaton = NULL;
        memory_set_gate(allow_few, &left);
        status = regex_compile(&account, LLAMA3, &automaton, &error);
        memory_set_gate(NULL, NULL);
        CHECK(status == PUNA_OK || (status == PUNA_OUT_OF_MEMORY && automaton == NULL));
        regex_free(&account, automaton);
        CHECK_EQUAL(memory_used(&account), 0);
    }
    CHECK(allowed > 10 && allowed < 1000);
}

/* Of bytes as characters: BD is a number, as a part of a longer character it is none. */
static void matches_bytes(void) {
    regex *automaton = compile("\\p{N}+");
    NEED(automaton);
    CHECK_EQUAL(regex_match(automaton, "\xBD\xB2", 2), 0);
    CHECK_EQUAL(regex_match_bytes(automaton, "\xBD\xB2", 2), 2);
    CHECK_EQUAL(regex_match(automaton, "\xC2\xBD", 2), 2);
    CHECK_EQUAL(regex_match_bytes(automaton, "\xC2\xBD", 2), 0);
    regex_free(&account, automaton);
}

static void knows_unicode(void) {
    CHECK_TEXT(unicode_version, "16.0.0");
    CHECK_EQUAL(unicode_category_of('A'), UNICODE_LU);
    CHECK_EQUAL(unicode_category_of(0x4E2D), UNICODE_LO);
    CHECK_EQUAL(unicode_category_of(0x1C89), UNICODE_LU);  /* new in 16.0 */
    CHECK_EQUAL(unicode_category_of(0x11DE0), UNICODE_CN); /* new in 17.0 */
    CHECK_EQUAL(unicode_category_of(0xD800), UNICODE_CS);
    CHECK_EQUAL(unicode_category_of(0x10FFFF), UNICODE_CN);
    CHECK_EQUAL(unicode_category_of(0xFFFFFFFF), UNICODE_CN);
    int spaces = 0, letters = 0, numbers = 0, marks = 0;
    uint32_t l = unicode_categories_named("L", 1), n = unicode_categories_named("N", 1),
        m = unicode_categories_named("M", 1);
    for (uint32_t c = 0; c <= UNICODE_LAST; c++) {
        uint32_t bit = 1u << unicode_category_of(c);
        spaces += unicode_is_space(c);
        letters += (l & bit) != 0;
        numbers += (n & bit) != 0;
        marks += (m & bit) != 0;
    }
    /* The counts of Unicode 16.0, as Oniguruma has them. */
    CHECK_EQUAL(spaces, 25);
    CHECK_EQUAL(letters, 141028);
    CHECK_EQUAL(numbers, 1911);
    CHECK_EQUAL(marks, 2501);
}

/* Every code point, in one automaton, falls where its category says. */
static void agrees_with_the_table(void) {
    regex *letter = compile("\\p{L}"), *space = compile("\\s"), *other = compile("[^\\s\\p{L}\\p{N}]");
    NEED(letter && space && other);
    uint32_t l = unicode_categories_named("L", 1), n = unicode_categories_named("N", 1);
    for (uint32_t c = 0; c <= UNICODE_LAST; c++) {
        char text[4];
        size_t length = utf8_encode(c, text);
        if (length == 0) continue;
        uint32_t bit = 1u << unicode_category_of(c);
        bool is_letter = l & bit, is_space = unicode_is_space(c), is_other = !is_letter && !is_space && !(n & bit);
        if ((regex_match(letter, text, length) == length) != is_letter
            || (regex_match(space, text, length) == length) != is_space
            || (regex_match(other, text, length) == length) != is_other) {
            testing_fail(__FILE__, __LINE__, "U+%04X is in the wrong class", c);
        }
    }
    regex_free(&account, letter);
    regex_free(&account, space);
    regex_free(&account, other);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    memory_account_init(&account);
    TEST(prefers_the_leftmost_alternative);
    TEST(knows_classes);
    TEST(folds_cases);
    TEST(looks_ahead);
    TEST(takes_bytes_that_are_not_utf8);
    TEST(splits_as_the_pretokenizers_do);
    TEST(says_what_is_wrong_with_a_pattern);
    TEST(bounds_hostile_patterns);
    TEST(agrees_with_backtracking);
    TEST(survives_failing_memory);
    TEST(matches_bytes);
    TEST(knows_unicode);
    TEST(agrees_with_the_table);
    return testing_end();
}
