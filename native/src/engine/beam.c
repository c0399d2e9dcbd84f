// SPDX-License-Identifier: Apache-2.0
#include "engine/beam.h"

#include "engine/adapters.h"

#include <string.h>

#include "base/math.h"
#include "engine/source.h"
#include "sample/logprobs.h"

/* ---- what may be asked ---- */

static puna_status refused(puna_error *error, const char *what) {
    return error_set(error, PUNA_INVALID_ARGUMENT, "beams", "beams follow what is most probable: %s has no place there",
                     what);
}

static puna_status check_room(const engine *e, const puna_generation *g, uint64_t limit, uint64_t source,
                              puna_error *error) {
    if (g->beams > e->options.max_sequences)
        return error_set(error, PUNA_INVALID_ARGUMENT, "beams",
                         "beams is %u; they are computed together, and this engine's max_sequences is %u", g->beams,
                         e->options.max_sequences);
    uint64_t one = cache_bytes_of(e->cache, false, (uint32_t)limit) + cache_bytes_of(e->cache, true, (uint32_t)source);
    if (one <= cache_budget(e->cache) / g->beams) return PUNA_OK;
    puna_status status = error_set(error, PUNA_OUT_OF_MEMORY, "cache",
                                   "%u beams of %llu tokens may need %llu bytes of the cache, whose budget is %llu: "
                                   "lower max_tokens or the beams, or raise the budget", g->beams,
                                   (unsigned long long)limit, (unsigned long long)(one * g->beams),
                                   (unsigned long long)cache_budget(e->cache));
    if (error) {
        error->needed = one * g->beams;
        error->available = cache_budget(e->cache);
    }
    return status;
}

puna_status beam_check(const engine *e, const puna_generation *g, uint64_t limit, uint64_t source, puna_error *error) {
    if (g->beams > BEAM_MOST)
        return error_set(error, PUNA_INVALID_ARGUMENT, "beams", "beams is %u; it may be 0 to %u", g->beams, BEAM_MOST);
    if (!(g->length_penalty >= -100.0f && g->length_penalty <= 100.0f))
        return error_set(error, PUNA_INVALID_ARGUMENT, "length_penalty", "length_penalty is %g; it may be -100 to 100",
                         (double)g->length_penalty);
    if (g->early_stopping > PUNA_EARLY_NEVER)
        return error_set(error, PUNA_INVALID_ARGUMENT, "early_stopping", "early_stopping is %u; it may be 0 to %u",
                         g->early_stopping, PUNA_EARLY_NEVER);
    const puna_stage *stage = g->stage_count == 1 ? g->stages : NULL;
    bool greedy = stage && stage->kind == PUNA_SAMPLE_TEMPERATURE && stage->value == 0;
    if (g->stage_count && !greedy) return refused(error, "a sampler's stage");
    if (g->bias_count) return refused(error, "a bias");
    if (g->grammar) return refused(error, "a grammar");
    if (g->stop_count) return refused(error, "a stop string");
    if (g->flags & (PUNA_GENERATE_LOGITS | PUNA_GENERATE_SHIFT | PUNA_GENERATE_IGNORE_EOS))
        return refused(error, "a flag but PUNA_GENERATE_NO_DRAFTS");
    return check_room(e, g, limit, source, error);
}

/* ---- making and freeing ---- */

static uint32_t count_ends(const tokenizer *t) {
    uint32_t count = 0;
    for (int32_t id = 0; id < tokenizer_size(t); id++) count += tokenizer_ends_generation(t, id);
    return count;
}

static void free_search(memory_account *account, beams *b) {
    for (uint32_t i = 0; i < b->answered; i++) memory_free(account, b->answers[i].tokens);
    memory_free(account, b->members);
    memory_free(account, b->scores);
    memory_free(account, b->candidates);
    memory_free(account, b->found);
    memory_free(account, b->all);
    memory_free(account, b->answers);
    beam_past_free(account, &b->past);
    memory_free(account, b);
}

puna_status beam_begin(engine *e, sequence *s, const puna_generation *g, puna_error *error) {
    memory_account *account = &e->account;
    beams *b = memory_new(account, sizeof *b);
    if (!b) return error_memory(error, "beams", sizeof *b);
    uint32_t ends = count_ends(e->model->tokenizer), most = PUNA_MAX_TOP_LOGPROBS - g->beams;
    *b = (beams){.width = g->beams, .live = 1, .begun = s->count, .early = g->early_stopping,
                 .penalty = g->length_penalty, .leader = s, .each = g->beams + (ends < most ? ends : most),
                 .tells = g->logprobs || g->top_logprobs, .past = {.width = g->beams, .top = g->top_logprobs}};
    if (b->each < g->top_logprobs) b->each = g->top_logprobs;
    b->error = (puna_error)PUNA_ERROR_INIT;
    b->members = memory_array(account, b->width, sizeof *b->members);
    b->scores = memory_array(account, b->width, sizeof *b->scores);
    b->candidates = memory_array(account, (size_t)b->width * b->each, sizeof *b->candidates);
    b->found = memory_array(account, b->width, sizeof *b->found);
    b->all = memory_array(account, (size_t)b->width * b->each, sizeof *b->all);
    b->answers = memory_array(account, b->width, sizeof *b->answers);
    if (!b->members || !b->scores || !b->candidates || !b->found || !b->all || !b->answers) {
        uint64_t needed = (uint64_t)b->width * b->each * sizeof *b->all;
        free_search(account, b);
        return error_memory(error, "beams", needed);
    }
    b->members[0] = s;
    s->beams = b;
    return PUNA_OK;
}

static void free_member(engine *e, sequence *s) {
    if (s->home) sequence_remove(s);
    adapters_give(e, s->set);
    sequence_free(&e->account, e->cache, s);
}

void beam_free(engine *e, sequence *s) {
    beams *b = s->beams;
    if (!b) return;
    for (uint32_t i = 0; i < b->live; i++)
        if (b->members[i] != b->leader) free_member(e, b->members[i]);
    b->leader->beams = NULL;
    b->leader->ready = false;
    free_search(&e->account, b);
}

/* ---- a member's candidates ---- */

static uint32_t index_of(const beams *b, const sequence *s) {
    uint32_t i = 0;
    while (b->members[i] != s) i++;
    return i;
}

puna_status beam_look(sequence *s, const float *logits, uint32_t vocabulary, puna_error *error) {
    beams *b = s->beams;
    uint32_t i = index_of(b, s), best = 0;
    puna_status status = sampler_check_row(logits, vocabulary, &sampler_model_blame, error);
    if (status != PUNA_OK) return status;
    for (uint32_t id = 1; id < vocabulary; id++)
        if (logits[id] > logits[best]) best = id;
    b->found[i] = logprobs_top(logprobs_of(logits, vocabulary, logits[best]), logits, vocabulary, b->each,
                               b->candidates + (size_t)i * b->each);
    return PUNA_OK;
}

void beam_ready(sequence *s, puna_status status, const puna_error *error) {
    beams *b = s->beams;
    s->ready = true;
    if (status == PUNA_OK || b->status != PUNA_OK) return;
    b->status = status;
    b->error = *error;
    b->error.status = status;
}

/* ---- a token on ---- */

/* Best first; of equals the better beginning's, then the more probable token's. */
static uint32_t gather(beams *b) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->live; i++)
        for (uint32_t k = 0; k < b->found[i]; k++) {
            const puna_logprob *c = &b->candidates[(size_t)i * b->each + k];
            beam_candidate found = {i, c->id, b->scores[i] + c->logprob, c->logprob};
            uint32_t place = count++;
            for (; place > 0 && b->all[place - 1].score < found.score; place--) b->all[place] = b->all[place - 1];
            b->all[place] = found;
        }
    return count;
}

static float scored(const beams *b, float sum, uint32_t tokens) {
    return sum / (float)math_pow((double)tokens, (double)b->penalty);
}

/* An answer among the best: the member's tokens and one more. */
static puna_status keep(engine *e, beams *b, const beam_candidate *c, uint32_t tokens) {
    float score = scored(b, c->score, tokens);
    if (b->answered == b->width && !(score > b->answers[b->width - 1].score)) return PUNA_OK;
    int32_t *copy = memory_array(&e->account, tokens, sizeof *copy);
    if (!copy) return error_memory(&b->error, "beams", tokens * sizeof *copy);
    memcpy(copy, b->members[c->member]->tokens + b->begun, (tokens - 1) * sizeof *copy);
    copy[tokens - 1] = c->token;
    if (b->answered == b->width) memory_free(&e->account, b->answers[--b->answered].tokens);
    uint32_t place = b->answered++;
    for (; place > 0 && b->answers[place - 1].score < score; place--) b->answers[place] = b->answers[place - 1];
    b->answers[place] = (beam_answer){copy, tokens, score, c->member, c->logprob};
    return PUNA_OK;
}

static bool is_over(const beams *b, uint32_t next, float best, uint32_t tokens) {
    if (next == 0) return true;
    if (b->answered < b->width) return false;
    if (b->early == PUNA_EARLY_YES) return true;
    uint32_t length = b->early == PUNA_EARLY_NEVER && b->penalty > 0 ? b->leader->limit - b->begun : tokens;
    return !(scored(b, best, length) > b->answers[b->width - 1].score);
}

/* A hidden sequence beside the leader, in the queue. */
static sequence *new_member(engine *e, beams *b) {
    const sequence *leader = b->leader;
    sequence *s = memory_new(&e->account, sizeof *s);
    if (!s) return NULL;
    bool made = cache_sequence_init(e->cache, &s->pages, &b->error) == PUNA_OK;
    if (made && leader->source_count) made = cache_source_init(e->cache, &s->source_pages, &b->error) == PUNA_OK;
    if (!made) {
        sequence_free(&e->account, e->cache, s);
        return NULL;
    }
    s->id = leader->id;
    s->order = leader->order;
    s->prompt = leader->prompt;
    s->limit = leader->limit;
    s->generated = leader->generated;
    s->output = UINT32_MAX;
    s->beams = b;
    s->hidden = true;
    s->state = SEQUENCE_WAITING;
    adapters_adopt(e, s, adapters_share(leader->set));
    sequence_insert(&e->waiting, s);
    return s;
}

/* `to` becomes as `from` is. */
static puna_status copy(engine *e, const sequence *from, sequence *to, puna_error *error) {
    cache_truncate(e->cache, &to->pages, 0);
    to->cached = to->remembered = 0;
    to->count = 0;
    puna_status status = sequence_set_tokens(&e->account, e->cache, to, from->tokens, from->count, error);
    if (status == PUNA_OK) status = cache_fork(e->cache, &from->pages, &to->pages, from->cached, error);
    if (status != PUNA_OK) return status;
    to->cached = from->cached;
    to->remembered = from->remembered;
    to->space = from->space;
    return source_share(e, from, to, error);
}

/* Members for the `next` best candidates that go on, from those that there are: who has no heir takes a copy of one
   that has several. chosen: places in b->all. */
static puna_status follow(engine *e, beams *b, const uint32_t *chosen, uint32_t next) {
    sequence *members[BEAM_MOST] = {NULL}, *idle[BEAM_MOST];
    float scores[BEAM_MOST];
    bool used[BEAM_MOST] = {false};
    uint32_t spare = 0;
    for (uint32_t j = 0; j < next; j++) {
        const beam_candidate *c = &b->all[chosen[j]];
        scores[j] = c->score;
        if (!used[c->member]) members[j] = b->members[c->member];
        used[c->member] = true;
    }
    for (uint32_t i = 0; i < b->live; i++)
        if (!used[i]) idle[spare++] = b->members[i];
    puna_status status = PUNA_OK;
    for (uint32_t j = 0; j < next && status == PUNA_OK; j++) {
        if (members[j]) continue;
        if (!spare) {
            members[j] = new_member(e, b);
            if (!members[j]) return error_memory(&b->error, "beams", sizeof(sequence));
            b->members[b->live++] = members[j];
        } else {
            members[j] = idle[--spare];
        }
        status = copy(e, b->members[b->all[chosen[j]].member], members[j], &b->error);
    }
    for (uint32_t j = 0; j < next && status == PUNA_OK; j++) /* a candidate's token behind each; then all may go on */
        status = sequence_add_token(&e->account, members[j], b->all[chosen[j]].token, &b->error);
    if (status != PUNA_OK) return status;
    for (uint32_t i = 0; i < spare; i++) { /* fewer than before, where logits are -inf: the caller's own one stays */
        if (idle[i] != b->leader) continue;
        status = copy(e, members[next - 1], b->leader, &b->error);
        if (status != PUNA_OK) return status;
        idle[i] = members[next - 1];
        members[next - 1] = b->leader;
    }
    for (uint32_t i = 0; i < spare; i++) free_member(e, idle[i]);
    const uint32_t tokens = members[0]->count - b->begun;
    for (uint32_t j = 0; j < next && b->tells; j++)
        beam_past_link(&b->past, tokens, j, b->all[chosen[j]].member, b->all[chosen[j]].logprob);
    memcpy(b->members, members, next * sizeof *members);
    memcpy(b->scores, scores, next * sizeof *scores);
    b->live = next;
    return PUNA_OK;
}

/* The leader as it was before the answer, of which the cache keeps what fits the best one. */
static void end(engine *e, beams *b) {
    sequence *s = b->leader;
    uint32_t common = b->begun;
    const beam_answer *best = b->answered ? &b->answers[0] : NULL;
    while (best && common < s->count && common - b->begun < best->count &&
           s->tokens[common] == best->tokens[common - b->begun])
        common++;
    s->count = b->begun;
    sequence_cut(e->cache, s, common);
    s->generated = 0;
}

/* What this step's members say of the token behind them; and room for those of the next one. */
static puna_status remember(engine *e, beams *b, uint32_t step) {
    if (!b->tells) return PUNA_OK;
    puna_status status = beam_past_reserve(&e->account, &b->past, step + 1, &b->error);
    if (status == PUNA_OK && step == 0) beam_past_link(&b->past, 0, 0, 0, 0);
    for (uint32_t i = 0; i < b->live && status == PUNA_OK; i++)
        beam_past_best(&b->past, step, i, b->candidates + (size_t)i * b->each, b->found[i]);
    return status;
}

beam_past beam_take_past(beams *b) {
    beam_past past = b->past;
    b->past = (beam_past){0};
    return past;
}

static bool step(engine *e, beams *b) {
    uint32_t count = gather(b), tokens = b->members[0]->count - b->begun + 1, next = 0, chosen[BEAM_MOST];
    bool last = b->begun + tokens >= b->leader->limit;
    b->status = remember(e, b, tokens - 1);
    for (uint32_t r = 0; r < count && b->status == PUNA_OK && (r < b->width || next < b->width); r++) {
        bool ends = last || tokenizer_ends_generation(e->model->tokenizer, b->all[r].token);
        if (ends && r < b->width) b->status = keep(e, b, &b->all[r], tokens);
        if (!ends && next < b->width) chosen[next++] = r;
    }
    if (b->status != PUNA_OK || is_over(b, next, next ? b->all[chosen[0]].score : 0, tokens)) return true;
    b->status = follow(e, b, chosen, next);
    for (uint32_t i = 0; i < b->live; i++) {
        b->members[i]->ready = false;
        b->members[i]->generated = tokens;
    }
    return b->status != PUNA_OK;
}

bool beam_advance(engine *e, beams *b) {
    for (uint32_t i = 0; i < b->live; i++)
        if (!b->members[i]->ready && b->status == PUNA_OK) return false;
    if (b->status == PUNA_OK && !step(e, b)) return false;
    end(e, b);
    return true;
}
