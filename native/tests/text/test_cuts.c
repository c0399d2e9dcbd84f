// SPDX-License-Identifier: Apache-2.0
/*
 * Words and normal forms as the PyPI package tokenizers makes them, recorded by tools/make_cut_goldens.py: every rule
 * of text/pre_rules.h, on strings that they treat differently. And no text, however odd, is slow or lost.
 */
#include <stdlib.h>

#include "base/normalize.h"
#include "golden_lines.h"
#include "growth.h"
#include "testing.h"
#include "text/pre.h"
#include "vocab_recipe.h"

static recipe r;
static memory_account account;

static bool load(const char *name, pre *p) {
    puna_error error = PUNA_ERROR_INIT;
    recipe_begin(&r, name);
    gguf_file *file = recipe_open(&r);
    *p = (pre){0};
    if (!file) return false;
    puna_status status = pre_load(&account, file, p, &error);
    gguf_close(file);
    if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s: %s", name, error.message);
    return status == PUNA_OK;
}

/* The bytes of each word against a line of numbers. */
static bool cuts_as(const pre *p, const char *text, size_t length, const char *numbers) {
    pre_cutter cutter = {.text = text, .length = length};
    const char *word;
    size_t size;
    while ((size = pre_next(p, &cutter, &word)) > 0) {
        char *end;
        if (strtoul(numbers, &end, 10) != size) return false;
        numbers = end + (*end == ' ');
    }
    return *numbers == 0 && cutter.at == length;
}

static void every_rule_cuts_as_recorded(void) {
    char *texts = lines_read("cuts.txt"), *golden = lines_read("cuts.golden"), *rest = golden,
        *line = lines_next(&rest);
    int rules = 0;
    NEED(texts && golden && line);
    while (line) {
        pre p;
        char *text_rest = texts, *copy = strdup(texts);
        const char *name = line + strlen("rule: ");
        NEED(copy && strncmp(line, "rule: ", 6) == 0 && load(name, &p));
        text_rest = copy;
        for (char *text; (text = lines_next(&text_rest)) != NULL;) {
            char *normal = NULL, *numbers = lines_next(&rest);
            NEED(numbers);
            size_t length = lines_unescape(text), normal_length = length;
            if (p.nfc) CHECK(normalize_nfc(&account, text, length, &normal, &normal_length));
            if (!cuts_as(&p, normal ? normal : text, normal_length, numbers))
                testing_fail(__FILE__, __LINE__, "%s cuts \"%s\" otherwise than %s", name, text, numbers);
            memory_free(&account, normal);
        }
        free(copy);
        pre_free(&account, &p);
        rules++;
        line = lines_next(&rest);
    }
    CHECK(rules >= 28);
    free(texts);
    free(golden);
}

static void normalizes_as_recorded(void) {
    char *texts = lines_read("nfc.txt"), *rest = texts;
    int changed = 0, lines = 0;
    NEED(texts);
    for (char *text, *wanted; (text = lines_next(&rest)) != NULL; lines++) {
        char *result;
        size_t length = lines_unescape(text), found, wanted_length;
        NEED((wanted = lines_next(&rest)) != NULL);
        wanted_length = lines_unescape(wanted);
        NEED(normalize_nfc(&account, text, length, &result, &found));
        if (found != wanted_length || memcmp(result ? result : text, wanted, found) != 0)
            testing_fail(__FILE__, __LINE__, "\"%s\" becomes \"%.*s\", not \"%s\"", text, (int)found,
                         result ? result : text, wanted);
        changed += result != NULL;
        memory_free(&account, result);
    }
    CHECK(lines > 600 && changed > 300);
    free(texts);
}

static const char *const all_names[] = {
#define PRE(name, rule, flags) name,
#include "text/pre.def"
#undef PRE
};

static void every_name_loses_nothing(void) {
    for (size_t n = 0; n < sizeof all_names / sizeof *all_names; n++) {
        pre p;
        NEED(load(all_names[n], &p));
        for (int round = 0; round < 60; round++) {
            char text[100];
            size_t length = testing_below(100), at = 0, size;
            for (size_t k = 0; k < length; k++)
                text[k] = testing_below(4)
                    ? "a1 \n'!\t\rB2\xC2\xB2\xE4\xBD\xA0.<"[testing_below(18)] : (char)testing_below(256);
            pre_cutter cutter = {.text = text, .length = length};
            const char *word = NULL;
            while ((size = pre_next(&p, &cutter, &word)) > 0) {
                CHECK(word == text + at);
                at += size;
            }
            CHECK_EQUAL(at, length);
        }
        pre_free(&account, &p);
    }
    CHECK_EQUAL(memory_used(&account), 0);
}

/* What each rule could be made to read again and again. */
static void no_rule_is_slow(void) {
    static const char *const hostile[] = {" ", "1", "\n", "\x01", "<sentinel:1", "IMGIMGA", "a ", "1a", " \n", "\r",
        "A", ".",
                                          "'", "\xCC\x81\xCC\xA3", "\xE2\x80\xA8", "\xE4\xBD\xA0", "\xFF"};
    static const char *const names[] = {"bailingmoe", "bloom", "chameleon", "deepseek-coder", "deepseek-llm",
                                        "deepseek-v3", "default", "exaone-moe", "falcon", "gpt-4o", "jais-2",
                                        "kimi-k2", "laguna", "qwen2", "superbpe", "tiny_aya", "afmoe", "viking",
                                        "youtu"};
    enum { LONG = 65536 };
    char *text = malloc(2 * LONG);
    NEED(text);
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        puna_error error = PUNA_ERROR_INIT;
        puna_status status;
        recipe_begin(&r, names[n]);
        recipe_bytes(&r);
        tokenizer *t = recipe_load(&r, &status, &error);
        NEED(t);
        for (size_t h = 0; h < sizeof hostile / sizeof *hostile; h++) {
            size_t unit = strlen(hostile[h]), length = 0;
            while (length + unit < LONG) {
                memcpy(text + length, hostile[h], unit);
                length += unit;
            }
            text[length - 1] = 'z'; /* what the run might have ended in, it does not */
            growth_check(t, names[n], text, length);
        }
        tokenizer_free(t);
    }
    free(text);
}

int main(int argc, char **argv) {
    recipe_path = "test_cuts.tmp.gguf";
    testing_begin(argc, argv);
    memory_account_init(&account);
    TEST(every_rule_cuts_as_recorded);
    TEST(normalizes_as_recorded);
    TEST(every_name_loses_nothing);
    TEST(no_rule_is_slow);
    return testing_end();
}
