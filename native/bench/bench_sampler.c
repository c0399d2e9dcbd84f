// SPDX-License-Identifier: Apache-2.0
/*
 * What choosing a token costs, for vocabularies of 49,152 and 262,144 tokens, in microseconds of processor time: the
 * fastest of nine rounds over rows of random logits, shaped as a model's are (a few high above a broad bell).
 *
 *     bench_sampler [--json]
 */
#include <puna.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/cpu/kernels_peak.h"
#include "sample/sampler.h"
#include "testing.h"

enum { ROWS = 4, ROUNDS = 9, MOST = 3 };

typedef struct chain {
    const char *name;
    uint32_t count;
    puna_stage stages[MOST];
} chain;

static const chain chains[] = {
    {"greedy", 0, {{0}}},
    {"temperature 0.8", 1, {{.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.8f}}},
    {"top-k 40", 2, {{.kind = PUNA_SAMPLE_TOP_K, .value = 40}, {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.8f}}},
    {"top-p 0.95", 2, {{.kind = PUNA_SAMPLE_TOP_P, .value = 0.95f}, {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.8f}}},
    {"min-p 0.05", 2, {{.kind = PUNA_SAMPLE_MIN_P, .value = 0.05f}, {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.8f}}},
    {"top-k 40, top-p 0.95", 3, {{.kind = PUNA_SAMPLE_TOP_K, .value = 40}, {.kind = PUNA_SAMPLE_TOP_P, .value = 0.95f},
                                 {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.8f}}},
    {"typical 0.9", 1, {{.kind = PUNA_SAMPLE_TYPICAL, .value = 0.9f}}},
};

static memory_account account;
static bool json;
static int reported;

static void stop(const char *message) {
    fprintf(stderr, "bench_sampler: %s\n", message);
    exit(1);
}

static void bench(const chain *c, bool logprobs, const float *rows, int32_t vocabulary) {
    puna_error error = PUNA_ERROR_INIT;
    puna_generation g = {.size = sizeof g, .seed = 1, .stages = c->stages, .stage_count = c->count,
                         .top_logprobs = logprobs ? 5 : 0};
    sampler *s;
    if (sampler_create(&account, &g, &(sampler_model){.vocabulary = vocabulary}, &s, &error) != PUNA_OK)
        stop(error.message);
    double least = 1e9;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        double begin = kernels_peak_seconds();
        for (uint64_t i = 0; i < ROWS; i++) {
            sampler_choice choice;
            if (sampler_choose(s, rows + i * (size_t)vocabulary, round * ROWS + i, &choice, &error) != PUNA_OK)
                stop(error.message);
        }
        double took = (kernels_peak_seconds() - begin) / ROWS * 1e6;
        if (took < least) least = took;
    }
    sampler_free(&account, s);
    const char *extra = logprobs ? ", 5 logprobs" : "";
    if (json)
        printf("%s\n    {\"vocabulary\": %d, \"chain\": \"%s%s\", \"us\": %.1f}", reported ? "," : "", vocabulary,
               c->name, extra, least);
    else printf("%7d  %-32.32s%-14s %9.1f us a token\n", vocabulary, c->name, extra, least);
    reported++;
}

int main(int argc, char **argv) {
    json = argc == 2 && strcmp(argv[1], "--json") == 0;
    if (argc > 1 && !json) return fprintf(stderr, "usage: bench_sampler [--json]\n"), 2;
    memory_account_init(&account);
    if (json) printf("{\"runs\": [");
    for (int32_t vocabulary = 49152; vocabulary <= 262144; vocabulary += 262144 - 49152) {
        float *rows = malloc(sizeof *rows * ROWS * (size_t)vocabulary);
        if (!rows) stop("out of memory");
        for (size_t i = 0; i < ROWS * (size_t)vocabulary; i++)
            rows[i] = 2.5f * testing_normal() + (testing_below(4000) == 0 ? 10.0f : 0.0f);
        for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) bench(&chains[i], false, rows, vocabulary);
        bench(&chains[0], true, rows, vocabulary);
        free(rows);
    }
    if (json) printf("\n]}\n");
    return 0;
}
