// SPDX-License-Identifier: Apache-2.0
#include "sample/candidates_search.h"

/* Lists are short: Shell's method, with Ciura's gaps. */
void candidates_sort_by(candidates *c, candidates_measure measure) {
    static const uint32_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        for (uint32_t i = gaps[g]; i < c->length; i++) {
            uint64_t moved = c->list[i], order = candidates_order(measure, moved);
            uint32_t j = i;
            for (; j >= gaps[g] && candidates_order(measure, c->list[j - gaps[g]]) < order; j -= gaps[g])
                c->list[j] = c->list[j - gaps[g]];
            c->list[j] = moved;
        }
    }
}

void candidates_sort(candidates *c) { candidates_sort_by(c, (candidates_measure){0}); }

/* Tokens looked at together, so that their weights are computed side by side. */
enum { CANDIDATES_TOGETHER = 256 };

/* What a look is for: values from `low` to `high`. Others may be met, too. A bound that is not a number bounds
   nothing. */
typedef struct candidates_range {
    float low, high;
} candidates_range;

static const candidates_range candidates_all = {-FLT_MAX, FLT_MAX};

/* Of keys, where these say who comes first. */
static candidates_range candidates_range_of(candidates_measure measure, uint64_t least, uint64_t most) {
    if (measure.centred) return candidates_all;
    return (candidates_range){candidates_value(least), candidates_value(most)};
}

/* As candidates_look, without its questions: a set that was at most divided. */
static uint32_t candidates_plain_keys(const candidates *c, uint32_t first, uint32_t count, candidates_range range,
                                      uint64_t *keys) {
    const float *logits = c->logits + first;
    float values[CANDIDATES_TOGETHER];
    uint32_t kept = 0;
    memcpy(values, logits, count * sizeof *values);
    for (uint32_t s = 0; s < c->steps; s++)
        for (uint32_t i = 0; i < count; i++) values[i] = penalties_finite(values[i] / c->step[s].divisor);
    for (uint32_t i = 0; i < count; i++) {
        if (values[i] < range.low || values[i] > range.high || logits[i] < -FLT_MAX) continue;
        keys[kept++] = candidates_key(values[i], first + i);
    }
    return kept;
}

static bool candidates_plain(const candidates *c) {
    for (uint32_t i = 0; i < c->steps; i++)
        if (c->step[i].kind != CANDIDATES_DIVIDE) return false;
    return true;
}

/* The keys of those of `count` tokens from `first` on that have not been dropped, at least those of the range; how
   many. */
static uint32_t candidates_keys(const candidates *c, uint32_t first, uint32_t count, candidates_range range,
                                uint64_t *keys) {
    uint32_t kept = 0;
    if (candidates_plain(c)) return candidates_plain_keys(c, first, count, range, keys);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t key = candidates_look(c, first + i);
        keys[kept] = key;
        kept += key != 0;
    }
    return kept;
}

bool candidates_gather(candidates *c, candidates_measure measure, uint64_t least, uint64_t most) {
    uint64_t keys[CANDIDATES_TOGETHER];
    const candidates_range range = candidates_range_of(measure, least, most);
    c->length = 0;
    for (uint32_t first = 0; first < c->vocabulary; first += CANDIDATES_TOGETHER) {
        const uint32_t left = c->vocabulary - first;
        uint32_t count =
            candidates_keys(c, first, left < CANDIDATES_TOGETHER ? left : CANDIDATES_TOGETHER, range, keys);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t order = candidates_order(measure, keys[i]);
            if (order < least || order > most) continue;
            if (c->length == CANDIDATES_LIST) return false;
            c->list[c->length++] = keys[i];
        }
    }
    candidates_sort_by(c, measure);
    return true;
}

/* What candidates_weigh gives, for many. */
static void candidates_weigh_many(float best, const uint64_t *keys, uint32_t count, uint64_t *weights) {
    float e[CANDIDATES_TOGETHER];
    for (uint32_t i = 0; i < count; i++) e[i] = candidates_value(keys[i]) - best;
    math_expf_many(e, count, e);
    for (uint32_t i = 0; i < count; i++) weights[i] = (uint64_t)(int64_t)(e[i] * CANDIDATES_UNITS);
}

/* Measures of the candidates whose order begins with `prefix`, by the bits that follow, which end at `shift`. */
static void candidates_count(const candidates *c, candidates_measure measure, uint64_t prefix, int shift, int bits,
                             candidates_histogram *h) {
    uint64_t keys[CANDIDATES_TOGETHER], weights[CANDIDATES_TOGETHER];
    candidates_range range = candidates_all;
    if (shift + bits < 64)
        range = candidates_range_of(measure, prefix << (shift + bits), ((prefix + 1) << (shift + bits)) - 1);
    memset(h, 0, sizeof *h);
    for (uint32_t first = 0; first < c->vocabulary; first += CANDIDATES_TOGETHER) {
        const uint32_t left = c->vocabulary - first;
        uint32_t count =
            candidates_keys(c, first, left < CANDIDATES_TOGETHER ? left : CANDIDATES_TOGETHER, range, keys);
        if (shift + bits < 64) { /* a later look, at few of them */
            uint32_t kept = 0;
            for (uint32_t i = 0; i < count; i++)
                if (candidates_order(measure, keys[i]) >> (shift + bits) == prefix) keys[kept++] = keys[i];
            count = kept;
        }
        if (measure.weighted) candidates_weigh_many(measure.best, keys, count, weights);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t bucket = (uint32_t)(candidates_order(measure, keys[i]) >> shift) & ((1u << bits) - 1);
            h->sum[bucket] += measure.weighted ? weights[i] : 1;
            h->count[bucket]++;
        }
    }
}

uint64_t candidates_total(const candidates *c, candidates_measure measure, candidates_histogram *h) {
    uint64_t total = 0;
    candidates_count(c, measure, 0, 64 - CANDIDATES_BUCKET_BITS, CANDIDATES_BUCKET_BITS, h);
    for (int b = 0; b < CANDIDATES_BUCKETS; b++) total += h->sum[b];
    return total;
}

uint32_t candidates_reach_listed(const candidates *c, candidates_measure measure, uint64_t target) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < c->length; i++) {
        sum += candidates_weigh(measure, c->list[i]);
        if (sum >= target) return i;
    }
    return c->length - 1;
}

uint64_t candidates_reach(candidates *c, candidates_measure measure, uint64_t target, candidates_histogram *h) {
    uint64_t prefix = 0, above = 0;
    for (int shift = 64 - CANDIDATES_BUCKET_BITS, bits = CANDIDATES_BUCKET_BITS;;) {
        uint32_t bucket = (1u << bits) - 1;
        for (; bucket > 0 && h->sum[bucket] < target; bucket--) {
            target -= h->sum[bucket];
            above += h->count[bucket];
        }
        prefix = prefix << bits | bucket;
        uint64_t least = prefix << shift, most = least + ((1ull << shift) - 1);
        if (above + h->count[bucket] <= CANDIDATES_LIST) {
            c->listed = candidates_gather(c, measure, least, UINT64_MAX);
            return 0;
        }
        if (h->count[bucket] <= CANDIDATES_LIST) { /* at shift 0 it holds one candidate */
            candidates_gather(c, measure, least, most);
            return candidates_order(measure, c->list[candidates_reach_listed(c, measure, target)]);
        }
        bits = shift < CANDIDATES_BUCKET_BITS ? shift : CANDIDATES_BUCKET_BITS;
        shift -= bits;
        candidates_count(c, measure, prefix, shift, bits, h);
    }
}

uint64_t candidates_listed_total(const candidates *c, candidates_measure measure) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < c->length; i++) total += candidates_weigh(measure, c->list[i]);
    return total;
}
