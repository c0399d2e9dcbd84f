// SPDX-License-Identifier: Apache-2.0
/* The guard pages guard: a byte read or written beyond a block ends a child process, within it nothing happens. */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guarded.h"
#include "testing.h"

static bool faults(volatile uint8_t *at, bool write) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGSEGV, SIG_DFL); /* the sanitizers' own handler would tell of it */
        signal(SIGBUS, SIG_DFL);
        if (write) *at = 1;
        else (void)*at;
        _exit(0);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS);
}

/* A block lies at one guard page; at which is chance, and each side comes up. */
static void what_is_beyond_faults(void) {
    int begins = 0, ends = 0;
    for (int round = 0; round < 40; round++) {
        size_t bytes = 1 + testing_below(200000);
        uint8_t *block = guarded_new(bytes, 1);
        bool write = round % 2;
        bool begin = faults(block - 1, write), end = faults(block + bytes, write);
        CHECK(begin != end || bytes % 65536 == 0);
        begins += begin;
        ends += end;
        CHECK(!faults(block, write) && !faults(block + bytes - 1, write));
        guarded_free(block);
    }
    CHECK(begins > 0 && ends > 0);
}

static void alignment_is_kept(void) {
    for (size_t alignment = 1; alignment <= 64; alignment *= 2)
        for (int round = 0; round < 20; round++) {
            uint8_t *block = guarded_new(1 + testing_below(5000), alignment);
            CHECK_EQUAL((uintptr_t)block % alignment, 0);
            CHECK_EQUAL(block[0], 0);
            guarded_free(block);
        }
}

/* A write into the gap that an alignment leaves is seen when the block is freed. */
static void gaps_are_watched(void) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout)) _exit(0);
        uint8_t *block = guarded_new(33, 64);
        block[33] = 0;
        guarded_free(block);
        _exit(0);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(what_is_beyond_faults);
    TEST(alignment_is_kept);
    TEST(gaps_are_watched);
    return testing_end();
}
