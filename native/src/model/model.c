// SPDX-License-Identifier: Apache-2.0
#include "model/model.h"

#include <string.h>

#include "base/log.h"
#include "base/threads.h"
#include "model/build.h"

puna_status model_outline(const gguf_file *file, memory_account *account, hyper *h, graph *g, puna_error *error) {
    graph_init(g, account);
    puna_status status = model_check_family(file, error);
    if (status == PUNA_OK) status = hyper_read(file, h, error);
    if (status == PUNA_OK) status = model_build(file, h, g, error);
    if (status != PUNA_OK) graph_free(g);
    return status;
}

/* Parameters, and the type that holds most of them. */
static void count_parameters(model *m) {
    uint64_t best = 0, by_type[64] = {0};
    for (uint64_t i = 0; i < gguf_tensor_count(m->file); i++) {
        const gguf_tensor *t = gguf_tensor_at(m->file, i);
        uint64_t n = t->shape[0] * t->shape[1] * t->shape[2] * t->shape[3];
        m->parameters += n;
        if (t->type >= 64) continue;
        by_type[t->type] += n;
        if (by_type[t->type] > best) {
            best = by_type[t->type];
            m->main_type = t->type;
        }
    }
}

static puna_status check_vocabulary(const model *m, puna_error *error) {
    if ((uint32_t)tokenizer_size(m->tokenizer) <= m->hyper.vocabulary) return PUNA_OK;
    return gguf_error(m->file, error, PUNA_INVALID_FILE, "tokenizer.ggml.tokens",
                      gguf_place(m->file, "tokenizer.ggml.tokens"),
                      "the tokenizer has %d tokens, the embedding only %u rows", tokenizer_size(m->tokenizer),
                      m->hyper.vocabulary);
}

/* A weight's place, for the device: a tensor, or some of its rows. */
typedef struct source {
    const gguf_file *file;
    const gguf_tensor *tensor;
    uint64_t from;  /* bytes of the tensor before it */
    uint64_t bytes;
} source;

/* Of a vector first_row and cols count elements. build.c has checked that all lies within. */
static source source_of(const gguf_file *file, const gguf_tensor *t, const graph_weight_info *w) {
    uint64_t rows = t->shape[1] * t->shape[2];
    bool matrix = rows > 1, whole = (uint64_t)w->rows * w->cols * w->matrices == t->shape[0] * rows;
    uint64_t row = t->bytes / (matrix ? rows : t->shape[0]);
    return (source){file, t, row * w->first_row, whole ? t->bytes : row * (matrix ? w->rows : w->cols)};
}

static puna_status source_read(const void *context, uint64_t offset, void *bytes, size_t count, puna_error *error) {
    const source *s = context;
    return gguf_tensor_bytes(s->file, s->tensor, s->from + offset, bytes, count, error);
}

static puna_status source_unsound(const void *context, uint64_t offset, puna_error *error) {
    const source *s = context;
    return gguf_tensor_error(s->file, s->tensor, error, PUNA_INVALID_FILE, s->from + offset,
                             "a number or a block's scale is NaN or infinite: the file is damaged; get it again");
}

static puna_status load_weights(model *m, uint32_t threads, puna_task *task, puna_error *error) {
    uint32_t count = m->graph.weight_count;
    device_source *sources = memory_array(&m->account, count, sizeof *sources);
    source *places = memory_array(&m->account, count, sizeof *places);
    puna_status status = PUNA_OK;
    if (!sources || !places) status = error_memory(error, "model", count * (sizeof *sources + sizeof *places));
    for (uint32_t i = 0; status == PUNA_OK && i < count; i++) {
        const gguf_tensor *t = gguf_tensor_at(m->file, m->graph.weights[i].tensor);
        places[i] = source_of(m->file, t, &m->graph.weights[i]);
        sources[i] = (device_source){source_read, source_unsound, &places[i], places[i].bytes};
    }
    if (status == PUNA_OK)
        status = m->device->load(&m->graph, sources, threads, task, &m->account, &m->weights, error);
    memory_free(&m->account, sources);
    memory_free(&m->account, places);
    gguf_detach(m->file); /* all of it was read: it may be removed, replaced, unmounted */
    return status;
}

static puna_status load(model *m, const char *path, uint32_t threads, puna_task *task, puna_error *error) {
    puna_status status = m->device->check(error);
    if (status == PUNA_OK) status = gguf_open(path, &m->file, error);
    if (status == PUNA_OK) status = model_outline(m->file, &m->account, &m->hyper, &m->graph, error);
    if (status == PUNA_OK) status = tokenizer_load(m->file, &m->tokenizer, error);
    if (status == PUNA_OK) status = check_vocabulary(m, error);
    if (status == PUNA_OK) status = load_weights(m, threads, task, error);
    if (status == PUNA_OK) count_parameters(m);
    return status;
}

puna_status model_load(const char *path, uint32_t threads, puna_task *task, model **out, puna_error *error) {
    memory_account first;
    memory_account_init(&first);
    model *m = memory_new(&first, sizeof *m);
    if (!m) return error_memory(error, "model", sizeof *m);
    memory_account_init(&m->account);
    atomic_init(&m->references, 1);
    m->device = device_find("cpu");
    graph_init(&m->graph, &m->account);
    puna_status status = load(m, path, threads ? threads : threads_default_count(), task, error);
    if (status != PUNA_OK) {
        model_release(m);
        return status;
    }
    log_write(PUNA_LOG_INFO, "loaded %s: %s, %llu bytes packed", path, m->hyper.architecture,
              (unsigned long long)model_memory(m));
    *out = m;
    return PUNA_OK;
}

model *model_share(model *m) {
    atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
    return m;
}

void model_release(model *m) {
    if (!m || atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) != 1) return;
    m->device->unload(&m->account, m->weights);
    graph_free(&m->graph);
    tokenizer_free(m->tokenizer);
    gguf_close(m->file);
    memory_account last;
    memory_account_init(&last);
    memory_free(&last, m);
}

uint64_t model_overhead(const device_memory *memory) { return sizeof(model) + memory->tables; }

uint64_t model_memory(const model *m) {
    return memory_used(&m->account) + tokenizer_memory(m->tokenizer) + gguf_memory(m->file) + sizeof *m;
}
