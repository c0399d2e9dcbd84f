// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "device/cpu/cpu.h"
#include "device/cpu/pack.h"
#include "format/block.h"

#define ALIGN 64u

/* Where each weight goes in the arena; the same walk measures and lays out. */
typedef struct layout {
    size_t packed;  /* bytes of the matrix's tiles, 0 if none */
    size_t vector;  /* bytes of floats, 0 if none */
    uint64_t mapped;
} layout;

static puna_status unfit(const graph_weight_info *w, puna_error *error) {
    const char *name = block_type_name(w->type);
    return error_set(error, PUNA_UNSUPPORTED, name ? name : "tensor type",
                     "a matrix of %u x %u in this format can't be packed",
                     w->rows, w->cols);
}

static puna_status lay_out(const graph_weight_info *w, layout *out, puna_error *error) {
    memset(out, 0, sizeof *out);
    const block_format *format = block_find(w->type);
    if (!format || w->cols % format->length != 0 || w->rows == 0 || w->cols == 0) return unfit(w, error);
    if (w->uses & GRAPH_USE_MATRIX) {
        size_t tile = pack_tile_bytes(w->type, w->cols);
        size_t tiles = ((size_t)w->rows + CPU_TILE - 1) / CPU_TILE;
        if (tile == 0) return unfit(w, error);
        if (!memory_multiply(tile, tiles, &out->packed)) return error_memory(error, "packed weights", UINT64_MAX);
    } else if (w->uses & GRAPH_USE_ROWS) {
        out->mapped = (uint64_t)w->rows * (w->cols / format->length) * format->bytes;
    }
    if (w->uses & GRAPH_USE_VECTOR) out->vector = (size_t)w->rows * w->cols * sizeof(float);
    return PUNA_OK;
}

static bool grow(size_t *total, size_t bytes) {
    return bytes <= SIZE_MAX - ALIGN && memory_add(*total, (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1), total);
}

puna_status cpu_weights_measure(const graph *g, device_memory *memory, puna_error *error) {
    size_t total = 0;
    memset(memory, 0, sizeof *memory);
    for (uint32_t i = 0; i < g->weight_count; i++) {
        layout l;
        puna_status status = lay_out(&g->weights[i], &l, error);
        if (status != PUNA_OK) return status;
        if (!grow(&total, l.packed) || !grow(&total, l.vector))
            return error_memory(error, "packed weights", UINT64_MAX);
        memory->mapped += l.mapped;
    }
    memory->weights = total;
    memory->tables = sizeof(device_weights) + (uint64_t)g->weight_count * sizeof(cpu_tensor);
    return PUNA_OK;
}

typedef struct packer {
    const graph_weight_info *info;
    const device_source *source;
    uint8_t *out;
    size_t tile_bytes, row_bytes;
    puna_task *task;
} packer;

static void pack_range(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    (void)thread;
    packer *p = context;
    if (task_cancelled(p->task)) return;
    for (uint32_t t = begin; t < end; t++) {
        uint32_t first = t * CPU_TILE, left = p->info->rows - first;
        uint32_t rows = left < CPU_TILE ? left : CPU_TILE;
        pack_tile(p->info->type, p->source->data + (size_t)first * p->row_bytes, p->row_bytes, rows, p->info->cols,
                  p->out + (size_t)t * p->tile_bytes);
        task_advance(p->task, rows * p->row_bytes);
    }
}

static void fill(const graph_weight_info *w, const device_source *source, const layout *l, uint8_t **at,
                 cpu_tensor *out, threads_pool *pool, puna_task *task) {
    const block_format *format = block_find(w->type);
    size_t row_bytes = (size_t)(w->cols / format->length) * format->bytes;
    if (l->packed) {
        size_t tile_bytes = pack_tile_bytes(w->type, w->cols);
        uint32_t tiles = (w->rows + CPU_TILE - 1) / CPU_TILE;
        packer p = {w, source, *at, tile_bytes, row_bytes, task};
        threads_phase phase = {pack_range, &p, tiles, 16};
        threads_run(pool, &phase, 1);
        out->packed = (cpu_weight){w->type, w->rows, w->cols, tiles, tile_bytes, *at};
        *at += (l->packed + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    } else if (w->uses & GRAPH_USE_ROWS) {
        out->rows = source->data;
        out->row_bytes = row_bytes;
    }
    if (!l->packed) task_advance(task, source->bytes); /* read later, row by row, or at once: nothing to wait for */
    if (l->vector) {
        format->decode(source->data, (size_t)w->rows * w->cols, (float *)(void *)*at);
        out->vector = (const float *)(const void *)*at;
        *at += (l->vector + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    }
}

static puna_status load_all(const graph *g, const device_source *sources, threads_pool *pool,
                            puna_task *task, device_weights *w, puna_error *error) {
    uint8_t *at = w->arena;
    for (uint32_t i = 0; i < g->weight_count; i++) {
        layout l;
        puna_status status = lay_out(&g->weights[i], &l, error);
        if (status != PUNA_OK) return status;
        fill(&g->weights[i], &sources[i], &l, &at, &w->tensors[i], pool, task);
        if (task_cancelled(task)) return task_stopped(error, "loading the model");
        if (l.mapped == 0) os_map_release(sources[i].map, sources[i].offset, sources[i].bytes);
    }
    return PUNA_OK;
}

puna_status cpu_weights_load(const graph *g, const device_source *sources, uint32_t threads,
                             puna_task *task, memory_account *account, device_weights **weights, puna_error *error) {
    char forced[16];
    const cpu_kernels *kernels = cpu_kernels_select(forced);
    if (!kernels) return cpu_device.check(error);
    device_memory memory;
    puna_status status = cpu_weights_measure(g, &memory, error);
    if (status != PUNA_OK) return status;
    uint64_t total = 0;
    for (uint32_t i = 0; i < g->weight_count; i++) total += sources[i].bytes;
    task_total(task, total);
    device_weights *w = memory_new(account, sizeof *w);
    threads_pool *pool = NULL;
    if (!w) return error_memory(error, "weights", sizeof *w);
    w->kernels = kernels;
    w->count = g->weight_count;
    w->arena_bytes = memory.weights;
    w->tensors = memory_array(account, w->count, sizeof *w->tensors);
    w->arena = memory_pages_new(account, w->arena_bytes ? w->arena_bytes : 1);
    if (!w->tensors || !w->arena) status = error_memory(error, "packed weights", memory.weights);
    if (status == PUNA_OK) status = threads_create(account, threads, 1, &pool, error);
    if (status == PUNA_OK) status = load_all(g, sources, pool, task, w, error);
    threads_destroy(account, pool);
    if (status != PUNA_OK) {
        cpu_weights_unload(account, w);
        return status;
    }
    *weights = w;
    return PUNA_OK;
}

void cpu_weights_unload(memory_account *account, device_weights *w) {
    if (!w) return;
    memory_pages_free(account, w->arena, w->arena_bytes ? w->arena_bytes : 1);
    memory_free(account, w->tensors);
    memory_free(account, w);
}
