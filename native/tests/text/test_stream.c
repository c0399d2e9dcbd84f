// SPDX-License-Identifier: Apache-2.0
/* Streams: whatever the cut into tokens, the same text and the same stop come out, in whole characters. */
#include "text/stream.h"

#include <stdlib.h>

#include "base/utf8.h"
#include "testing.h"
#include "vocab_recipe.h"

static recipe r;
static memory_account account;

/* All bytes, then tokens of several bytes: whole and cut characters, and ends of words. Last, a control token. */
static const char *const pieces[] = {
    "ab", "abc", "bca", "\xE2\x82\xAC", "\xE2\x82", "\x82\xAC", "\xF0\x9F", "\x99\x82", "\xF0\x9F\x99\x82", "a\xC3",
    ("\xA9" "b"),
    "\xC3\xA9", "\xED\xA0", "\xC0\xAF", "aab", "  ", "\n\n", "\xEF\xBF\xBD",
};
#define PIECES (sizeof pieces / sizeof *pieces)
static int32_t control;

static tokenizer *make(void) {
    puna_status status;
    puna_error error = PUNA_ERROR_INIT;
    recipe_begin(&r, "gpt-2");
    recipe_bytes(&r);
    for (size_t i = 0; i < PIECES; i++) {
        char spelling[32];
        recipe_token(&r, spelling, recipe_spell(pieces[i], strlen(pieces[i]), spelling), PUNA_TOKEN_NORMAL);
    }
    control = recipe_token(&r, "<|im_end|>", 10, PUNA_TOKEN_CONTROL);
    r.eos = control;
    tokenizer *t = recipe_load(&r, &status, &error);
    if (!t) testing_fail(__FILE__, __LINE__, "%s", error.message);
    return t;
}

/* ---- What should come out, the plain way ---- */

/* Length of the maximal part of a character at the beginning of bytes; 0 if none begins there. */
static size_t part_length(const uint8_t *bytes, size_t length) {
    static const uint8_t ranges[][7] = { /* lead from, to, second byte from, to, bytes */
        {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
            {0xED, 0xED, 0x80, 0x9F, 3},
        {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4},
            {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (bytes[0] < ranges[i][0] || bytes[0] > ranges[i][1]) continue;
        size_t have = 1;
        if (length > 1 && bytes[1] >= ranges[i][2] && bytes[1] <= ranges[i][3]) {
            have = 2;
            while (have < ranges[i][4] && have < length && bytes[have] >= 0x80 && bytes[have] <= 0xBF) have++;
        }
        return have;
    }
    return 0;
}

static size_t make_valid(const uint8_t *bytes, size_t length, char *out) {
    size_t at = 0, written = 0, used;
    while (at < length) {
        if (utf8_decode((const char *)bytes + at, length - at, &used) != UTF8_INVALID) {
            memcpy(out + written, bytes + at, used);
            written += used;
            at += used;
        } else {
            size_t part = part_length(bytes + at, length - at);
            memcpy(out + written, "\xEF\xBF\xBD", 3);
            written += 3;
            at += part ? part : 1;
        }
    }
    return written;
}

/* The stop that ends first, of those the longest; *end is where the text before it ends. */
static int find_stop(const char *text, size_t length, const puna_text *stops, uint32_t count, size_t *end) {
    for (size_t at = 1; at <= length; at++) {
        int found = -1;
        for (uint32_t i = 0; i < count; i++) {
            size_t size = (size_t)stops[i].length;
            if (size > at || memcmp(text + at - size, stops[i].text, size) != 0) continue;
            if (found < 0 || size > stops[found].length) found = (int)i;
        }
        if (found >= 0) {
            *end = at - (size_t)stops[found].length;
            return found;
        }
    }
    *end = length;
    return -1;
}

/* ---- Streaming ---- */

typedef struct result { char text[4096]; size_t length; int stop; size_t most_held; } result;

static void take(result *out, const char *text, size_t length) {
    CHECK_EQUAL(utf8_valid(text, length), length);
    memcpy(out->text + out->length, text, length);
    out->length += length;
}

static void run_stream(const tokenizer *t, const int32_t *ids, size_t count, const puna_text *stops,
                       uint32_t stop_count, result *out) {
    stream *s;
    const char *text;
    size_t length, pushed = 0;
    int32_t stop = -1;
    memset(out, 0, sizeof *out);
    out->stop = -1;
    NEED(stream_create(&account, t, stops, stop_count, &s, NULL) == PUNA_OK);
    for (size_t i = 0; i < count; i++) {
        size_t bytes;
        (void)tokenizer_bytes(t, ids[i], &bytes);
        pushed += bytes;
        CHECK_EQUAL(stream_push(s, ids[i], &text, &length, &stop, NULL), PUNA_OK);
        take(out, text, length);
        if (stop >= 0 && out->stop < 0) out->stop = stop;
        CHECK_EQUAL(stop, out->stop);
        if (stop < 0 && pushed > out->length && pushed - out->length > out->most_held)
            out->most_held = pushed - out->length;
    }
    CHECK_EQUAL(stream_finish(s, &text, &length, NULL), PUNA_OK);
    take(out, text, length);
    stream_free(&account, s);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void gives_the_same_however_cut(void) {
    tokenizer *t = make();
    NEED(t);
    int stopped = 0, replaced = 0;
    for (int round = 0; round < 3000; round++) {
        uint8_t bytes[400];
        char valid[1200];
        int32_t ids[100];
        puna_text stops[4];
        result out;
        size_t count = testing_below(60), length = 0, end;
        for (size_t i = 0; i < count; i++) {
            size_t size;
            uint32_t draw = testing_below(10);
            ids[i] = draw == 0   ? (int32_t)testing_below(256)
                     : draw == 1 ? control
                     : draw < 4  ? 'a' + (int32_t)testing_below(3)
                                 : 256 + (int32_t)testing_below(PIECES);
            if (ids[i] >= 256 && ids[i] != control && testing_below(2)) ids[i] = 256 + (int32_t)testing_below(3);
            const char *piece = tokenizer_bytes(t, ids[i], &size);
            memcpy(bytes + length, piece, size);
            length += size;
        }
        size_t valid_length = make_valid(bytes, length, valid);
        replaced += valid_length != length;
        uint32_t stop_count = testing_below(5);
        for (uint32_t i = 0; i < stop_count; i++) { /* from the text, so that they are met, or not quite */
            static char kept[4][16];
            size_t from = valid_length ? testing_below((uint32_t)valid_length) : 0, size = 1 + testing_below(6);
            if (from + size > valid_length) size = valid_length - from;
            memcpy(kept[i], valid + from, size);
            if (size == 0 || utf8_valid(kept[i], size) != size) memcpy(kept[i], "abca", size = 4);
            if (testing_below(3) == 0) kept[i][size - 1] = 'b';
            if (utf8_valid(kept[i], size) != size) memcpy(kept[i], "cab", size = 3);
            stops[i] = (puna_text){kept[i], size};
        }
        int stop = find_stop(valid, valid_length, stops, stop_count, &end);
        run_stream(t, ids, count, stops, stop_count, &out);
        CHECK_EQUAL(out.length, end);
        if (stop >= 0 && out.stop < 0) { /* completed by U+FFFD at the very end, where nobody asks for it any more */
            size_t before;
            CHECK(valid_length >= 3 && find_stop(valid, valid_length - 3, stops, stop_count, &before) < 0);
        } else {
            CHECK_EQUAL(out.stop, stop);
        }
        CHECK(memcmp(out.text, valid, end < out.length ? end : out.length) == 0);
        CHECK(out.most_held <= 6 + 3);
        stopped += stop >= 0;
    }
    CHECK(stopped > 500 && replaced > 500);
    tokenizer_free(t);
}

static void expects(const tokenizer *t, const char *bytes, const char *stop_list, const char *expected,
                    int expected_stop) {
    puna_text stops[8];
    uint32_t stop_count = 0;
    int32_t ids[64];
    result out;
    for (const char *at = stop_list; *at;
         at += stops[stop_count - 1].length + (at[stops[stop_count - 1].length] == '|')) {
        stops[stop_count].text = at;
        stops[stop_count].length = strcspn(at, "|");
        stop_count++;
    }
    for (size_t i = 0; bytes[i]; i++) {
        char spelling[3];
        int32_t id = 0;
        size_t size;
        recipe_spell(bytes + i, 1, spelling);
        while (tokenizer_bytes(t, id, &size)[0] != bytes[i] || size != 1) id++;
        ids[i] = id;
    }
    run_stream(t, ids, strlen(bytes), stops, stop_count, &out);
    out.text[out.length] = 0;
    CHECK_TEXT(out.text, expected);
    CHECK_EQUAL(out.stop, expected_stop);
}

static void knows_examples(void) {
    tokenizer *t = make();
    NEED(t);
    expects(t, "one two three", "two", "one ", 0);
    expects(t, "one two three", "three|two|one tw", "", 2);
    expects(t, "xabcy", "abcd|bc", "xa", 1);
    expects(t, "xabc", "bc|abc", "x", 1); /* both end here: the one that began first */
    expects(t, "aaab", "aab", "a", 0);
    expects(t, "ababac", "abac", "ab", 0);
    expects(t, "abx", "abc", "abx", -1);
    expects(t, "ab", "abc", "ab", -1);
    expects(t, "x\xC3\xA9y", "\xC3\xA9", "x", 0);
    expects(t, "\xF0\x80\x80" "a", "", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" "a", -1);
    expects(t, "\xE2\x82" "a\xE2\x82", "", "\xEF\xBF\xBD" "a\xEF\xBF\xBD", -1);
    expects(t, "\xF4\x90\xF0\x90\x8D", "", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", -1);
    expects(t, "a\xFF" "b", "\xEF\xBF\xBD", "a", 0); /* a stop matches the text handed out */
    tokenizer_free(t);
}

static void refuses_what_makes_no_sense(void) {
    tokenizer *t = make();
    NEED(t);
    puna_error error = PUNA_ERROR_INIT;
    puna_text many[PUNA_MAX_STOPS + 1], one = {"", 0};
    stream *s;
    char *large = calloc(1, 70000);
    NEED(large);
    memset(large, 'a', 70000);
    for (uint32_t i = 0; i <= PUNA_MAX_STOPS; i++) many[i] = (puna_text){"x", 1};
    CHECK_EQUAL(stream_create(&account, t, many, PUNA_MAX_STOPS + 1, &s, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(stream_create(&account, t, &one, 1, &s, &error), PUNA_INVALID_ARGUMENT);
    one = (puna_text){NULL, 3};
    CHECK_EQUAL(stream_create(&account, t, &one, 1, &s, &error), PUNA_INVALID_ARGUMENT);
    one = (puna_text){"a\xFF", 2};
    CHECK_EQUAL(stream_create(&account, t, &one, 1, &s, &error), PUNA_INVALID_ARGUMENT);
    one = (puna_text){large, 70000};
    CHECK_EQUAL(stream_create(&account, t, &one, 1, &s, &error), PUNA_INVALID_ARGUMENT);
    CHECK(s == NULL);
    one = (puna_text){large, 64 * 1024};
    CHECK_EQUAL(stream_create(&account, t, &one, 1, &s, &error), PUNA_OK);
    stream_free(&account, s);
    NEED(stream_create(&account, t, many, PUNA_MAX_STOPS, &s, &error) == PUNA_OK);
    const char *text;
    size_t length;
    int32_t stop;
    CHECK_EQUAL(stream_push(s, -1, &text, &length, &stop, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(stream_push(s, tokenizer_size(t), &text, &length, &stop, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(stream_push(s, control, &text, &length, &stop, &error), PUNA_OK);
    CHECK_EQUAL(length, 0);
    stream_free(&account, s);
    stream_free(&account, NULL);
    CHECK_EQUAL(memory_used(&account), 0);
    free(large);
    tokenizer_free(t);
}

static bool allow_few(void *context, size_t bytes) {
    (void)bytes;
    int *left = context;
    return (*left)-- > 0;
}

/* A push that fails for memory has changed nothing: pushed again, it gives the whole text. */
static void survives_failing_memory(void) {
    tokenizer *t = make();
    NEED(t);
    puna_text stop_text = {"zzz", 3};
    bool whole = false;
    int allowed = 0;
    for (; allowed < 100 && !whole; allowed++) {
        int left = allowed, failures = 0;
        stream *s;
        result out = {.stop = -1};
        memory_set_gate(allow_few, &left);
        puna_status status = stream_create(&account, t, &stop_text, 1, &s, NULL);
        memory_set_gate(NULL, NULL);
        if (status != PUNA_OK) {
            CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
            CHECK(s == NULL);
            CHECK_EQUAL(memory_used(&account), 0);
            continue;
        }
        for (int i = 0; i < 200; i++) {
            const char *text;
            size_t length;
            int32_t stop;
            memory_set_gate(allow_few, &left);
            status = stream_push(s, 'b', &text, &length, &stop, NULL);
            memory_set_gate(NULL, NULL);
            if (status == PUNA_OUT_OF_MEMORY) {
                failures++;
                CHECK_EQUAL(stream_push(s, 'b', &text, &length, &stop, NULL), PUNA_OK);
            }
            take(&out, text, length);
        }
        CHECK_EQUAL(out.length, 200);
        whole = failures == 0;
        stream_free(&account, s);
        CHECK_EQUAL(memory_used(&account), 0);
    }
    CHECK(whole && allowed > 4);
    tokenizer_free(t);
}

int main(int argc, char **argv) {
    recipe_path = "test_stream.tmp.gguf";
    testing_begin(argc, argv);
    memory_account_init(&account);
    TEST(gives_the_same_however_cut);
    TEST(knows_examples);
    TEST(refuses_what_makes_no_sense);
    TEST(survives_failing_memory);
    return testing_end();
}
