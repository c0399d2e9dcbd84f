// SPDX-License-Identifier: Apache-2.0
/* Adapters that lie, that are cut or changed at any place, callers' mistakes, and allocations that fail: a status each
   time, a sentence that names what it is about, and all memory back. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "puna.h"
#include "testing.h"

#define PATH "test_hostile_adapters.gguf"
#define LAW PUNA_TEST_DATA "/adapters/llama_law.gguf"

static puna_model *model, *t5;
static puna_error error = PUNA_ERROR_INIT;

static puna_model *load_model(const char *name) {
    char path[512];
    puna_model *m = NULL;
    puna_model_options how = {.size = sizeof how, .threads = 1};
    snprintf(path, sizeof path, "%s/%s.gguf", PUNA_TEST_DATA, name);
    if (puna_model_load(path, &how, NULL, &m, &error) != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s", error.message);
    return m;
}

/* ---- lies ---- */

typedef struct tensor {
    const char *name;
    uint64_t shape[3]; /* 0: no more dimensions */
    uint32_t type;
} tensor;

typedef struct lie {
    const char *what;
    const char *kind, *adapter, *architecture; /* NULL: as they should be */
    const char *of;                            /* the model's architecture; NULL: llama */
    float alpha;
    tensor tensors[4];
    float number; /* of all tensors */
    puna_status status;
    const char *words;
} lie;

#define Q "blk.0.attn_q.weight"
#define A {Q ".lora_a", {96, 2}, F32}
#define B {Q ".lora_b", {2, 96}, F32}

enum { F32 = 0, F16 = 1, I8 = 24 };

static const lie lies[] = {
    {"the truth", .tensors = {A, B}, .status = PUNA_OK},
    {"halves", .tensors = {{Q ".lora_a", {96, 2}, F16}, {Q ".lora_b", {2, 96}, F16}}, .status = PUNA_OK},
    {"a model", .kind = "model", .tensors = {A, B}, .status = PUNA_UNSUPPORTED, .words = "\"model\""},
    {"a control vector", .adapter = "control_vector", .tensors = {A, B},
     .status = PUNA_UNSUPPORTED, .words = "low-rank"},
    {"another family", .architecture = "qwen2", .tensors = {A, B}, .status = PUNA_INVALID_ARGUMENT, .words = "qwen2"},
    {"an endless alpha", .alpha = INFINITY, .tensors = {A, B}, .status = PUNA_INVALID_FILE, .words = "finite"},
    {"no tensors", .status = PUNA_INVALID_FILE, .words = "no tensor"},
    {"no B", .tensors = {A}, .status = PUNA_INVALID_FILE, .words = "no lora_b"},
    {"no A", .tensors = {A, B, {"blk.1.attn_q.weight.lora_b", {2, 96}, F32}}, .status = PUNA_INVALID_FILE,
     .words = "without its lora_a"},
    {"two ranks", .tensors = {A, {Q ".lora_b", {3, 96}, F32}}, .status = PUNA_INVALID_FILE, .words = "ranks"},
    {"another tensor", .tensors = {A, B, {"blk.0.attn_norm.weight", {96}, F32}}, .status = PUNA_UNSUPPORTED,
     .words = "end with"},
    {"no such layer", .tensors = {{"blk.7.attn_q.weight.lora_a", {96, 2}, F32},
     {"blk.7.attn_q.weight.lora_b", {2, 96}, F32}},
     .status = PUNA_INVALID_ARGUMENT, .words = "no tensor of that name"},
    {"a norm", .tensors = {{"output_norm.weight.lora_a", {96, 2}, F32}, {"output_norm.weight.lora_b", {2, 1}, F32}},
     .status = PUNA_UNSUPPORTED, .words = "can't change"},
    {"embeddings", .tensors = {{"token_embd.weight.lora_a", {384, 2}, F32}, {"token_embd.weight.lora_b", {2, 96}, F32}},
     .status = PUNA_UNSUPPORTED, .words = "embeddings"},
    {"too narrow", .tensors = {{Q ".lora_a", {95, 2}, F32}, B},
     .status = PUNA_INVALID_ARGUMENT, .words = "another model"},
    {"too high", .tensors = {A, {Q ".lora_b", {2, 97}, F32}},
     .status = PUNA_INVALID_ARGUMENT, .words = "another model"},
    {"a stack", .tensors = {{Q ".lora_a", {96, 2, 2}, F32}, B},
     .status = PUNA_UNSUPPORTED, .words = "several matrices"},
    {"a rank beyond all", .tensors = {{Q ".lora_a", {96, 4097}, F32}, {Q ".lora_b", {4097, 96}, F32}},
     .status = PUNA_INVALID_FILE, .words = "ranks"},
    {"the highest rank", .tensors = {{Q ".lora_a", {96, 4096}, F32}, {Q ".lora_b", {4096, 96}, F32}},
     .status = PUNA_OK},
    {"integers", .tensors = {{Q ".lora_a", {96, 2}, I8}, B}, .status = PUNA_UNSUPPORTED, .words = "type of numbers"},
    {"not numbers", .tensors = {A, B}, .number = NAN, .status = PUNA_INVALID_FILE, .words = "NaN"},
    /* of the encoder-decoder, which is 32 wide, has 2 layers that read and 3 that answer, and heads of 8 */
    {"both halves", .of = "t5", .tensors = {{"enc.blk.1.attn_q.weight.lora_a", {32, 2}, F32},
     {"enc.blk.1.attn_q.weight.lora_b", {2, 32}, F32}, {"dec.blk.2.cross_attn_v.weight.lora_a", {32, 2}, F32},
     {"dec.blk.2.cross_attn_v.weight.lora_b", {2, 32}, F32}}, .status = PUNA_OK},
    {"a layer that reads, beyond", .of = "t5", .tensors = {{"enc.blk.2.attn_q.weight.lora_a", {32, 2}, F32},
     {"enc.blk.2.attn_q.weight.lora_b", {2, 32}, F32}},
     .status = PUNA_INVALID_ARGUMENT, .words = "no tensor of that name"},
    {"an encoder that attends to itself crosswise", .of = "t5",
     .tensors = {{"enc.blk.0.cross_attn_q.weight.lora_a", {32, 2}, F32},
     {"enc.blk.0.cross_attn_q.weight.lora_b", {2, 32}, F32}},
     .status = PUNA_INVALID_ARGUMENT, .words = "no tensor of that name"},
    {"its distances", .of = "t5", .tensors = {{"dec.blk.0.attn_rel_b.weight.lora_a", {4, 2}, F32},
     {"dec.blk.0.attn_rel_b.weight.lora_b", {2, 32}, F32}},
     .status = PUNA_UNSUPPORTED, .words = "no product with this tensor"},
    {"a norm of the source", .of = "t5", .tensors = {{"enc.output_norm.weight.lora_a", {32, 2}, F32},
     {"enc.output_norm.weight.lora_b", {2, 1}, F32}}, .status = PUNA_UNSUPPORTED, .words = "can't change"},
    {"keys of another width", .of = "t5", .tensors = {{"dec.blk.0.cross_attn_k.weight.lora_a", {32, 2}, F32},
     {"dec.blk.0.cross_attn_k.weight.lora_b", {2, 64}, F32}},
     .status = PUNA_INVALID_ARGUMENT, .words = "another model"},
    {"its encoder's", .of = "t5", .architecture = "t5encoder",
     .tensors = {{"enc.blk.0.attn_q.weight.lora_a", {32, 2}, F32}, {"enc.blk.0.attn_q.weight.lora_b", {2, 32}, F32}},
     .status = PUNA_INVALID_ARGUMENT, .words = "t5encoder"},
};

static void put(puna_writer *w, const char *key, const char *text) {
    CHECK(puna_writer_text(w, key, text, strlen(text), &error) == PUNA_OK);
}

static void put_numbers(puna_writer *w, const tensor *t, float number) {
    uint64_t count = t->shape[0] * (t->shape[1] ? t->shape[1] : 1) * (t->shape[2] ? t->shape[2] : 1), bytes = 0;
    float *floats = malloc(count * sizeof *floats);
    uint8_t *out = calloc(count, sizeof *floats);
    for (uint64_t i = 0; i < count; i++) floats[i] = number;
    if (t->type == I8) bytes = count;
    else CHECK(puna_convert_numbers(F32, floats, count, t->type, out, 4 * count, &bytes, &error) == PUNA_OK);
    CHECK(puna_writer_put(w, out, bytes, &error) == PUNA_OK);
    free(out);
    free(floats);
}

static void write_lie(const lie *l) {
    puna_writer *w = NULL;
    float alpha = l->alpha != 0 ? l->alpha : 4;
    CHECK(puna_writer_create(&w, &error) == PUNA_OK);
    put(w, "general.type", l->kind ? l->kind : "adapter");
    put(w, "general.architecture", l->architecture ? l->architecture : l->of ? l->of : "llama");
    put(w, "adapter.type", l->adapter ? l->adapter : "lora");
    CHECK(puna_writer_scalar(w, "adapter.lora.alpha", PUNA_FLOAT32, &alpha, &error) == PUNA_OK);
    for (int i = 0; i < 4 && l->tensors[i].name; i++) {
        const tensor *t = &l->tensors[i];
        uint32_t dimensions = t->shape[2] ? 3 : t->shape[1] ? 2 : 1;
        CHECK(puna_writer_tensor(w, t->name, t->type, dimensions, t->shape, &error) == PUNA_OK);
    }
    CHECK(puna_writer_begin(w, PATH, &error) == PUNA_OK);
    for (int i = 0; i < 4 && l->tensors[i].name; i++)
        put_numbers(w, &l->tensors[i], l->number != 0 ? l->number : 0.5f);
    CHECK(puna_writer_end(w, &error) == PUNA_OK);
    puna_writer_close(w);
}

static void each_lie_is_named(void) {
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        const lie *l = &lies[i];
        puna_adapter *a = NULL;
        write_lie(l);
        uint64_t before = puna_memory();
        error = (puna_error)PUNA_ERROR_INIT;
        puna_status status = puna_adapter_load(l->of ? t5 : model, PATH, NULL, &a, &error);
        if (status != l->status || (l->words && !strstr(error.message, l->words)))
            testing_fail(__FILE__, __LINE__, "%s: %s: %s: %s", l->what, puna_status_name(status), error.subject,
                         error.message);
        CHECK((a != NULL) == (status == PUNA_OK));
        CHECK(status == PUNA_OK || strstr(error.subject, PATH));
        puna_adapter_close(a);
        CHECK_EQUAL(puna_memory(), before);
    }
}

/* ---- damage ---- */

static void write_bytes(const uint8_t *bytes, size_t count) {
    FILE *f = fopen(PATH, "wb");
    NEED(f);
    CHECK(fwrite(bytes, 1, count, f) == count);
    CHECK(fclose(f) == 0);
}

static puna_status try_file(void) {
    puna_adapter *a = NULL;
    uint64_t before = puna_memory();
    puna_status status = puna_adapter_load(model, PATH, NULL, &a, &error);
    CHECK((a != NULL) == (status == PUNA_OK));
    puna_adapter_close(a);
    CHECK_EQUAL(puna_memory(), before);
    return status;
}

static void cut_ones_are_refused(void) {
    size_t size;
    uint8_t *bytes = testing_read(LAW, &size);
    NEED(bytes);
    for (size_t count = 0; count < size; count += size / 97) {
        write_bytes(bytes, count);
        CHECK(try_file() != PUNA_OK);
    }
    free(bytes);
}

static void changed_ones_do_no_harm(void) {
    size_t size, accepted = 0, tries = 0;
    uint8_t *bytes = testing_read(LAW, &size);
    NEED(bytes);
    for (size_t at = 0; at < 2600 && at < size; at += TESTING_THIN(3, 17, 29), tries++) {
        bytes[at] ^= (uint8_t)(1u << at % 8);
        write_bytes(bytes, size);
        accepted += try_file() == PUNA_OK;
        bytes[at] ^= (uint8_t)(1u << at % 8);
    }
    CHECK(accepted < tries); /* of the front, which has names and shapes, hardly a byte may change */
    printf("       %zu of %zu changes were believed\n", accepted, tries);
    free(bytes);
}

/* ---- mistakes ---- */

static void mistakes_are_answered(void) {
    puna_adapter *a = (puna_adapter *)1;
    CHECK_EQUAL(puna_adapter_load(NULL, LAW, NULL, &a, &error), PUNA_INVALID_ARGUMENT);
    CHECK(a == NULL);
    CHECK_EQUAL(puna_adapter_load(model, NULL, NULL, &a, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_adapter_load(model, LAW, NULL, NULL, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_adapter_load(model, "no such file", NULL, &a, &error), PUNA_NOT_FOUND);
    CHECK_EQUAL(puna_adapter_load(model, PUNA_TEST_DATA "/tiny/llama.gguf", NULL, &a, &error), PUNA_UNSUPPORTED);
    puna_adapter_info info = {.size = sizeof info, .rank = 77};
    puna_adapter_describe(NULL, &info);
    CHECK_EQUAL(info.rank, 77);
    puna_task *task = NULL;
    CHECK(puna_task_create(&task, &error) == PUNA_OK);
    puna_task_cancel(task);
    CHECK_EQUAL(puna_adapter_load(model, LAW, task, &a, &error), PUNA_CANCELLED);
    puna_task_destroy(task);
}

static puna_status generate(puna_engine *e, const puna_adapter_use *uses, uint32_t count) {
    uint64_t sequence;
    int32_t ids[] = {5, 6, 7};
    puna_generation g = {.size = sizeof g, .max_tokens = 2, .adapters = uses, .adapter_count = count};
    CHECK(puna_sequence_open(e, &sequence, &error) == PUNA_OK);
    puna_status status = puna_sequence_generate(e, sequence, ids, 3, &g, &error);
    puna_step step = {.size = sizeof step, .active = 1};
    while (status == PUNA_OK && step.active && puna_engine_step(e, &step, &error) == PUNA_OK) {}
    CHECK(puna_sequence_close(e, sequence, &error) == PUNA_OK);
    return status;
}

static void uses_are_checked(void) {
    puna_model *other = load_model("tiny/llama");
    puna_engine *e = NULL;
    puna_adapter *a = NULL, *theirs = NULL;
    NEED(puna_engine_create(model, NULL, &e, &error) == PUNA_OK);
    NEED(puna_adapter_load(model, LAW, NULL, &a, &error) == PUNA_OK);
    NEED(puna_adapter_load(other, LAW, NULL, &theirs, &error) == PUNA_OK);
    puna_adapter_use many[PUNA_MAX_ADAPTERS + 1];
    for (uint32_t i = 0; i <= PUNA_MAX_ADAPTERS; i++) many[i] = (puna_adapter_use){a, 0.1f, 0};
    uint64_t before = puna_memory();
    CHECK_EQUAL(generate(e, many, PUNA_MAX_ADAPTERS + 1), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(generate(e, NULL, 1), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(generate(e, &(puna_adapter_use){NULL, 1, 0}, 1), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(generate(e, &(puna_adapter_use){theirs, 1, 0}, 1), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "another model"));
    CHECK_EQUAL(generate(e, &(puna_adapter_use){a, NAN, 0}, 1), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(generate(e, &(puna_adapter_use){a, INFINITY, 0}, 1), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_engine_adapt(NULL, many, 1, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_engine_adapt(e, NULL, 1, &error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_engine_adapt(e, &(puna_adapter_use){theirs, 1, 0}, 1, &error), PUNA_INVALID_ARGUMENT);
    CHECK(puna_engine_trim(e, &error) == PUNA_OK);
    CHECK(puna_memory() <= before);
    CHECK_EQUAL(generate(e, many, PUNA_MAX_ADAPTERS), PUNA_OK);
    CHECK_EQUAL(generate(e, many, 1), PUNA_OK);
    puna_adapter_close(a);
    puna_adapter_close(theirs);
    puna_engine_close(e);
    puna_model_close(other);
}

/* ---- faults ---- */

static uint32_t allowed;
static bool refused;

static bool ration(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    if (allowed-- > 0) return true;
    allowed = 0;
    return !(refused = true);
}

static puna_status answer(puna_engine *e, uint64_t sequence, const puna_generation *g) {
    static const int32_t ids[] = {5, 6, 7};
    puna_status status = puna_sequence_generate(e, sequence, ids, 3, g, &error);
    puna_step step = {.size = sizeof step, .active = 1};
    while (status == PUNA_OK && step.active) status = puna_engine_step(e, &step, &error);
    return status;
}

static puna_status save_and_go_on(puna_engine *e, uint64_t sequence, const puna_generation *g) {
    static uint8_t saved[1 << 16];
    uint64_t length = 0;
    puna_status status = puna_sequence_save(e, sequence, saved, sizeof saved, &length, &error);
    if (status == PUNA_OK) status = puna_sequence_restore(e, saved, length, &sequence, &error);
    return status == PUNA_OK ? puna_sequence_generate(e, sequence, (int32_t[]){5, 6, 7}, 3, g, &error) : status;
}

/* The same source with another set, then a search with log-probabilities. */
static puna_status read_again_and_search(puna_engine *e, uint64_t sequence, puna_adapter_use *use) {
    use->weight = 0.5f;
    puna_generation g = {.size = sizeof g, .max_tokens = 4, .adapters = use, .adapter_count = 1};
    puna_status status = answer(e, sequence, &g);
    g.beams = 2;
    g.length_penalty = 1;
    g.top_logprobs = 3;
    return status == PUNA_OK ? answer(e, sequence, &g) : status;
}

static puna_status load_and_use(puna_model *m, const char *path) {
    puna_engine *e = NULL;
    puna_adapter *a = NULL;
    uint64_t sequence = 0;
    puna_engine_options o;
    puna_engine_options_default(&o);
    o.threads = 1;
    o.context_length = 64;
    o.max_sequences = 2;
    puna_status status = puna_adapter_load(m, path, NULL, &a, &error);
    if (status == PUNA_OK) status = puna_engine_create(m, &o, &e, &error);
    puna_adapter_use use = {a, 1, 0};
    if (status == PUNA_OK) status = puna_engine_adapt(e, &use, 1, &error);
    puna_generation g = {.size = sizeof g, .max_tokens = 2, .adapters = &use, .adapter_count = 1};
    if (status == PUNA_OK) status = puna_sequence_open(e, &sequence, &error);
    if (status == PUNA_OK) status = answer(e, sequence, &g);
    if (status == PUNA_OK && m == model) status = save_and_go_on(e, sequence, &g);
    if (status == PUNA_OK && m == t5) status = read_again_and_search(e, sequence, &use);
    puna_engine_close(e);
    puna_adapter_close(a);
    return status;
}

static void allocations_fail(puna_model *m, const char *path) {
    uint64_t before = puna_memory();
    uint32_t n = 0;
    for (; n < 2000; n++) {
        allowed = n;
        refused = false;
        memory_set_gate(ration, NULL);
        puna_status status = load_and_use(m, path);
        memory_set_gate(NULL, NULL);
        while (puna_log_next(&(puna_log_entry){.size = sizeof(puna_log_entry)})) {}
        CHECK_EQUAL(puna_memory(), before);
        if (!refused) {
            CHECK_EQUAL(status, PUNA_OK);
            break;
        }
        CHECK(status == PUNA_OUT_OF_MEMORY || status == PUNA_OK); /* a prefix that is not remembered harms nobody */
    }
    CHECK(n > 30 && n < 2000);
    printf("       %u allocations failed\n", n);
}

static void each_allocation_may_fail(void) {
    allocations_fail(model, LAW);
    allocations_fail(t5, PUNA_TEST_DATA "/adapters/t5_law.gguf");
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    model = load_model("tiny/llama");
    t5 = load_model("text_to_text/t5");
    if (model && t5) {
        TEST(each_lie_is_named);
        TEST(cut_ones_are_refused);
        TEST(changed_ones_do_no_harm);
        TEST(mistakes_are_answered);
        TEST(uses_are_checked);
        TEST(each_allocation_may_fail);
    }
    puna_model_close(model);
    puna_model_close(t5);
    remove(PATH);
    return testing_end();
}
