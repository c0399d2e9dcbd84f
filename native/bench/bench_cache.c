// SPDX-License-Identifier: Apache-2.0
/*
 * What the type of the cache costs in precision: the mean KL divergence of next-token distributions from those of an
 * F32 cache, on a text, by the engine's own logits. Positions 256 to 510 of each whole 512 tokens count, each begun
 * anew.
 *
 *     bench_cache MODEL.gguf TEXT
 */
#include <math.h>
#include <puna.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 512, FIRST = 256, LAST = 510, ROWS = CHUNK - FIRST, MOST_IDS = 1 << 16 };

static puna_error error = PUNA_ERROR_INIT;

static void need(puna_status status) {
    if (status == PUNA_OK) return;
    fprintf(stderr, "bench_cache: %s: %s\n", error.subject, error.message);
    exit(1);
}

static void *taken(size_t bytes) {
    void *memory = malloc(bytes);
    if (!memory) {
        fprintf(stderr, "bench_cache: out of memory\n");
        exit(1);
    }
    return memory;
}

static uint64_t read_ids(const puna_model *model, const char *path, int32_t *ids) {
    static char text[4 * MOST_IDS];
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(text, 1, sizeof text, file) : 0;
    if (file) fclose(file);
    uint64_t count = 0;
    need(puna_tokenize(puna_model_tokenizer(model), text, length, 0, ids, MOST_IDS, &count, &error));
    return count;
}

static double logarithm_of_sum(const float *row, int32_t n) {
    double most = row[0], sum = 0;
    for (int32_t i = 1; i < n; i++) most = row[i] > most ? row[i] : most;
    for (int32_t i = 0; i < n; i++) sum += exp(row[i] - most);
    return most + log(sum);
}

static int32_t best(const float *row, int32_t n) {
    int32_t at = 0;
    for (int32_t i = 1; i < n; i++) at = row[i] > row[at] ? i : at;
    return at;
}

static double divergence(const float *p, const float *q, int32_t n) {
    double a = logarithm_of_sum(p, n), b = logarithm_of_sum(q, n), sum = 0;
    for (int32_t i = 0; i < n; i++) sum += exp(p[i] - a) * ((p[i] - a) - (q[i] - b));
    return sum;
}

/* Rows FIRST to CHUNK - 1 of each chunk. */
static void compute(puna_model *model, uint32_t cache_type, const int32_t *ids, uint64_t chunks, int32_t vocabulary,
                    float *logits) {
    puna_engine *engine;
    puna_engine_options o;
    puna_engine_options_default(&o);
    o.context_length = CHUNK;
    o.max_sequences = 1;
    o.cache_type = cache_type;
    need(puna_engine_create(model, &o, &engine, &error));
    size_t floats = (size_t)ROWS * (size_t)vocabulary;
    for (uint64_t c = 0; c < chunks; c++)
        need(puna_engine_logits(engine, ids + c * CHUNK, CHUNK, FIRST, logits + c * floats, floats, NULL, &error));
    puna_engine_close(engine);
}

int main(int argc, char **argv) {
    static int32_t ids[MOST_IDS];
    static const struct { const char *name; uint32_t type;
        } types[] = {{"f16", PUNA_CACHE_F16}, {"q8_0", PUNA_CACHE_Q8_0}};
    puna_model *model;
    puna_model_info info = {.size = sizeof info};
    if (argc != 3) {
        fprintf(stderr, "usage: bench_cache MODEL.gguf TEXT\n");
        return 2;
    }
    need(puna_model_load(argv[1], NULL, NULL, &model, &error));
    puna_model_describe(model, &info);
    uint64_t chunks = read_ids(model, argv[2], ids) / CHUNK;
    if (chunks == 0) {
        fprintf(stderr, "bench_cache: %s has less than %d tokens\n", argv[2], CHUNK);
        return 1;
    }
    size_t width = (size_t)info.vocabulary, bytes = chunks * ROWS * width * sizeof(float);
    float *exact = taken(bytes), *other = taken(bytes);
    compute(model, PUNA_CACHE_F32, ids, chunks, info.vocabulary, exact);
    printf("%-6s %12s %12s  of %d positions\n", "cache", "mean KL", "same best", (int)chunks * (LAST - FIRST + 1));
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        double sum = 0, same = 0, count = 0;
        compute(model, types[t].type, ids, chunks, info.vocabulary, other);
        for (uint64_t row = 0; row < chunks * ROWS; row++) {
            if (row % ROWS > LAST - FIRST) continue;
            sum += divergence(exact + row * width, other + row * width, info.vocabulary);
            same += best(exact + row * width, info.vocabulary) == best(other + row * width, info.vocabulary);
            count++;
        }
        printf("%-6s %12.7f %12.4f\n", types[t].name, sum / count, same / count);
    }
    free(exact);
    free(other);
    puna_model_close(model);
    return 0;
}
