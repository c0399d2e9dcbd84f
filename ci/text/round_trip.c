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

static int equal(const gguf_file *file) {
    os_map copied;
    if (os_map_open(COPY, &copied, &error) != PUNA_OK) return 0;
    int same = copied.size == file->map.size && memcmp(copied.data, file->map.data, copied.size) == 0;
    os_map_close(&copied);
    return same;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        gguf_file *file = NULL;
        puna_status status = gguf_open_part(argv[i], &file, &error); /* a split file's part by itself */
        if (status == PUNA_OK) status = copy(file);
        if (status != PUNA_OK) printf("%s: %s\n", argv[i], error.message);
        else if (!equal(file)) printf("%s: the copy has other bytes\n", argv[i]);
        else status = PUNA_OK, argv[i] = NULL;
        failed += argv[i] != NULL;
        gguf_close(file);
        remove(COPY);
    }
    printf("round trip: %d files, %d different\n", argc - 1, failed);
    return failed ? 1 : 0;
}
