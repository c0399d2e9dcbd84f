// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/cpu_adapter.h"

#include <string.h>

#include "device/cpu/cpu_rows.h"
#include "device/cpu/pack.h"
#include "format/block.h"

#define ALIGN 64u

/* ---- loading ---- */

/* Quantized numbers become floats: their blocks need not divide a rank, and an adapter is small. */
static uint32_t held_as(uint32_t type) { return cpu_quantizes(type) ? BLOCK_F32 : type; }

static bool packed_bytes(uint32_t type, uint32_t rows, uint32_t cols, size_t *bytes) {
    size_t tiles = ((size_t)rows + CPU_TILE - 1) / CPU_TILE, tile = pack_tile_bytes(held_as(type), cols);
    return tile && memory_multiply(tiles, tile, bytes) && *bytes <= SIZE_MAX - ALIGN;
}

static size_t aligned(size_t bytes) { return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1); }

/* Both matrices of a part, or an error: what the caller checked already is not told apart. */
static puna_status part_bytes(const graph *g, const device_part *p, size_t *bytes, puna_error *error) {
    const graph_weight_info *w = &g->weights[p->weight];
    const block_format *a = block_find(p->type_a), *b = block_find(p->type_b);
    size_t first, second;
    if (!a || !b || p->rank == 0 || w->cols % a->length != 0 || p->rank % b->length != 0)
        return error_set(error, PUNA_UNSUPPORTED, "adapter", "matrices of rank %u in these formats can't be packed",
                         p->rank);
    if (!packed_bytes(p->type_a, p->rank, w->cols, &first) || !packed_bytes(p->type_b, w->rows, p->rank, &second) ||
        !memory_add(aligned(first), aligned(second), bytes))
        return error_memory(error, "an adapter", UINT64_MAX);
    return PUNA_OK;
}

/* A tile's rows as they are in the file, and as floats where they were quantized. */
typedef struct tile_buffers {
    uint8_t *stored;
    float *plain;
} tile_buffers;

static puna_status pack_matrix(const device_source *from, uint32_t type, uint32_t rows, uint32_t cols,
                               const tile_buffers *buffers, uint8_t *out, cpu_weight *packed, puna_error *error) {
    const block_format *format = block_find(type);
    const uint32_t held = held_as(type);
    size_t stored = (size_t)(cols / format->length) * format->bytes, row = held == type ? stored : cols * sizeof(float);
    *packed = (cpu_weight){held, rows, cols, (rows + CPU_TILE - 1) / CPU_TILE, pack_tile_bytes(held, cols), out};
    for (uint32_t t = 0; t < packed->tiles; t++) {
        uint32_t first = t * CPU_TILE, count = rows - first < CPU_TILE ? rows - first : CPU_TILE;
        puna_status status = from->read(from->context, first * stored, buffers->stored, count * stored, error);
        if (status != PUNA_OK) return status;
        size_t blocks = count * stored / format->bytes, bad = block_unsound(type, buffers->stored, blocks);
        if (bad < blocks) return from->unsound(from->context, first * stored + bad * format->bytes, error);
        if (held != type) format->decode(buffers->stored, (size_t)count * cols, buffers->plain);
        const uint8_t *numbers = held == type ? buffers->stored : (const uint8_t *)buffers->plain;
        pack_tile(held, numbers, row, count, cols, out + (size_t)t * packed->tile_bytes);
    }
    return PUNA_OK;
}

static puna_status fill(const graph *g, const device_part *parts, uint32_t count, const tile_buffers *buffers,
                        device_adapter *adapter, puna_error *error) {
    uint8_t *at = adapter->arena;
    for (uint32_t i = 0; i < count; i++) {
        const device_part *p = &parts[i];
        const graph_weight_info *w = &g->weights[p->weight];
        cpu_adapter_part *part = &adapter->parts[p->weight];
        puna_status status = pack_matrix(&p->a, p->type_a, p->rank, w->cols, buffers, at, &part->a, error);
        if (status != PUNA_OK) return status;
        at += aligned(part->a.tile_bytes * part->a.tiles);
        status = pack_matrix(&p->b, p->type_b, w->rows, p->rank, buffers, at, &part->b, error);
        if (status != PUNA_OK) return status;
        at += aligned(part->b.tile_bytes * part->b.tiles);
        part->scale = p->scale;
    }
    return PUNA_OK;
}

/* The widest row of any matrix, in numbers. */
static uint32_t widest(const graph *g, const device_part *parts, uint32_t count) {
    uint32_t most = 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t cols = g->weights[parts[i].weight].cols;
        if (cols > most) most = cols;
        if (parts[i].rank > most) most = parts[i].rank;
    }
    return most;
}

puna_status cpu_adapter_load(const graph *g, const device_part *parts, uint32_t count, memory_account *account,
                             device_adapter **out, puna_error *error) {
    size_t total = 1, tile = (size_t)widest(g, parts, count) * CPU_TILE * sizeof(float);
    uint32_t most_rank = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t bytes = 0;
        puna_status status = part_bytes(g, &parts[i], &bytes, error);
        if (status != PUNA_OK) return status;
        if (!memory_add(total, bytes, &total)) return error_memory(error, "an adapter", UINT64_MAX);
        if (parts[i].rank > most_rank) most_rank = parts[i].rank;
    }
    device_adapter *adapter = memory_new(account, sizeof *adapter);
    if (!adapter) return error_memory(error, "an adapter", sizeof *adapter);
    adapter->most_rank = most_rank;
    adapter->arena_bytes = total;
    adapter->parts = memory_array(account, g->weight_count, sizeof *adapter->parts);
    adapter->arena = memory_pages_new(account, total);
    tile_buffers buffers = {memory_new(account, tile), memory_new(account, tile)};
    puna_status status = adapter->parts && adapter->arena && buffers.stored && buffers.plain
                             ? fill(g, parts, count, &buffers, adapter, error)
                             : error_memory(error, "an adapter", total);
    memory_free(account, buffers.stored);
    memory_free(account, buffers.plain);
    if (status == PUNA_OK) *out = adapter;
    else cpu_adapter_unload(account, adapter);
    return status;
}

void cpu_adapter_unload(memory_account *account, device_adapter *adapter) {
    if (!adapter) return;
    memory_pages_free(account, adapter->arena, adapter->arena_bytes);
    memory_free(account, adapter->parts);
    memory_free(account, adapter);
}

/* ---- room ---- */

static uint32_t most_rows(const device_runner *r) {
    return r->options.max_tokens > r->options.max_outputs ? r->options.max_tokens : r->options.max_outputs;
}

static bool take_lists(const device_runner *r, memory_account *account, cpu_adapting *a) {
    const uint32_t segments[] = {r->options.max_runs, r->options.max_outputs};
    const uint32_t pieces[] = {r->options.max_tokens / CPU_QUERY_ROWS + r->options.max_runs + 1,
                               r->options.max_outputs};
    bool taken = true;
    for (int by = 0; by < CPU_SEGMENTED; by++) {
        a->segments[by] = memory_array(account, segments[by], sizeof *a->segments[by]);
        a->pieces[by] = memory_array(account, pieces[by], sizeof *a->pieces[by]);
        taken = taken && a->segments[by] && a->pieces[by];
    }
    return taken;
}

void cpu_adapting_free(device_runner *r, memory_account *account) {
    cpu_adapting *a = r->adapting;
    if (!a) return;
    for (int by = 0; by < CPU_SEGMENTED; by++) {
        memory_free(account, a->segments[by]);
        memory_free(account, a->pieces[by]);
    }
    memory_free(account, a->z);
    memory_free(account, a);
    r->adapting = NULL;
}

static bool begin_adapting(device_runner *r, memory_account *account) {
    r->adapting = memory_new(account, sizeof *r->adapting);
    if (!r->adapting) return false;
    if (take_lists(r, account, r->adapting)) return true;
    cpu_adapting_free(r, account);
    return false;
}

puna_status cpu_adapters_reserve(device_runner *r, memory_account *account, const device_set *set, puna_error *error) {
    if (!set) {
        cpu_adapting_free(r, account);
        return PUNA_OK;
    }
    size_t width = 0, stride, floats;
    for (uint32_t i = 0; i < set->count; i++) width += set->of[i].adapter->most_rank;
    if (r->adapting && width <= r->adapting->width) return PUNA_OK;
    if (width > UINT32_MAX / (r->plan.most_adapted + 1) ||
        !memory_multiply(width, r->plan.most_adapted, &stride) || !memory_multiply(stride, most_rows(r), &floats))
        return error_memory(error, "adapters", UINT64_MAX);
    bool fresh = !r->adapting;
    float *z = fresh && !begin_adapting(r, account) ? NULL : memory_array(account, floats + 1, sizeof *z);
    if (!z) {
        if (fresh) cpu_adapting_free(r, account);
        return error_memory(error, "adapters", (uint64_t)floats * sizeof *z);
    }
    memory_free(account, r->adapting->z);
    r->adapting->z = z;
    r->adapting->width = (uint32_t)width;
    r->adapting->stride = (uint32_t)stride;
    return PUNA_OK;
}

/* ---- segments ---- */

static void add_rows(cpu_adapting *a, int by, const device_set *set, uint32_t row, uint32_t rows) {
    if (!set || !set->count) return;
    cpu_segment *last = a->segment_count[by] ? &a->segments[by][a->segment_count[by] - 1] : NULL;
    if (last && last->set == set && last->row + last->rows == row) last->rows += rows;
    else a->segments[by][a->segment_count[by]++] = (cpu_segment){set, row, rows};
}

static void cut_pieces(cpu_adapting *a, int by) {
    a->piece_count[by] = 0;
    for (uint32_t i = 0; i < a->segment_count[by]; i++) {
        const cpu_segment *s = &a->segments[by][i];
        for (uint32_t done = 0; done < s->rows; done += CPU_QUERY_ROWS) {
            uint32_t left = s->rows - done, rows = left < CPU_QUERY_ROWS ? left : CPU_QUERY_ROWS;
            a->pieces[by][a->piece_count[by]++] = (cpu_segment){s->set, s->row + done, rows};
        }
    }
}

bool cpu_adapters_begin(device_runner *r) {
    cpu_adapting *a = r->adapting;
    const device_batch *batch = r->batch;
    if (!a) return false;
    memset(a->segment_count, 0, sizeof a->segment_count);
    for (uint32_t i = 0; i < batch->run_count; i++)
        add_rows(a, CPU_BY_TOKENS, batch->runs[i].set, batch->runs[i].row, batch->runs[i].rows);
    for (uint32_t i = 0; a->segment_count[CPU_BY_TOKENS] && i < batch->output_count; i++)
        add_rows(a, CPU_BY_OUTPUTS, cpu_run_of(batch, batch->outputs[i])->set, i, 1);
    for (int by = 0; by < CPU_SEGMENTED; by++) cut_pieces(a, by);
    return a->segment_count[CPU_BY_TOKENS] != 0;
}

static int by_of(const plan_step *s) { return s->rows == GRAPH_OUTPUTS ? CPU_BY_OUTPUTS : CPU_BY_TOKENS; }

/* ---- computing ---- */

/* z = s A x of one step, for some rows of one set. */
static void down(const device_runner *r, const plan_step *s, const cpu_segment *piece) {
    const cpu_adapting *a = r->adapting;
    const uint32_t width = r->plan.buffers[s->plain].width;
    float *z = a->z + (size_t)piece->row * a->stride + (size_t)s->slot * a->width;
    for (uint32_t i = 0; i < piece->set->count; i++) {
        const device_adapted *of = &piece->set->of[i];
        const cpu_adapter_part *part = &of->adapter->parts[s->adapted->weight];
        if (part->a.data) {
            cpu_product p = {.weight = &part->a, .xf = row_of(r, s->plain, piece->row), .xf_stride = width,
                             .count = piece->rows, .out = z, .out_stride = a->stride};
            r->kernels->product(part->a.type)(&p, 0, part->a.tiles);
            for (uint32_t row = 0; row < piece->rows; row++)
                r->kernels->scale(z + (size_t)row * a->stride, of->weight * part->scale, part->a.rows,
                                  z + (size_t)row * a->stride);
        }
        z += of->adapter->most_rank;
    }
}

uint32_t cpu_adapters_chunks(const device_runner *r, const plan_phase *phase) {
    const plan_step *first = &r->plan.steps[phase->first];
    return r->adapting->piece_count[by_of(first)] * phase->adapted;
}

static const plan_step *step_of(const device_runner *r, const plan_phase *phase, uint32_t slot) {
    const plan_step *s = &r->plan.steps[phase->first];
    while (!s->adapted || s->slot != slot) s++;
    return s;
}

void cpu_adapters_down(const device_runner *r, const plan_phase *phase, uint32_t begin, uint32_t end) {
    for (uint32_t chunk = begin; chunk < end; chunk++) {
        const plan_step *s = step_of(r, phase, chunk % phase->adapted);
        down(r, s, &r->adapting->pieces[by_of(s)][chunk / phase->adapted]);
    }
}

/* y += B z. */
static void up(const device_runner *r, const plan_step *s, const cpu_segment *segment, uint32_t begin, uint32_t end) {
    const cpu_adapting *a = r->adapting;
    const float *z = a->z + (size_t)segment->row * a->stride + (size_t)s->slot * a->width;
    float *y = row_of(r, s->out, segment->row);
    for (uint32_t i = 0; i < segment->set->count; i++) {
        const device_adapter *adapter = segment->set->of[i].adapter;
        const cpu_adapter_part *part = &adapter->parts[s->adapted->weight];
        if (part->b.data) {
            cpu_product p = {.weight = &part->b, .xf = z, .xf_stride = a->stride, .count = segment->rows, .out = y,
                             .out_stride = r->plan.buffers[s->out].width, .residual = y};
            r->kernels->product(part->b.type)(&p, begin, end);
        }
        z += adapter->most_rank;
    }
}

void cpu_adapters_up(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end) {
    if (!r->adapting) return;
    for (uint32_t i = 0; i < r->adapting->segment_count[by_of(s)]; i++)
        up(r, s, &r->adapting->segments[by_of(s)][i], begin, end);
}

void cpu_adapters_up_row(const device_runner *r, const plan_step *s, uint32_t row) {
    if (!r->adapting) return;
    const uint32_t tiles = (r->plan.buffers[s->out].width + CPU_TILE - 1) / CPU_TILE;
    for (uint32_t i = 0; i < r->adapting->segment_count[by_of(s)]; i++) {
        const cpu_segment *segment = &r->adapting->segments[by_of(s)][i];
        if (row < segment->row || row - segment->row >= segment->rows) continue;
        up(r, s, &(cpu_segment){segment->set, row, 1}, 0, tiles);
    }
}
