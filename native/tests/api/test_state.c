// SPDX-License-Identifier: Apache-2.0
/* Sequences that are saved and restored go on to the same bits, whatever is saved, where, and how much room there
   is. */
#include <stdlib.h>

#include "api/saving.h"

#define COUNT(array) (sizeof array / sizeof *array)

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STRIDE 3
#else
#define STRIDE 1
#endif

static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};
static const uint32_t types[] = {PUNA_CACHE_F16, PUNA_CACHE_F32, PUNA_CACHE_Q8_0};

static void goes_on_alike(const char *name, uint32_t length, uint32_t type) {
    bed b;
    static bed_result first, expected, got;
    puna_engine_options o = bed_options(2, 512, 2, type), other = bed_options(1, 16, 5, type);
    saved state[COUNT(tiers)] = {{0}};
    for (size_t t = 0; t < COUNT(tiers); t++) { /* the tiers write the same bytes */
        if (!bed_tier(tiers[t])) continue;
        NEED(saving_begin(&b, name, length, &o, &first));
        state[t] = saving_take(&b, first.sequence);
        CHECK(state[t].length == state[0].length && memcmp(state[t].bytes, state[0].bytes, state[0].length) == 0);
        if (t == 0) saving_go_on(&b, first.sequence, &expected);
        bed_close(&b);
    }
    for (size_t t = 0; t < COUNT(tiers); t++) {
        if (!bed_tier(tiers[t])) continue;
        uint64_t id = 0;
        NEED(bed_open(&b, name, &other));
        CHECK_EQUAL(puna_sequence_restore(b.engine, state[0].bytes, state[0].length, &id, &b.error), PUNA_OK);
        saved again = saving_take(&b, id); /* and again what was restored */
        CHECK(again.length == state[0].length && memcmp(again.bytes, state[0].bytes, again.length) == 0);
        saving_go_on(&b, id, &got);
        saving_same(&expected, &got, name);
        CHECK_EQUAL(got.cached_tokens, length + SAVING_FIRST - 1); /* nothing was computed again */
        free(again.bytes);
        bed_close(&b);
    }
    bed_tier(NULL);
    for (size_t t = 0; t < COUNT(tiers); t++) free(state[t].bytes);
}

static void restored_ones_go_on_to_the_same_bits(void) {
    const struct { const char *name; uint32_t length; } of[] = {
        {"llama_q8_0.gguf", 100}, {"gemma3_q8_0.gguf", 300}, {"mistral_q8_0.gguf", 330}, {"qwen3_q4_1.gguf", 40},
        {"llama_wide_q4_1.gguf", 105}, {"gemma3.gguf", 64 + 96 - SAVING_FIRST + 1}, {"qwen2.gguf", 63},
        {"mamba.gguf", 100}, {"mamba2_q8_0.gguf", 128 - SAVING_FIRST + 1}, {"granitehybrid.gguf", 70}};
    for (size_t m = 0; m < COUNT(of); m++)
        for (size_t t = 0; t < COUNT(types); t++)
            if ((m + t) % STRIDE == 0) goes_on_alike(of[m].name, of[m].length, types[t]);
}

static void files_hold_the_same(void) {
    bed b;
    static bed_result first, expected, got;
    const char *path = "test_state.saved";
    puna_engine_options o = bed_options(2, 512, 2, PUNA_CACHE_F16);
    NEED(saving_begin(&b, "gemma3_q8_0.gguf", 200, &o, &first));
    saved state = saving_take(&b, first.sequence);
    CHECK_EQUAL(puna_sequence_save_file(b.engine, first.sequence, path, &b.error), PUNA_OK);
    CHECK_EQUAL(puna_sequence_save_file(b.engine, first.sequence, path, &b.error), PUNA_OK); /* replaces */
    size_t size = 0;
    uint8_t *bytes = testing_read(path, &size);
    CHECK(bytes && size == state.length && memcmp(bytes, state.bytes, size) == 0);
    saving_go_on(&b, first.sequence, &expected);
    bed_close(&b);
    NEED(bed_open(&b, "gemma3_q8_0.gguf", &o));
    uint64_t id = 0;
    CHECK_EQUAL(puna_sequence_restore_file(b.engine, path, &id, &b.error), PUNA_OK);
    saving_go_on(&b, id, &got);
    saving_same(&expected, &got, "from a file");
    CHECK_EQUAL(puna_sequence_save_file(b.engine, id, "nowhere/at/all", &b.error), PUNA_NOT_FOUND);
    CHECK_EQUAL(puna_sequence_restore_file(b.engine, "nowhere/at/all", &id, &b.error), PUNA_NOT_FOUND);
    CHECK_EQUAL(id, 0);
    CHECK_EQUAL(puna_sequence_restore_file(b.engine, ".", &id, &b.error), PUNA_IO);
    CHECK_EQUAL(puna_sequence_restore_file(b.engine, PUNA_TEST_DATA "/tiny/llama.gguf", &id, &b.error),
                PUNA_INVALID_FILE);
    CHECK(strstr(b.error.message, "no saved sequence") && strstr(b.error.subject, "llama.gguf: magic"));
    bed_close(&b);
    remove(path);
    free(bytes);
    free(state.bytes);
}

/* Between two tokens, forked and rewound ones, ones that lost their pages, and one of which nothing is known. */
static void any_sequence_can_be_saved(void) {
    bed b;
    static bed_result first, expected, got, rest;
    int32_t ids[512];
    puna_engine_options o = bed_options(2, 64, 2, PUNA_CACHE_F16);
    puna_generation g = saving_generation(SAVING_FIRST);
    uint64_t id = 0, count = 0, fork = 0;
    puna_step step = {.size = sizeof step};
    NEED(saving_begin(&b, "mistral_q8_0.gguf", 150, &o, &first));
    NEED(puna_sequence_fork(b.engine, first.sequence, 165, &fork, &b.error) == PUNA_OK);
    saved forked = saving_take(&b, fork);
    NEED(puna_sequence_rewind(b.engine, first.sequence, 165, &b.error) == PUNA_OK);
    saved rewound = saving_take(&b, first.sequence);
    CHECK(forked.length == rewound.length && memcmp(forked.bytes, rewound.bytes, forked.length) == 0);
    saving_go_on(&b, fork, &expected);
    NEED(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
    saved bare = saving_take(&b, first.sequence);
    CHECK(bare.length < 1000);
    saved *all[] = {&forked, &bare};
    for (size_t i = 0; i < COUNT(all); i++) {
        NEED(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
        CHECK_EQUAL(puna_sequence_restore(b.engine, all[i]->bytes, all[i]->length, &id, &b.error), PUNA_OK);
        saving_go_on(&b, id, &got);
        CHECK_EQUAL(got.cached_tokens, i == 0 ? 165 : 0);
        saving_same(&expected, &got, i == 0 ? "of a fork" : "without pages");
        NEED(puna_sequence_close(b.engine, id, &b.error) == PUNA_OK);
    }
    saving_fill(ids, 150, 1);
    NEED(bed_start(&b, &rest, ids, 150, &g) == PUNA_OK);
    for (int n = 0; n < 8; n++) NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
    saved running = saving_take(&b, rest.sequence);
    CHECK_EQUAL(puna_sequence_restore(b.engine, running.bytes, running.length, &id, &b.error), PUNA_OK);
    NEED(puna_sequence_tokens(b.engine, id, ids, 512, &count, &b.error) == PUNA_OK);
    CHECK(count > 150 && count < 150 + SAVING_FIRST);
    bed_run(&b, &rest, 1, 200);
    NEED(puna_sequence_rewind(b.engine, rest.sequence, count, &b.error) == PUNA_OK);
    saving_go_on(&b, rest.sequence, &expected);
    saving_go_on(&b, id, &got);
    saving_same(&expected, &got, "saved while it generated");
    NEED(puna_sequence_open(b.engine, &id, &b.error) == PUNA_OK);
    saved nothing = saving_take(&b, id);
    CHECK_EQUAL(puna_sequence_restore(b.engine, nothing.bytes, nothing.length, &id, &b.error), PUNA_OK);
    NEED(puna_sequence_tokens(b.engine, id, ids, 512, &count, &b.error) == PUNA_OK);
    CHECK_EQUAL(count, 0);
    bed_close(&b);
    free(forked.bytes), free(rewound.bytes), free(bare.bytes), free(running.bytes), free(nothing.bytes);
}

/* ---- room ---- */

static bool open_for(bed *b, uint32_t contexts) {
    puna_engine_options o = bed_options(1, 64, 4, PUNA_CACHE_F16);
    puna_engine_info info = {.size = sizeof info};
    o.context_length = 256;
    if (!bed_open(b, "llama_q8_0.gguf", &o)) return false;
    puna_engine_describe(b->engine, &info);
    bed_close(b);
    o.cache_bytes = contexts * 4 * info.page_bytes;
    return bed_open(b, "llama_q8_0.gguf", &o);
}

static void idle_ones_make_room_and_running_ones_keep_theirs(void) {
    bed b;
    static bed_result first, expected, got, idle, running;
    int32_t ids[200];
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    puna_generation one = bed_generation(1), g = bed_generation(40);
    puna_step step = {.size = sizeof step};
    puna_engine_info info = {.size = sizeof info};
    uint64_t id = 0;
    NEED(saving_begin(&b, "llama_q8_0.gguf", 100, &o, &first));
    saved s = saving_take(&b, first.sequence);
    saving_go_on(&b, first.sequence, &expected);
    bed_close(&b);
    NEED(open_for(&b, 1));
    saving_fill(ids, 200, 5);
    NEED(bed_start(&b, &idle, ids, 200, &one) == PUNA_OK);
    bed_run(&b, &idle, 1, 20); /* all four pages */
    CHECK_EQUAL(puna_sequence_restore(b.engine, s.bytes, s.length, &id, &b.error), PUNA_OK);
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.evictions, 1);
    saving_go_on(&b, id, &got);
    saving_same(&expected, &got, "where idle ones made room");
    CHECK_EQUAL(got.cached_tokens, 123);
    NEED(puna_sequence_close(b.engine, id, &b.error) == PUNA_OK);
    NEED(bed_start(&b, &running, ids, 200, &g) == PUNA_OK);
    for (int n = 0; n < 5; n++) NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
    puna_engine_describe(b.engine, &info);
    uint64_t evictions = info.evictions;
    CHECK_EQUAL(puna_sequence_restore(b.engine, s.bytes, s.length, &id, &b.error), PUNA_OK);
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.evictions, evictions); /* it begins without pages, and nobody lost any for nothing */
    puna_log_entry entry = {.size = sizeof entry};
    bool said = false;
    while (puna_log_next(&entry)) said = said || strstr(entry.message, "no room for 123 cached positions");
    CHECK(said);
    bed_run(&b, &running, 1, 100);
    saving_go_on(&b, id, &got);
    CHECK_EQUAL(got.cached_tokens, 0);
    saving_same(&expected, &got, "without room");
    free(s.bytes);
    bed_close(&b);
}

/* longrope: an engine for short contexts turns keys otherwise than one for long ones, and takes none of its states. */
static void states_keep_to_their_frequencies(void) {
    bed brief, lasting;
    bed_result first, again;
    uint64_t id;
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F32);
    NEED(saving_begin(&lasting, "phi3.gguf", 20, &o, &first));
    o.context_length = 64; /* the original one */
    NEED(saving_begin(&brief, "phi3.gguf", 20, &o, &again));
    CHECK(memcmp(first.logprobs, again.logprobs, first.count * sizeof *first.logprobs) != 0);
    saved s = saving_take(&brief, again.sequence);
    CHECK_EQUAL(puna_sequence_restore(brief.engine, s.bytes, s.length, &id, &brief.error), PUNA_OK);
    CHECK_EQUAL(puna_sequence_restore(lasting.engine, s.bytes, s.length, &id, &lasting.error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(lasting.error.message, "context_length") != NULL);
    free(s.bytes);
    bed_close(&brief);
    bed_close(&lasting);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(restored_ones_go_on_to_the_same_bits);
    TEST(files_hold_the_same);
    TEST(any_sequence_can_be_saved);
    TEST(idle_ones_make_room_and_running_ones_keep_theirs);
    TEST(states_keep_to_their_frequencies);
    return testing_end();
}
