// SPDX-License-Identifier: Apache-2.0
/* Profiles and ceilings: who asks wrongly, and structs of another header. */
#include "api/bed.h"

enum { MOST = 128 };

typedef struct told {
    puna_profile sums;
    puna_profile_row rows[MOST];
    uint64_t count;
} told;

static puna_status read_all(bed *b, told *t) {
    memset(t, 0, sizeof *t);
    t->sums.size = sizeof t->sums;
    t->rows->size = sizeof *t->rows;
    return puna_engine_profile_read(b->engine, &t->sums, t->rows, MOST, &t->count, &b->error);
}

static bool switched(bed *b, uint32_t on) { return puna_engine_profile(b->engine, on, &b->error) == PUNA_OK; }

static void generate(bed *b) {
    static bed_result r;
    const int32_t ids[] = {20, 27, 34};
    puna_generation g = bed_generation(2);
    NEED(bed_start(b, &r, ids, 3, &g) == PUNA_OK);
    bed_run(b, &r, 1, 100);
}

static void mistakes_are_named(void) {
    static told t;
    bed b;
    uint64_t count = 77;
    NEED(bed_open(&b, "llama_q8_0.gguf", NULL));
    CHECK_EQUAL(puna_engine_profile(NULL, PUNA_PROFILE_ON, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_TEXT(b.error.subject, "engine");
    CHECK_EQUAL(puna_engine_profile(b.engine, 2, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_TEXT(b.error.subject, "on");
    CHECK_EQUAL(read_all(&b, &t), PUNA_INVALID_ARGUMENT);
    CHECK_TEXT(b.error.subject, "profile");
    CHECK_EQUAL(puna_engine_profile_read(NULL, NULL, NULL, 0, &count, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(count, 77);
    NEED(switched(&b, PUNA_PROFILE_ON));
    generate(&b);
    CHECK_EQUAL(puna_engine_profile_read(b.engine, NULL, t.rows, MOST, NULL, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_TEXT(b.error.subject, "count");
    CHECK_EQUAL(puna_engine_profile_read(b.engine, NULL, NULL, 3, &count, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_TEXT(b.error.subject, "rows");
    CHECK_EQUAL(puna_engine_profile_read(b.engine, NULL, NULL, 0, &count, &b.error), PUNA_BUFFER_TOO_SMALL);
    NEED(count > 3 && count < MOST);
    CHECK_EQUAL(b.error.needed, count);
    memset(&t, 0xA5, sizeof t);
    t.rows->size = sizeof *t.rows;
    uint64_t needed = 0;
    CHECK_EQUAL(puna_engine_profile_read(b.engine, &t.sums, t.rows, count - 1, &needed, &b.error),
                PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(needed, count);
    CHECK_EQUAL(t.rows->kind, 0xA5A5A5A5); /* nothing was filled */
    CHECK_EQUAL(t.sums.size, 0xA5A5A5A5);
    for (uint32_t size = 1; size < sizeof *t.rows; size += 13) {
        t.rows->size = size;
        CHECK_EQUAL(puna_engine_profile_read(b.engine, NULL, t.rows, MOST, &needed, &b.error), PUNA_INVALID_ARGUMENT);
        CHECK_TEXT(b.error.subject, "rows");
    }
    t.rows->size = 0; /* as in version 1 */
    t.sums.size = 8;
    CHECK_EQUAL(puna_engine_profile_read(b.engine, &t.sums, t.rows, count, &needed, &b.error), PUNA_OK);
    CHECK_EQUAL(t.rows[count - 1].size, sizeof *t.rows);
    CHECK(t.rows[count].kind == 0xA5A5A5A5 && t.sums.elapsed_ns == 0xA5A5A5A5A5A5A5A5); /* no byte beyond */
    CHECK_EQUAL(t.sums.size, 8);
    bed_close(&b);
}

/* Those of a later header are longer. */
static void longer_rows_lie_as_far_apart_as_they_say(void) {
    static uint64_t block[4096];
    const uint32_t apart = sizeof(puna_profile_row) + 24;
    bed b;
    uint64_t count = 0;
    NEED(bed_open(&b, "llama_q8_0.gguf", NULL) && switched(&b, PUNA_PROFILE_ON));
    generate(&b);
    memset(block, 0xA5, sizeof block);
    memcpy(block, &apart, sizeof apart);
    CHECK_EQUAL(puna_engine_profile_read(b.engine, NULL, (puna_profile_row *)block, sizeof block / apart, &count,
                                         &b.error), PUNA_OK);
    CHECK(count > 3);
    for (uint64_t i = 0; i < count; i++) {
        puna_profile_row row;
        uint64_t behind[3];
        memcpy(&row, (const char *)block + i * apart, sizeof row);
        memcpy(behind, (const char *)block + i * apart + sizeof row, sizeof behind);
        CHECK_EQUAL(row.size, sizeof row);
        CHECK(row.calls > 0 && row.name[0]);
        for (int k = 0; k < 3; k++) CHECK(behind[k] == 0xA5A5A5A5A5A5A5A5);
    }
    bed_close(&b);
}

static void ceilings_are_measured(void) {
    puna_error error = PUNA_ERROR_INIT;
    puna_ceilings c = {.size = sizeof c};
    puna_cpu cpu = {.size = sizeof cpu};
    uint64_t before = puna_memory();
    CHECK_EQUAL(puna_ceilings_measure(1, NULL, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_ceilings_measure(257, &c, &error), PUNA_INVALID_ARGUMENT);
    CHECK_TEXT(error.subject, "threads");
    CHECK_EQUAL(c.threads, 0);
    CHECK_EQUAL(puna_ceilings_measure(2, &c, &error), PUNA_OK);
    CHECK_EQUAL(c.threads, 2);
    CHECK(c.reads > 1e7 && c.reads < 1e14 && c.products >= 0 && c.products < 1e16);
    CHECK_EQUAL(puna_cpu_describe(&cpu, &error), PUNA_OK);
    if (strcmp(cpu.tier, "avx512") == 0 || strcmp(cpu.tier, "avx2") == 0) CHECK(c.products > 1e7);
    CHECK_EQUAL(puna_memory(), before);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(mistakes_are_named);
    TEST(longer_rows_lie_as_far_apart_as_they_say);
    TEST(ceilings_are_measured);
    return testing_end();
}
