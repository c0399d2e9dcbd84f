// SPDX-License-Identifier: Apache-2.0
/* Fusion and the reuse of buffers change no bit: the same batch through a planned runner and a plain one. */
#include <stdlib.h>

#include "model/adapter.h"
#include "testing.h"

#define ROWS 130
#define PAGES 3
#define GROUPS 2 /* cache groups at most */

static uint8_t *pages[GROUPS][PAGES];
static uint8_t *const *groups[GROUPS] = {pages[0], pages[1]};

static float *logits_of(const model *m, const device_set *set, bool plain, puna_error *error) {
    memory_account account;
    memory_account_init(&account);
    device_options o = {.threads = 2, .max_tokens = ROWS, .max_outputs = 3, .max_runs = 1, .cache_type = PUNA_CACHE_F16,
                        .plain = plain};
    device_runner *runner;
    if (m->device->create(&m->graph, m->weights, &o, &account, &runner, error) != PUNA_OK) return NULL;
    CHECK(m->device->adapt(runner, &account, set, error) == PUNA_OK);
    for (uint32_t g = 0; g < m->graph.group_count; g++)
        for (int i = 0; i < PAGES; i++)
            pages[g][i] = memory_new(&account, m->device->page_bytes(&m->graph, g, o.cache_type));
    int32_t ids[ROWS];
    uint32_t positions[ROWS], outputs[3] = {0, 33, ROWS - 1};
    for (uint32_t i = 0; i < ROWS; i++) {
        ids[i] = (int32_t)(5 + i * 37 % 379);
        positions[i] = i;
    }
    device_run run = {.rows = ROWS, .pages = groups, .source = groups, .source_rows = ROWS, .set = set};
    if (m->graph.source) { /* which stores what the other part attends to */
        device_options source = o;
        device_runner *reader;
        source.source = true;
        if (m->device->create(&m->graph, m->weights, &source, &account, &reader, error) != PUNA_OK) return NULL;
        device_batch text = {ROWS, ids, positions, NULL, &run, 1, outputs, 0};
        m->device->run(reader, &text);
        m->device->destroy(&account, reader);
    }
    device_batch batch = {ROWS, ids, positions, NULL, &run, 1, outputs, 3};
    m->device->run(runner, &batch);
    size_t bytes = 3 * m->hyper.vocabulary * sizeof(float);
    float *copy = malloc(bytes);
    memcpy(copy, m->device->result(runner, GRAPH_LOGITS), bytes);
    for (uint32_t g = 0; g < m->graph.group_count; g++)
        for (int i = 0; i < PAGES; i++) memory_free(&account, pages[g][i]);
    m->device->destroy(&account, runner);
    CHECK_EQUAL(memory_used(&account), 0);
    return copy;
}

/* `name` with an adapter of tests/data/adapters; NULL: as it is. */
static void check_with(const char *name, const char *adapted) {
    char path[512];
    model *m;
    puna_error error = PUNA_ERROR_INIT;
    snprintf(path, sizeof path, "%s/tiny/%s", PUNA_TEST_DATA, name);
    NEED(model_load(path, 2, NULL, &m, &error) == PUNA_OK);
    NEED(m->graph.group_count <= GROUPS);
    device_adapted of[2] = {{NULL, 0.7f}, {NULL, -1.1f}};
    device_set set = {of, 2};
    adapter *a = NULL;
    if (adapted) {
        snprintf(path, sizeof path, "%s/adapters/%s", PUNA_TEST_DATA, adapted);
        NEED(adapter_load(m, path, NULL, &a, &error) == PUNA_OK);
        of[0].adapter = of[1].adapter = a->data;
    }
    const device_set *with = adapted ? &set : NULL;
    float *planned = logits_of(m, with, false, &error), *plain = logits_of(m, with, true, &error);
    NEED(planned && plain);
    CHECK(memcmp(planned, plain, 3 * m->hyper.vocabulary * sizeof *planned) == 0);
    CHECK(planned[0] != 0 && memcmp(planned, planned + m->hyper.vocabulary, 64) != 0);
    if (adapted) {
        float *bare = logits_of(m, NULL, false, &error);
        NEED(bare);
        CHECK(memcmp(planned, bare, m->hyper.vocabulary * sizeof *bare) != 0);
        free(bare);
    }
    free(planned);
    free(plain);
    adapter_release(a);
    model_release(m);
}

static void check(const char *name) { check_with(name, NULL); }

static void with_adapters(void) {
    check_with("llama.gguf", "llama_law.gguf");
    check_with("llama_q4_1.gguf", "llama_law.gguf");
    check_with("llama_q4_0.gguf", "llama_law.gguf");
    check_with("llama_q8_0.gguf", "llama_tone.gguf");
    check_with("gemma3.gguf", "gemma3_prose.gguf");
    check_with("gpt2.gguf", "gpt2_verse.gguf");
}

static void quantized_models(void) {
    check("llama_wide_q4_1.gguf");
    check("llama_q4_0.gguf");
    check("qwen3_q4_1.gguf");
    check("gemma3_q8_0.gguf");
}

static void mixtures(void) {
    check("mixtral.gguf");
    check("qwen2moe.gguf");
    check("qwen3moe_q4_1.gguf");
    check("deepseek_v3.gguf");
    check("deepseek_v2_q8_0.gguf");
    check("mamba.gguf");
    check("mamba2_q8_0.gguf");
    check("granitehybrid.gguf");
    check("gpt_oss_mxfp4.gguf");
}

static void encoder_decoders(void) {
    check("../text_to_text/t5.gguf");
    check("../text_to_text/t5_gated_q8_0.gguf");
}

static void float_models(void) {
    check("llama.gguf");
    check("llama_biased.gguf");
    check("mistral.gguf");
    check("gemma3_capped.gguf");
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(quantized_models);
    TEST(mixtures);
    TEST(encoder_decoders);
    TEST(float_models);
    TEST(with_adapters);
    return testing_end();
}
