// SPDX-License-Identifier: Apache-2.0
/*
 * What a tokenizer is made of, for the files of this folder. Each value of tokenizer.ggml.model is a text_model: one
 * file, and one row of the table in tokenizer.c.
 */
#ifndef PUNA_TEXT_TOKENIZER_PARTS_H
#define PUNA_TEXT_TOKENIZER_PARTS_H

#include "text/special.h"
#include "text/token_tree.h"
#include "text/tokenizer.h"

/* One call of tokenizer_encode: its memory, and the ids, of which those beyond the capacity are counted only. */
typedef struct text_run {
    memory_account account;
    int32_t *ids;
    size_t capacity, count;
    int32_t last; /* the last id, -1 at the beginning */
    void *state;  /* the model's own; NULL at the beginning */
} text_run;

static inline void text_emit(text_run *run, int32_t id) {
    if (run->count < run->capacity) run->ids[run->count] = id;
    run->count++;
    run->last = id;
}

typedef struct text_model {
    const char *name; /* in tokenizer.ggml.model */
    vocabulary_decode decode;
    /* Vocabulary and special tokens are there; sets t->part, t->pre_name and the defaults of t->add_bos, t->add_eos.
       What it leaves in t->part on failure is unloaded all the same. */
    puna_status (*load)(tokenizer *t, const gguf_file *file, puna_error *error);
    void (*unload)(tokenizer *t);
    bool finds_user_defined; /* encode finds user-defined tokens itself: they are a part of its text */
    /* Text without special tokens in it, not empty: the beginning of a text, or what stands behind a special token. */
    puna_status (*encode)(const tokenizer *t, text_run *run, const char *text, size_t length, puna_error *error);
    void (*end)(text_run *run); /* frees run->state, which may be NULL */
} text_model;

extern const text_model bpe_model, spm_model, wordpiece_model, unigram_model;

/* Text, perhaps with special tokens in it (user-defined ones; with `control` all): its ids enter the run. */
puna_status text_encode(const tokenizer *t, text_run *run, const char *text, size_t length, bool control,
                        puna_error *error);

/* PUNA_BUFFER_TOO_SMALL where the run counted more ids than it could hold. */
puna_status text_fits(const text_run *run, puna_error *error);

struct puna_tokenizer {
    memory_account account;
    const text_model *model;
    vocabulary vocabulary;
    special special;
    bool add_bos, add_eos;
    const char *pre_name; /* static; "" where the model has none */
    void *part;           /* the model's own */
    _Atomic(token_tree *) tree; /* NULL until somebody asks for it */
};

#endif
