// SPDX-License-Identifier: Apache-2.0
#include "model/build.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/math.h"
#include "format/block.h"

/* shape: [cols, rows] for a matrix, [n] for a vector, as GGUF stores them. NULL: absent or of another shape. */
static const gguf_tensor *find_tensor(build *b, bool optional, uint32_t matrices, uint32_t rows, uint32_t cols,
                                      const char *format, va_list arguments) {
    char name[96];
    vsnprintf(name, sizeof name, format, arguments);
    if (b->status != PUNA_OK) return NULL;
    const gguf_tensor *t = gguf_find_tensor(b->file, name);
    if (!t) {
        if (!optional)
            b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, name, PUNA_NO_OFFSET, "the tensor is missing");
        return NULL;
    }
    bool fits = t->shape[0] == cols && t->shape[1] == rows && t->shape[2] == matrices && t->shape[3] == 1;
    if (!fits) {
        b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, name, t->offset,
                               "the shape is [%llu, %llu, %llu, %llu], the metadata ask for [%u, %u, %u]",
                               (unsigned long long)t->shape[0], (unsigned long long)t->shape[1],
                               (unsigned long long)t->shape[2], (unsigned long long)t->shape[3], cols, rows, matrices);
        return NULL;
    }
    const block_format *stored = block_find(t->type);
    if (!stored) {
        char names[200];
        const char *type = block_type_name(t->type);
        b->status = gguf_error(b->file, b->error, PUNA_UNSUPPORTED, name, t->offset,
                               "weights stored as %s are not supported; supported are: %s",
                               type ? type : "an unknown type", block_names(names, sizeof names));
        return NULL;
    }
    return t;
}

static uint32_t index_of(const build *b, const gguf_tensor *t) { return (uint32_t)(t - gguf_tensor_at(b->file, 0)); }

static graph_weight find(build *b, bool optional, uint32_t matrices, uint32_t rows, uint32_t cols, const char *format,
                         va_list arguments) {
    const gguf_tensor *t = find_tensor(b, optional, matrices, rows, cols, format, arguments);
    if (!t) return GRAPH_ABSENT;
    uint32_t index = index_of(b, t);
    if (b->known[index] == GRAPH_ABSENT)
        b->known[index] = graph_add_matrices(b->g, index, t->type, matrices, rows, cols);
    return b->known[index];
}

#define FIND(optional, matrices, rows, cols) \
    va_list arguments; \
    va_start(arguments, format); \
    graph_weight found = find(b, optional, matrices, rows, cols, format, arguments); \
    va_end(arguments); \
    return found

graph_weight build_matrix(build *b, uint32_t rows, uint32_t cols, const char *format, ...) {
    FIND(false, 1, rows, cols);
}

graph_weight build_optional_matrix(build *b, uint32_t rows, uint32_t cols, const char *format, ...) {
    FIND(true, 1, rows, cols);
}

graph_weight build_matrices(build *b, uint32_t matrices, uint32_t rows, uint32_t cols, const char *format, ...) {
    FIND(false, matrices, rows, cols);
}

graph_weight build_vector(build *b, uint32_t n, const char *format, ...) { FIND(false, 1, 1, n); }

graph_weight build_optional_vector(build *b, uint32_t n, const char *format, ...) { FIND(true, 1, 1, n); }

bool build_has(const build *b, const char *format, ...) {
    char name[96];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    return gguf_find_tensor(b->file, name) != NULL;
}

uint32_t build_tensor_rows(build *b, const char *name) {
    const gguf_tensor *t = b->status == PUNA_OK ? gguf_find_tensor(b->file, name) : NULL;
    if (t && t->shape[1] >= 1 && t->shape[1] <= 1u << 20) return (uint32_t)t->shape[1];
    if (b->status == PUNA_OK)
        b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, name, t ? t->offset : PUNA_NO_OFFSET,
                               t ? "its number of rows lies outside 1 to 1048576" : "the tensor is missing");
    return 0;
}

graph_weight build_rows(build *b, uint32_t first, uint32_t rows, uint32_t all, uint32_t cols, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const gguf_tensor *t = find_tensor(b, false, 1, all, cols, format, arguments);
    va_end(arguments);
    return t ? graph_add_slice(b->g, index_of(b, t), t->type, first, rows, cols) : GRAPH_ABSENT;
}

graph_weight build_optional_elements(build *b, uint32_t first, uint32_t n, uint32_t all, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const gguf_tensor *t = find_tensor(b, true, 1, 1, all, format, arguments);
    va_end(arguments);
    if (t && block_find(t->type)->length != 1) {
        b->status = gguf_error(b->file, b->error, PUNA_UNSUPPORTED, "bias", t->offset,
                               "a bias stored as %s can't be taken apart; F32, F16 and BF16 can",
                               block_type_name(t->type));
        return GRAPH_ABSENT;
    }
    return t ? graph_add_slice(b->g, index_of(b, t), t->type, first, 1, n) : GRAPH_ABSENT;
}

static puna_status read_factors(build *b, const gguf_tensor *t, const block_format *stored, float *factors) {
    uint8_t *raw = memory_new(b->g->account, (size_t)t->bytes);
    if (!raw) return error_memory(b->error, "rotary table", t->bytes);
    puna_status status = gguf_tensor_bytes(b->file, t, 0, raw, (size_t)t->bytes, b->error);
    if (status == PUNA_OK) stored->decode(raw, (size_t)t->shape[0], factors);
    memory_free(b->g->account, raw);
    return status;
}

/* What frequencies are divided by, into [count]; false without the tensor or on a failure that b->status tells. */
static bool rope_factors(build *b, const char *name, uint32_t count, float *factors) {
    const gguf_tensor *t = gguf_find_tensor(b->file, name);
    if (!t || b->status != PUNA_OK) return false;
    const block_format *stored = block_find(t->type);
    bool fits = t->shape[0] == count && t->shape[1] == 1 && t->shape[2] == 1 && t->shape[3] == 1;
    if (!stored || stored->length != 1 || !fits) {
        b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, name, t->offset,
                               "%u factors are needed, in F32, F16 or BF16", count);
        return false;
    }
    b->status = read_factors(b, t, stored, factors);
    for (uint32_t i = 0; b->status == PUNA_OK && i < count; i++) {
        if (factors[i] > 0 && factors[i] < 1e30f) continue;
        b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, name, t->offset, "factor %u is %g", i,
                               (double)factors[i]);
    }
    return b->status == PUNA_OK;
}

/* yarn: how far dimension i keeps its own frequency, 1 where it turns often within the original context, 0 where it
   turns less than once, a ramp between. */
static double yarn_keeps(const hyper *h, uint32_t i) {
    const double turn = 6.283185307179586;
    double original = (double)h->yarn.original_context, width = (double)h->rotated, last = width - 1;
    double per = width / (2 * math_log((double)h->rope_base));
    double low = per * math_log(original / ((double)h->yarn.beta_fast * turn));
    double high = per * math_log(original / ((double)h->yarn.beta_slow * turn));
    if (!h->yarn.exact) {
        low = floor(low);
        high = ceil(high);
    }
    low = low > 0 ? low : 0;
    high = high < last ? high : last;
    double far = ((double)i - low) / (high - low > 0.001 ? high - low : 0.001);
    double ramp = far < 0 ? 0 : far > 1 ? 1 : far;
    return (1 - ramp) * (double)h->yarn.extrapolation;
}

static float scaled(const hyper *h, uint32_t i, double frequency) {
    float f = (float)frequency;
    if (h->rope_scaling == HYPER_ROPE_LINEAR) return f / h->rope_factor;
    if (h->rope_scaling != HYPER_ROPE_YARN) return f;
    double keeps = yarn_keeps(h, i);
    return (float)(frequency / (double)h->rope_factor * (1 - keeps) + frequency * keeps);
}

static float frequency_of(const hyper *h, double base, uint32_t i, bool plain) {
    double frequency = math_pow(base, -2.0 * (double)i / (double)h->rotated);
    return plain ? (float)frequency : scaled(h, i, frequency);
}

/* Frequencies [2][count], and before the call's end their factors behind them. */
static uint32_t fill_table(build *b, double base, bool plain, uint32_t count, float *frequencies) {
    const hyper *h = b->h;
    float *later = frequencies + count, *factors = later + count, *later_factors = factors + count;
    for (uint32_t i = 0; i < 2 * count; i++) factors[i] = 1.0f;
    bool found = !plain && rope_factors(b, "rope_freqs.weight", count, factors);
    bool changes = !plain && !found && rope_factors(b, "rope_factors_short.weight", count, factors) &&
                   rope_factors(b, "rope_factors_long.weight", count, later_factors);
    if (b->status == PUNA_OK && !plain && h->rope_scaling == HYPER_ROPE_LLAMA3 && !found)
        b->status = gguf_error(b->file, b->error, PUNA_UNSUPPORTED, "rope_freqs.weight", PUNA_NO_OFFSET,
                               "Llama 3's scaling needs the factors in rope_freqs.weight, which the file lacks: "
                               "convert the model anew");
    for (uint32_t i = 0; b->status == PUNA_OK && i < count; i++) {
        float f = frequency_of(h, base, i, plain);
        frequencies[i] = f / factors[i];
        later[i] = f / later_factors[i];
    }
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    if (changes) return graph_add_long_table(b->g, frequencies, count, h->rope_magnitude, h->rope_original);
    float magnitude = !plain && h->rope_scaling == HYPER_ROPE_YARN ? h->yarn.magnitude : 1.0f;
    return graph_add_table(b->g, frequencies, count, magnitude);
}

static uint32_t rope_table(build *b, double base, bool plain) {
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    size_t count = b->h->rotated / 2;
    float *frequencies = memory_array(b->g->account, 4 * count + 1, sizeof *frequencies);
    if (!frequencies) {
        b->status = error_memory(b->error, "rotary table", 4 * count * sizeof *frequencies);
        return GRAPH_ABSENT;
    }
    uint32_t table = fill_table(b, base, plain, (uint32_t)count, frequencies);
    memory_free(b->g->account, frequencies);
    return table;
}

uint32_t build_rope_table(build *b) { return rope_table(b, (double)b->h->rope_base, false); }

uint32_t build_plain_rope_table(build *b, float base) { return rope_table(b, (double)base, true); }
