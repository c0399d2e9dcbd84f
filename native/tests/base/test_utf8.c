// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include "base/error.h"
#include "testing.h"

static void every_code_point_goes_there_and_back(void) {
    for (uint32_t c = 0; c < 0x120000; c++) {
        char bytes[4] = { 0 };
        size_t length = utf8_encode(c, bytes), used = 0;
        bool scalar = c <= 0x10FFFF && !(c >= 0xD800 && c < 0xE000);
        CHECK_EQUAL(length, !scalar ? 0 : c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
        if (!scalar) continue;
        CHECK_EQUAL(utf8_decode(bytes, length, &used), c);
        CHECK_EQUAL(used, length);
        CHECK_EQUAL(utf8_complete(bytes, length), length);
        for (size_t cut = 1; cut < length; cut++) { /* cut off: a beginning, and not yet valid */
            CHECK_EQUAL(utf8_complete(bytes, cut), 0);
            CHECK_EQUAL(utf8_valid(bytes, cut), 0);
            CHECK_EQUAL(utf8_decode(bytes, cut, &used), UTF8_INVALID);
            CHECK_EQUAL(used, 1);
        }
    }
}

/* The definition, spelled out: a string is one character if it is the shortest form of a scalar value. */
static bool one_character(const uint8_t *b, size_t length) {
    uint32_t c;
    if (length == 1) return b[0] < 0x80;
    for (size_t i = 1; i < length; i++) {
        if (b[i] >> 6 != 2) return false;
    }
    if (length == 2) {
        c = (b[0] & 31u) << 6 | (b[1] & 63u);
        return b[0] >> 5 == 6 && c >= 0x80;
    }
    if (length == 3) {
        c = (b[0] & 15u) << 12 | (b[1] & 63u) << 6 | (b[2] & 63u);
        return b[0] >> 4 == 14 && c >= 0x800 && !(c >= 0xD800 && c < 0xE000);
    }
    c = (b[0] & 7u) << 18 | (b[1] & 63u) << 12 | (b[2] & 63u) << 6 | (b[3] & 63u);
    return b[0] >> 3 == 30 && c >= 0x10000 && c <= 0x10FFFF;
}

static void agrees_with_the_definition(void) {
    /* All pairs of bytes, followed by bytes that are interesting. */
    static const uint8_t third[] = { 0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF };
    for (uint32_t pair = 0; pair < 0x10000; pair++) {
        for (size_t k = 0; k < sizeof third; k++) {
            for (size_t l = 0; l < sizeof third; l++) {
                uint8_t b[4] = { (uint8_t)(pair >> 8), (uint8_t)pair, third[k], third[l] };
                size_t expected = 0, used;
                for (size_t n = 1; n <= 4 && !expected; n++) {
                    if (one_character(b, n)) expected = n;
                }
                uint32_t c = utf8_decode((const char *)b, 4, &used);
                CHECK((c != UTF8_INVALID) == (expected != 0));
                CHECK_EQUAL(used, expected ? expected : 1);
            }
        }
    }
}

static void what_cannot_be_completed_counts_as_complete(void) {
    CHECK_EQUAL(utf8_complete("ab\xE2\x82", 4), 2);
    CHECK_EQUAL(utf8_complete("ab\xF0", 3), 2);
    CHECK_EQUAL(utf8_complete("ab\xF0\x9F\x98", 5), 2);
    CHECK_EQUAL(utf8_complete("ab\xC0", 3), 3);         /* never a beginning */
    CHECK_EQUAL(utf8_complete("ab\xE0\x80", 4), 4);     /* overlong */
    CHECK_EQUAL(utf8_complete("ab\xED\xA0", 4), 4);     /* surrogate */
    CHECK_EQUAL(utf8_complete("ab\xF4\x90", 4), 4);     /* beyond U+10FFFF */
    CHECK_EQUAL(utf8_complete("\x80\x80\x80\x80", 4), 4);
    CHECK_EQUAL(utf8_complete("", 0), 0);
    CHECK_EQUAL(utf8_valid("a\xC3\xA4\xFF" "b", 5), 3);
    CHECK_EQUAL(utf8_valid("", 0), 0);
}

static void errors_stay_utf8(void) {
    puna_error error = PUNA_ERROR_INIT;
    char subject[600];
    for (int offset = 0; offset < 4; offset++) { /* four-byte characters across the field's end, at all places */
        memset(subject, 'x', sizeof subject);
        for (size_t i = (size_t)offset; i + 4 < sizeof subject; i += 4) memcpy(subject + i, "\xF0\x9F\x98\x80", 4);
        subject[sizeof subject - 1] = 0;
        CHECK_EQUAL(error_set(&error, PUNA_IO, subject, "%s|%s", subject, subject), PUNA_IO);
        CHECK_EQUAL(utf8_valid(error.subject, strlen(error.subject)), strlen(error.subject));
        CHECK_EQUAL(utf8_valid(error.message, strlen(error.message)), strlen(error.message));
        CHECK(strlen(error.subject) >= sizeof error.subject - 4 && strlen(error.message) >= sizeof error.message - 4);
    }
    error_at(&error, PUNA_INVALID_FILE, "a\xFF" "b", 77, "bad %d", 5);
    CHECK_TEXT(error.subject, "a?b");
    CHECK_TEXT(error.message, "bad 5");
    CHECK_EQUAL(error.offset, 77);
    CHECK_EQUAL(error.status, PUNA_INVALID_FILE);
    CHECK_EQUAL(error.size, sizeof error);
}

static void shorter_errors_are_respected(void) {
    puna_error error;
    memset(&error, 0x55, sizeof error);
    error.size = (uint32_t)offsetof(puna_error, subject);
    CHECK_EQUAL(error_set(&error, PUNA_BUSY, "s", "m"), PUNA_BUSY);
    CHECK_EQUAL(error.status, PUNA_BUSY);
    CHECK_EQUAL(error.size, offsetof(puna_error, subject));
    CHECK_EQUAL(error.subject[0], 0x55);
    CHECK_EQUAL(error.message[511], 0x55);
    CHECK_EQUAL(error_set(NULL, PUNA_BUSY, "s", "m"), PUNA_BUSY);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(every_code_point_goes_there_and_back);
    TEST(agrees_with_the_definition);
    TEST(what_cannot_be_completed_counts_as_complete);
    TEST(errors_stay_utf8);
    TEST(shorter_errors_are_respected);
    return testing_end();
}
