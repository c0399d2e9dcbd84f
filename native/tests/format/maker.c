// SPDX-License-Identifier: Apache-2.0
#include "format/maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/block.h"
#include "testing.h"

static void maker_mark(maker *made, const char *name, size_t width, bool number) {
    maker_field *field = &made->fields[made->field_count++];
    snprintf(field->name, sizeof field->name, "%s", name);
    field->at = made->used;
    field->width = width;
    field->number = number;
}

void maker_put(uint8_t *at, size_t width, uint64_t value) {
    for (size_t i = 0; i < width; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static void maker_number(maker *made, const char *name, size_t width, uint64_t value) {
    maker_mark(made, name, width, true);
    maker_put(made->bytes + made->used, width, value);
    made->used += width;
}

void maker_u32(maker *made, const char *name, uint32_t value) { maker_number(made, name, 4, value); }
void maker_u64(maker *made, const char *name, uint64_t value) { maker_number(made, name, 8, value); }

void maker_text(maker *made, const char *name, const char *text) {
    char length[64];
    snprintf(length, sizeof length, "%s.length", name);
    maker_u64(made, length, strlen(text));
    maker_mark(made, name, strlen(text), false);
    memcpy(made->bytes + made->used, text, strlen(text));
    made->used += strlen(text);
}

void maker_pad(maker *made, size_t alignment) {
    while (made->used % alignment) made->bytes[made->used++] = 0;
}

/* Key and type. Fields: KEY.key.length, KEY.key, KEY.type. */
static void maker_key(maker *made, const char *key, uint32_t type) {
    char name[64];
    snprintf(name, sizeof name, "%s.key", key);
    maker_text(made, name, key);
    snprintf(name, sizeof name, "%s.type", key);
    maker_u32(made, name, type);
}

static void maker_array(maker *made, const char *key, uint32_t type, uint64_t count) {
    char name[64];
    snprintf(name, sizeof name, "%s.element", key);
    maker_u32(made, name, type);
    snprintf(name, sizeof name, "%s.count", key);
    maker_u64(made, name, count);
}

static const struct {
    const char *name;
    uint32_t type;
    size_t width;
    uint64_t bits;
} scalars[] = {
    {"uint8", PUNA_UINT8, 1, 200},
    {"int8", PUNA_INT8, 1, 0x9C},
    {"uint16", PUNA_UINT16, 2, 60000},
    {"int16", PUNA_INT16, 2, 0x8001},
    {"uint32", PUNA_UINT32, 4, 3000000000u},
    {"int32", PUNA_INT32, 4, 0xFFFFFFFEu},
    {"float32", PUNA_FLOAT32, 4, 0x3FC00000u},
    {"bool", PUNA_BOOL, 1, 1},
    {"uint64", PUNA_UINT64, 8, UINT64_MAX - 1},
    {"int64", PUNA_INT64, 8, UINT64_MAX},
    {"float64", PUNA_FLOAT64, 8, 0xBFF8000000000000u},
};
enum { SCALARS = sizeof scalars / sizeof scalars[0] };

static void maker_scalars(maker *made) {
    char name[64];
    for (int i = 0; i < SCALARS; i++) {
        maker_key(made, scalars[i].name, scalars[i].type);
        maker_number(made, scalars[i].name, scalars[i].width, scalars[i].bits);
    }
    for (int i = 0; i < SCALARS; i++) {
        snprintf(name, sizeof name, "%ss", scalars[i].name);
        maker_key(made, name, PUNA_ARRAY);
        maker_array(made, name, scalars[i].type, 2);
        for (int j = 0; j < 2; j++) maker_number(made, name, scalars[i].width, scalars[i].bits - (uint64_t)j);
    }
}

static void maker_texts(maker *made) {
    char text[64];
    maker_key(made, "string", PUNA_STRING);
    maker_text(made, "string", "plain");
    maker_key(made, "strings", PUNA_ARRAY);
    maker_array(made, "strings", PUNA_STRING, 40);
    for (int i = 0; i < 40; i++) {
        snprintf(text, sizeof text, "%.*s", i % 7, "abcdefg");
        maker_text(made, "strings", text);
    }
    maker_key(made, "none", PUNA_ARRAY);
    maker_array(made, "none", PUNA_STRING, 0);
    maker_key(made, "nested", PUNA_ARRAY);
    maker_array(made, "nested", PUNA_ARRAY, 2);
    maker_array(made, "nested.0", PUNA_STRING, 2);
    maker_text(made, "nested.0.0", "in");
    maker_text(made, "nested.0.1", "ner");
    maker_array(made, "nested.1", PUNA_INT16, 1);
    maker_number(made, "nested.1.0", 2, 7);
}

static void maker_tensor(maker *made, const char *name, uint32_t type, uint64_t length, uint64_t rows,
                         uint64_t offset) {
    char field[64];
    snprintf(field, sizeof field, "%s.name", name);
    maker_text(made, field, name);
    snprintf(field, sizeof field, "%s.dimensions", name);
    maker_u32(made, field, rows ? 2 : 1);
    snprintf(field, sizeof field, "%s.shape0", name);
    maker_u64(made, field, length);
    snprintf(field, sizeof field, "%s.shape1", name);
    if (rows) maker_u64(made, field, rows);
    snprintf(field, sizeof field, "%s.type", name);
    maker_u32(made, field, type);
    snprintf(field, sizeof field, "%s.offset", name);
    maker_u64(made, field, offset);
}

void maker_sample(maker *made) {
    memset(made, 0, sizeof *made);
    maker_u32(made, "magic", 0x46554747u);
    maker_u32(made, "version", 3);
    maker_u64(made, "tensors", 4);
    maker_u64(made, "values", 2 * SCALARS + 6);
    maker_key(made, "general.alignment", PUNA_UINT32);
    maker_u32(made, "alignment", 64);
    maker_scalars(made);
    maker_texts(made);
    maker_key(made, "last", PUNA_UINT32);
    maker_u32(made, "last", 5);
    maker_tensor(made, "weights", BLOCK_F32, 4, 3, 0);      /* 48 bytes */
    maker_tensor(made, "packed", BLOCK_Q4_1, 64, 2, 64);    /* 80 */
    maker_tensor(made, "half", BLOCK_F16, 8, 0, 192);       /* 16 */
    maker_tensor(made, "listed", 21, 256, 0, 256);          /* 110: IQ3_S, not decoded */
    maker_pad(made, 64);
    maker_mark(made, "data", 366, false);
    for (int i = 0; i < 366; i++) {
        bool padding = (i >= 48 && i < 64) || (i >= 144 && i < 192) || (i >= 208 && i < 256);
        made->bytes[made->used++] = padding ? 0 : (uint8_t)(i * 7);
    }
}

const maker_field *maker_find(const maker *made, const char *name) {
    for (int i = 0; i < made->field_count; i++)
        if (strcmp(made->fields[i].name, name) == 0) return &made->fields[i];
    printf("FAILED: the sample has no field %s\n", name);
    exit(1);
}

const char *maker_path(void) {
    static char path[64];
    if (!path[0]) snprintf(path, sizeof path, "puna-test-%llu.gguf", (unsigned long long)os_clock_ns());
    return path;
}

bool maker_write(const uint8_t *bytes, size_t count) {
    FILE *file = fopen(maker_path(), "wb");
    if (!file) return false;
    bool written = fwrite(bytes, 1, count, file) == count;
    return fclose(file) == 0 && written;
}

puna_status maker_open(const uint8_t *bytes, size_t count, gguf_file **file, puna_error *error) {
    *file = NULL;
    if (!maker_write(bytes, count)) {
        testing_fail(__FILE__, __LINE__, "can't write %s", maker_path());
        return PUNA_IO;
    }
    return gguf_open(maker_path(), file, error);
}

void maker_remove(void) { remove(maker_path()); }

const uint8_t *maker_data(const gguf_file *file, const gguf_tensor *tensor) {
    static uint8_t bytes[1 << 20];
    puna_error error = PUNA_ERROR_INIT;
    if (tensor->bytes > sizeof bytes
        || gguf_tensor_bytes(file, tensor, 0, bytes, (size_t)tensor->bytes, &error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s: %s", error.subject, error.message);
    return bytes;
}

static uint64_t maker_sum(const void *data, uint64_t length) {
    const uint8_t *bytes = data;
    uint64_t sum = length;
    for (uint64_t i = 0; i < length; i++) sum += bytes[i];
    return sum;
}

uint64_t maker_read_all(const gguf_file *file) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < gguf_value_count(file); i++) {
        const gguf_value *value = gguf_value_at(file, i);
        sum += maker_sum(value->key.data, value->key.length);
        for (uint64_t j = 0; j < value->count; j++) {
            int64_t whole = 0;
            double real = 0;
            gguf_text text = {"", 0};
            gguf_integer(file, value, j, &whole);
            gguf_real(file, value, j, &real);
            gguf_string(file, value, j, &text);
            sum += (uint64_t)whole + (real > 0) + maker_sum(text.data, text.length);
        }
    }
    for (uint64_t i = 0; i < gguf_tensor_count(file); i++) {
        const gguf_tensor *tensor = gguf_tensor_at(file, i);
        sum += maker_sum(tensor->name.data, tensor->name.length);
        sum += maker_sum(maker_data(file, tensor), tensor->bytes);
    }
    return sum;
}
