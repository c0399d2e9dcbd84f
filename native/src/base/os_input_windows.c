// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/os.h"
#include "base/os_windows.h"

struct os_input {
    HANDLE file;
    char *path;
};

/* Opens it, or says why not. */
static puna_status open_file(const char *path, HANDLE *file, LARGE_INTEGER *size, puna_error *error) {
    wchar_t *wide = os_wide(path);
    if (!wide) return error_set(error, PUNA_NOT_FOUND, path, "%s: there is no such file (the name is not UTF-8)", path);
    DWORD attributes = GetFileAttributesW(wide);
    bool folder = attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY);
    *file = folder ? INVALID_HANDLE_VALUE
                   : CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                 FILE_ATTRIBUTE_NORMAL, NULL);
    DWORD number = GetLastError();
    os_heap_free(wide);
    if (folder) return error_set(error, PUNA_IO, path, "%s: it is no regular file", path);
    if (*file == INVALID_HANDLE_VALUE) return os_refuse(error, path, "it can't be opened", number);
    if (GetFileSizeEx(*file, size)) return PUNA_OK;
    number = GetLastError();
    CloseHandle(*file);
    return os_refuse(error, path, "it can't be examined", number);
}

puna_status os_input_open(const char *path, os_input **out, uint64_t *size, puna_error *error) {
    *out = NULL;
    HANDLE file = INVALID_HANDLE_VALUE;
    LARGE_INTEGER bytes = {0};
    puna_status status = open_file(path, &file, &bytes, error);
    if (status != PUNA_OK) return status;
    size_t length = strlen(path) + 1;
    os_input *input = os_heap_new(sizeof *input, 16);
    char *name = os_heap_new(length, 16);
    if (!input || !name) {
        CloseHandle(file);
        os_heap_free(input);
        os_heap_free(name);
        return error_memory(error, path, sizeof *input + length);
    }
    memcpy(name, path, length);
    *input = (os_input){file, name};
    *size = (uint64_t)bytes.QuadPart;
    *out = input;
    return PUNA_OK;
}

puna_status os_input_read(os_input *input, uint64_t offset, void *bytes, size_t count, puna_error *error) {
    char *to = bytes;
    while (count > 0) {
        DWORD part = count < ((size_t)1 << 30) ? (DWORD)count : (DWORD)1 << 30, got = 0;
        OVERLAPPED at = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
        BOOL read = ReadFile(input->file, to, part, &got, &at);
        DWORD number = read ? ERROR_HANDLE_EOF : GetLastError();
        if (got == 0 && number != ERROR_HANDLE_EOF) return os_refuse(error, input->path, "it can't be read", number);
        if (got == 0) return error_at(error, PUNA_IO, input->path, offset, "%s: it was cut while it was read", input->path);
        to += got;
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
