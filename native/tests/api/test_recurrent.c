// SPDX-License-Identifier: Apache-2.0
/*
 * Sequences of recurrent and hybrid models: their states have no way back but to a page's end, and whatever callers do
 * (fork, rewind, save, share, evict) the tokens are those of a sequence that was computed at once.
 */
#include <stdlib.h>

#include "api/bed.h"

#define LENGTH 150
#define MOST 420
#define NEW 12
#define VOCABULARY 384

static const char *const models[] = {"mamba.gguf", "mamba2_q8_0.gguf", "lfm2.gguf", "granitehybrid.gguf"};
#define MODELS (sizeof models / sizeof *models)
#define ROUNDS TESTING_THIN(60, 20, 10)

static void fill(int32_t *ids, uint32_t count, uint32_t salt) {
    uint32_t x = salt * 2654435761u + 1;
    for (uint32_t i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        ids[i] = (int32_t)(5 + (x >> 8) % (VOCABULARY - 5));
    }
}

static puna_generation sampled(void) {
    static const puna_stage stages[] = {{.kind = PUNA_SAMPLE_TOP_K, .value = 40},
                                        {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 1.2f}};
    puna_generation g = bed_generation(NEW);
    g.seed = 77;
    g.logprobs = 1;
    g.stages = stages;
    g.stage_count = 2;
    return g;
}

static bool go_on(bed *b, bed_result *r, uint64_t id, const int32_t *ids, uint32_t count) {
    puna_generation g = sampled();
    *r = (bed_result){.sequence = id};
    if (puna_sequence_generate(b->engine, id, ids, count, &g, &b->error) != PUNA_OK) return false;
    bed_run(b, r, 1, 10000);
    return r->stop == PUNA_STOP_LENGTH;
}

/* The same prompt, by an engine that knows nothing. */
static void check(const char *model, const int32_t *ids, uint32_t count, const bed_result *got, const char *what) {
    bed b;
    static bed_result fresh;
    uint64_t id;
    puna_engine_options o = bed_options(1, 512, 1, PUNA_CACHE_F16);
    NEED(bed_open(&b, model, &o) && puna_sequence_open(b.engine, &id, &b.error) == PUNA_OK);
    NEED(go_on(&b, &fresh, id, ids, count));
    CHECK_EQUAL(fresh.cached_tokens, 0);
    CHECK_EQUAL(fresh.count, got->count);
    if (memcmp(fresh.tokens, got->tokens, got->count * sizeof *got->tokens) != 0 ||
        memcmp(fresh.logprobs, got->logprobs, got->count * sizeof *got->logprobs) != 0)
        testing_fail(__FILE__, __LINE__, "%s: other tokens or log-probabilities %s", model, what);
    bed_close(&b);
}

/* Where a sequence ends it goes on; before that from the last whole page that is known. */
static void what_was_computed_serves(void) {
    for (size_t m = 0; m < MODELS; m++) {
        bed b;
        static bed_result r;
        int32_t ids[MOST];
        uint64_t id, fork, other;
        puna_engine_options o = bed_options(2, m % 2 ? 64 : 512, 3, PUNA_CACHE_F16);
        NEED(bed_open(&b, models[m], &o) && puna_sequence_open(b.engine, &id, &b.error) == PUNA_OK);
        fill(ids, MOST, 1);
        NEED(go_on(&b, &r, id, ids, LENGTH));
        memcpy(ids + LENGTH, r.tokens, NEW * sizeof *ids);
        NEED(puna_sequence_fork(b.engine, id, PUNA_ALL, &fork, &b.error) == PUNA_OK);
        NEED(go_on(&b, &r, id, ids, LENGTH + NEW + 9));
        CHECK_EQUAL(r.cached_tokens, LENGTH + NEW - 1);
        check(models[m], ids, LENGTH + NEW + 9, &r, "of a second turn");
        NEED(go_on(&b, &r, fork, ids, LENGTH + NEW + 5));
        CHECK_EQUAL(r.cached_tokens, LENGTH + NEW - 1);
        check(models[m], ids, LENGTH + NEW + 5, &r, "of a fork");
        NEED(puna_sequence_rewind(b.engine, fork, 140, &b.error) == PUNA_OK);
        NEED(go_on(&b, &r, fork, ids, 141));
        CHECK_EQUAL(r.cached_tokens, 128);
        check(models[m], ids, 141, &r, "after rewinding");
        NEED(puna_sequence_fork(b.engine, id, 100, &other, &b.error) == PUNA_OK);
        NEED(go_on(&b, &r, other, ids, 101));
        CHECK_EQUAL(r.cached_tokens, 64);
        check(models[m], ids, 101, &r, "of a fork from the middle");
        ids[140] ^= 1;
        NEED(puna_sequence_close(b.engine, id, &b.error) == PUNA_OK);
        NEED(puna_sequence_open(b.engine, &id, &b.error) == PUNA_OK);
        NEED(go_on(&b, &r, id, ids, LENGTH));
        CHECK_EQUAL(r.cached_tokens, 128); /* a stranger's */
        check(models[m], ids, LENGTH, &r, "after a shared prefix");
        bed_close(&b);
    }
}

typedef struct player {
    bed bed;
    const char *model;
    uint64_t ids[3];
    int32_t tokens[3][MOST];
    uint32_t counts[3];
} player;

static void say(player *p, uint32_t i) {
    static bed_result r;
    uint32_t keep = testing_below(3) ? p->counts[i] : testing_below(p->counts[i] + 1), more = 1 + testing_below(90);
    if (keep + more + NEW >= MOST - 1) keep = testing_below(100);
    fill(p->tokens[i] + keep, more, testing_below(3)); /* few, so that they meet */
    NEED(go_on(&p->bed, &r, p->ids[i], p->tokens[i], keep + more));
    check(p->model, p->tokens[i], keep + more, &r, "in some order of calls");
    memcpy(p->tokens[i] + keep + more, r.tokens, r.count * sizeof(int32_t));
    p->counts[i] = keep + more + r.count;
}

static void fork_to(player *p, uint32_t from, uint32_t to) {
    uint32_t count = testing_below(2) ? p->counts[from] : testing_below(p->counts[from] + 1);
    NEED(puna_sequence_close(p->bed.engine, p->ids[to], &p->bed.error) == PUNA_OK);
    NEED(puna_sequence_fork(p->bed.engine, p->ids[from], count, &p->ids[to], &p->bed.error) == PUNA_OK);
    memcpy(p->tokens[to], p->tokens[from], count * sizeof(int32_t));
    p->counts[to] = count;
}

static void save_and_restore(player *p, uint32_t i) {
    uint64_t length = 0;
    puna_error *error = &p->bed.error;
    puna_sequence_save(p->bed.engine, p->ids[i], NULL, 0, &length, error);
    uint8_t *bytes = malloc(length);
    NEED(bytes && puna_sequence_save(p->bed.engine, p->ids[i], bytes, length, &length, error) == PUNA_OK);
    NEED(puna_sequence_close(p->bed.engine, p->ids[i], error) == PUNA_OK);
    NEED(puna_sequence_restore(p->bed.engine, bytes, length, &p->ids[i], error) == PUNA_OK);
    free(bytes);
}

/* Three sequences in a cache for little more than one: they lose their pages to each other. */
static void any_order_of_calls_gives_the_same(void) {
    for (size_t m = 0; m < MODELS; m++) {
        static player p;
        puna_engine_options o = bed_options(1 + m % 3, 30 + testing_below(200), 1, PUNA_CACHE_F16);
        p = (player){.model = models[m]};
        o.context_length = MOST + 28;
        NEED(bed_open(&p.bed, p.model, &o)); /* max_sequences 1: a cache for one */
        for (int i = 0; i < 3; i++) NEED(puna_sequence_open(p.bed.engine, &p.ids[i], &p.bed.error) == PUNA_OK);
        for (uint32_t round = 0; round < ROUNDS; round++) {
            uint32_t i = testing_below(3), k = testing_below(3);
            switch (testing_below(6)) {
            case 0:
                if (i != k) fork_to(&p, i, k);
                break;
            case 1:
                p.counts[i] = testing_below(p.counts[i] + 1);
                NEED(puna_sequence_rewind(p.bed.engine, p.ids[i], p.counts[i], &p.bed.error) == PUNA_OK);
                break;
            case 2: save_and_restore(&p, i); break;
            default: say(&p, i);
            }
        }
        bed_close(&p.bed);
    }
}

/* Texts' vectors, read in any steps. */
static void vectors_are_the_same(void) {
    for (size_t m = 0; m < MODELS; m++) {
        static float vectors[2][3 * 96];
        int32_t ids[3][LENGTH];
        puna_input inputs[3];
        puna_embedding how;
        puna_embedding_default(&how);
        how.pooling = PUNA_POOL_MEAN;
        for (uint32_t i = 0; i < 3; i++) {
            fill(ids[i], LENGTH, 40 + i);
            inputs[i] = (puna_input){ids[i], NULL, LENGTH - 50 * i};
        }
        for (uint32_t i = 0; i < 2; i++) {
            bed b;
            puna_engine_options o = bed_options(1 + i, i ? 23 : 512, 3, PUNA_CACHE_F16);
            NEED(bed_open(&b, models[m], &o));
            puna_status status = puna_engine_embed(b.engine, inputs, 3, &how, vectors[i], 3 * 96, NULL, &b.error);
            if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s: %s", models[m], b.error.message);
            bed_close(&b);
        }
        CHECK(memcmp(vectors[0], vectors[1], sizeof vectors[0]) == 0 && vectors[0][0] != 0.0f);
    }
}

static void a_full_context_shifts(void) {
    static bed_result r[2];
    for (uint32_t i = 0; i < 2; i++) {
        bed b;
        int32_t ids[LENGTH];
        uint64_t id;
        puna_engine_options o = bed_options(1, i ? 9 : 512, 1, PUNA_CACHE_F16);
        puna_generation g = sampled();
        o.context_length = LENGTH + 4;
        g.flags |= PUNA_GENERATE_SHIFT;
        g.keep = 70;
        NEED(bed_open(&b, "granitehybrid.gguf", &o) && puna_sequence_open(b.engine, &id, &b.error) == PUNA_OK);
        fill(ids, LENGTH, 3);
        r[i] = (bed_result){.sequence = id};
        NEED(puna_sequence_generate(b.engine, id, ids, LENGTH, &g, &b.error) == PUNA_OK);
        bed_run(&b, &r[i], 1, 10000);
        CHECK_EQUAL(r[i].count, NEW);
        bed_close(&b);
    }
    CHECK(memcmp(r[0].tokens, r[1].tokens, sizeof r[0].tokens) == 0);
    CHECK(memcmp(r[0].logprobs, r[1].logprobs, sizeof r[0].logprobs) == 0);
}

/* Guesses would need a way back: none are made, and no recurrent model makes any. */
static void nothing_is_guessed(void) {
    bed b;
    static bed_result r;
    int32_t ids[LENGTH];
    uint64_t id;
    puna_engine_options o = bed_options(1, 64, 1, PUNA_CACHE_F16);
    puna_engine_info info = {.size = sizeof info};
    o.speculation = PUNA_SPECULATE_LOOKUP;
    o.draft_least = 2;
    NEED(bed_open(&b, "mamba.gguf", &o) && puna_sequence_open(b.engine, &id, &b.error) == PUNA_OK);
    for (uint32_t i = 0; i < LENGTH; i++) ids[i] = 20 + (int32_t)(i % 3);
    NEED(go_on(&b, &r, id, ids, LENGTH));
    check("mamba.gguf", ids, LENGTH, &r, "where speculation was asked for");
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.drafted_tokens, 0);
    bed target;
    NEED(bed_open(&target, "llama.gguf", NULL));
    puna_engine *engine = NULL;
    o.speculation = PUNA_SPECULATE_DRAFT;
    o.draft = b.model;
    CHECK_EQUAL(puna_engine_create(target.model, &o, &engine, &target.error), PUNA_UNSUPPORTED);
    CHECK(strstr(target.error.message, "recurrent") != NULL);
    bed_close(&target);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(what_was_computed_serves);
    TEST(any_order_of_calls_gives_the_same);
    TEST(vectors_are_the_same);
    TEST(a_full_context_shifts);
    TEST(nothing_is_guessed);
    return testing_end();
}
