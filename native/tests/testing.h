// SPDX-License-Identifier: Apache-2.0
/*
 * The C tests' own small frame: a program calls TEST(name) for each of its functions and returns testing_end().
 *
 *     static void adds(void) { CHECK_EQUAL(1 + 1, 2); }
 *     int main(int argc, char **argv) { testing_begin(argc, argv); TEST(adds); return testing_end(); }
 *
 * `program NAME` runs one test; `program --seed N` gives the random ones their seed, which is printed when one fails.
 */
#ifndef PUNA_TESTING_H
#define PUNA_TESTING_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void testing_begin(int argc, char **argv);
int testing_end(void); /* prints "N passed, N failed"; the program's exit status */
bool testing_enter(const char *name);
void testing_leave(void);
void testing_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A random stream of the run's seed (splitmix64). */
uint64_t testing_random(void);
uint32_t testing_below(uint32_t bound);      /* 0 to bound - 1 */
float testing_float(float low, float high);
float testing_normal(void);

/* How often: under sanitizers, where all is slower, a matrix is thinner: of addresses (three times slower), of threads
   (thirty times: it looks for races, which every seed and every model show alike). */
#if defined(__SANITIZE_THREAD__)
#define TESTING_THIN(normally, addresses, threads) (threads)
#elif defined(__SANITIZE_ADDRESS__)
#define TESTING_THIN(normally, addresses, threads) (addresses)
#else
#define TESTING_THIN(normally, addresses, threads) (normally)
#endif

/* A whole file; the caller frees it. NULL (and a failed test) if it can't be read. */
uint8_t *testing_read(const char *path, size_t *size);

#define TEST(function) \
    do { \
        if (testing_enter(#function)) { \
            function(); \
            testing_leave(); \
        } \
    } while (0)

#define CHECK(condition) \
    do { \
        if (!(condition)) testing_fail(__FILE__, __LINE__, "%s", #condition); \
    } while (0)

#define CHECK_EQUAL(a, b) \
    do { \
        long long left_ = (long long)(a), right_ = (long long)(b); \
        if (left_ != right_) testing_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #a, left_, right_); \
    } while (0)

#define CHECK_TEXT(a, b) \
    do { \
        const char *left_ = (a), *right_ = (b); \
        if (strcmp(left_, right_) != 0) \
            testing_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #a, left_, right_); \
    } while (0)

/* Returns from the test function if it fails. */
#define NEED(condition) \
    do { \
        if (!(condition)) { \
            testing_fail(__FILE__, __LINE__, "%s", #condition); \
            return; \
        } \
    } while (0)

#endif
