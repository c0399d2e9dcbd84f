// SPDX-License-Identifier: Apache-2.0
/*
 * Rows of a page in plain order, and back: what is saved must not depend on how a page is packed (cache_page.h). A row
 * is one position: [head][dimension], in F16 or F32; a Q8_0 head is its int8 numbers, then a float scale for each 32.
 * A recurrent layer's page holds one state, which is one row: `slot` says nothing there, and `count` is 1.
 */
#include <string.h>

#include "device/cpu/cache_page.h"
#include "device/cpu/cpu.h"

static size_t head_bytes(uint32_t type, size_t dim) {
    if (type == PUNA_CACHE_Q8_0) return dim + cache_page_groups(dim) * sizeof(float);
    return dim * (type == PUNA_CACHE_F16 ? 2 : 4);
}

/* What is copied: one head of a page, keys or values. */
typedef struct packed {
    uint32_t type;
    bool values;
    size_t dim;
} packed;

/* A value's numbers lie together. A key's lie in runs, a position's beside the next one's: of 2 or 4 bytes, as wide as
   a number or, in Q8_0, four of them, biased; a last run may be short there. */
static size_t run_of(const packed *p) { return p->type == PUNA_CACHE_F16 ? 2 : 4; }

static size_t numbers_of(const packed *p) { return p->dim * (p->type == PUNA_CACHE_Q8_0 ? 1 : run_of(p)); }

static uint32_t biased(const packed *p) { return p->type == PUNA_CACHE_Q8_0 ? 0x80808080u : 0; } /* x + 128, and back */

static void read_key(const packed *p, const uint8_t *head, size_t slot, uint8_t *row) {
    size_t run = run_of(p), stride = CPU_PAGE * run, whole = numbers_of(p) / run, rest = numbers_of(p) % run;
    uint32_t four, bias = biased(p);
    head += slot * run;
    if (run == 2) {
        for (size_t i = 0; i < whole; i++) memcpy(row + 2 * i, head + i * stride, 2);
        return;
    }
    for (size_t i = 0; i < whole; i++) {
        memcpy(&four, head + i * stride, 4);
        four ^= bias;
        memcpy(row + 4 * i, &four, 4);
    }
    for (size_t i = 0; i < rest; i++) row[4 * whole + i] = (uint8_t)(head[whole * stride + i] ^ CACHE_PAGE_BIAS);
}

static void write_key(const packed *p, uint8_t *head, size_t slot, const uint8_t *row) {
    size_t run = run_of(p), stride = CPU_PAGE * run, whole = numbers_of(p) / run, rest = numbers_of(p) % run;
    uint32_t four, bias = biased(p);
    head += slot * run;
    if (run == 2) {
        for (size_t i = 0; i < whole; i++) memcpy(head + i * stride, row + 2 * i, 2);
        return;
    }
    for (size_t i = 0; i < whole; i++) {
        memcpy(&four, row + 4 * i, 4);
        four ^= bias;
        memcpy(head + i * stride, &four, 4);
    }
    for (size_t i = 0; rest && i < 4; i++) /* zeros fill the run up */
        head[whole * stride + i] = (uint8_t)((i < rest ? row[4 * whole + i] : 0) ^ CACHE_PAGE_BIAS);
}

/* A head's scales of one position, behind its numbers in a row. */
static size_t scale_at(const packed *p, size_t group, size_t slot) {
    size_t scales = p->values ? CPU_PAGE * p->dim : cache_page_key_scales(p->dim);
    return scales + (group * CPU_PAGE + slot) * sizeof(float);
}

static size_t scales_of(const packed *p) { return p->type == PUNA_CACHE_Q8_0 ? cache_page_groups(p->dim) : 0; }

static void read_head(const packed *p, const uint8_t *head, size_t slot, uint8_t *row) {
    size_t numbers = numbers_of(p);
    if (p->values) memcpy(row, head + slot * numbers, numbers);
    else read_key(p, head, slot, row);
    for (size_t g = 0; g < scales_of(p); g++)
        memcpy(row + numbers + g * sizeof(float), head + scale_at(p, g, slot), sizeof(float));
}

static void write_head(const packed *p, uint8_t *head, size_t slot, const uint8_t *row) {
    size_t numbers = numbers_of(p);
    if (p->values) memcpy(head + slot * numbers, row, numbers);
    else write_key(p, head, slot, row);
    for (size_t g = 0; g < scales_of(p); g++)
        memcpy(head + scale_at(p, g, slot), row + numbers + g * sizeof(float), sizeof(float));
}

static const graph_cache_group *group_of(const device_runner *r, uint32_t layer) {
    return &r->g->groups[r->g->cache_layers[layer].group];
}

size_t cpu_cache_row_bytes(const device_runner *r, uint32_t layer, bool values) {
    const graph_cache_group *c = group_of(r, layer);
    if (c->state) return (values ? c->dim_v : c->dim_k) * sizeof(float);
    return c->heads * head_bytes(r->options.cache_type, values ? c->dim_v : c->dim_k);
}

/* Of a layer's keys or values in a page. */
static size_t layer_at(const device_runner *r, uint32_t layer, bool values) {
    return r->layer_offset[layer] + (values ? cpu_cache_keys(group_of(r, layer), r->options.cache_type) : 0);
}

static size_t head_stride(const packed *p) {
    return p->values ? cache_page_values(p->type, p->dim) : cache_page_keys(p->type, p->dim);
}

void cpu_cache_read(const device_runner *r, uint32_t layer, bool values, const uint8_t *page, uint32_t slot,
                    uint32_t count, uint8_t *rows) {
    const graph_cache_group *c = group_of(r, layer);
    packed p = {r->options.cache_type, values, values ? c->dim_v : c->dim_k};
    size_t bytes = head_bytes(p.type, p.dim);
    page += layer_at(r, layer, values);
    if (c->state) {
        memcpy(rows, page, count * cpu_cache_row_bytes(r, layer, values));
        return;
    }
    for (uint32_t end = slot + count; slot < end; slot++)
        for (size_t h = 0; h < c->heads; h++, rows += bytes) read_head(&p, page + h * head_stride(&p), slot, rows);
}

void cpu_cache_write(const device_runner *r, uint32_t layer, bool values, uint8_t *page, uint32_t slot, uint32_t count,
                     const uint8_t *rows) {
    const graph_cache_group *c = group_of(r, layer);
    packed p = {r->options.cache_type, values, values ? c->dim_v : c->dim_k};
    size_t bytes = head_bytes(p.type, p.dim);
    page += layer_at(r, layer, values);
    if (c->state) {
        memcpy(page, rows, count * cpu_cache_row_bytes(r, layer, values));
        return;
    }
    for (uint32_t end = slot + count; slot < end; slot++)
        for (size_t h = 0; h < c->heads; h++, rows += bytes) write_head(&p, page + h * head_stride(&p), slot, rows);
}
