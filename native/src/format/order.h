// SPDX-License-Identifier: Apache-2.0
/* Sorting of indices: in place, n log n compares whatever the input (the C library's qsort promises neither). */
#ifndef PUNA_FORMAT_ORDER_H
#define PUNA_FORMAT_ORDER_H

#include <stdbool.h>
#include <stdint.h>

/* Does a come before b? A strict weak order. */
typedef bool (*order_before)(const void *context, uint32_t a, uint32_t b);

/* Sorts the `count` indices in `order`. */
void order_sort(uint32_t *order, uint32_t count, order_before before, const void *context);

#endif
