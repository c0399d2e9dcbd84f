// SPDX-License-Identifier: Apache-2.0
/*
 * Faults of files, made by tests: a gate is asked before each call of the system and may make it fail, be interrupted,
 * or read or write less than it was asked for. As memory_set_gate is for memory.
 */
#ifndef PUNA_BASE_OS_GATE_H
#define PUNA_BASE_OS_GATE_H

#include <stddef.h>

typedef enum os_call { OS_CALL_OPEN, OS_CALL_READ, OS_CALL_WRITE, OS_CALL_SYNC, OS_CALL_RENAME } os_call;

typedef enum os_fault {
    OS_NO_FAULT,
    OS_FAULT,            /* the call fails: no permission, a broken disk, a full one */
    OS_FAULT_INTERRUPTED /* a signal came: the call is to be made again */
} os_fault;

/* count: bytes to read or write, which may be made fewer (0: the file's end); NULL for other calls. */
typedef os_fault (*os_gate)(void *context, os_call call, size_t *count);

/* NULL puts the system back. Not thread-safe against calls that run. */
void os_set_gate(os_gate gate, void *context);

os_fault os_gate_ask(os_call call, size_t *count);

#endif
