// SPDX-License-Identifier: Apache-2.0
/*
 * What puna.h lets threads do at once: callers of one engine that another thread drives; callers with engines of their
 * own on one model, one tokenizer and one grammar; one who looks at all of them; one who loads, and one who cancels
 * that. Each gets what it would get alone. Races are the thread sanitizer's to find.
 */
#include <stdatomic.h>
#include <time.h>

#include "api/bed.h"
#include "base/os.h"

enum { CALLERS = 3, KINDS = 6, NEW = 12, ROUNDS = TESTING_THIN(30, 10, 4), PATIENCE = 200000 };

static const char text[] = "The ferry left at dawn, and 12 dogs came along.";
static const char rule[] = "root ::= [a-z ]+ | [0-9]+ \".\"";

typedef struct shared {
    bed bed;
    puna_grammar *grammar;
    bed_result said[KINDS]; /* alone */
    uint64_t ids_of_text;
    _Atomic uint32_t wrong, at_work;
} shared;

typedef struct worker {
    shared *shared;
    uint32_t number;
} worker;

static void rest(void) {
    struct timespec t = {0, 20000};
    nanosleep(&t, NULL);
}

/* A request of each kind: from a few tokens to more than two pages, some with a beginning in common; greedy, sampled,
   or held to the grammar. */
static uint32_t make(uint32_t kind, int32_t *ids, puna_generation *g, puna_grammar *grammar) {
    static const puna_stage stages[] = {{.kind = PUNA_SAMPLE_TOP_K, .value = 40},
                                        {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 1.5f}};
    uint32_t count = 5 + kind * 30;
    for (uint32_t i = 0; i < count; i++) ids[i] = (int32_t)(5 + (kind % 3 * 101 + i * i * 7) % 370);
    *g = bed_generation(NEW);
    g->seed = kind;
    g->stages = stages;
    g->stage_count = kind % 2 ? 2 : 0;
    if (kind % 3 == 2) {
        g->grammar = grammar;
        g->flags = 0;
    }
    return count;
}

static bool same(const shared *s, uint32_t kind, const int32_t *tokens, uint64_t count) {
    const bed_result *r = &s->said[kind];
    return count == r->count && memcmp(tokens, r->tokens, r->count * sizeof *tokens) == 0;
}

/* ---- callers of one engine ---- */

/* Comes again while another thread is inside the engine. */
#define PATIENTLY(status, call) \
    do { \
        (status) = (call); \
        for (uint32_t n_ = 0; (status) == PUNA_BUSY && n_ < PATIENCE; n_++) { \
            rest(); \
            (status) = (call); \
        } \
    } while (0)

static bool ask(shared *s, uint32_t kind) {
    int32_t ids[200];
    puna_generation g;
    puna_engine *e = s->bed.engine;
    uint32_t count = make(kind, ids, &g, s->grammar);
    uint64_t id = 0, got = 0, whole = count + s->said[kind].count;
    puna_status status;
    PATIENTLY(status, puna_sequence_open(e, &id, NULL));
    if (status == PUNA_OK) PATIENTLY(status, puna_sequence_generate(e, id, ids, count, &g, NULL));
    for (uint32_t n = 0; status == PUNA_OK && got < whole && n < PATIENCE; n++) {
        rest();
        PATIENTLY(status, puna_sequence_tokens(e, id, ids, 200, &got, NULL));
    }
    bool right = status == PUNA_OK && same(s, kind, ids + count, got - count);
    PATIENTLY(status, puna_sequence_close(e, id, NULL));
    return right && status == PUNA_OK;
}

static void call(void *context) {
    worker *w = context;
    for (uint32_t n = 0; n < ROUNDS; n++) w->shared->wrong += !ask(w->shared, (w->number + n) % KINDS);
    w->shared->at_work--;
}

/* ---- callers with engines of their own ---- */

static bool ask_alone(shared *s, uint32_t kind) {
    bed own = {.model = s->bed.model, .error = PUNA_ERROR_INIT};
    puna_engine_options o = bed_options(2, 64, 2, PUNA_CACHE_F16);
    int32_t ids[200];
    uint64_t count = 0, matched = 0;
    puna_generation g;
    bed_result r;
    int32_t ends = 0;
    const puna_tokenizer *t = puna_model_tokenizer(s->bed.model);
    if (puna_tokenize(t, text, sizeof text - 1, 0, ids, 200, &count, NULL) != PUNA_OK || count != s->ids_of_text)
        return false;
    if (puna_grammar_match(s->grammar, "a ferry", 7, &matched, &ends, NULL) != PUNA_OK || matched != 7) return false;
    o.context_length = 256;
    if (puna_engine_create(s->bed.model, &o, &own.engine, NULL) != PUNA_OK) return false;
    uint32_t length = make(kind, ids, &g, s->grammar);
    bool right = bed_start(&own, &r, ids, length, &g) == PUNA_OK;
    if (right) bed_run(&own, &r, 1, 100);
    puna_engine_close(own.engine);
    return right && same(s, kind, r.tokens, r.count);
}

static void work_alone(void *context) {
    worker *w = context;
    for (uint32_t n = 0; n < ROUNDS; n++) w->shared->wrong += !ask_alone(w->shared, (w->number + n) % KINDS);
    w->shared->at_work--;
}

/* ---- who looks, and who loads ---- */

static void look(void *context) {
    worker *w = context;
    shared *s = w->shared;
    while (s->at_work > 1) {
        puna_engine_info engine = {.size = sizeof engine};
        puna_model_info model = {.size = sizeof model};
        puna_log_entry entry = {.size = sizeof entry};
        puna_cpu cpu = {.size = sizeof cpu};
        puna_engine_describe(s->bed.engine, &engine);
        puna_model_describe(s->bed.model, &model);
        if (engine.pages_used > engine.pages_total || engine.running > CALLERS) s->wrong++;
        if (model.memory_bytes < s->bed.info.memory_bytes || puna_cpu_describe(&cpu, NULL) != PUNA_OK) s->wrong++;
        while (puna_log_next(&entry)) {}
        rest();
    }
    s->at_work--;
}

typedef struct load {
    puna_task *task;
    puna_status status;
} load;

static void load_it(void *context) {
    load *l = context;
    puna_model *model = NULL;
    l->status = puna_model_load(PUNA_TEST_DATA "/tiny/llama_q4_1.gguf", NULL, l->task, &model, NULL);
    puna_model_close(model);
}

/* Loads beside all that, and is cancelled at any moment. */
static void load_and_cancel(void *context) {
    worker *w = context;
    for (uint32_t n = 0; n < ROUNDS; n++) {
        load l = {NULL, PUNA_OK};
        os_thread loader;
        uint64_t done, total;
        if (puna_task_create(&l.task, NULL) != PUNA_OK || !os_thread_start(&loader, load_it, &l)) {
            w->shared->wrong++;
            break;
        }
        for (uint32_t i = 0; i < n * 3; i++) {
            puna_task_progress(l.task, &done, &total);
            w->shared->wrong += total && done > total;
            rest();
        }
        puna_task_cancel(l.task);
        os_thread_join(loader);
        if (l.status != PUNA_OK && l.status != PUNA_CANCELLED) w->shared->wrong++;
        puna_task_destroy(l.task);
    }
    w->shared->at_work--;
}

/* ---- all at once ---- */

static bool prepare(shared *s) {
    puna_engine_options o = bed_options(2, 64, CALLERS, PUNA_CACHE_F16);
    const puna_tokenizer *t;
    int32_t ids[200];
    puna_generation g;
    o.context_length = 256;
    if (!bed_open(&s->bed, "tiny-chat.gguf", &o)) return false;
    t = puna_model_tokenizer(s->bed.model);
    if (puna_grammar_compile(t, rule, sizeof rule - 1, &s->grammar, &s->bed.error) != PUNA_OK) return false;
    if (puna_tokenize(t, text, sizeof text - 1, 0, ids, 200, &s->ids_of_text, NULL) != PUNA_OK) return false;
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        uint32_t count = make(kind, ids, &g, s->grammar);
        if (bed_start(&s->bed, &s->said[kind], ids, count, &g) != PUNA_OK) return false;
        bed_run(&s->bed, &s->said[kind], 1, 100);
        puna_sequence_close(s->bed.engine, s->said[kind].sequence, NULL);
        if (s->said[kind].stop == PUNA_STOP_FAILED || s->said[kind].count == 0) return false;
    }
    puna_grammar_close(s->grammar); /* what it has worked out goes, too: the threads begin anew */
    return puna_grammar_compile(t, rule, sizeof rule - 1, &s->grammar, &s->bed.error) == PUNA_OK &&
           puna_engine_trim(s->bed.engine, &s->bed.error) == PUNA_OK;
}

static void threads_get_what_they_would_get_alone(void) {
    static shared s;
    static void (*const bodies[])(void *) = {call, call, call, work_alone, work_alone, load_and_cancel, look};
    enum { COUNT = sizeof bodies / sizeof *bodies };
    worker workers[COUNT];
    os_thread threads[COUNT];
    NEED(prepare(&s));
    s.at_work = COUNT;
    for (uint32_t i = 0; i < COUNT; i++) {
        workers[i] = (worker){&s, i};
        NEED(os_thread_start(&threads[i], bodies[i], &workers[i]));
    }
    puna_step step = {.size = sizeof step};
    while (s.at_work) {
        puna_status status = puna_engine_step(s.bed.engine, &step, NULL);
        if (status != PUNA_OK && status != PUNA_BUSY) s.wrong++;
        rest(); /* lets the others in */
    }
    for (uint32_t i = 0; i < COUNT; i++) os_thread_join(threads[i]);
    CHECK_EQUAL(s.wrong, 0);
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(s.bed.engine, &info);
    CHECK_EQUAL(info.sequences, 0);
    CHECK_EQUAL(info.pages_used, 0);
    puna_grammar_close(s.grammar);
    bed_close(&s.bed);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(threads_get_what_they_would_get_alone);
    return testing_end();
}
