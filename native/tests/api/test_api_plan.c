// SPDX-License-Identifier: Apache-2.0
/* The memory plan beside what is accounted: of every tiny model, when the cache is empty and when it is full. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/bed.h"
#include "base/memory.h"

/* Within 2%; `left` may be left over. */
static void close_to(const char *name, const char *what, uint64_t planned, uint64_t found, uint64_t left) {
    uint64_t low = planned - left - planned / 50, high = planned + planned / 50;
    if (low <= found && found <= high) return;
    testing_fail(__FILE__, __LINE__, "%s, %s: %llu bytes were planned, %llu are accounted", name, what,
                 (unsigned long long)planned, (unsigned long long)found);
}

static uint64_t accounted(bed *b, puna_engine_info *engine) {
    *engine = (puna_engine_info){.size = sizeof *engine};
    puna_engine_describe(b->engine, engine);
    puna_model_info model = {.size = sizeof model};
    puna_model_describe(b->model, &model);
    return model.memory_bytes + engine->memory_bytes;
}

/* Every place is taken by a sequence that fills its context but for the last token; the most that is then accounted. */
static uint64_t fill(bed *b, const puna_engine_options *o, uint64_t *pages) {
    int32_t *ids = calloc(o->context_length, sizeof *ids);
    uint64_t most = 0;
    puna_step step = {.size = sizeof step, .active = 1};
    puna_generation g = bed_generation(8);
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    if (!ids) return 0;
    for (uint32_t s = 0; s < o->max_sequences; s++) {
        for (uint32_t i = 0; i < o->context_length; i++) ids[i] = (int32_t)((i * 7 + s) % 256);
        bed_result r = {0};
        CHECK_EQUAL(bed_start(b, &r, ids, o->context_length - 8, &g), PUNA_OK);
    }
    while (step.active && puna_engine_step(b->engine, &step, &b->error) == PUNA_OK) {
        puna_engine_info engine;
        uint64_t now = accounted(b, &engine);
        if (now > most) most = now;
        *pages = engine.pages_used > *pages ? engine.pages_used : *pages;
    }
    free(ids);
    return most;
}

/* Pages that a window has passed are the index's, not the sequences'; those of two groups seldom fill a budget. States
   of recurrent layers have a window of their own. */
static bool windowed(const puna_file *file) {
    static const char *const keys[] = {"llama.attention.sliding_window", "gemma3.attention.sliding_window",
                                       "mamba.ssm.conv_kernel", "granitehybrid.ssm.conv_kernel"};
    puna_error error = PUNA_ERROR_INIT;
    uint64_t index;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (puna_file_find(file, keys[i], &index, &error) == PUNA_OK) return true;
    return false;
}

/* Two texts are embedded: what reads them stays. */
static void embed(bed *b) {
    int32_t ids[] = {1, 2, 3, 4, 5};
    puna_input inputs[] = {{ids, NULL, 5}, {ids + 2, NULL, 3}};
    float *vectors = calloc((size_t)2 * b->info.embedding_length, sizeof *vectors);
    NEED(vectors);
    CHECK_EQUAL(puna_engine_embed(b->engine, inputs, 2, NULL, vectors, (uint64_t)2 * b->info.embedding_length, NULL,
                                  &b->error), PUNA_OK);
    free(vectors);
}

static void compare(const char *name, puna_engine_options o) {
    char path[512];
    puna_file *file;
    bed b;
    puna_memory_plan plan = {.size = sizeof plan};
    puna_engine_info engine;
    NEED(bed_open(&b, name, &o));
    snprintf(path, sizeof path, "%s/tiny/%s", PUNA_TEST_DATA, name);
    NEED(puna_file_open(path, &file, &b.error) == PUNA_OK);
    NEED(puna_plan(file, &o, &plan, &b.error) == PUNA_OK);
    CHECK_EQUAL(plan.total, plan.weights + plan.vocabulary + plan.cache + plan.scratch + plan.sequences);
    CHECK_EQUAL(plan.weights + plan.vocabulary, b.info.memory_bytes);
    close_to(name, "loaded", plan.weights + plan.vocabulary + plan.scratch, accounted(&b, &engine), 0);
    uint64_t pages = 0, most = fill(&b, &o, &pages);
    if (!windowed(file)) CHECK_EQUAL(pages, engine.pages_total);
    close_to(name, "the cache full", plan.total, most, windowed(file) ? engine.page_bytes : 0);
    puna_file_close(file);
    bed_close(&b);
}

static puna_engine_options options(uint32_t threads, uint32_t context, uint32_t sequences, uint32_t type) {
    puna_engine_options o = bed_options(threads, 96, sequences, type);
    o.context_length = context;
    return o;
}

static void planned_is_accounted(void) {
    compare("llama.gguf", options(1, 64, 1, PUNA_CACHE_F16));
    compare("llama.gguf", options(1, 256, 1, PUNA_CACHE_F32));
    compare("llama.gguf", options(4, 256, 40, PUNA_CACHE_F16));
    compare("llama_q4_1.gguf", options(2, 192, 7, PUNA_CACHE_F32));
    compare("llama_wide_q4_1.gguf", options(3, 128, 32, PUNA_CACHE_F16));
    compare("llama_wide_q4_1.gguf", options(3, 128, 32, PUNA_CACHE_Q8_0));
    compare("qwen3moe_q4_1.gguf", options(2, 256, 3, PUNA_CACHE_F16));
    compare("deepseek_v3.gguf", options(2, 256, 3, PUNA_CACHE_Q8_0));
    compare("mamba.gguf", options(2, 256, 3, PUNA_CACHE_F16));
    compare("granitehybrid.gguf", options(2, 256, 3, PUNA_CACHE_F16));
    compare("qwen3.gguf", options(2, 256, 3, PUNA_CACHE_Q8_0));
    compare("llama_llama3.gguf", options(2, 256, 3, PUNA_CACHE_F16));
    compare("tiny-chat.gguf", options(2, 256, 5, PUNA_CACHE_F16));
}

static uint64_t most_memory;

/* Each allocation of the process passes here: the most that was in use with one more. */
static bool watch(void *context, size_t bytes) {
    (void)context;
    uint64_t now = puna_memory() + bytes;
    if (now > most_memory) most_memory = now;
    return true;
}

/* Texts that fill the cache, each of a context's length. */
static void embed_full(bed *b, const puna_engine_options *o) {
    int32_t *ids = calloc(o->context_length, sizeof *ids);
    puna_input *inputs = calloc(o->max_sequences, sizeof *inputs);
    uint64_t room = (uint64_t)o->max_sequences * b->info.embedding_length;
    float *vectors = calloc(room, sizeof *vectors);
    NEED(ids && inputs && vectors);
    for (uint32_t i = 0; i < o->context_length; i++) ids[i] = (int32_t)(i * 7 % 256);
    for (uint32_t i = 0; i < o->max_sequences; i++) inputs[i] = (puna_input){ids, NULL, o->context_length};
    most_memory = 0;
    memory_set_gate(watch, NULL);
    CHECK_EQUAL(puna_engine_embed(b->engine, inputs, o->max_sequences, NULL, vectors, room, NULL, &b->error), PUNA_OK);
    memory_set_gate(NULL, NULL);
    free(ids);
    free(inputs);
    free(vectors);
}

/* What a decoder reads texts with is planned: exactly that is taken at first, it stays while others generate, and is
   given back. */
static void compare_embedding(const char *name, puna_engine_options o) {
    bed b;
    puna_memory_plan plan = {.size = sizeof plan};
    puna_engine_info engine;
    NEED(puna_memory() == 0);
    NEED(bed_open(&b, name, &o));
    NEED(puna_plan(puna_model_file(b.model), &o, &plan, &b.error) == PUNA_OK);
    CHECK(plan.embedding > 0);
    uint64_t created = accounted(&b, &engine), pages = 0, planned = plan.total + plan.embedding;
    CHECK_EQUAL(plan.total, plan.weights + plan.vocabulary + plan.cache + plan.scratch + plan.sequences);
    embed_full(&b, &o);
    CHECK(most_memory <= planned + planned / 50);
    CHECK(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
    CHECK_EQUAL(accounted(&b, &engine), created);
    most_memory = 0;
    memory_set_gate(watch, NULL);
    embed(&b);
    memory_set_gate(NULL, NULL);
    uint64_t least = created + plan.embedding;
    CHECK(most_memory >= least && most_memory <= least + plan.cache + plan.sequences);
    close_to(name, "the cache full after texts were embedded", planned, fill(&b, &o, &pages), 0);
    bed_close(&b);
}

static void embedding_is_planned(void) {
    compare_embedding("llama.gguf", options(1, 64, 1, PUNA_CACHE_F16));
    compare_embedding("llama.gguf", options(3, 256, 20, PUNA_CACHE_F16));
    compare_embedding("llama_wide_q4_1.gguf", options(2, 128, 5, PUNA_CACHE_F32));
    compare_embedding("qwen3moe_q4_1.gguf", options(2, 256, 3, PUNA_CACHE_F16));
    compare_embedding("gemma3_q8_0.gguf", options(2, 256, 3, PUNA_CACHE_Q8_0));
}

/* A file with two entries more, of 64 bytes: one that says how its texts are pooled is there to be embedded with. */
static void a_file_that_is_there_to_embed(void) {
    static const char pooled[] = "test_plan_pooled.gguf", key[] = "qwen3.pooling_type", filler[] = "12 bytes pad";
    uint8_t entries[64] = {sizeof key - 1}, *at = entries + 8;
    size_t size;
    uint8_t *bytes = testing_read(PUNA_TEST_DATA "/tiny/qwen3.gguf", &size);
    NEED(bytes && size > 24);
    memcpy(at, key, sizeof key - 1);
    at += sizeof key - 1;
    *at = PUNA_UINT32, at += 4;
    *at = 3, at += 4; /* the last token */
    *at = 1, at[8] = 'p', at[9] = PUNA_STRING, at[13] = 9, at += 21;
    memcpy(at, filler, 9);
    bytes[16] = (uint8_t)(bytes[16] + 2);
    FILE *file = fopen(pooled, "wb");
    NEED(file && fwrite(bytes, 1, 24, file) == 24 && fwrite(entries, 1, 64, file) == 64);
    NEED(fwrite(bytes + 24, 1, size - 24, file) == size - 24 && fclose(file) == 0);
    free(bytes);
    puna_file *opened;
    puna_error error = PUNA_ERROR_INIT;
    puna_memory_plan plan = {.size = sizeof plan};
    puna_engine_options o = options(1, 128, 2, PUNA_CACHE_F16);
    NEED(puna_file_open(pooled, &opened, &error) == PUNA_OK);
    CHECK_EQUAL(puna_plan(opened, &o, &plan, &error), PUNA_OK);
    CHECK(plan.embedding > 0);
    CHECK_EQUAL(plan.total, plan.weights + plan.vocabulary + plan.cache + plan.scratch + plan.sequences +
                                plan.embedding);
    puna_file_close(opened);
    remove(pooled);
}

/* Windows, and groups of layers that share a budget: contexts within a window and far beyond it, alone and many, in
   each type of cache. */
static void groups_and_windows_are_planned(void) {
    static const char *const names[] = {"mistral.gguf", "mistral_q8_0.gguf", "gemma3_q8_0.gguf", "gemma3_capped.gguf",
                                        "llama_q8_0.gguf"};
    static const uint32_t shapes[][2] = {{64, 1}, {64, 16}, {256, 3}, {256, 16}, {1000, 1}, {1000, 5}, {2048, 2}};
    static const uint32_t types[] = {PUNA_CACHE_F16, PUNA_CACHE_F32, PUNA_CACHE_Q8_0};
    uint32_t pick = 0;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++, pick++)
            if (pick % TESTING_THIN(1, 8, 12) == 0)
                compare(names[n], options(1 + pick % 3, shapes[s][0], shapes[s][1], types[pick % 3]));
}

/* A budget that is no multiple of the system's slabs is kept to the page. */
static void a_budget_is_kept(void) {
    compare("llama_q8_0.gguf", options(2, 1024, TESTING_THIN(24, 8, 3), PUNA_CACHE_F32));
}

/* What an engine counts: nothing is told twice, and what the cache had is no prompt that was computed. */
static void an_engine_counts(void) {
    puna_engine_options o = options(1, 256, 1, PUNA_CACHE_F16);
    bed b;
    puna_engine_info info;
    int32_t ids[200];
    for (int32_t i = 0; i < 200; i++) ids[i] = i;
    NEED(bed_open(&b, "llama.gguf", &o));
    puna_generation g = bed_generation(4);
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    bed_result r = {0}, other = {0};
    NEED(bed_start(&b, &r, ids, 100, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    accounted(&b, &info);
    CHECK_EQUAL(info.prompt_tokens, 100);
    CHECK_EQUAL(info.generated_tokens, 4);
    CHECK_EQUAL(info.prefix_hit_tokens, 0);
    CHECK_EQUAL(info.evictions, 0);
    NEED(puna_sequence_generate(b.engine, r.sequence, ids, 120, &g, &b.error) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    accounted(&b, &info);
    CHECK_EQUAL(info.prefix_hit_tokens + info.prompt_tokens, 220);
    CHECK_EQUAL(info.prefix_hit_tokens, r.cached_tokens);
    CHECK(info.prefix_hit_tokens >= 100);
    CHECK_EQUAL(info.generated_tokens, 8);
    NEED(bed_start(&b, &other, ids + 50, 150, &g) == PUNA_OK); /* the cache holds one context: r loses its pages */
    bed_run(&b, &other, 1, 100);
    accounted(&b, &info);
    CHECK_EQUAL(info.evictions, 1);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(planned_is_accounted);
    TEST(embedding_is_planned);
    TEST(a_file_that_is_there_to_embed);
    TEST(groups_and_windows_are_planned);
    TEST(a_budget_is_kept);
    TEST(an_engine_counts);
    return testing_end();
}
