// SPDX-License-Identifier: Apache-2.0
/*
 * General categories and White_Space of every code point, of the Unicode version that unicode_version names: the one
 * by which the tokenizers' own libraries cut words (see tools/make_unicode.py). A code point that this version does
 * not assign is in the category Cn, hence no letter, digit or space.
 *
 * Held as runs of equal category: about 4,100 of them, 16 KB; a look-up is a binary search. Automata (base/regex.h)
 * read the runs once and make tables of their own.
 */
#ifndef PUNA_BASE_UNICODE_H
#define PUNA_BASE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNICODE_LAST 0x10FFFFu

/* In the table's order. */
typedef enum unicode_category {
    UNICODE_CN, UNICODE_LU, UNICODE_LL, UNICODE_LT, UNICODE_LM, UNICODE_LO, UNICODE_MN, UNICODE_MC, UNICODE_ME,
    UNICODE_ND, UNICODE_NL, UNICODE_NO, UNICODE_PC, UNICODE_PD, UNICODE_PS, UNICODE_PE, UNICODE_PI, UNICODE_PF,
    UNICODE_PO, UNICODE_SM, UNICODE_SC, UNICODE_SK, UNICODE_SO, UNICODE_ZS, UNICODE_ZL, UNICODE_ZP, UNICODE_CC,
    UNICODE_CF, UNICODE_CS, UNICODE_CO, UNICODE_CATEGORIES
} unicode_category;

typedef struct unicode_range { uint32_t first, last; } unicode_range;

extern const char unicode_version[];
extern const uint32_t unicode_runs[]; /* the run's first code point << 8 | its category; ascending, the first is 0 */
extern const size_t unicode_run_count;
extern const unicode_range unicode_spaces[]; /* ascending */
extern const size_t unicode_space_count;
extern const unicode_range unicode_han[]; /* the script Han, ascending */
extern const size_t unicode_han_count;

/* Cn for anything beyond UNICODE_LAST. */
unicode_category unicode_category_of(uint32_t code_point);
bool unicode_is_space(uint32_t code_point);

/* The categories that a name stands for, one bit each: "L" (all letters), "Lu", ... 0 if there is none of the name. */
uint32_t unicode_categories_named(const char *name, size_t length);

#endif
