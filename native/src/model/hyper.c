// SPDX-License-Identifier: Apache-2.0
#include "model/hyper.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/math.h"

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
        r->status = gguf_error(r->file, r->error, PUNA_INVALID_FILE, r->key, gguf_place(r->file, r->key),
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
        r->status = gguf_error(r->file, r->error, PUNA_INVALID_FILE, r->key, gguf_place(r->file, r->key),
                               "%g lies outside %g to %g", (double)value, (double)low, (double)high);
    }
    return value;
}

static bool truth(reader *r, const char *name, bool fallback) {
    bool value = fallback;
    if (r->status == PUNA_OK) r->status = gguf_get_bool(r->file, key_of(r, name), fallback, &value, r->error);
    return value;
}

static bool equals(gguf_text t, const char *text) {
    return t.length == strlen(text) && memcmp(t.data, text, t.length) == 0;
}

/* A converter writes what the model's configuration says; what it leaves out has the paper's values. yarn_attn_factor
   is the configuration's own magnitude, attn_factor one more factor. */
static void read_yarn(reader *r, hyper *h) {
    hyper_yarn *y = &h->yarn;
    y->original_context = get(r, "rope.scaling.original_context_length", h->context_length, 1, 1u << 30);
    y->extrapolation = real(r, "rope.scaling.yarn_ext_factor", 1.0f, 0.0f, 1.0f);
    y->beta_fast = real(r, "rope.scaling.yarn_beta_fast", 32.0f, 1e-3f, 1e6f);
    y->beta_slow = real(r, "rope.scaling.yarn_beta_slow", 1.0f, 1e-3f, 1e6f);
    y->many = real(r, "rope.scaling.yarn_log_multiplier", 0.0f, 0.0f, 100.0f);
    y->exact = strcmp(h->architecture, "gpt-oss") == 0;
    double turn = h->rope_factor > 1.0f ? 0.1 * math_log((double)h->rope_factor) : 0.0;
    float usual = (float)((1.0 + turn) / (y->many > 0.0f ? 1.0 + (double)y->many * turn : 1.0));
    if (strcmp(h->architecture, "deepseek2") == 0 && y->many > 0.0f) { /* converters write a tenth of it there */
        y->many *= 10.0f;
        usual = 1.0f; /* such models have the same multiplier above and below the line */
    }
    y->magnitude = real(r, "rope.scaling.yarn_attn_factor", usual, 1e-3f, 1e3f);
    y->magnitude *= real(r, "rope.scaling.attn_factor", 1.0f, 1e-3f, 1e3f);
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
    } else if (equals(type, "longrope")) {
        h->rope_scaling = HYPER_ROPE_NONE; /* its factors are tensors */
    } else if (equals(type, "linear")) {
        h->rope_scaling = HYPER_ROPE_LINEAR;
    } else if (equals(type, "llama3")) {
        h->rope_scaling = HYPER_ROPE_LLAMA3;
    } else if (equals(type, "yarn")) {
        h->rope_scaling = HYPER_ROPE_YARN;
        read_yarn(r, h);
    } else {
        const char *key = key_of(r, "rope.scaling.type");
        r->status = gguf_error(r->file, r->error, PUNA_UNSUPPORTED, key, gguf_place(r->file, key),
                               "rope scaling \"%.*s\" is not supported; supported are: none, linear, llama3, longrope, "
                               "yarn",
                               (int)(type.length > 64 ? 64 : type.length), type.data);
    }
}

static hyper_activation read_activation(reader *r, const char *name) {
    static const struct { const char *name; hyper_activation f; } known[] = {
        {"gelu", HYPER_GELU}, {"silu", HYPER_SILU}, {"swish", HYPER_SILU}, {"relu", HYPER_RELU}, {"tanh", HYPER_TANH}};
    gguf_text text = {NULL, 0};
    if (r->status == PUNA_OK) r->status = gguf_get_text(r->file, key_of(r, name), &text, r->error);
    if (r->status != PUNA_OK || text.length == 0) return HYPER_FAMILYS_OWN;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (equals(text, known[i].name)) return known[i].f;
    r->status = gguf_error(r->file, r->error, PUNA_UNSUPPORTED, r->key, gguf_place(r->file, r->key),
                           "the activation \"%.*s\" is not supported; supported are: gelu, silu, relu, tanh",
                           (int)(text.length > 64 ? 64 : text.length), text.data);
    return HYPER_FAMILYS_OWN;
}

/* llama.cpp's numbers: none, mean, cls, last, rank. */
static void read_encoder(reader *r, hyper *h) {
    static const uint32_t poolings[] = {PUNA_POOL_MODEL, PUNA_POOL_MEAN, PUNA_POOL_FIRST, PUNA_POOL_LAST,
                                        PUNA_POOL_SCORES};
    h->causal = truth(r, "attention.causal", true);
    h->pooling = poolings[get(r, "pooling_type", 0, 0, 4) % 5];
    h->pooled_scores = get(r, "classifier.pooling_type", 2, 0, 4) == 1;
    h->classifier_activation = read_activation(r, "classifier.activation");
    h->gate_activation = read_activation(r, "hidden_activation");
}

/* One number (a period) or a truth for each layer. */
static void read_pattern(reader *r, hyper *h) {
    if (r->status != PUNA_OK) return;
    const char *key = key_of(r, "attention.sliding_window_pattern");
    const gguf_value *v = gguf_find(r->file, key);
    h->window_period = HYPER_UNSAID;
    if (!v) return;
    if (v->type != PUNA_ARRAY) {
        h->window_period = need(r, "attention.sliding_window_pattern", 0, HYPER_MOST_LAYERS);
        return;
    }
    if (v->count < h->layers) {
        r->status = gguf_error(r->file, r->error, PUNA_INVALID_FILE, key, v->offset, "%llu truths for %u layers",
                               (unsigned long long)v->count, h->layers);
        return;
    }
    h->window_period = HYPER_LISTED;
    for (uint32_t i = 0; i < h->layers; i++) {
        int64_t number = 0;
        if (!gguf_integer(r->file, v, i, &number)) {
            r->status = gguf_error(r->file, r->error, PUNA_INVALID_FILE, key, v->offset, "its elements are no truths");
            return;
        }
        h->windowed[i] = number != 0;
    }
}

uint32_t hyper_window(const hyper *h, uint32_t layer, uint32_t default_period) {
    uint32_t period = h->window_period == HYPER_UNSAID ? default_period : h->window_period;
    if (period == HYPER_LISTED) return h->windowed[layer] ? h->window : 0;
    return period == 0 || layer % period + 1 < period ? h->window : 0;
}

static void read_experts(reader *r, hyper *h) {
    hyper_experts *e = &h->experts;
    e->count = get(r, "expert_count", 0, 0, 1024);
    if (e->count == 0 || r->status != PUNA_OK) return;
    e->chosen = need(r, "expert_used_count", 1, e->count);
    if (e->chosen == 0) e->chosen = 1; /* an error was remembered */
    e->feed_forward = get(r, "expert_feed_forward_length", h->feed_forward, 1, 1u << 20);
    e->shared = get(r, "expert_shared_count", 0, 0, 1024);
    e->shared_feed_forward = get(r, "expert_shared_feed_forward_length", 0, 0, 1u << 20);
    e->dense_layers = get(r, "leading_dense_block_count", 0, 0, HYPER_MOST_LAYERS);
    e->groups = get(r, "expert_group_count", 1, 0, e->count);
    e->groups_chosen = get(r, "expert_group_used_count", e->groups, 0, e->count);
    e->gating = get(r, "expert_gating_func", 0, 0, 3);
    e->renormalize = truth(r, "expert_weights_norm", false);
    e->says_renormalize = gguf_find(r->file, key_of(r, "expert_weights_norm")) != NULL;
    e->scale = real(r, "expert_weights_scale", 0.0f, 0.0f, 1e6f);
}

/* A number, or one for each layer: 0 where that layer is a recurrent one, and elsewhere the same. 0: none attends. */
static uint32_t read_key_heads(reader *r, hyper *h) {
    const char *key = key_of(r, "attention.head_count_kv");
    const gguf_value *v = r->status == PUNA_OK ? gguf_find(r->file, key) : NULL;
    if (!v || v->type != PUNA_ARRAY || h->recurrent.taps == 0)
        return get(r, "attention.head_count_kv", h->heads, 1, 4096);
    int64_t all = 0, number = 0;
    bool fits = v->count >= h->layers;
    for (uint32_t i = 0; fits && i < h->layers; i++) {
        fits = gguf_integer(r->file, v, i, &number) && number >= 0 && number <= 4096;
        h->recurs[i] = number == 0;
        if (all == 0) all = number;
        if (!fits || number == 0 || number == all) continue;
        r->status = gguf_error(r->file, r->error, PUNA_UNSUPPORTED, key, v->offset,
                               "layers with other numbers of key heads than others are not supported");
        return 1;
    }
    if (!fits)
        r->status = gguf_error(r->file, r->error, PUNA_INVALID_FILE, key, v->offset,
                               "a number from 0 to 4096 is needed for each of %u layers", h->layers);
    return (uint32_t)all;
}

static bool attends(const hyper *h) {
    return strcmp(h->architecture, "mamba") != 0 && strcmp(h->architecture, "mamba2") != 0;
}

static void read_heads(reader *r, hyper *h) {
    if (attends(h)) {
        h->heads = need(r, "attention.head_count", 1, 4096);
        if (r->status == PUNA_OK) h->heads_kv = read_key_heads(r, h);
    }
    if (h->heads_kv) return;
    h->heads = h->heads_kv = 1; /* nobody's */
    for (uint32_t i = 0; i < h->layers; i++) h->recurs[i] = true;
}

static void read_recurrent(reader *r, hyper *h) {
    hyper_recurrent *s = &h->recurrent;
    bool brief = gguf_find(r->file, key_of(r, "shortconv.l_cache")) != NULL;
    if (!brief && !gguf_find(r->file, key_of(r, "ssm.conv_kernel"))) return;
    s->taps = need(r, brief ? "shortconv.l_cache" : "ssm.conv_kernel", 2, 16);
    if (brief) return;
    s->inner = need(r, "ssm.inner_size", 1, 1u << 20);
    s->states = need(r, "ssm.state_size", 1, 1u << 12);
    s->rank = need(r, "ssm.time_step_rank", 1, 1u << 16);
    s->groups = get(r, "ssm.group_count", 1, 1, 1u << 12);
    s->normed = truth(r, "ssm.dt_b_c_rms", false);
}

static void read_latent(reader *r, hyper *h) {
    hyper_latent *l = &h->latent;
    l->query = get(r, "attention.q_lora_rank", 0, 0, 1u << 20);
    l->key_value = get(r, "attention.kv_lora_rank", 0, 0, 8192);
    l->dim_k = get(r, "attention.key_length_mla", 0, 0, 8192);
    l->dim_v = get(r, "attention.value_length_mla", 0, 0, 8192);
}

static void read_text_to_text(reader *r, hyper *h) {
    h->decoder_layers = get(r, "decoder_block_count", h->layers, 1, HYPER_MOST_LAYERS);
    h->decoder_start = get(r, "decoder_start_token_id", 0, 0, 1u << 24);
    h->relative_buckets = get(r, "attention.relative_buckets_count", 32, 4, 4096);
    h->relative_reach = get(r, "attention.relative_max_distance", 128, 2, 1u << 16);
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
        return gguf_error(file, error, PUNA_INVALID_FILE, "general.architecture",
                          gguf_place(file, "general.architecture"), "the name is missing or too long");
    memcpy(out, name.data, name.length);
    out[name.length] = 0;
    return PUNA_OK;
}

puna_status hyper_read(const gguf_file *file, hyper *h, puna_error *error) {
    memset(h, 0, sizeof *h);
    puna_status status = hyper_read_architecture(file, h->architecture, error);
    if (status != PUNA_OK) return status;
    reader r = {.file = file, .architecture = h->architecture, .status = PUNA_OK, .error = error};
    h->layers = need(&r, "block_count", 1, HYPER_MOST_LAYERS);
    h->context_length = need(&r, "context_length", 1, 1u << 30);
    h->embedding = need(&r, "embedding_length", 1, 1u << 20);
    if (attends(h)) h->feed_forward = need(&r, "feed_forward_length", 1, 1u << 20);
    read_recurrent(&r, h);
    if (r.status == PUNA_OK) read_heads(&r, h);
    if (r.status != PUNA_OK) return r.status;
    h->head_dim_k = get(&r, "attention.key_length", attends(h) ? h->embedding / h->heads : 2, 1, 8192);
    h->head_dim_v = get(&r, "attention.value_length", h->head_dim_k, 1, 8192);
    h->rotated = get(&r, "rope.dimension_count", h->head_dim_k, 0, 8192);
    h->layer_norm = !gguf_find(file, key_of(&r, "attention.layer_norm_rms_epsilon")) &&
                    gguf_find(file, key_of(&r, "attention.layer_norm_epsilon"));
    h->norm_epsilon = real(&r, h->layer_norm ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
                           1e-5f, 0.0f, 1.0f);
    h->turns = truth(&r, "rope.scaling.finetuned", true);
    h->parallel = truth(&r, "use_parallel_residual", true);
    h->rope_base = real(&r, "rope.freq_base", 10000.0f, 1.0f, 1e12f);
    read_scaling(&r, h);
    h->rope_base_local = real(&r, "rope.freq_base_swa", 10000.0f, 1.0f, 1e12f);
    h->window = get(&r, "attention.sliding_window", 0, 0, 1u << 30);
    read_pattern(&r, h);
    h->rope_original = get(&r, "rope.scaling.original_context_length", h->context_length, 1, 1u << 30);
    h->rope_magnitude = real(&r, "rope.scaling.attn_factor", 1.0f, 1e-3f, 1e3f);
    h->alibi = real(&r, "attention.max_alibi_bias", 0.0f, 0.0f, 1e3f);
    h->clamp_qkv = real(&r, "attention.clamp_kqv", 0.0f, 0.0f, 1e6f);
    read_experts(&r, h);
    read_latent(&r, h);
    read_encoder(&r, h);
    read_text_to_text(&r, h);
    h->final_softcap = real(&r, "final_logit_softcapping", 0.0f, 0.0f, 1e6f);
    h->score_softcap = real(&r, "attn_logit_softcapping", 0.0f, 0.0f, 1e6f);
    h->score_scale = real(&r, "attention.scale", 0.0f, 0.0f, 1e6f);
    h->embedding_scale = real(&r, "embedding_scale", 0.0f, 0.0f, 1e6f);
    h->residual_scale = real(&r, "residual_scale", 0.0f, 0.0f, 1e6f);
    h->logit_scale = real(&r, "logit_scale", 0.0f, 0.0f, 1e6f);
    if (r.status != PUNA_OK) return r.status;
    const char *key = key_of(&r, "attention.head_count_kv");
    if (h->heads % h->heads_kv != 0)
        return gguf_error(file, error, PUNA_INVALID_FILE, key, gguf_place(file, key),
                          "%u heads can't share %u key heads evenly", h->heads, h->heads_kv);
    key = key_of(&r, "rope.dimension_count");
    if (h->rotated > h->head_dim_k || h->rotated % 2 != 0 || h->head_dim_k % 2 != 0)
        return gguf_error(file, error, PUNA_INVALID_FILE, key, gguf_place(file, key),
                          "%u of a head's %u elements can't be rotated in pairs", h->rotated, h->head_dim_k);
    return read_vocabulary(file, h, error);
}
