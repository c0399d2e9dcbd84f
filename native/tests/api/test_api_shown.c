// SPDX-License-Identifier: Apache-2.0
/* Logits that are shown to the caller before a token is chosen: PUNA_GENERATE_LOGITS and puna_sequence_choose. */
#include <math.h>
#include <stdlib.h>

#include "api/bed.h"

#define TOKENS 40u

static const int32_t prompt[] = {5, 77, 12, 300, 41, 9, 150};
#define PROMPT (sizeof prompt / sizeof *prompt)

static puna_generation shown(uint32_t tokens) {
    puna_generation g = bed_generation(tokens);
    g.flags |= PUNA_GENERATE_LOGITS;
    return g;
}

static const puna_stage freely[] = {{.kind = PUNA_SAMPLE_TOP_K, .value = 20},
                                    {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 1.3f}};

static void alone(bed *b, bed_result *r, puna_generation g) {
    g.flags &= ~(uint32_t)PUNA_GENERATE_LOGITS;
    NEED(bed_start(b, r, prompt, PROMPT, &g) == PUNA_OK);
    bed_run(b, r, 1, 500);
}

/* Takes the events of a step: tokens and ends go to the results; the row that was shown, if one was, is copied. */
static bool take(bed *b, bed_result *r, float *row) {
    bool asked = false;
    for (puna_event e = {.size = sizeof e}; puna_engine_next_event(b->engine, &e);) {
        if (e.sequence != r->sequence) continue;
        if (e.kind == PUNA_EVENT_TOKEN) r->tokens[r->count++] = e.token;
        if (e.kind == PUNA_EVENT_TOKEN) r->logprobs[r->count - 1] = e.logprob;
        if (e.kind == PUNA_EVENT_FINISHED) {
            r->stop = e.stop;
            r->status = e.status;
        }
        if (e.kind != PUNA_EVENT_LOGITS) continue;
        CHECK_EQUAL(e.logit_count, b->info.vocabulary);
        CHECK(e.logits && !asked);
        if (e.logits) memcpy(row, e.logits, e.logit_count * sizeof *row);
        asked = true;
    }
    return asked;
}

static bool step(bed *b, puna_step *report) {
    *report = (puna_step){.size = sizeof *report};
    puna_status status = puna_engine_step(b->engine, report, &b->error);
    CHECK_EQUAL(status, PUNA_OK);
    return status == PUNA_OK;
}

/* Handed back as they were (copied, or NULL), they give the tokens that come unseen; alone and among others. */
static void what_is_not_changed_changes_nothing(void) {
    bed b;
    static bed_result r, others[3], expected;
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    puna_step report;
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    float *row = malloc((size_t)b.info.vocabulary * sizeof *row);
    NEED(row);
    for (int round = 0; round < 4; round++) {
        puna_generation g = shown(TOKENS), plain = bed_generation(20);
        g.stages = freely;
        g.stage_count = round & 1 ? 2 : 0;
        g.seed = 7;
        g.logprobs = 1;
        alone(&b, &expected, g);
        for (int i = 0; round & 2 && i < 3; i++)
            NEED(bed_start(&b, &others[i], prompt + i, PROMPT - (size_t)i, &plain) == PUNA_OK);
        NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK);
        for (int n = 0; n < 200 && r.stop == PUNA_STOP_NONE && step(&b, &report); n++) {
            if (!take(&b, &r, row)) continue;
            bool same = n % 2;
            CHECK_EQUAL(puna_sequence_choose(b.engine, r.sequence, same ? row : NULL, same ? b.info.vocabulary : 0,
                                             &b.error), PUNA_OK);
        }
        CHECK_EQUAL(r.stop, PUNA_STOP_LENGTH);
        CHECK_EQUAL(r.count, TOKENS);
        CHECK(memcmp(r.tokens, expected.tokens, TOKENS * sizeof *prompt) == 0);
        CHECK(memcmp(r.logprobs, expected.logprobs, TOKENS * sizeof *r.logprobs) == 0);
    }
    free(row);
    bed_close(&b);
}

/* What the caller leaves is what is chosen from; the shown rows are those of puna_engine_logits. */
static void what_is_changed_is_chosen_from(void) {
    bed b;
    static bed_result r;
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    puna_step report;
    puna_generation g = shown(10);
    int32_t ids[PROMPT + 10];
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    size_t width = (size_t)b.info.vocabulary;
    float *rows = malloc(12 * width * sizeof *rows), *raw = malloc(10 * width * sizeof *raw);
    NEED(rows && raw);
    g.logprobs = 1;
    NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK);
    for (uint32_t n = 0; n < 200 && r.stop == PUNA_STOP_NONE && step(&b, &report);) {
        if (!take(&b, &r, rows + n * width)) continue;
        float *banned = rows + 11 * width;
        for (size_t i = 0; i < width; i++) banned[i] = -INFINITY;
        banned[20 + n] = -3;
        CHECK_EQUAL(puna_sequence_choose(b.engine, r.sequence, banned, width, &b.error), PUNA_OK);
        n++;
    }
    CHECK_EQUAL(r.count, 10);
    memcpy(ids, prompt, sizeof prompt);
    for (int32_t i = 0; i < 10; i++) {
        CHECK_EQUAL(r.tokens[i], 20 + i);
        CHECK(r.logprobs[i] == 0); /* there was no other */
        ids[PROMPT + (size_t)i] = 20 + i;
    }
    NEED(puna_engine_logits(b.engine, ids, PROMPT + 9, PROMPT - 1, raw, 10 * width, NULL, &b.error) == PUNA_OK);
    CHECK(memcmp(raw, rows, 10 * width * sizeof *raw) == 0);
    free(raw);
    free(rows);
    bed_close(&b);
}

/* While its caller thinks, the others get a token in every step, and an engine that has nothing else to do says so. */
static void others_go_on_meanwhile(void) {
    bed b;
    static bed_result r, other;
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    puna_engine_info info = {.size = sizeof info};
    puna_step report;
    puna_generation g = shown(5), plain = bed_generation(30);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    float *row = malloc((size_t)b.info.vocabulary * sizeof *row);
    NEED(row);
    NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK && step(&b, &report) && take(&b, &r, row));
    CHECK_EQUAL(report.active, 0);
    NEED(step(&b, &report));
    CHECK(report.active == 0 && report.sequences == 0 && report.events == 0);
    NEED(bed_start(&b, &other, prompt, 3, &plain) == PUNA_OK);
    for (uint32_t n = 1; n <= 30; n++) {
        NEED(step(&b, &report));
        bed_take(&b, &other, 1);
        CHECK_EQUAL(other.count, n);
        CHECK_EQUAL(report.active, n < 30);
        puna_engine_describe(b.engine, &info);
        CHECK_EQUAL(info.running, n < 30 ? 2 : 1); /* it keeps its place */
    }
    NEED(puna_sequence_choose(b.engine, r.sequence, NULL, 0, &b.error) == PUNA_OK);
    NEED(step(&b, &report) && take(&b, &r, row)); /* the token, and the next row, in one step */
    CHECK_EQUAL(r.count, 1);
    free(row);
    bed_close(&b);
}

static void refuse(bed *b, uint64_t sequence, const float *row, uint64_t count, puna_status status, const char *says) {
    puna_error error = PUNA_ERROR_INIT;
    CHECK_EQUAL(puna_sequence_choose(b->engine, sequence, row, count, &error), status);
    if (!strstr(error.message, says)) testing_fail(__FILE__, __LINE__, "\"%s\" lacks \"%s\"", error.message, says);
}

static void mistakes_change_nothing(void) {
    bed b;
    static bed_result r, expected;
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    puna_step report;
    puna_generation g = shown(3);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    alone(&b, &expected, g);
    size_t width = (size_t)b.info.vocabulary;
    float *row = malloc(width * sizeof *row), *bad = malloc(width * sizeof *bad);
    NEED(row && bad);
    refuse(&b, 12345, NULL, 0, PUNA_CLOSED, "12345");
    NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK);
    refuse(&b, r.sequence, NULL, 0, PUNA_INVALID_ARGUMENT, "wait for a choice");
    while (r.stop == PUNA_STOP_NONE) {
        NEED(step(&b, &report));
        if (!take(&b, &r, row)) continue;
        refuse(&b, r.sequence, row, width - 1, PUNA_INVALID_ARGUMENT, "count is");
        refuse(&b, r.sequence, row, 0, PUNA_INVALID_ARGUMENT, "count is 0");
        memcpy(bad, row, width * sizeof *bad);
        bad[17] = NAN;
        refuse(&b, r.sequence, bad, width, PUNA_NOT_FINITE, "handed in hold NaN");
        bad[17] = INFINITY;
        refuse(&b, r.sequence, bad, width, PUNA_NOT_FINITE, "+inf");
        for (size_t i = 0; i < width; i++) bad[i] = -INFINITY;
        refuse(&b, r.sequence, bad, width, PUNA_NOT_FINITE, "no finite number");
        CHECK_EQUAL(puna_sequence_choose(b.engine, r.sequence, NULL, 0, &b.error), PUNA_OK);
        refuse(&b, r.sequence, row, width, PUNA_INVALID_ARGUMENT, "wait for a choice");
    }
    CHECK(r.count == 3 && memcmp(r.tokens, expected.tokens, 3 * sizeof *prompt) == 0);
    refuse(&b, r.sequence, NULL, 0, PUNA_INVALID_ARGUMENT, "wait for a choice");
    free(bad);
    free(row);
    bed_close(&b);
}

/* In a cache for one: who thinks long is paused, loses its pages to another one, and goes on to the same tokens. */
static void a_slow_caller_gives_way(void) {
    bed b;
    static bed_result r, other, expected;
    static int32_t ids[200];
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    puna_engine_info info = {.size = sizeof info};
    puna_step report;
    puna_generation g = shown(30), plain = bed_generation(30);
    o.context_length = 256;
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    puna_engine_describe(b.engine, &info);
    alone(&b, &expected, g);
    puna_engine_close(b.engine);
    o.cache_bytes = 4 * info.page_bytes;
    b.engine = NULL;
    NEED(puna_engine_create(b.model, &o, &b.engine, &b.error) == PUNA_OK);
    float *row = malloc((size_t)b.info.vocabulary * sizeof *row);
    NEED(row);
    for (int32_t i = 0; i < 200; i++) ids[i] = 3 + i * 7 % 300;
    NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK);
    for (uint32_t n = 0; r.stop == PUNA_STOP_NONE && n < 500; n++) {
        NEED(step(&b, &report));
        if (!take(&b, &r, row)) continue;
        if (r.count == 12) {
            NEED(puna_sequence_pause(b.engine, r.sequence, &b.error) == PUNA_OK);
            NEED(bed_start(&b, &other, ids, 200, &plain) == PUNA_OK);
            bed_run(&b, &other, 1, 100);
            CHECK_EQUAL(other.count, 30);
            puna_engine_describe(b.engine, &info);
            CHECK_EQUAL(info.paused, 1);
            CHECK_EQUAL(info.evictions, 1);
            CHECK_EQUAL(puna_sequence_choose(b.engine, r.sequence, row, b.info.vocabulary, &b.error), PUNA_OK);
            NEED(step(&b, &report));
            CHECK(report.active == 0 && report.events == 0);
            NEED(puna_sequence_resume(b.engine, r.sequence, &b.error) == PUNA_OK);
        } else {
            NEED(puna_sequence_choose(b.engine, r.sequence, row, b.info.vocabulary, &b.error) == PUNA_OK);
        }
    }
    CHECK(r.count == 30 && memcmp(r.tokens, expected.tokens, 30 * sizeof *prompt) == 0);
    free(row);
    bed_close(&b);
}

/* It ends while its caller thinks: cancelled, closed (a row that nobody took yet is gone with it), with the engine. */
static void it_may_end_while_it_waits(void) {
    bed b;
    static bed_result r;
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    puna_step report;
    puna_generation g = shown(9);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    for (int paused = 0; paused < 2; paused++) {
        NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK && step(&b, &report));
        if (paused) NEED(puna_sequence_pause(b.engine, r.sequence, &b.error) == PUNA_OK);
        NEED(puna_sequence_cancel(b.engine, r.sequence, &b.error) == PUNA_OK && step(&b, &report));
        bed_take(&b, &r, 1);
        CHECK_EQUAL(r.stop, PUNA_STOP_CANCELLED);
        CHECK_EQUAL(r.count, 0);
        NEED(puna_sequence_generate(b.engine, r.sequence, prompt, PROMPT, &g, &b.error) == PUNA_OK);
        NEED(step(&b, &report));
        NEED(puna_sequence_close(b.engine, r.sequence, &b.error) == PUNA_OK);
        puna_event e = {.size = sizeof e};
        CHECK_EQUAL(puna_engine_next_event(b.engine, &e), 1);
        CHECK(e.kind == PUNA_EVENT_LOGITS && e.logits == NULL && e.logit_count == 0);
    }
    NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK && step(&b, &report));
    bed_close(&b);
}

/* A grammar has the last word: what it forbids can't be chosen, and where the caller leaves nothing, that is said. */
static void a_grammar_has_the_last_word(void) {
    bed b;
    static bed_result r;
    static const char text[] = "root ::= [a-c]+";
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    puna_step report;
    puna_generation g = shown(6);
    NEED(bed_open(&b, "tiny-chat.gguf", &o));
    NEED(puna_grammar_compile(puna_model_tokenizer(b.model), text, sizeof text - 1, &g.grammar, &b.error) == PUNA_OK);
    size_t width = (size_t)b.info.vocabulary;
    float *row = malloc(width * sizeof *row);
    NEED(row);
    for (int leave = 1; leave >= 0; leave--) {
        NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK);
        for (int n = 0; n < 100 && r.stop == PUNA_STOP_NONE && step(&b, &report); n++) {
            if (!take(&b, &r, row)) continue;
            for (size_t i = 0; i < width; i++) {
                puna_token t = {.size = sizeof t};
                puna_tokenizer_token(puna_model_tokenizer(b.model), (int32_t)i, &t, NULL);
                if (t.bytes_length && t.bytes[0] >= 'a' && t.bytes[0] <= (leave ? 'b' : 'c')) row[i] = -INFINITY;
                else row[i] = (float)(i % 7);
            }
            CHECK_EQUAL(puna_sequence_choose(b.engine, r.sequence, row, width, &b.error), PUNA_OK);
        }
        CHECK_EQUAL(r.stop, leave ? PUNA_STOP_LENGTH : PUNA_STOP_FAILED);
        if (!leave) CHECK_EQUAL(r.status, PUNA_NOT_FINITE);
        for (uint32_t i = 0; i < r.count; i++) {
            puna_token t = {.size = sizeof t};
            puna_tokenizer_token(puna_model_tokenizer(b.model), r.tokens[i], &t, NULL);
            CHECK(t.bytes_length > 0 && t.bytes[0] == 'c');
        }
    }
    puna_grammar_close(g.grammar);
    free(row);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(what_is_not_changed_changes_nothing);
    TEST(what_is_changed_is_chosen_from);
    TEST(others_go_on_meanwhile);
    TEST(mistakes_change_nothing);
    TEST(a_slow_caller_gives_way);
    TEST(it_may_end_while_it_waits);
    TEST(a_grammar_has_the_last_word);
    return testing_end();
}
