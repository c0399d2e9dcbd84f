// SPDX-License-Identifier: Apache-2.0
/*
 * The model "t5": SentencePiece's unigrams. A text is normalized as its sentencepiece model says (a map of characters,
 * extra spaces, a space in front, spaces as U+2581), then cut where the scores add up to the most. Characters without a
 * piece become byte tokens or, a run of them, one unknown token.
 */
#include <string.h>

#include "text/charsmap.h"
#include "text/spm_pieces.h"
#include "text/tokenizer_parts.h"
#include "text/unigram.h"

typedef struct unigram_part {
    unigram unigram;
    charsmap map;
    bool space_prefix, remove_extra_spaces;
} unigram_part;

typedef struct unigram_state {
    unigram_scratch scratch;
    char *text; /* normalized */
    size_t length, capacity;
    int32_t *ids; /* of a stretch, from its end */
    size_t id_capacity;
} unigram_state;

/* ---- Loading ---- */

static puna_status load(tokenizer *t, const gguf_file *file, puna_error *error) {
    unigram_part *part = memory_new(&t->account, sizeof *part);
    if (!part) return error_memory(error, "a tokenizer", sizeof *part);
    t->part = part;
    t->add_bos = false;
    t->add_eos = true;
    special *s = &t->special;
    for (int32_t id = 0; id < t->vocabulary.size && s->unknown < 0; id++)
        if (t->vocabulary.tokens[id].kind == PUNA_TOKEN_UNKNOWN) s->unknown = id;
    puna_status status = gguf_get_bool(file, "tokenizer.ggml.add_space_prefix", true, &part->space_prefix, error);
    if (status == PUNA_OK)
        status = gguf_get_bool(file, "tokenizer.ggml.remove_extra_whitespaces", false, &part->remove_extra_spaces,
                               error);
    if (status == PUNA_OK) status = charsmap_load(&t->account, file, &part->map, error);
    if (status == PUNA_OK)
        status = unigram_load(&t->account, file, &t->vocabulary, s->unknown, &part->unigram, error);
    return status;
}

static void unload(tokenizer *t) {
    unigram_part *part = t->part;
    if (!part) return;
    unigram_free(&t->account, &part->unigram);
    charsmap_free(&t->account, &part->map);
    memory_free(&t->account, part);
    t->part = NULL;
}

/* ---- Normalizing ---- */

static bool put(memory_account *account, unigram_state *s, const char *bytes, size_t length) {
    if (length > s->capacity - s->length) {
        size_t capacity;
        if (!memory_add(s->length, length, &capacity) || !memory_multiply(capacity, 2, &capacity)) return false;
        char *text = memory_grow(account, s->text, capacity);
        if (!text) return false;
        s->text = text;
        s->capacity = capacity;
    }
    if (length) memcpy(s->text + s->length, bytes, length);
    s->length += length;
    return true;
}

/* What the beginning of a text becomes; returns the bytes of the beginning. A user-defined piece stays as it is. */
static size_t step(const unigram_part *part, const char *text, size_t length, const char **becomes, size_t *count) {
    uint32_t node = 0;
    size_t used = 0;
    for (size_t i = 0; part->unigram.any_user_defined && i < length; i++) {
        node = trie_next(&part->unigram.user_defined, node, (uint8_t)text[i]);
        if (node == 0) break;
        if (part->unigram.user_defined.values[node] >= 0) used = i + 1;
    }
    if (used == 0 && (used = charsmap_match(&part->map, text, length, becomes, count)) > 0) return used;
    if (used == 0) {
        uint32_t character = spm_character(text, length, &used);
        if (character >= 0x110000) { /* no UTF-8 */
            *becomes = "\xEF\xBF\xBD";
            *count = 3;
            return 1;
        }
    }
    *becomes = text;
    *count = used;
    return used;
}

static bool put_escaped(memory_account *account, unigram_state *s, const char *text, size_t length) {
    size_t plain = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != ' ') continue;
        if (!put(account, s, text + plain, i - plain) || !put(account, s, SPM_SPACE, 3)) return false;
        plain = i + 1;
    }
    return put(account, s, text + plain, length - plain);
}

static bool normalize(const unigram_part *part, memory_account *account, unigram_state *s, const char *text,
                      size_t length) {
    const char *becomes = "";
    size_t count = 0, at = 0, used;
    bool extra = part->remove_extra_spaces, behind_space = extra, done = true;
    s->length = 0;
    for (; extra && at < length; at += used) {
        used = step(part, text + at, length - at, &becomes, &count);
        if (count != 1 || *becomes != ' ') break;
    }
    if (at == length) return true;
    if (part->space_prefix) done = put(account, s, SPM_SPACE, 3);
    for (; done && at < length && s->length <= INT32_MAX; at += used) { /* what is longer is refused */
        used = step(part, text + at, length - at, &becomes, &count);
        while (behind_space && count > 0 && *becomes == ' ') becomes++, count--;
        if (count) {
            done = put_escaped(account, s, becomes, count);
            behind_space = extra && becomes[count - 1] == ' ';
        }
    }
    while (extra && s->length >= 3 && memcmp(s->text + s->length - 3, SPM_SPACE, 3) == 0) s->length -= 3;
    return done;
}

/* ---- Encoding ---- */

static void end(text_run *run) {
    unigram_state *state = run->state;
    if (!state) return;
    memory_free(&run->account, state->scratch.nodes);
    memory_free(&run->account, state->text);
    memory_free(&run->account, state->ids);
    memory_free(&run->account, state);
    run->state = NULL;
}

static void emit_unknown(const unigram *u, text_run *run, bool behind_unknown, const char *text, size_t length) {
    if (u->has_bytes) {
        for (size_t i = 0; i < length; i++) text_emit(run, u->byte_ids[(uint8_t)text[i]]);
    } else if (u->unknown >= 0 && !behind_unknown) {
        text_emit(run, u->unknown);
    }
}

/* *unknown: the last thing that was emitted is an unknown token, which those that follow join. */
static bool encode_stretch(const unigram_part *part, text_run *run, const char *text, size_t length, bool *unknown) {
    unigram_state *s = run->state;
    if (!unigram_cut(&part->unigram, &run->account, &s->scratch, text, length)) return false;
    size_t count = 0;
    for (size_t at = length; at > 0; at = s->scratch.nodes[at].from) count++;
    if (count > s->id_capacity) {
        int32_t *ids = memory_grow(&run->account, s->ids, count * 2 * sizeof *ids);
        if (!ids) return false;
        s->ids = ids;
        s->id_capacity = count * 2;
    }
    size_t i = count;
    for (size_t at = length; at > 0; at = s->scratch.nodes[at].from) s->ids[--i] = (int32_t)at;
    size_t begin = 0;
    for (i = 0; i < count; i++) {
        size_t stop = (size_t)s->ids[i];
        int32_t id = s->scratch.nodes[stop].id;
        if (id >= 0) text_emit(run, id);
        else emit_unknown(&part->unigram, run, *unknown, text + begin, stop - begin);
        *unknown = id < 0;
        begin = stop;
    }
    return true;
}

static puna_status encode(const tokenizer *t, text_run *run, const char *text, size_t length, puna_error *error) {
    const unigram_part *part = t->part;
    if (!run->state) run->state = memory_new(&run->account, sizeof(unigram_state));
    unigram_state *s = run->state;
    if (!s || !normalize(part, &run->account, s, text, length))
        return error_memory(error, "a text", (uint64_t)length * 3);
    if (s->length > INT32_MAX)
        return error_set(error, PUNA_INVALID_ARGUMENT, "length", "The text is too long: normalized it has more than "
                                                                 "2 GiB - 1 bytes.");
    s->scratch.score = 0;
    bool unknown = false;
    for (size_t at = 0, stop; at < s->length; at = stop) {
        stop = part->unigram.crosses ? s->length : at + 1;
        while (stop < s->length && (s->length - stop < 3 || memcmp(s->text + stop, SPM_SPACE, 3) != 0)) stop++;
        if (!encode_stretch(part, run, s->text + at, stop - at, &unknown))
            return error_memory(error, "a text", (uint64_t)(stop - at) * 24);
    }
    return PUNA_OK;
}

const text_model unigram_model = {"t5", spm_token_bytes, load, unload, true, encode, end};
