// SPDX-License-Identifier: Apache-2.0
/* What is told of beam searches beside their answers: log-probabilities, as transformers' compute_transition_scores has
   them and as the model's own logits say; and that a search is one request, however many sequences it is. */
#include <math.h>
#include <stdlib.h>

#include "api/golden.h"
#include "api/t5.h"

#define TOP 6
#define PROMPT 40

/* ---- log-probabilities ---- */

static uint32_t ended; /* of the answers that were compared */

static double compare(bed *b, const golden *g, const char *at, const char *name, size_t which) {
    static bed_result r;
    int32_t source[256];
    double should[T5_NEW + 1], worst = 0;
    char key[64];
    size_t length = golden_ids(g, at, "source", source, 256);
    snprintf(key, sizeof key, "logprobs %s", t5_searches[which].key);
    size_t count = golden_floats(g, at, key, should, T5_NEW + 1);
    CHECK(length && count && count <= T5_NEW);
    puna_generation how = t5_search(t5_searches[which].width, t5_searches[which].penalty, t5_searches[which].early);
    how.logprobs = 1;
    CHECK_EQUAL(bed_start(b, &r, source, length, &how), PUNA_OK);
    bed_run(b, &r, 1, 200);
    CHECK_EQUAL(r.count, count);
    for (size_t i = 0; i < count; i++) worst = fmax(worst, fabs(r.logprobs[i] - should[i]));
    if (!(worst <= 1e-4))
        testing_fail(__FILE__, __LINE__, "%s, beams %s: off by %g", name, t5_searches[which].key, worst);
    ended += r.stop == PUNA_STOP_END;
    return worst;
}

static void log_probabilities_are_transformers(void) {
    static const char *const models[] = {"t5", "t5_gated"};
    for (size_t m = 0; m < 2; m++) {
        char path[512], file[96], name[64];
        golden g;
        bed b;
        double worst = 0;
        size_t cases = 0;
        puna_engine_options o = bed_options(2, 64, 5, PUNA_CACHE_F32);
        snprintf(path, sizeof path, "%s/text_to_text/%s.golden", PUNA_TEST_DATA, models[m]);
        snprintf(file, sizeof file, "../text_to_text/%s.gguf", models[m]);
        NEED(golden_open(&g, path) && bed_open(&b, file, &o));
        for (const char *at = golden_next(&g, NULL, name); at; at = golden_next(&g, at, name), cases++)
            for (size_t i = 0; i < T5_SEARCHES; i++)
                worst = fmax(worst, compare(&b, &g, at, name, i));
        CHECK_EQUAL(cases, 5);
        printf("       %s: log-probabilities are off by %.2g at most\n", models[m], worst);
        bed_close(&b);
        golden_close(&g);
    }
    CHECK(ended > 0);
}

typedef struct told {
    int32_t tokens[T5_NEW];
    float logprobs[T5_NEW], score;
    puna_logprob top[T5_NEW][TOP];
    uint32_t tops[T5_NEW], count;
} told;

static void take(bed *b, told *t) {
    puna_step step = {.size = sizeof step, .active = 1};
    puna_event event = {.size = sizeof event};
    *t = (told){0};
    while (step.active && puna_engine_step(b->engine, &step, &b->error) == PUNA_OK)
        while (puna_engine_next_event(b->engine, &event)) {
            if (event.kind == PUNA_EVENT_FINISHED) t->score = event.logprob;
            if (event.kind != PUNA_EVENT_TOKEN || t->count == T5_NEW || event.top_count > TOP) continue;
            t->tokens[t->count] = event.token;
            t->logprobs[t->count] = event.logprob;
            t->tops[t->count] = event.top_count;
            if (event.top_count) memcpy(t->top[t->count], event.top, event.top_count * sizeof *event.top);
            t->count++;
        }
}

static double log_sum(const float *row) {
    double most = row[0], sum = 0;
    for (int i = 1; i < T5_VOCABULARY; i++) most = fmax(most, row[i]);
    for (int i = 0; i < T5_VOCABULARY; i++) sum += exp(row[i] - most);
    return most + log(sum);
}

/* Row `row` says what came next. */
static void check_place(const told *t, uint32_t k, const float *row) {
    double sum = log_sum(row);
    CHECK(fabs(t->logprobs[k] - (row[t->tokens[k]] - sum)) <= 1e-5);
    CHECK_EQUAL(t->tops[k], TOP);
    for (int i = 0; i < TOP; i++) {
        int better = 0;
        const puna_logprob *p = &t->top[k][i];
        for (int id = 0; id < T5_VOCABULARY; id++)
            better += row[id] > row[p->id] || (row[id] == row[p->id] && id < p->id);
        CHECK_EQUAL(better, i);
        CHECK(fabs(p->logprob - (row[p->id] - sum)) <= 1e-5);
        if (p->id == t->tokens[k]) CHECK(p->logprob == t->logprobs[k]);
    }
}

/* Of decoders, by what the model says of the whole answer. Not to ask changes nothing. */
static void they_are_the_models_own(void) {
    static told t, silent;
    static float logits[(PROMPT + T5_NEW) * T5_VOCABULARY];
    bed b;
    int32_t ids[PROMPT + T5_NEW];
    puna_engine_options o = bed_options(2, 64, 5, PUNA_CACHE_F32);
    NEED(bed_open(&b, "llama.gguf", &o));
    for (int round = 0; round < 4; round++) {
        bed_result r;
        puna_generation g = t5_search(2 + (uint32_t)round, 1.5f, PUNA_EARLY_NEVER);
        for (int i = 0; i < PROMPT; i++) ids[i] = 20 + (i * 37 + round * 11) % 300;
        NEED(bed_start(&b, &r, ids, PROMPT, &g) == PUNA_OK);
        take(&b, &silent);
        g.top_logprobs = TOP;
        NEED(bed_start(&b, &r, ids, PROMPT, &g) == PUNA_OK);
        take(&b, &t);
        CHECK(t.count > 0 && t.count == silent.count && t.score == silent.score);
        CHECK(memcmp(t.tokens, silent.tokens, t.count * sizeof *t.tokens) == 0);
        memcpy(ids + PROMPT, t.tokens, t.count * sizeof *ids);
        NEED(puna_engine_logits(b.engine, ids, PROMPT + t.count, PROMPT - 1, logits, (PROMPT + T5_NEW) * T5_VOCABULARY,
                                NULL, &b.error) == PUNA_OK);
        double sum = 0;
        for (uint32_t k = 0; k < t.count; k++) {
            check_place(&t, k, logits + (size_t)k * T5_VOCABULARY);
            sum += t.logprobs[k];
            CHECK(silent.logprobs[k] == 0 && silent.tops[k] == 0);
        }
        CHECK(fabs(sum / pow(t.count, 1.5) - t.score) <= 1e-5);
    }
    bed_close(&b);
}

/* ---- requests ---- */

static puna_engine_info info_of(const bed *b) {
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(b->engine, &info);
    return info;
}

static void a_search_is_one_request(void) {
    bed b;
    static bed_result r[4];
    int32_t ids[PROMPT];
    uint32_t most = 0;
    puna_step step = {.size = sizeof step};
    puna_engine_options o = bed_options(1, 64, 9, PUNA_CACHE_F16);
    o.max_queue = 1;
    NEED(bed_open(&b, "llama.gguf", &o));
    for (int i = 0; i < PROMPT; i++) ids[i] = 20 + i * 37 % 300;
    puna_generation g = t5_search(4, 1, PUNA_EARLY_NEVER), plain = bed_generation(T5_NEW);
    for (uint32_t i = 0; i < 3; i++) NEED(bed_start(&b, &r[i], ids, PROMPT - i, i < 2 ? &g : &plain) == PUNA_OK);
    for (int i = 0; i < 6; i++) {
        NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        puna_engine_info info = info_of(&b);
        CHECK_EQUAL(info.running + info.waiting, 3);
        CHECK_EQUAL(info.sequences, 3);
        CHECK_EQUAL(step.active, 3);
        if (step.sequences > most) most = step.sequences;
        bed_take(&b, r, 3);
    }
    CHECK_EQUAL(most, 9); /* places in the batch */
    CHECK_EQUAL(info_of(&b).running, 3);
    CHECK(puna_sequence_pause(b.engine, r[0].sequence, &b.error) == PUNA_OK);
    CHECK_EQUAL(info_of(&b).running, 2);
    CHECK_EQUAL(info_of(&b).paused, 1);
    CHECK(puna_sequence_resume(b.engine, r[0].sequence, &b.error) == PUNA_OK);
    CHECK_EQUAL(info_of(&b).paused, 0);
    /* nine places and one of the queue are for ten requests, not for what these are made of */
    static bed_result more[8];
    for (uint32_t i = 0; i < 7; i++) NEED(bed_start(&b, &more[i], ids, 5 + i, &plain) == PUNA_OK);
    CHECK_EQUAL(bed_start(&b, &more[7], ids, 5, &plain), PUNA_BUSY);
    bed_run(&b, more, 7, 2000);
    CHECK_EQUAL(info_of(&b).running + info_of(&b).waiting + info_of(&b).paused, 0);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(log_probabilities_are_transformers);
    TEST(they_are_the_models_own);
    TEST(a_search_is_one_request);
    return testing_end();
}
