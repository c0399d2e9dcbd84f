// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/math.h"
#include "base/os.h"
#include "device/cpu/columns.h"
#include "device/cpu/cpu.h"
#include "device/cpu/cpu_adapter.h"
#include "device/cpu/cpu_attend.h"
#include "device/cpu/cpu_profile.h"
#include "device/cpu/cpu_rows.h"
#include "format/block.h"

/* ---- rotary tables ---- */

static void rotary_rows(const device_runner *r, uint32_t begin, uint32_t end) {
    for (uint32_t t = 0; t < r->g->table_count; t++) {
        const graph_table *table = &r->g->tables[t];
        float *cosines = r->rotary + r->rotary_offset[t];
        float *sines = cosines + (size_t)r->options.max_tokens * table->count;
        const float *frequencies = table->frequencies + (r->options.positions > table->original ? table->count : 0);
        for (uint32_t row = begin; row < end; row++) {
            float position = (float)r->batch->positions[row];
            for (uint32_t i = 0; i < table->count; i++) {
                float angle = position * frequencies[i];
                cosines[(size_t)row * table->count + i] = (float)math_cos((double)angle) * table->magnitude;
                sines[(size_t)row * table->count + i] = (float)math_sin((double)angle) * table->magnitude;
            }
        }
    }
}

/* ---- row by row ---- */

const device_run *cpu_run_of(const device_batch *batch, uint32_t row) {
    uint32_t low = 0, high = batch->run_count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (batch->runs[middle].row <= row) low = middle;
        else high = middle;
    }
    return &batch->runs[low];
}

/* A row of a table: by token id or by position. */
static void step_embed(const device_runner *r, const plan_step *s, uint32_t row, uint32_t id) {
    const cpu_tensor *t = &r->weights->tensors[s->op->weight];
    float *out = row_of(r, s->out, row);
    if (t->packed.data) {
        r->kernels->decode_row(&t->packed, id, out);
    } else {
        const graph_weight_info *info = &r->g->weights[s->op->weight];
        block_find(info->type)->decode(t->rows + (size_t)id * t->row_bytes, info->cols, out);
    }
}

/* Weights may be one head's, used for each, or those of all heads. */
static const float *norm_part(const device_runner *r, graph_weight v, uint32_t part, uint32_t head) {
    if (v == GRAPH_ABSENT) return NULL;
    const graph_weight_info *w = &r->g->weights[v];
    return r->weights->tensors[v].vector + ((size_t)w->rows * w->cols > part ? (size_t)head * part : 0);
}

static void step_norm(const device_runner *r, const plan_step *s, uint32_t row) {
    const float *x = row_of(r, s->in[0], row);
    float *y = row_of(r, s->out, row);
    uint32_t part = r->plan.buffers[s->out].width / s->op->heads;
    for (uint32_t h = 0; h < s->op->heads; h++)
        r->kernels->rms_norm(x + (size_t)h * part, norm_part(r, s->op->weight, part, h), part, s->op->number,
                             y + (size_t)h * part);
}

static void step_layer_norm(const device_runner *r, const plan_step *s, uint32_t row) {
    const float *x = row_of(r, s->in[0], row);
    float *y = row_of(r, s->out, row);
    uint32_t part = r->plan.buffers[s->out].width / s->op->heads;
    for (uint32_t h = 0; h < s->op->heads; h++)
        r->kernels->layer_norm(x + (size_t)h * part, norm_part(r, s->op->weight, part, h),
                               norm_part(r, s->op->bias, part, h), part, s->op->number, y + (size_t)h * part);
}

static void step_rope(const device_runner *r, const plan_step *s, uint32_t row) {
    const graph_table *table = &r->g->tables[s->op->table];
    float *x = row_of(r, s->out, row);
    if (s->out != s->in[0]) memcpy(x, row_of(r, s->in[0], row), r->plan.buffers[s->out].width * sizeof(float));
    const float *cosines = r->rotary + r->rotary_offset[s->op->table] + (size_t)row * table->count;
    const float *sines = cosines + (size_t)r->options.max_tokens * table->count;
    r->kernels->rope(x, s->op->heads, s->op->dimension, table->count * 2, s->op->interleaved, cosines, sines);
}

/* Those of one run and page at a time. */
static void step_store(const device_runner *r, const plan_step *s, uint32_t row, uint32_t rows) {
    cpu_attention a = cpu_attend_layer(r, s->op->layer);
    uint32_t group = r->g->cache_layers[s->op->layer].group;
    size_t strides[2] = {r->plan.buffers[s->in[0]].width, r->plan.buffers[s->in[1]].width};
    for (uint32_t end = row + rows, some; row < end; row += some) {
        const device_run *run = cpu_run_of(r->batch, row);
        uint32_t position = run->position + (row - run->row), left = run->row + run->rows - row;
        some = CPU_PAGE - position % CPU_PAGE;
        if (some > left) some = left;
        if (some > end - row) some = end - row;
        r->kernels->cache_store_rows(&a, run->pages[group][position / CPU_PAGE], position % CPU_PAGE, some,
                                     row_of(r, s->in[0], row), strides[0], row_of(r, s->in[1], row), strides[1]);
    }
}

/* The run's rows added in order, then times 1 / their number. */
static void step_pool(const device_runner *r, const plan_step *s, uint32_t row) {
    const device_run *run = cpu_run_of(r->batch, r->batch->outputs[row]);
    float *y = row_of(r, s->out, row);
    uint32_t width = r->plan.buffers[s->out].width;
    memset(y, 0, width * sizeof *y);
    for (uint32_t i = 0; i < run->rows; i++) r->kernels->add(y, row_of(r, s->in[0], run->row + i), width, y);
    r->kernels->scale(y, 1.0f / (float)run->rows, width, y);
}

/* In two terms: the second one is what the first one's rounding left. */
static void step_quantize_fine(const device_runner *r, const plan_step *s, uint32_t row) {
    cpu_columns c = quantized(r, s->out);
    const float *x = row_of(r, s->in[0], row);
    float *left = row_of(r, s->residual, row);
    columns_put(&c, r->kernels, x, row);
    for (uint32_t i = 0; i < c.cols; i++) {
        columns_group g = columns_at(&c, row, i / CPU_GROUP);
        left[i] = x[i] - *g.d * (float)g.q[i % CPU_GROUP];
    }
    columns_put(&c, r->kernels, left, row + rows_now(r, s->rows));
}

static void step_clamp(const device_runner *r, const plan_step *s, uint32_t row, uint32_t width) {
    const float *x = row_of(r, s->in[0], row), low = s->op->low, high = s->op->high, plus = s->op->number;
    float *y = row_of(r, s->out, row);
    for (uint32_t i = 0; i < width; i++) {
        float v = x[i] < low ? low : x[i];
        y[i] = (v > high ? high : v) + plus;
    }
}

/* count elements of each head, from one row to another. */
static void copy_heads(const float *from, uint32_t from_part, uint32_t heads, uint32_t count, float *to,
                       uint32_t to_part) {
    for (uint32_t h = 0; h < heads; h++, from += from_part, to += to_part) memcpy(to, from, count * sizeof *to);
}

static void step_slice(const device_runner *r, const plan_step *s, uint32_t row, uint32_t width) {
    uint32_t heads = s->op->heads, part = r->plan.buffers[s->in[0]].width / heads;
    copy_heads(row_of(r, s->in[0], row) + s->op->first, part, heads, width / heads, row_of(r, s->out, row),
               width / heads);
}

static void step_join(const device_runner *r, const plan_step *s, uint32_t row, uint32_t width) {
    uint32_t heads = s->op->heads, part = width / heads, first = r->plan.buffers[s->in[0]].width / heads;
    float *out = row_of(r, s->out, row);
    copy_heads(row_of(r, s->in[0], row), first, heads, first, out, part);
    copy_heads(row_of(r, s->in[1], row), part - first, heads, part - first, out + first, part);
}

static void step_route(const device_runner *r, const plan_step *s, uint32_t row) {
    graph_weight bias = s->op->routing.bias;
    cpu_route(&s->op->routing, bias == GRAPH_ABSENT ? NULL : r->weights->tensors[bias].vector, s->op->experts,
              row_of(r, s->in[0], row), row_of(r, s->out, row));
}

/* Element by element, or group by group: some columns of a row. */
static void column_step(const device_runner *r, const plan_step *s, uint32_t row, uint32_t first, uint32_t count) {
    const cpu_kernels *k = r->kernels;
    const float *a = row_of(r, s->in[0], row) + first;
    if (s->kind == GRAPH_QUANTIZE_OP) {
        cpu_columns c = quantized(r, s->out);
        columns_put_groups(&c, k, a - first, row, first / CPU_GROUP, count / CPU_GROUP);
        return;
    }
    const float *b = s->in[1] == PLAN_NO_BUFFER ? NULL : row_of(r, s->in[1], row) + first;
    float *y = row_of(r, s->out, row) + first;
    switch (s->kind) {
    case GRAPH_ACTIVATE_OP: k->activate(s->op->activation, a, count, y); break;
    case GRAPH_SILU_MUL_OP: k->silu_mul(a, b, count, y); break;
    case GRAPH_GELU_MUL_OP: k->gelu_mul(a, b, count, y); break;
    case GRAPH_SOFTCAP_OP: k->softcap(a, s->op->number, count, y); break;
    case GRAPH_MULTIPLY_OP: k->multiply(a, b, count, y); break;
    case GRAPH_ADD_OP: k->add(a, b, count, y); break;
    case GRAPH_SCALE_OP: k->scale(a, s->op->number, count, y); break;
    case GRAPH_FOLD_OP:
        k->add(a, row_of(r, s->in[0], row + rows_now(r, s->rows)) + first, count, y);
        if (s->op->bias != GRAPH_ABSENT) k->add(y, r->weights->tensors[s->op->bias].vector + first, count, y);
        break;
    default: break;
    }
}

static void local_step(const device_runner *r, const plan_step *s, uint32_t row) {
    uint32_t width = s->out == PLAN_NO_BUFFER ? 0 : r->plan.buffers[s->out].width;
    switch (s->kind) {
    case GRAPH_EMBED_OP: step_embed(r, s, row, (uint32_t)r->batch->ids[row]); break;
    case GRAPH_POSITION_OP: step_embed(r, s, row, s->op->first + r->batch->positions[row]); break;
    case GRAPH_TYPE_OP: step_embed(r, s, row, r->batch->types ? r->batch->types[row] : 0); break;
    case GRAPH_RMS_NORM_OP: step_norm(r, s, row); break;
    case GRAPH_LAYER_NORM_OP: step_layer_norm(r, s, row); break;
    case GRAPH_ROPE_OP: step_rope(r, s, row); break;
    case GRAPH_STORE_OP: step_store(r, s, row, 1); break;
    case GRAPH_SELECT_OP:
        memcpy(row_of(r, s->out, row), row_of(r, s->in[0], r->batch->outputs[row]), width * sizeof(float));
        break;
    case GRAPH_POOL_OP: step_pool(r, s, row); break;
    case GRAPH_CLAMP_OP: step_clamp(r, s, row, width); break;
    case GRAPH_GATE_OP:
        r->kernels->scale(row_of(r, s->in[0], row), 1.0f / (1.0f + math_expf(-*row_of(r, s->in[1], row))), width,
                          row_of(r, s->out, row));
        break;
    case GRAPH_SLICE_OP: step_slice(r, s, row, width); break;
    case GRAPH_JOIN_OP: step_join(r, s, row, width); break;
    case GRAPH_ROUTE_OP: step_route(r, s, row); break;
    case GRAPH_SPREAD_OP: cpu_experts_spread(r, s, row); break;
    case GRAPH_MIX_OP: cpu_experts_mix(r, s, row); break;
    case GRAPH_QUANTIZE_OP:
        if (s->rows == GRAPH_PAIRS) cpu_experts_quantize(r, s, row);
        else if (s->fine) step_quantize_fine(r, s, row);
        else column_step(r, s, row, 0, width);
        break;
    default: column_step(r, s, row, 0, width); break;
    }
}

/* ---- products ---- */

static void product(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end) {
    const cpu_tensor *t = &r->weights->tensors[s->op->weight];
    uint32_t columns = rows_now(r, s->rows) * (s->fine ? 2 : 1);
    cpu_product p = {.weight = &t->packed, .count = columns, .out = floats(r, s->out),
                     .out_stride = r->plan.buffers[s->out].width};
    cpu_columns x;
    if (r->plan.buffers[s->in[0]].quantized) {
        x = quantized(r, s->in[0]);
        p.x = &x;
    } else {
        p.xf = floats(r, s->in[0]);
        p.xf_stride = r->plan.buffers[s->in[0]].width;
    }
    if (s->op->bias != GRAPH_ABSENT && !s->fine) p.bias = r->weights->tensors[s->op->bias].vector;
    if (s->residual != PLAN_NO_BUFFER) p.residual = floats(r, s->residual);
    r->kernels->product(t->packed.type)(&p, begin, end);
    if (s->adapted) cpu_adapters_up(r, s, begin, end);
}

static uint32_t tiles_of(const device_runner *r, const plan_step *s) {
    if (s->kind == GRAPH_EXPERT_LINEAR_OP) return cpu_experts_tiles(r, s);
    if (s->kind == GRAPH_HEAD_LINEAR_OP) return cpu_heads_tiles(r, s);
    return r->weights->tensors[s->op->weight].packed.tiles;
}

static bool is_product(graph_kind kind) {
    return kind == GRAPH_LINEAR_OP || kind == GRAPH_EXPERT_LINEAR_OP || kind == GRAPH_HEAD_LINEAR_OP;
}

/* Chunks of a group of products are its tiles, one matrix after the other. */
static void products(const device_runner *r, const plan_phase *phase, uint32_t begin, uint32_t end) {
    for (uint32_t i = 0; i < phase->count - phase->by_columns && begin < end; i++) {
        const plan_step *s = &r->plan.steps[phase->first + i];
        uint32_t tiles = tiles_of(r, s);
        if (begin < tiles) {
            uint32_t last = end < tiles ? end : tiles;
            if (s->kind == GRAPH_EXPERT_LINEAR_OP) cpu_experts_product(r, s, begin, last);
            else if (s->kind == GRAPH_HEAD_LINEAR_OP) cpu_heads_product(r, s, begin, last);
            else product(r, s, begin, last);
            begin = last;
        }
        begin -= begin < tiles ? begin : tiles;
        end -= end < tiles ? end : tiles;
    }
}

/* Few rows are a matter of reading weights, which goes faster one matrix after the other; there is little to be kept
   near. What follows products of several matrices then has a phase of its own. */
static bool goes_alone(const device_runner *r, const plan_phase *phase) {
    return phase->count - phase->by_columns > 1 && rows_now(r, phase->rows) < COLUMNS_BLOCK;
}

static void follow_products(const device_runner *r, const plan_phase *phase, uint32_t row, uint32_t first,
                            uint32_t count) {
    for (uint32_t i = phase->count - phase->by_columns; i < phase->count; i++)
        column_step(r, &r->plan.steps[phase->first + i], row, first, count);
}

static uint32_t columns_of(const device_runner *r, const plan_phase *phase) {
    return r->plan.buffers[r->plan.steps[phase->first].out].width;
}

/* Chunks are PLAN_COLUMNS wide in all products at once; what is done to them follows while they are near. */
static void products_by_columns(const device_runner *r, const plan_phase *phase, uint32_t begin, uint32_t end) {
    const uint32_t tiles = PLAN_COLUMNS / CPU_TILE;
    for (uint32_t i = 0; i < phase->count - phase->by_columns; i++)
        product(r, &r->plan.steps[phase->first + i], begin * tiles, end * tiles);
    for (uint32_t row = 0; row < rows_now(r, phase->rows); row++)
        follow_products(r, phase, row, begin * PLAN_COLUMNS, (end - begin) * PLAN_COLUMNS);
}

/* ---- the pool's entry ---- */

/* Rows that go through a phase together: one, but keys and values are stored better by many. */
static uint32_t rows_at_once(const device_runner *r, const plan_phase *phase) {
    for (uint32_t i = 0; i < phase->count; i++)
        if (r->plan.steps[phase->first + i].kind == GRAPH_STORE_OP) return CPU_STORE_ROWS;
    return 1;
}

static void some_rows(const device_runner *r, const plan_step *s, uint32_t row, uint32_t rows) {
    if (s->kind == GRAPH_STORE_OP) step_store(r, s, row, rows);
    else
        for (uint32_t i = 0; i < rows; i++) local_step(r, s, row + i);
}

static void local_steps(const device_runner *r, const plan_phase *phase, uint32_t begin, uint32_t end,
                        uint32_t thread) {
    const plan_step *steps = &r->plan.steps[phase->first];
    const uint32_t most = rows_at_once(r, phase);
    for (uint32_t row = begin, rows; row < end; row += rows) {
        rows = end - row < most ? end - row : most;
        for (uint32_t i = 0; i < phase->count; i++) {
            uint64_t begun = r->profile ? os_clock_ns() : 0;
            some_rows(r, &steps[i], row, rows);
            for (uint32_t n = 0; steps[i].adapted && n < rows; n++) cpu_adapters_up_row(r, &steps[i], row + n);
            if (r->profile) cpu_profile_step(r->profile, &steps[i], thread, begun);
        }
    }
}

static void follow_rows(const device_runner *r, const plan_phase *phase, uint32_t begin, uint32_t end) {
    for (uint32_t row = begin; row < end; row++) follow_products(r, phase, row, 0, columns_of(r, phase));
}

static void run_piece(const cpu_job *job, uint32_t begin, uint32_t end, uint32_t thread) {
    const device_runner *r = job->runner;
    const plan_phase *phase = job->phase;
    const plan_step *steps = phase ? &r->plan.steps[phase->first] : NULL;
    if (!phase) rotary_rows(r, begin, end);
    else if (job->adapts) cpu_adapters_down(r, phase, begin, end);
    else if (phase->local) local_steps(r, phase, begin, end, thread);
    else if (job->later) follow_rows(r, phase, begin, end);
    else if (phase->by_columns && !goes_alone(r, phase)) products_by_columns(r, phase, begin, end);
    else if (is_product(steps->kind)) products(r, phase, begin, end);
    else if (steps->kind == GRAPH_SORT_OP) cpu_experts_sort(r, steps);
    else if (steps->kind == GRAPH_CONV_OP || steps->kind == GRAPH_SCAN_OP) cpu_recurrent(r, steps, begin, end, thread);
    else cpu_attend(r, steps, begin, end, thread);
}

void cpu_steps_run(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    const cpu_job *job = context;
    cpu_profile *profile = job->runner->profile;
    uint64_t begun = profile ? os_clock_ns() : 0;
    run_piece(job, begin, end, thread);
    if (profile) cpu_profile_piece(profile, job->runner, job->phase, thread, begun);
}

/* What is computed shall still be near when it is gone on with. */
static uint32_t near_grain(uint32_t grain, uint32_t rows) {
    while (grain > 2 && (uint64_t)grain * rows * PLAN_COLUMNS * sizeof(float) > 1u << 19) grain /= 2;
    return grain;
}

void cpu_steps_measure(const cpu_job *job, uint32_t *chunks, uint32_t *grain) {
    const device_runner *r = job->runner;
    const plan_phase *phase = job->phase;
    const plan_step *steps = phase ? &r->plan.steps[phase->first] : NULL;
    uint32_t threads = threads_count(r->pool), total = 0;
    if (job->adapts) {
        *chunks = cpu_adapters_chunks(r, phase);
        *grain = 1;
        return;
    }
    if (!phase || phase->local || job->later) {
        total = phase ? rows_now(r, phase->rows) : r->batch->tokens;
        if (job->later && !goes_alone(r, phase)) total = 0;
        *grain = total / (threads * 8);
    } else if (phase->by_columns && !goes_alone(r, phase)) {
        uint32_t rows = rows_now(r, phase->rows);
        total = rows ? columns_of(r, phase) / PLAN_COLUMNS : 0;
        *grain = near_grain(total / (threads * 8), rows);
    } else if (steps->kind == GRAPH_SORT_OP) {
        total = 1;
        *grain = 1;
    } else if (is_product(steps->kind)) {
        for (uint32_t i = 0; i < phase->count - phase->by_columns; i++) total += tiles_of(r, &steps[i]);
        if (rows_now(r, steps->rows) == 0) total = 0;
        *grain = total / (threads * 8);
        if (*grain > 32) *grain = 32;
        *grain &= ~1u; /* kernels may take two tiles at once */
    } else if (steps->kind == GRAPH_CONV_OP || steps->kind == GRAPH_SCAN_OP) {
        total = r->batch->run_count * cpu_recurrent_tiles(r->g, steps->op);
        *grain = total / (threads * 8);
    } else {
        total = cpu_attend_chunks(r, steps);
        *grain = 1;
    }
    if (*grain == 0) *grain = 1;
    *chunks = total;
}
