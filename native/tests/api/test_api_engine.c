// SPDX-License-Identifier: Apache-2.0
/* The engine through puna.h: what is told, who waits, what is refused, and that nothing is lost. */
#include <math.h>
#include <stdlib.h>

#include "api/bed.h"
#include "base/memory.h"

static const int32_t prompt[] = {20, 31, 47, 88, 102, 9, 77};
#define PROMPT (sizeof prompt / sizeof *prompt)

static void a_generation_ends_by_length(void) {
    bed b;
    static bed_result r;
    NEED(bed_open(&b, "llama_q8_0.gguf", NULL));
    puna_generation g = bed_generation(12);
    NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 20);
    CHECK_EQUAL(r.stop, PUNA_STOP_LENGTH);
    CHECK_EQUAL(r.count, 12);
    CHECK_EQUAL(r.prompt_tokens, PROMPT);
    int32_t ids[64];
    uint64_t count = 0;
    NEED(puna_sequence_tokens(b.engine, r.sequence, ids, 64, &count, &b.error) == PUNA_OK);
    CHECK_EQUAL(count, PROMPT + 12);
    CHECK(memcmp(ids, prompt, sizeof prompt) == 0 && memcmp(ids + PROMPT, r.tokens, 12 * sizeof *ids) == 0);
    CHECK_EQUAL(puna_sequence_tokens(b.engine, r.sequence, ids, 5, &count, &b.error), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(b.error.needed, PROMPT + 12);
    bed_close(&b);
}

static void a_generation_ends_with_the_context(void) {
    bed b;
    static bed_result r;
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    o.context_length = 30;
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    puna_generation g = bed_generation(0);
    NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    CHECK_EQUAL(r.stop, PUNA_STOP_CONTEXT);
    CHECK_EQUAL(r.count, 30 - PROMPT);
    int32_t ids[40] = {0};
    CHECK_EQUAL(bed_start(&b, &r, ids, 30, &g), PUNA_CONTEXT_FULL);
    CHECK(strstr(b.error.message, "context of 30") != NULL);
    CHECK_EQUAL(bed_start(&b, &r, ids, 29, &g), PUNA_OK);
    bed_run(&b, &r, 1, 100);
    CHECK_EQUAL(r.count, 1);
    bed_close(&b);
}

/* The text of what the model says anyway, cut into stops: the first one that occurs ends it. */
static void a_stop_string_ends_it_and_is_not_handed_out(void) {
    bed b;
    static bed_result whole, r;
    NEED(bed_open(&b, "tiny-chat.gguf", NULL));
    char text[256];
    int32_t ids[64];
    uint64_t count = 0;
    strcpy(text, "<|im_start|>user\nTell me a story about a ferry.<|im_end|>\n<|im_start|>assistant\n");
    const puna_tokenizer *t = puna_model_tokenizer(b.model);
    NEED(puna_tokenize(t, text, strlen(text), PUNA_TOKENIZE_SPECIAL, ids, 64, &count, &b.error) == PUNA_OK);
    puna_generation g = bed_generation(60);
    NEED(bed_start(&b, &whole, ids, count, &g) == PUNA_OK);
    bed_run(&b, &whole, 1, 200);
    NEED(whole.text_length > 80);
    for (size_t at = 1; at < 60; at += 13) {
        char stop[16];
        memcpy(stop, whole.text + at, 9);
        stop[9] = 0;
        size_t first = (size_t)(strstr(whole.text, stop) - whole.text);
        puna_text stops[2] = {{"never said \x7f", 12}, {stop, 9}};
        g.stops = stops;
        g.stop_count = 2;
        NEED(bed_start(&b, &r, ids, count, &g) == PUNA_OK);
        bed_run(&b, &r, 1, 200);
        CHECK_EQUAL(r.stop, PUNA_STOP_TEXT);
        CHECK_EQUAL(r.stop_index, 1);
        CHECK_EQUAL(r.text_length, first);
        CHECK(memcmp(r.text, whole.text, first) == 0);
    }
    bed_close(&b);
}

static void the_end_token_ends_it(void) {
    bed b;
    static bed_result r;
    int32_t ids[64];
    uint64_t count = 0;
    NEED(bed_open(&b, "tiny-chat.gguf", NULL));
    const char *text = "<|im_start|>user\nSay yes.<|im_end|>\n<|im_start|>assistant\n";
    const puna_tokenizer *t = puna_model_tokenizer(b.model);
    NEED(puna_tokenize(t, text, strlen(text), PUNA_TOKENIZE_SPECIAL, ids, 64, &count, &b.error) == PUNA_OK);
    NEED(bed_start(&b, &r, ids, count, NULL) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    CHECK_EQUAL(r.stop, PUNA_STOP_END);
    CHECK_EQUAL(r.count, 3);
    CHECK(r.text_length > 0 && strstr(r.text, "<|") == NULL);
    bed_close(&b);
}

static void a_cancelled_one_ends_at_the_next_step_and_gives_back_its_pages(void) {
    bed b;
    static bed_result r, waiting;
    puna_step step = {.size = sizeof step};
    puna_engine_info info = {.size = sizeof info};
    puna_engine_options o = bed_options(2, 64, 1, PUNA_CACHE_F16);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    puna_generation g = bed_generation(100);
    NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK);
    NEED(bed_start(&b, &waiting, prompt, PROMPT, &g) == PUNA_OK);
    for (int i = 0; i < 5; i++) {
        NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        bed_take(&b, &r, 1);
    }
    CHECK_EQUAL(step.active, 2);
    CHECK_EQUAL(puna_sequence_cancel(b.engine, r.sequence, &b.error), PUNA_OK);
    CHECK_EQUAL(puna_sequence_cancel(b.engine, waiting.sequence, &b.error), PUNA_OK);
    NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
    bed_result both[2] = {r, waiting};
    bed_take(&b, both, 2);
    CHECK_EQUAL(both[0].stop, PUNA_STOP_CANCELLED);
    CHECK_EQUAL(both[1].stop, PUNA_STOP_CANCELLED);
    CHECK_EQUAL(both[0].count, 5);
    CHECK_EQUAL(both[1].count, 0);
    CHECK_EQUAL(step.active, 0);
    CHECK_EQUAL(puna_sequence_close(b.engine, r.sequence, &b.error), PUNA_OK);
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.pages_used, 0);
    CHECK_EQUAL(puna_sequence_cancel(b.engine, r.sequence, &b.error), PUNA_CLOSED);
    bed_close(&b);
}

static void requests_wait_in_order_and_a_full_queue_refuses(void) {
    bed b;
    static bed_result r[4];
    puna_engine_options o = bed_options(2, 64, 1, PUNA_CACHE_F16);
    o.max_queue = 2;
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    puna_generation g = bed_generation(4);
    for (int i = 0; i < 3; i++) CHECK_EQUAL(bed_start(&b, &r[i], prompt, PROMPT, &g), PUNA_OK);
    CHECK_EQUAL(bed_start(&b, &r[3], prompt, PROMPT, &g), PUNA_BUSY);
    CHECK(strstr(b.error.message, "queue") != NULL);
    int finished = 0;
    for (int n = 0; n < 40 && finished < 3; n++) {
        puna_step step = {.size = sizeof step};
        NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        CHECK(step.sequences <= 1);
        bed_take(&b, r, 3);
        while (finished < 3 && r[finished].stop != PUNA_STOP_NONE) finished++;
        for (int i = finished + 1; i < 3; i++) CHECK_EQUAL(r[i].count, 0); /* nobody overtakes */
    }
    CHECK_EQUAL(finished, 3);
    bed_close(&b);
}

/* A long prompt comes in slices; those that generate go on meanwhile, a token a step. */
static void a_long_prompt_does_not_stall_the_others(void) {
    bed b;
    static bed_result quick, slow;
    int32_t ids[300];
    for (int i = 0; i < 300; i++) ids[i] = 5 + i % 370;
    puna_engine_options o = bed_options(2, 32, 2, PUNA_CACHE_F16);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    puna_generation g = bed_generation(40), one = bed_generation(1);
    NEED(bed_start(&b, &quick, prompt, PROMPT, &g) == PUNA_OK);
    puna_step step = {.size = sizeof step};
    NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
    bed_take(&b, &quick, 1);
    NEED(bed_start(&b, &slow, ids, 300, &one) == PUNA_OK);
    uint32_t steps = 0;
    while (slow.stop == PUNA_STOP_NONE && steps < 40) {
        uint32_t before = quick.count;
        NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        bed_result both[2] = {quick, slow};
        bed_take(&b, both, 2);
        quick = both[0];
        slow = both[1];
        CHECK(step.prompt_tokens <= 32);
        CHECK_EQUAL(quick.count, before + 1);
        steps++;
    }
    /* 300 tokens in slices of 32 */
    CHECK_EQUAL(steps, 10);
    bed_close(&b);
}

static void closed_and_unknown_sequences_are_told_apart(void) {
    bed b;
    uint64_t id, other;
    NEED(bed_open(&b, "llama_q8_0.gguf", NULL));
    NEED(puna_sequence_open(b.engine, &id, &b.error) == PUNA_OK);
    NEED(puna_sequence_close(b.engine, id, &b.error) == PUNA_OK);
    CHECK_EQUAL(puna_sequence_close(b.engine, id, &b.error), PUNA_CLOSED);
    NEED(puna_sequence_open(b.engine, &other, &b.error) == PUNA_OK);
    CHECK(other != id); /* the slot is used again, the id is not */
    CHECK_EQUAL(puna_sequence_cancel(b.engine, id, &b.error), PUNA_CLOSED);
    CHECK_EQUAL(puna_sequence_cancel(b.engine, 0, &b.error), PUNA_CLOSED);
    CHECK_EQUAL(puna_sequence_cancel(b.engine, UINT64_MAX, &b.error), PUNA_CLOSED);
    CHECK_EQUAL(puna_sequence_cancel(b.engine, other, &b.error), PUNA_OK);
    bed_close(&b);
}

static void bad_arguments_are_sentences(void) {
    bed b;
    static bed_result r;
    NEED(bed_open(&b, "llama_q8_0.gguf", NULL));
    int32_t bad[] = {5, 384};
    CHECK_EQUAL(bed_start(&b, &r, bad, 2, NULL), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(b.error.message, "token 1 is 384; the vocabulary has 0 to 383") != NULL);
    bad[1] = -1;
    CHECK_EQUAL(bed_start(&b, &r, bad, 2, NULL), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(bed_start(&b, &r, bad, 0, NULL), PUNA_INVALID_ARGUMENT);
    puna_generation g = bed_generation(4);
    puna_stage stage = {.kind = PUNA_SAMPLE_TEMPERATURE, .value = NAN};
    g.stages = &stage;
    g.stage_count = 1;
    CHECK_EQUAL(bed_start(&b, &r, prompt, PROMPT, &g), PUNA_INVALID_ARGUMENT);
    g.stage_count = PUNA_MAX_STAGES + 1;
    CHECK_EQUAL(bed_start(&b, &r, prompt, PROMPT, &g), PUNA_INVALID_ARGUMENT);
    g = bed_generation(4);
    puna_text empty = {"", 0};
    g.stops = &empty;
    g.stop_count = 1;
    CHECK_EQUAL(bed_start(&b, &r, prompt, PROMPT, &g), PUNA_INVALID_ARGUMENT);
    g = bed_generation(4);
    g.top_logprobs = PUNA_MAX_TOP_LOGPROBS + 1;
    CHECK_EQUAL(bed_start(&b, &r, prompt, PROMPT, &g), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_engine_step(NULL, NULL, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_engine_next_event(NULL, NULL), 0);
    float logit;
    CHECK_EQUAL(puna_engine_logits(b.engine, prompt, PROMPT, 0, &logit, 1, NULL, &b.error), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(puna_engine_logits(b.engine, prompt, PROMPT, PROMPT, &logit, 1, NULL, &b.error), PUNA_INVALID_ARGUMENT);
    puna_engine *engine;
    puna_engine_options o = bed_options(1, 0, 1, PUNA_CACHE_F16);
    CHECK_EQUAL(puna_engine_create(b.model, &o, &engine, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(b.error.message, "step_tokens is 0; it may be 1 to 4096") != NULL);
    o = bed_options(1, 64, 1, 3);
    CHECK_EQUAL(puna_engine_create(b.model, &o, &engine, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(b.error.message, "cache_type is 3; it may be PUNA_CACHE_F16") != NULL);
    o = bed_options(1, 64, 1, PUNA_CACHE_F16);
    o.context_length = 1u << 30;
    CHECK_EQUAL(puna_engine_create(b.model, &o, &engine, &b.error), PUNA_OUT_OF_MEMORY);
    CHECK(b.error.needed > b.error.available && b.error.available > 0);
    o.context_length = 128;
    o.cache_bytes = 100;
    CHECK_EQUAL(puna_engine_create(b.model, &o, &engine, &b.error), PUNA_OUT_OF_MEMORY);
    bed_close(&b);
}

static void the_engine_outlives_its_model_and_memory_comes_back(void) {
    bed b;
    static bed_result r;
    puna_engine_info before = {.size = sizeof before}, after = {.size = sizeof after};
    NEED(bed_open(&b, "llama_q8_0.gguf", NULL));
    puna_model_close(b.model);
    b.model = NULL;
    puna_engine_describe(b.engine, &before);
    puna_generation g = bed_generation(100);
    for (int round = 0; round < 3; round++) {
        NEED(bed_start(&b, &r, prompt, PROMPT, &g) == PUNA_OK);
        bed_run(&b, &r, 1, 200);
        NEED(puna_sequence_close(b.engine, r.sequence, &b.error) == PUNA_OK);
    }
    puna_engine_describe(b.engine, &after);
    CHECK_EQUAL(after.pages_used, 0);
    CHECK(after.pages_cached > 0); /* a prompt may begin alike */
    NEED(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
    puna_engine_describe(b.engine, &after);
    CHECK_EQUAL(after.pages_cached, 0);
    CHECK(after.memory_bytes < before.memory_bytes + 65536); /* event buffers and tables of ids stay */
    bed_close(&b);
}

static void plans_tell_what_will_be_taken(void) {
    char path[512];
    puna_file *file;
    puna_memory_plan plan = {.size = sizeof plan};
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    bed b;
    NEED(bed_open(&b, "llama_wide_q4_1.gguf", &o));
    snprintf(path, sizeof path, "%s/tiny/llama_wide_q4_1.gguf", PUNA_TEST_DATA);
    NEED(puna_file_open(path, &file, &b.error) == PUNA_OK);
    NEED(puna_plan(file, &o, &plan, &b.error) == PUNA_OK);
    puna_engine_info engine = {.size = sizeof engine};
    puna_engine_describe(b.engine, &engine);
    CHECK(plan.weights <= b.info.memory_bytes && b.info.memory_bytes < plan.weights + (1 << 20));
    CHECK(plan.cache_position * 64 == engine.page_bytes);
    CHECK(plan.scratch > engine.memory_bytes / 2 && plan.scratch < engine.memory_bytes * 2);
    puna_file_close(file);
    bed_close(&b);
}

static int allowed;
static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return allowed-- > 0;
}

/* Load, create, generate with every allocation failing in turn: a status or a failed sequence, never a crash, and the
   next attempt works. */
static void every_failing_allocation_is_told(void) {
    char path[512];
    snprintf(path, sizeof path, "%s/tiny/llama_q8_0.gguf", PUNA_TEST_DATA);
    puna_engine_options o = bed_options(2, 4, 2, PUNA_CACHE_F16);
    puna_stage stages[] = {{.kind = PUNA_SAMPLE_PENALTIES, .window = -1, .repeat = 1.1f},
                           {.kind = PUNA_SAMPLE_TOP_P, .value = .9f}};
    puna_text stop = {"zzz", 3};
    bool done = false;
    for (int n = 0; !done && n < 3000; n++) {
        puna_model *model = NULL;
        puna_engine *engine = NULL;
        puna_error error = PUNA_ERROR_INIT;
        uint64_t id;
        puna_generation g = bed_generation(3);
        g.stages = stages;
        g.stage_count = 2;
        g.stops = &stop;
        g.stop_count = 1;
        g.top_logprobs = 3;
        allowed = n;
        memory_set_gate(gate, NULL);
        puna_status status = puna_model_load(path, NULL, NULL, &model, &error);
        if (status == PUNA_OK) status = puna_engine_create(model, &o, &engine, &error);
        if (status == PUNA_OK) status = puna_sequence_open(engine, &id, &error);
        if (status == PUNA_OK) status = puna_sequence_generate(engine, id, prompt, PROMPT, &g, &error);
        uint32_t stop_reason = PUNA_STOP_NONE;
        for (puna_step step = {.active = 1}; status == PUNA_OK && step.active;) {
            status = puna_engine_step(engine, &step, &error);
            for (puna_event e = {.size = sizeof e}; puna_engine_next_event(engine, &e);)
                if (e.kind == PUNA_EVENT_FINISHED) stop_reason = e.stop;
        }
        memory_set_gate(NULL, NULL);
        done = status == PUNA_OK && stop_reason == PUNA_STOP_LENGTH;
        if (status != PUNA_OK) CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
        else CHECK(stop_reason == PUNA_STOP_LENGTH || stop_reason == PUNA_STOP_FAILED);
        puna_engine_close(engine);
        puna_model_close(model);
    }
    CHECK(done);
}

static void tasks_cancel_loading(void) {
    char path[512];
    puna_task *task;
    puna_model *model = NULL;
    puna_error error = PUNA_ERROR_INIT;
    uint64_t done = 1, total = 1;
    snprintf(path, sizeof path, "%s/tiny/llama_q8_0.gguf", PUNA_TEST_DATA);
    NEED(puna_task_create(&task, &error) == PUNA_OK);
    puna_task_progress(task, &done, &total);
    CHECK(done == 0 && total == 0);
    puna_task_cancel(task);
    CHECK_EQUAL(puna_model_load(path, NULL, task, &model, &error), PUNA_CANCELLED);
    CHECK(model == NULL);
    puna_task_destroy(task);
    NEED(puna_task_create(&task, &error) == PUNA_OK);
    NEED(puna_model_load(path, NULL, task, &model, &error) == PUNA_OK);
    puna_task_progress(task, &done, &total);
    CHECK(done == total && total > 100000);
    puna_task_destroy(task);
    puna_model_close(model);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(a_generation_ends_by_length);
    TEST(a_generation_ends_with_the_context);
    TEST(a_stop_string_ends_it_and_is_not_handed_out);
    TEST(the_end_token_ends_it);
    TEST(a_cancelled_one_ends_at_the_next_step_and_gives_back_its_pages);
    TEST(requests_wait_in_order_and_a_full_queue_refuses);
    TEST(a_long_prompt_does_not_stall_the_others);
    TEST(closed_and_unknown_sequences_are_told_apart);
    TEST(bad_arguments_are_sentences);
    TEST(the_engine_outlives_its_model_and_memory_comes_back);
    TEST(plans_tell_what_will_be_taken);
    TEST(every_failing_allocation_is_told);
    TEST(tasks_cancel_loading);
    return testing_end();
}
