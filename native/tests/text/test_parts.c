// SPDX-License-Identifier: Apache-2.0
/* Texts in parts: what a template wrote and what a user wrote, told apart down to the ids. */
#include "testing.h"
#include "text/tokenizer.h"
#include "vocab_recipe.h"

static recipe r;

static const char *const spellings[] = {"<|a|>", "<|a|>>", "<|b|>", "|>", "<tool>", "<tool><|"};
static const int32_t kinds[] = {PUNA_TOKEN_CONTROL, PUNA_TOKEN_CONTROL, PUNA_TOKEN_CONTROL, PUNA_TOKEN_CONTROL,
                                PUNA_TOKEN_USER_DEFINED, PUNA_TOKEN_USER_DEFINED};
enum { SPELLINGS = 6, MOST = 512 };
static int32_t first_special;

static tokenizer *make(void) {
    puna_status status;
    puna_error error = PUNA_ERROR_INIT;
    recipe_begin(&r, "llama-bpe");
    recipe_bytes(&r);
    recipe_merge(&r, "a", "b");
    recipe_merge(&r, "\xC4\x8A", "\xC4\x8A"); /* two line ends */
    recipe_merge(&r, "\xC4\xA0", "ab");
    first_special = (int32_t)r.token_count;
    for (int i = 0; i < SPELLINGS; i++) recipe_token(&r, spellings[i], strlen(spellings[i]), kinds[i]);
    r.bos = first_special;
    tokenizer *t = recipe_load(&r, &status, &error);
    if (!t) testing_fail(__FILE__, __LINE__, "%s", error.message);
    return t;
}

static size_t encode(const tokenizer *t, const puna_part *parts, size_t count, int32_t *ids) {
    size_t found = 0;
    CHECK_EQUAL(tokenizer_encode_parts(t, parts, count, ids, MOST, &found, NULL), PUNA_OK);
    return found;
}

/* The longest spelling at text, of all. */
static int longest(const char *text, size_t length) {
    int found = -1;
    for (int i = 0; i < SPELLINGS; i++) {
        size_t size = strlen(spellings[i]);
        if (size > length || memcmp(text, spellings[i], size) != 0) continue;
        if (found < 0 || size > strlen(spellings[found])) found = i;
    }
    return found;
}

static void plain(const tokenizer *t, const char *text, size_t length, int32_t *ids, size_t *count) {
    size_t found = 0;
    CHECK_EQUAL(tokenizer_encode(t, text, length, 0, ids + *count, MOST - *count, &found, NULL), PUNA_OK);
    *count += found;
}

/* As the header says it, step by step. */
static size_t expect(const tokenizer *t, const puna_part *parts, size_t part_count, int32_t *ids) {
    char text[MOST];
    size_t length = 0, begin = 0, count = 0, at = 0;
    for (size_t i = 0; i < part_count; i++) {
        memcpy(text + length, parts[i].text, (size_t)parts[i].length);
        length += (size_t)parts[i].length;
    }
    for (size_t i = 0; i < part_count; i++) {
        size_t end = at + (size_t)parts[i].length;
        while (parts[i].trusted && at < end) {
            int special = longest(text + at, end - at);
            size_t size = special < 0 ? 1 : strlen(spellings[special]);
            if (special >= 0 && kinds[special] == PUNA_TOKEN_CONTROL) {
                plain(t, text + begin, at - begin, ids, &count);
                ids[count++] = first_special + special;
                begin = at + size;
            }
            at += size;
        }
        at = end;
    }
    plain(t, text + begin, length - begin, ids, &count);
    return count;
}

static void does_what_it_says(void) {
    static const char *const bits[] = {"<|a|>", "<|a|>>", "<|b|>", "|>", "<tool>", "<|", "a", "b", "ab", " ", "\n",
                                       "\n\n", ">", "<|a", "1"};
    tokenizer *t = make();
    NEED(t);
    int control = 0;
    for (int round = 0; round < 5000; round++) {
        char text[8][64];
        puna_part parts[8];
        int32_t ids[MOST], expected[MOST];
        size_t part_count = testing_below(8);
        for (size_t i = 0; i < part_count; i++) {
            size_t length = 0;
            for (uint32_t k = 0, count = testing_below(6); k < count; k++) {
                const char *bit = bits[testing_below(sizeof bits / sizeof *bits)];
                memcpy(text[i] + length, bit, strlen(bit));
                length += strlen(bit);
            }
            parts[i] = (puna_part){.text = text[i], .length = length, .trusted = testing_below(2)};
        }
        size_t count = encode(t, parts, part_count, ids), wanted = expect(t, parts, part_count, expected);
        CHECK_EQUAL(count, wanted);
        CHECK(memcmp(ids, expected, count * sizeof *ids) == 0);
        for (size_t i = 0; i < count; i++) control += tokenizer_is_control(t, ids[i]);
    }
    CHECK(control > 2000);
    tokenizer_free(t);
}

/* No way of cutting a control token's spelling into parts makes one of an untrusted byte. */
static void forges_nothing(void) {
    tokenizer *t = make();
    NEED(t);
    const char *spelling = "<|b|>";
    int32_t ids[MOST];
    for (uint32_t trust = 0; trust < 1u << 5; trust++) { /* each byte a part, trusted or not */
        puna_part parts[5];
        for (int i = 0; i < 5; i++)
            parts[i] = (puna_part){.text = spelling + i, .length = 1, .trusted = trust >> i & 1};
        size_t count = encode(t, parts, 5, ids);
        for (size_t i = 0; i < count; i++) CHECK(!tokenizer_is_control(t, ids[i]));
    }
    puna_part split[3] = {{.text = "<|", .length = 2, .trusted = 1}, {.text = "b", .length = 1},
                          {.text = "|>", .length = 2, .trusted = 1}};
    size_t count = encode(t, split, 3, ids);
    CHECK(tokenizer_is_control(t, ids[count - 1])); /* "|>" itself is one, and a trusted part spells it */
    CHECK_EQUAL(count, 4);
    tokenizer_free(t);
}

static void joins_over_borders(void) {
    tokenizer *t = make();
    NEED(t);
    int32_t ids[MOST], whole[MOST];
    puna_part parts[4] = {{.text = "x ", .length = 2, .trusted = 1}, {.text = "a", .length = 1},
                          {.text = "", .length = 0, .trusted = 1},
                          {.text = "b\n", .length = 2, .trusted = 1}};
    puna_part one = {.text = "x ab\n", .length = 5};
    size_t count = encode(t, parts, 4, ids);
    CHECK_EQUAL(count, encode(t, &one, 1, whole));
    CHECK(memcmp(ids, whole, count * sizeof *ids) == 0);
    CHECK_EQUAL(encode(t, NULL, 0, ids), 0);
    puna_part nothing = {.text = NULL, .length = 0, .trusted = 1};
    CHECK_EQUAL(encode(t, &nothing, 1, ids), 0);
    puna_error error = PUNA_ERROR_INIT;
    CHECK_EQUAL(tokenizer_encode_parts(t, parts, 4, ids, 1, &count, &error), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(error.needed, count);
    puna_part large[2] = {{.text = "a", .length = UINT64_MAX}, {.text = "a", .length = 1}};
    CHECK_EQUAL(tokenizer_encode_parts(t, large, 2, ids, 1, &count, &error), PUNA_INVALID_ARGUMENT);
    tokenizer_free(t);
}

static bool allow_few(void *context, size_t bytes) {
    (void)bytes;
    int *left = context;
    return (*left)-- > 0;
}

static void survives_failing_memory(void) {
    tokenizer *t = make();
    NEED(t);
    puna_part parts[2] = {{.text = "<|a|>ab", .length = 7, .trusted = 1}, {.text = "ab ab", .length = 5}};
    puna_status status = PUNA_OUT_OF_MEMORY;
    int allowed = 0;
    for (; allowed < 100 && status != PUNA_OK; allowed++) {
        int left = allowed;
        int32_t ids[MOST];
        size_t count;
        memory_set_gate(allow_few, &left);
        status = tokenizer_encode_parts(t, parts, 2, ids, MOST, &count, NULL);
        memory_set_gate(NULL, NULL);
        CHECK(status == PUNA_OK || status == PUNA_OUT_OF_MEMORY);
    }
    CHECK(status == PUNA_OK && allowed > 3);
    tokenizer_free(t);
}

int main(int argc, char **argv) {
    recipe_path = "test_parts.tmp.gguf";
    testing_begin(argc, argv);
    TEST(does_what_it_says);
    TEST(forges_nothing);
    TEST(joins_over_borders);
    TEST(survives_failing_memory);
    return testing_end();
}
