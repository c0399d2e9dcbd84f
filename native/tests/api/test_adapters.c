// SPDX-License-Identifier: Apache-2.0
/* Adapters: transformers' and peft's logits (tools/make_adapters.py), the same bits everywhere, and beside others; what
   is cached belongs to a set; they may be closed while they are used. */
#include <math.h>
#include <stdlib.h>

#include "api/bed.h"
#include "api/golden.h"

#define VOCABULARY 384
#define MOST 160
#define NEW 16

static float *logits_buffer(void) { return malloc((size_t)MOST * VOCABULARY * sizeof(float)); }

static puna_adapter *load(bed *b, const char *name) {
    char path[512];
    puna_adapter *a = NULL;
    snprintf(path, sizeof path, "%s/adapters/%s.gguf", PUNA_TEST_DATA, name);
    if (puna_adapter_load(b->model, path, NULL, &a, &b->error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s: %s: %s", name, b->error.subject, b->error.message);
    return a;
}

/* ---- right ---- */

static double check_case(bed *b, const golden *g, const char *at, const char *name) {
    static double means[MOST], last[VOCABULARY];
    int32_t ids[MOST];
    double worst = 0;
    size_t count = golden_ids(g, at, "ids", ids, MOST);
    bool read = count && count <= MOST && golden_floats(g, at, "logits_mean", means, MOST) == count &&
                golden_floats(g, at, "logits_last", last, VOCABULARY) == VOCABULARY;
    CHECK(read);
    if (!read) return 0;
    float *logits = logits_buffer();
    CHECK_EQUAL(puna_engine_logits(b->engine, ids, count, 0, logits, (uint64_t)MOST * VOCABULARY, NULL, &b->error),
                PUNA_OK);
    for (size_t row = 0; row < count; row++) {
        double sum = 0;
        for (int i = 0; i < VOCABULARY; i++) sum += logits[row * VOCABULARY + i];
        worst = fmax(worst, fabs(sum / VOCABULARY - means[row]));
    }
    for (int i = 0; i < VOCABULARY; i++) worst = fmax(worst, fabs(logits[(count - 1) * VOCABULARY + i] - last[i]));
    if (!(worst <= 1e-4)) testing_fail(__FILE__, __LINE__, "case %s: off by %g", name, worst);
    free(logits);
    return worst;
}

static void compare(const char *base, const char *set, const char *const *names, const float *weights, uint32_t count) {
    char path[512], file[64], name[64];
    golden g;
    bed b;
    puna_adapter_use uses[4];
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F32);
    snprintf(path, sizeof path, "%s/adapters/%s.golden", PUNA_TEST_DATA, base);
    snprintf(file, sizeof file, "%s.gguf", base);
    NEED(golden_open(&g, path) && bed_open(&b, file, &o));
    for (uint32_t i = 0; i < count; i++) uses[i] = (puna_adapter_use){load(&b, names[i]), weights[i], 0};
    NEED(puna_engine_adapt(b.engine, uses, count, &b.error) == PUNA_OK);
    uint32_t cases = 0;
    double worst = 0;
    for (const char *at = golden_next(&g, NULL, name); at; at = golden_next(&g, at, name)) {
        if (strncmp(name, set, strlen(set)) != 0) continue;
        worst = fmax(worst, check_case(&b, &g, at, name));
        cases++;
    }
    CHECK_EQUAL(cases, 2);
    printf("       %s, %s: off by %.2g at most\n", base, set, worst);
    for (uint32_t i = 0; i < count; i++) puna_adapter_close(uses[i].adapter);
    bed_close(&b);
    golden_close(&g);
}

static void logits_are_those_of_peft(void) {
    compare("llama", "law", (const char *[]){"llama_law"}, (float[]){1}, 1);
    compare("llama", "tone", (const char *[]){"llama_tone"}, (float[]){0.5f}, 1);
    compare("llama", "stable", (const char *[]){"llama_stable"}, (float[]){1}, 1);
    compare("llama", "both", (const char *[]){"llama_law", "llama_tone"}, (float[]){0.75f, -1.5f}, 2);
    compare("gpt2", "verse", (const char *[]){"gpt2_verse"}, (float[]){1}, 1);
    compare("gemma3", "prose", (const char *[]){"gemma3_prose"}, (float[]){1}, 1);
}

static void an_adapter_says_what_it_is(void) {
    bed b;
    NEED(bed_open(&b, "llama.gguf", NULL));
    puna_adapter *a = load(&b, "llama_law"), *same = load(&b, "llama_law"), *other = load(&b, "llama_tone");
    puna_adapter_info info = {.size = sizeof info}, again = info, of_other = info;
    puna_adapter_describe(a, &info);
    puna_adapter_describe(same, &again);
    puna_adapter_describe(other, &of_other);
    CHECK_EQUAL(info.rank, 4);
    CHECK_EQUAL(info.tensors, 15);
    CHECK(info.alpha == 8);
    CHECK(info.memory_bytes >= 4 * info.parameters);
    CHECK_TEXT(info.name, "tiny llama_law");
    CHECK_EQUAL(of_other.rank, 18);
    CHECK(info.fingerprint == again.fingerprint && info.fingerprint != of_other.fingerprint);
    puna_adapter_close(a);
    puna_adapter_close(same);
    puna_adapter_close(other);
    bed_close(&b);
}

/* ---- the same ---- */

static void fill(int32_t *ids, int count, uint32_t salt) {
    uint32_t x = salt * 2654435761u + 1;
    for (int i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        ids[i] = (int32_t)(5 + (x >> 8) % (VOCABULARY - 5));
    }
}

static uint64_t digest(const char *model, const char *const *names, uint32_t count, uint32_t threads, uint32_t step) {
    static const float weights[] = {0.7f, -1.25f};
    bed b;
    int32_t ids[MOST];
    puna_adapter_use uses[2];
    puna_engine_options o = bed_options(threads, step, 4, PUNA_CACHE_F16);
    if (!bed_open(&b, model, &o)) return 0;
    for (uint32_t i = 0; i < count; i++) uses[i] = (puna_adapter_use){load(&b, names[i]), weights[i], 0};
    CHECK(puna_engine_adapt(b.engine, uses, count, &b.error) == PUNA_OK);
    float *logits = logits_buffer();
    fill(ids, MOST, 7);
    CHECK(puna_engine_logits(b.engine, ids, MOST, 0, logits, (uint64_t)MOST * VOCABULARY, NULL, &b.error) == PUNA_OK);
    uint64_t of = bed_digest(14695981039346656037u, logits, (size_t)MOST * VOCABULARY * sizeof *logits);
    free(logits);
    for (uint32_t i = 0; i < count; i++) puna_adapter_close(uses[i].adapter);
    bed_close(&b);
    return of;
}

static void bits_are_equal_over_tiers_threads_and_chunks(void) {
    static const struct { const char *model, *names[2]; uint32_t count; } of[] = {
        {"llama.gguf", {"llama_law", "llama_tone"}, 2}, {"llama_q8_0.gguf", {"llama_tone", "llama_law"}, 2},
        {"llama_q4_0.gguf", {"llama_law", NULL}, 1}, {"llama_q4_1.gguf", {"llama_law", "llama_stable"}, 2},
        {"llama_bf16.gguf", {"llama_stable", NULL}, 1}, {"gpt2.gguf", {"gpt2_verse", NULL}, 1},
        {"gemma3.gguf", {"gemma3_prose", NULL}, 1}};
    static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};
    static const uint32_t settings[][2] = {{1, 1}, {2, 64}, {3, 512}, {2, 7}};
    for (size_t m = 0; m < sizeof of / sizeof *of; m += TESTING_THIN(1, 2, 4)) {
        bed_tier("ref");
        uint64_t expected = digest(of[m].model, of[m].names, of[m].count, 1, 512);
        for (size_t t = 0; t < 4; t++)
            for (size_t i = 0; bed_tier(tiers[t]) && i < TESTING_THIN(4, 1, 1); i++) {
                const uint32_t *s = settings[(m + t + i) % 4];
                if (digest(of[m].model, of[m].names, of[m].count, s[0], s[1]) != expected)
                    testing_fail(__FILE__, __LINE__, "%s on %s, %u threads, steps of %u: other logits", of[m].model,
                                 tiers[t], s[0], s[1]);
            }
        bed_tier(NULL);
        CHECK(digest(of[m].model, of[m].names, 0, 1, 512) != expected);
    }
}

/* Which adapters sequence i of a batch uses: none, one, the other, both, one weaker, one that weighs nothing. */
static uint32_t set_of(uint32_t i, puna_adapter *law, puna_adapter *tone, puna_adapter_use *uses) {
    const puna_adapter_use sets[6][2] = {{{0}}, {{law, 1, 0}}, {{tone, -0.5f, 0}}, {{law, 0.5f, 0}, {tone, 2, 0}},
                                         {{law, 0.5f, 0}}, {{tone, 0, 0}}};
    static const uint32_t counts[6] = {0, 1, 1, 2, 1, 1};
    memcpy(uses, sets[i % 6], sizeof sets[0]);
    return counts[i % 6];
}

static puna_generation using(puna_adapter_use *uses, uint32_t count) {
    puna_generation g = bed_generation(NEW);
    g.logprobs = 1;
    g.adapters = uses;
    g.adapter_count = count;
    return g;
}

static void same(const bed_result *a, const bed_result *b, const char *what) {
    CHECK_EQUAL(a->count, b->count);
    CHECK_EQUAL(a->stop, PUNA_STOP_LENGTH);
    if (memcmp(a->tokens, b->tokens, a->count * sizeof *a->tokens) != 0 ||
        memcmp(a->logprobs, b->logprobs, a->count * sizeof *a->logprobs) != 0)
        testing_fail(__FILE__, __LINE__, "other tokens or log-probabilities %s", what);
}

static bool differ(const bed_result *a, const bed_result *b) {
    return memcmp(a->logprobs, b->logprobs, a->count * sizeof *a->logprobs) != 0;
}

/* Prompts of the same tokens, of different lengths: their prefixes are found only where the set is the same. */
static void start(bed *b, bed_result *r, uint32_t i, puna_adapter *law, puna_adapter *tone) {
    int32_t ids[MOST];
    puna_adapter_use uses[2];
    fill(ids, MOST, 1);
    uint32_t count = set_of(i, law, tone, uses);
    puna_generation g = using(uses, count);
    CHECK_EQUAL(bed_start(b, r, ids, 80 + 7 * i, &g), PUNA_OK);
}

static void a_batch_may_use_many(const char *model) {
    bed alone, together;
    static bed_result expected[12], got[12];
    puna_engine_options one = bed_options(1, 512, 1, PUNA_CACHE_F16), many = bed_options(2, 64, 8, PUNA_CACHE_F16);
    for (uint32_t i = 0; i < 12; i++) {
        expected[i] = (bed_result){0};
        NEED(bed_open(&alone, model, &one));
        puna_adapter *law = load(&alone, "llama_law"), *tone = load(&alone, "llama_tone");
        start(&alone, &expected[i], i, law, tone);
        bed_run(&alone, &expected[i], 1, 1000);
        CHECK_EQUAL(expected[i].cached_tokens, 0);
        puna_adapter_close(law);
        puna_adapter_close(tone);
        bed_close(&alone);
    }
    NEED(bed_open(&together, model, &many));
    puna_adapter *law = load(&together, "llama_law"), *tone = load(&together, "llama_tone");
    for (uint32_t i = 0; i < 12; i++) {
        got[i] = (bed_result){0};
        start(&together, &got[i], i, law, tone);
    }
    puna_adapter_close(law); /* those that run keep theirs */
    puna_adapter_close(tone);
    bed_run(&together, got, 12, 2000);
    for (uint32_t i = 0; i < 12; i++) same(&got[i], &expected[i], "in a batch of many adapters");
    for (uint32_t i = 0; i < 5; i++) CHECK(differ(&expected[i], &expected[(i + 1) % 5]));
    bed_close(&together);
}

static void batches_may_use_many(void) {
    a_batch_may_use_many("llama.gguf");
    a_batch_may_use_many("llama_q4_1.gguf");
}

static void speculation_changes_nothing(void) {
    static bed_result expected, got;
    bed b;
    int32_t ids[MOST];
    for (uint32_t guessing = 0; guessing < 2; guessing++) {
        puna_engine_options o = bed_options(2, 64, 2, PUNA_CACHE_F16);
        o.speculation = guessing ? PUNA_SPECULATE_LOOKUP : PUNA_SPECULATE_OFF;
        o.draft_least = guessing ? 3 : 0;
        NEED(bed_open(&b, "llama_q8_0.gguf", &o));
        puna_adapter_use use = {load(&b, "llama_law"), 1, 0};
        puna_generation g = using(&use, 1);
        fill(ids, 40, 3);
        memcpy(ids + 40, ids, 40 * sizeof *ids);
        bed_result *r = guessing ? &got : &expected;
        *r = (bed_result){0};
        NEED(bed_start(&b, r, ids, 80, &g) == PUNA_OK);
        bed_run(&b, r, 1, 1000);
        puna_adapter_close(use.adapter);
        bed_close(&b);
    }
    same(&got, &expected, "with guesses");
}

/* ---- what is cached ---- */

static void turn(bed *b, uint64_t sequence, bed_result *r, uint32_t length, puna_adapter_use *uses, uint32_t count) {
    int32_t ids[MOST];
    puna_generation g = using(uses, count);
    fill(ids, MOST, 1);
    *r = (bed_result){.sequence = sequence};
    if (!sequence) CHECK(puna_sequence_open(b->engine, &r->sequence, &b->error) == PUNA_OK);
    CHECK(puna_sequence_generate(b->engine, r->sequence, ids, length, &g, &b->error) == PUNA_OK);
    bed_run(b, r, 1, 1000);
}

static void prefixes_are_a_sets_own(void) {
    bed b;
    static bed_result bare, first, second, weaker, again;
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    puna_adapter *law = load(&b, "llama_law");
    puna_adapter_use one = {law, 1, 0}, half = {law, 0.5f, 0}, nothing = {law, 0, 0};
    turn(&b, 0, &bare, 150, NULL, 0);
    turn(&b, 0, &first, 150, &one, 1);
    CHECK_EQUAL(first.cached_tokens, 0);
    turn(&b, 0, &second, 150, &one, 1);
    CHECK_EQUAL(second.cached_tokens, 128);
    same(&second, &first, "after a shared prefix");
    turn(&b, 0, &weaker, 150, &half, 1);
    CHECK_EQUAL(weaker.cached_tokens, 0);
    CHECK(differ(&weaker, &first) && differ(&bare, &first));
    turn(&b, 0, &again, 150, &nothing, 1);
    CHECK_EQUAL(again.cached_tokens, 128); /* as if it were not there */
    same(&again, &bare, "with a weight of 0");
    for (const bed_result *r = &first; r; r = r == &first ? &second : NULL)
        CHECK(puna_sequence_close(b.engine, r->sequence, &b.error) == PUNA_OK);
    turn(&b, 0, &again, 150, &one, 1); /* nobody used the set meanwhile */
    CHECK_EQUAL(again.cached_tokens, 128);
    same(&again, &first, "when a set comes again");
    puna_adapter_close(law);
    bed_close(&b);
}

static void a_sequence_changes_its_adapters(void) {
    bed b;
    static bed_result first, longer, other, fresh;
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    NEED(bed_open(&b, "llama_q4_1.gguf", &o));
    puna_adapter *law = load(&b, "llama_law"), *tone = load(&b, "llama_tone");
    puna_adapter_use one = {law, 1, 0}, two[] = {{law, 1, 0}, {tone, 1, 0}};
    turn(&b, 0, &first, 100, &one, 1);
    turn(&b, first.sequence, &longer, 110, &one, 1);
    CHECK_EQUAL(longer.cached_tokens, 100);
    turn(&b, first.sequence, &other, 110, two, 2);
    CHECK_EQUAL(other.cached_tokens, 0);
    turn(&b, first.sequence, &fresh, 110, NULL, 0);
    CHECK_EQUAL(fresh.cached_tokens, 0);
    turn(&b, 0, &fresh, 110, two, 2);
    same(&fresh, &other, "after a change of adapters");
    uint64_t fork = 0; /* of the last one */
    NEED(puna_sequence_fork(b.engine, fresh.sequence, 105, &fork, &b.error) == PUNA_OK);
    puna_adapter_close(law);
    CHECK(puna_sequence_close(b.engine, fresh.sequence, &b.error) == PUNA_OK);
    puna_adapter *copy = load(&b, "llama_law");
    turn(&b, fork, &fresh, 110, (puna_adapter_use[]){{copy, 1, 0}, {tone, 1, 0}}, 2);
    CHECK_EQUAL(fresh.cached_tokens, 0); /* another object, which nobody compared with the first one */
    same(&fresh, &other, "of a fork with a copy of the adapter");
    puna_adapter_close(copy);
    puna_adapter_close(tone);
    bed_close(&b);
}

static void forks_have_their_sequences_pages(void) {
    bed b;
    static bed_result first, forked;
    uint64_t fork = 0;
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    NEED(bed_open(&b, "llama_q4_1.gguf", &o));
    puna_adapter_use one = {load(&b, "llama_tone"), 1, 0};
    turn(&b, 0, &first, 100, &one, 1);
    NEED(puna_sequence_fork(b.engine, first.sequence, 90, &fork, &b.error) == PUNA_OK);
    turn(&b, fork, &forked, 100, &one, 1);
    CHECK_EQUAL(forked.cached_tokens, 90);
    same(&forked, &first, "of a fork");
    NEED(puna_sequence_fork(b.engine, first.sequence, 90, &fork, &b.error) == PUNA_OK);
    turn(&b, fork, &forked, 100, NULL, 0);
    CHECK_EQUAL(forked.cached_tokens, 0);
    CHECK(differ(&forked, &first));
    puna_adapter_close(one.adapter);
    bed_close(&b);
}

static void saved_ones_know_their_adapters(void) {
    bed b, other;
    static bed_result first, restored, bare;
    uint64_t length = 0, id = 0;
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    NEED(bed_open(&b, "llama_q4_1.gguf", &o) && bed_open(&other, "llama_q4_1.gguf", &o));
    puna_adapter_use uses[] = {{load(&b, "llama_tone"), 1, 0}, {load(&b, "llama_law"), 0.5f, 0}};
    puna_adapter_use theirs[] = {{load(&other, "llama_tone"), 1, 0}, {load(&other, "llama_law"), 0.5f, 0}};
    turn(&b, 0, &first, 100, uses, 2);
    CHECK(puna_sequence_save(b.engine, first.sequence, NULL, 0, &length, &b.error) == PUNA_BUFFER_TOO_SMALL);
    uint8_t *bytes = malloc(length);
    NEED(puna_sequence_save(b.engine, first.sequence, bytes, length, &length, &b.error) == PUNA_OK);
    NEED(puna_sequence_restore(other.engine, bytes, length, &id, &other.error) == PUNA_OK);
    turn(&other, id, &restored, 100, theirs, 2);
    CHECK_EQUAL(restored.cached_tokens, 99);
    same(&restored, &first, "when restored");
    NEED(puna_sequence_restore(other.engine, bytes, length, &id, &other.error) == PUNA_OK);
    theirs[1].weight = 0.25f;
    turn(&other, id, &restored, 100, theirs, 2);
    CHECK_EQUAL(restored.cached_tokens, 0);
    NEED(puna_sequence_restore(other.engine, bytes, length, &id, &other.error) == PUNA_OK);
    turn(&other, id, &restored, 100, NULL, 0);
    CHECK_EQUAL(restored.cached_tokens, 0);
    turn(&b, 0, &bare, 100, NULL, 0);
    same(&restored, &bare, "when restored without its adapters");
    NEED(puna_sequence_restore(other.engine, bytes, length, &id, &other.error) == PUNA_OK); /* and never used */
    free(bytes);
    for (int i = 0; i < 2; i++) {
        puna_adapter_close(uses[i].adapter);
        puna_adapter_close(theirs[i].adapter);
    }
    bed_close(&b);
    bed_close(&other);
}

/* ---- memory, and the order of closing ---- */

static void room_is_given_back(void) {
    bed b;
    static bed_result r;
    puna_engine_info before = {.size = sizeof before}, now = before;
    uint64_t all = puna_memory();
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    puna_adapter_use one = {load(&b, "llama_law"), 1, 0};
    puna_engine_describe(b.engine, &before);
    turn(&b, 0, &r, 100, &one, 1);
    puna_adapter_close(one.adapter);
    CHECK(puna_sequence_close(b.engine, r.sequence, &b.error) == PUNA_OK);
    CHECK(puna_engine_trim(b.engine, &b.error) == PUNA_OK);
    puna_engine_describe(b.engine, &now);
    CHECK_EQUAL(now.memory_bytes, before.memory_bytes);
    bed_close(&b);
    CHECK_EQUAL(puna_memory(), all);
}

static void closing_goes_in_any_order(void) {
    static bed_result r;
    uint64_t all = puna_memory();
    for (int order = 0; order < 3; order++) {
        bed b;
        NEED(bed_open(&b, "llama_q8_0.gguf", NULL));
        puna_adapter_use one = {load(&b, "llama_law"), 1, 0};
        CHECK(puna_engine_adapt(b.engine, &one, 1, &b.error) == PUNA_OK);
        turn(&b, 0, &r, 20, &one, 1);
        if (order == 0) puna_adapter_close(one.adapter);
        puna_model_close(b.model);
        if (order == 1) puna_adapter_close(one.adapter);
        puna_engine_close(b.engine);
        if (order == 2) puna_adapter_close(one.adapter);
        CHECK_EQUAL(puna_memory(), all);
    }
    puna_adapter_close(NULL);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(logits_are_those_of_peft);
    TEST(an_adapter_says_what_it_is);
    TEST(bits_are_equal_over_tiers_threads_and_chunks);
    TEST(batches_may_use_many);
    TEST(speculation_changes_nothing);
    TEST(prefixes_are_a_sets_own);
    TEST(a_sequence_changes_its_adapters);
    TEST(forks_have_their_sequences_pages);
    TEST(saved_ones_know_their_adapters);
    TEST(room_is_given_back);
    TEST(closing_goes_in_any_order);
    return testing_end();
}
