// SPDX-License-Identifier: Apache-2.0
#include "api/golden.h"

#include <stdlib.h>
#include <string.h>

#include "testing.h"

int golden_open(golden *g, const char *path) {
    g->text = (char *)testing_read(path, &g->size);
    return g->text != NULL;
}

void golden_close(golden *g) {
    free(g->text);
    g->text = NULL;
}

static const char *line_after(const char *line) {
    const char *end = strchr(line, '\n');
    return end ? end + 1 : NULL;
}

const char *golden_next(const golden *g, const char *from, char *name) {
    for (const char *line = from ? line_after(from) : g->text; line && *line; line = line_after(line)) {
        if (strncmp(line, "case: ", 6) != 0) continue;
        size_t length = strcspn(line + 6, "\n");
        if (length > 63) length = 63;
        memcpy(name, line + 6, length);
        name[length] = 0;
        return line;
    }
    return NULL;
}

static const char *find(const golden *g, const char *at, const char *key) {
    size_t length = strlen(key);
    for (const char *line = at ? line_after(at) : g->text; line && *line; line = line_after(line)) {
        if (strncmp(line, "case: ", 6) == 0) return NULL;
        if (strncmp(line, key, length) == 0 && line[length] == ':') return line + length + 1;
    }
    return NULL;
}

size_t golden_floats(const golden *g, const char *at, const char *key, double *values, size_t capacity) {
    const char *text = find(g, at, key);
    size_t count = 0;
    for (char *end; text && *text && *text != '\n'; text = end) {
        double value = strtod(text, &end);
        if (end == text) break;
        if (count < capacity) values[count] = value;
        count++;
        while (*end == ' ') end++;
    }
    return count;
}

size_t golden_ids(const golden *g, const char *at, const char *key, int32_t *ids, size_t capacity) {
    const char *text = find(g, at, key);
    size_t count = 0;
    for (char *end; text && *text && *text != '\n'; text = end) {
        long value = strtol(text, &end, 10);
        if (end == text) break;
        if (count < capacity) ids[count] = (int32_t)value;
        count++;
        while (*end == ' ') end++;
    }
    return count;
}
