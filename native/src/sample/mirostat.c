// SPDX-License-Identifier: Apache-2.0
#include "sample/mirostat.h"

#include "base/math.h"

/* Of the best tokens, from which the exponent of Zipf's law is estimated. */
#define MIROSTAT_SEEN 100u

puna_status mirostat_check(const puna_stage *s, puna_error *error) {
    puna_status status = stage_range("mirostat target", s->value, 0, 100, error);
    return status == PUNA_OK ? stage_range("mirostat rate", s->rate, 0, 100, error) : status;
}

/* Least squares through the origin: the logs of successive probabilities' quotients over those of their ranks. */
static double mirostat_exponent(candidates *c) {
    const uint64_t *keys;
    uint32_t seen = candidates_peek(c, MIROSTAT_SEEN, &keys);
    double products = 0, squares = 0;
    for (uint32_t i = 0; i + 1 < seen; i++) {
        double t = math_log((double)(i + 2) / (double)(i + 1));
        double b = (double)candidates_value(keys[i]) - (double)candidates_value(keys[i + 1]);
        products += t * b;
        squares += t * t;
    }
    return squares > 0 ? products / squares : 0;
}

/* How many of the best have the perplexity 2^mu under Zipf's law with exponent s over n tokens:
   ((s - 1) 2^mu / (1 - n^(1 - s)))^(1 / s); at s = 1 the limit of the quotient, 2^mu / ln n. */
static double mirostat_count(double s, double mu, double n) {
    if (n < 2) return 1;
    double most = math_exp((mu > 200 ? 200 : mu) * MIROSTAT_LN2), e = s - 1;
    double base = e > -1e-7 && e < 1e-7 ? most / math_log(n) : e * most / (1 - math_pow(n, -e));
    if (s <= 1e-9) return base >= 1 ? n : 1; /* equals; the power's limit */
    double log_count = math_log(base) / s;
    return log_count > 700 ? n : math_exp(log_count);
}

void mirostat_apply(candidates *c, const puna_stage *settings, const stage_moment *moment) {
    const mirostat_state *m = moment->memory;
    (void)settings;
    double count = mirostat_count(mirostat_exponent(c), m->mu, (double)m->vocabulary);
    candidates_keep(c, count < 1 ? 1 : count > (double)m->vocabulary ? m->vocabulary : (uint64_t)count);
}

puna_status mirostat_create(memory_account *account, const stage_setting *at, void **memory, puna_error *error) {
    mirostat_state *m = memory_new(account, sizeof *m);
    if (!m) return error_memory(error, "a sampler's mirostat", sizeof *m);
    *m = (mirostat_state){.mu = 2 * (double)at->settings->value, .target = (double)at->settings->value,
                          .rate = (double)at->settings->rate, .chosen = -1, .vocabulary = at->vocabulary};
    *memory = m;
    return PUNA_OK;
}

void mirostat_free(memory_account *account, void *memory) { memory_free(account, memory); }

void mirostat_chosen(void *memory, int32_t id, double surprise) {
    mirostat_state *m = memory;
    m->chosen = id;
    m->surprise = surprise / MIROSTAT_LN2;
}

void mirostat_accept(void *memory, int32_t id) {
    mirostat_state *m = memory;
    if (m->chosen == id) m->mu -= m->rate * (m->surprise - m->target);
    m->chosen = -1;
}

const stage_memory mirostat_memory = {mirostat_create, mirostat_free, mirostat_accept, mirostat_chosen};
