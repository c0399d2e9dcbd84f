// SPDX-License-Identifier: Apache-2.0
/* Merging against its definition, carried out literally; and its time. */
#include "text/bpe.h"

#include <stdlib.h>

#include "growth.h"
#include "testing.h"
#include "text/bytelevel.h"
#include "vocab_recipe.h"

static recipe r;

#define MAX_WORD 400

/* The definition: while any two neighbours are in the list, join those that come first in it, the leftmost of
   equals. */
static size_t merge_literally(const char *word, size_t length, int32_t *ids) {
    static char symbols[MAX_WORD][MAX_WORD + 1];
    size_t count = length;
    for (size_t i = 0; i < length; i++) symbols[i][0] = word[i], symbols[i][1] = 0;
    for (;;) {
        uint32_t best_rank = r.merge_count;
        size_t best = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            char pair[2 * MAX_WORD + 2];
            int size = snprintf(pair, sizeof pair, "%s %s", symbols[i], symbols[i + 1]);
            for (uint32_t rank = 0; rank < best_rank; rank++) {
                if (r.merges[rank].length == (size_t)size && memcmp(r.merges[rank].data, pair, (size_t)size) == 0) {
                    best_rank = rank;
                    best = i;
                }
            }
        }
        if (best_rank == r.merge_count) break;
        memcpy(symbols[best] + strlen(symbols[best]), symbols[best + 1], strlen(symbols[best + 1]) + 1);
        memmove(symbols[best + 1], symbols[best + 2], (count - best - 2) * sizeof symbols[0]);
        count--;
    }
    for (size_t i = 0; i < count; i++) {
        ids[i] = -1;
        for (uint32_t id = 0; id < r.token_count; id++) {
            if (r.tokens[id].length == strlen(symbols[i]) &&
                memcmp(r.tokens[id].data, symbols[i], r.tokens[id].length) == 0) {
                ids[i] = (int32_t)id;
            }
        }
    }
    return count;
}

/* Merges over the letters a to c, of tokens that are there by then. */
static void random_recipe(void) {
    recipe_begin(&r, "gpt-2");
    recipe_bytes(&r);
    for (uint32_t i = 0, count = 1 + testing_below(24); i < count; i++) {
        char left[64], right[64];
        for (int side = 0; side < 2; side++) {
            uint32_t choice = testing_below(3 + r.token_count - 256);
            gguf_text text = choice < 3 ? r.tokens['a' + choice] : r.tokens[256 + choice - 3];
            snprintf(side ? right : left, 64, "%.*s", (int)text.length, text.data);
        }
        if (strlen(left) + strlen(right) < 12) recipe_merge(&r, left, right);
    }
}

static void agrees_with_the_definition(void) {
    int merged = 0;
    for (int round = 0; round < 150; round++) {
        puna_status status;
        random_recipe();
        tokenizer *t = recipe_load(&r, &status, NULL);
        NEED(t);
        for (int i = 0; i < 12; i++) {
            char word[MAX_WORD];
            int32_t expected[MAX_WORD], ids[MAX_WORD];
            size_t length = 1 + testing_below(i < 9 ? 40 : 150), count; /* on both sides of the heap's threshold */
            for (size_t k = 0; k < length; k++) word[k] = (char)('a' + testing_below(3));
            size_t wanted = merge_literally(word, length, expected);
            CHECK_EQUAL(tokenizer_encode(t, word, length, 0, ids, MAX_WORD, &count, NULL), PUNA_OK);
            if (count != wanted || memcmp(ids, expected, count * sizeof *ids) != 0) {
                testing_fail(__FILE__, __LINE__, "%.*s gives %zu tokens, not %zu, or others", (int)length, word, count,
                             wanted);
            }
            merged += count < length;
        }
        tokenizer_free(t);
    }
    CHECK(merged > 200);
}

static void leaves_out_bytes_without_a_token(void) {
    puna_status status;
    int32_t ids[8];
    size_t count;
    recipe_begin(&r, "gpt-2");
    recipe_token(&r, "a", 1, PUNA_TOKEN_NORMAL);
    recipe_token(&r, "b", 1, PUNA_TOKEN_NORMAL);
    recipe_merge(&r, "a", "b");
    tokenizer *t = recipe_load(&r, &status, NULL);
    NEED(t);
    CHECK_EQUAL(tokenizer_encode(t, "axb", 3, 0, ids, 8, &count, NULL), PUNA_OK);
    CHECK_EQUAL(count, 1); /* left out before merging */
    CHECK_EQUAL(ids[0], 2);
    tokenizer_free(t);
    r.unknown = recipe_token(&r, "?", 1, PUNA_TOKEN_UNKNOWN);
    t = recipe_load(&r, &status, NULL);
    NEED(t);
    CHECK_EQUAL(tokenizer_encode(t, "axb", 3, 0, ids, 8, &count, NULL), PUNA_OK);
    CHECK_EQUAL(count, 3);
    CHECK_EQUAL(ids[1], 3);
    tokenizer_free(t);
}

static void knows_the_alphabet(void) {
    bool seen[0x200] = {false};
    for (uint32_t byte = 0; byte < 256; byte++) {
        char c = (char)(unsigned char)byte, spelling[3], back[2];
        uint32_t character = bytelevel_character((uint8_t)byte);
        size_t count, length = recipe_spell(&c, 1, spelling);
        CHECK(character > 0x20 && character < 0x144 && !seen[character]);
        seen[character] = true;
        CHECK(bytelevel_decode(spelling, length, back, &count) && count == 1 && back[0] == c);
    }
    CHECK_EQUAL(bytelevel_character(' '), 0x120);
    CHECK_EQUAL(bytelevel_character('\n'), 0x10A);
    CHECK_EQUAL(bytelevel_character(0x7F), 0x121);
    CHECK_EQUAL(bytelevel_character(0xA0), 0x142);
    CHECK_EQUAL(bytelevel_character(0xAD), 0x143);
    char bytes[8];
    size_t count;
    CHECK(!bytelevel_decode(" ", 1, bytes, &count));
    CHECK(!bytelevel_decode("\xFF", 1, bytes, &count));
    CHECK(!bytelevel_decode("\xC5\x84", 2, bytes, &count)); /* U+0144 */
}

static void takes_near_linear_time(void) {
    const char *names[] = {"gpt-2", "smollm", "llama-bpe", "qwen2"};
    size_t length = TESTING_THIN(1 << 20, 1 << 18, 1 << 18);
    char *text = malloc(length);
    NEED(text);
    for (int i = 0; i < 4; i++) {
        puna_status status;
        random_recipe();
        r.pre = names[i];
        for (int k = 0; k < 1000; k++) { /* thousands of special tokens that begin alike */
            char name[64];
            int size = snprintf(name, sizeof name, "<|reserved_special_token_%d|>", k);
            recipe_token(&r, name, (size_t)size, PUNA_TOKEN_USER_DEFINED);
        }
        tokenizer *t = recipe_load(&r, &status, NULL);
        NEED(t);
        for (size_t k = 0; k < length; k++) text[k] = (char)('a' + testing_below(3));
        growth_check(t, "one line of letters", text, length);
        memset(text, 'a', length);
        growth_check(t, "one letter", text, length);
        memset(text, ' ', length);
        growth_check(t, "spaces", text, length);
        for (size_t k = 0; k < length; k++) text[k] = k % 2 ? '\n' : ' ';
        growth_check(t, "spaces and line ends", text, length);
        for (size_t k = 0; k < length; k++) text[k] = (char)(unsigned char)testing_below(256);
        growth_check(t, "bytes", text, length);
        memset(text, '1', length);
        growth_check(t, "digits", text, length);
        for (size_t k = 0; k < length; k++) text[k] = "<|reserved_special_token_"[k % 25];
        growth_check(t, "beginnings of special tokens", text, length);
        tokenizer_free(t);
    }
    free(text);
}

int main(int argc, char **argv) {
    recipe_path = "test_bpe.tmp.gguf";
    testing_begin(argc, argv);
    TEST(agrees_with_the_definition);
    TEST(leaves_out_bytes_without_a_token);
    TEST(knows_the_alphabet);
    TEST(takes_near_linear_time);
    return testing_end();
}
