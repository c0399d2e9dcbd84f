// SPDX-License-Identifier: Apache-2.0
/* Tiny encoder-decoders with transformers' answers (tests/data/text_to_text, recorded by tools/make_tiny_t5.py). */
#ifndef PUNA_T5_H
#define PUNA_T5_H

#include "api/bed.h"

#define T5_VOCABULARY 384
#define T5_LONGEST 200 /* of sources */
#define T5_ANSWER 160
#define T5_CASES 5
#define T5_NEW 24

typedef struct t5_case {
    int32_t source[T5_LONGEST], ids[T5_ANSWER], greedy[T5_NEW + 1];
    double means[T5_ANSWER], middle[T5_VOCABULARY], last[T5_VOCABULARY];
    size_t length, count, answered;
} t5_case;

extern t5_case t5_cases[T5_CASES];

/* Fills t5_cases from NAME.golden. False (and a failed test) if something fails. */
bool t5_read(const char *name);

/* Searches that were recorded of each case; their keys are those of transformers' arguments. */
typedef struct t5_recorded {
    const char *key;
    uint32_t width;
    float penalty;
    uint32_t early;
} t5_recorded;

#define T5_SEARCHES 8
extern const t5_recorded t5_searches[T5_SEARCHES];

puna_generation t5_search(uint32_t width, float penalty, uint32_t early);

/* As bed_open, of NAME.gguf. */
bool t5_open(bed *b, const char *name, const puna_engine_options *options);

#endif
