// SPDX-License-Identifier: Apache-2.0
/* One round: who computes what, the batch, the samples, and what is told of them. */
#include <string.h>

#include "base/math.h"
#include "base/os.h"
#include "base/threads.h"
#include "engine/adapters.h"
#include "engine/beam.h"
#include "engine/draft.h"
#include "engine/source.h"

/* What was sampled for one row of logits. */
struct step_choice {
    sequence *sequence;
    const float *logits;
    sampler_choice choice;
    puna_status status;
    puna_error error;
};

size_t step_choice_bytes(void) { return sizeof(struct step_choice); }

/* ---- telling ---- */

static puna_event event_of(const sequence *s, uint32_t kind) {
    return (puna_event){.kind = kind, .sequence = s->id, .token = -1, .text = "", .message = ""};
}

static uint64_t between(uint64_t from, uint64_t to) { return from && to > from ? to - from : 0; }

/* The generation ends: its last event, and the sequence is idle again. `text` was released by a last token. */
static void finish(engine *e, sequence *s, uint32_t stop, int32_t stop_index, const puna_error *why, bool *lost) {
    puna_event event = event_of(s, PUNA_EVENT_FINISHED);
    const char *text = "";
    size_t length = 0;
    if (stop != PUNA_STOP_TEXT && stream_finish(s->stream, &text, &length, NULL) == PUNA_OK) {
        event.text = text;
        event.text_length = length;
    }
    event.stop = stop;
    event.stop_index = stop_index < 0 ? 0 : (uint32_t)stop_index;
    event.stop_index_valid = stop_index >= 0;
    event.status = why ? why->status : PUNA_OK;
    event.message = why ? why->message : "";
    event.prompt_tokens = s->prompt;
    event.cached_tokens = s->reused;
    event.generated_tokens = s->generated;
    event.dropped_tokens = s->dropped;
    event.drafted_tokens = s->drafted;
    event.accepted_tokens = s->accepted;
    event.logprob = s->beam_score;
    event.queued_ns = between(s->asked_ns, s->started_ns);
    event.prompt_ns = between(s->started_ns, s->first_ns);
    event.generate_ns = between(s->first_ns, s->last_ns);
    if (!events_add(&e->events, &event)) *lost = true;
    scheduler_retire(e, s);
}

static void finish_cancelled(engine *e, bool *lost) {
    sequence_list *lists[] = {&e->running, &e->waiting};
    for (int i = 0; i < 2; i++) {
        for (sequence *s = lists[i]->first, *next; s; s = next) {
            bool searches = s->cancelled && s->beams; /* others of the list end with it */
            next = s->next;
            if (s->cancelled) finish(e, s, PUNA_STOP_CANCELLED, -1, NULL, lost);
            if (searches) next = lists[i]->first;
        }
    }
}

/* ---- the batch ---- */

/* Pages first, the one that asked first before the others, since it may take theirs; then the rows of all that still
   run. */
static void fill(engine *e, device_batch *batch, puna_step *report, bool *lost) {
    fill_plan(e);
    source_plan(e);
    draft_plan(e);
    for (sequence *s = e->running.first, *next; s; s = next) {
        puna_error error = PUNA_ERROR_INIT;
        draft_fit(e, s);
        if (s->rows && evict_for(e, s, s->rows, &error) == PUNA_OUT_OF_MEMORY) {
            finish(e, s->beams ? s->beams->leader : s, PUNA_STOP_FAILED, -1, &error, lost);
            next = e->running.first;
            continue;
        }
        next = s->state == SEQUENCE_RUNNING ? s->next : NULL; /* it was the last one */
    }
    report->prompt_tokens += source_read(e);
    for (sequence *s = e->running.first; s; s = s->next) {
        if (s->rows == 0) continue;
        if (s->generated == 0 && !s->source_count) report->prompt_tokens += s->rows;
        fill_rows(e, batch, s, s->rows);
    }
}

static device_batch new_batch(engine *e) {
    return (device_batch){.ids = e->ids, .positions = e->positions, .runs = e->runs, .outputs = e->outputs};
}

/* ---- samples ---- */

/* Does the caller see the row that was computed, before a token is chosen? */
static bool is_shown(const sequence *s) { return s->shown && !s->chosen; }

/* What the sequence's grammar allows next. */
static puna_status allow(engine *e, sequence *s, puna_error *error) {
    size_t words = ((size_t)e->model->hyper.vocabulary + 63) / 64;
    puna_status status = matcher_allow(s->matcher, !s->ignores_end, s->allowed, words, error);
    return status == PUNA_OK ? sampler_allow(&e->account, s->sampler, s->allowed, error) : status;
}

static void sample_range(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    (void)thread;
    engine *e = context;
    for (uint32_t i = begin; i < end; i++) {
        struct step_choice *c = &e->choices[i];
        sequence *s = c->sequence;
        c->error = (puna_error)PUNA_ERROR_INIT;
        if (s->beams) {
            c->status = beam_look(s, c->logits, e->model->hyper.vocabulary, &c->error);
            continue;
        }
        if (is_shown(s)) {
            c->status = sampler_check_row(c->logits, e->model->hyper.vocabulary, &sampler_model_blame, &c->error);
            continue;
        }
        c->status = s->matcher ? allow(e, s, &c->error) : PUNA_OK;
        if (c->status == PUNA_OK)
            c->status = sampler_choose(s->sampler, c->logits, s->prompt + s->generated, &c->choice, &c->error);
    }
}

/* The first `count` choices. */
static void sample_all(engine *e, uint32_t count) {
    threads_phase phase = {sample_range, e, count, 1};
    threads_pool *pool = e->model->device->threads(e->runner);
    if (count > 1 && pool) threads_run(pool, &phase, 1);
    else if (count) sample_range(e, 0, count, 0);
}

/* `known`: the tokenizer has this token. */
static uint32_t stop_reason(engine *e, sequence *s, int32_t token, bool known, int32_t stop_index) {
    if (known && !s->ignores_end && tokenizer_ends_generation(e->model->tokenizer, token)) return PUNA_STOP_END;
    if (stop_index >= 0) return PUNA_STOP_TEXT;
    if (s->matcher && matcher_over(s->matcher)) return PUNA_STOP_END;
    if (s->count < s->limit) return PUNA_STOP_NONE;
    if (s->limited) return PUNA_STOP_LENGTH;
    if (!s->shifts) return PUNA_STOP_CONTEXT;
    sequences_shift(e, s);
    return PUNA_STOP_NONE;
}

static void accept(engine *e, struct step_choice *c, puna_step *report, bool *lost) {
    sequence *s = c->sequence;
    puna_event event = event_of(s, PUNA_EVENT_TOKEN);
    const char *text = "";
    size_t length = 0;
    int32_t stop_index = -1;
    if (c->status == PUNA_OK) c->status = sequence_add_token(&e->account, s, c->choice.id, &c->error);
    /* a row beyond the tokenizer's vocabulary (padding of the matrix) stands for no text */
    bool known = c->choice.id < tokenizer_size(e->model->tokenizer);
    if (c->status == PUNA_OK && known)
        c->status = stream_push(s->stream, c->choice.id, &text, &length, &stop_index, &c->error);
    if (c->status == PUNA_OK && s->matcher)
        c->status = matcher_accept(s->matcher, e->model->tokenizer, c->choice.id, &c->error);
    if (c->status != PUNA_OK) {
        finish(e, s, PUNA_STOP_FAILED, -1, &c->error, lost);
        return;
    }
    sampler_accept(s->sampler, c->choice.id);
    s->last_ns = os_clock_ns();
    if (s->generated++ == 0) {
        if (!s->first_ns) s->first_ns = s->last_ns; /* a search has had it */
        e->counts.prefix_hit_tokens += s->reused;
    }
    event.token = c->choice.id;
    event.logprob = c->choice.logprob;
    event.top = c->choice.top;
    event.top_count = c->choice.top_count;
    event.text = text;
    event.text_length = length;
    if (!events_add(&e->events, &event)) *lost = true;
    report->tokens++;
    uint32_t stop = stop_reason(e, s, c->choice.id, known, stop_index);
    if (stop != PUNA_STOP_NONE) finish(e, s, stop, stop == PUNA_STOP_TEXT ? stop_index : -1, NULL, lost);
}

static void show(engine *e, const struct step_choice *c, bool *lost) {
    sequence *s = c->sequence;
    if (c->status != PUNA_OK) {
        finish(e, s, PUNA_STOP_FAILED, -1, &c->error, lost);
        return;
    }
    memcpy(s->shown, c->logits, e->model->hyper.vocabulary * sizeof *s->shown);
    s->asks = true;
    puna_event event = event_of(s, PUNA_EVENT_LOGITS); /* finds its logits when it is taken */
    if (!events_add(&e->events, &event)) *lost = true;
}

/* Those whose callers have chosen since the step before: before the batch, so that they lose no step. */
static void take_chosen(engine *e, puna_step *report, bool *lost) {
    uint32_t count = 0;
    for (sequence *s = e->running.first; s; s = s->next)
        if (s->chosen) e->choices[count++] = (struct step_choice){.sequence = s, .logits = s->shown};
    sample_all(e, count);
    for (uint32_t i = 0; i < count; i++) {
        e->choices[i].sequence->chosen = false;
        accept(e, &e->choices[i], report, lost);
    }
}

static void remember(engine *e, sequence *s) {
    if (s->cached - s->remembered < CACHE_PAGE || s->source_count) return; /* it is a function of the source, too */
    cache_remember(e->cache, s->space, s->tokens, s->cached, &s->pages);
    s->remembered = s->cached / CACHE_PAGE * CACHE_PAGE;
}

/* Chooses from the first `count` choices' rows, in order. Returns how many of their sequences guessed right, so that
   the row behind it counts, too: those stand in front then. */
static uint32_t choose_all(engine *e, uint32_t count, puna_step *report, bool *lost) {
    uint32_t more = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t row = (size_t)e->choices[i].sequence->output * e->model->hyper.vocabulary;
        e->choices[i].logits = e->model->device->result(e->runner, GRAPH_LOGITS) + row;
    }
    sample_all(e, count);
    for (uint32_t i = 0; i < count; i++) {
        struct step_choice *c = &e->choices[i];
        sequence *s = c->sequence;
        if (s->beams) {
            beam_ready(s, c->status, &c->error);
            continue;
        }
        if (is_shown(s)) {
            show(e, c, lost);
            continue;
        }
        bool right = c->status == PUNA_OK && draft_check(e, s, c->choice.id);
        accept(e, c, report, lost);
        if (!right || s->state != SEQUENCE_RUNNING) continue;
        s->cached++;
        s->output++;
        remember(e, s);
        e->choices[more++].sequence = s;
    }
    return more;
}

/* A search is over: its answer is told as if it had come token by token. */
static void tell_answer(engine *e, beams *b, puna_step *report, bool *lost) {
    sequence *s = b->leader;
    beam_answer best = b->answers[0];
    bool tells = b->tells;
    beam_past past = beam_take_past(b);
    s->beam_score = best.score;
    b->answers[0].tokens = NULL; /* told below, when the search is gone */
    beam_free(e, s);
    if (tells) beam_past_follow(&past, best.count - 1, best.member);
    if (!step_reserve(&e->events, 1, 1, best.count, 0, e->longest_token)) {
        puna_error error = PUNA_ERROR_INIT;
        error_memory(&error, "events", best.count * sizeof(events_entry));
        finish(e, s, PUNA_STOP_FAILED, -1, &error, lost);
    }
    for (uint32_t i = 0; i < best.count && s->state != SEQUENCE_IDLE; i++) {
        struct step_choice c = {.sequence = s, .choice = {.id = best.tokens[i]}, .error = PUNA_ERROR_INIT};
        if (tells) beam_past_tell(&past, best.count - 1, best.last, i, &c.choice);
        accept(e, &c, report, lost);
    }
    if (s->cached > s->count) sequence_cut(e->cache, s, s->count); /* it failed on the way */
    memory_free(&e->account, best.tokens);
    beam_past_free(&e->account, &past);
}

/* Searches whose beginnings all have their candidates. */
static void advance_beams(engine *e, puna_step *report, bool *lost) {
    sequence_list *lists[] = {&e->running, &e->waiting};
    for (int i = 0; i < 2; i++) {
        for (sequence *s = lists[i]->first, *next; s; s = next) {
            beams *b = s->beams;
            next = s->next;
            if (!b || b->leader != s) continue;
            if (!s->first_ns && s->ready) s->first_ns = os_clock_ns();
            if (!beam_advance(e, b)) continue;
            puna_error error = b->error;
            if (b->status == PUNA_OK) tell_answer(e, b, report, lost);
            else finish(e, s, PUNA_STOP_FAILED, -1, &error, lost);
            next = lists[i]->first; /* its members are gone */
        }
    }
}

static void take_results(engine *e, puna_step *report, bool *lost) {
    uint32_t count = 0;
    for (sequence *s = e->running.first; s; s = s->next) {
        if (s->rows == 0) continue;
        s->cached += s->rows - s->guesses;
        s->drafted += s->guesses;
        e->counts.drafted_tokens += s->guesses;
        s->rows = 0;
        remember(e, s);
        report->sequences++;
        if (s->output != UINT32_MAX) e->choices[count++].sequence = s;
    }
    while (count) count = choose_all(e, count, report, lost);
}

/* Sequences that wait for their callers. */
static uint32_t count_asking(const engine *e) {
    uint32_t count = 0;
    for (const sequence *s = e->running.first; s; s = s->next) count += s->asks;
    for (const sequence *s = e->waiting.first; s; s = s->next) count += s->asks;
    return count;
}

bool step_reserve(events *e, uint32_t sequences, uint32_t running, uint32_t guesses, size_t held,
                  size_t longest_token) {
    size_t push = 3 * (longest_token + 4) + sizeof ((puna_error *)0)->message + 8;
    return events_reserve(e, 2 * sequences + guesses, 2 * (held + (sequences + guesses) * push),
                          ((size_t)running + guesses) * PUNA_MAX_TOP_LOGPROBS);
}

static bool reserve_events(engine *e) {
    uint32_t count = e->running.count;
    size_t held = 0;
    for (const sequence *s = e->running.first; s; s = s->next) held += s->stream ? stream_held(s->stream) : 0;
    for (const sequence *s = e->waiting.first; s; s = s->next) {
        if (!s->cancelled || !s->stream) continue;
        held += stream_held(s->stream);
        count++;
    }
    return step_reserve(&e->events, count, e->running.count, e->options.draft_tokens, held, e->longest_token);
}

puna_status step_run(engine *e, puna_step *report, puna_error *error) {
    bool lost = false;
    memset(report, 0, sizeof *report);
    report->size = sizeof *report;
    events_clear(&e->events);
    scheduler_admit(e);
    if (!reserve_events(e)) return error_memory(error, "events", 4096);
    math_environment environment = math_environment_enter();
    finish_cancelled(e, &lost);
    take_chosen(e, report, &lost);
    device_batch batch = new_batch(e);
    fill(e, &batch, report, &lost);
    if (batch.tokens) {
        e->model->device->run(e->runner, &batch);
        take_results(e, report, &lost);
        e->steps++;
        e->counts.prompt_tokens += report->prompt_tokens;
    }
    advance_beams(e, report, &lost);
    e->counts.generated_tokens += report->tokens;
    math_environment_leave(environment);
    report->active = sequence_requests(&e->running) + sequence_requests(&e->waiting) - count_asking(e);
    report->events = e->events.count;
    return lost ? error_memory(error, "events", 4096) : PUNA_OK;
}

/* ---- raw logits ---- */

static puna_status logits_part(engine *e, sequence *s, uint32_t first, float *logits, puna_error *error) {
    device_batch batch = new_batch(e);
    uint32_t left = s->count - s->cached;
    bool wanted = s->cached >= first;
    uint32_t most = wanted ? e->options.max_sequences : e->options.step_tokens;
    if (!wanted && first - s->cached < most) most = first - s->cached;
    uint32_t rows = left < most ? left : most;
    if (rows > e->options.step_tokens) rows = e->options.step_tokens;
    puna_status status = evict_for(e, s, rows, error);
    if (status != PUNA_OK) return status;
    source_read_one(e, s);
    fill_rows(e, &batch, s, rows);
    batch.output_count = wanted ? rows : 0;
    for (uint32_t i = 0; i < batch.output_count; i++) e->outputs[i] = i;
    e->model->device->run(e->runner, &batch);
    size_t width = e->model->hyper.vocabulary;
    if (wanted)
        memcpy(logits + (s->cached - first) * width, e->model->device->result(e->runner, GRAPH_LOGITS),
               rows * width * sizeof *logits);
    s->cached += rows;
    return PUNA_OK;
}

puna_status step_logits(engine *e, const puna_input *source, const int32_t *ids, uint32_t count, uint32_t first,
                        float *logits, puna_task *task, puna_error *error) {
    uint64_t id;
    sequence *s;
    puna_status status = engine_open_sequence(e, &id, error);
    if (status != PUNA_OK) return status;
    status = engine_find(e, id, &s, error);
    if (status == PUNA_OK) adapters_adopt(e, s, adapters_share(e->set));
    if (status == PUNA_OK && source) status = source_set(e, s, source->ids, (uint32_t)source->count, error);
    if (status == PUNA_OK) status = sequence_set_tokens(&e->account, e->cache, s, ids, count, error);
    task_total(task, count);
    math_environment environment = math_environment_enter();
    while (status == PUNA_OK && s->cached < s->count) {
        uint32_t before = s->cached;
        status = task_cancelled(task) ? task_stopped(error, "computing logits")
                                      : logits_part(e, s, first, logits, error);
        task_advance(task, s->cached - before);
    }
    math_environment_leave(environment);
    engine_close_sequence(e, s);
    return status;
}
