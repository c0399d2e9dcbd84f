// SPDX-License-Identifier: Apache-2.0
/*
 * The model "bert": WordPiece (arXiv:1609.08144, as BERT has it). A text is normalized and cut into words; from a
 * word's beginning the longest piece is taken, then the longest that may follow, and so on. A word that can't be had
 * so, or has more than 100 characters, is one unknown token.
 *
 * A file spells a piece that begins a word with U+2581 in front, one that follows without (where the original has ##).
 * Time is O(n * the longest piece).
 */
#include <string.h>

#include "base/utf8.h"
#include "text/bert_normalize.h"
#include "text/tokenizer_parts.h"

#define BEGINS "\xE2\x96\x81"
#define MOST_CHARACTERS 100
#define MOST_BYTES 1024u /* of a piece: a bound of its time */

typedef struct wordpiece_part {
    trie first, next; /* pieces that begin a word, and those that follow; spellings without the mark */
    bert_options options;
    int32_t unknown;
} wordpiece_part;

static bool begins(const char *text, size_t length) { return length > 3 && memcmp(text, BEGINS, 3) == 0; }

static size_t decode_token(uint8_t kind, const char *text, size_t length, char *bytes) {
    if (kind == PUNA_TOKEN_CONTROL || kind == PUNA_TOKEN_UNKNOWN) return 0;
    size_t mark = begins(text, length) ? 3 : 0;
    if (mark) bytes[0] = ' ';
    memcpy(bytes + (mark ? 1 : 0), text + mark, length - mark);
    return length - mark + (mark ? 1 : 0);
}

/* ---- Loading ---- */

static int32_t find_control(vocabulary *v, const char *spelling) {
    int32_t id = vocabulary_find(v, spelling, strlen(spelling));
    return id >= 0 && v->tokens[id].kind != PUNA_TOKEN_NORMAL ? id : -1;
}

static void complete_special(vocabulary *v, special *s) {
    if (s->bos < 0) s->bos = s->cls >= 0 ? s->cls : find_control(v, "[CLS]");
    if (s->separator < 0) s->separator = find_control(v, "[SEP]");
    if (s->eos < 0) s->eos = s->separator;
    if (s->mask < 0) s->mask = find_control(v, "[MASK]");
    if (s->unknown < 0) s->unknown = find_control(v, "[UNK]");
}

static puna_status fill(tokenizer *t, const gguf_file *file, wordpiece_part *part, puna_error *error) {
    const vocabulary *v = &t->vocabulary;
    size_t bytes[2] = {0, 0};
    for (int32_t id = 0; id < v->size; id++) {
        if (v->tokens[id].kind == PUNA_TOKEN_CONTROL) continue;
        bytes[begins(vocabulary_text(v, id), v->tokens[id].text_length)] += v->tokens[id].text_length;
        if (v->tokens[id].text_length > MOST_BYTES)
            return vocabulary_wrong(file, gguf_find(file, "tokenizer.ggml.tokens"), "tokenizer.ggml.tokens", error,
                                    "has a piece of more than 1024 bytes");
    }
    if (bytes[0] > (size_t)1 << 23 || bytes[1] > (size_t)1 << 23)
        return vocabulary_wrong(file, gguf_find(file, "tokenizer.ggml.tokens"), "tokenizer.ggml.tokens", error,
                                "its pieces have more than 8 MiB");
    if (!trie_create(&t->account, bytes[1], &part->first) || !trie_create(&t->account, bytes[0], &part->next))
        return error_memory(error, "a tokenizer", (bytes[0] + bytes[1]) * 12);
    for (int32_t id = 0; id < v->size; id++) {
        const char *text = vocabulary_text(v, id);
        size_t length = v->tokens[id].text_length;
        if (v->tokens[id].kind == PUNA_TOKEN_CONTROL || length == 0) continue;
        if (begins(text, length)) trie_add(&part->first, text + 3, length - 3, id);
        else trie_add(&part->next, text, length, id);
    }
    return PUNA_OK;
}

static puna_status load(tokenizer *t, const gguf_file *file, puna_error *error) {
    wordpiece_part *part = memory_new(&t->account, sizeof *part);
    if (!part) return error_memory(error, "a tokenizer", sizeof *part);
    t->part = part;
    t->add_bos = t->add_eos = true;
    complete_special(&t->vocabulary, &t->special);
    part->unknown = t->special.unknown;
    const char *key = "tokenizer.ggml.normalizer.lowercase";
    puna_status status = gguf_get_bool(file, key, true, &part->options.lowercase, error);
    if (status == PUNA_OK)
        status = gguf_get_bool(file, "tokenizer.ggml.normalizer.strip_accents", part->options.lowercase,
                               &part->options.strip_accents, error);
    return status == PUNA_OK ? fill(t, file, part, error) : status;
}

static void unload(tokenizer *t) {
    wordpiece_part *part = t->part;
    if (!part) return;
    trie_free(&t->account, &part->first);
    trie_free(&t->account, &part->next);
    memory_free(&t->account, part);
    t->part = NULL;
}

/* ---- Encoding ---- */

/* The longest piece at the beginning of a text: its id and bytes; -1 if there is none. */
static int32_t longest(const trie *t, const char *text, size_t length, size_t *matched) {
    int32_t found = -1;
    uint32_t node = 0;
    for (size_t i = 0; i < length; i++) {
        node = trie_next(t, node, (uint8_t)text[i]);
        if (node == 0) break;
        if (t->values[node] < 0) continue;
        found = t->values[node];
        *matched = i + 1;
    }
    return found;
}

static bool too_long(const char *word, size_t length) {
    size_t characters = 0;
    for (size_t i = 0; i < length && characters <= MOST_CHARACTERS; i++) characters += (word[i] & 0xC0) != 0x80;
    return characters > MOST_CHARACTERS;
}

static void encode_word(const wordpiece_part *part, text_run *run, const char *word, size_t length) {
    int32_t ids[MOST_CHARACTERS];
    size_t count = 0, matched = 0;
    for (size_t at = 0; at < length && !(at == 0 && too_long(word, length)); at += matched) {
        int32_t id = longest(at ? &part->next : &part->first, word + at, length - at, &matched);
        if (id < 0) {
            count = 0;
            break;
        }
        ids[count++] = id; /* a piece has a character at least: pieces end where characters do, as their spellings are
                              UTF-8, or the word is one unknown token in the end */
        if (count == MOST_CHARACTERS && at + matched < length) {
            count = 0;
            break;
        }
    }
    if (count == 0 && part->unknown >= 0) text_emit(run, part->unknown);
    for (size_t i = 0; i < count; i++) text_emit(run, ids[i]);
}

static puna_status encode(const tokenizer *t, text_run *run, const char *text, size_t length, puna_error *error) {
    const wordpiece_part *part = t->part;
    char *normal;
    size_t count = 0, at = 0, bytes;
    const char *word;
    if (!bert_normalize(&run->account, &part->options, text, length, &normal, &count))
        return error_memory(error, "a text", (uint64_t)length * 4);
    while ((bytes = bert_word(normal, count, &at, &word)) > 0) encode_word(part, run, word, bytes);
    memory_free(&run->account, normal);
    return PUNA_OK;
}

static void end(text_run *run) { (void)run; }

const text_model wordpiece_model = {"bert", decode_token, load, unload, false, encode, end};
