// SPDX-License-Identifier: Apache-2.0
#include "text/unigram.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "text/spm_pieces.h"

#define SCORES "tokenizer.ggml.scores"
#define PENALTY 10.0f
#define MOST_BYTES 1024u /* of a piece: a bound of its time */

static puna_status read_scores(memory_account *account, const gguf_file *file, unigram *u, puna_error *error) {
    const gguf_value *scores = gguf_find(file, SCORES);
    size_t size = (size_t)u->vocabulary->size;
    float least = FLT_MAX;
    if (!scores || scores->type != PUNA_ARRAY || scores->element_type != PUNA_FLOAT32 || scores->count != size)
        return vocabulary_wrong(file, scores, SCORES, error, "is not a float32 for each token");
    u->scores = memory_array(account, size, sizeof *u->scores);
    if (!u->scores) return error_memory(error, "a vocabulary's scores", size * sizeof *u->scores);
    for (size_t id = 0; id < size; id++) {
        double score;
        if (!gguf_real(file, scores, id, &score)) return vocabulary_wrong(file, scores, SCORES, error, "can't be read");
        if (!isfinite(score))
            return gguf_error(file, error, PUNA_INVALID_FILE, SCORES, scores->offset,
                              "The vocabulary can't be used: the score of token %zu is not a finite number.", id);
        u->scores[id] = (float)score;
        if (u->vocabulary->tokens[id].kind != PUNA_TOKEN_NORMAL) continue;
        if (u->scores[id] < least) least = u->scores[id];
    }
    u->unknown_score = (least == FLT_MAX ? 0 : least) - PENALTY;
    return PUNA_OK;
}

static bool is_piece(const vocabulary_token *t) {
    return t->text_length && (t->kind == PUNA_TOKEN_NORMAL || t->kind == PUNA_TOKEN_USER_DEFINED);
}

static bool holds_space(const char *text, size_t length) {
    for (size_t i = 1; i + 3 <= length; i++)
        if (memcmp(text + i, SPM_SPACE, 3) == 0) return true;
    return false;
}

static void read_bytes(unigram *u) {
    size_t found = 0;
    for (size_t i = 0; i < 256; i++) u->byte_ids[i] = -1;
    for (int32_t id = 0; id < u->vocabulary->size; id++) {
        const vocabulary_token *t = &u->vocabulary->tokens[id];
        int byte = t->kind == PUNA_TOKEN_BYTE ? spm_byte(vocabulary_text(u->vocabulary, id), t->text_length) : -1;
        if (byte < 0 || u->byte_ids[byte] >= 0) continue;
        u->byte_ids[byte] = id;
        found++;
    }
    u->has_bytes = found == 256;
}

puna_status unigram_load(memory_account *account, const gguf_file *file, const vocabulary *v, int32_t unknown,
                         unigram *u, puna_error *error) {
    size_t bytes = 0, defined = 0;
    u->vocabulary = v;
    u->unknown = unknown;
    puna_status status = read_scores(account, file, u, error);
    if (status != PUNA_OK) return status;
    read_bytes(u);
    for (int32_t id = 0; id < v->size; id++) {
        const vocabulary_token *t = &v->tokens[id];
        if (!is_piece(t)) continue;
        if (t->text_length > MOST_BYTES)
            return vocabulary_wrong(file, gguf_find(file, "tokenizer.ggml.tokens"), "tokenizer.ggml.tokens", error,
                                    "has a piece of more than 1024 bytes");
        bytes += t->text_length;
        u->crosses |= holds_space(vocabulary_text(v, id), t->text_length);
        if (t->kind != PUNA_TOKEN_USER_DEFINED) continue;
        defined += t->text_length;
        u->any_user_defined = true;
    }
    if (bytes > (size_t)1 << 23)
        return vocabulary_wrong(file, gguf_find(file, "tokenizer.ggml.tokens"), "tokenizer.ggml.tokens", error,
                                "its pieces have more than 8 MiB");
    if (!trie_create(account, bytes, &u->pieces) || !trie_create(account, defined, &u->user_defined))
        return error_memory(error, "a tokenizer", bytes * 12);
    for (int32_t id = 0; id < v->size; id++) {
        const vocabulary_token *t = &v->tokens[id];
        if (!is_piece(t)) continue;
        trie_add(&u->pieces, vocabulary_text(v, id), t->text_length, id);
        if (t->kind == PUNA_TOKEN_USER_DEFINED)
            trie_add(&u->user_defined, vocabulary_text(v, id), t->text_length, id);
    }
    return PUNA_OK;
}

void unigram_free(memory_account *account, unigram *u) {
    memory_free(account, u->scores);
    trie_free(account, &u->pieces);
    trie_free(account, &u->user_defined);
}

static void offer(unigram_node *to, float score, int32_t id, size_t from) {
    if (to->from != UINT32_MAX && score <= to->score) return;
    *to = (unigram_node){score, id, (uint32_t)from};
}

/* A user-defined piece is worth more than what it could be cut into, as sentencepiece 0.2.3 has it. */
static float score_of(const unigram *u, int32_t id) {
    const vocabulary_token *t = &u->vocabulary->tokens[id];
    return t->kind == PUNA_TOKEN_USER_DEFINED ? (float)(t->text_length - 1) * 0.1f : u->scores[id];
}

bool unigram_cut(const unigram *u, memory_account *account, unigram_scratch *s, const char *text, size_t length) {
    if (length + 1 > s->capacity) {
        size_t bytes, capacity = (length + 1) * 2;
        unigram_node *nodes = memory_multiply(capacity, sizeof *nodes, &bytes)
                                  ? memory_grow(account, s->nodes, bytes) : NULL;
        if (!nodes) return false;
        s->nodes = nodes;
        s->capacity = capacity;
    }
    for (size_t i = 0; i <= length; i++) s->nodes[i] = (unigram_node){0, -1, UINT32_MAX};
    s->nodes[0] = (unigram_node){s->score, -1, 0};
    for (size_t at = 0, used; at < length; at += used) {
        float here = s->nodes[at].score;
        bool single = false;
        uint32_t node = 0;
        (void)spm_character(text + at, length - at, &used);
        for (size_t i = at; i < length; i++) {
            node = trie_next(&u->pieces, node, (uint8_t)text[i]);
            if (node == 0) break;
            int32_t id = u->pieces.values[node];
            if (id < 0) continue;
            offer(&s->nodes[i + 1], score_of(u, id) + here, id, at);
            single |= i + 1 - at == used;
        }
        if (!single) offer(&s->nodes[at + used], u->unknown_score + here, -1, at);
    }
    s->score = s->nodes[length].score;
    return true;
}
