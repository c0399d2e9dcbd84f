// SPDX-License-Identifier: Apache-2.0
/* What the AVX2 files give to the tier's table (avx2_tier.c). */
#ifndef PUNA_DEVICE_CPU_KERNELS_AVX2_H
#define PUNA_DEVICE_CPU_KERNELS_AVX2_H

#include "device/cpu/products.h"

void avx2_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s);
void avx2_rms_norm(const float *x, const float *weight, uint32_t n, float epsilon, float *y);
void avx2_layer_norm(const float *x, const float *weight, const float *bias, uint32_t n, float epsilon, float *y);
void avx2_activate(uint32_t f, const float *x, size_t n, float *y);
void avx2_silu_mul(const float *gate, const float *up, size_t n, float *y);
void avx2_gelu_mul(const float *gate, const float *up, size_t n, float *y);
void avx2_softcap(const float *a, float cap, size_t n, float *y);
void avx2_multiply(const float *a, const float *b, size_t n, float *y);
void avx2_add(const float *a, const float *b, size_t n, float *y);
void avx2_scale(const float *a, float factor, size_t n, float *y);
void avx2_rope(float *x, uint32_t heads, uint32_t dim, uint32_t rotated, bool interleaved, const float *cosines,
                 const float *sines);

void avx2_product_q4_0(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_q4_1(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_q8_0(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_f32(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_f16(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_bf16(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_q5_0(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_q5_1(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_q2_k(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_q3_k(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_q4_k(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_q5_k(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_q6_k(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_iq4_nl(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_iq4_xs(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void avx2_product_mxfp4(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);

void avx2_cache_store(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v);
void avx2_cache_store_rows(const cpu_attention *a, uint8_t *page, uint32_t slot, uint32_t rows, const float *k,
                           size_t k_stride, const float *v, size_t v_stride);
void avx2_attention(const cpu_attention *a, const cpu_queries *queries, uint32_t head_begin, uint32_t head_end,
                      void *scratch);
size_t avx2_attention_scratch(const cpu_attention *a);
void avx2_attention_span(const cpu_attention *a, const cpu_queries *queries, uint32_t head, uint32_t span,
                         const cpu_parts *parts, void *scratch);
void avx2_attention_join(const cpu_attention *a, const cpu_queries *queries, uint32_t head, const cpu_parts *parts,
                         void *scratch);

void avx2_conv(const cpu_conv *c);
void avx2_scan(const cpu_scan *s);

/* All of a table but its products: the tier of AVX2 with AVX-VNNI has others. */
#define AVX2_BUT_PRODUCTS \
    .quantize = avx2_quantize, \
    .rms_norm = avx2_rms_norm, \
    .layer_norm = avx2_layer_norm, \
    .activate = avx2_activate, \
    .silu_mul = avx2_silu_mul, \
    .gelu_mul = avx2_gelu_mul, \
    .softcap = avx2_softcap, \
    .multiply = avx2_multiply, \
    .add = avx2_add, \
    .scale = avx2_scale, \
    .rope = avx2_rope, \
    .cache_store = avx2_cache_store, \
    .cache_store_rows = avx2_cache_store_rows, \
    .attention = avx2_attention, \
    .attention_scratch = avx2_attention_scratch, \
    .attention_span = avx2_attention_span, \
    .attention_join = avx2_attention_join, \
    .conv = avx2_conv, \
    .scan = avx2_scan, \
    .decode_row = ref_decode_row,

#endif
