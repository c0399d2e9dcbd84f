// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "device/cpu/cpu.h"
#include "device/cpu/pack.h"
#include "format/block.h"

#define ALIGN 64u

/* Where each weight goes in the arena; the same walk measures and lays out. */
typedef struct layout {
    size_t packed; /* bytes of the matrix's tiles, 0 if none */
    size_t rows;   /* bytes of rows as the file has them, 0 if none */
    size_t vector; /* bytes of floats, 0 if none */
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
    if (w->matrices > 1 && w->uses != GRAPH_USE_MATRIX) return unfit(w, error); /* nothing asks for that */
    if (!format || w->cols % format->length != 0 || w->rows == 0 || w->cols == 0) return unfit(w, error);
    if (w->uses & GRAPH_USE_MATRIX) {
        size_t tile = pack_tile_bytes(w->type, w->cols);
        size_t tiles = ((size_t)w->rows + CPU_TILE - 1) / CPU_TILE;
        if (!memory_multiply(tiles, w->matrices, &tiles)) return error_memory(error, "packed weights", UINT64_MAX);
        if (tile == 0) return unfit(w, error);
        if (!memory_multiply(tile, tiles, &out->packed)) return error_memory(error, "packed weights", UINT64_MAX);
    } else if (w->uses & GRAPH_USE_ROWS) {
        size_t row = (size_t)(w->cols / format->length) * format->bytes;
        if (!memory_multiply(row, w->rows, &out->rows)) return error_memory(error, "weights", UINT64_MAX);
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
        if (!grow(&total, l.packed) || !grow(&total, l.rows) || !grow(&total, l.vector))
            return error_memory(error, "packed weights", UINT64_MAX);
    }
    memory->weights = total;
    memory->tables = sizeof(device_weights) + (uint64_t)g->weight_count * sizeof(cpu_tensor);
    return PUNA_OK;
}

/* What the threads that load share. Each reads into a buffer of its own: a tile's rows, or a piece of rows. */
typedef struct loader {
    const graph_weight_info *info;
    const device_source *source;
    uint8_t *out;
    uint8_t **buffers;      /* [thread] */
    size_t buffer_bytes;
    size_t tile_bytes, row_bytes;
    puna_task *task;
    _Atomic bool failed;    /* the thread that sets it fills status and error */
    puna_status status;
    puna_error error;
} loader;

static void fail(loader *l, puna_status status, const puna_error *error) {
    if (atomic_exchange(&l->failed, true)) return;
    l->status = status;
    l->error = *error;
}

/* Bytes of the weight, from `offset` on, into `to`: false where it failed, or somebody else did, or all is
   cancelled. */
static bool read_sound(loader *l, uint64_t offset, uint8_t *to, size_t count) {
    puna_error error = PUNA_ERROR_INIT;
    const block_format *format = block_find(l->info->type);
    if (task_cancelled(l->task) || atomic_load_explicit(&l->failed, memory_order_relaxed)) return false;
    puna_status status = l->source->read(l->source->context, offset, to, count, &error);
    size_t blocks = count / format->bytes;
    size_t bad = status == PUNA_OK ? block_unsound(l->info->type, to, blocks) : blocks;
    if (bad < blocks) status = l->source->unsound(l->source->context, offset + bad * format->bytes, &error);
    if (status != PUNA_OK) fail(l, status, &error);
    else task_advance(l->task, count);
    return status == PUNA_OK;
}

/* Rows of tile t: tiles begin anew with each matrix. */
static void tile_rows(const graph_weight_info *w, uint32_t t, uint64_t *first, uint32_t *count) {
    uint32_t tiles = (w->rows + CPU_TILE - 1) / CPU_TILE, row = t % tiles * CPU_TILE;
    *first = (uint64_t)(t / tiles) * w->rows + row;
    *count = w->rows - row < CPU_TILE ? w->rows - row : CPU_TILE;
}

static void pack_range(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    loader *l = context;
    for (uint32_t t = begin; t < end; t++) {
        uint64_t first;
        uint32_t rows;
        tile_rows(l->info, t, &first, &rows);
        uint8_t *buffer = l->buffers[thread];
        if (!read_sound(l, first * l->row_bytes, buffer, rows * l->row_bytes)) return;
        pack_tile(l->info->type, buffer, l->row_bytes, rows, l->info->cols, l->out + (size_t)t * l->tile_bytes);
    }
}

/* Tiles of rows, as they are. */
static void copy_range(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    (void)thread;
    loader *l = context;
    for (uint32_t t = begin; t < end; t++) {
        uint32_t first = t * CPU_TILE, left = l->info->rows - first;
        uint32_t rows = left < CPU_TILE ? left : CPU_TILE;
        size_t at = (size_t)first * l->row_bytes;
        if (!read_sound(l, at, l->out + at, rows * l->row_bytes)) return;
    }
}

static size_t aligned(size_t bytes) { return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1); }

/* Numbers of a vector (or of a small matrix used as one), block by block through the caller's buffer. */
static void decode_vector(loader *l, float *out) {
    const block_format *format = block_find(l->info->type);
    uint64_t total = (uint64_t)l->info->rows * l->row_bytes;
    size_t room = l->buffer_bytes / format->bytes * format->bytes;
    for (uint64_t at = 0; at < total; at += room) {
        size_t count = total - at < room ? (size_t)(total - at) : room;
        if (!read_sound(l, at, l->buffers[0], count)) return;
        format->decode(l->buffers[0], count / format->bytes * format->length,
                       out + at / format->bytes * format->length);
    }
}

static void fill(loader *l, const layout *lay, uint8_t **at, cpu_tensor *out, threads_pool *pool) {
    const graph_weight_info *w = l->info;
    const block_format *format = block_find(w->type);
    uint32_t tiles = (w->rows + CPU_TILE - 1) / CPU_TILE;
    l->row_bytes = (size_t)(w->cols / format->length) * format->bytes;
    l->out = *at;
    if (lay->packed) {
        l->tile_bytes = pack_tile_bytes(w->type, w->cols);
        threads_run(pool, &(threads_phase){pack_range, l, tiles * w->matrices, 16}, 1);
        out->packed = (cpu_weight){w->type, w->rows, w->cols, tiles, l->tile_bytes, *at};
        *at += aligned(lay->packed);
    } else if (lay->rows) {
        threads_run(pool, &(threads_phase){copy_range, l, tiles, 16}, 1);
        out->rows = *at;
        out->row_bytes = l->row_bytes;
        *at += aligned(lay->rows);
    }
    if (lay->vector) {
        decode_vector(l, (float *)(void *)*at);
        out->vector = (const float *)(const void *)*at;
        *at += aligned(lay->vector);
    }
}

static puna_status load_all(const graph *g, const device_source *sources, threads_pool *pool, loader *l,
                            device_weights *w, puna_error *error) {
    uint8_t *at = w->arena;
    for (uint32_t i = 0; i < g->weight_count; i++) {
        layout lay;
        puna_status status = lay_out(&g->weights[i], &lay, error);
        if (status != PUNA_OK) return status;
        l->info = &g->weights[i];
        l->source = &sources[i];
        fill(l, &lay, &at, &w->tensors[i], pool);
        if (atomic_load(&l->failed)) {
            if (error) error_at(error, l->status, l->error.subject, l->error.offset, "%s", l->error.message);
            return l->status;
        }
        if (task_cancelled(l->task)) return task_stopped(error, "loading the model");
    }
    return PUNA_OK;
}

/* The longest tile of rows; for vectors a piece that is worth a call. */
static size_t buffer_bytes(const graph *g) {
    size_t most = 1u << 16;
    for (uint32_t i = 0; i < g->weight_count; i++) {
        const block_format *format = block_find(g->weights[i].type);
        size_t tile = (size_t)(g->weights[i].cols / format->length) * format->bytes * CPU_TILE;
        if (tile > most) most = tile;
    }
    return most;
}

/* One buffer a thread; the list and all of them are one block. */
static uint8_t **buffers_new(memory_account *account, uint32_t threads, size_t bytes) {
    size_t list = aligned(threads * sizeof(uint8_t *)), all, whole;
    if (!memory_multiply(bytes, threads, &all) || !memory_add(list, all, &whole)) return NULL;
    uint8_t *block = memory_new(account, whole);
    uint8_t **buffers = (uint8_t **)(void *)block;
    for (uint32_t i = 0; block && i < threads; i++) buffers[i] = block + list + i * bytes;
    return buffers;
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
    loader l = {.task = task, .buffer_bytes = aligned(buffer_bytes(g))};
    l.buffers = buffers_new(account, threads, l.buffer_bytes);
    if (!w->tensors || !w->arena) status = error_memory(error, "packed weights", memory.weights);
    else if (!l.buffers) status = error_memory(error, "reading weights", (uint64_t)threads * l.buffer_bytes);
    if (status == PUNA_OK) status = threads_create(account, threads, 1, &pool, error);
    if (status == PUNA_OK) status = load_all(g, sources, pool, &l, w, error);
    threads_destroy(account, pool);
    memory_free(account, l.buffers);
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
