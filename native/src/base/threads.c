// SPDX-License-Identifier: Apache-2.0
/*
 * How the threads agree. Every phase of every run has a serial number; `current` holds the serial of the phase that is
 * open and its place in the list. Each thread has a cursor: the serial of the phase that it was last used in, and the
 * next chunk of that thread's share. Taking chunks is one compare-and-swap of a cursor, its owner's or a thief's alike.
 * A cursor of an older serial stands for "nothing taken yet", so nothing is reset between phases.
 *
 * The thread that finishes a phase's last chunk opens the next one. Nobody else is waited for: a thread that sleeps
 * inside this code wakes up with old values, its swap fails (the phase that it thinks of could not end before all
 * cursors had moved on), and it looks at `current` again. It may read a list entry that is being replaced: entries are
 * released after `current` has changed and read before `current` is looked at once more, so that a mixture is always
 * noticed.
 */
#include "base/threads.h"

#include <string.h>

#include "base/cgroup.h"
#include "base/math.h"
#include "base/os.h"

enum { THREADS_LIMIT = 1024, SPIN_NS = 50000 };

/* As threads_phase, readable while it is being replaced. */
typedef struct slot {
    _Atomic(threads_work) work;
    _Atomic(void *) context;
    _Atomic uint32_t chunks, grain;
} slot;

typedef struct worker {
    _Alignas(64) _Atomic uint64_t cursor; /* serial << 32 | next chunk */
    _Alignas(64) _Atomic uint64_t waited_ns;
    threads_pool *pool;
    uint32_t index;
    os_thread thread;
} worker;

/* Words on which threads sleep. */
typedef struct bell {
    _Alignas(64) _Atomic uint32_t rings;
    _Atomic uint32_t sleepers;
} bell;

struct threads_pool {
    _Alignas(64) _Atomic uint64_t current; /* serial << 32 | place + 1; the low half is 0 while no phase is open */
    _Alignas(64) _Atomic uint32_t done;    /* chunks of the open phase */
    bell workers_bell, caller_bell;
    _Atomic uint32_t slots_used;
    uint32_t count, started, max_phases, spin_ns;
    _Atomic bool closing;
    uint32_t stamped; /* the caller's: serial >> 24 when cursors were last brought up to date */
    slot *slots;
    worker workers[];
};

static inline void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static void bell_ring(bell *b) {
    if (atomic_load(&b->sleepers) == 0) return;
    atomic_fetch_add(&b->rings, 1);
    os_wake_all(&b->rings);
}

/* Returns the first `current` that is not `seen`. Sequentially consistent throughout: either the sleeper sees the new
   word or who wrote it sees the sleeper. */
static uint64_t wait_for_change(threads_pool *pool, worker *self, uint64_t seen) {
    uint64_t now = atomic_load_explicit(&pool->current, memory_order_acquire);
    if (now != seen) return now;
    bool inside = (uint32_t)seen != 0 || self->index == 0;
    uint64_t start = os_clock_ns(), spent = 0;
    while (spent < pool->spin_ns) {
        for (int i = 0; i < 32 && now == seen; i++) {
            relax();
            now = atomic_load_explicit(&pool->current, memory_order_acquire);
        }
        spent = os_clock_ns() - start;
        if (now != seen) break;
    }
    if (now == seen) {
        bell *b = self->index == 0 ? &pool->caller_bell : &pool->workers_bell;
        atomic_fetch_add(&b->sleepers, 1);
        for (;;) {
            uint32_t rings = atomic_load(&b->rings);
            now = atomic_load(&pool->current);
            if (now != seen || atomic_load(&pool->closing)) break;
            os_wait(&b->rings, rings);
        }
        atomic_fetch_sub(&b->sleepers, 1);
        spent = os_clock_ns() - start;
    }
    if (inside) atomic_fetch_add_explicit(&self->waited_ns, spent, memory_order_relaxed);
    return now;
}

/* Publishes `current`. An exchange rather than a store: it must not pass the look for sleepers that follows, and there
   are emulators of ARM that let a later load pass even a sequentially consistent store. */
static void publish(threads_pool *pool, uint64_t word) { (void)atomic_exchange(&pool->current, word); }

/* Opens the first phase at or after `place` that has chunks, or ends the run. Called by one thread at a time. */
static void open_phase(threads_pool *pool, uint32_t serial, uint32_t place) {
    uint32_t used = atomic_load_explicit(&pool->slots_used, memory_order_relaxed);
    while (place < used && atomic_load_explicit(&pool->slots[place].chunks, memory_order_relaxed) == 0) place++;
    if (place == used) {
        publish(pool, (uint64_t)serial << 32);
        bell_ring(&pool->caller_bell);
        return;
    }
    slot *s = &pool->slots[place];
    /* A phase of one piece is for who is awake. Read before the phase is opened: afterwards the list may change. */
    bool many = atomic_load_explicit(&s->chunks, memory_order_relaxed) >
        atomic_load_explicit(&s->grain, memory_order_relaxed);
    atomic_store_explicit(&pool->done, 0, memory_order_relaxed);
    publish(pool, (uint64_t)serial << 32 | (place + 1));
    if (!many) return;
    bell_ring(&pool->caller_bell);
    bell_ring(&pool->workers_bell);
}

/* The first chunk of thread t's share. Shares differ by one at most. */
static inline uint32_t share_begin(uint32_t chunks, uint32_t count, uint32_t t) {
    return (uint32_t)(((uint64_t)chunks * t + count - 1) / count);
}

/* How many of so many chunks to take: less towards a share's end, so that threads end together; two at least, since
   there is work that goes better in pairs. */
static inline uint32_t piece_of(uint32_t left, uint32_t grain) {
    uint32_t half = (left / 2) & ~1u, piece = half < grain ? half : grain;
    if (piece < 2) piece = grain < 2 ? grain : 2;
    return piece < left ? piece : left;
}

/* Takes up to `grain` chunks of a share; false when nothing is left of it, or the phase is over. */
static bool take(_Atomic uint64_t *cursor, uint32_t serial, uint32_t first, uint32_t end, uint32_t grain,
                 uint32_t *taken, uint32_t *taken_end) {
    uint64_t old = atomic_load_explicit(cursor, memory_order_relaxed);
    for (;;) {
        int32_t age = (int32_t)(serial - (uint32_t)(old >> 32));
        if (age < 0) return false;
        uint32_t begin = age == 0 ? (uint32_t)old : first;
        if (begin >= end) return false;
        uint32_t stop = begin + piece_of(end - begin, grain);
        uint64_t next = (uint64_t)serial << 32 | stop;
        if (atomic_compare_exchange_weak_explicit(cursor, &old, next, memory_order_acq_rel, memory_order_relaxed)) {
            *taken = begin;
            *taken_end = stop;
            return true;
        }
    }
}

/* Reads the entry of the phase that `word` names; false if another phase has been opened meanwhile. */
static bool read_slot(threads_pool *pool, uint64_t word, threads_phase *phase) {
    slot *s = &pool->slots[(uint32_t)word - 1];
    phase->work = atomic_load_explicit(&s->work, memory_order_acquire);
    phase->context = atomic_load_explicit(&s->context, memory_order_acquire);
    phase->chunks = atomic_load_explicit(&s->chunks, memory_order_acquire);
    phase->grain = atomic_load_explicit(&s->grain, memory_order_acquire);
    return atomic_load_explicit(&pool->current, memory_order_acquire) == word;
}

/* Computes what there is to take in the open phase; true if that was the phase's end. */
static bool work_on(threads_pool *pool, uint32_t thread, uint64_t word) {
    threads_phase phase;
    if (!read_slot(pool, word, &phase)) return false;
    uint32_t serial = (uint32_t)(word >> 32), count = pool->count, finished = 0, begin, end;
    for (uint32_t i = 0, owner = thread; i < count; i++, owner = owner + 1 == count ? 0 : owner + 1) {
        uint32_t first = share_begin(phase.chunks, count, owner), last = share_begin(phase.chunks, count, owner + 1);
        while (take(&pool->workers[owner].cursor, serial, first, last, phase.grain, &begin, &end)) {
            phase.work(phase.context, begin, end, thread);
            finished += end - begin;
        }
    }
    if (finished == 0) return false;
    return atomic_fetch_add_explicit(&pool->done, finished, memory_order_acq_rel) + finished == phase.chunks;
}

/* Works on phases until none is open, beginning with `word`; returns the last word. */
static uint64_t follow(threads_pool *pool, worker *self, uint64_t word) {
    while ((uint32_t)word != 0) {
        if (work_on(pool, self->index, word)) {
            open_phase(pool, (uint32_t)(word >> 32) + 1, (uint32_t)word);
            word = atomic_load_explicit(&pool->current, memory_order_acquire);
        } else {
            word = wait_for_change(pool, self, word);
            if (atomic_load_explicit(&pool->closing, memory_order_relaxed)) break;
        }
    }
    return word;
}

static void worker_main(void *context) {
    worker *self = context;
    threads_pool *pool = self->pool;
    math_environment environment = math_environment_enter();
    uint64_t word = 0;
    while (!atomic_load(&pool->closing)) {
        word = follow(pool, self, word);
        word = wait_for_change(pool, self, word);
    }
    math_environment_leave(environment);
}

/* A cursor that no phase touched for 2^31 serials would look as if it were ahead: long before, all are moved on. */
static void stamp_cursors(threads_pool *pool, uint32_t serial) {
    if (pool->stamped == serial >> 24) return;
    pool->stamped = serial >> 24;
    for (uint32_t i = 0; i < pool->count; i++) {
        _Atomic uint64_t *cursor = &pool->workers[i].cursor;
        uint64_t old = atomic_load(cursor);
        while (!atomic_compare_exchange_weak(cursor, &old, (uint64_t)serial << 32 | UINT32_MAX)) {}
    }
}

static void run_list(threads_pool *pool, const threads_phase *phases, uint32_t count) {
    worker *self = &pool->workers[0];
    uint32_t serial = (uint32_t)(atomic_load_explicit(&pool->current, memory_order_relaxed) >> 32);
    stamp_cursors(pool, serial);
    for (uint32_t i = 0; i < count; i++) {
        slot *s = &pool->slots[i];
        atomic_store_explicit(&s->work, phases[i].work, memory_order_release);
        atomic_store_explicit(&s->context, phases[i].context, memory_order_release);
        atomic_store_explicit(&s->chunks, phases[i].chunks, memory_order_release);
        atomic_store_explicit(&s->grain, phases[i].grain ? phases[i].grain : 1, memory_order_release);
    }
    atomic_store_explicit(&pool->slots_used, count, memory_order_relaxed);
    open_phase(pool, serial + 1, 0);
    follow(pool, self, atomic_load_explicit(&pool->current, memory_order_acquire));
}

static void run_alone(const threads_phase *phases, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const threads_phase *p = &phases[i];
        uint32_t grain = p->grain ? p->grain : 1;
        for (uint32_t begin = 0; begin < p->chunks;) {
            uint32_t end = p->chunks - begin > grain ? begin + grain : p->chunks;
            p->work(p->context, begin, end, 0);
            begin = end;
        }
    }
}

void threads_run(threads_pool *pool, const threads_phase *phases, uint32_t count) {
    math_environment environment = math_environment_enter();
    if (pool->count == 1) {
        run_alone(phases, count);
    } else {
        for (uint32_t i = 0; i < count; i += pool->max_phases) {
            uint32_t part = count - i < pool->max_phases ? count - i : pool->max_phases;
            run_list(pool, phases + i, part);
            if (count - i <= pool->max_phases) break;
        }
    }
    math_environment_leave(environment);
}

/* Spinning helps only where every thread has a processor, and time that a quota counts is not to be thrown away. */
static uint32_t spin_time(uint32_t count) {
    uint32_t processors = cgroup_threads(threads_hardware_count(), cgroup_quota_read(""));
    return count <= processors ? SPIN_NS : 0;
}

static size_t pool_bytes(uint32_t count) { return sizeof(threads_pool) + count * sizeof(worker); }

uint64_t threads_bytes(uint32_t count, uint32_t max_phases) {
    return pool_bytes(count) + (max_phases ? max_phases : 1) * sizeof(slot);
}

puna_status threads_create(memory_account *account, uint32_t count, uint32_t max_phases, threads_pool **out,
                           puna_error *error) {
    *out = NULL;
    if (count < 1 || count > THREADS_LIMIT) {
        return error_set(error, PUNA_INVALID_ARGUMENT, "threads", "threads is %u; it must be 1 to %u", (unsigned)count,
                         (unsigned)THREADS_LIMIT);
    }
    if (max_phases == 0) max_phases = 1;
    size_t bytes = pool_bytes(count);
    threads_pool *pool = memory_new(account, bytes);
    if (!pool) return error_memory(error, "the thread pool", bytes);
    pool->slots = memory_array(account, max_phases, sizeof(slot));
    if (!pool->slots) {
        memory_free(account, pool);
        return error_memory(error, "the thread pool", (uint64_t)max_phases * sizeof(slot));
    }
    pool->count = count;
    pool->max_phases = max_phases;
    pool->spin_ns = spin_time(count);
    pool->started = 1;
    for (uint32_t i = 0; i < count; i++) {
        worker *w = &pool->workers[i];
        w->pool = pool;
        w->index = i;
        if (i == 0) continue;
        if (!os_thread_start(&w->thread, worker_main, w)) {
            threads_destroy(account, pool);
            return error_set(error, PUNA_OUT_OF_MEMORY, "threads",
                             "the system refused to start thread %u of %u; ask for fewer threads", (unsigned)i + 1,
                             (unsigned)count);
        }
        pool->started++;
    }
    *out = pool;
    return PUNA_OK;
}

void threads_destroy(memory_account *account, threads_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->closing, true);
    atomic_fetch_add(&pool->current, UINT64_C(1) << 32); /* whoever spins sees a new word, with no phase open */
    atomic_fetch_add(&pool->workers_bell.rings, 1);
    os_wake_all(&pool->workers_bell.rings);
    for (uint32_t i = 1; i < pool->started; i++) os_thread_join(pool->workers[i].thread);
    memory_free(account, pool->slots);
    memory_free(account, pool);
}

uint32_t threads_count(const threads_pool *pool) { return pool->count; }

uint64_t threads_waited_ns(const threads_pool *pool) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        sum += atomic_load_explicit(&((threads_pool *)pool)->workers[i].waited_ns, memory_order_relaxed);
    }
    return sum;
}

uint32_t threads_hardware_count(void) {
    uint64_t mask[OS_MASK_WORDS];
    return os_affinity(mask);
}

uint32_t threads_core_count(void) {
    uint64_t mask[OS_MASK_WORDS];
    uint32_t processors = os_affinity(mask), cores = os_physical_cores();
    if (cores == 0) cores = cgroup_count_cores("", mask, OS_MASK_WORDS);
    return cores < processors ? cores : processors;
}

uint32_t threads_default_count(void) { return cgroup_threads(threads_core_count(), cgroup_quota_read("")); }
