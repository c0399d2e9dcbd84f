// SPDX-License-Identifier: Apache-2.0
/*
 * A random walk through the engine's calls: sequences are opened, started, paused, resumed, cancelled, copied, closed
 * and asked in any order, some with callers who look at each row of logits first, in a cache that is too small for all
 * of them. Whatever a generation said must be what the same request says alone in an
 * engine of its own, and in the end every byte must have come back. A second walk lets allocations fail.
 */
#include <stdlib.h>

#include "api/bed.h"
#include "base/memory.h"
#include "engine/engine.h"

#define CONTEXT 150u
#define PLACES 10u

typedef struct place {
    bool open, generating, paused, asks; /* asks: logits were shown and nothing was chosen yet */
    uint64_t id;
    int32_t prompt[CONTEXT];
    uint32_t prompt_count, max_tokens;
    uint64_t seed;
    int32_t said[CONTEXT];
    uint32_t said_count;
} place;

typedef struct machine {
    bed bed;             /* the model, and the engine that is walked through */
    puna_engine *lone;
    place places[PLACES];
    uint32_t finished, compared, refused, failed;
    bool allocations_fail;
} machine;

/* ---- memory that an engine keeps between generations: tables and buffers that have grown ---- */

static uint64_t kept(const puna_engine *e) {
    return e->slot_count * (sizeof *e->slots + sizeof *e->generations) +
           e->events.capacity * sizeof *e->events.entries + e->events.text_capacity +
           e->events.top_capacity * sizeof *e->events.top;
}

static uint64_t in_use(const puna_engine *e) { return memory_used(&e->account) - kept(e); }

/* ---- failing allocations ---- */

static bool refuse_some(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return testing_below(20) != 0;
}

static void unsteady(const machine *m, bool on) {
    memory_set_gate(on && m->allocations_fail ? refuse_some : NULL, NULL);
}

/* A status that this walk may meet: OUT_OF_MEMORY only while allocations fail. */
static bool went_well(machine *m, puna_status status) {
    unsteady(m, false);
    if (status == PUNA_OK) return true;
    if (!m->allocations_fail) testing_fail(__FILE__, __LINE__, "%d: %s", status, m->bed.error.message);
    else CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
    m->refused++;
    return false;
}

/* ---- what a request says alone ---- */

static puna_generation settings(const place *p, puna_stage stages[2]) {
    puna_generation g = bed_generation(p->max_tokens);
    stages[0] = (puna_stage){.kind = PUNA_SAMPLE_PENALTIES, .window = 20, .repeat = 1.2f};
    stages[1] = (puna_stage){.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.9f};
    g.seed = p->seed;
    g.stages = stages;
    g.stage_count = p->seed % 3 ? 2 : 0; /* a third of them is greedy */
    if (p->seed % 4 == 1) g.flags |= PUNA_GENERATE_LOGITS;
    return g;
}

static uint32_t alone(machine *m, const place *p, int32_t said[CONTEXT]) {
    uint64_t id = 0, count = 0;
    puna_stage stages[2];
    int32_t all[CONTEXT];
    puna_generation g = settings(p, stages);
    g.flags &= ~(uint32_t)PUNA_GENERATE_LOGITS;
    puna_error *error = &m->bed.error;
    CHECK_EQUAL(puna_sequence_open(m->lone, &id, error), PUNA_OK);
    CHECK_EQUAL(puna_sequence_generate(m->lone, id, p->prompt, p->prompt_count, &g, error), PUNA_OK);
    puna_step step = {.size = sizeof step, .active = 1};
    while (step.active && puna_engine_step(m->lone, &step, error) == PUNA_OK) {}
    CHECK_EQUAL(puna_sequence_tokens(m->lone, id, all, CONTEXT, &count, error), PUNA_OK);
    CHECK_EQUAL(puna_sequence_close(m->lone, id, error), PUNA_OK);
    memcpy(said, all + p->prompt_count, (count - p->prompt_count) * sizeof *said);
    return (uint32_t)(count - p->prompt_count);
}

/* ---- events ---- */

static void finish(machine *m, place *p, const puna_event *e) {
    int32_t said[CONTEXT], all[CONTEXT];
    uint64_t count = 0;
    p->generating = p->paused = p->asks = false;
    m->finished++;
    if (e->stop == PUNA_STOP_FAILED) {
        m->failed++;
        CHECK(m->allocations_fail);
        CHECK_EQUAL(e->status, PUNA_OUT_OF_MEMORY);
        CHECK(strlen(e->message) > 20);
    }
    uint32_t expected = alone(m, p, said);
    bool whole = e->stop == PUNA_STOP_LENGTH || e->stop == PUNA_STOP_CONTEXT;
    CHECK(whole || e->stop == PUNA_STOP_CANCELLED || e->stop == PUNA_STOP_FAILED);
    CHECK_EQUAL(puna_sequence_tokens(m->bed.engine, p->id, all, CONTEXT, &count, &m->bed.error), PUNA_OK);
    CHECK(count >= p->prompt_count && memcmp(all, p->prompt, p->prompt_count * sizeof *all) == 0);
    uint32_t generated = (uint32_t)count - p->prompt_count;
    CHECK(generated <= expected && memcmp(all + p->prompt_count, said, generated * sizeof *said) == 0);
    if (whole) CHECK_EQUAL(generated, expected);
    m->compared++;
    CHECK_EQUAL(p->said_count, e->generated_tokens);
    CHECK(memcmp(p->said, said, p->said_count * sizeof *said) == 0);
    if (e->stop != PUNA_STOP_FAILED) CHECK_EQUAL(generated, p->said_count);
}

static void take_events(machine *m) {
    for (puna_event e = {.size = sizeof e}; puna_engine_next_event(m->bed.engine, &e);) {
        place *p = m->places;
        while (p < m->places + PLACES && !(p->open && p->id == e.sequence)) p++;
        if (p == m->places + PLACES) continue; /* closed between the step and now */
        CHECK(p->generating);
        if (e.kind == PUNA_EVENT_FINISHED) finish(m, p, &e);
        else if (e.kind == PUNA_EVENT_LOGITS) p->asks = true;
        else if (p->said_count < CONTEXT) p->said[p->said_count++] = e.token;
    }
}

static uint32_t step(machine *m) {
    puna_step report = {.size = sizeof report};
    unsteady(m, true);
    bool well = went_well(m, puna_engine_step(m->bed.engine, &report, &m->bed.error));
    take_events(m);
    return well ? report.active : 1; /* without memory for what it would tell a step does nothing, and loses nothing */
}

static void move_pause(machine *m, place *p) {
    if (!p->open) return;
    CHECK_EQUAL(puna_sequence_pause(m->bed.engine, p->id, &m->bed.error), PUNA_OK);
    p->paused = p->generating;
}

static void move_resume(machine *m, place *p) {
    if (p->open) CHECK_EQUAL(puna_sequence_resume(m->bed.engine, p->id, &m->bed.error), PUNA_OK);
    p->paused = false;
}

static void move_choose(machine *m, place *p) {
    puna_status expected = !p->open ? PUNA_CLOSED : p->asks ? PUNA_OK : PUNA_INVALID_ARGUMENT;
    CHECK_EQUAL(puna_sequence_choose(m->bed.engine, p->id, NULL, 0, &m->bed.error), expected);
    p->asks = false;
}

/* Until nothing is active, nobody waits for a choice and nobody is paused. */
static void settle(machine *m) {
    bool more = true;
    for (int n = 0; more && n < 5000; n++) {
        for (uint32_t i = 0; i < PLACES; i++) {
            if (m->places[i].paused) move_resume(m, &m->places[i]);
            if (m->places[i].asks) move_choose(m, &m->places[i]);
        }
        more = step(m);
        for (uint32_t i = 0; i < PLACES; i++) more |= m->places[i].asks;
    }
    for (uint32_t i = 0; i < PLACES; i++) CHECK(!m->places[i].generating);
}

/* ---- the moves ---- */

static void move_open(machine *m, place *p) {
    if (p->open) return;
    unsteady(m, true);
    *p = (place){.open = went_well(m, puna_sequence_open(m->bed.engine, &p->id, &m->bed.error)), .id = p->id};
}

/* A new prompt, or one that goes on from what the sequence holds, or a beginning of that. */
static void make_prompt(machine *m, place *p) {
    uint64_t held = 0;
    uint32_t kind = testing_below(4);
    CHECK_EQUAL(puna_sequence_tokens(m->bed.engine, p->id, p->prompt, CONTEXT, &held, &m->bed.error), PUNA_OK);
    uint32_t count = kind == 0 ? 0 : kind == 1 && held ? 1 + testing_below((uint32_t)held) : (uint32_t)held;
    uint32_t more = testing_below(testing_below(5) ? 12 : 100) + (count == 0);
    while (more-- && count < CONTEXT - 1) p->prompt[count++] = (int32_t)testing_below((uint32_t)m->bed.info.vocabulary);
    p->prompt_count = count < CONTEXT - 1 ? count : CONTEXT - 1;
}

static void move_generate(machine *m, place *p) {
    if (!p->open) return;
    place before = *p;
    puna_stage stages[2];
    if (!p->generating) {
        make_prompt(m, p);
        p->max_tokens = testing_below(8) ? 1 + testing_below(30) : 0;
        p->seed = testing_random();
    }
    puna_generation g = settings(p, stages);
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(m->bed.engine, &info);
    unsteady(m, true);
    puna_status status = puna_sequence_generate(m->bed.engine, p->id, p->prompt, p->prompt_count, &g, &m->bed.error);
    if (before.generating || info.running + info.waiting + info.paused >= 7) {
        unsteady(m, false);
        CHECK_EQUAL(status, PUNA_BUSY);
        *p = before;
    } else if (went_well(m, status)) {
        p->generating = true;
        p->said_count = 0;
    }
}

static void move_cancel(machine *m, place *p) {
    if (p->open) CHECK_EQUAL(puna_sequence_cancel(m->bed.engine, p->id, &m->bed.error), PUNA_OK);
    p->paused = false; /* cancelling resumes */
}

static void move_close(machine *m, place *p) {
    CHECK_EQUAL(puna_sequence_close(m->bed.engine, p->id, &m->bed.error), p->open ? PUNA_OK : PUNA_CLOSED);
    p->open = p->generating = p->paused = p->asks = false;
}

/* Another sequence is made of this one, whatever it is doing: a fork, or one that was saved and restored. */
static void move_copy(machine *m, place *p) {
    place *copy = &m->places[testing_below(PLACES)];
    uint64_t length = 0;
    if (!p->open || copy->open) return;
    *copy = (place){0};
    if (testing_below(2)) {
        unsteady(m, true);
        puna_status status = puna_sequence_fork(m->bed.engine, p->id, PUNA_ALL, &copy->id, &m->bed.error);
        copy->open = went_well(m, status);
        return;
    }
    puna_status status = puna_sequence_save(m->bed.engine, p->id, NULL, 0, &length, &m->bed.error);
    CHECK_EQUAL(status, PUNA_BUFFER_TOO_SMALL);
    uint8_t *bytes = malloc(length);
    unsteady(m, true);
    status = puna_sequence_save(m->bed.engine, p->id, bytes, length, &length, &m->bed.error);
    if (went_well(m, status)) {
        unsteady(m, true);
        status = puna_sequence_restore(m->bed.engine, bytes, length, &copy->id, &m->bed.error);
        copy->open = went_well(m, status);
    }
    free(bytes);
}

static void move_logits(machine *m, place *p) {
    (void)p;
    enum { ROWS = 6 };
    int32_t ids[70];
    uint32_t vocabulary = (uint32_t)m->bed.info.vocabulary, count = ROWS + testing_below(70 - ROWS);
    for (uint32_t i = 0; i < count; i++) ids[i] = (int32_t)testing_below(vocabulary);
    size_t floats = (size_t)ROWS * vocabulary;
    float *a = malloc(floats * sizeof *a), *b = malloc(floats * sizeof *b);
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(m->bed.engine, &info);
    unsteady(m, true);
    puna_status status = puna_engine_logits(m->bed.engine, ids, count, count - ROWS, a, floats, NULL, &m->bed.error);
    unsteady(m, false);
    if (info.running + info.waiting) {
        CHECK_EQUAL(status, PUNA_BUSY);
    } else if (went_well(m, status)) {
        CHECK_EQUAL(puna_engine_logits(m->lone, ids, count, count - ROWS, b, floats, NULL, &m->bed.error), PUNA_OK);
        CHECK(memcmp(a, b, floats * sizeof *a) == 0);
    }
    free(a);
    free(b);
}

static void walk(machine *m, int moves) {
    for (int n = 0; n < moves; n++) {
        place *p = &m->places[testing_below(PLACES)];
        uint32_t move = testing_below(100);
        if (move < 12) move_open(m, p);
        else if (move < 40) move_generate(m, p);
        else if (move < 44) move_cancel(m, p);
        else if (move < 48) move_close(m, p);
        else if (move < 50) move_logits(m, p);
        else if (move < 52) settle(m);
        else if (move < 56) move_copy(m, p);
        else if (move < 60) move_pause(m, p);
        else if (move < 66) move_resume(m, p);
        else if (move < 76) move_choose(m, p);
        else step(m);
    }
    settle(m);
}

static bool machine_open(machine *m) {
    puna_engine_options o = bed_options(2, 7, 3, PUNA_CACHE_F16), large = bed_options(1, 64, 1, PUNA_CACHE_F32);
    o.context_length = CONTEXT; /* three pages */
    o.max_queue = 4;
    large.context_length = CONTEXT;
    large.cache_type = o.cache_type;
    memset(m, 0, sizeof *m);
    if (!bed_open(&m->bed, "llama_q4_0.gguf", &o)) return false;
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(m->bed.engine, &info);
    puna_engine_close(m->bed.engine);
    o.cache_bytes = 5 * info.page_bytes; /* not two whole contexts */
    m->bed.engine = NULL;
    return puna_engine_create(m->bed.model, &o, &m->bed.engine, &m->bed.error) == PUNA_OK &&
           puna_engine_create(m->bed.model, &large, &m->lone, &m->bed.error) == PUNA_OK;
}

static void walk_through(bool allocations_fail, int moves) {
    static machine m;
    NEED(machine_open(&m));
    m.allocations_fail = allocations_fail;
    uint64_t before = in_use(m.bed.engine);
    walk(&m, moves);
    m.allocations_fail = false;
    settle(&m);
    for (uint32_t i = 0; i < PLACES; i++)
        if (m.places[i].open) move_close(&m, &m.places[i]);
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(m.bed.engine, &info);
    CHECK_EQUAL(info.sequences + info.running + info.waiting, 0);
    CHECK_EQUAL(info.pages_used, 0);
    CHECK(puna_engine_trim(m.bed.engine, &m.bed.error) == PUNA_OK);
    CHECK_EQUAL(in_use(m.bed.engine), before);
    CHECK(m.compared > (uint32_t)moves / 60);
    /* About a 30th are refused; of generations so few fail that a short walk may see none. */
    if (allocations_fail) CHECK(m.refused > (uint32_t)moves / 150 && (m.failed > 0 || moves < 1000));
    printf("       %d moves: %u generations ended (%u of them failed), %u compared token by token, %u calls refused\n",
           moves, m.finished, m.failed, m.compared, m.refused);
    puna_engine_close(m.lone);
    bed_close(&m.bed);
}

static void any_order_of_calls_gives_what_each_gives_alone(void) { walk_through(false, TESTING_THIN(4000, 1333, 500)); }

static void failing_allocations_spoil_nothing_else(void) { walk_through(true, TESTING_THIN(4000, 1333, 500)); }

/* Every allocation of an open engine's life fails once: the call or the sequence fails, all comes back, and the next
   run says what it should. */
static int allowed;
static bool allow(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return allowed-- > 0;
}

static void each_allocation_of_a_generation_may_fail(void) {
    static machine m;
    static bed_result r;
    int32_t said[CONTEXT];
    puna_stage stages[2];
    NEED(machine_open(&m));
    place p = {.prompt_count = 62, .max_tokens = 70, .seed = 7}; /* into the third page */
    for (uint32_t i = 0; i < p.prompt_count; i++) p.prompt[i] = (int32_t)(i * 7 % 100 + 5);
    uint32_t expected = alone(&m, &p, said);
    puna_generation g = settings(&p, stages);
    NEED(bed_start(&m.bed, &r, p.prompt, 1, NULL) == PUNA_OK); /* the table of sequences is there from now on */
    NEED(puna_sequence_close(m.bed.engine, r.sequence, &m.bed.error) == PUNA_OK);
    uint64_t before = in_use(m.bed.engine);
    bool whole = false;
    int n = 0;
    for (; !whole && n < 1000; n++) {
        allowed = n;
        memory_set_gate(allow, NULL);
        puna_status status = bed_start(&m.bed, &r, p.prompt, p.prompt_count, &g);
        puna_step report = {.size = sizeof report, .active = status == PUNA_OK};
        while (status == PUNA_OK && report.active) {
            status = puna_engine_step(m.bed.engine, &report, &m.bed.error);
            bed_take(&m.bed, &r, 1);
        }
        memory_set_gate(NULL, NULL);
        if (status != PUNA_OK) CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
        else CHECK(r.stop == PUNA_STOP_LENGTH || r.stop == PUNA_STOP_FAILED);
        if (r.stop == PUNA_STOP_FAILED) CHECK_EQUAL(r.status, PUNA_OUT_OF_MEMORY);
        CHECK(r.count <= expected && memcmp(r.tokens, said, r.count * sizeof *said) == 0);
        whole = r.stop == PUNA_STOP_LENGTH && status == PUNA_OK;
        if (r.sequence) CHECK_EQUAL(puna_sequence_close(m.bed.engine, r.sequence, &m.bed.error), PUNA_OK);
        CHECK_EQUAL(puna_engine_trim(m.bed.engine, &m.bed.error), PUNA_OK);
        CHECK_EQUAL(in_use(m.bed.engine), before);
    }
    CHECK(whole && n > 20);
    CHECK_EQUAL(r.count, expected);
    puna_engine_close(m.lone);
    bed_close(&m.bed);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(any_order_of_calls_gives_what_each_gives_alone);
    TEST(failing_allocations_spoil_nothing_else);
    TEST(each_allocation_of_a_generation_may_fail);
    return testing_end();
}
