// SPDX-License-Identifier: Apache-2.0
/* Work along rows of floats: norm, activation, sums, rotary positions. */
#include <math.h>

#include "base/math.h"
#include "device/cpu/ref/ref.h"
#include "graph/graph.h"

/* Sum of squares in 16 lanes, element i in lane i mod 16, ascending, by fmaf; the lanes' tree; mean = sum / (float)n;
   scale = 1 / sqrtf(mean + epsilon); y = (x * scale) * weight. Every operation is rounded once. */
void ref_rms_norm(const float *x, const float *weight, uint32_t n, float epsilon, float *y) {
    float lanes[16] = {0};
    for (uint32_t i = 0; i < n; i++) lanes[i % 16] = math_fmaf(x[i], x[i], lanes[i % 16]);
    float mean = math_lanes_sum(lanes) / (float)n;
    float scale = 1.0f / sqrtf(mean + epsilon);
    for (uint32_t i = 0; i < n; i++) y[i] = x[i] * scale * weight[i];
}

/* The sum in 16 lanes as above, by addition; mean = sum / (float)n; the sum of (x - mean)^2 in 16 lanes, by fmaf; scale
   as above; y = ((x - mean) * scale) * weight + bias, each operation rounded. */
void ref_layer_norm(const float *x, const float *weight, const float *bias, uint32_t n, float epsilon, float *y) {
    float sums[16] = {0}, squares[16] = {0};
    for (uint32_t i = 0; i < n; i++) sums[i % 16] += x[i];
    float mean = math_lanes_sum(sums) / (float)n;
    for (uint32_t i = 0; i < n; i++) squares[i % 16] = math_fmaf(x[i] - mean, x[i] - mean, squares[i % 16]);
    float scale = 1.0f / sqrtf(math_lanes_sum(squares) / (float)n + epsilon);
    for (uint32_t i = 0; i < n; i++) {
        float v = (x[i] - mean) * scale;
        if (weight) v = v * weight[i];
        y[i] = bias ? v + bias[i] : v;
    }
}

static float activation(uint32_t f, float x) {
    switch (f) {
    case GRAPH_GELU: return math_geluf(x);
    case GRAPH_GELU_ERF: return math_gelu_erff(x);
    case GRAPH_SILU: return math_siluf(x);
    case GRAPH_RELU: return x > 0 ? x : 0.0f;
    case GRAPH_TANH: return math_tanhf(x);
    case GRAPH_SOFTPLUS: return math_softplusf(x);
    default: return x > 0 ? x * x : 0.0f;
    }
}

void ref_activate(uint32_t f, const float *x, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = activation(f, x[i]);
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

void ref_multiply(const float *a, const float *b, size_t n, float *y) {
    for (size_t i = 0; i < n; i++) y[i] = a[i] * b[i];
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
