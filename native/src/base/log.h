// SPDX-License-Identifier: Apache-2.0
/* The log: a ring of 256 entries for the whole process, written by any thread, read by polling (puna_log_next). Writing
   never blocks on the reader and never allocates; the oldest entries give way. */
#ifndef PUNA_BASE_LOG_H
#define PUNA_BASE_LOG_H

#include "base/error.h"

void log_write(int32_t level, const char *format, ...) ERROR_FORMAT(2, 3);

/* As puna_log_next. */
int32_t log_take(puna_log_entry *entry);

#endif
