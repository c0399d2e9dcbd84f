// SPDX-License-Identifier: Apache-2.0
/*
 * Rows of a page in plain order, and back: what is saved must not depend on how a page is packed (cache_page.h). A row is
 * one position: [head][dimension], in F16 or F32; a Q8_0 head is its int8 numbers, then a float scale for each 32.
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

/* Where the bytes of dimension i at a slot lie, and how many they are. */
static size_t number_at(const packed *p, size_t i, size_t slot, size_t *width) {
    *width = p->type == PUNA_CACHE_Q8_0 ? 1 : p->type == PUNA_CACHE_F16 ? 2 : 4;
    if (p->values) return (slot * p->dim + i) * *width;
    if (p->type == PUNA_CACHE_Q8_0) return (i / 4 * CPU_PAGE + slot) * 4 + i % 4;
    return (i * CPU_PAGE + slot) * *width;
}

static size_t scales_at(const packed *p) {
    return p->values ? CPU_PAGE * p->dim : cache_page_key_scales(p->dim);
}

static size_t scale_at(const packed *p, size_t group, size_t slot) {
    return scales_at(p) + (group * CPU_PAGE + slot) * sizeof(float);
}

static void read_head(const packed *p, const uint8_t *head, size_t slot, uint8_t *row) {
    size_t width;
    for (size_t i = 0; i < p->dim; i++) {
        const uint8_t *from = head + number_at(p, i, slot, &width);
        if (p->type == PUNA_CACHE_Q8_0) row[i] = p->values ? *from : (uint8_t)(*from - CACHE_PAGE_BIAS);
        else memcpy(row + i * width, from, width);
    }
    if (p->type != PUNA_CACHE_Q8_0) return;
    for (size_t g = 0; g < cache_page_groups(p->dim); g++)
        memcpy(row + p->dim + g * sizeof(float), head + scale_at(p, g, slot), sizeof(float));
}

static void write_head(const packed *p, uint8_t *head, size_t slot, const uint8_t *row) {
    size_t width;
    for (size_t i = 0; i < p->dim; i++) {
        uint8_t *to = head + number_at(p, i, slot, &width);
        if (p->type == PUNA_CACHE_Q8_0) *to = p->values ? row[i] : (uint8_t)(row[i] + CACHE_PAGE_BIAS);
        else memcpy(to, row + i * width, width);
    }
    if (p->type != PUNA_CACHE_Q8_0) return;
    for (size_t i = p->dim; !p->values && i % 4; i++) head[number_at(p, i, slot, &width)] = CACHE_PAGE_BIAS;
    for (size_t g = 0; g < cache_page_groups(p->dim); g++)
        memcpy(head + scale_at(p, g, slot), row + p->dim + g * sizeof(float), sizeof(float));
}

static const graph_cache_group *group_of(const device_runner *r, uint32_t layer) {
    return &r->g->groups[r->g->cache_layers[layer].group];
}

size_t cpu_cache_row_bytes(const device_runner *r, uint32_t layer, bool values) {
    const graph_cache_group *c = group_of(r, layer);
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
    for (uint32_t end = slot + count; slot < end; slot++)
        for (size_t h = 0; h < c->heads; h++, rows += bytes) read_head(&p, page + h * head_stride(&p), slot, rows);
}

void cpu_cache_write(const device_runner *r, uint32_t layer, bool values, uint8_t *page, uint32_t slot, uint32_t count,
                     const uint8_t *rows) {
    const graph_cache_group *c = group_of(r, layer);
    packed p = {r->options.cache_type, values, values ? c->dim_v : c->dim_k};
    size_t bytes = head_bytes(p.type, p.dim);
    page += layer_at(r, layer, values);
    for (uint32_t end = slot + count; slot < end; slot++)
        for (size_t h = 0; h < c->heads; h++, rows += bytes) write_head(&p, page + h * head_stride(&p), slot, rows);
}
