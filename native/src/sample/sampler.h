// SPDX-License-Identifier: Apache-2.0
/*
 * Choosing the next token of one sequence: the chain of stages that its caller asked for, over one row of logits.
 *
 * Stages work on the set of candidates, at first every token whose logit isn't -inf, in the caller's order:
 *
 *     temperature   v / value for each candidate; 0 (below 1e-30) keeps the best one alone
 *     top-k         keeps the `value` best; 0 keeps all
 *     top-p         keeps the fewest best ones whose probabilities reach `value`; always one at least
 *     min-p         keeps those with v >= best + log(value)
 *     penalties     for tokens that occurred n > 0 times among the last `window`: v / repeat if v > 0, else v * repeat;
 *                   then v - (n * frequency + presence)
 *
 * and those whose files say it (typical.c and so on; docs/sampling.md has them all in a table). Biases are added before
 * the first stage.
 *
 * "Better" is a greater value, then the lower id: there are no ties. A probability is exp(v - best) in units of 2^-40,
 * cut to a whole number, so that sums are exact in any order and on every machine: with W the sum over the candidates,
 * top-p keeps the best ones until their sum reaches ceil(value * W).
 *
 * Stage i of the chain, from 0, has draw i + 1 to itself. Draw 0 picks among what is left at the end: with W its sum
 * and h = sampler_draw(seed, position, 0), the candidate, best first, at which the running sum first exceeds
 * floor(h * W / 2^64). Without stages the best token is taken.
 *
 * Time is near-linear in the vocabulary (a few passes, whatever the distribution); nothing is sorted but lists of at
 * most 1,024. sampler_choose allocates nothing.
 *
 * Threads: one at a time for each sampler.
 */
#ifndef PUNA_SAMPLE_SAMPLER_H
#define PUNA_SAMPLE_SAMPLER_H

#include "base/error.h"
#include "base/memory.h"

typedef struct sampler sampler;

typedef struct sampler_choice {
    int32_t id;
    float logprob;           /* of the chosen id in the model's own distribution; 0 unless asked for */
    const puna_logprob *top; /* the best ones of that distribution, best first; valid until the next choice */
    uint32_t top_count;      /* as asked for, fewer where fewer tokens have a finite logit */
} sampler_choice;

/* What a sampler must know of the model that it chooses for. */
typedef struct sampler_model {
    int32_t vocabulary;
    uint32_t context;      /* positions of a sequence: the longest window of DRY */
    const void *tokenizer; /* for `spell`; outlives the sampler */
    /* The bytes of a token, control tokens as they are spelled; any id is allowed. NULL: no breaker is ever found. */
    const char *(*spell)(const void *tokenizer, int32_t id, size_t *length);
} sampler_model;

/* Checks the settings and copies what sampling needs of them. PUNA_INVALID_ARGUMENT names the argument, its value and
   its range; PUNA_OUT_OF_MEMORY. Penalties cost 4 bytes a token of the vocabulary and of the window. */
puna_status sampler_create(memory_account *account, const puna_generation *generation, const sampler_model *model,
                           sampler **out, puna_error *error);
void sampler_free(memory_account *account, sampler *s); /* NULL is allowed */

/* Restricts the next choice alone: only ids whose bit is set may be chosen, of (vocabulary + 63) / 64 words that stay
   the caller's and are read by sampler_choose. The log-probabilities stay those of the model's whole distribution.
   PUNA_OUT_OF_MEMORY (4 bytes a token of the vocabulary, taken once). */
puna_status sampler_allow(memory_account *account, sampler *s, const uint64_t *allowed, puna_error *error);

/* A token of the prompt or of the answer, in order: what penalties regard. Ids outside the vocabulary are ignored. */
void sampler_accept(sampler *s, int32_t id);

/* Chooses the token at `position` from a row of `vocabulary` logits. PUNA_NOT_FINITE if one is NaN or +inf or all are
   -inf, or all that are allowed are; PUNA_INVALID_ARGUMENT if the biases leave no token. Equal rows, settings, accepted
   tokens and positions give equal choices. */
puna_status sampler_choose(sampler *s, const float *logits, uint64_t position, sampler_choice *choice,
                           puna_error *error);

/* What a message about a row of logits says: what it is, and after the fault why that may be. */
typedef struct sampler_blame {
    const char *row, *why;
} sampler_blame;

extern const sampler_blame sampler_model_blame; /* of a row that the model computed */

/* Whether a row can be chosen from: PUNA_NOT_FINITE if a logit is NaN or +inf, or all are -inf. */
puna_status sampler_check_row(const float *logits, uint32_t vocabulary, const sampler_blame *blame, puna_error *error);

/* The stated hash of (seed, position, draw): with M the finalizer of splitmix64 and G = 0x9E3779B97F4A7C15,
   M(M(M(seed + G) + G * (position + 1)) + G * (draw + 1)), modulo 2^64. */
uint64_t sampler_draw(uint64_t seed, uint64_t position, uint64_t draw);

#endif
