// SPDX-License-Identifier: Apache-2.0
/*
 * A whole model through puna.h: load time, prompt and generation in tokens a second, memory. What Java's `./puna bench`
 * is compared with.
 *
 *     bench_model MODEL.gguf [--prompt 512] [--generate 128] [--depth 0] [--parallel 1] [--threads 0] [--repeat 3] [--json]
 */
#include <puna.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct settings {
    const char *model;
    long prompt, generate, depth, parallel, threads, repeat;
    int json;
} settings;

typedef struct figures {
    double low, median, high;
} figures;

static puna_error error = PUNA_ERROR_INIT;

static void need(puna_status status) {
    if (status == PUNA_OK) return;
    fprintf(stderr, "bench_model: %s: %s\n", error.subject, error.message);
    exit(1);
}

static double seconds(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static figures sorted(double *values, long count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return (figures){values[0], values[count / 2], values[count - 1]};
}

static void run(puna_engine *engine) {
    for (puna_step step = {.active = 1}; step.active;) need(puna_engine_step(engine, &step, &error));
}

/* Fixed ids, spread over the vocabulary. */
static int32_t *make_ids(long count, int32_t vocabulary) {
    int32_t *ids = malloc((size_t)count * sizeof *ids);
    uint32_t x = 12345;
    for (long i = 0; ids && i < count; i++) {
        x = x * 1664525u + 1013904223u;
        ids[i] = (int32_t)((x >> 8) % (uint32_t)vocabulary);
    }
    return ids;
}

static double prompt_speed(puna_engine *engine, const int32_t *ids, const settings *s) {
    uint64_t sequence;
    puna_generation one;
    puna_generation_default(&one);
    one.max_tokens = 1;
    need(puna_sequence_open(engine, &sequence, &error));
    double begin = seconds();
    need(puna_sequence_generate(engine, sequence, ids, (uint64_t)s->prompt, &one, &error));
    run(engine);
    double end = seconds();
    need(puna_sequence_close(engine, sequence, &error));
    return (double)s->prompt / (end - begin);
}

/* The first token of each sequence comes with its prompt and isn't counted. */
static double generate_speed(puna_engine *engine, const int32_t *ids, const settings *s) {
    uint64_t *sequences = malloc((size_t)s->parallel * sizeof *sequences);
    puna_generation g;
    puna_generation_default(&g);
    g.max_tokens = (uint32_t)s->generate + 1;
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    for (long i = 0; i < s->parallel; i++) {
        need(puna_sequence_open(engine, &sequences[i], &error));
        need(puna_sequence_generate(engine, sequences[i], ids, (uint64_t)s->depth + 1, &g, &error));
    }
    puna_step step = {.active = 1};
    do need(puna_engine_step(engine, &step, &error));
    while (step.prompt_tokens);
    double begin = seconds();
    long tokens = 0;
    while (step.active) {
        need(puna_engine_step(engine, &step, &error));
        tokens += step.tokens;
    }
    double end = seconds();
    for (long i = 0; i < s->parallel; i++) need(puna_sequence_close(engine, sequences[i], &error));
    free(sequences);
    return (double)tokens / (end - begin);
}

static void report(const settings *s, const char *test, long tokens, figures f, int last) {
    if (s->json)
        printf("%s{\"test\":\"%s\",\"tokens\":%ld,\"depth\":%ld,\"parallel\":%ld,\"tokens_per_second\":{\"median\":%.2f,\"min\":%.2f,"
               "\"max\":%.2f}}", last ? "," : "", test, tokens, s->depth, s->parallel, f.median, f.low, f.high);
    else
        printf("%-10s %8ld %8ld %8ld %12.1f %10.1f %10.1f\n", test, tokens, s->depth, s->parallel, f.median, f.low, f.high);
}

static long *option(settings *s, const char *name) {
    struct { const char *name; long *value; } all[] = {
        {"--prompt", &s->prompt}, {"--generate", &s->generate}, {"--depth", &s->depth}, {"--parallel", &s->parallel},
        {"--threads", &s->threads}, {"--repeat", &s->repeat}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0) return all[i].value;
    return NULL;
}

static int parse(settings *s, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        long *value = option(s, argv[i]);
        if (value && i + 1 < argc) *value = strtol(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--json") == 0) s->json = 1;
        else if (!s->model && argv[i][0] != '-') s->model = argv[i];
        else return 0;
    }
    return s->model && s->prompt >= 0 && s->generate >= 0 && s->depth >= 0 && s->parallel >= 1 && s->parallel <= 1024 &&
           s->threads >= 0 && s->repeat >= 1;
}

int main(int argc, char **argv) {
    settings s = {NULL, 512, 128, 0, 1, 0, 3, 0};
    if (!parse(&s, argc, argv)) {
        fprintf(stderr, "usage: bench_model MODEL.gguf [--prompt N] [--generate N] [--depth N] [--parallel N] [--threads N] "
                        "[--repeat N] [--json]\n");
        return 2;
    }
    puna_model *model;
    puna_engine *engine;
    puna_engine_options options;
    double begin = seconds();
    need(puna_model_load(s.model, NULL, NULL, &model, &error));
    double loaded = seconds() - begin;
    puna_engine_options_default(&options);
    options.threads = (uint32_t)s.threads;
    if (s.parallel > options.max_sequences) options.max_sequences = (uint32_t)s.parallel;
    need(puna_engine_create(model, &options, &engine, &error));
    puna_model_info info = {.size = sizeof info};
    puna_model_describe(model, &info);
    long most = s.prompt > s.depth ? s.prompt : s.depth + 1;
    int32_t *ids = make_ids(most, info.vocabulary);
    double *values = malloc((size_t)s.repeat * sizeof *values);
    if (!ids || !values) return 1;
    if (s.json) printf("{\"load_seconds\":%.3f,\"runs\":[", loaded);
    else printf("loaded in %.3f s\n%-10s %8s %8s %8s %12s %10s %10s\n", loaded, "test", "tokens", "depth", "parallel", "tokens/s", "min", "max");
    if (s.prompt) {
        prompt_speed(engine, ids, &s); /* warms up */
        for (long i = 0; i < s.repeat; i++) values[i] = prompt_speed(engine, ids, &s);
        report(&s, "prompt", s.prompt, sorted(values, s.repeat), 0);
    }
    if (s.generate) {
        for (long i = 0; i < s.repeat; i++) values[i] = generate_speed(engine, ids, &s);
        report(&s, "generate", s.generate, sorted(values, s.repeat), s.prompt != 0);
    }
    if (s.json) printf("]}\n");
    free(ids);
    free(values);
    puna_engine_close(engine);
    puna_model_close(model);
    return 0;
}
