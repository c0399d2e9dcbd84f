// SPDX-License-Identifier: Apache-2.0
/*
 * Files of encoders that lie: a number of the metadata changed is refused with its key; where any bytes are changed, or
 * an end is cut off, the file is refused, or loads and then reads texts, pairs and masks without harm. WordPiece and
 * unigrams (with their map of characters), classifiers, rerankers, masked language models.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "puna.h"
#include "testing.h"

#define PATH "test_hostile_encoders.gguf"

typedef struct lie {
    const char *file, *key; /* whose value is changed; of a tensor: its name itself */
    size_t at;              /* bytes into the value */
    uint64_t number;
    uint32_t width;
    puna_status status;
    const char *field;      /* what the error is about; NULL: what was changed */
} lie;

static const lie lies[] = {
    {"encoders/bert_classes", "tokenizer.ggml.cls_token_id", 0, 384, 4, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "tokenizer.ggml.seperator_token_id", 0, 4000000, 4, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "tokenizer.ggml.mask_token_id", 0, 1u << 31, 4, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "tokenizer.ggml.unknown_token_id", 0, 384, 4, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "bert.attention.head_count", 0, 0, 4, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "bert.attention.head_count", 0, 3, 4, PUNA_INVALID_FILE, "attn_q.weight"},
    {"encoders/bert_classes", "bert.context_length", 0, 0, 4, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "bert.context_length", 0, 161, 4, PUNA_INVALID_FILE, "position_embd.weight"},
    {"encoders/bert_classes", "bert.context_length", 0, UINT32_MAX, 4, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "bert.block_count", 0, 3, 4, PUNA_INVALID_FILE, "blk.2."},
    {"encoders/bert_classes", "bert.feed_forward_length", 0, 65, 4, PUNA_INVALID_FILE, "ffn_up.weight"},
    {"encoders/bert_classes", "bert.pooling_type", 0, 77, 4, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "bert.classifier.output_labels", 4, UINT64_MAX, 8, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "token_embd_norm.weight", 0, 2, 4, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "cls.output.weight", 4, 31, 8, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_classes", "token_types.weight", 4, 33, 8, PUNA_INVALID_FILE, "token_embd_norm.weight"},
    {"encoders/xlm_roberta_rank", "cls.weight", 4, 16, 8, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_masked", "mlm.dense.weight", 4, 64, 8, PUNA_INVALID_FILE, NULL},
    {"encoders/bert_masked", "bert.attention.layer_norm_epsilon", 0, 0x7FC00000u, 4, PUNA_INVALID_FILE, NULL},
    {"tokenizer/wordpiece", "tokenizer.ggml.unknown_token_id", 0, 1400, 4, PUNA_INVALID_FILE, NULL},
    {"tokenizer/wordpiece", "tokenizer.ggml.token_type", 12, 99, 4, PUNA_INVALID_FILE, NULL},
    {"tokenizer/wordpiece", "tokenizer.ggml.tokens", 4, UINT64_MAX / 2, 8, PUNA_INVALID_FILE, NULL},
    {"tokenizer/unigram", "tokenizer.ggml.scores", 12, 0x7FC00000u, 4, PUNA_INVALID_FILE, NULL},
    {"tokenizer/unigram", "tokenizer.ggml.scores", 4, 899, 8, PUNA_INVALID_FILE, ""},
    {"tokenizer/unigram", "tokenizer.ggml.precompiled_charsmap", 12, UINT32_MAX, 4, PUNA_INVALID_FILE, NULL},
    {"tokenizer/unigram", "tokenizer.ggml.precompiled_charsmap", 12, 3, 4, PUNA_INVALID_FILE, NULL},
    {"tokenizer/unigram", "tokenizer.ggml.precompiled_charsmap", 12, 240004, 4, PUNA_INVALID_FILE, NULL},
    {"tokenizer/unigram", "tokenizer.ggml.unknown_token_id", 0, 900, 4, PUNA_INVALID_FILE, NULL},
};

static bool save(const uint8_t *bytes, size_t size) {
    FILE *out = fopen(PATH, "wb");
    bool saved = out && fwrite(bytes, 1, size, out) == size;
    if (out) saved = fclose(out) == 0 && saved;
    if (!saved) testing_fail(__FILE__, __LINE__, "the test can't write its file");
    return saved;
}

static uint8_t *read_file(const char *name, size_t *size) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.gguf", PUNA_TEST_DATA, name);
    return testing_read(path, size);
}

/* ---- named lies ---- */

/* Behind a key, or a tensor's name, which its length stands before. */
static uint8_t *value_of(uint8_t *bytes, size_t size, const char *key) {
    size_t length = strlen(key);
    for (size_t i = 8; i + length + 4 < size; i++) {
        uint64_t before;
        memcpy(&before, bytes + i - 8, 8);
        if (before == length && memcmp(bytes + i, key, length) == 0) return bytes + i + length;
    }
    return NULL;
}

static puna_status open_file(bool model, puna_error *error) {
    puna_model *loaded = NULL;
    puna_file *file = NULL;
    puna_tokenizer *tokenizer = NULL;
    puna_status status;
    if (model) {
        status = puna_model_load(PATH, NULL, NULL, &loaded, error);
    } else {
        status = puna_file_open(PATH, &file, error);
        if (status == PUNA_OK) status = puna_tokenizer_load(file, &tokenizer, error);
    }
    puna_tokenizer_close(tokenizer);
    puna_file_close(file);
    puna_model_close(loaded);
    return status;
}

static void each_lie_is_named(void) {
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const lie *l = &lies[i];
        size_t size;
        uint8_t *bytes = read_file(l->file, &size), *value = bytes ? value_of(bytes, size, l->key) : NULL;
        bool tensor = strstr(l->key, ".weight") != NULL;
        NEED(value);
        uint64_t held = puna_memory();
        memcpy(value + (tensor ? 0 : 4) + l->at, &l->number, l->width); /* behind a key's type; a tensor has none */
        puna_error error = PUNA_ERROR_INIT;
        if (save(bytes, size)) {
            puna_status status = open_file(strncmp(l->file, "encoders", 8) == 0, &error);
            const char *field = l->field ? l->field : l->key;
            if (status != l->status || !strstr(error.subject, field))
                testing_fail(__FILE__, __LINE__, "%s of %s is %llu: status %d, \"%s\": %s", l->key, l->file,
                             (unsigned long long)l->number, status, error.subject, error.message);
        }
        CHECK_EQUAL(puna_memory(), held);
        free(bytes);
    }
}

/* A map's replacement has 256 bytes at most, so that no text grows without bound; one more is refused. */
static void a_replacement_has_a_bound(void) {
    static const char key[] = "tokenizer.ggml.precompiled_charsmap";
    size_t size;
    uint8_t *bytes = read_file("tokenizer/unigram", &size), *value = bytes ? value_of(bytes, size, key) : NULL;
    NEED(value);
    uint8_t *map = value + 16; /* behind the types and the count */
    uint32_t units;
    memcpy(&units, map, sizeof units);
    uint8_t *texts = map + 4 + units;
    for (uint32_t most = 256; most <= 257; most++) {
        puna_error error = PUNA_ERROR_INIT;
        memset(texts, 'x', most);
        texts[most] = 0;
        NEED(save(bytes, size));
        CHECK_EQUAL(open_file(false, &error), most == 256 ? PUNA_OK : PUNA_INVALID_FILE);
        if (most > 256) CHECK(strstr(error.subject, key) && strstr(error.message, "256 bytes"));
    }
    free(bytes);
}

/* ---- any bytes ---- */

enum { ROOM = 4096 };

static int32_t ids[ROOM];
static uint32_t types[ROOM];
static float numbers[ROOM];

/* A pair of texts of any bytes, cut into tokens and told back. */
static uint64_t cut(const puna_tokenizer *t) {
    static char back[1 << 16];
    char text[96];
    puna_error error = PUNA_ERROR_INIT;
    puna_tokenizer_info info = {.size = sizeof info};
    puna_tokenizer_describe(t, &info);
    uint32_t length = testing_below(sizeof text);
    for (uint32_t i = 0; i < length; i++)
        text[i] = (char)(testing_below(4) ? ' ' + testing_below(95) : testing_below(256));
    puna_text first = {text, length / 2}, second = {text + length / 2, length - length / 2};
    uint64_t count = 0, told = 0;
    puna_status status = puna_tokenize_pair(t, &first, testing_below(2) ? &second : NULL, testing_below(2), ids, types,
                                            ROOM, &count, &error);
    if (status != PUNA_OK) { /* a vocabulary may have nothing to frame texts with */
        CHECK(status == PUNA_UNSUPPORTED && error.message[0]);
        return 0;
    }
    for (uint64_t i = 0; i < count; i++) CHECK(ids[i] >= 0 && ids[i] < info.vocabulary && types[i] < 2);
    status = puna_detokenize(t, ids, count, 1, back, sizeof back, &told, &error);
    CHECK(status == PUNA_OK || status == PUNA_BUFFER_TOO_SMALL);
    return count;
}

/* A status, and for each that isn't OK a sentence. */
static void said(puna_status status, const puna_error *error) {
    CHECK(status == PUNA_OK || strlen(error->message) > 9);
}

static void read_texts(puna_model *model) {
    puna_engine *engine = NULL;
    puna_engine_options o;
    puna_error error = PUNA_ERROR_INIT;
    puna_engine_options_default(&o);
    o.threads = 1;
    o.cache_bytes = 1 << 24; /* a decoder's, if it became one */
    if (puna_engine_create(model, &o, &engine, &error) != PUNA_OK) return;
    uint64_t count = cut(puna_model_tokenizer(model));
    if (count > 0 && count < 150) {
        puna_embedding how;
        puna_embedding_default(&how);
        puna_input in = {ids, types, count};
        uint32_t position = (uint32_t)count - 1;
        how.pooling = testing_below(PUNA_POOL_NONE);
        said(puna_engine_embed(engine, &in, 1, &how, numbers, ROOM, NULL, &error), &error);
        said(puna_engine_fill(engine, &in, &position, 1, numbers, ROOM, &error), &error);
    }
    puna_engine_close(engine);
}

/* Returns whether it could be opened. */
static bool try_file(bool whole) {
    puna_model *model = NULL;
    puna_file *file = NULL;
    puna_tokenizer *t = NULL;
    puna_model_options how;
    puna_error error = PUNA_ERROR_INIT;
    puna_model_options_default(&how);
    how.threads = 1;
    puna_status status = whole ? puna_model_load(PATH, &how, NULL, &model, &error)
                               : puna_file_open(PATH, &file, &error);
    if (status == PUNA_OK && !whole) status = puna_tokenizer_load(file, &t, &error);
    CHECK(status == PUNA_OK || status == PUNA_INVALID_FILE || status == PUNA_UNSUPPORTED);
    said(status, &error);
    if (model) read_texts(model);
    for (int i = 0; t && i < 5; i++) cut(t);
    puna_tokenizer_close(t);
    puna_file_close(file);
    puna_model_close(model);
    return status == PUNA_OK;
}

/* What is before the weights: changed, cut off, or one part twice. */
static void damage(uint8_t *bytes, size_t *size, size_t front) {
    if (testing_below(12) == 0) {
        *size = testing_below((uint32_t)*size);
        return;
    }
    if (testing_below(6) == 0) {
        size_t length = 1 + testing_below(300), from = testing_below((uint32_t)(front - length)),
            to = testing_below((uint32_t)(front - length));
        memmove(bytes + to, bytes + from, length);
        return;
    }
    for (uint32_t changes = 1 + testing_below(3); changes > 0; changes--)
        bytes[testing_below((uint32_t)front)] =
            (uint8_t)(testing_below(2) ? testing_below(256) : testing_below(2) * 255);
}

static void any_bytes_may_be_others(void) {
    static const struct { const char *name; size_t front; } files[] = {
        {"encoders/bert_classes", 12000}, {"encoders/xlm_roberta_rank", 12000}, {"encoders/bert_masked", 12000},
        {"encoders/jina_bert_code", 12000}, {"tokenizer/wordpiece", 1 << 20}, {"tokenizer/unigram", 1 << 20}};
    const int rounds = TESTING_THIN(400, 60, 10);
    int opened = 0;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        size_t size;
        uint8_t *bytes = read_file(files[f].name, &size), *changed = malloc(size);
        NEED(bytes && changed);
        const size_t front = files[f].front < size ? files[f].front : size;
        for (int round = 0; round < rounds; round++) {
            size_t now = size;
            uint64_t held = puna_memory();
            memcpy(changed, bytes, size);
            damage(changed, &now, front);
            if (!save(changed, now)) break;
            opened += try_file(strncmp(files[f].name, "encoders", 8) == 0);
            while (puna_log_next(&(puna_log_entry){.size = sizeof(puna_log_entry)})) {}
            CHECK_EQUAL(puna_memory(), held);
        }
        free(bytes);
        free(changed);
    }
    printf("       %d files, %d opened\n", rounds * 6, opened);
    CHECK(opened > 0);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(each_lie_is_named);
    TEST(a_replacement_has_a_bound);
    TEST(any_bytes_may_be_others);
    remove(PATH);
    return testing_end();
}
