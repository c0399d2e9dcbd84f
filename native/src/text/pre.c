// SPDX-License-Identifier: Apache-2.0
#include "text/pre.h"

#include <string.h>

#include "base/utf8.h"

#define PRE_GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define PRE_LLAMA3(numbers) \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" numbers \
    "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

typedef struct pre_row {
    const char *name, *first, *second;
    bool whole_words, add_bos;
} pre_row;

static const pre_row rows[] = {
#define PRE(name, first, second, whole_words, add_bos) {name, first, second, whole_words, add_bos},
#include "text/pre.def"
#undef PRE
};

static const char supported[] =
#define PRE(name, first, second, whole_words, add_bos) " " name
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
                          "The file does not say how its vocabulary cuts words (%s). Convert the model again with a newer"
                          " converter.", key);
    }
    const pre_row *row = find_row(name);
    if (!row) {
        int shown = name.length < 64 ? (int)utf8_valid(name.data, (size_t)name.length) : 0;
        return gguf_error(file, error, PUNA_UNSUPPORTED, key, offset,
                          "The pre-tokenizer \"%.*s\" is not known; these are:%s.", shown, name.data, supported);
    }
    p->name = row->name;
    p->whole_words = row->whole_words;
    p->add_bos = row->add_bos;
    status = regex_compile(account, row->first, &p->first, error);
    if (status == PUNA_OK && row->second) status = regex_compile(account, row->second, &p->second, error);
    return status;
}

void pre_free(memory_account *account, pre *p) {
    regex_free(account, p->first);
    regex_free(account, p->second);
    *p = (pre){0};
}

/* What no pattern takes is a piece of one character. */
static size_t cut(const regex *pattern, const char *text, size_t length) {
    size_t used, matched = regex_match(pattern, text, length);
    if (matched) return matched;
    (void)utf8_decode(text, length, &used);
    return used;
}

size_t pre_next(const pre *p, pre_cutter *cutter, const char **word) {
    if (cutter->at == cutter->length) return 0;
    *word = cutter->text + cutter->at;
    if (!p->second) {
        size_t length = cut(p->first, *word, cutter->length - cutter->at);
        cutter->at += length;
        return length;
    }
    if (cutter->at == cutter->piece_end) cutter->piece_end += cut(p->first, *word, cutter->length - cutter->at);
    size_t length = cut(p->second, *word, cutter->piece_end - cutter->at);
    cutter->at += length;
    return length;
}
