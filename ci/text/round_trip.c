// SPDX-License-Identifier: Apache-2.0
/*
 * `round_trip FILE.gguf...`: each file is read, copied by our writer and compared, byte for byte. The copies lie in the
 * working folder and go again. Linked with the objects of the core's base and format: the writer is not in the public
 * header.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/gguf_file.h"
#include "format/gguf_write.h"

#define COPY "round_trip.copy.gguf"

static puna_error error = PUNA_ERROR_INIT;

static puna_status copy(const gguf_file *file) {
    gguf_writer *writer = NULL;
    puna_status status = gguf_writer_create(gguf_version(file), &writer, &error);
    if (status == PUNA_OK) status = gguf_write_file(writer, file, &error);
    if (status == PUNA_OK) status = gguf_writer_save(writer, COPY, &error);
    gguf_writer_free(writer);
    return status;
}

/* Read plainly: what the reader sees need not be what is there. */
static int equal(const char *path) {
    static char one[1 << 16], two[1 << 16];
    FILE *a = fopen(path, "rb"), *b = fopen(COPY, "rb");
    size_t got = 1;
    int same = a && b;
    while (same && got > 0) {
        got = fread(one, 1, sizeof one, a);
        same = fread(two, 1, sizeof two, b) == got && memcmp(one, two, got) == 0;
    }
    if (a) fclose(a);
    if (b) fclose(b);
    return same;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        gguf_file *file = NULL;
        puna_status status = gguf_open_part(argv[i], &file, &error); /* a split file's part by itself */
        if (status == PUNA_OK) status = copy(file);
        if (status != PUNA_OK) printf("%s: %s\n", argv[i], error.message);
        else if (!equal(argv[i])) printf("%s: the copy has other bytes\n", argv[i]);
        else argv[i] = NULL;
        failed += argv[i] != NULL;
        gguf_close(file);
        remove(COPY);
    }
    printf("round trip: %d files, %d different\n", argc - 1, failed);
    return failed ? 1 : 0;
}
