// SPDX-License-Identifier: Apache-2.0
#include "sample/stage.h"

static const stage stage_rows[] = {
#define SAMPLE_STAGE(number, symbol) {number, symbol##_check, symbol##_apply},
#include "sample/stage.def"
#undef SAMPLE_STAGE
};

const stage *stage_find(uint32_t kind) {
    for (size_t i = 0; i < sizeof stage_rows / sizeof stage_rows[0]; i++)
        if (stage_rows[i].kind == kind) return &stage_rows[i];
    return NULL;
}
