// SPDX-License-Identifier: Apache-2.0
#include "cache/pages.h"

#define SLAB_BYTES (8u << 20)

struct cache_slab {
    cache_slab *next;
    uint8_t *memory;
    size_t bytes;
    uint32_t used; /* pages that are not free */
    uint32_t count;
    cache_page *pages;
};

static void slab_free(cache *c, cache_slab *s) {
    memory_pages_free(c->account, s->memory, s->bytes);
    memory_free(c->account, s->pages);
    memory_free(c->account, s);
}

void pages_free(cache *c, cache_pool *pool) {
    for (cache_slab *s = pool->slabs, *next; s; s = next) {
        next = s->next;
        slab_free(c, s);
    }
}

/* Groups share the budget, but a page that is free in one of them is of no use to another: where there are several,
   each page is a slab of its own, so that memory never exceeds the budget, whatever comes and goes. */
static uint64_t pages_of_slab(uint32_t groups, size_t page_bytes) {
    return groups == 1 && page_bytes < SLAB_BYTES ? SLAB_BYTES / page_bytes : 1;
}

static bool slab_add(cache *c, cache_pool *p) {
    cache_slab *s = memory_new(c->account, sizeof *s);
    if (!s) return false;
    uint64_t left = (c->budget - c->used) / p->page_bytes; /* so that all slabs together keep to the budget */
    uint64_t most = pages_of_slab(c->groups, p->page_bytes);
    s->count = (uint32_t)(left < most ? left : most);
    s->bytes = s->count * p->page_bytes;
    s->pages = memory_array(c->account, s->count, sizeof *s->pages);
    s->memory = memory_pages_new(c->account, s->bytes);
    if (!s->pages || !s->memory) {
        if (s->memory) memory_pages_free(c->account, s->memory, s->bytes);
        memory_free(c->account, s->pages);
        memory_free(c->account, s);
        return false;
    }
    for (uint32_t i = s->count; i-- > 0;) {
        s->pages[i] = (cache_page){.data = s->memory + i * p->page_bytes, .home = s, .next_free = p->free};
        p->free = &s->pages[i];
    }
    s->next = p->slabs;
    p->slabs = s;
    return true;
}

cache_page *page_take(cache *c, uint32_t group, puna_error *error) {
    cache_pool *p = &c->pools[group];
    if (c->used + p->page_bytes > c->budget) {
        error_set(error, PUNA_OUT_OF_MEMORY, "cache", "the cache is full: its budget is %llu bytes; raise it, or run "
                  "fewer or shorter sequences", (unsigned long long)c->budget);
        if (error) {
            error->needed = p->page_bytes;
            error->available = c->budget - c->used;
        }
        return NULL;
    }
    if (!p->free && !slab_add(c, p)) {
        error_memory(error, "cache", pages_of_slab(c->groups, p->page_bytes) * p->page_bytes);
        return NULL;
    }
    cache_page *page = p->free;
    p->free = page->next_free;
    page->lists = 1;
    page->home->used++;
    c->used += p->page_bytes;
    c->held += p->page_bytes;
    return page;
}

/* Takes a slab that nobody uses out of both lists and frees it. */
static void slab_drop(cache *c, cache_pool *p, cache_slab *s) {
    for (cache_page **at = &p->free; *at;) {
        if ((*at)->home == s) *at = (*at)->next_free;
        else at = &(*at)->next_free;
    }
    for (cache_slab **at = &p->slabs; *at; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            break;
        }
    }
    slab_free(c, s);
}

static void free_if_unused(cache *c, cache_pool *p, cache_page *page) {
    if (page->lists || page->indexed) return;
    page->next_free = p->free;
    p->free = page;
    c->used -= p->page_bytes;
    if (--page->home->used == 0) slab_drop(c, p, page->home);
}

void page_hold(cache *c, uint32_t group, cache_page *page) {
    if (page->lists++ == 0) c->held += c->pools[group].page_bytes;
}

void page_give(cache *c, uint32_t group, cache_page *page) {
    if (--page->lists) return;
    c->held -= c->pools[group].page_bytes;
    free_if_unused(c, &c->pools[group], page);
}

void page_index(cache *c, uint32_t group, cache_page *page, bool indexed) {
    page->indexed = indexed;
    free_if_unused(c, &c->pools[group], page);
}

uint64_t cache_tables(const size_t *page_bytes, uint32_t groups, uint64_t budget) {
    uint64_t whole = 0, bytes = sizeof(cache) + groups * sizeof(cache_pool);
    for (uint32_t g = 0; g < groups; g++) whole += page_bytes[g];
    for (uint32_t g = 0; g < groups && whole; g++) {
        uint64_t pages = budget / whole, of_slab = pages_of_slab(groups, page_bytes[g]);
        bytes += pages * sizeof(cache_page) + (pages + of_slab - 1) / of_slab * sizeof(cache_slab);
    }
    return bytes + (whole ? prefix_bytes(groups, budget / whole) : 0);
}
