// SPDX-License-Identifier: Apache-2.0
/*
 * For comparisons with other tokenizers: `tokenize_lines MODEL.gguf FLAGS < texts > ids`.
 *
 * Texts come in as a 32-bit little-endian length each with the bytes behind it; the ids of each go out as one line of
 * numbers. FLAGS are puna_tokenize's, 256 where the vocabulary normalizes texts, 512 where it drops spaces or takes
 * U+2581 for one; with 1024 two texts at a time are a pair, and a line is its ids and token types in turns. Links
 * against the public library alone. `tokenize_lines MODEL.gguf time < text` prints seconds instead.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "puna.h"

static int complain(const char *where, const puna_error *error) {
    fprintf(stderr, "tokenize_lines: %s: %s: %s\n", where, error->subject, error->message);
    return 1;
}

static double seconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* All of stdin as one text. */
static int measure(const puna_tokenizer *tokenizer) {
    puna_error error = PUNA_ERROR_INIT;
    size_t length = 0, capacity = 1 << 20, got;
    uint64_t count;
    char *text = malloc(capacity);
    while (text && (got = fread(text + length, 1, capacity - length, stdin)) > 0) {
        length += got;
        if (length == capacity) text = realloc(text, capacity *= 2);
    }
    int32_t *ids = malloc((length + 2) * sizeof *ids);
    if (!text || !ids) return 1;
    double begin = seconds();
    if (puna_tokenize(tokenizer, text, length, 0, ids, length + 2, &count, &error)) return complain("tokenize", &error);
    double taken = seconds() - begin;
    printf("%zu bytes, %" PRIu64 " tokens, %.3f s, %.1f MB/s\n", length, count, taken, (double)length * 1e-6 / taken);
    free(text);
    free(ids);
    return 0;
}

/* Some vocabularies lack tokens for a few bytes, which are lost. */
static int has_all_bytes(const puna_tokenizer *tokenizer) {
    for (int byte = 0; byte < 256; byte++) {
        char text = (char)(unsigned char)byte;
        int32_t id;
        uint64_t count;
        if (puna_tokenize(tokenizer, &text, 1, 0, &id, 1, &count, NULL) != PUNA_OK || count != 1) return 0;
    }
    return 1;
}

#define NORMALIZES 256u
#define DROPS 512u
#define PAIRS 1024u

/* The next text, zero-terminated; NULL at the end, or without memory. */
static char *read_text(uint32_t *length) {
    unsigned char head[4];
    if (fread(head, 1, 4, stdin) != 4) return NULL;
    *length = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
    char *text = malloc((size_t)*length + 1);
    if (!text || fread(text, 1, *length, stdin) != *length) return NULL;
    text[*length] = 0;
    return text;
}

static int compare_pairs(const puna_tokenizer *tokenizer, uint32_t flags) {
    puna_error error = PUNA_ERROR_INIT;
    uint32_t lengths[2];
    char *first;
    while ((first = read_text(&lengths[0])) != NULL) {
        char *second = read_text(&lengths[1]);
        uint64_t count = 0, room = ((uint64_t)lengths[0] + lengths[1]) * 12 + 16;
        int32_t *ids = malloc(room * sizeof *ids);
        uint32_t *types = malloc(room * sizeof *types);
        if (!second || !ids || !types) return 1;
        puna_text a = {first, lengths[0]}, b = {second, lengths[1]};
        if (puna_tokenize_pair(tokenizer, &a, &b, flags, ids, types, room, &count, &error))
            return complain("tokenize_pair", &error);
        for (uint64_t i = 0; i < count; i++) printf("%s%" PRId32 " %" PRIu32, i ? " " : "", ids[i], types[i]);
        printf("\n");
        free(first);
        free(second);
        free(ids);
        free(types);
    }
    return 0;
}

static int compare(const puna_tokenizer *tokenizer, uint32_t flags) {
    puna_error error = PUNA_ERROR_INIT;
    uint32_t length;
    char *text;
    int normalizes = (flags & NORMALIZES) != 0, lossless = !(flags & DROPS) && has_all_bytes(tokenizer);
    flags &= ~(NORMALIZES | DROPS);
    while ((text = read_text(&length)) != NULL) {
        uint64_t count = 0, back = 0;
        char *again;
        uint64_t room = (uint64_t)length * 12 + 16; /* one character may be normalized to many, each of several bytes */
        int32_t *ids = malloc(room * sizeof *ids);
        if (!ids) return 1;
        if (puna_tokenize(tokenizer, text, length, flags, ids, room, &count, &error)) {
            return complain("tokenize", &error);
        }
        uint32_t spelled = flags & PUNA_TOKENIZE_SPECIAL;
        /* how long: unknown characters may grow */
        (void)puna_detokenize(tokenizer, ids, count, spelled, NULL, 0, &back, NULL);
        again = malloc((size_t)back + 1);
        if (!again) return 1;
        if (puna_detokenize(tokenizer, ids, count, spelled, again, back, &back, &error)) {
            return complain("detokenize", &error);
        }
        if (normalizes) { /* another text may come back; it has the same ids */
            uint64_t twice = 0;
            int32_t *others = malloc((back + 2) * sizeof *others);
            if (!others || puna_tokenize(tokenizer, again, back, flags, others, back + 2, &twice, &error)
                || twice != count
                || memcmp(ids, others, count * sizeof *ids) != 0) {
                fprintf(stderr, "tokenize_lines: what comes back from a text's ids has others\n");
                return 1;
            }
            free(others);
        } else if (lossless && (back != length || memcmp(text, again, length) != 0)) {
            fprintf(stderr, "tokenize_lines: a text of %" PRIu32 " bytes does not come back from its ids\n", length);
            return 1;
        }
        for (uint64_t i = 0; i < count; i++) printf(i ? " %" PRId32 : "%" PRId32, ids[i]);
        printf("\n");
        free(text);
        free(again);
        free(ids);
    }
    return 0;
}

int main(int argc, char **argv) {
    puna_error error = PUNA_ERROR_INIT;
    puna_file *file = NULL;
    puna_tokenizer *tokenizer = NULL;
    if (argc != 3) {
        fprintf(stderr, "usage: tokenize_lines MODEL.gguf FLAGS|time\n");
        return 2;
    }
    double begin = seconds();
    if (puna_file_open(argv[1], &file, &error)) return complain("open", &error);
    double opened = seconds();
    if (puna_tokenizer_load(file, &tokenizer, &error)) return complain("load", &error);
    double loaded = seconds();
    puna_file_close(file);
    int status;
    if (strcmp(argv[2], "time") == 0) {
        printf("file %.3f s, tokenizer %.3f s\n", opened - begin, loaded - opened);
        status = measure(tokenizer);
    } else {
        uint32_t flags = (uint32_t)strtoul(argv[2], NULL, 10);
        status = flags & PAIRS ? compare_pairs(tokenizer, flags & ~PAIRS) : compare(tokenizer, flags);
    }
    puna_tokenizer_close(tokenizer);
    return status;
}
