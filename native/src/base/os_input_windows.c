// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/os.h"
#include "base/os_gate.h"
#include "base/os_windows.h"

struct os_input {
    HANDLE file;
    char *path;
};

static puna_status examine(HANDLE file, const char *path, uint64_t *size, puna_error *error) {
    LARGE_INTEGER bytes;
    if (GetFileType(file) != FILE_TYPE_DISK)
        return error_set(error, PUNA_IO, path, "%s: it is a device or a pipe; give a file", path);
    if (!GetFileSizeEx(file, &bytes)) return os_refuse(error, path, "it can't be examined", GetLastError());
    *size = (uint64_t)bytes.QuadPart;
    return PUNA_OK;
}

static puna_status open_input(const char *path, HANDLE *file, puna_error *error) {
    wchar_t *wide = os_wide(path);
    if (!wide) return error_set(error, PUNA_NOT_FOUND, path, "%s: there is no such file (the name is not UTF-8)", path);
    DWORD attributes = GetFileAttributesW(wide), number = ERROR_ACCESS_DENIED;
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY)) {
        os_heap_free(wide);
        return error_set(error, PUNA_IO, path, "%s: it is a folder; give a file in it", path);
    }
    *file = INVALID_HANDLE_VALUE;
    if (os_gate_ask(OS_CALL_OPEN, NULL) != OS_FAULT) {
        *file = CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                            FILE_ATTRIBUTE_NORMAL, NULL);
        number = GetLastError();
    }
    os_heap_free(wide);
    return *file == INVALID_HANDLE_VALUE ? os_refuse(error, path, "it can't be opened", number) : PUNA_OK;
}

puna_status os_input_open(const char *path, os_input **out, uint64_t *size, puna_error *error) {
    *out = NULL;
    HANDLE file;
    puna_status status = open_input(path, &file, error);
    if (status != PUNA_OK) return status;
    status = examine(file, path, size, error);
    size_t length = strlen(path) + 1;
    os_input *input = os_heap_new(sizeof *input, 16);
    char *name = os_heap_new(length, 16);
    if (status == PUNA_OK && (!input || !name)) status = error_memory(error, path, sizeof *input + length);
    if (status != PUNA_OK) {
        CloseHandle(file);
        os_heap_free(input);
        os_heap_free(name);
        return status;
    }
    memcpy(name, path, length);
    *input = (os_input){ .file = file, .path = name };
    *out = input;
    return PUNA_OK;
}

puna_status os_input_read(os_input *input, uint64_t offset, void *bytes, size_t count, puna_error *error) {
    char *at = bytes;
    while (count > 0) {
        size_t part = count < ((size_t)1 << 30) ? count : (size_t)1 << 30;
        os_fault fault = os_gate_ask(OS_CALL_READ, &part);
        if (fault == OS_FAULT) return os_refuse(error, input->path, "it can't be read", ERROR_READ_FAULT);
        if (fault == OS_FAULT_INTERRUPTED) continue;
        OVERLAPPED place = { .Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32) };
        DWORD got = 0;
        if (!ReadFile(input->file, at, (DWORD)part, &got, &place) && GetLastError() != ERROR_HANDLE_EOF)
            return os_refuse(error, input->path, "it can't be read", GetLastError());
        if (got == 0)
            return error_at(error, PUNA_IO, input->path, offset, "%s: it was cut short while it was read",
                            input->path);
        at += got;
        offset += got;
        count -= got;
    }
    return PUNA_OK;
}

void os_input_close(os_input *input) {
    if (!input) return;
    CloseHandle(input->file);
    os_heap_free(input->path);
    os_heap_free(input);
}
