// SPDX-License-Identifier: Apache-2.0
/*
 * Texts to vectors. Each text is a sequence for as long as it is read: an encoder's for one step, of which it is a run;
 * a decoder's in slices, as a prompt is. A step takes as many texts as its rows hold, in their order, so that thousands
 * of short ones fill it as one long one does. What a text gives does not depend on who shares its steps.
 *
 * Pooling adds a text's states in order of position, in f32, and multiplies the sum by 1 / count (numerics.md, "Vectors
 * of texts").
 */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "engine/adapters.h"
#include "engine/profile.h"

/* One text that is being read. */
typedef struct reading {
    sequence *sequence;
    uint64_t input;
    uint64_t out; /* its place in vectors, in floats */
} reading;

typedef struct encoder {
    engine *e;
    device_runner *runner;
    const puna_input *inputs;
    uint64_t count, next; /* inputs; the next one to open */
    uint64_t out;         /* where the next one's numbers go */
    puna_embedding how;   /* as decided */
    uint32_t width;       /* numbers that the model gives */
    float *vectors;
    reading *open;
    uint32_t open_count, max_open;
    uint64_t pages;       /* bytes of the cache that the open ones take in the end */
    float *sum;           /* [max_open][width]: pooled so far, before it is cut to its dimensions */
    int32_t *cut;         /* [context_length]: a text made shorter */
} encoder;

/* ---- what is asked ---- */

static uint64_t length_of(const encoder *c, uint64_t input) {
    uint64_t count = c->inputs[input].count, most = c->e->options.context_length;
    return c->how.truncate && count > most ? most : count;
}

static puna_status check_input(const engine *e, const puna_input *in, uint64_t index, bool truncate,
                               puna_error *error) {
    uint32_t types = model_types(e->model);
    if (!in->ids || in->count == 0)
        return error_set(error, PUNA_INVALID_ARGUMENT, "inputs", "text %llu has no tokens", (unsigned long long)index);
    if (in->count > e->options.context_length && !truncate) {
        puna_status status = error_set(error, PUNA_CONTEXT_FULL, "inputs",
                                       "text %llu has %llu tokens; the model reads %u: shorten it, or ask for "
                                       "truncation",
                                       (unsigned long long)index, (unsigned long long)in->count,
                                       e->options.context_length);
        if (error) {
            error->needed = in->count;
            error->available = e->options.context_length;
        }
        return status;
    }
    for (uint64_t i = 0; i < in->count; i++) {
        if (in->ids[i] < 0 || (uint32_t)in->ids[i] >= e->model->hyper.vocabulary)
            return error_set(error, PUNA_INVALID_ARGUMENT, "inputs",
                             "token %llu of text %llu is %d; the vocabulary has 0 to %u", (unsigned long long)i,
                             (unsigned long long)index, in->ids[i], e->model->hyper.vocabulary - 1);
        if (types && in->types && in->types[i] >= types)
            return error_set(error, PUNA_INVALID_ARGUMENT, "inputs",
                             "token %llu of text %llu has the type %u; the model has %u of them",
                             (unsigned long long)i, (unsigned long long)index, in->types[i], types);
    }
    return PUNA_OK;
}

static puna_status decide(encoder *c, const puna_embedding *asked, puna_error *error) {
    const engine *e = c->e;
    uint32_t can = model_capabilities(e->model);
    c->how = *asked;
    if (asked->pooling > PUNA_POOL_NONE)
        return error_set(error, PUNA_INVALID_ARGUMENT, "pooling", "pooling is %u; it may be 0 to %u", asked->pooling,
                         PUNA_POOL_NONE);
    if (asked->normalize > 1 || asked->truncate > 1)
        return error_set(error, PUNA_INVALID_ARGUMENT, "how", "normalize and truncate are 0 or 1");
    if (asked->pooling == PUNA_POOL_MODEL) c->how.pooling = model_pooling(e->model);
    bool scores = c->how.pooling == PUNA_POOL_SCORES;
    if (scores && !(can & PUNA_CAN_SCORE)) return model_refuse(e->model, "score or classify texts", error);
    if (!scores && !(can & PUNA_CAN_EMBED)) return model_refuse(e->model, "embed texts", error);
    c->width = scores ? model_labels(e->model)
                      : e->model->graph.values[e->model->graph.results[GRAPH_HIDDEN]].width;
    if (c->how.dimensions > c->width || (scores && c->how.dimensions))
        return error_set(error, PUNA_INVALID_ARGUMENT, "dimensions", "dimensions is %u; the model gives %u%s",
                         c->how.dimensions, c->width, scores ? " scores, which can't be cut" : "");
    if (c->how.dimensions == 0) c->how.dimensions = c->width;
    return PUNA_OK;
}

static puna_status check(encoder *c, const puna_embedding *how, uint64_t capacity, puna_error *error) {
    uint64_t vectors = 0, needed;
    puna_status status = decide(c, how, error);
    for (uint64_t i = 0; status == PUNA_OK && i < c->count; i++) {
        status = check_input(c->e, &c->inputs[i], i, c->how.truncate, error);
        if (status == PUNA_OK) vectors += c->how.pooling == PUNA_POOL_NONE ? length_of(c, i) : 1;
    }
    if (status != PUNA_OK) return status;
    if (__builtin_mul_overflow(vectors, (uint64_t)c->how.dimensions, &needed)) needed = UINT64_MAX;
    if (needed <= capacity && (c->vectors || needed == 0)) return PUNA_OK;
    status = error_set(error, PUNA_BUFFER_TOO_SMALL, "vectors", "%llu numbers are needed; the buffer holds %llu",
                       (unsigned long long)needed, (unsigned long long)capacity);
    if (error) {
        error->needed = needed;
        error->available = capacity;
    }
    return status;
}

/* ---- reading ---- */

/* The context's first tokens, the last one kept where it closes the text. */
static const int32_t *shortened(encoder *c, const puna_input *in, uint32_t length) {
    if (in->count <= length) return in->ids;
    memcpy(c->cut, in->ids, length * sizeof *c->cut);
    int32_t last = in->ids[in->count - 1];
    if (tokenizer_is_control(c->e->model->tokenizer, last)) c->cut[length - 1] = last;
    return c->cut;
}

static puna_status open_next(encoder *c, puna_error *error) {
    engine *e = c->e;
    uint32_t length = (uint32_t)length_of(c, c->next);
    uint64_t id;
    reading *r = &c->open[c->open_count];
    puna_status status = engine_open_sequence(e, &id, error);
    if (status != PUNA_OK) return status;
    *r = (reading){.input = c->next, .out = c->out};
    status = engine_find(e, id, &r->sequence, error);
    if (status != PUNA_OK) return status;
    adapters_adopt(e, r->sequence, adapters_share(e->set));
    c->open_count++;
    c->next++;
    c->pages += cache_bytes_for(e->cache, length);
    c->out += (uint64_t)c->how.dimensions * (c->how.pooling == PUNA_POOL_NONE ? length : 1);
    memset(c->sum + (size_t)(r - c->open) * c->width, 0, c->width * sizeof *c->sum);
    return sequence_set_tokens(&e->account, e->cache, r->sequence, shortened(c, &c->inputs[r->input], length), length,
                               error);
}

/* Rows that the next text would take of those that are left; 0: it waits for another step. */
static uint32_t fits(const encoder *c, uint32_t left) {
    if (c->next == c->count || c->open_count == c->max_open) return 0;
    uint32_t length = (uint32_t)length_of(c, c->next);
    if (c->e->model->graph.whole) return length <= left ? length : 0;
    bool room = c->open_count == 0 || c->pages + cache_bytes_for(c->e->cache, length) <= cache_budget(c->e->cache);
    return !room ? 0 : length < left ? length : left;
}

static puna_status add_rows(encoder *c, device_batch *batch, reading *r, uint32_t rows, puna_error *error) {
    engine *e = c->e;
    sequence *s = r->sequence;
    puna_status status = evict_for(e, s, rows, error);
    if (status != PUNA_OK) return status;
    uint32_t first = batch->tokens, outputs = batch->output_count;
    fill_rows(e, batch, s, rows);
    bool ended = batch->output_count > outputs;
    batch->output_count = outputs;
    if (c->how.pooling == PUNA_POOL_SCORES && ended) { /* a decoder's classifier reads the last token */
        s->output = batch->output_count;
        e->outputs[batch->output_count++] = e->model->graph.whole ? first : first + rows - 1;
    }
    const uint32_t *types = c->inputs[r->input].types;
    for (uint32_t i = 0; e->types && i < rows; i++) e->types[first + i] = types ? types[s->cached + i] : 0;
    return PUNA_OK;
}

static puna_status fill(encoder *c, device_batch *batch, puna_error *error) {
    engine *e = c->e;
    uint32_t left = e->options.step_tokens, rows;
    puna_status status = PUNA_OK;
    for (uint32_t i = 0; status == PUNA_OK && i < c->open_count && left; i++) {
        uint32_t lacks = c->open[i].sequence->count - c->open[i].sequence->cached;
        rows = lacks < left ? lacks : left;
        status = add_rows(c, batch, &c->open[i], rows, error);
        left -= rows;
    }
    while (status == PUNA_OK && left && (rows = fits(c, left)) > 0) {
        status = open_next(c, error);
        if (status == PUNA_OK) status = add_rows(c, batch, &c->open[c->open_count - 1], rows, error);
        left -= rows;
    }
    return status;
}

/* ---- vectors ---- */

/* The first numbers of a row; of length 1 where that is asked: squares in 16 lanes, as a norm adds them. */
static puna_status give(const encoder *c, const float *row, float *out, uint64_t input, puna_error *error) {
    uint32_t n = c->how.dimensions;
    float lanes[16] = {0};
    for (uint32_t i = 0; i < n; i++) lanes[i % 16] = math_fmaf(row[i], row[i], lanes[i % 16]);
    float squares = math_lanes_sum(lanes);
    bool finite = isfinite(squares);
    for (uint32_t i = 0; !finite && i < n; i++) /* the squares may overflow where the numbers don't */
        if (!isfinite(row[i]) || c->how.normalize)
            return error_set(error, PUNA_NOT_FINITE, "inputs",
                             "the vector of text %llu holds numbers that are not finite, or too large",
                             (unsigned long long)input);
    float scale = c->how.normalize && squares > 0 ? 1.0f / sqrtf(squares) : 1.0f;
    for (uint32_t i = 0; i < n; i++) out[i] = c->how.normalize ? row[i] * scale : row[i];
    return PUNA_OK;
}

static void add(float *sum, const float *row, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) sum[i] += row[i];
}

/* What the step's rows add to a text; hidden: of its first row in the batch. */
static puna_status pool(const encoder *c, const reading *r, float *sum, const float *hidden, puna_error *error) {
    const sequence *s = r->sequence;
    puna_status status = PUNA_OK;
    for (uint32_t i = 0; status == PUNA_OK && i < s->rows; i++) {
        const float *row = hidden + (size_t)i * c->width;
        uint32_t position = s->cached + i;
        switch (c->how.pooling) {
        case PUNA_POOL_MEAN: add(sum, row, c->width); break;
        case PUNA_POOL_FIRST:
            if (position == 0) memcpy(sum, row, c->width * sizeof *sum);
            break;
        case PUNA_POOL_LAST:
            if (position + 1 == s->count) memcpy(sum, row, c->width * sizeof *sum);
            break;
        default:
            status = give(c, row, c->vectors + r->out + (size_t)position * c->how.dimensions, r->input, error);
            break;
        }
    }
    return status;
}

static puna_status take_one(encoder *c, reading *r, float *sum, puna_error *error) {
    const device *d = c->e->model->device;
    sequence *s = r->sequence;
    bool scores = c->how.pooling == PUNA_POOL_SCORES;
    puna_status status = PUNA_OK;
    if (!scores) status = pool(c, r, sum, d->result(c->runner, GRAPH_HIDDEN) + (size_t)s->row * c->width, error);
    s->cached += s->rows;
    s->rows = 0;
    if (status != PUNA_OK || s->cached < s->count || c->how.pooling == PUNA_POOL_NONE) return status;
    const float *row = scores ? d->result(c->runner, GRAPH_SCORES) + (size_t)s->output * c->width : sum;
    if (c->how.pooling == PUNA_POOL_MEAN) {
        float share = 1.0f / (float)s->count;
        for (uint32_t i = 0; i < c->width; i++) sum[i] *= share;
    }
    return give(c, row, c->vectors + r->out, r->input, error);
}

/* Takes the step's results; those that are read through are closed, the others move up. */
static puna_status take(encoder *c, puna_error *error) {
    uint32_t kept = 0;
    puna_status status = PUNA_OK;
    for (uint32_t i = 0; i < c->open_count; i++) {
        reading *r = &c->open[i];
        float *sum = c->sum + (size_t)i * c->width, *to = c->sum + (size_t)kept * c->width;
        if (status == PUNA_OK && r->sequence->rows) status = take_one(c, r, sum, error);
        if (r->sequence->cached < r->sequence->count) {
            if (kept != i) memcpy(to, sum, c->width * sizeof *sum);
            c->open[kept++] = *r;
            continue;
        }
        c->pages -= cache_bytes_for(c->e->cache, r->sequence->count);
        engine_close_sequence(c->e, r->sequence);
    }
    c->open_count = kept;
    return status;
}

static puna_status read_all(encoder *c, puna_task *task, puna_error *error) {
    engine *e = c->e;
    puna_status status = PUNA_OK;
    uint64_t total = 0;
    for (uint64_t i = 0; i < c->count; i++) total += length_of(c, i);
    task_total(task, total);
    math_environment environment = math_environment_enter();
    while (status == PUNA_OK && (c->next < c->count || c->open_count)) {
        device_batch batch = {.ids = e->ids, .positions = e->positions, .types = e->types, .runs = e->runs,
                              .outputs = e->outputs};
        status = task_cancelled(task) ? task_stopped(error, "embedding texts") : fill(c, &batch, error);
        if (status != PUNA_OK) break;
        e->model->device->run(c->runner, &batch);
        e->steps++;
        e->counts.prompt_tokens += batch.tokens;
        status = take(c, error);
        task_advance(task, batch.tokens);
    }
    math_environment_leave(environment);
    for (uint32_t i = 0; i < c->open_count; i++) engine_close_sequence(e, c->open[i].sequence);
    return status;
}

device_options encode_reader_options(const graph *g, const puna_engine_options *decided) {
    device_options o = engine_device_options(g, decided);
    o.results = 1u << GRAPH_HIDDEN | 1u << GRAPH_SCORES;
    return o;
}

/* A decoder's main runner computes logits; its states are another one's work. */
static puna_status find_runner(encoder *c, puna_error *error) {
    engine *e = c->e;
    c->runner = e->runner;
    if (e->model->graph.whole) return PUNA_OK;
    if (!e->reader) {
        device_options o = encode_reader_options(&e->model->graph, &e->options);
        puna_status status = e->model->device->create(&e->model->graph, e->model->weights, &o, &e->account, &e->reader,
                                                      error);
        if (status != PUNA_OK) return status;
    }
    c->runner = e->reader;
    puna_status status = profile_join(e, e->reader, error);
    if (status != PUNA_OK) return status;
    return e->set ? e->model->device->adapt(e->reader, &e->account, &e->set->view, error) : PUNA_OK;
}

static puna_status check_free(const engine *e, puna_error *error) {
    if (e->running.count + e->waiting.count == 0) return PUNA_OK;
    return error_set(error, PUNA_BUSY, "engine", "sequences are generating: wait for their end");
}

uint64_t encode_bytes(const graph *g, const device_options *o) {
    uint32_t width = 0;
    for (uint32_t which = GRAPH_HIDDEN; which <= GRAPH_SCORES; which++) {
        graph_value value = g->results[which];
        if (value != GRAPH_ABSENT && g->values[value].width > width) width = g->values[value].width;
    }
    return o->max_runs * (sizeof(reading) + (uint64_t)width * sizeof(float)) + o->positions * sizeof(int32_t);
}

puna_status encode_texts(engine *e, const puna_input *inputs, uint64_t count, const puna_embedding *how, float *vectors,
                         uint64_t capacity, puna_task *task, puna_error *error) {
    encoder c = {.e = e, .inputs = inputs, .count = count, .vectors = vectors};
    c.max_open = engine_device_options(&e->model->graph, &e->options).max_runs;
    puna_status status = check(&c, how, capacity, error);
    if (status == PUNA_OK) status = check_free(e, error);
    if (status != PUNA_OK || count == 0) return status;
    status = find_runner(&c, error);
    if (status != PUNA_OK) return status;
    c.open = memory_array(&e->account, c.max_open, sizeof *c.open);
    c.sum = memory_array(&e->account, (size_t)c.max_open * c.width, sizeof *c.sum);
    c.cut = memory_array(&e->account, e->options.context_length, sizeof *c.cut);
    if (!c.open || !c.sum || !c.cut)
        status = error_memory(error, "embedding", (uint64_t)c.max_open * c.width * sizeof *c.sum);
    if (status == PUNA_OK) status = read_all(&c, task, error);
    memory_free(&e->account, c.open);
    memory_free(&e->account, c.sum);
    memory_free(&e->account, c.cut);
    return status;
}

/* ---- masks ---- */

static puna_status check_fill(const engine *e, const puna_input *in, const uint32_t *positions, uint64_t count,
                              const float *logits, uint64_t capacity, puna_error *error) {
    uint64_t vocabulary = e->model->hyper.vocabulary;
    if (!(model_capabilities(e->model) & PUNA_CAN_FILL)) return model_refuse(e->model, "fill masks", error);
    puna_status status = check_input(e, in, 0, false, error);
    for (uint64_t i = 0; status == PUNA_OK && i < count; i++)
        if (positions[i] >= in->count)
            status = error_set(error, PUNA_INVALID_ARGUMENT, "positions", "position %u of a text of %llu tokens",
                               positions[i], (unsigned long long)in->count);
    if (status != PUNA_OK) return status;
    if (capacity / vocabulary >= count && (logits || count == 0)) return PUNA_OK;
    status = error_set(error, PUNA_BUFFER_TOO_SMALL, "logits", "%llu rows of %llu logits are needed",
                       (unsigned long long)count, (unsigned long long)vocabulary);
    if (error && __builtin_mul_overflow(count, vocabulary, &error->needed)) error->needed = UINT64_MAX;
    return status;
}

/* The text once for as many positions as a step has outputs. */
static puna_status fill_some(engine *e, sequence *s, const puna_input *in, const uint32_t *positions, uint32_t count,
                             float *logits, puna_error *error) {
    device_batch batch = {.ids = e->ids, .positions = e->positions, .types = e->types, .runs = e->runs,
                          .outputs = e->outputs};
    puna_status status = evict_for(e, s, s->count, error);
    if (status != PUNA_OK) return status;
    fill_rows(e, &batch, s, s->count);
    s->rows = 0;
    for (uint32_t i = 0; i < s->count; i++) e->types[i] = in->types ? in->types[i] : 0;
    for (uint32_t i = 0; i < count; i++) e->outputs[i] = positions[i];
    batch.output_count = count;
    e->model->device->run(e->runner, &batch);
    e->steps++;
    e->counts.prompt_tokens += s->count;
    size_t width = e->model->hyper.vocabulary;
    memcpy(logits, e->model->device->result(e->runner, GRAPH_LOGITS), count * width * sizeof *logits);
    return PUNA_OK;
}

puna_status encode_fill(engine *e, const puna_input *in, const uint32_t *positions, uint64_t count, float *logits,
                        uint64_t capacity, puna_error *error) {
    puna_status status = check_fill(e, in, positions, count, logits, capacity, error);
    if (status != PUNA_OK || count == 0) return status;
    uint32_t most = engine_device_options(&e->model->graph, &e->options).max_outputs;
    uint64_t id;
    sequence *s;
    status = engine_open_sequence(e, &id, error);
    if (status != PUNA_OK) return status;
    status = engine_find(e, id, &s, error);
    if (status == PUNA_OK) adapters_adopt(e, s, adapters_share(e->set));
    if (status == PUNA_OK)
        status = sequence_set_tokens(&e->account, e->cache, s, in->ids, (uint32_t)in->count, error);
    math_environment environment = math_environment_enter();
    for (uint64_t i = 0; status == PUNA_OK && i < count; i += most) {
        uint32_t some = count - i < most ? (uint32_t)(count - i) : most;
        status = fill_some(e, s, in, positions + i, some, logits + i * e->model->hyper.vocabulary, error);
    }
    math_environment_leave(environment);
    engine_close_sequence(e, s);
    return status;
}
