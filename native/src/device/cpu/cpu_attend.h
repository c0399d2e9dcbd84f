// SPDX-License-Identifier: Apache-2.0
/* Attention as chunks for the pool: cpu_attend.c says how it is cut. */
#ifndef PUNA_DEVICE_CPU_CPU_ATTEND_H
#define PUNA_DEVICE_CPU_CPU_ATTEND_H

#include "device/cpu/cpu_rows.h"

/* A layer's cache, as kernels want it; what belongs to one op (group, scale, ...) is not filled. */
cpu_attention cpu_attend_layer(const device_runner *r, uint32_t layer);

/* Bytes for parts of spans (device_runner.parts), 0 where nothing will be split; counters of arrivals. */
size_t cpu_attend_parts(const graph *g, const device_options *o);
uint32_t cpu_attend_counters(const graph *g, const device_options *o);

/* Of the current batch. */
uint32_t cpu_attend_chunks(const device_runner *r, const plan_step *s);
void cpu_attend(const device_runner *r, const plan_step *s, uint32_t begin, uint32_t end, uint32_t thread);

#endif
