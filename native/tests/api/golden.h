// SPDX-License-Identifier: Apache-2.0
/* Golden files: lines of "key: values", sections that begin with "case: NAME" (tests/data/README.md). */
#ifndef PUNA_GOLDEN_H
#define PUNA_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

typedef struct golden {
    char *text;
    size_t size;
} golden;

/* A test fails if the file can't be read; then false. */
int golden_open(golden *g, const char *path);
void golden_close(golden *g);

/* Where the next case after `from` (NULL: the first) begins; NULL: none. `name` receives its name (64 bytes). */
const char *golden_next(const golden *g, const char *from, char *name);

/* The values of a key within a case (NULL: before the first case). Returns their count; at most `capacity` are
   stored. */
size_t golden_floats(const golden *g, const char *at, const char *key, double *values, size_t capacity);
size_t golden_ids(const golden *g, const char *at, const char *key, int32_t *ids, size_t capacity);

#endif
