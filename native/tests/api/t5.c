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

const t5_recorded t5_searches[T5_SEARCHES] = {
    {"2 1.0 False", 2, 1, PUNA_EARLY_NO}, {"4 1.0 False", 4, 1, PUNA_EARLY_NO}, {"4 0.0 False", 4, 0, PUNA_EARLY_NO},
    {"4 2.0 False", 4, 2, PUNA_EARLY_NO}, {"4 -1.0 False", 4, -1, PUNA_EARLY_NO}, {"4 1.0 True", 4, 1, PUNA_EARLY_YES},
    {"3 0.5 never", 3, 0.5f, PUNA_EARLY_NEVER}, {"5 1.5 never", 5, 1.5f, PUNA_EARLY_NEVER}};

puna_generation t5_search(uint32_t width, float penalty, uint32_t early) {
    puna_generation g;
    puna_generation_default(&g);
    g.max_tokens = T5_NEW;
    g.beams = width;
    g.length_penalty = penalty;
    g.early_stopping = early;
    return g;
}

bool t5_open(bed *b, const char *name, const puna_engine_options *options) {
    char file[96];
    snprintf(file, sizeof file, "../text_to_text/%s.gguf", name);
    return bed_open(b, file, options);
}
