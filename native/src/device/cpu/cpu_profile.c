// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/cpu_profile.h"

#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "device/cpu/cpu_attend.h"
#include "device/cpu/cpu_rows.h"

enum { ROTARY = GRAPH_KINDS, LINE = 64 / sizeof(uint64_t) };

/* ---- names ---- */

/* Cut where it is too long. */
static void append(char *name, const char *between, const char *text) {
    size_t used = strlen(name);
    (void)snprintf(name + used, DEVICE_WORK_NAME - used, "%s%s", used ? between : "", text);
}

static bool is_product(graph_kind kind) {
    return kind == GRAPH_LINEAR_OP || kind == GRAPH_EXPERT_LINEAR_OP || kind == GRAPH_HEAD_LINEAR_OP;
}

/* linear 2048>2048,256,256: the op, its inputs and the outputs of all its products; other ops each once. */
static void name_phase(const device_runner *r, const plan_phase *phase, char *name) {
    name[0] = 0;
    for (uint32_t i = 0; i < phase->count; i++) {
        const plan_step *s = &r->plan.steps[phase->first + i];
        bool again = i && r->plan.steps[phase->first + i - 1].kind == s->kind;
        char text[64];
        if (is_product(s->kind)) {
            const graph_weight_info *w = &r->g->weights[s->op->weight];
            if (again) snprintf(text, sizeof text, "%u", w->rows);
            else snprintf(text, sizeof text, "%s %u>%u", graph_op_find(s->kind)->name, w->cols, w->rows);
            append(name, again ? "," : " ", text);
        } else if (!again) {
            append(name, " ", graph_op_find(s->kind)->name);
        }
    }
}

/* The row of this name among the first `count`, else the next one, which has it then. */
static uint32_t row_named(device_work *work, uint32_t *count, const char *name) {
    uint32_t at = 0;
    while (at < *count && strcmp(work[at].name, name) != 0) at++;
    if (at == *count) memcpy(work[(*count)++].name, name, strlen(name) + 1);
    return at;
}

static void add_op(cpu_profile *p, uint32_t kind, const char *name) {
    if (p->op_row[kind] != CPU_PROFILE_NONE) return;
    device_work *row = &p->work[p->op_row[kind] = p->told.rows++];
    memcpy(row->name, name, strlen(name) + 1);
    row->op = true;
}

static void make_rows(cpu_profile *p, const device_runner *r) {
    char name[DEVICE_WORK_NAME];
    p->told.rows = 0;
    p->row_of[0] = row_named(p->work, &p->told.rows, "rotary tables");
    for (uint32_t i = 1; i < p->phases; i++) {
        name_phase(r, &r->plan.phases[i - 1], name);
        p->row_of[i] = row_named(p->work, &p->told.rows, name);
    }
    memset(p->op_row, 0xFF, (GRAPH_KINDS + 1) * sizeof *p->op_row);
    add_op(p, ROTARY, "rotary");
    for (uint32_t i = 0; i < r->plan.step_count; i++)
        add_op(p, r->plan.steps[i].kind, graph_op_find(r->plan.steps[i].kind)->name);
}

/* ---- beginning and end ---- */

static void clear(cpu_profile *p, const device_runner *r) {
    memset(p->work, 0, (p->phases + GRAPH_KINDS + 1) * sizeof *p->work);
    memset(p->spans, 0, (size_t)p->told.threads * p->phases * sizeof *p->spans);
    memset(p->op_ns, 0, (size_t)p->told.threads * p->ops * sizeof *p->op_ns);
    p->told.run_ns = p->told.runs = 0;
    make_rows(p, r);
}

static cpu_profile *make(const device_runner *r, memory_account *account) {
    cpu_profile *p = memory_new(account, sizeof *p);
    if (!p) return NULL;
    p->told.threads = threads_count(r->pool);
    p->phases = r->plan.phase_count + 1;
    p->ops = (GRAPH_KINDS + LINE) / LINE * LINE; /* GRAPH_KINDS + 1 at least */
    p->told.work = p->work = memory_array(account, (size_t)p->phases + GRAPH_KINDS + 1, sizeof *p->work);
    p->row_of = memory_array(account, p->phases, sizeof *p->row_of);
    p->op_row = memory_array(account, GRAPH_KINDS + 1, sizeof *p->op_row);
    p->spans = memory_array(account, (size_t)p->told.threads * p->phases, sizeof *p->spans);
    p->op_ns = memory_array(account, (size_t)p->told.threads * p->ops, sizeof *p->op_ns);
    p->active = memory_array(account, r->plan.buffer_count, sizeof *p->active);
    if (p->work && p->row_of && p->op_row && p->spans && p->op_ns && p->active) return p;
    cpu_profile_free(p, account);
    return NULL;
}

void cpu_profile_free(cpu_profile *p, memory_account *account) {
    if (!p) return;
    memory_free(account, p->work);
    memory_free(account, p->row_of);
    memory_free(account, p->op_row);
    memory_free(account, p->spans);
    memory_free(account, p->op_ns);
    memory_free(account, p->active);
    memory_free(account, p);
}

puna_status cpu_profile_watch(device_runner *r, memory_account *account, bool on, puna_error *error) {
    if (!on) {
        cpu_profile_free(r->profile, account);
        r->profile = NULL;
        return PUNA_OK;
    }
    if (!r->profile) r->profile = make(r, account);
    if (!r->profile)
        return error_memory(error, "profile", (r->plan.phase_count + GRAPH_KINDS + 2) * sizeof(device_work));
    clear(r->profile, r);
    return PUNA_OK;
}

const device_profile *cpu_profile_watched(const device_runner *r) { return r->profile ? &r->profile->told : NULL; }

/* ---- what workers see ---- */

void cpu_profile_step(cpu_profile *p, const plan_step *s, uint32_t thread, uint64_t begin) {
    p->op_ns[(size_t)thread * p->ops + s->kind] += os_clock_ns() - begin;
}

void cpu_profile_piece(cpu_profile *p, const device_runner *r, const plan_phase *phase, uint32_t thread,
                       uint64_t begin) {
    size_t index = phase ? (size_t)(phase - r->plan.phases) + 1 : 0;
    cpu_profile_span *span = &p->spans[(size_t)thread * p->phases + index];
    uint64_t now = os_clock_ns();
    if (!span->begin) span->begin = begin;
    span->end = now;
    span->busy += now - begin;
    if (phase && phase->local) return; /* its steps were told one by one */
    const plan_step *s = phase ? &r->plan.steps[phase->first] : NULL;
    p->op_ns[(size_t)thread * p->ops + (s ? (uint32_t)s->kind : ROTARY)] += now - begin;
    if (s && s->kind == GRAPH_SORT_OP) p->active[s->order] = cpu_experts_active(r, s); /* while the order is there */
}

/* ---- what a run had to do ---- */

/* Each key once for all queries of a piece that see it. */
static void count_attention(device_work *sum, const device_runner *r, const plan_step *s) {
    const cpu_attention a = cpu_attend_layer(r, s->op->layer);
    uint64_t keys = 0, pairs = 0;
    for (uint32_t i = 0; i < r->piece_count; i++) {
        const cpu_piece *piece = &r->pieces[i];
        const device_run *run = &r->batch->runs[piece->run];
        uint64_t all = s->op->cross ? run->source_rows : (uint64_t)run->position + run->rows;
        if (a.causal) all = (uint64_t)run->position + (piece->row - run->row) + piece->rows;
        uint64_t seen = a.window && all > a.window ? a.window : all;
        keys += seen;
        pairs += seen * piece->rows - (a.causal ? (uint64_t)piece->rows * (piece->rows - 1) / 2 : 0);
    }
    const graph_cache_group *c = &r->g->groups[r->g->cache_layers[s->op->layer].group];
    uint64_t page = cpu_cache_keys(c, r->options.cache_type) + cpu_cache_values(c, r->options.cache_type);
    sum->bytes += keys * page / CPU_PAGE;
    sum->products += pairs * s->op->heads * (c->dim_k + c->dim_v);
}

/* A matrix once for all rows; of a mixture those of the experts that have any. */
static void count_product(const cpu_profile *p, device_work *sum, const device_runner *r, const plan_step *s) {
    const cpu_weight *w = &r->weights->tensors[s->op->weight].packed;
    uint64_t matrices = 1, each = 1;
    if (s->kind == GRAPH_EXPERT_LINEAR_OP) matrices = p->active[s->order];
    if (s->kind == GRAPH_HEAD_LINEAR_OP) matrices = each = s->op->heads;
    sum->bytes += (uint64_t)w->tile_bytes * w->tiles * matrices;
    sum->products += (uint64_t)w->rows * w->cols * rows_now(r, s->rows) * each * (s->fine ? 2 : 1);
}

static void count_work(const cpu_profile *p, device_work *sum, const device_runner *r, const plan_phase *phase) {
    for (uint32_t i = 0; i < phase->count; i++) {
        const plan_step *s = &r->plan.steps[phase->first + i];
        if (p->op_row[s->kind] != CPU_PROFILE_NONE) p->work[p->op_row[s->kind]].calls++;
        if (s->kind == GRAPH_ATTEND_OP) count_attention(sum, r, s);
        else if (is_product(s->kind)) count_product(p, sum, r, s);
    }
}

/* A phase's part of a run; when it was over, 0 where it had nothing to do. */
static uint64_t collect_phase(cpu_profile *p, uint32_t phase, uint64_t before, device_work *sum) {
    uint64_t first = UINT64_MAX, last = 0, busy = 0;
    for (uint32_t t = 0; t < p->told.threads; t++) {
        cpu_profile_span *span = &p->spans[(size_t)t * p->phases + phase];
        if (span->begin && span->begin < first) first = span->begin;
        if (span->end > last) last = span->end;
        busy += span->busy;
        memset(span, 0, sizeof *span);
    }
    if (last == 0) return 0;
    sum->calls++;
    sum->wall_ns += last - first;
    sum->busy_ns += busy;
    sum->barrier_ns += first > before ? first - before : 0;
    return last;
}

static void collect_ops(cpu_profile *p) {
    for (uint32_t t = 0; t < p->told.threads; t++) {
        for (uint32_t kind = 0; kind <= GRAPH_KINDS; kind++) {
            uint64_t *took = &p->op_ns[(size_t)t * p->ops + kind];
            if (p->op_row[kind] != CPU_PROFILE_NONE) p->work[p->op_row[kind]].busy_ns += *took;
            *took = 0;
        }
    }
}

void cpu_profile_collect(cpu_profile *p, const device_runner *r, uint64_t begin) {
    uint64_t before = begin;
    for (uint32_t i = 0; i < p->phases; i++) {
        device_work *sum = &p->work[p->row_of[i]];
        uint64_t last = collect_phase(p, i, before, sum);
        if (last == 0) continue;
        if (i) count_work(p, sum, r, &r->plan.phases[i - 1]);
        else p->work[p->op_row[ROTARY]].calls++;
        before = last;
    }
    collect_ops(p);
    p->told.run_ns += os_clock_ns() - begin;
    p->told.runs++;
}
