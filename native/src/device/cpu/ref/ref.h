// SPDX-License-Identifier: Apache-2.0
/* The portable tier: what every kernel means. Other tiers may take from it what they don't have themselves. */
#ifndef PUNA_DEVICE_CPU_REF_H
#define PUNA_DEVICE_CPU_REF_H

#include "device/cpu/products.h"

extern const cpu_kernels ref_kernels;
extern const cpu_product_row ref_products[];

void ref_quantize(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s);

void ref_product_q4_0(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_q4_1(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_q8_0(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_f32(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_f16(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_bf16(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_q5_0(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_q5_1(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_q2_k(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_q3_k(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_q4_k(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_q5_k(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_q6_k(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_iq4_nl(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_iq4_xs(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_product_mxfp4(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);
void ref_decode_row(const cpu_weight *weight, uint32_t row, float *out);
void ref_units_decode_row(const cpu_weight *weight, uint32_t row, float *out); /* of formats with block_format.parts */

/* A finished tile of one column: bias, then residual, then the rows that exist. */
void ref_finish(const cpu_product *p, uint32_t tile, uint32_t column, const float acc[CPU_TILE]);

void ref_rms_norm(const float *x, const float *weight, uint32_t n, float epsilon, float *y);
void ref_layer_norm(const float *x, const float *weight, const float *bias, uint32_t n, float epsilon, float *y);
void ref_activate(uint32_t f, const float *x, size_t n, float *y);
void ref_silu_mul(const float *gate, const float *up, size_t n, float *y);
void ref_gelu_mul(const float *gate, const float *up, size_t n, float *y);
void ref_softcap(const float *a, float cap, size_t n, float *y);
void ref_multiply(const float *a, const float *b, size_t n, float *y);
void ref_add(const float *a, const float *b, size_t n, float *y);
void ref_scale(const float *a, float factor, size_t n, float *y);
void ref_rope(float *x, uint32_t heads, uint32_t dim, uint32_t rotated, bool interleaved, const float *cosines,
              const float *sines);

void ref_conv(const cpu_conv *c);
void ref_scan(const cpu_scan *s);

void ref_cache_store(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v);
void ref_cache_store_rows(const cpu_attention *a, uint8_t *page, uint32_t slot, uint32_t rows, const float *k,
                          size_t k_stride, const float *v, size_t v_stride);
void ref_attention(const cpu_attention *a, const cpu_queries *queries, uint32_t head_begin, uint32_t head_end,
                   void *scratch);
size_t ref_attention_scratch(const cpu_attention *a);
void ref_attention_span(const cpu_attention *a, const cpu_queries *queries, uint32_t head, uint32_t span,
                        const cpu_parts *parts, void *scratch);
void ref_attention_join(const cpu_attention *a, const cpu_queries *queries, uint32_t head, const cpu_parts *parts,
                        void *scratch);

#endif
