// SPDX-License-Identifier: Apache-2.0
/* Where the rows of a plan's buffers lie, for what works on them: cpu_steps.c, cpu_experts.c. */
#ifndef PUNA_DEVICE_CPU_CPU_ROWS_H
#define PUNA_DEVICE_CPU_CPU_ROWS_H

#include "device/cpu/columns.h"
#include "device/cpu/cpu.h"

static inline float *floats(const device_runner *r, plan_buffer b) {
    return (float *)(void *)(r->arena + r->plan.buffers[b].offset);
}

static inline float *row_of(const device_runner *r, plan_buffer b, uint32_t row) {
    return floats(r, b) + (size_t)row * r->plan.buffers[b].width;
}

static inline uint32_t rows_now(const device_runner *r, graph_rows rows) {
    if (rows == GRAPH_PAIRS) return r->batch->tokens * r->plan.chosen;
    return rows == GRAPH_OUTPUTS ? r->batch->output_count : r->batch->tokens;
}

_Static_assert((int)PLAN_QUANTIZED_GROUP_BYTES == (int)COLUMNS_GROUP_BYTES, "a plan has room for the columns");

static inline cpu_columns quantized(const device_runner *r, plan_buffer b) {
    const plan_buffer_info *info = &r->plan.buffers[b];
    uint32_t count = rows_now(r, info->rows) * (info->doubled ? 2 : 1);
    return (cpu_columns){r->arena + info->offset, info->width, count};
}

/* One of a tensor's matrices. */
static inline cpu_weight matrix_of(const cpu_weight *all, uint32_t number) {
    cpu_weight w = *all;
    w.data += (size_t)number * all->tiles * all->tile_bytes;
    return w;
}

/* cpu_steps.c: the run that a row of the batch lies in. */
const device_run *cpu_run_of(const device_batch *batch, uint32_t row);

/* cpu_route.c: logits [experts] to [chosen] numbers of experts, as u32, then their weights. */
void cpu_route(const graph_routing *how, const float *bias, uint32_t experts, const float *logits, float *out);

/* cpu_experts.c: the steps of mixtures. Rows are the pairs', or for MIX the tokens'; of products tiles. */
void cpu_experts_sort(const device_runner *r, const plan_step *s);
uint32_t cpu_experts_active(const device_runner *r, const plan_step *s); /* that have rows, once they are sorted */
void cpu_experts_spread(const device_runner *r, const plan_step *s, uint32_t row);
void cpu_experts_quantize(const device_runner *r, const plan_step *s, uint32_t row);
void cpu_experts_mix(const device_runner *r, const plan_step *s, uint32_t row);
uint32_t cpu_experts_tiles(const device_runner *r, const plan_step *s);
void cpu_experts_product(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end);

/* cpu_recurrent.c: steps of recurrent layers. Chunks are the runs' tiles of 16 channels, one run after the other. */
uint32_t cpu_recurrent_tiles(const graph *g, const graph_op *op);
size_t cpu_recurrent_scratch(const graph_op *op);
void cpu_recurrent(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end, uint32_t thread);

/* Of each head's matrix, one after the other. */
uint32_t cpu_heads_tiles(const device_runner *r, const plan_step *s);
void cpu_heads_product(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end);

#endif
