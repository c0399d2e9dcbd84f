// SPDX-License-Identifier: Apache-2.0
/* Saved sequences that are damaged, forged, foreign or too much: refused in words, and nothing changes. */
#include <stdlib.h>

#include "api/saving.h"
#include "base/memory.h"
#include "engine/state.h"
#include "format/bytes.h"

#define COUNT(array) (sizeof array / sizeof *array)

static uint64_t memory_of(const bed *b) {
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(b->engine, &info);
    return info.memory_bytes;
}

/* Nine tokens: every byte changed, each bit of it in turn; every length. */
static void every_damage_is_noticed(void) {
    bed b;
    static bed_result r;
    int32_t ids[9];
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    puna_generation g = bed_generation(1);
    NEED(bed_open(&b, "llama.gguf", &o));
    saving_fill(ids, 9, 1);
    NEED(bed_start(&b, &r, ids, 9, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 10);
    saved s = saving_take(&b, r.sequence);
    uint64_t before = memory_of(&b), id = 0;
    CHECK(s.length > 2000);
    for (uint64_t i = 0; i < s.length; i++) {
        for (int bit = 0; bit < 8; bit++) {
            s.bytes[i] ^= (uint8_t)(1 << bit);
            b.error = (puna_error)PUNA_ERROR_INIT;
            puna_status status = puna_sequence_restore(b.engine, s.bytes, s.length, &id, &b.error);
            if (status != PUNA_INVALID_FILE && !(status == PUNA_UNSUPPORTED && i >= 8 && i < 12))
                testing_fail(__FILE__, __LINE__, "byte %d, bit %d: %s", (int)i, bit, puna_status_name(status));
            if (!b.error.message[0] || id != 0) testing_fail(__FILE__, __LINE__, "byte %d: no reason", (int)i);
            s.bytes[i] ^= (uint8_t)(1 << bit);
        }
    }
    for (uint64_t length = 0; length < s.length; length++) {
        uint8_t *cut = malloc(length ? length : 1); /* so that sanitizers see a read beyond it */
        memcpy(cut, s.bytes, length);
        CHECK_EQUAL(puna_sequence_restore(b.engine, cut, length, &id, &b.error), PUNA_INVALID_FILE);
        free(cut);
    }
    CHECK_EQUAL(puna_sequence_restore(b.engine, s.bytes, s.length + 1, &id, &b.error), PUNA_INVALID_FILE);
    CHECK_EQUAL(memory_of(&b), before);
    CHECK_EQUAL(puna_sequence_restore(b.engine, s.bytes, s.length, &id, &b.error), PUNA_OK);
    free(s.bytes);
    bed_close(&b);
}

/* As its writer would have summed it. */
static void sum_up(uint8_t *bytes, uint64_t length) {
    uint64_t front = bytes_u32(bytes + 12);
    if (length < STATE_FRONT + STATE_SUM) return;
    if (front + STATE_SUM <= length - STATE_SUM) {
        state_sum sum = {0};
        state_sum_add(&sum, bytes, front);
        bytes_put_u64(bytes + front, state_sum_end(&sum));
    }
    state_sum all = {0};
    state_sum_add(&all, bytes, length - STATE_SUM);
    bytes_put_u64(bytes + length - STATE_SUM, state_sum_end(&all));
}

static void set_u32(saved *s, uint64_t at, uint32_t value) {
    bytes_put_u32(s->bytes + at, value);
    sum_up(s->bytes, s->length);
}

/* Both sums right and a field that lies: an error, or a sequence that the engine can go on with. */
static void lies_are_refused_or_harmless(void) {
    bed b;
    static bed_result first, got;
    static const uint32_t lies[] = {0, 1, 2, 63, 64, 96, 97, 1000, 1u << 16, 1u << 30, 1u << 31, UINT32_MAX - 7,
        UINT32_MAX};
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    NEED(saving_begin(&b, "gemma3_q8_0.gguf", 130, &o, &first));
    saved s = saving_take(&b, first.sequence), lie = {malloc(s.length), s.length};
    uint64_t before = memory_of(&b), id = 0, fields = bytes_u32(s.bytes + 12) + STATE_SUM + 16;
    for (uint64_t at = 8; at < fields; at += 4) {
        for (size_t i = 0; i < COUNT(lies); i++) {
            memcpy(lie.bytes, s.bytes, s.length);
            set_u32(&lie, at, lies[i]);
            if (puna_sequence_restore(b.engine, lie.bytes, lie.length, &id, &b.error) == PUNA_OK) {
                saving_go_on(&b, id, &got);
                CHECK(got.stop != PUNA_STOP_NONE);
                CHECK_EQUAL(puna_sequence_close(b.engine, id, &b.error), PUNA_OK);
            }
        }
    }
    for (int n = 0; n < 3000; n++) { /* several bytes at once, anywhere */
        memcpy(lie.bytes, s.bytes, s.length);
        for (uint32_t k = 1 + testing_below(4); k > 0; k--)
            lie.bytes[8 + testing_below(n % 2 ? (uint32_t)fields : (uint32_t)s.length - 8)] = (uint8_t)testing_random();
        lie.length = n % 5 ? s.length : testing_below((uint32_t)s.length + 1);
        sum_up(lie.bytes, lie.length);
        if (puna_sequence_restore(b.engine, lie.bytes, lie.length, &id, &b.error) != PUNA_OK) continue;
        if (n % 50 == 0) saving_go_on(&b, id, &got);
        CHECK_EQUAL(puna_sequence_close(b.engine, id, &b.error), PUNA_OK);
    }
    NEED(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
    CHECK(memory_of(&b) <= before);
    free(s.bytes);
    free(lie.bytes);
    bed_close(&b);
}

static void refused(bed *b, const saved *s, puna_status status, const char *field, const char *sentence) {
    uint64_t id = 5;
    b->error = (puna_error)PUNA_ERROR_INIT;
    CHECK_EQUAL(puna_sequence_restore(b->engine, s->bytes, s->length, &id, &b->error), status);
    CHECK_EQUAL(id, 0);
    if (!strstr(b->error.subject, field) || !strstr(b->error.message, sentence))
        testing_fail(__FILE__, __LINE__, "\"%s\": %s", b->error.subject, b->error.message);
}

static void what_does_not_fit_is_said(void) {
    bed b;
    static bed_result first;
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16), other = o;
    NEED(saving_begin(&b, "llama_q8_0.gguf", 100, &o, &first));
    saved s = saving_take(&b, first.sequence), lie = {malloc(s.length), s.length};
    memcpy(lie.bytes, s.bytes, s.length);
    set_u32(&lie, 8, 2);
    refused(&b, &lie, PUNA_UNSUPPORTED, ": version", "version 2 of the form; this library reads 1");
    memcpy(lie.bytes, s.bytes, s.length);
    set_u32(&lie, 32, 9);
    refused(&b, &lie, PUNA_UNSUPPORTED, ": arithmetic", "version 9 of the arithmetic contract");
    memcpy(lie.bytes, s.bytes, s.length);
    set_u32(&lie, bytes_u32(s.bytes + 12) + STATE_SUM, 384);
    refused(&b, &lie, PUNA_INVALID_FILE, ": tokens", "beyond the vocabulary");
    bed_close(&b);
    NEED(bed_open(&b, "llama_q4_0.gguf", &o));
    refused(&b, &s, PUNA_INVALID_ARGUMENT, ": model", "saved with another model");
    bed_close(&b);
    other.cache_type = PUNA_CACHE_Q8_0;
    NEED(bed_open(&b, "llama_q8_0.gguf", &other));
    refused(&b, &s, PUNA_INVALID_ARGUMENT, ": cache_type", "are of type F16; this engine's cache is Q8_0");
    bed_close(&b);
    other = o;
    other.context_length = 100 + SAVING_FIRST - 1;
    NEED(bed_open(&b, "llama_q8_0.gguf", &other));
    refused(&b, &s, PUNA_CONTEXT_FULL, ": tokens", "has 124 tokens; the context holds 123");
    CHECK(b.error.needed == 124 && b.error.available == 123);
    bed_close(&b);
    free(s.bytes);
    free(lie.bytes);
}

static void misuse_is_refused(void) {
    bed b;
    uint64_t id = 0, length = 0, other = 7;
    uint8_t byte = 0;
    NEED(bed_open(&b, "llama_q4_0.gguf", NULL));
    NEED(puna_sequence_open(b.engine, &id, &b.error) == PUNA_OK);
    CHECK_EQUAL(puna_sequence_save(NULL, id, &byte, 1, &length, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_sequence_save(b.engine, id, NULL, 1, &length, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_sequence_save(b.engine, id, &byte, 1, NULL, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_sequence_save(b.engine, id + 1, &byte, 1, &length, &b.error), PUNA_CLOSED);
    CHECK_EQUAL(puna_sequence_save_file(b.engine, id + 1, "x", &b.error), PUNA_CLOSED);
    CHECK_EQUAL(puna_sequence_save_file(b.engine, id, NULL, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_sequence_save_file(NULL, id, "x", &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_sequence_restore(NULL, &byte, 1, &other, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_sequence_restore(b.engine, NULL, 1, &other, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_sequence_restore(b.engine, &byte, 1, NULL, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_sequence_restore(b.engine, NULL, 0, &other, &b.error), PUNA_INVALID_FILE);
    CHECK_EQUAL(puna_sequence_restore_file(b.engine, NULL, &other, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_sequence_restore_file(NULL, "x", &other, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_sequence_restore_file(b.engine, "x", NULL, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(other, 0);
    CHECK_EQUAL(puna_engine_trim(b.engine, &b.error), PUNA_OK); /* nobody is left inside */
    bed_close(&b);
}

/* Someone sums a state up anew whose keys are not those of its tokens: that is his own affair. */
static void a_forgery_harms_nobody_else(void) {
    bed b;
    static bed_result first, expected, forged, fresh, forks;
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F32);
    puna_generation g = saving_generation(SAVING_SECOND);
    int32_t ids[512];
    uint64_t id = 0, count = 0, fork = 0;
    NEED(saving_begin(&b, "llama_q8_0.gguf", 200, &o, &first));
    saved s = saving_take(&b, first.sequence);
    saving_go_on(&b, first.sequence, &expected);
    bed_close(&b);
    for (uint64_t at = s.length - 5000; at + 4 < s.length - STATE_SUM; at += 4) s.bytes[at + 3] ^= 0x80; /* values */
    sum_up(s.bytes, s.length);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    NEED(puna_sequence_restore(b.engine, s.bytes, s.length, &id, &b.error) == PUNA_OK);
    NEED(puna_sequence_fork(b.engine, id, PUNA_ALL, &fork, &b.error) == PUNA_OK);
    saving_go_on(&b, id, &forged);
    CHECK(memcmp(forged.logprobs, expected.logprobs, sizeof expected.logprobs) != 0);
    saving_go_on(&b, fork, &forks);
    CHECK(memcmp(forged.tokens, forks.tokens, sizeof forks.tokens) == 0); /* its forks share it */
    NEED(puna_sequence_tokens(b.engine, first.sequence, ids, 512, &count, &b.error) == PUNA_OK);
    NEED(bed_start(&b, &fresh, ids, 200 + SAVING_FIRST + 10, &g) == PUNA_OK);
    bed_run(&b, &fresh, 1, 100);
    CHECK_EQUAL(fresh.cached_tokens, 0);
    saving_same(&expected, &fresh, "after a forged prefix");
    NEED(puna_engine_trim(b.engine, &b.error) == PUNA_OK); /* what was computed anew is everybody's again */
    for (int n = 0; n < 2; n++) {
        fresh = (bed_result){.sequence = n ? 0 : id};
        if (n) NEED(puna_sequence_open(b.engine, &fresh.sequence, &b.error) == PUNA_OK);
        NEED(puna_sequence_generate(b.engine, fresh.sequence, ids, 200 + SAVING_FIRST + 10, &g, &b.error) == PUNA_OK);
        bed_run(&b, &fresh, 1, 100);
        CHECK_EQUAL(fresh.cached_tokens, n ? 192 : 0);
        saving_same(&expected, &fresh, "when the forged pages are gone");
    }
    free(s.bytes);
    bed_close(&b);
}

/* ---- memory that ends ---- */

static int allowed;

static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return allowed-- > 0;
}

static void every_allocation_may_fail(void) {
    bed b;
    static bed_result first, expected, got;
    const char *path = "test_state.fails";
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    NEED(saving_begin(&b, "gemma3_q8_0.gguf", 130, &o, &first));
    saved s = saving_take(&b, first.sequence);
    CHECK_EQUAL(puna_sequence_save_file(b.engine, first.sequence, path, &b.error), PUNA_OK);
    NEED(puna_sequence_fork(b.engine, first.sequence, PUNA_ALL, &expected.sequence, &b.error) == PUNA_OK);
    uint64_t before = memory_of(&b), length = 0, id = 0;
    puna_status status = PUNA_OUT_OF_MEMORY;
    for (int n = 0; status != PUNA_OK && n < 100; n++) {
        allowed = n;
        memory_set_gate(gate, NULL);
        status = puna_sequence_save(b.engine, first.sequence, s.bytes, s.length, &length, &b.error);
        puna_status file = puna_sequence_save_file(b.engine, first.sequence, path, &b.error);
        memory_set_gate(NULL, NULL);
        CHECK(status == PUNA_OK || status == PUNA_OUT_OF_MEMORY);
        CHECK(file == PUNA_OK || file == PUNA_OUT_OF_MEMORY);
        CHECK_EQUAL(memory_of(&b), before);
        size_t size = 0;
        uint8_t *bytes = testing_read(path, &size); /* the old one or the new one, and whole */
        CHECK(bytes && size == s.length && memcmp(bytes, s.bytes, size) == 0);
        free(bytes);
    }
    CHECK_EQUAL(status, PUNA_OK);
    status = PUNA_OUT_OF_MEMORY;
    bool cached = false;
    for (int n = 0; !cached && n < 200; n++) {
        allowed = n;
        memory_set_gate(gate, NULL);
        status = puna_sequence_restore_file(b.engine, path, &id, &b.error);
        memory_set_gate(NULL, NULL);
        CHECK(status == PUNA_OK || status == PUNA_OUT_OF_MEMORY);
        if (status != PUNA_OK) {
            CHECK_EQUAL(id, 0);
            CHECK(memory_of(&b) <= before);
            continue;
        }
        saving_go_on(&b, id, &got);
        cached = got.cached_tokens > 0;
        CHECK_EQUAL(puna_sequence_close(b.engine, id, &b.error), PUNA_OK);
    }
    CHECK(cached);
    saving_go_on(&b, expected.sequence, &expected);
    saving_same(&expected, &got, "after memory had ended");
    remove(path);
    free(s.bytes);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(every_damage_is_noticed);
    TEST(lies_are_refused_or_harmless);
    TEST(what_does_not_fit_is_said);
    TEST(misuse_is_refused);
    TEST(a_forgery_harms_nobody_else);
    TEST(every_allocation_may_fail);
    return testing_end();
}
