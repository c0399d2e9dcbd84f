// SPDX-License-Identifier: Apache-2.0
#include "api/api_enter.h"

puna_status api_missing(puna_error *error, const char *name) {
    return error_set(error, PUNA_INVALID_ARGUMENT, name, "%s is NULL", name);
}

puna_status api_enter(puna_engine *e, puna_error *error) {
    return e ? engine_enter(e, error) : api_missing(error, "engine");
}

puna_status api_enter_sequence(puna_engine *e, uint64_t id, sequence **s, puna_error *error) {
    puna_status status = api_enter(e, error);
    if (status != PUNA_OK) return status;
    status = engine_find(e, id, s, error);
    if (status != PUNA_OK) engine_leave(e);
    return status;
}
