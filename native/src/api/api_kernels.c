// SPDX-License-Identifier: Apache-2.0
/* puna.h, part 2: the kernels' self-test. */
#include <stdio.h>

#include "api/api_structs.h"
#include "base/error.h"
#include "device/cpu/kernels.h"
#include "device/cpu/selftest.h"

/* The memory of all self-tests that run. */
static memory_account account;

uint32_t puna_kernel_count(void) {
    uint32_t count = 0;
    const cpu_kernels *tier;
    for (uint32_t t = 0; (tier = cpu_kernels_at(t)) != NULL; t++) count += selftest_count(tier);
    return count;
}

/* The tier that a kernel belongs to, and its number within; NULL beyond the last. */
static const cpu_kernels *find(uint32_t index, uint32_t *kernel) {
    const cpu_kernels *tier;
    for (uint32_t t = 0; (tier = cpu_kernels_at(t)) != NULL && index >= selftest_count(tier); t++)
        index -= selftest_count(tier);
    *kernel = index;
    return tier;
}

static puna_status test(uint32_t index, bool run, puna_kernel_test *to, puna_error *error) {
    uint32_t kernel;
    if (!to) return error_set(error, PUNA_INVALID_ARGUMENT, "test", "test is NULL");
    const cpu_kernels *tier = find(index, &kernel);
    if (!tier) return error_set(error, PUNA_INVALID_ARGUMENT, "index", "index is %u, of %u kernels", index,
                                puna_kernel_count());
    selftest_result result = {.cases = 0};
    if (run && !selftest_run(tier, kernel, &account, &result)) return error_memory(error, "the self-test", 1u << 20);
    puna_kernel_test filled = {.cases = result.cases, .different = result.different};
    snprintf(filled.tier, sizeof filled.tier, "%s", tier->tier);
    snprintf(filled.name, sizeof filled.name, "%s", selftest_name(tier, kernel));
    snprintf(filled.detail, sizeof filled.detail, "%s", result.detail);
    structs_give(to, &filled, sizeof filled);
    return PUNA_OK;
}

puna_status puna_kernel_describe(uint32_t index, puna_kernel_test *to, puna_error *error) {
    return test(index, false, to, error);
}

puna_status puna_kernel_run(uint32_t index, puna_kernel_test *to, puna_error *error) {
    return test(index, true, to, error);
}
