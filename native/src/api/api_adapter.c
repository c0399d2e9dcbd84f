// SPDX-License-Identifier: Apache-2.0
/* puna.h: adapters of part 5, and what engines compute with them in part 7. */
#include <string.h>

#include "api/api_enter.h"
#include "api/api_structs.h"
#include "engine/adapters.h"

puna_status puna_adapter_load(puna_model *m, const char *path, puna_task *task, puna_adapter **out, puna_error *error) {
    if (!out) return api_missing(error, "adapter");
    *out = NULL;
    if (!m) return api_missing(error, "model");
    if (!path) return api_missing(error, "path");
    return adapter_load(m, path, task, out, error);
}

void puna_adapter_close(puna_adapter *a) { adapter_release(a); }

void puna_adapter_describe(const puna_adapter *a, puna_adapter_info *info) {
    if (!a || !info) return;
    puna_adapter_info filled = {.rank = a->rank, .tensors = a->tensors, .alpha = a->alpha, .parameters = a->parameters,
                                .memory_bytes = adapter_memory(a), .fingerprint = a->fingerprint};
    memcpy(filled.name, a->name, sizeof filled.name);
    structs_give(info, &filled, sizeof filled);
}

puna_status puna_engine_adapt(puna_engine *e, const puna_adapter_use *adapters, uint32_t count, puna_error *error) {
    if (!adapters && count) return api_missing(error, "adapters");
    puna_status status = api_enter(e, error);
    if (status != PUNA_OK) return status;
    status = adapters_for_engine(e, adapters, count, error);
    engine_leave(e);
    return status;
}
