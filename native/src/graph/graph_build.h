// SPDX-License-Identifier: Apache-2.0
/* What ops are built with, in the files of this folder. The first error is remembered; behind one, nothing is added. */
#ifndef PUNA_GRAPH_GRAPH_BUILD_H
#define PUNA_GRAPH_GRAPH_BUILD_H

#include "graph/graph.h"

/* Remembers that an op's arguments do not fit. */
void graph_fail(graph *g, const char *op, const char *why);

/* Room for one more element of an array that grows by doubling; NULL (and a remembered error) without memory. */
void *graph_append(graph *g, void **array, uint32_t *count, size_t size);

/* An op of these inputs (GRAPH_ABSENT: it takes fewer); NULL after an error. */
graph_op *graph_op_new(graph *g, graph_kind kind, graph_value a, graph_value b);

/* The value that the op makes; GRAPH_ABSENT for an op that is NULL. */
graph_value graph_make(graph *g, graph_op *op, uint32_t width);

/* Notes how (GRAPH_USE_...) the op uses the weight; false (and a remembered error) if there is none such. */
bool graph_use(graph *g, graph_op *op, graph_weight weight, uint32_t how);

/* Of a value, 0 if there is none such. */
uint32_t graph_width(const graph *g, graph_value value);

/* False (and a remembered error) if something does not fit. */
bool graph_expect(graph *g, const graph_op *op, bool fits);

/* The number of a group like this one, which is added if there is none; GRAPH_ABSENT without memory. */
uint32_t graph_group(graph *g, graph_cache_group like);

/* One more layer of a group. */
uint32_t graph_layer(graph *g, uint32_t group);

#endif
