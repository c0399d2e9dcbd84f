// SPDX-License-Identifier: Apache-2.0
/*
 * The operating system, behind one header: only the files that end in _posix.c and _windows.c differ by platform.
 * Paths are UTF-8 everywhere (wide inside os_windows.c). All functions may be called from any thread.
 */
#ifndef PUNA_BASE_OS_H
#define PUNA_BASE_OS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"

/* Zeroed pages, 2 MiB ones where the system grants them without privilege. NULL on failure. */
void *os_pages_new(size_t bytes);
void os_pages_free(void *pages, size_t bytes);

void *os_heap_new(size_t bytes, size_t alignment); /* not zeroed; NULL on failure */
void os_heap_free(void *block);

uint64_t os_clock_ns(void);    /* monotonic */
uint64_t os_memory_total(void); /* bytes; the container's limit if that is less */
uint64_t os_memory_free(void);  /* bytes available without swapping */

/* Copies an environment variable; 0 if it is unset, else its length (buffer is cut and zero-terminated). */
size_t os_environment(const char *name, char *buffer, size_t capacity);

/* The first capacity - 1 bytes of a small text file, zero-terminated; false if it can't be read. */
bool os_read_text(const char *path, char *buffer, size_t capacity);

/* Threads, and waiting on a word: os_wait returns when the word is not `expected` (any more), when it is woken, or for
   no reason at all; the caller checks and comes again. */
typedef struct os_thread { uintptr_t handle; } os_thread;
bool os_thread_start(os_thread *thread, void (*body)(void *context), void *context);
void os_thread_join(os_thread thread);
void os_wait(_Atomic uint32_t *word, uint32_t expected);
void os_wake_all(_Atomic uint32_t *word);

/* The processors that this process may run on, as bits of `mask` (8192 at most); their number. At least 1. */
enum { OS_MASK_WORDS = 128 };
uint32_t os_affinity(uint64_t mask[OS_MASK_WORDS]);

/* Physical cores by the system's own account, 0 where base/cores.h counts them from files (Linux). */
uint32_t os_physical_cores(void);

/* Files that are written: to a temporary name beside the target, then renamed over it, so that no half file is ever
   seen under its name. What a killed process left there is removed by the next one that writes the same file. */
typedef struct os_output os_output;
puna_status os_output_open(const char *path, os_output **output, puna_error *error);
puna_status os_output_write(os_output *output, const void *bytes, size_t count, puna_error *error);
puna_status os_output_commit(os_output *output, puna_error *error); /* flush, sync, rename; frees output always */
void os_output_discard(os_output *output);                          /* removes the temporary file; NULL is allowed */

/* Regular files that are read part by part, not mapped: where another process cuts one short, or a network loses it,
   reading is an error (PUNA_IO), while a mapping would end the process by a signal. Errors of opening: PUNA_NOT_FOUND,
   PUNA_IO (a directory, a device, no permission; with the system's reason), PUNA_OUT_OF_MEMORY. Any number of threads
   may read at once. */
typedef struct os_input os_input;
puna_status os_input_open(const char *path, os_input **input, uint64_t *size, puna_error *error);
puna_status os_input_read(os_input *input, uint64_t offset, void *bytes, size_t count, puna_error *error); /* all */
void os_input_close(os_input *input); /* NULL is allowed */

#endif
