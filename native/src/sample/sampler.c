// SPDX-License-Identifier: Apache-2.0
#include "sample/sampler.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "sample/logprobs.h"
#include "sample/stage.h"

struct sampler {
    uint32_t vocabulary;
    uint32_t stage_count;
    uint64_t seed;
    puna_stage stages[PUNA_MAX_STAGES];
    void *memory[PUNA_MAX_STAGES]; /* of the stages that have one */
    additions *biases;
    bool wants_logprob;
    uint32_t wants_top;
    puna_logprob top[PUNA_MAX_TOP_LOGPROBS];
    const uint64_t *allowed; /* for the next choice; NULL: all */
    float *row;              /* the logits of the allowed ones, the others -inf; NULL until it is needed */
};

uint64_t sampler_draw(uint64_t seed, uint64_t position, uint64_t draw) {
    const uint64_t step = 0x9E3779B97F4A7C15u;
    uint64_t parts[] = {1, position + 1, draw + 1}, z = seed;
    for (int i = 0; i < 3; i++) {
        z += step * parts[i];
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        z ^= z >> 31;
    }
    return z;
}

static puna_status sampler_check(const puna_generation *g, int32_t vocabulary, puna_error *error) {
    if (vocabulary < 1 || vocabulary > CANDIDATES_MAX)
        return error_set(error, PUNA_UNSUPPORTED, "vocabulary", "vocabulary is %d; 1 to %d tokens can be sampled from",
                         vocabulary, CANDIDATES_MAX);
    if (g->stage_count > PUNA_MAX_STAGES)
        return error_set(error, PUNA_INVALID_ARGUMENT, "stage_count", "stage_count is %u; at most %u are allowed",
                         g->stage_count, PUNA_MAX_STAGES);
    if (g->stage_count && !g->stages)
        return error_set(error, PUNA_INVALID_ARGUMENT, "stages", "stages is NULL, but stage_count is %u",
                         g->stage_count);
    if (g->top_logprobs > PUNA_MAX_TOP_LOGPROBS)
        return error_set(error, PUNA_INVALID_ARGUMENT, "top_logprobs", "top_logprobs is %u; 0 to %u is allowed",
                         g->top_logprobs, PUNA_MAX_TOP_LOGPROBS);
    if (g->logprobs > 1)
        return error_set(error, PUNA_INVALID_ARGUMENT, "logprobs", "logprobs is %u; 0 or 1 is allowed", g->logprobs);
    if (g->bias_count && !g->biases)
        return error_set(error, PUNA_INVALID_ARGUMENT, "biases", "biases is NULL, but bias_count is %u", g->bias_count);
    if (g->breaker_count && !g->breakers)
        return error_set(error, PUNA_INVALID_ARGUMENT, "breakers", "breakers is NULL, but breaker_count is %u",
                         g->breaker_count);
    for (uint32_t i = 0; i < g->stage_count; i++) {
        const stage *row = stage_find(g->stages[i].kind);
        if (!row)
            return error_set(error, PUNA_INVALID_ARGUMENT, "stages",
                             "stage %u has kind %u; the kinds are PUNA_SAMPLE_TEMPERATURE (1) to "
                             "PUNA_SAMPLE_ADAPTIVE_P (13)", i, g->stages[i].kind);
        puna_status status = row->check(&g->stages[i], error);
        if (status != PUNA_OK) return status;
    }
    return PUNA_OK;
}

/* Each id once, and numbers that can be added. */
static puna_status sampler_read_biases(memory_account *account, sampler *s, const puna_generation *g,
                                       puna_error *error) {
    if (g->bias_count == 0) return PUNA_OK;
    if (g->bias_count > s->vocabulary)
        return error_set(error, PUNA_INVALID_ARGUMENT, "bias_count", "bias_count is %u; the vocabulary has %u tokens",
                         g->bias_count, s->vocabulary);
    for (uint32_t i = 0; i < g->bias_count; i++) {
        puna_bias one = g->biases[i];
        if (one.id < 0 || (uint32_t)one.id >= s->vocabulary)
            return error_set(error, PUNA_INVALID_ARGUMENT, "biases",
                             "bias %u is of token %d; the vocabulary has 0 to %u", i, one.id, s->vocabulary - 1);
        if (!(one.value <= FLT_MAX))
            return error_set(error, PUNA_INVALID_ARGUMENT, "biases",
                             "the bias of token %d is %g; a finite number, or -inf, is needed", one.id,
                             (double)one.value);
    }
    s->biases = additions_new(account, s->vocabulary, g->bias_count);
    if (!s->biases) return error_memory(error, "a sampler's biases", s->vocabulary / 8);
    for (uint32_t i = 0; i < g->bias_count; i++) additions_put(s->biases, g->biases[i].id, g->biases[i].value);
    additions_close(s->biases);
    for (uint32_t i = 1; i < s->biases->count; i++)
        if (s->biases->list[i].id == s->biases->list[i - 1].id)
            return error_set(error, PUNA_INVALID_ARGUMENT, "biases", "token %d has more than one bias",
                             s->biases->list[i].id);
    return PUNA_OK;
}

static puna_status sampler_remember(memory_account *account, sampler *s, const puna_generation *g,
                                    const sampler_model *model, puna_error *error) {
    for (uint32_t i = 0; i < s->stage_count; i++) {
        s->stages[i] = g->stages[i];
        const stage_memory *kind = stage_find(s->stages[i].kind)->memory;
        stage_setting at = {&s->stages[i], g, s->vocabulary, model};
        puna_status status = kind ? kind->create(account, &at, &s->memory[i], error) : PUNA_OK;
        if (status != PUNA_OK) return status;
    }
    return PUNA_OK;
}

puna_status sampler_create(memory_account *account, const puna_generation *g, const sampler_model *model, sampler **out,
                           puna_error *error) {
    *out = NULL;
    puna_status status = sampler_check(g, model->vocabulary, error);
    if (status != PUNA_OK) return status;
    sampler *s = memory_new(account, sizeof *s);
    if (!s) return error_memory(error, "a sampler", sizeof *s);
    s->vocabulary = (uint32_t)model->vocabulary;
    s->stage_count = g->stage_count;
    s->seed = g->seed;
    s->wants_top = g->top_logprobs;
    s->wants_logprob = g->logprobs || g->top_logprobs;
    status = sampler_read_biases(account, s, g, error);
    if (status == PUNA_OK) status = sampler_remember(account, s, g, model, error);
    if (status == PUNA_OK) *out = s;
    else sampler_free(account, s);
    return status;
}

void sampler_free(memory_account *account, sampler *s) {
    if (!s) return;
    for (uint32_t i = 0; i < s->stage_count; i++)
        if (s->memory[i]) stage_find(s->stages[i].kind)->memory->free(account, s->memory[i]);
    additions_free(account, s->biases);
    memory_free(account, s->row);
    memory_free(account, s);
}

void sampler_accept(sampler *s, int32_t id) {
    for (uint32_t i = 0; i < s->stage_count; i++)
        if (s->memory[i]) stage_find(s->stages[i].kind)->memory->accept(s->memory[i], id);
}

puna_status sampler_allow(memory_account *account, sampler *s, const uint64_t *allowed, puna_error *error) {
    if (!s->row) s->row = memory_array(account, s->vocabulary, sizeof *s->row);
    if (!s->row) return error_memory(error, "a constrained sampler", s->vocabulary * sizeof *s->row);
    s->allowed = allowed;
    return PUNA_OK;
}

const sampler_blame sampler_model_blame = {"the model's logits", "its weights are damaged, or a number overflowed"};

/* Four at a time: what every processor's smallest registers hold, so that no compiler takes them apart. */
typedef float sampler_lanes __attribute__((vector_size(16)));
typedef int32_t sampler_bits __attribute__((vector_size(16)));

/* The largest of `count` (a multiple of 16) numbers, and whether one is a NaN. */
static float sampler_largest(const float *x, uint32_t count, bool *nan) {
    sampler_lanes most[4], now[4];
    sampler_bits wrong = {0};
    for (int k = 0; k < 4; k++) most[k] = (sampler_lanes){0} - INFINITY;
    for (uint32_t i = 0; i < count; i += 16) {
        memcpy(now, x + i, sizeof now);
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            sampler_bits larger = now[k] > most[k];
            wrong |= now[k] != now[k];
            most[k] = (sampler_lanes)(((sampler_bits)now[k] & larger) | ((sampler_bits)most[k] & ~larger));
        }
    }
    float max = -INFINITY;
    for (int i = 0; i < 16; i++) {
        *nan = *nan || wrong[i % 4];
        if (most[i / 4][i % 4] > max) max = most[i / 4][i % 4];
    }
    return max;
}

/* The best token, the lower id among equals: the first chunk's with the largest number, then the first one in it. */
static puna_status sampler_best(const float *logits, uint32_t vocabulary, const sampler_blame *blame, uint32_t *best,
                                puna_error *error) {
    enum { CHUNK = 1024 };
    float max = -INFINITY;
    bool nan = false;
    uint32_t at = 0, whole = vocabulary / 16 * 16;
    for (uint32_t i = 0; i < whole; i += CHUNK) {
        float most = sampler_largest(logits + i, whole - i < CHUNK ? whole - i : CHUNK, &nan);
        if (!(most > max)) continue;
        max = most;
        at = i;
    }
    while (at < whole && logits[at] != max && max > -INFINITY) at++;
    for (uint32_t i = whole; i < vocabulary; i++) {
        nan = nan || logits[i] != logits[i];
        if (!(logits[i] > max)) continue;
        max = logits[i];
        at = i;
    }
    *best = at;
    const char *fault = NULL;
    if (max > FLT_MAX) fault = "+inf";
    else if (!(max >= -FLT_MAX)) fault = "no finite number";
    else if (nan) fault = "NaN";
    if (!fault) return PUNA_OK;
    return error_set(error, PUNA_NOT_FINITE, "logits", "%s hold %s: %s", blame->row, fault, blame->why);
}

puna_status sampler_check_row(const float *logits, uint32_t vocabulary, const sampler_blame *blame, puna_error *error) {
    uint32_t best;
    return sampler_best(logits, vocabulary, blame, &best, error);
}

/* The row and its best id, of those that are allowed. */
static const float *sampler_restrict(sampler *s, const float *logits, uint32_t *best, puna_error *error) {
    float max = -INFINITY;
    for (uint32_t i = 0; i < s->vocabulary; i++) {
        s->row[i] = s->allowed[i / 64] >> (i % 64) & 1 ? logits[i] : -INFINITY;
        if (!(s->row[i] > max)) continue;
        max = s->row[i];
        *best = i;
    }
    s->allowed = NULL;
    if (max >= -FLT_MAX) return s->row;
    error_set(error, PUNA_NOT_FINITE, "logits", "the model gives no token that is allowed here a finite logit");
    return NULL;
}

/* Do the biases leave any token? Those with a finite logit that are not banned are looked for. */
static bool sampler_leaves(const sampler *s, const float *logits) {
    for (uint32_t id = 0; id < s->vocabulary; id++)
        if (logits[id] >= -FLT_MAX && additions_apply(s->biases, id, logits[id]) >= -FLT_MAX) return true;
    return false;
}

static int32_t sampler_run(const sampler *s, const float *logits, float best, uint64_t position) {
    candidates c;
    candidates_begin(&c, logits, s->vocabulary, best);
    if (s->biases) candidates_add_to(&c, s->biases);
    if (s->stage_count == 0) candidates_keep(&c, 1);
    for (uint32_t i = 0; i < s->stage_count; i++) {
        stage_moment moment = {s->memory[i], sampler_draw(s->seed, position, i + 1)};
        stage_find(s->stages[i].kind)->apply(&c, &s->stages[i], &moment);
    }
    int32_t id = candidates_pick(&c, sampler_draw(s->seed, position, 0));
    for (uint32_t i = 0; i < s->stage_count; i++) {
        const stage_memory *kind = stage_find(s->stages[i].kind)->memory;
        if (s->memory[i] && kind->chosen) kind->chosen(s->memory[i], id, c.surprise);
    }
    return id;
}

/* No stage, or a temperature of 0 and nothing else: the best token, which is known. */
static bool sampler_is_greedy(const sampler *s) {
    if (s->stage_count == 0) return true;
    return s->stage_count == 1 && s->stages[0].kind == PUNA_SAMPLE_TEMPERATURE && s->stages[0].value == 0;
}

puna_status sampler_choose(sampler *s, const float *logits, uint64_t position, sampler_choice *choice,
                           puna_error *error) {
    uint32_t best;
    *choice = (sampler_choice){0};
    puna_status status = sampler_best(logits, s->vocabulary, &sampler_model_blame, &best, error);
    if (status != PUNA_OK) return status;
    uint32_t first = best;
    const float *row = s->allowed ? sampler_restrict(s, logits, &first, error) : logits;
    if (!row) return PUNA_NOT_FINITE;
    if (s->biases && !sampler_leaves(s, row))
        return error_set(error, PUNA_INVALID_ARGUMENT, "biases",
                         "every token that the model could choose has a bias of -inf");
    bool plain = sampler_is_greedy(s) && !s->biases;
    choice->id = plain ? (int32_t)first : sampler_run(s, row, row[first], position);
    if (!s->wants_logprob) return PUNA_OK;
    logprobs l = logprobs_of(logits, s->vocabulary, logits[best]);
    choice->logprob = logprobs_at(l, logits[choice->id]);
    choice->top_count = logprobs_top(l, logits, s->vocabulary, s->wants_top, s->top);
    choice->top = s->top;
    return PUNA_OK;
}
