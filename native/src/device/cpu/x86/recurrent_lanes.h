// SPDX-License-Identifier: Apache-2.0
/*
 * Convolution and scan of recurrent layers, as ref/ref_recurrent.c says them, a lane a channel.
 *
 * The file that includes this defines `lanes`, 16 floats, and in its own instructions lanes_load, lanes_store (of 16
 * floats at any address), lanes_set, lanes_add, lanes_multiply, lanes_fma (a * b + c, once rounded) and lanes_exp
 * (math_expf). Everything is static, since each includer is compiled for another instruction set.
 */
#ifndef PUNA_DEVICE_CPU_RECURRENT_LANES_H
#define PUNA_DEVICE_CPU_RECURRENT_LANES_H

/* Less than 16 channels are filled up with zeros. */
static inline lanes some_load(const float *x, uint32_t count) {
    float all[16] = {0};
    if (count == 16) return lanes_load(x);
    memcpy(all, x, count * sizeof *all);
    return lanes_load(all);
}

static inline void some_store(float *y, uint32_t count, lanes v) {
    float all[16];
    if (count == 16) {
        lanes_store(y, v);
        return;
    }
    lanes_store(all, v);
    memcpy(y, all, count * sizeof *all);
}

/* [count][n] becomes [n][16]. */
static inline void turn(const float *x, uint32_t count, uint32_t n, float *to) {
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t lane = 0; lane < 16; lane++)
            to[(size_t)i * 16 + lane] = lane < count ? x[(size_t)lane * n + i] : 0;
}

static void lanes_conv(const cpu_conv *c) {
    float weight[CPU_MOST_TAPS * 16];
    lanes held[2 * CPU_MOST_TAPS], bias = lanes_set(0.0f); /* the inputs before a row end at held[first + taps - 1] */
    uint32_t before = c->taps - 1, first = 0;
    turn(c->weight, c->lanes, c->taps, weight);
    if (c->bias) bias = some_load(c->bias, c->lanes);
    for (uint32_t k = 0; k < before; k++) held[k] = lanes_load(c->state + (size_t)k * 16);
    for (uint32_t t = 0; t < c->rows; t++) {
        lanes y = lanes_set(0.0f);
        held[first + before] = some_load(c->x + t * c->x_stride, c->lanes);
        for (uint32_t k = 0; k < c->taps; k++) y = lanes_fma(lanes_load(weight + (size_t)k * 16), held[first + k], y);
        some_store(c->y + t * c->y_stride, c->lanes, c->bias ? lanes_add(y, bias) : y);
        if (++first + before < 2 * CPU_MOST_TAPS) continue;
        for (uint32_t k = 0; k < before; k++) held[k] = held[first + k];
        first = 0;
    }
    for (uint32_t k = 0; k < before; k++) lanes_store(c->state + (size_t)k * 16, held[first + k]);
}

/* One state of all lanes, by the factor that it keeps. */
static inline lanes scan_state(float *state, lanes factor, lanes u, float b, float c, lanes sum) {
    lanes h = lanes_fma(factor, lanes_load(state), lanes_multiply(u, lanes_set(b)));
    lanes_store(state, h);
    return lanes_fma(lanes_set(c), h, sum);
}

static inline lanes scan_shared(const cpu_scan *s, float factor, lanes u, const float *b, const float *c) {
    lanes all = lanes_set(factor), sum[4];
    uint32_t n = 0;
    for (int i = 0; i < 4; i++) sum[i] = lanes_set(0.0f);
    for (; n + 4 <= s->states; n += 4)
        for (uint32_t i = 0; i < 4; i++)
            sum[i] = scan_state(s->state + (size_t)(n + i) * 16, all, u, b[n + i], c[n + i], sum[i]);
    for (uint32_t i = 0; n + i < s->states; i++)
        sum[i] = scan_state(s->state + (size_t)(n + i) * 16, all, u, b[n + i], c[n + i], sum[i]);
    return lanes_add(lanes_add(sum[0], sum[2]), lanes_add(sum[1], sum[3]));
}

static inline lanes scan_each(const cpu_scan *s, lanes step, lanes u, const float *b, const float *c) {
    lanes sum[4];
    for (int i = 0; i < 4; i++) sum[i] = lanes_set(0.0f);
    for (uint32_t n = 0; n < s->states; n++) {
        lanes factor = lanes_exp(lanes_multiply(step, lanes_load(s->scratch + (size_t)n * 16)));
        sum[n % 4] = scan_state(s->state + (size_t)n * 16, factor, u, b[n], c[n], sum[n % 4]);
    }
    return lanes_add(lanes_add(sum[0], sum[2]), lanes_add(sum[1], sum[3]));
}

static inline float first_of(lanes v) {
    float all[16];
    lanes_store(all, v);
    return all[0];
}

static void lanes_scan(const cpu_scan *s) {
    lanes skip = lanes_set(0.0f);
    if (s->each) turn(s->decay, s->lanes, s->states, s->scratch);
    if (s->skip) skip = s->each ? some_load(s->skip, s->lanes) : lanes_set(s->skip[0]);
    for (uint32_t t = 0; t < s->rows; t++) {
        const float *b = s->b + t * s->bc_stride, *c = s->c + t * s->bc_stride, *at = s->step + t * s->step_stride;
        lanes x = some_load(s->x + t * s->x_stride, s->lanes), step, y;
        step = s->each ? some_load(at, s->lanes) : lanes_set(*at);
        lanes u = lanes_multiply(step, x);
        if (s->each) y = scan_each(s, step, u, b, c);
        else y = scan_shared(s, first_of(lanes_exp(lanes_set(*at * s->decay[0]))), u, b, c);
        some_store(s->y + t * s->y_stride, s->lanes, s->skip ? lanes_fma(skip, x, y) : y);
    }
}

#endif
