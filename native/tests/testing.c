// SPDX-License-Identifier: Apache-2.0
#include "testing.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

static const char *only;
static const char *current;
static uint64_t seed, state;
static int passed, failed, checks_failed;

void testing_begin(int argc, char **argv) {
    seed = (uint64_t)time(NULL) * 2654435761u;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) seed = strtoull(argv[++i], NULL, 10);
        else only = argv[i];
    }
}

bool testing_enter(const char *name) {
    if (only && strcmp(only, name) != 0) return false;
    current = name;
    checks_failed = 0;
    state = seed;
    return true;
}

void testing_leave(void) {
    if (checks_failed) {
        failed++;
        printf("FAILED %s (%d checks; --seed %" PRIu64 ")\n", current, checks_failed, seed);
    } else {
        passed++;
        printf("ok     %s\n", current);
    }
    fflush(stdout);
}

void testing_fail(const char *file, int line, const char *format, ...) {
    if (++checks_failed > 20) return;
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%d: %s: ", file, line, current ? current : "");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

int testing_end(void) {
    if (passed + failed == 0) {
        printf("no test has the name %s\n", only ? only : "");
        return 2;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}

uint64_t testing_random(void) {
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

uint32_t testing_below(uint32_t bound) { return (uint32_t)((testing_random() >> 32) * bound >> 32); }

float testing_float(float low, float high) {
    return low + (high - low) * (float)((double)(testing_random() >> 11) / 9007199254740992.0);
}

float testing_normal(void) {
    double u = ((double)(testing_random() >> 11) + 0.5) / 9007199254740992.0;
    double v = (double)(testing_random() >> 11) / 9007199254740992.0;
    return (float)(sqrt(-2 * log(u)) * cos(6.283185307179586 * v));
}

uint8_t *testing_read(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        testing_fail(__FILE__, __LINE__, "can't open %s", path);
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    fseek(file, 0, SEEK_SET);
    uint8_t *bytes = malloc((size_t)length + 1);
    *size = bytes ? fread(bytes, 1, (size_t)length, file) : 0;
    if (bytes) bytes[*size] = 0;
    fclose(file);
    return bytes;
}
