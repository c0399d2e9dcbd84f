// SPDX-License-Identifier: Apache-2.0
/* Work along rows of floats: norm, activation, sums, rotary positions. */
#include <math.h>

#include "base/math.h"
#include "device/cpu/ref/ref.h"

/* Sum of squares in 16 lanes, element i in lane i mod 16, ascending, by fmaf; the lanes' tree; mean = sum / (float)n;
   scale = 1 / sqrtf(mean + epsilon); y = (x * scale) * weight. Every operation is rounded once. */
void ref_rms_norm(const float *x, const float *weight, uint32_t n, float epsilon, float *y) {
    float lanes[16] = {0};
    for (uint32_t i = 0; i < n; i++) lanes[i % 16] = math_fmaf(x[i], x[i], lanes[i % 16]);
    float mean = math_lanes_sum(lanes) / (float)n;
    float scale = 1.0f / sqrtf(mean + epsilon);
    for (uint32_t i = 0; i < n; i++) y[i] = x[i] * scale * weight[i];
}

void ref_silu_mul(const float *gate, const float *up, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = math_siluf(gate[i]) * up[i];
}

void ref_gelu_mul(const float *gate, const float *up, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = math_geluf(gate[i]) * up[i];
}

void ref_softcap(const float *a, float cap, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = cap * math_tanhf(a[i] / cap);
}

void ref_add(const float *a, const float *b, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

void ref_scale(const float *a, float factor, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] * factor;
}

void ref_rope(float *x, uint32_t heads, uint32_t dim, uint32_t rotated, bool interleaved, const float *cosines,
              const float *sines) {
    uint32_t half = rotated / 2;
    for (uint32_t h = 0; h < heads; h++, x += dim) {
        for (uint32_t i = 0; i < half; i++) {
            float *a = interleaved ? x + 2 * i : x + i, *b = interleaved ? a + 1 : a + half;
            float u = *a, v = *b, minus = v * sines[i], plus = u * sines[i];
            *a = math_fmaf(u, cosines[i], -minus);
            *b = math_fmaf(v, cosines[i], plus);
        }
    }
}
