// SPDX-License-Identifier: Apache-2.0
#include "guarded.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#endif

#include "testing.h"

enum { PAGE = 64 * 1024 /* a multiple of every system's */, BLOCKS = 1024, WATCHED = 0xa5 };

static struct block {
    uint8_t *data, *pages; /* guard, pages, guard */
    size_t bytes, inner;   /* the block's, and of the pages between the guards */
} blocks[BLOCKS];

static void stop(const char *why) {
    printf("guarded: %s\n", why);
    fflush(stdout);
    exit(1);
}

static uint8_t *map(size_t inner) {
#ifdef _WIN32
    uint8_t *pages = VirtualAlloc(NULL, inner + 2 * (size_t)PAGE, MEM_RESERVE, PAGE_NOACCESS);
    return pages && VirtualAlloc(pages + PAGE, inner, MEM_COMMIT, PAGE_READWRITE) ? pages : NULL;
#else
    void *pages = mmap(NULL, inner + 2 * (size_t)PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return NULL;
    return mprotect((uint8_t *)pages + PAGE, inner, PROT_READ | PROT_WRITE) == 0 ? pages : NULL;
#endif
}

static void unmap(uint8_t *pages, size_t inner) {
#ifdef _WIN32
    (void)inner;
    VirtualFree(pages, 0, MEM_RELEASE);
#else
    munmap(pages, inner + 2 * (size_t)PAGE);
#endif
}

void *guarded_new(size_t bytes, size_t alignment) {
    struct block *b = blocks;
    while (b < blocks + BLOCKS && b->data) b++;
    if (b == blocks + BLOCKS) stop("too many blocks");
    size_t whole = (bytes + alignment - 1) & ~(alignment - 1);
    *b = (struct block){.bytes = bytes, .inner = (whole / PAGE + 1) * PAGE};
    b->pages = map(b->inner);
    if (!b->pages) stop("out of memory");
    b->data = b->pages + PAGE + (testing_below(4) ? b->inner - whole : 0);
    memset(b->data + bytes, WATCHED, (size_t)(b->pages + PAGE + b->inner - (b->data + bytes)));
    return b->data;
}

void guarded_free(void *block) {
    if (!block) return;
    struct block *b = blocks;
    while (b < blocks + BLOCKS && b->data != block) b++;
    if (b == blocks + BLOCKS) stop("no block of ours is freed");
    for (uint8_t *gap = b->data + b->bytes; gap < b->pages + PAGE + b->inner; gap++)
        if (*gap != WATCHED) stop("written behind a block");
    unmap(b->pages, b->inner);
    b->data = NULL;
}
