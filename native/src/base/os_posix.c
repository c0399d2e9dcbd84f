// SPDX-License-Identifier: Apache-2.0
/* Linux and macOS: pages, memory, clock. */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <mach/mach.h>
#include <sys/sysctl.h>
#endif

#include "base/cgroup.h"
#include "base/os_posix.h"

const char *os_reason(int number, char *buffer, size_t capacity) {
#if defined(__GLIBC__)
    return strerror_r(number, buffer, capacity);
#else
    if (strerror_r(number, buffer, capacity) != 0) snprintf(buffer, capacity, "error %d", number);
    return buffer;
#endif
}

puna_status os_refuse(puna_error *error, const char *path, const char *what, int number) {
    char buffer[128];
    puna_status status = number == ENOENT || number == ENOTDIR ? PUNA_NOT_FOUND
        : number == ENOMEM ? PUNA_OUT_OF_MEMORY : PUNA_IO;
    if (status == PUNA_NOT_FOUND) return error_set(error, status, path, "%s: there is no such file", path);
    return error_set(error, status, path, "%s: %s: %s", path, what, os_reason(number, buffer, sizeof buffer));
}

static const size_t huge_page = (size_t)2 << 20;

/* What is mapped for `bytes`: whole large pages where it is worth one, else whole small ones; 0 if it does not fit. */
static size_t pages_size(size_t bytes) {
    size_t unit = bytes >= huge_page ? huge_page : (size_t)sysconf(_SC_PAGESIZE);
    return bytes > SIZE_MAX - 2 * huge_page ? 0 : (bytes + unit - 1) / unit * unit;
}

void *os_pages_new(size_t bytes) {
    size_t size = pages_size(bytes), slack = bytes >= huge_page ? huge_page : 0;
    if (size == 0) return NULL;
    uint8_t *start = mmap(NULL, size + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    if (slack == 0) return start;
    uintptr_t over = (uintptr_t)start % huge_page;
    size_t before = over ? huge_page - (size_t)over : 0;
    if (before) munmap(start, before);
    if (slack - before) munmap(start + before + size, slack - before);
    start += before;
#if defined(MADV_HUGEPAGE)
    madvise(start, size, MADV_HUGEPAGE); /* refused: the pages are small, that is all */
#endif
    return start;
}

void os_pages_free(void *pages, size_t bytes) {
    if (pages) munmap(pages, pages_size(bytes));
}

void *os_heap_new(size_t bytes, size_t alignment) {
    void *block = NULL;
    return posix_memalign(&block, alignment, bytes) == 0 ? block : NULL;
}

void os_heap_free(void *block) { free(block); }

uint64_t os_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t at_most(uint64_t a, uint64_t b) { return a < b ? a : b; }

#if defined(__APPLE__)

uint64_t os_memory_total(void) {
    uint64_t bytes = 0;
    size_t size = sizeof bytes;
    return sysctlbyname("hw.memsize", &bytes, &size, NULL, 0) == 0 ? bytes : 0;
}

uint64_t os_memory_free(void) {
    vm_statistics64_data_t pages;
    mach_msg_type_number_t count = HOST_VM_INFO64_COUNT;
    if (host_statistics64(mach_host_self(), HOST_VM_INFO64, (host_info64_t)&pages, &count) != KERN_SUCCESS) return 0;
    uint64_t usable = (uint64_t)pages.free_count + pages.inactive_count + pages.purgeable_count;
    return at_most(usable * (uint64_t)sysconf(_SC_PAGESIZE), os_memory_total());
}

#else

uint64_t os_memory_total(void) {
    uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    return at_most(bytes, cgroup_memory_read("").limit);
}

uint64_t os_memory_free(void) {
    char text[4096];
    uint64_t bytes = (uint64_t)sysconf(_SC_AVPHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    const char *line = os_read_text("/proc/meminfo", text, sizeof text) ? strstr(text, "MemAvailable:") : NULL;
    if (line) bytes = strtoull(line + strlen("MemAvailable:"), NULL, 10) * 1024u;
    return at_most(bytes, cgroup_memory_read("").free);
}

#endif

bool os_read_text(const char *path, char *buffer, size_t capacity) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return false;
    size_t used = 0;
    ssize_t got = 0;
    while (used + 1 < capacity) {
        got = read(file, buffer + used, capacity - 1 - used);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        used += (size_t)got;
    }
    close(file);
    buffer[used] = 0;
    return got >= 0;
}

size_t os_environment(const char *name, char *buffer, size_t capacity) {
    const char *value = getenv(name);
    if (!value) return 0;
    size_t length = strlen(value), kept = length < capacity ? length : capacity - 1;
    if (capacity == 0) return length;
    memcpy(buffer, value, kept);
    buffer[kept] = 0;
    return length;
}
