// SPDX-License-Identifier: Apache-2.0
/* Form C by hand; thousands of recorded strings are in tests/text/test_cuts.c. */
#include "base/normalize.h"

#include <stdlib.h>
#include <time.h>

#include "testing.h"

static memory_account account;

static void becomes(const char *text, size_t length, const char *expected) {
    char *result;
    size_t found;
    NEED(normalize_nfc(&account, text, length, &result, &found));
    if (strlen(expected) != found || memcmp(result ? result : text, expected, found) != 0)
        testing_fail(__FILE__, __LINE__, "\"%s\" becomes \"%.*s\", not \"%s\"", text, (int)found,
                     result ? result : text, expected);
    memory_free(&account, result);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void stays(const char *text, size_t length) {
    char *result;
    size_t found;
    NEED(normalize_nfc(&account, text, length, &result, &found));
    CHECK(result == NULL);
    CHECK_EQUAL(found, length);
    memory_free(&account, result);
}

#define BECOMES(text, expected) becomes(text, sizeof(text) - 1, expected)
#define STAYS(text) stays(text, sizeof(text) - 1)

static void composes(void) {
    BECOMES("cafe\xCC\x81", "caf\xC3\xA9");
    BECOMES("e\xCC\x81 e\xCC\x81", "\xC3\xA9 \xC3\xA9");
    BECOMES("\xE2\x84\xAB", "\xC3\x85");                                /* Angstrom becomes a letter with a ring */
    BECOMES("a\xCC\x82\xCC\xA3", "\xE1\xBA\xAD");                       /* the mark below comes first */
    BECOMES("a\xCC\x81\xCC\x82", "\xC3\xA1\xCC\x82");                   /* two above: the second is blocked */
    BECOMES("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "\xED\x95\x9C");    /* Hangul, as a Mac writes file names */
    BECOMES("\xE0\xA5\x98", "\xE0\xA4\x95\xE0\xA4\xBC");                /* one that is never composed */
    BECOMES("\xCC\x88\xCC\x81", "\xCC\x88\xCC\x81");
    BECOMES("\xCD\x84x", "\xCC\x88\xCC\x81x");
}

static void leaves_the_rest(void) {
    STAYS("");
    STAYS("plain text\n");
    STAYS("caf\xC3\xA9 \xED\x95\x9C \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x91\x8D");
    STAYS("\xCC\x81 alone, and q\xCC\x81");
    STAYS("\xF0\x96\xB5\xA3\xF0\x96\xB5\xA7"); /* of Unicode 16: the tables are of 9 */
}

static void bytes_that_are_no_text_stay(void) {
    STAYS("\xFF\xFE" "e\xFF\xCC");
    BECOMES("\xFF" "e\xCC\x81\xC3", "\xFF\xC3\xA9\xC3");
    BECOMES("e\x80\xCC\x81" "e\xCC\x81", "e\x80\xCC\x81\xC3\xA9"); /* nothing joins over them */
    for (int round = 0; round < 2000; round++) {
        char text[40], *result;
        size_t length = testing_below(40), found;
        for (size_t i = 0; i < length; i++)
            text[i] = testing_below(2)
                ? "e\xCC\x81\xE1\x84\x80\xE2\xAB\xA0\xA3"[testing_below(10)] : (char)testing_below(256);
        NEED(normalize_nfc(&account, text, length, &result, &found));
        if (result) { /* form C of form C is itself */
            char *again;
            size_t length_again;
            CHECK(normalize_nfc(&account, result, found, &again, &length_again));
            CHECK(again == NULL);
            memory_free(&account, again);
        }
        memory_free(&account, result);
    }
    CHECK_EQUAL(memory_used(&account), 0);
}

static bool allow_few(void *context, size_t bytes) {
    int *left = context;
    (void)bytes;
    return (*left)-- > 0;
}

static void survives_failing_memory(void) {
    static char text[3000];
    bool done = false;
    int allowed = 0;
    for (size_t i = 0; i + 3 <= sizeof text; i += 3) memcpy(text + i, i % 2 ? "e\xCC\x81" : "\xCC\x81\xCC", 3);
    for (; allowed < 100 && !done; allowed++) {
        int left = allowed;
        char *result;
        size_t found;
        memory_set_gate(allow_few, &left);
        done = normalize_nfc(&account, text, sizeof text, &result, &found);
        memory_set_gate(NULL, NULL);
        CHECK(done || result == NULL);
        memory_free(&account, result);
        CHECK_EQUAL(memory_used(&account), 0);
    }
    CHECK(allowed > 3 && allowed < 100);
}

static double seconds(const char *text, size_t length) {
    char *result;
    size_t found;
    clock_t begin = clock();
    CHECK(normalize_nfc(&account, text, length, &result, &found));
    memory_free(&account, result);
    return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

/* One letter with marks without end, in the worst order. */
static void takes_linear_time(void) {
    enum { LENGTH = 1 << 20 };
    char *text = malloc(LENGTH);
    NEED(text);
    for (size_t i = 0; i < LENGTH; i += 4) memcpy(text + i, "\xCC\x81\xCC\xA3", 4);
    double part = seconds(text, LENGTH / 32), whole = seconds(text, LENGTH);
    if (whole > 256 * part + 0.02) testing_fail(__FILE__, __LINE__, "%.4f s, a 32nd %.4f s", whole, part);
    free(text);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    memory_account_init(&account);
    TEST(composes);
    TEST(leaves_the_rest);
    TEST(bytes_that_are_no_text_stay);
    TEST(survives_failing_memory);
    TEST(takes_linear_time);
    return testing_end();
}
