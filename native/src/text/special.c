// SPDX-License-Identifier: Apache-2.0
#include "text/special.h"

#include <string.h>

/* Matching walks at most this far from each byte of a text: the bound of its time. */
#define MAX_SPELLING 1024u

/* Spellings by which models end a turn or a message, whatever their metadata says; the first group also names the end
   of turn where metadata doesn't, the earlier the more certain. */
static const char *const turn_ends[] = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<end_of_utterance>", "<EOT>",
    "_<EOT>", "[EOT]", "<turn|>",
};
static const char *const other_ends[] = {
    "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>", "[EOS]", "<eos>", "<\xEF\xBD\x9C" "end\xE2\x96\x81of"
    "\xE2\x96\x81sentence\xEF\xBD\x9C>",
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* -1 (also as an unsigned number) means none; anything else has to be a token. */
static puna_status read_id(const gguf_file *file, const vocabulary *v, const char *key, int32_t *id,
                           puna_error *error) {
    const gguf_value *value = gguf_find(file, key);
    int64_t number;
    *id = -1;
    if (!value) return PUNA_OK;
    if (value->type == PUNA_ARRAY || value->type == PUNA_BOOL || !gguf_integer(file, value, 0, &number)) {
        return gguf_error(file, error, PUNA_INVALID_FILE, key, value->offset, "%s is not an integer.", key);
    }
    if (number == -1 || number == UINT32_MAX) return PUNA_OK;
    if (number < 0 || number >= v->size) {
        return gguf_error(file, error, PUNA_INVALID_FILE, key, value->offset,
                          "%s is %lld, but the vocabulary has only the ids 0 to %d.", key, (long long)number,
                              v->size - 1);
    }
    *id = (int32_t)number;
    return PUNA_OK;
}

static puna_status read_ids(const gguf_file *file, const vocabulary *v, special *s, puna_error *error) {
    const struct { const char *key; int32_t *id; } fields[] = {
        {"tokenizer.ggml.bos_token_id", &s->bos}, {"tokenizer.ggml.eos_token_id", &s->eos},
        {"tokenizer.ggml.eot_token_id", &s->eot}, {"tokenizer.ggml.eom_token_id", &s->eom},
        {"tokenizer.ggml.padding_token_id", &s->pad}, {"tokenizer.ggml.unknown_token_id", &s->unknown},
        {"tokenizer.ggml.cls_token_id", &s->cls}, {"tokenizer.ggml.seperator_token_id", &s->separator}, /* so spelled */
        {"tokenizer.ggml.mask_token_id", &s->mask},
    };
    for (size_t i = 0; i < COUNT(fields); i++) {
        puna_status status = read_id(file, v, fields[i].key, fields[i].id, error);
        if (status != PUNA_OK) return status;
    }
    return PUNA_OK;
}

/* A token that ends a turn is no text: where a converter forgot to say so it becomes a control token. */
static int32_t mark_end(vocabulary *v, const char *spelling) {
    int32_t id = vocabulary_find(v, spelling, strlen(spelling));
    if (id < 0) return -1;
    v->tokens[id].kind = PUNA_TOKEN_CONTROL;
    v->tokens[id].bytes_length = 0;
    v->tokens[id].ends_generation = true;
    return id;
}

static void mark_ends(vocabulary *v, special *s) {
    for (size_t i = 0; i < COUNT(turn_ends); i++) {
        int32_t id = mark_end(v, turn_ends[i]);
        if (id >= 0 && s->eot < 0) s->eot = id;
    }
    for (size_t i = 0; i < COUNT(other_ends); i++) (void)mark_end(v, other_ends[i]);
    /* HTML's end of a struck text in Gemma, the end of a text elsewhere: there a control token says so */
    int32_t html = vocabulary_find(v, "</s>", 4);
    if (html >= 0 && v->tokens[html].kind == PUNA_TOKEN_CONTROL) v->tokens[html].ends_generation = true;
    if (s->eos >= 0) v->tokens[s->eos].ends_generation = true;
    if (s->eot >= 0) v->tokens[s->eot].ends_generation = true;
    if (s->eom >= 0) v->tokens[s->eom].ends_generation = true;
}

static bool is_special(const vocabulary_token *token) {
    return token->text_length > 0 && (token->kind == PUNA_TOKEN_CONTROL || token->kind == PUNA_TOKEN_UNKNOWN
        || token->kind == PUNA_TOKEN_USER_DEFINED);
}

puna_status special_load(memory_account *account, const gguf_file *file, vocabulary *v, special *s, puna_error *error) {
    const char *key = "tokenizer.ggml.tokens";
    size_t bytes = 0;
    puna_status status = read_ids(file, v, s, error);
    if (status != PUNA_OK) return status;
    mark_ends(v, s);
    for (int32_t id = 0; id < v->size; id++) {
        if (!is_special(&v->tokens[id])) continue;
        bytes += v->tokens[id].text_length;
        if (v->tokens[id].text_length > MAX_SPELLING || bytes > (size_t)1 << 23) {
            return gguf_error(file, error, PUNA_UNSUPPORTED, key, gguf_find(file, key)->offset,
                              "Token %d, a special one, is too long: one may have 1024 bytes, all together 8 MiB.", id);
        }
    }
    if (!trie_create(account, bytes, &s->spellings)) return error_memory(error, "special tokens", (bytes + 1) * 12);
    for (int32_t id = 0; id < v->size; id++) {
        if (is_special(&v->tokens[id])) trie_add(&s->spellings, vocabulary_text(v, id), v->tokens[id].text_length, id);
    }
    return PUNA_OK;
}

void special_free(memory_account *account, special *s) { trie_free(account, &s->spellings); }

int32_t special_match(const special *s, const vocabulary *v, const char *text, size_t length, bool control,
                      size_t *matched) {
    int32_t found = -1;
    uint32_t node = 0;
    for (size_t i = 0; i < length; i++) {
        node = trie_next(&s->spellings, node, (uint8_t)text[i]);
        if (node == 0) break;
        int32_t id = s->spellings.values[node];
        if (id < 0 || (!control && v->tokens[id].kind != PUNA_TOKEN_USER_DEFINED)) continue;
        found = id;
        *matched = i + 1;
    }
    return found;
}
