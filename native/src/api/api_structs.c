// SPDX-License-Identifier: Apache-2.0
#include "api/api_structs.h"

#include <string.h>

static uint32_t shared(const void *theirs, uint32_t ours) {
    uint32_t size;
    memcpy(&size, theirs, sizeof size);
    return size == 0 || size > ours ? ours : size;
}

/* Copies `count` bytes but for the size in front. */
static void copy(void *to, const void *from, uint32_t count) {
    const uint32_t front = sizeof(uint32_t);
    if (count > front) memcpy((char *)to + front, (const char *)from + front, count - front);
}

void structs_give(void *theirs, const void *ours, uint32_t bytes) {
    uint32_t count = shared(theirs, bytes);
    copy(theirs, ours, count);
    memcpy(theirs, &count, sizeof count);
}

void structs_take(void *ours, const void *theirs, uint32_t bytes) {
    if (theirs) copy(ours, theirs, shared(theirs, bytes));
}
