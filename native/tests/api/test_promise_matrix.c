// SPDX-License-Identifier: Apache-2.0
/*
 * The promise, whole, on a tiny model: every tier x 1, 2, 3 threads x batches of 1, 7, 32 x chunks of 7, 64, 512, and
 * in each of these a sequence of every history. What each says is compared with what a quiet engine said: the reference
 * tier, one thread, one sequence at a time, whole prompts. On a model with windows, whose pages pass: every pair
 * of these settings; on the reference tier each of them.
 *
 * A sequence reads `first` tokens and says SAID of its own (its first turn), reads MORE and says ANSWER: the tokens and
 * the best log-probabilities of that answer are compared. The histories lie between the turns.
 *
 * The same once more with guesses, of 1 to 16 tokens, on prompts that repeat themselves, so that much is guessed:
 * rightly by histories that are nearly greedy, wrongly by the others.
 */
#include <stdlib.h>

#include "api/bed.h"

#define SAID 6
#define MORE 5
#define ANSWER 8
#define MOST 200
#define COUNT(array) (sizeof array / sizeof *array)

/* One in so many of the matrix's engines; each history is in all of them. */
#if defined(__SANITIZE_THREAD__)
#define STRIDE 19
#elif defined(__SANITIZE_ADDRESS__)
#define STRIDE 13
#else
#define STRIDE 1
#endif

enum { FRESH, KEPT, FORKED, REWOUND, RESTORED, SHARED, EVICTED, PAUSED, HISTORIES, BATCH = 32 };
enum { REF }; /* among the tiers */

static const char *const names[] = {"fresh", "kept", "forked", "rewound", "restored", "prefix-shared",
                                    "evicted and recomputed", "paused and resumed"};
static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};
static const uint32_t batches[] = {1, 7, BATCH}, chunks[] = {7, 64, 512};

/* What a quiet engine made of each history's ids. */
typedef struct expectation {
    uint32_t first, known, all;   /* tokens of the first turn's prompt, of that turn, before the answer */
    int32_t ids[HISTORIES][MOST]; /* before the answer */
    bed_result answers[HISTORIES];
    uint8_t *state; /* of RESTORED, after its first turn */
    uint64_t length;
    bool paged; /* of a recurrent model: states are known at pages' ends */
} expectation;

/* `period`: after so many it begins again; 0: never. */
static void fill(int32_t *ids, uint32_t count, uint32_t salt, uint32_t period) {
    uint32_t x = salt * 2654435761u + 1;
    for (uint32_t i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        ids[i] = period && i >= period ? ids[i - period] : (int32_t)(5 + (x >> 8) % 370);
    }
}

static puna_generation drawn(uint32_t history, uint32_t tokens) {
    static const puna_stage stages[][2] = {{{.kind = PUNA_SAMPLE_PENALTIES, .window = 32, .repeat = 1.1f},
                                            {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 1.2f}},
                                           {{.kind = PUNA_SAMPLE_TOP_K, .value = 4},
                                            {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.05f}}};
    puna_generation g = bed_generation(tokens);
    g.seed = 100 + history;
    g.logprobs = 1;
    g.top_logprobs = 64;
    g.stages = stages[history % 2];
    g.stage_count = 2;
    return g;
}

/* Starts a turn; the sequence is r's, or a new one. */
static void start(bed *b, bed_result *r, const int32_t *ids, uint32_t count, uint32_t history, uint32_t tokens) {
    puna_generation g = drawn(history, tokens);
    *r = (bed_result){.sequence = r->sequence};
    if (!r->sequence) CHECK_EQUAL(puna_sequence_open(b->engine, &r->sequence, &b->error), PUNA_OK);
    CHECK_EQUAL(puna_sequence_generate(b->engine, r->sequence, ids, count, &g, &b->error), PUNA_OK);
}

static bool expect(const char *model, uint32_t type, uint32_t length, uint32_t period, expectation *x) {
    bed b;
    puna_engine_options o = bed_options(1, 512, 1, type);
    x->first = length;
    x->known = length + SAID;
    x->all = x->known + MORE;
    bed_tier("ref");
    if (!bed_open(&b, model, &o)) return false;
    for (uint32_t h = 0; h < HISTORIES; h++) {
        bed_result first = {0}, *answer = &x->answers[h];
        fill(x->ids[h], x->all, h, period);
        start(&b, &first, x->ids[h], x->first, h, SAID);
        bed_run(&b, &first, 1, 1000);
        memcpy(x->ids[h] + x->first, first.tokens, SAID * sizeof *first.tokens);
        if (h == RESTORED) {
            puna_sequence_save(b.engine, first.sequence, NULL, 0, &x->length, &b.error);
            x->state = malloc(x->length);
            CHECK_EQUAL(puna_sequence_save(b.engine, first.sequence, x->state, x->length, &x->length, &b.error),
                        PUNA_OK);
        }
        *answer = (bed_result){0}; /* a sequence of its own */
        CHECK_EQUAL(puna_sequence_close(b.engine, first.sequence, &b.error), PUNA_OK);
        CHECK_EQUAL(puna_engine_trim(b.engine, &b.error), PUNA_OK);
        start(&b, answer, x->ids[h], x->all, h, ANSWER);
        bed_run(&b, answer, 1, 1000);
        CHECK(answer->count == ANSWER && answer->cached_tokens == 0);
    }
    bed_tier(NULL);
    bed_close(&b);
    return true;
}

/* First turns, and what lies between them and the second. */
static void prepare(bed *b, const expectation *x, bed_result *r) {
    static const uint32_t turns[] = {KEPT, FORKED, REWOUND, SHARED};
    uint64_t fork = 0;
    start(b, &r[EVICTED], x->ids[EVICTED], x->first, EVICTED, SAID);
    bed_run(b, &r[EVICTED], 1, 2000);
    CHECK_EQUAL(puna_engine_trim(b->engine, &b->error), PUNA_OK);
    for (size_t i = 0; i < COUNT(turns); i++)
        start(b, &r[turns[i]], x->ids[turns[i]], x->first, turns[i], turns[i] == REWOUND ? SAID + 5 : SAID);
    bed_run(b, r, HISTORIES, 2000);
    for (uint32_t h = 0; h < HISTORIES; h++)
        if (r[h].count) CHECK(memcmp(r[h].tokens, x->ids[h] + x->first, SAID * sizeof *r->tokens) == 0);
    CHECK_EQUAL(puna_sequence_fork(b->engine, r[FORKED].sequence, PUNA_ALL, &fork, &b->error), PUNA_OK);
    CHECK_EQUAL(puna_sequence_close(b->engine, r[FORKED].sequence, &b->error), PUNA_OK);
    r[FORKED].sequence = fork;
    CHECK_EQUAL(puna_sequence_rewind(b->engine, r[REWOUND].sequence, x->known, &b->error), PUNA_OK);
    CHECK_EQUAL(puna_sequence_close(b->engine, r[SHARED].sequence, &b->error), PUNA_OK);
    r[SHARED].sequence = 0;
    CHECK_EQUAL(puna_sequence_restore(b->engine, x->state, x->length, &r[RESTORED].sequence, &b->error), PUNA_OK);
}

static void steps(bed *b, bed_result *r, uint32_t count, int most) {
    puna_step step = {.size = sizeof step, .active = 1};
    for (int n = 0; n < most && step.active; n++) {
        CHECK_EQUAL(puna_engine_step(b->engine, &step, &b->error), PUNA_OK);
        bed_take(b, r, count);
    }
}

/* Until PAUSED has said two tokens; then it is held back, loses its pages, and comes back later. */
static void pause_one(bed *b, bed_result *r, uint32_t count) {
    for (int n = 0; n < 2000 && r[PAUSED].count < 2; n++) steps(b, r, count, 1);
    CHECK(r[PAUSED].stop == PUNA_STOP_NONE);
    CHECK_EQUAL(puna_sequence_pause(b->engine, r[PAUSED].sequence, &b->error), PUNA_OK);
    CHECK_EQUAL(puna_engine_trim(b->engine, &b->error), PUNA_OK);
    steps(b, r, count, 3);
    CHECK_EQUAL(puna_sequence_resume(b->engine, r[PAUSED].sequence, &b->error), PUNA_OK);
}

/* `others`: beside the histories, so that a batch is full. */
static void answer_all(bed *b, const expectation *x, bed_result *r, uint32_t others) {
    uint32_t count = HISTORIES + others;
    for (uint32_t i = HISTORIES; i < count; i++) {
        int32_t ids[4];
        fill(ids, 4, 1000 + i, 0);
        start(b, &r[i], ids, 2 + i % 3, i, 3 * ANSWER);
    }
    for (uint32_t h = 0; h < HISTORIES; h++) start(b, &r[h], x->ids[h], x->all, h, ANSWER);
    pause_one(b, r, count);
    bed_run(b, r, count, 5000);
}

/* One after the other, nobody beside them. */
static void answer_alone(bed *b, const expectation *x, bed_result *r) {
    for (uint32_t h = 0; h < HISTORIES; h++) {
        start(b, &r[h], x->ids[h], x->all, h, ANSWER);
        if (h == PAUSED) pause_one(b, r, HISTORIES);
        bed_run(b, r, HISTORIES, 2000);
    }
}

static void compare(const expectation *x, const bed_result *r, const char *where) {
    for (uint32_t h = 0; h < HISTORIES; h++) {
        const bed_result *e = &x->answers[h];
        if (r[h].count != ANSWER || memcmp(r[h].tokens, e->tokens, ANSWER * sizeof *e->tokens) != 0 ||
            memcmp(r[h].logprobs, e->logprobs, ANSWER * sizeof *e->logprobs) != 0 || r[h].top != e->top)
            testing_fail(__FILE__, __LINE__, "%s, %s: other tokens or log-probabilities", where, names[h]);
    }
    uint32_t rewound = x->paged ? x->known / 64 * 64 : x->known;
    const uint32_t cached[] = {[FRESH] = 0, [KEPT] = x->known - 1, [FORKED] = x->known - 1, [REWOUND] = rewound,
                               [RESTORED] = x->known - 1, [SHARED] = x->all / 64 * 64, [EVICTED] = 0};
    for (uint32_t h = 0; h < PAUSED; h++) /* each had the history that it is named for */
        if (r[h].cached_tokens != cached[h])
            testing_fail(__FILE__, __LINE__, "%s, %s: %u tokens were cached, not %u", where, names[h],
                         r[h].cached_tokens, cached[h]);
}

/* `guesses`: tokens that are guessed ahead in a step, 0: none; `draft`: a model that does, NULL: lookup. How many were
   is added to `sum`. */
static void one_engine(const char *model, uint32_t type, const char *tier, uint32_t threads, uint32_t batch,
                       uint32_t chunk, uint32_t guesses, puna_model *draft, const expectation *x,
                       puna_engine_info *sum) {
    bed b;
    static bed_result r[BATCH];
    char where[160];
    puna_engine_options o = bed_options(threads, chunk, batch, type);
    puna_engine_info info = {.size = sizeof info};
    o.cache_bytes = 256u << 20;
    o.speculation = guesses ? PUNA_SPECULATE_LOOKUP : PUNA_SPECULATE_OFF;
    o.draft_tokens = guesses;
    if (draft) { /* the model itself, which does not pay */
        o.speculation = PUNA_SPECULATE_DRAFT;
        o.draft = draft;
        o.draft_least = guesses;
    }
    memset(r, 0, sizeof r);
    snprintf(where, sizeof where, "%s on %s, %u threads, batch of %u, chunks of %u, %u guesses%s", model, tier, threads,
             batch, chunk, guesses, draft ? " of a draft model" : "");
    NEED(bed_open(&b, model, &o));
    prepare(&b, x, r);
    if (batch == 1) answer_alone(&b, x, r);
    else answer_all(&b, x, r, batch > HISTORIES ? batch - HISTORIES : 0);
    compare(x, r, where);
    puna_engine_describe(b.engine, &info);
    sum->drafted_tokens += info.drafted_tokens;
    sum->accepted_tokens += info.accepted_tokens;
    bed_close(&b);
}

/* Of threads, batches and chunks all triples, or each pair; on the reference tier, in which everything takes ten times
   as long, each of them once. */
static bool chosen(size_t tier, uint32_t threads, size_t batch, size_t chunk, bool pairs) {
    if (tier == REF && (threads + 2 * batch) % 3 != 0) return false;
    return (!pairs && tier != REF) || (threads + batch + chunk) % 3 == 0;
}

/* `pairs`: of threads, batch and chunk not all triples, but each pair. `guessing`: with guesses; `draft`: the file of a
   model that guesses. */
static void matrix(const char *model, uint32_t type, uint32_t length, bool pairs, bool guessing, const char *draft) {
    static const uint32_t guesses[] = {1, 3, 16, 7};
    static expectation x;
    memset(&x, 0, sizeof x);
    x.paged = strcmp(model, "granitehybrid.gguf") == 0;
    NEED(expect(model, type, length, guessing ? 11 : 0, &x));
    uint32_t number = 0;
    puna_engine_info sum = {0};
    puna_model *guesser = NULL;
    puna_error error = PUNA_ERROR_INIT;
    for (size_t t = 0; t < COUNT(tiers); t++) {
        if (!bed_tier(tiers[t])) continue;
        if (draft) NEED(puna_model_load(draft, NULL, NULL, &guesser, &error) == PUNA_OK);
        for (uint32_t threads = 1; threads <= 3; threads++)
            for (size_t i = 0; i < COUNT(batches); i++)
                for (size_t c = 0; c < COUNT(chunks); c++)
                    if (chosen(t, threads, i, c, pairs) && number++ % STRIDE == 0)
                        one_engine(model, type, tiers[t], threads, batches[i], chunks[c],
                                   guessing ? guesses[number % COUNT(guesses)] : 0, guesser, &x, &sum);
        puna_model_close(guesser);
        guesser = NULL;
    }
    bed_tier(NULL);
    free(x.state);
    if (!guessing) CHECK(sum.drafted_tokens == 0);
    else if (sum.accepted_tokens * STRIDE < 20 || (sum.drafted_tokens - sum.accepted_tokens) * STRIDE < 20)
        testing_fail(__FILE__, __LINE__, "%s: of %llu guesses, %llu were right: too few to compare", model,
                     (unsigned long long)sum.drafted_tokens, (unsigned long long)sum.accepted_tokens);
}

#define TINY(name) PUNA_TEST_DATA "/tiny/" name

static void quantized_weights(void) { matrix("llama_q4_1.gguf", PUNA_CACHE_F16, 70, false, false, NULL); }

static void windows_and_a_quantized_cache(void) { matrix("gemma3_q8_0.gguf", PUNA_CACHE_Q8_0, 165, true, false, NULL); }

static void states_beside_attention(void) { matrix("granitehybrid.gguf", PUNA_CACHE_F16, 70, true, false, NULL); }

static void quantized_weights_with_lookup(void) { matrix("llama_q4_1.gguf", PUNA_CACHE_F16, 70, false, true, NULL); }

static void windows_with_lookup(void) { matrix("gemma3_q8_0.gguf", PUNA_CACHE_Q8_0, 165, true, true, NULL); }

static void quantized_weights_with_a_draft_model(void) {
    matrix("llama_q4_1.gguf", PUNA_CACHE_F16, 70, true, true, TINY("llama_q4_1.gguf"));
}

static void windows_with_a_draft_model(void) {
    matrix("gemma3_q8_0.gguf", PUNA_CACHE_Q8_0, 165, true, true, TINY("gemma3_q8_0.gguf"));
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(quantized_weights);
    TEST(windows_and_a_quantized_cache);
    TEST(states_beside_attention);
    TEST(quantized_weights_with_lookup);
    TEST(windows_with_lookup);
    TEST(quantized_weights_with_a_draft_model);
    TEST(windows_with_a_draft_model);
    return testing_end();
}
