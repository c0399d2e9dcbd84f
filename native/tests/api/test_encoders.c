// SPDX-License-Identifier: Apache-2.0
/* Encoders: right answers (transformers', recorded by tools/make_tiny_encoders.py, or torch's: make_tiny_jina.py), the
   same bits whatever shares a step, and what is refused. */
#include <math.h>
#include <stdlib.h>

#include "api/bed.h"
#include "api/golden.h"
#include "base/memory.h"

#define MAX_IDS 256
#define MOST 512

typedef struct example {
    int32_t ids[MAX_IDS], types[MAX_IDS];
    uint32_t kinds[MAX_IDS];
    double means[MAX_IDS], first[MOST], last[MOST], pooled[MOST], scores[MOST], logits[MOST];
    size_t count, width, labels, vocabulary;
    int32_t position;
} example;

static example examples[4];

static size_t read_examples(const golden *g) {
    char name[64];
    size_t count = 0;
    for (const char *at = golden_next(g, NULL, name); at && count < 4; at = golden_next(g, at, name)) {
        example *e = &examples[count++];
        e->count = golden_ids(g, at, "ids", e->ids, MAX_IDS);
        golden_ids(g, at, "types", e->types, MAX_IDS);
        for (size_t i = 0; i < e->count; i++) e->kinds[i] = (uint32_t)e->types[i];
        golden_floats(g, at, "means", e->means, MAX_IDS);
        golden_floats(g, at, "first", e->first, MOST);
        golden_floats(g, at, "last", e->last, MOST);
        e->width = golden_floats(g, at, "pooled", e->pooled, MOST);
        e->labels = golden_floats(g, at, "scores", e->scores, MOST);
        e->vocabulary = golden_floats(g, at, "logits", e->logits, MOST);
        e->position = 0;
        golden_ids(g, at, "position", &e->position, 1);
    }
    return count;
}

static puna_input input_of(const example *e) { return (puna_input){e->ids, e->kinds, e->count}; }

static double worst;

static void far(const char *name, const char *what, size_t count, const float *is, const double *should, double bound) {
    for (size_t i = 0; i < count; i++) {
        double difference = fabs(is[i] - should[i]);
        if (!(difference <= worst)) worst = difference;
        if (!(difference <= bound))
            testing_fail(__FILE__, __LINE__, "%s, %s, number %zu: %.7g, not %.7g", name, what, i, (double)is[i],
                         should[i]);
    }
}

static puna_status embed(bed *b, const puna_input *inputs, size_t count, uint32_t pooling, float *out, size_t room) {
    puna_embedding how;
    puna_embedding_default(&how);
    how.pooling = pooling;
    return puna_engine_embed(b->engine, inputs, count, &how, out, room, NULL, &b->error);
}

static float out[4 * MAX_IDS * 64];

static void compare(bed *b, const char *name, const example *e, double bound) {
    const size_t room = sizeof out / sizeof *out;
    puna_input in = input_of(e);
    NEED(embed(b, &in, 1, PUNA_POOL_NONE, out, room) == PUNA_OK);
    for (size_t row = 0; row < e->count; row++) {
        double sum = 0;
        for (size_t i = 0; i < e->width; i++) sum += out[row * e->width + i];
        float mean = (float)(sum / (double)e->width);
        far(name, "a state's mean", 1, &mean, &e->means[row], bound);
    }
    far(name, "the last state", e->width, out + (e->count - 1) * e->width, e->last, bound);
    NEED(embed(b, &in, 1, PUNA_POOL_FIRST, out, room) == PUNA_OK);
    far(name, "the first state", e->width, out, e->first, bound);
    NEED(embed(b, &in, 1, PUNA_POOL_LAST, out, room) == PUNA_OK);
    far(name, "the last", e->width, out, e->last, bound);
    NEED(embed(b, &in, 1, PUNA_POOL_MEAN, out, room) == PUNA_OK);
    far(name, "the mean", e->width, out, e->pooled, bound);
    CHECK_EQUAL(b->info.labels, e->labels);
    if (e->labels) {
        NEED(embed(b, &in, 1, PUNA_POOL_MODEL, out, room) == PUNA_OK);
        far(name, "scores", e->labels, out, e->scores, bound);
    }
    CHECK_EQUAL((b->info.capabilities & PUNA_CAN_FILL) != 0, e->vocabulary > 0);
    if (e->vocabulary) {
        uint32_t position = (uint32_t)e->position;
        CHECK_EQUAL(b->info.vocabulary, e->vocabulary);
        NEED(puna_engine_fill(b->engine, &in, &position, 1, out, room, &b->error) == PUNA_OK);
        far(name, "logits", e->vocabulary, out, e->logits, bound);
    }
}

static bool open_encoder(bed *b, const char *name, const puna_engine_options *options) {
    char file[96];
    snprintf(file, sizeof file, "../encoders/%s.gguf", name);
    return bed_open(b, file, options);
}

static size_t open_golden(golden *g, const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/encoders/%s.golden", PUNA_TEST_DATA, name);
    return golden_open(g, path) ? read_examples(g) : 0;
}

static void agrees(const char *name) {
    golden g;
    bed b;
    double noise = 0;
    size_t count = open_golden(&g, name);
    NEED(count == 4);
    golden_floats(&g, NULL, "activation_noise", &noise, 1);
    puna_engine_options options = bed_options(2, 64, 4, PUNA_CACHE_F16);
    worst = 0;
    double bound = noise > 0 ? 2 * noise : 1e-4;
    if (open_encoder(&b, name, &options)) {
        for (size_t i = 0; i < count; i++) compare(&b, name, &examples[i], bound);
        printf("       %-20s %zu cases, largest difference %.2g (bound %.2g)\n", name, count, worst, bound);
        bed_close(&b);
    }
    golden_close(&g);
}

static void bert(void) { agrees("bert"); }
static void bert_q8_0(void) { agrees("bert_q8_0"); }
static void bert_masked(void) { agrees("bert_masked"); }
static void bert_classes(void) { agrees("bert_classes"); }
static void roberta_masked(void) { agrees("roberta_masked"); }
static void xlm_roberta_rank(void) { agrees("xlm_roberta_rank"); }
static void distilbert_masked(void) { agrees("distilbert_masked"); }
static void distilbert_classes(void) { agrees("distilbert_classes"); }
static void nomic_bert(void) { agrees("nomic_bert"); }
static void modernbert_masked(void) { agrees("modernbert_masked"); }
static void modernbert_rank(void) { agrees("modernbert_rank"); }
static void gemma_embedding(void) { agrees("gemma_embedding"); }
static void t5encoder(void) { agrees("t5encoder"); }
static void jina_bert(void) { agrees("jina_bert"); }
static void jina_bert_code(void) { agrees("jina_bert_code"); }

/* ---- the promise: tiers, threads, rows of a step, neighbours ---- */

static const char *const tiers[] = {"ref", "avx2", "avx512"};

/* Forty texts, of 1 to 130 tokens, in the order in which they share steps. */
static void fill_inputs(puna_input *inputs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const example *e = &examples[3 - i % 2];
        inputs[i] = (puna_input){e->ids + i, e->kinds + i, 1 + (i * 29) % (e->count - i)};
    }
}

static void same_bits(const char *name, uint32_t pooling) {
    enum { TEXTS = 31 };
    static float alone[TEXTS * 128], together[TEXTS * 128];
    golden g;
    puna_input inputs[TEXTS];
    NEED(open_golden(&g, strncmp(name, "../", 3) == 0 ? "bert" : name) == 4);
    golden_close(&g);
    fill_inputs(inputs, TEXTS);
    for (size_t i = 0; strncmp(name, "../", 3) == 0 && i < TEXTS; i++) inputs[i].types = NULL; /* a decoder */
    size_t width = 0;
    for (int t = TESTING_THIN(0, 0, 1); t < 3; t++) {
        if (!bed_tier(tiers[t])) continue;
        for (uint32_t threads = TESTING_THIN(1, 1, 2); threads <= TESTING_THIN(3, 2, 2); threads++) {
            bed b;
            puna_engine_options o = bed_options(threads, threads == 2 ? 4096 : 1, threads, PUNA_CACHE_F16);
            NEED(open_encoder(&b, name, &o));
            if (width == 0) {
                width = pooling == PUNA_POOL_SCORES ? b.info.labels : b.info.embedding_length;
                for (size_t i = 0; i < TEXTS; i++)
                    NEED(embed(&b, &inputs[i], 1, pooling, alone + i * width, width) == PUNA_OK);
            }
            memset(together, 0, sizeof together);
            CHECK(embed(&b, inputs, TEXTS, pooling, together, TEXTS * width) == PUNA_OK);
            if (memcmp(alone, together, TEXTS * width * sizeof(float)) != 0)
                testing_fail(__FILE__, __LINE__, "%s, tier %s, %u threads: other bits", name, tiers[t], threads);
            bed_close(&b);
        }
    }
    bed_tier(NULL);
}

static void neighbours_change_nothing(void) {
    static const struct { const char *name; uint32_t pooling; } models[] = {
        {"bert_q8_0", PUNA_POOL_MEAN}, {"../tiny/llama", PUNA_POOL_MEAN}, {"modernbert_rank", PUNA_POOL_SCORES},
        {"t5encoder", PUNA_POOL_MEAN}, {"gemma_embedding", PUNA_POOL_FIRST}, {"xlm_roberta_rank", PUNA_POOL_SCORES},
        {"bert", PUNA_POOL_MEAN}};
    for (size_t i = 0; i < TESTING_THIN(7, 3, 1); i++) same_bits(models[i].name, models[i].pooling);
}

/* ---- decoders ---- */

/* The logits are the output matrix times the state that LAST gives. */
static void a_decoders_states_are_those_of_its_logits(void) {
    bed b;
    puna_engine_options o = bed_options(2, 16, 4, PUNA_CACHE_F32);
    NEED(bed_open(&b, "llama.gguf", &o));
    const uint32_t width = b.info.embedding_length, rows = (uint32_t)b.info.vocabulary;
    int32_t ids[50];
    for (int i = 0; i < 50; i++) ids[i] = 20 + i * 7 % 300;
    puna_input in = {ids, NULL, 50};
    float *logits = malloc(rows * sizeof *logits);
    CHECK(embed(&b, &in, 1, PUNA_POOL_MODEL, out, width) == PUNA_OK);
    CHECK(puna_engine_logits(b.engine, ids, 50, 49, logits, rows, NULL, &b.error) == PUNA_OK);
    const puna_file *file = puna_model_file(b.model);
    puna_tensor t = {.size = sizeof t};
    uint64_t i = 0;
    for (; i < puna_file_tensor_count(file); i++)
        if (puna_file_tensor(file, i, &t, NULL) == PUNA_OK && t.name_length == 13 &&
            memcmp(t.name, "output.weight", 13) == 0)
            break;
    NEED(i < puna_file_tensor_count(file) && t.bytes == (uint64_t)width * rows * sizeof(float));
    size_t size;
    uint8_t *bytes = testing_read(PUNA_TEST_DATA "/tiny/llama.gguf", &size);
    NEED(bytes && t.offset + t.bytes <= size);
    for (uint32_t r = 0; r < rows; r++) {
        double sum = 0;
        for (uint32_t k = 0; k < width; k++) {
            float w;
            memcpy(&w, bytes + t.offset + ((size_t)r * width + k) * sizeof w, sizeof w);
            sum += (double)w * out[k];
        }
        CHECK(fabs(sum - logits[r]) < 1e-4);
    }
    free(bytes);
    free(logits);
    bed_close(&b);
}

/* ---- vectors ---- */

static void vectors_are_cut_and_normed(void) {
    golden g;
    bed b;
    NEED(open_golden(&g, "bert") == 4);
    golden_close(&g);
    NEED(open_encoder(&b, "bert", NULL));
    puna_input in = input_of(&examples[2]);
    float whole[64], cut[8];
    CHECK(embed(&b, &in, 1, PUNA_POOL_MEAN, whole, 64) == PUNA_OK);
    puna_embedding how;
    puna_embedding_default(&how);
    how.pooling = PUNA_POOL_MEAN;
    how.dimensions = 8;
    how.normalize = 1;
    CHECK(puna_engine_embed(b.engine, &in, 1, &how, cut, 8, NULL, &b.error) == PUNA_OK);
    double length = 0, squares = 0;
    for (int i = 0; i < 8; i++) length += (double)whole[i] * whole[i], squares += (double)cut[i] * cut[i];
    for (int i = 0; i < 8; i++) CHECK(fabs(cut[i] - whole[i] / sqrt(length)) < 1e-6);
    CHECK(fabs(squares - 1) < 1e-6);
    bed_close(&b);
}

/* A text that is too long is refused, or cut so that its closing [SEP] stays. */
static void long_texts_are_refused_or_cut(void) {
    bed b;
    puna_engine_options o = bed_options(1, 64, 2, PUNA_CACHE_F16);
    o.context_length = 10;
    NEED(open_encoder(&b, "bert", &o));
    int32_t ids[20];
    for (int i = 0; i < 20; i++) ids[i] = 10 + i;
    ids[19] = 3; /* [SEP] */
    puna_input in = {ids, NULL, 20};
    float vectors[2][64];
    puna_embedding how;
    puna_embedding_default(&how);
    CHECK_EQUAL(puna_engine_embed(b.engine, &in, 1, &how, vectors[0], 64, NULL, &b.error), PUNA_CONTEXT_FULL);
    CHECK_EQUAL(b.error.needed, 20);
    CHECK_EQUAL(b.error.available, 10);
    how.truncate = 1;
    CHECK_EQUAL(puna_engine_embed(b.engine, &in, 1, &how, vectors[0], 64, NULL, &b.error), PUNA_OK);
    ids[9] = 3;
    in.count = 10;
    how.truncate = 0;
    CHECK_EQUAL(puna_engine_embed(b.engine, &in, 1, &how, vectors[1], 64, NULL, &b.error), PUNA_OK);
    CHECK(memcmp(vectors[0], vectors[1], b.info.embedding_length * sizeof(float)) == 0);
    bed_close(&b);
}

/* ---- refusals ---- */

static void says_what_a_model_can(void) {
    bed b;
    puna_input in = {(int32_t[]){5, 6}, NULL, 2};
    uint64_t sequence;
    NEED(open_encoder(&b, "bert", NULL));
    CHECK_EQUAL(b.info.capabilities, PUNA_CAN_EMBED);
    CHECK_EQUAL(b.info.pooling, PUNA_POOL_MEAN);
    CHECK_EQUAL(b.info.token_types, 2);
    CHECK(puna_sequence_open(b.engine, &sequence, &b.error) == PUNA_OK);
    CHECK_EQUAL(puna_sequence_generate(b.engine, sequence, in.ids, 2, NULL, &b.error), PUNA_UNSUPPORTED);
    CHECK_TEXT(b.error.message, "this model (bert) can't generate text; it can: embed texts");
    CHECK_EQUAL(puna_engine_logits(b.engine, in.ids, 2, 0, out, 4096, NULL, &b.error), PUNA_UNSUPPORTED);
    CHECK_EQUAL(puna_engine_fill(b.engine, &in, (uint32_t[]){0}, 1, out, 4096, &b.error), PUNA_UNSUPPORTED);
    CHECK_EQUAL(embed(&b, &in, 1, PUNA_POOL_SCORES, out, 4096), PUNA_UNSUPPORTED);
    CHECK_TEXT(b.error.message, "this model (bert) can't score or classify texts; it can: embed texts");
    bed_close(&b);
    NEED(open_encoder(&b, "bert_classes", NULL));
    CHECK_EQUAL(b.info.capabilities, PUNA_CAN_EMBED | PUNA_CAN_SCORE);
    CHECK_EQUAL(b.info.pooling, PUNA_POOL_SCORES);
    bed_close(&b);
    NEED(bed_open(&b, "llama.gguf", NULL));
    CHECK_EQUAL(b.info.capabilities, PUNA_CAN_EMBED | PUNA_CAN_GENERATE);
    bed_close(&b);
}

/* WordPiece tells first and second apart; a model without token types looks at none. */
static void pairs_are_read_without_token_types(void) {
    bed b;
    int32_t ids[16];
    uint32_t types[16];
    uint64_t count;
    float with[128], without[128];
    NEED(open_encoder(&b, "distilbert_classes", NULL));
    CHECK_EQUAL(b.info.token_types, 0);
    puna_text first = {"a", 1}, second = {"b c", 3};
    const puna_tokenizer *t = puna_model_tokenizer(b.model);
    NEED(puna_tokenize_pair(t, &first, &second, 0, ids, types, 16, &count, &b.error) == PUNA_OK);
    CHECK_EQUAL(types[count - 1], 1);
    puna_input inputs[] = {{ids, types, count}, {ids, NULL, count}};
    CHECK_EQUAL(embed(&b, &inputs[0], 1, PUNA_POOL_MEAN, with, 128), PUNA_OK);
    CHECK_EQUAL(embed(&b, &inputs[1], 1, PUNA_POOL_MEAN, without, 128), PUNA_OK);
    CHECK(memcmp(with, without, b.info.embedding_length * sizeof *with) == 0);
    bed_close(&b);
}

static void refuses_what_is_wrong(void) {
    bed b;
    int32_t ids[] = {5, 6, 7};
    uint32_t types[] = {0, 1, 2};
    float vectors[128];
    NEED(open_encoder(&b, "bert", NULL));
    puna_input in = {ids, NULL, 3};
    CHECK_EQUAL(embed(&b, &in, 1, PUNA_POOL_MEAN, vectors, b.info.embedding_length - 1), PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(b.error.needed, b.info.embedding_length);
    CHECK_EQUAL(embed(&b, &in, 1, 6, vectors, 128), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(embed(&b, NULL, 1, PUNA_POOL_MEAN, vectors, 128), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(embed(&b, NULL, 0, PUNA_POOL_MEAN, vectors, 128), PUNA_OK);
    in.count = 0;
    CHECK_EQUAL(embed(&b, &in, 1, PUNA_POOL_MEAN, vectors, 128), PUNA_INVALID_ARGUMENT);
    in = (puna_input){ids, types, 3};
    CHECK_EQUAL(embed(&b, &in, 1, PUNA_POOL_MEAN, vectors, 128), PUNA_INVALID_ARGUMENT);
    types[2] = 1;
    CHECK_EQUAL(embed(&b, &in, 1, PUNA_POOL_MEAN, vectors, 128), PUNA_OK);
    ids[1] = -1;
    CHECK_EQUAL(embed(&b, &in, 1, PUNA_POOL_MEAN, vectors, 128), PUNA_INVALID_ARGUMENT);
    ids[1] = b.info.vocabulary;
    CHECK_EQUAL(embed(&b, &in, 1, PUNA_POOL_MEAN, vectors, 128), PUNA_INVALID_ARGUMENT);
    bed_close(&b);
}

static void is_cancelled(void) {
    bed b;
    puna_task *task;
    int32_t ids[] = {5, 6, 7};
    float vectors[128];
    puna_input in = {ids, NULL, 3};
    NEED(open_encoder(&b, "bert", NULL));
    NEED(puna_task_create(&task, NULL) == PUNA_OK);
    puna_task_cancel(task);
    CHECK_EQUAL(puna_engine_embed(b.engine, &in, 1, NULL, vectors, 128, task, &b.error), PUNA_CANCELLED);
    puna_task_destroy(task);
    CHECK_EQUAL(puna_engine_embed(b.engine, &in, 1, NULL, vectors, 128, NULL, &b.error), PUNA_OK);
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.sequences, 0);
    CHECK_EQUAL(info.pages_used, 0);
    bed_close(&b);
}

/* ---- the plan ---- */

static uint64_t most_memory;

static uint64_t accounted(bed *b) {
    puna_engine_info info = {.size = sizeof info};
    puna_model_info model = {.size = sizeof model};
    puna_engine_describe(b->engine, &info);
    puna_model_describe(b->model, &model);
    return info.memory_bytes + model.memory_bytes;
}

/* Each allocation of the process passes here: the most that was in use with one more. */
static bool watch(void *context, size_t bytes) {
    (void)context;
    uint64_t now = puna_memory() + bytes;
    if (now > most_memory) most_memory = now;
    return true;
}

/* What the plan foretells is what is accounted, within 2%, and all of it comes back. A step has as many texts as it
   can, and as many of them a second page as there are rows for it. */
static void as_planned(const char *name, uint32_t threads, uint32_t step, uint32_t context) {
    enum { RUNS = 64, LONG = 65 };
    static int32_t ids[LONG];
    static float vectors[RUNS * 64];
    puna_input inputs[RUNS];
    bed b;
    NEED(puna_memory() == 0);
    puna_engine_options o = bed_options(threads, step, 4, PUNA_CACHE_F16);
    o.context_length = context;
    NEED(open_encoder(&b, name, &o));
    puna_memory_plan plan = {.size = sizeof plan};
    CHECK(puna_plan(puna_model_file(b.model), &o, &plan, &b.error) == PUNA_OK);
    CHECK_EQUAL(plan.total, plan.weights + plan.vocabulary + plan.cache + plan.scratch + plan.sequences);
    CHECK_EQUAL(plan.embedding, 0);
    for (uint32_t i = 0; i < LONG; i++) ids[i] = (int32_t)(5 + i);
    for (uint32_t i = 0; i < RUNS; i++)
        inputs[i] = (puna_input){ids, NULL, i < (step - RUNS) / (LONG - 1) ? LONG : 1};
    if (context && context < LONG)
        for (uint32_t i = 0; i < RUNS; i++) inputs[i].count = 1;
    most_memory = 0;
    memory_set_gate(watch, NULL);
    CHECK(embed(&b, inputs, RUNS, PUNA_POOL_MEAN, vectors, RUNS * 64) == PUNA_OK);
    memory_set_gate(NULL, NULL);
    uint64_t after = accounted(&b), most = most_memory > after ? most_memory : after;
    if (most > plan.total + plan.total / 50 || most < plan.total - plan.total / 50)
        testing_fail(__FILE__, __LINE__, "%s, step %u: %llu bytes were planned, %llu are accounted", name, step,
                     (unsigned long long)plan.total, (unsigned long long)most);
    bed_close(&b);
    CHECK_EQUAL(puna_memory(), 0);
}

static void memory_is_as_planned(void) {
    as_planned("modernbert_masked", 1, 512, 0);
    as_planned("bert", 2, 512, 0);
    as_planned("bert_q8_0", 3, 2048, 0);
    as_planned("bert_masked", 1, 96, 64);
    as_planned("xlm_roberta_rank", 2, 256, 0);
    as_planned("gemma_embedding", 2, 1024, 128);
    as_planned("jina_bert_code", 4, 512, 0);
    as_planned("t5encoder", 2, 512, 0);
}

/* ---- pairs ---- */

static void pairs_are_framed(void) {
    bed b;
    int32_t ids[16], wanted[] = {2, 0, 3, 0, 0, 3};
    uint32_t types[16];
    uint64_t count;
    NEED(open_encoder(&b, "bert", NULL));
    const puna_tokenizer *t = puna_model_tokenizer(b.model);
    uint64_t plain;
    CHECK(puna_tokenize(t, "a", 1, 0, &wanted[1], 1, &plain, &b.error) == PUNA_OK);
    CHECK(puna_tokenize(t, "b c", 3, 0, &wanted[3], 2, &plain, &b.error) == PUNA_OK);
    puna_text first = {"a", 1}, second = {"b c", 3};
    CHECK(puna_tokenize_pair(t, &first, &second, 0, ids, types, 16, &count, &b.error) == PUNA_OK);
    NEED(count == 6);
    for (int i = 0; i < 6; i++) CHECK_EQUAL(ids[i], wanted[i]);
    for (uint32_t i = 0; i < 6; i++) CHECK_EQUAL(types[i], i >= 3);
    CHECK(puna_tokenize_pair(t, &first, NULL, 0, ids, types, 16, &count, &b.error) == PUNA_OK);
    CHECK_EQUAL(count, 3);
    CHECK(puna_tokenize_pair(t, &first, &second, 0, ids, types, 5, &count, &b.error) == PUNA_BUFFER_TOO_SMALL);
    CHECK_EQUAL(count, 6);
    puna_text masked = {"a [MASK] b", 10};
    CHECK(puna_tokenize_pair(t, &masked, NULL, PUNA_TOKENIZE_SPECIAL, ids, types, 16, &count, &b.error) == PUNA_OK);
    CHECK(count == 5 && ids[2] == 4);
    puna_tokenizer_info info = {.size = sizeof info};
    puna_tokenizer_describe(t, &info);
    CHECK(info.mask == 4 && info.separator == 3 && info.bos == 2);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(memory_is_as_planned);
    TEST(bert);
    TEST(bert_q8_0);
    TEST(bert_masked);
    TEST(bert_classes);
    TEST(roberta_masked);
    TEST(xlm_roberta_rank);
    TEST(distilbert_masked);
    TEST(distilbert_classes);
    TEST(nomic_bert);
    TEST(modernbert_masked);
    TEST(modernbert_rank);
    TEST(gemma_embedding);
    TEST(t5encoder);
    TEST(jina_bert);
    TEST(jina_bert_code);
    TEST(neighbours_change_nothing);
    TEST(a_decoders_states_are_those_of_its_logits);
    TEST(vectors_are_cut_and_normed);
    TEST(long_texts_are_refused_or_cut);
    TEST(says_what_a_model_can);
    TEST(pairs_are_read_without_token_types);
    TEST(refuses_what_is_wrong);
    TEST(is_cancelled);
    TEST(pairs_are_framed);
    return testing_end();
}
