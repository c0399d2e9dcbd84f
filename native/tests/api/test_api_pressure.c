// SPDX-License-Identifier: Apache-2.0
/* More than the cache holds: all end, nobody's tokens change; readers that pause; contexts that shift. */
#include "api/bed.h"

#define MANY 12

static void fill(int32_t *ids, uint32_t count, uint32_t salt) {
    for (uint32_t i = 0; i < count; i++) ids[i] = (int32_t)(5 + (salt * 977 + i * i * 31 + i) % 370);
}

static bool open_for(bed *b, uint32_t contexts) {
    puna_engine_options o = bed_options(2, 64, 8, PUNA_CACHE_F16);
    puna_engine_info info = {.size = sizeof info};
    o.context_length = 256;
    if (!bed_open(b, "llama_q8_0.gguf", &o)) return false;
    puna_engine_describe(b->engine, &info);
    bed_close(b);
    o.cache_bytes = contexts * 4 * info.page_bytes;
    return bed_open(b, "llama_q8_0.gguf", &o);
}

static void alone(bed_result *r, const int32_t *ids, uint32_t count, const puna_generation *g) {
    bed b;
    NEED(open_for(&b, 8));
    NEED(bed_start(&b, r, ids, count, g) == PUNA_OK);
    bed_run(&b, r, 1, 2000);
    bed_close(&b);
}

/* Twelve that need three pages each, eight at a time, in a cache of four pages: they take pages from each other. */
static void all_end_in_a_cache_for_one(void) {
    bed b;
    static bed_result got[MANY], expected;
    int32_t ids[60];
    puna_generation g = bed_generation(100);
    NEED(open_for(&b, 1));
    for (uint32_t i = 0; i < MANY; i++) {
        fill(ids, 60, i);
        NEED(bed_start(&b, &got[i], ids, 60, &g) == PUNA_OK);
    }
    bed_run(&b, got, MANY, 5000);
    for (uint32_t i = 0; i < MANY; i++) {
        fill(ids, 60, i);
        alone(&expected, ids, 60, &g);
        CHECK_EQUAL(got[i].stop, PUNA_STOP_LENGTH);
        CHECK(got[i].count == 100 && memcmp(got[i].tokens, expected.tokens, 100 * sizeof *ids) == 0);
    }
    bed_close(&b);
}

/* Ten that nobody reads and 500 idle chats, in a cache for four: a new prompt answers at once. */
static void unread_ones_and_idle_chats_hold_nobody_up(void) {
    bed b;
    static bed_result unread[10], chat, fresh, expected;
    int32_t ids[60];
    puna_generation g = bed_generation(100), one = bed_generation(1);
    puna_step step = {.size = sizeof step};
    puna_engine_info info = {.size = sizeof info};
    NEED(open_for(&b, 4));
    for (uint32_t i = 0; i < TESTING_THIN(500, 200, 50); i++) {
        fill(ids, 60, i);
        NEED(bed_start(&b, &chat, ids, 60, &one) == PUNA_OK);
        bed_run(&b, &chat, 1, 100);
    }
    for (uint32_t i = 0; i < 10; i++) {
        fill(ids, 60, 1000 + i);
        NEED(bed_start(&b, &unread[i], ids, 60, &g) == PUNA_OK);
    }
    for (int n = 0; n < 30; n++) {
        NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        bed_take(&b, unread, 10);
    }
    for (uint32_t i = 0; i < 10; i++) NEED(puna_sequence_pause(b.engine, unread[i].sequence, &b.error) == PUNA_OK);
    puna_engine_describe(b.engine, &info);
    CHECK(info.paused >= 1 && info.running == 0 && info.waiting == 0);
    fill(ids, 60, 5000);
    NEED(bed_start(&b, &fresh, ids, 60, &g) == PUNA_OK);
    NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
    bed_take(&b, &fresh, 1);
    CHECK_EQUAL(fresh.count, 1);
    bed_run(&b, &fresh, 1, 200);
    CHECK_EQUAL(fresh.count, 100);
    NEED(puna_sequence_cancel(b.engine, unread[9].sequence, &b.error) == PUNA_OK);
    for (uint32_t i = 0; i < 9; i++) NEED(puna_sequence_resume(b.engine, unread[i].sequence, &b.error) == PUNA_OK);
    bed_run(&b, unread, 10, 5000);
    for (uint32_t i = 0; i < 9; i++) {
        fill(ids, 60, 1000 + i);
        alone(&expected, ids, 60, &g);
        CHECK(unread[i].count == 100 && memcmp(unread[i].tokens, expected.tokens, 100 * sizeof *ids) == 0);
    }
    CHECK_EQUAL(unread[9].stop, PUNA_STOP_CANCELLED);
    bed_close(&b);
}

/* A long prompt comes while another one speaks: a token in every step, and no step reads more than a quarter. */
static void long_prompts_stall_nobody(void) {
    bed b;
    static bed_result r[2];
    static int32_t ids[4000];
    puna_engine_options o = bed_options(2, 512, 4, PUNA_CACHE_F16);
    puna_generation g = bed_generation(60);
    puna_step step = {.size = sizeof step};
    o.context_length = 4096;
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    fill(ids, 4000, 3);
    NEED(bed_start(&b, &r[0], ids, 10, &g) == PUNA_OK);
    NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
    bed_take(&b, r, 2);
    NEED(bed_start(&b, &r[1], ids, 4000, &g) == PUNA_OK);
    for (uint32_t n = 2; n <= 33; n++) {
        NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        bed_take(&b, r, 2);
        CHECK_EQUAL(r[0].count, n);
        CHECK(step.prompt_tokens <= 128);
    }
    CHECK_EQUAL(r[1].count, 1);
    bed_close(&b);
}

/* Fairness, in steps. Of requests that take n of them each, s at a time: the k-th to ask (from 0) has its first token
   after (k / s + 1) * n at most, and whoever asked first speaks first and ends first; each that speaks has a token in
   every step. A short prompt does not wait for the end of a long one that asked before it. */
static void who_asks_first_is_served_first(void) {
    enum { ASK = 23, AT_ONCE = 4, TOKENS = 15 };
    bed b;
    static bed_result r[ASK];
    uint32_t first[ASK] = {0}, last[ASK] = {0};
    int32_t ids[20];
    puna_engine_options o = bed_options(2, 64, AT_ONCE, PUNA_CACHE_F16);
    puna_generation g = bed_generation(TOKENS);
    puna_step step = {.size = sizeof step, .active = 1};
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    for (uint32_t i = 0; i < ASK; i++) {
        fill(ids, 20, i);
        NEED(bed_start(&b, &r[i], ids, 10 + i % 10, &g) == PUNA_OK);
    }
    for (uint32_t n = 1; step.active; n++) {
        NEED(n < 1000 && puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        bed_take(&b, r, ASK);
        for (uint32_t i = 0; i < ASK; i++) {
            if (!first[i] && r[i].count) first[i] = n;
            if (!last[i] && r[i].stop) last[i] = n;
            if (first[i] && !last[i]) CHECK_EQUAL(r[i].count, n - first[i] + 1);
        }
    }
    for (uint32_t i = 0; i < ASK; i++) {
        CHECK(first[i] && first[i] <= (i / AT_ONCE + 1) * TOKENS);
        CHECK(i == 0 || (first[i] >= first[i - 1] && last[i] >= last[i - 1]));
    }
    bed_close(&b);
}

static void short_prompts_pass_long_ones(void) {
    bed b;
    static bed_result r[2];
    static int32_t ids[4000];
    puna_engine_options o = bed_options(2, 512, 4, PUNA_CACHE_F16);
    puna_generation g = bed_generation(5);
    o.context_length = 4096;
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    fill(ids, 4000, 3);
    NEED(bed_start(&b, &r[0], ids, 4000, &g) == PUNA_OK);
    NEED(bed_start(&b, &r[1], ids + 7, 100, &g) == PUNA_OK);
    for (uint32_t n = 0; n < 5; n++) {
        NEED(puna_engine_step(b.engine, &(puna_step){.size = sizeof(puna_step)}, &b.error) == PUNA_OK);
        bed_take(&b, r, 2);
        CHECK_EQUAL(r[1].count, n + 1);
    }
    CHECK(r[1].stop == PUNA_STOP_LENGTH && r[0].count == 0);
    bed_close(&b);
}

/* Pages that a sliding window has passed are freed while a generation goes on: what a sequence holds, and what the
   engine is accounted with, does not grow with its length but by its ids. */
static void passed_windows_are_freed(void) {
    enum { WINDOW = 96, SLICE = 64, PROMPT = 300, TOKENS = 1500, MOST = (WINDOW + SLICE) / 64 + 2 };
    bed b;
    static bed_result r;
    int32_t ids[PROMPT];
    puna_engine_options o = bed_options(1, SLICE, 1, PUNA_CACHE_F16);
    puna_engine_info info = {.size = sizeof info};
    puna_generation g = bed_generation(TOKENS);
    puna_step step = {.size = sizeof step, .active = 1};
    uint64_t early = 0, most = 0, memory = 0;
    o.context_length = 2048;
    NEED(bed_open(&b, "mistral.gguf", &o));
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.pages_total, MOST); /* so much does one context need, not 32 */
    fill(ids, PROMPT, 1);
    NEED(bed_start(&b, &r, ids, PROMPT, &g) == PUNA_OK);
    for (uint32_t n = 0; step.active; n++) {
        NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        bed_take(&b, &r, 1);
        puna_engine_describe(b.engine, &info);
        if (info.pages_used > most) most = info.pages_used;
        if (info.memory_bytes > memory) memory = info.memory_bytes;
        if (n == 50) early = memory;
    }
    CHECK_EQUAL(r.stop, PUNA_STOP_LENGTH);
    CHECK(most >= 2 && most <= MOST);
    CHECK(memory - early < 64 * 1024); /* ids, a list of pages, and what the index knows; a page has that much alone */
    CHECK(info.page_bytes > 16 * 1024);
    bed_close(&b);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o)); /* without a window it holds all */
    NEED(bed_start(&b, &r, ids, PROMPT, &g) == PUNA_OK);
    for (uint32_t n = 0; n < 1000; n++) NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
    puna_engine_describe(b.engine, &info);
    CHECK(info.pages_used >= 1300 / 64);
    bed_close(&b);
}

/* What follows a shift is what a new sequence says after the tokens that stayed. */
static void a_full_context_shifts(void) {
    bed b;
    static bed_result r, again;
    int32_t ids[256];
    uint64_t count = 0;
    puna_generation g = bed_generation(120);
    NEED(open_for(&b, 4));
    fill(ids, 200, 9);
    g.flags |= PUNA_GENERATE_SHIFT;
    g.keep = 10;
    NEED(bed_start(&b, &r, ids, 200, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 500);
    CHECK_EQUAL(r.stop, PUNA_STOP_LENGTH);
    CHECK_EQUAL(r.count, 120);
    NEED(puna_sequence_tokens(b.engine, r.sequence, ids, 256, &count, &b.error) == PUNA_OK);
    CHECK_EQUAL(count, 256 - 123 + 64);
    g = bed_generation(64);
    NEED(bed_start(&b, &again, ids, count - 64, &g) == PUNA_OK);
    bed_run(&b, &again, 1, 500);
    CHECK(memcmp(again.tokens, r.tokens + 56, 64 * sizeof *ids) == 0);
    bed_close(&b);
}

static uint64_t accounted(const bed *b) {
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(b->engine, &info);
    return info.memory_bytes;
}

/* What one context needs. */
static uint64_t one_context(const char *name, puna_engine_options o) {
    char path[512];
    puna_file *file;
    puna_error error = PUNA_ERROR_INIT;
    puna_memory_plan plan = {.size = sizeof plan};
    snprintf(path, sizeof path, "%s/tiny/%s", PUNA_TEST_DATA, name);
    o.max_sequences = 1;
    if (puna_file_open(path, &file, &error) != PUNA_OK) return 0;
    CHECK_EQUAL(puna_plan(file, &o, &plan, &error), PUNA_OK);
    puna_file_close(file);
    return plan.cache;
}

/* Twelve, four at a time, in a cache for one, with ids of their own, and close. */
static void crowd(bed *b, uint32_t round) {
    static bed_result r[MANY];
    static int32_t ids[320];
    puna_generation g = bed_generation(200);
    for (uint32_t i = 0; i < MANY; i++) {
        fill(ids, 320, 100 * round + i);
        NEED(bed_start(b, &r[i], ids, 200 + 10 * i, &g) == PUNA_OK);
    }
    bed_run(b, r, MANY, 20000);
    for (uint32_t i = 0; i < MANY; i++) {
        CHECK_EQUAL(r[i].count, 200);
        CHECK_EQUAL(puna_sequence_close(b->engine, r[i].sequence, &b->error), PUNA_OK);
    }
}

/* Nothing that comes and goes leaves anything behind: pages, lists, what the prefix index knows; also where windows
   make holes. An id of before is told apart from the new ones. */
static void memory_comes_back(void) {
    static const char *const names[] = {"llama_q8_0.gguf", "mistral_q8_0.gguf", "gemma3_q8_0.gguf"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n += TESTING_THIN(1, 2, 3)) {
        puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
        uint64_t full = 0, old, id;
        bed b;
        o.context_length = 512;
        o.cache_bytes = one_context(names[n], o);
        NEED(bed_open(&b, names[n], &o));
        uint64_t created = accounted(&b);
        for (uint32_t round = 0; round < TESTING_THIN(6, 3, 3); round++) {
            NEED(puna_sequence_open(b.engine, &old, &b.error) == PUNA_OK);
            crowd(&b, round);
            uint64_t now = accounted(&b);
            if (round == 0) full = now;
            if (now > full + full / 50)
                testing_fail(__FILE__, __LINE__, "%s: %llu bytes after a round, %llu after %u", names[n],
                             (unsigned long long)full, (unsigned long long)now, round + 1);
            NEED(puna_sequence_close(b.engine, old, &b.error) == PUNA_OK);
            if (round % 3 != 2) continue;
            NEED(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
            CHECK_EQUAL(accounted(&b), created);
            NEED(puna_sequence_open(b.engine, &id, &b.error) == PUNA_OK);
            CHECK(id != old);
            CHECK_EQUAL(puna_sequence_close(b.engine, old, &b.error), PUNA_CLOSED);
            CHECK_EQUAL(puna_sequence_close(b.engine, id, &b.error), PUNA_OK);
        }
        bed_close(&b);
    }
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(all_end_in_a_cache_for_one);
    TEST(unread_ones_and_idle_chats_hold_nobody_up);
    TEST(long_prompts_stall_nobody);
    TEST(who_asks_first_is_served_first);
    TEST(short_prompts_pass_long_ones);
    TEST(passed_windows_are_freed);
    TEST(a_full_context_shifts);
    TEST(memory_comes_back);
    return testing_end();
}
