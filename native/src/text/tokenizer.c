// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer.h"

#include <string.h>

#include "base/utf8.h"
#include "text/tokenizer_parts.h"

/* One row a value of tokenizer.ggml.model. */
static const text_model *const models[] = {&bpe_model, &spm_model, &wordpiece_model, &unigram_model};

#define MAX_TEXT 0x7FFFFFFFu

/* ---- Loading ---- */

static puna_status find_model(const gguf_file *file, const text_model **model, puna_error *error) {
    const char *key = "tokenizer.ggml.model";
    gguf_text name;
    puna_status status = gguf_get_text(file, key, &name, error);
    if (status != PUNA_OK) return status;
    const gguf_value *value = gguf_find(file, key);
    if (name.length == 0) {
        return gguf_error(file, error, PUNA_UNSUPPORTED, key, value ? value->offset : PUNA_NO_OFFSET,
                          "The file holds no tokenizer: %s is missing.", key);
    }
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        if (strlen(models[i]->name) == name.length && memcmp(models[i]->name, name.data, name.length) == 0) {
            *model = models[i];
            return PUNA_OK;
        }
    }
    int shown = name.length < 64 ? (int)utf8_valid(name.data, (size_t)name.length) : 0;
    return gguf_error(file, error, PUNA_UNSUPPORTED, key, value->offset,
                      "Tokenizers of the kind \"%.*s\" are not supported; byte-level BPE (\"gpt2\"), SentencePiece's "
                      "BPE (\"llama\") and unigrams (\"t5\"), and WordPiece (\"bert\") are.",
                      shown, name.data);
}

static puna_status load_parts(tokenizer *t, const gguf_file *file, puna_error *error) {
    puna_status status = vocabulary_load(&t->account, file, t->model->decode, &t->vocabulary, error);
    if (status == PUNA_OK) status = special_load(&t->account, file, &t->vocabulary, &t->special, error);
    if (status == PUNA_OK) status = t->model->load(t, file, error);
    if (status == PUNA_OK) status = gguf_get_bool(file, "tokenizer.ggml.add_bos_token", t->add_bos, &t->add_bos, error);
    if (status == PUNA_OK) status = gguf_get_bool(file, "tokenizer.ggml.add_eos_token", t->add_eos, &t->add_eos, error);
    if (status != PUNA_OK) return status;
    t->add_bos = t->add_bos && t->special.bos >= 0;
    t->add_eos = t->add_eos && t->special.eos >= 0;
    return PUNA_OK;
}

puna_status tokenizer_load(const gguf_file *file, tokenizer **out, puna_error *error) {
    const text_model *model = NULL;
    memory_account account;
    *out = NULL;
    puna_status status = find_model(file, &model, error);
    if (status != PUNA_OK) return status;
    memory_account_init(&account);
    tokenizer *t = memory_new(&account, sizeof *t);
    if (!t) return error_memory(error, "a tokenizer", sizeof *t);
    /* The object accounts for itself, too. */
    memory_account_init(&t->account);
    atomic_store(&t->account.used, memory_used(&account));
    atomic_store(&t->account.peak, memory_used(&account));
    t->model = model;
    t->pre_name = "";
    status = load_parts(t, file, error);
    if (status == PUNA_OK) *out = t;
    else tokenizer_free(t);
    return status;
}

void tokenizer_free(tokenizer *t) {
    memory_account account;
    if (!t) return;
    t->model->unload(t);
    token_tree_release(atomic_load(&t->tree));
    special_free(&t->account, &t->special);
    vocabulary_free(&t->account, &t->vocabulary);
    memory_account_init(&account);
    atomic_store(&account.used, memory_used(&t->account));
    memory_free(&account, t);
}

uint64_t tokenizer_memory(const tokenizer *t) {
    const token_tree *tree = atomic_load(&((tokenizer *)t)->tree);
    return memory_used(&t->account) + (tree ? memory_used(&tree->account) : 0);
}

puna_status tokenizer_tree(const tokenizer *t, token_tree **out, puna_error *error) {
    _Atomic(token_tree *) *place = &((tokenizer *)t)->tree;
    *out = atomic_load(place);
    if (!*out) {
        token_tree *made, *other = NULL;
        puna_status status = token_tree_create(&t->vocabulary, &made, error);
        if (status != PUNA_OK) return status;
        /* Two threads may come at once: the first one's tree stays. */
        if (!atomic_compare_exchange_strong(place, &other, made)) token_tree_release(made);
        *out = other ? other : made;
    }
    token_tree_hold(*out);
    return PUNA_OK;
}

/* ---- Looking ---- */

int32_t tokenizer_size(const tokenizer *t) { return t->vocabulary.size; }

bool tokenizer_ends_generation(const tokenizer *t, int32_t id) {
    return id >= 0 && id < t->vocabulary.size && t->vocabulary.tokens[id].ends_generation;
}

bool tokenizer_is_control(const tokenizer *t, int32_t id) {
    return id >= 0 && id < t->vocabulary.size && t->vocabulary.tokens[id].kind == PUNA_TOKEN_CONTROL;
}

static void copy_name(char *target, size_t capacity, const char *name) {
    size_t length = strlen(name);
    if (length >= capacity) length = capacity - 1;
    memset(target, 0, capacity);
    memcpy(target, name, length);
}

void tokenizer_describe(const tokenizer *t, puna_tokenizer_info *info) {
    info->vocabulary = t->vocabulary.size;
    info->bos = t->special.bos;
    info->eos = t->special.eos;
    info->eot = t->special.eot;
    info->pad = t->special.pad;
    info->unknown = t->special.unknown;
    info->separator = t->special.separator;
    info->mask = t->special.mask;
    info->add_bos = t->add_bos;
    info->add_eos = t->add_eos;
    copy_name(info->model, sizeof info->model, t->model->name);
    copy_name(info->pre, sizeof info->pre, t->pre_name);
}

static puna_status check_id(const tokenizer *t, int32_t id, puna_error *error) {
    if (id >= 0 && id < t->vocabulary.size) return PUNA_OK;
    return error_set(error, PUNA_INVALID_ARGUMENT, "id", "Token %d does not exist; the vocabulary has 0 to %d.", id,
                     t->vocabulary.size - 1);
}

puna_status tokenizer_token(const tokenizer *t, int32_t id, puna_token *token, puna_error *error) {
    puna_status status = check_id(t, id, error);
    if (status != PUNA_OK) return status;
    const vocabulary_token *entry = &t->vocabulary.tokens[id];
    token->kind = entry->kind;
    token->ends_generation = entry->ends_generation;
    token->text = vocabulary_text(&t->vocabulary, id);
    token->text_length = entry->text_length;
    token->bytes = vocabulary_bytes(&t->vocabulary, id);
    token->bytes_length = entry->bytes_length;
    return PUNA_OK;
}

const char *tokenizer_bytes(const tokenizer *t, int32_t id, size_t *length) {
    *length = t->vocabulary.tokens[id].bytes_length;
    return vocabulary_bytes(&t->vocabulary, id);
}

/* ---- Encoding ---- */

/* Whether the model has to encode what special_match found as a part of its text. */
static bool is_text(const tokenizer *t, int32_t id) {
    return t->model->finds_user_defined && t->vocabulary.tokens[id].kind == PUNA_TOKEN_USER_DEFINED;
}

/* The text between special tokens goes to the model, they themselves to the ids. */
puna_status text_encode(const tokenizer *t, text_run *run, const char *text, size_t length, bool control,
                        puna_error *error) {
    size_t at = 0, plain = 0, matched;
    puna_status status = PUNA_OK;
    if (t->model->finds_user_defined && !control) at = length;
    while (status == PUNA_OK && at < length) {
        int32_t id = special_match(&t->special, &t->vocabulary, text + at, length - at, control, &matched);
        if (id < 0 || is_text(t, id)) {
            at += id < 0 ? 1 : matched;
            continue;
        }
        if (at > plain) status = t->model->encode(t, run, text + plain, at - plain, error);
        text_emit(run, id);
        plain = at += matched;
    }
    if (status == PUNA_OK && at > plain) status = t->model->encode(t, run, text + plain, at - plain, error);
    return status;
}

static bool begins_with(const tokenizer *t, const char *text, size_t length, bool control, int32_t id) {
    size_t matched;
    return length > 0 && special_match(&t->special, &t->vocabulary, text, length, control, &matched) == id;
}

puna_status tokenizer_encode(const tokenizer *t, const char *text, size_t length, uint32_t flags, int32_t *ids,
                             size_t capacity, size_t *count, puna_error *error) {
    bool control = flags & PUNA_TOKENIZE_SPECIAL, affixes = flags & PUNA_TOKENIZE_AFFIXES;
    text_run run = {.ids = ids, .capacity = capacity, .last = -1};
    if (length > MAX_TEXT) {
        return error_set(error, PUNA_INVALID_ARGUMENT, "length", "A text may have 2 GiB - 1 bytes; this one has %zu.",
                         length);
    }
    memory_account_init(&run.account);
    if (affixes && t->add_bos && !begins_with(t, text, length, control, t->special.bos))
        text_emit(&run, t->special.bos);
    puna_status status = text_encode(t, &run, text, length, control, error);
    t->model->end(&run);
    if (status != PUNA_OK) return status;
    if (affixes && t->add_eos && run.last != t->special.eos) text_emit(&run, t->special.eos);
    *count = run.count;
    return text_fits(&run, error);
}

puna_status text_fits(const text_run *run, puna_error *error) {
    if (run->count <= run->capacity) return PUNA_OK;
    puna_status status = error_set(error, PUNA_BUFFER_TOO_SMALL, "ids",
                                   "The text has %zu tokens; the buffer holds %zu.",
                                   run->count, run->capacity);
    if (error) {
        error->needed = run->count;
        error->available = run->capacity;
    }
    return status;
}

/* ---- Decoding ---- */

puna_status tokenizer_decode(const tokenizer *t, const int32_t *ids, size_t count, uint32_t flags, char *text,
                             size_t capacity, size_t *length, puna_error *error) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        puna_status status = check_id(t, ids[i], error);
        if (status != PUNA_OK) return status;
        const vocabulary_token *token = &t->vocabulary.tokens[ids[i]];
        const char *bytes = vocabulary_bytes(&t->vocabulary, ids[i]);
        size_t size = token->bytes_length;
        if (token->kind == PUNA_TOKEN_CONTROL || token->kind == PUNA_TOKEN_UNKNOWN) {
            bytes = vocabulary_text(&t->vocabulary, ids[i]);
            size = flags & PUNA_TOKENIZE_SPECIAL ? token->text_length : 0;
        }
        if (size > SIZE_MAX - total) return error_memory(error, "a text", SIZE_MAX);
        if (size && total <= capacity && size <= capacity - total) memcpy(text + total, bytes, size);
        total += size;
    }
    *length = total;
    if (total <= capacity) return PUNA_OK;
    puna_status status = error_set(error, PUNA_BUFFER_TOO_SMALL, "text",
                                   "The text has %zu bytes; the buffer holds %zu.",
                                   total, capacity);
    if (error) {
        error->needed = total;
        error->available = capacity;
    }
    return status;
}
