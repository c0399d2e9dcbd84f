// SPDX-License-Identifier: Apache-2.0
/*
 * Errors: the one way in which this library says that something failed.
 *
 * A function that can fail returns a puna_status and takes the caller's puna_error (may be NULL). It fills the error
 * once, at the place that knows what, where and why; callers pass it up unchanged.
 */
#ifndef PUNA_BASE_ERROR_H
#define PUNA_BASE_ERROR_H

#include "puna.h"

#if defined(__MINGW32__) && !defined(__clang__)
#  define ERROR_FORMAT(f, a) __attribute__((format(gnu_printf, f, a)))
#elif defined(__GNUC__)
#  define ERROR_FORMAT(f, a) __attribute__((format(printf, f, a)))
#else
#  define ERROR_FORMAT(f, a)
#endif

/* Fills `error` (may be NULL) and returns `status`. `subject` (may be NULL) is cut to its field, as is the message;
   both stay valid UTF-8. */
puna_status error_set(puna_error *error, puna_status status, const char *subject, const char *format, ...)
    ERROR_FORMAT(4, 5);

/* The same with a place in a file. */
puna_status error_at(puna_error *error, puna_status status, const char *subject, uint64_t offset, const char *format,
                     ...) ERROR_FORMAT(5, 6);

/* PUNA_OUT_OF_MEMORY for `what`; available is what the system says now. */
puna_status error_memory(puna_error *error, const char *what, uint64_t needed);

#endif
