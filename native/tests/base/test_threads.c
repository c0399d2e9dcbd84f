// SPDX-License-Identifier: Apache-2.0
#include "base/os.h"
#include "base/threads.h"
#include "testing.h"

static memory_account account;

static void setup(threads_pool **pool, uint32_t count, uint32_t phases) {
    puna_error error = PUNA_ERROR_INIT;
    memory_account_init(&account);
    CHECK_EQUAL(threads_create(&account, count, phases, pool, &error), PUNA_OK);
}

static void teardown(threads_pool *pool) {
    threads_destroy(&account, pool);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void pause_ms(uint32_t ms) {
    _Atomic uint32_t word = 0;
    uint64_t end = os_clock_ns() + (uint64_t)ms * 1000000u;
    while (os_clock_ns() < end) (void)atomic_load(&word);
}

/* Each chunk of phase p adds up what the chunks of phase p - 1 wrote: wrong unless every phase saw all of the one
   before. */
enum { WIDTH = 61 };

typedef struct link {
    const uint64_t *from;
    uint64_t *to;
    uint32_t from_count;
    uint32_t max_grain;
    _Atomic uint32_t wrong;
} link;

static void chain(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    link *l = context;
    (void)thread;
    if (end <= begin || end - begin > l->max_grain) atomic_fetch_add(&l->wrong, 1);
    for (uint32_t i = begin; i < end; i++) {
        uint64_t sum = i;
        for (uint32_t j = 0; j < l->from_count; j++) sum = sum * 31 + l->from[j];
        l->to[i] += sum; /* a chunk computed twice is seen */
    }
}

static void phases_follow_one_another(void) {
    enum { PHASES = 40, ROUNDS = 60 };
    static uint64_t memory[PHASES + 1][WIDTH], right[PHASES + 1][WIDTH];
    static link links[PHASES];
    for (uint32_t threads = 1; threads <= 5; threads++) {
        threads_pool *pool = NULL;
        setup(&pool, threads, 16); /* lists longer than the pool's are cut */
        NEED(pool);
        CHECK_EQUAL(threads_count(pool), threads);
        for (int round = 0; round < ROUNDS; round++) {
            threads_phase list[PHASES];
            memset(memory, 0, sizeof memory);
            memset(right, 0, sizeof right);
            uint32_t last = 0;
            const uint64_t *from = memory[0], *right_from = right[0];
            for (uint32_t p = 0; p < PHASES; p++) {
                uint32_t chunks = testing_below(4) == 0 ? testing_below(2) : testing_below(WIDTH + 1);
                uint32_t grain = testing_below(5);
                links[p].from = from;
                links[p].to = memory[p + 1];
                links[p].from_count = last;
                links[p].max_grain = grain ? grain : 1;
                atomic_store(&links[p].wrong, 0);
                list[p] = (threads_phase){ chain, &links[p], chunks, grain };
                for (uint32_t i = 0; i < chunks; i++) {
                    uint64_t sum = i;
                    for (uint32_t j = 0; j < last; j++) sum = sum * 31 + right_from[j];
                    right[p + 1][i] = sum;
                }
                if (chunks) {
                    from = memory[p + 1];
                    right_from = right[p + 1];
                    last = chunks;
                }
            }
            threads_run(pool, list, PHASES);
            CHECK(memcmp(memory, right, sizeof memory) == 0);
            for (uint32_t p = 0; p < PHASES; p++) CHECK_EQUAL(atomic_load(&links[p].wrong), 0);
            if (testing_below(20) == 0) pause_ms(1); /* lets workers park now and then */
        }
        teardown(pool);
    }
}

/* Runs follow each other as quickly as they can, with lists that change: sleeping threads wake up into later runs. */
static void add_one(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    (void)thread;
    for (uint32_t i = begin; i < end; i++) ((_Atomic uint32_t *)context)[i]++;
}

static void many_short_runs(void) {
    static _Atomic uint32_t counts[2][8];
    threads_pool *pool = NULL;
    setup(&pool, 4, 4);
    NEED(pool);
    uint32_t expected[2][8] = { { 0 } };
    memset((void *)counts, 0, sizeof counts);
    for (int run = 0; run < 20000; run++) {
        threads_phase list[4];
        uint32_t count = 1 + testing_below(4);
        for (uint32_t p = 0; p < count; p++) {
            uint32_t which = testing_below(2), chunks = testing_below(9);
            list[p] = (threads_phase){ add_one, (void *)counts[which], chunks, 1 + testing_below(3) };
            for (uint32_t i = 0; i < chunks; i++) expected[which][i]++;
        }
        threads_run(pool, list, count);
    }
    for (int w = 0; w < 2; w++) {
        for (int i = 0; i < 8; i++) CHECK_EQUAL(atomic_load(&counts[w][i]), expected[w][i]);
    }
    teardown(pool);
}

/* Thread 1 is held inside a chunk until all others are done: they must be taken over by the other threads, which wait
   in their first chunk until it is there. Times out instead of hanging. */
typedef struct stall {
    _Atomic uint32_t done, held;
    _Atomic bool late;
    uint32_t chunks;
} stall;

static void wait_until(stall *s, _Atomic uint32_t *value, uint32_t least) {
    uint64_t limit = os_clock_ns() + UINT64_C(20000000000);
    while (atomic_load(value) < least && !atomic_load(&s->late)) {
        if (os_clock_ns() > limit) atomic_store(&s->late, true);
    }
}

static void hold_first(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    stall *s = context;
    if (thread != 1) wait_until(s, &s->held, 1);
    else if (atomic_exchange(&s->held, 1) == 0) wait_until(s, &s->done, s->chunks - (end - begin));
    atomic_fetch_add(&s->done, end - begin);
}

static void a_held_thread_delays_only_its_chunk(void) {
    threads_pool *pool = NULL;
    setup(&pool, 3, 2);
    NEED(pool);
    for (int i = 0; i < 50; i++) {
        stall s = { .chunks = 90 };
        threads_run(pool, &(threads_phase){ hold_first, &s, s.chunks, 1 }, 1);
        CHECK(!atomic_load(&s.late));
        CHECK_EQUAL(atomic_load(&s.done), s.chunks);
        CHECK_EQUAL(atomic_load(&s.held), 1);
    }
    teardown(pool);
}

/* No spinning: with four times the cores' number of threads it would take for ever. */
static void more_threads_than_cores(void) {
    static _Atomic uint32_t counts[64];
    uint32_t threads = threads_hardware_count() * 4;
    threads_pool *pool = NULL;
    setup(&pool, threads, 64);
    NEED(pool);
    threads_phase list[64];
    for (uint32_t p = 0; p < 64; p++) list[p] = (threads_phase){ add_one, (void *)counts, 64, 2 };
    uint64_t start = os_clock_ns();
    for (int run = 0; run < 20; run++) threads_run(pool, list, 64);
    CHECK(os_clock_ns() - start < UINT64_C(20000000000));
    for (int i = 0; i < 64; i++) CHECK_EQUAL(atomic_load(&counts[i]), 64 * 20);
    teardown(pool);
}

static void refuses_nonsense(void) {
    threads_pool *pool = NULL;
    puna_error error = PUNA_ERROR_INIT;
    memory_account_init(&account);
    CHECK_EQUAL(threads_create(&account, 0, 1, &pool, &error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "threads is 0"));
    CHECK_EQUAL(threads_create(&account, 100000, 1, &pool, &error), PUNA_INVALID_ARGUMENT);
    CHECK(pool == NULL);
    CHECK_EQUAL(memory_used(&account), 0);
    threads_destroy(&account, NULL);
}

static void counts_are_sane(void) {
    uint32_t hardware = threads_hardware_count(), cores = threads_core_count(), normal = threads_default_count();
    CHECK(hardware >= 1);
    CHECK(cores >= 1 && cores <= hardware);
    CHECK(normal >= 1 && normal <= cores);
}

/* What one phase costs beyond its work: each thread has 3 us of it, so that all must come. Printed, not judged, since
   the machine may be busy. */
enum { BUSY_NS = 3000 };

static void busy(void *context, uint32_t begin, uint32_t end, uint32_t thread) {
    (void)context, (void)thread;
    for (uint32_t i = begin; i < end; i++) {
        uint64_t stop = os_clock_ns() + BUSY_NS;
        while (os_clock_ns() < stop) {}
    }
}

static void overhead_is_printed(void) {
    enum { PHASES = 300, ROUNDS = 60 };
    static threads_phase list[PHASES];
    for (uint32_t threads = 1; threads <= 4; threads *= 2) {
        threads_pool *pool = NULL;
        setup(&pool, threads, PHASES);
        NEED(pool);
        for (uint32_t p = 0; p < PHASES; p++) list[p] = (threads_phase){ busy, NULL, threads, 1 };
        uint64_t best = UINT64_MAX;
        for (int round = 0; round < ROUNDS; round++) {
            uint64_t start = os_clock_ns();
            threads_run(pool, list, PHASES);
            uint64_t spent = os_clock_ns() - start;
            if (spent < best) best = spent;
        }
        printf("    %u threads: %.0f ns a phase beyond its %d ns of work, at best; %.0f us waited in all\n",
               (unsigned)threads, (double)best / PHASES - BUSY_NS, BUSY_NS, (double)threads_waited_ns(pool) * 1e-3);
        teardown(pool);
    }
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(phases_follow_one_another);
    TEST(many_short_runs);
    TEST(a_held_thread_delays_only_its_chunk);
    TEST(more_threads_than_cores);
    TEST(refuses_nonsense);
    TEST(counts_are_sane);
    TEST(overhead_is_printed);
    return testing_end();
}
