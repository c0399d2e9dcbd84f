// SPDX-License-Identifier: Apache-2.0
/* puna.h, parts 1 and 2: statuses, version, processor, log, tasks. */
#include <stdio.h>

#include "api/api_structs.h"
#include "base/cgroup.h"
#include "base/log.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/os.h"
#include "base/task.h"
#include "base/threads.h"
#include "device/cpu/cpuid.h"
#include "device/cpu/kernels.h"
#include "device/device.h"

const char *puna_status_name(puna_status status) {
    static const char *const names[] = {
        "PUNA_OK", "PUNA_INVALID_ARGUMENT", "PUNA_OUT_OF_MEMORY", "PUNA_NOT_FOUND", "PUNA_IO", "PUNA_INVALID_FILE",
        "PUNA_UNSUPPORTED", "PUNA_CONTEXT_FULL", "PUNA_BUSY", "PUNA_CANCELLED", "PUNA_CLOSED", "PUNA_NOT_FINITE",
        "PUNA_BUFFER_TOO_SMALL",
    };
    return status >= 0 && (size_t)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

uint32_t puna_abi(void) { return PUNA_ABI; }

const char *puna_version(void) { return "0.1.0"; }

#if defined(__clang__)
#  define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#  define COMPILER "gcc " __VERSION__
#else
#  define COMPILER "an unknown compiler"
#endif
#if defined(_WIN32)
#  define SYSTEM "windows"
#elif defined(__APPLE__)
#  define SYSTEM "macos"
#elif defined(__linux__)
#  define SYSTEM "linux"
#else
#  define SYSTEM "an unknown system"
#endif
#if defined(__x86_64__)
#  define PROCESSOR "x86_64"
#elif defined(__aarch64__)
#  define PROCESSOR "aarch64"
#else
#  define PROCESSOR "an unknown processor"
#endif
#if defined(__SANITIZE_ADDRESS__)
#  define SANITIZED ", address sanitizer"
#elif defined(__SANITIZE_THREAD__)
#  define SANITIZED ", thread sanitizer"
#else
#  define SANITIZED ""
#endif

const char *puna_build(void) { return COMPILER ", " SYSTEM " " PROCESSOR SANITIZED; }

uint64_t puna_memory(void) { return memory_used_by_all(); }

uint32_t puna_arithmetic_version(void) { return MATH_CONTRACT; }

puna_status puna_cpu_describe(puna_cpu *cpu, puna_error *error) {
    if (!cpu) return error_set(error, PUNA_INVALID_ARGUMENT, "cpu", "cpu is NULL");
    puna_status status = device_find("cpu")->check(error);
    if (status != PUNA_OK) return status;
    char forced[16];
    puna_cpu filled = {.cores = threads_core_count(), .threads = threads_hardware_count(),
                       .default_threads = threads_default_count(), .memory = os_memory_total(),
                       .memory_free = os_memory_free()};
    uint64_t quota = cgroup_quota_read("");
    filled.quota = quota == CGROUP_NONE ? 0 : quota > UINT32_MAX ? UINT32_MAX : (uint32_t)quota;
    cpuid_name(filled.name, sizeof filled.name);
    snprintf(filled.tier, sizeof filled.tier, "%s", cpu_kernels_select(forced)->tier);
    cpu_kernels_list(filled.tiers, sizeof filled.tiers);
    structs_give(cpu, &filled, sizeof filled);
    return PUNA_OK;
}

int32_t puna_log_next(puna_log_entry *entry) {
    puna_log_entry filled = {.size = sizeof filled};
    if (!entry || !log_take(&filled)) return 0;
    structs_give(entry, &filled, sizeof filled);
    return 1;
}

/* Tasks belong to no model or engine; what they take is accounted here. */
static memory_account tasks;

puna_status puna_task_create(puna_task **task, puna_error *error) {
    if (!task) return error_set(error, PUNA_INVALID_ARGUMENT, "task", "task is NULL");
    *task = memory_new(&tasks, sizeof **task);
    return *task ? PUNA_OK : error_memory(error, "task", sizeof **task);
}

void puna_task_cancel(puna_task *task) {
    if (task) atomic_store_explicit(&task->cancelled, true, memory_order_relaxed);
}

void puna_task_progress(const puna_task *task, uint64_t *done, uint64_t *total) {
    if (done) *done = task ? atomic_load_explicit(&((puna_task *)task)->done, memory_order_relaxed) : 0;
    if (total) *total = task ? atomic_load_explicit(&((puna_task *)task)->total, memory_order_relaxed) : 0;
}

void puna_task_destroy(puna_task *task) { memory_free(&tasks, task); }
