// SPDX-License-Identifier: Apache-2.0
/* Files, the log, and what is read out of /proc and /sys (from a made-up tree). Works in a folder of its own below the
   current one, with a name that is not ASCII. */
#include "base/os.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cgroup.h"
#include "base/log.h"
#include "testing.h"

#if defined(_WIN32)
#include "base/os_windows.h"
static void folder_new(const char *path) {
    wchar_t *wide = os_wide(path);
    CreateDirectoryW(wide, NULL);
    os_heap_free(wide);
}
static void file_remove(const char *path) {
    wchar_t *wide = os_wide(path);
    DeleteFileW(wide);
    os_heap_free(wide);
}
static void folder_remove(const char *path) {
    wchar_t *wide = os_wide(path);
    RemoveDirectoryW(wide);
    os_heap_free(wide);
}
static unsigned long process_id(void) { return GetCurrentProcessId(); }
#else
#include <sys/stat.h>
#include <unistd.h>
static void folder_new(const char *path) { mkdir(path, 0777); }
static void file_remove(const char *path) { unlink(path); }
static void folder_remove(const char *path) { rmdir(path); }
static unsigned long process_id(void) { return (unsigned long)getpid(); }
#endif

static char base_folder[128];

static const char *in_folder(const char *name) {
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", base_folder, name);
    return path;
}

static void write_file(const char *path, const void *bytes, size_t count) {
    os_output *output = NULL;
    puna_error error = PUNA_ERROR_INIT;
    CHECK_EQUAL(os_output_open(path, &output, &error), PUNA_OK);
    if (!output) return;
    CHECK_EQUAL(os_output_write(output, bytes, count, &error), PUNA_OK);
    CHECK_EQUAL(os_output_commit(output, &error), PUNA_OK);
}

static void reads_what_was_written(void) {
    const char *path = in_folder("M\xC3\xA4rchen \xF0\x9F\x98\x80.bin");
    uint8_t bytes[70001], back[70001] = {0};
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)testing_random();
    write_file(path, "old", 3);
    write_file(path, bytes, sizeof bytes); /* replaces */
    os_input *input = NULL;
    uint64_t size = 0;
    puna_error error = PUNA_ERROR_INIT;
    CHECK_EQUAL(os_input_open(path, &input, &size, &error), PUNA_OK);
    NEED(input);
    CHECK_EQUAL(size, sizeof bytes);
    CHECK_EQUAL(os_input_read(input, 0, back, sizeof back, &error), PUNA_OK);
    CHECK(memcmp(back, bytes, sizeof bytes) == 0);
    CHECK_EQUAL(os_input_read(input, 69999, back, 2, &error), PUNA_OK);
    CHECK(memcmp(back, bytes + 69999, 2) == 0);
    CHECK_EQUAL(os_input_read(input, UINT64_MAX / 4, back, 0, &error), PUNA_OK);
    CHECK_EQUAL(os_input_read(input, 69999, back, 3, &error), PUNA_IO);
    CHECK_EQUAL(error.offset, 70001);
    CHECK(strstr(error.message, "cut short"));
    os_input_close(input);
    file_remove(path);
}

static void reads_any_part(void) {
    const char *path = in_folder("parts \xE4\xB8\xAD.bin");
    uint8_t bytes[70001], got[70001];
    uint64_t size = 0;
    os_input *input = NULL;
    puna_error error = PUNA_ERROR_INIT;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)testing_random();
    write_file(path, bytes, sizeof bytes);
    NEED(os_input_open(path, &input, &size, &error) == PUNA_OK);
    CHECK_EQUAL(size, sizeof bytes);
    for (int i = 0; i < 100; i++) {
        uint32_t at = testing_below(sizeof bytes), count = testing_below((uint32_t)sizeof bytes - at + 1);
        CHECK_EQUAL(os_input_read(input, at, got, count, &error), PUNA_OK);
        CHECK(memcmp(got, bytes + at, count) == 0);
    }
    CHECK_EQUAL(os_input_read(input, sizeof bytes - 1, got, 2, &error), PUNA_IO);
    CHECK(strstr(error.message, "cut") && error.offset == sizeof bytes);
    CHECK_EQUAL(os_input_read(input, UINT32_MAX, got, 1, &error), PUNA_IO);
    os_input_close(input);
    os_input_close(NULL);
    file_remove(path);
    CHECK_EQUAL(os_input_open(path, &input, &size, &error), PUNA_NOT_FOUND);
    CHECK_EQUAL(os_input_open(base_folder, &input, &size, &error), PUNA_IO);
    CHECK(input == NULL && strstr(error.message, "a folder"));
}

static void an_empty_file_is_one(void) {
    const char *path = in_folder("empty");
    write_file(path, "", 0);
    os_input *input = NULL;
    uint64_t size = 1;
    puna_error error = PUNA_ERROR_INIT;
    CHECK_EQUAL(os_input_open(path, &input, &size, &error), PUNA_OK);
    CHECK(input && size == 0);
    os_input_close(input);
    os_input_close(NULL);
    file_remove(path);
}

static void refusals_are_sentences(void) {
    os_input *input = NULL;
    uint64_t size;
    os_output *output = NULL;
    puna_error error = PUNA_ERROR_INIT;
    CHECK_EQUAL(os_input_open(in_folder("missing"), &input, &size, &error), PUNA_NOT_FOUND);
    CHECK(strstr(error.message, "no such file") && strstr(error.subject, "missing"));
    CHECK_EQUAL(os_input_open(in_folder("missing/too"), &input, &size, &error), PUNA_NOT_FOUND);
    CHECK_EQUAL(os_input_open("", &input, &size, &error), PUNA_NOT_FOUND);
    CHECK_EQUAL(os_input_open(base_folder, &input, &size, &error), PUNA_IO);
    CHECK(strstr(error.message, "folder"));
    CHECK(input == NULL);
    CHECK_EQUAL(os_output_open(in_folder("nowhere/file"), &output, &error), PUNA_NOT_FOUND);
    CHECK(output == NULL && strstr(error.message, "folder does not exist"));
#if !defined(_WIN32)
    CHECK_EQUAL(os_input_open("/dev/null", &input, &size, &error), PUNA_IO);
    CHECK(strstr(error.message, "device"));
    CHECK_EQUAL(mkfifo(in_folder("pipe"), 0600), 0);
    CHECK_EQUAL(os_input_open(in_folder("pipe"), &input, &size, &error), PUNA_IO); /* and does not wait for a writer */
    unlink(in_folder("pipe"));
#endif
}

static void discarded_output_leaves_nothing(void) {
    const char *path = in_folder("kept");
    write_file(path, "before", 6);
    os_output *output = NULL;
    puna_error error = PUNA_ERROR_INIT;
    NEED(os_output_open(path, &output, &error) == PUNA_OK);
    CHECK_EQUAL(os_output_write(output, "after", 5, &error), PUNA_OK);
    char text[16];
    CHECK(os_read_text(path, text, sizeof text));
    CHECK_TEXT(text, "before"); /* nothing is seen until it is committed */
    os_output_discard(output);
    os_output_discard(NULL);
    CHECK(os_read_text(path, text, sizeof text));
    CHECK_TEXT(text, "before");
    CHECK(os_read_text(path, text, 4));
    CHECK_TEXT(text, "bef");
    CHECK(!os_read_text(in_folder("missing"), text, sizeof text));
    file_remove(path);
}

static void a_folder_is_not_replaced(void) {
    const char *path = in_folder("folder");
    folder_new(path);
    os_output *output = NULL;
    puna_error error = PUNA_ERROR_INIT;
    NEED(os_output_open(path, &output, &error) == PUNA_OK);
    CHECK_EQUAL(os_output_commit(output, &error), PUNA_IO);
    folder_remove(path);
}

static void the_system_answers(void) {
    uint64_t a = os_clock_ns(), total = os_memory_total(), available = os_memory_free();
    CHECK(total >= UINT64_C(64) << 20 && available > 0 && available <= total);
    while (os_clock_ns() == a) {}
    CHECK(os_clock_ns() > a);
    char value[8];
    CHECK_EQUAL(os_environment("PUNA_TEST_UNSET_NAME", value, sizeof value), 0);
    char path[4];
    size_t length = os_environment("PATH", path, sizeof path);
    CHECK(length > 3 && path[3] == 0 && strlen(path) == 3);
    CHECK_EQUAL(os_environment("PATH", NULL, 0), length);
    void *block = os_heap_new(100, 64);
    CHECK(block && (uintptr_t)block % 64 == 0);
    os_heap_free(block);
    os_heap_free(NULL);
}

/* ---- /proc and /sys ---- */

static char made[128][256]; /* what the tree is made of, to be removed in the end */
static int made_count;

static void remember(const char *path) {
    for (int i = 0; i < made_count; i++) {
        if (strcmp(made[i], path) == 0) return;
    }
    if (made_count < 128) snprintf(made[made_count++], sizeof made[0], "%s", path);
}

static void clean_up(void) {
    while (made_count-- > 0) {
        file_remove(made[made_count]);
        folder_remove(made[made_count]);
    }
    folder_remove(base_folder);
}

/* Writes a file of the made-up tree, with all its folders. */
static void tree(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s", in_folder(name));
    for (char *slash = strchr(path + strlen(base_folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        folder_new(path);
        remember(path);
        *slash = '/';
    }
    write_file(path, text, strlen(text));
    remember(path);
}

static void version_2_limits(void) {
    char root[256];
    snprintf(root, sizeof root, "%s", in_folder("v2"));
    CHECK_EQUAL(cgroup_quota_read(root), CGROUP_NONE); /* no files: no limits */
    CHECK_EQUAL(cgroup_memory_read(root).limit, CGROUP_NONE);
    tree("v2/proc/self/cgroup", "0::/a/b\n");
    tree("v2/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    CHECK_EQUAL(cgroup_quota_read(root), CGROUP_NONE);
    tree("v2/sys/fs/cgroup/a/cpu.max", "250000 100000\n"); /* the parent's holds too */
    CHECK_EQUAL(cgroup_quota_read(root), 2500);
    tree("v2/sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
    CHECK_EQUAL(cgroup_quota_read(root), 500);
    tree("v2/sys/fs/cgroup/a/b/cpu.max", "garbage\n");
    CHECK_EQUAL(cgroup_quota_read(root), 2500);
    tree("v2/sys/fs/cgroup/a/memory.max", "1000000\n");
    tree("v2/sys/fs/cgroup/a/memory.current", "900000\n");
    tree("v2/sys/fs/cgroup/a/memory.stat", "anon 1\nfile 500000\ninactive_file 300000\n");
    tree("v2/sys/fs/cgroup/a/b/memory.max", "max\n");
    cgroup_memory memory = cgroup_memory_read(root);
    CHECK_EQUAL(memory.limit, 1000000);
    CHECK_EQUAL(memory.free, 400000);
}

static void version_1_limits(void) {
    char root[256];
    snprintf(root, sizeof root, "%s", in_folder("v1"));
    /* As in a container: the path of the host is not to be seen, the mount's own folder is the group's. */
    tree("v1/proc/self/cgroup", "12:cpuset:/x\n5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n0::/\n");
    tree("v1/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    tree("v1/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    CHECK_EQUAL(cgroup_quota_read(root), CGROUP_NONE);
    tree("v1/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
    CHECK_EQUAL(cgroup_quota_read(root), 1500);
    tree("v1/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    CHECK_EQUAL(cgroup_memory_read(root).limit, CGROUP_NONE);
    tree("v1/sys/fs/cgroup/memory/memory.limit_in_bytes", "5000\n");
    tree("v1/sys/fs/cgroup/memory/memory.usage_in_bytes", "9000\n");
    CHECK_EQUAL(cgroup_memory_read(root).limit, 5000);
    CHECK_EQUAL(cgroup_memory_read(root).free, 0);
}

static void cores_are_counted_once(void) {
    char root[256];
    snprintf(root, sizeof root, "%s", in_folder("cores"));
    uint64_t mask[2] = { 0x3F, 1 };
    CHECK_EQUAL(cgroup_count_cores(root, mask, 2), 7); /* nothing known: each is a core */
    tree("cores/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0,3\n");
    tree("cores/sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "0,3\n");
    tree("cores/sys/devices/system/cpu/cpu1/topology/core_cpus_list", "1-2\n");
    tree("cores/sys/devices/system/cpu/cpu2/topology/core_cpus_list", "1-2\n");
    CHECK_EQUAL(cgroup_count_cores(root, mask, 2), 5);
    mask[0] = 0x0C; /* of each pair the second alone */
    mask[1] = 0;
    CHECK_EQUAL(cgroup_count_cores(root, mask, 2), 2);
    mask[0] = 0;
    CHECK_EQUAL(cgroup_count_cores(root, mask, 2), 1);
    CHECK_EQUAL(cgroup_threads(8, CGROUP_NONE), 8);
    CHECK_EQUAL(cgroup_threads(8, 2999), 2);
    CHECK_EQUAL(cgroup_threads(8, 500), 1);
    CHECK_EQUAL(cgroup_threads(2, 64000), 2);
}

/* ---- the log ---- */

static void the_log_is_a_ring(void) {
    puna_log_entry entry = { .size = sizeof entry };
    while (log_take(&entry)) {}
    log_write(PUNA_LOG_WARNING, "number %d", 1);
    CHECK_EQUAL(log_take(&entry), 1);
    CHECK_TEXT(entry.message, "number 1");
    CHECK_EQUAL(entry.level, PUNA_LOG_WARNING);
    CHECK_EQUAL(entry.dropped, 0);
    uint64_t before = entry.time_ns;
    CHECK_EQUAL(log_take(&entry), 0);
    for (int i = 0; i < 1000; i++) log_write(PUNA_LOG_INFO, "number %d", i);
    for (int i = 744; i < 1000; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "number %d", i);
        CHECK_EQUAL(log_take(&entry), 1);
        CHECK_TEXT(entry.message, expected);
        CHECK_EQUAL(entry.dropped, i == 744 ? 744 : 0);
        CHECK(entry.time_ns >= before);
        before = entry.time_ns;
    }
    CHECK_EQUAL(log_take(&entry), 0);
    char text[1000];
    memset(text, 'x', sizeof text);
    text[999] = 0;
    text[478] = '\xC3'; /* a character across the end is left out */
    text[479] = '\xA4';
    log_write(PUNA_LOG_ERROR, "%s", text);
    CHECK_EQUAL(log_take(&entry), 1);
    CHECK_EQUAL(strlen(entry.message), 478);
    CHECK_EQUAL(log_take(NULL), 0);
}

enum { WRITERS = 3, LINES = 4000 };

static void write_lines(void *context) {
    for (int i = 0; i < LINES; i++) log_write(*(int32_t *)context, "writer %d line %d .", *(int32_t *)context, i);
}

/* Whole lines only, in order for each writer; every line is either read or counted as dropped. */
static void the_log_takes_many_writers(void) {
    puna_log_entry entry = { .size = sizeof entry };
    os_thread threads[WRITERS];
    int32_t names[WRITERS];
    int last[WRITERS];
    while (log_take(&entry)) {}
    for (int i = 0; i < WRITERS; i++) {
        names[i] = i;
        last[i] = -1;
        NEED(os_thread_start(&threads[i], write_lines, &names[i]));
    }
    uint64_t seen = 0;
    bool joined = false;
    for (;;) {
        if (!log_take(&entry)) {
            if (joined) break;
            if (seen > 0) {
                for (int i = 0; i < WRITERS; i++) os_thread_join(threads[i]);
                joined = true;
                log_write(PUNA_LOG_INFO, "writer 9 line 0 .");
            }
            continue;
        }
        int writer, line;
        char dot;
        CHECK_EQUAL(sscanf(entry.message, "writer %d line %d %c", &writer, &line, &dot), 3);
        seen += 1 + entry.dropped;
        if (writer == 9) continue;
        CHECK(writer >= 0 && writer < WRITERS && entry.level == writer && dot == '.');
        CHECK(line > last[writer]);
        last[writer] = line;
    }
    CHECK_EQUAL(seen, WRITERS * LINES + 1);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    snprintf(base_folder, sizeof base_folder, "test_os_%lu_\xC3\xA9\xE4\xB8\xAD", process_id());
    folder_new(base_folder);
    TEST(reads_what_was_written);
    TEST(reads_any_part);
    TEST(an_empty_file_is_one);
    TEST(refusals_are_sentences);
    TEST(discarded_output_leaves_nothing);
    TEST(a_folder_is_not_replaced);
    TEST(the_system_answers);
    TEST(version_2_limits);
    TEST(version_1_limits);
    TEST(cores_are_counted_once);
    TEST(the_log_is_a_ring);
    TEST(the_log_takes_many_writers);
    clean_up();
    return testing_end();
}
