// SPDX-License-Identifier: Apache-2.0
#include "cache/cache.h"
#include "testing.h"

static const size_t page_bytes[2] = {4096, 1024};
static const cache_group groups[2] = {{.page_bytes = 4096}, {.page_bytes = 1024}};

typedef struct bed {
    memory_account account;
    cache *cache;
    puna_error error;
} bed;

static bool setup(bed *b, uint64_t budget) {
    memset(b, 0, sizeof *b);
    memory_account_init(&b->account);
    b->error.size = sizeof b->error;
    return cache_create(&b->account, groups, 2, budget, &b->cache, &b->error) == PUNA_OK;
}

static void teardown(bed *b) {
    CHECK_EQUAL(cache_used(b->cache), 0);
    cache_destroy(b->cache);
    CHECK_EQUAL(memory_used(&b->account), 0);
}

static void pages_come_on_demand_and_go(void) {
    bed b;
    NEED(setup(&b, 1 << 20));
    cache_sequence s;
    NEED(cache_sequence_init(b.cache, &s, &b.error) == PUNA_OK);
    CHECK_EQUAL(cache_used(b.cache), 0);
    NEED(cache_extend(b.cache, &s, 1, 0, &b.error) == PUNA_OK);
    CHECK_EQUAL(s.lists[0].count, 1);
    CHECK_EQUAL(cache_used(b.cache), 5120);
    NEED(cache_extend(b.cache, &s, 64, 1, &b.error) == PUNA_OK);
    CHECK_EQUAL(s.lists[0].count, 1);
    NEED(cache_extend(b.cache, &s, 65, 64, &b.error) == PUNA_OK);
    CHECK_EQUAL(s.lists[1].count, 2);
    CHECK(s.data[0] == s.lists[0].data);
    cache_truncate(b.cache, &s, 64);
    CHECK_EQUAL(s.lists[0].count, 1);
    cache_sequence_release(b.cache, &s);
    teardown(&b);
}

static void the_budget_is_kept(void) {
    bed b;
    NEED(setup(&b, 3 * 5120));
    cache_sequence s, t;
    NEED(cache_sequence_init(b.cache, &s, &b.error) == PUNA_OK);
    NEED(cache_sequence_init(b.cache, &t, &b.error) == PUNA_OK);
    NEED(cache_extend(b.cache, &s, 128, 0, &b.error) == PUNA_OK);
    CHECK_EQUAL(cache_extend(b.cache, &t, 128, 0, &b.error), PUNA_OUT_OF_MEMORY);
    CHECK_EQUAL(t.lists[0].count, 0);
    CHECK_EQUAL(cache_used(b.cache), 2 * 5120);
    CHECK(strstr(b.error.message, "budget") != NULL);
    CHECK_EQUAL(cache_extend(b.cache, &t, 64, 0, &b.error), PUNA_OK);
    cache_sequence_release(b.cache, &s);
    cache_sequence_release(b.cache, &t);
    teardown(&b);
}

static void forks_share_until_they_write(void) {
    bed b;
    NEED(setup(&b, 1 << 20));
    cache_sequence s, t;
    NEED(cache_sequence_init(b.cache, &s, &b.error) == PUNA_OK);
    NEED(cache_sequence_init(b.cache, &t, &b.error) == PUNA_OK);
    NEED(cache_extend(b.cache, &s, 100, 0, &b.error) == PUNA_OK);
    memset(s.data[0][1], 7, page_bytes[0]);
    uint64_t alone = cache_used(b.cache);
    NEED(cache_fork(b.cache, &s, &t, 100, &b.error) == PUNA_OK);
    CHECK_EQUAL(cache_used(b.cache), alone);
    NEED(cache_extend(b.cache, &t, 101, 100, &b.error) == PUNA_OK);
    CHECK_EQUAL(cache_used(b.cache), alone + 5120); /* one page a group was copied */
    CHECK(t.data[0][0] == s.data[0][0] && t.data[0][1] != s.data[0][1]);
    CHECK_EQUAL(t.data[0][1][4095], 7);
    t.data[0][1][0] = 9;
    CHECK_EQUAL(s.data[0][1][0], 7);
    cache_sequence_release(b.cache, &s);
    CHECK_EQUAL(t.data[0][1][0], 9);
    cache_sequence_release(b.cache, &t);
    teardown(&b);
}

/* Pages of a group that somebody holds, each counted once. */
static uint64_t distinct_pages(const cache_sequence *s, int count, uint32_t group) {
    uint64_t distinct = 0;
    for (int a = 0; a < count; a++) {
        for (uint32_t p = 0; p < s[a].lists[group].count; p++) {
            bool seen = false;
            for (int c = 0; c < a && !seen; c++)
                for (uint32_t q = 0; q < s[c].lists[group].count && !seen; q++)
                    seen = s[c].data[group][q] == s[a].data[group][p];
            distinct += !seen;
        }
    }
    return distinct;
}

/* Many sequences that grow, shrink, fork and go: what is accounted is what the lists hold. */
static void accounts_hold_under_random_use(void) {
    bed b;
    NEED(setup(&b, 40 * 5120));
    cache_sequence s[6];
    for (int i = 0; i < 6; i++) NEED(cache_sequence_init(b.cache, &s[i], &b.error) == PUNA_OK);
    for (int round = 0; round < 5000; round++) {
        uint32_t i = testing_below(6), k = testing_below(6), have = s[i].lists[0].count * CACHE_PAGE;
        switch (testing_below(4)) {
        case 0: cache_truncate(b.cache, &s[i], testing_below(have + 1)); break;
        case 1:
            if (i == k) break;
            cache_truncate(b.cache, &s[k], 0);
            CHECK(cache_fork(b.cache, &s[i], &s[k], have, &b.error) == PUNA_OK);
            break;
        default: cache_extend(b.cache, &s[i], have + 1 + testing_below(200), testing_below(have + 1), &b.error);
        }
        CHECK_EQUAL(s[i].lists[0].count, s[i].lists[1].count);
        CHECK(cache_used(b.cache) <= cache_budget(b.cache));
        CHECK_EQUAL(cache_used(b.cache),
                    distinct_pages(s, 6, 0) * page_bytes[0] + distinct_pages(s, 6, 1) * page_bytes[1]);
    }
    for (int i = 0; i < 6; i++) cache_sequence_release(b.cache, &s[i]);
    teardown(&b);
}

/* A window of 100 positions: passed pages leave holes, and the index serves what a query still sees. */
/* Room for positions that come from elsewhere: as a sequence has it that computed them, and within the budget or
   none. */
static void places_hold_what_a_query_sees(void) {
    memory_account account;
    memory_account_init(&account);
    const cache_group windowed[2] = {{.page_bytes = 4096}, {.page_bytes = 1024, .window = 100}};
    puna_error error = PUNA_ERROR_INIT;
    cache *c;
    NEED(cache_create(&account, windowed, 2, 5 * 4096 + 3 * 1024, &c, &error) == PUNA_OK);
    for (uint32_t positions = 1; positions < 330; positions++) {
        cache_sequence s;
        NEED(cache_sequence_init(c, &s, &error) == PUNA_OK);
        puna_status status = cache_place(c, &s, positions, &error);
        CHECK_EQUAL(status, positions <= 320 ? PUNA_OK : PUNA_OUT_OF_MEMORY);
        CHECK_EQUAL(cache_used(c), status == PUNA_OK ? cache_seen_bytes(c, positions) : 0);
        if (status == PUNA_OK) {
            uint32_t pages = (positions + 63) / 64, holes = cache_first(c, 1, positions) / 64;
            CHECK_EQUAL(holes, positions < 100 ? 0 : (positions + 1 - 100) / 64);
            CHECK(s.lists[0].count == pages && s.lists[0].from == 0 && s.lists[1].count == pages
                  && s.lists[1].from == holes);
            for (uint32_t i = 0; i < pages; i++) CHECK(s.data[0][i] && !s.data[1][i] == (i < holes));
            CHECK(cache_reaches(c, &s, positions));
            CHECK_EQUAL(cache_extend(c, &s, positions, positions, &error), PUNA_OK);
        } else {
            CHECK(s.lists[0].count == 0 && s.lists[1].count == 0);
        }
        cache_sequence_release(c, &s);
        CHECK_EQUAL(cache_used(c), 0);
    }
    cache_destroy(c);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void windows_leave_holes(void) {
    static const cache_group two[2] = {{.page_bytes = 4096}, {.page_bytes = 1024, .window = 100}};
    bed b;
    int32_t tokens[512];
    cache_sequence s, t;
    memset(&b, 0, sizeof b);
    memory_account_init(&b.account);
    NEED(cache_create(&b.account, two, 2, 1 << 20, &b.cache, &b.error) == PUNA_OK);
    for (int i = 0; i < 512; i++) tokens[i] = i;
    NEED(cache_sequence_init(b.cache, &s, &b.error) == PUNA_OK
         && cache_sequence_init(b.cache, &t, &b.error) == PUNA_OK);
    NEED(cache_extend(b.cache, &s, 384, 0, &b.error) == PUNA_OK);
    cache_pass(b.cache, &s, 384); /* sees 285 on: page 4 is the first */
    CHECK(s.data[1][3] == NULL && s.data[1][4] != NULL && s.data[0][0] != NULL);
    CHECK_EQUAL(cache_held(b.cache), 6 * 4096 + 2 * 1024);
    CHECK(cache_reaches(b.cache, &s, 384) && !cache_reaches(b.cache, &s, 320));
    cache_remember(b.cache, 0, tokens, 384, &s);
    CHECK_EQUAL(cache_recall(b.cache, 1, tokens, 0, 500, &t), 0); /* other weights */
    CHECK_EQUAL(cache_recall(b.cache, 0, tokens, 0, 383, &t), 0); /* 320 positions would see page 3 */
    CHECK_EQUAL(cache_recall(b.cache, 0, tokens, 0, 500, &t), 384);
    CHECK(t.data[0][0] == s.data[0][0] && t.data[1][5] == s.data[1][5] && t.data[1][3] == NULL);
    cache_sequence_release(b.cache, &s);
    cache_sequence_release(b.cache, &t);
    CHECK_EQUAL(cache_held(b.cache), 0);
    while (cache_forget(b.cache, false)) {}
    teardown(&b);
}

/* States, of which each third page is kept: a sequence has the one behind it, the one before, and what is kept. */
static void states_serve_at_page_ends(void) {
    static const cache_group two[2] = {{.page_bytes = 1024}, {.page_bytes = 4096, .window = 2, .every = 3}};
    bed b;
    int32_t tokens[1024];
    cache_sequence s, t, u;
    memset(&b, 0, sizeof b);
    memory_account_init(&b.account);
    NEED(cache_create(&b.account, two, 2, 1 << 20, &b.cache, &b.error) == PUNA_OK);
    for (int i = 0; i < 1024; i++) tokens[i] = i;
    NEED(cache_sequence_init(b.cache, &s, &b.error) == PUNA_OK);
    NEED(cache_sequence_init(b.cache, &t, &b.error) == PUNA_OK);
    NEED(cache_sequence_init(b.cache, &u, &b.error) == PUNA_OK);
    CHECK_EQUAL(cache_rewound(b.cache, 130), 128);
    NEED(cache_extend(b.cache, &s, 100, 0, &b.error) == PUNA_OK);
    CHECK(s.data[1][0] == NULL && s.data[1][1] != NULL);
    cache_pass(b.cache, &s, 100);
    NEED(cache_extend(b.cache, &s, 500, 100, &b.error) == PUNA_OK);
    for (uint32_t page = 1; page < 8; page++) /* where it was, the kept ones, the last one */
        CHECK((s.data[1][page] != NULL) == (page == 1 || page == 2 || page == 5 || page == 7));
    CHECK_EQUAL(cache_count(b.cache, &s, cache_mark(b.cache)), 8 * 1024 + 4 * 4096);
    CHECK(cache_reaches(b.cache, &s, 500) && cache_reaches(b.cache, &s, 384) && !cache_reaches(b.cache, &s, 448));
    cache_remember(b.cache, 0, tokens, 500, &s);
    cache_pass(b.cache, &s, 500);
    CHECK(s.data[1][5] == NULL && s.data[1][7] != NULL);
    CHECK_EQUAL(cache_recall(b.cache, 0, tokens, 0, 499, &t), 384); /* the last one that is kept */
    CHECK(t.data[1][5] != NULL && t.data[1][2] == NULL && t.data[0][0] == s.data[0][0]);
    CHECK_EQUAL(cache_recall(b.cache, 0, tokens, 0, 383, &u), 192);
    CHECK(cache_reaches(b.cache, &u, 192));
    cache_sequence_release(b.cache, &u);
    NEED(cache_sequence_init(b.cache, &u, &b.error) == PUNA_OK);
    NEED(cache_fork(b.cache, &s, &u, 500, &b.error) == PUNA_OK && cache_reaches(b.cache, &u, 500));
    uint8_t *shared = u.data[1][7];
    NEED(cache_extend(b.cache, &u, 501, 500, &b.error) == PUNA_OK); /* its own, before it is written */
    CHECK(u.data[1][7] != shared && s.data[1][7] == shared);
    cache_sequence_release(b.cache, &s);
    cache_sequence_release(b.cache, &t);
    cache_sequence_release(b.cache, &u);
    while (cache_forget(b.cache, false)) {}
    teardown(&b);
}

static int allowed;
static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return allowed-- > 0;
}

static void every_failing_allocation_is_a_status(void) {
    for (int n = 0; n < 200; n++) {
        memory_account account;
        memory_account_init(&account);
        cache *c = NULL;
        cache_sequence s = {0}, t = {0};
        puna_error error = PUNA_ERROR_INIT;
        allowed = n;
        memory_set_gate(gate, NULL);
        puna_status status = cache_create(&account, groups, 2, 1 << 20, &c, &error);
        if (status == PUNA_OK) status = cache_sequence_init(c, &s, &error);
        if (status == PUNA_OK) status = cache_sequence_init(c, &t, &error);
        if (status == PUNA_OK) status = cache_extend(c, &s, 1000, 0, &error);
        if (status == PUNA_OK) status = cache_fork(c, &s, &t, 1000, &error);
        memory_set_gate(NULL, NULL);
        if (c) {
            if (s.lists) cache_sequence_release(c, &s);
            if (t.lists) cache_sequence_release(c, &t);
        }
        cache_destroy(c);
        CHECK_EQUAL(memory_used(&account), 0);
        if (status == PUNA_OK) {
            CHECK(n > 5);
            return;
        }
        CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
    }
    CHECK(!"a run without a failure");
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(pages_come_on_demand_and_go);
    TEST(the_budget_is_kept);
    TEST(forks_share_until_they_write);
    TEST(accounts_hold_under_random_use);
    TEST(places_hold_what_a_query_sees);
    TEST(windows_leave_holes);
    TEST(states_serve_at_page_ends);
    TEST(every_failing_allocation_is_a_status);
    return testing_end();
}
