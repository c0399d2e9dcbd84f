// SPDX-License-Identifier: Apache-2.0
/*
 * Any file that is read comes out of a copy byte for byte, however oddly it is laid out: tensors in another order than
 * in the table, gaps, bytes between that aren't zero, any alignment, bytes behind the end.
 */
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

/* The copy's bytes; the caller frees them. `extra`: an entry that the file does not have. */
static uint8_t *copy(const uint8_t *bytes, size_t count, const char *extra, size_t *size) {
    gguf_file *file = NULL;
    gguf_writer *writer = NULL;
    OK(maker_open(bytes, count, &file, &error));
    if (!file) return NULL;
    OK(gguf_writer_create(gguf_version(file), &writer, &error));
    OK(gguf_write_file(writer, file, &error));
    if (extra) OK(gguf_write_u32(writer, extra, 1, &error));
    OK(gguf_writer_save(writer, copy_path(), &error));
    gguf_writer_free(writer);
    gguf_close(file);
    uint8_t *found = testing_read(copy_path(), size);
    remove(copy_path());
    return found;
}

static uint64_t up(uint64_t at, uint64_t alignment) { return (at + alignment - 1) / alignment * alignment; }

static void noise(maker *made, size_t until) {
    while (made->used < until) made->bytes[made->used++] = (uint8_t)testing_below(256);
}

enum { TENSORS = 5 };

/* A file of random entries and tensors; the alignment that it has. */
static uint32_t make_odd(maker *made) {
    static const uint32_t types[] = {BLOCK_F32, BLOCK_F16, BLOCK_Q8_0, BLOCK_Q4_K};
    static const uint32_t lengths[] = {1, 1, 32, 256}, bytes[] = {4, 2, 34, 144};
    uint32_t alignment = 8u << testing_below(7), count = testing_below(TENSORS + 1), order[TENSORS];
    bool says = testing_below(4) > 0;
    uint64_t offsets[TENSORS], at = 0, blocks[TENSORS];
    uint32_t kinds[TENSORS];
    if (!says) alignment = 32;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = testing_below(i + 1);
        order[i] = order[other];
        order[other] = i;
        kinds[i] = testing_below(4);
        blocks[i] = 1 + testing_below(6);
    }
    for (uint32_t i = 0; i < count; i++) { /* in the file's order, which is not the table's */
        at = up(at, alignment) + (testing_below(3) ? 0 : (uint64_t)alignment * testing_below(3));
        offsets[order[i]] = at;
        at += blocks[order[i]] * bytes[kinds[order[i]]];
    }
    *made = (maker){0};
    maker_u32(made, "magic", 0x46554747);
    maker_u32(made, "version", 2 + testing_below(2));
    maker_u64(made, "tensors", count);
    maker_u64(made, "entries", 2u + says);
    maker_text(made, "key", "a.key");
    maker_u32(made, "type", 8);
    maker_text(made, "value", testing_below(2) ? "" : "a value\xFF");
    if (says) {
        maker_text(made, "key2", "general.alignment");
        maker_u32(made, "type2", 4);
        maker_u32(made, "value2", alignment);
    }
    maker_text(made, "key3", "b");
    maker_u32(made, "type3", 9);
    maker_u32(made, "of", 0);
    maker_u64(made, "count", 7);
    noise(made, made->used + 7);
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%u", i);
        maker_text(made, "name", name);
        maker_u32(made, "dimensions", 2);
        maker_u64(made, "extent", lengths[kinds[i]]);
        maker_u64(made, "extent2", blocks[i]);
        maker_u32(made, "kind", types[kinds[i]]);
        maker_u64(made, "offset", offsets[i]);
    }
    uint64_t start = up(made->used, alignment);
    if (count) noise(made, start + at);
    noise(made, made->used + testing_below(3) * testing_below(100)); /* trailing, or the last padding cut */
    return alignment;
}

static void any_layout_is_kept(void) {
    static maker made;
    for (int round = 0; round < 400; round++) {
        size_t size = 0;
        make_odd(&made);
        uint8_t *found = copy(made.bytes, made.used, NULL, &size);
        NEED(found);
        if (size != made.used || memcmp(found, made.bytes, size) != 0)
            testing_fail(__FILE__, __LINE__, "round %d: %zu bytes became %zu, or others", round, made.used, size);
        free(found);
    }
}

static bool same_bytes(const gguf_file *file, const gguf_tensor *a, const gguf_file *other, const gguf_tensor *b) {
    if (a->bytes != b->bytes) return false;
    size_t size = (size_t)a->bytes;
    uint8_t *one = malloc(size + 1), *two = malloc(size + 1);
    bool same = one && two && gguf_tensor_bytes(file, a, 0, one, size, &error) == PUNA_OK &&
                gguf_tensor_bytes(other, b, 0, two, size, &error) == PUNA_OK && memcmp(one, two, size) == 0;
    free(one);
    free(two);
    return same;
}

/* With something beside it the file is laid out anew: the numbers are the same, wherever they lie. */
static void with_something_beside_it_is_laid_out_anew(void) {
    static maker made;
    for (int round = 0; round < 100; round++) {
        size_t size = 0;
        gguf_file *file = NULL, *other = NULL;
        uint32_t alignment = make_odd(&made);
        uint8_t *found = copy(made.bytes, made.used, "extra", &size);
        NEED(found);
        OK(maker_open(found, size, &other, &error));
        NEED(other);
        char path[100];
        snprintf(path, sizeof path, "%s.first", maker_path());
        FILE *out = fopen(path, "wb");
        NEED(out);
        CHECK_EQUAL(fwrite(made.bytes, 1, made.used, out), made.used);
        fclose(out);
        OK(gguf_open(path, &file, &error));
        NEED(file);
        CHECK_EQUAL(gguf_value_count(other), gguf_value_count(file) + 1);
        CHECK_EQUAL(gguf_tensor_count(other), gguf_tensor_count(file));
        for (uint64_t i = 0, end = 0; i < gguf_tensor_count(file); i++) {
            const gguf_tensor *a = gguf_tensor_at(file, i), *b = gguf_tensor_at(other, i);
            CHECK_EQUAL(b->offset % alignment, 0);
            CHECK(b->offset >= end && b->offset < (end ? end : b->offset) + alignment);
            CHECK(same_bytes(file, a, other, b));
            end = b->offset + b->bytes;
        }
        gguf_close(file);
        gguf_close(other);
        remove(path);
        free(found);
    }
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(any_layout_is_kept);
    TEST(with_something_beside_it_is_laid_out_anew);
    maker_remove();
    return testing_end();
}
