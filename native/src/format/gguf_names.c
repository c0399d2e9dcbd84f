// SPDX-License-Identifier: Apache-2.0
#include "format/gguf_names.h"

#include <string.h>

#include "format/order.h"

static const gguf_text *gguf_names_at(const gguf_names *names, uint32_t row) {
    return (const gguf_text *)(const void *)(names->rows + row * names->stride);
}

static int gguf_names_compare(const gguf_text *a, const gguf_text *b) {
    if (a->length != b->length) return a->length < b->length ? -1 : 1;
    return memcmp(a->data, b->data, (size_t)a->length);
}

static bool gguf_names_before(const void *context, uint32_t a, uint32_t b) {
    int order = gguf_names_compare(gguf_names_at(context, a), gguf_names_at(context, b));
    return order ? order < 0 : a < b;
}

bool gguf_names_build(gguf_names *names, memory_account *account, const void *rows, size_t stride, uint32_t count) {
    *names = (gguf_names){rows, stride, count, memory_array(account, count, sizeof(uint32_t))};
    if (!names->order) return false;
    for (uint32_t i = 0; i < count; i++) names->order[i] = i;
    order_sort(names->order, count, gguf_names_before, names);
    return true;
}

void gguf_names_free(gguf_names *names, memory_account *account) {
    memory_free(account, names->order);
    *names = (gguf_names){0};
}

bool gguf_names_duplicate(const gguf_names *names, uint32_t *row) {
    for (uint32_t i = 1; i < names->count; i++) {
        const gguf_text *before = gguf_names_at(names, names->order[i - 1]);
        if (gguf_names_compare(before, gguf_names_at(names, names->order[i])) == 0) {
            *row = names->order[i];
            return true;
        }
    }
    return false;
}

const void *gguf_names_find(const gguf_names *names, const char *name, size_t length) {
    gguf_text wanted = {name, length};
    uint32_t low = 0, high = names->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const gguf_text *row = gguf_names_at(names, names->order[middle]);
        int order = gguf_names_compare(&wanted, row);
        if (order == 0) return row;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}
