// SPDX-License-Identifier: Apache-2.0
/* What is written reads back; a file that is copied comes out byte for byte. */
#include <stdlib.h>

#include "format/block.h"
#include "format/gguf_write.h"
#include "format/maker.h"
#include "testing.h"

static puna_error error = PUNA_ERROR_INIT;

#define OK(call) \
    do { \
        puna_status status_ = (call); \
        if (status_ != PUNA_OK) \
            testing_fail(__FILE__, __LINE__, "%s: %d, %s: %s", #call, status_, error.subject, error.message); \
    } while (0)

static const char *copy_path(void) {
    static char path[80];
    snprintf(path, sizeof path, "%s.copy", maker_path());
    return path;
}

static void copies_equal(const char *path) {
    gguf_file *file;
    gguf_writer *writer = NULL;
    OK(gguf_open(path, &file, &error));
    NEED(file);
    OK(gguf_writer_create(gguf_version(file), &writer, &error));
    NEED(writer);
    OK(gguf_write_file(writer, file, &error));
    OK(gguf_writer_save(writer, copy_path(), &error));
    gguf_writer_free(writer);
    gguf_close(file);
    size_t from_size, to_size;
    uint8_t *from = testing_read(path, &from_size), *to = testing_read(copy_path(), &to_size);
    NEED(from && to);
    CHECK_EQUAL(to_size, from_size);
    CHECK(to_size == from_size && memcmp(from, to, from_size) == 0);
    free(from);
    free(to);
    remove(copy_path());
}

static void a_file_from_python_copies(void) { copies_equal(PUNA_TEST_DATA "/gguf/types.gguf"); }

static void a_file_made_by_hand_copies(void) {
    static maker made;
    maker_sample(&made);
    maker_pad(&made, 64); /* the last tensor too */
    NEED(maker_write(made.bytes, made.used));
    copies_equal(maker_path());
    maker_put(made.bytes + maker_find(&made, "version")->at, 4, 2);
    NEED(maker_write(made.bytes, made.used));
    copies_equal(maker_path());
}

static gguf_text text_of(const char *text) { return (gguf_text){text, strlen(text)}; }

static const uint8_t bytes_[] = {1, 255};
static const int8_t chars_[] = {-1, 127};
static const uint16_t shorts_[] = {1, 65535};
static const int32_t ints_[] = {-70000, 70000};
static const uint64_t longs_[] = {1, UINT64_MAX};
static const double doubles_[] = {0.1, -1e300};
static const float weights[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static void fill(gguf_writer *writer) {
    const gguf_text texts[] = {{"", 0}, {"one", 3}, {"Grüße", 7}};
    int16_t negative = -7;
    int64_t large = INT64_MIN;
    OK(gguf_write_text(writer, "general.architecture", text_of("llama"), &error));
    OK(gguf_write_u32(writer, "general.alignment", 16, &error));
    OK(gguf_write_scalar(writer, "negative", PUNA_INT16, &negative, &error));
    OK(gguf_write_scalar(writer, "large", PUNA_INT64, &large, &error));
    OK(gguf_write_f32(writer, "float", 0.25f, &error));
    OK(gguf_write_bool(writer, "bool", true, &error));
    OK(gguf_write_array(writer, "uint8s", PUNA_UINT8, bytes_, 2, &error));
    OK(gguf_write_array(writer, "int8s", PUNA_INT8, chars_, 2, &error));
    OK(gguf_write_array(writer, "uint16s", PUNA_UINT16, shorts_, 2, &error));
    OK(gguf_write_array(writer, "int32s", PUNA_INT32, ints_, 2, &error));
    OK(gguf_write_array(writer, "uint64s", PUNA_UINT64, longs_, 2, &error));
    OK(gguf_write_array(writer, "float64s", PUNA_FLOAT64, doubles_, 2, &error));
    OK(gguf_write_array(writer, "none", PUNA_INT32, NULL, 0, &error));
    OK(gguf_write_texts(writer, "texts", texts, 3, &error));
    OK(gguf_write_tensor(writer, "first", BLOCK_F32, 2, (uint64_t[]){3, 4}, weights, &error));
    OK(gguf_write_tensor(writer, "second", BLOCK_F32, 4, (uint64_t[]){1, 2, 1, 3}, weights + 6, &error));
    OK(gguf_write_tensor(writer, "third", 24, 1, (uint64_t[]){5}, weights, &error));
}

static void written_reads_back(void) {
    gguf_writer *writer;
    gguf_file *file;
    OK(gguf_writer_create(3, &writer, &error));
    NEED(writer);
    fill(writer);
    OK(gguf_writer_save(writer, maker_path(), &error));
    gguf_writer_free(writer);
    OK(gguf_open(maker_path(), &file, &error));
    NEED(file);
    int64_t whole = 0;
    double number = 0;
    gguf_text text;
    CHECK_EQUAL(gguf_alignment(file), 16);
    CHECK_EQUAL(gguf_value_count(file), 14);
    CHECK(gguf_integer(file, gguf_find(file, "negative"), 0, &whole) && whole == -7);
    CHECK(gguf_integer(file, gguf_find(file, "large"), 0, &whole) && whole == INT64_MIN);
    CHECK(gguf_integer(file, gguf_find(file, "bool"), 0, &whole) && whole == 1);
    CHECK(gguf_integer(file, gguf_find(file, "int8s"), 0, &whole) && whole == -1);
    CHECK(gguf_integer(file, gguf_find(file, "uint16s"), 1, &whole) && whole == 65535);
    CHECK(gguf_integer(file, gguf_find(file, "int32s"), 0, &whole) && whole == -70000);
    CHECK(gguf_real(file, gguf_find(file, "float64s"), 1, &number) && number == -1e300);
    CHECK(gguf_real(file, gguf_find(file, "float"), 0, &number) && number == 0.25);
    CHECK(gguf_string(file, gguf_find(file, "texts"), 2, &text) && text.length == 7 &&
          memcmp(text.data, "Grüße", 7) == 0);
    const gguf_tensor *second = gguf_find_tensor(file, "second");
    NEED(second);
    CHECK_EQUAL(second->dimensions, 4);
    CHECK_EQUAL(second->shape[3], 3);
    CHECK_EQUAL(second->bytes, 24);
    CHECK_EQUAL(second->offset % 16, 0);
    CHECK(memcmp(maker_data(file, second), weights + 6, 24) == 0);
    CHECK_EQUAL(gguf_size(file) % 16, 0);
    gguf_close(file);
    copies_equal(maker_path());
}

static void without_tensors(void) {
    gguf_writer *writer;
    gguf_file *file;
    OK(gguf_writer_create(2, &writer, &error));
    NEED(writer);
    OK(gguf_writer_save(writer, maker_path(), &error)); /* nothing at all */
    OK(gguf_open(maker_path(), &file, &error));
    NEED(file);
    CHECK_EQUAL(gguf_version(file), 2);
    CHECK_EQUAL(gguf_value_count(file) + gguf_tensor_count(file), 0);
    CHECK(!gguf_find(file, "x"));
    gguf_close(file);
    OK(gguf_write_bool(writer, "x", false, &error)); /* and again with more */
    OK(gguf_writer_save(writer, maker_path(), &error));
    gguf_writer_free(writer);
    OK(gguf_open(maker_path(), &file, &error));
    NEED(file);
    CHECK_EQUAL(gguf_value_count(file), 1);
    gguf_close(file);
}

#define REFUSED(call, part) \
    do { \
        CHECK_EQUAL(call, PUNA_INVALID_ARGUMENT); \
        if (!strstr(error.message, part)) \
            testing_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", error.message, part); \
    } while (0)

static void mistakes_are_refused(void) {
    gguf_writer *writer;
    uint32_t twelve = 12;
    REFUSED(gguf_writer_create(1, &writer, &error), "version is 1");
    CHECK(writer == NULL);
    OK(gguf_writer_create(3, &writer, &error));
    NEED(writer);
    REFUSED(gguf_write_u32(writer, "", 1, &error), "0 bytes");
    REFUSED(gguf_write_u32(writer, "\xFF", 1, &error), "UTF-8");
    REFUSED(gguf_write_scalar(writer, "k", PUNA_STRING, &twelve, &error), "string");
    REFUSED(gguf_write_array(writer, "k", PUNA_ARRAY, &twelve, 1, &error), "array");
    REFUSED(gguf_write_u32(writer, "general.alignment", 12, &error), "power of two");
    REFUSED(gguf_write_f32(writer, "general.alignment", 12, &error), "float32");
    REFUSED(gguf_write_tensor(writer, "t", 77, 1, (uint64_t[]){1}, weights, &error), "77");
    REFUSED(gguf_write_tensor(writer, "t", BLOCK_F32, 0, NULL, weights, &error), "dimensions is 0");
    REFUSED(gguf_write_tensor(writer, "t", BLOCK_F32, 5, (uint64_t[]){1, 1, 1, 1, 1}, weights, &error),
            "dimensions is 5");
    REFUSED(gguf_write_tensor(writer, "t", BLOCK_F32, 1, (uint64_t[]){0}, weights, &error), "empty");
    REFUSED(gguf_write_tensor(writer, "t", BLOCK_F32, 2, (uint64_t[]){1ull << 40, 1ull << 40}, weights, &error),
            "large");
    REFUSED(gguf_write_tensor(writer, "t", BLOCK_Q8_0, 1, (uint64_t[]){48}, weights, &error), "blocks of 32");
    REFUSED(gguf_write_tensor(writer, "", BLOCK_F32, 1, (uint64_t[]){1}, weights, &error), "tensor name");
    OK(gguf_write_u32(writer, "twice", 1, &error));
    OK(gguf_writer_save(writer, maker_path(), &error));
    OK(gguf_write_u32(writer, "twice", 2, &error));
    REFUSED(gguf_writer_save(writer, maker_path(), &error), "twice was given twice");
    CHECK_EQUAL(gguf_writer_save(writer, "no/such/folder/x.gguf", &error), PUNA_INVALID_ARGUMENT);
    gguf_writer_free(writer);
    OK(gguf_writer_create(3, &writer, &error));
    NEED(writer);
    CHECK(gguf_writer_save(writer, "no/such/folder/x.gguf", &error) != PUNA_OK);
    OK(gguf_write_tensor(writer, "t", BLOCK_F32, 1, (uint64_t[]){1}, weights, &error));
    OK(gguf_write_tensor(writer, "t", BLOCK_F32, 1, (uint64_t[]){1}, weights, &error));
    REFUSED(gguf_writer_save(writer, maker_path(), &error), "t was given twice");
    gguf_writer_free(writer);
}

static int allowed;

static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return allowed-- > 0;
}

static puna_status write_some(void) {
    gguf_writer *writer;
    const gguf_text texts[] = {{"a", 1}, {"b", 1}};
    puna_status status = gguf_writer_create(3, &writer, &error);
    if (status == PUNA_OK) status = gguf_write_u32(writer, "k", 1, &error);
    if (status == PUNA_OK) status = gguf_write_texts(writer, "t", texts, 2, &error);
    if (status == PUNA_OK) status = gguf_write_tensor(writer, "w", BLOCK_F32, 1, (uint64_t[]){4}, weights, &error);
    if (status == PUNA_OK) status = gguf_writer_save(writer, maker_path(), &error);
    gguf_writer_free(writer);
    return status;
}

static void each_allocation_fails_once(void) {
    for (int n = 0; n < 100; n++) {
        allowed = n;
        memory_set_gate(gate, NULL);
        puna_status status = write_some();
        memory_set_gate(NULL, NULL);
        if (status == PUNA_OK) {
            CHECK(n >= 6);
            return;
        }
        CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
    }
    CHECK(!"it was never written");
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(a_file_from_python_copies);
    TEST(a_file_made_by_hand_copies);
    TEST(written_reads_back);
    TEST(without_tensors);
    TEST(mistakes_are_refused);
    TEST(each_allocation_fails_once);
    maker_remove();
    return testing_end();
}
