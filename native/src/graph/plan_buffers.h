// SPDX-License-Identifier: Apache-2.0
/* Where buffers lie in the arena. */
#ifndef PUNA_GRAPH_PLAN_BUFFERS_H
#define PUNA_GRAPH_PLAN_BUFFERS_H

#include "graph/plan.h"

/* Fills first, last, bytes and offset of every buffer, and the arena's size. PUNA_OUT_OF_MEMORY if sizes overflow. */
puna_status plan_place_buffers(plan *p, const plan_options *options, puna_error *error);

#endif
