// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

struct report {
    puna_engine *engine;
    puna_profile sums;
    puna_profile_row *rows;
    uint64_t count;
    double seconds;
};

static puna_error error = PUNA_ERROR_INIT;

static void need(puna_status status) {
    if (status == PUNA_OK) return;
    fprintf(stderr, "report: %s: %s\n", error.subject, error.message);
    exit(1);
}

static double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

/* Of the threads' time. */
static double idle(const puna_profile_row *x) { return share((double)x->idle_ns, (double)(x->idle_ns + x->busy_ns)); }

static const char *part_of(const puna_profile_row *x) {
    static const char *const names[] = {"", "states: ", "source: ", "draft: "};
    return x->part < sizeof names / sizeof *names ? names[x->part] : "? ";
}

static void print_row(const puna_profile_row *x, const report *r, puna_ceilings c, uint64_t tokens) {
    double gbs = share((double)x->bytes, (double)x->wall_ns), gs = share((double)x->products, (double)x->wall_ns);
    char name[128];
    snprintf(name, sizeof name, "%s%s", part_of(x), x->name);
    printf("  %-44.44s %6.0f %9.1f %5.1f%% %8.1f %5.1f%%", name, share((double)x->calls, (double)r->sums.runs),
           share((double)x->wall_ns, (double)tokens) * 1e-3, 100 * share((double)x->wall_ns, r->seconds * 1e9),
           share((double)x->barrier_ns, (double)tokens) * 1e-3, 100 * idle(x));
    if (x->bytes)
        printf(" %7.1f (%3.0f%%) %8.1f (%3.0f%%)", gbs, 100 * share(gbs, c.reads * 1e-9), gs,
               100 * share(gs, c.products * 1e-9));
    printf("\n");
}

static void print_table(const report *r, puna_ceilings c, uint64_t tokens) {
    puna_profile_row all = {.name = "all phases"};
    double ns = r->seconds * 1e9, outside = ns - (double)r->sums.run_ns;
    printf("  ceilings: %.1f GB/s, %.0f G/s; %u threads, %llu runs, us of a token\n", c.reads * 1e-9,
           c.products * 1e-9, (unsigned)r->sums.threads, (unsigned long long)r->sums.runs);
    printf("  %-44s %6s %9s %6s %8s %6s %14s %16s\n", "phase", "runs", "us", "share", "barrier", "idle", "GB/s",
           "G/s");
    for (uint64_t i = 0; i < r->count; i++) {
        const puna_profile_row *x = &r->rows[i];
        if (x->kind != PUNA_PROFILE_PHASE) continue;
        print_row(x, r, c, tokens);
        all.calls += x->calls;
        all.wall_ns += x->wall_ns;
        all.busy_ns += x->busy_ns;
        all.barrier_ns += x->barrier_ns;
        all.idle_ns += x->idle_ns;
        all.bytes += x->bytes;
        all.products += x->products;
    }
    print_row(&all, r, c, tokens);
    printf("  outside the device: %.1f us, %.1f%%\n  ops:", share(outside, (double)tokens) * 1e-3,
           100 * share(outside, ns));
    for (uint64_t i = 0; i < r->count; i++)
        if (r->rows[i].kind == PUNA_PROFILE_OP)
            printf(" %s%s %.1f%%", part_of(&r->rows[i]), r->rows[i].name,
                   100 * share((double)r->rows[i].busy_ns, (double)r->sums.threads * ns));
    printf("\n");
}

static void print_json(const report *r, puna_ceilings c, uint64_t tokens) {
    printf("{\"reads\":%.2f,\"products\":%.1f,\"threads\":%u,\"runs\":%llu,\"tokens\":%llu,\"seconds\":%.6f,"
           "\"device_seconds\":%.6f,\"phases\":[", c.reads * 1e-9, c.products * 1e-9, (unsigned)r->sums.threads,
           (unsigned long long)r->sums.runs, (unsigned long long)tokens, r->seconds, (double)r->sums.run_ns * 1e-9);
    for (uint64_t i = 0, some = 0; i < r->count; i++) {
        const puna_profile_row *x = &r->rows[i];
        if (x->kind != PUNA_PROFILE_PHASE) continue;
        printf("%s{\"phase\":\"%s%s\",\"runs\":%llu,\"seconds\":%.6f,\"busy\":%.6f,\"barrier\":%.6f,\"bytes\":%llu,"
               "\"products\":%llu}", some++ ? "," : "", part_of(x), x->name, (unsigned long long)x->calls,
               (double)x->wall_ns * 1e-9, (double)x->busy_ns * 1e-9, (double)x->barrier_ns * 1e-9,
               (unsigned long long)x->bytes, (unsigned long long)x->products);
    }
    printf("],\"ops\":{");
    for (uint64_t i = 0, some = 0; i < r->count; i++)
        if (r->rows[i].kind == PUNA_PROFILE_OP)
            printf("%s\"%s%s\":%.6f", some++ ? "," : "", part_of(&r->rows[i]), r->rows[i].name,
                   (double)r->rows[i].busy_ns * 1e-9);
    printf("}}");
}

report *report_new(puna_engine *e) {
    report *r = calloc(1, sizeof *r);
    if (r) r->engine = e;
    return r;
}

void report_begin(report *r) { need(puna_engine_profile(r->engine, PUNA_PROFILE_ON, &error)); }

void report_end(report *r, double seconds) {
    r->seconds = seconds;
    r->sums.size = sizeof r->sums;
    (void)puna_engine_profile_read(r->engine, NULL, NULL, 0, &r->count, NULL);
    free(r->rows);
    r->rows = calloc(r->count + 1, sizeof *r->rows);
    if (!r->rows) {
        fprintf(stderr, "report: out of memory\n");
        exit(1);
    }
    r->rows->size = sizeof *r->rows;
    need(puna_engine_profile_read(r->engine, &r->sums, r->rows, r->count + 1, &r->count, &error));
    need(puna_engine_profile(r->engine, PUNA_PROFILE_OFF, &error));
}

void report_free(report *r) {
    free(r->rows);
    free(r);
}

void report_print(const report *r, uint64_t tokens, int json) {
    puna_ceilings c = {.size = sizeof c};
    need(puna_ceilings_measure(r->sums.threads, &c, &error));
    if (json) print_json(r, c, tokens);
    else print_table(r, c, tokens);
}
