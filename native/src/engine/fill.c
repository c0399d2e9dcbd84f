// SPDX-License-Identifier: Apache-2.0
/*
 * Who computes what in a step. Every sequence that is past its prompt computes one row: in steps, nothing ever stands
 * between two of its tokens. Beside those, prompts (and what was evicted) are read in slices: as many rows together as
 * the options allow while nobody waits for a token, a quarter of that while somebody does, since each row lengthens the
 * step for all. These rows are shared out evenly among the prompts, a page's at least, and the oldest get what is left:
 * a short prompt does not wait for the end of a long one before it, and no prompt waits for a later one.
 */
#include "engine/adapters.h"

static bool rests(const sequence *s) { return s->asks || s->ready; }

static bool is_prompt(const sequence *s) { return !rests(s) && (s->generated == 0 || s->count - s->cached > 1); }

uint32_t fill_prompt_budget(const engine *e) {
    uint32_t all = e->options.step_tokens, quarter = all / 4 > CACHE_PAGE ? all / 4 : CACHE_PAGE;
    for (const sequence *s = e->running.first; s; s = s->next)
        if (!is_prompt(s) && !rests(s)) return quarter < all ? quarter : all;
    return all;
}

/* Up to `most` rows more for one prompt, of those that are left. */
static void give(sequence *s, uint32_t most, uint32_t *left) {
    uint32_t lacks = s->count - s->cached - s->rows, rows = lacks < most ? lacks : most;
    if (rows > *left) rows = *left;
    s->rows += rows;
    *left -= rows;
}

void fill_plan(engine *e) {
    uint32_t prompts = 0;
    for (sequence *s = e->running.first; s; s = s->next) {
        if (is_prompt(s)) evict_reuse(e, s); /* what a neighbour has computed meanwhile */
        s->rows = is_prompt(s) || rests(s) ? 0 : 1;
        prompts += is_prompt(s);
    }
    if (!prompts) return;
    uint32_t left = fill_prompt_budget(e), share = left / prompts > CACHE_PAGE ? left / prompts : CACHE_PAGE;
    for (sequence *s = e->running.first; s; s = s->next)
        if (is_prompt(s)) give(s, share, &left);
    for (sequence *s = e->running.first; s; s = s->next)
        if (is_prompt(s)) give(s, left, &left);
}

void fill_rows(engine *e, device_batch *batch, sequence *s, uint32_t rows) {
    s->row = batch->tokens;
    s->rows = rows;
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t at = s->cached + i;
        e->ids[batch->tokens + i] = at < s->count ? s->tokens[at] : s->guess[at - s->count];
        e->positions[batch->tokens + i] = s->cached + i;
    }
    e->runs[batch->run_count++] = (device_run){s->row, rows, s->cached, s->pages.data,
                                                 s->source_pages.data, s->source_count,
                                                 s->set ? &s->set->view : NULL};
    batch->tokens += rows;
    s->output = UINT32_MAX;
    if (s->cached + rows < s->count) return;
    s->output = batch->output_count;
    for (uint32_t i = s->count - 1 - s->cached; i < rows; i++) e->outputs[batch->output_count++] = s->row + i;
}
