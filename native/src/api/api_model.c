// SPDX-License-Identifier: Apache-2.0
/* puna.h, part 5, and the memory plan of part 7. */
#include <stdio.h>
#include <string.h>

#include "api/api_structs.h"
#include "base/os.h"
#include "base/utf8.h"
#include "engine/engine.h"
#include "format/block.h"
#include "model/model.h"

void puna_model_options_default(puna_model_options *options) {
    if (options) *options = (puna_model_options){.size = sizeof *options};
}

puna_status puna_model_load(const char *path, const puna_model_options *options, puna_task *task, puna_model **out,
                            puna_error *error) {
    if (out) *out = NULL;
    if (!path || !out)
        return error_set(error, PUNA_INVALID_ARGUMENT, path ? "model" : "path", "%s is NULL", path ? "model" : "path");
    puna_model_options asked;
    puna_model_options_default(&asked);
    structs_take(&asked, options, sizeof asked);
    if (asked.threads > 256)
        return error_set(error, PUNA_INVALID_ARGUMENT, "threads", "threads is %u; it may be 0 to 256", asked.threads);
    return model_load(path, asked.threads, task, out, error);
}

void puna_model_close(puna_model *m) { model_release(m); }

void puna_model_describe(const puna_model *m, puna_model_info *info) {
    if (!m || !info) return;
    const hyper *h = &m->hyper;
    puna_model_info filled = {.layers = h->layers, .context_length = h->context_length,
        .embedding_length = h->embedding, .feed_forward_length = h->feed_forward, .heads = h->heads,
        .heads_kv = h->heads_kv, .head_dimension = h->head_dim_k, .vocabulary = (int32_t)h->vocabulary,
        .parameters = m->parameters, .file_bytes = gguf_size(m->file), .memory_bytes = model_memory(m),
        .fingerprint = gguf_fingerprint(m->file)};
    snprintf(filled.architecture, sizeof filled.architecture, "%s", h->architecture);
    gguf_text name = {"", 0};
    if (gguf_get_text(m->file, "general.name", &name, NULL) == PUNA_OK && name.length) {
        size_t length = name.length < sizeof filled.name ? (size_t)name.length : sizeof filled.name - 1;
        memcpy(filled.name, name.data, utf8_complete(name.data, length));
    }
    filled.capabilities = model_capabilities(m);
    filled.labels = model_labels(m);
    filled.pooling = model_pooling(m);
    filled.token_types = model_types(m);
    const char *type = block_type_name(m->main_type);
    snprintf(filled.type, sizeof filled.type, "%s", type ? type : "");
    structs_give(info, &filled, sizeof filled);
}

const puna_tokenizer *puna_model_tokenizer(const puna_model *m) { return m ? m->tokenizer : NULL; }

const puna_file *puna_model_file(const puna_model *m) { return m ? m->file : NULL; }

static puna_status plan_of(const puna_file *file, const puna_engine_options *options, memory_account *account,
                           puna_memory_plan *plan, puna_error *error) {
    puna_engine_options asked;
    puna_engine_options_default(&asked);
    structs_take(&asked, options, sizeof asked);
    hyper h;
    graph g;
    device_memory memory;
    puna_engine_options decided;
    const device *d = device_find("cpu");
    puna_status status = model_outline(file, account, &h, &g, error);
    if (status != PUNA_OK) return status;
    tokenizer *t = NULL;
    status = d->measure(&g, &memory, error);
    if (status == PUNA_OK) status = engine_decide(&h, &g, d, &asked, &decided, error);
    if (status == PUNA_OK) status = tokenizer_load(file, &t, error);
    engine_bytes bytes;
    if (status == PUNA_OK) status = engine_measure(&h, &g, d, t, &decided, &bytes, error);
    if (status == PUNA_OK) {
        plan->vocabulary = memory_used(account) + tokenizer_memory(t) + gguf_memory(file) + model_overhead(&memory);
        plan->context_length = decided.context_length;
        plan->weights = memory.weights;
        for (uint32_t i = 0; i < g.group_count; i++)
            plan->cache_position += d->page_bytes(&g, i, decided.cache_type) / DEVICE_PAGE;
        plan->cache = decided.cache_bytes;
        plan->scratch = bytes.scratch;
        plan->sequences = bytes.sequences;
        plan->embedding = bytes.embedding;
        plan->total = plan->weights + plan->vocabulary + plan->cache + plan->scratch + plan->sequences;
        if (h.pooling != PUNA_POOL_MODEL) plan->total += plan->embedding; /* it is there to embed */
        plan->available = os_memory_free();
    }
    tokenizer_free(t);
    graph_free(&g);
    return status;
}

puna_status puna_plan(const puna_file *file, const puna_engine_options *options, puna_memory_plan *plan,
                      puna_error *error) {
    if (!file || !plan)
        return error_set(error, PUNA_INVALID_ARGUMENT, file ? "plan" : "file", "%s is NULL", file ? "plan" : "file");
    memory_account account;
    memory_account_init(&account);
    puna_memory_plan filled = {0};
    puna_status status = plan_of(file, options, &account, &filled, error);
    if (status == PUNA_OK) structs_give(plan, &filled, sizeof filled);
    return status;
}
