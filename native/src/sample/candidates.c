// SPDX-License-Identifier: Apache-2.0
#include "sample/candidates.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/math.h"

/* A probability's unit: weights are whole multiples of 2^-40 of the best one's, so that sums are exact. */
#define CANDIDATES_UNITS 1099511627776.0f

/* Keys are searched from their upper bits down, 11 at a time. */
enum { BUCKET_BITS = 11, BUCKETS = 1 << BUCKET_BITS };

typedef struct candidates_histogram {
    uint64_t sum[BUCKETS];
    uint32_t count[BUCKETS];
} candidates_histogram;

typedef struct candidates_measure {
    bool weighted; /* else each candidate counts 1 */
    float best;    /* the greatest value, where weighted */
} candidates_measure;

uint64_t candidates_key(float value, uint32_t id) {
    uint32_t bits;
    value += 0.0f; /* -0 becomes +0: they are equal */
    memcpy(&bits, &value, sizeof bits);
    bits ^= bits >> 31 ? 0xFFFFFFFFu : 0x80000000u;
    return (uint64_t)bits << 32 | (0xFFFFFFFFu - id);
}

float candidates_value(uint64_t key) {
    uint32_t bits = (uint32_t)(key >> 32);
    float value;
    bits ^= bits >> 31 ? 0x80000000u : 0xFFFFFFFFu;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint32_t candidates_id(uint64_t key) { return 0xFFFFFFFFu - (uint32_t)key; }

void candidates_begin(candidates *c, const float *logits, uint32_t vocabulary) {
    c->logits = logits;
    c->vocabulary = vocabulary;
    c->steps = 0;
    c->listed = false;
    c->length = 0;
}

/* The token's key after all steps, or 0 (which is no key: values are finite) if it was dropped. */
static inline uint64_t candidates_look(const candidates *c, uint32_t id) {
    float value = c->logits[id];
    if (value < -FLT_MAX) return 0;
    for (uint32_t i = 0; i < c->steps; i++) {
        const candidates_step *step = &c->step[i];
        if (step->kind == CANDIDATES_DIVIDE) value = penalties_finite(value / step->divisor);
        else if (step->kind == CANDIDATES_PENALIZE) value = penalties_apply(step->table, id, value);
        else if (candidates_key(value, id) < step->floor) return 0;
    }
    return candidates_key(value, id);
}

static uint64_t candidates_best(const candidates *c) {
    if (c->listed) return c->list[0];
    uint64_t best = 0;
    for (uint32_t id = 0; id < c->vocabulary; id++) {
        uint64_t key = candidates_look(c, id);
        if (key > best) best = key;
    }
    return best;
}

static uint64_t candidates_weigh(candidates_measure measure, uint64_t key) {
    if (!measure.weighted) return 1;
    float below = candidates_value(key) - measure.best;
    if (below < -28.0f) return 0; /* e^-28 is 0.76 units: most tokens need no exp */
    return (uint64_t)(math_expf(below) * CANDIDATES_UNITS);
}

/* Descending; lists are short (Shell's method, with Ciura's gaps). */
static void candidates_sort(candidates *c) {
    static const uint32_t gaps[] = {701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        for (uint32_t i = gaps[g]; i < c->length; i++) {
            uint64_t moved = c->list[i];
            uint32_t j = i;
            for (; j >= gaps[g] && c->list[j - gaps[g]] < moved; j -= gaps[g]) c->list[j] = c->list[j - gaps[g]];
            c->list[j] = moved;
        }
    }
}

/* The candidates from `floor` up, known to be few, become the list. */
static void candidates_collect(candidates *c, uint64_t floor) {
    c->length = 0;
    for (uint32_t id = 0; id < c->vocabulary; id++) {
        uint64_t key = candidates_look(c, id);
        if (key >= floor && key) c->list[c->length++] = key;
    }
    c->listed = true;
    candidates_sort(c);
}

/* Measures of the candidates whose key begins with `prefix`, by the bits that follow, which end at `shift`. */
static void candidates_count(const candidates *c, candidates_measure measure, uint64_t prefix, int shift, int bits,
                             candidates_histogram *h) {
    memset(h, 0, sizeof *h);
    for (uint32_t id = 0; id < c->vocabulary; id++) {
        uint64_t key = candidates_look(c, id);
        if (!key || (shift + bits < 64 && key >> (shift + bits) != prefix)) continue;
        uint32_t bucket = (uint32_t)(key >> shift) & ((1u << bits) - 1);
        h->sum[bucket] += candidates_weigh(measure, key);
        h->count[bucket]++;
    }
}

/* The histogram by the uppermost bits; returns its sum. */
static uint64_t candidates_total(const candidates *c, candidates_measure measure, candidates_histogram *h) {
    uint64_t total = 0;
    candidates_count(c, measure, 0, 64 - BUCKET_BITS, BUCKET_BITS, h);
    for (int b = 0; b < BUCKETS; b++) total += h->sum[b];
    return total;
}

/* In a dense set whose uppermost histogram is `h`: the key of the candidate at which the sum of measures, best first,
   reaches `target` (1 to the total). Where few candidates are as good, the set becomes the list of these (perhaps with
   some behind), and 0 is returned. */
static uint64_t candidates_reach(candidates *c, candidates_measure measure, uint64_t target, candidates_histogram *h) {
    uint64_t prefix = 0, above = 0;
    for (int shift = 64 - BUCKET_BITS, bits = BUCKET_BITS;;) {
        uint32_t bucket = (1u << bits) - 1;
        for (; bucket > 0 && h->sum[bucket] < target; bucket--) {
            target -= h->sum[bucket];
            above += h->count[bucket];
        }
        prefix = prefix << bits | bucket;
        if (above + h->count[bucket] <= CANDIDATES_LIST) {
            candidates_collect(c, prefix << shift);
            return 0;
        }
        if (shift == 0) return prefix;
        bits = shift < BUCKET_BITS ? shift : BUCKET_BITS;
        shift -= bits;
        candidates_count(c, measure, prefix, shift, bits, h);
    }
}

/* The place in the list at which the sum of measures reaches `target`; the last one where it does not. */
static uint32_t candidates_reach_listed(const candidates *c, candidates_measure measure, uint64_t target) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < c->length; i++) {
        sum += candidates_weigh(measure, c->list[i]);
        if (sum >= target) return i;
    }
    return c->length - 1;
}

static void candidates_add(candidates *c, candidates_step step) { c->step[c->steps++] = step; }

/* Keeps the best ones until the sum of measures reaches `target`. */
static void candidates_cut(candidates *c, candidates_measure measure, uint64_t target, candidates_histogram *h) {
    if (!c->listed) {
        uint64_t floor = candidates_reach(c, measure, target, h);
        if (floor) candidates_add(c, (candidates_step){.kind = CANDIDATES_FLOOR, .floor = floor});
    }
    if (c->listed) c->length = candidates_reach_listed(c, measure, target) + 1;
}

void candidates_divide(candidates *c, float divisor) {
    if (!c->listed) {
        candidates_add(c, (candidates_step){.kind = CANDIDATES_DIVIDE, .divisor = divisor});
        return;
    }
    for (uint32_t i = 0; i < c->length; i++) {
        float value = penalties_finite(candidates_value(c->list[i]) / divisor);
        c->list[i] = candidates_key(value, candidates_id(c->list[i]));
    }
    candidates_sort(c); /* rounding may have made equals */
}

void candidates_penalize(candidates *c, const penalties *table) {
    if (!c->listed) {
        candidates_add(c, (candidates_step){.kind = CANDIDATES_PENALIZE, .table = table});
        return;
    }
    for (uint32_t i = 0; i < c->length; i++) {
        uint32_t id = candidates_id(c->list[i]);
        c->list[i] = candidates_key(penalties_apply(table, id, candidates_value(c->list[i])), id);
    }
    candidates_sort(c);
}

void candidates_keep(candidates *c, uint64_t count) {
    if (count >= (c->listed ? c->length : c->vocabulary)) return;
    if (c->listed) {
        c->length = (uint32_t)count;
    } else if (count == 1) {
        c->list[0] = candidates_best(c);
        c->length = 1;
        c->listed = true;
    } else {
        candidates_histogram h;
        candidates_measure measure = {false, 0};
        if (candidates_total(c, measure, &h) > count) candidates_cut(c, measure, count, &h);
    }
}

void candidates_keep_share(candidates *c, float share) {
    candidates_histogram h;
    candidates_measure measure = {true, candidates_value(candidates_best(c))};
    uint64_t total = 0;
    if (c->listed)
        for (uint32_t i = 0; i < c->length; i++) total += candidates_weigh(measure, c->list[i]);
    else
        total = candidates_total(c, measure, &h);
    uint64_t target = (uint64_t)ceil((double)share * (double)total);
    if (target > total) target = total;
    candidates_cut(c, measure, target ? target : 1, &h);
}

void candidates_keep_near(candidates *c, float part) {
    float least = candidates_value(candidates_best(c)) + math_logf(part);
    uint64_t floor = candidates_key(penalties_finite(least), 0xFFFFFFFFu);
    if (c->listed) {
        while (c->length > 1 && c->list[c->length - 1] < floor) c->length--;
        return;
    }
    candidates_add(c, (candidates_step){.kind = CANDIDATES_FLOOR, .floor = floor});
    uint64_t left = 0;
    for (uint32_t id = 0; id < c->vocabulary && left <= CANDIDATES_LIST; id++) left += candidates_look(c, id) != 0;
    if (left <= CANDIDATES_LIST) candidates_collect(c, floor);
}

/* floor(a * b / 2^64) */
static uint64_t candidates_scale(uint64_t a, uint64_t b) {
    uint64_t low = (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu), middle = (a >> 32) * (b & 0xFFFFFFFFu) + (low >> 32);
    uint64_t other = (a & 0xFFFFFFFFu) * (b >> 32) + (middle & 0xFFFFFFFFu);
    return (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);
}

int32_t candidates_pick(candidates *c, uint64_t draw) {
    candidates_measure measure = {true, candidates_value(candidates_best(c))};
    uint64_t total = 0, key = 0, target;
    if (!c->listed) {
        candidates_histogram h;
        total = candidates_total(c, measure, &h);
        target = candidates_scale(draw, total) + 1;
        key = candidates_reach(c, measure, target, &h);
    } else {
        for (uint32_t i = 0; i < c->length; i++) total += candidates_weigh(measure, c->list[i]);
        target = candidates_scale(draw, total) + 1;
    }
    if (!key) key = c->list[candidates_reach_listed(c, measure, target)];
    return (int32_t)candidates_id(key);
}
