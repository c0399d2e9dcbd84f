// SPDX-License-Identifier: Apache-2.0
#include "sample/additions.h"

#include <math.h>
#include <string.h>

#include "sample/penalties.h"

additions *additions_new(memory_account *account, uint32_t vocabulary, uint32_t capacity) {
    additions *a = memory_new(account, sizeof *a);
    if (!a) return NULL;
    a->vocabulary = vocabulary;
    a->capacity = capacity;
    a->bits = memory_array(account, ((size_t)vocabulary + 63) / 64, sizeof *a->bits);
    a->list = memory_array(account, capacity, sizeof *a->list);
    if (a->bits && a->list) return a;
    additions_free(account, a);
    return NULL;
}

void additions_free(memory_account *account, additions *a) {
    if (!a) return;
    memory_free(account, a->bits);
    memory_free(account, a->list);
    memory_free(account, a);
}

void additions_clear(additions *a) {
    for (uint32_t i = 0; i < a->count; i++) a->bits[a->list[i].id / 64] = 0;
    a->count = 0;
}

void additions_put(additions *a, int32_t id, float amount) {
    if (id < 0 || (uint32_t)id >= a->vocabulary || a->count == a->capacity) return;
    a->bits[id / 64] |= 1ull << (id % 64);
    a->list[a->count++] = (puna_bias){id, amount};
}

/* Shell's method, with Ciura's gaps. */
void additions_close(additions *a) {
    static const uint32_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        for (uint32_t i = gaps[g]; i < a->count; i++) {
            puna_bias moved = a->list[i];
            uint32_t j = i;
            for (; j >= gaps[g] && a->list[j - gaps[g]].id > moved.id; j -= gaps[g]) a->list[j] = a->list[j - gaps[g]];
            a->list[j] = moved;
        }
    }
}

float additions_apply_listed(const additions *a, uint32_t id, float value) {
    uint32_t low = 0, high = a->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if ((uint32_t)a->list[middle].id <= id) low = middle;
        else high = middle;
    }
    float amount = a->list[low].value;
    return amount == -INFINITY ? amount : penalties_finite(value + amount);
}
