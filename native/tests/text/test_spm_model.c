// SPDX-License-Identifier: Apache-2.0
/* SentencePiece tokenizers as a whole: the space in front, special tokens, byte tokens, damaged files, failing
   memory. */
#include <math.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "testing.h"
#include "text/stream.h"
#include "vocab_recipe.h"

#define MARK "\xE2\x96\x81"

static recipe r;
static int32_t im_end, tool;

static void begin(bool has_bytes) {
    static const char *const pieces[] = {MARK, "a", "b", "c", MARK "a", "ab", MARK "ab", "x", "<", ">", "\xE2\x82\xAC",
        MARK MARK};
    recipe_begin_spm(&r);
    if (has_bytes) recipe_byte_tokens(&r);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        recipe_piece(&r, pieces[i], PUNA_TOKEN_NORMAL, -(float)i);
    im_end = recipe_piece(&r, "<|im_end|>", PUNA_TOKEN_CONTROL, 0);
    tool = recipe_piece(&r, "<tool>", PUNA_TOKEN_USER_DEFINED, 0);
    recipe_piece(&r, "x y", PUNA_TOKEN_USER_DEFINED, 0);
}

static tokenizer *load(void) {
    puna_status status;
    puna_error error = PUNA_ERROR_INIT;
    tokenizer *t = recipe_load(&r, &status, &error);
    if (!t) testing_fail(__FILE__, __LINE__, "%s: %s", error.subject, error.message);
    return t;
}

static const char *show(const tokenizer *t, const int32_t *ids, size_t count) {
    static char out[2048];
    size_t written = 0;
    out[0] = 0;
    for (size_t i = 0; i < count; i++) {
        puna_token token;
        CHECK_EQUAL(tokenizer_token(t, ids[i], &token, NULL), PUNA_OK);
        written += (size_t)snprintf(out + written, sizeof out - written, "%s%.*s", i ? "|" : "", (int)token.text_length,
                                    token.text);
    }
    for (char *mark; (mark = strstr(out, MARK)) != NULL;) { /* easier to read */
        *mark = '_';
        memmove(mark + 1, mark + 3, strlen(mark + 3) + 1);
    }
    return out;
}

static const char *tokens_of(const tokenizer *t, const char *text, uint32_t flags) {
    int32_t ids[128];
    size_t count = 0;
    CHECK_EQUAL(tokenizer_encode(t, text, strlen(text), flags, ids, 128, &count, NULL), PUNA_OK);
    return show(t, ids, count);
}

static void puts_a_space_in_front(void) {
    begin(true);
    tokenizer *t = load();
    NEED(t);
    CHECK_TEXT(tokens_of(t, "", 0), "");
    CHECK_TEXT(tokens_of(t, "ab", 0), "_ab");
    CHECK_TEXT(tokens_of(t, " ab", 0), "_|_ab");
    CHECK_TEXT(tokens_of(t, MARK "ab", 0), "_|_ab"); /* the mark itself reads as a space */
    CHECK_TEXT(tokens_of(t, " ", 0), "__");
    CHECK_TEXT(tokens_of(t, "ab ab", 0), "_ab|_ab");
    CHECK_TEXT(tokens_of(t, "a  b", 0), "_a|__|b");
    CHECK_TEXT(tokens_of(t, "ab<|im_end|>ab", PUNA_TOKENIZE_SPECIAL), "_ab|<|im_end|>|_ab");
    CHECK_TEXT(tokens_of(t, "<|im_end|><|im_end|>", PUNA_TOKENIZE_SPECIAL), "<|im_end|>|<|im_end|>");
    CHECK_TEXT(tokens_of(t, "ab<tool>ab", PUNA_TOKENIZE_SPECIAL), "_ab|<tool>|ab"); /* a user-defined token is text */
    CHECK_TEXT(tokens_of(t, "ab<tool>ab", 0), "_ab|<tool>|ab");
    CHECK_TEXT(tokens_of(t, "<tool>", 0), "_|<tool>");
    CHECK_TEXT(tokens_of(t, "ax yb", 0), "_a|x y|b"); /* one with a space in it */
    CHECK_TEXT(tokens_of(t, "<<unk>>", PUNA_TOKENIZE_SPECIAL), "_|<|<unk>|_|>");
    CHECK_TEXT(tokens_of(t, "ab", PUNA_TOKENIZE_AFFIXES), "<s>|_ab");
    CHECK_TEXT(tokens_of(t, "<s>ab", PUNA_TOKENIZE_AFFIXES | PUNA_TOKENIZE_SPECIAL), "<s>|_ab");
    tokenizer_free(t);
    r.space_prefix = 0, r.add_bos = 0;
    t = load();
    NEED(t);
    CHECK_TEXT(tokens_of(t, "ab ab", PUNA_TOKENIZE_AFFIXES), "ab|_ab");
    CHECK_TEXT(tokens_of(t, "ab<|im_end|>ab", PUNA_TOKENIZE_SPECIAL), "ab|<|im_end|>|ab");
    tokenizer_free(t);
    r.space_prefix = 1, r.remove_spaces = 1;
    t = load();
    NEED(t);
    CHECK_TEXT(tokens_of(t, "  ab   ab  ", 0), "_ab|_ab");
    CHECK_TEXT(tokens_of(t, "   ", 0), "");
    CHECK_TEXT(tokens_of(t, "a " MARK " ", 0), "_a");
    tokenizer_free(t);
}

static void falls_back_to_bytes(void) {
    begin(true);
    tokenizer *t = load();
    NEED(t);
    CHECK_TEXT(tokens_of(t, "a\xE2\x82\xAC" "b", 0), "_a|\xE2\x82\xAC|b");
    CHECK_TEXT(tokens_of(t, "a\xC3\xA9" "b", 0), "_a|<0xC3>|<0xA9>|b");
    CHECK_TEXT(tokens_of(t, "a\xE2\x82" "b\xFF\n", 0), "_a|<0xE2>|<0x82>|b|<0xFF>|<0x0A>");
    tokenizer_free(t);
    begin(false);
    t = load();
    NEED(t);
    CHECK_TEXT(tokens_of(t, "aqqqbq q\xFF", 0), "_a|<unk>|b|<unk>|_|<unk>"); /* a run is one */
    CHECK_TEXT(tokens_of(t, "q<unk>q", PUNA_TOKENIZE_SPECIAL), "_|<unk>|<unk>|_|<unk>");
    tokenizer_free(t);
    begin(false);
    r.kinds[0] = PUNA_TOKEN_CONTROL; /* no text may turn into one: what is unknown is left out */
    t = load();
    NEED(t);
    CHECK_TEXT(tokens_of(t, "aqb", 0), "_a|b");
    tokenizer_free(t);
}

static void decodes(void) {
    begin(true);
    recipe_piece(&r, "<0x4x>", PUNA_TOKEN_BYTE, 0); /* names no byte: it stands for what it looks like */
    tokenizer *t = load();
    NEED(t);
    for (int round = 0; round < 500; round++) {
        char text[100], back[600];
        int32_t ids[600];
        size_t count, length = testing_below(100), again;
        for (size_t i = 0; i < length; i++)
            text[i] = testing_below(3) ? "ab <xy"[testing_below(6)] : (char)(unsigned char)testing_below(256);
        for (size_t i = 0; i + 2 < length; i++) { /* that one does not come back */
            if (memcmp(text + i, MARK, 3) == 0) text[i] = 'a';
        }
        CHECK_EQUAL(tokenizer_encode(t, text, length, 0, ids, 600, &count, NULL), PUNA_OK);
        CHECK_EQUAL(tokenizer_decode(t, ids, count, 0, back, 600, &again, NULL), PUNA_OK);
        CHECK(length == 0 ? again == 0 : again == length + 1 && back[0] == ' ' && memcmp(back + 1, text, length) == 0);
    }
    tokenizer_free(t);
}

static void describes(void) {
    begin(true);
    r.bos = r.eos = r.unknown = -1; /* then by their names */
    tokenizer *t = load();
    NEED(t);
    puna_tokenizer_info info;
    tokenizer_describe(t, &info);
    CHECK_TEXT(info.model, "llama");
    CHECK_TEXT(info.pre, "");
    CHECK_EQUAL(info.bos, 1);
    CHECK_EQUAL(info.eos, 2);
    CHECK_EQUAL(info.unknown, 0);
    CHECK_EQUAL(info.eot, im_end);
    CHECK_EQUAL(info.add_bos, 1);
    CHECK_EQUAL(info.add_eos, 0);
    CHECK(tokenizer_ends_generation(t, 2) && tokenizer_ends_generation(t, im_end)
          && !tokenizer_ends_generation(t, tool));
    tokenizer_free(t);
}

static void forges_nothing(void) {
    for (int unused = 0; unused < 2; unused++) {
        begin(unused);
        r.kinds[(unused ? 259 : 3) + 1] = PUNA_TOKEN_CONTROL; /* "a" */
        r.kinds[(unused ? 259 : 3) + 5] = unused ? PUNA_TOKEN_UNUSED : PUNA_TOKEN_CONTROL; /* "ab" */
        tokenizer *t = load();
        NEED(t);
        for (int round = 0; round < 500; round++) {
            static const char *const parts[] = {"ab", "a", "<s>", "</s>", "<|im_end|>", "<unk>", " ", "x y", "<0x41>",
                "<tool>"};
            char text[128] = "";
            int32_t ids[512];
            size_t count;
            for (uint32_t i = testing_below(10); i > 0; i--) strcat(text, parts[testing_below(10)]);
            puna_part part = {text, strlen(text), 0, 0};
            CHECK_EQUAL(tokenizer_encode_parts(t, &part, 1, ids, 512, &count, NULL), PUNA_OK);
            for (size_t k = 0; k < count; k++) CHECK(!tokenizer_is_control(t, ids[k]));
            size_t again;
            int32_t whole[512];
            CHECK_EQUAL(tokenizer_encode(t, text, strlen(text), 0, whole, 512, &again, NULL), PUNA_OK);
            CHECK(again == count && memcmp(ids, whole, count * sizeof *ids) == 0);
        }
        tokenizer_free(t);
    }
}

static void joins_parts(void) {
    begin(true);
    tokenizer *t = load();
    NEED(t);
    int32_t ids[64];
    size_t count;
    puna_part parts[] = {{"<s>a", 4, 1, 0}, {"b<s>", 4, 0, 0}, {"<too", 4, 1, 0}, {"l>b", 3, 0, 0},
        {"<|im_end|>a", 11, 1, 0}};
    CHECK_EQUAL(tokenizer_encode_parts(t, parts, 5, ids, 64, &count, NULL), PUNA_OK);
    CHECK_TEXT(show(t, ids, count), "<s>|_ab|<|<0x73>|>|<tool>|b|<|im_end|>|_a");
    tokenizer_free(t);
}

/* Byte tokens one by one: whole characters come out. */
static void streams_whole_characters(void) {
    memory_account account;
    stream *s;
    const char *text, *whole = "a\xF0\x9F\x99\x82 \xC3\xA9\xE2\x82\xAC" "b\xFF";
    char out[256];
    int32_t ids[64], stop;
    size_t count, length, written = 0;
    begin(true);
    tokenizer *t = load();
    NEED(t);
    memory_account_init(&account);
    CHECK_EQUAL(tokenizer_encode(t, whole, strlen(whole), 0, ids, 64, &count, NULL), PUNA_OK);
    CHECK(count > 8);
    NEED(stream_create(&account, t, NULL, 0, &s, NULL) == PUNA_OK);
    for (size_t i = 0; i < count; i++) {
        CHECK_EQUAL(stream_push(s, ids[i], &text, &length, &stop, NULL), PUNA_OK);
        CHECK_EQUAL(utf8_valid(text, length), length);
        memcpy(out + written, text, length);
        written += length;
    }
    CHECK_EQUAL(stream_finish(s, &text, &length, NULL), PUNA_OK);
    memcpy(out + written, text, length);
    out[written + length] = 0;
    CHECK_TEXT(out, " a\xF0\x9F\x99\x82 \xC3\xA9\xE2\x82\xAC" "b\xEF\xBF\xBD");
    stream_free(&account, s);
    CHECK_EQUAL(memory_used(&account), 0);
    tokenizer_free(t);
}

/* `mention`: something that the sentence has to say. */
static void refuses(const char *mention) {
    puna_error error = PUNA_ERROR_INIT;
    puna_status status;
    tokenizer *t = recipe_load(&r, &status, &error);
    if (status != PUNA_INVALID_FILE || t || !strstr(error.message, mention) || !strstr(error.subject, recipe_path)) {
        testing_fail(__FILE__, __LINE__, "status %d; \"%s\" (%s) should mention \"%s\"", status, error.message,
                     error.subject, mention);
    }
    tokenizer_free(t);
}

static void refuses_damaged_scores(void) {
    begin(true);
    r.score_count--;
    refuses("tokenizer.ggml.scores has not one element for each token");
    r.score_count = 0;
    refuses("tokenizer.ggml.scores is missing");
    begin(true);
    r.scores[270] = NAN;
    refuses("score of token 270 is not a number");
    begin(true);
    r.no_kinds = true;
    refuses("tokenizer.ggml.token_type is missing");
    begin(true);
    for (uint32_t i = 0; i < r.score_count; i++) r.scores[i] = i % 3 == 0 ? INFINITY : i % 3 == 1 ? -INFINITY : -0.0f;
    tokenizer *t = load();
    NEED(t);
    CHECK_TEXT(tokens_of(t, "q", 0), "_|<0x71>");
    tokenizer_free(t);
}

/* A file whose entry `key` has another type. */
static void refuses_type(const char *key, uint32_t element) {
    puna_error error = PUNA_ERROR_INIT;
    const char *path = "test_spm_model.types.tmp.gguf";
    double values[RECIPE_TOKENS] = {0};
    gguf_writer *writer;
    gguf_file *file = NULL, *sound;
    tokenizer *t = NULL;
    begin(true);
    r.space_prefix = 1, r.remove_spaces = 1;
    sound = recipe_open(&r);
    NEED(sound);
    NEED(gguf_writer_create(3, &writer, &error) == PUNA_OK);
    for (uint64_t i = 0; i < gguf_value_count(sound); i++) {
        const gguf_value *value = gguf_value_at(sound, i);
        if (value->key.length == strlen(key) && memcmp(value->key.data, key, strlen(key)) == 0) continue;
        CHECK_EQUAL(gguf_write_value(writer, sound, value, &error), PUNA_OK);
    }
    CHECK_EQUAL(gguf_write_array(writer, key, element, values, r.token_count, &error), PUNA_OK);
    CHECK_EQUAL(gguf_writer_save(writer, path, &error), PUNA_OK);
    gguf_writer_free(writer);
    gguf_close(sound);
    NEED(gguf_open(path, &file, &error) == PUNA_OK);
    remove(path);
    puna_status status = tokenizer_load(file, &t, &error);
    if (status != PUNA_INVALID_FILE || !strstr(error.subject, key)) {
        testing_fail(__FILE__, __LINE__, "%s of type %u: status %d, %s", key, element, status, error.message);
    }
    gguf_close(file);
    tokenizer_free(t);
}

static void refuses_wrong_types(void) {
    refuses_type("tokenizer.ggml.scores", PUNA_INT32);
    refuses_type("tokenizer.ggml.scores", PUNA_FLOAT64);
    refuses_type("tokenizer.ggml.add_space_prefix", PUNA_FLOAT32);
    refuses_type("tokenizer.ggml.remove_extra_whitespaces", PUNA_UINT8);
}

/* Random damage of a sound file: any status, but no crash, and no tokenizer that breaks later. */
static void survives_random_damage(void) {
    puna_error error = PUNA_ERROR_INIT;
    const char *path = "test_spm_model.damage.tmp.gguf";
    begin(true);
    recipe_piece(&r, "abc", PUNA_TOKEN_UNUSED, -1);
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
    for (int round = 0; round < 500; round++) {
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
            int32_t ids[256];
            size_t count;
            loaded++;
            CHECK_EQUAL(tokenizer_encode(t, "abba abc x y <tool> \xFF 12", 24, PUNA_TOKENIZE_SPECIAL, ids, 256, &count,
                                         NULL), PUNA_OK);
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

static bool allow_few(void *context, size_t bytes) {
    (void)bytes;
    int *left = context;
    return (*left)-- > 0;
}

static void survives_failing_memory(void) {
    puna_error error = PUNA_ERROR_INIT;
    tokenizer *t = NULL;
    static char text[4096];
    static int32_t ids[8192];
    int allowed = 0;
    begin(true);
    recipe_piece(&r, "aba", PUNA_TOKEN_UNUSED, -1);
    gguf_file *file = recipe_open(&r);
    NEED(file);
    for (; allowed < 1000 && !t; allowed++) {
        int left = allowed;
        memory_set_gate(allow_few, &left);
        puna_status status = tokenizer_load(file, &t, &error);
        memory_set_gate(NULL, NULL);
        CHECK(status == PUNA_OK ? t != NULL : status == PUNA_OUT_OF_MEMORY && t == NULL);
    }
    gguf_close(file);
    NEED(t);
    CHECK(allowed > 10);
    for (size_t i = 0; i < sizeof text; i++) text[i] = "ab "[testing_below(3)];
    puna_status status = PUNA_OUT_OF_MEMORY;
    for (allowed = 0; allowed < 100 && status != PUNA_OK; allowed++) {
        int left = allowed;
        size_t count;
        memory_set_gate(allow_few, &left);
        status = tokenizer_encode(t, text, sizeof text, 0, ids, 8192, &count, &error);
        memory_set_gate(NULL, NULL);
        CHECK(status == PUNA_OK || status == PUNA_OUT_OF_MEMORY);
    }
    CHECK(status == PUNA_OK && allowed > 10);
    tokenizer_free(t);
}

int main(int argc, char **argv) {
    recipe_path = "test_spm_model.tmp.gguf";
    testing_begin(argc, argv);
    TEST(puts_a_space_in_front);
    TEST(falls_back_to_bytes);
    TEST(decodes);
    TEST(describes);
    TEST(forges_nothing);
    TEST(joins_parts);
    TEST(streams_whole_characters);
    TEST(refuses_damaged_scores);
    TEST(refuses_wrong_types);
    TEST(survives_random_damage);
    TEST(survives_failing_memory);
    return testing_end();
}
