// SPDX-License-Identifier: Apache-2.0
/* Adapters of encoder-decoders and of encoders alone: what transformers and peft compute (tools/encoder_adapters.py),
   the same bits everywhere and beside others, searches with them, and sources that are read again where the set is
   another one. */
#include <math.h>
#include <stdlib.h>

#include "api/bed.h"
#include "api/golden.h"

#define VOCABULARY 384
#define LONGEST 130 /* of sources */
#define ANSWER 70
#define NEW 24

static puna_adapter *load(bed *b, const char *name) {
    char path[512];
    puna_adapter *a = NULL;
    snprintf(path, sizeof path, "%s/adapters/%s.gguf", PUNA_TEST_DATA, name);
    if (puna_adapter_load(b->model, path, NULL, &a, &b->error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s: %s: %s", name, b->error.subject, b->error.message);
    return a;
}

static puna_generation using(uint32_t most, puna_adapter_use *uses, uint32_t count) {
    puna_generation g = bed_generation(most);
    g.adapters = uses;
    g.adapter_count = count;
    return g;
}

/* ---- right ---- */

typedef struct example {
    int32_t source[LONGEST], ids[ANSWER], greedy[NEW + 1], best[NEW + 1];
    double means[LONGEST], last[VOCABULARY], score, logprobs[NEW + 1];
    size_t length, count, answered, found;
} example;

static void read(const golden *g, const char *at, example *e) {
    e->length = golden_ids(g, at, "source", e->source, LONGEST);
    e->count = golden_ids(g, at, "ids", e->ids, ANSWER);
    e->answered = golden_ids(g, at, "greedy", e->greedy, NEW + 1);
    e->found = golden_ids(g, at, "beams", e->best, NEW + 1);
    NEED(e->length && e->length <= LONGEST && e->count <= ANSWER && e->answered && e->found);
    CHECK_EQUAL(golden_floats(g, at, "means", e->means, LONGEST), e->count + 1);
    CHECK_EQUAL(golden_floats(g, at, "last", e->last, VOCABULARY), VOCABULARY);
    CHECK_EQUAL(golden_floats(g, at, "score", &e->score, 1), 1);
    CHECK_EQUAL(golden_floats(g, at, "logprobs", e->logprobs, NEW + 1), e->found);
}

static double worst;

static void near_to(const char *name, const char *what, double is, double should, double bound) {
    double difference = fabs(is - should);
    if (!(difference <= worst)) worst = difference;
    if (!(difference <= bound)) testing_fail(__FILE__, __LINE__, "%s, %s: %.7g, not %.7g", name, what, is, should);
}

static float logits[(ANSWER + 1) * VOCABULARY];

static void check_logits(bed *b, const char *name, const example *e) {
    NEED(puna_engine_answer_logits(b->engine, e->source, e->length, e->ids, e->count, 0, logits,
                                   sizeof logits / sizeof *logits, NULL, &b->error) == PUNA_OK);
    for (size_t row = 0; row <= e->count; row++) {
        double sum = 0;
        for (size_t i = 0; i < VOCABULARY; i++) sum += logits[row * VOCABULARY + i];
        near_to(name, "a row's mean", sum / VOCABULARY, e->means[row], 1e-4);
    }
    for (size_t i = 0; i < VOCABULARY; i++)
        near_to(name, "a logit", logits[e->count * VOCABULARY + i], e->last[i], 1e-4);
}

static void check_answers(bed *b, const char *name, const example *e, puna_adapter_use *uses, uint32_t count) {
    static bed_result r;
    puna_generation g = using(NEW, uses, count);
    g.flags = 0;
    NEED(bed_start(b, &r, e->source, e->length, &g) == PUNA_OK);
    bed_run(b, &r, 1, 100);
    if (r.count != e->answered || memcmp(r.tokens, e->greedy, r.count * sizeof *r.tokens) != 0)
        testing_fail(__FILE__, __LINE__, "%s: another answer", name);
    g.beams = 4;
    g.length_penalty = 1;
    g.logprobs = 1;
    g.top_logprobs = 3;
    NEED(bed_start(b, &r, e->source, e->length, &g) == PUNA_OK);
    bed_run(b, &r, 1, 200);
    if (r.count != e->found || memcmp(r.tokens, e->best, r.count * sizeof *r.tokens) != 0)
        testing_fail(__FILE__, __LINE__, "%s: beams found another answer", name);
    near_to(name, "score", r.score, e->score, 1e-5);
    for (size_t i = 0; i < r.count; i++) near_to(name, "log-probability", r.logprobs[i], e->logprobs[i], 1e-4);
}

static void agrees(const char *base, const char *set, const char *const *adapters, const float *weights,
                   uint32_t count) {
    char path[512], file[96], name[64];
    golden g;
    bed b;
    puna_adapter_use uses[2];
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F32);
    uint32_t cases = 0;
    worst = 0;
    snprintf(path, sizeof path, "%s/adapters/%s.golden", PUNA_TEST_DATA, base);
    snprintf(file, sizeof file, "../text_to_text/%s.gguf", base);
    NEED(golden_open(&g, path) && bed_open(&b, file, &o));
    for (uint32_t i = 0; i < count; i++) uses[i] = (puna_adapter_use){load(&b, adapters[i]), weights[i], 0};
    NEED(puna_engine_adapt(b.engine, uses, count, &b.error) == PUNA_OK);
    for (const char *at = golden_next(&g, NULL, name); at; at = golden_next(&g, at, name)) {
        static example e;
        if (strncmp(name, set, strlen(set)) != 0) continue;
        read(&g, at, &e);
        check_logits(&b, name, &e);
        check_answers(&b, name, &e, uses, count);
        cases++;
    }
    CHECK_EQUAL(cases, 2);
    printf("       %s, %s: off by %.2g at most\n", base, set, worst);
    for (uint32_t i = 0; i < count; i++) puna_adapter_close(uses[i].adapter);
    bed_close(&b);
    golden_close(&g);
}

static void answers_are_those_of_peft(void) {
    agrees("t5", "law", (const char *[]){"t5_law"}, (float[]){1}, 1);
    agrees("t5", "cross", (const char *[]){"t5_cross"}, (float[]){1}, 1);
    agrees("t5", "both", (const char *[]){"t5_law", "t5_cross"}, (float[]){0.75f, -1.5f}, 2);
    agrees("t5_gated", "law", (const char *[]){"t5_gated_law"}, (float[]){0.5f}, 1);
}

typedef struct text {
    int32_t ids[LONGEST], types[LONGEST], position;
    double means[LONGEST], last[64], pooled[64], scores[8], logits[VOCABULARY];
    size_t count, width, labels;
} text;

static void read_text(const golden *g, const char *at, text *t) {
    t->count = golden_ids(g, at, "ids", t->ids, LONGEST);
    t->width = golden_floats(g, at, "last", t->last, 64);
    t->labels = golden_floats(g, at, "scores", t->scores, 8);
    bool masked = golden_ids(g, at, "position", &t->position, 1) == 1;
    NEED(t->count && t->count <= LONGEST && t->width && t->width <= 64);
    NEED(golden_ids(g, at, "types", t->types, LONGEST) == t->count);
    NEED(golden_floats(g, at, "means", t->means, LONGEST) == t->count);
    NEED(golden_floats(g, at, "pooled", t->pooled, 64) == t->width);
    CHECK(golden_floats(g, at, "logits", t->logits, VOCABULARY) == (masked ? VOCABULARY : 0));
    if (!masked) t->position = -1;
}

static const float *embed(bed *b, const puna_input *in, uint32_t pooling) {
    static float vectors[LONGEST * 64];
    puna_embedding how = {.size = sizeof how, .pooling = pooling};
    if (puna_engine_embed(b->engine, in, 1, &how, vectors, LONGEST * 64, NULL, &b->error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s", b->error.message);
    return vectors;
}

static void check_text(bed *b, const char *name, const text *t) {
    puna_input in = {t->ids, (const uint32_t *)t->types, t->count};
    const float *is = embed(b, &in, PUNA_POOL_NONE);
    for (size_t row = 0; row < t->count; row++) {
        double sum = 0;
        for (size_t i = 0; i < t->width; i++) sum += is[row * t->width + i];
        near_to(name, "a state's mean", sum / (double)t->width, t->means[row], 1e-4);
    }
    for (size_t i = 0; i < t->width; i++) near_to(name, "last", is[(t->count - 1) * t->width + i], t->last[i], 1e-4);
    is = embed(b, &in, PUNA_POOL_MEAN);
    for (size_t i = 0; i < t->width; i++) near_to(name, "pooled", is[i], t->pooled[i], 1e-4);
    if (t->labels) is = embed(b, &in, PUNA_POOL_SCORES);
    for (size_t i = 0; i < t->labels; i++) near_to(name, "a score", is[i], t->scores[i], 1e-4);
    if (t->position < 0) return;
    uint32_t position = (uint32_t)t->position;
    NEED(puna_engine_fill(b->engine, &in, &position, 1, logits, VOCABULARY, &b->error) == PUNA_OK);
    for (size_t i = 0; i < VOCABULARY; i++) near_to(name, "a logit", logits[i], t->logits[i], 1e-4);
}

static void states_are_those_of_peft(void) {
    static const char *const bases[][2] = {
        {"t5encoder", "t5encoder_tone"}, {"bert_masked", "bert_masked_tone"}, {"bert_classes", "bert_classes_tone"}};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        char path[512], file[96], name[64];
        static text t;
        golden g;
        bed b;
        uint32_t cases = 0;
        worst = 0;
        snprintf(path, sizeof path, "%s/adapters/%s.golden", PUNA_TEST_DATA, bases[i][0]);
        snprintf(file, sizeof file, "../encoders/%s.gguf", bases[i][0]);
        NEED(golden_open(&g, path) && bed_open(&b, file, NULL));
        puna_adapter_use tone = {load(&b, bases[i][1]), 1, 0};
        NEED(puna_engine_adapt(b.engine, &tone, 1, &b.error) == PUNA_OK);
        for (const char *at = golden_next(&g, NULL, name); at; at = golden_next(&g, at, name), cases++) {
            read_text(&g, at, &t);
            check_text(&b, bases[i][0], &t);
        }
        CHECK_EQUAL(cases, 2);
        printf("       %s, tone: off by %.2g at most\n", bases[i][0], worst);
        puna_adapter_close(tone.adapter);
        bed_close(&b);
        golden_close(&g);
    }
}

/* ---- the same ---- */

static void fill(int32_t *ids, uint32_t count, uint32_t salt) {
    uint32_t x = salt * 2654435761u + 1;
    for (uint32_t i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        ids[i] = (int32_t)(5 + (x >> 8) % (VOCABULARY - 5));
    }
}

static const struct { const char *file, *one, *other; } models[] = {
    {"../text_to_text/t5.gguf", "t5_law", "t5_cross"},
    {"../text_to_text/t5_gated.gguf", "t5_gated_law", "t5_gated_law"},
    {"../text_to_text/t5_gated_q8_0.gguf", "t5_gated_law", "t5_gated_law"}};
enum { MODELS = sizeof models / sizeof *models };

static uint64_t digest(size_t m, uint32_t count, uint32_t threads, uint32_t step, uint32_t cache) {
    bed b;
    int32_t source[200], ids[ANSWER];
    puna_engine_options o = bed_options(threads, step, 3, cache);
    if (!bed_open(&b, models[m].file, &o)) return 0;
    puna_adapter_use uses[] = {{load(&b, models[m].one), 0.7f, 0}, {load(&b, models[m].other), -1.25f, 0}};
    CHECK(puna_engine_adapt(b.engine, uses, count, &b.error) == PUNA_OK);
    fill(source, 200, 7);
    fill(ids, ANSWER, 8);
    CHECK(puna_engine_answer_logits(b.engine, source, 200, ids, ANSWER, 0, logits, sizeof logits / sizeof *logits,
                                    NULL, &b.error) == PUNA_OK);
    for (int i = 0; i < 2; i++) puna_adapter_close(uses[i].adapter);
    bed_close(&b);
    return bed_digest(14695981039346656037u, logits, sizeof logits);
}

static void bits_are_equal_over_tiers_threads_and_chunks(void) {
    static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};
    static const uint32_t settings[][3] = {{1, 1, PUNA_CACHE_F16}, {2, 64, PUNA_CACHE_Q8_0}, {3, 512, PUNA_CACHE_F32},
                                           {2, 7, PUNA_CACHE_F16}};
    for (size_t m = 0; m < TESTING_THIN(MODELS, MODELS, 1); m++) {
        bed_tier("ref");
        uint64_t expected[4];
        for (size_t i = 0; i < 4; i++) expected[i] = digest(m, 2, 1, 512, settings[i][2]);
        for (size_t t = 0; t < 4; t++)
            for (size_t i = (m + t) % 2; bed_tier(tiers[t]) && i < 4; i += TESTING_THIN(1, 2, 2))
                if (digest(m, 2, settings[i][0], settings[i][1], settings[i][2]) != expected[i])
                    testing_fail(__FILE__, __LINE__, "%s on %s, %u threads, steps of %u: other logits", models[m].file,
                                 tiers[t], settings[i][0], settings[i][1]);
        bed_tier(NULL);
        CHECK(digest(m, 0, 1, 512, PUNA_CACHE_F16) != expected[0]);
        CHECK(digest(m, 1, 1, 512, PUNA_CACHE_F16) != expected[0]);
    }
}

enum { MANY = 15, SETS = 5 };

/* Sources that begin alike, of many lengths; every third is searched for, the others are sampled. */
static void start(bed *b, bed_result *r, uint32_t i, puna_adapter *one, puna_adapter *other) {
    static const puna_stage warm = {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.9f};
    puna_adapter_use sets[SETS][2] = {{{0}}, {{one, 1, 0}}, {{other, -0.5f, 0}}, {{one, 0.5f, 0}, {other, 2, 0}},
                                      {{one, 0.25f, 0}}};
    static const uint32_t counts[SETS] = {0, 1, 1, 2, 1};
    int32_t source[200];
    puna_generation g = using(20 + i, sets[i % SETS], counts[i % SETS]);
    fill(source, 200, 1);
    g.seed = 77 + i;
    g.logprobs = 1;
    if (i % 3 == 2) {
        g.beams = 2 + i % 2;
        g.length_penalty = 1;
        g.flags = 0;
    } else {
        g.stages = &warm;
        g.stage_count = 1;
        g.flags = PUNA_GENERATE_IGNORE_EOS;
    }
    *r = (bed_result){0};
    CHECK_EQUAL(bed_start(b, r, source, 1 + i * 53 % 180, &g), PUNA_OK);
}

static bool equal(const bed_result *a, const bed_result *b) {
    return a->count == b->count && memcmp(a->tokens, b->tokens, a->count * sizeof *a->tokens) == 0 &&
           memcmp(a->logprobs, b->logprobs, a->count * sizeof *a->logprobs) == 0;
}

static void same(const bed_result *a, const bed_result *b, const char *what) {
    CHECK(a->count > 0);
    if (!equal(a, b)) testing_fail(__FILE__, __LINE__, "other tokens or log-probabilities %s", what);
}

static void a_batch_may_use_many(size_t m) {
    static bed_result expected[MANY], got[MANY];
    for (uint32_t round = 0; round < 3; round++) { /* alone; together; with a cache for little more than one */
        bed b;
        puna_engine_options o = bed_options(round ? 2 : 1, round == 1 ? 64 : 512, round ? 8 : 3, PUNA_CACHE_F16);
        puna_memory_plan plan = {.size = sizeof plan};
        puna_engine_info info = {.size = sizeof info};
        if (round == 2) {
            NEED(bed_open(&b, models[m].file, NULL) &&
                 puna_plan(puna_model_file(b.model), &o, &plan, &b.error) == PUNA_OK);
            bed_close(&b);
            o.cache_bytes = plan.cache_position * 256 * 3;
            o.speculation = PUNA_SPECULATE_LOOKUP;
        }
        NEED(bed_open(&b, models[m].file, &o));
        puna_adapter *one = load(&b, models[m].one), *other = load(&b, models[m].other);
        bed_result *of = round ? got : expected;
        for (uint32_t i = 0; i < MANY; i++) {
            start(&b, &of[i], i, one, other);
            if (!round) bed_run(&b, &of[i], 1, 1000);
        }
        puna_adapter_close(one); /* those that run keep theirs */
        puna_adapter_close(other);
        bed_run(&b, of, MANY, 20000);
        for (uint32_t i = 0; i < MANY && round; i++) same(&got[i], &expected[i], "in a batch");
        puna_engine_describe(b.engine, &info);
        if (round == 2) CHECK(info.evictions > 0);
        bed_close(&b);
    }
}

static void batches_may_use_many(void) {
    for (size_t m = 0; m < MODELS; m += TESTING_THIN(1, 2, 2)) a_batch_may_use_many(m);
}

/* ---- sources are a set's own ---- */

static void turn(bed *b, uint64_t sequence, bed_result *r, puna_adapter_use *uses, uint32_t count) {
    int32_t source[150];
    puna_generation g = using(16, uses, count);
    g.logprobs = 1;
    fill(source, 150, 3);
    *r = (bed_result){.sequence = sequence};
    if (!sequence) CHECK(puna_sequence_open(b->engine, &r->sequence, &b->error) == PUNA_OK);
    CHECK(puna_sequence_generate(b->engine, r->sequence, source, 150, &g, &b->error) == PUNA_OK);
    bed_run(b, r, 1, 1000);
}

static void sources_are_a_sets_own(void) {
    bed b;
    static bed_result bare, first, r;
    uint64_t fork = 0;
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    NEED(bed_open(&b, models[0].file, &o));
    puna_adapter *law = load(&b, "t5_law"), *cross = load(&b, "t5_cross");
    puna_adapter_use one = {law, 1, 0}, half = {law, 0.5f, 0}, nothing = {law, 0, 0}, only = {cross, 1, 0};
    turn(&b, 0, &bare, NULL, 0);
    turn(&b, 0, &first, &one, 1);
    CHECK_EQUAL(first.cached_tokens, 0);
    CHECK(!equal(&first, &bare));
    turn(&b, first.sequence, &r, &one, 1);
    CHECK_EQUAL(r.cached_tokens, 150);
    same(&r, &first, "of a source that was read");
    NEED(puna_sequence_fork(b.engine, first.sequence, PUNA_ALL, &fork, &b.error) == PUNA_OK);
    turn(&b, fork, &r, &one, 1);
    CHECK_EQUAL(r.cached_tokens, 150);
    same(&r, &first, "of a fork");
    turn(&b, fork, &r, &half, 1);
    CHECK_EQUAL(r.cached_tokens, 0);
    CHECK(!equal(&r, &first));
    turn(&b, fork, &r, &only, 1); /* of the keys and values of the source alone */
    CHECK_EQUAL(r.cached_tokens, 0);
    CHECK(!equal(&r, &bare));
    turn(&b, fork, &r, &nothing, 1); /* as if it were not there */
    CHECK_EQUAL(r.cached_tokens, 0);
    same(&r, &bare, "with a weight of 0");
    turn(&b, fork, &r, NULL, 0);
    CHECK_EQUAL(r.cached_tokens, 150);
    same(&r, &bare, "without adapters again");
    turn(&b, first.sequence, &r, &one, 1);
    CHECK_EQUAL(r.cached_tokens, 150); /* what its fork did is nothing to it */
    same(&r, &first, "of the one that was forked");
    CHECK(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
    turn(&b, first.sequence, &r, &one, 1);
    CHECK_EQUAL(r.cached_tokens, 0);
    same(&r, &first, "when the source is read again");
    puna_adapter_close(law);
    puna_adapter_close(cross);
    bed_close(&b);
}

/* ---- memory ---- */

static void room_is_given_back(void) {
    static bed_result r;
    uint64_t all = puna_memory();
    for (int order = 0; order < 3; order++) {
        bed b;
        puna_engine_info before = {.size = sizeof before}, now = before;
        puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
        NEED(bed_open(&b, models[2].file, &o));
        puna_adapter_use one = {load(&b, "t5_gated_law"), 1, 0};
        puna_engine_describe(b.engine, &before);
        turn(&b, 0, &r, &one, 1);
        if (order == 0) puna_adapter_close(one.adapter);
        CHECK(puna_sequence_close(b.engine, r.sequence, &b.error) == PUNA_OK);
        CHECK(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
        puna_engine_describe(b.engine, &now);
        CHECK_EQUAL(now.memory_bytes, before.memory_bytes);
        if (order == 1) puna_adapter_close(one.adapter);
        bed_close(&b);
        if (order == 2) puna_adapter_close(one.adapter);
        CHECK_EQUAL(puna_memory(), all);
    }
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(answers_are_those_of_peft);
    TEST(states_are_those_of_peft);
    TEST(bits_are_equal_over_tiers_threads_and_chunks);
    TEST(batches_may_use_many);
    TEST(sources_are_a_sets_own);
    TEST(room_is_given_back);
    return testing_end();
}
