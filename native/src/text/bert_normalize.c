// SPDX-License-Identifier: Apache-2.0
#include "text/bert_normalize.h"

#include <string.h>

#include "base/normalize.h"
#include "base/utf8.h"
#include "text/bert_table.h"

static uint32_t bits_of(uint32_t character) {
    size_t low = 0, high = bert_run_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (bert_runs[middle] >> 8 <= character) low = middle;
        else high = middle;
    }
    return bert_runs[low] & 0xFF;
}

static uint32_t lower_of(uint32_t character) {
    size_t low = 0, high = bert_lower_count;
    if (character < 0x80) return character - 'A' < 26 ? character + 32 : character;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (bert_lowers[middle].last < character) low = middle + 1;
        else high = middle;
    }
    if (low == bert_lower_count || bert_lowers[low].first > character) return character;
    const bert_lower *l = &bert_lowers[low];
    return (character - l->first) % l->step ? character : (uint32_t)((int32_t)character + l->delta);
}

/* A character grows to 5 bytes at most here: a space to each side of one of 3 (or of 4: 6, which took 4). */
static size_t clean(const char *text, size_t length, char *out) {
    size_t used, written = 0;
    for (size_t at = 0; at < length; at += used) {
        uint32_t character = utf8_decode(text + at, length - at, &used);
        uint32_t bits = character == UTF8_INVALID ? BERT_DROPPED : bits_of(character);
        if (bits & BERT_DROPPED) continue;
        if (bits & BERT_SPACE) {
            out[written++] = ' ';
            continue;
        }
        if (bits & BERT_HAN) out[written++] = ' ';
        memcpy(out + written, text + at, used);
        written += used;
        if (bits & BERT_HAN) out[written++] = ' ';
    }
    return written;
}

/* A lower-case letter may be longer by a byte (U+023A, U+023E: 2 to 3); U+0130 becomes i and U+0307: 2 to 3. */
static size_t soften(const bert_options *o, const char *text, size_t length, char *out) {
    size_t used, written = 0;
    for (size_t at = 0; at < length; at += used) {
        uint32_t character = utf8_decode(text + at, length - at, &used);
        if (o->strip_accents && character >= 0x80 && bits_of(character) & BERT_MARK) continue;
        if (o->lowercase && character == 0x130) {
            memcpy(out + written, "i\xCC\x87", 3);
            written += 3;
        } else if (o->lowercase) {
            written += utf8_encode(lower_of(character), out + written);
        } else {
            memcpy(out + written, text + at, used);
            written += used;
        }
    }
    return written;
}

bool bert_normalize(memory_account *account, const bert_options *options, const char *text, size_t length,
                    char **result, size_t *result_length) {
    size_t room, cleaned, apart_length;
    char *apart = NULL, *first = memory_multiply(length, 2, &room) ? memory_new(account, room + 8) : NULL;
    *result = NULL;
    if (!first) return false;
    cleaned = apart_length = clean(text, length, first);
    bool done = !options->strip_accents || normalize_nfd(account, first, cleaned, &apart, &apart_length);
    const char *from = apart ? apart : first;
    if (done && memory_multiply(apart_length, 2, &room)) *result = memory_new(account, room + 8);
    if (*result) *result_length = soften(options, from, apart_length, *result);
    memory_free(account, first);
    memory_free(account, apart);
    return *result != NULL;
}

size_t bert_word(const char *text, size_t length, size_t *at, const char **word) {
    size_t used, begin = *at;
    for (; begin < length; begin += used)
        if (!(bits_of(utf8_decode(text + begin, length - begin, &used)) & BERT_BLANK)) break;
    size_t end = begin;
    for (; end < length; end += used) {
        uint32_t bits = bits_of(utf8_decode(text + end, length - end, &used));
        if (bits & BERT_BLANK) break;
        if (!(bits & BERT_PUNCTUATION)) continue;
        if (end == begin) end += used;
        break;
    }
    *word = text + begin;
    *at = end;
    return end - begin;
}
