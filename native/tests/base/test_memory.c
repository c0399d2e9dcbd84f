// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include "base/error.h"
#include "testing.h"

static bool all_zero(const void *block, size_t bytes) {
    const uint8_t *b = block;
    for (size_t i = 0; i < bytes; i++) {
        if (b[i]) return false;
    }
    return true;
}

static void blocks_are_zeroed_aligned_and_counted(void) {
    static const size_t sizes[] = { 0, 1, 63, 64, 65, 4096, 1000003 };
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    memory_account account;
    memory_account_init(&account);
    void *blocks[COUNT], *other = memory_new(NULL, 77);
    uint64_t sum = 0, before = memory_used_by_all();
    CHECK(before >= 77);
    for (size_t i = 0; i < COUNT; i++) {
        blocks[i] = memory_new(&account, sizes[i]);
        NEED(blocks[i]);
        CHECK_EQUAL((uintptr_t)blocks[i] % 64, 0);
        CHECK(all_zero(blocks[i], sizes[i]));
        memset(blocks[i], 0xA5, sizes[i]);
        sum += sizes[i] ? sizes[i] : 1;
        CHECK_EQUAL(memory_used(&account), sum);
        CHECK_EQUAL(memory_used_by_all(), before + sum);
    }
    for (size_t i = 0; i < COUNT; i++) memory_free(&account, blocks[i]);
    CHECK_EQUAL(memory_used_by_all(), before);
    memory_free(NULL, other);
    CHECK_EQUAL(memory_used_by_all(), before - 77);
    memory_free(&account, NULL);
    CHECK_EQUAL(memory_used(&account), 0);
    CHECK_EQUAL(atomic_load(&account.peak), sum);
}

static void growing_keeps_and_zeroes(void) {
    memory_account account;
    memory_account_init(&account);
    uint8_t *block = memory_grow(&account, NULL, 10);
    NEED(block);
    memset(block, 7, 10);
    block = memory_grow(&account, block, 5000);
    NEED(block);
    for (int i = 0; i < 10; i++) CHECK_EQUAL(block[i], 7);
    CHECK(all_zero(block + 10, 4990));
    CHECK(memory_grow(&account, block, 100) == block);
    CHECK_EQUAL(memory_used(&account), 5000);
    CHECK(memory_grow(&account, block, SIZE_MAX - 8) == NULL);
    CHECK_EQUAL(block[9], 7);
    memory_free(&account, block);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void sizes_that_overflow_are_refused(void) {
    memory_account account;
    memory_account_init(&account);
    size_t result;
    CHECK(memory_array(&account, SIZE_MAX / 2, 3) == NULL);
    CHECK(memory_new(&account, SIZE_MAX) == NULL);
    CHECK(memory_pages_new(&account, SIZE_MAX) == NULL);
    CHECK(!memory_multiply(SIZE_MAX / 2 + 1, 2, &result));
    CHECK(memory_multiply(SIZE_MAX / 2, 2, &result) && result == SIZE_MAX - 1);
    CHECK(!memory_add(SIZE_MAX, 1, &result));
    CHECK(memory_add(SIZE_MAX - 1, 1, &result) && result == SIZE_MAX);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void pages_are_zeroed_and_writable(void) {
    static const size_t sizes[] = { 1, 5000, (2u << 20) - 1, 2u << 20, (5u << 20) + 123 };
    memory_account account;
    memory_account_init(&account);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *pages = memory_pages_new(&account, sizes[i]);
        NEED(pages);
        CHECK_EQUAL(memory_used(&account), sizes[i]);
        CHECK_EQUAL((uintptr_t)pages % 4096, 0);
#if !defined(_WIN32)
        if (sizes[i] >= 2u << 20) CHECK_EQUAL((uintptr_t)pages % (2u << 20), 0);
#endif
        CHECK(all_zero(pages, sizes[i]));
        memset(pages, 1, sizes[i]);
        memory_pages_free(&account, pages, sizes[i]);
        CHECK_EQUAL(memory_used(&account), 0);
    }
    memory_pages_free(&account, NULL, 5);
}

/* Fails the allocation of a given number. */
typedef struct countdown { int left, seen; } countdown;

static bool fails_at(void *context, size_t bytes) {
    countdown *c = context;
    (void)bytes;
    c->seen++;
    return c->left-- != 0;
}

/* A small piece of code of the usual kind: either all of it or nothing. */
static bool three_things(memory_account *account) {
    void *a = memory_new(account, 100), *b = memory_array(account, 10, 10), *c = memory_pages_new(account, 100);
    void *grown = a ? memory_grow(account, a, 300) : NULL;
    if (grown) a = grown;
    bool whole = a && b && c && grown;
    memory_free(account, a);
    memory_free(account, b);
    memory_pages_free(account, c, 100);
    return whole;
}

static void each_allocation_can_fail(void) {
    memory_account account;
    memory_account_init(&account);
    int failed = 0;
    for (int i = 0; i < 4; i++) {
        countdown c = { .left = i };
        memory_set_gate(fails_at, &c);
        if (!three_things(&account)) failed++;
        CHECK(c.seen > i);
        CHECK_EQUAL(memory_used(&account), 0);
    }
    countdown never = { .left = -1 };
    memory_set_gate(fails_at, &never);
    CHECK(three_things(&account));
    CHECK_EQUAL(never.seen, 4);
    memory_set_gate(NULL, NULL);
    CHECK_EQUAL(failed, 4);
    CHECK(three_things(&account));
    CHECK_EQUAL(memory_used(&account), 0);
}

static void errors_say_how_much(void) {
    puna_error error = PUNA_ERROR_INIT;
    CHECK_EQUAL(error_memory(&error, "the cache", UINT64_C(3) << 30), PUNA_OUT_OF_MEMORY);
    CHECK_EQUAL(error.needed, UINT64_C(3) << 30);
    CHECK(error.available > 0);
    CHECK(strstr(error.message, "the cache") && strstr(error.message, "3.0 GiB"));
    CHECK_EQUAL(error_memory(NULL, "x", 1), PUNA_OUT_OF_MEMORY);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(blocks_are_zeroed_aligned_and_counted);
    TEST(growing_keeps_and_zeroes);
    TEST(sizes_that_overflow_are_refused);
    TEST(pages_are_zeroed_and_writable);
    TEST(each_allocation_can_fail);
    TEST(errors_say_how_much);
    return testing_end();
}
