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

/* What candidates count when they are summed up, and which of them come first. */
typedef struct candidates_measure {
    bool weighted; /* else each candidate counts 1 */
    float best;    /* the greatest value, where weighted */
    bool centred;  /* those nearest to `centre` come first, else the greatest */
    float centre;
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

/* A key by nearness to `centre`: nearer is greater, then the lower id. */
static inline uint64_t candidates_nearness(float centre, float value, uint32_t id) {
    return candidates_key(-penalties_finite(fabsf(value - centre)), id);
}

static inline uint64_t candidates_order(candidates_measure measure, uint64_t key) {
    return measure.centred ? candidates_nearness(measure.centre, candidates_value(key), candidates_id(key)) : key;
}

float candidates_share(const candidates_aim *aim, float value) { return math_expf(value - aim->best) / aim->total; }

static inline float candidates_aimed(const candidates_aim *aim, float value) {
    float distance = fabsf(candidates_share(aim, value) - aim->target) * (1.0f / 0.3f);
    return 5.0f - 10.0f * distance * distance / (1.0f + distance);
}

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
        else if (step->kind == CANDIDATES_ADD) value = additions_apply(step->added, id, value);
        else if (step->kind == CANDIDATES_AIM) value = candidates_aimed(&step->aim, value);
        else if (step->kind == CANDIDATES_CEILING && candidates_key(value, id) > step->floor) return 0;
        else if (step->kind == CANDIDATES_FLOOR && candidates_key(value, id) < step->floor) return 0;
        else if (step->kind == CANDIDATES_CENTRE && candidates_nearness(step->centre, value, id) < step->floor)
            return 0;
        if (value < -FLT_MAX) return 0;
    }
    return candidates_key(value, id);
}

float candidates_best(candidates *c) {
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
static void candidates_sort_by(candidates *c, candidates_measure measure) {
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

static void candidates_sort(candidates *c) { candidates_sort_by(c, (candidates_measure){0}); }

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

/* Puts the candidates with least <= order <= most on the list, in that order; false if they are too many for it. */
static bool candidates_gather(candidates *c, candidates_measure measure, uint64_t least, uint64_t most) {
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

/* In a dense set whose uppermost histogram is `h`: the order of the candidate at which the sum of measures, best first,
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
            c->listed = candidates_gather(c, measure, least, UINT64_MAX);
            return 0;
        }
        if (h->count[bucket] <= CANDIDATES_LIST) { /* at shift 0 it holds one candidate */
            candidates_gather(c, measure, least, most);
            return candidates_order(measure, c->list[candidates_reach_listed(c, measure, target)]);
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

void candidates_add_to(candidates *c, const additions *added) {
    if (!c->listed) {
        candidates_add(c, (candidates_step){.kind = CANDIDATES_ADD, .added = added});
        c->best_known = false;
        return;
    }
    for (uint32_t i = 0; i < c->length; i++) {
        uint32_t id = candidates_id(c->list[i]);
        c->list[i] = candidates_key(additions_apply(added, id, candidates_value(c->list[i])), id);
    }
    candidates_sort(c);
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

/* The best one alone: one pass, no list to sort. */
static void candidates_keep_best(candidates *c) {
    uint64_t best = 0;
    for (uint32_t id = 0; id < c->vocabulary; id++) {
        uint64_t key = candidates_look(c, id);
        if (key > best) best = key;
    }
    c->list[0] = best;
    c->length = best ? 1 : 0;
    c->listed = true;
}

/* One pass: what is not better than the best `count` so far never enters the list, which is cut whenever it is full. */
static void candidates_keep_few(candidates *c, uint32_t count) {
    uint64_t least = 0;
    float low = -INFINITY; /* of a set without steps: what is lower need not be looked at */
    c->length = 0;
    const float *logits = c->logits;
    for (uint32_t id = 0, end = c->vocabulary; id < end; id++) {
        if (logits[id] < low) continue;
        uint64_t key = candidates_look(c, id);
        if (key <= least) continue;
        c->list[c->length++] = key;
        if (c->length < CANDIDATES_LIST) continue;
        candidates_sort(c);
        c->length = count;
        least = c->list[count - 1];
        if (c->steps == 0) low = candidates_value(least);
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
        if (count == 1) candidates_keep_best(c);
        else candidates_keep_few(c, (uint32_t)count);
    } else {
        candidates_histogram h;
        candidates_measure measure = {0};
        if (candidates_total(c, measure, &h) > count) candidates_cut(c, measure, count, &h);
    }
}

static uint64_t candidates_listed_total(const candidates *c, candidates_measure measure) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < c->length; i++) total += candidates_weigh(measure, c->list[i]);
    return total;
}

static uint64_t candidates_target(float share, uint64_t total) {
    uint64_t target = (uint64_t)ceil((double)share * (double)total);
    return target > total ? total : target ? target : 1;
}

void candidates_keep_share(candidates *c, float share) {
    candidates_histogram h;
    candidates_measure measure = {true, candidates_best(c), false, 0};
    uint64_t total = c->listed ? candidates_listed_total(c, measure) : candidates_total(c, measure, &h);
    candidates_cut(c, measure, candidates_target(share, total), &h);
}

void candidates_keep_from(candidates *c, float least) {
    if (!(least <= candidates_best(c))) {
        candidates_keep(c, 1);
        return;
    }
    uint64_t floor = candidates_key(penalties_finite(least), 0xFFFFFFFFu);
    if (c->listed) {
        while (c->length > 1 && c->list[c->length - 1] < floor) c->length--;
        return;
    }
    c->listed = candidates_gather(c, (candidates_measure){0}, floor, UINT64_MAX);
    if (!c->listed) candidates_add(c, (candidates_step){.kind = CANDIDATES_FLOOR, .floor = floor});
}

void candidates_keep_near(candidates *c, float part) { candidates_keep_from(c, candidates_best(c) + math_logf(part)); }

void candidates_keep_centre(candidates *c, float centre, float share) {
    candidates_histogram h;
    candidates_measure measure = {true, candidates_best(c), true, centre};
    uint64_t total = c->listed ? candidates_listed_total(c, measure) : candidates_total(c, measure, &h);
    uint64_t target = candidates_target(share, total);
    if (!c->listed) {
        uint64_t floor = candidates_reach(c, measure, target, &h);
        if (floor) {
            candidates_add(c, (candidates_step){.kind = CANDIDATES_CENTRE, .centre = centre, .floor = floor});
            c->best_known = false;
            return;
        }
    }
    candidates_sort_by(c, measure);
    c->length = candidates_reach_listed(c, measure, target) + 1;
    candidates_sort(c);
}

void candidates_drop_top(candidates *c, float part) {
    candidates_measure measure = {true, candidates_best(c), false, 0};
    candidates_sums sums = candidates_sum(c);
    uint64_t needed = (uint64_t)ceil((double)part * (double)sums.weight), last = 0, count = 0;
    for (uint32_t i = 0; i < (c->listed ? c->length : c->vocabulary); i++) {
        uint64_t key = c->listed ? c->list[i] : candidates_look(c, i);
        if (!key || candidates_weigh(measure, key) < needed) continue;
        count++;
        if (!last || key < last) last = key;
    }
    if (count < 2) return;
    if (c->listed) {
        uint32_t dropped = (uint32_t)count - 1;
        memmove(c->list, c->list + dropped, (c->length - dropped) * sizeof *c->list);
        c->length -= dropped;
        return;
    }
    candidates_add(c, (candidates_step){.kind = CANDIDATES_CEILING, .floor = last});
    c->best = candidates_value(last);
}

void candidates_aim_at(candidates *c, const candidates_aim *aim) {
    if (!c->listed) {
        candidates_add(c, (candidates_step){.kind = CANDIDATES_AIM, .aim = *aim});
        c->best_known = false;
        return;
    }
    for (uint32_t i = 0; i < c->length; i++)
        c->list[i] = candidates_key(candidates_aimed(aim, candidates_value(c->list[i])), candidates_id(c->list[i]));
    candidates_sort(c);
}

/* ---- figures ---- */

candidates_sums candidates_sum(candidates *c) {
    float best = candidates_best(c);
    candidates_sums sums = {0};
    for (uint32_t i = 0; i < (c->listed ? c->length : c->vocabulary); i++) {
        uint64_t key = c->listed ? c->list[i] : candidates_look(c, i);
        if (!key) continue;
        sums.count++;
        float below = candidates_value(key) - best;
        if (below < -28.0f) continue;
        float weight = math_expf(below) * CANDIDATES_UNITS;
        sums.weight += (uint64_t)weight;
        sums.surprise += (uint64_t)(weight * -below);
    }
    sums.log_total = math_log((double)sums.weight / CANDIDATES_UNITS);
    sums.entropy = sums.log_total + (double)sums.surprise / (double)sums.weight;
    return sums;
}

double candidates_deviation(candidates *c) {
    uint32_t places = c->listed ? c->length : c->vocabulary, count = 0;
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < places; i++) {
        uint64_t key = c->listed ? c->list[i] : candidates_look(c, i);
        if (!key) continue;
        sum += (double)candidates_value(key);
        count++;
    }
    double mean = sum / count;
    for (uint32_t i = 0; i < places; i++) {
        uint64_t key = c->listed ? c->list[i] : candidates_look(c, i);
        double d = key ? (double)candidates_value(key) - mean : 0;
        squares += d * d;
    }
    return sqrt(squares / count);
}

uint32_t candidates_peek(candidates *c, uint32_t count, const uint64_t **keys) {
    bool listed = c->listed;
    uint32_t length = c->length;
    if (!listed) candidates_keep_few(c, count);
    uint32_t found = c->length < count ? c->length : count;
    c->listed = listed;
    c->length = listed ? length : 0;
    *keys = c->list;
    return found;
}

bool candidates_find(const candidates *c, uint32_t id, float *value) {
    uint64_t key = c->listed || id >= c->vocabulary ? 0 : candidates_look(c, id);
    for (uint32_t i = 0; c->listed && !key && i < c->length; i++)
        if (candidates_id(c->list[i]) == id) key = c->list[i];
    if (key) *value = candidates_value(key);
    return key != 0;
}

/* floor(a * b / 2^64) */
static uint64_t candidates_scale(uint64_t a, uint64_t b) {
    uint64_t low = (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu), middle = (a >> 32) * (b & 0xFFFFFFFFu) + (low >> 32);
    uint64_t other = (a & 0xFFFFFFFFu) * (b >> 32) + (middle & 0xFFFFFFFFu);
    return (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);
}

int32_t candidates_pick(candidates *c, uint64_t draw) {
    candidates_measure measure = {true, candidates_best(c), false, 0};
    uint64_t total = 0, key = 0, target;
    if (!c->listed) {
        candidates_histogram h;
        total = candidates_total(c, measure, &h);
        target = candidates_scale(draw, total) + 1;
        key = candidates_reach(c, measure, target, &h);
    } else {
        total = candidates_listed_total(c, measure);
        target = candidates_scale(draw, total) + 1;
    }
    if (!key) key = c->list[candidates_reach_listed(c, measure, target)];
    c->surprise = math_log((double)total / CANDIDATES_UNITS) - (double)(candidates_value(key) - measure.best);
    return (int32_t)candidates_id(key);
}
