// SPDX-License-Identifier: Apache-2.0
#include "model/adapter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "format/block.h"

#define MOST_RANK 4096u
#define SUFFIX 7u /* of ".lora_a" */

typedef struct loading {
    adapter *adapter;
    const gguf_file *file;
    puna_task *task;
    puna_error *error;
    bool *products, *other; /* [weights] what ops the model has for each: LINEARs, others */
} loading;

/* ---- what the file is ---- */

static bool is(gguf_text text, const char *word) {
    return text.length == strlen(word) && memcmp(text.data, word, text.length) == 0;
}

static puna_status need_text(const loading *l, const char *key, const char *word, const char *why) {
    gguf_text text = {"", 0};
    puna_status status = gguf_get_text(l->file, key, &text, l->error);
    if (status != PUNA_OK || is(text, word)) return status;
    return gguf_error(l->file, l->error, PUNA_UNSUPPORTED, key, gguf_place(l->file, key), "it is \"%.*s\": %s",
                      (int)(text.length < 64 ? text.length : 64), text.data, why);
}

static puna_status check_kind(const loading *l) {
    const adapter *a = l->adapter;
    gguf_text family = {"", 0};
    puna_status status = need_text(l, "general.type", "adapter", "a file of an adapter says \"adapter\" there");
    if (status == PUNA_OK)
        status = need_text(l, "adapter.type", "lora", "low-rank adapters (\"lora\") are supported, no other ones");
    if (status == PUNA_OK) status = gguf_get_text(l->file, "general.architecture", &family, l->error);
    if (status != PUNA_OK) return status;
    if (!is(family, a->model->hyper.architecture))
        return gguf_error(l->file, l->error, PUNA_INVALID_ARGUMENT, "general.architecture",
                          gguf_place(l->file, "general.architecture"),
                          "the adapter is for a model of the architecture \"%.*s\"; this one is \"%s\"",
                          (int)(family.length < 64 ? family.length : 64), family.data, a->model->hyper.architecture);
    const gguf_value *words = gguf_find(l->file, "adapter.alora.invocation_tokens");
    if (words && words->count)
        return gguf_error(l->file, l->error, PUNA_UNSUPPORTED, "adapter.alora.invocation_tokens", words->offset,
                          "an adapter that some tokens activate (aLoRA) is not supported");
    return PUNA_OK;
}

static puna_status read_front(const loading *l) {
    adapter *a = l->adapter;
    gguf_text name = {"", 0};
    puna_status status = gguf_get_f32(l->file, "adapter.lora.alpha", 0, &a->alpha, l->error);
    if (status != PUNA_OK) return status;
    if (!isfinite(a->alpha))
        return gguf_error(l->file, l->error, PUNA_INVALID_FILE, "adapter.lora.alpha",
                          gguf_place(l->file, "adapter.lora.alpha"), "it is not a finite number");
    if (gguf_get_text(l->file, "general.name", &name, NULL) == PUNA_OK && name.length) {
        size_t length = name.length < sizeof a->name ? (size_t)name.length : sizeof a->name - 1;
        memcpy(a->name, name.data, utf8_complete(name.data, length));
    }
    return PUNA_OK;
}

/* ---- tensors ---- */

static void find_uses(const loading *l) {
    const graph *g = &l->adapter->model->graph;
    for (uint32_t i = 0; i < g->op_count; i++) {
        const graph_op *op = &g->ops[i];
        if (op->weight == GRAPH_ABSENT || op->kind == GRAPH_EMBED_OP) continue;
        graph_rows rows = op->out == GRAPH_ABSENT ? GRAPH_NONE : g->values[op->out].rows;
        bool product = op->kind == GRAPH_LINEAR_OP && (rows == GRAPH_TOKENS || rows == GRAPH_OUTPUTS);
        (product ? l->products : l->other)[op->weight] = true;
    }
}

static bool ends(gguf_text name, const char *suffix) {
    return name.length > SUFFIX && memcmp(name.data + name.length - SUFFIX, suffix, SUFFIX) == 0;
}

static puna_status fail(const loading *l, const gguf_tensor *t, puna_status status, const char *what) {
    return gguf_tensor_error(l->file, t, l->error, status, 0, what);
}

/* The model's tensor that NAME.lora_a is about: an output matrix that is the embedding, too, is meant by its own
   name. */
static const gguf_tensor *find_target(const loading *l, const char *name) {
    const gguf_file *file = l->adapter->model->file;
    const gguf_tensor *t = gguf_find_tensor(file, name);
    return t || strcmp(name, "output.weight") != 0 ? t : gguf_find_tensor(file, "token_embd.weight");
}

static puna_status check_shapes(const loading *l, const gguf_tensor *a, const gguf_tensor *b, const gguf_tensor *of) {
    char why[200];
    uint64_t rank = a->shape[1];
    const gguf_tensor *both[] = {a, b};
    for (int i = 0; i < 2; i++) {
        char names[200];
        if (!block_find(both[i]->type)) {
            snprintf(why, sizeof why, "this type of numbers is not supported; supported are: %s",
                     block_names(names, sizeof names));
            return fail(l, both[i], PUNA_UNSUPPORTED, why);
        }
        if (both[i]->shape[2] != 1 || both[i]->shape[3] != 1)
            return fail(l, both[i], PUNA_UNSUPPORTED, "adapters of several matrices in one tensor are not supported");
    }
    if (rank < 1 || rank > MOST_RANK || b->shape[0] != rank) {
        snprintf(why, sizeof why, "the ranks of lora_a and lora_b are %llu and %llu; both must be the same, 1 to %u",
                 (unsigned long long)rank, (unsigned long long)b->shape[0], MOST_RANK);
        return fail(l, a, PUNA_INVALID_FILE, why);
    }
    if (a->shape[0] == of->shape[0] && b->shape[1] == of->shape[1] && of->shape[2] == 1) return PUNA_OK;
    snprintf(why, sizeof why, "it changes a matrix of %llu x %llu; the model's has %llu x %llu: the adapter is for "
             "another model", (unsigned long long)b->shape[1], (unsigned long long)a->shape[0],
             (unsigned long long)of->shape[1], (unsigned long long)of->shape[0]);
    return fail(l, a, PUNA_INVALID_ARGUMENT, why);
}

/* Where a part's numbers come from: rows of a tensor. All that is read counts for the fingerprint. */
typedef struct origin {
    const loading *l;
    const gguf_tensor *tensor;
    uint64_t from;
} origin;

static void count_in(uint64_t *fingerprint, const uint8_t *bytes, size_t count) {
    uint64_t hash = *fingerprint;
    for (size_t i = 0; i < count; i++) hash = (hash ^ bytes[i]) * 0x100000001B3u; /* FNV-1a */
    *fingerprint = hash;
}

static puna_status origin_read(const void *context, uint64_t offset, void *bytes, size_t count, puna_error *error) {
    const origin *o = context;
    if (task_cancelled(o->l->task)) return task_stopped(error, "loading an adapter");
    puna_status status = gguf_tensor_bytes(o->l->file, o->tensor, o->from + offset, bytes, count, error);
    if (status != PUNA_OK) return status;
    count_in(&o->l->adapter->fingerprint, bytes, count);
    task_advance(o->l->task, count);
    return PUNA_OK;
}

static puna_status origin_unsound(const void *context, uint64_t offset, puna_error *error) {
    const origin *o = context;
    return gguf_tensor_error(o->l->file, o->tensor, error, PUNA_INVALID_FILE, o->from + offset,
                             "a number or a block's scale is NaN or infinite: the file is damaged; get it again");
}

/* Parts of one pair of tensors: one for each weight that the model makes of the tensor they change (q, k and v of a
   fused one). Two origins a part. */
static puna_status add_parts(const loading *l, const gguf_tensor *a, const gguf_tensor *b, device_part *parts,
                             origin *origins, uint32_t *count, const gguf_tensor *of) {
    const graph *g = &l->adapter->model->graph;
    uint32_t tensor = (uint32_t)(of - gguf_tensor_at(l->adapter->model->file, 0)), rank = (uint32_t)a->shape[1];
    uint32_t before = *count;
    for (uint32_t w = 0; w < g->weight_count; w++) {
        if (g->weights[w].tensor != tensor || (!l->products[w] && !l->other[w])) continue;
        if (l->other[w])
            return fail(l, a, PUNA_UNSUPPORTED, "adapters can't change this tensor of the model: it is no matrix of a "
                        "plain product (experts, heads and vectors are not)");
        device_part *p = &parts[*count];
        origin *from = &origins[2 * *count];
        uint64_t row = b->bytes / b->shape[1];
        from[0] = (origin){l, a, 0};
        from[1] = (origin){l, b, row * g->weights[w].first_row};
        *p = (device_part){w, rank, l->adapter->alpha != 0 ? l->adapter->alpha / (float)rank : 1.0f, a->type, b->type,
                           {origin_read, origin_unsound, &from[0], a->bytes},
                           {origin_read, origin_unsound, &from[1], row * g->weights[w].rows}};
        ++*count;
    }
    if (*count == before)
        return fail(l, a, PUNA_UNSUPPORTED, "the model has no product with this tensor that an adapter could change");
    return PUNA_OK;
}

static puna_status add_pair(const loading *l, const gguf_tensor *a, device_part *parts, origin *origins,
                            uint32_t *count) {
    char name[96], other[96];
    size_t length = (size_t)a->name.length;
    if (length >= sizeof other) return fail(l, a, PUNA_INVALID_FILE, "its name is too long");
    memcpy(name, a->name.data, length - SUFFIX);
    memcpy(other, a->name.data, length - 1);
    name[length - SUFFIX] = other[length] = 0;
    other[length - 1] = 'b';
    const gguf_tensor *b = gguf_find_tensor(l->file, other), *of = find_target(l, name);
    if (!b) return fail(l, a, PUNA_INVALID_FILE, "there is no lora_b of that name");
    if (strcmp(name, "token_embd.weight") == 0)
        return fail(l, a, PUNA_UNSUPPORTED, "adapters of token embeddings are not supported");
    if (!of)
        return fail(l, a, PUNA_INVALID_ARGUMENT,
                    "the model has no tensor of that name: the adapter is for another model");
    puna_status status = check_shapes(l, a, b, of);
    if (status == PUNA_OK) status = add_parts(l, a, b, parts, origins, count, of);
    if (status != PUNA_OK) return status;
    uint32_t rank = (uint32_t)a->shape[1];
    l->adapter->tensors++;
    l->adapter->parameters += rank * (a->shape[0] + b->shape[1]);
    if (rank > l->adapter->rank) l->adapter->rank = rank;
    return PUNA_OK;
}

static puna_status gather(const loading *l, device_part *parts, origin *origins, uint32_t *count) {
    uint64_t tensors = gguf_tensor_count(l->file);
    for (uint64_t i = 0; i < tensors; i++) {
        const gguf_tensor *t = gguf_tensor_at(l->file, i);
        puna_status status = PUNA_OK;
        if (ends(t->name, ".lora_a")) status = add_pair(l, t, parts, origins, count);
        else if (!ends(t->name, ".lora_b"))
            status = fail(l, t, PUNA_UNSUPPORTED, "an adapter's tensors end with .lora_a or .lora_b: others are not "
                          "supported");
        if (status != PUNA_OK) return status;
    }
    if (l->adapter->tensors == 0 || tensors != 2 * (uint64_t)l->adapter->tensors)
        return gguf_error(l->file, l->error, PUNA_INVALID_FILE, "tensors", PUNA_NO_OFFSET, l->adapter->tensors
                              ? "there is a lora_b without its lora_a" : "the adapter changes no tensor");
    return PUNA_OK;
}

/* A pair changes one tensor, and a tensor has no more weights than the graph. */
static puna_status load_parts(loading *l) {
    const model *m = l->adapter->model;
    memory_account *account = &l->adapter->account;
    uint32_t weights = m->graph.weight_count, count = 0;
    l->products = memory_array(account, weights + 1, sizeof *l->products);
    l->other = memory_array(account, weights + 1, sizeof *l->other);
    device_part *parts = memory_array(account, weights + 1, sizeof *parts);
    origin *origins = memory_array(account, 2 * (size_t)weights + 2, sizeof *origins);
    puna_status status = l->products && l->other && parts && origins
                             ? PUNA_OK
                             : error_memory(l->error, "an adapter", weights * (sizeof *parts + 2 * sizeof *origins));
    if (status == PUNA_OK) {
        find_uses(l);
        status = gather(l, parts, origins, &count);
    }
    task_total(l->task, gguf_size(l->file));
    if (status == PUNA_OK)
        status = m->device->adapter_load(&m->graph, parts, count, account, &l->adapter->data, l->error);
    memory_free(account, l->products);
    memory_free(account, l->other);
    memory_free(account, parts);
    memory_free(account, origins);
    return status;
}

static puna_status load(adapter *a, const char *path, puna_task *task, puna_error *error) {
    gguf_file *file = NULL;
    puna_status status = gguf_open(path, &file, error);
    if (status != PUNA_OK) return status;
    loading l = {.adapter = a, .file = file, .task = task, .error = error};
    a->fingerprint = gguf_fingerprint(file);
    status = check_kind(&l);
    if (status == PUNA_OK) status = read_front(&l);
    if (status == PUNA_OK) status = load_parts(&l);
    gguf_close(file);
    return status;
}

/* ---- one and all ---- */

puna_status adapter_load(model *m, const char *path, puna_task *task, adapter **out, puna_error *error) {
    static _Atomic uint64_t serials;
    memory_account first;
    memory_account_init(&first);
    adapter *a = memory_new(&first, sizeof *a);
    if (!a) return error_memory(error, "an adapter", sizeof *a);
    memory_account_init(&a->account);
    atomic_init(&a->references, 1);
    a->model = model_share(m);
    a->serial = atomic_fetch_add(&serials, 1) + 1;
    puna_status status = load(a, path, task, error);
    if (status != PUNA_OK) {
        adapter_release(a);
        return status;
    }
    log_write(PUNA_LOG_INFO, "loaded the adapter %s: rank %u, %u tensors, %llu bytes", path, a->rank, a->tensors,
              (unsigned long long)adapter_memory(a));
    *out = a;
    return PUNA_OK;
}

adapter *adapter_share(adapter *a) {
    atomic_fetch_add_explicit(&a->references, 1, memory_order_relaxed);
    return a;
}

void adapter_release(adapter *a) {
    if (!a || atomic_fetch_sub_explicit(&a->references, 1, memory_order_acq_rel) != 1) return;
    a->model->device->adapter_unload(&a->account, a->data);
    model_release(a->model);
    memory_account last;
    memory_account_init(&last);
    memory_free(&last, a);
}

uint64_t adapter_memory(const adapter *a) { return memory_used(&a->account) + sizeof *a; }
