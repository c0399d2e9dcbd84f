// SPDX-License-Identifier: Apache-2.0
/*
 * Activations to int8, in groups of 32 along K:
 *
 *     amax = the largest |x|, compared as integers (so that infinities and NaN win)
 *     id = 127 / amax, q = rint(x * id) with ties to even, d = amax / 127, s = sum of q, ds = d * (float)s
 *
 * each operation rounded once. If amax is 0 or id overflows: q, d, s, ds = 0. If amax isn't finite: q = 0, s = 0, d and
 * ds NaN, so that the product is NaN and nothing wrong looks right.
 */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "device/cpu/ref/ref.h"

static float largest(const float *x) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < CPU_GROUP; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits &= 0x7fffffffu;
        if (bits > most) most = bits;
    }
    float amax;
    memcpy(&amax, &most, sizeof amax);
    return amax;
}

static int32_t quantize_group(const float *x, float id, int8_t *q) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < CPU_GROUP; i++) {
        q[i] = (int8_t)math_rint(x[i] * id);
        sum += q[i];
    }
    return sum;
}

void ref_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s) {
    for (uint32_t g = 0; g < cols / CPU_GROUP; g++, x += CPU_GROUP, q += CPU_GROUP) {
        float amax = largest(x), id = 127.0f / amax;
        if (!isfinite(amax) || !isfinite(id)) {
            memset(q, 0, CPU_GROUP);
            s[g] = 0;
            d[g] = ds[g] = isfinite(amax) ? 0.0f : NAN;
            continue;
        }
        s[g] = quantize_group(x, id, q);
        d[g] = amax / 127.0f;
        ds[g] = d[g] * (float)s[g];
    }
}
