// SPDX-License-Identifier: Apache-2.0
/* Windows 10 and later: pages, memory, clock, threads. Paths are UTF-8 outside and wide inside. */
#include "base/os_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"

puna_status os_refuse(puna_error *error, const char *path, const char *what, unsigned long number) {
    wchar_t wide[256];
    char reason[512];
    if (number == ERROR_FILE_NOT_FOUND || number == ERROR_PATH_NOT_FOUND || number == ERROR_INVALID_NAME) {
        return error_set(error, PUNA_NOT_FOUND, path, "%s: there is no such file", path);
    }
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, number, 0, wide,
                                  255, NULL);
    while (length > 0 && (wide[length - 1] <= L' ' || wide[length - 1] == L'.')) length--;
    int bytes = WideCharToMultiByte(CP_UTF8, 0, wide, (int)length, reason, (int)sizeof reason - 1, NULL, NULL);
    reason[bytes > 0 ? bytes : 0] = 0;
    bool memory = number == ERROR_NOT_ENOUGH_MEMORY || number == ERROR_COMMITMENT_LIMIT;
    return error_set(error, memory ? PUNA_OUT_OF_MEMORY : PUNA_IO, path, "%s: %s: %s (%lu)", path, what,
                     bytes > 0 ? reason : "error", number);
}

/* Absolute, with the prefix that lifts the limit of 260 characters, where the path is long. */
static wchar_t *lengthened(wchar_t *path) {
    DWORD room = GetFullPathNameW(path, 0, NULL, NULL);
    wchar_t *full = room ? os_heap_new((room + 8) * sizeof *full, 16) : NULL;
    if (!full || GetFullPathNameW(path, room, full + 4, NULL) == 0 || full[4] == L'\\') { /* \\server: as it was */
        os_heap_free(full);
        return path;
    }
    memcpy(full, L"\\\\?\\", 4 * sizeof *full);
    os_heap_free(path);
    return full;
}

wchar_t *os_wide(const char *text) {
    int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    wchar_t *wide = length > 0 ? os_heap_new((size_t)length * sizeof *wide, 16) : NULL;
    if (!wide) return NULL;
    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, length);
    return length > 240 && wcsncmp(wide, L"\\\\?\\", 4) != 0 ? lengthened(wide) : wide;
}

void *os_pages_new(size_t bytes) {
    const DWORD kind = MEM_COMMIT | MEM_RESERVE;
    SIZE_T large = GetLargePageMinimum();
    if (large != 0 && bytes >= large && bytes <= SIZE_MAX - large) { /* granted only to who may lock pages */
        void *pages = VirtualAlloc(NULL, (bytes + large - 1) / large * large, kind | MEM_LARGE_PAGES, PAGE_READWRITE);
        if (pages) return pages;
    }
    return VirtualAlloc(NULL, bytes, kind, PAGE_READWRITE);
}

void os_pages_free(void *pages, size_t bytes) {
    (void)bytes;
    if (pages) VirtualFree(pages, 0, MEM_RELEASE);
}

void *os_heap_new(size_t bytes, size_t alignment) { return _aligned_malloc(bytes, alignment); }

void os_heap_free(void *block) { _aligned_free(block); }

uint64_t os_clock_ns(void) {
    LARGE_INTEGER frequency, now;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    uint64_t ticks = (uint64_t)now.QuadPart, rate = (uint64_t)frequency.QuadPart;
    return ticks / rate * 1000000000u + ticks % rate * 1000000000u / rate;
}

static MEMORYSTATUSEX memory_status(void) {
    MEMORYSTATUSEX status = { .dwLength = sizeof status };
    if (!GlobalMemoryStatusEx(&status)) status.ullTotalPhys = status.ullAvailPhys = 0;
    return status;
}

uint64_t os_memory_total(void) { return memory_status().ullTotalPhys; }

uint64_t os_memory_free(void) { return memory_status().ullAvailPhys; }

bool os_read_text(const char *path, char *buffer, size_t capacity) {
    wchar_t *wide = os_wide(path);
    if (!wide) return false;
    HANDLE file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    os_heap_free(wide);
    if (file == INVALID_HANDLE_VALUE) return false;
    DWORD got = 0;
    BOOL read = ReadFile(file, buffer, (DWORD)(capacity - 1), &got, NULL);
    CloseHandle(file);
    buffer[read ? got : 0] = 0;
    return read;
}

size_t os_environment(const char *name, char *buffer, size_t capacity) {
    if (capacity > 0) buffer[0] = 0;
    wchar_t *wide = os_wide(name);
    if (!wide) return 0;
    DWORD room = GetEnvironmentVariableW(wide, NULL, 0);
    wchar_t *value = room ? os_heap_new(room * sizeof *value, 16) : NULL;
    int length = 0;
    if (value && GetEnvironmentVariableW(wide, value, room) == room - 1) {
        length = WideCharToMultiByte(CP_UTF8, 0, value, -1, NULL, 0, NULL, NULL) - 1;
        char *text = length > 0 ? os_heap_new((size_t)length + 1, 16) : NULL;
        if (!text) length = 0;
        else WideCharToMultiByte(CP_UTF8, 0, value, -1, text, length + 1, NULL, NULL);
        size_t kept = capacity == 0 ? 0 : (size_t)length < capacity ? (size_t)length : capacity - 1;
        if (text && capacity > 0) {
            memcpy(buffer, text, kept);
            buffer[kept] = 0;
        }
        os_heap_free(text);
    }
    os_heap_free(value);
    os_heap_free(wide);
    return (size_t)length;
}
