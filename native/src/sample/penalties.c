// SPDX-License-Identifier: Apache-2.0
#include "sample/penalties.h"

penalties *penalties_new(memory_account *account, const puna_stage *stage, uint32_t vocabulary) {
    penalties *p = memory_new(account, sizeof *p);
    if (!p) return NULL;
    p->repeat = stage->repeat;
    p->frequency = stage->frequency;
    p->presence = stage->presence;
    p->vocabulary = vocabulary;
    p->counts = memory_array(account, vocabulary, sizeof *p->counts);
    if (stage->window > 0) {
        p->window = (uint32_t)stage->window;
        p->ring = memory_array(account, p->window, sizeof *p->ring);
    }
    if (p->counts && (p->ring || stage->window < 0)) return p;
    penalties_free(account, p);
    return NULL;
}

void penalties_free(memory_account *account, penalties *p) {
    if (!p) return;
    memory_free(account, p->counts);
    memory_free(account, p->ring);
    memory_free(account, p);
}

void penalties_accept(penalties *p, int32_t id) {
    if (id < 0 || (uint32_t)id >= p->vocabulary) return;
    p->counts[id]++;
    if (!p->ring) return;
    if (p->filled == p->window) p->counts[p->ring[p->next]]--;
    else p->filled++;
    p->ring[p->next] = id;
    p->next = p->next + 1 == p->window ? 0 : p->next + 1;
}

float penalties_apply(const penalties *p, uint32_t id, float value) {
    uint32_t count = p->counts[id];
    if (count == 0) return value;
    value = penalties_finite(value > 0 ? value / p->repeat : value * p->repeat);
    return penalties_finite(value - ((float)count * p->frequency + p->presence));
}
