// SPDX-License-Identifier: Apache-2.0
#include "base/regex_set.h"

#include <stdlib.h>

bool regex_set_add(memory_account *account, regex_set *set, uint32_t first, uint32_t last) {
    if (set->count == set->capacity) {
        size_t capacity = set->capacity ? set->capacity * 2 : 8, bytes;
        if (!memory_multiply(capacity, sizeof *set->ranges, &bytes)) return false;
        unicode_range *ranges = memory_grow(account, set->ranges, bytes);
        if (!ranges) return false;
        set->ranges = ranges;
        set->capacity = capacity;
    }
    set->ranges[set->count++] = (unicode_range){first, last};
    return true;
}

bool regex_set_add_set(memory_account *account, regex_set *set, const regex_set *other) {
    for (size_t i = 0; i < other->count; i++) {
        if (!regex_set_add(account, set, other->ranges[i].first, other->ranges[i].last)) return false;
    }
    set->invalid |= other->invalid;
    return true;
}

bool regex_set_add_categories(memory_account *account, regex_set *set, uint32_t categories) {
    for (size_t i = 0; i < unicode_run_count; i++) {
        if (!(categories >> (unicode_runs[i] & 0xFF) & 1)) continue;
        uint32_t last = i + 1 < unicode_run_count ? (unicode_runs[i + 1] >> 8) - 1 : UNICODE_LAST;
        if (!regex_set_add(account, set, unicode_runs[i] >> 8, last)) return false;
    }
    return true;
}

static bool add_ranges(memory_account *account, regex_set *set, const unicode_range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!regex_set_add(account, set, ranges[i].first, ranges[i].last)) return false;
    }
    return true;
}

bool regex_set_add_spaces(memory_account *account, regex_set *set) {
    return add_ranges(account, set, unicode_spaces, unicode_space_count);
}

bool regex_set_add_han(memory_account *account, regex_set *set) {
    return add_ranges(account, set, unicode_han, unicode_han_count);
}

bool regex_set_negate(memory_account *account, regex_set *set) {
    regex_set result = {.invalid = !set->invalid};
    uint32_t next = 0; /* the first code point not looked at */
    regex_set_normalize(set);
    for (size_t i = 0; i < set->count; i++) {
        unicode_range range = set->ranges[i];
        if (range.first > next && !regex_set_add(account, &result, next, range.first - 1)) goto no_memory;
        next = range.last + 1;
    }
    if (next <= UNICODE_LAST && !regex_set_add(account, &result, next, UNICODE_LAST)) goto no_memory;
    regex_set_free(account, set);
    *set = result;
    return true;
no_memory:
    regex_set_free(account, &result);
    return false;
}

bool regex_set_add_cases(memory_account *account, regex_set *set) {
    regex_set_normalize(set);
    bool s = regex_set_has(set, 0x17F), k = regex_set_has(set, 0x212A);
    bool letters[26];
    for (uint32_t i = 0; i < 26; i++) {
        letters[i] = regex_set_has(set, 'a' + i) || regex_set_has(set, 'A' + i) || (i == 's' - 'a' && s)
            || (i == 'k' - 'a' && k);
    }
    for (uint32_t i = 0; i < 26; i++) {
        if (!letters[i]) continue;
        if (!regex_set_add(account, set, 'a' + i, 'a' + i) || !regex_set_add(account, set, 'A' + i, 'A' + i))
            return false;
    }
    if (letters['s' - 'a'] && !regex_set_add(account, set, 0x17F, 0x17F)) return false;
    if (letters['k' - 'a'] && !regex_set_add(account, set, 0x212A, 0x212A)) return false;
    return true;
}

static int by_first(const void *a, const void *b) {
    uint32_t left = ((const unicode_range *)a)->first, right = ((const unicode_range *)b)->first;
    return (left > right) - (left < right);
}

void regex_set_normalize(regex_set *set) {
    if (set->count < 2) return;
    qsort(set->ranges, set->count, sizeof *set->ranges, by_first);
    size_t kept = 0;
    for (size_t i = 1; i < set->count; i++) {
        unicode_range *last = &set->ranges[kept], range = set->ranges[i];
        if (range.first > last->last && range.first - last->last > 1) set->ranges[++kept] = range;
        else if (range.last > last->last) last->last = range.last;
    }
    set->count = kept + 1;
}

bool regex_set_equal(const regex_set *a, const regex_set *b) {
    if (a->count != b->count || a->invalid != b->invalid) return false;
    for (size_t i = 0; i < a->count; i++) {
        if (a->ranges[i].first != b->ranges[i].first || a->ranges[i].last != b->ranges[i].last) return false;
    }
    return true;
}

bool regex_set_has(const regex_set *set, uint32_t code_point) {
    for (size_t i = 0; i < set->count; i++) {
        if (code_point >= set->ranges[i].first && code_point <= set->ranges[i].last) return true;
    }
    return false;
}

void regex_set_free(memory_account *account, regex_set *set) {
    memory_free(account, set->ranges);
    *set = (regex_set){0};
}
