// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

typedef struct thread_start {
    void (*body)(void *context);
    void *context;
} thread_start;

static void *thread_main(void *argument) {
    thread_start start = *(thread_start *)argument;
    os_heap_free(argument);
    start.body(start.context);
    return NULL;
}

bool os_thread_start(os_thread *thread, void (*body)(void *context), void *context) {
    thread_start *start = os_heap_new(sizeof *start, 16);
    if (!start) return false;
    *start = (thread_start){ body, context };
    pthread_t made;
    if (pthread_create(&made, NULL, thread_main, start) != 0) {
        os_heap_free(start);
        return false;
    }
    thread->handle = (uintptr_t)made;
    return true;
}

void os_thread_join(os_thread thread) { pthread_join((pthread_t)thread.handle, NULL); }

#if defined(__linux__) && !defined(PUNA_OS_NO_FUTEX)

void os_wait(_Atomic uint32_t *word, uint32_t expected) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

void os_wake_all(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0); }

#else

/* Without futexes a word waits in one of a few rooms. The waker takes the room's lock after the word has changed, so
   that a waiter either sees the change or is in the room when the others are woken. */
enum { ROOMS = 16 };
typedef struct waiting_room {
    pthread_mutex_t lock;
    pthread_cond_t woken;
} waiting_room;

#define ROOM { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER }
static waiting_room rooms[ROOMS] = { ROOM, ROOM, ROOM, ROOM, ROOM, ROOM, ROOM, ROOM,
                                     ROOM, ROOM, ROOM, ROOM, ROOM, ROOM, ROOM, ROOM };

static waiting_room *room_of(_Atomic uint32_t *word) { return &rooms[((uintptr_t)word >> 6) % ROOMS]; }

void os_wait(_Atomic uint32_t *word, uint32_t expected) {
    waiting_room *room = room_of(word);
    pthread_mutex_lock(&room->lock);
    if (atomic_load(word) == expected) pthread_cond_wait(&room->woken, &room->lock);
    pthread_mutex_unlock(&room->lock);
}

void os_wake_all(_Atomic uint32_t *word) {
    waiting_room *room = room_of(word);
    pthread_mutex_lock(&room->lock);
    pthread_cond_broadcast(&room->woken);
    pthread_mutex_unlock(&room->lock);
}

#endif

/* Sets the first `count` bits; for systems without affinity. */
static uint32_t all_processors(uint64_t mask[OS_MASK_WORDS]) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    if (count < 1) count = 1;
    if (count > OS_MASK_WORDS * 64) count = OS_MASK_WORDS * 64;
    memset(mask, 0, OS_MASK_WORDS * sizeof *mask);
    for (long i = 0; i < count; i++) mask[i / 64] |= UINT64_C(1) << (i % 64);
    return (uint32_t)count;
}

uint32_t os_affinity(uint64_t mask[OS_MASK_WORDS]) {
#if defined(__linux__)
    memset(mask, 0, OS_MASK_WORDS * sizeof *mask);
    if (sched_getaffinity(0, OS_MASK_WORDS * sizeof *mask, (cpu_set_t *)(void *)mask) == 0) {
        uint32_t count = 0;
        for (int i = 0; i < OS_MASK_WORDS; i++) count += (uint32_t)__builtin_popcountll(mask[i]);
        if (count > 0) return count;
    }
#endif
    return all_processors(mask);
}

uint32_t os_physical_cores(void) {
#if defined(__APPLE__)
    /* The fast cores alone where there are two kinds: a phase is as slow as its slowest thread. */
    int count = 0;
    size_t size = sizeof count;
    if (sysctlbyname("hw.perflevel0.physicalcpu", &count, &size, NULL, 0) == 0 && count > 0) return (uint32_t)count;
    size = sizeof count;
    if (sysctlbyname("hw.physicalcpu", &count, &size, NULL, 0) == 0 && count > 0) return (uint32_t)count;
#endif
    return 0;
}
