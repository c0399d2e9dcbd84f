// SPDX-License-Identifier: Apache-2.0
/*
 * The model "llama": SentencePiece's byte-pair encoding. A text is normalized (a space in front, spaces as U+2581), cut
 * into words where no piece could cross the border, and merged word by word; what is no piece becomes byte tokens.
 *
 * The space in front stands at the beginning of a text and behind every control token, as in llama.cpp; not behind a
 * user-defined token, which is a part of the text, as in SentencePiece.
 */
#include <string.h>

#include "text/spm.h"
#include "text/spm_pieces.h"
#include "text/tokenizer_parts.h"
#include "text/word_cache.h"

typedef struct spm_part {
    spm spm;
    bool space_prefix, remove_extra_spaces;
} spm_part;

typedef struct spm_state {
    spm_scratch scratch;
    char *text; /* normalized */
    size_t capacity;
    word_cache_entry *cache; /* NULL for short texts */
} spm_state;

/* ---- Loading ---- */

/* SentencePiece's own names, where the file gives no number. */
static int32_t find_control(const vocabulary *v, const char *spelling) {
    int32_t id = vocabulary_find(v, spelling, strlen(spelling));
    return id >= 0 && v->tokens[id].kind == PUNA_TOKEN_CONTROL ? id : -1;
}

static void complete_special(vocabulary *v, special *s) {
    if (s->bos < 0) s->bos = find_control(v, "<s>");
    if (s->eos < 0) s->eos = find_control(v, "</s>");
    if (s->eos >= 0) v->tokens[s->eos].ends_generation = true;
    for (int32_t id = 0; id < v->size && s->unknown < 0; id++) {
        if (v->tokens[id].kind == PUNA_TOKEN_UNKNOWN) s->unknown = id;
    }
}

static puna_status load(tokenizer *t, const gguf_file *file, puna_error *error) {
    spm_part *part = memory_new(&t->account, sizeof *part);
    if (!part) return error_memory(error, "a tokenizer", sizeof *part);
    t->part = part;
    t->add_bos = true;
    t->add_eos = false;
    complete_special(&t->vocabulary, &t->special);
    int32_t unknown = t->special.unknown;
    if (unknown >= 0 && t->vocabulary.tokens[unknown].kind == PUNA_TOKEN_CONTROL)
        unknown = SPM_NONE; /* no text turns into one */
    puna_status status = gguf_get_bool(file, "tokenizer.ggml.add_space_prefix", true, &part->space_prefix, error);
    if (status == PUNA_OK) {
        status = gguf_get_bool(file, "tokenizer.ggml.remove_extra_whitespaces", false, &part->remove_extra_spaces,
                               error);
    }
    if (status == PUNA_OK) status = spm_load(&t->account, file, &t->vocabulary, unknown, &part->spm, error);
    return status;
}

static void unload(tokenizer *t) {
    spm_part *part = t->part;
    if (!part) return;
    spm_free(&t->account, &part->spm);
    memory_free(&t->account, part);
    t->part = NULL;
}

/* ---- Normalizing ---- */

static size_t put_space(char *out) {
    memcpy(out, SPM_SPACE, 3);
    return 3;
}

/* Extra spaces are those at the ends and behind another one. */
static size_t normalize(const spm_part *part, const char *text, size_t length, char *out) {
    size_t at = 0, written = 0;
    bool behind_space = part->remove_extra_spaces;
    if (part->remove_extra_spaces) {
        while (at < length && text[at] == ' ') at++;
        if (at == length) return 0;
    }
    if (part->space_prefix) written += put_space(out);
    for (; at < length; at++) {
        if (text[at] != ' ') out[written++] = text[at];
        else if (!behind_space) written += put_space(out + written);
        behind_space = part->remove_extra_spaces && text[at] == ' ';
    }
    while (part->remove_extra_spaces && written >= 3 && memcmp(out + written - 3, SPM_SPACE, 3) == 0) written -= 3;
    return written;
}

/* Room for the normalized text, and tables for a long one. */
static puna_status prepare(text_run *run, const char *text, size_t length, puna_error *error) {
    size_t needed = length + 3;
    for (size_t i = 0; i < length; i++) needed += text[i] == ' ' ? 2 : 0;
    if (needed > INT32_MAX) {
        return error_set(error, PUNA_INVALID_ARGUMENT, "length",
                         "The text is too long: it may have 2 GiB - 1 bytes, a space counting as 3.");
    }
    spm_state *state = run->state;
    if (!state) state = run->state = memory_new(&run->account, sizeof *state);
    if (!state) return error_memory(error, "a text", sizeof *state);
    if (needed > state->capacity) {
        memory_free(&run->account, state->text);
        state->capacity = 0;
        state->text = memory_new(&run->account, needed);
        if (!state->text) return error_memory(error, "a text", needed);
        state->capacity = needed;
    }
    if (length < WORD_CACHE_TEXT) return PUNA_OK;
    if (state->cache)
        memset(state->cache, 0, WORD_CACHE_SLOTS * sizeof *state->cache); /* its words lay in the text before */
    else state->cache = memory_array(&run->account, WORD_CACHE_SLOTS, sizeof *state->cache);
    if (!state->cache || !spm_remember(&run->account, &state->scratch)) {
        return error_memory(error, "words", WORD_CACHE_SLOTS * sizeof *state->cache);
    }
    return PUNA_OK;
}

/* ---- Encoding ---- */

static void end(text_run *run) {
    spm_state *state = run->state;
    if (!state) return;
    spm_release(&run->account, &state->scratch);
    memory_free(&run->account, state->text);
    memory_free(&run->account, state->cache);
    memory_free(&run->account, state);
    run->state = NULL;
}

/* Without byte tokens, a run of unknown characters is one unknown token. */
static void emit(const spm *s, text_run *run, size_t first, const int32_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool again = !s->has_bytes && ids[i] == s->unknown && run->count > first && run->last == s->unknown;
        if (!again) text_emit(run, ids[i]);
    }
}

static puna_status encode_word(const spm *s, text_run *run, bool caches, size_t first, const char *word, size_t length,
                               puna_error *error) {
    spm_state *state = run->state;
    word_cache_entry *cached = NULL;
    if (caches && length <= WORD_CACHE_WORD) {
        cached = word_cache_place(state->cache, word, length);
        if (word_cache_holds(cached, word, length)) {
            emit(s, run, first, cached->ids, cached->count);
            return PUNA_OK;
        }
    }
    if (!spm_merge(s, &run->account, &state->scratch, word, length))
        return error_memory(error, "a word's symbols", length * 50);
    emit(s, run, first, state->scratch.ids, state->scratch.id_count);
    if (cached) word_cache_put(cached, word, length, state->scratch.ids, state->scratch.id_count);
    return PUNA_OK;
}

static puna_status encode(const tokenizer *t, text_run *run, const char *text, size_t length, puna_error *error) {
    const spm_part *part = t->part;
    puna_status status = prepare(run, text, length, error);
    if (status != PUNA_OK) return status;
    spm_state *state = run->state;
    size_t first = run->count, count = normalize(part, text, length, state->text), word;
    for (size_t at = 0; status == PUNA_OK && at < count; at += word) {
        int32_t id = part->spm.restores ? SPM_NONE : spm_user_defined(&part->spm, state->text + at, count - at, &word);
        if (id >= 0) {
            text_emit(run, id);
            continue;
        }
        word = spm_word(&part->spm, state->text + at, count - at);
        status = encode_word(&part->spm, run, length >= WORD_CACHE_TEXT, first, state->text + at, word, error);
    }
    return status;
}

const text_model spm_model = {"llama", spm_token_bytes, load, unload, true, encode, end};
