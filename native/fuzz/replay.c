// SPDX-License-Identifier: Apache-2.0
/* A fuzz target's main without a fuzzer: runs each file of the folders that it is given. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

static int passed;

static void run(const char *path) {
    FILE *file = fopen(path, "rb");
    FUZZ_CHECK(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fseek(file, 0, SEEK_SET);
    uint8_t *bytes = malloc((size_t)size + 1); /* of this size, so that a sanitizer sees a step behind it */
    FUZZ_CHECK(bytes && fread(bytes, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    uint8_t *exact = realloc(bytes, size ? (size_t)size : 1);
    fprintf(stderr, "%s\n", path); /* the last one named is the one that failed */
    LLVMFuzzerTestOneInput(exact ? exact : bytes, (size_t)size);
    free(exact ? exact : bytes);
    passed++;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (!folder) {
            run(argv[i]);
            continue;
        }
        for (struct dirent *entry; (entry = readdir(folder));) {
            char path[1024];
            struct stat info;
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (stat(path, &info) == 0 && S_ISREG(info.st_mode)) run(path);
        }
        closedir(folder);
    }
    printf("%d passed, 0 failed\n", passed);
    return passed ? 0 : 1;
}
