// SPDX-License-Identifier: Apache-2.0
/*
 * What Linux' files say about the machine: limits of the control group that this process is in (versions 1 and 2; a
 * group's limit holds with all its ancestors'), and which hardware threads share a core. Each function takes the folder
 * in which /proc and /sys lie: "" for the real ones, another in tests. Where there are no such files, there are no
 * limits.
 */
#ifndef PUNA_BASE_CGROUP_H
#define PUNA_BASE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#define CGROUP_NONE UINT64_MAX

typedef struct cgroup_memory {
    uint64_t limit; /* bytes; CGROUP_NONE: no limit */
    uint64_t free;  /* bytes left under the tightest limit, reclaimable file pages counted as free; or CGROUP_NONE */
} cgroup_memory;

cgroup_memory cgroup_memory_read(const char *root);

/* Processors' worth of time that the group may use, in thousandths; CGROUP_NONE: no limit. */
uint64_t cgroup_quota_read(const char *root);

/* Physical cores among the processors in `mask` (64 a word). A processor whose core is unknown counts as one. */
uint32_t cgroup_count_cores(const char *root, const uint64_t *mask, uint32_t words);

/* min(cores, max(1, floor(quota))) */
uint32_t cgroup_threads(uint32_t cores, uint64_t quota);

#endif
