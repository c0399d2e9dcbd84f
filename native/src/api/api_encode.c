// SPDX-License-Identifier: Apache-2.0
/* puna.h, part 6: vectors, scores and masks of texts. */
#include "api/api_enter.h"
#include "api/api_structs.h"

void puna_embedding_default(puna_embedding *how) {
    if (how) *how = (puna_embedding){.size = sizeof *how};
}

puna_status puna_engine_embed(puna_engine *e, const puna_input *inputs, uint64_t count, const puna_embedding *how,
                              float *vectors, uint64_t capacity, puna_task *task, puna_error *error) {
    puna_embedding asked;
    puna_embedding_default(&asked);
    structs_take(&asked, how, sizeof asked);
    if (!inputs && count) return api_missing(error, "inputs");
    puna_status status = api_enter(e, error);
    if (status != PUNA_OK) return status;
    status = encode_texts(e, inputs, count, &asked, vectors, capacity, task, error);
    engine_leave(e);
    return status;
}

puna_status puna_engine_fill(puna_engine *e, const puna_input *input, const uint32_t *positions, uint64_t count,
                             float *logits, uint64_t capacity, puna_error *error) {
    if (!input) return api_missing(error, "input");
    if (!positions && count) return api_missing(error, "positions");
    puna_status status = api_enter(e, error);
    if (status != PUNA_OK) return status;
    status = encode_fill(e, input, positions, count, logits, capacity, error);
    engine_leave(e);
    return status;
}
