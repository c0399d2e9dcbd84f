// SPDX-License-Identifier: Apache-2.0
#include "api/t5.h"

#include "api/golden.h"

t5_case t5_cases[T5_CASES];

bool t5_read(const char *name) {
    char path[512], which[64];
    golden g;
    size_t count = 0;
    snprintf(path, sizeof path, "%s/text_to_text/%s.golden", PUNA_TEST_DATA, name);
    if (!golden_open(&g, path)) return false;
    for (const char *at = golden_next(&g, NULL, which); at && count < T5_CASES; at = golden_next(&g, at, which)) {
        t5_case *e = &t5_cases[count++];
        e->length = golden_ids(&g, at, "source", e->source, T5_LONGEST);
        e->count = golden_ids(&g, at, "ids", e->ids, T5_ANSWER);
        golden_floats(&g, at, "means", e->means, T5_ANSWER);
        golden_floats(&g, at, "middle", e->middle, T5_VOCABULARY);
        golden_floats(&g, at, "last", e->last, T5_VOCABULARY);
        e->answered = golden_ids(&g, at, "greedy", e->greedy, T5_NEW + 1);
    }
    golden_close(&g);
    CHECK_EQUAL(count, T5_CASES);
    return count == T5_CASES;
}

bool t5_open(bed *b, const char *name, const puna_engine_options *options) {
    char file[96];
    snprintf(file, sizeof file, "../text_to_text/%s.gguf", name);
    return bed_open(b, file, options);
}
