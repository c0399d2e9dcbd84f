// SPDX-License-Identifier: Apache-2.0
/*
 * The promise: the same bits whatever the tier, the threads, the batch, the chunks, the planner, and whether a prefix
 * was computed, cached or evicted and computed again.
 */
#include <stdlib.h>

#include "api/bed.h"

#define LENGTH 150
#define LONG 330 /* for windows of 96 and an original context of 64: borders within and between pages */
#define NEW 20
#define VOCABULARY 384

static const char *const models[] = {"llama.gguf", "llama_f16.gguf", "llama_bf16.gguf", "llama_q8_0.gguf",
                                     "llama_q4_0.gguf", "llama_q4_1.gguf", "llama_wide_q4_1.gguf", "llama_biased.gguf",
                                     "llama_q5_0.gguf", "llama_q5_1.gguf", "llama_iq4_nl.gguf", "llama_mxfp4.gguf",
                                     "llama_q4_k.gguf", "llama_q5_k.gguf", "llama_q6_k.gguf", "llama_q3_k.gguf",
                                     "llama_q2_k.gguf", "llama_iq4_xs.gguf", "qwen2.gguf", "qwen3_q4_1.gguf",
                                     "olmo2.gguf", "gpt2.gguf", "gptneox.gguf", "command_r_plus.gguf",
                                     "bloom.gguf", "mpt_clamped.gguf", "mixtral.gguf", "qwen3moe_q4_1.gguf",
                                     "deepseek_v2_q8_0.gguf", "qwen2moe.gguf", "mamba.gguf", "mamba2.gguf",
                                     "mamba2_q8_0.gguf", "lfm2.gguf", "granitehybrid.gguf"};
static const char *const long_models[] = {"mistral.gguf", "mistral_q8_0.gguf", "gemma3.gguf", "gemma3_capped.gguf",
                                          "gemma3_q8_0.gguf", "llama_yarn.gguf", "llama_yarn_set.gguf", "gemma2.gguf",
                                          "phi3.gguf", "olmo3.gguf", "exaone4.gguf", "gpt_oss_mxfp4.gguf",
                                          "deepseek_v3.gguf"};
static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};

#define COUNT(array) (sizeof array / sizeof *array)

#define MODEL_STRIDE TESTING_THIN(1, 9, 10)
#define TIER_STRIDE TESTING_THIN(1, 1, 3)  /* of threads: the lowest and the highest tier */
#define FIRST_SETTING TESTING_THIN(0, 0, 1) /* one thread races with nobody */
/* Settings a model and tier. They take turns under sanitizers, and on `ref`, in which everything takes ten times as
   long and nothing depends on them that does not in the others. */
#define SETTINGS_EACH(tier) ((tier) == 0 ? 1 : TESTING_THIN(4, 1, 1))

/* Threads and tokens a step. */
static const uint32_t settings[][2] = {{1, 1}, {2, 64}, {3, 512}, {2, 7}};
#define SETTINGS COUNT(settings)

/* The i-th setting of the n-th combination of model and tier. */
static const uint32_t *setting(size_t n, size_t i) {
    return settings[FIRST_SETTING + (n + i) % (SETTINGS - FIRST_SETTING)];
}

static void fill(int32_t *ids, int count, uint32_t salt) {
    uint32_t x = salt * 2654435761u + 1;
    for (int i = 0; i < count; i++) {
        x = x * 1664525u + 1013904223u;
        ids[i] = (int32_t)(5 + (x >> 8) % (VOCABULARY - 5));
    }
}

static uint64_t digest_logits(const char *model, uint32_t length, uint32_t threads, uint32_t step_tokens,
                              uint32_t cache_type) {
    bed b;
    int32_t ids[LONG];
    puna_engine_options o = bed_options(threads, step_tokens, 4, cache_type);
    if (!bed_open(&b, model, &o)) return 0;
    float *logits = malloc(LONG * VOCABULARY * sizeof *logits);
    fill(ids, (int)length, 7);
    uint64_t digest = 0;
    if (puna_engine_logits(b.engine, ids, length, 0, logits, LONG * VOCABULARY, NULL, &b.error) == PUNA_OK) {
        digest = bed_digest(14695981039346656037u, logits, length * VOCABULARY * sizeof *logits);
        /* rows beyond `first` alone come from larger chunks: they must agree with those computed row by row */
        float *tail = malloc(VOCABULARY * sizeof *tail);
        CHECK(puna_engine_logits(b.engine, ids, length, length - 1, tail, VOCABULARY, NULL, &b.error) == PUNA_OK);
        CHECK(memcmp(tail, logits + (length - 1) * VOCABULARY, VOCABULARY * sizeof *tail) == 0);
        free(tail);
    } else {
        testing_fail(__FILE__, __LINE__, "%s: %s", model, b.error.message);
    }
    free(logits);
    bed_close(&b);
    return digest;
}

static void equal_over_tiers_threads_and_chunks(const char *model, uint32_t length, size_t turn) {
    bed_tier("ref");
    uint64_t expected = digest_logits(model, length, 1, 512, PUNA_CACHE_F16);
    for (size_t t = 0; t < COUNT(tiers); t += TIER_STRIDE) {
        if (!bed_tier(tiers[t])) continue;
        for (size_t i = 0; i < SETTINGS_EACH(t); i++) {
            const uint32_t *s = setting(turn + t, i);
            uint64_t digest = digest_logits(model, length, s[0], s[1], PUNA_CACHE_F16);
            if (digest != expected)
                testing_fail(__FILE__, __LINE__, "%s on %s, %u threads, steps of %u: other logits", model, tiers[t],
                             s[0], s[1]);
        }
    }
    bed_tier(NULL);
}

static void logits_are_equal_over_tiers_threads_and_chunks(void) {
    for (size_t m = 0; m < COUNT(models); m += MODEL_STRIDE) equal_over_tiers_threads_and_chunks(models[m], LENGTH, m);
}

static void past_windows_and_original_contexts_too(void) {
    for (size_t m = 0; m < COUNT(long_models); m += MODEL_STRIDE)
        equal_over_tiers_threads_and_chunks(long_models[m], LONG, m);
}

static void f32_caches_keep_the_promise(void) {
    bed_tier("ref");
    uint64_t expected = digest_logits("llama_wide_q4_1.gguf", LENGTH, 1, 512, PUNA_CACHE_F32);
    for (size_t t = 0; t < COUNT(tiers); t++)
        if (bed_tier(tiers[t])) CHECK(digest_logits("llama_wide_q4_1.gguf", LENGTH, 2, 64, PUNA_CACHE_F32) == expected);
    bed_tier(NULL);
    /* the option does something */
    CHECK(digest_logits("llama_wide_q4_1.gguf", LENGTH, 1, 512, PUNA_CACHE_F16) != expected);
}

static void q8_0_caches_keep_the_promise(void) {
    const struct { const char *model; uint32_t length; } of[] = {
        {"llama_wide_q4_1.gguf", LENGTH}, {"qwen3_q4_1.gguf", LENGTH}, {"gemma3_q8_0.gguf", LONG},
            {"mistral.gguf", LONG}};
    for (size_t m = 0; m < COUNT(of); m += MODEL_STRIDE) {
        bed_tier("ref");
        uint64_t expected = digest_logits(of[m].model, of[m].length, 1, 512, PUNA_CACHE_Q8_0);
        for (size_t t = 0; t < COUNT(tiers); t += TIER_STRIDE)
            for (size_t i = 0; i < SETTINGS_EACH(t) && bed_tier(tiers[t]); i++) {
                const uint32_t *s = setting(m + t, i);
                if (digest_logits(of[m].model, of[m].length, s[0], s[1], PUNA_CACHE_Q8_0) != expected)
                    testing_fail(__FILE__, __LINE__, "%s on %s, %u threads, steps of %u: other logits", of[m].model,
                                 tiers[t], s[0], s[1]);
            }
        bed_tier(NULL);
        CHECK(digest_logits(of[m].model, of[m].length, 1, 512, PUNA_CACHE_F16) != expected);
    }
}

enum { DEEP = 1290, DEEP_ROWS = 12 };

/* Of the last tokens behind two borders of spans. */
static uint64_t digest_deep(const char *model, uint32_t threads, uint32_t step_tokens, uint32_t cache_type) {
    bed b;
    int32_t ids[DEEP];
    puna_engine_options o = bed_options(threads, step_tokens, 4, cache_type);
    o.context_length = 1536;
    if (!bed_open(&b, model, &o)) return 0;
    const size_t room = (size_t)DEEP_ROWS * VOCABULARY;
    float *logits = malloc(room * sizeof *logits);
    fill(ids, DEEP, 11);
    if (puna_engine_logits(b.engine, ids, DEEP, DEEP - DEEP_ROWS, logits, room, NULL, &b.error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s: %s", model, b.error.message);
    uint64_t digest = bed_digest(14695981039346656037u, logits, room * sizeof *logits);
    free(logits);
    bed_close(&b);
    return digest;
}

/* Few rows behind a long cache: several threads share a head's spans, one thread never does. */
static void threads_may_share_a_heads_cache(void) {
    const struct { const char *model; uint32_t type; } of[] = {
        {"llama_wide_q4_1.gguf", PUNA_CACHE_F16}, {"gemma3_q8_0.gguf", PUNA_CACHE_Q8_0},
        {"mistral.gguf", PUNA_CACHE_F32},         {"mpt_clamped.gguf", PUNA_CACHE_F16},
        {"gpt_oss_mxfp4.gguf", PUNA_CACHE_F16},   {"deepseek_v3.gguf", PUNA_CACHE_F16}};
    static const uint32_t ways[][2] = {{2, 1}, {3, 5}, {4, 8}, {2, 64}};
    for (size_t m = 0; m < COUNT(of); m += MODEL_STRIDE) {
        uint64_t expected = digest_deep(of[m].model, 1, 512, of[m].type);
        for (size_t i = 0; i < COUNT(ways); i++)
            if (digest_deep(of[m].model, ways[i][0], ways[i][1], of[m].type) != expected)
                testing_fail(__FILE__, __LINE__, "%s, %u threads, steps of %u: other logits", of[m].model, ways[i][0],
                             ways[i][1]);
    }
    bed_tier("ref");
    uint64_t whole = digest_deep("llama_q4_1.gguf", 1, 512, PUNA_CACHE_F16);
    CHECK(digest_deep("llama_q4_1.gguf", 2, 4, PUNA_CACHE_F16) == whole);
    bed_tier(NULL);
}

/* Sequences of different lengths and seeds; what each gives alone. */
static puna_generation sampled(uint32_t i) {
    static const puna_stage stages[] = {{.kind = PUNA_SAMPLE_PENALTIES, .window = 16, .repeat = 1.1f},
                                        {.kind = PUNA_SAMPLE_TOP_K, .value = 40},
                                        {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 1.2f}};
    puna_generation g = bed_generation(NEW);
    g.seed = 1000 + i;
    g.logprobs = 1;
    if (i % 2) {
        g.stages = stages;
        g.stage_count = 3;
    }
    return g;
}

static void start(bed *b, bed_result *r, uint32_t i, uint32_t spread) {
    int32_t ids[LONG];
    int count = (int)(3 + i * spread);
    fill(ids, count, i);
    puna_generation g = sampled(i);
    CHECK_EQUAL(bed_start(b, r, ids, (uint64_t)count, &g), PUNA_OK);
}

static void same(const bed_result *a, const bed_result *b, const char *what) {
    CHECK_EQUAL(a->count, b->count);
    if (memcmp(a->tokens, b->tokens, a->count * sizeof *a->tokens) != 0 ||
        memcmp(a->logprobs, b->logprobs, a->count * sizeof *a->logprobs) != 0)
        testing_fail(__FILE__, __LINE__, "other tokens or log-probabilities %s", what);
}

static void a_batch_changes_nothing(const char *model, uint32_t spread, uint32_t type) {
    bed alone, together;
    static bed_result expected[7], got[7];
    puna_engine_options one = bed_options(1, 512, 1, type), many = bed_options(2, 64, 7, type);
    NEED(bed_open(&alone, model, &one));
    for (uint32_t i = 0; i < 7; i++) {
        start(&alone, &expected[i], i, spread);
        bed_run(&alone, &expected[i], 1, 1000);
    }
    NEED(bed_open(&together, model, &many));
    for (uint32_t i = 0; i < 7; i++) start(&together, &got[i], i, spread);
    bed_run(&together, got, 7, 1000);
    for (uint32_t i = 0; i < 7; i++) same(&expected[i], &got[i], "in a batch of seven");
    bed_close(&alone);
    bed_close(&together);
}

static void batches_change_nothing(void) {
    for (size_t m = 0; m < COUNT(models); m += 3 * MODEL_STRIDE) a_batch_changes_nothing(models[m], 19, PUNA_CACHE_F16);
    for (size_t m = 0; m < COUNT(long_models); m += 2 * MODEL_STRIDE)
        a_batch_changes_nothing(long_models[m], 47, PUNA_CACHE_F16);
    a_batch_changes_nothing("llama_wide_q4_1.gguf", 19, PUNA_CACHE_Q8_0);
}

static void late_comers_and_leavers_change_nothing(void) {
    bed b;
    static bed_result expected, got, others[4];
    puna_engine_options o = bed_options(2, 16, 6, PUNA_CACHE_F16);
    NEED(bed_open(&b, "llama_wide_q4_1.gguf", &o));
    start(&b, &expected, 3, 19);
    bed_run(&b, &expected, 1, 1000);
    start(&b, &got, 3, 19);
    for (uint32_t round = 0; got.stop == PUNA_STOP_NONE && round < 200; round++) {
        if (round % 3 == 0 && round / 3 < 4) start(&b, &others[round / 3], 4 + round / 3 % 3, 19);
        if (round == 7) CHECK(puna_sequence_cancel(b.engine, others[0].sequence, &b.error) == PUNA_OK);
        if (round == 9) CHECK(puna_sequence_close(b.engine, others[1].sequence, &b.error) == PUNA_OK);
        puna_step step = {.size = sizeof step};
        NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        bed_take(&b, &got, 1);
    }
    same(&expected, &got, "beside others that come and go");
    bed_close(&b);
}

/* A second turn on the same sequence reuses the cache; a fresh sequence computes everything. */
static void a_cached_prefix_changes_nothing(const char *model, uint32_t length, uint32_t type) {
    bed b;
    static bed_result first, second, fresh;
    int32_t ids[LONG + NEW + 30];
    puna_engine_options o = bed_options(2, 64, 2, type);
    puna_generation g = sampled(1);
    NEED(bed_open(&b, model, &o));
    fill(ids, (int)length, 1);
    NEED(bed_start(&b, &first, ids, length, &g) == PUNA_OK);
    bed_run(&b, &first, 1, 1000);
    memcpy(ids + length, first.tokens, NEW * sizeof *ids);
    fill(ids + length + NEW, 30, 2);
    bed other;
    NEED(bed_open(&other, model, &o));
    NEED(bed_start(&other, &fresh, ids, length + NEW + 30, &g) == PUNA_OK);
    bed_run(&other, &fresh, 1, 1000);
    CHECK_EQUAL(fresh.cached_tokens, 0);
    bed_close(&other);
    second = (bed_result){.sequence = first.sequence};
    NEED(puna_sequence_generate(b.engine, first.sequence, ids, length + NEW + 30, &g, &b.error) == PUNA_OK);
    bed_run(&b, &second, 1, 1000);
    CHECK_EQUAL(second.cached_tokens, length + NEW - 1); /* its own, more than whole pages */
    same(&fresh, &second, "after a cached prefix");
    bed_close(&b);
}

static void cached_prefixes_change_nothing(void) {
    a_cached_prefix_changes_nothing("llama_q4_0.gguf", LENGTH, PUNA_CACHE_F16);
    a_cached_prefix_changes_nothing("gemma3_q8_0.gguf", LONG, PUNA_CACHE_Q8_0);
    a_cached_prefix_changes_nothing("mistral_q8_0.gguf", LONG, PUNA_CACHE_F16);
}

/* A cache for two: idle sequences lose their pages to new ones and are computed again. */
static void evicted_ones_give_the_same_tokens(const char *model, uint32_t length, uint32_t pages,
                                              uint32_t type) {
    bed b;
    static bed_result r[5], again;
    int32_t ids[LONG + NEW];
    puna_engine_options o = bed_options(2, 512, 2, type);
    puna_generation g = sampled(1);
    puna_engine_info info = {.size = sizeof info};
    o.context_length = 64 * pages;
    NEED(bed_open(&b, model, &o));
    puna_engine_describe(b.engine, &info);
    bed_close(&b);
    o.cache_bytes = 2 * pages * info.page_bytes; /* two contexts */
    NEED(bed_open(&b, model, &o));
    for (int i = 0; i < 5; i++) {
        fill(ids, (int)length, (uint32_t)i);
        NEED(bed_start(&b, &r[i], ids, length, &g) == PUNA_OK);
        bed_run(&b, &r[i], 1, 1000);
        CHECK_EQUAL(r[i].stop, PUNA_STOP_LENGTH);
    }
    fill(ids, (int)length, 0);
    again = (bed_result){.sequence = r[0].sequence};
    NEED(puna_sequence_generate(b.engine, again.sequence, ids, length, &g, &b.error) == PUNA_OK);
    bed_run(&b, &again, 1, 1000);
    CHECK_EQUAL(again.cached_tokens, 0); /* it was evicted */
    same(&r[0], &again, "after eviction");
    puna_engine_describe(b.engine, &info);
    CHECK(info.pages_used <= info.pages_total);
    bed_close(&b);
}

static void evicted_sequences_give_the_same_tokens(void) {
    evicted_ones_give_the_same_tokens("llama_q8_0.gguf", LENGTH, 4, PUNA_CACHE_F16);
    evicted_ones_give_the_same_tokens("gemma3_q8_0.gguf", LONG, 6, PUNA_CACHE_F16);
    evicted_ones_give_the_same_tokens("llama_q8_0.gguf", LENGTH, 4, PUNA_CACHE_Q8_0);
}

/* A stranger's prompt that begins alike takes whole pages, also of a sequence that was closed. */
static void shared_prefixes_change_nothing(void) {
    bed b, other;
    static bed_result first, sharing, fresh;
    int32_t ids[LENGTH + 30];
    puna_engine_options o = bed_options(2, 64, 2, PUNA_CACHE_F16);
    puna_generation g = sampled(1);
    NEED(bed_open(&b, "llama_q4_1.gguf", &o) && bed_open(&other, "llama_q4_1.gguf", &o));
    fill(ids, LENGTH + 30, 1);
    NEED(bed_start(&b, &first, ids, LENGTH, &g) == PUNA_OK);
    bed_run(&b, &first, 1, 1000);
    NEED(puna_sequence_close(b.engine, first.sequence, &b.error) == PUNA_OK);
    ids[140] = ids[140] == 7 ? 8 : 7;
    NEED(bed_start(&b, &sharing, ids, LENGTH + 30, &g) == PUNA_OK);
    bed_run(&b, &sharing, 1, 1000);
    CHECK_EQUAL(sharing.cached_tokens, 128);
    NEED(bed_start(&other, &fresh, ids, LENGTH + 30, &g) == PUNA_OK);
    bed_run(&other, &fresh, 1, 1000);
    CHECK_EQUAL(fresh.cached_tokens, 0);
    same(&fresh, &sharing, "after a shared prefix");
    bed_close(&b);
    bed_close(&other);
}

/* Forked while it generates, rewound, and both go on: as a fresh sequence of the same tokens. */
static void forks_and_rewinds_change_nothing(void) {
    bed b, other;
    static bed_result first, forked, rewound, fresh;
    int32_t ids[LENGTH + NEW];
    uint64_t count = 0;
    puna_engine_options o = bed_options(2, 64, 3, PUNA_CACHE_F16);
    puna_generation g = sampled(1);
    puna_engine_info before = {.size = sizeof before}, after = {.size = sizeof after};
    NEED(bed_open(&b, "llama_q8_0.gguf", &o) && bed_open(&other, "llama_q8_0.gguf", &o));
    fill(ids, LENGTH, 1);
    NEED(bed_start(&b, &first, ids, LENGTH, &g) == PUNA_OK);
    puna_step step = {.size = sizeof step};
    for (int i = 0; i < 6; i++) {
        NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
        bed_take(&b, &first, 1);
    }
    puna_engine_describe(b.engine, &before);
    forked = (bed_result){0};
    NEED(puna_sequence_fork(b.engine, first.sequence, 140, &forked.sequence, &b.error) == PUNA_OK);
    puna_engine_describe(b.engine, &after);
    CHECK_EQUAL(after.pages_used, before.pages_used);
    NEED(puna_sequence_tokens(b.engine, forked.sequence, ids, LENGTH, &count, &b.error) == PUNA_OK);
    CHECK_EQUAL(count, 140);
    NEED(puna_sequence_generate(b.engine, forked.sequence, ids, 140, &g, &b.error) == PUNA_OK);
    bed_result both[2] = {first, forked};
    bed_run(&b, both, 2, 1000);
    NEED(bed_start(&other, &fresh, ids, LENGTH, &g) == PUNA_OK);
    bed_run(&other, &fresh, 1, 1000);
    same(&fresh, &both[0], "of a sequence that was forked");
    NEED(bed_start(&other, &fresh, ids, 140, &g) == PUNA_OK);
    bed_run(&other, &fresh, 1, 1000);
    same(&fresh, &both[1], "of a fork");
    CHECK_EQUAL(both[1].cached_tokens, 139);
    NEED(puna_sequence_rewind(b.engine, first.sequence, 140, &b.error) == PUNA_OK);
    CHECK_EQUAL(puna_sequence_rewind(b.engine, first.sequence, 141, &b.error), PUNA_INVALID_ARGUMENT);
    rewound = (bed_result){.sequence = first.sequence};
    NEED(puna_sequence_generate(b.engine, first.sequence, ids, 140, &g, &b.error) == PUNA_OK);
    bed_run(&b, &rewound, 1, 1000);
    same(&fresh, &rewound, "after rewinding");
    bed_close(&b);
    bed_close(&other);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(logits_are_equal_over_tiers_threads_and_chunks);
    TEST(past_windows_and_original_contexts_too);
    TEST(f32_caches_keep_the_promise);
    TEST(q8_0_caches_keep_the_promise);
    TEST(threads_may_share_a_heads_cache);
    TEST(batches_change_nothing);
    TEST(late_comers_and_leavers_change_nothing);
    TEST(cached_prefixes_change_nothing);
    TEST(shared_prefixes_change_nothing);
    TEST(forks_and_rewinds_change_nothing);
    TEST(evicted_sequences_give_the_same_tokens);
    return testing_end();
}
