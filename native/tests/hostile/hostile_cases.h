// SPDX-License-Identifier: Apache-2.0
/* All lies, each with what has to be said about it. */
#ifndef PUNA_TESTS_HOSTILE_CASES_H
#define PUNA_TESTS_HOSTILE_CASES_H

#include "hostile/hostile_file.h"
#include "puna.h"

typedef struct hostile_case {
    char name[128];    /* tells what is wrong; also the name of its file */
    hostile_base base;
    hostile_lie lie;
    puna_status status;
    char field[80];    /* that the error's subject names; "": whichever is met first */
    const char *words; /* of the message, NULL: any */
    bool placeless;    /* something is missing: it has no offset */
} hostile_case;

int hostile_count(void);
const hostile_case *hostile_at(int index);

#endif
