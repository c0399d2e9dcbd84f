// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/math.h"
#include "device/cpu/columns.h"
#include "device/cpu/cpu.h"
#include "format/block.h"

/* ---- where things lie ---- */

static float *floats(const device_runner *r, plan_buffer b) {
    return (float *)(void *)(r->arena + r->plan.buffers[b].offset);
}

static float *row_of(const device_runner *r, plan_buffer b, uint32_t row) {
    return floats(r, b) + (size_t)row * r->plan.buffers[b].width;
}

static uint32_t rows_now(const device_runner *r, graph_rows rows) {
    return rows == GRAPH_OUTPUTS ? r->batch->output_count : r->batch->tokens;
}

static cpu_columns quantized(const device_runner *r, plan_buffer b) {
    const plan_buffer_info *info = &r->plan.buffers[b];
    uint32_t count = rows_now(r, info->rows) * (info->doubled ? 2 : 1);
    return (cpu_columns){r->arena + info->offset, info->width, count};
}

/* ---- rotary tables ---- */

static void rotary_rows(const device_runner *r, uint32_t begin, uint32_t end) {
    for (uint32_t t = 0; t < r->g->table_count; t++) {
        const graph_table *table = &r->g->tables[t];
        float *cosines = r->rotary + r->rotary_offset[t];
        float *sines = cosines + (size_t)r->options.max_tokens * table->count;
        for (uint32_t row = begin; row < end; row++) {
            float position = (float)r->batch->positions[row];
            for (uint32_t i = 0; i < table->count; i++) {
                float angle = position * table->frequencies[i];
                cosines[(size_t)row * table->count + i] = (float)math_cos((double)angle) * table->magnitude;
                sines[(size_t)row * table->count + i] = (float)math_sin((double)angle) * table->magnitude;
            }
        }
    }
}

/* ---- row by row ---- */

static const device_run *run_of(const device_batch *batch, uint32_t row) {
    uint32_t low = 0, high = batch->run_count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (batch->runs[middle].row <= row) low = middle;
        else high = middle;
    }
    return &batch->runs[low];
}

static cpu_attention attention_of(const device_runner *r, uint32_t layer) {
    const graph_cache_layer *l = &r->g->cache_layers[layer];
    const graph_cache_group *c = &r->g->groups[l->group];
    cpu_attention a = {.type = r->options.cache_type, .heads_kv = c->heads, .group = 1, .dim_k = c->dim_k,
                       .dim_v = c->dim_v, .window = c->window, .causal = !c->whole, .slopes = r->g->slopes};
    a.k_offset = r->layer_offset[layer];
    a.v_offset = a.k_offset + cpu_cache_keys(c, a.type);
    return a;
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

static void step_norm(const device_runner *r, const plan_step *s, uint32_t row) {
    const float *x = row_of(r, s->in[0], row), *weight = r->weights->tensors[s->op->weight].vector;
    float *y = row_of(r, s->out, row);
    uint32_t part = r->plan.buffers[s->out].width / s->op->heads;
    for (uint32_t h = 0; h < s->op->heads; h++)
        r->kernels->rms_norm(x + (size_t)h * part, weight, part, s->op->number, y + (size_t)h * part);
}

/* Weights may be one head's, used for each, or those of all heads. */
static const float *norm_part(const device_runner *r, graph_weight v, uint32_t part, uint32_t head) {
    if (v == GRAPH_ABSENT) return NULL;
    const graph_weight_info *w = &r->g->weights[v];
    return r->weights->tensors[v].vector + ((size_t)w->rows * w->cols > part ? (size_t)head * part : 0);
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

static void step_store(const device_runner *r, const plan_step *s, uint32_t row) {
    cpu_attention a = attention_of(r, s->op->layer);
    const device_run *run = run_of(r->batch, row);
    uint32_t position = run->position + (row - run->row);
    uint8_t *page = run->pages[r->g->cache_layers[s->op->layer].group][position / CPU_PAGE];
    r->kernels->cache_store(&a, page, position % CPU_PAGE, row_of(r, s->in[0], row), row_of(r, s->in[1], row));
}

/* The run's rows added in order, then times 1 / their number. */
static void step_pool(const device_runner *r, const plan_step *s, uint32_t row) {
    const device_run *run = run_of(r->batch, r->batch->outputs[row]);
    float *y = row_of(r, s->out, row);
    uint32_t width = r->plan.buffers[s->out].width;
    memset(y, 0, width * sizeof *y);
    for (uint32_t i = 0; i < run->rows; i++) r->kernels->add(y, row_of(r, s->in[0], run->row + i), width, y);
    r->kernels->scale(y, 1.0f / (float)run->rows, width, y);
}

/* A fine one: the second term is what the first one's rounding left. */
static void step_quantize(const device_runner *r, const plan_step *s, uint32_t row) {
    cpu_columns c = quantized(r, s->out);
    const float *x = row_of(r, s->in[0], row);
    columns_put(&c, r->kernels, x, row);
    if (!s->fine) return;
    float *left = row_of(r, s->residual, row);
    for (uint32_t i = 0; i < c.cols; i++) {
        columns_group g = columns_at(&c, row, i / CPU_GROUP);
        left[i] = x[i] - *g.d * (float)g.q[i % CPU_GROUP];
    }
    columns_put(&c, r->kernels, left, row + rows_now(r, s->rows));
}

static void local_step(const device_runner *r, const plan_step *s, uint32_t row) {
    const cpu_kernels *k = r->kernels;
    uint32_t width = s->out == PLAN_NO_BUFFER ? 0 : r->plan.buffers[s->out].width;
    switch (s->kind) {
    case GRAPH_EMBED_OP: step_embed(r, s, row, (uint32_t)r->batch->ids[row]); break;
    case GRAPH_POSITION_OP: step_embed(r, s, row, s->op->first + r->batch->positions[row]); break;
    case GRAPH_TYPE_OP: step_embed(r, s, row, r->batch->types ? r->batch->types[row] : 0); break;
    case GRAPH_RMS_NORM_OP: step_norm(r, s, row); break;
    case GRAPH_LAYER_NORM_OP: step_layer_norm(r, s, row); break;
    case GRAPH_ACTIVATE_OP:
        k->activate(s->op->activation, row_of(r, s->in[0], row), width, row_of(r, s->out, row));
        break;
    case GRAPH_ROPE_OP: step_rope(r, s, row); break;
    case GRAPH_STORE_OP: step_store(r, s, row); break;
    case GRAPH_SILU_MUL_OP:
        k->silu_mul(row_of(r, s->in[0], row), row_of(r, s->in[1], row), width, row_of(r, s->out, row));
        break;
    case GRAPH_GELU_MUL_OP:
        k->gelu_mul(row_of(r, s->in[0], row), row_of(r, s->in[1], row), width, row_of(r, s->out, row));
        break;
    case GRAPH_SOFTCAP_OP: k->softcap(row_of(r, s->in[0], row), s->op->number, width, row_of(r, s->out, row)); break;
    case GRAPH_MULTIPLY_OP:
        k->multiply(row_of(r, s->in[0], row), row_of(r, s->in[1], row), width, row_of(r, s->out, row));
        break;
    case GRAPH_ADD_OP: k->add(row_of(r, s->in[0], row), row_of(r, s->in[1], row), width, row_of(r, s->out, row)); break;
    case GRAPH_SCALE_OP: k->scale(row_of(r, s->in[0], row), s->op->number, width, row_of(r, s->out, row)); break;
    case GRAPH_SELECT_OP:
        memcpy(row_of(r, s->out, row), row_of(r, s->in[0], r->batch->outputs[row]), width * sizeof(float));
        break;
    case GRAPH_POOL_OP: step_pool(r, s, row); break;
    case GRAPH_QUANTIZE_OP: step_quantize(r, s, row); break;
    case GRAPH_FOLD_OP:
        k->add(row_of(r, s->in[0], row), row_of(r, s->in[0], row + rows_now(r, s->rows)), width,
               row_of(r, s->out, row));
        if (s->op->bias != GRAPH_ABSENT)
            k->add(row_of(r, s->out, row), r->weights->tensors[s->op->bias].vector, width, row_of(r, s->out, row));
        break;
    default: break;
    }
}

/* ---- products ---- */

static void product(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end, uint32_t thread) {
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
    r->kernels->product(t->packed.type)(&p, begin, end, r->scratch[thread]);
}

static uint32_t tiles_of(const device_runner *r, const plan_step *s) {
    return r->weights->tensors[s->op->weight].packed.tiles;
}

/* Chunks of a group of products are its tiles, one matrix after the other. */
static void products(const device_runner *r, const plan_phase *phase, uint32_t begin, uint32_t end, uint32_t thread) {
    for (uint32_t i = 0; i < phase->count && begin < end; i++) {
        const plan_step *s = &r->plan.steps[phase->first + i];
        uint32_t tiles = tiles_of(r, s);
        if (begin < tiles) {
            uint32_t last = end < tiles ? end : tiles;
            product(r, s, begin, last, thread);
            begin = last;
        }
        begin -= begin < tiles ? begin : tiles;
        end -= end < tiles ? end : tiles;
    }
}

/* ---- attention ---- */

static void attend(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end, uint32_t thread) {
    cpu_attention a = attention_of(r, s->op->layer);
    uint32_t group = r->g->cache_layers[s->op->layer].group;
    a.group = s->op->heads / a.heads_kv;
    a.scale = s->op->number;
    a.softcap = s->op->softcap;
    for (uint32_t chunk = begin; chunk < end; chunk++) {
        const cpu_piece *piece = &r->pieces[chunk / a.heads_kv];
        const device_run *run = &r->batch->runs[piece->run];
        uint32_t head = chunk % a.heads_kv;
        a.pages = (const uint8_t *const *)run->pages[group];
        cpu_queries q = {.q = row_of(r, s->in[0], piece->row), .q_stride = r->plan.buffers[s->in[0]].width,
                         .out = row_of(r, s->out, piece->row), .out_stride = r->plan.buffers[s->out].width,
                         .rows = piece->rows, .first = run->position + (piece->row - run->row),
                         .keys = run->position + run->rows};
        r->kernels->attention(&a, &q, head, head + 1, r->scratch[thread]);
    }
}

/* ---- the pool's entry ---- */

void cpu_steps_run(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    const cpu_job *job = context;
    const device_runner *r = job->runner;
    const plan_phase *phase = job->phase;
    if (!phase) {
        rotary_rows(r, begin, end);
        return;
    }
    const plan_step *steps = &r->plan.steps[phase->first];
    if (phase->local) {
        for (uint32_t row = begin; row < end; row++)
            for (uint32_t i = 0; i < phase->count; i++) local_step(r, &steps[i], row);
    } else if (steps->kind == GRAPH_LINEAR_OP) {
        products(r, phase, begin, end, thread);
    } else {
        attend(r, steps, begin, end, thread);
    }
}

void cpu_steps_measure(const device_runner *r, const plan_phase *phase, uint32_t *chunks, uint32_t *grain) {
    uint32_t threads = threads_count(r->pool), total = 0;
    const plan_step *steps = phase ? &r->plan.steps[phase->first] : NULL;
    if (!phase || phase->local) {
        total = phase ? rows_now(r, phase->rows) : r->batch->tokens;
        *grain = total / (threads * 8);
    } else if (steps->kind == GRAPH_LINEAR_OP) {
        for (uint32_t i = 0; i < phase->count; i++) total += tiles_of(r, &steps[i]);
        if (rows_now(r, steps->rows) == 0) total = 0;
        *grain = total / (threads * 8);
        if (*grain > 32) *grain = 32;
        *grain &= ~1u; /* kernels may take two tiles at once */
    } else {
        total = r->piece_count * r->g->groups[r->g->cache_layers[steps->op->layer].group].heads;
        *grain = 1;
    }
    if (*grain == 0) *grain = 1;
    *chunks = total;
}
