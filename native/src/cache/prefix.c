// SPDX-License-Identifier: Apache-2.0
/*
 * The prefix index: a tree over token ids whose edges are a page long. A node stands for all tokens from the beginning
 * to the end of its page and holds that page of every group (or a hole where a window had passed). Children are found
 * by a hash over parent and tokens, and by comparing these: a hash alone decides nothing.
 *
 * Nodes lie in a list by their last use. Who uses a node uses all above it, the node itself first, so that a node is
 * never older than one below it and the oldest one has no children.
 */
#include <string.h>

#include "cache/pages.h"

#define FEWEST_BUCKETS 64u

typedef struct prefix_node {
    struct prefix_node *parent; /* NULL: the first page */
    struct prefix_node *chain;  /* in its bucket */
    struct prefix_node *newer, *older;
    uint64_t space, hash, used;
    uint32_t children;
    int32_t tokens[CACHE_PAGE];
    cache_page *pages[]; /* [groups] */
} prefix_node;

static uint64_t hash_of(uint64_t hash, const int32_t *tokens) {
    for (uint32_t i = 0; i < CACHE_PAGE; i++) {
        hash = (hash ^ (uint32_t)tokens[i]) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return hash;
}

static uint64_t seed_of(uint64_t space) { return space * 0xD6E8FEB86659FD93u + 1; }

static prefix_node *find(const prefix_index *x, const prefix_node *parent, uint64_t space, uint64_t hash,
                         const int32_t *tokens) {
    if (!x->bucket_count) return NULL;
    for (prefix_node *n = x->buckets[hash & (x->bucket_count - 1)]; n; n = n->chain)
        if (n->hash == hash && n->parent == parent && n->space == space &&
            memcmp(n->tokens, tokens, sizeof n->tokens) == 0)
            return n;
    return NULL;
}

/* ---- the list by use ---- */

static void unlink_node(prefix_index *x, prefix_node *n) {
    if (n->newer) n->newer->older = n->older;
    else x->newest = n->older;
    if (n->older) n->older->newer = n->newer;
    else x->oldest = n->newer;
}

static void link_newest(prefix_index *x, prefix_node *n) {
    n->newer = NULL;
    n->older = x->newest;
    if (x->newest) x->newest->newer = n;
    else x->oldest = n;
    x->newest = n;
}

static void use(cache *c, prefix_node *n) {
    uint64_t now = ++c->clock;
    for (; n; n = n->parent) {
        n->used = now;
        unlink_node(&c->index, n);
        link_newest(&c->index, n);
    }
}

/* ---- nodes ---- */

static bool grow(cache *c) {
    prefix_index *x = &c->index;
    if (x->count < x->bucket_count) return true;
    uint32_t wanted = x->bucket_count ? x->bucket_count * 2 : FEWEST_BUCKETS;
    prefix_node **buckets = memory_array(c->account, wanted, sizeof *buckets);
    if (!buckets) return x->bucket_count != 0; /* longer chains will do */
    for (prefix_node *n = x->newest; n; n = n->older) {
        prefix_node **bucket = &buckets[n->hash & (wanted - 1)];
        n->chain = *bucket;
        *bucket = n;
    }
    memory_free(c->account, x->buckets);
    x->buckets = buckets;
    x->bucket_count = wanted;
    return true;
}

/* An empty index costs nothing. */
static void shrink(cache *c) {
    prefix_index *x = &c->index;
    if (x->count) return;
    memory_free(c->account, x->buckets);
    x->buckets = NULL;
    x->bucket_count = 0;
}

static prefix_node *add(cache *c, prefix_node *parent, uint64_t space, uint64_t hash, const int32_t *tokens) {
    prefix_index *x = &c->index;
    if (!grow(c)) return NULL;
    prefix_node *n = memory_new(c->account, sizeof *n + c->groups * sizeof *n->pages);
    if (!n) {
        shrink(c);
        return NULL;
    }
    n->parent = parent;
    n->space = space;
    n->hash = hash;
    memcpy(n->tokens, tokens, sizeof n->tokens);
    if (parent) parent->children++;
    prefix_node **bucket = &x->buckets[hash & (x->bucket_count - 1)];
    n->chain = *bucket;
    *bucket = n;
    link_newest(x, n);
    x->count++;
    return n;
}

static void drop(cache *c, prefix_node *n) {
    prefix_index *x = &c->index;
    prefix_node **at = &x->buckets[n->hash & (x->bucket_count - 1)];
    while (*at != n) at = &(*at)->chain;
    *at = n->chain;
    unlink_node(x, n);
    x->count--;
    if (n->parent) n->parent->children--;
    for (uint32_t g = 0; g < c->groups; g++)
        if (n->pages[g]) page_index(c, g, n->pages[g], false);
    memory_free(c->account, n);
    shrink(c);
}

void prefix_clear(cache *c) {
    while (c->index.oldest) drop(c, c->index.oldest);
}

/* ---- remembering ---- */

/* Page number `page` of the sequence and its node become one. */
static void join(cache *c, prefix_node *n, cache_sequence *s, uint32_t page) {
    for (uint32_t g = 0; g < c->groups; g++) {
        cache_list *l = &s->lists[g];
        if (page >= l->count || !l->pages[page] || l->pages[page] == n->pages[g]) continue;
        if (!cache_keeps(&c->pools[g], page)) continue;
        if (!n->pages[g]) {
            if (l->pages[page]->indexed) continue; /* under another name */
            n->pages[g] = l->pages[page];
            page_index(c, g, n->pages[g], true);
            continue;
        }
        page_hold(c, g, n->pages[g]);
        page_give(c, g, l->pages[page]);
        l->pages[page] = n->pages[g];
        l->data[page] = n->pages[g]->data;
    }
}

void cache_remember(cache *c, uint64_t space, const int32_t *tokens, uint32_t count, cache_sequence *s) {
    prefix_node *parent = NULL;
    uint64_t hash = seed_of(space);
    for (uint32_t page = 0; page < count / CACHE_PAGE; page++) {
        const int32_t *part = tokens + page * CACHE_PAGE;
        hash = hash_of(hash, part);
        prefix_node *n = find(&c->index, parent, space, hash, part);
        if (!n) n = add(c, parent, space, hash, part);
        if (!n) break;
        join(c, n, s, page);
        parent = n;
    }
    use(c, parent);
}

/* ---- recalling ---- */

/* How many pages of the path to `last`, `depth` long, serve a query behind them: the most for which no group misses
   what it sees. */
static uint32_t usable(const cache *c, const prefix_node *last, uint32_t depth) {
    const prefix_node *end = last;
    for (uint32_t most = depth; most > 0; most--, end = end->parent) {
        bool whole = true;
        for (uint32_t g = 0; g < c->groups && whole; g++) {
            uint32_t first = cache_first_page(&c->pools[g], most * CACHE_PAGE), page = most;
            for (const prefix_node *n = end; page > first && whole; n = n->parent, page--) whole = n->pages[g] != NULL;
        }
        if (whole) return most;
    }
    return 0;
}

static bool take(cache *c, const prefix_node *end, uint32_t pages, cache_sequence *s) {
    for (uint32_t g = 0; g < c->groups; g++)
        if (!cache_list_reserve(c, s, g, pages)) return false;
    for (uint32_t g = 0; g < c->groups; g++) {
        cache_list *l = &s->lists[g];
        uint32_t first = cache_first_page(&c->pools[g], pages * CACHE_PAGE), i = pages;
        for (const prefix_node *n = end; n; n = n->parent) {
            cache_page *page = --i >= first ? n->pages[g] : NULL, *had = i < l->count ? l->pages[i] : NULL;
            if (page) page_hold(c, g, page);
            if (had) page_give(c, g, had);
            l->pages[i] = page;
            l->data[i] = page ? page->data : NULL;
        }
        l->count = pages;
        l->from = first;
    }
    return true;
}

uint32_t cache_recall(cache *c, uint64_t space, const int32_t *tokens, uint32_t have, uint32_t most,
                      cache_sequence *s) {
    prefix_node *last = NULL;
    uint64_t hash = seed_of(space);
    uint32_t depth = 0;
    for (; depth < most / CACHE_PAGE; depth++) {
        const int32_t *part = tokens + depth * CACHE_PAGE;
        hash = hash_of(hash, part);
        prefix_node *n = find(&c->index, last, space, hash, part);
        if (!n) break;
        last = n;
    }
    use(c, last);
    if (depth * CACHE_PAGE <= have) return have;
    uint32_t pages = usable(c, last, depth);
    if (pages * CACHE_PAGE <= have) return have;
    for (; depth > pages; depth--) last = last->parent;
    cache_truncate(c, s, pages * CACHE_PAGE);
    return take(c, last, pages, s) ? pages * CACHE_PAGE : have;
}

/* ---- forgetting ---- */

static bool frees(const cache *c, const prefix_node *n) {
    for (uint32_t g = 0; g < c->groups; g++)
        if (n->pages[g] && n->pages[g]->lists == 0) return true;
    return false;
}

static prefix_node *oldest(const cache *c) {
    for (prefix_node *n = c->index.oldest; n; n = n->newer)
        if (n->children == 0 && frees(c, n)) return n;
    return NULL;
}

uint64_t cache_oldest(const cache *c) {
    const prefix_node *n = oldest(c);
    return n ? n->used : UINT64_MAX;
}

bool cache_forget(cache *c, bool held) {
    prefix_node *n = oldest(c);
    if (!n && held) n = c->index.oldest; /* has no children: none is older */
    if (n) drop(c, n);
    return n != NULL;
}

uint64_t prefix_bytes(uint32_t groups, uint64_t nodes) {
    uint64_t buckets = FEWEST_BUCKETS;
    while (buckets < nodes) buckets *= 2;
    return nodes * (sizeof(prefix_node) + groups * sizeof(cache_page *)) + buckets * sizeof(prefix_node *);
}
