// SPDX-License-Identifier: Apache-2.0
/*
 * Sets of characters: code points, and perhaps the bytes that are not UTF-8, which are one character of their own.
 * Negated sets hold those bytes, others don't.
 *
 * Invariant after regex_set_normalize: ranges are ascending, disjoint and not adjacent. Adding breaks it, the functions
 * that need it restore it. Functions return false where memory runs out; the set stays valid and is to be freed.
 */
#ifndef PUNA_BASE_REGEX_SET_H
#define PUNA_BASE_REGEX_SET_H

#include "base/memory.h"
#include "base/unicode.h"

typedef struct regex_set {
    unicode_range *ranges;
    size_t count, capacity;
    bool invalid; /* holds the bytes that are not UTF-8 */
} regex_set;

bool regex_set_add(memory_account *account, regex_set *set, uint32_t first, uint32_t last);
bool regex_set_add_set(memory_account *account, regex_set *set, const regex_set *other);
bool regex_set_add_categories(memory_account *account, regex_set *set, uint32_t categories);
bool regex_set_add_spaces(memory_account *account, regex_set *set);
bool regex_set_add_han(memory_account *account, regex_set *set); /* the script Han */
bool regex_set_negate(memory_account *account, regex_set *set);

/* Adds the other case of ASCII letters, and the two characters outside ASCII that fold to one (U+017F, U+212A). */
bool regex_set_add_cases(memory_account *account, regex_set *set);

void regex_set_normalize(regex_set *set);
bool regex_set_equal(const regex_set *a, const regex_set *b); /* both normalized */
bool regex_set_has(const regex_set *set, uint32_t code_point);
void regex_set_free(memory_account *account, regex_set *set); /* leaves it empty */

#endif
