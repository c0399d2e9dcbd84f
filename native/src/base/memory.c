// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include <string.h>

#include "base/os.h"

enum { MEMORY_HEADER = 64 };

/* Lies in the 64 bytes in front of each block. */
typedef struct memory_header { size_t bytes; } memory_header;

static memory_gate gate_now;
static void *gate_context;

void memory_set_gate(memory_gate gate, void *context) {
    gate_now = gate;
    gate_context = context;
}

static bool gate_open(size_t bytes) { return !gate_now || gate_now(gate_context, bytes); }

void memory_account_init(memory_account *account) {
    atomic_init(&account->used, 0);
    atomic_init(&account->peak, 0);
}

uint64_t memory_used(const memory_account *account) {
    return atomic_load_explicit(&((memory_account *)account)->used, memory_order_relaxed);
}

static _Atomic uint64_t used_by_all;

uint64_t memory_used_by_all(void) { return atomic_load_explicit(&used_by_all, memory_order_relaxed); }

static void account_add(memory_account *account, uint64_t bytes) {
    atomic_fetch_add_explicit(&used_by_all, bytes, memory_order_relaxed);
    if (!account) return;
    uint64_t used = atomic_fetch_add_explicit(&account->used, bytes, memory_order_relaxed) + bytes;
    uint64_t peak = atomic_load_explicit(&account->peak, memory_order_relaxed);
    while (used > peak && !atomic_compare_exchange_weak_explicit(&account->peak, &peak, used, memory_order_relaxed,
                                                                 memory_order_relaxed)) {}
}

static void account_remove(memory_account *account, uint64_t bytes) {
    atomic_fetch_sub_explicit(&used_by_all, bytes, memory_order_relaxed);
    if (account) atomic_fetch_sub_explicit(&account->used, bytes, memory_order_relaxed);
}

static memory_header *header_of(void *block) { return (memory_header *)(void *)((uint8_t *)block - MEMORY_HEADER); }

static void *block_new(memory_account *account, size_t bytes) {
    size_t whole;
    if (bytes == 0) bytes = 1;
    if (!memory_add(bytes, MEMORY_HEADER, &whole) || !gate_open(bytes)) return NULL;
    uint8_t *start = os_heap_new(whole, MEMORY_HEADER);
    if (!start) return NULL;
    ((memory_header *)(void *)start)->bytes = bytes;
    account_add(account, bytes);
    return start + MEMORY_HEADER;
}

void *memory_new(memory_account *account, size_t bytes) {
    void *block = block_new(account, bytes);
    if (block) memset(block, 0, header_of(block)->bytes);
    return block;
}

void *memory_array(memory_account *account, size_t count, size_t size) {
    size_t bytes;
    return memory_multiply(count, size, &bytes) ? memory_new(account, bytes) : NULL;
}

void *memory_grow(memory_account *account, void *block, size_t bytes) {
    if (!block) return memory_new(account, bytes);
    size_t old = header_of(block)->bytes;
    if (bytes <= old) return block;
    uint8_t *grown = block_new(account, bytes);
    if (!grown) return NULL;
    memcpy(grown, block, old);
    memset(grown + old, 0, bytes - old);
    memory_free(account, block);
    return grown;
}

void memory_free(memory_account *account, void *block) {
    if (!block) return;
    memory_header *header = header_of(block);
    account_remove(account, header->bytes);
    os_heap_free(header);
}

void *memory_pages_new(memory_account *account, size_t bytes) {
    if (bytes == 0) bytes = 1;
    if (!gate_open(bytes)) return NULL;
    void *pages = os_pages_new(bytes);
    if (pages) account_add(account, bytes);
    return pages;
}

void memory_pages_free(memory_account *account, void *pages, size_t bytes) {
    if (!pages) return;
    if (bytes == 0) bytes = 1;
    os_pages_free(pages, bytes);
    account_remove(account, bytes);
}

bool memory_multiply(size_t a, size_t b, size_t *product) { return !__builtin_mul_overflow(a, b, product); }

bool memory_add(size_t a, size_t b, size_t *sum) { return !__builtin_add_overflow(a, b, sum); }
