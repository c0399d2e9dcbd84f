// SPDX-License-Identifier: Apache-2.0
/* Every stage that does not draw, and chains of them, against what llama.cpp's samplers left of the same rows:
   tools/record_samplers.py. */
#include <math.h>
#include <stdlib.h>

#include "api/golden.h"
#include "sample/stage.h"
#include "testing.h"

#define ROW 4000
#define SHOWN 150
#define STAGES 8
#define FIELDS 13

static memory_account account;
static puna_error error = PUNA_ERROR_INIT;

typedef struct expectation {
    char name[64];
    uint32_t row, stage_count, bias_count, accepted_count, count, shown;
    puna_stage stages[STAGES];
    puna_bias biases[8];
    int32_t accepted[64], ids[SHOWN];
    double probabilities[SHOWN];
} expectation;

/* As the recorder says: from -6 to 10, no two equal, each exactly a float. */
static void fill(float *logits, uint32_t count) {
    uint32_t x = count;
    for (uint32_t i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        uint32_t a = x >> 20;
        logits[i] = (float)((double)(a * a >> 12) / 256 - 6 + (double)i / 1048576);
    }
}

static bool read_stage(const golden *g, const char *at, uint32_t number, puna_stage *s) {
    char key[16];
    double v[FIELDS];
    snprintf(key, sizeof key, "stage%u", number);
    if (golden_floats(g, at, key, v, FIELDS) != FIELDS) return false;
    *s = (puna_stage){(uint32_t)v[0], (float)v[1], (int32_t)v[2], (float)v[3], (float)v[4], (float)v[5], (float)v[6],
                      (float)v[7], (float)v[8], (int32_t)v[9], (float)v[10], (float)v[11], (float)v[12]};
    return true;
}

static bool read_case(const golden *g, const char *at, expectation *e) {
    double row = 0, count = 0, biases[16];
    e->stage_count = 0;
    while (e->stage_count < STAGES && read_stage(g, at, e->stage_count, &e->stages[e->stage_count])) e->stage_count++;
    e->bias_count = (uint32_t)golden_floats(g, at, "biases", biases, 16) / 2;
    if (golden_floats(g, at, "row", &row, 1) != 1 || golden_floats(g, at, "count", &count, 1) != 1 || row > ROW ||
        e->bias_count > 8)
        return false;
    for (uint32_t i = 0; i < e->bias_count; i++)
        e->biases[i] = (puna_bias){(int32_t)biases[2 * i], (float)biases[2 * i + 1]};
    e->row = (uint32_t)row;
    e->count = (uint32_t)count;
    e->accepted_count = (uint32_t)golden_ids(g, at, "accepted", e->accepted, 64);
    e->shown = (uint32_t)golden_ids(g, at, "ids", e->ids, SHOWN);
    return e->accepted_count <= 64 && e->shown == (e->count < SHOWN ? e->count : SHOWN) && e->shown > 0 &&
           golden_floats(g, at, "probabilities", e->probabilities, SHOWN) == e->shown;
}

/* What sampler_run does, short of the draw; the steps of a dense set refer to the memories. */
static void apply(candidates *c, const expectation *e, void **memories) {
    const puna_generation g = {.size = sizeof g, .stages = e->stages, .stage_count = e->stage_count};
    sampler_model model = {(int32_t)e->row, 4096, NULL, NULL};
    for (uint32_t i = 0; i < e->stage_count; i++) {
        const stage *kind = stage_find(e->stages[i].kind);
        stage_setting at = {&e->stages[i], &g, e->row, &model};
        NEED(kind && kind->check(&e->stages[i], &error) == PUNA_OK);
        if (kind->memory) NEED(kind->memory->create(&account, &at, &memories[i], &error) == PUNA_OK);
        for (uint32_t k = 0; memories[i] && k < e->accepted_count; k++)
            kind->memory->accept(memories[i], e->accepted[k]);
        stage_moment moment = {memories[i], UINT64_C(1) << 63};
        kind->apply(c, &e->stages[i], &moment);
    }
}

static void compare(candidates *c, const expectation *e) {
    static double weights[ROW];
    double best = (double)candidates_best(c), total = 0;
    uint32_t count = 0;
    for (uint32_t id = 0; id < e->row; id++) {
        float value;
        weights[id] = 0;
        if (!candidates_find(c, id, &value)) continue;
        weights[id] = exp((double)value - best);
        total += weights[id];
        count++;
    }
    /* llama.cpp computes in single precision, a temperature by entropy above all: an error that grows with the distance
       from the best */
    if (count != e->count) testing_fail(__FILE__, __LINE__, "%s: %u tokens are left, not %u", e->name, count, e->count);
    for (uint32_t i = 0; i < e->shown; i++) {
        double found = weights[e->ids[i]] / total, expected = e->probabilities[i];
        if (fabs(found - expected) <= 1e-5 * expected * (1 - log(expected))) continue;
        testing_fail(__FILE__, __LINE__, "%s: token %d has probability %g, not %g", e->name, e->ids[i], found,
                     expected);
        return;
    }
}

static void check(const expectation *e) {
    static float logits[ROW];
    static candidates c;
    void *memories[STAGES] = {0};
    float best = -INFINITY;
    additions *biases = NULL;
    fill(logits, e->row);
    for (uint32_t i = 0; i < e->row; i++) best = fmaxf(best, logits[i]);
    candidates_begin(&c, logits, e->row, best);
    if (e->bias_count) {
        biases = additions_new(&account, e->row, e->bias_count);
        NEED(biases != NULL);
        for (uint32_t i = 0; i < e->bias_count; i++) additions_put(biases, e->biases[i].id, e->biases[i].value);
        additions_close(biases);
        candidates_add_to(&c, biases);
    }
    apply(&c, e, memories);
    compare(&c, e);
    for (uint32_t i = 0; i < e->stage_count; i++)
        if (memories[i]) stage_find(e->stages[i].kind)->memory->free(&account, memories[i]);
    additions_free(&account, biases);
}

static void sets_and_probabilities_are_llama_cpps(void) {
    golden g;
    static expectation e;
    uint32_t cases = 0;
    NEED(golden_open(&g, PUNA_TEST_DATA "/samplers/llama_cpp.golden"));
    for (const char *at = golden_next(&g, NULL, e.name); at; at = golden_next(&g, at, e.name), cases++) {
        if (read_case(&g, at, &e)) check(&e);
        else testing_fail(__FILE__, __LINE__, "case %s can't be read", e.name);
    }
    CHECK(cases > 150);
    CHECK_EQUAL(memory_used(&account), 0);
    golden_close(&g);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    memory_account_init(&account);
    TEST(sets_and_probabilities_are_llama_cpps);
    return testing_end();
}
