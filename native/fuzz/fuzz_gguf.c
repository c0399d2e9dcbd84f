// SPDX-License-Identifier: Apache-2.0
/*
 * Whole files: opened, read to the last entry, planned, loaded, and two tokens generated. What is refused names file
 * and field, with an offset inside the file; what is not can be used.
 */
#include <string.h>

#include "fuzz.h"

static volatile uint64_t sink; /* keeps what is read from being left out */

static void add(const char *text, uint64_t length) {
    for (uint64_t i = 0; i < length; i++) sink += (uint8_t)text[i];
}

static void read_all(const puna_file *file) {
    puna_error error = PUNA_ERROR_INIT;
    for (uint64_t i = 0; i < puna_file_metadata_count(file); i++) {
        puna_metadata m = {.size = sizeof m};
        FUZZ_CHECK(puna_file_metadata(file, i, &m, &error) == PUNA_OK);
        add(m.key, m.key_length);
        uint64_t step = m.count / 512 + 1; /* all of short arrays, some of long ones */
        for (uint64_t j = 0; j < m.count; j += step) {
            int64_t whole;
            double real;
            const char *text;
            uint64_t length;
            if (puna_file_integer(file, i, j, &whole, &error) == PUNA_OK) sink += (uint64_t)whole;
            if (puna_file_real(file, i, j, &real, &error) == PUNA_OK) sink += real > 0;
            if (puna_file_string(file, i, j, &text, &length, &error) == PUNA_OK) add(text, length);
        }
    }
    for (uint64_t i = 0; i < puna_file_tensor_count(file); i++) {
        puna_tensor t = {.size = sizeof t};
        FUZZ_CHECK(puna_file_tensor(file, i, &t, &error) == PUNA_OK);
        FUZZ_CHECK(t.offset <= puna_file_size(file) && t.bytes <= puna_file_size(file) - t.offset);
        add(t.name, t.name_length);
    }
}

static void check(puna_status status, const puna_error *error, const char *path, size_t size) {
    fuzz_check_error(status, error);
    FUZZ_CHECK(status == PUNA_OK || status == PUNA_INVALID_FILE || status == PUNA_UNSUPPORTED
               || status == PUNA_OUT_OF_MEMORY || status == PUNA_NOT_FOUND /* another part */);
    if (status != PUNA_INVALID_FILE) return;
    FUZZ_CHECK(strncmp(error->subject, path, strlen(path)) == 0 && error->subject[strlen(path)] == ':');
    FUZZ_CHECK(error->offset <= size || error->offset == PUNA_NO_OFFSET);
}

static puna_engine_options options(void) {
    puna_engine_options o;
    puna_engine_options_default(&o);
    o.context_length = 64;
    o.max_sequences = 1;
    o.threads = 1;
    return o;
}

static void generate(puna_model *m) {
    puna_error error = PUNA_ERROR_INIT;
    puna_engine_options o = options();
    puna_engine *engine = NULL;
    puna_status status = puna_engine_create(m, &o, &engine, &error);
    fuzz_check_error(status, &error);
    if (status != PUNA_OK) return;
    uint64_t sequence;
    int32_t ids[] = {0, 0, 0};
    puna_generation g;
    puna_generation_default(&g);
    g.max_tokens = 2;
    FUZZ_CHECK(puna_sequence_open(engine, &sequence, &error) == PUNA_OK);
    status = puna_sequence_generate(engine, sequence, ids, 3, &g, &error);
    fuzz_check_error(status, &error);
    puna_step step = {.size = sizeof step, .active = status == PUNA_OK};
    for (int n = 0; step.active && n < 16; n++) {
        FUZZ_CHECK(puna_engine_step(engine, &step, &error) == PUNA_OK);
        for (puna_event e = {.size = sizeof e}; puna_engine_next_event(engine, &e);) add(e.text, e.text_length);
    }
    FUZZ_CHECK(step.active == 0);
    puna_engine_close(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(data, size);
    puna_error error = PUNA_ERROR_INIT;
    puna_file *file = NULL;
    puna_status status = puna_file_open(path, &file, &error);
    check(status, &error, path, size);
    if (status != PUNA_OK) return 0;
    read_all(file);
    puna_memory_plan plan = {.size = sizeof plan};
    puna_engine_options o = options();
    puna_status planned = puna_plan(file, &o, &plan, &error);
    check(planned, &error, path, size);
    puna_file_close(file);

    puna_model_options how;
    puna_model_options_default(&how);
    how.threads = 1;
    puna_model *m = NULL;
    status = puna_model_load(path, &how, NULL, &m, &error);
    check(status, &error, path, size);
    if (status == PUNA_OK) generate(m);
    puna_model_close(m);
    while (puna_log_next(&(puna_log_entry){.size = sizeof(puna_log_entry)})) {}
    return 0;
}
