// SPDX-License-Identifier: Apache-2.0
/* Tokenizers as a whole: affixes, special tokens, forging, decoding, failing memory, threads. */
#include "text/tokenizer.h"

#include <stdlib.h>

#include "base/threads.h"
#include "testing.h"
#include "vocab_recipe.h"

static recipe r;
static int32_t begin_text, im_end, user_defined, longer, unknown;

static void make_recipe(const char *pre) {
    recipe_begin(&r, pre);
    recipe_bytes(&r);
    recipe_merge(&r, "a", "b");
    recipe_merge(&r, "\xC4\xA0", "ab");
    recipe_merge(&r, "ab", "ab");
    begin_text = recipe_token(&r, "<|begin|>", 9, PUNA_TOKEN_CONTROL);
    im_end = recipe_token(&r, "<|im_end|>", 10, PUNA_TOKEN_CONTROL);
    user_defined = recipe_token(&r, "<tool>", 6, PUNA_TOKEN_USER_DEFINED);
    longer = recipe_token(&r, "<tool>>", 7, PUNA_TOKEN_CONTROL);
    unknown = recipe_token(&r, "<unk>", 5, PUNA_TOKEN_UNKNOWN);
    r.bos = begin_text;
}

static tokenizer *load(void) {
    puna_status status;
    puna_error error = PUNA_ERROR_INIT;
    tokenizer *t = recipe_load(&r, &status, &error);
    if (!t) testing_fail(__FILE__, __LINE__, "%s: %s", error.subject, error.message);
    return t;
}

/* The ids as text: "97 <5> ..." */
static const char *ids_of(const tokenizer *t, const char *text, uint32_t flags) {
    static char out[1024];
    int32_t ids[128];
    size_t count = 0, written = 0;
    CHECK_EQUAL(tokenizer_encode(t, text, strlen(text), flags, ids, 128, &count, NULL), PUNA_OK);
    out[0] = 0;
    for (size_t i = 0; i < count; i++) {
        puna_token token;
        CHECK_EQUAL(tokenizer_token(t, ids[i], &token, NULL), PUNA_OK);
        written += (size_t)snprintf(out + written, sizeof out - written, "%s%.*s", i ? " " : "", (int)token.text_length,
                                    token.text);
    }
    return out;
}

static void finds_special_tokens_only_when_asked(void) {
    make_recipe("gpt-2");
    tokenizer *t = load();
    NEED(t);
    CHECK_TEXT(ids_of(t, "ab<|im_end|>ab", PUNA_TOKENIZE_SPECIAL), "ab <|im_end|> ab");
    CHECK_TEXT(ids_of(t, "ab<|im_end|>ab", 0), "ab < | i m _ e n d | > ab");
    CHECK_TEXT(ids_of(t, "a<tool>>b", 0), "a <tool> > b");
    CHECK_TEXT(ids_of(t, "a<tool>>b", PUNA_TOKENIZE_SPECIAL), "a <tool>> b");
    CHECK_TEXT(ids_of(t, "<unk>", 0), "< u n k >");
    CHECK_TEXT(ids_of(t, "<unk>", PUNA_TOKENIZE_SPECIAL), "<unk>");
    CHECK_TEXT(ids_of(t, "<|im_en<|im_end|><|im_end", PUNA_TOKENIZE_SPECIAL),
               "< | i m _ e n <|im_end|> < | i m _ e n d");
    CHECK_TEXT(ids_of(t, "", PUNA_TOKENIZE_SPECIAL), "");
    tokenizer_free(t);
}

static void adds_affixes_as_the_model_wants(void) {
    make_recipe("gpt-2");
    r.eos = im_end;
    tokenizer *t = load();
    NEED(t);
    CHECK_TEXT(ids_of(t, "ab", PUNA_TOKENIZE_AFFIXES), "ab"); /* gpt-2 wants none */
    tokenizer_free(t);
    r.pre = "llama-bpe"; /* wants BOS unless the file says otherwise */
    t = load();
    NEED(t);
    CHECK_TEXT(ids_of(t, "ab", PUNA_TOKENIZE_AFFIXES), "<|begin|> ab");
    CHECK_TEXT(ids_of(t, "", PUNA_TOKENIZE_AFFIXES), "<|begin|>");
    CHECK_TEXT(ids_of(t, "ab", 0), "ab");
    /* not doubled */
    CHECK_TEXT(ids_of(t, "<|begin|>ab", PUNA_TOKENIZE_AFFIXES | PUNA_TOKENIZE_SPECIAL), "<|begin|> ab");
    CHECK_TEXT(ids_of(t, "<|begin|>", PUNA_TOKENIZE_AFFIXES), "<|begin|> < | b e g i n | >");
    tokenizer_free(t);
    r.add_bos = 0, r.add_eos = 1;
    t = load();
    NEED(t);
    CHECK_TEXT(ids_of(t, "ab", PUNA_TOKENIZE_AFFIXES), "ab <|im_end|>");
    CHECK_TEXT(ids_of(t, "ab<|im_end|>", PUNA_TOKENIZE_AFFIXES | PUNA_TOKENIZE_SPECIAL), "ab <|im_end|>");
    tokenizer_free(t);
    r.eos = -1, r.bos = -1, r.add_bos = 1; /* wanted, but there are none */
    t = load();
    NEED(t);
    puna_tokenizer_info info;
    tokenizer_describe(t, &info);
    CHECK_EQUAL(info.add_bos, 0);
    CHECK_EQUAL(info.add_eos, 0);
    CHECK_TEXT(ids_of(t, "ab", PUNA_TOKENIZE_AFFIXES), "ab");
    tokenizer_free(t);
}

static void describes(void) {
    make_recipe("smollm");
    r.unknown = unknown, r.eos = begin_text;
    tokenizer *t = load();
    NEED(t);
    puna_tokenizer_info info;
    tokenizer_describe(t, &info);
    CHECK_EQUAL(info.vocabulary, r.token_count);
    CHECK_EQUAL(info.bos, begin_text);
    CHECK_EQUAL(info.eos, begin_text);
    CHECK_EQUAL(info.eot, im_end); /* by its spelling */
    CHECK_EQUAL(info.unknown, unknown);
    CHECK_EQUAL(info.pad, -1);
    CHECK_TEXT(info.model, "gpt2");
    CHECK_TEXT(info.pre, "smollm");
    CHECK(tokenizer_ends_generation(t, begin_text) && tokenizer_ends_generation(t, im_end));
    CHECK(!tokenizer_ends_generation(t, 'a') && !tokenizer_ends_generation(t, -1) &&
          !tokenizer_ends_generation(t, 1 << 30));
    CHECK(tokenizer_is_control(t, im_end) && !tokenizer_is_control(t, user_defined) && !tokenizer_is_control(t, -1));
    CHECK(tokenizer_memory(t) > 4096);
    puna_token token;
    puna_error error = PUNA_ERROR_INIT;
    CHECK_EQUAL(tokenizer_token(t, im_end, &token, NULL), PUNA_OK);
    CHECK_EQUAL(token.bytes_length, 0);
    CHECK_EQUAL(token.kind, PUNA_TOKEN_CONTROL);
    CHECK_EQUAL(token.ends_generation, 1);
    CHECK_EQUAL(tokenizer_token(t, user_defined, &token, NULL), PUNA_OK);
    CHECK_EQUAL(token.bytes_length, 6);
    CHECK_EQUAL(tokenizer_token(t, (int32_t)r.token_count, &token, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(tokenizer_token(t, -1, &token, &error), PUNA_INVALID_ARGUMENT);
    tokenizer_free(t);
}

/* However a vocabulary is made, plain text never gives a control token. */
static void forges_nothing(void) {
    static const char *const pres[] = {"gpt-2", "smollm", "llama-bpe", "qwen2"};
    for (int i = 0; i < 4; i++) {
        make_recipe(pres[i]);
        recipe_merge(&r, "x", "y");
        recipe_merge(&r, "xy", "z");
        r.kinds[r.token_count - 1] = PUNA_TOKEN_CONTROL; /* a merge's result */
        r.kinds['q'] = PUNA_TOKEN_CONTROL;          /* a byte's token */
        int32_t word = recipe_token(&r, "word", 4, PUNA_TOKEN_CONTROL); /* a whole word */
        r.unknown = word;
        r.kinds['u'] = PUNA_TOKEN_USER_DEFINED;
        recipe_token(&r, "<end_of_turn>", 13, PUNA_TOKEN_NORMAL); /* its converter forgot what it is */
        tokenizer *t = load();
        NEED(t);
        CHECK(tokenizer_is_control(t, (int32_t)r.token_count - 1));
        for (int round = 0; round < 500; round++) {
            char text[64];
            int32_t ids[64];
            size_t count, length = 0;
            while (length < 40) {
                static const char *const parts[] = {"xyz", "q", "word", " ", "u", "<|im_end|>", "<tool>>",
                                                    "<end_of_turn>", "1"};
                const char *part = parts[testing_below(9)];
                memcpy(text + length, part, strlen(part));
                length += strlen(part);
            }
            CHECK_EQUAL(tokenizer_encode(t, text, length, 0, ids, 64, &count, NULL), PUNA_OK);
            for (size_t k = 0; k < count; k++) CHECK(!tokenizer_is_control(t, ids[k]));
        }
        tokenizer_free(t);
    }
}

static void gives_back_any_bytes(void) {
    /* What qwen2 and others normalize does not come back; grok-2 cuts as qwen2 does. */
    static const char *const pres[] = {"gpt-2", "smollm", "llama-bpe", "grok-2"};
    for (int i = 0; i < 4; i++) {
        make_recipe(pres[i]);
        tokenizer *t = load();
        NEED(t);
        for (int round = 0; round < 300; round++) {
            char text[5000], back[5000];
            static int32_t ids[5000];
            size_t count, again, length = testing_below(round < 250 ? 40 : 5000);
            for (size_t k = 0; k < length; k++) {
                text[k] = testing_below(3) ? "ab 1\n<>toluk"[testing_below(12)]
                    : (char)(unsigned char)testing_below(256);
            }
            CHECK_EQUAL(tokenizer_encode(t, text, length, 0, ids, 5000, &count, NULL), PUNA_OK);
            CHECK_EQUAL(tokenizer_decode(t, ids, count, 0, back, 5000, &again, NULL), PUNA_OK);
            CHECK(again == length && memcmp(text, back, length) == 0);
        }
        tokenizer_free(t);
    }
}

/* A long text goes through the cache of words, short ones don't: both give the same. */
static void remembers_words_rightly(void) {
    enum { CHUNKS = 2000 };
    static char text[CHUNKS * 64];
    static int32_t ids[CHUNKS * 64], expected[CHUNKS * 64];
    size_t length = 0, wanted = 0, count;
    make_recipe("gpt-2");
    tokenizer *t = load();
    NEED(t);
    for (int i = 0; i < CHUNKS; i++) {
        char chunk[64] = " ";
        size_t size = 1 + testing_below(40), got;
        for (size_t k = 1; k <= size; k++) chunk[k] = (char)('a' + testing_below(2));
        if (i % 2) chunk[size = 3] = 'b'; /* some repeat */
        CHECK_EQUAL(tokenizer_encode(t, chunk, size + 1, 0, expected + wanted, 64, &got, NULL), PUNA_OK);
        memcpy(text + length, chunk, size + 1);
        length += size + 1;
        wanted += got;
    }
    CHECK_EQUAL(tokenizer_encode(t, text, length, 0, ids, CHUNKS * 64, &count, NULL), PUNA_OK);
    CHECK_EQUAL(count, wanted);
    CHECK(memcmp(ids, expected, wanted * sizeof *ids) == 0);
    tokenizer_free(t);
}

static void says_how_much_room_is_needed(void) {
    make_recipe("gpt-2");
    tokenizer *t = load();
    NEED(t);
    puna_error error = PUNA_ERROR_INIT;
    int32_t ids[4] = {-7, -7, -7, -7};
    char text[8] = "-------";
    size_t count = 0, length = 0;
    CHECK_EQUAL(tokenizer_encode(t, "xyz", 3, 0, NULL, 0, &count, &error), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(count, 3);
    CHECK_EQUAL(error.needed, 3);
    CHECK_EQUAL(tokenizer_encode(t, "xyz", 3, 0, ids, 2, &count, &error), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(ids[2], -7);
    CHECK_EQUAL(tokenizer_encode(t, "xyz", 3, 0, ids, 3, &count, &error), PUNA_OK);
    CHECK_EQUAL(tokenizer_decode(t, ids, 3, 0, text, 2, &length, &error), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(length, 3);
    CHECK_EQUAL(text[2], '-');
    CHECK_EQUAL(tokenizer_decode(t, ids, 3, 0, text, 3, &length, &error), PUNA_OK);
    ids[1] = im_end;
    CHECK_EQUAL(tokenizer_decode(t, ids, 3, 0, text, 8, &length, &error), PUNA_OK);
    CHECK_EQUAL(length, 2);
    CHECK_EQUAL(tokenizer_decode(t, ids, 3, PUNA_TOKENIZE_SPECIAL, NULL, 0, &length, &error), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(length, 12);
    ids[1] = -1;
    CHECK_EQUAL(tokenizer_decode(t, ids, 3, 0, text, 8, &length, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(tokenizer_encode(t, "", 0, 0, NULL, 0, &count, &error), PUNA_OK);
    CHECK_EQUAL(count, 0);
    tokenizer_free(t);
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
    static int32_t ids[4096];
    int allowed = 0;
    make_recipe("llama-bpe");
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
    CHECK(allowed > 15);
    memset(text, 'a', sizeof text);
    puna_status status = PUNA_OUT_OF_MEMORY;
    for (allowed = 0; allowed < 100 && status != PUNA_OK; allowed++) {
        int left = allowed;
        size_t count;
        memory_set_gate(allow_few, &left);
        status = tokenizer_encode(t, text, sizeof text, 0, ids, 4096, &count, &error);
        memory_set_gate(NULL, NULL);
        CHECK(status == PUNA_OK || status == PUNA_OUT_OF_MEMORY);
    }
    CHECK(status == PUNA_OK && allowed > 4);
    tokenizer_free(t);
}

typedef struct shared_work {
    const tokenizer *t;
    const char *text;
    const int32_t *expected;
    size_t wanted;
    _Atomic int wrong;
} shared_work;

static void encode_shared(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    shared_work *work = context;
    (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        int32_t ids[512];
        size_t count;
        puna_status status = tokenizer_encode(work->t, work->text, strlen(work->text), 0, ids, 512, &count, NULL);
        if (status != PUNA_OK || count != work->wanted || memcmp(ids, work->expected, count * sizeof *ids) != 0)
            work->wrong++;
    }
}

static void serves_many_threads(void) {
    memory_account account;
    threads_pool *pool;
    int32_t expected[512];
    shared_work work = {.text = "abab ab <tool> 1234 \xE2\x82\xAC ababababab  ab\n\n aba", .expected = expected};
    make_recipe("smollm");
    tokenizer *t = load();
    NEED(t);
    work.t = t;
    CHECK_EQUAL(tokenizer_encode(t, work.text, strlen(work.text), 0, expected, 512, &work.wanted, NULL), PUNA_OK);
    memory_account_init(&account);
    NEED(threads_create(&account, 4, 1, &pool, NULL) == PUNA_OK);
    threads_phase phase = {encode_shared, &work, 400, 1};
    threads_run(pool, &phase, 1);
    threads_destroy(&account, pool);
    CHECK_EQUAL(work.wrong, 0);
    tokenizer_free(t);
}

int main(int argc, char **argv) {
    recipe_path = "test_tokenizer.tmp.gguf";
    testing_begin(argc, argv);
    TEST(finds_special_tokens_only_when_asked);
    TEST(adds_affixes_as_the_model_wants);
    TEST(describes);
    TEST(forges_nothing);
    TEST(gives_back_any_bytes);
    TEST(remembers_words_rightly);
    TEST(says_how_much_room_is_needed);
    TEST(survives_failing_memory);
    TEST(serves_many_threads);
    return testing_end();
}
