// SPDX-License-Identifier: Apache-2.0
/* Vocabularies that contradict themselves: each its own status and sentence, nothing left behind. */
#include "text/vocabulary.h"

#include <stdlib.h>

#include "format/gguf_write.h"
#include "testing.h"
#include "text/special.h"
#include "text/trie.h"
#include "vocab_recipe.h"

static recipe r;

static void begin(void) {
    recipe_begin(&r, "gpt-2");
    recipe_bytes(&r);
    recipe_merge(&r, "a", "b");
}

/* `mention`: something that the sentence has to say. */
static void refuses(puna_status expected, const char *mention) {
    puna_error error = PUNA_ERROR_INIT;
    puna_status status;
    tokenizer *t = recipe_load(&r, &status, &error);
    if (status != expected || t || !strstr(error.message, mention) || !strstr(error.subject, recipe_path)) {
        testing_fail(__FILE__, __LINE__, "status %d instead of %d; \"%s\" (%s) should mention \"%s\"", status, expected,
                     error.message, error.subject, mention);
    }
    tokenizer_free(t);
}

static void accepts_a_sound_one(void) {
    puna_status status;
    begin();
    tokenizer *t = recipe_load(&r, &status, NULL);
    CHECK(t && status == PUNA_OK);
    tokenizer_free(t);
    r.no_kinds = true; /* all are normal tokens then */
    t = recipe_load(&r, &status, NULL);
    CHECK(t && status == PUNA_OK);
    tokenizer_free(t);
    r.merge_count = 0;
    t = recipe_load(&r, &status, NULL);
    CHECK(t && status == PUNA_OK);
    tokenizer_free(t);
    tokenizer_free(NULL);
}

static void refuses_other_kinds(void) {
    begin();
    r.model = "rwkv";
    refuses(PUNA_UNSUPPORTED, "\"rwkv\"");
    r.model = NULL;
    refuses(PUNA_UNSUPPORTED, "tokenizer.ggml.model");
    begin();
    r.pre = "quux";
    refuses(PUNA_UNSUPPORTED, "gpt-2");
    r.pre = NULL;
    refuses(PUNA_UNSUPPORTED, "tokenizer.ggml.pre");
    r.pre = "a name that is much longer than any name of a pre-tokenizer can be, and then some more of it";
    refuses(PUNA_UNSUPPORTED, "smollm");
}

static void refuses_missing_and_unequal_arrays(void) {
    begin();
    r.no_tokens = true;
    refuses(PUNA_INVALID_FILE, "tokenizer.ggml.tokens is missing");
    begin();
    r.no_merges = true;
    refuses(PUNA_INVALID_FILE, "tokenizer.ggml.merges");
    begin();
    r.kind_count--;
    refuses(PUNA_INVALID_FILE, "one element for each token");
    begin();
    r.kinds[7] = 0;
    refuses(PUNA_INVALID_FILE, "1 to 6");
    r.kinds[7] = 7;
    refuses(PUNA_INVALID_FILE, "1 to 6");
    r.kinds[7] = -1;
    refuses(PUNA_INVALID_FILE, "1 to 6");
    begin();
    r.token_count = 0;
    refuses(PUNA_INVALID_FILE, "is empty");
}

static void refuses_damaged_tokens(void) {
    static char large[600000];
    begin();
    recipe_token(&r, "ab", 2, PUNA_TOKEN_NORMAL);
    refuses(PUNA_INVALID_FILE, "tokens 256 and 257");
    begin();
    recipe_token(&r, "", 0, PUNA_TOKEN_NORMAL); /* placeholders without a spelling may repeat */
    recipe_token(&r, "", 0, PUNA_TOKEN_CONTROL);
    puna_status status;
    tokenizer *t = recipe_load(&r, &status, NULL);
    CHECK_EQUAL(status, PUNA_OK);
    tokenizer_free(t);
    begin();
    memset(large, 'a', sizeof large);
    recipe_token(&r, large, 1025, PUNA_TOKEN_CONTROL);
    refuses(PUNA_UNSUPPORTED, "1024 bytes");
    begin();
    recipe_token(&r, large, sizeof large, PUNA_TOKEN_NORMAL); /* long, but only a normal token */
    t = recipe_load(&r, &status, NULL);
    CHECK_EQUAL(status, PUNA_OK);
    tokenizer_free(t);
}

static void refuses_damaged_merges(void) {
    static const char *const broken[] = {"ab", "", " ", " b", "a ", "a  b", "a b c", "a b "};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        begin();
        recipe_raw_merge(&r, broken[i]);
        refuses(PUNA_INVALID_FILE, "Merge 1 ");
    }
    begin();
    recipe_raw_merge(&r, "a quux");
    refuses(PUNA_INVALID_FILE, "parts");
    begin();
    recipe_raw_merge(&r, "b b");
    refuses(PUNA_INVALID_FILE, "result");
    begin();
    recipe_raw_merge(&r, "a b"); /* twice: the first counts */
    puna_status status;
    tokenizer *t = recipe_load(&r, &status, NULL);
    CHECK_EQUAL(status, PUNA_OK);
    tokenizer_free(t);
}

static void refuses_ids_beyond_the_vocabulary(void) {
    begin();
    r.bos = r.token_count;
    refuses(PUNA_INVALID_FILE, "tokenizer.ggml.bos_token_id");
    begin();
    r.eos = 0x80000000;
    refuses(PUNA_INVALID_FILE, "0 to 256");
    begin();
    r.eot = 0xFFFFFFFF; /* -1 as an unsigned number: none */
    puna_status status;
    tokenizer *t = recipe_load(&r, &status, NULL);
    CHECK_EQUAL(status, PUNA_OK);
    tokenizer_free(t);
}

/* A file whose entry `key` has another type. */
static void refuses_type(const char *key, uint32_t type) {
    puna_error error = PUNA_ERROR_INIT;
    const char *path = "test_vocabulary.types.tmp.gguf";
    uint64_t number = 1;
    gguf_writer *writer;
    gguf_file *file = NULL, *sound;
    tokenizer *t = NULL;
    begin();
    r.bos = 1, r.add_bos = 1;
    sound = recipe_open(&r);
    NEED(sound);
    NEED(gguf_writer_create(3, &writer, &error) == PUNA_OK);
    for (uint64_t i = 0; i < gguf_value_count(sound); i++) {
        const gguf_value *value = gguf_value_at(sound, i);
        if (value->key.length == strlen(key) && memcmp(value->key.data, key, strlen(key)) == 0) continue;
        CHECK_EQUAL(gguf_write_value(writer, sound, value, &error), PUNA_OK);
    }
    if (type == PUNA_STRING) CHECK_EQUAL(gguf_write_text(writer, key, (gguf_text){"1", 1}, &error), PUNA_OK);
    else if (type == PUNA_ARRAY) CHECK_EQUAL(gguf_write_array(writer, key, PUNA_FLOAT32, "\0\0\0\0", 1, &error),
                                             PUNA_OK);
    else CHECK_EQUAL(gguf_write_scalar(writer, key, type, &number, &error), PUNA_OK);
    CHECK_EQUAL(gguf_writer_save(writer, path, &error), PUNA_OK);
    gguf_writer_free(writer);
    gguf_close(sound);
    NEED(gguf_open(path, &file, &error) == PUNA_OK);
    remove(path);
    puna_status status = tokenizer_load(file, &t, &error);
    if (status != PUNA_INVALID_FILE || !strstr(error.subject, key)) {
        testing_fail(__FILE__, __LINE__, "%s of type %u: status %d, %s", key, type, status, error.message);
    }
    gguf_close(file);
    tokenizer_free(t);
}

static void refuses_wrong_types(void) {
    static const char *const keys[] = {"tokenizer.ggml.model", "tokenizer.ggml.pre", "tokenizer.ggml.tokens",
                                       "tokenizer.ggml.token_type", "tokenizer.ggml.merges",
                                           "tokenizer.ggml.bos_token_id",
                                       "tokenizer.ggml.add_bos_token"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        refuses_type(keys[i], PUNA_FLOAT32);
        refuses_type(keys[i], PUNA_ARRAY);
        if (i > 1) refuses_type(keys[i], PUNA_STRING);
    }
}

/* Random damage of a sound file: any status, but no crash, and no tokenizer that breaks later. */
static void survives_random_damage(void) {
    puna_error error = PUNA_ERROR_INIT;
    const char *path = "test_vocabulary.damage.tmp.gguf";
    begin();
    r.bos = 5;
    gguf_file *sound = recipe_open(&r);
    NEED(sound);
    size_t size;
    uint8_t *whole, *bytes;
    gguf_writer *copy;
    NEED(gguf_writer_create(3, &copy, &error) == PUNA_OK && gguf_write_file(copy, sound, &error) == PUNA_OK);
    NEED(gguf_writer_save(copy, path, &error) == PUNA_OK);
    gguf_writer_free(copy);
    whole = testing_read(path, &size);
    bytes = malloc(size);
    NEED(whole && bytes);
    int loaded = 0;
    for (int round = 0; round < 1000; round++) {
        memcpy(bytes, whole, size);
        for (uint32_t i = 0, count = 1 + testing_below(4); i < count; i++) {
            bytes[testing_below((uint32_t)size)] = (uint8_t)testing_below(256);
        }
        FILE *out = fopen(path, "wb");
        NEED(out && fwrite(bytes, 1, size, out) == size);
        fclose(out);
        gguf_file *file = NULL;
        tokenizer *t = NULL;
        if (gguf_open(path, &file, &error) != PUNA_OK) continue;
        if (tokenizer_load(file, &t, &error) == PUNA_OK) {
            int32_t ids[64];
            size_t count;
            loaded++;
            CHECK_EQUAL(tokenizer_encode(t, "abba <|x|> \xFF 12", 15, PUNA_TOKENIZE_SPECIAL, ids, 64, &count, NULL),
                        PUNA_OK);
            for (size_t i = 0; i < count; i++) CHECK(ids[i] >= 0 && ids[i] < tokenizer_size(t));
        }
        tokenizer_free(t);
        gguf_close(file);
    }
    CHECK(loaded > 0); /* some damage does not matter */
    remove(path);
    free(whole);
    free(bytes);
    gguf_close(sound);
}

/* A tree against plain comparison of all its strings. */
static void finds_strings_in_a_tree(void) {
    memory_account account;
    memory_account_init(&account);
    for (int round = 0; round < 200; round++) {
        char strings[20][8];
        size_t total = 0;
        trie t;
        uint32_t count = testing_below(20);
        for (uint32_t i = 0; i < count; i++) {
            size_t length = 1 + testing_below(6);
            for (size_t k = 0; k < length; k++) strings[i][k] = (char)(testing_below(2) ? 'a' : 0xFF);
            strings[i][length] = 0;
            total += length;
        }
        NEED(trie_create(&account, total, &t));
        for (uint32_t i = 0; i < count; i++) trie_add(&t, strings[i], strlen(strings[i]), (int32_t)i);
        for (int probe = 0; probe < 50; probe++) {
            char text[8] = {0};
            uint32_t node = 0;
            int32_t expected = TRIE_NO_VALUE;
            size_t length = 1 + testing_below(6);
            for (size_t k = 0; k < length; k++) text[k] = (char)(testing_below(2) ? 'a' : 0xFF);
            for (uint32_t i = count; i-- > 0;) expected = strcmp(strings[i], text) == 0 ? (int32_t)i : expected;
            for (size_t k = 0; k < length; k++) {
                node = trie_next(&t, node, (uint8_t)text[k]);
                if (node == 0) break;
            }
            CHECK_EQUAL(node ? t.values[node] : TRIE_NO_VALUE, expected);
        }
        trie_free(&account, &t);
    }
    CHECK_EQUAL(memory_used(&account), 0);
}

int main(int argc, char **argv) {
    recipe_path = "test_vocabulary.tmp.gguf";
    testing_begin(argc, argv);
    TEST(accepts_a_sound_one);
    TEST(refuses_other_kinds);
    TEST(refuses_missing_and_unequal_arrays);
    TEST(refuses_damaged_tokens);
    TEST(refuses_damaged_merges);
    TEST(refuses_ids_beyond_the_vocabulary);
    TEST(refuses_wrong_types);
    TEST(survives_random_damage);
    TEST(finds_strings_in_a_tree);
    return testing_end();
}
