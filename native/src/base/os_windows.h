// SPDX-License-Identifier: Apache-2.0
/* Shared by the files that end in _windows.c. */
#ifndef PUNA_BASE_OS_WINDOWS_H
#define PUNA_BASE_OS_WINDOWS_H

#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "base/error.h"

/* Says that `what` failed for path, by GetLastError's number; the status that fits it. */
puna_status os_refuse(puna_error *error, const char *path, const char *what, unsigned long number);

/* A path (or name) in UTF-16, to be freed by os_heap_free. NULL if it is not UTF-8 or memory ran out. */
wchar_t *os_wide(const char *text);

#endif
