// SPDX-License-Identifier: Apache-2.0
/* Whether encoding takes near-linear time. */
#ifndef PUNA_TESTS_GROWTH_H
#define PUNA_TESTS_GROWTH_H

#include "text/tokenizer.h"

/* 32 times the text may not take more than 256 times the time: caches that no longer hold it cost up to 5 times, and
   1,024 times would be quadratic. */
void growth_check(const tokenizer *t, const char *what, const char *text, size_t length);

#endif
