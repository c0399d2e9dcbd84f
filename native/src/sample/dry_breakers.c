// SPDX-License-Identifier: Apache-2.0
#include "sample/dry_breakers.h"

#include <string.h>

struct dry_breakers {
    sampler_model model;
    uint32_t count;
    uint32_t lengths[PUNA_MAX_BREAKERS];
    char texts[PUNA_MAX_BREAKERS][PUNA_MAX_BREAKER_BYTES];
    uint32_t longest;
    uint32_t filled;
    char tail[PUNA_MAX_BREAKER_BYTES * 2];
};

static puna_status dry_breakers_check(const puna_generation *g, puna_error *error) {
    if (g->breaker_count > PUNA_MAX_BREAKERS)
        return error_set(error, PUNA_INVALID_ARGUMENT, "breaker_count", "breaker_count is %u; at most %u are allowed",
                         g->breaker_count, PUNA_MAX_BREAKERS);
    for (uint32_t i = 0; i < g->breaker_count; i++) {
        if (g->breakers[i].text && g->breakers[i].length >= 1 && g->breakers[i].length <= PUNA_MAX_BREAKER_BYTES)
            continue;
        return error_set(error, PUNA_INVALID_ARGUMENT, "breakers", "breaker %u has %llu bytes; 1 to %u are needed", i,
                         (unsigned long long)(g->breakers[i].text ? g->breakers[i].length : 0),
                         PUNA_MAX_BREAKER_BYTES);
    }
    return PUNA_OK;
}

puna_status dry_breakers_create(memory_account *account, const puna_generation *g, const sampler_model *model,
                                dry_breakers **out, puna_error *error) {
    puna_status status = dry_breakers_check(g, error);
    if (status != PUNA_OK || g->breaker_count == 0 || !model->spell) return status;
    dry_breakers *b = memory_new(account, sizeof *b);
    if (!b) return error_memory(error, "a sampler's breakers", sizeof *b);
    b->model = *model;
    b->count = g->breaker_count;
    for (uint32_t i = 0; i < b->count; i++) {
        b->lengths[i] = (uint32_t)g->breakers[i].length;
        memcpy(b->texts[i], g->breakers[i].text, b->lengths[i]);
        if (b->lengths[i] > b->longest) b->longest = b->lengths[i];
    }
    *out = b;
    return PUNA_OK;
}

void dry_breakers_free(memory_account *account, dry_breakers *b) { memory_free(account, b); }

static bool dry_breakers_end(const dry_breakers *b) {
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t length = b->lengths[i];
        if (b->filled >= length && memcmp(b->tail + b->filled - length, b->texts[i], length) == 0) return true;
    }
    return false;
}

bool dry_breakers_accept(dry_breakers *b, int32_t id) {
    size_t length = 0;
    bool found = false;
    if (!b) return false;
    const char *text = b->model.spell(b->model.tokenizer, id, &length);
    for (size_t i = 0; i < length; i++) {
        if (b->filled == sizeof b->tail) {
            memmove(b->tail, b->tail + b->filled - (b->longest - 1), b->longest - 1);
            b->filled = b->longest - 1;
        }
        b->tail[b->filled++] = text[i];
        found = dry_breakers_end(b) || found;
    }
    return found;
}
