// SPDX-License-Identifier: Apache-2.0
/*
 * Memory: every byte of the core is accounted to an owner (a model, an engine, a file).
 *
 * Invariant: account->used is the sum of the sizes of all live blocks taken through it; it is 0 when the owner is gone.
 * Blocks are aligned to 64 bytes. All functions may be called from any thread. A failed allocation returns NULL; the
 * caller reports it by error_memory.
 */
#ifndef PUNA_BASE_MEMORY_H
#define PUNA_BASE_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct memory_account {
    _Atomic uint64_t used; /* bytes now */
    _Atomic uint64_t peak;
} memory_account;

void memory_account_init(memory_account *account);
uint64_t memory_used(const memory_account *account);

/* Bytes of all live blocks of the process, whoever they are accounted to. */
uint64_t memory_used_by_all(void);

/* A zeroed block of `bytes` (0 is treated as 1), or NULL. */
void *memory_new(memory_account *account, size_t bytes);

/* A zeroed array, or NULL also where count * size overflows. */
void *memory_array(memory_account *account, size_t count, size_t size);

/* Grows a block from memory_new/memory_array (NULL: a new one), keeps its contents, zeroes the rest. NULL leaves the
   old block as it was. */
void *memory_grow(memory_account *account, void *block, size_t bytes);

/* Gives a block back; NULL is allowed. The block knows its size. */
void memory_free(memory_account *account, void *block);

/* Large zeroed memory straight from the system, in 2 MiB pages where it has them. NULL on failure. Free it with the
   same size. */
void *memory_pages_new(memory_account *account, size_t bytes);
void memory_pages_free(memory_account *account, void *pages, size_t bytes);

/* Tests replace the process's allocator: `allocate` decides about every block and every pages_new (return false to make
   it fail). NULL puts the normal one back. Not thread-safe against running allocations. */
typedef bool (*memory_gate)(void *context, size_t bytes);
void memory_set_gate(memory_gate gate, void *context);

/* a * b and a + b that say whether they fit. */
bool memory_multiply(size_t a, size_t b, size_t *product);
bool memory_add(size_t a, size_t b, size_t *sum);

#endif
