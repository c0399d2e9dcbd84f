// SPDX-License-Identifier: Apache-2.0
#include "sample/stage.h"

static const stage stage_rows[] = {
#define SAMPLE_STAGE(number, symbol) {number, symbol##_check, symbol##_apply, NULL},
#define SAMPLE_MEMORY(number, symbol) {number, symbol##_check, symbol##_apply, &symbol##_memory},
#include "sample/stage.def"
#undef SAMPLE_MEMORY
#undef SAMPLE_STAGE
};

const stage *stage_find(uint32_t kind) {
    for (size_t i = 0; i < sizeof stage_rows / sizeof stage_rows[0]; i++)
        if (stage_rows[i].kind == kind) return &stage_rows[i];
    return NULL;
}

puna_status stage_range(const char *name, float value, float low, float high, puna_error *error) {
    if (value >= low && value <= high) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, name, "%s is %g; a number from %g to %g is needed", name,
                     (double)value, (double)low, (double)high);
}
