// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/utf8.h"

/* Copies text into field, cut at a character's end; a byte that is not UTF-8 becomes '?'. */
static void put_text(char *field, size_t capacity, const char *text, size_t length) {
    size_t at = 0, used = 0;
    while (at < length) {
        size_t step;
        uint32_t c = utf8_decode(text + at, length - at, &step);
        if (used + step >= capacity) break;
        if (c == UTF8_INVALID) field[used] = '?';
        else memcpy(field + used, text + at, step);
        used += step;
        at += step;
    }
    field[used] = 0;
}

static puna_status fill(puna_error *error, puna_error *made, const char *subject, const char *format, va_list list) {
    char text[2 * sizeof made->message];
    int length = vsnprintf(text, sizeof text, format, list);
    if (length < 0) length = 0;
    if ((size_t)length >= sizeof text) length = (int)utf8_complete(text, sizeof text - 1);
    put_text(made->message, sizeof made->message, text, (size_t)length);
    if (subject) put_text(made->subject, sizeof made->subject, subject, strlen(subject));
    /* A caller built against an older header has a shorter struct; 0 stands for all of it, as in every filled
       struct. */
    uint32_t size = error->size && error->size < sizeof *error ? error->size : (uint32_t)sizeof *error;
    made->size = error->size;
    memcpy(error, made, size);
    return made->status;
}

puna_status error_set(puna_error *error, puna_status status, const char *subject, const char *format, ...) {
    if (!error) return status;
    puna_error made = { .status = status, .offset = PUNA_NO_OFFSET };
    va_list list;
    va_start(list, format);
    fill(error, &made, subject, format, list);
    va_end(list);
    return status;
}

puna_status error_at(puna_error *error, puna_status status, const char *subject, uint64_t offset, const char *format,
                     ...) {
    if (!error) return status;
    puna_error made = { .status = status, .offset = offset };
    va_list list;
    va_start(list, format);
    fill(error, &made, subject, format, list);
    va_end(list);
    return status;
}

ERROR_FORMAT(3, 4)
static void fill_memory(puna_error *error, puna_error *made, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fill(error, made, "memory", format, list);
    va_end(list);
}

/* "1.5 GiB" */
static void put_bytes(char text[32], uint64_t bytes) {
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes;
    int unit = 0;
    for (; value >= 1024.0 && unit < 6; unit++) value /= 1024.0;
    snprintf(text, 32, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

puna_status error_memory(puna_error *error, const char *what, uint64_t needed) {
    if (!error) return PUNA_OUT_OF_MEMORY;
    if (needed == 0) needed = 1; /* as memory_new takes it; 0 would say that memory is not the matter */
    puna_error made = { .status = PUNA_OUT_OF_MEMORY, .offset = PUNA_NO_OFFSET, .needed = needed,
                        .available = os_memory_free() };
    char need[32], have[32];
    put_bytes(need, made.needed);
    put_bytes(have, made.available);
    fill_memory(error, &made,
                "not enough memory for %s: %s needed, %s available; close what is not in use, or choose a "
                "smaller model, context or batch", what, need, have);
    return PUNA_OUT_OF_MEMORY;
}
