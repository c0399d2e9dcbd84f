// SPDX-License-Identifier: Apache-2.0
/* Split files: all parts are one file, whichever is opened; parts that are missing or disagree are named. */
#include <stdlib.h>

#include "format/block.h"
#include "format/gguf_split.h"
#include "format/maker.h"
#include "testing.h"

static puna_error error = PUNA_ERROR_INIT;
static float numbers[5][16];

#define OK(call) \
    do { \
        puna_status status_ = (call); \
        if (status_ != PUNA_OK) \
            testing_fail(__FILE__, __LINE__, "%s: %d, %s: %s", #call, status_, error.subject, error.message); \
    } while (0)

static const char *const names[] = {"a", "b", "c", "d", "e"};
static const char *const whole = "test_gguf_split.tmp.gguf";

static const char *part(int no, int count) {
    static char paths[4][64];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "test_gguf_split.tmp-%05d-of-%05d.gguf", no, count);
    return path;
}

/* Five tensors in one file, another alignment than the usual, and an entry of each kind that matters here. */
static void write_whole(void) {
    gguf_writer *writer;
    OK(gguf_writer_create(3, &writer, &error));
    NEED(writer);
    OK(gguf_write_text(writer, "general.architecture", (gguf_text){"llama", 5}, &error));
    OK(gguf_write_u32(writer, "general.alignment", 64, &error));
    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 16; k++) numbers[i][k] = (float)(100 * i + k);
        OK(gguf_write_tensor(writer, names[i], BLOCK_F32, 1, (uint64_t[]){3u + 3u * (unsigned)i}, numbers[i], &error));
    }
    OK(gguf_writer_save(writer, whole, &error));
    gguf_writer_free(writer);
}

static void split_into(uint32_t count) {
    gguf_file *file;
    write_whole();
    OK(gguf_open(whole, &file, &error));
    NEED(file);
    OK(gguf_write_parts(file, "test_gguf_split.tmp", count, &error));
    gguf_close(file);
}

/* A part by hand: one tensor, and whatever it claims. */
static void write_part(const char *path, uint32_t no, uint32_t count, uint32_t tensors, const char *name) {
    gguf_writer *writer;
    OK(gguf_writer_create(3, &writer, &error));
    NEED(writer);
    OK(gguf_write_u32(writer, "split.no", no, &error));
    OK(gguf_write_u32(writer, "split.count", count, &error));
    OK(gguf_write_u32(writer, "split.tensors.count", tensors, &error));
    OK(gguf_write_tensor(writer, name, BLOCK_F32, 1, (uint64_t[]){4}, numbers[0], &error));
    OK(gguf_writer_save(writer, path, &error));
    gguf_writer_free(writer);
}

static void remove_all(void) {
    remove(whole);
    for (int count = 1; count <= 5; count++)
        for (int no = 1; no <= count; no++) remove(part(no, count));
}

static void any_part_opens_all(void) {
    for (uint32_t count = 1; count <= 5; count++) {
        split_into(count);
        uint64_t fingerprint = 0, size = 0;
        for (uint32_t opened = 1; opened <= count; opened++) {
            gguf_file *file;
            OK(gguf_open(part((int)opened, (int)count), &file, &error));
            NEED(file);
            CHECK_EQUAL(gguf_part_count(file), count);
            CHECK_EQUAL(gguf_tensor_count(file), 5);
            CHECK_TEXT(gguf_path(file), part(1, (int)count));
            CHECK(gguf_find(file, "general.architecture") != NULL);
            for (int i = 0; i < 5; i++) {
                const gguf_tensor *tensor = gguf_find_tensor(file, names[i]);
                NEED(tensor);
                CHECK_EQUAL(tensor->bytes, 12u + 12u * (unsigned)i);
                CHECK(memcmp(maker_data(file, tensor), numbers[i], (size_t)tensor->bytes) == 0);
            }
            if (opened > 1) CHECK(gguf_fingerprint(file) == fingerprint && gguf_size(file) == size);
            fingerprint = gguf_fingerprint(file);
            size = gguf_size(file);
            gguf_close(file);
        }
        remove_all();
    }
}

static void parts_join_to_the_file_that_was_split(void) {
    split_into(3);
    gguf_file *file;
    gguf_writer *writer;
    size_t from_size, to_size;
    uint8_t *from = testing_read(whole, &from_size);
    OK(gguf_open(part(2, 3), &file, &error));
    NEED(file && from);
    OK(gguf_writer_create(3, &writer, &error));
    OK(gguf_write_file(writer, file, &error));
    OK(gguf_writer_save(writer, "test_gguf_split.joined.gguf", &error));
    gguf_writer_free(writer);
    gguf_close(file);
    uint8_t *to = testing_read("test_gguf_split.joined.gguf", &to_size);
    NEED(to);
    CHECK(to_size == from_size && memcmp(from, to, from_size) == 0);
    free(from);
    free(to);
    remove("test_gguf_split.joined.gguf");
    remove_all();
}

/* Opening any part fails, and the error has all of these words. */
static void refused(const char *path, puna_status expected, const char *subject, const char *message) {
    gguf_file *file;
    CHECK_EQUAL(gguf_open(path, &file, &error), expected);
    CHECK(file == NULL);
    if (!strstr(error.subject, subject)) testing_fail(__FILE__, __LINE__, "\"%s\" lacks %s", error.subject, subject);
    if (!strstr(error.message, message)) testing_fail(__FILE__, __LINE__, "\"%s\" lacks %s", error.message, message);
}

static void a_missing_part_is_named(void) {
    for (int gone = 1; gone <= 3; gone++) {
        split_into(3);
        remove(part(gone, 3));
        for (int opened = 1; opened <= 3; opened++)
            if (opened != gone) refused(part(opened, 3), PUNA_NOT_FOUND, part(gone, 3), "of 3 is missing");
    }
    remove_all();
}

static void parts_that_disagree_are_named(void) {
    split_into(3);
    write_part(part(2, 3), 1, 4, 5, "b");
    refused(part(1, 3), PUNA_INVALID_FILE, part(2, 3), "there are 4 parts; another one says 3");
    write_part(part(2, 3), 2, 3, 5, "b");
    refused(part(1, 3), PUNA_INVALID_FILE, part(2, 3), "by its name this is part 2, by its metadata part 3");
    write_part(part(2, 3), 1, 3, 6, "b");
    refused(part(1, 3), PUNA_INVALID_FILE, part(2, 3), "all have 6 tensors; another one says 5");
    write_part(part(2, 3), 3, 3, 5, "b");
    refused(part(2, 3), PUNA_INVALID_FILE, part(2, 3), "number is 3 (from 0) of 3");
    write_part(part(2, 3), 1, 70000, 5, "b");
    refused(part(2, 3), PUNA_INVALID_FILE, part(2, 3), "70000 parts");
    remove_all();
    write_part(part(1, 2), 0, 2, 2, "a");
    write_part(part(2, 2), 1, 2, 2, "a");
    refused(part(1, 2), PUNA_INVALID_FILE, part(2, 2), "an earlier part");
    write_part(part(1, 2), 0, 2, 3, "a");
    write_part(part(2, 2), 1, 2, 3, "b");
    refused(part(2, 2), PUNA_INVALID_FILE, part(1, 2), "2 tensors together; 3 are announced");
    write_part(whole, 0, 2, 2, "a");
    refused(whole, PUNA_INVALID_FILE, whole, "does not end in -00001-of-00002.gguf");
    remove_all();
}

static void another_part_is_another_file(void) {
    gguf_file *file;
    write_part(part(1, 2), 0, 2, 2, "a");
    write_part(part(2, 2), 1, 2, 2, "b");
    OK(gguf_open(part(1, 2), &file, &error));
    NEED(file);
    uint64_t fingerprint = gguf_fingerprint(file);
    gguf_close(file);
    write_part(part(2, 2), 1, 2, 2, "c");
    OK(gguf_open(part(1, 2), &file, &error));
    NEED(file);
    CHECK(gguf_fingerprint(file) != fingerprint);
    gguf_close(file);
    remove_all();
}

static void no_more_parts_than_tensors(void) {
    gguf_file *file;
    write_whole();
    OK(gguf_open(whole, &file, &error));
    NEED(file);
    CHECK_EQUAL(gguf_write_parts(file, "test_gguf_split.tmp", 0, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(gguf_write_parts(file, "test_gguf_split.tmp", 6, &error), PUNA_INVALID_ARGUMENT);
    gguf_close(file);
    remove_all();
}

static int allowed;

static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return allowed-- > 0;
}

static void each_allocation_fails_once(void) {
    split_into(3);
    puna_status status = PUNA_OUT_OF_MEMORY;
    int n = 0;
    for (; n < 300 && status != PUNA_OK; n++) {
        gguf_file *file;
        allowed = n;
        memory_set_gate(gate, NULL);
        status = gguf_open(part(3, 3), &file, &error);
        memory_set_gate(NULL, NULL);
        CHECK(status == PUNA_OK ? file != NULL : status == PUNA_OUT_OF_MEMORY && file == NULL);
        gguf_close(file);
    }
    CHECK(status == PUNA_OK && n > 20);
    remove_all();
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(any_part_opens_all);
    TEST(parts_join_to_the_file_that_was_split);
    TEST(a_missing_part_is_named);
    TEST(parts_that_disagree_are_named);
    TEST(another_part_is_another_file);
    TEST(no_more_parts_than_tensors);
    TEST(each_allocation_fails_once);
    return testing_end();
}
