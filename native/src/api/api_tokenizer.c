// SPDX-License-Identifier: Apache-2.0
/* puna.h, part 4: tokenizers. Arguments are checked here, text/ does the rest. */
#include "api/api_structs.h"
#include "text/tokenizer.h"

static puna_status tokenizer_refuse(puna_error *error, const char *argument, const char *reason) {
    return error_set(error, PUNA_INVALID_ARGUMENT, argument, "%s %s.", argument, reason);
}

puna_status puna_tokenizer_load(const puna_file *file, puna_tokenizer **out, puna_error *error) {
    if (!out) return tokenizer_refuse(error, "tokenizer", "is NULL; a place for the handle is needed");
    *out = NULL;
    if (!file) return tokenizer_refuse(error, "file", "is NULL; an open file is needed");
    return tokenizer_load(file, out, error);
}

void puna_tokenizer_close(puna_tokenizer *t) { tokenizer_free(t); }

void puna_tokenizer_describe(const puna_tokenizer *t, puna_tokenizer_info *info) {
    puna_tokenizer_info filled = {.bos = -1, .eos = -1, .eot = -1, .pad = -1, .unknown = -1,
                                  .separator = -1, .mask = -1};
    if (!info) return;
    if (t) tokenizer_describe(t, &filled);
    structs_give(info, &filled, sizeof filled);
}

puna_status puna_tokenizer_token(const puna_tokenizer *t, int32_t id, puna_token *token, puna_error *error) {
    puna_token filled = {0};
    if (!t) return tokenizer_refuse(error, "tokenizer", "is NULL");
    if (!token) return tokenizer_refuse(error, "token", "is NULL");
    puna_status status = tokenizer_token(t, id, &filled, error);
    if (status == PUNA_OK) structs_give(token, &filled, sizeof filled);
    return status;
}

static puna_status tokenizer_check_flags(uint32_t flags, uint32_t known, puna_error *error) {
    if ((flags & ~known) == 0) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "flags", "flags is 0x%x, which has bits that mean nothing here.",
                     flags);
}

puna_status puna_tokenize(const puna_tokenizer *t, const char *text, uint64_t length, uint32_t flags, int32_t *ids,
                          uint64_t capacity, uint64_t *count, puna_error *error) {
    size_t found = 0;
    if (!t) return tokenizer_refuse(error, "tokenizer", "is NULL");
    if (!text && length) return tokenizer_refuse(error, "text", "is NULL, but length is not 0");
    if (!ids && capacity) return tokenizer_refuse(error, "ids", "is NULL, but capacity is not 0");
    if (!count) return tokenizer_refuse(error, "count", "is NULL");
    if (length > SIZE_MAX || capacity > SIZE_MAX)
        return tokenizer_refuse(error, "length", "is more than memory can hold");
    puna_status status = tokenizer_check_flags(flags, PUNA_TOKENIZE_SPECIAL | PUNA_TOKENIZE_AFFIXES, error);
    if (status != PUNA_OK) return status;
    status = tokenizer_encode(t, text ? text : "", (size_t)length, flags, ids, (size_t)capacity, &found, error);
    if (status == PUNA_OK || status == PUNA_BUFFER_TOO_SMALL) *count = found;
    return status;
}

puna_status puna_tokenize_parts(const puna_tokenizer *t, const puna_part *parts, uint64_t part_count, int32_t *ids,
                                uint64_t capacity, uint64_t *count, puna_error *error) {
    size_t found = 0;
    if (!t) return tokenizer_refuse(error, "tokenizer", "is NULL");
    if (!parts && part_count) return tokenizer_refuse(error, "parts", "is NULL, but part_count is not 0");
    if (!ids && capacity) return tokenizer_refuse(error, "ids", "is NULL, but capacity is not 0");
    if (!count) return tokenizer_refuse(error, "count", "is NULL");
    if (part_count > SIZE_MAX / sizeof *parts || capacity > SIZE_MAX) {
        return tokenizer_refuse(error, "part_count", "is more than memory can hold");
    }
    for (uint64_t i = 0; i < part_count; i++)
        if (!parts[i].text && parts[i].length) return tokenizer_refuse(error, "parts", "has a text that is NULL");
    puna_status status = tokenizer_encode_parts(t, parts, (size_t)part_count, ids, (size_t)capacity, &found, error);
    if (status == PUNA_OK || status == PUNA_BUFFER_TOO_SMALL) *count = found;
    return status;
}

puna_status puna_detokenize(const puna_tokenizer *t, const int32_t *ids, uint64_t count, uint32_t flags, char *text,
                            uint64_t capacity, uint64_t *length, puna_error *error) {
    size_t found = 0;
    if (!t) return tokenizer_refuse(error, "tokenizer", "is NULL");
    if (!ids && count) return tokenizer_refuse(error, "ids", "is NULL, but count is not 0");
    if (!text && capacity) return tokenizer_refuse(error, "text", "is NULL, but capacity is not 0");
    if (!length) return tokenizer_refuse(error, "length", "is NULL");
    if (count > SIZE_MAX / sizeof *ids || capacity > SIZE_MAX) {
        return tokenizer_refuse(error, "count", "is more than memory can hold");
    }
    puna_status status = tokenizer_check_flags(flags, PUNA_TOKENIZE_SPECIAL, error);
    if (status != PUNA_OK) return status;
    status = tokenizer_decode(t, ids, (size_t)count, flags, text, (size_t)capacity, &found, error);
    if (status == PUNA_OK || status == PUNA_BUFFER_TOO_SMALL) *length = found;
    return status;
}

puna_status puna_tokenize_pair(const puna_tokenizer *t, const puna_text *first, const puna_text *second, uint32_t flags,
                               int32_t *ids, uint32_t *types, uint64_t capacity, uint64_t *count, puna_error *error) {
    size_t found = 0;
    if (!t) return tokenizer_refuse(error, "tokenizer", "is NULL");
    if (!first || (!first->text && first->length)) return tokenizer_refuse(error, "first", "is NULL");
    if (second && !second->text && second->length) return tokenizer_refuse(error, "second", "is NULL");
    if (!count) return tokenizer_refuse(error, "count", "is NULL");
    if (!ids && capacity) return tokenizer_refuse(error, "ids", "is NULL, but capacity is not 0");
    puna_status status = tokenizer_check_flags(flags, PUNA_TOKENIZE_SPECIAL, error);
    if (status != PUNA_OK) return status;
    status = tokenizer_encode_pair(t, first, second, flags, ids, types, (size_t)capacity, &found, error);
    if (status == PUNA_OK || status == PUNA_BUFFER_TOO_SMALL) *count = found;
    return status;
}
