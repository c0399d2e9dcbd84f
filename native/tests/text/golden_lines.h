// SPDX-License-Identifier: Apache-2.0
/* Files of strings, one a line with escapes, as tests/data/README.md says. */
#ifndef PUNA_TESTS_GOLDEN_LINES_H
#define PUNA_TESTS_GOLDEN_LINES_H

#include <stddef.h>

/* A file of tests/data/tokenizer, zero-terminated; the caller frees it. NULL (and a failed test) if it can't be
   read. */
char *lines_read(const char *name);

char *lines_next(char **rest); /* the next line, its end cut off; NULL at the end */
size_t lines_unescape(char *line); /* in place; returns the bytes, which may hold zeros */

#endif
