// SPDX-License-Identifier: Apache-2.0
/* Each allocation failing in turn while an engine with a draft model is profiled, and while the ceilings are measured:
   a status each time, nothing half done, and all memory back. */
#include "base/memory.h"
#include "puna.h"
#include "testing.h"

static uint32_t allowed;
static bool refused;

static bool ration(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    if (allowed-- > 0) return true;
    allowed = 0;
    return !(refused = true);
}

static uint64_t held(const puna_engine *engine) {
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(engine, &info);
    return info.memory_bytes;
}

/* Where it can't be switched on, it is as it was. */
static puna_status switch_on(puna_engine *engine, bool was, puna_error *error) {
    static puna_profile_row rows[128];
    uint64_t count, before = held(engine);
    rows->size = sizeof *rows;
    puna_status status = puna_engine_profile(engine, PUNA_PROFILE_ON, error);
    puna_status read = puna_engine_profile_read(engine, NULL, rows, 128, &count, NULL);
    CHECK_EQUAL(read, status == PUNA_OK || was ? PUNA_OK : PUNA_INVALID_ARGUMENT);
    if (status != PUNA_OK) CHECK_EQUAL(held(engine), before);
    return status;
}

/* A text's vector is made by a runner that joins a profile that is on. */
static puna_status read_text(puna_engine *engine, puna_error *error) {
    static float vectors[4096];
    const int32_t ids[] = {5, 6, 7};
    puna_input input = {ids, NULL, 3};
    return puna_engine_embed(engine, &input, 1, NULL, vectors, 4096, NULL, error);
}

static puna_status be_profiled(puna_error *error) {
    static puna_profile_row rows[128];
    static float logits[4096];
    const int32_t ids[] = {5, 6, 7};
    puna_model *model = NULL;
    puna_engine *engine = NULL;
    puna_model_options how;
    puna_engine_options o;
    uint64_t count = 0;
    puna_model_options_default(&how);
    puna_engine_options_default(&o);
    how.threads = 1;
    o.threads = 2;
    o.speculation = PUNA_SPECULATE_DRAFT;
    puna_status status = puna_model_load(PUNA_TEST_DATA "/tiny/llama_q8_0.gguf", &how, NULL, &model, error);
    o.draft = model;
    if (status == PUNA_OK) status = puna_engine_create(model, &o, &engine, error);
    if (status == PUNA_OK) status = switch_on(engine, false, error);
    if (status == PUNA_OK) status = puna_engine_logits(engine, ids, 3, 2, logits, 4096, NULL, error);
    if (status == PUNA_OK) status = read_text(engine, error);
    if (status == PUNA_OK) status = switch_on(engine, true, error);
    if (status == PUNA_OK) status = puna_engine_profile(engine, PUNA_PROFILE_OFF, error);
    if (status == PUNA_OK) status = switch_on(engine, false, error);
    if (status == PUNA_OK) status = read_text(engine, error);
    rows->size = sizeof *rows;
    if (status == PUNA_OK) status = puna_engine_profile_read(engine, NULL, rows, 128, &count, error);
    if (status == PUNA_OK) CHECK(count > 3);
    puna_engine_close(engine);
    puna_model_close(model);
    return status;
}

static puna_status measure(puna_error *error) {
    puna_ceilings c = {.size = sizeof c};
    puna_status status = puna_ceilings_measure(2, &c, error);
    CHECK(status == PUNA_OK ? c.reads > 0 : c.threads == 0);
    return status;
}

static void each_fails(puna_status (*work)(puna_error *), uint32_t least) {
    uint64_t before = puna_memory();
    uint32_t n = 0;
    for (; n < 5000; n++) {
        puna_error error = PUNA_ERROR_INIT;
        allowed = n;
        refused = false;
        memory_set_gate(ration, NULL);
        puna_status status = work(&error);
        memory_set_gate(NULL, NULL);
        while (puna_log_next(&(puna_log_entry){.size = sizeof(puna_log_entry)})) {}
        CHECK_EQUAL(puna_memory(), before);
        if (!refused) {
            CHECK_EQUAL(status, PUNA_OK);
            break;
        }
        CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
    }
    CHECK(n >= least && n < 5000);
    printf("       %u allocations failed\n", n);
}

static void an_engine_that_is_profiled(void) { each_fails(be_profiled, 50); }
static void ceilings_that_are_measured(void) { each_fails(measure, 3); }

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(an_engine_that_is_profiled);
    TEST(ceilings_that_are_measured);
    return testing_end();
}
