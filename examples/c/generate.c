// SPDX-License-Identifier: Apache-2.0
/* The shortest useful program in C: continues a text.  ./generate MODEL.gguf "Once upon a time" [tokens] [seed] */
#include <puna.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static puna_error error = PUNA_ERROR_INIT;

static void need(puna_status status) {
    if (status == PUNA_OK) return;
    fprintf(stderr, "generate: %s\n", error.message);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: generate MODEL.gguf TEXT [TOKENS] [SEED]\n");
        return 2;
    }
    puna_model *model;
    puna_engine *engine;
    need(puna_model_load(argv[1], NULL, NULL, &model, &error));
    need(puna_engine_create(model, NULL, &engine, &error));

    const puna_tokenizer *tokenizer = puna_model_tokenizer(model);
    uint64_t count, capacity = strlen(argv[2]) + 8, sequence;
    int32_t *ids = malloc(capacity * sizeof *ids);
    if (!ids) return 1;
    need(puna_tokenize(tokenizer, argv[2], strlen(argv[2]), PUNA_TOKENIZE_AFFIXES, ids, capacity, &count, &error));

    const puna_stage stages[] = {{.kind = PUNA_SAMPLE_TOP_P, .value = 0.95f},
                                 {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.8f}};
    puna_generation generation;
    puna_generation_default(&generation);
    generation.max_tokens = argc > 3 ? (uint32_t)atoi(argv[3]) : 64;
    generation.seed = argc > 4 ? (uint64_t)atoll(argv[4]) : 42;
    generation.stages = stages;
    generation.stage_count = 2;
    need(puna_sequence_open(engine, &sequence, &error));
    need(puna_sequence_generate(engine, sequence, ids, count, &generation, &error));

    for (puna_step step = {.size = sizeof step, .active = 1}; step.active;) {
        need(puna_engine_step(engine, &step, &error));
        for (puna_event event = {.size = sizeof event}; puna_engine_next_event(engine, &event);) {
            fwrite(event.text, 1, event.text_length, stdout);
            fflush(stdout);
        }
    }
    puts("");
    free(ids);
    puna_engine_close(engine);
    puna_model_close(model);
    return 0;
}
