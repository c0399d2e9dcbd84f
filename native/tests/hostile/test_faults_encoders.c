// SPDX-License-Identifier: Apache-2.0
/* Each allocation failing in turn while an encoder reads texts, and while a unigram vocabulary is loaded and used: a
   status each time, and all memory back. */
#include <string.h>

#include "base/memory.h"
#include "puna.h"
#include "testing.h"

static uint32_t allowed;
static bool refused;

static bool ration(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    if (allowed-- > 0) return true;
    allowed = 0;
    return !(refused = true);
}

static float vectors[2048];

static puna_status read_texts(puna_error *error) {
    puna_model *model = NULL;
    puna_engine *engine = NULL;
    puna_model_options how;
    puna_engine_options o;
    puna_model_options_default(&how);
    puna_engine_options_default(&o);
    how.threads = o.threads = 1;
    puna_status status = puna_model_load(PUNA_TEST_DATA "/encoders/bert_masked.gguf", &how, NULL, &model, error);
    if (status == PUNA_OK) status = puna_engine_create(model, &o, &engine, error);
    int32_t ids[32];
    uint32_t types[32], position = 2;
    uint64_t count = 0;
    puna_text first = {"a \xC3\xA9t\xC3\xA9 b", 9}, second = {"x y", 3};
    if (status == PUNA_OK)
        status = puna_tokenize_pair(puna_model_tokenizer(model), &first, &second, 0, ids, types, 32, &count, error);
    puna_input inputs[2] = {{ids, types, count}, {ids, types, 3}};
    if (status == PUNA_OK) status = puna_engine_embed(engine, inputs, 2, NULL, vectors, 64, NULL, error);
    if (status == PUNA_OK) status = puna_engine_fill(engine, inputs, &position, 1, vectors, 2048, error);
    puna_engine_close(engine);
    puna_model_close(model);
    return status;
}

static puna_status use_unigrams(puna_error *error) {
    puna_file *file = NULL;
    puna_tokenizer *t = NULL;
    int32_t ids[64];
    uint64_t count;
    puna_status status = puna_file_open(PUNA_TEST_DATA "/tokenizer/unigram.gguf", &file, error);
    if (status == PUNA_OK) status = puna_tokenizer_load(file, &t, error);
    if (status == PUNA_OK) status = puna_tokenize(t, "Once upon a time 12", 19, 0, ids, 64, &count, error);
    puna_tokenizer_close(t);
    puna_file_close(file);
    return status;
}

/* A sampled answer, a search and a fork of an encoder-decoder. Where a step has no memory for one of them, its end says
   so. */
static puna_status take_answers(puna_engine *engine, puna_error *error) {
    puna_status status = PUNA_OK;
    puna_step step = {.size = sizeof step, .active = 1};
    while (status == PUNA_OK && step.active) {
        puna_event event = {.size = sizeof event};
        puna_status stepped = puna_engine_step(engine, &step, error);
        if (stepped != PUNA_OK) return stepped;
        while (puna_engine_next_event(engine, &event))
            if (event.kind == PUNA_EVENT_FINISHED && event.stop == PUNA_STOP_FAILED) status = event.status;
    }
    return status;
}

static puna_status answer_texts(puna_error *error) {
    puna_model *model = NULL;
    puna_engine *engine = NULL;
    puna_model_options how;
    puna_engine_options o;
    puna_model_options_default(&how);
    puna_engine_options_default(&o);
    how.threads = o.threads = 1;
    puna_status status = puna_model_load(PUNA_TEST_DATA "/text_to_text/t5_gated.gguf", &how, NULL, &model, error);
    if (status == PUNA_OK) status = puna_engine_create(model, &o, &engine, error);
    int32_t ids[] = {40, 50, 60, 1};
    uint64_t plain, searched, fork;
    puna_generation g;
    puna_generation_default(&g);
    g.max_tokens = 6;
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    if (status == PUNA_OK) status = puna_sequence_open(engine, &plain, error);
    if (status == PUNA_OK) status = puna_sequence_open(engine, &searched, error);
    if (status == PUNA_OK) status = puna_sequence_generate(engine, plain, ids, 4, &g, error);
    g.flags = 0;
    g.beams = 3;
    if (status == PUNA_OK) status = puna_sequence_generate(engine, searched, ids, 3, &g, error);
    if (status == PUNA_OK) status = take_answers(engine, error);
    if (status == PUNA_OK) status = puna_sequence_fork(engine, plain, 3, &fork, error);
    if (status == PUNA_OK) status = puna_engine_answer_logits(engine, ids, 4, ids, 3, 3, vectors, 2048, NULL, error);
    puna_engine_close(engine);
    puna_model_close(model);
    return status;
}

static void each_fails(puna_status (*work)(puna_error *)) {
    uint64_t before = puna_memory();
    uint32_t n = 0;
    for (; n < 5000; n++) {
        puna_error error = PUNA_ERROR_INIT;
        allowed = n;
        refused = false;
        memory_set_gate(ration, NULL);
        puna_status status = work(&error);
        memory_set_gate(NULL, NULL);
        while (puna_log_next(&(puna_log_entry){.size = sizeof(puna_log_entry)})) {}
        CHECK_EQUAL(puna_memory(), before);
        if (!refused) {
            CHECK_EQUAL(status, PUNA_OK);
            break;
        }
        CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
    }
    CHECK(n > 10 && n < 5000);
    printf("       %u allocations failed\n", n);
}

static void an_encoder_that_reads(void) { each_fails(read_texts); }
static void an_encoder_decoder_that_answers(void) { each_fails(answer_texts); }
static void unigrams(void) { each_fails(use_unigrams); }

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(an_encoder_that_reads);
    TEST(an_encoder_decoder_that_answers);
    TEST(unigrams);
    return testing_end();
}
