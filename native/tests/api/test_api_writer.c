// SPDX-License-Identifier: Apache-2.0
/* Files that are written as their tensors' bytes come, and numbers from type to type. */
#include <stdlib.h>

#include "format/gguf_write.h"
#include "puna.h"
#include "testing.h"

static puna_error error = PUNA_ERROR_INIT;

#define OK(call) \
    do { \
        if ((call) != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s: %s: %s", #call, error.subject, error.message); \
    } while (0)

#define REFUSED(call, status, part) \
    do { \
        CHECK_EQUAL(call, status); \
        if (!strstr(error.message, part)) \
            testing_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", error.message, part); \
    } while (0)

#define STREAMED "test_api_writer.streamed"
#define SAVED "test_api_writer.saved"

enum { F32 = 0, F16 = 1, Q4_0 = 2, Q8_0 = 8, Q4_K = 12, BF16 = 30 };

static const float weights[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint64_t shapes[3][2] = {{3, 2}, {1, 1}, {4, 2}}; /* 24, 4 and 32 bytes */
static const uint64_t lengths[] = {0, 3, 2};

static void front(puna_writer *writer) {
    uint32_t number = 7;
    OK(puna_writer_text(writer, "general.architecture", "llama", 5, &error));
    OK(puna_writer_scalar(writer, "number", PUNA_UINT32, &number, &error));
    OK(puna_writer_array(writer, "floats", PUNA_FLOAT32, weights, 3, &error));
    OK(puna_writer_texts(writer, "texts", "onezw", lengths, 3, &error));
    OK(puna_writer_texts(writer, "none", NULL, NULL, 0, &error));
    const char *names[] = {"first", "second", "third"};
    for (int i = 0; i < 3; i++) OK(puna_writer_tensor(writer, names[i], F32, 2, shapes[i], &error));
}

/* The same file by the other way of writing. */
static void save(void) {
    gguf_writer *writer;
    gguf_text texts[] = {{"", 0}, {"one", 3}, {"zw", 2}};
    OK(gguf_writer_create(3, &writer, &error));
    NEED(writer);
    OK(gguf_write_text(writer, "general.architecture", (gguf_text){"llama", 5}, &error));
    OK(gguf_write_u32(writer, "number", 7, &error));
    OK(gguf_write_array(writer, "floats", PUNA_FLOAT32, weights, 3, &error));
    OK(gguf_write_texts(writer, "texts", texts, 3, &error));
    OK(gguf_write_texts(writer, "none", texts, 0, &error));
    OK(gguf_write_tensor(writer, "first", F32, 2, shapes[0], weights, &error));
    OK(gguf_write_tensor(writer, "second", F32, 2, shapes[1], weights + 6, &error));
    OK(gguf_write_tensor(writer, "third", F32, 2, shapes[2], weights + 7, &error));
    OK(gguf_writer_save(writer, SAVED, &error));
    gguf_writer_free(writer);
}

static bool exists(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

static void pieces_of_any_size_give_the_same_file(void) {
    size_t size, other;
    save();
    uint8_t *saved = testing_read(SAVED, &size);
    NEED(saved);
    uint64_t before = puna_memory();
    puna_writer *writer;
    OK(puna_writer_create(&writer, &error));
    NEED(writer);
    front(writer);
    for (size_t piece = 1; piece <= 60; piece += piece < 9 ? 1 : 17) { /* and the writer may begin again */
        OK(puna_writer_begin(writer, STREAMED, &error));
        for (size_t at = 0; at < sizeof weights; at += piece) {
            size_t n = sizeof weights - at < piece ? sizeof weights - at : piece;
            OK(puna_writer_put(writer, (const uint8_t *)weights + at, n, &error));
        }
        OK(puna_writer_put(writer, NULL, 0, &error));
        CHECK(!exists(STREAMED)); /* it has its name when it is whole */
        OK(puna_writer_end(writer, &error));
        uint8_t *streamed = testing_read(STREAMED, &other);
        NEED(streamed);
        CHECK_EQUAL(other, size);
        CHECK(other == size && memcmp(saved, streamed, size) == 0);
        free(streamed);
        remove(STREAMED);
    }
    puna_writer_close(writer);
    CHECK_EQUAL(puna_memory(), before);
    free(saved);
    remove(SAVED);
}

static void what_is_not_whole_leaves_no_file(void) {
    puna_writer *writer;
    OK(puna_writer_create(&writer, &error));
    NEED(writer);
    REFUSED(puna_writer_put(writer, weights, 4, &error), PUNA_INVALID_ARGUMENT, "no file was begun");
    REFUSED(puna_writer_end(writer, &error), PUNA_INVALID_ARGUMENT, "no file was begun");
    front(writer);
    REFUSED(puna_writer_begin(writer, "no/such/folder/x.gguf", &error), PUNA_NOT_FOUND, "");
    OK(puna_writer_begin(writer, STREAMED, &error));
    REFUSED(puna_writer_begin(writer, STREAMED, &error), PUNA_INVALID_ARGUMENT, "begun already");
    REFUSED(puna_writer_text(writer, "late", "x", 1, &error), PUNA_INVALID_ARGUMENT, "was begun");
    REFUSED(puna_writer_tensor(writer, "late", F32, 2, shapes[0], &error), PUNA_INVALID_ARGUMENT, "was begun");
    OK(puna_writer_put(writer, weights, 30, &error));
    REFUSED(puna_writer_put(writer, weights, 31, &error), PUNA_INVALID_ARGUMENT, "have room for 30");
    REFUSED(puna_writer_end(writer, &error), PUNA_INVALID_ARGUMENT, "third lacks bytes: 30");
    puna_writer_close(writer);
    CHECK(!exists(STREAMED));
    gguf_writer *other;
    OK(gguf_writer_create(3, &other, &error));
    NEED(other);
    OK(gguf_write_announced(other, "t", F32, 2, shapes[0], &error));
    REFUSED(gguf_writer_save(other, SAVED, &error), PUNA_INVALID_ARGUMENT, "announced");
    OK(gguf_write_tensor(other, "u", F32, 2, shapes[0], weights, &error));
    REFUSED(gguf_writer_begin(other, SAVED, &error), PUNA_INVALID_ARGUMENT, "u was not announced");
    gguf_writer_free(other);
}

static void missing_arguments_are_named(void) {
    puna_writer *w;
    REFUSED(puna_writer_create(NULL, &error), PUNA_INVALID_ARGUMENT, "writer");
    OK(puna_writer_create(&w, &error));
    NEED(w);
    puna_writer_close(NULL);
    REFUSED(puna_writer_scalar(NULL, "k", PUNA_UINT32, weights, &error), PUNA_INVALID_ARGUMENT, "writer");
    REFUSED(puna_writer_scalar(w, NULL, PUNA_UINT32, weights, &error), PUNA_INVALID_ARGUMENT, "key");
    REFUSED(puna_writer_scalar(w, "k", PUNA_UINT32, NULL, &error), PUNA_INVALID_ARGUMENT, "number");
    REFUSED(puna_writer_scalar(w, "k", 99, weights, &error), PUNA_INVALID_ARGUMENT, "type is 99");
    REFUSED(puna_writer_text(w, NULL, "", 0, &error), PUNA_INVALID_ARGUMENT, "key");
    REFUSED(puna_writer_text(w, "k", NULL, 1, &error), PUNA_INVALID_ARGUMENT, "text");
    REFUSED(puna_writer_text(NULL, "k", "", 0, &error), PUNA_INVALID_ARGUMENT, "writer");
    REFUSED(puna_writer_array(w, "k", PUNA_UINT32, NULL, 1, &error), PUNA_INVALID_ARGUMENT, "numbers");
    REFUSED(puna_writer_texts(w, "k", NULL, lengths, 2, &error), PUNA_INVALID_ARGUMENT, "texts");
    REFUSED(puna_writer_texts(w, "k", "", NULL, 2, &error), PUNA_INVALID_ARGUMENT, "lengths");
    REFUSED(puna_writer_texts(w, "k", "", lengths, UINT64_MAX, &error), PUNA_OUT_OF_MEMORY, "");
    REFUSED(puna_writer_tensor(NULL, "t", F32, 2, shapes[0], &error), PUNA_INVALID_ARGUMENT, "writer");
    REFUSED(puna_writer_tensor(w, NULL, F32, 2, shapes[0], &error), PUNA_INVALID_ARGUMENT, "name");
    REFUSED(puna_writer_tensor(w, "t", F32, 2, NULL, &error), PUNA_INVALID_ARGUMENT, "shape");
    REFUSED(puna_writer_begin(NULL, "x", &error), PUNA_INVALID_ARGUMENT, "writer");
    REFUSED(puna_writer_begin(w, NULL, &error), PUNA_INVALID_ARGUMENT, "path");
    REFUSED(puna_writer_put(NULL, weights, 1, &error), PUNA_INVALID_ARGUMENT, "writer");
    REFUSED(puna_writer_put(w, NULL, 1, &error), PUNA_INVALID_ARGUMENT, "bytes");
    REFUSED(puna_writer_end(NULL, &error), PUNA_INVALID_ARGUMENT, "writer");
    puna_writer_close(w);
}

/* The recorded blocks of the PyPI package gguf, and by way of a 16-bit type. */
static void numbers_are_those_of_gguf(void) {
    static const struct { const char *name; uint32_t type; } types[] = {
        {"F16", F16}, {"BF16", BF16}, {"Q4_0", 2}, {"Q4_1", 3}, {"Q5_0", 6}, {"Q5_1", 7}, {"Q8_0", Q8_0}};
    size_t bytes, expected;
    uint8_t *input = testing_read(PUNA_TEST_DATA "/quants/input.f32", &bytes);
    NEED(input);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/quants/%s.blocks", PUNA_TEST_DATA, types[i].name);
        uint8_t *blocks = testing_read(path, &expected), *ours = malloc(bytes);
        uint64_t written = 0;
        NEED(blocks && ours);
        OK(puna_convert_numbers(F32, input, bytes / 4, types[i].type, ours, bytes, &written, &error));
        CHECK_EQUAL(written, expected);
        CHECK(written == expected && memcmp(blocks, ours, expected) == 0);
        REFUSED(puna_convert_numbers(F32, input, bytes / 4, types[i].type, ours, expected - 1, &written, &error),
                PUNA_BUFFER_TOO_SMALL, "are needed");
        CHECK_EQUAL(written, expected);
        free(blocks);
        free(ours);
    }
    free(input);
}

static void types_that_cannot_be_are_refused(void) {
    uint8_t blocks[256] = {0};
    uint64_t written;
    REFUSED(puna_convert_numbers(F32, weights, 8, 99, blocks, 256, &written, &error), PUNA_UNSUPPORTED, "type 99");
    REFUSED(puna_convert_numbers(16, weights, 8, F16, blocks, 256, &written, &error), PUNA_UNSUPPORTED, "type 16");
    REFUSED(puna_convert_numbers(F32, weights, 0, Q4_K, blocks, 256, &written, &error), PUNA_UNSUPPORTED, "Q4_K");
    REFUSED(puna_convert_numbers(F32, weights, 8, Q8_0, blocks, 256, &written, &error), PUNA_INVALID_ARGUMENT, "32");
    REFUSED(puna_convert_numbers(F32, NULL, 8, F16, blocks, 256, &written, &error), PUNA_INVALID_ARGUMENT, "numbers");
    REFUSED(puna_convert_numbers(F32, weights, 8, F16, NULL, 256, &written, &error), PUNA_INVALID_ARGUMENT, "blocks");
    REFUSED(puna_convert_numbers(F32, weights, 8, F16, blocks, 256, NULL, &error), PUNA_INVALID_ARGUMENT, "bytes");
    OK(puna_convert_numbers(F32, NULL, 0, F16, NULL, 0, &written, &error));
    CHECK_EQUAL(written, 0);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(pieces_of_any_size_give_the_same_file);
    TEST(what_is_not_whole_leaves_no_file);
    TEST(missing_arguments_are_named);
    TEST(numbers_are_those_of_gguf);
    TEST(types_that_cannot_be_are_refused);
    return testing_end();
}
