// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/x86/panel.h"

#include <string.h>

/* Room for units of 16 with minimums, whatever the format: sums, then panels. */
static size_t panel_bytes(size_t cols) { return cols * CPU_TILE + 2 * (cols / 16) * CPU_TILE * sizeof(float); }

static size_t sums_bytes(size_t cols) { return PANEL_COLUMNS * (cols / 16) * sizeof(int32_t); }

size_t panel_scratch(uint32_t cols) { return sums_bytes(cols) + PANEL_TILES * panel_bytes(cols); }

static panel panel_at(void *scratch, size_t cols, uint32_t index) {
    panel t;
    t.numbers = (uint8_t *)scratch + sums_bytes(cols) + index * panel_bytes(cols);
    t.scales = (float *)(void *)(t.numbers + cols * CPU_TILE);
    t.minimums = t.scales + (cols / 16) * CPU_TILE;
    return t;
}

static void sum_up(const panel_kind *kind, const panel_columns *c, void *sums) {
    const size_t cols = c->x->cols;
    if (kind->unit != 16) return;
    for (size_t i = 0; i < c->count; i++)
        kind->sums(c->x->q + (c->first + i) * cols, c->x->d + (c->first + i) * (cols / CPU_GROUP), c->x->cols,
                   (uint8_t *)sums + i * (cols / 16) * sizeof(int32_t));
}

static void unpack(const panel_kind *kind, const uint8_t *blocks, uint32_t count, const panel *t) {
    const size_t units = kind->length / kind->unit;
    for (size_t b = 0; b < count; b++)
        kind->unpack(blocks + b * kind->bytes * CPU_TILE, t->numbers + b * kind->length * CPU_TILE,
                     t->scales + b * units * CPU_TILE, t->minimums + b * units * CPU_TILE);
}

static void finish(const panel_kind *kind, const cpu_product *p, uint32_t tile, const panel_columns *c) {
    for (uint32_t i = 0; i < c->count; i++) kind->finish(p, tile, c->first + i, c->acc + i * CPU_TILE);
}

static const uint8_t *tile_of(const cpu_product *p, uint32_t tile) {
    return p->weight->data + (size_t)tile * p->weight->tile_bytes;
}

/* Slab by slab, each tile read once. */
static void few(const panel_kind *kind, const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch,
                float *acc) {
    const uint32_t blocks = p->x->cols / kind->length, slab = PANEL_SLAB / kind->length;
    panel_columns c = {.x = p->x, .count = p->count, .sums = scratch, .acc = acc};
    panel t = panel_at(scratch, p->x->cols, 0);
    sum_up(kind, &c, scratch);
    for (uint32_t tile = tile_begin; tile < tile_end; tile++) {
        const uint8_t *data = tile_of(p, tile);
        memset(acc, 0, sizeof(float) * CPU_TILE * p->count);
        for (uint32_t b = 0; b < blocks; b += slab) {
            uint32_t count = blocks - b < slab ? blocks - b : slab;
            unpack(kind, data + (size_t)b * kind->bytes * CPU_TILE, count, &t);
            c.group_begin = b * kind->length / CPU_GROUP;
            c.group_end = (b + count) * kind->length / CPU_GROUP;
            kind->step(&t, &c);
        }
        finish(kind, p, tile, &c);
    }
}

/* A few tiles at a time, all of K, then column after column. */
static void many(const panel_kind *kind, const cpu_product *p, uint32_t tile_begin, uint32_t tile_end, void *scratch,
                 float *acc) {
    const uint32_t cols = p->x->cols;
    for (uint32_t first = tile_begin; first < tile_end; first += PANEL_TILES) {
        uint32_t tiles = tile_end - first < PANEL_TILES ? tile_end - first : PANEL_TILES;
        for (uint32_t i = 0; i < tiles; i++) {
            panel t = panel_at(scratch, cols, i);
            unpack(kind, tile_of(p, first + i), cols / kind->length, &t);
        }
        panel_columns c = {.x = p->x, .group_end = cols / CPU_GROUP, .sums = scratch, .acc = acc};
        for (; c.first < p->count; c.first += PANEL_COLUMNS) {
            c.count = p->count - c.first < PANEL_COLUMNS ? p->count - c.first : PANEL_COLUMNS;
            sum_up(kind, &c, scratch);
            for (uint32_t i = 0; i < tiles; i++) {
                panel t = panel_at(scratch, cols, i);
                memset(acc, 0, sizeof(float) * CPU_TILE * c.count);
                kind->step(&t, &c);
                finish(kind, p, first + i, &c);
            }
        }
    }
}

void panel_product(const panel_kind *kind, const cpu_product *p, uint32_t tile_begin, uint32_t tile_end,
                   void *scratch) {
    float acc[PANEL_COLUMNS * CPU_TILE];
    if (p->count <= PANEL_COLUMNS) few(kind, p, tile_begin, tile_end, scratch, acc);
    else many(kind, p, tile_begin, tile_end, scratch, acc);
}
