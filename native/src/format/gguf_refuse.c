// SPDX-License-Identifier: Apache-2.0
/* Says what a file that is not GGUF looks like: most often the wrong file was named, or a download failed. */
#include <string.h>

#include "base/utf8.h"
#include "format/gguf_file.h"

static bool gguf_begins(const gguf_file *file, const char *bytes, size_t count) {
    return file->header_bytes >= count && memcmp(file->header, bytes, count) == 0;
}

/* Does the text begin with `word` (lower case) after white space, whatever its case? */
static bool gguf_begins_word(const gguf_file *file, const char *word) {
    uint64_t at = 0, size = file->header_bytes;
    while (at < size && at < 64 && strchr(" \t\r\n", file->header[at]) && file->header[at]) at++;
    for (; *word; word++, at++) {
        if (at >= size) return false;
        unsigned char byte = file->header[at];
        if (byte >= 'A' && byte <= 'Z') byte = (unsigned char)(byte + 32);
        if (byte != (unsigned char)*word) return false;
    }
    return true;
}

static bool gguf_is_text(const gguf_file *file) {
    size_t look = file->header_bytes < 512 ? (size_t)file->header_bytes : 512;
    const char *text = (const char *)file->header;
    look = utf8_complete(text, look);
    for (size_t i = 0; i < look; i++)
        if ((unsigned char)text[i] < 32 && !strchr("\t\r\n\f", text[i])) return false;
    return !memchr(text, 0, look) && utf8_valid(text, look) == look;
}

static bool gguf_is_safetensors(const gguf_file *file) {
    return file->header_bytes > 9 && bytes_u64(file->header) < file->file_bytes && file->header[8] == '{';
}

static const char *gguf_looks_like(const gguf_file *file) {
    if (file->file_bytes == 0) return "it is empty";
    if (gguf_begins(file, "FUGG", 4)) return "its first bytes are GGUF backwards";
    if (gguf_begins(file, "ggml", 4) || gguf_begins(file, "lmgg", 4) || gguf_begins(file, "tjgg", 4) ||
        gguf_begins(file, "fmgg", 4) || gguf_begins(file, "algg", 4))
        return "it looks like one of GGML's older formats; convert it, or get the model as GGUF";
    if (gguf_begins(file, "PK\3\4", 4)) return "it looks like a ZIP archive or a PyTorch checkpoint";
    if (gguf_begins(file, "\x1f\x8b", 2)) return "it looks like a gzip archive; unpack it first";
    if (gguf_begins(file, "\x28\xb5\x2f\xfd", 4)) return "it looks like a zstd archive; unpack it first";
    if (gguf_begins(file, "\x80\2", 2)) return "it looks like a Python pickle";
    if (gguf_is_safetensors(file)) return "it looks like safetensors; get the model as GGUF, or convert it";
    if (gguf_begins_word(file, "<!doctype html") || gguf_begins_word(file, "<html"))
        return "it looks like an HTML page, perhaps a failed download";
    if (gguf_begins_word(file, "version https://git-lfs"))
        return "it is a Git LFS pointer, not the file itself; fetch it with git lfs pull";
    if (gguf_begins_word(file, "{")) return "it looks like JSON";
    if (gguf_is_text(file)) return "it looks like text";
    return "its first bytes are not \"GGUF\"";
}

puna_status gguf_refuse(const gguf_file *file, puna_error *error) {
    return gguf_error(file, error, PUNA_INVALID_FILE, "magic", 0, "this is not a GGUF file: %s", gguf_looks_like(file));
}
