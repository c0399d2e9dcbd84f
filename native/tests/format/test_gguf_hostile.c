// SPDX-License-Identifier: Apache-2.0
/* Files that lie. Each is refused with its own sentence, or opens and can be read to the last byte; nothing crashes. */
#include <stdlib.h>

#include "format/block.h"
#include "format/maker.h"
#include "testing.h"

static maker sample;
static volatile uint64_t sink; /* keeps what is read from being left out */

/* Opens; checks that a failure is told in full: status, subject "path: field", a sentence. */
static puna_status try_open(const uint8_t *bytes, size_t count, puna_error *error) {
    *error = (puna_error)PUNA_ERROR_INIT;
    gguf_file *file;
    puna_status status = maker_open(bytes, count, &file, error);
    if (status == PUNA_OK) {
        sink += maker_read_all(file);
        gguf_close(file);
        return status;
    }
    CHECK(file == NULL);
    CHECK_EQUAL(error->status, status);
    CHECK(strncmp(error->subject, maker_path(), strlen(maker_path())) == 0);
    CHECK(strstr(error->subject, ": ") != NULL);
    CHECK(strlen(error->message) > 10);
    CHECK(error->offset <= count);
    return status;
}

static const struct {
    const char *field;
    uint64_t value;
    puna_status status;
    const char *part; /* of the message */
} lies[] = {
    {"magic", 0, PUNA_INVALID_FILE, "not a GGUF file"},
    {"magic", 0x47475546u, PUNA_INVALID_FILE, "backwards"},
    {"magic", 0x67676d6cu, PUNA_INVALID_FILE, "older formats"},
    {"version", 0, PUNA_INVALID_FILE, "version 0"},
    {"version", 1, PUNA_UNSUPPORTED, "version 1"},
    {"version", 4, PUNA_UNSUPPORTED, "version 4"},
    {"version", 0x03000000u, PUNA_UNSUPPORTED, "big-endian"},
    {"tensors", 5, PUNA_INVALID_FILE, "name"},
    {"tensors", 4000, PUNA_INVALID_FILE, "truncated"},
    {"tensors", 1ull << 60, PUNA_INVALID_FILE, "more than a file"},
    {"tensors", UINT64_MAX, PUNA_INVALID_FILE, "more than a file"},
    {"values", 29, PUNA_INVALID_FILE, "truncated"},
    {"values", 1ull << 60, PUNA_INVALID_FILE, "more than a file"},
    {"values", UINT64_MAX, PUNA_INVALID_FILE, "more than a file"},
    {"uint8.key.length", 0, PUNA_INVALID_FILE, "empty"},
    {"uint8.key.length", 1000000, PUNA_INVALID_FILE, "truncated"},
    {"uint8.key.length", 1ull << 63, PUNA_INVALID_FILE, "truncated"},
    {"uint8.key.length", UINT64_MAX, PUNA_INVALID_FILE, "truncated"},
    {"uint8.type", 13, PUNA_INVALID_FILE, "type number 13"},
    {"uint8.type", UINT32_MAX, PUNA_INVALID_FILE, "type number 4294967295"},
    {"bool", 2, PUNA_INVALID_FILE, "boolean is 2"},
    {"bools", 255, PUNA_INVALID_FILE, "boolean is 255"},
    {"string.length", 1000000, PUNA_INVALID_FILE, "truncated"},
    {"string.length", UINT64_MAX - 3, PUNA_INVALID_FILE, "truncated"},
    {"strings.element", 13, PUNA_INVALID_FILE, "type number 13"},
    {"strings.count", 100000, PUNA_INVALID_FILE, "more than a file"},
    {"strings.count", UINT64_MAX / 8 + 2, PUNA_INVALID_FILE, "more than a file"},
    {"uint8s.count", UINT64_MAX, PUNA_INVALID_FILE, "more than a file"},
    {"uint64s.count", 1ull << 61, PUNA_INVALID_FILE, "more than a file"},
    {"uint64s.count", (1ull << 61) + 2, PUNA_INVALID_FILE, "more than a file"},
    {"nested.count", 1ull << 60, PUNA_INVALID_FILE, "more than a file"},
    {"nested.0.count", 1ull << 60, PUNA_INVALID_FILE, "more than a file"},
    {"nested.0.element", 99, PUNA_INVALID_FILE, "type number 99"},
    {"nested.0.0.length", UINT64_MAX, PUNA_INVALID_FILE, "truncated"},
    {"general.alignment.type", PUNA_INT32, PUNA_INVALID_FILE, "uint32 is needed"},
    {"alignment", 0, PUNA_INVALID_FILE, "power of two"},
    {"alignment", 4, PUNA_INVALID_FILE, "power of two"},
    {"alignment", 48, PUNA_INVALID_FILE, "power of two"},
    {"alignment", 1u << 31, PUNA_INVALID_FILE, "not a multiple"},
    {"packed.name.length", 0, PUNA_INVALID_FILE, "empty"},
    {"packed.name.length", 65, PUNA_INVALID_FILE, "too long"},
    {"packed.name.length", UINT64_MAX, PUNA_INVALID_FILE, "truncated"},
    {"packed.dimensions", 0, PUNA_INVALID_FILE, "0 dimensions"},
    {"packed.dimensions", 5, PUNA_INVALID_FILE, "5 dimensions"},
    {"packed.dimensions", UINT32_MAX, PUNA_INVALID_FILE, "dimensions"},
    {"packed.shape0", 0, PUNA_INVALID_FILE, "dimension 0 is 0"},
    {"packed.shape1", 0, PUNA_INVALID_FILE, "dimension 1 is 0"},
    {"packed.shape0", 48, PUNA_INVALID_FILE, "divide"},
    {"packed.shape0", 1ull << 63, PUNA_INVALID_FILE, "overflows"},
    {"packed.shape1", 1ull << 58, PUNA_INVALID_FILE, "overflows"},
    {"packed.shape1", 1ull << 56, PUNA_INVALID_FILE, "truncated"},
    {"listed.shape0", 1ull << 62, PUNA_INVALID_FILE, "truncated"},
    {"weights.shape1", 1ull << 60, PUNA_INVALID_FILE, "size in bytes overflows"},
    {"packed.type", 4, PUNA_UNSUPPORTED, "type number 4 "},
    {"packed.type", 77, PUNA_UNSUPPORTED, "type number 77"},
    {"packed.type", UINT32_MAX, PUNA_UNSUPPORTED, "type number 4294967295"},
    {"packed.type", 12, PUNA_INVALID_FILE, "blocks of 256"},
    {"packed.offset", 65, PUNA_INVALID_FILE, "multiple of the alignment 64"},
    {"packed.offset", 0, PUNA_INVALID_FILE, "inside another"},
    {"listed.offset", 128, PUNA_INVALID_FILE, "inside another"},
    {"listed.offset", 320, PUNA_INVALID_FILE, "truncated: it needs"},
    {"listed.offset", 1ull << 62, PUNA_INVALID_FILE, "truncated: it needs"},
    {"listed.offset", 1ull << 63, PUNA_INVALID_FILE, "overflows"},
    {"listed.offset", UINT64_MAX - 63, PUNA_INVALID_FILE, "overflows"},
};

static void each_field_lies_once(void) {
    maker_sample(&sample);
    puna_error error;
    CHECK_EQUAL(try_open(sample.bytes, sample.used, &error), PUNA_OK);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        static maker lied;
        lied = sample;
        const maker_field *field = maker_find(&lied, lies[i].field);
        maker_put(lied.bytes + field->at, field->width, lies[i].value);
        puna_status status = try_open(lied.bytes, lied.used, &error);
        if (status == lies[i].status && strstr(error.message, lies[i].part)) continue;
        testing_fail(__FILE__, __LINE__, "%s = %" PRIu64 ": status %d, %s: %s", lies[i].field, lies[i].value, status,
                     error.subject, error.message);
    }
}

static void names_are_checked(void) {
    static const struct {
        const char *field, *bytes, *part;
        puna_status status;
    } names[] = {
        {"int8s.key", "\xC3(xxx", "UTF-8", PUNA_INVALID_FILE},
        {"int8s.key", "a\0xxx", "zero byte", PUNA_INVALID_FILE},
        {"int8s.key", "bools", "twice", PUNA_INVALID_FILE},
        {"half.name", "\xFF\xFEqq", "UTF-8", PUNA_INVALID_FILE},
        {"uint8.key", "int16", "twice", PUNA_INVALID_FILE},      {"half.name", "ab\0c", "zero byte", PUNA_INVALID_FILE},
        {"weights.name", "weights", "", PUNA_OK},
    };
    puna_error error;
    maker_sample(&sample);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        static maker lied;
        lied = sample;
        const maker_field *field = maker_find(&lied, names[i].field);
        memcpy(lied.bytes + field->at, names[i].bytes, field->width);
        CHECK_EQUAL(try_open(lied.bytes, lied.used, &error), names[i].status);
        CHECK(strstr(error.message, names[i].part));
    }
    static maker lied;
    lied = sample; /* "packed" and "listed" are equally long */
    memcpy(lied.bytes + maker_find(&lied, "listed.name")->at, "packed", 6);
    CHECK_EQUAL(try_open(lied.bytes, lied.used, &error), PUNA_INVALID_FILE);
    CHECK(strstr(error.message, "two tensors"));
    CHECK(strstr(error.subject, "tensor packed"));
}

/* Every number of the file with every hostile value: whatever opens can be read to the last byte. */
static void any_number_may_be_anything(void) {
    maker_sample(&sample);
    puna_error error;
    int opened = 0, refused = 0;
    for (int i = 0; i < sample.field_count; i++) {
        const maker_field *field = &sample.fields[i];
        if (!field->number) continue;
        const uint8_t *at = sample.bytes + field->at;
        const uint64_t values[] = {0, 1, at[0] + 1u, at[0] - 1u, 31, 255, 65536, 1ull << 31, UINT32_MAX, 1ull << 32,
                                   1ull << 60, 1ull << 61, INT64_MAX, 1ull << 63, UINT64_MAX};
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            static maker lied;
            lied = sample;
            maker_put(lied.bytes + field->at, field->width, values[j]);
            if (try_open(lied.bytes, lied.used, &error) == PUNA_OK) opened++;
            else refused++;
        }
    }
    CHECK(opened > 100 && refused > 100);
}

static void random_bytes_do_no_harm(void) {
    maker_sample(&sample);
    puna_error error;
    size_t header = maker_find(&sample, "data")->at;
    for (int i = 0; i < 3000; i++) {
        static maker lied;
        lied = sample;
        for (uint32_t flips = 1 + testing_below(4); flips > 0; flips--)
            lied.bytes[4 + testing_below((uint32_t)header - 4)] = (uint8_t)testing_random();
        try_open(lied.bytes, lied.used, &error);
    }
}

static void truncated_anywhere(void) {
    maker_sample(&sample);
    puna_error error;
    for (size_t part = 0; part < 64; part++) {
        size_t size = sample.used * part / 64;
        puna_status status = try_open(sample.bytes, size, &error);
        CHECK_EQUAL(status, PUNA_INVALID_FILE);
        CHECK(strstr(error.message, part ? "truncated" : "it is empty") || strstr(error.message, "more than a file"));
    }
    for (size_t size = 0; size < sample.used; size += 1 + testing_below(9))
        CHECK_EQUAL(try_open(sample.bytes, size, &error), PUNA_INVALID_FILE);
    CHECK_EQUAL(try_open(sample.bytes, sample.used - 1, &error), PUNA_INVALID_FILE);
    CHECK_EQUAL(error.needed, sample.used);
    CHECK_EQUAL(error.available, sample.used - 1);
    CHECK(strstr(error.subject, "tensor listed"));
}

static void not_gguf_at_all(void) {
    static const struct {
        const char *bytes;
        size_t count;
        const char *part;
    } files[] = {
        {"", 0, "empty"},
        {"G", 1, "text"},
        {"PK\3\4xxxxxxxxxxx", 15, "ZIP"},
        {"<!DOCTYPE html><html>", 21, "HTML"},
        {"\n  <HTML lang=en>", 17, "HTML"},
        {"version https://git-lfs.github.com/spec/v1\n", 43, "Git LFS"},
        {"{\"error\": \"no\"}", 15, "JSON"},
        {"Dear reader,\nthis is no model.\n", 31, "looks like text"},
        {"\x10\0\0\0\0\0\0\0{\"a\": 1}                  ", 34, "safetensors"},
        {"\x1f\x8b\x08\0\0\0\0\0\0\0", 10, "gzip"},
        {"\x28\xb5\x2f\xfd\0\0\0\0", 8, "zstd"},
        {"\x80\2}q\0.", 6, "pickle"},
        {"\x7f" "ELF\2\1\1\0\0\0\0\0", 12, "first bytes"},
        {"tjgg\1\0\0\0\0\0\0\0", 12, "older formats"},
    };
    puna_error error;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        CHECK_EQUAL(try_open((const uint8_t *)files[i].bytes, files[i].count, &error), PUNA_INVALID_FILE);
        if (!strstr(error.message, files[i].part))
            testing_fail(__FILE__, __LINE__, "%s lacks \"%s\"", error.message, files[i].part);
        CHECK_EQUAL(error.offset, 0);
    }
}

static void missing_and_directory(void) {
    puna_error error = PUNA_ERROR_INIT;
    gguf_file *file = (gguf_file *)&error;
    CHECK_EQUAL(gguf_open("no/such/file.gguf", &file, &error), PUNA_NOT_FOUND);
    CHECK(file == NULL);
    CHECK(strstr(error.subject, "no/such/file.gguf"));
    CHECK_EQUAL(gguf_open(PUNA_TEST_DATA, &file, &error), PUNA_IO);
    CHECK(strlen(error.message) > 10);
    CHECK_EQUAL(gguf_open("no/such/file.gguf", &file, NULL), PUNA_NOT_FOUND);
}

/* Arrays in arrays in arrays: as deep as is read, then one more. */
static void deep_arrays(void) {
    puna_error error;
    for (int depth = 1; depth <= 6; depth++) {
        uint8_t bytes[512];
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, "GGUF", 4);
        maker_put(bytes + 4, 4, 2);
        maker_put(bytes + 16, 8, 1);
        maker_put(bytes + 24, 8, 1);
        bytes[32] = 'k';
        maker_put(bytes + 33, 4, PUNA_ARRAY);
        size_t used = 37;
        for (int i = 1; i <= depth; i++, used += 12) {
            maker_put(bytes + used, 4, i < depth ? PUNA_ARRAY : PUNA_UINT8);
            maker_put(bytes + used + 4, 8, i < depth ? 1 : 3);
        }
        CHECK_EQUAL(try_open(bytes, used + 3, &error), depth <= 4 ? PUNA_OK : PUNA_UNSUPPORTED);
        if (depth > 4) CHECK(strstr(error.message, "nested more than 4"));
    }
}

/* A control character in a key must not reach a terminal through an error; a long key and path are cut. */
static void subjects_are_harmless(void) {
    puna_error error;
    maker_sample(&sample);
    static maker lied;
    lied = sample;
    memcpy(lied.bytes + maker_find(&lied, "bool.key")->at, "\x1b[0m", 4);
    maker_put(lied.bytes + maker_find(&lied, "bool")->at, 1, 7);
    CHECK_EQUAL(try_open(lied.bytes, lied.used, &error), PUNA_INVALID_FILE);
    CHECK(!strchr(error.subject, 0x1b));
    CHECK(strstr(error.subject, "?[0m"));
    char path[600];
    memset(path, 'd', sizeof path);
    memcpy(path + sizeof path - 12, "/model.gguf", 12);
    gguf_file *file;
    CHECK(gguf_open(path, &file, &error) != PUNA_OK);
    CHECK(strlen(error.subject) < sizeof error.subject);
}

static int allowed;

static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return allowed-- > 0;
}

static void each_allocation_fails_once(void) {
    maker_sample(&sample);
    NEED(maker_write(sample.bytes, sample.used));
    for (int n = 0; n < 100; n++) {
        puna_error error = PUNA_ERROR_INIT;
        gguf_file *file;
        allowed = n;
        memory_set_gate(gate, NULL);
        puna_status status = gguf_open(maker_path(), &file, &error);
        memory_set_gate(NULL, NULL);
        if (status == PUNA_OK) {
            CHECK(n >= 5);
            CHECK(gguf_memory(file) > 0);
            sink += maker_read_all(file);
            gguf_close(file);
            return;
        }
        CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
        CHECK(file == NULL);
        CHECK(error.needed > 0);
    }
    CHECK(!"it never opened");
}

/* Counts that only a huge file could hold fail before anything is allocated for them. */
static void hostile_counts_cost_nothing(void) {
    puna_error error;
    maker_sample(&sample);
    static const char *const fields[] = {"tensors", "values", "strings.count", "uint8s.count", "nested.count"};
    uint64_t start = os_clock_ns();
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        static maker lied;
        lied = sample;
        maker_put(lied.bytes + maker_find(&lied, fields[i])->at, 8, 1ull << 60);
        allowed = 40;
        memory_set_gate(gate, NULL); /* a fit of allocations would end it */
        puna_status status = try_open(lied.bytes, lied.used, &error);
        memory_set_gate(NULL, NULL);
        CHECK_EQUAL(status, PUNA_INVALID_FILE);
    }
    CHECK(os_clock_ns() - start < 2000000000u);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(each_field_lies_once);
    TEST(names_are_checked);
    TEST(any_number_may_be_anything);
    TEST(random_bytes_do_no_harm);
    TEST(truncated_anywhere);
    TEST(not_gguf_at_all);
    TEST(missing_and_directory);
    TEST(deep_arrays);
    TEST(subjects_are_harmless);
    TEST(each_allocation_fails_once);
    TEST(hostile_counts_cost_nothing);
    maker_remove();
    return testing_end();
}
