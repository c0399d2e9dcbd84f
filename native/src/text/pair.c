// SPDX-License-Identifier: Apache-2.0
/* Texts as encoders read them: framed by control tokens, one or two of them, with token types. */
#include <string.h>

#include "text/tokenizer_parts.h"

/* Behind the first of two texts RoBERTa has its end of text twice; BERT's kin have one [SEP]. */
static bool doubles(const tokenizer *t, int32_t id) {
    return t->vocabulary.tokens[id].text_length == 4 && memcmp(vocabulary_text(&t->vocabulary, id), "</s>", 4) == 0;
}

static puna_status add(const tokenizer *t, text_run *run, const puna_text *text, uint32_t flags, puna_error *error) {
    if (text->length > 0x7FFFFFFF)
        return error_set(error, PUNA_INVALID_ARGUMENT, "length", "A text may have 2 GiB - 1 bytes.");
    return text_encode(t, run, text->text, (size_t)text->length, flags & PUNA_TOKENIZE_SPECIAL, error);
}

puna_status tokenizer_encode_pair(const tokenizer *t, const puna_text *first, const puna_text *second, uint32_t flags,
                                  int32_t *ids, uint32_t *types, size_t capacity, size_t *count, puna_error *error) {
    text_run run = {.ids = ids, .capacity = capacity, .last = -1};
    int32_t end = t->special.separator >= 0 && !t->add_eos ? t->special.separator : t->special.eos;
    bool closes = t->add_eos || t->special.separator >= 0;
    memory_account_init(&run.account);
    if (t->add_bos) text_emit(&run, t->special.bos);
    puna_status status = add(t, &run, first, flags, error);
    if (closes && end >= 0) text_emit(&run, end);
    size_t border = run.count;
    if (status == PUNA_OK && second) {
        if (closes && end >= 0 && doubles(t, end)) text_emit(&run, end);
        border = run.count;
        status = add(t, &run, second, flags, error);
        if (closes && end >= 0) text_emit(&run, end);
    }
    t->model->end(&run);
    if (status != PUNA_OK) return status;
    *count = run.count;
    bool typed = t->model == &wordpiece_model;
    for (size_t i = 0; types && i < run.count && i < capacity; i++) types[i] = typed && i >= border ? 1 : 0;
    return text_fits(&run, error);
}
