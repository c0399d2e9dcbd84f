// SPDX-License-Identifier: Apache-2.0
#include "format/gguf_split.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format/gguf_file.h"

#define SPLIT_NO "split.no"
#define SPLIT_COUNT "split.count"
#define SPLIT_TENSORS "split.tensors.count"

enum { SPLIT_TAIL = 20 }; /* bytes of "-00001-of-00003.gguf" */

/* What a part says of itself. */
typedef struct split_claim {
    uint32_t no, count, tensors;
} split_claim;

static puna_status split_read(const gguf_file *file, split_claim *claim, puna_error *error) {
    puna_status status = gguf_get_u32(file, SPLIT_COUNT, 1, &claim->count, error);
    if (status != PUNA_OK || claim->count <= 1) return status; /* a file of one part need not say more */
    status = gguf_need_u32(file, SPLIT_NO, &claim->no, error);
    if (status == PUNA_OK) status = gguf_need_u32(file, SPLIT_TENSORS, &claim->tensors, error);
    if (status != PUNA_OK) return status;
    if (claim->count > UINT16_MAX)
        return gguf_error(file, error, PUNA_INVALID_FILE, SPLIT_COUNT, gguf_place(file, SPLIT_COUNT),
                          "there would be %" PRIu32 " parts; at most 65535 are allowed", claim->count);
    if (claim->no >= claim->count)
        return gguf_error(file, error, PUNA_INVALID_FILE, SPLIT_NO, gguf_place(file, SPLIT_NO),
                          "the part's number is %" PRIu32 " (from 0) of %" PRIu32, claim->no, claim->count);
    return PUNA_OK;
}

static void split_tail(char tail[SPLIT_TAIL + 1], uint32_t no, uint32_t count) {
    snprintf(tail, SPLIT_TAIL + 1, "-%05u-of-%05u.gguf", (no + 1) % 100000u, count % 100000u);
}

/* The other parts are found by this one's name, which therefore has to say what its metadata says. */
static puna_status split_check_name(const gguf_file *file, const split_claim *claim, puna_error *error) {
    char tail[SPLIT_TAIL + 1];
    split_tail(tail, claim->no, claim->count);
    size_t length = strlen(file->path);
    if (length > SPLIT_TAIL && strcmp(file->path + length - SPLIT_TAIL, tail) == 0) return PUNA_OK;
    return gguf_error(file, error, PUNA_INVALID_FILE, SPLIT_NO, gguf_place(file, SPLIT_NO),
                      "the file is part %" PRIu32 " of %" PRIu32 ", but its name does not end in %s, so that the other "
                      "parts can't be found", claim->no + 1, claim->count, tail);
}

/* Opens part `no` beside `any`, and holds it against what `any` says. */
static puna_status split_open(const gguf_file *any, const split_claim *whole, uint32_t no, gguf_file **part,
                              puna_error *error) {
    memory_account account;
    memory_account_init(&account);
    size_t length = strlen(any->path);
    char *path = memory_new(&account, length + 1);
    if (!path) return error_memory(error, "the path of a GGUF file's part", length + 1);
    memcpy(path, any->path, length + 1);
    split_tail(path + length - SPLIT_TAIL, no, whole->count);
    puna_status status = gguf_open_part(path, part, error);
    if (status == PUNA_NOT_FOUND)
        error_set(error, status, path, "%s: there is no such file: part %" PRIu32 " of %" PRIu32 " is missing", path,
                  no + 1, whole->count);
    memory_free(&account, path);
    split_claim claim = {0};
    if (status == PUNA_OK) status = split_read(*part, &claim, error);
    if (status != PUNA_OK) return status;
    if (claim.count != whole->count)
        return gguf_error(*part, error, PUNA_INVALID_FILE, SPLIT_COUNT, gguf_place(*part, SPLIT_COUNT),
                          "this part says that there are %" PRIu32 " parts; another one says %" PRIu32, claim.count,
                          whole->count);
    if (claim.no != no)
        return gguf_error(*part, error, PUNA_INVALID_FILE, SPLIT_NO, gguf_place(*part, SPLIT_NO),
                          "by its name this is part %" PRIu32 ", by its metadata part %" PRIu32, no + 1, claim.no + 1);
    if (claim.tensors != whole->tensors)
        return gguf_error(*part, error, PUNA_INVALID_FILE, SPLIT_TENSORS, gguf_place(*part, SPLIT_TENSORS),
                          "this part says that all have %" PRIu32 " tensors; another one says %" PRIu32, claim.tensors,
                          whole->tensors);
    return PUNA_OK;
}

/* Part 1's tensors, then those of the others, in one table with one index. */
static puna_status split_merge(gguf_file *first, const split_claim *whole, puna_error *error) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < first->part_count; i++) total += gguf_tensor_count(gguf_part(first, i));
    if (total != whole->tensors)
        return gguf_error(first, error, PUNA_INVALID_FILE, SPLIT_TENSORS, gguf_place(first, SPLIT_TENSORS),
                          "the parts have %" PRIu64 " tensors together; %" PRIu32 " are announced", total,
                          whole->tensors);
    if (total > GGUF_MAX_ROWS)
        return gguf_error(first, error, PUNA_UNSUPPORTED, SPLIT_TENSORS, gguf_place(first, SPLIT_TENSORS),
                          "the count is %" PRIu64 "; at most %" PRIu64 " are read", total, (uint64_t)GGUF_MAX_ROWS);
    uint64_t at = gguf_tensor_count(first);
    if (total > at) {
        gguf_tensor *grown = memory_grow(&first->account, first->tensors, (size_t)total * sizeof *grown);
        if (!grown) return error_memory(error, "a GGUF file's tensor table", total * sizeof *grown);
        first->tensors = grown;
    }
    for (uint32_t i = 1; i < first->part_count; i++) {
        const gguf_file *part = gguf_part(first, i);
        for (uint64_t t = 0; t < gguf_tensor_count(part); t++, at++) {
            first->tensors[at] = *gguf_tensor_at(part, t);
            first->tensors[at].part = i;
        }
    }
    gguf_names_free(&first->names, &first->account);
    if (!gguf_names_build(&first->names, &first->account, first->tensors, sizeof(gguf_tensor), (uint32_t)total))
        return error_memory(error, "the index of a GGUF file's tensors", total * sizeof(uint32_t));
    uint32_t row;
    if (!gguf_names_duplicate(&first->names, &row)) return PUNA_OK;
    const gguf_tensor *twice = &first->tensors[row];
    const gguf_file *part = gguf_part(first, twice->part);
    return gguf_error(part, error, PUNA_INVALID_FILE, gguf_field_of("tensor ", twice->name).text,
                      (uint64_t)((const uint8_t *)twice->name.data - part->header),
                      "an earlier part has a tensor of this name, too");
}

/* One number for all parts: a part that was exchanged changes it. */
static puna_status split_fingerprint(gguf_file *first, puna_error *error) {
    uint8_t *bytes = memory_array(&first->account, first->part_count, 8);
    if (!bytes) return error_memory(error, "a GGUF file's fingerprint", 8 * (uint64_t)first->part_count);
    for (uint32_t i = 0; i < first->part_count; i++)
        bytes_put_u64(bytes + 8 * (size_t)i, gguf_part(first, i)->fingerprint);
    first->fingerprint = gguf_hash(bytes, 8 * (uint64_t)first->part_count, gguf_size(first));
    memory_free(&first->account, bytes);
    return PUNA_OK;
}

puna_status gguf_join(gguf_file **file, puna_error *error) {
    split_claim whole = {0};
    puna_status status = split_read(*file, &whole, error);
    if (status != PUNA_OK || whole.count <= 1) return status;
    status = split_check_name(*file, &whole, error);
    if (status != PUNA_OK) return status;
    if (whole.no != 0) {
        gguf_file *first = NULL;
        status = split_open(*file, &whole, 0, &first, error);
        if (status != PUNA_OK) {
            gguf_close(first);
            return status;
        }
        gguf_close(*file);
        *file = first;
    }
    gguf_file *first = *file;
    first->parts = memory_array(&first->account, whole.count, sizeof *first->parts);
    if (!first->parts) return error_memory(error, "a GGUF file's parts", whole.count * sizeof *first->parts);
    first->parts[0] = first;
    first->part_count = 1;
    for (uint32_t i = 1; i < whole.count && status == PUNA_OK; i++) {
        first->parts[i] = NULL;
        status = split_open(first, &whole, i, &first->parts[i], error);
        first->part_count = i + 1;
    }
    if (status == PUNA_OK) status = split_merge(first, &whole, error);
    if (status == PUNA_OK) status = split_fingerprint(first, error);
    return status;
}

/* One part: all metadata in the first, and of the rest what its own layout needs. */
static puna_status split_write(const gguf_file *file, const char *path, const split_claim *claim, uint64_t begin,
                               uint64_t end, puna_error *error) {
    gguf_writer *writer;
    puna_status status = gguf_writer_create(gguf_version(file), &writer, error);
    if (status != PUNA_OK) return status;
    const gguf_value *alignment = gguf_find(file, GGUF_ALIGNMENT_KEY);
    if (claim->no == 0) status = gguf_write_values(writer, file, false, error);
    else if (alignment) status = gguf_write_value(writer, file, alignment, error);
    uint16_t no = (uint16_t)claim->no, count = (uint16_t)claim->count;
    int32_t tensors = (int32_t)claim->tensors;
    if (status == PUNA_OK) status = gguf_write_scalar(writer, SPLIT_NO, PUNA_UINT16, &no, error);
    if (status == PUNA_OK) status = gguf_write_scalar(writer, SPLIT_COUNT, PUNA_UINT16, &count, error);
    if (status == PUNA_OK) status = gguf_write_scalar(writer, SPLIT_TENSORS, PUNA_INT32, &tensors, error);
    for (uint64_t i = begin; i < end && status == PUNA_OK; i++)
        status = gguf_write_copy(writer, file, gguf_tensor_at(file, i), error);
    if (status == PUNA_OK) status = gguf_writer_save(writer, path, error);
    gguf_writer_free(writer);
    return status;
}

puna_status gguf_write_parts(const gguf_file *file, const char *prefix, uint32_t count, puna_error *error) {
    uint64_t tensors = gguf_tensor_count(file), total = 0, done = 0, at = 0;
    if (count < 1 || count > tensors || count > UINT16_MAX)
        return error_set(error, PUNA_INVALID_ARGUMENT, "count",
                         "count is %" PRIu32 "; 1 to %" PRIu64 " parts can be made of these tensors", count,
                         tensors < UINT16_MAX ? tensors : (uint64_t)UINT16_MAX);
    for (uint64_t i = 0; i < tensors; i++) total += gguf_tensor_at(file, i)->bytes;
    memory_account account;
    memory_account_init(&account);
    size_t length = strlen(prefix);
    char *path = memory_new(&account, length + SPLIT_TAIL + 1);
    if (!path) return error_memory(error, "the path of a GGUF file's part", length + SPLIT_TAIL + 1);
    memcpy(path, prefix, length);
    puna_status status = PUNA_OK;
    for (uint32_t no = 0; no < count && status == PUNA_OK; no++) {
        split_claim claim = {no, count, (uint32_t)tensors};
        uint64_t begin = at, share = total / count * (no + 1u), most = tensors - (count - no - 1u);
        if (no + 1 == count) share = total;
        do done += gguf_tensor_at(file, at++)->bytes;
        while (at < most && (done < share || no + 1 == count));
        split_tail(path + length, no, count);
        status = split_write(file, path, &claim, begin, at, error);
    }
    memory_free(&account, path);
    return status;
}
