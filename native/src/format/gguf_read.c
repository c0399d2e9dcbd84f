// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "format/gguf_file.h"
#include "format/gguf_split.h"

/* Fits the path into the subject: where it is too long, its end matters more than its beginning. */
static void gguf_subject(const gguf_file *file, const char *field, char *out, size_t capacity) {
    char shown[128];
    snprintf(shown, sizeof shown, "%s", field ? field : "");
    size_t room = capacity - 1 - strlen(shown) - (shown[0] ? 2 : 0), length = strlen(file->path);
    const char *path = file->path, *dots = "";
    if (length > room) {
        dots = "...";
        path += length - (room - 3);
        while (((unsigned char)*path & 0xC0) == 0x80) path++;
    }
    snprintf(out, capacity, "%s%s%s%s", dots, path, shown[0] ? ": " : "", shown);
}

puna_status gguf_error(const gguf_file *file, puna_error *error, puna_status status, const char *field,
                       uint64_t offset, const char *format, ...) {
    char subject[sizeof error->subject], message[sizeof error->message];
    gguf_subject(file, field, subject, sizeof subject);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_at(error, status, subject, offset, "%s", message);
}

static puna_status gguf_check_version(gguf_cursor *cursor) {
    const gguf_file *file = cursor->file;
    uint32_t version = file->version;
    if (version == 2 || version == 3) return PUNA_OK;
    if ((version & 0xFFFF) == 0 && version != 0)
        return gguf_error(file, cursor->error, PUNA_UNSUPPORTED, "version", 4,
                          "the file is big-endian; only little-endian GGUF is read");
    return gguf_error(file, cursor->error, version ? PUNA_UNSUPPORTED : PUNA_INVALID_FILE, "version", 4,
                      "the file has GGUF version %" PRIu32 "; versions 2 and 3 are read", version);
}

static puna_status gguf_read_alignment(gguf_cursor *cursor) {
    gguf_file *file = cursor->file;
    const gguf_value *value = gguf_find(file, GGUF_ALIGNMENT_KEY);
    file->alignment = GGUF_DEFAULT_ALIGNMENT;
    if (!value) return PUNA_OK;
    if (value->type != PUNA_UINT32)
        return gguf_error(file, cursor->error, PUNA_INVALID_FILE, GGUF_ALIGNMENT_KEY, value->offset,
                          "it has type %s; uint32 is needed", gguf_type_name(value->type));
    uint32_t alignment = bytes_u32(file->header + value->offset);
    if (alignment < 8 || (alignment & (alignment - 1)) != 0)
        return gguf_error(file, cursor->error, PUNA_INVALID_FILE, GGUF_ALIGNMENT_KEY, value->offset,
                          "it is %" PRIu32 "; a power of two, at least 8, is needed", alignment);
    file->alignment = alignment;
    return PUNA_OK;
}

static puna_status gguf_check_count(gguf_cursor *cursor, const char *field, uint64_t count, uint64_t offset) {
    /* A count beyond what the file holds is said to be that; the bound is for those that could be true. */
    if (count <= GGUF_MAX_ROWS || count > cursor->file->file_bytes) return PUNA_OK;
    return gguf_error(cursor->file, cursor->error, PUNA_UNSUPPORTED, field, offset,
                      "the count is %" PRIu64 "; at most %" PRIu64 " are read", count, (uint64_t)GGUF_MAX_ROWS);
}

static puna_status gguf_read_header(gguf_cursor *cursor) {
    gguf_file *file = cursor->file;
    uint64_t tensors, values;
    uint64_t first = file->file_bytes < GGUF_FIRST_READ ? file->file_bytes : GGUF_FIRST_READ;
    puna_status status = gguf_read_header_to(file, first, cursor->error);
    if (status != PUNA_OK) return status;
    if (first < 4 || memcmp(file->header, "GGUF", 4) != 0) return gguf_refuse(file, cursor->error);
    cursor->at = 4;
    status = gguf_take_u32(cursor, "version", &file->version);
    if (status == PUNA_OK) status = gguf_check_version(cursor);
    if (status == PUNA_OK) status = gguf_take_u64(cursor, "tensor count", &tensors);
    if (status == PUNA_OK) status = gguf_check_count(cursor, "tensor count", tensors, cursor->at - 8);
    if (status == PUNA_OK) status = gguf_take_u64(cursor, "metadata count", &values);
    if (status == PUNA_OK) status = gguf_check_count(cursor, "metadata count", values, cursor->at - 8);
    if (status == PUNA_OK) status = gguf_read_values(cursor, values);
    if (status != PUNA_OK) return status;
    file->values_end = cursor->at;
    status = gguf_read_alignment(cursor);
    if (status == PUNA_OK) status = gguf_read_tensors(cursor, tensors);
    return status;
}

/* Eight bytes at a time; each step is a bijection of the state, the last ones (those of splitmix64) spread it. */
uint64_t gguf_hash(const uint8_t *bytes, uint64_t count, uint64_t size) {
    const uint64_t odd = 0x9E3779B97F4A7C15u;
    uint64_t hash = size * odd;
    for (; count >= 8; count -= 8, bytes += 8) {
        hash = (hash ^ bytes_u64(bytes)) * odd;
        hash ^= hash >> 32;
    }
    uint64_t rest = count;
    for (uint64_t i = 0; i < count; i++) rest |= (uint64_t)bytes[i] << (8 * i + 8);
    hash = (hash ^ rest) * odd;
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9u;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBu;
    return hash ^ (hash >> 31);
}

/* The file as an object without contents: the path is needed for every message that follows. */
static gguf_file *gguf_new(const char *path) {
    memory_account account;
    memory_account_init(&account);
    gguf_file *file = memory_new(&account, sizeof *file);
    if (!file) return NULL;
    memory_account_init(&file->account);
    atomic_store(&file->account.used, memory_used(&account));
    size_t length = strlen(path);
    file->path = memory_new(&file->account, length + 1);
    if (!file->path) {
        gguf_close(file);
        return NULL;
    }
    memcpy(file->path, path, length);
    return file;
}

puna_status gguf_open_part(const char *path, gguf_file **out, puna_error *error) {
    *out = NULL;
    gguf_file *file = gguf_new(path);
    if (!file) return error_memory(error, "a GGUF file's description", sizeof *file);
    puna_status status = os_input_open(path, &file->input, &file->file_bytes, error);
    uint64_t end = file->file_bytes < GGUF_MAX_HEADER ? file->file_bytes : GGUF_MAX_HEADER;
    gguf_cursor cursor = {file, 0, end, error};
    if (status == PUNA_OK) status = gguf_read_header(&cursor);
    if (status == PUNA_OK) status = gguf_trim_header(file, cursor.at, error);
    if (status != PUNA_OK) {
        gguf_close(file);
        return status;
    }
    file->fingerprint = gguf_hash(file->header, cursor.at, file->file_bytes);
    *out = file;
    return PUNA_OK;
}

puna_status gguf_open(const char *path, gguf_file **file, puna_error *error) {
    puna_status status = gguf_open_part(path, file, error);
    if (status != PUNA_OK) return status;
    status = gguf_join(file, error);
    if (status == PUNA_OK) return PUNA_OK;
    gguf_close(*file);
    *file = NULL;
    return status;
}

void gguf_detach(gguf_file *file) {
    for (uint32_t i = 1; i < file->part_count; i++) gguf_detach(file->parts[i]);
    os_input_close(file->input);
    file->input = NULL;
}

void gguf_close(gguf_file *file) {
    if (!file) return;
    for (uint32_t i = 1; i < file->part_count; i++) gguf_close(file->parts[i]);
    memory_account *account = &file->account;
    gguf_names_free(&file->keys, account);
    gguf_names_free(&file->names, account);
    memory_free(account, file->values);
    memory_free(account, file->tensors);
    memory_free(account, file->marks);
    memory_free(account, file->parts);
    memory_free(account, file->path);
    memory_free(account, file->header);
    os_input_close(file->input);
    /* The struct holds its own account: the last block is given back through a copy of it. */
    memory_account last;
    memory_account_init(&last);
    atomic_store(&last.used, memory_used(account));
    memory_free(&last, file);
}
