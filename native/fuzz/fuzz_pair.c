// SPDX-License-Identifier: Apache-2.0
/*
 * Texts and pairs of texts as encoders read them, up to their vectors:
 *
 *     [model][where the first text ends, 2 bytes][flags][pooling][dimensions][text]
 *
 * Ids and token types fit; what is longer than the context is refused with its length, or cut as is promised, whose
 * vector is that of the ids so cut, bit for bit, whoever shares its step.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

enum { ROOM = 1 << 13, CONTEXT = 16, WIDTH = 64 };

/* BERT's token types; a classifier; a unigram vocabulary with a map of characters; byte-level words, windows. */
static const char *const names[] = {"bert", "xlm_roberta_rank", "t5encoder", "modernbert_masked"};
enum { MODELS = sizeof names / sizeof *names };

static struct { puna_model *model; puna_engine *engine; puna_model_info info; } kept[MODELS];

static int32_t ids[ROOM], cut[CONTEXT];
static uint32_t types[ROOM];
static float vectors[2 * ROOM], alone[CONTEXT * WIDTH];

static void open_model(uint32_t which) {
    char path[512];
    puna_model_options how;
    puna_engine_options o;
    puna_model_options_default(&how);
    puna_engine_options_default(&o);
    how.threads = o.threads = 1;
    o.context_length = CONTEXT;
    o.step_tokens = 3 * CONTEXT;
    snprintf(path, sizeof path, "%s/encoders/%s.gguf", PUNA_TEST_DATA, names[which]);
    FUZZ_CHECK(puna_model_load(path, &how, NULL, &kept[which].model, NULL) == PUNA_OK);
    FUZZ_CHECK(puna_engine_create(kept[which].model, &o, &kept[which].engine, NULL) == PUNA_OK);
    kept[which].info.size = sizeof kept[which].info;
    puna_model_describe(kept[which].model, &kept[which].info);
    FUZZ_CHECK(kept[which].info.embedding_length <= WIDTH && kept[which].info.labels <= WIDTH);
}

static uint64_t encode(uint32_t which, const puna_text *first, const puna_text *second, uint32_t flags) {
    const puna_tokenizer *t = puna_model_tokenizer(kept[which].model);
    puna_error error = PUNA_ERROR_INIT;
    uint64_t count = 0;
    FUZZ_CHECK(puna_tokenize_pair(t, first, second, flags, ids, types, ROOM, &count, &error) == PUNA_OK);
    FUZZ_CHECK(count <= ROOM);
    uint32_t least = 0;
    for (uint64_t i = 0; i < count; i++) {
        FUZZ_CHECK(ids[i] >= 0 && ids[i] < kept[which].info.vocabulary);
        FUZZ_CHECK(types[i] >= least && types[i] < 2);
        least = types[i];
    }
    return count;
}

/* As puna.h says that a text is cut: the first tokens, and the last one where it closes the text. */
static uint64_t shorten(uint32_t which, uint64_t count) {
    if (count <= CONTEXT) {
        memcpy(cut, ids, count * sizeof *ids);
        return count;
    }
    puna_token last = {.size = sizeof last};
    const puna_tokenizer *t = puna_model_tokenizer(kept[which].model);
    FUZZ_CHECK(puna_tokenizer_token(t, ids[count - 1], &last, NULL) == PUNA_OK);
    memcpy(cut, ids, CONTEXT * sizeof *ids);
    if (last.kind == PUNA_TOKEN_CONTROL) cut[CONTEXT - 1] = ids[count - 1];
    return CONTEXT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = {data, size};
    uint32_t which = fuzz_byte(&in) % MODELS, border = fuzz_u16(&in), flags = fuzz_byte(&in);
    puna_embedding how;
    puna_embedding_default(&how);
    how.pooling = fuzz_byte(&in) % 6u;
    how.dimensions = fuzz_byte(&in) % (WIDTH + 1u);
    how.normalize = flags >> 2 & 1;
    size_t length;
    const char *text = fuzz_take(&in, ROOM / 8, &length);
    if (!kept[which].engine) open_model(which);
    puna_engine *engine = kept[which].engine;
    puna_error error = PUNA_ERROR_INIT;

    puna_text first = {text, length ? border % length : 0}, second = {text + first.length, length - first.length};
    uint64_t count = encode(which, &first, flags & 1 ? &second : NULL, flags & 2 ? PUNA_TOKENIZE_SPECIAL : 0);
    uint32_t *kinds = flags & 8 ? types : NULL;
    puna_input inputs[] = {{ids, kinds, count}, {ids, NULL, count ? 1 : 0}};
    puna_status status = puna_engine_embed(engine, inputs, 1, &how, vectors, 2 * ROOM, NULL, &error);
    fuzz_check_error(status, &error);
    if (status == PUNA_CONTEXT_FULL) FUZZ_CHECK(count > CONTEXT && error.needed == count);
    else FUZZ_CHECK(status != PUNA_OK || count <= CONTEXT);

    how.truncate = 1;
    status = puna_engine_embed(engine, inputs, 2, &how, vectors, 2 * ROOM, NULL, &error);
    fuzz_check_error(status, &error);
    if (status != PUNA_OK) { /* another pooling or fewer dimensions than the model has; no text */
        FUZZ_CHECK(status == PUNA_INVALID_ARGUMENT || status == PUNA_UNSUPPORTED);
        return 0;
    }
    puna_input shorter = {cut, kinds, shorten(which, count)};
    how.truncate = 0;
    FUZZ_CHECK(puna_engine_embed(engine, &shorter, 1, &how, alone, CONTEXT * WIDTH, NULL, &error) == PUNA_OK);
    bool scores = how.pooling == PUNA_POOL_SCORES ||
                  (how.pooling == PUNA_POOL_MODEL && kept[which].info.pooling == PUNA_POOL_SCORES);
    uint64_t numbers = scores ? kept[which].info.labels
                              : how.dimensions ? how.dimensions : kept[which].info.embedding_length;
    if (how.pooling == PUNA_POOL_NONE) numbers *= shorter.count;
    FUZZ_CHECK(memcmp(alone, vectors, numbers * sizeof *alone) == 0);
    for (uint64_t i = 0; i < numbers; i++) FUZZ_CHECK(isfinite(alone[i]));
    while (puna_log_next(&(puna_log_entry){.size = sizeof(puna_log_entry)})) {}
    return 0;
}
