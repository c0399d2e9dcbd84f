// SPDX-License-Identifier: Apache-2.0
/*
 * Adapters' files, for models that fit into a few kilobytes: [model][failing allocation][the file].
 *
 * An adapter loads or is refused with file and field; what loads says what it is, and two tokens are generated with it
 * beside a sequence without it, whose tokens are what they are without any. All memory comes back.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

/* The whole models that fuzz_gguf begins with: fused and tied matrices, blocks, windows. */
static const char *const names[] = {"llama", "llama-q4_0", "qwen2-f16", "qwen3-q8_0", "gemma3"};
enum { MODELS = sizeof names / sizeof *names, TOKENS = 2 };

static struct { puna_model *model; int32_t plain[TOKENS]; uint32_t count; } kept[MODELS];

static puna_engine *open_engine(puna_model *m) {
    puna_engine_options o;
    puna_engine *engine = NULL;
    puna_engine_options_default(&o);
    o.context_length = 64;
    o.max_sequences = 2;
    o.threads = 1;
    FUZZ_CHECK(puna_engine_create(m, &o, &engine, NULL) == PUNA_OK);
    return engine;
}

static uint64_t start(puna_engine *engine, const puna_adapter_use *use) {
    static const int32_t ids[] = {1, 2, 3};
    uint64_t sequence;
    puna_generation g;
    puna_error error = PUNA_ERROR_INIT;
    puna_generation_default(&g);
    g.max_tokens = TOKENS;
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    g.adapters = use;
    g.adapter_count = use ? 1 : 0;
    FUZZ_CHECK(puna_sequence_open(engine, &sequence, &error) == PUNA_OK);
    puna_status status = puna_sequence_generate(engine, sequence, ids, 3, &g, &error);
    fuzz_check_error(status, &error);
    FUZZ_CHECK(status == PUNA_OK);
    return sequence;
}

/* Steps to the end; the tokens of one sequence, and how many there are. */
static uint32_t finish(puna_engine *engine, uint64_t sequence, int32_t *tokens) {
    puna_error error = PUNA_ERROR_INIT;
    uint32_t count = 0;
    puna_step step = {.size = sizeof step, .active = 1};
    for (int n = 0; step.active && n < 32; n++) {
        FUZZ_CHECK(puna_engine_step(engine, &step, &error) == PUNA_OK);
        for (puna_event e = {.size = sizeof e}; puna_engine_next_event(engine, &e);)
            if (e.sequence == sequence && e.kind == PUNA_EVENT_TOKEN && count < TOKENS) tokens[count++] = e.token;
    }
    FUZZ_CHECK(step.active == 0);
    return count;
}

static void open_model(uint32_t which) {
    char path[512];
    puna_model_options how;
    puna_model_options_default(&how);
    how.threads = 1;
    snprintf(path, sizeof path, "%s/../../fuzz/corpus/gguf/seed-%s", PUNA_TEST_DATA, names[which]);
    FUZZ_CHECK(puna_model_load(path, &how, NULL, &kept[which].model, NULL) == PUNA_OK);
    puna_engine *engine = open_engine(kept[which].model);
    kept[which].count = finish(engine, start(engine, NULL), kept[which].plain);
    puna_engine_close(engine);
}

static void use(uint32_t which, puna_adapter *a) {
    puna_adapter_info info = {.size = sizeof info};
    puna_adapter_describe(a, &info);
    FUZZ_CHECK(info.rank >= 1 && info.rank <= 4096 && info.tensors >= 1 && info.parameters >= 1);
    puna_engine *engine = open_engine(kept[which].model);
    puna_adapter_use with = {.adapter = a, .weight = 0.5f};
    int32_t tokens[TOKENS];
    start(engine, &with);
    uint64_t without = start(engine, NULL);
    uint32_t count = finish(engine, without, tokens);
    FUZZ_CHECK(count == kept[which].count && memcmp(tokens, kept[which].plain, count * sizeof *tokens) == 0);
    puna_engine_close(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = {data, size};
    uint32_t which = fuzz_byte(&in) % MODELS, fail = fuzz_byte(&in);
    if (!kept[which].model) open_model(which);
    const char *path = fuzz_file(in.at, in.left);
    puna_error error = PUNA_ERROR_INIT;
    puna_adapter *a = NULL;
    uint64_t before = puna_memory();
    fuzz_fail_after(fail < 200 ? 0 : fail - 199);
    puna_status status = puna_adapter_load(kept[which].model, path, NULL, &a, &error);
    fuzz_no_faults();
    fuzz_check_error(status, &error);
    FUZZ_CHECK((status == PUNA_OK) == (a != NULL));
    FUZZ_CHECK(status == PUNA_OK || status == PUNA_INVALID_FILE || status == PUNA_UNSUPPORTED
               || status == PUNA_INVALID_ARGUMENT || status == PUNA_NOT_FOUND /* another part */
               || (status == PUNA_OUT_OF_MEMORY && (fuzz_failed() || error.needed > 0)));
    if (status == PUNA_INVALID_FILE || status == PUNA_INVALID_ARGUMENT)
        FUZZ_CHECK(strncmp(error.subject, path, strlen(path)) == 0 && error.subject[strlen(path)] == ':');
    if (a) use(which, a);
    puna_adapter_close(a);
    while (puna_log_next(&(puna_log_entry){.size = sizeof(puna_log_entry)})) {}
    FUZZ_CHECK(puna_memory() == before);
    return 0;
}
