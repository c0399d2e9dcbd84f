// SPDX-License-Identifier: Apache-2.0
/*
 * Vocabularies that a file might hold, and a text through each:
 *
 *     [failing allocation][model][pre][flags][bos][eos][unknown] then entries [kind, length, spelling] up to kind 0,
 *     merges [length, text] up to length 0, where a flag says so what encoders have, too - [flags][separator][mask]
 *     and a map of characters [length in 2 bytes, bytes] - and the text
 *
 * A vocabulary loads or is refused with file and field; loaded ones encode any text and any pair of texts, decode any
 * id.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "format/gguf.h"
#include "fuzz.h"
#include "text/token_tree.h"
#include "text/tokenizer.h"

enum { TOKENS = 512, ROOM = 1 << 13, MAP = 1 << 12, MOST_BECOMES = 256 };

static gguf_text tokens[TOKENS + 256], merges[TOKENS];
static int32_t kinds[TOKENS + 256];
static float scores[TOKENS + 256];
static char byte_spellings[256][8];
static int32_t ids[ROOM], other[ROOM];
static uint32_t types[ROOM];
static char back[1 << 20];

static uint32_t read_tokens(fuzz_input *in, uint32_t flags) {
    uint32_t count = 0;
    for (uint32_t kind; count < TOKENS && (kind = fuzz_byte(in)) != 0; count++) {
        size_t length;
        kinds[count] = kind < 250 ? (int32_t)(kind % 6 + 1) : (int32_t)kind - 252;
        scores[count] = -(float)(kind / 6);
        tokens[count].data = fuzz_take(in, fuzz_byte(in) % 48u, &length);
        tokens[count].length = length;
    }
    for (uint32_t byte = 0; flags & 1 && byte < 256; byte++, count++) {
        static const char digits[] = "0123456789ABCDEF";
        char *spelling = byte_spellings[byte];
        memcpy(spelling, "<0x__>", 7);
        spelling[3] = digits[byte >> 4];
        spelling[4] = digits[byte & 15];
        tokens[count] = (gguf_text){spelling, 6};
        kinds[count] = PUNA_TOKEN_BYTE;
        scores[count] = 0;
    }
    return count;
}

/* ---- The file, by hand: the writer would sync it ---- */

static uint8_t file[1 << 17];
static size_t file_used;
static uint64_t entry_count;

static void put(const void *bytes, size_t count) {
    FUZZ_CHECK(count <= sizeof file - file_used);
    if (count) memcpy(file + file_used, bytes, count);
    file_used += count;
}

static void put_number(uint64_t number, size_t width) { put(&number, width); } /* little-endian, as what fuzzes */

static void put_text(gguf_text text) {
    put_number(text.length, 8);
    put(text.data, (size_t)text.length);
}

static void put_key(const char *key, uint32_t type) {
    entry_count++;
    put_text((gguf_text){key, strlen(key)});
    put_number(type, 4);
}

static void put_string(const char *key, const char *text) {
    put_key(key, PUNA_STRING);
    put_text((gguf_text){text, strlen(text)});
}

static void put_texts(const char *key, const gguf_text *texts, uint32_t count) {
    put_key(key, PUNA_ARRAY);
    put_number(PUNA_STRING, 4);
    put_number(count, 8);
    for (uint32_t i = 0; i < count; i++) put_text(texts[i]);
}

static void put_array(const char *key, uint32_t type, const void *numbers, uint32_t count) {
    put_key(key, PUNA_ARRAY);
    put_number(type, 4);
    put_number(count, 8);
    put(numbers, count * sizeof(uint32_t));
}

static void put_scalar(const char *key, uint32_t type, uint32_t number) {
    put_key(key, type);
    put_number(number, type == PUNA_BOOL ? 1 : 4);
}

static void put_bytes(const char *key, const char *bytes, size_t count) {
    put_key(key, PUNA_ARRAY);
    put_number(PUNA_UINT8, 4);
    put_number(count, 8);
    put(bytes, count);
}

static bool mapped; /* the vocabulary has a map of characters */

/* What encoders' vocabularies have besides. */
static void put_more(fuzz_input *in) {
    uint32_t flags = fuzz_byte(in), separator = fuzz_byte(in), mask = fuzz_byte(in);
    if (flags & 1) put_scalar("tokenizer.ggml.normalizer.lowercase", PUNA_BOOL, flags >> 1 & 1);
    if (flags & 4) put_scalar("tokenizer.ggml.normalizer.strip_accents", PUNA_BOOL, flags >> 3 & 1);
    if (flags & 16) put_scalar("tokenizer.ggml.add_bos_token", PUNA_BOOL, 1);
    if (separator) put_scalar("tokenizer.ggml.seperator_token_id", PUNA_UINT32, separator - 1);
    if (mask) put_scalar("tokenizer.ggml.mask_token_id", PUNA_UINT32, mask - 1);
    if (flags & 32) {
        size_t length;
        uint32_t most = fuzz_u16(in) % MAP;
        const char *map = fuzz_take(in, most, &length);
        put_bytes("tokenizer.ggml.precompiled_charsmap", map, length);
        mapped = true;
    }
}

static const char *save(fuzz_input *in) {
    static const char *const models[] = {"gpt2", "llama", "bert", "", "t5"};
    static const char *const pres[] = {"gpt-2", "llama-bpe", "smollm", "qwen2", "unheard-of", ""};
    const char *model = models[fuzz_byte(in) % 5], *pre = pres[fuzz_byte(in) % 6];
    uint32_t flags = fuzz_byte(in), bos = fuzz_byte(in), eos = fuzz_byte(in), unknown = fuzz_byte(in), merged = 0;
    uint32_t count = read_tokens(in, flags);
    for (uint32_t length; merged < TOKENS && (length = fuzz_byte(in)) != 0; merged++) {
        size_t got;
        merges[merged].data = fuzz_take(in, length % 48u, &got);
        merges[merged].length = got;
    }
    file_used = 0;
    entry_count = 0;
    mapped = false;
    put("GGUF", 4);
    put_number(3, 4);
    put_number(0, 8);
    put_number(0, 8);
    put_string("tokenizer.ggml.model", model);
    put_string("tokenizer.ggml.pre", pre);
    put_texts("tokenizer.ggml.tokens", tokens, count);
    if (!(flags & 2)) put_array("tokenizer.ggml.token_type", PUNA_INT32, kinds, count);
    if (!(flags & 4)) put_array("tokenizer.ggml.scores", PUNA_FLOAT32, scores, count);
    if (!(flags & 8)) put_texts("tokenizer.ggml.merges", merges, merged);
    if (flags & 16) put_scalar("tokenizer.ggml.remove_extra_whitespaces", PUNA_BOOL, 1);
    if (flags & 32) put_scalar("tokenizer.ggml.add_space_prefix", PUNA_BOOL, 0);
    if (flags & 64) put_scalar("tokenizer.ggml.add_eos_token", PUNA_BOOL, 1);
    if (bos) put_scalar("tokenizer.ggml.bos_token_id", PUNA_UINT32, bos - 1);
    if (eos) put_scalar("tokenizer.ggml.eos_token_id", PUNA_UINT32, eos - 1);
    if (unknown) put_scalar("tokenizer.ggml.unknown_token_id", PUNA_UINT32, unknown - 1);
    if (flags & 128) put_more(in);
    memcpy(file + 16, &entry_count, 8);
    return fuzz_file(file, file_used);
}

/* The pair has what its texts have, first and second, with control tokens around; a part of it where there is no room
   for all. */
static void use_pair(const puna_tokenizer *t, const char *text, size_t length, int32_t size) {
    puna_error error = PUNA_ERROR_INIT;
    puna_text first = {text, length / 2}, second = {text + length / 2, length - length / 2};
    uint64_t alone = 0, count = 0, again = 0;
    puna_status status = puna_tokenize_pair(t, &first, NULL, 0, ids, types, ROOM, &alone, &error);
    for (uint64_t i = 0; i < alone && i < ROOM; i++) FUZZ_CHECK(types[i] == 0);
    status = puna_tokenize_pair(t, &first, &second, PUNA_TOKENIZE_SPECIAL, ids, types, ROOM, &count, &error);
    FUZZ_CHECK(status == (count <= ROOM ? PUNA_OK : PUNA_BUFFER_TOO_SMALL));
    status = puna_tokenize_pair(t, &first, &second, 0, ids, types, ROOM, &count, &error);
    FUZZ_CHECK(status == (count <= ROOM ? PUNA_OK : PUNA_BUFFER_TOO_SMALL) && count >= alone);
    uint64_t there = count < ROOM ? count : ROOM, some = there / 2;
    for (uint64_t i = 0; i < there; i++) {
        FUZZ_CHECK(ids[i] >= 0 && ids[i] < size && types[i] <= 1);
        FUZZ_CHECK(i == 0 || types[i] >= types[i - 1]);
    }
    if (there == 0) return;
    FUZZ_CHECK(puna_tokenize_pair(t, &first, &second, 0, other, NULL, some, &again, &error) == PUNA_BUFFER_TOO_SMALL);
    FUZZ_CHECK(again == count && error.needed == count && memcmp(ids, other, some * sizeof *ids) == 0);
}

static void use(const puna_tokenizer *t, const char *text, size_t length) {
    puna_error error = PUNA_ERROR_INIT;
    puna_tokenizer_info info = {.size = sizeof info};
    uint64_t count = 0, bytes = 0;
    puna_tokenizer_describe(t, &info);
    FUZZ_CHECK(info.vocabulary > 0 && info.bos < info.vocabulary && info.eos < info.vocabulary);
    for (int32_t id = 0; id < info.vocabulary; id++) {
        puna_token token = {.size = sizeof token};
        FUZZ_CHECK(puna_tokenizer_token(t, id, &token, &error) == PUNA_OK);
        FUZZ_CHECK(token.bytes_length <= token.text_length || token.kind == PUNA_TOKEN_BYTE);
    }
    for (uint32_t flags = 0; flags < 4; flags++) {
        puna_status status = puna_tokenize(t, text, length, flags, ids, ROOM, &count, &error);
        FUZZ_CHECK(status == (count <= ROOM ? PUNA_OK : PUNA_BUFFER_TOO_SMALL));
        FUZZ_CHECK(count <= length * (mapped ? MOST_BECOMES : 3) + 3);
        if (count > ROOM) count = ROOM;
        for (uint64_t i = 0; i < count; i++) FUZZ_CHECK(ids[i] >= 0 && ids[i] < info.vocabulary);
        FUZZ_CHECK(puna_detokenize(t, ids, count, flags & 1, back, sizeof back, &bytes, &error) == PUNA_OK);
    }
    use_pair(t, text, length, info.vocabulary);
    token_tree *tree = NULL;
    FUZZ_CHECK(tokenizer_tree(t, &tree, &error) == PUNA_OK);
    token_tree_release(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = {data, size < 1 << 14 ? size : 1 << 14};
    uint32_t fail = fuzz_byte(&in);
    const char *path = save(&in);
    size_t length;
    const char *text = fuzz_take(&in, ROOM / 4, &length);
    puna_error error = PUNA_ERROR_INIT;
    puna_file *opened = NULL;
    puna_tokenizer *t = NULL;
    FUZZ_CHECK(puna_file_open(path, &opened, &error) == PUNA_OK);
    fuzz_fail_after(fail < 200 ? 0 : fail - 199);
    puna_status status = puna_tokenizer_load(opened, &t, &error);
    fuzz_no_faults();
    fuzz_check_error(status, &error);
    puna_file_close(opened);
    FUZZ_CHECK((status == PUNA_OK) == (t != NULL));
    FUZZ_CHECK(status == PUNA_OK || status == PUNA_INVALID_FILE || status == PUNA_UNSUPPORTED
               || (status == PUNA_OUT_OF_MEMORY && fuzz_failed()));
    if (status == PUNA_INVALID_FILE) FUZZ_CHECK(strstr(error.subject, "tokenizer.ggml."));
    if (t) use(t, text, length);
    puna_tokenizer_close(t);
    return 0;
}
