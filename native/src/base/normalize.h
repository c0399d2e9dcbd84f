// SPDX-License-Identifier: Apache-2.0
/*
 * Normalization form C (letters and their marks composed), as the tokenizers' own library does it: by the tables of
 * Unicode 9.0, so that characters of later versions stay as they are. Linear time. Bytes that are not UTF-8 stay, and
 * nothing composes over them.
 */
#ifndef PUNA_BASE_NORMALIZE_H
#define PUNA_BASE_NORMALIZE_H

#include "base/memory.h"

/* *result: NULL where the text is in form C already; otherwise new memory of the account, to be freed by the caller.
   False where memory ran out. */
bool normalize_nfc(memory_account *account, const char *text, size_t length, char **result, size_t *result_length);

/* Form D (taken apart), likewise: *result is always new memory. */
bool normalize_nfd(memory_account *account, const char *text, size_t length, char **result, size_t *result_length);

#endif
