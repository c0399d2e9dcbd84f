// SPDX-License-Identifier: Apache-2.0
/* Every stated limit (docs/security.md has the table), at its edge and one past it. */
#include <stdlib.h>

#include "api/bed.h"

static void past(puna_status status, const puna_error *e, const char *subject, const char *words) {
    CHECK_EQUAL(status, PUNA_INVALID_ARGUMENT);
    if (!strstr(e->subject, subject) || !strstr(e->message, words))
        testing_fail(__FILE__, __LINE__, "\"%s: %s\" lacks %s or %s", e->subject, e->message, subject, words);
}

/* ---- Options ---- */

static bed b;

static puna_status engine(puna_engine_options o) {
    puna_engine *made = NULL;
    b.error = (puna_error)PUNA_ERROR_INIT;
    puna_status status = puna_engine_create(b.model, &o, &made, &b.error);
    CHECK((made != NULL) == (status == PUNA_OK));
    puna_engine_close(made);
    return status;
}

static puna_engine_options small(void) {
    puna_engine_options o = bed_options(1, 16, 1, PUNA_CACHE_F16);
    o.context_length = 64;
    return o;
}

static void options_of_engines(void) {
    puna_engine_options o = small();
    NEED(bed_open(&b, "llama_q4_0.gguf", &o));
#define EDGE(field, low, high) \
    do { \
        o = small(); \
        o.field = (high); \
        CHECK_EQUAL(engine(o), PUNA_OK); \
        o.field = (high) + 1; \
        past(engine(o), &b.error, #field, "may be"); \
        o.field = UINT32_MAX; \
        past(engine(o), &b.error, #field, "may be"); \
        if ((low) == 0) break; \
        o.field = (low); \
        CHECK_EQUAL(engine(o), PUNA_OK); \
        o.field = (low) - 1; \
        past(engine(o), &b.error, #field, "may be"); \
    } while (0)
    EDGE(max_sequences, 1, 1024);
    EDGE(max_queue, 0, 1000000);
    EDGE(step_tokens, 1, 4096);
    o = small();
    o.context_length = 2;
    CHECK_EQUAL(engine(o), PUNA_OK);
    o.context_length = 1;
    past(engine(o), &b.error, "context_length", "may be");
    o.context_length = 1u << 30; /* allowed, and more than this machine has */
    CHECK_EQUAL(engine(o), PUNA_OUT_OF_MEMORY);
    o.context_length++;
    past(engine(o), &b.error, "context_length", "may be");
    bed_close(&b);
}

static void threads(void) {
    puna_engine_options o = small();
    puna_model_options how;
    puna_model *m = NULL;
    puna_error error = PUNA_ERROR_INIT;
    NEED(bed_open(&b, "llama_q4_0.gguf", &o));
    o.threads = 256;
    CHECK_EQUAL(engine(o), PUNA_OK);
    o.threads = 257;
    past(engine(o), &b.error, "threads", "0 to 256");
    bed_close(&b);
    puna_model_options_default(&how);
    how.threads = 256;
    CHECK_EQUAL(puna_model_load(PUNA_TEST_DATA "/tiny/llama_q4_0.gguf", &how, NULL, &m, &error), PUNA_OK);
    puna_model_close(m);
    how.threads = 257;
    past(puna_model_load(PUNA_TEST_DATA "/tiny/llama_q4_0.gguf", &how, NULL, &m, &error), &error, "threads",
         "0 to 256");
}

static void the_queue(void) {
    puna_engine_options o = small();
    puna_generation g = bed_generation(2);
    int32_t ids[] = {1, 2, 3};
    o.max_queue = 3;
    NEED(bed_open(&b, "llama_q4_0.gguf", &o));
    static bed_result r[8];
    for (int i = 0; i < 4; i++) CHECK_EQUAL(bed_start(&b, &r[i], ids, 3, &g), PUNA_OK); /* one computes, three wait */
    CHECK_EQUAL(bed_start(&b, &r[4], ids, 3, &g), PUNA_BUSY);
    bed_run(&b, r, 4, 100);
    for (int i = 0; i < 4; i++) CHECK_EQUAL(r[i].count, 2);
    CHECK_EQUAL(bed_start(&b, &r[5], ids, 3, &g), PUNA_OK);
    bed_run(&b, r, 6, 100);
    CHECK_EQUAL(r[5].count, 2);
    bed_close(&b);
}

/* A million are open; one more is refused, until one is closed. */
static void sequences(void) {
    enum { MOST = 1000000 };
    puna_engine_options o = small();
    uint64_t *ids = malloc(MOST * sizeof *ids), more;
    NEED(ids && bed_open(&b, "llama_q4_0.gguf", &o));
    puna_status status = PUNA_OK;
    for (int i = 0; i < MOST && status == PUNA_OK; i++) status = puna_sequence_open(b.engine, &ids[i], &b.error);
    CHECK_EQUAL(status, PUNA_OK);
    CHECK_EQUAL(puna_sequence_open(b.engine, &more, &b.error), PUNA_BUSY);
    CHECK_EQUAL(puna_sequence_close(b.engine, ids[MOST / 2], &b.error), PUNA_OK);
    CHECK_EQUAL(puna_sequence_open(b.engine, &more, &b.error), PUNA_OK);
    CHECK_EQUAL(puna_sequence_open(b.engine, &more, &b.error), PUNA_BUSY);
    free(ids);
    bed_close(&b);
}

/* ---- A generation ---- */

static puna_status start(const puna_generation *g) {
    int32_t ids[] = {1, 2, 3};
    uint64_t sequence;
    b.error = (puna_error)PUNA_ERROR_INIT;
    puna_status status = puna_sequence_open(b.engine, &sequence, &b.error);
    if (status == PUNA_OK) status = puna_sequence_generate(b.engine, sequence, ids, 3, g, &b.error);
    puna_sequence_close(b.engine, sequence, NULL);
    return status;
}

static void lists_of_a_generation(void) {
    puna_engine_options o = small();
    NEED(bed_open(&b, "llama_q4_0.gguf", &o));
    static puna_stage stages[PUNA_MAX_STAGES + 1];
    static puna_text texts[PUNA_MAX_STOPS + 1];
    for (uint32_t i = 0; i <= PUNA_MAX_STAGES; i++) stages[i] = (puna_stage){.kind = PUNA_SAMPLE_TOP_K, .value = 5};
    for (uint32_t i = 0; i <= PUNA_MAX_STOPS; i++) texts[i] = (puna_text){"stop", 4};
    puna_generation g = bed_generation(1);
    g.stages = stages;
    g.stage_count = PUNA_MAX_STAGES;
    CHECK_EQUAL(start(&g), PUNA_OK);
    g.stage_count++;
    past(start(&g), &b.error, "stage_count", "at most 16");

    g = bed_generation(1);
    g.stops = texts;
    g.stop_count = PUNA_MAX_STOPS;
    CHECK_EQUAL(start(&g), PUNA_OK);
    g.stop_count++;
    past(start(&g), &b.error, "stops", "at most 64");

    static char text[(64 << 10) + 1];
    memset(text, 'x', sizeof text);
    texts[0] = (puna_text){text, 64 << 10};
    g.stop_count = 1;
    CHECK_EQUAL(start(&g), PUNA_OK);
    texts[0].length++;
    past(start(&g), &b.error, "stops", "64 KiB");

    g = bed_generation(1);
    g.top_logprobs = PUNA_MAX_TOP_LOGPROBS;
    CHECK_EQUAL(start(&g), PUNA_OK);
    g.top_logprobs++;
    past(start(&g), &b.error, "top_logprobs", "64");

    g = bed_generation(1);
    stages[0] = (puna_stage){.kind = PUNA_SAMPLE_DRY, .value = 1, .base = 2, .allowed_length = 1, .window = -1};
    g.stages = stages;
    g.stage_count = 1;
    for (uint32_t i = 0; i <= PUNA_MAX_BREAKERS; i++) texts[i] = (puna_text){text, 1};
    g.breakers = texts;
    g.breaker_count = PUNA_MAX_BREAKERS;
    CHECK_EQUAL(start(&g), PUNA_OK);
    g.breaker_count++;
    past(start(&g), &b.error, "breaker_count", "at most 64");
    g.breaker_count = 1;
    texts[0].length = PUNA_MAX_BREAKER_BYTES;
    CHECK_EQUAL(start(&g), PUNA_OK);
    texts[0].length++;
    past(start(&g), &b.error, "breaker", "64");

    uint32_t vocabulary = (uint32_t)b.info.vocabulary;
    puna_bias *biases = calloc(vocabulary + 1, sizeof *biases);
    NEED(biases);
    for (uint32_t i = 0; i < vocabulary; i++) biases[i].id = (int32_t)i;
    g = bed_generation(1);
    g.biases = biases;
    g.bias_count = vocabulary;
    CHECK_EQUAL(start(&g), PUNA_OK);
    g.bias_count++;
    past(start(&g), &b.error, "bias", "");
    free(biases);
    bed_close(&b);
}

/* A prompt that fills the context but for one place, and one that leaves none. */
static void prompts(void) {
    puna_engine_options o = small();
    static int32_t ids[65];
    static bed_result r;
    puna_generation g = bed_generation(5);
    NEED(bed_open(&b, "llama_q4_0.gguf", &o));
    for (int i = 0; i < 65; i++) ids[i] = 1 + i % 50;
    CHECK_EQUAL(bed_start(&b, &r, ids, 63, &g), PUNA_OK);
    bed_run(&b, &r, 1, 50);
    CHECK_EQUAL(r.stop, PUNA_STOP_CONTEXT);
    CHECK_EQUAL(bed_start(&b, &r, ids, 64, &g), PUNA_CONTEXT_FULL);
    CHECK(b.error.needed == 65 && b.error.available == 64);
    CHECK_EQUAL(bed_start(&b, &r, ids, 0, &g), PUNA_INVALID_ARGUMENT);
    bed_close(&b);
}

/* Texts are 2^31 - 1 bytes at most: said before a byte is read. */
static void texts(void) {
    puna_engine_options o = small();
    uint64_t count = 0;
    NEED(bed_open(&b, "tiny-chat.gguf", &o));
    const puna_tokenizer *t = puna_model_tokenizer(b.model);
    past(puna_tokenize(t, "x", 1ull << 31, 0, NULL, 0, &count, &b.error), &b.error, "length", "2 GiB - 1");
    past(puna_tokenize(t, "x", UINT64_MAX, 0, NULL, 0, &count, &b.error), &b.error, "length", "2 GiB - 1");
    size_t most = 1 << 20;
    char *grammar = malloc(most + 2);
    puna_grammar *g = NULL;
    NEED(grammar);
    memset(grammar, ' ', most + 2);
    memcpy(grammar, "root ::= \"a\"", 12);
    CHECK_EQUAL(puna_grammar_compile(t, grammar, most, &g, &b.error), PUNA_OK);
    puna_grammar_close(g);
    past(puna_grammar_compile(t, grammar, most + 1, &g, &b.error), &b.error, "", "");
    CHECK(g == NULL);
    free(grammar);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(options_of_engines);
    TEST(threads);
    TEST(the_queue);
    TEST(sequences);
    TEST(lists_of_a_generation);
    TEST(prompts);
    TEST(texts);
    return testing_end();
}
