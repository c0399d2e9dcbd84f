// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os_gate.h"
#include "base/os_posix.h"

struct os_input {
    int file;
    char *path;
};

/* A reason that a file is not one to be read, or NULL. */
static const char *not_a_file(mode_t mode) {
    if (S_ISREG(mode)) return NULL;
    if (S_ISDIR(mode)) return "it is a folder; give a file in it";
    return "it is a device, a pipe or a socket; give a file";
}

static int open_input(const char *path) {
    for (;;) {
        os_fault fault = os_gate_ask(OS_CALL_OPEN, NULL);
        errno = fault == OS_FAULT ? EACCES : EINTR;
        /* Without O_NONBLOCK a pipe would wait here for its other end. */
        int file = fault == OS_NO_FAULT ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
        if (file >= 0 || errno != EINTR) return file;
    }
}

static puna_status examine(int file, const char *path, uint64_t *size, puna_error *error) {
    struct stat info;
    if (fstat(file, &info) != 0) return os_refuse(error, path, "it can't be examined", errno);
    const char *reason = not_a_file(info.st_mode);
    if (reason) return error_set(error, PUNA_IO, path, "%s: %s", path, reason);
    *size = (uint64_t)info.st_size;
    return PUNA_OK;
}

puna_status os_input_open(const char *path, os_input **out, uint64_t *size, puna_error *error) {
    *out = NULL;
    int file = open_input(path);
    if (file < 0) return os_refuse(error, path, "it can't be opened", errno);
    puna_status status = examine(file, path, size, error);
    size_t length = strlen(path) + 1;
    os_input *input = os_heap_new(sizeof *input, 16);
    char *name = os_heap_new(length, 16);
    if (status == PUNA_OK && (!input || !name)) status = error_memory(error, path, sizeof *input + length);
    if (status != PUNA_OK) {
        close(file);
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
        if (fault == OS_FAULT) return os_refuse(error, input->path, "it can't be read", EIO);
        ssize_t got = fault == OS_NO_FAULT ? pread(input->file, at, part, (off_t)offset) : -1;
        if (got < 0 && (fault == OS_FAULT_INTERRUPTED || errno == EINTR)) continue;
        if (got < 0) return os_refuse(error, input->path, "it can't be read", errno);
        if (got == 0)
            return error_at(error, PUNA_IO, input->path, offset, "%s: it was cut short while it was read",
                            input->path);
        at += got;
        offset += (uint64_t)got;
        count -= (size_t)got;
    }
    return PUNA_OK;
}

void os_input_close(os_input *input) {
    if (!input) return;
    close(input->file);
    os_heap_free(input->path);
    os_heap_free(input);
}
