// SPDX-License-Identifier: Apache-2.0
/*
 * Vectors of texts through puna.h: texts and tokens a second, with the texts' cutting into tokens and without.
 *
 *     bench_embed MODEL.gguf TEXTS [--threads 0] [--step 0] [--repeat 5] [--vectors FILE] [--profile] [--json]
 *
 * Each line of TEXTS is a text. --step: rows of a step, 0 for the engine's own number. --vectors writes them, normed,
 * as floats one after the other. --profile embeds once more and tells where the time went, as bench_model's does.
 */
#include <puna.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "report.h"

typedef struct settings {
    const char *model, *texts, *vectors;
    long threads, step, repeat;
    int json, profiled;
} settings;

/* Lines, and what is made of them. */
typedef struct texts {
    char *data;
    char **lines;
    uint64_t *lengths;
    puna_input *inputs;
    int32_t *ids;
    uint64_t count, tokens, room, bytes;
    float *vectors;
    uint64_t floats;
} texts;

static puna_error error = PUNA_ERROR_INIT;

static void stop_with(const char *message) {
    fprintf(stderr, "bench_embed: %s\n", message);
    exit(1);
}

static void need(puna_status status) {
    if (status == PUNA_OK) return;
    fprintf(stderr, "bench_embed: %s: %s\n", error.subject, error.message);
    exit(1);
}

static void *take(size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory) stop_with("out of memory");
    return memory;
}

static double seconds(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void read_texts(texts *t, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) stop_with("the texts can't be read");
    long length = ftell(file);
    rewind(file);
    if (length <= 0) stop_with("there are no texts");
    t->bytes = (uint64_t)length;
    t->data = take(t->bytes);
    if (fread(t->data, 1, t->bytes, file) != t->bytes) stop_with("the texts can't be read");
    fclose(file);
    t->lines = take(t->bytes * sizeof *t->lines);
    t->lengths = take(t->bytes * sizeof *t->lengths);
    for (char *at = t->data, *end = t->data + t->bytes; at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        if (stop > at) {
            t->lines[t->count] = at;
            t->lengths[t->count++] = (uint64_t)(stop - at);
        }
        at = stop + 1;
    }
    if (t->count == 0) stop_with("there are no texts");
    t->room = t->bytes + 16 * t->count; /* a byte is a token at most, and what frames a text */
    t->ids = take(t->room * sizeof *t->ids);
    t->inputs = take(t->count * sizeof *t->inputs);
}

static void tokenize(texts *t, const puna_tokenizer *tokenizer) {
    t->tokens = 0;
    for (uint64_t i = 0; i < t->count; i++) {
        uint64_t count;
        int32_t *ids = t->ids + t->tokens;
        need(puna_tokenize(tokenizer, t->lines[i], t->lengths[i], PUNA_TOKENIZE_AFFIXES, ids, t->room - t->tokens,
                           &count, &error));
        t->inputs[i] = (puna_input){ids, NULL, count};
        t->tokens += count;
    }
}

static void embed(puna_engine *engine, const texts *t) {
    puna_embedding how;
    puna_embedding_default(&how);
    how.normalize = how.truncate = 1;
    need(puna_engine_embed(engine, t->inputs, t->count, &how, t->vectors, t->floats, NULL, &error));
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, long count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

static void profile(puna_engine *engine, const texts *t, int json) {
    report *r = report_new(engine);
    if (!r) stop_with("out of memory");
    report_begin(r);
    double begin = seconds();
    embed(engine, t);
    report_end(r, seconds() - begin);
    if (json) printf(",\"profile\":");
    report_print(r, t->tokens, json);
    report_free(r);
}

static void measure(const settings *s, puna_engine *engine, const puna_tokenizer *tokenizer, texts *t) {
    double *all = take((size_t)s->repeat * sizeof *all), *computed = take((size_t)s->repeat * sizeof *computed);
    tokenize(t, tokenizer);
    embed(engine, t);
    for (long i = 0; i < s->repeat; i++) {
        double begin = seconds();
        tokenize(t, tokenizer);
        double middle = seconds();
        embed(engine, t);
        double end = seconds();
        all[i] = end - begin;
        computed[i] = end - middle;
    }
    double texts_count = (double)t->count, both = median(all, s->repeat), alone = median(computed, s->repeat);
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(engine, &info);
    if (s->json)
        printf("{\"texts\":%llu,\"tokens\":%llu,\"threads\":%u,\"texts_per_second\":%.1f,\"embedded_per_second\":%.1f,"
               "\"tokens_per_second\":%.1f", (unsigned long long)t->count, (unsigned long long)t->tokens, info.threads,
               texts_count / both, texts_count / alone, (double)t->tokens / alone);
    else
        printf("%llu texts, %llu tokens, %u threads: %.1f texts/s; without tokenizing %.1f texts/s, %.1f tokens/s\n",
               (unsigned long long)t->count, (unsigned long long)t->tokens, info.threads, texts_count / both,
               texts_count / alone, (double)t->tokens / alone);
    if (s->profiled) profile(engine, t, s->json);
    if (s->json) printf("}\n");
    free(all);
    free(computed);
}

static void write_vectors(const texts *t, const char *path) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(t->vectors, sizeof *t->vectors, t->floats, file) != t->floats || fclose(file) != 0)
        stop_with("the vectors can't be written");
}

static int parse(settings *s, int argc, char **argv) {
    struct { const char *name; long *value; } numbers[] = {
        {"--threads", &s->threads}, {"--step", &s->step}, {"--repeat", &s->repeat}};
    for (int i = 1; i < argc; i++) {
        int found = 0;
        for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++) {
            if (strcmp(argv[i], numbers[n].name) != 0 || i + 1 == argc) continue;
            char *after;
            *numbers[n].value = strtol(argv[++i], &after, 10);
            if (*after) return 0;
            found = 1;
            break;
        }
        if (found) continue;
        if (strcmp(argv[i], "--json") == 0) s->json = 1;
        else if (strcmp(argv[i], "--profile") == 0) s->profiled = 1;
        else if (strcmp(argv[i], "--vectors") == 0 && i + 1 < argc) s->vectors = argv[++i];
        else if (argv[i][0] == '-' || s->texts) return 0;
        else if (!s->model) s->model = argv[i];
        else s->texts = argv[i];
    }
    return s->texts && s->threads >= 0 && s->threads <= 256 && s->step >= 0 && s->step <= 1 << 20 && s->repeat >= 1 &&
           s->repeat <= 10000;
}

int main(int argc, char **argv) {
    settings s = {.repeat = 5};
    if (!parse(&s, argc, argv)) {
        fprintf(stderr, "usage: bench_embed MODEL.gguf TEXTS [--threads N] [--step N] [--repeat N] [--vectors FILE] "
                        "[--profile] [--json]\n");
        return 2;
    }
    texts t = {0};
    puna_model *model;
    puna_engine *engine;
    puna_engine_options options;
    read_texts(&t, s.texts);
    need(puna_model_load(s.model, NULL, NULL, &model, &error));
    puna_engine_options_default(&options);
    options.threads = (uint32_t)s.threads;
    if (s.step) options.step_tokens = (uint32_t)s.step;
    need(puna_engine_create(model, &options, &engine, &error));
    puna_model_info info = {.size = sizeof info};
    puna_model_describe(model, &info);
    t.floats = t.count * info.embedding_length;
    t.vectors = take(t.floats * sizeof *t.vectors);
    measure(&s, engine, puna_model_tokenizer(model), &t);
    if (s.vectors) write_vectors(&t, s.vectors);
    puna_engine_close(engine);
    puna_model_close(model);
    free(t.vectors);
    free(t.inputs);
    free(t.ids);
    free(t.lengths);
    free(t.lines);
    free(t.data);
    return 0;
}
