// SPDX-License-Identifier: Apache-2.0
/* Pre-tokenizers: the words of each, and that they are always the whole text. */
#include "text/pre.h"

#include "testing.h"
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

static void cuts(const char *name, const char *text, const char *expected) {
    pre p;
    pre_cutter cutter = {.text = text, .length = strlen(text)};
    char found[256] = "";
    const char *word;
    NEED(load(name, &p));
    for (size_t length; (length = pre_next(&p, &cutter, &word)) > 0;) {
        if (*found) strcat(found, "|");
        strncat(found, word, length);
    }
    CHECK_TEXT(found, expected);
    pre_free(&account, &p);
}

static void cuts_as_each_family_does(void) {
    const char *text = "I'VE it's 12345  x\n\n y";
    cuts("gpt-2", text, "I|'|VE| it|'s| 12345| | x|\n\n| y");
    cuts("smollm", text, "I|'|VE| it|'s| |1|2|3|4|5| | x|\n\n| y");
    cuts("llama-bpe", text, "I|'VE| it|'s| |123|45| | x|\n\n| y");
    cuts("qwen2", text, "I|'VE| it|'s| |1|2|3|4|5| | x|\n\n| y");
    cuts("smollm", "a  1", "a|  |1"); /* a digit ends the text before it: both spaces are the end */
    cuts("gpt-2", "a  1", "a| | 1");
    cuts("llama-bpe", "(x) _y!\n\n", "(x|)| _|y|!\n\n");
    cuts("llama3", "1234", "123|4");
    cuts("phi-2", "1234", "1234");
}

/* The families by llama.cpp's list of names; the words are the ones above, by hand. */
static void names_of_a_family_cut_alike(void) {
    static const char *const plain[] = {"exaone4", "mellum", "olmo", "roberta-bpe", "jina-v2-code"};
    static const char *const digits[] = {"command-r", "codeshell", "exaone", "minerva-7b", "mellum2"};
    static const char *const triplets[] = {"falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
                                           "dbrx", "smaug-bpe", "glm4", "chatglm-bpe"};
    static const char *const singles[] = {"stablelm2", "hunyuan", "solar-open", "megrez", "grok-2", "kormo"};
    const char *text = "I'VE it's 12345  x\n\n y";
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        cuts(plain[i], text, "I|'|VE| it|'s| 12345| | x|\n\n| y");
    for (size_t i = 0; i < sizeof digits / sizeof *digits; i++)
        cuts(digits[i], text, "I|'|VE| it|'s| |1|2|3|4|5| | x|\n\n| y");
    for (size_t i = 0; i < sizeof triplets / sizeof *triplets; i++)
        cuts(triplets[i], text, "I|'VE| it|'s| |123|45| | x|\n\n| y");
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        cuts(singles[i], text, "I|'VE| it|'s| |1|2|3|4|5| | x|\n\n| y");
}

static void loses_nothing(void) {
    static const char *const names[] = {"gpt-2", "smollm", "llama-bpe", "qwen2"};
    for (int i = 0; i < 4; i++) {
        pre p;
        NEED(load(names[i], &p));
        for (int round = 0; round < 500; round++) {
            char text[100];
            size_t length = testing_below(100), at = 0, size;
            for (size_t k = 0; k < length; k++)
                text[k] = testing_below(3) ? "a1 \n'!\t\r"[testing_below(8)] : (char)testing_below(256);
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

int main(int argc, char **argv) {
    recipe_path = "test_pre.tmp.gguf";
    testing_begin(argc, argv);
    memory_account_init(&account);
    TEST(cuts_as_each_family_does);
    TEST(names_of_a_family_cut_alike);
    TEST(loses_nothing);
    return testing_end();
}
