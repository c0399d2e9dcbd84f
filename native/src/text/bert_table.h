// SPDX-License-Identifier: Apache-2.0
/* How BERT's normalizer takes each code point; tools/make_bert_table.py writes the tables. */
#ifndef PUNA_TEXT_BERT_TABLE_H
#define PUNA_TEXT_BERT_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum {
    BERT_DROPPED = 1,     /* control characters and the like */
    BERT_SPACE = 2,       /* becomes a space */
    BERT_BLANK = 4,       /* stands between words */
    BERT_PUNCTUATION = 8, /* is a word by itself */
    BERT_MARK = 16,       /* an accent: dropped where those are */
    BERT_HAN = 32         /* gets a space to each side */
};

/* Characters first, first + step, ... last become `delta` more. */
typedef struct bert_lower { uint32_t first, last, step; int32_t delta; } bert_lower;

extern const uint32_t bert_runs[]; /* the run's first code point << 8 | its bits; ascending, the first is 0 */
extern const size_t bert_run_count;
extern const bert_lower bert_lowers[]; /* ascending; U+0130, which becomes two characters, is not in it */
extern const size_t bert_lower_count;

#endif
