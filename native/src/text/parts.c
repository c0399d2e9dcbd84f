// SPDX-License-Identifier: Apache-2.0
/* Texts in parts: control tokens only where a trusted part spells one out by itself. */
#include <string.h>

#include "text/tokenizer_parts.h"

#define MAX_TEXT 0x7FFFFFFFu

typedef struct parts_work {
    const tokenizer *t;
    text_run *run;
    const char *text; /* all parts, one after the other */
    size_t plain;     /* where the text that is not yet encoded begins */
} parts_work;

static puna_status flush(parts_work *w, size_t end, puna_error *error) {
    if (end == w->plain) return PUNA_OK;
    puna_status status = text_encode(w->t, w->run, w->text + w->plain, end - w->plain, false, error);
    w->plain = end;
    return status;
}

/* Control tokens of the trusted part [begin, end); the plain text between them waits for the next one. */
static puna_status trusted(parts_work *w, size_t begin, size_t end, puna_error *error) {
    const vocabulary *v = &w->t->vocabulary;
    for (size_t at = begin; at < end;) {
        size_t matched;
        int32_t id = special_match(&w->t->special, v, w->text + at, end - at, true, &matched);
        if (id < 0) {
            at++;
        } else if (v->tokens[id].kind == PUNA_TOKEN_USER_DEFINED) {
            at += matched; /* plain text */
        } else {
            puna_status status = flush(w, at, error);
            if (status != PUNA_OK) return status;
            text_emit(w->run, id);
            w->plain = at += matched;
        }
    }
    return PUNA_OK;
}

static puna_status join(text_run *run, const puna_part *parts, size_t count, char **text, size_t *length,
                        puna_error *error) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].length > MAX_TEXT || total > MAX_TEXT - parts[i].length)
            return error_set(error, PUNA_INVALID_ARGUMENT, "parts",
                             "A text may have 2 GiB - 1 bytes; these have more.");
        total += (size_t)parts[i].length;
    }
    *text = memory_new(&run->account, total + 1);
    if (!*text) return error_memory(error, "a text", total + 1);
    *length = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].length) memcpy(*text + *length, parts[i].text, (size_t)parts[i].length);
        *length += (size_t)parts[i].length;
    }
    return PUNA_OK;
}

puna_status tokenizer_encode_parts(const tokenizer *t, const puna_part *parts, size_t part_count, int32_t *ids,
                                   size_t capacity, size_t *count, puna_error *error) {
    text_run run = {.ids = ids, .capacity = capacity, .last = -1};
    char *text = NULL;
    size_t length = 0, at = 0;
    memory_account_init(&run.account);
    puna_status status = join(&run, parts, part_count, &text, &length, error);
    parts_work w = {t, &run, text, 0};
    for (size_t i = 0; status == PUNA_OK && i < part_count; i++) {
        size_t end = at + (size_t)parts[i].length;
        if (parts[i].trusted) status = trusted(&w, at, end, error);
        at = end;
    }
    if (status == PUNA_OK) status = flush(&w, length, error);
    t->model->end(&run);
    memory_free(&run.account, text);
    if (status != PUNA_OK) return status;
    *count = run.count;
    return text_fits(&run, error);
}
