// SPDX-License-Identifier: Apache-2.0
#include "hostile/hostile_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "puna.h"

enum { WIDTH = 32, HEADS = 2, HEAD = 16, FEED = 64, ALIGNMENT = 32, F32 = 0, Q4_0 = 2 };

typedef struct maker {
    hostile_file *file;
    const hostile_lie *lie;
    bool used;             /* the lie found its field */
    uint32_t entries, tensors;
    uint64_t data;         /* bytes of tensors so far, aligned */
    uint8_t *tail;         /* their bytes */
    size_t tail_room;
} maker;

static void put(maker *m, const void *bytes, size_t count) {
    hostile_file *f = m->file;
    if (f->used + count > f->room) {
        f->room = 2 * (f->used + count) + 4096;
        f->bytes = realloc(f->bytes, f->room);
        if (!f->bytes) abort();
    }
    if (count) memcpy(f->bytes + f->used, bytes, count);
    f->used += count;
}

static void mark(maker *m, const char *name, const char *suffix, size_t width) {
    hostile_field *field = &m->file->fields[m->file->field_count];
    if (m->file->field_count < HOSTILE_FIELDS - 1) m->file->field_count++;
    snprintf(field->name, sizeof field->name, "%s%s", name, suffix);
    field->at = m->file->used;
    field->width = width;
}

static void number(maker *m, const char *name, const char *suffix, size_t width, uint64_t value) {
    uint8_t bytes[8];
    mark(m, name, suffix, width);
    for (size_t i = 0; i < width; i++) bytes[i] = (uint8_t)(value >> 8 * i);
    put(m, bytes, width);
}

static void text(maker *m, const char *name, const char *suffix, const char *value) {
    char length[80];
    snprintf(length, sizeof length, "%s.length", suffix);
    number(m, name, length, 8, strlen(value));
    mark(m, name, suffix, strlen(value));
    put(m, value, strlen(value));
}

static bool lies(const maker *m, hostile_kind kind, const char *field) {
    return m->lie->kind == kind && strcmp(m->lie->field, field) == 0;
}

static size_t width_of(uint32_t type) {
    static const uint8_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return type < sizeof widths ? widths[type] : 4;
}

/* ---- Entries ---- */

static void begin_entry(maker *m, const char *key, uint32_t type) {
    m->entries++;
    text(m, key, ".key", key);
    number(m, key, ".type", 4, type);
}

/* Another value than the model's. True: it was written. */
static bool other_value(maker *m, const char *key) {
    const hostile_lie *lie = m->lie;
    if (lies(m, HOSTILE_DROP, key)) return m->used = true;
    if (!lies(m, HOSTILE_VALUE, key)) return false;
    m->used = true;
    begin_entry(m, key, lie->type);
    if (lie->type == PUNA_STRING) {
        text(m, key, "", lie->text);
    } else if (lie->type == PUNA_ARRAY) {
        number(m, key, ".element", 4, lie->element);
        number(m, key, ".count", 8, lie->number);
        for (uint64_t i = 0; i < lie->number; i++)
            number(m, key, ".more", lie->element == PUNA_STRING ? 8 : width_of(lie->element), 0);
    } else {
        number(m, key, "", width_of(lie->type), lie->number);
    }
    return true;
}

static void scalar(maker *m, const char *key, uint32_t type, uint64_t value) {
    for (int i = 0; i < (lies(m, HOSTILE_TWICE, key) ? 2 : 1); i++) {
        if (other_value(m, key)) return;
        begin_entry(m, key, type);
        number(m, key, "", width_of(type), value);
        if (lies(m, HOSTILE_TWICE, key)) m->used = true;
    }
}

static void real(maker *m, const char *key, float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    scalar(m, key, PUNA_FLOAT32, bits);
}

static void string(maker *m, const char *key, const char *value) {
    if (other_value(m, key)) return;
    begin_entry(m, key, PUNA_STRING);
    text(m, key, "", value);
}

static void begin_array(maker *m, const char *key, uint32_t element, uint64_t count) {
    begin_entry(m, key, PUNA_ARRAY);
    number(m, key, ".element", 4, element);
    number(m, key, ".count", 8, count);
}

static void strings(maker *m, const char *key, const char *const *values, size_t count) {
    if (other_value(m, key)) return;
    begin_array(m, key, PUNA_STRING, count);
    for (size_t i = 0; i < count; i++) {
        bool other = lies(m, HOSTILE_TEXTS, key) && m->lie->number == i;
        m->used = m->used || other;
        char suffix[16];
        snprintf(suffix, sizeof suffix, ".%d", (int)i);
        text(m, key, suffix, other ? m->lie->text : values[i]);
    }
}

static void numbers(maker *m, const char *key, uint32_t element, const int32_t *values, size_t count) {
    if (other_value(m, key)) return;
    begin_array(m, key, element, count);
    for (size_t i = 0; i < count; i++) {
        char suffix[16];
        float score = (float)values[i];
        uint32_t bits = (uint32_t)values[i];
        if (element == PUNA_FLOAT32) memcpy(&bits, &score, 4);
        snprintf(suffix, sizeof suffix, ".%d", (int)i);
        number(m, key, suffix, 4, bits);
    }
}

static uint32_t spm(maker *m) {
    static const char *const tokens[] = {"<unk>", "<s>", "</s>", "<0x0A>", "\xE2\x96\x81", "a", "b",
                                         "\xE2\x96\x81" "a", "ab", "[T]", "x", "y"};
    static const int32_t kinds[] = {2, 3, 3, 6, 1, 1, 1, 1, 1, 4, 5, 1};
    static const int32_t scores[] = {0, 0, 0, 0, -1, -2, -3, -4, -5, 0, -6, -7};
    string(m, "tokenizer.ggml.model", "llama");
    strings(m, "tokenizer.ggml.tokens", tokens, 12);
    numbers(m, "tokenizer.ggml.scores", PUNA_FLOAT32, scores, 12);
    numbers(m, "tokenizer.ggml.token_type", PUNA_INT32, kinds, 12);
    scalar(m, "tokenizer.ggml.bos_token_id", PUNA_UINT32, 1);
    scalar(m, "tokenizer.ggml.eos_token_id", PUNA_UINT32, 2);
    scalar(m, "tokenizer.ggml.unknown_token_id", PUNA_UINT32, 0);
    scalar(m, "tokenizer.ggml.add_bos_token", PUNA_BOOL, 1);
    return 12;
}

static uint32_t bpe(maker *m) {
    static const char *const tokens[] = {"<|end|>", "a", "b", "c", "\xC4\xA0", "ab", "abc", "\xC4\xA0" "ab"};
    static const char *const merges[] = {"a b", "ab c", "\xC4\xA0 ab"};
    static const int32_t kinds[] = {3, 1, 1, 1, 1, 1, 1, 1};
    string(m, "tokenizer.ggml.model", "gpt2");
    string(m, "tokenizer.ggml.pre", "llama-bpe");
    strings(m, "tokenizer.ggml.tokens", tokens, 8);
    numbers(m, "tokenizer.ggml.token_type", PUNA_INT32, kinds, 8);
    strings(m, "tokenizer.ggml.merges", merges, 3);
    scalar(m, "tokenizer.ggml.eos_token_id", PUNA_UINT32, 0);
    return 8;
}

static uint32_t entries(maker *m, hostile_base base) {
    scalar(m, "general.alignment", PUNA_UINT32, ALIGNMENT);
    string(m, "general.architecture", "llama");
    string(m, "general.name", "a liar");
    scalar(m, "llama.block_count", PUNA_UINT32, 1);
    scalar(m, "llama.context_length", PUNA_UINT32, 128);
    scalar(m, "llama.embedding_length", PUNA_UINT32, WIDTH);
    scalar(m, "llama.feed_forward_length", PUNA_UINT32, FEED);
    scalar(m, "llama.attention.head_count", PUNA_UINT32, HEADS);
    scalar(m, "llama.attention.head_count_kv", PUNA_UINT32, 1);
    scalar(m, "llama.attention.key_length", PUNA_UINT32, HEAD);
    scalar(m, "llama.attention.value_length", PUNA_UINT32, HEAD);
    real(m, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    scalar(m, "llama.attention.sliding_window", PUNA_UINT32, 64);
    scalar(m, "llama.attention.sliding_window_pattern", PUNA_UINT32, 2);
    scalar(m, "llama.rope.dimension_count", PUNA_UINT32, HEAD);
    real(m, "llama.rope.freq_base", 10000);
    string(m, "llama.rope.scaling.type", "yarn");
    real(m, "llama.rope.scaling.factor", 4);
    scalar(m, "llama.rope.scaling.original_context_length", PUNA_UINT32, 64);
    real(m, "llama.final_logit_softcapping", 30);
    string(m, "tokenizer.chat_template", "{% for m in messages %}{{ m.content }}{% endfor %}");
    return base == HOSTILE_SPM ? spm(m) : bpe(m);
}

/* ---- Tensors ---- */

static size_t stored_bytes(uint32_t type, uint64_t cols, uint64_t rows) {
    return (size_t)(type == Q4_0 ? cols / 32 * 18 * rows : 4 * cols * rows);
}

static void fill(maker *m, const char *name, uint32_t type, size_t bytes) {
    size_t whole = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (m->data + whole > m->tail_room) {
        m->tail_room = 2 * (m->data + whole);
        m->tail = realloc(m->tail, m->tail_room);
        if (!m->tail) abort();
    }
    uint8_t *at = m->tail + m->data;
    memset(at, 0, whole);
    for (size_t i = 0; type == Q4_0 && i + 18 <= bytes; i++)
        at[i] = i % 18 == 1 ? 0x20 : i % 18 == 0 ? 0 : (uint8_t)(i * 37);
    for (size_t i = 0; type == F32 && i + 4 <= bytes; i += 4) {
        float value = (float)((int)(i * 7 % 41) - 20) / 64.0f;
        memcpy(at + i, &value, 4);
    }
    if (lies(m, HOSTILE_DATA, name)) {
        uint32_t bits = (uint32_t)m->lie->number;
        memcpy(at, &bits, 4);
        m->used = true;
    }
    m->data += whole;
}

static void tensor(maker *m, const char *name, uint32_t type, uint64_t cols, uint64_t rows) {
    int times = lies(m, HOSTILE_TWICE, name) ? 2 : 1;
    bool shaped = lies(m, HOSTILE_SHAPE, name);
    if (times == 2 || shaped || lies(m, HOSTILE_DROP, name)) m->used = true;
    if (lies(m, HOSTILE_DROP, name)) return;
    if (lies(m, HOSTILE_STORED, name)) {
        type = m->lie->type;
        m->used = true;
    }
    uint64_t shape[2] = {shaped ? m->lie->number : cols, shaped ? m->lie->second : rows};
    bool small = shape[0] < 4096 && shape[1] < 4096;
    for (int i = 0; i < times; i++) {
        m->tensors++;
        text(m, name, ".name", name);
        number(m, name, ".dimensions", 4, rows > 1 || shaped ? 2 : 1);
        number(m, name, ".shape0", 8, shape[0]);
        if (rows > 1 || shaped) number(m, name, ".shape1", 8, shape[1]);
        number(m, name, ".stored", 4, type);
        number(m, name, ".offset", 8, m->data);
        fill(m, name, type, stored_bytes(type, small ? shape[0] : cols, small ? shape[1] : rows));
    }
}

static void tensors(maker *m, uint32_t vocabulary) {
    tensor(m, "token_embd.weight", F32, WIDTH, vocabulary);
    tensor(m, "output.weight", Q4_0, WIDTH, vocabulary);
    tensor(m, "output_norm.weight", F32, WIDTH, 1);
    tensor(m, "blk.0.attn_norm.weight", F32, WIDTH, 1);
    tensor(m, "blk.0.attn_q.weight", Q4_0, WIDTH, HEADS * HEAD);
    tensor(m, "blk.0.attn_k.weight", F32, WIDTH, HEAD);
    tensor(m, "blk.0.attn_v.weight", F32, WIDTH, HEAD);
    tensor(m, "blk.0.attn_output.weight", F32, HEADS * HEAD, WIDTH);
    tensor(m, "blk.0.ffn_norm.weight", F32, WIDTH, 1);
    tensor(m, "blk.0.ffn_gate.weight", Q4_0, WIDTH, FEED);
    tensor(m, "blk.0.ffn_up.weight", F32, WIDTH, FEED);
    tensor(m, "blk.0.ffn_down.weight", Q4_0, FEED, WIDTH);
}

/* ---- All of it ---- */

static void patch(uint8_t *at, size_t width, uint64_t value) {
    for (size_t i = 0; i < width; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static bool late_lie(maker *m) {
    const hostile_lie *lie = m->lie;
    hostile_file *f = m->file;
    if (lie->kind == HOSTILE_CUT) {
        f->used = f->used * (size_t)lie->number / 64;
        return true;
    }
    if (lie->kind != HOSTILE_NUMBER && lie->kind != HOSTILE_BYTES) return lie->kind == HOSTILE_NOTHING || m->used;
    for (int i = 0; i < f->field_count; i++) {
        const hostile_field *field = &f->fields[i];
        if (strcmp(field->name, lie->field) != 0) continue;
        if (lie->kind == HOSTILE_NUMBER) patch(f->bytes + field->at, field->width, lie->number);
        else
            for (size_t b = 0; b < field->width; b++)
                f->bytes[field->at + b] = (uint8_t)lie->text[b % strlen(lie->text)];
        return true;
    }
    return false;
}

bool hostile_make(hostile_file *file, hostile_base base, const hostile_lie *lie) {
    memset(file, 0, sizeof *file);
    maker m = {.file = file, .lie = lie};
    number(&m, "magic", "", 4, 0x46554747u);
    number(&m, "version", "", 4, 3);
    number(&m, "tensors", "", 8, 0);
    number(&m, "entries", "", 8, 0);
    uint32_t vocabulary = entries(&m, base);
    tensors(&m, vocabulary);
    patch(file->bytes + 8, 8, m.tensors);
    patch(file->bytes + 16, 8, m.entries);
    while (file->used % ALIGNMENT) put(&m, "", 1);
    put(&m, m.tail, (size_t)m.data);
    free(m.tail);
    return late_lie(&m);
}

void hostile_free(hostile_file *file) {
    free(file->bytes);
    file->bytes = NULL;
}
