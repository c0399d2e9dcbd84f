// SPDX-License-Identifier: Apache-2.0
#include "vocab_recipe.h"

#include "base/utf8.h"
#include "testing.h"
#include "text/bytelevel.h"

const char *recipe_path = "recipe.tmp.gguf";

void recipe_begin(recipe *r, const char *pre) {
    memset(r, 0, sizeof *r);
    r->model = "gpt2";
    r->pre = pre;
    r->bos = r->eos = r->eot = r->unknown = -1;
    r->add_bos = r->add_eos = -1;
    r->space_prefix = r->remove_spaces = -1;
}

void recipe_begin_spm(recipe *r) {
    recipe_begin(r, NULL);
    r->model = "llama";
    r->no_merges = true;
    r->unknown = recipe_piece(r, "<unk>", PUNA_TOKEN_UNKNOWN, 0);
    r->bos = recipe_piece(r, "<s>", PUNA_TOKEN_CONTROL, 0);
    r->eos = recipe_piece(r, "</s>", PUNA_TOKEN_CONTROL, 0);
}

static gguf_text keep(recipe *r, const char *text, size_t length) {
    gguf_text kept = {r->pool + r->pool_used, length};
    if (r->pool_used + length > sizeof r->pool) {
        testing_fail(__FILE__, __LINE__, "the recipe is too large");
        return (gguf_text){r->pool, 0};
    }
    memcpy(r->pool + r->pool_used, text, length);
    r->pool_used += length;
    return kept;
}

int32_t recipe_token(recipe *r, const char *text, size_t length, int32_t kind) {
    r->tokens[r->token_count] = keep(r, text, length);
    r->kinds[r->token_count] = kind;
    r->kind_count = r->token_count + 1;
    return (int32_t)r->token_count++;
}

int32_t recipe_piece(recipe *r, const char *text, int32_t kind, float score) {
    r->scores[r->token_count] = score;
    r->score_count = r->token_count + 1;
    return recipe_token(r, text, strlen(text), kind);
}

void recipe_byte_tokens(recipe *r) {
    for (int byte = 0; byte < 256; byte++) {
        char spelling[8];
        snprintf(spelling, sizeof spelling, "<0x%02X>", byte);
        recipe_piece(r, spelling, PUNA_TOKEN_BYTE, 0);
    }
}

size_t recipe_spell(const char *bytes, size_t length, char *out) {
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        char character[4];
        size_t used = utf8_encode(bytelevel_character((uint8_t)bytes[i]), character);
        memcpy(out + written, character, used);
        written += used;
    }
    out[written] = 0;
    return written;
}

void recipe_bytes(recipe *r) {
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)(unsigned char)byte, spelling[3];
        recipe_token(r, spelling, recipe_spell(&c, 1, spelling), PUNA_TOKEN_NORMAL);
    }
}

void recipe_raw_merge(recipe *r, const char *text) { r->merges[r->merge_count++] = keep(r, text, strlen(text)); }

void recipe_merge(recipe *r, const char *left, const char *right) {
    char both[512];
    int length = snprintf(both, sizeof both, "%s %s", left, right);
    recipe_raw_merge(r, both);
    length = snprintf(both, sizeof both, "%s%s", left, right);
    for (uint32_t i = 0; i < r->token_count; i++) {
        if (r->tokens[i].length == (size_t)length && memcmp(r->tokens[i].data, both, (size_t)length) == 0) return;
    }
    recipe_token(r, both, (size_t)length, PUNA_TOKEN_NORMAL);
}

static void put_id(gguf_writer *writer, const char *key, int64_t id) {
    if (id >= 0) CHECK_EQUAL(gguf_write_u32(writer, key, (uint32_t)id, NULL), PUNA_OK);
}

static void put_name(gguf_writer *writer, const char *key, const char *name) {
    if (name) CHECK_EQUAL(gguf_write_text(writer, key, (gguf_text){name, strlen(name)}, NULL), PUNA_OK);
}

static void put_bool(gguf_writer *writer, const char *key, int value) {
    if (value >= 0) CHECK_EQUAL(gguf_write_bool(writer, key, value, NULL), PUNA_OK);
}

static void put_entries(const recipe *r, gguf_writer *writer) {
    put_name(writer, "tokenizer.ggml.model", r->model);
    put_name(writer, "tokenizer.ggml.pre", r->pre);
    if (!r->no_tokens)
        CHECK_EQUAL(gguf_write_texts(writer, "tokenizer.ggml.tokens", r->tokens, r->token_count, NULL), 0);
    if (!r->no_kinds) {
        CHECK_EQUAL(gguf_write_array(writer, "tokenizer.ggml.token_type", PUNA_INT32, r->kinds, r->kind_count, NULL),
                    0);
    }
    if (!r->no_merges)
        CHECK_EQUAL(gguf_write_texts(writer, "tokenizer.ggml.merges", r->merges, r->merge_count, NULL), 0);
    if (r->score_count) {
        CHECK_EQUAL(gguf_write_array(writer, "tokenizer.ggml.scores", PUNA_FLOAT32, r->scores, r->score_count, NULL),
                    0);
    }
    put_id(writer, "tokenizer.ggml.bos_token_id", r->bos);
    put_id(writer, "tokenizer.ggml.eos_token_id", r->eos);
    put_id(writer, "tokenizer.ggml.eot_token_id", r->eot);
    put_id(writer, "tokenizer.ggml.unknown_token_id", r->unknown);
    put_bool(writer, "tokenizer.ggml.add_bos_token", r->add_bos);
    put_bool(writer, "tokenizer.ggml.add_space_prefix", r->space_prefix);
    put_bool(writer, "tokenizer.ggml.remove_extra_whitespaces", r->remove_spaces);
    put_bool(writer, "tokenizer.ggml.add_eos_token", r->add_eos);
}

gguf_file *recipe_open(const recipe *r) {
    puna_error error = PUNA_ERROR_INIT;
    gguf_writer *writer;
    gguf_file *file = NULL;
    puna_status status = gguf_writer_create(3, &writer, &error);
    if (status == PUNA_OK) {
        put_entries(r, writer);
        status = gguf_writer_save(writer, recipe_path, &error);
        gguf_writer_free(writer);
    }
    if (status == PUNA_OK) status = gguf_open(recipe_path, &file, &error);
    remove(recipe_path);
    if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s: %s", error.subject, error.message);
    return status == PUNA_OK ? file : NULL;
}

tokenizer *recipe_load(const recipe *r, puna_status *status, puna_error *error) {
    tokenizer *t = NULL;
    gguf_file *file = recipe_open(r);
    *status = PUNA_IO;
    if (!file) return NULL;
    *status = tokenizer_load(file, &t, error);
    gguf_close(file);
    return t;
}
