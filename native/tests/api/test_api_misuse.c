// SPDX-License-Identifier: Apache-2.0
/* What callers do wrong: NULL, structs of another header, settings out of range, contexts that are too short. */
#include <math.h>
#include <stdlib.h>

#include "api/bed.h"

/* ---- NULL in every place ---- */

static puna_error error = PUNA_ERROR_INIT;

#define REFUSED(call) \
    do { \
        error = (puna_error)PUNA_ERROR_INIT; \
        CHECK_EQUAL(call, PUNA_INVALID_ARGUMENT); \
        CHECK(error.status == PUNA_INVALID_ARGUMENT && error.subject[0] && error.message[0]); \
    } while (0)

static void null_to_the_library_files_and_tokenizers(void) {
    bed b;
    NEED(bed_open(&b, "tiny-chat.gguf", NULL));
    const puna_file *f = puna_model_file(b.model);
    const puna_tokenizer *t = puna_model_tokenizer(b.model);
    puna_file *file = (puna_file *)&b;
    puna_tokenizer *tokenizer = (puna_tokenizer *)&b;
    uint64_t count = 0;
    int64_t whole;
    double real;
    const char *text;
    int32_t id = 5;
    REFUSED(puna_cpu_describe(NULL, &error));
    puna_kernel_test test = {.size = sizeof test};
    REFUSED(puna_kernel_run(0, NULL, &error));
    REFUSED(puna_kernel_describe(0, NULL, &error));
    REFUSED(puna_kernel_run(puna_kernel_count(), &test, &error));
    REFUSED(puna_kernel_describe(UINT32_MAX, &test, &error));
    REFUSED(puna_task_create(NULL, &error));
    CHECK_EQUAL(puna_log_next(NULL), 0);
    puna_task_cancel(NULL);
    puna_task_progress(NULL, NULL, NULL);
    puna_task_destroy(NULL);
    REFUSED(puna_file_open(NULL, &file, &error));
    CHECK(file == NULL);
    REFUSED(puna_file_open("x", NULL, &error));
    puna_file_close(NULL);
    REFUSED(puna_file_metadata(NULL, 0, NULL, &error));
    REFUSED(puna_file_metadata(f, 0, NULL, &error));
    REFUSED(puna_file_tensor(NULL, 0, NULL, &error));
    REFUSED(puna_file_tensor(f, 0, NULL, &error));
    REFUSED(puna_file_find(NULL, "x", &count, &error));
    REFUSED(puna_file_find(f, NULL, &count, &error));
    REFUSED(puna_file_find(f, "x", NULL, &error));
    REFUSED(puna_file_integer(NULL, 0, 0, &whole, &error));
    REFUSED(puna_file_integer(f, 0, 0, NULL, &error));
    REFUSED(puna_file_real(NULL, 0, 0, &real, &error));
    REFUSED(puna_file_real(f, 0, 0, NULL, &error));
    REFUSED(puna_file_string(NULL, 0, 0, &text, &count, &error));
    REFUSED(puna_file_string(f, 0, 0, NULL, &count, &error));
    REFUSED(puna_file_string(f, 0, 0, &text, NULL, &error));
    REFUSED(puna_tokenizer_load(NULL, &tokenizer, &error));
    CHECK(tokenizer == NULL);
    REFUSED(puna_tokenizer_load(f, NULL, &error));
    puna_tokenizer_close(NULL);
    puna_tokenizer_describe(t, NULL);
    REFUSED(puna_tokenizer_token(NULL, 0, NULL, &error));
    REFUSED(puna_tokenizer_token(t, 0, NULL, &error));
    REFUSED(puna_tokenize(NULL, "x", 1, 0, &id, 1, &count, &error));
    REFUSED(puna_tokenize(t, NULL, 1, 0, &id, 1, &count, &error));
    REFUSED(puna_tokenize(t, "x", 1, 0, NULL, 1, &count, &error));
    REFUSED(puna_tokenize(t, "x", 1, 0, &id, 1, NULL, &error));
    REFUSED(puna_tokenize_parts(NULL, NULL, 0, &id, 1, &count, &error));
    REFUSED(puna_tokenize_parts(t, NULL, 1, &id, 1, &count, &error));
    REFUSED(puna_tokenize_parts(t, &(puna_part){NULL, 1, 0, 0}, 1, &id, 1, &count, &error));
    REFUSED(puna_tokenize_parts(t, NULL, 0, &id, 1, NULL, &error));
    REFUSED(puna_detokenize(NULL, &id, 1, 0, NULL, 0, &count, &error));
    REFUSED(puna_detokenize(t, NULL, 1, 0, NULL, 0, &count, &error));
    REFUSED(puna_detokenize(t, &id, 1, 0, NULL, 1, &count, &error));
    REFUSED(puna_detokenize(t, &id, 1, 0, NULL, 0, NULL, &error));
    CHECK_EQUAL(puna_tokenize(t, NULL, 0, 0, NULL, 0, &count, NULL), PUNA_OK);
    CHECK_EQUAL(puna_file_open(NULL, NULL, NULL), PUNA_INVALID_ARGUMENT); /* nor does it need an error */
    bed_close(&b);
}

static void null_to_models_and_engines(void) {
    bed b;
    NEED(bed_open(&b, "llama_q4_0.gguf", NULL));
    puna_model *model = (puna_model *)&b;
    puna_engine *engine = (puna_engine *)&b, *e = b.engine;
    uint64_t id = 0, count;
    int32_t ids[] = {1, 2};
    float logit;
    puna_generation g = bed_generation(1);
    NEED(puna_sequence_open(e, &id, &error) == PUNA_OK);
    puna_model_options_default(NULL);
    puna_engine_options_default(NULL);
    puna_generation_default(NULL);
    REFUSED(puna_model_load(NULL, NULL, NULL, &model, &error));
    CHECK(model == NULL);
    REFUSED(puna_model_load("x", NULL, NULL, NULL, &error));
    puna_model_close(NULL);
    puna_model_describe(NULL, &b.info);
    puna_model_describe(b.model, NULL);
    CHECK(!puna_model_tokenizer(NULL) && !puna_model_file(NULL));
    REFUSED(puna_engine_create(NULL, NULL, &engine, &error));
    CHECK(engine == NULL);
    REFUSED(puna_engine_create(b.model, NULL, NULL, &error));
    puna_engine_close(NULL);
    puna_engine_describe(e, NULL);
    puna_engine_describe(NULL, NULL);
    REFUSED(puna_sequence_open(NULL, &id, &error));
    REFUSED(puna_sequence_open(e, NULL, &error));
    REFUSED(puna_sequence_generate(NULL, id, ids, 2, NULL, &error));
    REFUSED(puna_sequence_generate(e, id, NULL, 2, NULL, &error));
    REFUSED(puna_sequence_generate(e, id, NULL, 0, NULL, &error));
    g.stop_count = 1;
    REFUSED(puna_sequence_generate(e, id, ids, 2, &g, &error));
    g.stops = &(puna_text){NULL, 3};
    REFUSED(puna_sequence_generate(e, id, ids, 2, &g, &error));
    g.stop_count = 0;
    g.stage_count = 1;
    REFUSED(puna_sequence_generate(e, id, ids, 2, &g, &error));
    REFUSED(puna_sequence_cancel(NULL, id, &error));
    REFUSED(puna_sequence_close(NULL, id, &error));
    REFUSED(puna_sequence_tokens(NULL, id, ids, 2, &count, &error));
    REFUSED(puna_sequence_tokens(e, id, ids, 2, NULL, &error));
    REFUSED(puna_engine_step(NULL, NULL, &error));
    CHECK_EQUAL(puna_engine_next_event(e, NULL), 0);
    CHECK_EQUAL(puna_engine_next_event(NULL, NULL), 0);
    REFUSED(puna_engine_logits(NULL, ids, 2, 0, &logit, 1, NULL, &error));
    REFUSED(puna_engine_logits(e, NULL, 2, 0, &logit, 1, NULL, &error));
    CHECK_EQUAL(puna_engine_logits(e, ids, 2, 0, NULL, UINT64_MAX, NULL, &error), PUNA_BUFFER_TOO_SMALL);
    REFUSED(puna_plan(NULL, NULL, NULL, &error));
    REFUSED(puna_plan(puna_model_file(b.model), NULL, NULL, &error));
    CHECK_EQUAL(puna_engine_step(e, NULL, NULL), PUNA_OK);
    bed_close(&b);
}

/* ---- structs of another header ---- */

typedef void (*filler)(bed *b, void *to);

static void fill_cpu(bed *b, void *to) { CHECK_EQUAL(puna_cpu_describe(to, &b->error), PUNA_OK); }
static void fill_kernel(bed *b, void *to) { CHECK_EQUAL(puna_kernel_run(0, to, &b->error), PUNA_OK); }
static void fill_model(bed *b, void *to) { puna_model_describe(b->model, to); }
static void fill_engine(bed *b, void *to) { puna_engine_describe(b->engine, to); }
static void fill_tokenizer(bed *b, void *to) { puna_tokenizer_describe(puna_model_tokenizer(b->model), to); }
static void fill_token(bed *b, void *to) {
    CHECK_EQUAL(puna_tokenizer_token(puna_model_tokenizer(b->model), 9, to, &b->error), PUNA_OK);
}
static void fill_metadata(bed *b, void *to) {
    CHECK_EQUAL(puna_file_metadata(puna_model_file(b->model), 3, to, &b->error), PUNA_OK);
}
static void fill_tensor(bed *b, void *to) {
    CHECK_EQUAL(puna_file_tensor(puna_model_file(b->model), 2, to, &b->error), PUNA_OK);
}
static void fill_plan(bed *b, void *to) {
    CHECK_EQUAL(puna_plan(puna_model_file(b->model), NULL, to, &b->error), PUNA_OK);
}
static void fill_step(bed *b, void *to) { CHECK_EQUAL(puna_engine_step(b->engine, to, &b->error), PUNA_OK); }

static void fill_event(bed *b, void *to) {
    static const int32_t ids[] = {3, 4, 5};
    static bed_result r;
    puna_generation g = bed_generation(1);
    NEED(bed_start(b, &r, ids, 3, &g) == PUNA_OK);
    NEED(puna_engine_step(b->engine, NULL, &b->error) == PUNA_OK);
    CHECK_EQUAL(puna_engine_next_event(b->engine, to), 1);
    CHECK_EQUAL(puna_sequence_close(b->engine, r.sequence, &b->error), PUNA_OK);
}

static void fill_profile(bed *b, void *to) {
    static puna_profile_row rows[128];
    uint64_t count;
    rows->size = sizeof *rows;
    NEED(puna_engine_profile(b->engine, PUNA_PROFILE_ON, &b->error) == PUNA_OK);
    CHECK_EQUAL(puna_engine_profile_read(b->engine, to, rows, 128, &count, &b->error), PUNA_OK);
    CHECK_EQUAL(puna_engine_profile(b->engine, PUNA_PROFILE_OFF, &b->error), PUNA_OK);
}

static void fill_log(bed *b, void *to) {
    puna_model *again = NULL; /* loading says something */
    char path[512];
    snprintf(path, sizeof path, "%s/tiny/llama_q4_0.gguf", PUNA_TEST_DATA);
    NEED(puna_model_load(path, NULL, NULL, &again, &b->error) == PUNA_OK);
    puna_model_close(again);
    CHECK_EQUAL(puna_log_next(to), 1);
}

static const struct filled {
    const char *name;
    uint32_t size;
    filler fill;
} all_filled[] = {
    {"cpu", sizeof(puna_cpu), fill_cpu}, {"model_info", sizeof(puna_model_info), fill_model},
    {"kernel_test", sizeof(puna_kernel_test), fill_kernel},
    {"engine_info", sizeof(puna_engine_info), fill_engine},
    {"tokenizer_info", sizeof(puna_tokenizer_info), fill_tokenizer},
    {"token", sizeof(puna_token), fill_token}, {"metadata", sizeof(puna_metadata), fill_metadata},
    {"tensor", sizeof(puna_tensor), fill_tensor}, {"memory_plan", sizeof(puna_memory_plan), fill_plan},
    {"profile", sizeof(puna_profile), fill_profile}, {"step", sizeof(puna_step), fill_step},
    {"event", sizeof(puna_event), fill_event},
    {"log_entry", sizeof(puna_log_entry), fill_log},
};

/* Of any size that the caller says, not a byte more is written, and those before are what the whole struct holds. */
static void filled_structs_are_never_overrun(void) {
    bed b;
    NEED(bed_open(&b, "tiny-chat.gguf", NULL));
    for (size_t i = 0; i < sizeof all_filled / sizeof *all_filled; i++) {
        const struct filled *f = &all_filled[i];
        uint64_t block[128];
        uint8_t *bytes = (uint8_t *)block;
        for (uint32_t size = 1; size <= f->size + 40; size += size < 8 || size >= f->size ? 1 : 4) {
            uint32_t after, expected = size < f->size ? size : f->size;
            memset(block, 0xA5, sizeof block);
            memcpy(bytes, &size, sizeof size);
            f->fill(&b, bytes);
            memcpy(&after, bytes, sizeof after);
            bool kept = true, written = false;
            for (uint32_t at = 4; at < sizeof block; at++) {
                if (at >= expected) kept &= bytes[at] == 0xA5;
                else written |= bytes[at] != 0xA5;
            }
            if (!kept || after != expected || (expected > 8 && !written))
                testing_fail(__FILE__, __LINE__, "%s of size %u: %s, size afterwards %u", f->name, size,
                             kept ? "kept" : "overrun", after);
        }
        memset(block, 0xA5, sizeof block);
        memset(block, 0, 4);
        f->fill(&b, bytes); /* 0: as in version 1 */
        CHECK(memcmp(bytes, &f->size, sizeof f->size) == 0);
        CHECK_EQUAL(bytes[f->size], 0xA5);
    }
    bed_close(&b);
}

static void shorter_options_leave_the_rest_as_it_is_by_default(void) {
    bed b;
    puna_engine_options o;
    memset(&o, 0xFF, sizeof o);
    o.size = 8;
    o.context_length = 70;
    NEED(bed_open(&b, "llama_q4_0.gguf", &o));
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.context_length, 70);
    CHECK_EQUAL(info.step_tokens, 512);
    puna_memory_plan plan = {.size = sizeof plan};
    CHECK_EQUAL(puna_plan(puna_model_file(b.model), &o, &plan, &b.error), PUNA_OK);
    CHECK_EQUAL(plan.context_length, 70);
    puna_generation g;
    memset(&g, 0xFF, sizeof g);
    g.size = 8;
    g.max_tokens = 2;
    static bed_result r;
    const int32_t ids[] = {7, 8};
    NEED(bed_start(&b, &r, ids, 2, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 10);
    CHECK(r.stop == PUNA_STOP_LENGTH || r.stop == PUNA_STOP_END);
    puna_model_options m = {.size = 4, .threads = 100000};
    puna_model *again = NULL;
    char path[512];
    snprintf(path, sizeof path, "%s/tiny/llama_q4_0.gguf", PUNA_TEST_DATA);
    CHECK_EQUAL(puna_model_load(path, &m, NULL, &again, &b.error), PUNA_OK);
    puna_model_close(again);
    m.size = sizeof m;
    CHECK_EQUAL(puna_model_load(path, &m, NULL, &again, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK(again == NULL);
    bed_close(&b);
}

/* ---- the library itself ---- */

static void every_kernel_is_named_and_equals_the_portable_one(void) {
    puna_cpu cpu = {.size = sizeof cpu};
    CHECK_EQUAL(puna_cpu_describe(&cpu, NULL), PUNA_OK);
    CHECK(strlen(cpu.name) < sizeof cpu.name);
    uint32_t of_best = 0, count = puna_kernel_count();
    for (uint32_t i = 0; i < count; i++) {
        puna_kernel_test named = {.size = sizeof named}, test = {.size = sizeof test};
        NEED(puna_kernel_describe(i, &named, NULL) == PUNA_OK && named.name[0] != 0 && named.cases == 0);
        NEED(puna_kernel_run(i, &test, NULL) == PUNA_OK && test.cases > 0);
        CHECK_TEXT(named.name, test.name);
        CHECK_TEXT(named.tier, test.tier);
        if (test.different > 0) testing_fail(__FILE__, __LINE__, "%s %s: %s", test.tier, test.name, test.detail);
        of_best += strcmp(named.tier, cpu.tier) == 0;
    }
    CHECK(of_best >= 16);
}

static void all_memory_is_given_back(void) {
    bed b;
    uint64_t before = puna_memory();
    NEED(bed_open(&b, "tiny-chat.gguf", NULL));
    puna_model_info model = {.size = sizeof model};
    puna_engine_info engine = {.size = sizeof engine};
    puna_model_describe(b.model, &model);
    puna_engine_describe(b.engine, &engine);
    CHECK(puna_memory() >= before + model.memory_bytes + engine.memory_bytes);
    bed_close(&b);
    CHECK_EQUAL(puna_memory(), before);
}

/* ---- settings ---- */

static void settings_out_of_range_are_named(void) {
    bed b;
    NEED(bed_open(&b, "llama_q4_0.gguf", NULL));
    static bed_result r;
    const int32_t ids[] = {7, 8}, beyond[] = {7, b.info.vocabulary}, below[] = {-1};
    puna_text empty = {"", 0}, broken = {"\xff", 1};
    puna_stage bad[] = {{.kind = PUNA_SAMPLE_TEMPERATURE, .value = NAN}, {.kind = PUNA_SAMPLE_TOP_P, .value = 1.5f},
                        {.kind = PUNA_SAMPLE_TOP_K, .value = -1}, {.kind = PUNA_SAMPLE_MIN_P, .value = INFINITY},
                        {.kind = PUNA_SAMPLE_PENALTIES, .window = 5, .repeat = 0}, {.kind = 99}, {.kind = 0}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        puna_generation g = bed_generation(1);
        g.stages = &bad[i];
        g.stage_count = 1;
        CHECK_EQUAL(bed_start(&b, &r, ids, 2, &g), PUNA_INVALID_ARGUMENT);
        CHECK(b.error.message[0]);
    }
    puna_generation g = bed_generation(1);
    g.flags = 0x10;
    CHECK_EQUAL(bed_start(&b, &r, ids, 2, &g), PUNA_INVALID_ARGUMENT);
    CHECK_TEXT(b.error.subject, "flags");
    g = bed_generation(1);
    g.top_logprobs = PUNA_MAX_TOP_LOGPROBS + 1;
    CHECK_EQUAL(bed_start(&b, &r, ids, 2, &g), PUNA_INVALID_ARGUMENT);
    g = bed_generation(1);
    g.stop_count = 1;
    g.stops = &empty;
    CHECK_EQUAL(bed_start(&b, &r, ids, 2, &g), PUNA_INVALID_ARGUMENT);
    g.stops = &broken;
    CHECK_EQUAL(bed_start(&b, &r, ids, 2, &g), PUNA_INVALID_ARGUMENT);
    g.stop_count = PUNA_MAX_STOPS + 1;
    CHECK_EQUAL(bed_start(&b, &r, ids, 2, &g), PUNA_INVALID_ARGUMENT);
    g = bed_generation(1);
    CHECK_EQUAL(bed_start(&b, &r, beyond, 2, &g), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(bed_start(&b, &r, below, 1, &g), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(bed_start(&b, &r, ids, UINT64_MAX, &g), PUNA_CONTEXT_FULL);
    float logit;
    CHECK_EQUAL(puna_engine_logits(b.engine, ids, UINT64_MAX, 0, &logit, 1, NULL, &b.error), PUNA_CONTEXT_FULL);
    CHECK_EQUAL(puna_engine_logits(b.engine, beyond, 2, 0, &logit, 1, NULL, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(bed_start(&b, &r, ids, 2, &g), PUNA_OK); /* nothing of it has stayed */
    bed_run(&b, &r, 1, 10);
    CHECK_EQUAL(r.count, 1);
    bed_close(&b);
}

/* ---- the edges of the context ---- */

static void generate_at_the_edge(uint32_t context, uint64_t prompt, uint32_t most, uint32_t stop, uint32_t tokens) {
    bed b;
    static bed_result r;
    int32_t ids[256];
    puna_engine_options o = bed_options(1, 5, 2, PUNA_CACHE_F16);
    o.context_length = context;
    NEED(bed_open(&b, "llama_q4_0.gguf", &o));
    for (uint64_t i = 0; i < prompt; i++) ids[i] = (int32_t)(i % 90);
    puna_generation g = bed_generation(most);
    puna_status status = bed_start(&b, &r, ids, prompt, &g);
    CHECK_EQUAL(status, stop ? PUNA_OK : PUNA_CONTEXT_FULL);
    bed_run(&b, &r, 1, 400);
    CHECK_EQUAL(r.stop, stop);
    CHECK_EQUAL(r.count, tokens);
    CHECK_EQUAL(r.prompt_tokens, status == PUNA_OK ? prompt : 0);
    bed_close(&b);
}

static void contexts_have_edges(void) {
    generate_at_the_edge(2, 1, 0, PUNA_STOP_CONTEXT, 1);
    generate_at_the_edge(2, 1, 1, PUNA_STOP_LENGTH, 1);
    generate_at_the_edge(2, 1, UINT32_MAX, PUNA_STOP_CONTEXT, 1);
    generate_at_the_edge(2, 2, 1, PUNA_STOP_NONE, 0);
    generate_at_the_edge(64, 63, 1, PUNA_STOP_LENGTH, 1);
    generate_at_the_edge(64, 63, 2, PUNA_STOP_CONTEXT, 1);
    generate_at_the_edge(64, 64, 1, PUNA_STOP_NONE, 0);
    generate_at_the_edge(65, 64, 0, PUNA_STOP_CONTEXT, 1);
    generate_at_the_edge(129, 60, 69, PUNA_STOP_LENGTH, 69);
    generate_at_the_edge(129, 60, 70, PUNA_STOP_CONTEXT, 69);
    generate_at_the_edge(129, 128, UINT32_MAX, PUNA_STOP_CONTEXT, 1);
}

/* A caller who forgot PUNA_ERROR_INIT still learns what went wrong. */
static void an_error_without_its_size_is_filled(void) {
    puna_error bare;
    memset(&bare, 0, sizeof bare);
    puna_file *file;
    CHECK_EQUAL(puna_file_open("no-such-file.gguf", &file, &bare), PUNA_NOT_FOUND);
    CHECK_EQUAL(bare.status, PUNA_NOT_FOUND);
    CHECK(bare.message[0] != 0 && strstr(bare.subject, "no-such-file.gguf") != NULL);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(null_to_the_library_files_and_tokenizers);
    TEST(null_to_models_and_engines);
    TEST(filled_structs_are_never_overrun);
    TEST(every_kernel_is_named_and_equals_the_portable_one);
    TEST(all_memory_is_given_back);
    TEST(shorter_options_leave_the_rest_as_it_is_by_default);
    TEST(settings_out_of_range_are_named);
    TEST(contexts_have_edges);
    TEST(an_error_without_its_size_is_filled);
    return testing_end();
}
