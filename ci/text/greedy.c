// SPDX-License-Identifier: Apache-2.0
/* `greedy MODEL.gguf TEXT TOKENS`: the likeliest continuation of a text, alone on stdout. Needs the public library
   alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "puna.h"

static puna_error error = PUNA_ERROR_INIT;

static void need(puna_status status) {
    if (status == PUNA_OK) return;
    fprintf(stderr, "greedy: %s: %s\n", error.subject, error.message);
    exit(1);
}

int main(int argc, char **argv) {
    puna_model *model;
    puna_engine *engine;
    puna_generation generation;
    uint64_t count, sequence;
    if (argc != 4) {
        fprintf(stderr, "usage: greedy MODEL.gguf TEXT TOKENS\n");
        return 2;
    }
    need(puna_model_load(argv[1], NULL, NULL, &model, &error));
    need(puna_engine_create(model, NULL, &engine, &error));
    uint64_t capacity = 3 * strlen(argv[2]) + 8;
    int32_t *ids = malloc(capacity * sizeof *ids);
    if (!ids) return 1;
    need(puna_tokenize(puna_model_tokenizer(model), argv[2], strlen(argv[2]), PUNA_TOKENIZE_AFFIXES, ids, capacity,
                       &count, &error));
    puna_generation_default(&generation);
    generation.max_tokens = (uint32_t)strtoul(argv[3], NULL, 10);
    need(puna_sequence_open(engine, &sequence, &error));
    need(puna_sequence_generate(engine, sequence, ids, count, &generation, &error));
    for (puna_step step = {.active = 1}; step.active;) {
        need(puna_engine_step(engine, &step, &error));
        for (puna_event event; puna_engine_next_event(engine, &event);)
            fwrite(event.text, 1, event.text_length, stdout);
    }
    free(ids);
    puna_engine_close(engine);
    puna_model_close(model);
    return 0;
}
