// SPDX-License-Identifier: Apache-2.0
#include "base/os_gate.h"

static os_gate gate_now;
static void *gate_context;

void os_set_gate(os_gate gate, void *context) {
    gate_now = gate;
    gate_context = context;
}

os_fault os_gate_ask(os_call call, size_t *count) {
    return gate_now ? gate_now(gate_context, call, count) : OS_NO_FAULT;
}
