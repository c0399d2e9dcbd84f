// SPDX-License-Identifier: Apache-2.0
/*
 * What this machine can do at most, now: some hosts change their memory's speed from one second to the next.
 *
 *     bench_ceilings [--threads N] [--json]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "device/cpu/ceilings.h"

int main(int argc, char **argv) {
    uint32_t threads = 0;
    int json = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) json = 1;
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) threads = (uint32_t)strtoul(argv[++i], NULL, 10);
        else {
            fprintf(stderr, "usage: bench_ceilings [--threads N] [--json]\n");
            return 2;
        }
    }
    if (!threads) threads = threads_default_count();
    ceilings c;
    puna_error error = PUNA_ERROR_INIT;
    if (threads > CEILINGS_THREADS || ceilings_measure(threads, &c, &error) != PUNA_OK) {
        fprintf(stderr, "bench_ceilings: %u threads: %s\n", (unsigned)threads,
                error.message[0] ? error.message : "there may be 1 to 256");
        return 1;
    }
    printf(json ? "{\"threads\":%u,\"reads\":%.2f,\"products\":%.1f}\n"
                : "%u threads: %.1f GB/s of memory reads, %.0f G int8 multiply-adds/s\n",
           (unsigned)threads, c.reads, c.products);
    return 0;
}
