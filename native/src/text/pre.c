// SPDX-License-Identifier: Apache-2.0
#include "text/pre.h"

#include <string.h>

#include "base/utf8.h"
#include "text/pre_rules.h"

enum { WHOLE = 1, BOS = 2, NFC = 4, EOS = 8 };

typedef struct pre_row {
    const char *name;
    const pre_rule *rule;
    unsigned flags;
} pre_row;

static const pre_row rows[] = {
#define PRE(name, rule, flags) {name, &rule, flags},
#include "text/pre.def"
#undef PRE
};

static const char supported[] =
#define PRE(name, rule, flags) " " name
#include "text/pre.def"
#undef PRE
    ;

static const pre_row *find_row(gguf_text name) {
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strlen(rows[i].name) == name.length && memcmp(rows[i].name, name.data, name.length) == 0) return &rows[i];
    }
    return NULL;
}

puna_status pre_load(memory_account *account, const gguf_file *file, pre *p, puna_error *error) {
    const char *key = "tokenizer.ggml.pre";
    gguf_text name;
    puna_status status = gguf_get_text(file, key, &name, error);
    if (status != PUNA_OK) return status;
    const gguf_value *value = gguf_find(file, key);
    uint64_t offset = value ? value->offset : PUNA_NO_OFFSET;
    if (name.length == 0) {
        return gguf_error(file, error, PUNA_UNSUPPORTED, key, offset,
                          "The file does not say how its vocabulary cuts words (%s). Convert the model again with a "
                          "newer converter.", key);
    }
    const pre_row *row = find_row(name);
    if (!row) {
        int shown = name.length < 64 ? (int)utf8_valid(name.data, (size_t)name.length) : 0;
        return gguf_error(file, error, PUNA_UNSUPPORTED, key, offset,
                          "The pre-tokenizer \"%.*s\" is not known; these are:%s.", shown, name.data, supported);
    }
    p->name = row->name;
    p->rule = row->rule;
    p->whole_words = row->flags & WHOLE;
    p->add_bos = row->flags & BOS;
    p->add_eos = row->flags & EOS;
    p->nfc = row->flags & NFC;
    while (status == PUNA_OK && p->step_count < PRE_STEPS && p->rule->steps[p->step_count].pattern) {
        const char *pattern = p->rule->steps[p->step_count].pattern;
        status = regex_compile(account, pattern, &p->patterns[p->step_count], error);
        if (status == PUNA_OK) p->step_count++;
    }
    return status;
}

void pre_free(memory_account *account, pre *p) {
    for (size_t i = 0; i < PRE_STEPS; i++) regex_free(account, p->patterns[i]);
    *p = (pre){0};
}
