// SPDX-License-Identifier: Apache-2.0
/* The engine's own parts: what it decides, ids and slots, lists, events whose buffers move. */
#include "base/os.h"
#include "engine/engine.h"
#include "testing.h"

static puna_error error = PUNA_ERROR_INIT;

static puna_engine_options options(void) {
    return (puna_engine_options){.size = sizeof(puna_engine_options), .context_length = 256, .max_sequences = 2,
                                 .max_queue = 4, .threads = 1, .step_tokens = 16, .cache_type = PUNA_CACHE_F16};
}

static bool open_engine(engine **e, const puna_engine_options *o) {
    model *m = NULL;
    puna_status status = model_load(PUNA_TEST_DATA "/tiny/llama_q4_0.gguf", 1, NULL, &m, &error);
    if (status == PUNA_OK) status = engine_create(m, o, e, &error);
    model_release(m);
    if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s", error.message);
    return status == PUNA_OK;
}

/* As many bytes as a hostile file can ask for: they must not wrap around to something that fits. */
static void a_cache_beyond_64_bits_is_refused(void) {
    memory_account account;
    memory_account_init(&account);
    graph g;
    graph_init(&g, &account);
    for (int i = 0; i < 1024; i++) graph_add_cache_layer(&g, 4096, 8192, 8192, 0);
    hyper h = {.context_length = 1u << 30};
    const device *d = device_find("cpu");
    for (uint32_t shift = 1; shift <= 30; shift++) {
        puna_engine_options o = options(), decided;
        o.context_length = 1u << shift;
        o.max_sequences = 1024;
        o.cache_type = shift % 2 ? PUNA_CACHE_F32 : PUNA_CACHE_F16;
        CHECK_EQUAL(engine_decide(&h, &g, d, &o, &decided, &error), PUNA_OUT_OF_MEMORY);
        CHECK(error.needed > error.available && error.available > 0);
        o.cache_bytes = os_memory_total() / 2;
        CHECK_EQUAL(engine_decide(&h, &g, d, &o, &decided, &error), PUNA_OUT_OF_MEMORY);
    }
    graph_free(&g);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void defaults_are_decided(void) {
    engine *e;
    puna_engine_options o = options();
    o.context_length = 0;
    o.threads = 0;
    NEED(open_engine(&e, &o));
    CHECK_EQUAL(e->options.context_length, e->model->hyper.context_length);
    CHECK(e->options.threads >= 1);
    CHECK(e->options.cache_bytes >= cache_bytes_for(e->cache, e->options.context_length));
    engine_close(e);
}

/* A table of positions ends: no sequence may go beyond it. */
static void learned_positions_bound_the_context(void) {
    memory_account account;
    memory_account_init(&account);
    graph g;
    graph_init(&g, &account);
    graph_add_cache_layer(&g, 2, 16, 16, 0);
    g.most_positions = 100;
    hyper h = {.context_length = 1024};
    puna_engine_options o = options(), decided;
    o.context_length = 101;
    CHECK_EQUAL(engine_decide(&h, &g, device_find("cpu"), &o, &decided, &error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "only 100 of them"));
    o.context_length = 100;
    CHECK_EQUAL(engine_decide(&h, &g, device_find("cpu"), &o, &decided, &error), PUNA_OK);
    o.context_length = 0;
    CHECK_EQUAL(engine_decide(&h, &g, device_find("cpu"), &o, &decided, &error), PUNA_OK);
    CHECK_EQUAL(decided.context_length, 100);
    graph_free(&g);
}

/* Ids are never used twice, whatever the order of opening and closing; slots are. */
static void ids_are_never_used_again(void) {
    enum { MOST = 100, MOVES = 5000 };
    engine *e;
    puna_engine_options o = options();
    NEED(open_engine(&e, &o));
    uint64_t live[MOST];
    static uint64_t seen[MOVES];
    uint32_t count = 0, opened = 0;
    for (int n = 0; n < MOVES; n++) {
        if (count < MOST && (count == 0 || testing_below(100) < 52)) {
            NEED(engine_open_sequence(e, &live[count], &error) == PUNA_OK);
            for (uint32_t i = 0; i < opened; i++)
                if (seen[i] == live[count]) testing_fail(__FILE__, __LINE__, "an id came twice");
            seen[opened++] = live[count++];
            continue;
        }
        uint32_t i = testing_below(count);
        sequence *s;
        NEED(engine_find(e, live[i], &s, &error) == PUNA_OK);
        CHECK_EQUAL(s->id, live[i]);
        engine_close_sequence(e, s);
        CHECK_EQUAL(engine_find(e, live[i], &s, &error), PUNA_CLOSED);
        live[i] = live[--count];
    }
    CHECK_EQUAL(e->open, count);
    CHECK_EQUAL(e->bare.count, count);
    CHECK(e->slot_count <= 128);
    sequence *s;
    const uint64_t never[] = {0, UINT64_MAX, 1, 1ull << 32, 5ull << 32 | 0xFFFFFFFF};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (never[i] != seen[0]) CHECK_EQUAL(engine_find(e, never[i], &s, &error), PUNA_CLOSED);
    engine_close(e); /* with sequences open */
}

/* Texts and lists are where an event says, also when the buffers have moved since. */
static void events_keep_what_they_were_given(void) {
    memory_account account;
    memory_account_init(&account);
    events all;
    events_init(&all, &account);
    puna_event e;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 500; i++) {
            char text[40], message[40];
            puna_logprob top[3] = {{(int32_t)i, 1}, {2, 2}, {3, (float)i}};
            snprintf(text, sizeof text, "text %u of %d", i, round);
            snprintf(message, sizeof message, "message %u", i * 7);
            puna_event event = {.sequence = i, .text = text, .text_length = strlen(text), .message = message,
                                .top = top, .top_count = i % 4 ? 3 : 0};
            CHECK(events_add(&all, &event));
        }
        for (uint32_t i = 0; i < 500; i++) {
            char text[40], message[40];
            snprintf(text, sizeof text, "text %u of %d", i, round);
            snprintf(message, sizeof message, "message %u", i * 7);
            NEED(events_take(&all, &e) == 1);
            CHECK_EQUAL(e.sequence, i);
            CHECK_TEXT(e.text, text);
            CHECK_EQUAL(e.text_length, strlen(text));
            CHECK_TEXT(e.message, message);
            if (i % 4) CHECK(e.top[0].id == (int32_t)i && e.top[2].logprob == (float)i);
            else CHECK(e.top == NULL);
        }
        CHECK_EQUAL(events_take(&all, &e), 0);
        events_clear(&all);
    }
    events_free(&all);
    CHECK_EQUAL(memory_used(&account), 0);
}

/* ---- who loses pages ---- */

/* Computes `count` ids of its own in a sequence, and a token; it is idle afterwards. */
static bool compute(engine *e, sequence *s, int32_t salt, uint32_t count) {
    int32_t ids[200];
    puna_generation g = {.size = sizeof g, .max_tokens = 1, .flags = PUNA_GENERATE_IGNORE_EOS};
    puna_step step = {.active = 1};
    for (uint32_t i = 0; i < count; i++) ids[i] = (int32_t)(5 + (uint32_t)salt * 40 + i % 30);
    puna_status status = scheduler_generate(e, s, ids, count, &g, &error);
    while (status == PUNA_OK && step.active) status = step_run(e, &step, &error);
    CHECK_EQUAL(status, PUNA_OK);
    return status == PUNA_OK && s->cached == count;
}

static sequence *opened(engine *e) {
    uint64_t id;
    sequence *s = NULL;
    if (engine_open_sequence(e, &id, &error) == PUNA_OK) engine_find(e, id, &s, &error);
    CHECK(s);
    return s;
}

/* Which of them the next eviction takes pages from, -1: nobody. */
static int loser(engine *e, sequence *const *all, int count) {
    uint32_t before[8];
    int lost = -1;
    for (int i = 0; i < count; i++) before[i] = all[i]->cached;
    evict_one(e, NULL);
    for (int i = 0; i < count; i++)
        if (all[i]->cached != before[i]) lost = lost < 0 ? i : 100;
    return lost;
}

/* The longest unused one goes first, whether it is idle or paused; who was used again goes later. */
static void the_longest_unused_goes_first(void) {
    enum { COUNT = 6 };
    engine *e;
    sequence *all[COUNT];
    puna_engine_options o = options();
    puna_step step;
    puna_generation g = {.size = sizeof g, .flags = PUNA_GENERATE_IGNORE_EOS};
    NEED(open_engine(&e, &o));
    for (int i = 0; i < COUNT; i++) {
        NEED((all[i] = opened(e)));
        if (i != 3) NEED(compute(e, all[i], i, 20));
        if (i != 3) continue;
        NEED(scheduler_generate(e, all[3], (int32_t[]){7, 8, 9}, 3, &g, &error) == PUNA_OK);
        for (int n = 0; n < 5; n++) NEED(step_run(e, &step, &error) == PUNA_OK);
        sequences_pause(e, all[3]);
    }
    NEED(compute(e, all[1], 1, 21)); /* used again */
    static const int order[] = {0, 2, 3, 4, 5, 1, -1};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        CHECK_EQUAL(loser(e, all, COUNT), order[i]);
        CHECK_EQUAL(e->counts.evictions, i < 6 ? i + 1 : 6);
    }
    CHECK_EQUAL(cache_held(e->cache), 0);
    CHECK_EQUAL(e->idle.count, 0);
    CHECK_EQUAL(e->bare.count, 5);
    CHECK_EQUAL(e->paused.count, 1);
    engine_close(e);
}

/* What the prefix index alone holds has its turn by its own age: before those who were used later, after those who were
   used earlier. */
static void kept_prefixes_go_by_their_age(void) {
    engine *e;
    puna_engine_options o = options();
    NEED(open_engine(&e, &o));
    sequence *old = opened(e), *gone = opened(e), *young = opened(e);
    NEED(old && gone && young);
    NEED(compute(e, old, 0, 20) && compute(e, gone, 1, 70));
    engine_close_sequence(e, gone);
    NEED(compute(e, young, 2, 20));
    uint64_t page = cache_bytes_for(e->cache, CACHE_PAGE);
    CHECK_EQUAL(cache_used(e->cache) - cache_held(e->cache), page);
    CHECK(evict_one(e, NULL) && old->cached == 0 && young->cached == 20);
    CHECK_EQUAL(cache_used(e->cache) - cache_held(e->cache), page);
    CHECK(evict_one(e, NULL) && young->cached == 20);
    CHECK_EQUAL(cache_used(e->cache) - cache_held(e->cache), 0);
    CHECK(evict_one(e, NULL) && young->cached == 0);
    CHECK(!evict_one(e, NULL));
    engine_close(e);
}

/* Those in the queue come last, the last to ask first; `but` and who runs never. */
static void the_queue_comes_last(void) {
    engine *e;
    puna_engine_options o = options();
    puna_step step;
    puna_generation g = {.size = sizeof g, .flags = PUNA_GENERATE_IGNORE_EOS};
    NEED(open_engine(&e, &o));
    sequence *all[4];
    for (int i = 0; i < 4; i++) NEED((all[i] = opened(e)) && compute(e, all[i], i, 20));
    for (int i = 0; i < 2; i++) /* they run: two at a time */
        NEED(scheduler_generate(e, all[i], all[i]->tokens, 20, &g, &error) == PUNA_OK);
    NEED(step_run(e, &step, &error) == PUNA_OK);
    for (int i = 2; i < 4; i++)
        NEED(scheduler_generate(e, all[i], all[i]->tokens, 20, &g, &error) == PUNA_OK);
    CHECK(all[2]->cached && all[3]->cached);
    CHECK(evict_one(e, all[3]) && all[2]->cached == 0 && all[3]->cached);
    CHECK(evict_one(e, NULL) && all[3]->cached == 0);
    CHECK(!evict_one(e, NULL));
    CHECK(all[0]->cached && all[1]->cached);
    engine_close(e);
}

static void one_thread_at_a_time(void) {
    engine *e;
    puna_engine_options o = options();
    NEED(open_engine(&e, &o));
    CHECK_EQUAL(engine_enter(e, &error), PUNA_OK);
    CHECK_EQUAL(engine_enter(e, &error), PUNA_BUSY);
    engine_leave(e);
    CHECK_EQUAL(engine_enter(e, &error), PUNA_OK);
    engine_leave(e);
    engine_close(e);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(a_cache_beyond_64_bits_is_refused);
    TEST(defaults_are_decided);
    TEST(learned_positions_bound_the_context);
    TEST(ids_are_never_used_again);
    TEST(events_keep_what_they_were_given);
    TEST(the_longest_unused_goes_first);
    TEST(kept_prefixes_go_by_their_age);
    TEST(the_queue_comes_last);
    TEST(one_thread_at_a_time);
    return testing_end();
}
