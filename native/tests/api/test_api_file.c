// SPDX-License-Identifier: Apache-2.0
/* Files through puna.h alone, as a binding uses it. */
#include <puna.h>

#include "testing.h"

static puna_error error = PUNA_ERROR_INIT;

static puna_file *open_types(void) {
    puna_file *file = NULL;
    if (puna_file_open(PUNA_TEST_DATA "/gguf/types.gguf", &file, &error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s: %s", error.subject, error.message);
    return file;
}

static uint64_t find(const puna_file *file, const char *key) {
    uint64_t index = UINT64_MAX;
    CHECK_EQUAL(puna_file_find(file, key, &index, &error), PUNA_OK);
    return index;
}

static void counts_and_metadata(void) {
    puna_file *file = open_types();
    NEED(file);
    CHECK_EQUAL(puna_file_size(file), 3712);
    CHECK_EQUAL(puna_file_version(file), 3);
    CHECK_EQUAL(puna_file_metadata_count(file), 27);
    CHECK_EQUAL(puna_file_tensor_count(file), 4);
    puna_metadata m = {.size = sizeof m};
    CHECK_EQUAL(puna_file_metadata(file, 0, &m, &error), PUNA_OK);
    CHECK_EQUAL(m.type, PUNA_STRING);
    CHECK_EQUAL(m.element_type, PUNA_STRING);
    CHECK_EQUAL(m.count, 1);
    CHECK(m.key_length == 20 && memcmp(m.key, "general.architecture", 20) == 0);
    CHECK_EQUAL(m.size, sizeof m);
    CHECK_EQUAL(puna_file_metadata(file, find(file, "words"), &m, &error), PUNA_OK);
    CHECK_EQUAL(m.type, PUNA_ARRAY);
    CHECK_EQUAL(m.element_type, PUNA_STRING);
    CHECK_EQUAL(m.count, 100);
    puna_file_close(file);
}

static void tensors(void) {
    puna_file *file = open_types();
    NEED(file);
    puna_tensor t = {.size = sizeof t};
    CHECK_EQUAL(puna_file_tensor(file, 2, &t, &error), PUNA_OK);
    CHECK(t.name_length == 9 && memcmp(t.name, "quantized", 9) == 0);
    CHECK_EQUAL(t.type, 3);
    CHECK_TEXT(t.type_name, "Q4_1");
    CHECK_EQUAL(t.dimensions, 2);
    CHECK_EQUAL(t.shape[0], 64);
    CHECK_EQUAL(t.shape[1], 3);
    CHECK_EQUAL(t.shape[3], 1);
    CHECK_EQUAL(t.offset, 3552);
    CHECK_EQUAL(t.bytes, 120);
    puna_file_close(file);
}

static void elements(void) {
    puna_file *file = open_types();
    NEED(file);
    int64_t whole = 0;
    double real = 0;
    const char *text = NULL;
    uint64_t length = 0;
    CHECK_EQUAL(puna_file_integer(file, find(file, "one.int16"), 0, &whole, &error), PUNA_OK);
    CHECK_EQUAL(whole, -300);
    CHECK_EQUAL(puna_file_integer(file, find(file, "many.bool"), 2, &whole, &error), PUNA_OK);
    CHECK_EQUAL(whole, 1);
    CHECK_EQUAL(puna_file_integer(file, find(file, "one.uint64"), 0, &whole, &error), PUNA_OK);
    CHECK_EQUAL(whole, INT64_MAX);
    CHECK_EQUAL(puna_file_real(file, find(file, "one.float64"), 0, &real, &error), PUNA_OK);
    CHECK(real == 1e300);
    CHECK_EQUAL(puna_file_real(file, find(file, "one.uint8"), 0, &real, &error), PUNA_OK);
    CHECK(real == 250);
    CHECK_EQUAL(puna_file_string(file, find(file, "words"), 42, &text, &length, &error), PUNA_OK);
    CHECK(length == 10 && memcmp(text, "word 42 xx", 10) == 0);
    puna_file_close(file);
}

#define REFUSED(call, status, part) \
    do { \
        error = (puna_error)PUNA_ERROR_INIT; \
        CHECK_EQUAL(call, status); \
        if (!strstr(error.message, part)) \
            testing_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", error.message, part); \
    } while (0)

static void mistakes(void) {
    puna_file *file = open_types();
    NEED(file);
    puna_metadata m = {0};
    puna_tensor t = {0};
    int64_t whole;
    double real;
    const char *text;
    uint64_t number;
    REFUSED(puna_file_metadata(file, 27, &m, &error), PUNA_INVALID_ARGUMENT, "index is 27; the file has 27");
    REFUSED(puna_file_tensor(file, UINT64_MAX, &t, &error), PUNA_INVALID_ARGUMENT, "the file has 4");
    REFUSED(puna_file_find(file, "absent", &number, &error), PUNA_NOT_FOUND, "no metadata");
    CHECK(strstr(error.subject, "types.gguf: absent"));
    REFUSED(puna_file_integer(file, find(file, "words"), 0, &whole, &error), PUNA_INVALID_ARGUMENT, "integer");
    REFUSED(puna_file_integer(file, find(file, "one.float32"), 0, &whole, &error), PUNA_INVALID_ARGUMENT, "float32");
    REFUSED(puna_file_integer(file, find(file, "many.int8"), 3, &whole, &error), PUNA_INVALID_ARGUMENT, "element is 3");
    REFUSED(puna_file_real(file, find(file, "one.bool"), 0, &real, &error), PUNA_INVALID_ARGUMENT, "bool");
    REFUSED(puna_file_string(file, find(file, "nested"), 0, &text, &number, &error), PUNA_INVALID_ARGUMENT, "array");
    REFUSED(puna_file_string(file, 99, 0, &text, &number, &error), PUNA_INVALID_ARGUMENT, "index is 99");
    puna_file_close(file);
}

static void null_arguments(void) {
    puna_file *file = open_types();
    NEED(file);
    puna_metadata m = {0};
    puna_tensor t = {0};
    int64_t whole;
    double real;
    const char *text;
    uint64_t number;
    puna_file *none = file;
    REFUSED(puna_file_open(NULL, &none, &error), PUNA_INVALID_ARGUMENT, "path is NULL");
    CHECK(none == NULL);
    REFUSED(puna_file_open("", &none, &error), PUNA_INVALID_ARGUMENT, "path is empty");
    REFUSED(puna_file_open("x", NULL, &error), PUNA_INVALID_ARGUMENT, "file is NULL");
    REFUSED(puna_file_metadata(NULL, 0, &m, &error), PUNA_INVALID_ARGUMENT, "file is NULL");
    REFUSED(puna_file_tensor(NULL, 0, &t, &error), PUNA_INVALID_ARGUMENT, "file is NULL");
    REFUSED(puna_file_find(NULL, "k", &number, &error), PUNA_INVALID_ARGUMENT, "file is NULL");
    REFUSED(puna_file_integer(NULL, 0, 0, &whole, &error), PUNA_INVALID_ARGUMENT, "file is NULL");
    REFUSED(puna_file_real(NULL, 0, 0, &real, &error), PUNA_INVALID_ARGUMENT, "file is NULL");
    REFUSED(puna_file_string(NULL, 0, 0, &text, &number, &error), PUNA_INVALID_ARGUMENT, "file is NULL");
    REFUSED(puna_file_metadata(file, 0, NULL, &error), PUNA_INVALID_ARGUMENT, "metadata is NULL");
    REFUSED(puna_file_tensor(file, 0, NULL, &error), PUNA_INVALID_ARGUMENT, "tensor is NULL");
    REFUSED(puna_file_find(file, NULL, &number, &error), PUNA_INVALID_ARGUMENT, "key is NULL");
    REFUSED(puna_file_find(file, "k", NULL, &error), PUNA_INVALID_ARGUMENT, "index is NULL");
    REFUSED(puna_file_integer(file, 0, 0, NULL, &error), PUNA_INVALID_ARGUMENT, "value is NULL");
    REFUSED(puna_file_real(file, 0, 0, NULL, &error), PUNA_INVALID_ARGUMENT, "value is NULL");
    REFUSED(puna_file_string(file, 0, 0, NULL, &number, &error), PUNA_INVALID_ARGUMENT, "value is NULL");
    REFUSED(puna_file_string(file, 0, 0, &text, NULL, &error), PUNA_INVALID_ARGUMENT, "value is NULL");
    CHECK_EQUAL(puna_file_find(file, "absent", &number, NULL), PUNA_NOT_FOUND); /* no error wanted */
    puna_file_close(file);
    puna_file_close(NULL);
    CHECK_EQUAL(puna_file_size(NULL) + puna_file_version(NULL), 0);
    CHECK_EQUAL(puna_file_metadata_count(NULL) + puna_file_tensor_count(NULL), 0);
}

/* A caller that was compiled against a shorter struct gets just what it knows. */
static void shorter_structs(void) {
    puna_file *file = open_types();
    NEED(file);
    puna_tensor t;
    memset(&t, 0x55, sizeof t);
    t.size = 16;
    CHECK_EQUAL(puna_file_tensor(file, 0, &t, &error), PUNA_OK);
    CHECK_EQUAL(t.size, 16);
    CHECK_EQUAL(t.type, 0);
    CHECK_TEXT(t.type_name, "F32");
    CHECK_EQUAL(t.dimensions, 0x55555555);
    t.size = 0; /* all of it */
    CHECK_EQUAL(puna_file_tensor(file, 0, &t, &error), PUNA_OK);
    CHECK_EQUAL(t.dimensions, 2);
    puna_file_close(file);
}

static void what_is_no_file(void) {
    puna_file *file;
    REFUSED(puna_file_open("no-such.gguf", &file, &error), PUNA_NOT_FOUND, " ");
    REFUSED(puna_file_open(PUNA_TEST_DATA, &file, &error), PUNA_IO, " ");
    REFUSED(puna_file_open(PUNA_TEST_DATA "/quants/input.f32", &file, &error), PUNA_INVALID_FILE, "not a GGUF file");
    CHECK(strstr(error.subject, "input.f32: magic"));
    CHECK_EQUAL(error.offset, 0);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(counts_and_metadata);
    TEST(tensors);
    TEST(elements);
    TEST(mistakes);
    TEST(null_arguments);
    TEST(shorter_structs);
    TEST(what_is_no_file);
    return testing_end();
}
