// SPDX-License-Identifier: Apache-2.0
/*
 * Texts through vocabularies that are fixed: [vocabulary][flags][where to cut][stop's length][text].
 *
 * Any bytes become ids of the vocabulary; the number that is needed is told; a byte-level vocabulary gives the text
 * back; a text in parts that nobody trusts gives the ids that it gives in one piece; a stream gives out UTF-8, without
 * the stop.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "text/stream.h"
#include "text/tokenizer.h"

static const struct {
    const char *name;
    bool every_byte; /* has a token for each byte; nothing is added, taken away or put into form C */
} vocabularies[] = {{"tokenizer/gpt-2.gguf", true}, {"tokenizer/smollm.gguf", true}, {"tokenizer/llama-bpe.gguf", true},
                    {"tokenizer/qwen2.gguf", false}, {"tokenizer/spm.gguf", false}, {"tokenizer/spm-bare.gguf", false},
                    {"tiny/tiny-chat.gguf", false}, {"encoders/bert.gguf", false}, {"encoders/t5encoder.gguf", false},
                    {"encoders/xlm_roberta_rank.gguf", false}, {"encoders/modernbert_rank.gguf", false}};
enum { VOCABULARIES = sizeof vocabularies / sizeof *vocabularies, ROOM = 1 << 14 };

static int32_t ids[ROOM], other[ROOM];
static char text_back[1 << 19];

static uint64_t encode(const puna_tokenizer *t, const char *text, size_t length, uint32_t flags) {
    puna_error error = PUNA_ERROR_INIT;
    uint64_t count = 0, again = 0;
    FUZZ_CHECK(puna_tokenize(t, text, length, flags, ids, ROOM, &count, &error) == PUNA_OK);
    FUZZ_CHECK(count <= ROOM);
    for (uint64_t i = 0; i < count; i++) FUZZ_CHECK(ids[i] >= 0 && ids[i] < tokenizer_size(t));
    if (count == 0) return 0;
    FUZZ_CHECK(puna_tokenize(t, text, length, flags, other, count / 2, &again, &error) == PUNA_BUFFER_TOO_SMALL);
    FUZZ_CHECK(again == count && error.needed == count);
    FUZZ_CHECK(memcmp(ids, other, count / 2 * sizeof *ids) == 0);
    return count;
}

static void parts(const puna_tokenizer *t, const char *text, size_t length, size_t cut, uint64_t count) {
    puna_error error = PUNA_ERROR_INIT;
    uint64_t got = 0;
    size_t first = length ? cut % length : 0;
    puna_part pieces[] = {{text, first, 0, 0}, {text + first, length - first, 0, 0}};
    FUZZ_CHECK(puna_tokenize_parts(t, pieces, 2, other, ROOM, &got, &error) == PUNA_OK);
    FUZZ_CHECK(got == count && memcmp(ids, other, count * sizeof *ids) == 0);
    pieces[0].trusted = 1;
    FUZZ_CHECK(puna_tokenize_parts(t, pieces, 2, other, ROOM, &got, &error) == PUNA_OK);
}

/* Whole characters come out, and no stop among them. */
static void flow(const puna_tokenizer *t, uint64_t count, const char *stop, size_t stop_length) {
    memory_account account;
    memory_account_init(&account);
    if (utf8_valid(stop, stop_length) != stop_length) stop_length = 0; /* not allowed */
    puna_text stops[] = {{stop, stop_length}};
    stream *s = NULL;
    size_t written = 0;
    int32_t reached = -1;
    FUZZ_CHECK(stream_create(&account, t, stops, stop_length ? 1 : 0, &s, NULL) == PUNA_OK);
    const char *text;
    size_t length;
    for (uint64_t i = 0; i < count && reached < 0; i++) {
        FUZZ_CHECK(stream_push(s, ids[i], &text, &length, &reached, NULL) == PUNA_OK);
        FUZZ_CHECK(written + length <= sizeof text_back);
        memcpy(text_back + written, text, length);
        written += length;
        FUZZ_CHECK(utf8_valid(text, length) == length);
    }
    if (reached < 0) {
        FUZZ_CHECK(stream_finish(s, &text, &length, NULL) == PUNA_OK);
        FUZZ_CHECK(written + length <= sizeof text_back);
        memcpy(text_back + written, text, length);
        written += length;
    }
    if (stop_length)
        FUZZ_CHECK(!memmem(text_back, written, stop, stop_length));
    stream_free(&account, s);
    FUZZ_CHECK(memory_used(&account) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = {data, size};
    uint32_t which = fuzz_byte(&in) % VOCABULARIES, flags = fuzz_byte(&in) & 3u, cut = fuzz_u16(&in);
    size_t stop_length, length;
    const char *stop = fuzz_take(&in, fuzz_byte(&in) % 16u, &stop_length);
    const char *text = fuzz_take(&in, ROOM / 4, &length);
    const puna_tokenizer *t = fuzz_vocabulary(vocabularies[which].name);
    puna_error error = PUNA_ERROR_INIT;

    encode(t, text, length, flags);
    uint64_t count = encode(t, text, length, 0), bytes = 0;
    FUZZ_CHECK(puna_detokenize(t, ids, count, 0, text_back, sizeof text_back, &bytes, &error) == PUNA_OK);
    if (vocabularies[which].every_byte) FUZZ_CHECK(bytes == length && memcmp(text_back, text, length) == 0);
    parts(t, text, length, cut, count);
    flow(t, count, stop, stop_length);

    /* The bytes as ids of anything. */
    count = length / 2;
    for (uint64_t i = 0; i < count; i++)
        ids[i] = ((uint8_t)text[2 * i] | (uint8_t)text[2 * i + 1] << 8) % tokenizer_size(t);
    FUZZ_CHECK(puna_detokenize(t, ids, count, flags & 1, text_back, sizeof text_back, &bytes, &error) == PUNA_OK);
    flow(t, count, stop, stop_length);
    return 0;
}
