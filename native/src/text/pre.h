// SPDX-License-Identifier: Apache-2.0
/*
 * Pre-tokenizers: a text cut into words, each of which is merged by itself. The table is text/pre.def, the ways of
 * cutting are text/pre_rules.h.
 *
 * A rule is a list of steps. Each one cuts the pieces of the one before as if they were texts of their own.
 *
 * Invariant of cutting: the words, in order and without gaps, are the text; a word is never empty. Linear time.
 */
#ifndef PUNA_TEXT_PRE_H
#define PUNA_TEXT_PRE_H

#include "base/regex.h"
#include "format/gguf.h"

#define PRE_STEPS 6

typedef enum pre_way {
    PRE_CUT,               /* what the pattern matches is a piece, and so is what lies between two matches */
    PRE_CUT_BYTES,         /* the same, where each byte is a character (regex_match_bytes) */
    PRE_CUT_BLANKS,        /* the same, in pieces that end in a space which is no line end; others stay whole */
    PRE_CUT_THREES,        /* a piece that the pattern matches whole is cut in threes from its end */
    /* in runs that match, cut before each character that has 2, 5, 8, ... of the run behind it */
    PRE_CUT_BEFORE_THREES
} pre_way;

typedef struct pre_step {
    pre_way way;
    const char *pattern; /* NULL behind the last step; of the last two ways: a run of one class */
} pre_step;

typedef struct pre_rule { pre_step steps[PRE_STEPS]; } pre_rule;

typedef struct pre {
    const char *name; /* of the table, static */
    const pre_rule *rule;
    regex *patterns[PRE_STEPS];
    size_t step_count;
    bool whole_words, add_bos, add_eos, nfc;
} pre;

/* Finds tokenizer.ggml.pre in the table. Errors: PUNA_UNSUPPORTED with the names that there are; memory. */
puna_status pre_load(memory_account *account, const gguf_file *file, pre *p, puna_error *error);
void pre_free(memory_account *account, pre *p);

typedef struct pre_cutter {
    const char *text;
    size_t length, at;
    size_t ends[PRE_STEPS]; /* of each step's piece */
    size_t run_end;         /* of the run that is being cut in threes */
} pre_cutter;

/* The next word: its beginning in the text and its length; 0 at the end. Set text and length, zero all else first. */
size_t pre_next(const pre *p, pre_cutter *cutter, const char **word);

#endif
