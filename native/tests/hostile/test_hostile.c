// SPDX-License-Identifier: Apache-2.0
/*
 * Files that lie, through the whole of a load: each is refused with file, field and place, in bounded time and memory.
 *
 *     test_hostile --write FOLDER     writes all files there, and cases.tsv that says what each has to give: the Java
 *                                     API's test reads them
 */
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "hostile/hostile_cases.h"
#include "testing.h"

/* What refusing one of these files of 30 KB may take at most (docs/security.md). */
enum { MOST_BYTES = 8 << 20, MOST_MILLISECONDS = 2000 };

#define PATH "test_hostile.gguf"

static bool save(const char *path, const hostile_file *file) {
    FILE *out = fopen(path, "wb");
    bool saved = out && fwrite(file->bytes, 1, file->used, out) == file->used;
    if (out) saved = fclose(out) == 0 && saved;
    return saved;
}

static bool make(const hostile_case *c, const char *path, size_t *size) {
    hostile_file file;
    bool made = hostile_make(&file, c->base, &c->lie);
    *size = file.used;
    made = made && save(path, &file);
    hostile_free(&file);
    if (!made) testing_fail(__FILE__, __LINE__, "%s: the test can't write this file", c->name);
    return made;
}

static uint64_t taken;

static bool count_bytes(void *context, size_t bytes) {
    (void)context;
    taken += bytes;
    return true;
}

static void judge(const hostile_case *c, puna_status status, const puna_error *e, size_t size) {
    const char *fault = NULL;
    if (status != c->status) fault = "status";
    else if (e->status != status) fault = "the error's status";
    else if (strncmp(e->subject, PATH ": ", strlen(PATH) + 2) != 0) fault = "file";
    else if (!strstr(e->subject + strlen(PATH), c->field)) fault = "field";
    else if (c->words && !strstr(e->message, c->words)) fault = "words";
    else if (strlen(e->message) < 10) fault = "sentence";
    else if (c->placeless ? e->offset != PUNA_NO_OFFSET : e->offset > size) fault = "offset";
    if (!fault) return;
    testing_fail(__FILE__, __LINE__, "%s: %s: status %d, \"%s\" at %lld: %s", c->name, fault, status, e->subject,
                 (long long)e->offset, e->message);
}

static void the_truth_is_believed(void) {
    for (int base = HOSTILE_SPM; base <= HOSTILE_BPE; base++) {
        hostile_case c = {.name = "the truth", .base = (hostile_base)base};
        size_t size;
        puna_model *model = NULL;
        puna_error error = PUNA_ERROR_INIT;
        NEED(make(&c, PATH, &size));
        puna_status status = puna_model_load(PATH, NULL, NULL, &model, &error);
        if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s: %s", error.subject, error.message);
        puna_model_close(model);
    }
}

static void each_lie_is_named(void) {
    puna_model_options options;
    puna_model_options_default(&options);
    options.threads = 1; /* the gate is not for threads */
    uint64_t most_bytes = 0, most_time = 0;
    for (int i = 0; i < hostile_count(); i++) {
        const hostile_case *c = hostile_at(i);
        size_t size;
        if (!make(c, PATH, &size)) continue;
        puna_error error = PUNA_ERROR_INIT;
        puna_model *model = NULL;
        clock_t start = clock();
        uint64_t held = memory_used_by_all();
        taken = 0;
        memory_set_gate(count_bytes, NULL);
        puna_status status = puna_model_load(PATH, &options, NULL, &model, &error);
        memory_set_gate(NULL, NULL);
        uint64_t milliseconds = (uint64_t)(clock() - start) * 1000 / CLOCKS_PER_SEC; /* of computing */
        judge(c, status, &error, size);
        if (taken > MOST_BYTES) testing_fail(__FILE__, __LINE__, "%s: took %llu bytes", c->name,
            (unsigned long long)taken);
        if (milliseconds > MOST_MILLISECONDS)
            testing_fail(__FILE__, __LINE__, "%s: took %llu ms", c->name, (unsigned long long)milliseconds);
        if (taken > most_bytes) most_bytes = taken;
        if (milliseconds > most_time) most_time = milliseconds;
        CHECK(model == NULL || status == PUNA_OK);
        puna_model_close(model);
        CHECK_EQUAL(memory_used_by_all(), held);
    }
    printf("       %d lies, each at most %llu ms and %llu bytes\n", hostile_count(), (unsigned long long)most_time,
           (unsigned long long)most_bytes);
}

/* The plan, which reads no weights, says the same of all that is not about their numbers. */
static void plans_are_as_careful(void) {
    for (int i = 0; i < hostile_count(); i++) {
        const hostile_case *c = hostile_at(i);
        size_t size;
        if (c->lie.kind == HOSTILE_DATA || !make(c, PATH, &size)) continue;
        puna_error error = PUNA_ERROR_INIT;
        puna_file *file = NULL;
        puna_memory_plan plan = {.size = sizeof plan};
        puna_status status = puna_file_open(PATH, &file, &error);
        if (status == PUNA_OK) status = puna_plan(file, NULL, &plan, &error);
        judge(c, status, &error, size);
        puna_file_close(file);
    }
}

/* CVE-2025-52566: more tokens than the buffer has room for, however the numbers are turned. */
static void a_buffer_is_never_overrun(void) {
    hostile_case truth = {.name = "the truth", .base = HOSTILE_SPM};
    size_t size;
    puna_error error = PUNA_ERROR_INIT;
    puna_model *model = NULL;
    NEED(make(&truth, PATH, &size) && puna_model_load(PATH, NULL, NULL, &model, &error) == PUNA_OK);
    static char text[3000];
    memset(text, 'y', sizeof text);
    for (uint64_t capacity = 0; capacity <= 16; capacity++) {
        int32_t *ids = malloc((capacity + 1) * sizeof *ids); /* a sanitizer watches its end */
        uint64_t count = 0;
        NEED(ids);
        ids[capacity] = -77;
        CHECK_EQUAL(puna_tokenize(puna_model_tokenizer(model), text, sizeof text, PUNA_TOKENIZE_AFFIXES, ids, capacity,
                                  &count, &error), PUNA_BUFFER_TOO_SMALL);
        CHECK(count > 16 && error.needed == count && error.available == capacity);
        CHECK_EQUAL(ids[capacity], -77);
        free(ids);
    }
    puna_model_close(model);
}

static int write_all(const char *folder) {
    char path[1024];
    snprintf(path, sizeof path, "%s/cases.tsv", folder);
    FILE *list = fopen(path, "wb");
    if (!list) return 1;
    for (int i = 0; i < hostile_count(); i++) {
        const hostile_case *c = hostile_at(i);
        size_t size;
        snprintf(path, sizeof path, "%s/%d.gguf", folder, i);
        if (!make(c, path, &size)) return 1;
        fprintf(list, "%d.gguf\t%s\t%s\t%s\t%s\t%s\n", i, c->name, puna_status_name(c->status), c->field,
                c->words ? c->words : "", c->placeless ? "placeless" : "placed");
    }
    return fclose(list) == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--write") == 0) return write_all(argv[2]);
    testing_begin(argc, argv);
    TEST(the_truth_is_believed);
    TEST(each_lie_is_named);
    TEST(plans_are_as_careful);
    TEST(a_buffer_is_never_overrun);
    remove(PATH);
    return testing_end();
}
