// SPDX-License-Identifier: Apache-2.0
#include "format/order.h"

/* Moves the root of the heap order[root..count) down to its place; the last in order is at the top. */
static void order_sink(uint32_t *order, uint64_t root, uint64_t count, order_before before, const void *context) {
    uint32_t moved = order[root];
    for (;;) {
        uint64_t child = 2 * root + 1;
        if (child >= count) break;
        if (child + 1 < count && before(context, order[child], order[child + 1])) child++;
        if (!before(context, moved, order[child])) break;
        order[root] = order[child];
        root = child;
    }
    order[root] = moved;
}

void order_sort(uint32_t *order, uint32_t count, order_before before, const void *context) {
    for (uint32_t i = count / 2; i-- > 0;) order_sink(order, i, count, before, context);
    for (uint32_t end = count; end-- > 1;) {
        uint32_t last = order[0];
        order[0] = order[end];
        order[end] = last;
        order_sink(order, 0, end, before, context);
    }
}
