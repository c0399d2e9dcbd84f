// SPDX-License-Identifier: Apache-2.0
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/utf8.h"

void fuzz_broken(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
    abort();
}

uint8_t fuzz_byte(fuzz_input *in) {
    if (in->left == 0) return 0;
    in->left--;
    return *in->at++;
}

uint32_t fuzz_u16(fuzz_input *in) {
    uint32_t low = fuzz_byte(in);
    return low | (uint32_t)fuzz_byte(in) << 8;
}

const char *fuzz_take(fuzz_input *in, size_t limit, size_t *length) {
    const char *text = (const char *)in->at;
    *length = in->left < limit ? in->left : limit;
    in->at += *length;
    in->left -= *length;
    return text;
}

static uint32_t countdown;
static bool failed;

static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    if (countdown > 1) {
        countdown--;
        return true;
    }
    failed = true;
    return false;
}

void fuzz_fail_after(uint32_t after) {
    countdown = after;
    failed = false;
    memory_set_gate(after ? gate : NULL, NULL);
}

void fuzz_no_faults(void) { memory_set_gate(NULL, NULL); }

bool fuzz_failed(void) { return failed; }

const puna_tokenizer *fuzz_vocabulary(const char *name) {
    static struct { char name[64]; puna_tokenizer *tokenizer; } kept[16];
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (kept[i].tokenizer && strcmp(kept[i].name, name) == 0) return kept[i].tokenizer;
        if (kept[i].tokenizer) continue;
        char path[512];
        puna_file *file;
        snprintf(path, sizeof path, "%s/%s", PUNA_TEST_DATA, name);
        snprintf(kept[i].name, sizeof kept[i].name, "%s", name);
        FUZZ_CHECK(puna_file_open(path, &file, NULL) == PUNA_OK);
        FUZZ_CHECK(puna_tokenizer_load(file, &kept[i].tokenizer, NULL) == PUNA_OK);
        puna_file_close(file);
        return kept[i].tokenizer;
    }
    fuzz_broken(__FILE__, __LINE__, "there is room for the vocabulary");
    return NULL;
}

static char path[64];

static void remove_file(void) { remove(path); }

const char *fuzz_file(const uint8_t *bytes, size_t count) {
    if (!path[0]) {
        snprintf(path, sizeof path, "puna-fuzz-%llu.gguf", (unsigned long long)os_clock_ns());
        atexit(remove_file);
    }
    FILE *file = fopen(path, "wb");
    FUZZ_CHECK(file);
    FUZZ_CHECK(fwrite(bytes, 1, count, file) == count);
    FUZZ_CHECK(fclose(file) == 0);
    return path;
}

void fuzz_check_error(puna_status status, const puna_error *error) {
    if (status == PUNA_OK) return;
    FUZZ_CHECK(strcmp(puna_status_name(status), "unknown") != 0);
    FUZZ_CHECK(error->status == status);
    size_t length = strnlen(error->message, sizeof error->message);
    FUZZ_CHECK(length > 8 && length < sizeof error->message);
    FUZZ_CHECK(strnlen(error->subject, sizeof error->subject) < sizeof error->subject);
    FUZZ_CHECK(utf8_valid(error->message, length) == length);
    FUZZ_CHECK(utf8_valid(error->subject, strlen(error->subject)) == strlen(error->subject));
    if (status == PUNA_OUT_OF_MEMORY) FUZZ_CHECK(error->needed > 0);
}
