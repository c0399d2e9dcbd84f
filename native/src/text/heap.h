// SPDX-License-Identifier: Apache-2.0
/* A heap of numbers, the smallest on top: the pairs of symbols that wait to be joined. Its user gives it room. */
#ifndef PUNA_TEXT_HEAP_H
#define PUNA_TEXT_HEAP_H

#include <stddef.h>
#include <stdint.h>

static inline void heap_sift_down(uint64_t *heap, size_t count, size_t at) {
    uint64_t item = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= item) break;
        heap[at] = heap[child];
    }
    heap[at] = item;
}

/* Any numbers become a heap. */
static inline void heap_order(uint64_t *heap, size_t count) {
    for (size_t i = count / 2; i-- > 0;) heap_sift_down(heap, count, i);
}

static inline void heap_push(uint64_t *heap, size_t *count, uint64_t item) {
    size_t at = (*count)++;
    for (; at > 0 && heap[(at - 1) / 2] > item; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = item;
}

/* *count > 0. */
static inline uint64_t heap_pop(uint64_t *heap, size_t *count) {
    uint64_t top = heap[0];
    heap[0] = heap[--*count];
    if (*count) heap_sift_down(heap, *count, 0);
    return top;
}

#endif
