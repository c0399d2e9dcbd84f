// SPDX-License-Identifier: Apache-2.0
/*
 * An engine's profile in words: a row for each kind of phase, with its time, its barrier, the threads' idle time and
 * its share of what the machine can do; then each op's share.
 */
#ifndef PUNA_BENCH_REPORT_H
#define PUNA_BENCH_REPORT_H

#include <puna.h>

typedef struct report report;

/* NULL where there is no memory. The engine looks at the clock from report_begin to report_end alone. */
report *report_new(puna_engine *e);
void report_begin(report *r);
void report_end(report *r, double seconds);
void report_free(report *r);

/* A row's time is that of one of so many tokens. Measures the machine's ceilings. */
void report_print(const report *r, uint64_t tokens, int json);

#endif
