// SPDX-License-Identifier: Apache-2.0
#include "sample/candidates.h"

#include "sample/candidates_search.h"

void candidates_begin(candidates *c, const float *logits, uint32_t vocabulary, float best) {
    c->logits = logits;
    c->vocabulary = vocabulary;
    c->steps = 0;
    c->best_known = true;
    c->best = best;
    c->listed = false;
    c->length = 0;
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
    if (count >= candidates_places(c)) return;
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
    for (uint32_t i = 0; i < candidates_places(c); i++) {
        uint64_t key = candidates_at(c, i);
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
