// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/columns.h"

static int32_t lanes(const int8_t *q) {
    int32_t low = 0, high = 0;
    for (int i = 0; i < 16; i += 4) {
        low += q[i] + q[i + 1];
        high += q[i + 2] + q[i + 3];
    }
    return (int32_t)((uint32_t)high << 16 | ((uint32_t)low & 0xffff));
}

void columns_put_groups(const cpu_columns *x, const cpu_kernels *k, const float *row, uint32_t column, uint32_t first,
                        uint32_t count) {
    for (uint32_t g = first; g < first + count; g++) {
        columns_group to = columns_at(x, column, g);
        k->quantize(row + (size_t)g * CPU_GROUP, CPU_GROUP, to.q, to.d, to.ds, to.s);
        *to.lanes[0] = lanes(to.q);
        *to.lanes[1] = lanes(to.q + 16);
    }
}

void columns_put(const cpu_columns *x, const cpu_kernels *k, const float *row, uint32_t column) {
    columns_put_groups(x, k, row, column, 0, x->cols / CPU_GROUP);
}
