// SPDX-License-Identifier: Apache-2.0
#include "text/vocabulary.h"

#include <string.h>

#define TOKENS "tokenizer.ggml.tokens"
#define TYPES "tokenizer.ggml.token_type"
#define MAX_TOKENS (1u << 28)
#define MAX_TOKEN_BYTES (1u << 20)

static uint32_t hash_text(const char *text, size_t length) {
    uint64_t hash = 0xCBF29CE484222325u ^ length;
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001B3u;
    return (uint32_t)(hash ^ hash >> 32);
}

int32_t vocabulary_find(const vocabulary *v, const char *text, size_t length) {
    for (uint32_t slot = hash_text(text, length) & v->slot_mask;; slot = (slot + 1) & v->slot_mask) {
        int32_t id = v->slots[slot] - 1;
        if (id < 0) return -1;
        if (v->tokens[id].text_length == length && memcmp(vocabulary_text(v, id), text, length) == 0) return id;
    }
}

puna_status vocabulary_wrong(const gguf_file *file, const gguf_value *value, const char *key, puna_error *error,
                             const char *what) {
    return gguf_error(file, error, PUNA_INVALID_FILE, key, value ? value->offset : PUNA_NO_OFFSET,
                      "The vocabulary can't be used: %s %s. The file is damaged or was converted wrongly.", key, what);
}

/* Both arrays, checked against each other; *types is NULL where the file has none. */
static puna_status find_arrays(const gguf_file *file, const gguf_value **tokens, const gguf_value **types,
                               puna_error *error) {
    *tokens = gguf_find(file, TOKENS);
    *types = gguf_find(file, TYPES);
    if (!*tokens) return vocabulary_wrong(file, NULL, TOKENS, error, "is missing");
    if ((*tokens)->type != PUNA_ARRAY || (*tokens)->element_type != PUNA_STRING) {
        return vocabulary_wrong(file, *tokens, TOKENS, error, "is not an array of strings");
    }
    if ((*tokens)->count == 0) return vocabulary_wrong(file, *tokens, TOKENS, error, "is empty");
    if ((*tokens)->count > MAX_TOKENS)
        return vocabulary_wrong(file, *tokens, TOKENS, error, "has more than 2^28 elements");
    if (!*types) return PUNA_OK;
    if ((*types)->type != PUNA_ARRAY || (*types)->element_type == PUNA_STRING) {
        return vocabulary_wrong(file, *types, TYPES, error, "is not an array of integers");
    }
    if ((*types)->count != (*tokens)->count)
        return vocabulary_wrong(file, *types, TYPES, error, "has not one element for each token");
    return PUNA_OK;
}

/* Lengths, kinds and the pools' sizes. */
static puna_status measure(const gguf_file *file, const gguf_value *tokens, const gguf_value *types, vocabulary *v,
                           uint64_t *total, puna_error *error) {
    *total = 0;
    for (int32_t id = 0; id < v->size; id++) {
        gguf_text text;
        int64_t kind = PUNA_TOKEN_NORMAL;
        if (!gguf_string(file, tokens, (uint64_t)id, &text))
            return vocabulary_wrong(file, tokens, TOKENS, error, "can't be read");
        if (text.length > MAX_TOKEN_BYTES)
            return vocabulary_wrong(file, tokens, TOKENS, error, "has a token above 1 MiB");
        if (types && !gguf_integer(file, types, (uint64_t)id, &kind)) {
            return vocabulary_wrong(file, types, TYPES, error, "is not an array of integers");
        }
        if (kind < PUNA_TOKEN_NORMAL || kind > PUNA_TOKEN_BYTE) {
            return vocabulary_wrong(file, types, TYPES, error, "has a kind that is none of 1 to 6");
        }
        v->tokens[id].text = *total;
        v->tokens[id].text_length = (uint32_t)text.length;
        v->tokens[id].kind = (uint8_t)kind;
        *total += text.length;
    }
    return PUNA_OK;
}

static puna_status copy_texts(const gguf_file *file, const gguf_value *tokens, vocabulary *v, vocabulary_decode decode,
                              puna_error *error) {
    uint64_t written = 0;
    for (int32_t id = 0; id < v->size; id++) {
        vocabulary_token *token = &v->tokens[id];
        gguf_text text;
        if (!gguf_string(file, tokens, (uint64_t)id, &text))
            return vocabulary_wrong(file, tokens, TOKENS, error, "can't be read");
        if (text.length) memcpy(v->texts + token->text, text.data, text.length);
        token->bytes = written;
        token->bytes_length = (uint32_t)decode(token->kind, v->texts + token->text, token->text_length,
                                               v->bytes + written);
        written += token->bytes_length;
        token->ends_generation = false;
    }
    return PUNA_OK;
}

static puna_status index_texts(const gguf_file *file, const gguf_value *tokens, vocabulary *v, puna_error *error) {
    for (int32_t id = 0; id < v->size; id++) {
        const vocabulary_token *token = &v->tokens[id];
        if (token->text_length == 0) continue;
        uint32_t slot = hash_text(vocabulary_text(v, id), token->text_length) & v->slot_mask;
        for (; v->slots[slot]; slot = (slot + 1) & v->slot_mask) {
            int32_t other = v->slots[slot] - 1;
            if (v->tokens[other].text_length == token->text_length
                && memcmp(vocabulary_text(v, other), vocabulary_text(v, id), token->text_length) == 0) {
                return gguf_error(file, error, PUNA_INVALID_FILE, TOKENS, tokens->offset,
                                  "The vocabulary can't be used: tokens %d and %d have the same spelling.", other, id);
            }
        }
        v->slots[slot] = id + 1;
    }
    return PUNA_OK;
}

puna_status vocabulary_load(memory_account *account, const gguf_file *file, vocabulary_decode decode, vocabulary *v,
                            puna_error *error) {
    const gguf_value *tokens, *types;
    uint64_t total;
    uint32_t slots = 4;
    puna_status status = find_arrays(file, &tokens, &types, error);
    if (status != PUNA_OK) return status;
    v->size = (int32_t)tokens->count;
    while (slots < 2 * (uint32_t)v->size) slots *= 2;
    v->slot_mask = slots - 1;
    v->tokens = memory_array(account, (size_t)v->size, sizeof *v->tokens);
    v->slots = memory_array(account, slots, sizeof *v->slots);
    if (!v->tokens || !v->slots) return error_memory(error, "a vocabulary", (uint64_t)v->size * sizeof *v->tokens);
    if ((status = measure(file, tokens, types, v, &total, error)) != PUNA_OK) return status;
    v->texts = memory_new(account, total);
    v->bytes = memory_new(account, total);
    if (!v->texts || !v->bytes) return error_memory(error, "a vocabulary", total);
    if ((status = copy_texts(file, tokens, v, decode, error)) != PUNA_OK) return status;
    return index_texts(file, tokens, v, error);
}

void vocabulary_free(memory_account *account, vocabulary *v) {
    memory_free(account, v->tokens);
    memory_free(account, v->slots);
    memory_free(account, v->texts);
    memory_free(account, v->bytes);
    *v = (vocabulary){0};
}
