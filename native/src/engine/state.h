// SPDX-License-Identifier: Apache-2.0
/*
 * A sequence, written down: its tokens, and the keys and values that the cache holds of them, in an order that depends
 * neither on a tier nor on how pages are packed. All numbers are little-endian.
 *
 *     front    64 bytes   "PUNASEQ\n"; u32 version; u32 bytes of front and layers; u64 bytes in all; u64 the model's
 *                         fingerprint; u32 arithmetic version, cache type, vocabulary, layers, tokens, cached
 *                         positions, adapters, 0
 *     layers   24 each    u32 kv heads, key dimension, value dimension, window, first position held, 0
 *     adapters 16 each    that the caches were computed with, in order: u64 fingerprint, f32 weight, 0
 *     sum      u64        of all before it
 *     tokens   i32 each
 *     caches              for each layer the keys, then the values of positions first .. cached: [position][kv head]
 *                         [dimension]; a head in Q8_0 is its int8 numbers, then a float scale for each 32 of them.
 *                         Of a recurrent layer the state behind the last position, as one position: 1 head, whose key
 *                         is the convolution's floats and whose value the scan's
 *     sum      u64        of all before it
 *
 * Invariant: nothing read is believed before it was compared with the length, with both sums and with the model. A sum
 * surely notices a change within eight bytes in a row, and any other but one time in 2^64; it does not withstand
 * someone who computes it anew. So what is restored never enters other sequences' prefixes (state_restore.c).
 *
 * state_form.c says what belongs to whom, state_save.c writes, state_restore.c reads, state_sum.c adds up.
 */
#ifndef PUNA_ENGINE_STATE_H
#define PUNA_ENGINE_STATE_H

#include "base/os.h"
#include "engine/engine.h"

#define STATE_MAGIC "PUNASEQ\n"
#define STATE_VERSION 1u
#define STATE_FRONT 64u
#define STATE_LONG 0x100u /* beside the cache type: keys turned by the frequencies for long contexts */
#define STATE_LAYER 24u
#define STATE_ADAPTER 16u
#define STATE_SUM 8u
#define STATE_ROWS CACHE_PAGE /* copied at a time */

typedef struct state_sum {
    uint64_t hash, count;
    uint8_t rest[8]; /* count % 8 bytes that wait for others */
} state_sum;

void state_sum_add(state_sum *sum, const void *bytes, size_t count);
uint64_t state_sum_end(const state_sum *sum); /* of what was added until now */

typedef struct state_layer {
    uint32_t heads, dim_k, dim_v, window;
    uint32_t first; /* position held */
} state_layer;

typedef struct state_front {
    uint32_t version, front_bytes, arithmetic, cache_type, vocabulary, layers, tokens, cached, adapters;
    uint64_t bytes, fingerprint;
} state_front;

/* state_form.c: what a state of this sequence says of itself, and of a layer. */
state_front state_front_of(const engine *e, const sequence *s);
state_layer state_layer_of(const engine *e, uint32_t layer, uint32_t cached);

/* Bytes of front, layers, adapters and their sum; of a layer's keys and values; of all. UINT64_MAX where it is more. */
uint64_t state_front_bytes(const state_front *front);
uint64_t state_cache_bytes(const engine *e, uint32_t layer, uint32_t first, uint32_t cached);
uint64_t state_bytes(const engine *e, const state_front *front, const state_layer *layers);

/* For STATE_ROWS rows of any layer, a state of a recurrent one. */
size_t state_rows_bytes(const engine *e);

/* Where a state goes: into memory that has room for state_bytes, or into a file. */
typedef struct state_sink {
    uint8_t *bytes;    /* moves on */
    os_output *output; /* NULL: bytes */
    state_sum sum;
} state_sink;

uint64_t state_save_bytes(const engine *e, const sequence *s);
puna_status state_save(engine *e, const sequence *s, state_sink *sink, puna_error *error);

/* Where a state comes from. */
typedef struct state_source {
    const uint8_t *bytes;
    os_input *input; /* NULL: bytes */
    uint64_t size;
    const char *name; /* for errors */
} state_source;

/* Opens an idle sequence. Pages come from who needs them least; where those that run leave too few, it begins without
   and computes them again. PUNA_INVALID_FILE, PUNA_UNSUPPORTED (another version of the form or of arithmetic),
   PUNA_INVALID_ARGUMENT (another model or cache type), PUNA_CONTEXT_FULL, PUNA_BUSY, PUNA_OUT_OF_MEMORY, PUNA_IO:
   nothing has changed. */
puna_status state_restore(engine *e, const state_source *source, uint64_t *id, puna_error *error);

#endif
