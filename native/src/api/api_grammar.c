// SPDX-License-Identifier: Apache-2.0
/* puna.h, part 4: grammars. Arguments are checked here, constrain/ does the rest. */
#include "api/api_enter.h"

puna_status puna_grammar_compile(const puna_tokenizer *t, const char *text, uint64_t length, puna_grammar **out,
                                 puna_error *error) {
    if (!out) return api_missing(error, "grammar");
    *out = NULL;
    if (!t) return api_missing(error, "tokenizer");
    if (!text && length) return api_missing(error, "text");
    return grammar_compile(t, text ? text : "", (size_t)length, out, error);
}

puna_status puna_grammar_match(puna_grammar *g, const char *text, uint64_t length, uint64_t *matched, int32_t *whole,
                               puna_error *error) {
    size_t count;
    bool all;
    if (!g) return api_missing(error, "grammar");
    if (!text && length) return api_missing(error, "text");
    if (!matched || !whole) return api_missing(error, matched ? "whole" : "matched");
    puna_status status = grammar_match(g, text, (size_t)length, &count, &all, error);
    if (status != PUNA_OK) return status;
    *matched = count;
    *whole = all;
    return PUNA_OK;
}

void puna_grammar_close(puna_grammar *g) { grammar_release(g); }
