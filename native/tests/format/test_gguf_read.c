// SPDX-License-Identifier: Apache-2.0
/* What is in a file comes out of it: a file made by hand, and one that the PyPI package gguf wrote. */
#include <stdlib.h>

#include "format/block.h"
#include "format/maker.h"
#include "testing.h"

static puna_error error = PUNA_ERROR_INIT;

static gguf_file *open_sample(void) {
    static maker made;
    gguf_file *file;
    maker_sample(&made);
    if (maker_open(made.bytes, made.used, &file, &error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s: %s", error.subject, error.message);
    return file;
}

static int64_t integer(const gguf_file *file, const char *key, uint64_t element) {
    const gguf_value *value = gguf_find(file, key);
    int64_t out = -12345;
    if (!value || !gguf_integer(file, value, element, &out)) testing_fail(__FILE__, __LINE__, "%s is no integer", key);
    return out;
}

static double real(const gguf_file *file, const char *key, uint64_t element) {
    const gguf_value *value = gguf_find(file, key);
    double out = -12345;
    if (!value || !gguf_real(file, value, element, &out)) testing_fail(__FILE__, __LINE__, "%s is no number", key);
    return out;
}

static bool text_is(const gguf_file *file, const char *key, uint64_t element, const char *expected) {
    const gguf_value *value = gguf_find(file, key);
    gguf_text text;
    if (!value || !gguf_string(file, value, element, &text)) return false;
    return text.length == strlen(expected) && memcmp(text.data, expected, text.length) == 0;
}

static void scalars(void) {
    gguf_file *file = open_sample();
    NEED(file);
    CHECK_EQUAL(gguf_version(file), 3);
    CHECK_EQUAL(gguf_alignment(file), 64);
    CHECK_EQUAL(gguf_value_count(file), 28);
    CHECK_EQUAL(integer(file, "uint8", 0), 200);
    CHECK_EQUAL(integer(file, "int8", 0), -100);
    CHECK_EQUAL(integer(file, "uint16", 0), 60000);
    CHECK_EQUAL(integer(file, "int16", 0), -32767);
    CHECK_EQUAL(integer(file, "uint32", 0), 3000000000);
    CHECK_EQUAL(integer(file, "int32", 0), -2);
    CHECK_EQUAL(integer(file, "bool", 0), 1);
    CHECK_EQUAL(integer(file, "uint64", 0), INT64_MAX); /* saturates */
    CHECK_EQUAL(integer(file, "int64", 0), -1);
    CHECK(real(file, "uint64", 0) == 18446744073709551614.0);
    CHECK(real(file, "float32", 0) == 1.5);
    CHECK(real(file, "float64", 0) == -1.5);
    CHECK(real(file, "int16", 0) == -32767);
    CHECK(text_is(file, "string", 0, "plain"));
    gguf_close(file);
}

static void arrays(void) {
    gguf_file *file = open_sample();
    NEED(file);
    CHECK_EQUAL(integer(file, "uint8s", 1), 199);
    CHECK_EQUAL(integer(file, "int8s", 1), -101);
    CHECK_EQUAL(integer(file, "uint16s", 1), 59999);
    CHECK_EQUAL(integer(file, "int16s", 1), -32768);
    CHECK_EQUAL(integer(file, "uint32s", 1), 2999999999);
    CHECK_EQUAL(integer(file, "int32s", 1), -3);
    CHECK_EQUAL(integer(file, "bools", 1), 0);
    CHECK(real(file, "uint64s", 1) == 18446744073709551613.0);
    CHECK_EQUAL(integer(file, "int64s", 1), -2);
    CHECK(real(file, "float32s", 0) == 1.5);
    CHECK(real(file, "float64s", 0) == -1.5);
    const gguf_value *strings = gguf_find(file, "strings");
    NEED(strings);
    CHECK_EQUAL(strings->type, PUNA_ARRAY);
    CHECK_EQUAL(strings->element_type, PUNA_STRING);
    CHECK_EQUAL(strings->count, 40);
    for (int i = 39; i >= 0; i--) {
        char expected[8];
        snprintf(expected, sizeof expected, "%.*s", i % 7, "abcdefg");
        CHECK(text_is(file, "strings", (uint64_t)i, expected));
    }
    CHECK_EQUAL(gguf_find(file, "none")->count, 0);
    gguf_close(file);
}

static void nested_arrays_are_listed(void) {
    gguf_file *file = open_sample();
    NEED(file);
    const gguf_value *nested = gguf_find(file, "nested");
    NEED(nested);
    CHECK_EQUAL(nested->type, PUNA_ARRAY);
    CHECK_EQUAL(nested->element_type, PUNA_ARRAY);
    CHECK_EQUAL(nested->count, 2);
    int64_t whole;
    double number;
    gguf_text text;
    CHECK(!gguf_integer(file, nested, 0, &whole));
    CHECK(!gguf_real(file, nested, 0, &number));
    CHECK(!gguf_string(file, nested, 0, &text));
    CHECK_EQUAL(integer(file, "last", 0), 5); /* what follows it is found */
    gguf_close(file);
}

static void kinds_do_not_mix(void) {
    gguf_file *file = open_sample();
    NEED(file);
    int64_t whole;
    double number;
    gguf_text text;
    CHECK(!gguf_integer(file, gguf_find(file, "float32"), 0, &whole));
    CHECK(!gguf_integer(file, gguf_find(file, "string"), 0, &whole));
    CHECK(!gguf_real(file, gguf_find(file, "bool"), 0, &number));
    CHECK(!gguf_real(file, gguf_find(file, "strings"), 0, &number));
    CHECK(!gguf_string(file, gguf_find(file, "uint8"), 0, &text));
    CHECK(!gguf_string(file, gguf_find(file, "uint8s"), 0, &text));
    CHECK(!gguf_find(file, "absent"));
    CHECK(!gguf_find(file, ""));
    CHECK(!gguf_find_tensor(file, "uint8"));
    gguf_close(file);
}

static void tensors(void) {
    gguf_file *file = open_sample();
    NEED(file);
    CHECK_EQUAL(gguf_tensor_count(file), 4);
    const gguf_tensor *packed = gguf_find_tensor(file, "packed");
    NEED(packed && packed == gguf_tensor_at(file, 1));
    CHECK_EQUAL(packed->type, BLOCK_Q4_1);
    CHECK_EQUAL(packed->dimensions, 2);
    CHECK_EQUAL(packed->shape[0], 64);
    CHECK_EQUAL(packed->shape[1], 2);
    CHECK_EQUAL(packed->shape[2], 1);
    CHECK_EQUAL(packed->shape[3], 1);
    CHECK_EQUAL(packed->bytes, 80);
    const gguf_tensor *weights = gguf_find_tensor(file, "weights");
    NEED(weights);
    CHECK_EQUAL(packed->offset - weights->offset, 64);
    CHECK_EQUAL(maker_data(file, weights)[1], 7);
    CHECK_EQUAL(weights->offset % 64, 0);
    const gguf_tensor *listed = gguf_find_tensor(file, "listed");
    NEED(listed);
    CHECK_EQUAL(listed->bytes, 110);
    CHECK(block_find(listed->type) == NULL);
    CHECK_TEXT(block_type_name(listed->type), "IQ3_S");
    gguf_close(file);
}

#define REFUSED(call, expected_status, part) \
    do { \
        CHECK_EQUAL(call, expected_status); \
        CHECK(strstr(error.message, part)); \
        if (!strstr(error.message, part)) printf("    message: %s\n", error.message); \
    } while (0)

static void typed_getters(void) {
    gguf_file *file = open_sample();
    NEED(file);
    uint32_t u32 = 0;
    float f32 = 0;
    bool truth = false;
    gguf_text text;
    CHECK_EQUAL(gguf_need_u32(file, "uint16", &u32, &error), PUNA_OK);
    CHECK_EQUAL(u32, 60000);
    REFUSED(gguf_need_u32(file, "absent", &u32, &error), PUNA_INVALID_FILE, "lacks");
    CHECK(strstr(error.subject, maker_path()) == error.subject);
    CHECK(strstr(error.subject, ": absent"));
    REFUSED(gguf_need_u32(file, "int32", &u32, &error), PUNA_INVALID_FILE, "-2");
    REFUSED(gguf_need_u32(file, "uint64", &u32, &error), PUNA_INVALID_FILE, "allowed");
    REFUSED(gguf_need_u32(file, "string", &u32, &error), PUNA_INVALID_FILE, "type string");
    REFUSED(gguf_need_u32(file, "uint32s", &u32, &error), PUNA_INVALID_FILE, "array of uint32");
    REFUSED(gguf_need_u32(file, "bool", &u32, &error), PUNA_INVALID_FILE, "type bool");
    CHECK_EQUAL(gguf_get_u32(file, "absent", 9, &u32, &error), PUNA_OK);
    CHECK_EQUAL(u32, 9);
    REFUSED(gguf_get_u32(file, "float32", 9, &u32, &error), PUNA_INVALID_FILE, "float32");
    CHECK_EQUAL(gguf_get_f32(file, "float64", 0, &f32, &error), PUNA_OK);
    CHECK(f32 == -1.5f);
    CHECK_EQUAL(gguf_get_f32(file, "absent", 0.5f, &f32, &error), PUNA_OK);
    CHECK(f32 == 0.5f);
    REFUSED(gguf_get_f32(file, "string", 0, &f32, &error), PUNA_INVALID_FILE, "number");
    CHECK_EQUAL(gguf_get_bool(file, "bool", false, &truth, &error), PUNA_OK);
    CHECK(truth);
    CHECK_EQUAL(gguf_get_bool(file, "absent", false, &truth, &error), PUNA_OK);
    CHECK(!truth);
    REFUSED(gguf_get_bool(file, "uint8", false, &truth, &error), PUNA_INVALID_FILE, "boolean");
    CHECK_EQUAL(gguf_get_text(file, "string", &text, &error), PUNA_OK);
    CHECK_EQUAL(text.length, 5);
    CHECK_EQUAL(gguf_get_text(file, "absent", &text, &error), PUNA_OK);
    CHECK_EQUAL(text.length, 0);
    REFUSED(gguf_get_text(file, "strings", &text, &error), PUNA_INVALID_FILE, "array of string");
    gguf_close(file);
}

static void fingerprints_differ(void) {
    static maker made;
    maker_sample(&made);
    gguf_file *file = open_sample();
    NEED(file);
    uint64_t first = gguf_fingerprint(file);
    gguf_close(file);
    file = open_sample();
    NEED(file);
    CHECK(gguf_fingerprint(file) == first);
    gguf_close(file);
    made.bytes[maker_find(&made, "last")->at] ^= 1; /* metadata */
    CHECK_EQUAL(maker_open(made.bytes, made.used, &file, &error), PUNA_OK);
    CHECK(gguf_fingerprint(file) != first);
    gguf_close(file);
    made.bytes[maker_find(&made, "last")->at] ^= 1;
    CHECK_EQUAL(maker_open(made.bytes, made.used + 1, &file, &error), PUNA_OK); /* size */
    CHECK(gguf_fingerprint(file) != first);
    gguf_close(file);
    made.bytes[maker_find(&made, "data")->at] ^= 1; /* tensors don't count */
    CHECK_EQUAL(maker_open(made.bytes, made.used, &file, &error), PUNA_OK);
    CHECK(gguf_fingerprint(file) == first);
    gguf_close(file);
}

static void written_by_python(void) {
    gguf_file *file;
    CHECK_EQUAL(gguf_open(PUNA_TEST_DATA "/gguf/types.gguf", &file, &error), PUNA_OK);
    NEED(file);
    CHECK_EQUAL(gguf_value_count(file), 27);
    CHECK_EQUAL(integer(file, "one.uint8", 0), 250);
    CHECK_EQUAL(integer(file, "one.int8", 0), -5);
    CHECK_EQUAL(integer(file, "many.uint16", 2), 65000);
    CHECK_EQUAL(integer(file, "many.int16", 1), -300);
    CHECK_EQUAL(integer(file, "many.uint32", 2), 4000000000);
    CHECK_EQUAL(integer(file, "many.int32", 2), -70000);
    CHECK(real(file, "many.float32", 2) == 0.15625);
    CHECK_EQUAL(integer(file, "many.bool", 2), 1);
    CHECK(text_is(file, "one.string", 0, "Grüße, 世界"));
    CHECK(text_is(file, "many.string", 2, "Grüße, 世界"));
    CHECK(real(file, "many.uint64", 2) == 18446744073709551614.0);
    CHECK_EQUAL(integer(file, "many.int64", 2), -(1ll << 40));
    CHECK(real(file, "many.float64", 2) == 1e300);
    CHECK(text_is(file, "words", 77, "word 77 xx"));
    CHECK_EQUAL(gguf_find(file, "nested")->count, 3);
    CHECK_EQUAL(gguf_tensor_count(file), 4);
    const gguf_tensor *plain = gguf_find_tensor(file, "plain"), *last = gguf_find_tensor(file, "last");
    NEED(plain && last);
    CHECK_EQUAL(plain->offset, 3104);
    CHECK_EQUAL(plain->shape[0], 5);
    CHECK_EQUAL(plain->shape[1], 3);
    CHECK_EQUAL(last->offset, 3680);
    float numbers[15];
    block_find(plain->type)->decode(maker_data(file, plain), 15, numbers);
    for (int i = 0; i < 15; i++) CHECK(numbers[i] == (float)(i / 5 * 64 + i % 5) / 16 - 6);
    gguf_close(file);
}

/* The tiny models that other tests compute with, by another script and another writer. */
static void tiny_models_open(void) {
    static const char *const names[] = {"llama", "llama_bf16", "llama_biased", "llama_f16", "llama_linear",
                                        "llama_llama3", "llama_q4_0", "llama_q4_1", "llama_q8_0", "llama_wide_q4_1",
                                        "llama_q5_0", "llama_q5_1", "llama_iq4_nl", "llama_mxfp4", "llama_q4_k",
                                        "llama_q5_k", "llama_q6_k", "llama_q3_k", "llama_q2_k", "llama_iq4_xs"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[512];
        gguf_file *file;
        gguf_text architecture;
        uint32_t layers = 0;
        snprintf(path, sizeof path, "%s/tiny/%s.gguf", PUNA_TEST_DATA, names[i]);
        CHECK_EQUAL(gguf_open(path, &file, &error), PUNA_OK);
        NEED(file);
        CHECK_EQUAL(gguf_get_text(file, "general.architecture", &architecture, &error), PUNA_OK);
        CHECK(architecture.length == 5 && memcmp(architecture.data, "llama", 5) == 0);
        CHECK_EQUAL(gguf_need_u32(file, "llama.block_count", &layers, &error), PUNA_OK);
        CHECK(layers > 0 && gguf_tensor_count(file) > 8 * layers);
        for (uint64_t j = 0; j < gguf_tensor_count(file); j++) CHECK(block_find(gguf_tensor_at(file, j)->type));
        gguf_close(file);
    }
}

static void many_keys_are_found_quickly(void) {
    enum { KEYS = 200000 };
    uint8_t *bytes = malloc(24 + KEYS * 40);
    NEED(bytes);
    size_t used = 24;
    memcpy(bytes, "GGUF", 4);
    maker_put(bytes + 4, 4, 3);
    maker_put(bytes + 8, 8, 0);
    maker_put(bytes + 16, 8, KEYS);
    for (int i = 0; i < KEYS; i++) {
        char key[24];
        int length = snprintf(key, sizeof key, "key.%d", i);
        maker_put(bytes + used, 8, (uint64_t)length);
        memcpy(bytes + used + 8, key, (size_t)length);
        used += 8 + (size_t)length;
        maker_put(bytes + used, 4, PUNA_UINT32);
        maker_put(bytes + used + 4, 4, (uint64_t)i);
        used += 8;
    }
    gguf_file *file;
    uint64_t start = os_clock_ns();
    CHECK_EQUAL(maker_open(bytes, used, &file, &error), PUNA_OK);
    free(bytes);
    NEED(file);
    for (int i = 0; i < KEYS; i += 7) {
        char key[24];
        snprintf(key, sizeof key, "key.%d", i);
        CHECK_EQUAL(integer(file, key, 0), i);
    }
    CHECK((os_clock_ns() - start) < 5000000000u);
    CHECK(gguf_memory(file) < KEYS * 160);
    gguf_close(file);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(scalars);
    TEST(arrays);
    TEST(nested_arrays_are_listed);
    TEST(kinds_do_not_mix);
    TEST(tensors);
    TEST(typed_getters);
    TEST(fingerprints_differ);
    TEST(written_by_python);
    TEST(tiny_models_open);
    TEST(many_keys_are_found_quickly);
    maker_remove();
    return testing_end();
}
