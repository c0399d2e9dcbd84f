// SPDX-License-Identifier: Apache-2.0
#include "model/build.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/math.h"
#include "format/block.h"

/* shape: [cols, rows] for a matrix, [n] for a vector, as GGUF stores them. */
static graph_weight find(build *b, bool optional, uint32_t rows, uint32_t cols, const char *format,
                         va_list arguments) {
    char name[96];
    vsnprintf(name, sizeof name, format, arguments);
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    const gguf_tensor *t = gguf_find_tensor(b->file, name);
    if (!t) {
        if (!optional)
            b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, name, PUNA_NO_OFFSET, "the tensor is missing");
        return GRAPH_ABSENT;
    }
    bool fits = t->shape[0] == cols && t->shape[1] == rows && t->shape[2] == 1 && t->shape[3] == 1;
    if (!fits) {
        b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, name, t->offset,
                               "the shape is [%llu, %llu, %llu, %llu], the metadata ask for [%u, %u]",
                               (unsigned long long)t->shape[0], (unsigned long long)t->shape[1],
                               (unsigned long long)t->shape[2], (unsigned long long)t->shape[3], cols, rows);
        return GRAPH_ABSENT;
    }
    const block_format *stored = block_find(t->type);
    if (!stored) {
        char names[200];
        const char *type = block_type_name(t->type);
        b->status = gguf_error(b->file, b->error, PUNA_UNSUPPORTED, name, t->offset,
                               "weights stored as %s are not supported; supported are: %s",
                               type ? type : "an unknown type", block_names(names, sizeof names));
        return GRAPH_ABSENT;
    }
    uint64_t index = (uint64_t)(t - gguf_tensor_at(b->file, 0));
    if (b->known[index] == GRAPH_ABSENT) b->known[index] = graph_add_weight(b->g, (uint32_t)index, t->type, rows, cols);
    return b->known[index];
}

#define FIND(optional, rows, cols) \
    va_list arguments; \
    va_start(arguments, format); \
    graph_weight found = find(b, optional, rows, cols, format, arguments); \
    va_end(arguments); \
    return found

graph_weight build_matrix(build *b, uint32_t rows, uint32_t cols, const char *format, ...) { FIND(false, rows, cols); }

graph_weight build_optional_matrix(build *b, uint32_t rows, uint32_t cols, const char *format, ...) {
    FIND(true, rows, cols);
}

graph_weight build_vector(build *b, uint32_t n, const char *format, ...) { FIND(false, 1, n); }

graph_weight build_optional_vector(build *b, uint32_t n, const char *format, ...) { FIND(true, 1, n); }

/* Llama 3's factors; NULL without them or on a failure that b->status tells. */
static float *rope_factors(build *b, uint32_t count) {
    const gguf_tensor *t = gguf_find_tensor(b->file, "rope_freqs.weight");
    if (!t || b->status != PUNA_OK) return NULL;
    const block_format *stored = block_find(t->type);
    bool fits = t->shape[0] == count && t->shape[1] == 1 && t->shape[2] == 1 && t->shape[3] == 1;
    if (!stored || stored->length != 1 || !fits) {
        b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, "rope_freqs.weight", t->offset,
                               "%u factors are needed, in F32, F16 or BF16", count);
        return NULL;
    }
    float *factors = memory_array(b->g->account, count, sizeof *factors);
    if (!factors) b->status = error_memory(b->error, "rotary table", count * sizeof *factors);
    else stored->decode(gguf_tensor_data(b->file, t), count, factors);
    for (uint32_t i = 0; factors && i < count; i++) {
        if (factors[i] > 0 && factors[i] < 1e30f) continue;
        b->status = gguf_error(b->file, b->error, PUNA_INVALID_FILE, "rope_freqs.weight", t->offset,
                               "factor %u is %g", i, (double)factors[i]);
        break;
    }
    return factors;
}

uint32_t build_rope_table(build *b) {
    if (b->status != PUNA_OK) return GRAPH_ABSENT;
    uint32_t count = b->h->rotated / 2;
    float *factors = rope_factors(b, count);
    if (b->status == PUNA_OK && b->h->rope_scaling == HYPER_ROPE_LLAMA3 && !factors)
        b->status = gguf_error(b->file, b->error, PUNA_UNSUPPORTED, "rope.scaling.type", PUNA_NO_OFFSET,
                               "Llama 3's scaling needs the factors in rope_freqs.weight, which the file lacks: convert "
                               "the model anew");
    float *frequencies = memory_array(b->g->account, count + 1, sizeof *frequencies);
    uint32_t table = GRAPH_ABSENT;
    if (!frequencies && b->status == PUNA_OK) b->status = error_memory(b->error, "rotary table", count * sizeof(float));
    for (uint32_t i = 0; b->status == PUNA_OK && i < count; i++) {
        double exponent = -2.0 * (double)i / (double)b->h->rotated;
        float f = (float)math_pow((double)b->h->rope_base, exponent);
        if (b->h->rope_scaling == HYPER_ROPE_LINEAR) f = f / b->h->rope_factor;
        frequencies[i] = factors ? f / factors[i] : f;
    }
    if (b->status == PUNA_OK) table = graph_add_table(b->g, frequencies, count);
    memory_free(b->g->account, frequencies);
    memory_free(b->g->account, factors);
    return table;
}
