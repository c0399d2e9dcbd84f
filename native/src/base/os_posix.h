// SPDX-License-Identifier: Apache-2.0
/* Shared by the files that end in _posix.c. */
#ifndef PUNA_BASE_OS_POSIX_H
#define PUNA_BASE_OS_POSIX_H

#include <stddef.h>

#include "base/error.h"

/* errno's sentence, for any thread. */
const char *os_reason(int number, char *buffer, size_t capacity);

/* Says that `what` failed for path, by errno `number`; the status that fits it. */
puna_status os_refuse(puna_error *error, const char *path, const char *what, int number);

#endif
