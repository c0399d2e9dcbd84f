// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <stdio.h>
#include <string.h>

#include "ceilings.h"
#include "device/cpu/cpu_profile.h"
#include "engine/engine.h"

enum { ROWS = 64, NAME = 96 };

typedef struct row {
    char name[NAME];
    cpu_profile_phase sum;
} row;

struct report {
    device_runner *runner;
    cpu_profile *profile;
    double seconds;
};

typedef struct sums {
    row rows[ROWS];
    uint32_t count;
    cpu_profile_phase all;
    uint64_t kinds[GRAPH_KINDS + 1]; /* threads' time by op; the last one: rotary tables */
} sums;

/* Cut where it is too long. */
static void append(char *name, const char *text) {
    size_t used = strlen(name);
    (void)snprintf(name + used, NAME - used, "%s%s", used ? " " : "", text);
}

/* linear 2048>2048,256,256: inputs and the outputs of all products; ops of rows by their names, each once. */
static void name_phase(const device_runner *r, const plan_phase *phase, char *name) {
    name[0] = 0;
    if (!phase) {
        append(name, "rotary tables");
        return;
    }
    for (uint32_t i = 0; i < phase->count; i++) {
        const plan_step *s = &r->plan.steps[phase->first + i];
        const char *op = graph_op_find(s->kind)->name;
        char text[48];
        snprintf(text, sizeof text, "%s", op);
        if (s->kind == GRAPH_LINEAR_OP) {
            const graph_weight_info *w = &r->g->weights[s->op->weight];
            if (i == 0) snprintf(text, sizeof text, "linear %u>%u", w->cols, w->rows);
            else snprintf(text, sizeof text, "%u", w->rows);
        } else if (i && r->plan.steps[phase->first + i - 1].kind == s->kind) {
            continue;
        }
        append(name, text);
    }
}

static void add(cpu_profile_phase *sum, const cpu_profile_phase *p) {
    sum->runs += p->runs;
    sum->wall_ns += p->wall_ns;
    sum->busy_ns += p->busy_ns;
    sum->gap_ns += p->gap_ns;
    sum->bytes += p->bytes;
    sum->products += p->products;
}

static void gather(const device_runner *r, const cpu_profile *p, sums *out) {
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < p->phases; i++) {
        if (!p->phase[i].runs) continue;
        char name[NAME];
        name_phase(r, i ? &r->plan.phases[i - 1] : NULL, name);
        uint32_t at = 0;
        while (at < out->count && strcmp(out->rows[at].name, name) != 0) at++;
        if (at == ROWS) at--; /* more kinds of phases than any model has: the last row holds the rest */
        else if (at == out->count) snprintf(out->rows[out->count++].name, NAME, "%s", name);
        add(&out->rows[at].sum, &p->phase[i]);
        add(&out->all, &p->phase[i]);
    }
    for (uint32_t t = 0; t < p->threads; t++)
        for (uint32_t i = 0; i < p->steps; i++)
            out->kinds[r->plan.steps[i].kind] += p->step_ns[(size_t)t * p->steps + i];
    out->kinds[GRAPH_KINDS] = p->phase[0].busy_ns;
}

static double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

static double idle(const cpu_profile *p, const cpu_profile_phase *x) {
    double all = (double)p->threads * (double)(x->wall_ns + x->gap_ns);
    return share(all - (double)x->busy_ns, all);
}

static void print_table(const device_runner *r, const cpu_profile *p, ceilings c, double seconds, uint64_t tokens) {
    static sums all;
    gather(r, p, &all);
    double ns = seconds * 1e9;
    printf("  ceilings: %.1f GB/s, %.0f G/s; %u threads, %llu runs, us of a token\n", c.reads, c.products,
           (unsigned)p->threads, (unsigned long long)p->runs);
    printf("  %-44s %6s %9s %6s %8s %6s %14s %16s\n", "phase", "runs", "us", "share", "barrier", "idle", "GB/s",
           "G/s");
    for (uint32_t i = 0; i <= all.count; i++) {
        const cpu_profile_phase *x = i < all.count ? &all.rows[i].sum : &all.all;
        double gbs = share((double)x->bytes, (double)x->wall_ns), gs = share((double)x->products, (double)x->wall_ns);
        printf("  %-44.44s %6.0f %9.1f %5.1f%% %8.1f %5.1f%%", i < all.count ? all.rows[i].name : "all phases",
               share((double)x->runs, (double)p->runs), share((double)x->wall_ns, (double)tokens) * 1e-3,
               100 * share((double)x->wall_ns, ns), share((double)x->gap_ns, (double)tokens) * 1e-3,
               100 * idle(p, x));
        if (x->bytes)
            printf(" %7.1f (%3.0f%%) %8.1f (%3.0f%%)", gbs, 100 * share(gbs, c.reads), gs,
                   100 * share(gs, c.products));
        printf("\n");
    }
    printf("  outside the device: %.1f us, %.1f%%\n  ops:", share(ns - (double)p->run_ns, (double)tokens) * 1e-3,
           100 * share(ns - (double)p->run_ns, ns));
    for (uint32_t k = 0; k <= GRAPH_KINDS; k++)
        if (all.kinds[k])
            printf(" %s %.1f%%", k < GRAPH_KINDS ? graph_op_find((graph_kind)k)->name : "rotary",
                   100 * share((double)all.kinds[k], (double)p->threads * ns));
    printf("\n");
}

static void print_json(const device_runner *r, const cpu_profile *p, ceilings c, double seconds, uint64_t tokens) {
    static sums all;
    gather(r, p, &all);
    printf("{\"reads\":%.2f,\"products\":%.1f,\"threads\":%u,\"runs\":%llu,\"tokens\":%llu,\"seconds\":%.6f,"
           "\"device_seconds\":%.6f,\"phases\":[", c.reads, c.products, (unsigned)p->threads,
           (unsigned long long)p->runs, (unsigned long long)tokens, seconds, (double)p->run_ns * 1e-9);
    for (uint32_t i = 0; i < all.count; i++) {
        const cpu_profile_phase *x = &all.rows[i].sum;
        printf("%s{\"phase\":\"%s\",\"runs\":%llu,\"seconds\":%.6f,\"busy\":%.6f,\"barrier\":%.6f,\"bytes\":%llu,"
               "\"products\":%llu}", i ? "," : "", all.rows[i].name, (unsigned long long)x->runs,
               (double)x->wall_ns * 1e-9, (double)x->busy_ns * 1e-9, (double)x->gap_ns * 1e-9,
               (unsigned long long)x->bytes, (unsigned long long)x->products);
    }
    printf("],\"ops\":{");
    for (uint32_t k = 0, some = 0; k <= GRAPH_KINDS; k++)
        if (all.kinds[k])
            printf("%s\"%s\":%.6f", some++ ? "," : "",
                   k < GRAPH_KINDS ? graph_op_find((graph_kind)k)->name : "rotary", (double)all.kinds[k] * 1e-9);
    printf("}}");
}

report *report_new(puna_engine *e) {
    report *r = memory_new(NULL, sizeof *r);
    if (!r) return NULL;
    r->runner = e->runner;
    r->profile = cpu_profile_new(e->runner, NULL);
    if (r->profile) return r;
    memory_free(NULL, r);
    return NULL;
}

void report_begin(report *r) { r->runner->profile = r->profile; }

void report_end(report *r, double seconds) {
    r->runner->profile = NULL;
    r->seconds = seconds;
}

void report_free(report *r) {
    cpu_profile_free(r->profile, NULL);
    memory_free(NULL, r);
}

void report_print(const report *r, uint64_t tokens, int json) {
    ceilings c = ceilings_measure(r->profile->threads);
    (json ? print_json : print_table)(r->runner, r->profile, c, r->seconds, tokens);
}
