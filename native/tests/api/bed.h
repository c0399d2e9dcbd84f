// SPDX-License-Identifier: Apache-2.0
/* A model with an engine, as the API's tests want them, through puna.h alone. */
#ifndef PUNA_BED_H
#define PUNA_BED_H

#include "puna.h"
#include "testing.h"

typedef struct bed {
    puna_model *model;
    puna_engine *engine;
    puna_model_info info;
    puna_error error;
} bed;

/* `name` of tests/data/tiny. False (and a failed test) if something fails. options may be NULL. */
bool bed_open(bed *b, const char *name, const puna_engine_options *options);
void bed_close(bed *b);

puna_engine_options bed_options(uint32_t threads, uint32_t step_tokens, uint32_t max_sequences, uint32_t cache_type);

/* What a sequence's events gave, gathered by bed_take. */
typedef struct bed_result {
    uint64_t sequence;
    int32_t tokens[256];
    uint32_t count;
    char text[4096];
    size_t text_length;
    uint32_t stop; /* PUNA_STOP_NONE while it runs */
    uint32_t stop_index;
    int32_t status;
    char message[256];
    uint32_t prompt_tokens, cached_tokens;
    float score; /* of what beams found */
    float logprobs[256];
    uint64_t top; /* a digest of the best log-probabilities, where they were asked for */
} bed_result;

/* Steps until nothing is active (at most `limit` steps); events go to the results by sequence. Returns the steps. */
uint32_t bed_run(bed *b, bed_result *results, uint32_t count, uint32_t limit);
void bed_take(bed *b, bed_result *results, uint32_t count);

/* Opens a sequence and starts it; its id is in result->sequence. */
puna_status bed_start(bed *b, bed_result *result, const int32_t *ids, uint64_t count,
                      const puna_generation *generation);

puna_generation bed_generation(uint32_t max_tokens);

/* How often the engine's sequences lost their pages to others. */
uint64_t bed_evictions(const bed *b);

/* FNV-1a, to compare long runs of bits. */
uint64_t bed_digest(uint64_t digest, const void *bytes, size_t count);

/* Takes a tier for models loaded from now on; false if this CPU lacks it (said on stdout). NULL: the best.
   Under sanitizers "ref", in which everything takes ten times as long, is the one above it: its kernels have tests of
   their own (device), and these look for bad addresses and races. */
bool bed_tier(const char *tier);

#endif
