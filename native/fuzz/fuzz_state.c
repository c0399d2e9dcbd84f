// SPDX-License-Identifier: Apache-2.0
/*
 * Saved sequences that lie: [how much is cut off: 2 bytes] then edits of a real one [offset: 2 bytes][value: 1 byte],
 * behind which both sums are right again, so that what is read is what was checked by them and nothing else.
 * (CVE-2026-43629: counts in such a state whose product overflows.)
 *
 * What is refused changes nothing; what is not can be gone on with.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/state.h"
#include "format/bytes.h"
#include "fuzz.h"

static puna_engine *driven;
static uint8_t *state, *lie;
static uint64_t state_length;

static void go_on(uint64_t id, uint32_t tokens) {
    puna_error error = PUNA_ERROR_INIT;
    int32_t ids[12] = {1, 5, 6, 7, 8, 9, 10, 11, 5, 6, 7, 8};
    puna_generation g;
    puna_generation_default(&g);
    g.max_tokens = tokens;
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    puna_status status = puna_sequence_generate(driven, id, ids, 12, &g, &error);
    fuzz_check_error(status, &error);
    puna_step step = {.size = sizeof step, .active = status == PUNA_OK};
    for (int n = 0; step.active && n < 32; n++) {
        FUZZ_CHECK(puna_engine_step(driven, &step, &error) == PUNA_OK);
        for (puna_event e = {.size = sizeof e}; puna_engine_next_event(driven, &e);) {}
    }
    FUZZ_CHECK(step.active == 0);
}

/* One model, one engine, one sequence that was saved. */
static void begin(void) {
    puna_model_options how;
    puna_engine_options o;
    puna_model *loaded;
    uint64_t id;
    puna_model_options_default(&how);
    puna_engine_options_default(&o);
    how.threads = o.threads = 1;
    o.context_length = 64;
    o.max_sequences = 1;
    FUZZ_CHECK(puna_model_load(PUNA_TEST_DATA "/tiny/llama_q4_0.gguf", &how, NULL, &loaded, NULL) == PUNA_OK);
    FUZZ_CHECK(puna_engine_create(loaded, &o, &driven, NULL) == PUNA_OK);
    puna_model_close(loaded);
    FUZZ_CHECK(puna_sequence_open(driven, &id, NULL) == PUNA_OK);
    go_on(id, 3);
    FUZZ_CHECK(puna_sequence_save(driven, id, NULL, 0, &state_length, NULL) == PUNA_BUFFER_TOO_SMALL);
    state = malloc(state_length);
    FUZZ_CHECK(state);
    FUZZ_CHECK(puna_sequence_save(driven, id, state, state_length, &state_length, NULL) == PUNA_OK);
    puna_sequence_close(driven, id, NULL);
}

/* As its writer would have summed it. */
static void sum_up(uint8_t *bytes, uint64_t length) {
    if (length < STATE_FRONT + STATE_SUM) return;
    uint64_t front = bytes_u32(bytes + 12);
    if (front + STATE_SUM <= length - STATE_SUM) {
        state_sum sum = {0};
        state_sum_add(&sum, bytes, front);
        bytes_put_u64(bytes + front, state_sum_end(&sum));
    }
    state_sum all = {0};
    state_sum_add(&all, bytes, length - STATE_SUM);
    bytes_put_u64(bytes + length - STATE_SUM, state_sum_end(&all));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = {data, size};
    if (!driven) begin();
    uint64_t cut = fuzz_u16(&in), length = cut < state_length ? state_length - cut : 0;
    lie = malloc(length ? length : 1); /* of this size, so that a sanitizer sees a step behind it */
    FUZZ_CHECK(lie);
    memcpy(lie, state, length);
    while (in.left && length) {
        uint64_t at = fuzz_u16(&in) % length;
        lie[at] = fuzz_byte(&in);
    }
    sum_up(lie, length);
    puna_engine_info before = {.size = sizeof before}, after = {.size = sizeof after};
    puna_engine_describe(driven, &before);
    puna_error error = PUNA_ERROR_INIT;
    uint64_t id = 0;
    puna_status status = puna_sequence_restore(driven, lie, length, &id, &error);
    fuzz_check_error(status, &error);
    free(lie);
    if (status == PUNA_OK) {
        go_on(id, 2);
        FUZZ_CHECK(puna_sequence_close(driven, id, &error) == PUNA_OK);
        FUZZ_CHECK(puna_engine_trim(driven, &error) == PUNA_OK);
    } else {
        FUZZ_CHECK(id == 0);
        puna_engine_describe(driven, &after);
        FUZZ_CHECK(before.sequences == after.sequences && before.pages_used == after.pages_used);
    }
    return 0;
}
