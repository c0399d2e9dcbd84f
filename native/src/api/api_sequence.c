// SPDX-License-Identifier: Apache-2.0
/* puna.h, part 6: what is done to sequences beside generating. */
#include "api/api_enter.h"

puna_status puna_sequence_fork(puna_engine *e, uint64_t id, uint64_t positions, uint64_t *fork, puna_error *error) {
    sequence *s;
    if (!fork) return api_missing(error, "fork");
    *fork = 0;
    puna_status status = api_enter_sequence(e, id, &s, error);
    if (status != PUNA_OK) return status;
    status = sequences_fork(e, s, positions, fork, error);
    engine_leave(e);
    return status;
}

puna_status puna_sequence_rewind(puna_engine *e, uint64_t id, uint64_t positions, puna_error *error) {
    sequence *s;
    puna_status status = api_enter_sequence(e, id, &s, error);
    if (status != PUNA_OK) return status;
    status = sequences_rewind(e, s, positions, error);
    engine_leave(e);
    return status;
}

puna_status puna_sequence_pause(puna_engine *e, uint64_t id, puna_error *error) {
    sequence *s;
    puna_status status = api_enter_sequence(e, id, &s, error);
    if (status != PUNA_OK) return status;
    sequences_pause(e, s);
    engine_leave(e);
    return PUNA_OK;
}

puna_status puna_sequence_resume(puna_engine *e, uint64_t id, puna_error *error) {
    sequence *s;
    puna_status status = api_enter_sequence(e, id, &s, error);
    if (status != PUNA_OK) return status;
    sequences_resume(e, s);
    engine_leave(e);
    return PUNA_OK;
}

puna_status puna_sequence_choose(puna_engine *e, uint64_t id, const float *logits, uint64_t count, puna_error *error) {
    sequence *s;
    puna_status status = api_enter_sequence(e, id, &s, error);
    if (status != PUNA_OK) return status;
    status = sequences_choose(e, s, logits, count, error);
    engine_leave(e);
    return status;
}

puna_status puna_engine_trim(puna_engine *e, puna_error *error) {
    puna_status status = api_enter(e, error);
    if (status != PUNA_OK) return status;
    engine_trim(e);
    engine_leave(e);
    return PUNA_OK;
}
