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

void candidates_begin(candidates *c, const float *logits, uint32_t vocabulary, float best) {
    c->logits = logits;
    c->vocabulary = vocabulary;
    c->steps = 0;
    c->best_known = true;
    c->best = best;
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

/* The greatest value. */
static float candidates_best(candidates *c) {
    if (c->listed) return candidates_value(c->list[0]);
    uint64_t best = 0;
    for (uint32_t id = 0; id < c->vocabulary && !c->best_known; id++) {
        uint64_t key = candidates_look(c, id);
        if (key > best) best = key;
    }
    if (!c->best_known) c->best = candidates_value(best);
    c->best_known = true;
    return c->best;
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

/* Puts the candidates with least <= key <= most on the list; false if they are too many for it. */
static bool candidates_gather(candidates *c, uint64_t least, uint64_t most) {
    c->length = 0;
    for (uint32_t id = 0; id < c->vocabulary; id++) {
        uint64_t key = candidates_look(c, id);
        if (!key || key < least || key > most) continue;
        if (c->length == CANDIDATES_LIST) return false;
        c->list[c->length++] = key;
    }
    candidates_sort(c);
    return true;
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

/* The place in the list at which the sum of measures reaches `target`; the last one where it does not. */
static uint32_t candidates_reach_listed(const candidates *c, candidates_measure measure, uint64_t target) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < c->length; i++) {
        sum += candidates_weigh(measure, c->list[i]);
        if (sum >= target) return i;
    }
    return c->length - 1;
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
        uint64_t least = prefix << shift, most = least + ((1ull << shift) - 1);
        if (above + h->count[bucket] <= CANDIDATES_LIST) {
            c->listed = candidates_gather(c, least, UINT64_MAX);
            return 0;
        }
        if (h->count[bucket] <= CANDIDATES_LIST) { /* at shift 0 it holds one candidate */
            candidates_gather(c, least, most);
            return c->list[candidates_reach_listed(c, measure, target)];
        }
        bits = shift < BUCKET_BITS ? shift : BUCKET_BITS;
        shift -= bits;
        candidates_count(c, measure, prefix, shift, bits, h);
    }
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
        c->best = penalties_finite(c->best / divisor);
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
        c->best_known = false;
        return;
    }
    for (uint32_t i = 0; i < c->length; i++) {
        uint32_t id = candidates_id(c->list[i]);
        c->list[i] = candidates_key(penalties_apply(table, id, candidates_value(c->list[i])), id);
    }
    candidates_sort(c);
}

/* One pass: what is not better than the best `count` so far never enters the list, which is cut whenever it is full. */
static void candidates_keep_few(candidates *c, uint32_t count) {
    uint64_t least = 0;
    c->length = 0;
    for (uint32_t id = 0; id < c->vocabulary; id++) {
        uint64_t key = candidates_look(c, id);
        if (key <= least) continue;
        c->list[c->length++] = key;
        if (c->length < CANDIDATES_LIST) continue;
        candidates_sort(c);
        c->length = count;
        least = c->list[count - 1];
    }
    candidates_sort(c);
    if (c->length > count) c->length = count;
    c->listed = true;
}

void candidates_keep(candidates *c, uint64_t count) {
    if (count >= (c->listed ? c->length : c->vocabulary)) return;
    if (c->listed) {
        c->length = (uint32_t)count;
    } else if (count <= CANDIDATES_LIST / 2) { /* each cut makes room for as many */
        candidates_keep_few(c, (uint32_t)count);
    } else {
        candidates_histogram h;
        candidates_measure measure = {false, 0};
        if (candidates_total(c, measure, &h) > count) candidates_cut(c, measure, count, &h);
    }
}

void candidates_keep_share(candidates *c, float share) {
    candidates_histogram h;
    candidates_measure measure = {true, candidates_best(c)};
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
    float least = candidates_best(c) + math_logf(part);
    uint64_t floor = candidates_key(penalties_finite(least), 0xFFFFFFFFu);
    if (c->listed) {
        while (c->length > 1 && c->list[c->length - 1] < floor) c->length--;
        return;
    }
    c->listed = candidates_gather(c, floor, UINT64_MAX);
    if (!c->listed) candidates_add(c, (candidates_step){.kind = CANDIDATES_FLOOR, .floor = floor});
}

/* floor(a * b / 2^64) */
static uint64_t candidates_scale(uint64_t a, uint64_t b) {
    uint64_t low = (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu), middle = (a >> 32) * (b & 0xFFFFFFFFu) + (low >> 32);
    uint64_t other = (a & 0xFFFFFFFFu) * (b >> 32) + (middle & 0xFFFFFFFFu);
    return (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);
}

int32_t candidates_pick(candidates *c, uint64_t draw) {
    candidates_measure measure = {true, candidates_best(c)};
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
