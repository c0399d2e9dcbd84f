// SPDX-License-Identifier: Apache-2.0
#include "api/saving.h"

#include <stdlib.h>


void saving_fill(int32_t *ids, uint32_t count, uint32_t salt) {
    for (uint32_t i = 0; i < count; i++) ids[i] = (int32_t)(5 + (salt * 977 + i * i * 31 + i) % 370);
}

puna_generation saving_generation(uint32_t tokens) {
    static const puna_stage stages[] = {{.kind = PUNA_SAMPLE_PENALTIES, .window = 64, .repeat = 1.1f},
                                        {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 1.1f}};
    puna_generation g = bed_generation(tokens);
    g.seed = 11;
    g.logprobs = 1;
    g.stages = stages;
    g.stage_count = 2;
    return g;
}

saved saving_take(bed *b, uint64_t id) {
    saved s = {0};
    CHECK_EQUAL(puna_sequence_save(b->engine, id, NULL, 0, &s.length, &b->error), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(b->error.needed, s.length);
    s.bytes = malloc(s.length + 1);
    s.bytes[s.length] = 77;
    CHECK_EQUAL(puna_sequence_save(b->engine, id, s.bytes, s.length, &s.length, &b->error), PUNA_OK);
    CHECK_EQUAL(s.bytes[s.length], 77);
    return s;
}

/* A sequence with `length` tokens of prompt and SAVING_FIRST generated ones. */
bool saving_begin(bed *b, const char *name, uint32_t length, const puna_engine_options *o, bed_result *r) {
    int32_t ids[512];
    puna_generation g = saving_generation(SAVING_FIRST);
    if (!bed_open(b, name, o)) return false;
    saving_fill(ids, length, 1);
    CHECK_EQUAL(bed_start(b, r, ids, length, &g), PUNA_OK);
    bed_run(b, r, 1, 2000);
    return r->stop == PUNA_STOP_LENGTH;
}

/* What the sequence says further, 10 tokens of a user's behind what is there. */
void saving_go_on(bed *b, uint64_t id, bed_result *r) {
    int32_t ids[600];
    uint64_t count = 0;
    puna_generation g = saving_generation(SAVING_SECOND);
    *r = (bed_result){.sequence = id};
    NEED(puna_sequence_tokens(b->engine, id, ids, 600, &count, &b->error) == PUNA_OK);
    saving_fill(ids + count, 10, 3);
    NEED(puna_sequence_generate(b->engine, id, ids, count + 10, &g, &b->error) == PUNA_OK);
    bed_run(b, r, 1, 2000);
}

void saving_same(const bed_result *a, const bed_result *b, const char *what) {
    CHECK_EQUAL(b->count, SAVING_SECOND);
    if (a->count != b->count || memcmp(a->tokens, b->tokens, a->count * sizeof *a->tokens) != 0 ||
        memcmp(a->logprobs, b->logprobs, a->count * sizeof *a->logprobs) != 0)
        testing_fail(__FILE__, __LINE__, "other tokens or log-probabilities: %s", what);
}
