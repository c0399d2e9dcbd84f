// SPDX-License-Identifier: Apache-2.0
/* What an engine will be accounted with. Where a part's size is its own secret, one is made and its account is read. */
#include "engine/drafter.h"

static puna_status events_bytes(const tokenizer *t, const puna_engine_options *o, uint64_t *bytes,
                                puna_error *error) {
    memory_account account;
    memory_account_init(&account);
    events e;
    events_init(&e, &account);
    bool room = step_reserve(&e, o->max_sequences, o->max_sequences, o->draft_tokens, 0, engine_longest_token(t));
    *bytes = memory_used(&account);
    events_free(&e);
    return room ? PUNA_OK : error_memory(error, "events", o->max_sequences * sizeof(events_entry));
}

static puna_status generation_bytes(const hyper *h, const tokenizer *t, uint64_t *bytes, puna_error *error) {
    memory_account account;
    memory_account_init(&account);
    puna_generation plain = {.size = sizeof plain};
    sampler *chooser = NULL;
    stream *text = NULL;
    puna_status status = sampler_create(&account, &plain, &(sampler_model){.vocabulary = (int32_t)h->vocabulary},
                                        &chooser, error);
    if (status == PUNA_OK) status = stream_create(&account, t, NULL, 0, &text, error);
    *bytes = memory_used(&account);
    stream_free(&account, text);
    sampler_free(&account, chooser);
    return status;
}

static uint64_t batch_bytes(const graph *g, const device_options *o, uint32_t rows, uint32_t guesses) {
    return (uint64_t)rows * (sizeof(int32_t) + sizeof(uint32_t) * (g->whole ? 2 : 1)) +
           guesses * (sizeof(int32_t) + sizeof(uint32_t)) +
           o->max_runs * (sizeof(device_run) + sizeof(uint32_t) + step_choice_bytes());
}

/* Slots are taken by doubling, 16 at first. */
static uint64_t slot_bytes(uint32_t sequences) {
    uint64_t slots = 16;
    while (slots < sequences) slots *= 2;
    return slots * (sizeof(sequence *) + sizeof(uint32_t));
}

/* A decoder embeds by a runner of its own, made when it is first wanted; an encoder's is the one that it has. */
static puna_status embedding_bytes(const graph *g, const device *d, const puna_engine_options *decided,
                                   uint64_t *bytes, puna_error *error) {
    if (g->whole || (g->results[GRAPH_HIDDEN] == GRAPH_ABSENT && g->results[GRAPH_SCORES] == GRAPH_ABSENT))
        return PUNA_OK;
    device_options o = encode_reader_options(g, decided);
    puna_status status = d->runner_bytes(g, &o, bytes, error);
    if (status == PUNA_OK) *bytes += encode_bytes(g, &o);
    return status;
}

puna_status engine_measure(const hyper *h, const graph *g, const device *d, const tokenizer *t,
                           const puna_engine_options *decided, engine_bytes *bytes, puna_error *error) {
    *bytes = (engine_bytes){0};
    memory_account account;
    memory_account_init(&account);
    size_t *pages = memory_array(&account, g->group_count, sizeof *pages);
    if (!pages) return error_memory(error, "plan", g->group_count * sizeof *pages);
    uint64_t runner = 0, source = 0, told = 0, generation = 0;
    for (uint32_t i = 0; i < g->group_count; i++) pages[i] = d->page_bytes(g, i, decided->cache_type);
    device_options o = engine_device_options(g, decided);
    puna_status status = d->runner_bytes(g, &o, &runner, error);
    if (status == PUNA_OK && g->source) {
        device_options reads = engine_source_options(decided);
        status = d->runner_bytes(g, &reads, &source, error);
    }
    bool generates = !g->whole; /* an encoder's sequences last for a step, and tell nothing */
    if (status == PUNA_OK && generates) status = events_bytes(t, decided, &told, error);
    if (status == PUNA_OK && generates) status = generation_bytes(h, t, &generation, error);
    if (status == PUNA_OK) status = embedding_bytes(g, d, decided, &bytes->embedding, error);
    if (status == PUNA_OK) {
        uint32_t positions = engine_positions(g, d, decided);
        uint64_t drafts = engine_draft_bytes(g, d, decided);
        if (decided->draft_tokens) generation += lookup_bytes(positions);
        bytes->scratch = sizeof(engine) + runner + source +
                         batch_bytes(g, &o, engine_batch_rows(g, decided), decided->draft_tokens);
        if (g->source) generation += sequence_source_bytes(g->group_count, positions);
        if (g->whole) {
            positions = decided->step_tokens / o.max_runs;
            bytes->scratch += encode_bytes(g, &o);
        }
        bytes->sequences = o.max_runs * (sequence_bytes(g->group_count, positions) + generation) + told +
                           slot_bytes(o.max_runs) +
                           cache_tables(pages, g->group_count, decided->cache_bytes - drafts);
    }
    memory_free(&account, pages);
    if (status != PUNA_OK || !decided->draft) return status;
    uint64_t more = 0, further = 0;
    status = drafter_measure(decided, engine_draft_bytes(g, d, decided), engine_positions(g, d, decided), &more,
                             &further, error);
    bytes->scratch += more;
    bytes->sequences += further;
    return status;
}
