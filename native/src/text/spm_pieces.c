// SPDX-License-Identifier: Apache-2.0
#include "text/spm_pieces.h"

#include <math.h>
#include <string.h>

#define SCORES "tokenizer.ggml.scores"
#define TYPES "tokenizer.ggml.token_type"
#define TOKENS "tokenizer.ggml.tokens"
#define MAX_USER_DEFINED ((size_t)1 << 23) /* bytes of all of them */
/* bytes of an unused piece that is looked at closely: a bound of loading's time */
#define MAX_UNUSED 64u

static bool is_piece(const vocabulary_token *token) {
    return token->text_length > 0 && (token->kind == PUNA_TOKEN_NORMAL || token->kind == PUNA_TOKEN_USER_DEFINED
        || token->kind == PUNA_TOKEN_UNUSED);
}

int32_t spm_find(const spm *s, const char *text, size_t length) {
    int32_t id = vocabulary_find(s->vocabulary, text, length);
    if (id >= 0) return is_piece(&s->vocabulary->tokens[id]) ? id : SPM_NONE;
    if (!s->spaced) return SPM_NONE;
    uint32_t node = 0;
    for (size_t i = 0; i < length; i++) {
        node = trie_next(&s->user_defined, node, (uint8_t)text[i]);
        if (node == 0) return SPM_NONE;
    }
    return s->user_defined.values[node];
}

size_t spm_token_bytes(uint8_t kind, const char *text, size_t length, char *bytes) {
    size_t written = 0;
    int byte = kind == PUNA_TOKEN_BYTE ? spm_byte(text, length) : -1;
    if (kind == PUNA_TOKEN_CONTROL || kind == PUNA_TOKEN_UNKNOWN) return 0;
    if (byte >= 0) {
        bytes[0] = (char)(unsigned char)byte;
        return 1;
    }
    for (size_t at = 0; at < length; written++) {
        bool space = length - at >= 3 && memcmp(text + at, SPM_SPACE, 3) == 0;
        bytes[written] = space ? ' ' : text[at];
        at += space ? 3 : 1;
    }
    return written;
}

/* ---- Scores ---- */

/* Unsigned numbers in the order of the scores, the highest first. */
static uint32_t order_of(float score) {
    uint32_t bits;
    if (score == 0) score = 0; /* both zeros are equal */
    memcpy(&bits, &score, sizeof bits);
    return bits >> 31 ? bits : ~(bits | 0x80000000u);
}

static puna_status read_scores(memory_account *account, const gguf_file *file, spm *s, puna_error *error) {
    const gguf_value *scores = gguf_find(file, SCORES);
    size_t size = (size_t)s->vocabulary->size;
    if (!scores) return vocabulary_wrong(file, NULL, SCORES, error, "is missing");
    if (scores->type != PUNA_ARRAY || scores->element_type != PUNA_FLOAT32) {
        return vocabulary_wrong(file, scores, SCORES, error, "is not an array of float32");
    }
    if (scores->count != size)
        return vocabulary_wrong(file, scores, SCORES, error, "has not one element for each token");
    s->order = memory_array(account, size, sizeof *s->order);
    if (!s->order) return error_memory(error, "a vocabulary's scores", size * sizeof *s->order);
    for (size_t id = 0; id < size; id++) {
        double score;
        if (!gguf_real(file, scores, id, &score)) return vocabulary_wrong(file, scores, SCORES, error, "can't be read");
        if (isnan(score)) {
            return gguf_error(file, error, PUNA_INVALID_FILE, SCORES, scores->offset,
                              "The vocabulary can't be used: the score of token %zu is not a number.", id);
        }
        s->order[id] = order_of((float)score);
    }
    return PUNA_OK;
}

/* ---- User-defined tokens ---- */

/* A spelling as it stands in normalized text; out: 3 * length. */
static size_t normalized(const char *text, size_t length, char *out) {
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == ' ') {
            memcpy(out + written, SPM_SPACE, 3);
            written += 3;
        } else {
            out[written++] = text[i];
        }
    }
    return written;
}

static size_t count_spaces(const char *text, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++) count += text[i] == ' ';
    return count;
}

static puna_status add_user_defined(memory_account *account, const gguf_file *file, spm *s, puna_error *error) {
    const vocabulary *v = s->vocabulary;
    size_t total = 0, longest = 0;
    for (int32_t id = 0; id < v->size; id++) {
        if (v->tokens[id].kind != PUNA_TOKEN_USER_DEFINED || v->tokens[id].text_length == 0) continue;
        size_t spaces = count_spaces(vocabulary_text(v, id), v->tokens[id].text_length);
        size_t length = v->tokens[id].text_length + 2 * spaces;
        s->any_user_defined = true;
        s->spaced = s->spaced || spaces;
        if (length > longest) longest = length;
        total += length;
        if (total > MAX_USER_DEFINED) {
            return gguf_error(file, error, PUNA_UNSUPPORTED, TOKENS, gguf_find(file, TOKENS)->offset,
                              "The user-defined tokens are too long: all together may have 8 MiB.");
        }
    }
    char *spelling = memory_new(account, longest);
    bool made = spelling && trie_create(account, total, &s->user_defined);
    for (int32_t id = 0; made && id < v->size; id++) {
        if (v->tokens[id].kind != PUNA_TOKEN_USER_DEFINED || v->tokens[id].text_length == 0) continue;
        size_t length = normalized(vocabulary_text(v, id), v->tokens[id].text_length, spelling);
        trie_add(&s->user_defined, spelling, length, id);
    }
    memory_free(account, spelling);
    return made ? PUNA_OK : error_memory(error, "user-defined tokens", (total + 1) * 12);
}

/* ---- Which characters are neighbours ---- */

static size_t piece_length(const vocabulary *v, int32_t id) {
    size_t length = v->tokens[id].text_length;
    if (v->tokens[id].kind == PUNA_TOKEN_USER_DEFINED) length += 2 * count_spaces(vocabulary_text(v, id), length);
    return length;
}

static void add_neighbours(spm *s, int32_t id) {
    const vocabulary_token *token = &s->vocabulary->tokens[id];
    const char *text = vocabulary_text(s->vocabulary, id);
    uint32_t left = 0;
    size_t used;
    for (size_t at = 0; at < token->text_length; at += used) {
        uint32_t right = spm_character(text + at, token->text_length - at, &used);
        if (right == ' ' && token->kind == PUNA_TOKEN_USER_DEFINED) right = 0x2581;
        uint32_t slot = spm_neighbour_slot(s, left, right);
        if (at) s->neighbours[slot / 64] |= (uint64_t)1 << (slot % 64);
        left = right;
    }
}

static puna_status find_neighbours(memory_account *account, spm *s, puna_error *error) {
    const vocabulary *v = s->vocabulary;
    uint64_t bytes = 0;
    uint32_t bits = 1u << 12;
    for (int32_t id = 0; id < v->size; id++) {
        if (!is_piece(&v->tokens[id])) continue;
        size_t length = piece_length(v, id);
        if (length > s->longest) s->longest = length;
        bytes += length;
    }
    while (bits < 8 * bytes && bits < 1u << 22) bits *= 2;
    s->neighbour_mask = bits - 1;
    s->neighbours = memory_array(account, bits / 64, sizeof *s->neighbours);
    if (!s->neighbours) return error_memory(error, "a vocabulary", bits / 8);
    for (int32_t id = 0; id < v->size; id++) {
        if (is_piece(&v->tokens[id])) add_neighbours(s, id);
    }
    return PUNA_OK;
}

/* ---- Unused pieces ---- */

static bool is_symbol(const spm *s, const char *text, size_t length) {
    size_t used;
    (void)spm_character(text, length, &used);
    return used == length || spm_find(s, text, length) >= 0;
}

/* Whether two symbols can make it. */
static bool can_be_made(const spm *s, int32_t id) {
    const char *text = vocabulary_text(s->vocabulary, id);
    size_t length = s->vocabulary->tokens[id].text_length, at;
    if (length > MAX_UNUSED) return true;
    if (length == 0) return false;
    (void)spm_character(text, length, &at);
    for (size_t used; at < length; at += used) {
        if (is_symbol(s, text, at) && is_symbol(s, text + at, length - at)) return true;
        (void)spm_character(text + at, length - at, &used);
    }
    return false;
}

/* ---- All of it ---- */

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int spm_byte(const char *text, size_t length) {
    if (length != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>' || hex(text[3]) < 0 || hex(text[4]) < 0) return -1;
    return hex(text[3]) << 4 | hex(text[4]);
}

static void find_bytes(spm *s) {
    const vocabulary *v = s->vocabulary;
    for (int byte = 0; byte < 256; byte++) s->byte_ids[byte] = s->unknown;
    for (int32_t id = v->size; id-- > 0;) {
        if (v->tokens[id].kind != PUNA_TOKEN_BYTE) continue;
        int byte = spm_byte(vocabulary_text(v, id), v->tokens[id].text_length);
        if (byte < 0) continue;
        s->byte_ids[byte] = id;
        s->has_bytes = true;
    }
}

puna_status spm_load(memory_account *account, const gguf_file *file, const vocabulary *v, int32_t unknown, spm *s,
                     puna_error *error) {
    s->vocabulary = v;
    s->unknown = unknown;
    if (!gguf_find(file, TYPES)) return vocabulary_wrong(file, NULL, TYPES, error, "is missing");
    puna_status status = read_scores(account, file, s, error);
    if (status == PUNA_OK) status = add_user_defined(account, file, s, error);
    if (status == PUNA_OK) status = find_neighbours(account, s, error);
    if (status != PUNA_OK) return status;
    find_bytes(s);
    for (int c = 0; c < 128; c++) {
        char text = (char)c;
        s->ascii[c] = spm_find(s, &text, 1);
    }
    for (int32_t id = 0; id < v->size && !s->restores; id++) {
        s->restores = v->tokens[id].kind == PUNA_TOKEN_UNUSED && can_be_made(s, id);
    }
    return PUNA_OK;
}

void spm_free(memory_account *account, spm *s) {
    memory_free(account, s->order);
    memory_free(account, s->neighbours);
    trie_free(account, &s->user_defined);
    *s = (spm){0};
}
