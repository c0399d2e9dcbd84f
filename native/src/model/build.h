// SPDX-License-Identifier: Apache-2.0
/*
 * What an architecture's file needs to say its graph: weights by name, checked for shape, and the graph builder.
 *
 * Like the graph, a build remembers the first error; model_build in registry.c checks it once at the end.
 */
#ifndef PUNA_MODEL_BUILD_H
#define PUNA_MODEL_BUILD_H

#include "graph/graph.h"
#include "model/hyper.h"

typedef struct build {
    const gguf_file *file;
    const hyper *h;
    graph *g;
    graph_weight *known; /* [tensors] the graph weight of a tensor, GRAPH_ABSENT if not yet used */
    puna_status status;
    puna_error *error;
} build;

/* A tensor by name (printf-like) as a [rows, cols] matrix: rows outputs, cols inputs. The same tensor asked for twice
   is the same weight. Absent or of another shape: an error that names file and tensor. */
graph_weight build_matrix(build *b, uint32_t rows, uint32_t cols, const char *format, ...) ERROR_FORMAT(4, 5);

/* Several matrices of that shape in one tensor: experts, heads. */
graph_weight build_matrices(build *b, uint32_t matrices, uint32_t rows, uint32_t cols, const char *format, ...)
    ERROR_FORMAT(5, 6);

/* A vector of n elements. */
graph_weight build_vector(build *b, uint32_t n, const char *format, ...) ERROR_FORMAT(3, 4);

/* Rows [first, first + rows) of a tensor of `all` rows; elements of a vector (biases), GRAPH_ABSENT if the file has
   none. */
graph_weight build_rows(build *b, uint32_t first, uint32_t rows, uint32_t all, uint32_t cols, const char *format, ...)
    ERROR_FORMAT(6, 7);
graph_weight build_optional_elements(build *b, uint32_t first, uint32_t n, uint32_t all, const char *format, ...)
    ERROR_FORMAT(5, 6);

/* Whether the file has a tensor of that name. */
bool build_has(const build *b, const char *format, ...) ERROR_FORMAT(2, 3);

/* Rows of a tensor whose shape no metadata tell (a classifier's labels, token types); at most 2^20. 0, and an error,
   where they can't be. */
uint32_t build_tensor_rows(build *b, const char *name);

/* The same, GRAPH_ABSENT if the file has none of that name. */
graph_weight build_optional_matrix(build *b, uint32_t rows, uint32_t cols, const char *format, ...) ERROR_FORMAT(4, 5);
graph_weight build_optional_vector(build *b, uint32_t n, const char *format, ...) ERROR_FORMAT(3, 4);

/* The rotary frequency table of these hyperparameters: base^(-2i/rotated), scaled as they say; rope_freqs.weight (Llama
   3's factors) divides where the file has it, or rope_factors_short.weight and, for contexts longer than the original
   one, rope_factors_long.weight (longrope: Ding et al., arXiv:2402.13753). */
uint32_t build_rope_table(build *b);

/* Of another base, nothing scaled: Gemma 3's layers with a window. */
uint32_t build_plain_rope_table(build *b, float base);

/* One row an architecture. */
typedef struct model_family {
    const char *name; /* general.architecture */
    graph_value (*logits)(build *b);
} model_family;

/* Whether there is a family for the file's architecture. PUNA_UNSUPPORTED lists those that there are. */
puna_status model_check_family(const gguf_file *file, puna_error *error);

/* Builds the graph of the file's architecture, which there is a family for. */
puna_status model_build(const gguf_file *file, const hyper *h, graph *g, puna_error *error);

/* The families' own files. */
graph_value llama_logits(build *b);
graph_value qwen2_logits(build *b);
graph_value qwen3_logits(build *b);
graph_value smollm3_logits(build *b);
graph_value granite_logits(build *b);
graph_value olmo2_logits(build *b);
graph_value gemma_logits(build *b);
graph_value gemma2_logits(build *b);
graph_value gemma3_logits(build *b);
graph_value gpt2_logits(build *b);
graph_value gptneox_logits(build *b);
graph_value falcon_logits(build *b);
graph_value phi2_logits(build *b);
graph_value starcoder2_logits(build *b);
graph_value stablelm_logits(build *b);
graph_value command_r_logits(build *b);
graph_value cohere2_logits(build *b);
graph_value phi3_logits(build *b);
graph_value mpt_logits(build *b);
graph_value bloom_logits(build *b);
graph_value glm4_logits(build *b);
graph_value exaone4_logits(build *b);
graph_value openai_gpt_logits(build *b);
graph_value olmo_logits(build *b);
graph_value nemotron_logits(build *b);
graph_value qwen2moe_logits(build *b);
graph_value qwen3moe_logits(build *b);
graph_value olmoe_logits(build *b);
graph_value deepseek2_logits(build *b);
graph_value gpt_oss_logits(build *b);
graph_value mamba_logits(build *b);
graph_value mamba2_logits(build *b);
graph_value lfm2_logits(build *b);

graph_value bert_logits(build *b);
graph_value t5_logits(build *b);
graph_value t5_encoder_logits(build *b);
graph_value nomic_bert_logits(build *b);
graph_value jina_bert_logits(build *b);
graph_value modernbert_logits(build *b);
graph_value gemma_embedding_logits(build *b);

#endif
