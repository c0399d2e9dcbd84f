// SPDX-License-Identifier: Apache-2.0
/* The tables behind base/normalize.h; tools/make_unicode.py writes them. */
#ifndef PUNA_BASE_NORMALIZE_TABLE_H
#define PUNA_BASE_NORMALIZE_TABLE_H

#include "base/unicode.h"

typedef struct normalize_class { uint32_t first, last, class; } normalize_class; /* combining classes but 0 */
typedef struct normalize_pair { uint32_t character, first, second; } normalize_pair; /* second: 0 where there is none */

extern const normalize_class normalize_classes[]; /* ascending */
extern const size_t normalize_class_count;
extern const normalize_pair normalize_pairs[];    /* by character, ascending */
extern const size_t normalize_pair_count;
extern const uint16_t normalize_compositions[];   /* indices of pairs that compose, by first, then second */
extern const size_t normalize_composition_count;

/* Characters that may differ from what they become, or change what stands before them. All others may begin a text. */
extern const unicode_range normalize_unsure[];    /* ascending */
extern const size_t normalize_unsure_count;

#endif
