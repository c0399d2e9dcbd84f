// SPDX-License-Identifier: Apache-2.0
/* What recurrent layers do along a sequence, for up to 16 channels (docs/numerics.md, rule 10). */
#include "base/math.h"
#include "device/cpu/ref/ref.h"

/* The input `back` rows before row t: of this call or of the state. */
static float input(const cpu_conv *c, uint32_t t, uint32_t back, uint32_t lane) {
    if (back <= t) return c->x[(t - back) * c->x_stride + lane];
    return c->state[(size_t)(c->taps - 1 - (back - t)) * 16 + lane];
}

/* From 0, y = fmaf(weight, input, y), the oldest input first; then the bias, rounded. */
void ref_conv(const cpu_conv *c) {
    float last[CPU_MOST_TAPS][16] = {{0}};
    for (uint32_t t = 0; t < c->rows; t++) {
        for (uint32_t lane = 0; lane < c->lanes; lane++) {
            float y = 0.0f;
            for (uint32_t k = 0; k < c->taps; k++)
                y = math_fmaf(c->weight[(size_t)lane * c->taps + k], input(c, t, c->taps - 1 - k, lane), y);
            c->y[t * c->y_stride + lane] = c->bias ? y + c->bias[lane] : y;
        }
    }
    for (uint32_t k = 0; c->rows && k + 1 < c->taps; k++)
        for (uint32_t lane = 0; lane < c->lanes; lane++)
            last[k][lane] = input(c, c->rows - 1, c->taps - 2 - k, lane);
    for (uint32_t k = 0; c->rows && k + 1 < c->taps; k++)
        for (uint32_t lane = 0; lane < 16; lane++) c->state[(size_t)k * 16 + lane] = last[k][lane];
}

/* u = step * x. For each state n, ascending: h = fmaf(exp(step * decay), h, u * b), then sum n mod 4 becomes
   fmaf(c, h, sum). y = (sum 0 + sum 2) + (sum 1 + sum 3), and fmaf(skip, x, y). */
void ref_scan(const cpu_scan *s) {
    for (uint32_t t = 0; t < s->rows; t++) {
        const float *b = s->b + t * s->bc_stride, *c = s->c + t * s->bc_stride;
        for (uint32_t lane = 0; lane < s->lanes; lane++) {
            float x = s->x[t * s->x_stride + lane], step = s->step[t * s->step_stride + (s->each ? lane : 0)];
            float u = step * x, sum[4] = {0}, factor = s->each ? 0.0f : math_expf(step * s->decay[0]);
            for (uint32_t n = 0; n < s->states; n++) {
                float *h = &s->state[(size_t)n * 16 + lane];
                if (s->each) factor = math_expf(step * s->decay[(size_t)lane * s->states + n]);
                *h = math_fmaf(factor, *h, u * b[n]);
                sum[n % 4] = math_fmaf(c[n], *h, sum[n % 4]);
            }
            float y = (sum[0] + sum[2]) + (sum[1] + sum[3]);
            s->y[t * s->y_stride + lane] = s->skip ? math_fmaf(s->skip[s->each ? lane : 0], x, y) : y;
        }
    }
}
