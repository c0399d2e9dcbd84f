// SPDX-License-Identifier: Apache-2.0
/* What a model can do, by the results that its graph has. */
#include <string.h>

#include "model/model.h"

static bool has(const model *m, graph_result which) { return m->graph.results[which] != GRAPH_ABSENT; }

uint32_t model_capabilities(const model *m) {
    uint32_t all = 0;
    if (has(m, GRAPH_LOGITS)) all |= m->graph.whole ? PUNA_CAN_FILL : PUNA_CAN_GENERATE;
    if (m->graph.source) all |= PUNA_CAN_TRANSFORM;
    if (has(m, GRAPH_HIDDEN)) all |= PUNA_CAN_EMBED;
    if (has(m, GRAPH_SCORES)) all |= PUNA_CAN_SCORE;
    return all;
}

uint32_t model_labels(const model *m) {
    return has(m, GRAPH_SCORES) ? m->graph.values[m->graph.results[GRAPH_SCORES]].width : 0;
}

/* A classifier's file says "rank": of its states then the first is read, as the classifier does. */
uint32_t model_pooling(const model *m) {
    uint32_t said = m->hyper.pooling;
    if (said == PUNA_POOL_SCORES) return has(m, GRAPH_SCORES) ? said : PUNA_POOL_FIRST;
    if (said != PUNA_POOL_MODEL) return said;
    return m->graph.whole ? PUNA_POOL_MEAN : PUNA_POOL_LAST;
}

uint32_t model_types(const model *m) {
    for (uint32_t i = 0; i < m->graph.op_count; i++)
        if (m->graph.ops[i].kind == GRAPH_TYPE_OP) return m->graph.weights[m->graph.ops[i].weight].rows;
    return 0;
}

puna_status model_refuse(const model *m, const char *what, puna_error *error) {
    static const struct { uint32_t bit; const char *text; } words[] = {
        {PUNA_CAN_GENERATE, "generate text"}, {PUNA_CAN_EMBED, "embed texts"},
        {PUNA_CAN_SCORE, "score or classify texts"}, {PUNA_CAN_FILL, "fill masks"},
        {PUNA_CAN_TRANSFORM, "turn a text into another"}};
    char list[128] = "";
    uint32_t can = model_capabilities(m);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!(can & words[i].bit)) continue;
        if (list[0]) strncat(list, ", ", sizeof list - strlen(list) - 1);
        strncat(list, words[i].text, sizeof list - strlen(list) - 1);
    }
    return error_set(error, PUNA_UNSUPPORTED, "model", "this model (%s) can't %s; it can: %s", m->hyper.architecture,
                     what, list);
}
