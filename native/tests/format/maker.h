// SPDX-License-Identifier: Apache-2.0
/*
 * A GGUF file made by hand, field by field, independent of the writer. Every field has a name and a place, so that a
 * test can lie about just that one.
 */
#ifndef PUNA_TESTS_MAKER_H
#define PUNA_TESTS_MAKER_H

#include "format/gguf.h"

typedef struct maker_field {
    char name[64];
    size_t at;
    size_t width; /* 1, 2, 4 or 8 for a number; else a text's bytes */
    bool number;
} maker_field;

typedef struct maker {
    uint8_t bytes[1 << 15];
    size_t used;
    maker_field fields[400];
    int field_count;
} maker;

/* A small file with every metadata type, arrays, a nested one, and four tensors: "weights" F32 [4, 3], "packed" Q4_1
   [64, 2], "half" F16 [8], "listed" Q6_K [256], which is named but not decoded. */
void maker_sample(maker *made);

void maker_u32(maker *made, const char *name, uint32_t value);
void maker_u64(maker *made, const char *name, uint64_t value);
void maker_text(maker *made, const char *name, const char *text); /* fields NAME.length and NAME */
void maker_pad(maker *made, size_t alignment);

/* The field of a name; a failed test (and the program's end) where there is none. */
const maker_field *maker_find(const maker *made, const char *name);
void maker_put(uint8_t *at, size_t width, uint64_t value);

/* Writes bytes to a file of this test program and opens it. */
const char *maker_path(void);
bool maker_write(const uint8_t *bytes, size_t count);
puna_status maker_open(const uint8_t *bytes, size_t count, gguf_file **file, puna_error *error);
void maker_remove(void);

/* A tensor's bytes, until the next call (at most 1 MiB); a failed test where they can't be read. */
const uint8_t *maker_data(const gguf_file *file, const gguf_tensor *tensor);

/* Reads every byte that the handle gives access to; returns a sum, so that nothing is left out. */
uint64_t maker_read_all(const gguf_file *file);

#endif
