// SPDX-License-Identifier: Apache-2.0
#include "graph/plan.h"

#include <string.h>

#include "graph/plan_buffers.h"

/* Work in progress: everything is bounded by three times the graph's ops, so arrays are taken once. */
typedef struct planner {
    const graph *g;
    const plan_options *options;
    plan *p;
    uint32_t *uses;          /* [values] how many ops read it */
    plan_buffer *of_value;   /* [values] */
    plan_buffer *quantized;  /* [values] its int8 form, PLAN_NO_BUFFER if none yet */
    uint32_t *residual_of;   /* [ops] a LINEAR's: value that is added, or GRAPH_ABSENT */
    bool *gone;              /* [ops] an ADD that a LINEAR takes over, where fusion is on */
    bool *dead;              /* [ops] nothing wanted needs it */
    uint32_t *maker;         /* [values] the op that makes it */
    plan_buffer *order;      /* [values] of a routing */
    plan_buffer *spread;     /* [values] a token's value for its pairs: as floats, */
    plan_buffer *spread_q;   /* quantized, */
    plan_buffer *spread_by;  /* and by which order */
} planner;

size_t plan_quantized_row_bytes(uint32_t width) { return (size_t)(width / 32) * PLAN_QUANTIZED_GROUP_BYTES; }

static graph_value wanted(const planner *w, uint32_t result) {
    uint32_t results = w->options->results ? w->options->results : 1u << GRAPH_LOGITS;
    return results >> result & 1 && !w->options->source ? w->g->results[result] : GRAPH_ABSENT;
}

/* From the last op to the first, so that an op's readers were looked at before it. */
static void count_uses(planner *w) {
    for (uint32_t i = 0; i < GRAPH_RESULTS; i++)
        if (wanted(w, i) != GRAPH_ABSENT) w->uses[wanted(w, i)]++;
    for (uint32_t i = w->g->op_count; i-- > 0;) {
        const graph_op *op = &w->g->ops[i];
        w->residual_of[i] = GRAPH_ABSENT;
        if (op->out != GRAPH_ABSENT) w->maker[op->out] = i;
        w->dead[i] = op->source != w->options->source || (op->out != GRAPH_ABSENT && w->uses[op->out] == 0);
        for (uint32_t k = 0; !w->dead[i] && k < graph_op_find(op->kind)->inputs; k++) w->uses[op->in[k]]++;
    }
}

/* y = W x; z = a + y, and nobody else reads y: the product adds a itself. The product moves to where the ADD stood only
   if a is known before it: a must be made by an earlier op. */
static void join_residuals(planner *w) {
    for (uint32_t i = 0; i < w->g->op_count; i++) {
        const graph_op *add = &w->g->ops[i];
        if (add->kind != GRAPH_ADD_OP || w->dead[i]) continue;
        for (uint32_t k = 0; k < 2; k++) {
            uint32_t m = w->maker[add->in[k]];
            graph_value other = add->in[1 - k];
            const graph_op *linear = &w->g->ops[m];
            if (linear->kind != GRAPH_LINEAR_OP || linear->fine || w->uses[linear->out] != 1 || w->maker[other] > m)
                continue;
            w->residual_of[m] = other;
            w->gone[i] = true;
            break;
        }
    }
}

static plan_buffer add_buffer(planner *w, graph_rows rows, uint32_t width, bool quantized) {
    plan *p = w->p;
    p->buffers[p->buffer_count] =
        (plan_buffer_info){.rows = rows, .width = width, .quantized = quantized, .first = UINT32_MAX, .last = 0};
    return p->buffer_count++;
}

static plan_step *add_step(planner *w, const graph_op *op, graph_kind kind, graph_rows rows) {
    plan_step *s = &w->p->steps[w->p->step_count++];
    *s = (plan_step){.op = op, .kind = kind, .rows = rows, .in = {PLAN_NO_BUFFER, PLAN_NO_BUFFER},
                     .out = PLAN_NO_BUFFER, .residual = PLAN_NO_BUFFER, .order = PLAN_NO_BUFFER,
                     .plain = PLAN_NO_BUFFER};
    return s;
}

static plan_buffer quantized_form(planner *w, graph_value value) {
    if (w->quantized[value] != PLAN_NO_BUFFER) return w->quantized[value];
    const graph_value_info *info = &w->g->values[value];
    plan_step *s = add_step(w, NULL, GRAPH_QUANTIZE_OP, info->rows);
    s->in[0] = w->of_value[value];
    s->out = add_buffer(w, info->rows, info->width, true);
    return w->quantized[value] = s->out;
}

/* Whether `op` may write over its first input: nobody reads that later, and the op works element by element. */
static bool in_place(const planner *w, const graph_op *op) {
    if (!w->options->reuse) return false;
    bool elementwise = op->kind == GRAPH_ROPE_OP || op->kind == GRAPH_ADD_OP || op->kind == GRAPH_SCALE_OP ||
                       op->kind == GRAPH_SILU_MUL_OP || op->kind == GRAPH_GELU_MUL_OP || op->kind == GRAPH_SOFTCAP_OP ||
                       op->kind == GRAPH_ACTIVATE_OP || op->kind == GRAPH_MULTIPLY_OP || op->kind == GRAPH_CLAMP_OP ||
                       op->kind == GRAPH_GATE_OP;
    return elementwise && w->uses[op->in[0]] == 1;
}

/* The step makes what the adapters of this product join. */
static void adapt(const planner *w, plan_step *s, const graph_op *linear) {
    s->adapted = linear;
    s->plain = w->of_value[linear->in[0]];
}

/* quantize to two terms | product of twice the columns | fold */
static void emit_fine(planner *w, const graph_op *op) {
    const graph_value_info *x = &w->g->values[op->in[0]], *out = &w->g->values[op->out];
    plan_buffer left = add_buffer(w, x->rows, x->width, false), columns = add_buffer(w, x->rows, x->width, true),
                result = add_buffer(w, out->rows, out->width, false);
    w->p->buffers[columns].doubled = w->p->buffers[result].doubled = true;
    plan_step *s = add_step(w, NULL, GRAPH_QUANTIZE_OP, x->rows);
    *s = (plan_step){.kind = GRAPH_QUANTIZE_OP, .rows = x->rows, .in = {w->of_value[op->in[0]], PLAN_NO_BUFFER},
                     .out = columns, .residual = left, .order = PLAN_NO_BUFFER, .plain = PLAN_NO_BUFFER,
                     .fine = true};
    s = add_step(w, op, GRAPH_LINEAR_OP, out->rows);
    s->in[0] = columns;
    s->out = result;
    s->fine = true;
    adapt(w, s, op);
    s = add_step(w, op, GRAPH_FOLD_OP, out->rows); /* and adds the bias */
    s->in[0] = s->out = result;
    w->of_value[op->out] = result;
}

static void emit_linear(planner *w, uint32_t index) {
    const graph_op *op = &w->g->ops[index];
    const graph_value_info *out = &w->g->values[op->out];
    bool quantizes = w->options->quantizes(w->g->weights[op->weight].type);
    if (op->fine && quantizes) {
        emit_fine(w, op);
        return;
    }
    plan_buffer input = quantizes ? quantized_form(w, op->in[0]) : w->of_value[op->in[0]];
    plan_step *s = add_step(w, op, op->kind, out->rows);
    s->in[0] = input;
    graph_value residual = w->residual_of[index];
    if (residual == GRAPH_ABSENT || w->options->fuse) adapt(w, s, op); /* else the ADD does */
    if (residual == GRAPH_ABSENT || !w->options->fuse) {
        s->out = w->of_value[op->out] = add_buffer(w, out->rows, out->width, false);
        return;
    }
    s->residual = w->of_value[residual];
    bool last_reader = w->options->reuse && w->uses[residual] == 1;
    s->out = last_reader ? s->residual : add_buffer(w, out->rows, out->width, false);
    w->of_value[op->out] = s->out;
    w->uses[residual]--;
}

/* After its ROUTE. */
static void emit_sort(planner *w, const graph_op *route) {
    plan_step *s = add_step(w, route, GRAPH_SORT_OP, GRAPH_PAIRS);
    s->in[0] = w->of_value[route->out];
    s->order = w->order[route->out] = add_buffer(w, GRAPH_PAIRS, 2, false);
    w->p->buffers[s->order].extra = 2 * route->experts + 2;
}

/* A value for experts, as its product takes it: pairs as they are or quantized, tokens spread over their pairs. */
static plan_buffer expert_input(planner *w, graph_value value, plan_buffer order, bool quantizes) {
    const graph_value_info *x = &w->g->values[value];
    bool spread = x->rows != GRAPH_PAIRS;
    if (!spread && !quantizes) return w->of_value[value];
    plan_buffer *made = !spread ? w->quantized : quantizes ? w->spread_q : w->spread;
    if (spread && w->spread_by[value] != order) {
        w->spread[value] = w->spread_q[value] = PLAN_NO_BUFFER;
        w->spread_by[value] = order;
    }
    if (made[value] != PLAN_NO_BUFFER) return made[value];
    plan_step *s = add_step(w, NULL, quantizes ? GRAPH_QUANTIZE_OP : GRAPH_SPREAD_OP, GRAPH_PAIRS);
    s->in[0] = w->of_value[value];
    s->out = add_buffer(w, GRAPH_PAIRS, x->width, quantizes);
    s->order = order;
    s->spread = spread;
    return made[value] = s->out;
}

static void emit_experts(planner *w, const graph_op *op) {
    plan_buffer order = w->order[op->in[1]];
    bool quantizes = w->options->quantizes(w->g->weights[op->weight].type);
    plan_buffer input = expert_input(w, op->in[0], order, quantizes);
    plan_step *s = add_step(w, op, op->kind, GRAPH_PAIRS);
    s->in[0] = input;
    s->order = order;
    s->out = w->of_value[op->out] = add_buffer(w, GRAPH_PAIRS, w->g->values[op->out].width, false);
    w->uses[op->in[0]]--;
    w->uses[op->in[1]]--;
}

/* Which input of an ADD comes from the product that takes the other one over. */
static uint32_t joined_input(const planner *w, const graph_op *add) {
    uint32_t first = w->maker[add->in[0]];
    return w->g->ops[first].kind == GRAPH_LINEAR_OP && w->residual_of[first] == add->in[1] ? 0 : 1;
}

static void emit(planner *w, uint32_t index) {
    const graph_op *op = &w->g->ops[index];
    if (w->gone[index] && w->options->fuse) { /* its value is what the product made */
        w->of_value[op->out] = w->of_value[op->in[joined_input(w, op)]];
        return;
    }
    if (op->kind == GRAPH_LINEAR_OP) {
        emit_linear(w, index);
        /* an ADD that stays reads the product's input, too, for adapters */
        if (w->options->fuse || w->residual_of[index] == GRAPH_ABSENT) w->uses[op->in[0]]--;
        return;
    }
    if (op->kind == GRAPH_EXPERT_LINEAR_OP) {
        emit_experts(w, op);
        return;
    }
    if (op->kind == GRAPH_HEAD_LINEAR_OP && w->options->quantizes(w->g->weights[op->weight].type))
        quantized_form(w, op->in[0]);
    const graph_op_row *row = graph_op_find(op->kind);
    graph_rows rows = row->rows == GRAPH_INPUT || row->rows == GRAPH_NONE ? w->g->values[op->in[0]].rows : row->rows;
    plan_step *s = add_step(w, op, op->kind, rows);
    for (uint32_t k = 0; k < row->inputs; k++) s->in[k] = w->of_value[op->in[k]];
    if (w->gone[index]) adapt(w, s, &w->g->ops[w->maker[op->in[joined_input(w, op)]]]);
    if (op->kind == GRAPH_HEAD_LINEAR_OP && w->options->quantizes(w->g->weights[op->weight].type))
        s->in[0] = w->quantized[op->in[0]];
    if (op->kind == GRAPH_MIX_OP) s->order = w->order[op->in[0]];
    if (op->out != GRAPH_ABSENT) {
        const graph_value_info *out = &w->g->values[op->out];
        s->out = in_place(w, op) ? s->in[0] : add_buffer(w, out->rows, out->width, false);
        w->of_value[op->out] = s->out;
    }
    for (uint32_t k = 0; k < row->inputs; k++) w->uses[op->in[k]]--;
    if (op->kind == GRAPH_ROUTE_OP) emit_sort(w, op);
}

bool plan_step_by_columns(const plan_step *s) {
    switch (s->kind) {
    case GRAPH_ACTIVATE_OP:
    case GRAPH_SILU_MUL_OP:
    case GRAPH_GELU_MUL_OP:
    case GRAPH_MULTIPLY_OP:
    case GRAPH_ADD_OP:
    case GRAPH_SCALE_OP:
    case GRAPH_SOFTCAP_OP:
    case GRAPH_FOLD_OP: return true;
    case GRAPH_QUANTIZE_OP: return !s->fine;
    default: return false;
    }
}

static uint32_t width_of(const plan *p, plan_buffer b) { return p->buffers[b].width; }

/* Whether step b may follow a phase of products within it, column by column. What it takes from elsewhere is complete
   before the phase begins; what it overwrites, nobody else in the phase reads. */
static bool joins_products(const plan *p, const plan_phase *phase, const plan_step *b) {
    const plan_step *steps = &p->steps[phase->first];
    if (steps->kind != GRAPH_LINEAR_OP || !plan_step_by_columns(b)) return false;
    uint32_t width = width_of(p, b->out);
    bool made = false;
    if (width % PLAN_COLUMNS != 0) return false;
    for (uint32_t i = 0; i < phase->count; i++) {
        if (width_of(p, steps[i].out) != width || steps[i].in[0] == b->out || steps[i].residual == b->out) return false;
        made = made || steps[i].out == b->in[0] || steps[i].out == b->in[1];
    }
    return made;
}

/* Whether step b may run in the phase that a ends: see the header. */
static bool shares_phase(const planner *w, const plan_phase *phase, const plan_step *b) {
    const plan_step *steps = w->p->steps;
    const plan_step *a = &steps[phase->first];
    if (!w->options->fuse || a->rows != b->rows) return false;
    bool local = graph_op_find(b->kind)->local;
    if (phase->local && local) return b->kind != GRAPH_SELECT_OP && b->kind != GRAPH_POOL_OP;
    if (!phase->local && joins_products(w->p, phase, b)) return true;
    if (phase->local || local || phase->by_columns || a->kind != b->kind) return false;
    if (a->kind != GRAPH_LINEAR_OP && a->kind != GRAPH_EXPERT_LINEAR_OP) return false;
    for (uint32_t i = 0; i < phase->count; i++) {
        plan_buffer out = steps[phase->first + i].out;
        if (out == b->in[0] || out == b->residual || out == b->out) return false;
    }
    return true;
}

static void count_adapted(plan *p, plan_phase *phase, plan_step *s) {
    if (s->adapted) s->slot = phase->adapted++;
    if (phase->adapted > p->most_adapted) p->most_adapted = phase->adapted;
}

static void cut_phases(planner *w) {
    plan *p = w->p;
    for (uint32_t i = 0; i < p->step_count; i++) {
        plan_phase *phase = p->phase_count ? &p->phases[p->phase_count - 1] : NULL;
        if (phase && shares_phase(w, phase, &p->steps[i])) {
            phase->by_columns += !phase->local && graph_op_find(p->steps[i].kind)->local;
            phase->count++;
            count_adapted(p, phase, &p->steps[i]);
            continue;
        }
        phase = &p->phases[p->phase_count++];
        *phase = (plan_phase){i, 1, p->steps[i].rows, graph_op_find(p->steps[i].kind)->local, 0, 0};
        count_adapted(p, phase, &p->steps[i]);
    }
}

static puna_status run(planner *w, puna_error *error) {
    const graph *g = w->g;
    plan *p = w->p;
    memset(w->quantized, 0xFF, g->value_count * sizeof *w->quantized);
    memset(w->of_value, 0xFF, g->value_count * sizeof *w->of_value);
    memset(w->order, 0xFF, g->value_count * sizeof *w->order);
    memset(w->spread, 0xFF, g->value_count * sizeof *w->spread);
    memset(w->spread_q, 0xFF, g->value_count * sizeof *w->spread_q);
    memset(w->spread_by, 0xFF, g->value_count * sizeof *w->spread_by);
    p->chosen = g->chosen;
    count_uses(w);
    join_residuals(w);
    for (uint32_t i = 0; i < g->op_count; i++)
        if (!w->dead[i]) emit(w, i);
    for (uint32_t i = 0; i < GRAPH_RESULTS; i++)
        p->results[i] = wanted(w, i) == GRAPH_ABSENT ? PLAN_NO_BUFFER : w->of_value[wanted(w, i)];
    cut_phases(w);
    return plan_place_buffers(p, w->options, error);
}

puna_status plan_create(const graph *g, const plan_options *options, memory_account *account, plan *out,
                        puna_error *error) {
    memset(out, 0, sizeof *out);
    out->account = account;
    size_t n = (size_t)g->op_count + 1, v = (size_t)g->value_count + 1;
    planner w = {.g = g, .options = options, .p = out};
    out->steps = memory_array(account, n * 3, sizeof *out->steps);
    out->phases = memory_array(account, n * 3, sizeof *out->phases);
    out->buffers = memory_array(account, n * 3, sizeof *out->buffers);
    w.uses = memory_array(account, v, sizeof *w.uses);
    w.of_value = memory_array(account, v, sizeof *w.of_value);
    w.quantized = memory_array(account, v, sizeof *w.quantized);
    w.maker = memory_array(account, v, sizeof *w.maker);
    w.order = memory_array(account, v, sizeof *w.order);
    w.spread = memory_array(account, v, sizeof *w.spread);
    w.spread_q = memory_array(account, v, sizeof *w.spread_q);
    w.spread_by = memory_array(account, v, sizeof *w.spread_by);
    w.residual_of = memory_array(account, n, sizeof *w.residual_of);
    w.gone = memory_array(account, n, sizeof *w.gone);
    w.dead = memory_array(account, n, sizeof *w.dead);
    bool got = out->steps && out->phases && out->buffers && w.uses && w.of_value && w.quantized && w.maker && w.order &&
               w.spread && w.spread_q && w.spread_by && w.residual_of && w.gone && w.dead;
    puna_status status = got ? run(&w, error) : error_memory(error, "plan", n * 512);
    memory_free(account, w.uses);
    memory_free(account, w.of_value);
    memory_free(account, w.quantized);
    memory_free(account, w.maker);
    memory_free(account, w.order);
    memory_free(account, w.spread);
    memory_free(account, w.spread_q);
    memory_free(account, w.spread_by);
    memory_free(account, w.residual_of);
    memory_free(account, w.gone);
    memory_free(account, w.dead);
    if (status != PUNA_OK) plan_free(out);
    return status;
}

void plan_free(plan *p) {
    if (!p->account) return;
    memory_free(p->account, p->steps);
    memory_free(p->account, p->phases);
    memory_free(p->account, p->buffers);
    memset(p, 0, sizeof *p);
}
