// SPDX-License-Identifier: Apache-2.0
#include "model/hyper.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct reader {
    const gguf_file *file;
    const char *architecture;
    char key[96];
    puna_status status;
    puna_error *error;
} reader;

static const char *key_of(reader *r, const char *name) {
    snprintf(r->key, sizeof r->key, "%s.%s", r->architecture, name);
    return r->key;
}

static uint32_t ranged(reader *r, uint32_t value, uint32_t low, uint32_t high) {
    if (r->status == PUNA_OK && (value < low || value > high)) {
        const gguf_value *at = gguf_find(r->file, r->key);
        r->status = gguf_error(r->file, r->error, PUNA_INVALID_FILE, r->key, at ? at->offset : PUNA_NO_OFFSET,
                               "%u lies outside %u to %u", value, low, high);
    }
    return value;
}

static uint32_t need(reader *r, const char *name, uint32_t low, uint32_t high) {
    uint32_t value = low;
    if (r->status == PUNA_OK) r->status = gguf_need_u32(r->file, key_of(r, name), &value, r->error);
    return ranged(r, value, low, high);
}

static uint32_t get(reader *r, const char *name, uint32_t fallback, uint32_t low, uint32_t high) {
    uint32_t value = fallback;
    if (r->status == PUNA_OK) r->status = gguf_get_u32(r->file, key_of(r, name), fallback, &value, r->error);
    return ranged(r, value, low, high);
}

static float real(reader *r, const char *name, float fallback, float low, float high) {
    float value = fallback;
    if (r->status == PUNA_OK) r->status = gguf_get_f32(r->file, key_of(r, name), fallback, &value, r->error);
    if (r->status == PUNA_OK && !(value >= low && value <= high)) {
        const gguf_value *at = gguf_find(r->file, r->key);
        r->status = gguf_error(r->file, r->error, PUNA_INVALID_FILE, r->key, at ? at->offset : PUNA_NO_OFFSET,
                               "%g lies outside %g to %g", (double)value, (double)low, (double)high);
    }
    return value;
}

static bool equals(gguf_text t, const char *text) {
    return t.length == strlen(text) && memcmp(t.data, text, t.length) == 0;
}

static void read_scaling(reader *r, hyper *h) {
    gguf_text type = {NULL, 0};
    if (r->status == PUNA_OK) r->status = gguf_get_text(r->file, key_of(r, "rope.scaling.type"), &type, r->error);
    if (r->status != PUNA_OK) return;
    h->rope_factor = real(r, "rope.scaling.factor", 1.0f, 1e-6f, 1e6f);
    if (type.length == 0 || equals(type, "none")) {
        /* older files give the factor alone, as its inverse */
        float scale = real(r, "rope.scale_linear", 1.0f, 1e-6f, 1e6f);
        if (h->rope_factor == 1.0f && scale != 1.0f) h->rope_factor = scale;
        h->rope_scaling = h->rope_factor != 1.0f && type.length == 0 ? HYPER_ROPE_LINEAR : HYPER_ROPE_NONE;
    } else if (equals(type, "linear")) {
        h->rope_scaling = HYPER_ROPE_LINEAR;
    } else if (equals(type, "llama3")) {
        h->rope_scaling = HYPER_ROPE_LLAMA3;
    } else {
        gguf_error(r->file, r->error, PUNA_UNSUPPORTED, "rope.scaling.type", PUNA_NO_OFFSET,
                   "rope scaling \"%.*s\" is not supported; supported are: none, linear, llama3",
                   (int)(type.length > 64 ? 64 : type.length), type.data);
        r->status = PUNA_UNSUPPORTED;
    }
}

static puna_status read_vocabulary(const gguf_file *file, hyper *h, puna_error *error) {
    const gguf_tensor *table = gguf_find_tensor(file, "token_embd.weight");
    if (!table)
        return gguf_error(file, error, PUNA_INVALID_FILE, "token_embd.weight", PUNA_NO_OFFSET, "the tensor is missing");
    if (table->shape[1] < 1 || table->shape[1] > 1u << 24)
        return gguf_error(file, error, PUNA_INVALID_FILE, "token_embd.weight", table->offset,
                          "a vocabulary of %llu tokens lies outside 1 to %u", (unsigned long long)table->shape[1],
                          1u << 24);
    h->vocabulary = (uint32_t)table->shape[1];
    return PUNA_OK;
}

puna_status hyper_read_architecture(const gguf_file *file, char out[32], puna_error *error) {
    gguf_text name;
    puna_status status = gguf_get_text(file, "general.architecture", &name, error);
    if (status != PUNA_OK) return status;
    if (name.length == 0 || name.length >= 32)
        return gguf_error(file, error, PUNA_INVALID_FILE, "general.architecture", PUNA_NO_OFFSET,
                          "the name is missing or too long");
    memcpy(out, name.data, name.length);
    out[name.length] = 0;
    return PUNA_OK;
}

puna_status hyper_read(const gguf_file *file, hyper *h, puna_error *error) {
    memset(h, 0, sizeof *h);
    puna_status status = hyper_read_architecture(file, h->architecture, error);
    if (status != PUNA_OK) return status;
    reader r = {.file = file, .architecture = h->architecture, .status = PUNA_OK, .error = error};
    h->layers = need(&r, "block_count", 1, 1024);
    h->context_length = need(&r, "context_length", 1, 1u << 30);
    h->embedding = need(&r, "embedding_length", 1, 1u << 20);
    h->feed_forward = need(&r, "feed_forward_length", 1, 1u << 20);
    h->heads = need(&r, "attention.head_count", 1, 4096);
    h->heads_kv = get(&r, "attention.head_count_kv", h->heads, 1, 4096);
    if (r.status != PUNA_OK) return r.status;
    h->head_dim_k = get(&r, "attention.key_length", h->embedding / h->heads, 1, 8192);
    h->head_dim_v = get(&r, "attention.value_length", h->head_dim_k, 1, 8192);
    h->rotated = get(&r, "rope.dimension_count", h->head_dim_k, 0, 8192);
    h->norm_epsilon = real(&r, "attention.layer_norm_rms_epsilon", 1e-5f, 0.0f, 1.0f);
    h->rope_base = real(&r, "rope.freq_base", 10000.0f, 1.0f, 1e12f);
    read_scaling(&r, h);
    if (r.status != PUNA_OK) return r.status;
    if (h->heads % h->heads_kv != 0)
        return gguf_error(file, error, PUNA_INVALID_FILE, "attention.head_count_kv", PUNA_NO_OFFSET,
                          "%u heads can't share %u key heads evenly", h->heads, h->heads_kv);
    if (h->rotated > h->head_dim_k || h->rotated % 2 != 0 || h->head_dim_k % 2 != 0)
        return gguf_error(file, error, PUNA_INVALID_FILE, "rope.dimension_count", PUNA_NO_OFFSET,
                          "%u of a head's %u elements can't be rotated in pairs", h->rotated, h->head_dim_k);
    return read_vocabulary(file, h, error);
}
