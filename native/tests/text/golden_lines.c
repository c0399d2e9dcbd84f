// SPDX-License-Identifier: Apache-2.0
#include "golden_lines.h"

#include "testing.h"

char *lines_read(const char *name) {
    char path[512];
    size_t size;
    snprintf(path, sizeof path, "%s/tokenizer/%s", PUNA_TEST_DATA, name);
    return (char *)testing_read(path, &size);
}

static int digit(char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; }

size_t lines_unescape(char *line) {
    char *out = line;
    for (const char *in = line; *in; in++) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        in++;
        if (*in == 'n') *out++ = '\n';
        else if (*in == 'r') *out++ = '\r';
        else if (*in == 't') *out++ = '\t';
        else if (*in == 'x') {
            *out++ = (char)(digit(in[1]) << 4 | digit(in[2]));
            in += 2;
        } else {
            *out++ = *in;
        }
    }
    return (size_t)(out - line);
}

char *lines_next(char **rest) {
    char *line = *rest, *end = strchr(line, '\n');
    if (!*line) return NULL;
    *rest = end ? end + 1 : line + strlen(line);
    if (end) *end = 0;
    return line;
}
