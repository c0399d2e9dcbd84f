// SPDX-License-Identifier: Apache-2.0
#include "cache/cache.h"

#include <string.h>

#define SLAB_BYTES (8u << 20)

typedef struct slab {
    struct slab *next;
    uint8_t *memory;
    size_t bytes;
    uint32_t used; /* pages with a reference */
    uint32_t count;
    cache_page *pages;
} slab;

struct cache_page {
    uint8_t *data;
    slab *home;
    uint32_t references;
    cache_page *next_free;
};

typedef struct pool {
    size_t page_bytes;
    uint32_t slab_pages;
    slab *slabs;
    cache_page *free; /* in slabs with at least one used page, or just made */
} pool;

struct cache {
    memory_account *account;
    pool *pools;
    uint32_t groups;
    uint64_t budget, used;
};

puna_status cache_create(memory_account *account, const size_t *page_bytes, uint32_t groups, uint64_t budget,
                         cache **out, puna_error *error) {
    cache *c = memory_new(account, sizeof *c);
    pool *pools = memory_array(account, groups, sizeof *pools);
    if (!c || !pools) {
        memory_free(account, c);
        memory_free(account, pools);
        return error_memory(error, "cache", sizeof *c + groups * sizeof *pools);
    }
    *c = (cache){account, pools, groups, budget, 0};
    for (uint32_t g = 0; g < groups; g++) {
        pools[g].page_bytes = page_bytes[g];
        uint64_t pages = page_bytes[g] < SLAB_BYTES ? SLAB_BYTES / page_bytes[g] : 1;
        uint64_t most = budget / page_bytes[g];
        pools[g].slab_pages = (uint32_t)(pages > most && most ? most : pages);
    }
    *out = c;
    return PUNA_OK;
}

static void slab_free(cache *c, slab *s) {
    if (!s) return;
    memory_pages_free(c->account, s->memory, s->bytes);
    memory_free(c->account, s->pages);
    memory_free(c->account, s);
}

void cache_destroy(cache *c) {
    if (!c) return;
    for (uint32_t g = 0; g < c->groups; g++) {
        for (slab *s = c->pools[g].slabs, *next; s; s = next) {
            next = s->next;
            slab_free(c, s);
        }
    }
    memory_account *account = c->account;
    memory_free(account, c->pools);
    memory_free(account, c);
}

static bool slab_add(cache *c, pool *p) {
    slab *s = memory_new(c->account, sizeof *s);
    if (!s) return false;
    uint64_t left = (c->budget - c->used) / p->page_bytes; /* so that all slabs together keep to the budget */
    s->count = left < p->slab_pages ? (uint32_t)left : p->slab_pages;
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
        s->pages[i] = (cache_page){s->memory + i * p->page_bytes, s, 0, p->free};
        p->free = &s->pages[i];
    }
    s->next = p->slabs;
    p->slabs = s;
    return true;
}

static cache_page *page_take(cache *c, uint32_t group, puna_error *error) {
    pool *p = &c->pools[group];
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
        error_memory(error, "cache", (uint64_t)p->slab_pages * p->page_bytes);
        return NULL;
    }
    cache_page *page = p->free;
    p->free = page->next_free;
    page->references = 1;
    page->home->used++;
    c->used += p->page_bytes;
    return page;
}

/* Takes a slab that nobody uses out of both lists and frees it. */
static void slab_drop(cache *c, pool *p, slab *s) {
    for (cache_page **at = &p->free; *at;) {
        if ((*at)->home == s) *at = (*at)->next_free;
        else at = &(*at)->next_free;
    }
    for (slab **at = &p->slabs; *at; at = &(*at)->next) {
        if (*at == s) {
            *at = s->next;
            break;
        }
    }
    slab_free(c, s);
}

static void page_give(cache *c, uint32_t group, cache_page *page) {
    if (--page->references) return;
    pool *p = &c->pools[group];
    page->next_free = p->free;
    p->free = page;
    c->used -= p->page_bytes;
    if (--page->home->used == 0) slab_drop(c, p, page->home);
}

puna_status cache_sequence_init(cache *c, cache_sequence *s, puna_error *error) {
    s->groups = c->groups;
    s->lists = memory_array(c->account, c->groups, sizeof *s->lists);
    s->data = memory_array(c->account, c->groups, sizeof *s->data);
    if (s->lists && s->data) return PUNA_OK;
    memory_free(c->account, s->lists);
    memory_free(c->account, s->data);
    memset(s, 0, sizeof *s);
    return error_memory(error, "sequence", c->groups * sizeof(cache_list));
}

static void list_cut(cache *c, uint32_t group, cache_list *l, uint32_t count) {
    while (l->count > count) page_give(c, group, l->pages[--l->count]);
}

void cache_sequence_release(cache *c, cache_sequence *s) {
    for (uint32_t g = 0; g < s->groups; g++) {
        list_cut(c, g, &s->lists[g], 0);
        memory_free(c->account, s->lists[g].data);
        memory_free(c->account, s->lists[g].pages);
    }
    memory_free(c->account, s->lists);
    memory_free(c->account, s->data);
    memset(s, 0, sizeof *s);
}

static uint32_t list_capacity(uint32_t count, uint32_t capacity) {
    if (capacity == 0) capacity = 8;
    while (capacity < count) capacity *= 2;
    return capacity;
}

static bool list_reserve(cache *c, cache_sequence *s, uint32_t group, uint32_t count) {
    cache_list *l = &s->lists[group];
    if (count <= l->capacity) return true;
    uint32_t capacity = list_capacity(count, l->capacity);
    uint8_t **data = memory_grow(c->account, l->data, capacity * sizeof *data);
    if (!data) return false;
    l->data = data;
    s->data[group] = data;
    cache_page **pages = memory_grow(c->account, l->pages, capacity * sizeof *pages);
    if (!pages) return false;
    l->pages = pages;
    l->capacity = capacity;
    return true;
}

static uint32_t pages_for(uint32_t positions) { return positions / CACHE_PAGE + (positions % CACHE_PAGE != 0); }

/* Shared pages from `from` on become the sequence's own. */
static puna_status list_own(cache *c, uint32_t group, cache_list *l, uint32_t from, puna_error *error) {
    for (uint32_t i = from; i < l->count; i++) {
        if (l->pages[i]->references == 1) continue;
        cache_page *copy = page_take(c, group, error);
        if (!copy) return PUNA_OUT_OF_MEMORY;
        memcpy(copy->data, l->data[i], c->pools[group].page_bytes);
        page_give(c, group, l->pages[i]);
        l->pages[i] = copy;
        l->data[i] = copy->data;
    }
    return PUNA_OK;
}

static puna_status list_extend(cache *c, cache_sequence *s, uint32_t group, uint32_t count, puna_error *error) {
    cache_list *l = &s->lists[group];
    if (!list_reserve(c, s, group, count)) return error_memory(error, "sequence", count * sizeof(void *));
    while (l->count < count) {
        cache_page *page = page_take(c, group, error);
        if (!page) return PUNA_OUT_OF_MEMORY;
        l->pages[l->count] = page;
        l->data[l->count++] = page->data;
    }
    return PUNA_OK;
}

puna_status cache_extend(cache *c, cache_sequence *s, uint32_t positions, uint32_t writable, puna_error *error) {
    puna_status status = PUNA_OK;
    uint32_t before = s->groups ? s->lists[0].count : 0;
    for (uint32_t g = 0; g < s->groups && status == PUNA_OK; g++) {
        status = list_own(c, g, &s->lists[g], writable / CACHE_PAGE, error);
        if (status == PUNA_OK) status = list_extend(c, s, g, pages_for(positions), error);
    }
    if (status != PUNA_OK)
        for (uint32_t g = 0; g < s->groups; g++) list_cut(c, g, &s->lists[g], before);
    return status;
}

void cache_truncate(cache *c, cache_sequence *s, uint32_t positions) {
    for (uint32_t g = 0; g < s->groups; g++) list_cut(c, g, &s->lists[g], pages_for(positions));
}

puna_status cache_fork(cache *c, const cache_sequence *from, cache_sequence *to, puna_error *error) {
    for (uint32_t g = 0; g < from->groups; g++) {
        const cache_list *l = &from->lists[g];
        if (!list_reserve(c, to, g, l->count)) {
            cache_truncate(c, to, 0);
            return error_memory(error, "sequence", l->count * sizeof(void *));
        }
        for (uint32_t i = 0; i < l->count; i++) {
            l->pages[i]->references++;
            to->lists[g].pages[i] = l->pages[i];
            to->lists[g].data[i] = l->data[i];
        }
        to->lists[g].count = l->count;
    }
    return PUNA_OK;
}

uint64_t cache_tables(const size_t *page_bytes, uint32_t groups, uint64_t budget) {
    uint64_t whole = 0, bytes = sizeof(cache) + groups * sizeof(pool);
    for (uint32_t g = 0; g < groups; g++) whole += page_bytes[g];
    for (uint32_t g = 0; g < groups && whole; g++) {
        uint64_t pages = budget / whole, slab_pages = page_bytes[g] < SLAB_BYTES ? SLAB_BYTES / page_bytes[g] : 1;
        bytes += pages * sizeof(cache_page) + (pages + slab_pages - 1) / slab_pages * sizeof(slab);
    }
    return bytes;
}

uint64_t cache_list_bytes(uint32_t groups, uint32_t positions) {
    uint64_t entries = list_capacity(pages_for(positions), 0);
    uint64_t list = sizeof(cache_list) + sizeof(uint8_t *const *) + entries * (sizeof(uint8_t *) + sizeof(cache_page *));
    return groups * list;
}

uint64_t cache_budget(const cache *c) { return c->budget; }

uint64_t cache_used(const cache *c) { return c->used; }

uint64_t cache_bytes_for(const cache *c, uint32_t positions) {
    uint64_t bytes = 0;
    for (uint32_t g = 0; g < c->groups; g++) bytes += (uint64_t)pages_for(positions) * c->pools[g].page_bytes;
    return bytes;
}
