// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"

enum { PATH_ROOM = 1024, TEXT_ROOM = 8192 };

static bool read_below(const char *root, const char *folder, const char *file, char *text, size_t capacity) {
    char path[3 * PATH_ROOM];
    int length = snprintf(path, sizeof path, "%s%s/%s", root, folder, file);
    return length > 0 && (size_t)length < sizeof path && os_read_text(path, text, capacity);
}

/* The number at text; CGROUP_NONE for "max", -1 and anything else that is no number. */
static uint64_t number_at(const char *text) {
    while (*text == ' ' || *text == '\t') text++;
    if (*text < '0' || *text > '9') return CGROUP_NONE;
    return strtoull(text, NULL, 10);
}

/* Whether the comma-separated list [names, end) holds name. */
static bool list_holds(const char *names, const char *end, const char *name) {
    size_t length = strlen(name);
    while (names < end) {
        const char *comma = memchr(names, ',', (size_t)(end - names));
        const char *stop = comma ? comma : end;
        if ((size_t)(stop - names) == length && memcmp(names, name, length) == 0) return true;
        names = stop + 1;
    }
    return false;
}

/* The group's path by /proc/self/cgroup, whose lines are "number:controllers:path"; version 2 has no controllers. */
static bool group_path(const char *root, const char *controller, char path[PATH_ROOM]) {
    char text[TEXT_ROOM];
    if (!read_below(root, "/proc/self", "cgroup", text, sizeof text)) return false;
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n');
        if (end) *end = 0;
        char *names = strchr(line, ':');
        char *colon = names ? strchr(names + 1, ':') : NULL;
        if (colon) {
            bool here = controller ? list_holds(names + 1, colon, controller) : colon == names + 1;
            if (here && strlen(colon + 1) < PATH_ROOM) {
                strcpy(path, colon + 1);
                return true;
            }
        }
        if (!end) break;
        line = end + 1;
    }
    return false;
}

/* Calls see(folder) for the group's folder and each of its ancestors up to the mount. */
typedef void (*folder_visitor)(const char *root, const char *folder, void *result);

static void visit_groups(const char *root, const char *mount, char path[PATH_ROOM], folder_visitor see, void *result) {
    char folder[2 * PATH_ROOM];
    for (;;) {
        size_t length = strlen(path);
        while (length > 0 && path[length - 1] == '/') path[--length] = 0;
        snprintf(folder, sizeof folder, "%s%s", mount, path);
        see(root, folder, result);
        char *slash = strrchr(path, '/');
        if (!slash) return;
        *slash = 0;
    }
}

static void see_quota_2(const char *root, const char *folder, void *result) {
    char text[128];
    if (!read_below(root, folder, "cpu.max", text, sizeof text)) return;
    uint64_t quota = number_at(text), period = 100000;
    const char *space = strchr(text, ' ');
    if (space) period = number_at(space);
    uint64_t *least = result;
    if (quota == CGROUP_NONE || quota > UINT64_MAX / 1000 || period == 0 || period == CGROUP_NONE) return;
    if (quota * 1000 / period < *least) *least = quota * 1000 / period;
}

static void see_quota_1(const char *root, const char *folder, void *result) {
    char text[64];
    if (!read_below(root, folder, "cpu.cfs_quota_us", text, sizeof text)) return;
    uint64_t quota = number_at(text);
    if (!read_below(root, folder, "cpu.cfs_period_us", text, sizeof text)) return;
    uint64_t period = number_at(text), *least = result;
    if (quota == CGROUP_NONE || quota > UINT64_MAX / 1000 || period == 0 || period == CGROUP_NONE) return;
    if (quota * 1000 / period < *least) *least = quota * 1000 / period;
}

uint64_t cgroup_quota_read(const char *root) {
    uint64_t least = CGROUP_NONE;
    char path[PATH_ROOM];
    if (group_path(root, NULL, path)) visit_groups(root, "/sys/fs/cgroup", path, see_quota_2, &least);
    if (group_path(root, "cpu", path)) visit_groups(root, "/sys/fs/cgroup/cpu", path, see_quota_1, &least);
    return least;
}

/* The number after "name " at a line's beginning. */
static uint64_t field_of(const char *text, const char *name) {
    size_t length = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, length) == 0 && line[length] == ' ') return number_at(line + length);
    }
    return CGROUP_NONE;
}

static void take_memory(const char *root, const char *folder, const char *limit_file, const char *used_file,
                        const char *inactive, cgroup_memory *least) {
    char text[TEXT_ROOM];
    if (!read_below(root, folder, limit_file, text, sizeof text)) return;
    uint64_t limit = number_at(text);
    if (limit == CGROUP_NONE || limit >= UINT64_C(1) << 62) return; /* version 1 says "none" by a huge number */
    if (limit < least->limit) least->limit = limit;
    if (!read_below(root, folder, used_file, text, sizeof text)) return;
    uint64_t used = number_at(text);
    if (used == CGROUP_NONE) return;
    if (read_below(root, folder, "memory.stat", text, sizeof text)) {
        uint64_t reclaimable = field_of(text, inactive);
        if (reclaimable != CGROUP_NONE) used -= reclaimable < used ? reclaimable : used;
    }
    uint64_t left = used < limit ? limit - used : 0;
    if (left < least->free) least->free = left;
}

static void see_memory_2(const char *root, const char *folder, void *result) {
    take_memory(root, folder, "memory.max", "memory.current", "inactive_file", result);
}

static void see_memory_1(const char *root, const char *folder, void *result) {
    take_memory(root, folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", result);
}

cgroup_memory cgroup_memory_read(const char *root) {
    cgroup_memory least = { CGROUP_NONE, CGROUP_NONE };
    char path[PATH_ROOM];
    if (group_path(root, NULL, path)) visit_groups(root, "/sys/fs/cgroup", path, see_memory_2, &least);
    if (group_path(root, "memory", path)) visit_groups(root, "/sys/fs/cgroup/memory", path, see_memory_1, &least);
    return least;
}

/* Whether a list such as "0-3,8" holds a processor of `mask` below `cpu`: then another one stands for the core. */
static bool earlier_sibling(const char *list, uint32_t cpu, const uint64_t *mask) {
    while (*list >= '0' && *list <= '9') {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;
        if (*end == '-') last = strtoul(end + 1, &end, 10);
        for (unsigned long i = first; i <= last && i < cpu; i++) {
            if (mask[i / 64] >> (i % 64) & 1) return true;
        }
        if (*end != ',') break;
        list = end + 1;
    }
    return false;
}

uint32_t cgroup_count_cores(const char *root, const uint64_t *mask, uint32_t words) {
    uint32_t cores = 0;
    for (uint32_t cpu = 0; cpu < words * 64; cpu++) {
        if (!(mask[cpu / 64] >> (cpu % 64) & 1)) continue;
        char folder[96], list[1024];
        snprintf(folder, sizeof folder, "/sys/devices/system/cpu/cpu%u/topology", (unsigned)cpu);
        bool known = read_below(root, folder, "core_cpus_list", list, sizeof list) ||
                     read_below(root, folder, "thread_siblings_list", list, sizeof list);
        if (!known || !earlier_sibling(list, cpu, mask)) cores++;
    }
    return cores ? cores : 1;
}

uint32_t cgroup_threads(uint32_t cores, uint64_t quota) {
    if (quota == CGROUP_NONE) return cores;
    uint64_t whole = quota / 1000;
    if (whole < 1) whole = 1;
    return whole < cores ? (uint32_t)whole : cores;
}
