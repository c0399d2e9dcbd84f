// SPDX-License-Identifier: Apache-2.0
/*
 * Speculation on texts of one's own, against the same without it, by turns: tokens a second, and how many guesses were
 * right. That both say the same tokens is checked.
 *
 *     bench_speculation MODEL.gguf TEXT... [--generate 256] [--threads 0] [--repeat 3] [--temperature 0]
 *                       [--tokens 0] [--draft MODEL.gguf]
 *
 * A TEXT is a file whose text is the prompt, as it is. --tokens is draft_tokens of the engine.
 */
#include <puna.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_TEXTS = 16, MOST_REPEATS = 64, MOST_TOKENS = 1 << 16 };

typedef struct settings {
    const char *model, *draft, *texts[MOST_TEXTS];
    int text_count, generate, threads, repeat, tokens;
    double temperature;
} settings;

typedef struct outcome {
    int32_t ids[MOST_TOKENS];
    uint64_t count;
    puna_event end;
    double seconds;
} outcome;

static puna_error error = PUNA_ERROR_INIT;

static void stop_with(const char *subject, const char *message) {
    fprintf(stderr, "bench_speculation: %s: %s\n", subject, message);
    exit(1);
}

static void need(puna_status status) {
    if (status != PUNA_OK) stop_with(error.subject, error.message);
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

/* The file's text as ids. */
static int32_t *read_ids(const puna_model *model, const char *path, uint64_t *count) {
    static char text[1 << 20];
    static int32_t ids[1 << 18];
    FILE *file = fopen(path, "rb");
    if (!file) stop_with(path, "can't be read");
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    need(puna_tokenize(puna_model_tokenizer(model), text, length, PUNA_TOKENIZE_SPECIAL, ids, sizeof ids / sizeof *ids,
                       count, &error));
    return ids;
}

/* The prompt is read before the clock starts. */
static void generate(puna_engine *engine, const settings *s, const int32_t *ids, uint64_t count, outcome *o) {
    puna_generation g;
    puna_generation_default(&g);
    puna_stage warm = {.kind = PUNA_SAMPLE_TEMPERATURE, .value = (float)s->temperature};
    g.stages = &warm;
    g.stage_count = 1;
    g.seed = 1;
    g.max_tokens = (uint32_t)s->generate;
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    uint64_t sequence;
    double begin = 0;
    need(puna_sequence_open(engine, &sequence, &error));
    need(puna_sequence_generate(engine, sequence, ids, count, &g, &error));
    for (puna_step step = {.size = sizeof step, .active = 1}; step.active;) {
        need(puna_engine_step(engine, &step, &error));
        if (begin == 0 && step.tokens) begin = seconds();
        o->end.size = sizeof o->end;
        while (puna_engine_next_event(engine, &o->end)) {}
    }
    o->seconds = seconds() - begin;
    need(puna_sequence_tokens(engine, sequence, o->ids, MOST_TOKENS, &o->count, &error));
    need(puna_sequence_close(engine, sequence, &error));
}

static void compare(puna_model *model, puna_engine *const *engines, const settings *s, const char *path) {
    static outcome plain, drafted;
    double rates[2][MOST_REPEATS];
    uint64_t count;
    const int32_t *ids = read_ids(model, path, &count);
    for (int i = -1; i < s->repeat; i++) { /* warms up */
        generate(engines[0], s, ids, count, &plain);
        generate(engines[1], s, ids, count, &drafted);
        if (plain.count != drafted.count || memcmp(plain.ids, drafted.ids, plain.count * sizeof *plain.ids) != 0)
            stop_with(path, "speculation changed the tokens");
        if (i < 0) continue;
        rates[0][i] = (plain.end.generated_tokens - 1) / plain.seconds;
        rates[1][i] = (drafted.end.generated_tokens - 1) / drafted.seconds;
    }
    for (int i = 0; i < 2; i++) qsort(rates[i], (size_t)s->repeat, sizeof **rates, ascending);
    double without = rates[0][s->repeat / 2], with = rates[1][s->repeat / 2];
    printf("%-32s %8.1f %8.1f %7.2fx %8u %8u\n", path, without, with, with / without, drafted.end.drafted_tokens,
           drafted.end.accepted_tokens);
}

static int parse(settings *s, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        int *number = strcmp(argv[i], "--generate") == 0 ? &s->generate
            : strcmp(argv[i], "--threads") == 0          ? &s->threads
            : strcmp(argv[i], "--repeat") == 0           ? &s->repeat
            : strcmp(argv[i], "--tokens") == 0           ? &s->tokens
                                                         : NULL;
        if (number && value) *number = atoi(argv[++i]);
        else if (strcmp(argv[i], "--draft") == 0 && value) s->draft = argv[++i];
        else if (strcmp(argv[i], "--temperature") == 0 && value) s->temperature = atof(argv[++i]);
        else if (argv[i][0] == '-') return 0;
        else if (!s->model) s->model = argv[i];
        else if (s->text_count < MOST_TEXTS) s->texts[s->text_count++] = argv[i];
        else return 0;
    }
    return s->model && s->text_count && s->generate > 1 && s->generate < MOST_TOKENS / 2 && s->repeat > 0 &&
           s->repeat <= MOST_REPEATS;
}

int main(int argc, char **argv) {
    settings s = {.generate = 256, .repeat = 3};
    if (!parse(&s, argc, argv)) {
        fprintf(stderr, "usage: bench_speculation MODEL.gguf TEXT... [--generate N] [--threads N] [--repeat N] "
                        "[--temperature T] [--tokens N] [--draft MODEL]\n");
        return 2;
    }
    puna_model *model, *draft = NULL;
    puna_engine *engines[2];
    need(puna_model_load(s.model, NULL, NULL, &model, &error));
    if (s.draft) need(puna_model_load(s.draft, NULL, NULL, &draft, &error));
    for (int i = 0; i < 2; i++) {
        puna_engine_options o;
        puna_engine_options_default(&o);
        o.max_sequences = 1;
        o.threads = (uint32_t)s.threads;
        o.speculation = !i ? PUNA_SPECULATE_OFF : draft ? PUNA_SPECULATE_DRAFT : PUNA_SPECULATE_LOOKUP;
        o.draft = i ? draft : NULL;
        o.draft_tokens = (uint32_t)s.tokens;
        need(puna_engine_create(model, &o, &engines[i], &error));
    }
    printf("%-32s %8s %8s %8s %8s %8s\n", "text", "without", "with", "", "drafted", "accepted");
    for (int i = 0; i < s.text_count; i++) compare(model, engines, &s, s.texts[i]);
    for (int i = 0; i < 2; i++) puna_engine_close(engines[i]);
    puna_model_close(draft);
    puna_model_close(model);
    return 0;
}
