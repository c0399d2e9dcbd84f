// SPDX-License-Identifier: Apache-2.0
/* Random grammars, and the plainest possible answer to what they allow: backtracking over their syntax trees. */
#ifndef PUNA_TESTS_CONSTRAIN_REFERENCE_H
#define PUNA_TESTS_CONSTRAIN_REFERENCE_H

#include "testing.h"

enum { REFERENCE_RULES = 3, REFERENCE_EXPRESSIONS = 200 };

typedef enum reference_kind { REFERENCE_TEXT, REFERENCE_CLASS, REFERENCE_SEQUENCE, REFERENCE_CHOICE, REFERENCE_REPEAT,
                              REFERENCE_CALL } reference_kind;

typedef struct reference_expression {
    reference_kind kind;
    uint32_t text[3], count;    /* characters; of a class its ranges' ends, two by two */
    bool negated;
    int part[3];                /* expressions */
    uint32_t parts, rule;
    uint32_t least, most;       /* most 99: no limit */
} reference_expression;

typedef struct reference {
    reference_expression expressions[REFERENCE_EXPRESSIONS];
    int used, root[REFERENCE_RULES];
} reference;

extern const uint32_t reference_alphabet[];
extern const size_t reference_letters;

void reference_random(reference *r);
void reference_print(const reference *r, char *text, size_t capacity); /* as GBNF */

typedef struct reference_answer { bool begins, whole; } reference_answer;

/* Is the text the beginning of one that the grammar allows; is it one? (Where every expression can end.) Gives up after
   `limit` moves: false. */
bool reference_ask(const reference *r, const uint32_t *text, size_t length, long limit, reference_answer *answer);

#endif
