// SPDX-License-Identifier: Apache-2.0
#include "growth.h"

#include <stdlib.h>
#include <time.h>

#include "testing.h"

static double seconds(const tokenizer *t, const char *text, size_t length, int32_t *ids, size_t capacity) {
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        size_t count;
        clock_t begin = clock();
        CHECK_EQUAL(tokenizer_encode(t, text, length, 0, ids, capacity, &count, NULL), PUNA_OK);
        double taken = (double)(clock() - begin) / CLOCKS_PER_SEC;
        if (taken < best) best = taken;
    }
    return best;
}

void growth_check(const tokenizer *t, const char *what, const char *text, size_t length) {
    size_t capacity = 3 * length + 3; /* a space may take three byte tokens */
    int32_t *ids = malloc(capacity * sizeof *ids);
    NEED(ids);
    double part = seconds(t, text, length / 32, ids, capacity), whole = seconds(t, text, length, ids, capacity);
    if (whole > 256 * part + 0.02) testing_fail(__FILE__, __LINE__, "%s: %.4f s, a 32nd %.4f s", what, whole, part);
    free(ids);
}
