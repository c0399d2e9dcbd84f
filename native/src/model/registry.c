// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "model/build.h"

static const model_family families[] = {
    {"llama", llama_logits},
    {"qwen2", qwen2_logits},
    {"qwen3", qwen3_logits},
    {"smollm3", smollm3_logits},
    {"granite", granite_logits},
    {"olmo2", olmo2_logits},
    {"gemma", gemma_logits},
    {"gemma2", gemma2_logits},
    {"gemma3", gemma3_logits},
    {"gpt2", gpt2_logits},
    {"gptneox", gptneox_logits},
    {"falcon", falcon_logits},
    {"phi2", phi2_logits},
    {"starcoder2", starcoder2_logits},
    {"stablelm", stablelm_logits},
    {"command-r", command_r_logits},
    {"cohere2", cohere2_logits},
    {"phi3", phi3_logits},
    {"mpt", mpt_logits},
    {"bloom", bloom_logits},
    {"glm4", glm4_logits},
    {"exaone4", exaone4_logits},
    {"openai-gpt", openai_gpt_logits},
    {"olmo", olmo_logits},
    {"nemotron", nemotron_logits},
    {"qwen2moe", qwen2moe_logits},
    {"qwen3moe", qwen3moe_logits},
    {"olmoe", olmoe_logits},
    {"granitemoe", granite_logits},
    {"deepseek2", deepseek2_logits},
    {"gpt-oss", gpt_oss_logits},
    {"mamba", mamba_logits},
    {"mamba2", mamba2_logits},
    {"lfm2", lfm2_logits},
    {"granitehybrid", granite_logits},
    {"bert", bert_logits},
    {"t5", t5_logits},
    {"t5encoder", t5_encoder_logits},
    {"nomic-bert", nomic_bert_logits},
    {"jina-bert-v2", jina_bert_logits},
    {"modern-bert", modernbert_logits},
    {"gemma-embedding", gemma_embedding_logits},
};

#define FAMILIES (sizeof families / sizeof *families)

static puna_status unknown(const gguf_file *file, const char *name, puna_error *error) {
    char list[512] = "";
    for (size_t i = 0; i < FAMILIES; i++) {
        if (i) strncat(list, ", ", sizeof list - strlen(list) - 1);
        strncat(list, families[i].name, sizeof list - strlen(list) - 1);
    }
    return gguf_error(file, error, PUNA_UNSUPPORTED, "general.architecture",
                      gguf_place(file, "general.architecture"),
                      "the architecture \"%s\" is not supported; supported are: %s", name, list);
}

static const model_family *find(const char *name) {
    for (size_t i = 0; i < FAMILIES; i++)
        if (strcmp(families[i].name, name) == 0) return &families[i];
    return NULL;
}

puna_status model_check_family(const gguf_file *file, puna_error *error) {
    char name[32];
    puna_status status = hyper_read_architecture(file, name, error);
    if (status != PUNA_OK) return status;
    return find(name) ? PUNA_OK : unknown(file, name, error);
}

puna_status model_build(const gguf_file *file, const hyper *h, graph *g, puna_error *error) {
    const model_family *family = find(h->architecture);
    if (!family) return unknown(file, h->architecture, error);
    size_t tensors = (size_t)gguf_tensor_count(file);
    build b = {.file = file, .h = h, .g = g, .status = PUNA_OK, .error = error};
    b.known = memory_array(g->account, tensors + 1, sizeof *b.known);
    if (!b.known) return error_memory(error, "model", tensors * sizeof *b.known);
    memset(b.known, 0xFF, tensors * sizeof *b.known);
    graph_value logits = family->logits(&b);
    memory_free(g->account, b.known);
    if (b.status != PUNA_OK) return b.status;
    return graph_finish(g, logits, error);
}
