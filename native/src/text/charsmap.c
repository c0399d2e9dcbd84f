// SPDX-License-Identifier: Apache-2.0
#include "text/charsmap.h"

#include <string.h>

#define KEY "tokenizer.ggml.precompiled_charsmap"
#define MOST_BECOMES 256u /* bytes of a replacement: a bound of what a text grows to */

static puna_status wrong(const gguf_file *file, const gguf_value *value, puna_error *error, const char *what) {
    return gguf_error(file, error, PUNA_INVALID_FILE, KEY, value->offset, "%s %s", KEY, what);
}

static size_t longest_run(const uint8_t *bytes, size_t count) {
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < count; i++) {
        run = bytes[i] ? run + 1 : 0;
        if (run > longest) longest = run;
    }
    return longest;
}

puna_status charsmap_load(memory_account *account, const gguf_file *file, charsmap *m, puna_error *error) {
    const gguf_value *value = gguf_find(file, KEY);
    if (!value || value->count == 0) return PUNA_OK;
    bool bytes_in_it = value->type == PUNA_ARRAY &&
                       (value->element_type == PUNA_UINT8 || value->element_type == PUNA_INT8);
    if (!bytes_in_it || value->count < 4 || value->count > 1u << 26)
        return wrong(file, value, error, "is not an array of 4 bytes to 64 MiB");
    size_t count = (size_t)value->count;
    uint8_t *raw = memory_new(account, count);
    if (!raw) return error_memory(error, "a tokenizer", count);
    puna_status status = PUNA_OK;
    for (size_t i = 0; status == PUNA_OK && i < count; i++) {
        int64_t byte = 0;
        if (!gguf_integer(file, value, i, &byte)) status = wrong(file, value, error, "can't be read");
        raw[i] = (uint8_t)byte;
    }
    uint32_t bytes = raw[0] | (uint32_t)raw[1] << 8 | (uint32_t)raw[2] << 16 | (uint32_t)raw[3] << 24;
    if (status == PUNA_OK && (bytes > count - 4 || bytes % 4 || bytes == 0))
        status = wrong(file, value, error, "names a size of its array that it has no room for");
    if (status == PUNA_OK) {
        m->unit_count = bytes / 4;
        m->text_bytes = count - 4 - bytes;
        m->units = memory_array(account, m->unit_count, sizeof *m->units);
        m->texts = memory_new(account, m->text_bytes + 1);
        if (!m->units || !m->texts) status = error_memory(error, "a tokenizer", count);
    }
    if (status == PUNA_OK) {
        for (size_t i = 0; i < m->unit_count; i++) {
            const uint8_t *u = raw + 4 + 4 * i;
            m->units[i] = u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
        }
        if (m->text_bytes) memcpy(m->texts, raw + 4 + bytes, m->text_bytes);
        m->texts[m->text_bytes] = 0;
    }
    if (status == PUNA_OK && longest_run(raw + 4 + bytes, m->text_bytes) > MOST_BECOMES)
        status = wrong(file, value, error, "has a replacement of more than 256 bytes");
    memory_free(account, raw);
    return status;
}

void charsmap_free(memory_account *account, charsmap *m) {
    memory_free(account, m->units);
    memory_free(account, m->texts);
    *m = (charsmap){0};
}

/* A unit's parts: where its children lie from it, which byte leads to it, whether a value is among the children. */
static uint32_t offset_of(uint32_t unit) { return unit >> 10 << ((unit & 1u << 9) >> 6); }
static bool has_value(uint32_t unit) { return unit >> 8 & 1; }

size_t charsmap_match(const charsmap *m, const char *text, size_t length, const char **becomes,
                      size_t *becomes_length) {
    size_t longest = 0;
    if (m->unit_count == 0) return 0;
    uint32_t at = offset_of(m->units[0]);
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)text[i];
        at ^= byte;
        if (at >= m->unit_count) break;
        uint32_t unit = m->units[at];
        if ((unit & (1u << 31 | 0xFF)) != byte) break;
        at ^= offset_of(unit);
        if (!has_value(unit) || at >= m->unit_count) continue;
        size_t place = m->units[at] & 0x7FFFFFFF;
        if (place > m->text_bytes) place = m->text_bytes;
        *becomes = m->texts + place;
        *becomes_length = strlen(*becomes);
        longest = i + 1;
    }
    return longest;
}
