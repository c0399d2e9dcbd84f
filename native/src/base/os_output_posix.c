// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os_gate.h"
#include "base/os_posix.h"

struct os_output {
    int file;
    char *path;      /* the target */
    char *temporary; /* beside it */
};

static void output_free(os_output *output) {
    os_heap_free(output->path);
    os_heap_free(output->temporary);
    os_heap_free(output);
}

/* The folder that a file lies in, to be freed by os_heap_free; NULL without memory. */
static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 1;
    char *folder = os_heap_new(length + 1, 16);
    if (!folder) return NULL;
    memcpy(folder, slash ? path : ".", length);
    folder[length] = 0;
    return folder;
}

/* Whether `name` is `base` with what os_output_open puts behind it: .NUMBER-NUMBER.part */
static bool is_temporary(const char *name, const char *base, size_t length) {
    if (strncmp(name, base, length) != 0) return false;
    name += length;
    size_t first = *name == '.' ? strspn(name + 1, "0123456789") : 0;
    if (first == 0 || name[1 + first] != '-') return false;
    name += first + 2;
    size_t second = strspn(name, "0123456789");
    return second > 0 && strcmp(name + second, ".part") == 0;
}

/* What a writer of the same file left that was killed: who still writes holds a lock on what it writes. Where a file
   system has no locks, nothing is removed. */
static void remove_leftovers(const char *path) {
    char *folder = folder_of(path);
    if (!folder) return;
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    DIR *open_folder = opendir(folder);
    for (const struct dirent *entry; open_folder && (entry = readdir(open_folder));) {
        if (!is_temporary(entry->d_name, base, strlen(base))) continue;
        int file = openat(dirfd(open_folder), entry->d_name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (file < 0) continue;
        if (flock(file, LOCK_EX | LOCK_NB) == 0) unlinkat(dirfd(open_folder), entry->d_name, 0);
        close(file);
    }
    if (open_folder) closedir(open_folder);
    os_heap_free(folder);
}

/* Locks a new file for as long as it is written. False, and it is closed, if somebody has just removed it as a
   leftover. Where a file system has no locks, nobody does. */
static bool is_ours(os_output *output) {
    bool locked = flock(output->file, LOCK_EX | LOCK_NB) == 0;
    if ((locked || errno != EWOULDBLOCK) && (access(output->temporary, F_OK) == 0 || errno != ENOENT)) return true;
    close(output->file);
    output->file = -1;
    errno = EEXIST;
    return false;
}

puna_status os_output_open(const char *path, os_output **out, puna_error *error) {
    static _Atomic uint32_t serial;
    *out = NULL;
    size_t length = strlen(path), room = length + 48;
    os_output *output = os_heap_new(sizeof *output, 16);
    if (!output) return error_memory(error, path, sizeof *output);
    *output = (os_output){ .file = -1, .path = os_heap_new(length + 1, 16), .temporary = os_heap_new(room, 16) };
    if (!output->path || !output->temporary) {
        output_free(output);
        return error_memory(error, path, room);
    }
    memcpy(output->path, path, length + 1);
    remove_leftovers(path);
    for (int attempt = 0; attempt < 100; attempt++) { /* what could not be removed is stepped over */
        snprintf(output->temporary, room, "%s.%ld-%u.part", path, (long)getpid(),
                 (unsigned)atomic_fetch_add(&serial, 1));
        bool refused = os_gate_ask(OS_CALL_OPEN, NULL) == OS_FAULT;
        errno = EACCES;
        output->file = refused ? -1 : open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (output->file >= 0 ? is_ours(output) : errno != EEXIST && errno != EINTR) break;
    }
    if (output->file < 0) {
        int number = errno;
        output_free(output);
        if (number == ENOENT) return error_set(error, PUNA_NOT_FOUND, path, "%s: its folder does not exist", path);
        return os_refuse(error, path, "it can't be written", number);
    }
    *out = output;
    return PUNA_OK;
}

puna_status os_output_write(os_output *output, const void *bytes, size_t count, puna_error *error) {
    const char *at = bytes;
    while (count > 0) {
        size_t part = count < ((size_t)1 << 30) ? count : (size_t)1 << 30;
        os_fault fault = os_gate_ask(OS_CALL_WRITE, &part);
        if (fault == OS_FAULT) return os_refuse(error, output->path, "it can't be written", ENOSPC);
        ssize_t wrote = fault == OS_NO_FAULT ? write(output->file, at, part) : -1;
        if (wrote < 0 && (fault == OS_FAULT_INTERRUPTED || errno == EINTR)) continue;
        if (wrote < 0) return os_refuse(error, output->path, "it can't be written", errno);
        at += wrote;
        count -= (size_t)wrote;
    }
    return PUNA_OK;
}

/* A rename lasts once its folder is on disk as well. Some file systems refuse this, and it does no harm then. */
static void sync_folder(const char *path) {
    char *folder = folder_of(path);
    if (!folder) return;
    int file = open(folder, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        fsync(file);
        close(file);
    }
    os_heap_free(folder);
}

/* 0, or errno. A file system that has no sync (EINVAL) has nothing to lose by it. */
static int sync_file(int file) {
    for (;;) {
        os_fault fault = os_gate_ask(OS_CALL_SYNC, NULL);
        if (fault == OS_FAULT) return EIO;
        if (fault == OS_FAULT_INTERRUPTED) continue;
        if (fsync(file) == 0 || errno == EINVAL) return 0;
        if (errno != EINTR) return errno;
    }
}

static int move(const os_output *output) {
    if (os_gate_ask(OS_CALL_RENAME, NULL) == OS_FAULT) return EACCES;
    return rename(output->temporary, output->path) == 0 ? 0 : errno;
}

puna_status os_output_commit(os_output *output, puna_error *error) {
    int number = sync_file(output->file), lock = dup(output->file); /* which keeps the lock until the file is renamed */
    /* Interrupted or not, the descriptor is gone: closing again might close another thread's file. */
    if (close(output->file) != 0 && number == 0 && errno != EINTR) number = errno;
    if (number == 0) number = move(output);
    if (lock >= 0) close(lock);
    puna_status status = PUNA_OK;
    if (number == 0) {
        sync_folder(output->path);
    } else {
        unlink(output->temporary);
        status = os_refuse(error, output->path, "it can't be written", number);
    }
    output_free(output);
    return status;
}

void os_output_discard(os_output *output) {
    if (!output) return;
    close(output->file);
    unlink(output->temporary);
    output_free(output);
}
