// SPDX-License-Identifier: Apache-2.0
/* How a public function begins: what it refuses, and how its caller gets into an engine. */
#ifndef PUNA_API_API_ENTER_H
#define PUNA_API_API_ENTER_H

#include "engine/engine.h"

/* The answer to an argument that is NULL, but may not be. */
puna_status api_missing(puna_error *error, const char *name);

/* Lets the caller into the engine (NULL is answered); on success the caller must leave. PUNA_BUSY. */
puna_status api_enter(puna_engine *e, puna_error *error);

/* Likewise, and finds its sequence. PUNA_BUSY, PUNA_CLOSED. */
puna_status api_enter_sequence(puna_engine *e, uint64_t id, sequence **s, puna_error *error);

#endif
