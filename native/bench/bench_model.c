// SPDX-License-Identifier: Apache-2.0
/*
 * A whole model through puna.h: load time, the time to the first token, prompt and generation in tokens a second,
 * memory. What Java's `./puna bench` is compared with.
 *
 *     bench_model MODEL.gguf [--prompt 512] [--generate 128] [--depth 0] [--parallel 1] [--threads 0] [--repeat 3]
 *                 [--warm 0] [--cache f16] [--adapter FILE] [--profile] [--json]
 *
 * --cache is f16, f32 or q8_0. Each number but --repeat and --warm may be a list, 1,8,32: its values are measured one
 * by one. Each test runs once more before it counts; --warm bounds the tokens and the depth of that.
 *
 * --profile does each test once more and tells where the time went: by phase, with its barrier, its threads' idle time
 * and its share of the machine's ceilings, which are measured then; and by op.
 *
 * Every sequence of every measurement has ids of its own and begins with an empty cache: an engine finds whole pages of
 * a common beginning again by itself, and would answer a prompt that it has read before in no time. That nothing was
 * found is checked.
 */
#include <puna.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if !defined(_WIN32)
#include <sys/resource.h>
#endif

#include "report.h"

enum { MOST = 16, MOST_SEQUENCES = 1024 };

typedef struct list {
    long values[MOST];
    int count;
} list;

typedef struct settings {
    const char *model;
    const char *adapter;  /* that every sequence uses; NULL: none */
    puna_adapter_use use;
    list prompts, generates, depths, parallels, threads, repeats, warms;
    uint32_t cache;       /* PUNA_CACHE_* */
    int json, profiled;
    report *report;       /* of the test at hand, or NULL */
    int runs;             /* that were reported */
    long depth, parallel; /* of the measurement at hand */
    uint64_t seed;        /* of the next ids */
    int32_t vocabulary;
    uint64_t sequences[MOST_SEQUENCES];
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

static void stop_with(const char *message) {
    fprintf(stderr, "bench_model: %s\n", message);
    exit(1);
}

/* So many ids for each sequence, spread over the vocabulary: the same in every run of this program, others at each
   call. */
static int32_t *draw_ids(settings *s, long each) {
    size_t count = (size_t)each * (size_t)s->parallel;
    int32_t *ids = malloc(count * sizeof *ids);
    if (!ids) stop_with("out of memory");
    for (size_t i = 0; i < count; i++) {
        uint64_t x = (s->seed += 0x9E3779B97F4A7C15u);
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
        x = (x ^ x >> 27) * 0x94D049BB133111EBu;
        ids[i] = (int32_t)((x ^ x >> 31) % (uint64_t)s->vocabulary);
    }
    return ids;
}

static uint64_t reused(const puna_engine *engine) {
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(engine, &info);
    return info.prefix_hit_tokens;
}

static void open_all(puna_engine *engine, settings *s) {
    need(puna_engine_trim(engine, &error));
    for (long i = 0; i < s->parallel; i++) need(puna_sequence_open(engine, &s->sequences[i], &error));
}

static void close_all(puna_engine *engine, settings *s) {
    for (long i = 0; i < s->parallel; i++) need(puna_sequence_close(engine, s->sequences[i], &error));
}

/* The first `count` of each sequence's `each` ids. */
static void start_all(puna_engine *engine, settings *s, const int32_t *ids, long each, long count, long generate) {
    puna_generation g;
    puna_generation_default(&g);
    g.max_tokens = (uint32_t)generate;
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    g.adapters = &s->use;
    g.adapter_count = s->adapter ? 1 : 0;
    for (long i = 0; i < s->parallel; i++)
        need(puna_sequence_generate(engine, s->sequences[i], ids + i * each, (uint64_t)count, &g, &error));
}

static double prompt_speed(puna_engine *engine, settings *s, long tokens) {
    int32_t *ids = draw_ids(s, tokens);
    uint64_t before = reused(engine);
    open_all(engine, s);
    if (s->report) report_begin(s->report);
    double begin = seconds();
    start_all(engine, s, ids, tokens, tokens, 1);
    run(engine);
    double took = seconds() - begin;
    if (s->report) report_end(s->report, took);
    close_all(engine, s);
    free(ids);
    if (reused(engine) != before) stop_with("the cache had a part of a prompt: its rate would be too high");
    return (double)(tokens * s->parallel) / took;
}

/* The depth is read first, by all, so that they generate in step; the first token of each comes with its last id and
   isn't counted. */
static double generate_speed(puna_engine *engine, settings *s, long count) {
    long each = s->depth + 1, tokens = 0;
    int32_t *ids = draw_ids(s, each);
    uint64_t before = reused(engine);
    open_all(engine, s);
    if (s->depth) start_all(engine, s, ids, each, s->depth, 1);
    run(engine);
    if (reused(engine) != before) stop_with("the cache had a part of a depth");
    start_all(engine, s, ids, each, each, count + 1);
    puna_step step = {.size = sizeof step};
    need(puna_engine_step(engine, &step, &error));
    if (step.tokens != (uint32_t)s->parallel) stop_with("the cache doesn't hold all: lower --parallel or --depth");
    if (s->report) report_begin(s->report);
    double begin = seconds();
    while (step.active) {
        need(puna_engine_step(engine, &step, &error));
        tokens += step.tokens;
    }
    double took = seconds() - begin;
    if (s->report) report_end(s->report, took);
    close_all(engine, s);
    free(ids);
    if (tokens != count * s->parallel) stop_with("a sequence ended early");
    return (double)tokens / took;
}

typedef double measure(puna_engine *engine, settings *s, long tokens);

/* The test once more, watched, so that the figures above stay as they are. */
static void tell_profile(settings *s, measure *speed, puna_engine *engine, long tokens) {
    if (!s->profiled) return;
    s->report = report_new(engine);
    if (!s->report) stop_with("out of memory");
    speed(engine, s, tokens);
    if (s->json) printf(",\"profile\":");
    report_print(s->report, (uint64_t)(tokens * (speed == prompt_speed ? s->parallel : 1)), s->json);
    report_free(s->report);
    s->report = NULL;
}

static void tell(settings *s, const char *test, long tokens, uint32_t threads, figures f) {
    if (s->json)
        printf("%s{\"test\":\"%s\",\"tokens\":%ld,\"depth\":%ld,\"parallel\":%ld,\"threads\":%u,\"tokens_per_second\":"
               "{\"median\":%.2f,\"min\":%.2f,\"max\":%.2f}", s->runs ? "," : "", test, tokens, s->depth, s->parallel,
               threads, f.median, f.low, f.high);
    else
        printf("%-10s %8ld %8ld %8ld %8u %12.1f %10.1f %10.1f\n", test, tokens, s->depth, s->parallel, threads,
               f.median, f.low, f.high);
    s->runs++;
}

/* As the test, within --warm. */
static void warm_up(settings *s, measure *speed, puna_engine *engine, long tokens) {
    long most = s->warms.values[0], depth = s->depth;
    if (most && tokens > most) tokens = most;
    if (most && s->depth > most) s->depth = most;
    speed(engine, s, tokens);
    s->depth = depth;
}

static void test(settings *s, const char *name, measure *speed, puna_engine *engine, long tokens) {
    long repeat = s->repeats.values[0];
    double *values = malloc((size_t)repeat * sizeof *values);
    if (!values) exit(1);
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(engine, &info);
    warm_up(s, speed, engine, tokens);
    for (long i = 0; i < repeat; i++) values[i] = speed(engine, s, tokens);
    tell(s, name, tokens, info.threads, sorted(values, repeat));
    free(values);
    tell_profile(s, speed, engine, tokens);
    if (s->json) printf("}");
}

static list *option(settings *s, const char *name) {
    struct { const char *name; list *values; } all[] = {
        {"--prompt", &s->prompts}, {"--generate", &s->generates}, {"--depth", &s->depths},
        {"--parallel", &s->parallels}, {"--threads", &s->threads}, {"--repeat", &s->repeats},
        {"--warm", &s->warms}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, name) == 0) return all[i].values;
    return NULL;
}

/* Numbers with commas between them. */
static int read_list(list *l, const char *text) {
    char *after;
    l->count = 0;
    do {
        if (l->count == MOST) return 0;
        l->values[l->count++] = strtol(text, &after, 10);
        if (after == text) return 0;
        text = after + 1;
    } while (*after == ',');
    return *after == 0;
}

static int within(const list *l, long low, long high) {
    for (int i = 0; i < l->count; i++)
        if (l->values[i] < low || l->values[i] > high) return 0;
    return 1;
}

static int read_cache(settings *s, const char *name) {
    static const char *const names[] = {[PUNA_CACHE_F32] = "f32", [PUNA_CACHE_F16] = "f16", [PUNA_CACHE_Q8_0] = "q8_0"};
    for (uint32_t type = 0; type < sizeof names / sizeof *names; type++)
        if (strcmp(names[type], name) == 0) {
            s->cache = type;
            return 1;
        }
    return 0;
}

static int parse(settings *s, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        list *values = option(s, argv[i]);
        if (values && i + 1 < argc && read_list(values, argv[i + 1])) i++;
        else if (strcmp(argv[i], "--cache") == 0 && i + 1 < argc && read_cache(s, argv[i + 1])) i++;
        else if (strcmp(argv[i], "--adapter") == 0 && i + 1 < argc) s->adapter = argv[++i];
        else if (strcmp(argv[i], "--json") == 0) s->json = 1;
        else if (strcmp(argv[i], "--profile") == 0) s->profiled = 1;
        else if (!s->model && argv[i][0] != '-') s->model = argv[i];
        else return 0;
    }
    return s->model && within(&s->prompts, 0, 1 << 24) && within(&s->generates, 0, 1 << 24) &&
           within(&s->depths, 0, 1 << 24) && within(&s->parallels, 1, MOST_SEQUENCES) && within(&s->threads, 0, 256) &&
           s->repeats.count == 1 && within(&s->repeats, 1, 10000) && s->warms.count == 1 &&
           within(&s->warms, 0, 1 << 24);
}

/* All tests with so many threads and sequences. */
static void measure_all(settings *s, puna_model *model, uint32_t threads) {
    puna_engine *engine;
    puna_engine_options options;
    puna_engine_options_default(&options);
    options.threads = threads;
    options.cache_type = s->cache;
    if (s->parallel > options.max_sequences) options.max_sequences = (uint32_t)s->parallel;
    need(puna_engine_create(model, &options, &engine, &error));
    s->depth = 0;
    for (int i = 0; i < s->prompts.count; i++)
        if (s->prompts.values[i]) test(s, "prompt", prompt_speed, engine, s->prompts.values[i]);
    for (int g = 0; g < s->generates.count; g++) {
        for (int d = 0; d < s->depths.count && s->generates.values[g]; d++) {
            s->depth = s->depths.values[d];
            test(s, "generate", generate_speed, engine, s->generates.values[g]);
        }
    }
    puna_engine_close(engine);
}

/* From nothing to a token: what a program does that is started for one question. */
static void take_first(settings *s, puna_model *model) {
    puna_engine *engine;
    puna_engine_options options;
    puna_engine_options_default(&options);
    options.threads = (uint32_t)s->threads.values[0];
    options.cache_type = s->cache;
    need(puna_engine_create(model, &options, &engine, &error));
    s->parallel = 1;
    prompt_speed(engine, s, 1);
    puna_engine_close(engine);
}

/* The most memory that this process ever had, in bytes; 0 where the system doesn't say. */
static double peak_memory(void) {
#if defined(_WIN32)
    return 0;
#else
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#if defined(__APPLE__)
    return (double)usage.ru_maxrss;
#else
    return (double)usage.ru_maxrss * 1024;
#endif
#endif
}

int main(int argc, char **argv) {
    static settings s = {.prompts = {{512}, 1}, .generates = {{128}, 1}, .depths = {{0}, 1}, .parallels = {{1}, 1},
                         .threads = {{0}, 1}, .repeats = {{3}, 1}, .warms = {{0}, 1}, .cache = PUNA_CACHE_F16};
    if (!parse(&s, argc, argv)) {
        fprintf(stderr, "usage: bench_model MODEL.gguf [--prompt N,...] [--generate N,...] [--depth N,...] "
                        "[--parallel N,...] [--threads N,...] [--repeat N] [--warm N] [--cache TYPE] [--adapter FILE] "
                        "[--profile] [--json]\n");
        return 2;
    }
    puna_model *model;
    double begin = seconds();
    need(puna_model_load(s.model, NULL, NULL, &model, &error));
    s.use.weight = 1;
    if (s.adapter) need(puna_adapter_load(model, s.adapter, NULL, &s.use.adapter, &error));
    double loaded = seconds() - begin;
    puna_model_info info = {.size = sizeof info};
    puna_model_describe(model, &info);
    s.vocabulary = info.vocabulary;
    take_first(&s, model);
    double first = seconds() - begin, memory = peak_memory();
    if (s.json)
        printf("{\"load_seconds\":%.4f,\"first_token_seconds\":%.4f,\"first_token_memory\":%.0f,\"runs\":[", loaded,
               first, memory);
    else
        printf("loaded in %.3f s, first token after %.3f s, %.0f MB until then\n%-10s %8s %8s %8s %8s %12s %10s %10s\n",
               loaded, first, memory / 1e6, "test", "tokens", "depth", "parallel", "threads", "tokens/s", "min", "max");
    for (int t = 0; t < s.threads.count; t++) {
        for (int p = 0; p < s.parallels.count; p++) {
            s.parallel = s.parallels.values[p];
            measure_all(&s, model, (uint32_t)s.threads.values[t]);
        }
    }
    if (s.json) printf("],\"peak_memory\":%.0f}\n", peak_memory());
    else printf("peak memory: %.0f MB\n", peak_memory() / 1e6);
    puna_adapter_close(s.use.adapter);
    puna_model_close(model);
    return 0;
}
