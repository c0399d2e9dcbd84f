// SPDX-License-Identifier: Apache-2.0
/*
 * Ids recorded from the PyPI packages tokenizers and sentencepiece (tests/data/README.md says how), for thousands of
 * strings: four pre-tokenizers, four SentencePiece vocabularies, two of WordPiece.
 */
#include <stdlib.h>

#include "golden_lines.h"
#include "testing.h"
#include "text/tokenizer.h"

/* Returns the number of strings that were compared. */
static int compare(const tokenizer *t, const char *strings_name, const char *ids_name, uint32_t flags) {
    static int32_t ids[1 << 16];
    char *strings = lines_read(strings_name), *expected = lines_read(ids_name), *strings_rest = strings,
        *ids_rest = expected;
    int lines = 0;
    if (!strings || !expected) return 0;
    for (char *line; (line = lines_next(&strings_rest)) != NULL; lines++) {
        char *numbers = lines_next(&ids_rest);
        size_t length = lines_unescape(line), count = 0, wanted = 0;
        if (!numbers) {
            testing_fail(__FILE__, __LINE__, "%s ends at line %d", ids_name, lines);
            break;
        }
        CHECK_EQUAL(tokenizer_encode(t, line, length, flags, ids, sizeof ids / sizeof *ids, &count, NULL), PUNA_OK);
        bool equal = true;
        for (char *end; *numbers; numbers = end + (*end == ' '), wanted++) {
            long id = strtol(numbers, &end, 10);
            equal = equal && wanted < count && ids[wanted] == id;
        }
        if (!equal || wanted != count) {
            testing_fail(__FILE__, __LINE__, "%s, line %d: %zu ids instead of %zu, or others", ids_name, lines + 1,
                         count, wanted);
        }
    }
    CHECK_EQUAL(*ids_rest, 0);
    free(strings);
    free(expected);
    return lines;
}

static void agrees(const char *name) {
    char path[512];
    puna_error error = PUNA_ERROR_INIT;
    gguf_file *file;
    tokenizer *t;
    snprintf(path, sizeof path, "%s/tokenizer/%s.gguf", PUNA_TEST_DATA, name);
    NEED(gguf_open(path, &file, &error) == PUNA_OK);
    puna_status status = tokenizer_load(file, &t, &error);
    gguf_close(file);
    if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s", error.message);
    NEED(status == PUNA_OK);
    snprintf(path, sizeof path, "%s.ids", name);
    CHECK(compare(t, "strings.txt", path, 0) >= 4000);
    snprintf(path, sizeof path, "%s.special_off.ids", name);
    CHECK(compare(t, "special.txt", path, 0) >= 500);
    snprintf(path, sizeof path, "%s.special_on.ids", name);
    CHECK(compare(t, "special.txt", path, PUNA_TOKENIZE_SPECIAL) >= 500);
    tokenizer_free(t);
}

static void agrees_for_gpt2(void) { agrees("gpt-2"); }
static void agrees_for_smollm(void) { agrees("smollm"); }
static void agrees_for_llama_bpe(void) { agrees("llama-bpe"); }
static void agrees_for_qwen2(void) { agrees("qwen2"); }
static void agrees_for_spm(void) { agrees("spm"); }
static void agrees_for_spm_bare(void) { agrees("spm-bare"); }
static void agrees_for_unigram(void) { agrees("unigram"); }
static void agrees_for_unigram_bare(void) { agrees("unigram-bare"); }
static void agrees_for_wordpiece(void) { agrees("wordpiece"); }
static void agrees_for_wordpiece_cased(void) { agrees("wordpiece-cased"); }

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(agrees_for_gpt2);
    TEST(agrees_for_smollm);
    TEST(agrees_for_llama_bpe);
    TEST(agrees_for_qwen2);
    TEST(agrees_for_spm);
    TEST(agrees_for_spm_bare);
    TEST(agrees_for_unigram);
    TEST(agrees_for_unigram_bare);
    TEST(agrees_for_wordpiece);
    TEST(agrees_for_wordpiece_cased);
    return testing_end();
}
