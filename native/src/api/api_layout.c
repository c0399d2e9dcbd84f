// SPDX-License-Identifier: Apache-2.0
/* The public structs' sizes and offsets, as this compiler lays them out: bindings compare them with their own. */
#include <stdatomic.h>
#include <stdio.h>

#include "puna.h"

typedef struct field {
    const char *name; /* of a struct where size is not 0, else of its field */
    size_t size, offset;
} field;

#define S(type) {#type, sizeof(struct type), 0}
#define F(type, name) {#name, 0, offsetof(struct type, name)}

static const field fields[] = {
#include "api/api_layout.def"
};

enum { EMPTY, BEING_FILLED, READY };

static char text[8192];
static _Atomic int state;

static void fill(void) {
    size_t at = 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields && at < sizeof text; i++) {
        const field *f = &fields[i];
        int n = f->size ? snprintf(text + at, sizeof text - at, "%s%s %zu", i ? "\n" : "", f->name, f->size)
                        : snprintf(text + at, sizeof text - at, " %s@%zu", f->name, f->offset);
        at += n > 0 ? (size_t)n : 0;
    }
}

/* The first caller fills the text; one that comes in the same microsecond waits for it. */
const char *puna_abi_layout(void) {
    int was = EMPTY;
    if (atomic_compare_exchange_strong(&state, &was, BEING_FILLED)) {
        fill();
        atomic_store_explicit(&state, READY, memory_order_release);
    }
    while (atomic_load_explicit(&state, memory_order_acquire) != READY) {}
    return text;
}
