// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os_posix.h"

struct os_input {
    int file;
    char *path;
};

puna_status os_input_open(const char *path, os_input **out, uint64_t *size, puna_error *error) {
    *out = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not wait for its other end */
    if (file < 0) return os_refuse(error, path, "it can't be opened", errno);
    size_t length = strlen(path) + 1;
    struct stat info;
    os_input *input = os_heap_new(sizeof *input, 16);
    char *name = os_heap_new(length, 16);
    puna_status status = PUNA_OK;
    if (!input || !name) status = error_memory(error, path, sizeof *input + length);
    else if (fstat(file, &info) != 0) status = os_refuse(error, path, "it can't be examined", errno);
    else if (!S_ISREG(info.st_mode)) status = error_set(error, PUNA_IO, path, "%s: it is no regular file", path);
    if (status != PUNA_OK) {
        close(file);
        os_heap_free(input);
        os_heap_free(name);
        return status;
    }
    memcpy(name, path, length);
    *input = (os_input){file, name};
    *size = (uint64_t)info.st_size;
    *out = input;
    return PUNA_OK;
}

puna_status os_input_read(os_input *input, uint64_t offset, void *bytes, size_t count, puna_error *error) {
    char *to = bytes;
    while (count > 0) {
        size_t part = count < ((size_t)1 << 30) ? count : (size_t)1 << 30;
        ssize_t got = pread(input->file, to, part, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_refuse(error, input->path, "it can't be read", errno);
        if (got == 0) return error_at(error, PUNA_IO, input->path, offset, "%s: it was cut while it was read", input->path);
        to += got;
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
