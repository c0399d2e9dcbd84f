// SPDX-License-Identifier: Apache-2.0
/* Models that can't be run: one thing of a good file is changed at a time, and the sentence must name it. */
#include <stdio.h>
#include <stdlib.h>

#include "format/block.h"
#include "format/gguf_write.h"
#include "model/model.h"
#include "testing.h"

typedef struct change {
    const char *key;                        /* metadata left out or replaced; NULL: none */
    puna_status (*write)(gguf_writer *w, const char *key, puna_error *error); /* NULL: left out */
    const char *tensor;                     /* left out or replaced; NULL: none */
    uint32_t type;                          /* of the replacement, UINT32_MAX: left out */
    uint64_t shape[2];
} change;

static char path[512];
static uint8_t zeros[1 << 20];

static bool is(gguf_text text, const char *name) {
    return text.length == strlen(name) && memcmp(text.data, name, strlen(name)) == 0;
}

static puna_status copy_values(gguf_writer *w, const gguf_file *file, const change *c, puna_error *error) {
    puna_status status = PUNA_OK;
    bool written = false;
    for (uint64_t i = 0; status == PUNA_OK && i < gguf_value_count(file); i++) {
        const gguf_value *v = gguf_value_at(file, i);
        if (!c->key || !is(v->key, c->key)) {
            status = gguf_write_value(w, file, v, error);
        } else {
            written = true;
            if (c->write) status = c->write(w, c->key, error);
        }
    }
    if (status == PUNA_OK && c->key && !written && c->write) status = c->write(w, c->key, error);
    return status;
}

static puna_status copy_tensors(gguf_writer *w, const gguf_file *file, const change *c, puna_error *error) {
    puna_status status = PUNA_OK;
    for (uint64_t i = 0; status == PUNA_OK && i < gguf_tensor_count(file); i++) {
        const gguf_tensor *t = gguf_tensor_at(file, i);
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)t->name.length, t->name.data);
        if (!c->tensor || !is(t->name, c->tensor))
            status = gguf_write_copy(w, file, t, error);
        else if (c->type != UINT32_MAX)
            status = gguf_write_tensor(w, name, c->type, 2, c->shape, zeros, error);
    }
    return status;
}

static const char *base = "tiny/llama.gguf"; /* of tests/data: what is changed */

/* Loads it with one change. */
static puna_status load(const change *c, puna_error *error) {
    char from[512];
    gguf_file *file;
    gguf_writer *writer = NULL;
    model *m = NULL;
    *error = (puna_error)PUNA_ERROR_INIT;
    snprintf(from, sizeof from, "%s/%s", PUNA_TEST_DATA, base);
    snprintf(path, sizeof path, "test_model_refusals.gguf");
    if (gguf_open(from, &file, error) != PUNA_OK) return PUNA_IO;
    puna_status status = gguf_writer_create(3, &writer, error);
    if (status == PUNA_OK) status = copy_values(writer, file, c, error);
    if (status == PUNA_OK) status = copy_tensors(writer, file, c, error);
    if (status == PUNA_OK) status = gguf_writer_save(writer, path, error);
    gguf_writer_free(writer);
    gguf_close(file);
    if (status == PUNA_OK) status = model_load(path, 1, NULL, &m, error);
    model_release(m);
    remove(path);
    return status;
}

static void refused(change c, puna_status status, const char *words) {
    puna_error error;
    puna_status got = load(&c, &error);
    const char *what = c.key ? c.key : c.tensor ? c.tensor : "nothing";
    if (got != status)
        testing_fail(__FILE__, __LINE__, "%s: status %d, not %d (%s: %s)", what, got, status, error.subject,
                     error.message);
    else if (words && !strstr(error.message, words) && !strstr(error.subject, words))
        testing_fail(__FILE__, __LINE__, "%s: \"%s: %s\" lacks \"%s\"", what, error.subject, error.message, words);
}

static puna_status as_zero(gguf_writer *w, const char *key, puna_error *error) {
    return gguf_write_u32(w, key, 0, error);
}
static puna_status as_five(gguf_writer *w, const char *key, puna_error *error) {
    return gguf_write_u32(w, key, 5, error);
}
static puna_status as_huge(gguf_writer *w, const char *key, puna_error *error) {
    return gguf_write_u32(w, key, 4000000000u, error);
}
static puna_status as_text(gguf_writer *w, const char *key, puna_error *error) {
    return gguf_write_text(w, key, (gguf_text){"mambo", 5}, error);
}
static puna_status as_llama3(gguf_writer *w, const char *key, puna_error *error) {
    return gguf_write_text(w, key, (gguf_text){"llama3", 6}, error);
}
static puna_status as_nan(gguf_writer *w, const char *key, puna_error *error) {
    return gguf_write_f32(w, key, 0.0f / (float)(w == NULL), error);
}

static void the_unchanged_file_loads(void) { refused((change){0}, PUNA_OK, NULL); }

static void metadata_that_makes_no_sense(void) {
    static const char *const counts[] = {"llama.block_count", "llama.context_length", "llama.embedding_length",
                                         "llama.feed_forward_length", "llama.attention.head_count",
                                         "llama.attention.head_count_kv"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        refused((change){.key = counts[i], .write = as_zero}, PUNA_INVALID_FILE, counts[i]);
        refused((change){.key = counts[i], .write = as_huge}, PUNA_INVALID_FILE, counts[i]);
        refused((change){.key = counts[i], .write = as_text}, PUNA_INVALID_FILE, counts[i]);
        if (i < 5) refused((change){.key = counts[i]}, PUNA_INVALID_FILE, counts[i]);
    }
    refused((change){.key = "llama.attention.head_count_kv", .write = as_five}, PUNA_INVALID_FILE, "evenly");
    refused((change){.key = "llama.rope.dimension_count", .write = as_five}, PUNA_INVALID_FILE, "rotated");
    refused((change){.key = "llama.attention.layer_norm_rms_epsilon", .write = as_nan}, PUNA_INVALID_FILE, "epsilon");
    refused((change){.key = "llama.rope.freq_base", .write = as_nan}, PUNA_INVALID_FILE, "freq_base");
    refused((change){.key = "llama.rope.scaling.type", .write = as_text}, PUNA_UNSUPPORTED, "mambo");
    refused((change){.key = "llama.rope.scaling.type", .write = as_llama3}, PUNA_UNSUPPORTED, "rope_freqs.weight");
}

static puna_status as_yarn(gguf_writer *w, const char *key, puna_error *error) {
    puna_status status = gguf_write_f32(w, "llama.rope.scaling.factor", 4.0f, error);
    return status == PUNA_OK ? gguf_write_text(w, key, (gguf_text){"yarn", 4}, error) : status;
}

static puna_status as_yarn_of_no_context(gguf_writer *w, const char *key, puna_error *error) {
    puna_status status = gguf_write_u32(w, "llama.rope.scaling.original_context_length", 0, error);
    return status == PUNA_OK ? as_yarn(w, key, error) : status;
}

static void windows_and_scalings_that_make_no_sense(void) {
    refused((change){.key = "llama.attention.sliding_window", .write = as_five}, PUNA_OK, NULL);
    refused((change){.key = "llama.attention.sliding_window", .write = as_zero}, PUNA_OK, NULL);
    refused((change){.key = "llama.attention.sliding_window", .write = as_huge}, PUNA_INVALID_FILE, "sliding_window");
    refused((change){.key = "llama.attention.sliding_window", .write = as_text}, PUNA_INVALID_FILE, "sliding_window");
    refused((change){.key = "llama.attention.sliding_window_pattern", .write = as_text}, PUNA_INVALID_FILE, "pattern");
    refused((change){.key = "llama.attention.sliding_window_pattern", .write = as_huge}, PUNA_INVALID_FILE, "pattern");
    refused((change){.key = "llama.final_logit_softcapping", .write = as_nan}, PUNA_INVALID_FILE, "softcapping");
    refused((change){.key = "llama.rope.scaling.type", .write = as_yarn}, PUNA_OK, NULL);
    refused((change){.key = "llama.rope.scaling.type", .write = as_yarn_of_no_context}, PUNA_INVALID_FILE, "original");
}

static void encoder_decoders_that_make_no_sense(void) {
    static const char *const keys[] = {"t5.decoder_block_count", "t5.decoder_start_token_id",
                                       "t5.attention.relative_buckets_count", "t5.attention.relative_max_distance"};
    static const char *const needed[] = {"enc.blk.0.attn_rel_b.weight", "dec.blk.0.attn_rel_b.weight",
                                         "enc.blk.1.attn_k.weight", "dec.blk.2.cross_attn_k.weight",
                                         "enc.output_norm.weight", "dec.output_norm.weight", "dec.blk.0.ffn_up.weight"};
    base = "text_to_text/t5_gated.gguf";
    refused((change){0}, PUNA_OK, NULL);
    for (size_t i = 0; i < 4; i++) {
        refused((change){.key = keys[i], .write = as_huge}, PUNA_INVALID_FILE, keys[i]);
        refused((change){.key = keys[i], .write = as_text}, PUNA_INVALID_FILE, keys[i]);
        if (i != 1) refused((change){.key = keys[i], .write = as_zero}, PUNA_INVALID_FILE, keys[i]);
    }
    refused((change){.key = keys[3], .write = as_five}, PUNA_INVALID_FILE, keys[2]); /* 32 buckets for 5 distances */
    refused((change){.key = keys[0], .write = as_five}, PUNA_INVALID_FILE, "dec.blk.3");
    for (size_t i = 0; i < 7; i++) {
        refused((change){.tensor = needed[i], .type = UINT32_MAX}, PUNA_INVALID_FILE, needed[i]);
        refused((change){.tensor = needed[i], .type = BLOCK_F32, .shape = {64, 7}}, PUNA_INVALID_FILE, needed[i]);
    }
    base = "tiny/llama.gguf";
}

static void architectures_that_are_not_there(void) {
    refused((change){.key = "general.architecture"}, PUNA_INVALID_FILE, "general.architecture");
    puna_error error;
    change c = {.key = "general.architecture", .write = as_text};
    CHECK_EQUAL(load(&c, &error), PUNA_UNSUPPORTED);
    CHECK(strstr(error.message, "mambo") && strstr(error.message, "llama"));
}

static void tensors_that_do_not_fit(void) {
    static const char *const needed[] = {"token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight",
                                         "blk.1.attn_v.weight", "blk.0.ffn_down.weight", "blk.1.ffn_norm.weight"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        refused((change){.tensor = needed[i], .type = UINT32_MAX}, PUNA_INVALID_FILE, needed[i]);
        if (i)
            refused((change){.tensor = needed[i], .type = BLOCK_F32, .shape = {64, 7}}, PUNA_INVALID_FILE, needed[i]);
    }
    /* Q5_K: by its shape */
    refused((change){.tensor = "blk.0.attn_q.weight", .type = 13, .shape = {256, 96}}, PUNA_INVALID_FILE, "shape");
    gguf_file *file;
    puna_error error = PUNA_ERROR_INIT;
    NEED(gguf_open(PUNA_TEST_DATA "/tiny/llama.gguf", &file, &error) == PUNA_OK);
    const gguf_tensor *q = gguf_find_tensor(file, "blk.0.attn_q.weight");
    change c = {.tensor = "blk.0.attn_q.weight", .type = 28, .shape = {q->shape[0], q->shape[1]}};
    gguf_close(file);
    refused(c, PUNA_UNSUPPORTED, "stored as F64");
    refused(c, PUNA_UNSUPPORTED, "supported are: F32, F16, Q4_0");
}

static void tokenizers_that_do_not_fit(void) {
    refused((change){.key = "tokenizer.ggml.model", .write = as_text}, PUNA_UNSUPPORTED, "mambo");
    refused((change){.key = "tokenizer.ggml.model"}, PUNA_UNSUPPORTED, "tokenizer");
    refused((change){.key = "tokenizer.ggml.tokens"}, PUNA_INVALID_FILE, "tokens");
    refused((change){.key = "tokenizer.ggml.eos_token_id", .write = as_huge}, PUNA_INVALID_FILE, "eos");
}

static puna_status as_true(gguf_writer *w, const char *key, puna_error *error) {
    return gguf_write_bool(w, key, true, error);
}
static puna_status as_false(gguf_writer *w, const char *key, puna_error *error) {
    return gguf_write_bool(w, key, false, error);
}
static puna_status as_one(gguf_writer *w, const char *key, puna_error *error) {
    return gguf_write_u32(w, key, 1, error);
}

static void recurrent_layers_that_make_no_sense(void) {
    static const char *const sizes[] = {"conv_kernel", "inner_size", "state_size", "time_step_rank", "group_count"};
    static const char *const tensors[] = {"ssm_in.weight", "ssm_conv1d.weight", "ssm_a", "ssm_d", "ssm_norm.weight",
                                          "ssm_out.weight"};
    char name[64];
    base = "tiny/mamba2.gguf";
    refused((change){0}, PUNA_OK, NULL);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(name, sizeof name, "mamba2.ssm.%s", sizes[i]);
        refused((change){.key = name, .write = as_zero}, PUNA_INVALID_FILE, sizes[i]);
        refused((change){.key = name, .write = as_huge}, PUNA_INVALID_FILE, sizes[i]);
        refused((change){.key = name, .write = as_text}, PUNA_INVALID_FILE, sizes[i]);
        refused((change){.key = name, .write = as_five}, PUNA_INVALID_FILE, NULL);
        refused((change){.key = name}, PUNA_INVALID_FILE, NULL);
    }
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        snprintf(name, sizeof name, "blk.1.%s", tensors[i]);
        refused((change){.tensor = name, .type = UINT32_MAX}, PUNA_INVALID_FILE, name);
        refused((change){.tensor = name, .type = BLOCK_F32, .shape = {64, 7}}, PUNA_INVALID_FILE, name);
    }
    refused((change){.key = "mamba2.attention.causal", .write = as_false}, PUNA_UNSUPPORTED, "both sides");
    refused((change){.key = "mamba2.feed_forward_length", .write = as_huge}, PUNA_OK, NULL); /* nobody asks */
    base = "tiny/mamba.gguf";
    refused((change){.key = "mamba.ssm.dt_b_c_rms", .write = as_true}, PUNA_UNSUPPORTED, "Falcon Mamba");
    base = "tiny/lfm2.gguf";
    refused((change){.key = "lfm2.shortconv.l_cache", .write = as_one}, PUNA_INVALID_FILE, "l_cache");
    refused((change){.key = "lfm2.shortconv.l_cache", .write = as_five}, PUNA_INVALID_FILE, "shortconv.conv");
    refused((change){.key = "lfm2.attention.head_count_kv", .write = as_one}, PUNA_INVALID_FILE, NULL);
    base = "tiny/llama.gguf";
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(the_unchanged_file_loads);
    TEST(metadata_that_makes_no_sense);
    TEST(windows_and_scalings_that_make_no_sense);
    TEST(encoder_decoders_that_make_no_sense);
    TEST(architectures_that_are_not_there);
    TEST(tensors_that_do_not_fit);
    TEST(tokenizers_that_do_not_fit);
    TEST(recurrent_layers_that_make_no_sense);
    return testing_end();
}
