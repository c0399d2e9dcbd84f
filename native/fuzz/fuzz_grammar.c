// SPDX-License-Identifier: Apache-2.0
/*
 * Grammars: [failing allocation][vocabulary][choices: n bytes, n][grammar] 0 [text].
 *
 * A grammar compiles or is refused; what it matches is a prefix of the text; tokens that a mask allows are accepted,
 * and their bytes are what grammar_match allows, too; with tables so small that they are cleared all the time masks are
 * the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "constrain/grammar.h"
#include "fuzz.h"

enum { WORDS = 64, TEXT = 4096 };

static int32_t pick(const uint64_t *bits, uint32_t choice) {
    uint32_t count = 0;
    for (uint32_t w = 0; w < WORDS; w++) count += (uint32_t)__builtin_popcountll(bits[w]);
    if (count == 0) return -1;
    choice %= count;
    for (uint32_t id = 0; id < WORDS * 64; id++)
        if (bits[id / 64] >> (id % 64) & 1 && choice-- == 0) return (int32_t)id;
    return -1;
}

static void walk(grammar *g, const puna_tokenizer *t, const char *choices, size_t count) {
    char text[TEXT];
    size_t length = 0;
    matcher *m = NULL, *again = NULL;
    puna_error error = PUNA_ERROR_INIT;
    FUZZ_CHECK(matcher_create(g, t, &m, &error) == PUNA_OK);
    FUZZ_CHECK(matcher_create(g, t, &again, &error) == PUNA_OK);
    for (size_t i = 0; i < count; i++) {
        uint64_t bits[WORDS] = {0}, same[WORDS] = {0};
        puna_status status = matcher_allow(m, true, bits, WORDS, &error);
        fuzz_check_error(status, &error);
        if (status != PUNA_OK) break;
        grammar_bound(g, 4096);
        FUZZ_CHECK(matcher_allow(again, true, same, WORDS, &error) == PUNA_OK);
        grammar_bound(g, GRAMMAR_TABLE_BYTES);
        FUZZ_CHECK(memcmp(bits, same, sizeof bits) == 0);
        int32_t id = pick(bits, (uint8_t)choices[i]);
        if (id < 0) break;
        bool ends = tokenizer_ends_generation(t, id);
        FUZZ_CHECK(!ends || matcher_whole(m));
        status = matcher_accept(m, t, id, &error);
        if (status != PUNA_OK) {
            FUZZ_CHECK(status == PUNA_UNSUPPORTED || status == PUNA_OUT_OF_MEMORY); /* too ambiguous */
            break;
        }
        FUZZ_CHECK(matcher_accept(again, t, id, &error) == PUNA_OK);
        size_t bytes;
        const char *piece = tokenizer_bytes(t, id, &bytes);
        if (ends || length + bytes > sizeof text) break;
        memcpy(text + length, piece, bytes);
        length += bytes;
        size_t matched;
        bool whole;
        FUZZ_CHECK(grammar_match(g, text, length, &matched, &whole, &error) == PUNA_OK);
        FUZZ_CHECK(matched == length);
        FUZZ_CHECK(whole == matcher_whole(m));
    }
    matcher_free(m);
    matcher_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const names[] = {"tokenizer/spm.gguf", "tokenizer/smollm.gguf", "tokenizer/spm-bare.gguf"};
    fuzz_input in = {data, size};
    uint32_t fail = fuzz_byte(&in), name = fuzz_byte(&in) % 3;
    size_t chosen, left;
    const char *choices = fuzz_take(&in, fuzz_byte(&in) % 32u, &chosen);
    const char *source = fuzz_take(&in, 1 << 13, &left);
    const char *end = left ? memchr(source, 0, left) : NULL;
    size_t length = end ? (size_t)(end - source) : left;
    const char *text = end ? end + 1 : "";
    size_t text_length = end ? left - length - 1 : 0;

    const puna_tokenizer *t = fuzz_vocabulary(names[name]);
    FUZZ_CHECK(tokenizer_size(t) <= WORDS * 64);
    puna_error error = PUNA_ERROR_INIT;
    grammar *g = NULL;
    fuzz_fail_after(fail < 200 ? 0 : fail - 199);
    puna_status status = grammar_compile(t, source, length, &g, &error);
    if (status == PUNA_OK && fail >= 200) {
        size_t matched;
        bool whole;
        status = grammar_match(g, text, text_length, &matched, &whole, &error);
    }
    fuzz_no_faults();
    fuzz_check_error(status, &error);
    FUZZ_CHECK(status == PUNA_OK || status == PUNA_INVALID_ARGUMENT || status == PUNA_UNSUPPORTED
               || status == PUNA_OUT_OF_MEMORY);
    FUZZ_CHECK(status != PUNA_OUT_OF_MEMORY || fuzz_failed());
    if (status == PUNA_INVALID_ARGUMENT && error.offset != PUNA_NO_OFFSET) FUZZ_CHECK(error.offset <= length);
    if (g) {
        size_t matched = 0;
        bool whole = false;
        status = grammar_match(g, text, text_length, &matched, &whole, &error);
        FUZZ_CHECK(status == PUNA_OK || status == PUNA_UNSUPPORTED);
        if (status == PUNA_OK) {
            FUZZ_CHECK(matched <= text_length && (!whole || matched == text_length));
            walk(g, t, choices, chosen);
        }
        FUZZ_CHECK(grammar_memory(g) < (uint64_t)256 << 20);
    }
    grammar_release(g);
    return 0;
}
