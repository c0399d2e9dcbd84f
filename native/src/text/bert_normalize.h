// SPDX-License-Identifier: Apache-2.0
/*
 * BERT's normalizer and the cutting into words behind it, as the package tokenizers has them (BertNormalizer,
 * BertPreTokenizer): control characters are dropped, Chinese characters stand apart, accents are dropped and letters
 * made small where the vocabulary was trained so. Bytes that are not UTF-8 are dropped. Linear time.
 */
#ifndef PUNA_TEXT_BERT_NORMALIZE_H
#define PUNA_TEXT_BERT_NORMALIZE_H

#include "base/memory.h"

typedef struct bert_options { bool lowercase, strip_accents; } bert_options;

/* New memory of the account, to be freed by the caller; false where memory ran out. */
bool bert_normalize(memory_account *account, const bert_options *options, const char *text, size_t length,
                    char **result, size_t *result_length);

/* The next word of a normalized text at or behind *at, which moves behind it: its bytes; 0 at the end. */
size_t bert_word(const char *text, size_t length, size_t *at, const char **word);

#endif
