// SPDX-License-Identifier: Apache-2.0
#include "hostile/hostile_cases.h"

#include <stdio.h>
#include <string.h>

enum { CASES = 700 };
static hostile_case cases[CASES];
static int count;

static hostile_case *add(hostile_base base, hostile_lie lie, puna_status status, const char *field, const char *words,
                         const char *what) {
    hostile_case *c = &cases[count < CASES - 1 ? count++ : count];
    *c = (hostile_case){.base = base, .lie = lie, .status = status, .words = words};
    snprintf(c->field, sizeof c->field, "%s", field);
    snprintf(c->name, sizeof c->name, "%s %s", lie.field ? lie.field : "file", what);
    return c;
}

static hostile_case *bad(hostile_lie lie, const char *field, const char *words, const char *what) {
    return add(HOSTILE_SPM, lie, PUNA_INVALID_FILE, field, words, what);
}

static hostile_lie as(const char *key, uint32_t type, uint64_t number) {
    return (hostile_lie){.kind = HOSTILE_VALUE, .field = key, .type = type, .number = number};
}
static hostile_lie as_text(const char *key, const char *text) {
    return (hostile_lie){.kind = HOSTILE_VALUE, .field = key, .type = PUNA_STRING, .text = text};
}
static hostile_lie as_array(const char *key, uint32_t element, uint64_t length) {
    return (hostile_lie){.kind = HOSTILE_VALUE, .field = key, .type = PUNA_ARRAY, .element = element, .number = length};
}
static hostile_lie number(const char *field, uint64_t value) {
    return (hostile_lie){.kind = HOSTILE_NUMBER, .field = field, .number = value};
}
static hostile_lie drop(const char *field) { return (hostile_lie){.kind = HOSTILE_DROP, .field = field}; }
static hostile_lie shape(const char *tensor, uint64_t cols, uint64_t rows) {
    return (hostile_lie){.kind = HOSTILE_SHAPE, .field = tensor, .number = cols, .second = rows};
}
static hostile_lie element(const char *key, uint64_t index, const char *text) {
    return (hostile_lie){.kind = HOSTILE_TEXTS, .field = key, .number = index, .text = text};
}

/* ---- The header ---- */

static void header(void) {
    static const struct { const char *field; uint64_t value; puna_status status; const char *says, *words; } rows[] = {
        {"magic", 0, PUNA_INVALID_FILE, "magic", "not a GGUF file"},
        {"version", 0, PUNA_INVALID_FILE, "version", NULL},
        {"version", 1, PUNA_UNSUPPORTED, "version", NULL},
        {"version", 99, PUNA_UNSUPPORTED, "version", NULL},
        {"version", 0x03000000, PUNA_UNSUPPORTED, "version", "big-endian"},
        {"tensors", 11, PUNA_INVALID_FILE, "blk.0.ffn_down.weight", NULL},
        {"tensors", 13, PUNA_INVALID_FILE, "tensor 12", NULL},
        {"tensors", 5000, PUNA_INVALID_FILE, "tensor count", NULL},
        {"tensors", INT64_MAX, PUNA_INVALID_FILE, "tensor count", NULL},
        {"tensors", UINT64_MAX, PUNA_INVALID_FILE, "tensor count", NULL},
        {"entries", 0, PUNA_INVALID_FILE, "", NULL},
        {"entries", 1, PUNA_INVALID_FILE, "", NULL},
        {"entries", 30, PUNA_INVALID_FILE, "", NULL},
        {"entries", 1 << 20, PUNA_INVALID_FILE, "metadata count", NULL},
        {"entries", INT64_MAX, PUNA_INVALID_FILE, "metadata count", NULL},
        {"entries", UINT64_MAX, PUNA_INVALID_FILE, "metadata count", NULL},
        {"general.alignment", 0, PUNA_INVALID_FILE, "general.alignment", "power of two"},
        {"general.alignment", 4, PUNA_INVALID_FILE, "general.alignment", "power of two"},
        {"general.alignment", 48, PUNA_INVALID_FILE, "general.alignment", "power of two"},
        {"general.alignment", 1u << 31, PUNA_INVALID_FILE, "", "alignment"},
        {"general.name.key.length", 0, PUNA_INVALID_FILE, "metadata entry 2", "empty"},
        {"general.name.key.length", 1 << 16, PUNA_INVALID_FILE, "metadata entry 2", NULL},
        {"general.name.key.length", UINT64_MAX, PUNA_INVALID_FILE, "metadata entry 2", "truncated"},
        {"general.name.type", 13, PUNA_INVALID_FILE, "general.name", "type number 13"},
        {"general.name.type", UINT32_MAX, PUNA_INVALID_FILE, "general.name", "type number"},
        {"general.name.length", 1 << 20, PUNA_INVALID_FILE, "general.name", "truncated"},
        {"general.name.length", INT64_MAX, PUNA_INVALID_FILE, "general.name", "truncated"},
        {"tokenizer.ggml.tokens.count", 1 << 20, PUNA_INVALID_FILE, "tokenizer.ggml.tokens", "more than a file"},
        {"tokenizer.ggml.tokens.count", UINT64_MAX / 8 + 2, PUNA_INVALID_FILE, "tokenizer.ggml.tokens", NULL},
        {"tokenizer.ggml.tokens.element", 13, PUNA_INVALID_FILE, "tokenizer.ggml.tokens", "type number 13"},
        {"tokenizer.ggml.tokens.3.length", UINT64_MAX - 7, PUNA_INVALID_FILE, "tokenizer.ggml.tokens", NULL},
        {"tokenizer.ggml.scores.count", UINT64_MAX, PUNA_INVALID_FILE, "tokenizer.ggml.scores", NULL},
        {"tokenizer.ggml.add_bos_token", 2, PUNA_INVALID_FILE, "tokenizer.ggml.add_bos_token", "boolean is 2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char what[64];
        snprintf(what, sizeof what, "is %llu", (unsigned long long)rows[i].value);
        add(HOSTILE_SPM, number(rows[i].field, rows[i].value), rows[i].status, rows[i].says, rows[i].words, what)
            ->placeless = rows[i].value == 11; /* the twelfth is missing then */
    }
    bad((hostile_lie){.kind = HOSTILE_BYTES, .field = "general.name.key", .text = "\xFF"}, "metadata entry 2",
        "UTF-8", "is no UTF-8");
    bad((hostile_lie){.kind = HOSTILE_TWICE, .field = "llama.block_count"}, "llama.block_count", "twice",
        "is there twice");
    bad(as("general.alignment", PUNA_INT32, 32), "general.alignment", "uint32", "is an int32");
    for (uint64_t part = 0; part < 64; part++) {
        char what[32];
        snprintf(what, sizeof what, "ends at %d of 64", (int)part);
        bad((hostile_lie){.kind = HOSTILE_CUT, .number = part}, "", NULL, what);
    }
}

/* ---- The model's metadata ---- */

static void counts(void) {
    static const struct { const char *key; bool needed, zero; } keys[] = {
        {"llama.block_count", true, true}, {"llama.context_length", true, true}, {"llama.embedding_length", true, true},
        {"llama.feed_forward_length", true, true}, {"llama.attention.head_count", true, true},
        {"llama.attention.head_count_kv", false, true}, {"llama.attention.key_length", false, true},
        {"llama.attention.value_length", false, true}, {"llama.rope.dimension_count", false, false},
        {"llama.attention.sliding_window", false, false},
        {"llama.rope.scaling.original_context_length", false, true}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *key = keys[i].key;
        if (keys[i].needed) bad(drop(key), key, NULL, "is missing")->placeless = true;
        if (keys[i].zero) bad(as(key, PUNA_UINT32, 0), key, NULL, "is 0");
        bad(as(key, PUNA_UINT32, 4000000000u), key, NULL, "is 4000000000");
        bad(as(key, PUNA_INT32, 0xFFFFFFFFu), key, NULL, "is -1");
        bad(as(key, PUNA_INT64, 1ull << 63), key, NULL, "is -2^63");
        bad(as(key, PUNA_UINT64, UINT64_MAX), key, NULL, "is 2^64 - 1");
        bad(as(key, PUNA_FLOAT32, 0x41000000u), key, NULL, "is a float");
        bad(as(key, PUNA_BOOL, 1), key, NULL, "is a boolean");
        bad(as_text(key, "8"), key, NULL, "is a text");
        bad(as_array(key, PUNA_UINT32, 3), key, NULL, "is an array");
    }
    bad(as("llama.block_count", PUNA_UINT32, 2), "blk.1.attn_norm.weight", "missing", "is 2")->placeless = true;
    bad(as("llama.embedding_length", PUNA_UINT32, 64), "token_embd.weight", "shape", "is 64");
    bad(as("llama.feed_forward_length", PUNA_UINT32, 32), "blk.0.ffn_gate.weight", "shape", "is 32");
    bad(as("llama.attention.head_count", PUNA_UINT32, 3), "blk.0.attn_q.weight", "shape", "is 3");
    bad(as("llama.attention.head_count", PUNA_UINT32, 4096), "blk.0.attn_q.weight", "shape", "is 4096");
    bad(as("llama.attention.head_count_kv", PUNA_UINT32, 4), "llama.attention.head_count_kv", "evenly", "is 4");
    bad(as("llama.attention.key_length", PUNA_UINT32, 15), "llama.rope.dimension_count", "pairs", "is 15 under it");
    bad(as("llama.attention.value_length", PUNA_UINT32, 8), "blk.0.attn_v.weight", "shape", "is 8");
    bad(as("llama.rope.dimension_count", PUNA_UINT32, 7), "llama.rope.dimension_count", "pairs", "is 7");
    bad(as("llama.rope.dimension_count", PUNA_UINT32, 18), "llama.rope.dimension_count", "pairs", "is 18");
    bad(as("llama.attention.sliding_window_pattern", PUNA_UINT32, 5000), "sliding_window_pattern", NULL, "is 5000");
    bad(as_array("llama.attention.sliding_window_pattern", PUNA_BOOL, 0), "sliding_window_pattern", "0 truths",
        "is empty");
    bad(as_array("llama.attention.sliding_window_pattern", PUNA_STRING, 1), "sliding_window_pattern", "truths",
        "is texts");
}

static void reals(void) {
    static const char *const keys[] = {"llama.attention.layer_norm_rms_epsilon", "llama.rope.freq_base",
                                       "llama.rope.scaling.factor", "llama.final_logit_softcapping"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        bad(as(keys[i], PUNA_FLOAT32, 0x7FC00000u), keys[i], NULL, "is NaN");
        bad(as(keys[i], PUNA_FLOAT32, 0x7F800000u), keys[i], NULL, "is infinite");
        bad(as(keys[i], PUNA_FLOAT32, 0xBF800000u), keys[i], NULL, "is -1");
        bad(as(keys[i], PUNA_FLOAT32, 0x7F7FFFFFu), keys[i], NULL, "is 3e38");
        bad(as(keys[i], PUNA_FLOAT64, 0x7FEFFFFFFFFFFFFFu), keys[i], NULL, "is 1e308");
        bad(as(keys[i], PUNA_BOOL, 1), keys[i], NULL, "is a boolean");
        bad(as_text(keys[i], "1.0"), keys[i], NULL, "is a text");
        bad(as_array(keys[i], PUNA_FLOAT32, 1), keys[i], NULL, "is an array");
    }
}

static void names(void) {
    const char *key = "general.architecture";
    bad(drop(key), key, NULL, "is missing")->placeless = true;
    bad(as_text(key, ""), key, NULL, "is empty");
    bad(as_text(key, "llamallamallamallamallamallamallama"), key, NULL, "is long");
    bad(as(key, PUNA_UINT32, 1), key, "string", "is a number");
    add(HOSTILE_SPM, as_text(key, "mambo"), PUNA_UNSUPPORTED, key, "mambo", "is another");
    add(HOSTILE_SPM, as_text("llama.rope.scaling.type", "mystery"), PUNA_UNSUPPORTED, "rope.scaling.type", "mystery",
        "is another");
    bad(as("llama.rope.scaling.type", PUNA_UINT32, 1), "rope.scaling.type", "string", "is a number");
    key = "tokenizer.ggml.model";
    add(HOSTILE_SPM, drop(key), PUNA_UNSUPPORTED, key, NULL, "is missing")->placeless = true;
    add(HOSTILE_SPM, as_text(key, "abacus"), PUNA_UNSUPPORTED, key, "abacus", "is another");
    bad(as(key, PUNA_FLOAT32, 0), key, "string", "is a number");
    key = "tokenizer.ggml.pre";
    add(HOSTILE_BPE, drop(key), PUNA_UNSUPPORTED, key, NULL, "is missing")->placeless = true;
    add(HOSTILE_BPE, as_text(key, "unheard-of"), PUNA_UNSUPPORTED, key, "unheard-of", "is another");
    add(HOSTILE_BPE, as_text(key, "\xFF\xFE\x1B[2J"), PUNA_UNSUPPORTED, key, NULL, "is no UTF-8");
    add(HOSTILE_BPE, as(key, PUNA_BOOL, 1), PUNA_INVALID_FILE, key, "string", "is a boolean");
}

/* ---- Vocabularies ---- */

static void pieces(void) {
    const char *tokens = "tokenizer.ggml.tokens", *scores = "tokenizer.ggml.scores";
    const char *types = "tokenizer.ggml.token_type";
    bad(drop(tokens), tokens, "missing", "is missing")->placeless = true;
    bad(as(tokens, PUNA_UINT32, 12), tokens, "array of strings", "is a number");
    bad(as_array(tokens, PUNA_UINT32, 12), tokens, "array of strings", "is numbers");
    bad(as_array(tokens, PUNA_STRING, 0), tokens, "empty", "is empty");
    bad(as_array(tokens, PUNA_STRING, 11), types, "one element", "is 11 texts");
    bad(as_array(tokens, PUNA_STRING, 13), types, "one element", "is 13 texts");
    bad(element(tokens, 6, "a"), tokens, "same spelling", "has a token twice");
    bad(drop(scores), scores, "missing", "is missing")->placeless = true;
    bad(as_array(scores, PUNA_FLOAT32, 11), scores, "one element", "is 11 numbers");
    bad(as_array(scores, PUNA_FLOAT32, 13), scores, "one element", "is 13 numbers");
    bad(as_array(scores, PUNA_FLOAT64, 12), scores, "float32", "is doubles");
    bad(as_array(scores, PUNA_UINT32, 12), scores, "float32", "is integers");
    bad(as_array(scores, PUNA_STRING, 12), scores, "float32", "is texts");
    bad(number("tokenizer.ggml.scores.7", 0x7FC00000u), scores, "not a number", "is NaN");
    bad(drop(types), types, "missing", "is missing")->placeless = true;
    bad(as_array(types, PUNA_INT32, 11), types, "one element", "is 11 numbers");
    bad(as_array(types, PUNA_STRING, 12), types, "integers", "is texts");
    bad(as_array(types, PUNA_FLOAT32, 12), types, "integers", "is floats");
    bad(number("tokenizer.ggml.token_type.4", 0), types, "none of 1 to 6", "is 0");
    bad(number("tokenizer.ggml.token_type.4", 7), types, "none of 1 to 6", "is 7");
    bad(number("tokenizer.ggml.token_type.4", 0xFFFFFFF0u), types, "none of 1 to 6", "is -16");
    static const char *const ids[] = {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
                                      "tokenizer.ggml.unknown_token_id"};
    for (int i = 0; i < 3; i++) {
        bad(as(ids[i], PUNA_UINT32, 12), ids[i], "only the ids", "is 12");
        bad(as(ids[i], PUNA_UINT32, 1u << 31), ids[i], "only the ids", "is 2^31");
        bad(as(ids[i], PUNA_INT32, 0xFFFFFFFEu), ids[i], "only the ids", "is -2");
        bad(as(ids[i], PUNA_UINT64, UINT64_MAX), ids[i], "only the ids", "is 2^64 - 1");
        bad(as_text(ids[i], "<s>"), ids[i], "integer", "is a text");
        bad(as_array(ids[i], PUNA_UINT32, 1), ids[i], "integer", "is an array");
    }
    bad(as("tokenizer.ggml.add_bos_token", PUNA_UINT32, 1), "tokenizer.ggml.add_bos_token", "boolean", "is a number");
}

static void merges(void) {
    const char *key = "tokenizer.ggml.merges";
    static const char *const texts[] = {"", "a", "ab", " ", "a ", " b", "a  b", "a b c", "z a", "a z", "b a",
                                        "\xFF \xFE"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char what[64];
        snprintf(what, sizeof what, "has \"%s\"", i == 11 ? "no UTF-8" : texts[i]);
        add(HOSTILE_BPE, element(key, 1, texts[i]), PUNA_INVALID_FILE, key, "Merge 1", what);
    }
    add(HOSTILE_BPE, drop(key), PUNA_INVALID_FILE, key, NULL, "is missing")->placeless = true;
    add(HOSTILE_BPE, as_array(key, PUNA_UINT32, 3), PUNA_INVALID_FILE, key, "array", "is numbers");
    add(HOSTILE_BPE, as_text(key, "a b"), PUNA_INVALID_FILE, key, "array", "is a text");
}

/* ---- Tensors ---- */

static void tensors(void) {
    static const char *const all[] = {"token_embd.weight", "output_norm.weight", "blk.0.attn_norm.weight",
        "blk.0.attn_q.weight", "blk.0.attn_k.weight", "blk.0.attn_v.weight", "blk.0.attn_output.weight",
        "blk.0.ffn_norm.weight", "blk.0.ffn_gate.weight", "blk.0.ffn_up.weight", "blk.0.ffn_down.weight"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *name = all[i];
        char field[80];
        if (strstr(name, "ffn_gate")) /* with it, the other half of a wide ffn_up may hold it */
            bad(drop(name), "blk.0.ffn_up.weight", "shape", "is missing");
        else bad(drop(name), name, "missing", "is missing")->placeless = true;
        bad((hostile_lie){.kind = HOSTILE_TWICE, .field = name}, name, "two tensors", "is there twice");
        bad(shape(name, 96, 5), name, "shape", "is 96 by 5");
        add(HOSTILE_SPM, (hostile_lie){.kind = HOSTILE_STORED, .field = name, .type = 26}, PUNA_UNSUPPORTED, name,
            "stored as I32", "is of integers");
        static const struct { const char *suffix; uint64_t value; puna_status status; } rows[] = {
            {".dimensions", 0, PUNA_INVALID_FILE}, {".dimensions", UINT32_MAX, PUNA_INVALID_FILE},
            {".shape0", 0, PUNA_INVALID_FILE}, {".shape0", 1ull << 63, PUNA_INVALID_FILE},
            {".shape0", UINT64_MAX, PUNA_INVALID_FILE}, {".shape0", 1ull << 40, PUNA_INVALID_FILE},
            {".stored", 4, PUNA_UNSUPPORTED}, {".stored", 77, PUNA_UNSUPPORTED},
            {".stored", UINT32_MAX, PUNA_UNSUPPORTED}, {".offset", 1, PUNA_INVALID_FILE},
            {".offset", 1ull << 40, PUNA_INVALID_FILE}, {".offset", UINT64_MAX - 31, PUNA_INVALID_FILE}};
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            static char kept[11 * 12][80];
            char what[64];
            snprintf(field, sizeof field, "%s%s", name, rows[r].suffix);
            char *place = kept[i * 12 + r];
            snprintf(place, sizeof kept[0], "%s", field);
            snprintf(what, sizeof what, "is %llu", (unsigned long long)rows[r].value);
            add(HOSTILE_SPM, number(place, rows[r].value), rows[r].status, name, NULL, what);
        }
    }
    bad(number("blk.0.attn_k.weight.offset", 0), "tensor ", "inside another", "overlaps");
    bad(number("output_norm.weight.name.length", 0), "tensor 2", "empty", "is 0");
    bad(number("output_norm.weight.name.length", 65), "tensor 2", "too long", "is 65");
    bad(number("output_norm.weight.name.length", UINT64_MAX), "tensor 2", "truncated", "is 2^64 - 1");
    bad((hostile_lie){.kind = HOSTILE_BYTES, .field = "output_norm.weight.name", .text = "\xC3("}, "tensor 2", "UTF-8",
        "is no UTF-8");
    static const struct { const char *tensor; uint32_t bits; const char *what; } numbers[] = {
        {"token_embd.weight", 0x7FC00000u, "begins with NaN"},
        {"blk.0.attn_k.weight", 0x7F800000u, "begins with infinity"},
        {"blk.0.ffn_norm.weight", 0xFF800000u, "begins with -infinity"},
        {"output.weight", 0x00007E00u, "has a NaN scale"},
        {"blk.0.attn_q.weight", 0x0000FC00u, "has an infinite scale"}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        bad((hostile_lie){.kind = HOSTILE_DATA, .field = numbers[i].tensor, .number = numbers[i].bits},
            numbers[i].tensor,
            "NaN or infinite", numbers[i].what);
}

/* ---- What broke other loaders ---- */

static void known(const char *id, hostile_lie lie, const char *field, const char *words) {
    hostile_case *c = bad(lie, field, words, "");
    snprintf(c->name, sizeof c->name, "%s %s", id, lie.field);
}

/*
 * Each as its public account tells it: the field that was trusted, with a value that would do harm there. Not here,
 * since they are no matter of a model's file: CVE-2025-52566 (a text's number of tokens against the caller's buffer:
 * test_hostile.c), and CVE-2026-43629 (sizes in a saved state, multiplied without a check).
 */
static void accounts(void) {
    known("CVE-2024-21802 dimensions written behind their array:", number("token_embd.weight.dimensions", 5),
          "token_embd.weight", "5 dimensions");
    known("CVE-2024-21825 array length times element size:", number("tokenizer.ggml.scores.count", (1ull << 62) + 1),
          "tokenizer.ggml.scores", NULL);
    known("CVE-2024-21825 array length times string size:", number("tokenizer.ggml.tokens.count", (1ull << 60) + 1),
          "tokenizer.ggml.tokens", NULL);
    known("CVE-2024-21836 tensor count times entry size:", number("tensors", UINT64_MAX / 176 + 2), "tensor count",
          NULL);
    known("CVE-2024-23496 string length plus one:", number("general.name.length", UINT64_MAX), "general.name",
          "truncated");
    known("CVE-2024-23605 metadata count times entry size:", number("entries", UINT64_MAX / 48 + 2), "metadata count",
          NULL);
    known("CVE-2024-32878 freeing what was never read:", number("tokenizer.ggml.tokens.11.length", 1ull << 40),
          "tokenizer.ggml.tokens", "truncated");
    known("CVE-2024-41130 a name that is not there:", number("token_embd.weight.name.length", 0), "tensor 0", "empty");
    known("CVE-2025-49847 a token longer than an int:", number("tokenizer.ggml.tokens.5.length", (1ull << 31) + 1),
          "tokenizer.ggml.tokens", "truncated");
    known("CVE-2025-53630 the sum of sizes:", number("blk.0.ffn_down.weight.shape1", (1ull << 58) - 1),
          "blk.0.ffn_down.weight", NULL);
    known("CVE-2026-27940 memory for all tensors plus one:", number("tensors", UINT64_MAX / 368), "tensor count", NULL);
    known("CVE-2026-33298 a shape whose bytes wrap around:", shape("token_embd.weight", 1ull << 33, 1ull << 29),
          "token_embd.weight", "overflows");
    known("CVE-2026-33298 blocks whose bytes wrap around:", number("output.weight.shape0", 5124095576030431008ull),
          "output.weight", NULL);
}

int hostile_count(void) {
    if (count) return count;
    header();
    counts();
    reals();
    names();
    pieces();
    merges();
    tensors();
    accounts();
    return count;
}

const hostile_case *hostile_at(int index) { return &cases[index]; }
