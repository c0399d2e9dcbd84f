// SPDX-License-Identifier: Apache-2.0
#include "device/cpu/ceilings.h"

#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/threads.h"
#include "device/cpu/cpu.h"
#include "device/cpu/kernels_peak.h"

enum { PIECE = 1 << 20, PIECES = 320, TRIES = 9 };

typedef struct probe {
    uint8_t *data;
    const char *tier;
    double products[CEILINGS_THREADS];
    _Atomic uint64_t kept;
} probe;

typedef uint64_t lanes __attribute__((vector_size(16)));

static void read_pieces(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    (void)thread;
    probe *p = context;
    const uint8_t *at = p->data + (size_t)begin * PIECE, *stop = p->data + (size_t)end * PIECE;
    lanes sum[4] = {{0}};
    for (; at < stop; at += sizeof sum)
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            lanes x;
            memcpy(&x, at + 16 * k, sizeof x);
            sum[k] ^= x;
        }
    atomic_fetch_xor_explicit(&p->kept, (sum[0] ^ sum[1] ^ sum[2] ^ sum[3])[0], memory_order_relaxed);
}

static void fill_pieces(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    (void)thread;
    probe *p = context;
    memset(p->data + (size_t)begin * PIECE, 1, (size_t)(end - begin) * PIECE);
}

/* Each thread's own rate, by its own time: a thread that is taken off its core loses nothing. */
static void multiply(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    probe *p = context;
    for (uint32_t i = begin; i < end; i++) p->products[i] = kernels_peak_products(p->tier);
    (void)thread;
}

static void measure(probe *p, threads_pool *pool, uint32_t threads, ceilings *found) {
    threads_run(pool, &(threads_phase){fill_pieces, p, PIECES, 1}, 1);
    for (int i = 0; i < TRIES; i++) {
        uint64_t begin = os_clock_ns();
        threads_run(pool, &(threads_phase){read_pieces, p, PIECES, 1}, 1);
        double rate = (double)PIECE * PIECES / (double)(os_clock_ns() - begin);
        if (rate > found->reads) found->reads = rate;
    }
    threads_run(pool, &(threads_phase){multiply, p, threads, 1}, 1);
    for (uint32_t i = 0; i < threads; i++) found->products += p->products[i];
}

puna_status ceilings_measure(uint32_t threads, ceilings *found, puna_error *error) {
    const size_t bytes = (size_t)PIECE * PIECES;
    char forced[16];
    threads_pool *pool = NULL;
    memory_account account;
    *found = (ceilings){0, 0};
    puna_status status = cpu_device.check(error);
    if (status != PUNA_OK) return status;
    memory_account_init(&account);
    status = threads_create(&account, threads, 1, &pool, error);
    if (status != PUNA_OK) return status;
    probe *p = memory_new(&account, sizeof *p);
    if (p) p->data = memory_pages_new(&account, bytes);
    if (p && p->data) {
        p->tier = cpu_kernels_select(forced)->tier;
        measure(p, pool, threads, found);
    } else {
        status = error_memory(error, "ceilings", bytes);
    }
    if (p) memory_pages_free(&account, p->data, bytes);
    memory_free(&account, p);
    threads_destroy(&account, pool);
    return status;
}
