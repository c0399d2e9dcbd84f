// SPDX-License-Identifier: Apache-2.0
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/os.h"
#include "base/os_gate.h"
#include "base/os_windows.h"

struct os_output {
    HANDLE file;
    char *path; /* the target, as it was given */
    wchar_t *target, *temporary;
};

static void output_free(os_output *output) {
    os_heap_free(output->path);
    os_heap_free(output->target);
    os_heap_free(output->temporary);
    os_heap_free(output);
}

static bool digits(const wchar_t **at) {
    const wchar_t *begin = *at;
    while (**at >= L'0' && **at <= L'9') (*at)++;
    return *at > begin;
}

/* What a writer of the same file left that was killed. Who still writes shares its file with nobody: it stays. */
static void remove_leftovers(const wchar_t *target) {
    size_t length = wcslen(target), folder = length;
    while (folder > 0 && !wcschr(L"/\\:", target[folder - 1])) folder--;
    WIN32_FIND_DATAW found;
    wchar_t *name = os_heap_new((length + MAX_PATH + 8) * sizeof *name, 16);
    if (!name) return;
    memcpy(name, target, length * sizeof *name);
    memcpy(name + length, L".*-*.part", sizeof L".*-*.part");
    HANDLE search = FindFirstFileW(name, &found);
    for (BOOL more = search != INVALID_HANDLE_VALUE; more; more = FindNextFileW(search, &found)) {
        const wchar_t *end = found.cFileName + (length - folder);
        if (wcslen(found.cFileName) <= length - folder || *end++ != L'.') continue;
        if (!digits(&end) || *end++ != L'-' || !digits(&end) || wcscmp(end, L".part") != 0) continue;
        memcpy(name + folder, found.cFileName, (wcslen(found.cFileName) + 1) * sizeof *name);
        DeleteFileW(name);
    }
    if (search != INVALID_HANDLE_VALUE) FindClose(search);
    os_heap_free(name);
}

/* Creates a file of a name that nobody has, beside the target. */
static void open_temporary(os_output *output) {
    static _Atomic uint32_t serial;
    size_t room = strlen(output->path) + 48;
    char *name = os_heap_new(room, 16);
    for (int attempt = 0; name && attempt < 100; attempt++) {
        snprintf(name, room, "%s.%lu-%u.part", output->path, (unsigned long)GetCurrentProcessId(),
                 (unsigned)atomic_fetch_add(&serial, 1));
        os_heap_free(output->temporary);
        output->temporary = os_wide(name);
        if (!output->temporary) break;
        output->file = CreateFileW(output->temporary, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
        if (output->file != INVALID_HANDLE_VALUE || GetLastError() != ERROR_FILE_EXISTS) break;
    }
    DWORD number = GetLastError();
    os_heap_free(name);
    SetLastError(number);
}

puna_status os_output_open(const char *path, os_output **out, puna_error *error) {
    *out = NULL;
    size_t length = strlen(path);
    os_output *output = os_heap_new(sizeof *output, 16);
    if (!output) return error_memory(error, path, sizeof *output);
    *output = (os_output){ .file = INVALID_HANDLE_VALUE, .path = os_heap_new(length + 1, 16), .target = os_wide(path) };
    if (!output->path || !output->target) {
        output_free(output);
        return error_set(error, PUNA_IO, path, "%s: the name is not UTF-8, or memory ran out", path);
    }
    memcpy(output->path, path, length + 1);
    remove_leftovers(output->target);
    open_temporary(output);
    if (output->file == INVALID_HANDLE_VALUE) {
        DWORD number = GetLastError();
        output_free(output);
        if (number == ERROR_PATH_NOT_FOUND) {
            return error_set(error, PUNA_NOT_FOUND, path, "%s: its folder does not exist", path);
        }
        return os_refuse(error, path, "it can't be written", number);
    }
    *out = output;
    return PUNA_OK;
}

puna_status os_output_write(os_output *output, const void *bytes, size_t count, puna_error *error) {
    const char *at = bytes;
    while (count > 0) {
        size_t part = count < ((size_t)1 << 30) ? count : (size_t)1 << 30;
        DWORD wrote = 0;
        os_fault fault = os_gate_ask(OS_CALL_WRITE, &part);
        if (fault == OS_FAULT) return os_refuse(error, output->path, "it can't be written", ERROR_DISK_FULL);
        if (fault == OS_FAULT_INTERRUPTED) continue;
        if (!WriteFile(output->file, at, (DWORD)part, &wrote, NULL)) {
            return os_refuse(error, output->path, "it can't be written", GetLastError());
        }
        at += wrote;
        count -= wrote;
    }
    return PUNA_OK;
}

puna_status os_output_commit(os_output *output, puna_error *error) {
    bool unsynced = os_gate_ask(OS_CALL_SYNC, NULL) == OS_FAULT,
        unmoved = os_gate_ask(OS_CALL_RENAME, NULL) == OS_FAULT;
    DWORD number = unsynced ? ERROR_WRITE_FAULT : unmoved ? ERROR_ACCESS_DENIED : 0;
    if (number == 0 && !FlushFileBuffers(output->file)) number = GetLastError();
    if (!CloseHandle(output->file) && number == 0) number = GetLastError();
    if (number == 0 &&
        !MoveFileExW(output->temporary, output->target, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
        number = GetLastError();
    }
    puna_status status = PUNA_OK;
    if (number != 0) {
        DeleteFileW(output->temporary);
        status = os_refuse(error, output->path, "it can't be written", number);
    }
    output_free(output);
    return status;
}

void os_output_discard(os_output *output) {
    if (!output) return;
    CloseHandle(output->file);
    DeleteFileW(output->temporary);
    output_free(output);
}
