// SPDX-License-Identifier: Apache-2.0
#include "api/bed.h"

#include <stdlib.h>

bool bed_open(bed *b, const char *name, const puna_engine_options *options) {
    char path[512];
    memset(b, 0, sizeof *b);
    b->error = (puna_error)PUNA_ERROR_INIT;
    snprintf(path, sizeof path, "%s/tiny/%s", PUNA_TEST_DATA, name);
    if (puna_model_load(path, NULL, NULL, &b->model, &b->error) == PUNA_OK) {
        b->info.size = sizeof b->info;
        puna_model_describe(b->model, &b->info);
        if (puna_engine_create(b->model, options, &b->engine, &b->error) == PUNA_OK) return true;
    }
    testing_fail(__FILE__, __LINE__, "%s: %s: %s", name, b->error.subject, b->error.message);
    bed_close(b);
    return false;
}

void bed_close(bed *b) {
    puna_engine_close(b->engine);
    puna_model_close(b->model);
    b->engine = NULL;
    b->model = NULL;
}

puna_engine_options bed_options(uint32_t threads, uint32_t step_tokens, uint32_t max_sequences, uint32_t cache_type) {
    puna_engine_options o;
    puna_engine_options_default(&o);
    o.threads = threads;
    o.step_tokens = step_tokens;
    o.max_sequences = max_sequences;
    o.cache_type = cache_type;
    return o;
}

static void note(bed_result *r, const puna_event *e) {
    size_t room = sizeof r->text - 1 - r->text_length, length = e->text_length < room ? (size_t)e->text_length : room;
    memcpy(r->text + r->text_length, e->text, length);
    r->text[r->text_length += length] = 0;
    if (e->kind == PUNA_EVENT_TOKEN && r->count < 256) {
        r->logprobs[r->count] = e->logprob;
        r->top = bed_digest(r->top, e->top, e->top_count * sizeof *e->top);
        r->tokens[r->count++] = e->token;
    } else if (e->kind == PUNA_EVENT_FINISHED) {
        r->stop = e->stop;
        r->stop_index = e->stop_index;
        r->status = e->status;
        r->prompt_tokens = e->prompt_tokens;
        r->cached_tokens = e->cached_tokens;
        r->score = e->logprob;
        snprintf(r->message, sizeof r->message, "%s", e->message);
    }
}

void bed_take(bed *b, bed_result *results, uint32_t count) {
    for (puna_event e = {.size = sizeof e}; puna_engine_next_event(b->engine, &e);)
        for (uint32_t i = 0; i < count; i++)
            if (results[i].sequence == e.sequence) note(&results[i], &e);
}

uint32_t bed_run(bed *b, bed_result *results, uint32_t count, uint32_t limit) {
    for (uint32_t n = 1; n <= limit; n++) {
        puna_step step = {.size = sizeof step};
        if (puna_engine_step(b->engine, &step, &b->error) != PUNA_OK) {
            testing_fail(__FILE__, __LINE__, "step: %s", b->error.message);
            return n;
        }
        bed_take(b, results, count);
        if (step.active == 0) return n;
    }
    testing_fail(__FILE__, __LINE__, "%u steps were not enough", limit);
    return limit;
}

puna_status bed_start(bed *b, bed_result *result, const int32_t *ids, uint64_t count,
                      const puna_generation *generation) {
    memset(result, 0, sizeof *result);
    puna_status status = puna_sequence_open(b->engine, &result->sequence, &b->error);
    if (status != PUNA_OK) return status;
    return puna_sequence_generate(b->engine, result->sequence, ids, count, generation, &b->error);
}

puna_generation bed_generation(uint32_t max_tokens) {
    puna_generation g;
    puna_generation_default(&g);
    g.max_tokens = max_tokens;
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    return g;
}

uint64_t bed_evictions(const bed *b) {
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(b->engine, &info);
    return info.evictions;
}

uint64_t bed_digest(uint64_t digest, const void *bytes, size_t count) {
    const uint8_t *b = bytes;
    for (size_t i = 0; i < count; i++) digest = (digest ^ b[i]) * 1099511628211u;
    return digest;
}

bool bed_tier(const char *tier) {
    if (TESTING_THIN(false, true, true) && tier && strcmp(tier, "ref") == 0 && bed_tier("avx2")) return true;
#ifdef _WIN32
    _putenv_s("PUNA_CPU_TIER", tier ? tier : "");
#else
    if (tier) setenv("PUNA_CPU_TIER", tier, 1);
    else unsetenv("PUNA_CPU_TIER");
#endif
    puna_cpu cpu = {.size = sizeof cpu};
    puna_error error = PUNA_ERROR_INIT;
    if (puna_cpu_describe(&cpu, &error) == PUNA_OK) return true;
    printf("       %s: not on this CPU\n", tier);
    return false;
}
