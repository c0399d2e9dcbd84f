// SPDX-License-Identifier: Apache-2.0
/*
 * A process that is killed in the middle of writing a file, at each call of the system: the old file is whole, or the
 * new one is, and who writes it again removes what was left.
 */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os_gate.h"
#include "format/block.h"
#include "format/gguf_write.h"
#include "testing.h"

#define TARGET "test_killed_saved.gguf"

static const os_call calls[] = {OS_CALL_OPEN, OS_CALL_WRITE, OS_CALL_SYNC, OS_CALL_RENAME};

/* Writes a small model file of `entries` entries and some weights. */
static puna_status save(uint32_t entries, puna_error *error) {
    gguf_writer *writer = NULL;
    static uint8_t weights[100000];
    puna_status status = gguf_writer_create(3, &writer, error);
    for (uint32_t i = 0; i < entries && status == PUNA_OK; i++) {
        char key[16];
        snprintf(key, sizeof key, "test.%u", i);
        status = gguf_write_u32(writer, key, i, error);
    }
    if (status == PUNA_OK)
        status = gguf_write_tensor(writer, "weights", BLOCK_F32, 1, (uint64_t[]){25000}, weights, error);
    if (status == PUNA_OK) status = gguf_writer_save(writer, TARGET, error);
    gguf_writer_free(writer);
    return status;
}

typedef struct death {
    os_call call;
    uint32_t at; /* the call before which the process is killed, counted from 1 */
} death;

static os_fault die(void *context, os_call call, size_t *count) {
    death *d = context;
    (void)count;
    if (call == d->call && --d->at == 0) {
        raise(SIGKILL);
    }
    return OS_NO_FAULT;
}

/* Whether a child that writes `entries` was killed at that call; false: it came to its end. */
static bool killed(uint32_t entries, os_call call, uint32_t at) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        puna_error error = PUNA_ERROR_INIT;
        death d = {call, at};
        os_set_gate(die, &d);
        _exit(save(entries, &error) == PUNA_OK ? 0 : 3);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static int files(void) {
    int count = 0;
    DIR *folder = opendir(".");
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += strncmp(entry->d_name, TARGET, strlen(TARGET)) == 0;
    if (folder) closedir(folder);
    return count;
}

/* How many entries the file has; -1 if it is not whole. */
static int64_t entries_of(const char *path) {
    gguf_file *file = NULL;
    puna_error error = PUNA_ERROR_INIT;
    if (gguf_open(path, &file, &error) != PUNA_OK) return -1;
    int64_t count = (int64_t)gguf_value_count(file);
    gguf_close(file);
    return count;
}

static void at_each_call(void) {
    uint32_t deaths = 0, leftovers = 0;
    for (size_t c = 0; c < sizeof calls / sizeof *calls; c++)
        for (uint32_t at = 1; at < 1000; at++) {
            puna_error error = PUNA_ERROR_INIT;
            NEED(save(3, &error) == PUNA_OK);
            int64_t old = entries_of(TARGET);
            CHECK_EQUAL(files(), 1); /* the one that saved removed what was left */
            if (!killed(4, calls[c], at)) {
                CHECK_EQUAL(entries_of(TARGET), old + 1);
                break;
            }
            deaths++;
            leftovers += files() == 2;
            CHECK_EQUAL(entries_of(TARGET), old); /* a kill comes before the rename: the old one stands */
        }
    CHECK(deaths > 4 && leftovers > 2);
    printf("       %u deaths, %u left something\n", deaths, leftovers);
}

/* What another one still writes is not a leftover, nor is a file of somebody else's. */
static void only_leftovers_are_removed(void) {
    static const char *const others[] = {TARGET ".part", TARGET ".1.part", TARGET ".1-.part", TARGET ".1-2.parts",
                                         TARGET ".x-2.part"};
    puna_error error = PUNA_ERROR_INIT;
    os_output *first = NULL, *second = NULL;
    for (size_t i = 0; i < 5; i++) {
        FILE *out = fopen(others[i], "wb");
        NEED(out && fclose(out) == 0);
    }
    remove(TARGET);
    NEED(os_output_open(TARGET, &first, &error) == PUNA_OK);
    CHECK_EQUAL(os_output_write(first, "first", 5, &error), PUNA_OK);
    NEED(os_output_open(TARGET, &second, &error) == PUNA_OK);
    CHECK_EQUAL(os_output_write(second, "second", 6, &error), PUNA_OK);
    CHECK_EQUAL(os_output_commit(second, &error), PUNA_OK);
    CHECK_EQUAL(os_output_commit(first, &error), PUNA_OK);
    size_t size = 0;
    uint8_t *bytes = testing_read(TARGET, &size);
    CHECK(bytes && size == 5 && memcmp(bytes, "first", 5) == 0);
    free(bytes);
    CHECK_EQUAL(files(), 6);
    for (size_t i = 0; i < 5; i++) CHECK_EQUAL(remove(others[i]), 0);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(at_each_call);
    TEST(only_leftovers_are_removed);
    remove(TARGET);
    return testing_end();
}
