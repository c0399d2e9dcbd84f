// SPDX-License-Identifier: Apache-2.0
/*
 * The engine: many sequences that generate together, one step at a time (continuous batching).
 *
 *     waiting ──admit──► running ──finish──► idle ──generate──► waiting
 *        ▲ ▲───no pages────┘ │
 *        └──resume── paused ◄┘ (its caller reads too slowly)
 *
 * engine.c makes and closes it, adapters.h knows what requests change of the model, scheduler.c decides who runs,
 * evict.c finds pages for them, fill.c says who computes what in a round, source.h has encoder-decoders read their
 * sources, draft.h guesses tokens ahead, beam.h searches, step.c does a round, sequences.c forks, rewinds and pauses,
 * state.h writes sequences down, events.c holds what a round tells, profile.h where the time goes.
 *
 * Invariants: nothing in a sequence's result depends on its neighbours. Pages are taken as they are needed; where there
 * are none left, the running sequence that asked last gives up its own and waits. So the one that asked first always
 * goes on, and everyone ends: the budget holds one context at least.
 *
 * One thread at a time: engine_enter refuses a second one.
 */
#ifndef PUNA_ENGINE_ENGINE_H
#define PUNA_ENGINE_ENGINE_H

#include <stdatomic.h>

#include "engine/events.h"
#include "engine/sequence.h"
#include "model/model.h"

/* What others may ask while a thread is inside: as it was when the last call left. */
typedef struct engine_figures {
    _Atomic uint32_t sequences, running, waiting, paused;
    _Atomic uint64_t cache_held, cache_used, steps, evictions, prompt_tokens, generated_tokens, prefix_hit_tokens,
        drafted_tokens, accepted_tokens;
} engine_figures;

typedef struct adapter_set adapter_set; /* adapters.h */

/* Since the engine was created; the engine's thread counts, leaving it tells. */
typedef struct engine_counts {
    uint64_t evictions;         /* times that a sequence lost its pages to another one */
    uint64_t prompt_tokens;     /* of prompts, computed; again where an eviction made it necessary */
    uint64_t generated_tokens;
    uint64_t prefix_hit_tokens; /* of prompts, found in the cache */
    uint64_t drafted_tokens;    /* guessed and computed */
    uint64_t accepted_tokens;   /* of those, right */
} engine_counts;

struct puna_engine {
    _Atomic bool entered;
    engine_figures figures;
    memory_account account;
    model *model;
    device_runner *runner;
    device_runner *reader;       /* of a decoder: computes states for embedding; made when it is first wanted */
    device_runner *source_runner; /* of an encoder-decoder: computes what answers attend to; else NULL */
    cache *cache;
    puna_engine_options options; /* as decided: no zero stands for a default any more */
    sequence **slots;            /* sequences by the low half of their id, less one */
    uint32_t slot_count;
    uint32_t *generations;       /* [slot]: the high half of the id in use, so that old ids are told apart */
    uint32_t generation;         /* of slots that are made: not less than that of any before */
    uint32_t free_from;          /* all slots below are taken */
    uint32_t open;
    sequence_list bare, idle;    /* without a generation: without pages, and with pages, longest unused first */
    sequence_list paused;        /* longest unused first */
    sequence_list waiting, running; /* by order of asking */
    uint64_t asked;              /* generations, since it was created */
    uint64_t restored;           /* sequences, likewise */
    adapter_set *sets;           /* the one used last first */
    uint64_t set_spaces;         /* of the prefix index, that sets were given */
    adapter_set *set;            /* of what is computed without a generation; NULL: none */
    events events;
    uint64_t steps;
    engine_counts counts;
    /* the batch of a step */
    int32_t *ids;
    uint32_t *positions;
    uint32_t *types;             /* of a whole graph; else NULL */
    device_run *runs;
    uint32_t *outputs;
    int32_t *guesses;            /* [draft_tokens] */
    struct drafter *drafter;     /* NULL: no draft model */
    struct step_choice *choices; /* [max_sequences] */
    size_t longest_token;        /* bytes */
    struct profile *profile;     /* NULL: nobody wants to know where the time goes */
};

typedef struct puna_engine engine;

/* Options (whole, of this header) with every 0 replaced, or an error that names what is out of range or does not fit
   into memory. */
puna_status engine_decide(const hyper *h, const graph *g, const device *d, const puna_engine_options *asked,
                          puna_engine_options *decided, puna_error *error);

/* Of the cache's bytes, those of a draft model's cache; 0 without one. */
uint64_t engine_draft_bytes(const graph *g, const device *d, const puna_engine_options *decided);

/* Positions that each of max_sequences can have when they share the cache evenly. */
uint32_t engine_positions(const graph *g, const device *d, const puna_engine_options *decided);

/* Rows of a batch at most, and what engines of these options are to a device. */
uint32_t engine_rows(const graph *g, const puna_engine_options *decided);
device_options engine_device_options(const graph *g, const puna_engine_options *decided);
device_options engine_source_options(const puna_engine_options *decided); /* of an encoder-decoder's source_runner */
uint32_t engine_batch_rows(const graph *g, const puna_engine_options *decided); /* of either runner, at most */

puna_status engine_create(model *m, const puna_engine_options *options, engine **out, puna_error *error);
void engine_close(engine *e);

/* measure.c: what such an engine is accounted with beside the pages of its cache. From shapes alone, but for the
   tokenizer, which streams of text ask. */
typedef struct engine_bytes {
    uint64_t scratch;   /* when it was created; of an encoder, what it reads texts with, too */
    uint64_t sequences; /* further, for max_sequences that fill the cache */
    uint64_t embedding; /* further, once a decoder reads texts for their vectors */
} engine_bytes;

puna_status engine_measure(const hyper *h, const graph *g, const device *d, const tokenizer *t,
                           const puna_engine_options *decided, engine_bytes *bytes, puna_error *error);

/* Every public call on an engine stands between these two, but for puna_engine_describe, which reads the figures that
   leaving renews. */
puna_status engine_enter(engine *e, puna_error *error);
void engine_leave(engine *e);

size_t engine_longest_token(const tokenizer *t); /* in bytes of text */

/* engine.c: sequences by id. */
puna_status engine_open_sequence(engine *e, uint64_t *id, puna_error *error);
puna_status engine_find(engine *e, uint64_t id, sequence **out, puna_error *error);
void engine_close_sequence(engine *e, sequence *s);

/* Gives back pages that no running sequence holds, events that were taken, a decoder's reader, and where no sequence is
   open, its table: the account is then as it was at the beginning. */
void engine_trim(engine *e);

/* scheduler.c */
puna_status scheduler_generate(engine *e, sequence *s, const int32_t *ids, uint64_t count,
                               const puna_generation *generation, puna_error *error);
void scheduler_admit(engine *e);               /* moves from waiting to running what fits */
void scheduler_retire(engine *e, sequence *s); /* from any state to idle */
void scheduler_requeue(engine *e, sequence *s); /* back to waiting, in its order */
void scheduler_rest(engine *e, sequence *s);   /* into bare or idle, as it has pages */

/* evict.c */
/* Room for s->cached + rows positions, by taking pages from who needs them least. PUNA_BUSY: there was none, and s,
   which asked last, gave up its own and waits; PUNA_OUT_OF_MEMORY: it runs alone, and there is none all the same. */
puna_status evict_for(engine *e, sequence *s, uint32_t rows, puna_error *error);
bool evict_one(engine *e, const sequence *but); /* pages of nobody who runs; false: there are none */
void evict_reuse(engine *e, sequence *s);       /* takes what the prefix index knows of its tokens */

/* fill.c */
void fill_plan(engine *e);                               /* rows of each running sequence in the coming step */
uint32_t fill_prompt_budget(const engine *e);            /* rows of prompts in the coming step */
void fill_rows(engine *e, device_batch *batch, sequence *s, uint32_t rows);

/* sequences.c */
puna_status sequences_fork(engine *e, const sequence *s, uint64_t positions, uint64_t *id, puna_error *error);
puna_status sequences_rewind(engine *e, sequence *s, uint64_t positions, puna_error *error);
void sequences_pause(engine *e, sequence *s);
void sequences_resume(engine *e, sequence *s);
puna_status sequences_choose(engine *e, sequence *s, const float *logits, uint64_t count, puna_error *error);
void sequences_shift(engine *e, sequence *s);            /* a full context loses the older half behind `keep` */

/* encode.c: what a text's vector is made of, and what is said of masked tokens. */
puna_status encode_texts(engine *e, const puna_input *inputs, uint64_t count, const puna_embedding *how, float *vectors,
                         uint64_t capacity, puna_task *task, puna_error *error);
uint64_t encode_bytes(const graph *g, const device_options *o); /* what encode_texts takes of memory while it works */
device_options encode_reader_options(const graph *g, const puna_engine_options *decided); /* of a decoder's reader */
puna_status encode_fill(engine *e, const puna_input *input, const uint32_t *positions, uint64_t count, float *logits,
                        uint64_t capacity, puna_error *error);

/* step.c */
size_t step_choice_bytes(void);
/* Room for all that a step may tell of so many sequences, before anything is done: two events each, with the text that
   may become final (`held`, of all, and what the next token adds), a reason, and log-probabilities of those that
   run; and as many tokens more as were guessed. */
bool step_reserve(events *e, uint32_t sequences, uint32_t running, uint32_t guesses, size_t held,
                  size_t longest_token);
puna_status step_run(engine *e, puna_step *report, puna_error *error);
/* Of an encoder-decoder with its source, which is NULL elsewhere. */
puna_status step_logits(engine *e, const puna_input *source, const int32_t *ids, uint32_t count, uint32_t first,
                        float *logits, puna_task *task, puna_error *error);

#endif
