// SPDX-License-Identifier: Apache-2.0
/*
 * What fuzz targets share. A target is one file, fuzz_SUBJECT.c, with the one function below: it takes any bytes, hands
 * them to a reader of the core, and checks what the reader promises. The preset `fuzz` links it with libFuzzer; every
 * other build links it with replay.c, which runs the inputs kept in corpus/SUBJECT, so that they stay tests.
 *
 * A broken promise ends the process: that is how a fuzzer is told.
 */
#ifndef PUNA_FUZZ_H
#define PUNA_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "puna.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Inputs are read from the front: what a target needs to decide, then the text. */
typedef struct fuzz_input {
    const uint8_t *at;
    size_t left;
} fuzz_input;

uint8_t fuzz_byte(fuzz_input *in);  /* 0 at the end */
uint32_t fuzz_u16(fuzz_input *in);
/* At most `limit` bytes, fewer where the input ends. */
const char *fuzz_take(fuzz_input *in, size_t limit, size_t *length);

/* Allocation number `countdown` from now fails, and all behind it; 0: none does. At the end fuzz_no_faults. */
void fuzz_fail_after(uint32_t countdown);
void fuzz_no_faults(void);
bool fuzz_failed(void); /* one did */

/* The vocabulary of tests/data/NAME, loaded once and kept. */
const puna_tokenizer *fuzz_vocabulary(const char *name);

/* Writes the bytes to a file of this process, and gives its path. */
const char *fuzz_file(const uint8_t *bytes, size_t count);

/* A status that says nothing, an error without a sentence, text in it that is no UTF-8. */
void fuzz_check_error(puna_status status, const puna_error *error);

void fuzz_broken(const char *file, int line, const char *what);
#define FUZZ_CHECK(condition) \
    do { \
        if (!(condition)) fuzz_broken(__FILE__, __LINE__, #condition); \
    } while (0)

#endif
