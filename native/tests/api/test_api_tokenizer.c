// SPDX-License-Identifier: Apache-2.0
/* puna.h's tokenizers through the public functions alone. */
#include "puna.h"

#include "testing.h"

static puna_file *file;
static puna_tokenizer *tokenizer;

static void open_all(void) {
    puna_error error = PUNA_ERROR_INIT;
    CHECK_EQUAL(puna_file_open(PUNA_TEST_DATA "/tokenizer/llama-bpe.gguf", &file, &error), PUNA_OK);
    CHECK_EQUAL(puna_tokenizer_load(file, &tokenizer, &error), PUNA_OK);
    puna_file_close(file); /* the vocabulary was copied out */
}

static void goes_to_ids_and_back(void) {
    static const char text[] = "I'VE 12345 caf\xC3\xA9\n\n\xFF \xE4\xBD\xA0\xE5\xA5\xBD";
    puna_error error = PUNA_ERROR_INIT;
    int32_t ids[64];
    char back[64];
    uint64_t count = 0, needed = 0, length = 0;
    CHECK_EQUAL(puna_tokenize(tokenizer, text, sizeof text - 1, 0, NULL, 0, &needed, &error), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(error.status, PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(error.needed, needed);
    CHECK_EQUAL(puna_tokenize(tokenizer, text, sizeof text - 1, 0, ids, 64, &count, &error), PUNA_OK);
    CHECK_EQUAL(count, needed);
    CHECK_EQUAL(puna_detokenize(tokenizer, ids, count, 0, back, sizeof back, &length, &error), PUNA_OK);
    CHECK(length == sizeof text - 1 && memcmp(back, text, length) == 0);
    CHECK_EQUAL(puna_detokenize(tokenizer, ids, count, 0, back, 3, &length, &error), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(error.needed, sizeof text - 1);
    CHECK_EQUAL(puna_tokenize(tokenizer, NULL, 0, 0, ids, 64, &count, &error), PUNA_OK);
    CHECK_EQUAL(count, 0);
}

static void describes_itself(void) {
    puna_tokenizer_info info = {.size = sizeof info};
    puna_tokenizer_describe(tokenizer, &info);
    CHECK_EQUAL(info.size, sizeof info);
    CHECK_EQUAL(info.vocabulary, 2048);
    CHECK_TEXT(info.model, "gpt2");
    CHECK_TEXT(info.pre, "llama-bpe");
    info = (puna_tokenizer_info){.size = 8, .bos = 77}; /* a caller that knows the first fields only */
    puna_tokenizer_describe(tokenizer, &info);
    CHECK_EQUAL(info.vocabulary, 2048);
    CHECK_EQUAL(info.bos, 77);
    puna_tokenizer_describe(tokenizer, NULL);
    info.size = sizeof info;
    puna_tokenizer_describe(NULL, &info);
    CHECK_EQUAL(info.vocabulary, 0);
    CHECK_EQUAL(info.bos, -1);
    int control = 0, normal = 0;
    for (int32_t id = 0; id < 2048; id++) {
        puna_token token = {.size = sizeof token};
        CHECK_EQUAL(puna_tokenizer_token(tokenizer, id, &token, NULL), PUNA_OK);
        CHECK_EQUAL(token.size, sizeof token);
        control += token.kind == PUNA_TOKEN_CONTROL;
        normal += token.kind == PUNA_TOKEN_NORMAL;
        CHECK((token.kind == PUNA_TOKEN_CONTROL) == (token.bytes_length == 0));
    }
    CHECK(control > 2 && normal > 1000);
}

static void refused(puna_status status, const puna_error *error, const char *argument) {
    CHECK_EQUAL(status, PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(error->status, PUNA_INVALID_ARGUMENT);
    CHECK_TEXT(error->subject, argument);
    CHECK(error->message[0]);
}

static void refuses_bad_arguments(void) {
    puna_error error = PUNA_ERROR_INIT;
    int32_t ids[4] = {0}, bad[1] = {2048};
    char text[4];
    uint64_t count;
    puna_token token = {.size = sizeof token};
    puna_tokenizer *other = tokenizer;
    refused(puna_tokenizer_load(NULL, &other, &error), &error, "file");
    CHECK(other == NULL);
    refused(puna_tokenizer_load(NULL, NULL, &error), &error, "tokenizer");
    refused(puna_tokenizer_token(NULL, 0, &token, &error), &error, "tokenizer");
    refused(puna_tokenizer_token(tokenizer, 0, NULL, &error), &error, "token");
    refused(puna_tokenizer_token(tokenizer, -1, &token, &error), &error, "id");
    refused(puna_tokenizer_token(tokenizer, 2048, &token, &error), &error, "id");
    refused(puna_tokenize(NULL, "a", 1, 0, ids, 4, &count, &error), &error, "tokenizer");
    refused(puna_tokenize(tokenizer, NULL, 1, 0, ids, 4, &count, &error), &error, "text");
    refused(puna_tokenize(tokenizer, "a", 1, 0, NULL, 4, &count, &error), &error, "ids");
    refused(puna_tokenize(tokenizer, "a", 1, 0, ids, 4, NULL, &error), &error, "count");
    refused(puna_tokenize(tokenizer, "a", 1, 4, ids, 4, &count, &error), &error, "flags");
    refused(puna_tokenize(tokenizer, "a", UINT64_MAX, 0, ids, 4, &count, &error), &error, "length");
    puna_part part = {.text = "a", .length = 1}, hollow = {.text = NULL, .length = 1};
    refused(puna_tokenize_parts(NULL, &part, 1, ids, 4, &count, &error), &error, "tokenizer");
    refused(puna_tokenize_parts(tokenizer, NULL, 1, ids, 4, &count, &error), &error, "parts");
    refused(puna_tokenize_parts(tokenizer, &hollow, 1, ids, 4, &count, &error), &error, "parts");
    refused(puna_tokenize_parts(tokenizer, &part, 1, NULL, 4, &count, &error), &error, "ids");
    refused(puna_tokenize_parts(tokenizer, &part, 1, ids, 4, NULL, &error), &error, "count");
    refused(puna_tokenize_parts(tokenizer, &part, UINT64_MAX, ids, 4, &count, &error), &error, "part_count");
    CHECK_EQUAL(puna_tokenize_parts(tokenizer, &part, 1, ids, 4, &count, &error), PUNA_OK);
    CHECK_EQUAL(count, 1);
    refused(puna_detokenize(NULL, ids, 1, 0, text, 4, &count, &error), &error, "tokenizer");
    refused(puna_detokenize(tokenizer, NULL, 1, 0, text, 4, &count, &error), &error, "ids");
    refused(puna_detokenize(tokenizer, ids, 1, 0, NULL, 4, &count, &error), &error, "text");
    refused(puna_detokenize(tokenizer, ids, 1, 0, text, 4, NULL, &error), &error, "length");
    refused(puna_detokenize(tokenizer, ids, UINT64_MAX, 0, text, 4, &count, &error), &error, "count");
    refused(puna_detokenize(tokenizer, ids, 1, PUNA_TOKENIZE_AFFIXES, text, 4, &count, &error), &error, "flags");
    refused(puna_detokenize(tokenizer, bad, 1, 0, text, 4, &count, &error), &error, "id");
    CHECK_EQUAL(puna_tokenize(NULL, "a", 1, 0, ids, 4, &count, NULL), PUNA_INVALID_ARGUMENT);
}

static void closes_nothing(void) { puna_tokenizer_close(NULL); }

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(closes_nothing);
    open_all();
    TEST(goes_to_ids_and_back);
    TEST(describes_itself);
    TEST(refuses_bad_arguments);
    puna_tokenizer_close(tokenizer);
    return testing_end();
}
