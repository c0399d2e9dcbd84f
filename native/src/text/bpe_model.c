// SPDX-License-Identifier: Apache-2.0
/*
 * The model "gpt2": byte-level byte-pair encoding behind a pre-tokenizer.
 */
#include <string.h>

#include "base/normalize.h"
#include "text/bpe.h"
#include "text/bytelevel.h"
#include "text/pre.h"
#include "text/tokenizer_parts.h"
#include "text/word_cache.h"

typedef struct bpe_part {
    bpe bpe;
    pre pre;
    size_t longest; /* bytes of the longest spelling, 0 unless whole words count */
} bpe_part;

typedef struct bpe_state {
    bpe_scratch scratch;
    word_cache_entry *cache; /* NULL for short texts */
    char *spelling;    /* of a word, for looking it up whole */
    struct normalized *texts; /* the cache points into them */
} bpe_state;

typedef struct normalized {
    struct normalized *next;
    char *text;
} normalized;

static size_t decode_token(uint8_t kind, const char *text, size_t length, char *bytes) {
    size_t count;
    if (kind == PUNA_TOKEN_CONTROL || kind == PUNA_TOKEN_UNKNOWN) return 0;
    if (kind == PUNA_TOKEN_NORMAL && bytelevel_decode(text, length, bytes, &count)) return count;
    memcpy(bytes, text, length); /* plain text with an id of its own */
    return length;
}

/* ---- Loading ---- */

static void find_bytes(const vocabulary *v, bpe *b) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        char spelling[4];
        uint32_t character = bytelevel_character((uint8_t)byte);
        size_t length = 1;
        if (character < 0x80) spelling[0] = (char)character;
        else {
            length = 2; /* the alphabet ends below U+0800 */
            spelling[0] = (char)(0xC0 | character >> 6);
            spelling[1] = (char)(0x80 | (character & 0x3F));
        }
        int32_t id = vocabulary_find(v, spelling, length);
        if (id >= 0 && v->tokens[id].kind != PUNA_TOKEN_CONTROL) b->byte_ids[byte] = id;
    }
}

static puna_status load(tokenizer *t, const gguf_file *file, puna_error *error) {
    const vocabulary *v = &t->vocabulary;
    bpe_part *part = memory_new(&t->account, sizeof *part);
    if (!part) return error_memory(error, "a tokenizer", sizeof *part);
    t->part = part;
    puna_status status = pre_load(&t->account, file, &part->pre, error);
    if (status != PUNA_OK) return status;
    t->pre_name = part->pre.name;
    t->add_bos = part->pre.add_bos;
    t->add_eos = part->pre.add_eos;
    int32_t unknown = t->special.unknown;
    if (unknown >= 0 && v->tokens[unknown].kind == PUNA_TOKEN_CONTROL) unknown = -1; /* no text turns into one */
    status = bpe_load(&t->account, file, v, unknown, &part->bpe, error);
    if (status != PUNA_OK) return status;
    find_bytes(v, &part->bpe);
    for (int32_t id = 0; part->pre.whole_words && id < v->size; id++) {
        if (v->tokens[id].text_length > part->longest) part->longest = v->tokens[id].text_length;
    }
    return PUNA_OK;
}

static void unload(tokenizer *t) {
    bpe_part *part = t->part;
    if (!part) return;
    bpe_free(&t->account, &part->bpe);
    pre_free(&t->account, &part->pre);
    memory_free(&t->account, part);
    t->part = NULL;
}

/* ---- Encoding ---- */

static void end(text_run *run) {
    bpe_state *state = run->state;
    if (!state) return;
    bpe_release(&run->account, &state->scratch);
    memory_free(&run->account, state->cache);
    memory_free(&run->account, state->spelling);
    for (normalized *kept = state->texts, *next; kept; kept = next) {
        next = kept->next;
        memory_free(&run->account, kept->text);
        memory_free(&run->account, kept);
    }
    memory_free(&run->account, state);
    run->state = NULL;
}

static bpe_state *begin(const bpe_part *part, text_run *run, size_t length) {
    bpe_state *state = run->state;
    if (!state) state = run->state = memory_new(&run->account, sizeof *state);
    if (!state) return NULL;
    if (part->longest && !state->spelling) {
        state->spelling = memory_new(&run->account, part->longest);
        if (!state->spelling) return NULL;
    }
    if (length >= WORD_CACHE_TEXT && !state->cache) {
        state->cache = memory_array(&run->account, WORD_CACHE_SLOTS, sizeof *state->cache);
        if (!state->cache) return NULL;
    }
    return state;
}

/* The ordinary token whose bytes are the word, or -1. */
static int32_t find_word(const tokenizer *t, const bpe_part *part, char *spelling, const char *word, size_t length) {
    size_t written = 0;
    if (length > part->longest) return -1;
    for (size_t i = 0; i < length; i++) {
        uint32_t character = bytelevel_character((uint8_t)word[i]);
        if (written + 2 > part->longest + (character < 0x80)) return -1;
        if (character >= 0x80) {
            spelling[written++] = (char)(0xC0 | character >> 6);
            character = 0x80 | (character & 0x3F);
        }
        spelling[written++] = (char)character;
    }
    int32_t id = vocabulary_find(&t->vocabulary, spelling, written);
    return id >= 0 && t->vocabulary.tokens[id].kind == PUNA_TOKEN_NORMAL ? id : -1;
}

static puna_status merge_word(const tokenizer *t, text_run *run, bpe_state *state, const char *word, size_t length,
                              const int32_t **ids, size_t *count, puna_error *error) {
    const bpe_part *part = t->part;
    if (!bpe_reserve(&run->account, &state->scratch, length))
        return error_memory(error, "a word's symbols", length * 28);
    *ids = state->scratch.symbols;
    if (part->pre.whole_words) {
        int32_t id = find_word(t, part, state->spelling, word, length);
        if (id >= 0) {
            state->scratch.symbols[0] = id;
            *count = 1;
            return PUNA_OK;
        }
    }
    *count = bpe_merge_word(&part->bpe, &state->scratch, word, length);
    return PUNA_OK;
}

static puna_status encode_word(const tokenizer *t, text_run *run, bpe_state *state, const char *word, size_t length,
                               puna_error *error) {
    word_cache_entry *cached = NULL;
    const int32_t *ids = NULL;
    size_t count = 0;
    if (state->cache && length <= WORD_CACHE_WORD) {
        cached = word_cache_place(state->cache, word, length);
        if (word_cache_holds(cached, word, length)) {
            for (uint32_t i = 0; i < cached->count; i++) text_emit(run, cached->ids[i]);
            return PUNA_OK;
        }
    }
    puna_status status = merge_word(t, run, state, word, length, &ids, &count, error);
    if (status != PUNA_OK) return status;
    for (size_t i = 0; i < count; i++) text_emit(run, ids[i]);
    if (cached) word_cache_put(cached, word, length, ids, count);
    return PUNA_OK;
}

/* Replaces a text that is not in form C. */
static bool normalize(text_run *run, bpe_state *state, const char **text, size_t *length) {
    char *result;
    if (!normalize_nfc(&run->account, *text, *length, &result, length)) return false;
    if (!result) return true;
    normalized *kept = memory_new(&run->account, sizeof *kept);
    if (!kept) {
        memory_free(&run->account, result);
        return false;
    }
    *kept = (normalized){state->texts, result};
    state->texts = kept;
    *text = result;
    return true;
}

static puna_status encode(const tokenizer *t, text_run *run, const char *text, size_t length, puna_error *error) {
    const bpe_part *part = t->part;
    const char *word;
    size_t word_length;
    bpe_state *state = begin(part, run, length);
    if (!state) return error_memory(error, "words", WORD_CACHE_SLOTS * sizeof(word_cache_entry));
    if (part->pre.nfc && !normalize(run, state, &text, &length)) return error_memory(error, "a text", length);
    pre_cutter cutter = {.text = text, .length = length};
    while ((word_length = pre_next(&part->pre, &cutter, &word)) > 0) {
        puna_status status = encode_word(t, run, state, word, word_length, error);
        if (status != PUNA_OK) return status;
    }
    return PUNA_OK;
}

const text_model bpe_model = {"gpt2", decode_token, load, unload, false, encode, end};
