// SPDX-License-Identifier: Apache-2.0
/*
 * Puna: large language models inside your own process. This is the library's only public header.
 *
 * Read it from top to bottom; it goes from simple to expert:
 *
 *     1. statuses and errors        every function that can fail returns one and fills the other
 *     2. the library                version, processor, log
 *     3. files                      a GGUF file's metadata and tensors, nothing loaded
 *     4. tokenizers                 text to token ids and back; grammars that a text must follow
 *     5. models                     weights, loaded once, shared by many engines; adapters that change them
 *     6. engines                    many sequences that generate together, one step at a time
 *     7. expert                     raw logits, where the time goes, the memory plan, the ABI's layout
 *
 * The shortest useful program:
 *
 *     puna_error error = PUNA_ERROR_INIT;
 *     puna_model *model; puna_engine *engine; uint64_t sequence;
 *     puna_model_load("model.gguf", NULL, NULL, &model, &error);
 *     puna_engine_create(model, NULL, &engine, &error);
 *     puna_sequence_open(engine, &sequence, &error);
 *     puna_sequence_generate(engine, sequence, ids, count, NULL, &error);
 *     puna_step step = { .size = sizeof step, .active = 1 };
 *     puna_event event = { .size = sizeof event };
 *     while (step.active && puna_engine_step(engine, &step, &error) == PUNA_OK)
 *         while (puna_engine_next_event(engine, &event)) fwrite(event.text, 1, event.text_length, stdout);
 *
 * Conventions
 *   - Text is UTF-8. A text that comes in has a length in bytes beside it, or is zero-terminated where there is none.
 *   - Option structs begin with their own size, so that fields can be added at the end. Fill one with its _default
 *     function, change what you want, pass it by pointer; NULL stands for the defaults.
 *   - So do structs that are filled for the caller, who sets the size first. No byte beyond it is touched; afterwards
 *     it says how many were filled. In both kinds a size of 0 stands for the struct's as it was in version 1 of the
 *     ABI. What a function that failed would have filled is as it was, but for handles, which are NULL then.
 *   - An argument that is NULL, but may not be, is answered with PUNA_INVALID_ARGUMENT, or ignored where no status is
 *     returned.
 *   - A handle is owned by who created it. Closing NULL is allowed. Pointers that a function hands out belong to the
 *     handle they came from, for the time that the function states.
 *   - Nothing here aborts, exits, prints or throws. Nothing is thread-local.
 *   - Threads: files, tokenizers and models are immutable once loaded; any number of threads may use them at once. An
 *     engine is driven by one thread at a time; a second one that comes meanwhile is refused with PUNA_BUSY.
 */
#ifndef PUNA_H
#define PUNA_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#  if defined(PUNA_BUILD)
#    define PUNA_API __declspec(dllexport)
#  else
#    define PUNA_API __declspec(dllimport)
#  endif
#else
#  define PUNA_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 1. Statuses and errors ---------------------------------------------------------------------------------- */

typedef int32_t puna_status;

enum {
    PUNA_OK = 0,
    PUNA_INVALID_ARGUMENT = 1, /* the caller's mistake: the message names the argument, its value and its range */
    PUNA_OUT_OF_MEMORY = 2,    /* needed and available are filled, in bytes */
    PUNA_NOT_FOUND = 3,        /* no such file, or no such thing in it */
    PUNA_IO = 4,               /* the system refused to read or write: the message gives its reason */
    PUNA_INVALID_FILE = 5,     /* the file contradicts its format: subject is "file: field", offset its place, bytes */
    PUNA_UNSUPPORTED = 6,      /* well-formed, but not something this library can run: the message says what it can */
    PUNA_CONTEXT_FULL = 7,     /* one sequence alone needs more positions than the context has */
    PUNA_BUSY = 8,             /* the queue is full, or another thread is inside the engine */
    PUNA_CANCELLED = 9,        /* a task was cancelled */
    PUNA_CLOSED = 10,          /* the sequence is not open (any more) */
    PUNA_NOT_FINITE = 11,      /* a row of logits held no finite maximum: damaged weights or an overflow */
    PUNA_BUFFER_TOO_SMALL = 12 /* needed says how many elements the caller's buffer must hold */
};

#define PUNA_NO_OFFSET UINT64_MAX

/* Filled by the function that failed, owned by the caller; untouched on success. May be NULL everywhere. */
typedef struct puna_error {
    uint32_t size;      /* of this struct, set by the caller */
    int32_t status;     /* the status that was returned */
    uint64_t offset;    /* in bytes from the file's start, or PUNA_NO_OFFSET */
    uint64_t needed;    /* of what ran out, 0 if that is not the matter */
    uint64_t available; /* likewise */
    char subject[256];  /* what it is about: a file, a field, an argument */
    char message[512];  /* one sentence: what, where, and what to do; no trailing newline */
} puna_error;

#define PUNA_ERROR_INIT { sizeof(puna_error), 0, PUNA_NO_OFFSET, 0, 0, "", "" }

/* The status's name, for example "PUNA_IO"; "unknown" for any other number. Static storage. */
PUNA_API const char *puna_status_name(puna_status status);

/* ---- 2. The library ------------------------------------------------------------------------------------------ */

/* Raised when an existing function or struct changes, or an option struct grows (its _default function fills all of
   it); bindings refuse any other number. */
#define PUNA_ABI 1u

PUNA_API uint32_t puna_abi(void);
PUNA_API const char *puna_version(void); /* "0.1.0" */
PUNA_API const char *puna_build(void);   /* compiler and target, for reports: "gcc 12.2.0, linux x86_64" */

/* The version of the arithmetic contract (docs/numerics.md): equal numbers promise equal bits. */
PUNA_API uint32_t puna_arithmetic_version(void);

typedef struct puna_cpu {
    uint32_t size;
    uint32_t cores;           /* physical cores that this process may use (affinity) */
    uint32_t threads;         /* hardware threads that it may use */
    uint32_t default_threads; /* what an engine takes when asked for 0 */
    uint64_t memory;          /* bytes of physical memory, or the container's limit if that is less */
    uint64_t memory_free;     /* bytes available now */
    char tier[16];            /* the kernels in use: "ref", "avx2", "avxvnni", "avx512" */
    char tiers[64];           /* all that this processor could run, from low to high: "ref avx2 avx512" */
    uint32_t quota;           /* processors' time that the container may use, in thousandths; 0: no limit */
    uint32_t reserved;
    char name[64];            /* what the processor calls itself; "" if it does not say */
} puna_cpu;

/* Describes the processor. The environment variable PUNA_CPU_TIER forces a lower tier, for tests and support; one that
   the processor lacks gives PUNA_UNSUPPORTED here and wherever a model is loaded. */
PUNA_API puna_status puna_cpu_describe(puna_cpu *cpu, puna_error *error);

/* Bytes that the library holds now, accounted to any owner (models, engines, files, ...): 0 again when all are closed.
   Any thread. */
PUNA_API uint64_t puna_memory(void);

/* The self-test: each kernel of each tier that this processor runs, compared with the portable one over a few shapes
   (the portable products with a computation in double). A kernel that is at fault may end the process: run it in one of
   its own, and say the name first. Any thread; some milliseconds a kernel. */
typedef struct puna_kernel_test {
    uint32_t size;
    uint32_t cases;     /* that were compared; 0 from puna_kernel_describe */
    uint32_t different; /* of those: 0 if all is well */
    uint32_t reserved;
    char tier[16];      /* "avx2" */
    char name[32];      /* "product_q4_1" */
    char detail[200];   /* the first difference; else "" */
} puna_kernel_test;

/* Kernels by index, 0 to count - 1 (PUNA_INVALID_ARGUMENT beyond): its names alone, and its test
   (PUNA_OUT_OF_MEMORY). */
PUNA_API uint32_t puna_kernel_count(void);
PUNA_API puna_status puna_kernel_describe(uint32_t index, puna_kernel_test *test, puna_error *error);
PUNA_API puna_status puna_kernel_run(uint32_t index, puna_kernel_test *test, puna_error *error);

enum { PUNA_LOG_DEBUG = 0, PUNA_LOG_INFO = 1, PUNA_LOG_WARNING = 2, PUNA_LOG_ERROR = 3 };

typedef struct puna_log_entry {
    uint32_t size;
    int32_t level;
    uint64_t time_ns;    /* since the library was loaded */
    uint64_t dropped;    /* entries lost before this one because nobody read them */
    char message[480];
} puna_log_entry;

/* Takes the oldest log entry out of the process's ring (256 entries). Returns 1, or 0 if there is none. Any thread. */
PUNA_API int32_t puna_log_next(puna_log_entry *entry);

/* A long piece of work, watched and cancelled from other threads: create it (PUNA_OUT_OF_MEMORY), pass it to the
   function that works, read its progress meanwhile. Destroy it after that function has returned. */
typedef struct puna_task puna_task;

PUNA_API puna_status puna_task_create(puna_task **task, puna_error *error);
PUNA_API void puna_task_cancel(puna_task *task);                                       /* any thread */
PUNA_API void puna_task_progress(const puna_task *task, uint64_t *done, uint64_t *total); /* bytes; any thread */
PUNA_API void puna_task_destroy(puna_task *task);

/* ---- 3. Files ------------------------------------------------------------------------------------------------- */

/* An open GGUF file (versions 2 and 3), its metadata in memory and wholly checked: every length, offset, count, name
   and type lies inside the file before puna_file_open returns. That fails with PUNA_NOT_FOUND, PUNA_IO (a directory, no
   permission), PUNA_INVALID_FILE (no GGUF, or damaged), PUNA_UNSUPPORTED (another version, a tensor type without a
   name) or PUNA_OUT_OF_MEMORY. Any part of a split model (NAME-00001-of-00003.gguf) opens all parts as one file; an
   error names the part that is missing or disagrees with the others. */
typedef struct puna_file puna_file;

PUNA_API puna_status puna_file_open(const char *path, puna_file **file, puna_error *error);
PUNA_API void puna_file_close(puna_file *file);

/* GGUF's metadata types, by their numbers in the file. */
enum {
    PUNA_UINT8 = 0, PUNA_INT8 = 1, PUNA_UINT16 = 2, PUNA_INT16 = 3, PUNA_UINT32 = 4, PUNA_INT32 = 5, PUNA_FLOAT32 = 6,
    PUNA_BOOL = 7, PUNA_STRING = 8, PUNA_ARRAY = 9, PUNA_UINT64 = 10, PUNA_INT64 = 11, PUNA_FLOAT64 = 12
};

typedef struct puna_metadata {
    uint32_t size;
    uint32_t type;         /* one of the types above */
    uint32_t element_type; /* of an array; else the same as type */
    uint32_t reserved;
    uint64_t count;        /* elements of an array; else 1 */
    const char *key;       /* not zero-terminated; valid while the file is open */
    uint64_t key_length;
} puna_metadata;

typedef struct puna_tensor {
    uint32_t size;
    uint32_t type;         /* GGUF's tensor type number */
    const char *type_name; /* "Q4_1"; static */
    const char *name;      /* not zero-terminated; valid while the file is open */
    uint64_t name_length;
    uint32_t dimensions;   /* 1 to 4 */
    uint32_t reserved;
    uint64_t shape[4];     /* elements, the fastest-varying dimension first; 1 beyond `dimensions` */
    uint64_t offset;       /* of its bytes from the file's start; of a split file, the part's that has it */
    uint64_t bytes;
} puna_tensor;

/* What is in it, by index, 0 to count - 1 (PUNA_INVALID_ARGUMENT beyond). */
PUNA_API uint64_t puna_file_size(const puna_file *file);
PUNA_API uint32_t puna_file_version(const puna_file *file);
PUNA_API uint64_t puna_file_metadata_count(const puna_file *file);
PUNA_API uint64_t puna_file_tensor_count(const puna_file *file);
PUNA_API puna_status puna_file_metadata(const puna_file *file, uint64_t index, puna_metadata *metadata,
                                        puna_error *error);
PUNA_API puna_status puna_file_tensor(const puna_file *file, uint64_t index, puna_tensor *tensor, puna_error *error);

/* The index of a metadata key. PUNA_NOT_FOUND if the file has none of this name. */
PUNA_API puna_status puna_file_find(const puna_file *file, const char *key, uint64_t *index, puna_error *error);

/* One element of one metadata entry (element 0 unless it is an array). Integers and booleans read as integer, any
   number as real, strings as string; anything else is PUNA_INVALID_ARGUMENT. A uint64 above INT64_MAX saturates. */
PUNA_API puna_status puna_file_integer(const puna_file *file, uint64_t index, uint64_t element, int64_t *value,
                                       puna_error *error);
PUNA_API puna_status puna_file_real(const puna_file *file, uint64_t index, uint64_t element, double *value,
                                    puna_error *error);
PUNA_API puna_status puna_file_string(const puna_file *file, uint64_t index, uint64_t element, const char **text,
                                      uint64_t *length, puna_error *error);

/* ---- 4. Tokenizers -------------------------------------------------------------------------------------------- */

typedef struct puna_tokenizer puna_tokenizer;

/* Loads the vocabulary of a GGUF file; the file may hold no weights. It is copied out: the file may be closed.
   PUNA_INVALID_FILE, PUNA_UNSUPPORTED (another kind of tokenizer; the message lists those there are), or
   PUNA_OUT_OF_MEMORY. */
PUNA_API puna_status puna_tokenizer_load(const puna_file *file, puna_tokenizer **tokenizer, puna_error *error);
PUNA_API void puna_tokenizer_close(puna_tokenizer *tokenizer); /* not one that belongs to a model */

typedef struct puna_tokenizer_info {
    uint32_t size;
    int32_t vocabulary;   /* ids are 0 to vocabulary - 1 */
    int32_t bos;          /* beginning of sequence, -1 if there is none; likewise below */
    int32_t eos;          /* end of sequence */
    int32_t eot;          /* end of turn */
    int32_t pad;
    int32_t unknown;
    int32_t add_bos;      /* 1 if the model wants BOS in front of a text */
    int32_t add_eos;
    char model[16];       /* "gpt2": byte-level BPE; "llama": SentencePiece BPE */
    char pre[32];         /* the pre-tokenizer: "smollm" */
    int32_t separator;    /* between and behind an encoder's texts, -1 if there is none; likewise below */
    int32_t mask;         /* what a masked language model fills */
} puna_tokenizer_info;

PUNA_API void puna_tokenizer_describe(const puna_tokenizer *tokenizer, puna_tokenizer_info *info);

enum { PUNA_TOKEN_NORMAL = 1, PUNA_TOKEN_UNKNOWN = 2, PUNA_TOKEN_CONTROL = 3, PUNA_TOKEN_USER_DEFINED = 4,
       PUNA_TOKEN_UNUSED = 5, PUNA_TOKEN_BYTE = 6 };

typedef struct puna_token {
    uint32_t size;
    int32_t kind;            /* one of the kinds above */
    int32_t ends_generation; /* 1 for EOS, end of turn and the like */
    uint32_t reserved;
    const char *text;        /* as the vocabulary spells it; not zero-terminated; valid while the tokenizer is open */
    uint64_t text_length;
    const char *bytes;       /* what it stands for in a text: any bytes, perhaps a part of a character */
    uint64_t bytes_length;
} puna_token;

/* One id; PUNA_INVALID_ARGUMENT beyond the vocabulary. */
PUNA_API puna_status puna_tokenizer_token(const puna_tokenizer *tokenizer, int32_t id, puna_token *token,
                                          puna_error *error);

enum {
    PUNA_TOKENIZE_SPECIAL = 1, /* spelled-out control tokens ("<|im_end|>") become their ids: trusted text only */
    PUNA_TOKENIZE_AFFIXES = 2  /* add BOS and EOS as the model wants them; a BOS that is there already isn't doubled */
};

/* Text to ids. Any bytes are allowed, at most 2^31 - 1; bytes that are not UTF-8 keep their own tokens where the
   vocabulary has them. Returns PUNA_BUFFER_TOO_SMALL and the number needed when capacity is too small (ids may be NULL
   with capacity 0). Time is near-linear in length. */
PUNA_API puna_status puna_tokenize(const puna_tokenizer *tokenizer, const char *text, uint64_t length, uint32_t flags,
                                   int32_t *ids, uint64_t capacity, uint64_t *count, puna_error *error);

typedef struct puna_text {
    const char *text;
    uint64_t length;
} puna_text;

/* A text as an encoder reads it, or a pair of texts (a question and a passage; second NULL: one): framed by the model's
   control tokens, [CLS] first [SEP] second [SEP] or <s>first</s></s>second</s>, with token types (types may be NULL;
   else as many as ids): 0, and 1 for BERT's second text with its separator. Control tokens in them ([MASK]) stay plain
   text unless flags is PUNA_TOKENIZE_SPECIAL. Errors as for puna_tokenize. */
PUNA_API puna_status puna_tokenize_pair(const puna_tokenizer *tokenizer, const puna_text *first,
                                        const puna_text *second, uint32_t flags, int32_t *ids, uint32_t *types,
                                        uint64_t capacity, uint64_t *count, puna_error *error);

/* A part of a text: trusted ones may spell control tokens, the others never do. */
typedef struct puna_part {
    const char *text;
    uint64_t length;  /* bytes */
    uint32_t trusted; /* 1: a template wrote it; 0: a user or a tool did */
    uint32_t reserved;
} puna_part;

/* The same for a text in parts, for chat templates. Control tokens are recognised within a trusted part alone, never in
   another one and never across a border; what lies between two control tokens is joined over the borders and split as
   one piece of text, so that harmless text gives the ids that it gives elsewhere. No BOS or EOS is added. */
PUNA_API puna_status puna_tokenize_parts(const puna_tokenizer *tokenizer, const puna_part *parts, uint64_t part_count,
                                         int32_t *ids, uint64_t capacity, uint64_t *count, puna_error *error);

/* Ids to text: the bytes of all tokens in a row, control tokens left out unless PUNA_TOKENIZE_SPECIAL is given.
   Bytes that are not UTF-8 come out as they are. PUNA_BUFFER_TOO_SMALL as above. */
PUNA_API puna_status puna_detokenize(const puna_tokenizer *tokenizer, const int32_t *ids, uint64_t count,
                                     uint32_t flags, char *text, uint64_t capacity, uint64_t *length,
                                     puna_error *error);

/* Constrained output: a grammar, compiled for one vocabulary, that a generation's text must follow. Immutable; any
   number of generations and threads may use it at once. */
typedef struct puna_grammar puna_grammar;

/* The text's notation is llama.cpp's GBNF (docs/constrain.md), at most 1 MiB of it; matching begins at its rule `root`.
   The tokenizer may be closed before the grammar. PUNA_INVALID_ARGUMENT (offset says where in the text, the message
   what: syntax, an undefined rule, left recursion, a rule that can never end, too large), PUNA_UNSUPPORTED (a token by
   its name), PUNA_OUT_OF_MEMORY. */
PUNA_API puna_status puna_grammar_compile(const puna_tokenizer *tokenizer, const char *text, uint64_t length,
                                          puna_grammar **grammar, puna_error *error);

/* How much of a text the grammar allows: *matched bytes (length if all of it is the beginning of something), and in
   *whole 1 if all of it was matched and may end there. PUNA_UNSUPPORTED (too ambiguous), PUNA_OUT_OF_MEMORY. Any
   thread. */
PUNA_API puna_status puna_grammar_match(puna_grammar *grammar, const char *text, uint64_t length, uint64_t *matched,
                                        int32_t *whole, puna_error *error);

/* Gives back the caller's reference; generations keep theirs, so that the order of closing does not matter. */
PUNA_API void puna_grammar_close(puna_grammar *grammar);

/* ---- 5. Models ------------------------------------------------------------------------------------------------ */

typedef struct puna_model puna_model;

typedef struct puna_model_options {
    uint32_t size;
    uint32_t threads; /* that pack weights; 0: the default */
} puna_model_options;

PUNA_API void puna_model_options_default(puna_model_options *options);

/* Loads the weights and packs them for this processor. Blocks for as long as reading the file takes; `task` (may be
   NULL) tells how far it is and can cancel. Nothing of the file is needed afterwards: it may be changed or removed, and
   one that is cut short meanwhile is PUNA_IO.
   Errors: those of puna_file_open and puna_tokenizer_load; PUNA_UNSUPPORTED also for an architecture or a type of
   weights; PUNA_INVALID_FILE also where metadata and tensors contradict each other, or weights are NaN or infinite;
   PUNA_CANCELLED. */
PUNA_API puna_status puna_model_load(const char *path, const puna_model_options *options, puna_task *task,
                                     puna_model **model, puna_error *error);

/* Gives back the caller's reference; engines keep theirs, so that the order of closing does not matter. */
PUNA_API void puna_model_close(puna_model *model);

typedef struct puna_model_info {
    uint32_t size;
    uint32_t layers;
    uint32_t context_length; /* positions that the model was trained for */
    uint32_t embedding_length;
    uint32_t feed_forward_length;
    uint32_t heads;
    uint32_t heads_kv;
    uint32_t head_dimension;
    int32_t vocabulary;
    uint32_t reserved;
    uint64_t parameters;     /* weights in the file */
    uint64_t file_bytes;
    uint64_t memory_bytes;   /* accounted to the model now: packed weights, vocabulary, plans */
    uint64_t fingerprint;    /* of the file's header (metadata and tensor table) and size; of all parts */
    char architecture[32];   /* "llama" */
    char name[128];          /* general.name, cut if longer; may be empty */
    char type[32];           /* what most weights are stored as: "Q4_1" */
    uint32_t capabilities;   /* PUNA_CAN_* */
    uint32_t labels;         /* numbers that PUNA_POOL_SCORES gives of a text; 0: it has no classifier */
    uint32_t pooling;        /* PUNA_POOL_*: what PUNA_POOL_MODEL stands for */
    uint32_t token_types;    /* that an encoder tells apart; 0: none */
} puna_model_info;

/* What a model can do. */
enum {
    PUNA_CAN_GENERATE = 1, /* sequences; an encoder has none */
    PUNA_CAN_EMBED = 2,    /* puna_engine_embed */
    PUNA_CAN_SCORE = 4,    /* puna_engine_embed with PUNA_POOL_SCORES: a classifier, or a reranker */
    PUNA_CAN_FILL = 8,     /* puna_engine_fill: a masked language model */
    PUNA_CAN_TRANSFORM = 16 /* with PUNA_CAN_GENERATE: an encoder-decoder, which reads the ids that it is given */
};

PUNA_API void puna_model_describe(const puna_model *model, puna_model_info *info);
PUNA_API const puna_tokenizer *puna_model_tokenizer(const puna_model *model); /* valid while the model is open */
PUNA_API const puna_file *puna_model_file(const puna_model *model);           /* likewise */

/* A low-rank adapter (LoRA, arXiv:2106.09685) of one model: what each generation may add to the model's products,
   y = W x + weight * (alpha / rank) * B (A x), chosen per generation, within one batch. Immutable, as a model is.
   The file is llama.cpp's kind: general.type "adapter", adapter.type "lora", adapter.lora.alpha, and for a tensor NAME
   of the model NAME.lora_a and NAME.lora_b. Nothing of it is needed after loading. Errors: those of puna_file_open;
   PUNA_INVALID_FILE also where it contradicts itself or numbers are NaN or infinite; PUNA_INVALID_ARGUMENT (it is for
   another model: architecture, names or shapes); PUNA_UNSUPPORTED (another kind of adapter; tensors that are no plain
   products' matrices: embeddings, experts, norms); PUNA_CANCELLED. The adapter holds its model. */
typedef struct puna_adapter puna_adapter;

PUNA_API puna_status puna_adapter_load(puna_model *model, const char *path, puna_task *task, puna_adapter **adapter,
                                       puna_error *error);

/* Gives back the caller's reference; sequences that use it keep theirs, until their next generation or their end. */
PUNA_API void puna_adapter_close(puna_adapter *adapter);

typedef struct puna_adapter_info {
    uint32_t size;
    uint32_t rank;         /* the largest of its tensors */
    uint32_t tensors;      /* of the model, that it changes */
    float alpha;           /* 0: scales by the weight alone */
    uint64_t parameters;   /* numbers in it */
    uint64_t memory_bytes; /* accounted to it */
    uint64_t fingerprint;  /* of all that the file says, its numbers too */
    char name[128];        /* general.name, cut if longer; may be empty */
} puna_adapter_info;

PUNA_API void puna_adapter_describe(const puna_adapter *adapter, puna_adapter_info *info);

#define PUNA_MAX_ADAPTERS 16u

/* One of the adapters that are used together. They join one after the other: another order may give other last bits. */
typedef struct puna_adapter_use {
    puna_adapter *adapter; /* of the engine's model */
    float weight;          /* any finite one; 0: as if it were not there */
    uint32_t reserved;
} puna_adapter_use;

/* ---- 6. Engines ----------------------------------------------------------------------------------------------- */

typedef struct puna_engine puna_engine;

/* Q8_0: int8 with a float scale for each 32 numbers of a head, 56% of F16's bytes where heads are multiples of 32
   wide. */
enum { PUNA_CACHE_F16 = 1, PUNA_CACHE_F32 = 0, PUNA_CACHE_Q8_0 = 2 };

/* Speculation: tokens are guessed ahead, computed together in one step, and kept as far as they are what is chosen
   anyway. Nothing but speed depends on it: tokens are the same, bit for bit, greedy or sampled (docs/speculation.md).
   LOOKUP guesses what came after the last place in the sequence's own tokens that ended alike. DRAFT lets a smaller
   model of the same vocabulary guess where that finds nothing. Models with recurrent layers are never guessed for: the
   engine's options then say OFF. */
enum { PUNA_SPECULATE_OFF = 0, PUNA_SPECULATE_LOOKUP = 1, PUNA_SPECULATE_DRAFT = 2 };

typedef struct puna_engine_options {
    uint32_t size;
    uint32_t context_length; /* positions of one sequence; 0: what the model was trained for */
    uint32_t max_sequences;  /* that compute at the same time (1 to 1024); others wait. Default 16 */
    uint32_t max_queue;      /* that wait (0 to 1,000,000). Default 1024 */
    uint32_t threads;        /* 0: the default of puna_cpu */
    uint32_t step_tokens;    /* prompt tokens computed in one step (1 to 4096). Default 512 */
    uint32_t cache_type;     /* PUNA_CACHE_*. Default F16 */
    uint32_t reserved;
    uint64_t cache_bytes;    /* keys and values of all sequences together; 0: max_sequences full contexts, at most half
                                of the free memory, at least one full context. Pages are allocated on demand */
    uint32_t speculation;    /* PUNA_SPECULATE_*. Default off */
    uint32_t draft_tokens;   /* guessed ahead in one step, for all sequences together (1 to 256); 0: 16. A row of logits
                                each */
    puna_model *draft;       /* DRAFT: the smaller model, which the engine holds. Its cache is a share of cache_bytes */
    uint32_t draft_least;    /* guessed for a sequence in each step, where it can be, also if it does not pay. Default
                                0 */
    uint32_t reserved2;
} puna_engine_options;

PUNA_API void puna_engine_options_default(puna_engine_options *options);

/* PUNA_INVALID_ARGUMENT (an option out of range, a draft model of another vocabulary) or PUNA_OUT_OF_MEMORY (also where
   one context needs more than cache_bytes, or the cache more than the machine has: needed and available say how
   much). */
PUNA_API puna_status puna_engine_create(puna_model *model, const puna_engine_options *options, puna_engine **engine,
                                        puna_error *error);

/* Frees the engine with all its sequences; no other thread may be inside it. */
PUNA_API void puna_engine_close(puna_engine *engine);

typedef struct puna_engine_info {
    uint32_t size;
    uint32_t context_length;
    uint32_t threads;
    uint32_t step_tokens;
    uint32_t sequences;        /* open now */
    uint32_t running;          /* of those: in the batch; a search of several beams is one, here and below */
    uint32_t waiting;          /* of those: in the queue */
    uint32_t page_positions;   /* positions that one page holds: 64 */
    uint64_t page_bytes;
    uint64_t pages_total;      /* that the budget allows */
    uint64_t pages_used;       /* referenced by sequences now */
    uint64_t memory_bytes;     /* accounted to the engine now */
    uint64_t steps;            /* since it was created; so are those below */
    uint64_t evictions;        /* times that a sequence lost its pages to another one */
    uint64_t prompt_tokens;    /* of prompts, computed */
    uint64_t generated_tokens;
    uint64_t prefix_hit_tokens; /* of prompts, found in the cache instead */
    uint64_t pages_cached;     /* held by nobody, kept since a prompt may begin alike; given up when pages run out */
    uint32_t paused;           /* sequences: with a generation that puna_sequence_pause holds back */
    uint32_t reserved;
    uint64_t drafted_tokens;   /* guessed ahead and computed */
    uint64_t accepted_tokens;  /* of those, right: generated without a step of their own */
} puna_engine_info;

/* Gives back all pages that no running sequence holds: those of idle and waiting ones, and those that are kept for
   prompts that begin alike. They are computed again when they are needed. Events that were taken lose their texts; what
   a model that generates reads texts with (`embedding` of puna_memory_plan) goes, too, and is made again.
   Where all were, and no sequence is open, memory_bytes is then what it was when the engine was created. */
PUNA_API puna_status puna_engine_trim(puna_engine *engine, puna_error *error);

/* Any thread, also while another one is inside the engine: then as it was when a call last returned. */
PUNA_API void puna_engine_describe(const puna_engine *engine, puna_engine_info *info);

/* The sampler chain: stages in the order in which they apply. Without any stage, or at temperature 0: greedy. */
enum {
    PUNA_SAMPLE_TEMPERATURE = 1, /* value: >= 0 */
    PUNA_SAMPLE_TOP_K = 2,       /* value: >= 0, whole; 0 keeps all */
    PUNA_SAMPLE_TOP_P = 3,       /* value: 0 to 1; 1 keeps all (nucleus sampling, arXiv:1904.09751) */
    PUNA_SAMPLE_MIN_P = 4,       /* value: 0 to 1; 0 keeps all (arXiv:2407.01082) */
    PUNA_SAMPLE_PENALTIES = 5,   /* window: last tokens regarded, -1 all; repeat > 0 (arXiv:1909.05858), frequency,
                                    presence */
    PUNA_SAMPLE_TYPICAL = 6,     /* value: 0 to 1; 1 keeps all (arXiv:2202.00666) */
    PUNA_SAMPLE_TOP_N_SIGMA = 7, /* value: >= 0 standard deviations; 0 keeps all (arXiv:2411.07641) */
    PUNA_SAMPLE_XTC = 8,         /* value: 0 to 1, how often; threshold: 0 to 1, above 0.5 never */
    PUNA_SAMPLE_MIROSTAT = 9,    /* value: the surprise aimed at, in bits; rate, of learning (arXiv:2007.14966) */
    PUNA_SAMPLE_MIROSTAT_2 = 10, /* likewise */
    PUNA_SAMPLE_DRY = 11,        /* value: multiplier, 0 none; base >= 1; allowed_length >= 1; window: last tokens
                                    regarded, -1 the whole context; the generation's breakers */
    PUNA_SAMPLE_DYNAMIC_TEMPERATURE = 12, /* value, range: temperatures value - range to value + range; exponent */
    PUNA_SAMPLE_ADAPTIVE_P = 13  /* value: the probability aimed at, 0 to 1; decay: 0 to 0.99 */
};

typedef struct puna_stage {
    uint32_t kind;
    float value;
    int32_t window;
    float repeat;
    float frequency;
    float presence;
    float threshold;
    float rate;
    float base;
    int32_t allowed_length;
    float range;
    float exponent;
    float decay;
} puna_stage;

/* Added to a token's logit before all stages; -inf bans it. */
typedef struct puna_bias {
    int32_t id;
    float value;
} puna_bias;

enum {
    PUNA_GENERATE_IGNORE_EOS = 1,
    PUNA_GENERATE_LOGITS = 4, /* each row of logits is shown (PUNA_EVENT_LOGITS) before a token is chosen from it, and
                                 the sequence waits for puna_sequence_choose */
    PUNA_GENERATE_NO_DRAFTS = 8, /* nothing is guessed ahead for this one, whatever the engine's options say */
    PUNA_GENERATE_SHIFT = 2 /* where the context is full, the older half of the tokens behind the first `keep` is
                               dropped, and the tokens that stay are read again at their new positions; the event of
                               the end says how many were dropped. Without it: PUNA_STOP_CONTEXT */
};

/* When a beam search with as many answers as beams is over: where the best beginning would not be better if it ended
   now; at once; where it could not become better until max_tokens. */
enum { PUNA_EARLY_NO = 0, PUNA_EARLY_YES = 1, PUNA_EARLY_NEVER = 2 };

#define PUNA_MAX_STAGES 16u
#define PUNA_MAX_STOPS 64u
#define PUNA_MAX_TOP_LOGPROBS 64u
#define PUNA_MAX_BREAKERS 64u
#define PUNA_MAX_BREAKER_BYTES 64u

typedef struct puna_generation {
    uint32_t size;
    uint32_t max_tokens;       /* 0: as many as the context holds */
    uint64_t seed;             /* draws are a hash of (seed, position, draw): equal seeds, equal tokens */
    const puna_stage *stages;
    uint32_t stage_count;      /* at most PUNA_MAX_STAGES */
    uint32_t stop_count;       /* at most PUNA_MAX_STOPS */
    const puna_text *stops;    /* generation ends where its text contains one; the stop itself is not handed out.
                                  UTF-8, together at most 64 KiB */
    uint32_t top_logprobs;     /* the n best log-probabilities at each step, at most PUNA_MAX_TOP_LOGPROBS */
    uint32_t logprobs;         /* 1: the chosen token's log-probability is computed */
    uint32_t flags;            /* PUNA_GENERATE_* */
    uint32_t keep;             /* tokens that PUNA_GENERATE_SHIFT never drops: the first ones */
    puna_grammar *grammar;     /* what the generated text must be, NULL: anything. The generation holds it */
    const puna_bias *biases;   /* each id once */
    const puna_text *breakers; /* texts that PUNA_SAMPLE_DRY counts no repetition across, of 1 to 64 bytes */
    uint32_t bias_count;       /* at most the vocabulary */
    uint32_t breaker_count;    /* at most PUNA_MAX_BREAKERS */
    const puna_adapter_use *adapters; /* that this generation uses, with their weights. What the cache holds of the
                                  sequence is reused where it was computed with the same ones; the sequence holds
                                  them */
    const int32_t *answer;     /* an encoder-decoder's answer begins with these, behind the model's own first token;
                                  NULL: nothing */
    uint32_t adapter_count;    /* at most PUNA_MAX_ADAPTERS */
    uint32_t answer_count;
    uint32_t beams;            /* 2 to 32: a beam search for the most probable answer, of so many beginnings at once,
                                  each a place in the batch; 0 or 1: none. Told when it is over. Its answer is that of
                                  transformers' generate(num_beams, length_penalty, early_stopping); log-probabilities
                                  are those of its tokens, each after those before it. No stages (but temperature 0),
                                  biases, stops, grammar, no flags but NO_DRAFTS */
    float length_penalty;      /* an answer's score is its log-probability / tokens^length_penalty. Default 1 */
    uint32_t early_stopping;   /* PUNA_EARLY_* */
    uint32_t reserved;
} puna_generation;

PUNA_API void puna_generation_default(puna_generation *generation);

/* A sequence: token ids with their cached keys and values. It is an id, not a pointer: one that was closed is answered
   with PUNA_CLOSED. It costs nothing until it generates. PUNA_BUSY where a million are open, PUNA_OUT_OF_MEMORY. */
PUNA_API puna_status puna_sequence_open(puna_engine *engine, uint64_t *sequence, puna_error *error);

/* Starts one generation after `ids`, the whole of the sequence's tokens (a chat: all turns so far). What the cache
   holds of a common prefix with the earlier tokens is reused, and so are whole pages of a common prefix with any other
   sequence of this engine, open or closed, while they last. Waits in the queue if the batch is full. All arguments
   are copied. An encoder-decoder reads `ids` as its source, whole, and begins an answer of its own: the sequence's
   tokens are then the model's first token and the answer's; the same source again is not read again.
   Errors: PUNA_BUSY (still generating, or the queue is full), PUNA_CONTEXT_FULL (no place for one more
   token), PUNA_INVALID_ARGUMENT (an id beyond the vocabulary, no ids at all, a setting out of range), PUNA_CLOSED,
   PUNA_OUT_OF_MEMORY: the sequence is then as it was. */
PUNA_API puna_status puna_sequence_generate(puna_engine *engine, uint64_t sequence, const int32_t *ids, uint64_t count,
                                            const puna_generation *generation, puna_error *error);

/* Ends the running generation at the next step, with PUNA_STOP_CANCELLED; the sequence stays open and keeps its tokens.
   Without a generation nothing happens. PUNA_CLOSED. */
PUNA_API puna_status puna_sequence_cancel(puna_engine *engine, uint64_t sequence, puna_error *error);

/* Gives back the sequence and its pages. A generation that runs ends without a further event. PUNA_CLOSED. */
PUNA_API puna_status puna_sequence_close(puna_engine *engine, uint64_t sequence, puna_error *error);

/* The sequence's token ids: prompt and generated ones. PUNA_BUFFER_TOO_SMALL as for puna_tokenize; PUNA_CLOSED. */
PUNA_API puna_status puna_sequence_tokens(puna_engine *engine, uint64_t sequence, int32_t *ids, uint64_t capacity,
                                          uint64_t *count, puna_error *error);

/* A new sequence with the first `positions` tokens of this one (PUNA_ALL: all of them), which may be generating. It
   shares their pages: where both go on, one page a sequence is copied. PUNA_INVALID_ARGUMENT (more than it has),
   PUNA_CLOSED, PUNA_BUSY (a million are open), PUNA_OUT_OF_MEMORY. */
#define PUNA_ALL UINT64_MAX

PUNA_API puna_status puna_sequence_fork(puna_engine *engine, uint64_t sequence, uint64_t positions, uint64_t *fork,
                                        puna_error *error);

/* Forgets all tokens but the first `positions`, and their keys and values. PUNA_INVALID_ARGUMENT (more than it has),
   PUNA_BUSY (it is generating), PUNA_CLOSED. */
PUNA_API puna_status puna_sequence_rewind(puna_engine *engine, uint64_t sequence, uint64_t positions,
                                          puna_error *error);

/* Holds back the generation, for a reader who is slow: it takes no part in steps, has no place in the batch, and its
   pages may go to others. Resuming puts it back into the queue where it was, by order of asking; what it lost is
   computed again, so that its tokens are what they would have been. Cancelling resumes. Without a generation (or where
   it is held back already, or not) nothing happens. A paused generation still counts against the queue's bound.
   PUNA_CLOSED. */
PUNA_API puna_status puna_sequence_pause(puna_engine *engine, uint64_t sequence, puna_error *error);
PUNA_API puna_status puna_sequence_resume(puna_engine *engine, uint64_t sequence, puna_error *error);

/* Lets a generation go on whose logits were shown: in the coming step a token is chosen from these (NULL: from those
   that were shown), `count` as many as were shown, copied. Until then the sequence takes part in no step, but keeps its
   place in the batch and its pages: pause it, where choosing takes long. PUNA_NOT_FINITE (one is NaN or +inf, or all
   are -inf) and PUNA_INVALID_ARGUMENT (another count, nothing was shown, or the choice was made already) change
   nothing; PUNA_CLOSED. */
PUNA_API puna_status puna_sequence_choose(puna_engine *engine, uint64_t sequence, const float *logits, uint64_t count,
                                          puna_error *error);

/* Writes a sequence down: its tokens, and what the cache holds of their keys and values. A restored one goes on to the
   same bits, on any tier and with any engine options but the cache type; where pages were lost, it computes them again,
   and so it does where the next generation uses other adapters than those it was computed with.
   A generation is no part of it; one that runs goes on undisturbed. docs/engine.md has the form, which withstands
   damage, not forgery.
   Into memory: *length bytes, PUNA_BUFFER_TOO_SMALL as for puna_tokenize (bytes may be NULL with capacity 0). Into a
   file: it appears under its name when it is whole and on the disk, and replaces another one; else that one is as it
   was (PUNA_NOT_FOUND: no such folder; PUNA_IO). Both: PUNA_CLOSED, PUNA_OUT_OF_MEMORY. */
PUNA_API puna_status puna_sequence_save(puna_engine *engine, uint64_t sequence, void *bytes, uint64_t capacity,
                                        uint64_t *length, puna_error *error);
PUNA_API puna_status puna_sequence_save_file(puna_engine *engine, uint64_t sequence, const char *path,
                                             puna_error *error);

/* A new sequence from one that was saved. Everything is checked before anything changes: PUNA_INVALID_FILE (not a saved
   sequence, cut, or damaged), PUNA_UNSUPPORTED (another version of the form, or of the arithmetic contract),
   PUNA_INVALID_ARGUMENT (another model, by its fingerprint, or another cache type), PUNA_CONTEXT_FULL (more tokens than
   the context holds), PUNA_BUSY (a million are open), PUNA_OUT_OF_MEMORY, PUNA_NOT_FOUND, PUNA_IO. Pages are taken from
   idle sequences as for a prompt; where those that run leave too few, it begins without and computes them again. */
PUNA_API puna_status puna_sequence_restore(puna_engine *engine, const void *bytes, uint64_t length, uint64_t *sequence,
                                           puna_error *error);
PUNA_API puna_status puna_sequence_restore_file(puna_engine *engine, const char *path, uint64_t *sequence,
                                                puna_error *error);

typedef struct puna_step {
    uint32_t size;
    uint32_t active;        /* sequences that still have work after this step: running and waiting, but not those that
                               are paused or wait for puna_sequence_choose; a search of several beams is one */
    uint32_t sequences;     /* that took part in this step, each of a search's beams among them; 0 where the active ones
                               wait for pages of such */
    uint32_t prompt_tokens; /* computed in this step */
    uint32_t tokens;        /* generated in this step */
    uint32_t events;        /* ready to be taken */
} puna_step;

/* One round: a token for each running sequence past its prompt, or several where guesses were right, and slices of
   prompts: at most step_tokens rows, a quarter of that (64 at least) where somebody waits for a token. Drops events of
   the step before that were not taken. With nothing to do it returns at once, active 0. Where the cache runs out of
   pages, the sequence that asked last gives up its own and waits. A sequence that fails ends with an event of its own
   (PUNA_NOT_FINITE, PUNA_OUT_OF_MEMORY), and no other one notices. The call itself fails with PUNA_BUSY, or with
   PUNA_OUT_OF_MEMORY where there is no room for what the step would have to tell: nothing was done then, and nothing is
   lost. */
PUNA_API puna_status puna_engine_step(puna_engine *engine, puna_step *step, puna_error *error);

enum { PUNA_EVENT_TOKEN = 1, PUNA_EVENT_FINISHED = 2, PUNA_EVENT_LOGITS = 3 };

enum {
    PUNA_STOP_NONE = 0,      /* not finished */
    PUNA_STOP_END = 1,       /* the model ended its answer, or the grammar left nothing but its end */
    PUNA_STOP_LENGTH = 2,    /* max_tokens */
    PUNA_STOP_CONTEXT = 3,   /* the context is full */
    PUNA_STOP_TEXT = 4,      /* a stop string */
    PUNA_STOP_CANCELLED = 5,
    PUNA_STOP_FAILED = 6     /* status and message say why */
};

typedef struct puna_logprob {
    int32_t id;
    float logprob; /* natural logarithm, of the model's own distribution: before penalties and temperature */
} puna_logprob;

typedef struct puna_event {
    uint32_t size;
    uint32_t kind;             /* PUNA_EVENT_* */
    uint64_t sequence;
    int32_t token;             /* TOKEN: the id */
    uint32_t stop;             /* FINISHED: PUNA_STOP_* */
    int32_t status;            /* FINISHED with PUNA_STOP_FAILED: why */
    float logprob;             /* TOKEN: of the chosen id, 0 unless asked for; of the logits that the caller chose from,
                                  where these were shown. FINISHED: the score of what a beam search found, else 0 */
    const puna_logprob *top;   /* TOKEN: the best ones, best first; valid until the next step, as all pointers here */
    uint32_t top_count;
    uint32_t stop_index;       /* FINISHED with PUNA_STOP_TEXT: which of the stops */
    const char *text;          /* the text that became final: whole characters, none that may begin a stop string */
    uint64_t text_length;      /* bytes; often 0 while a character or a possible stop is incomplete */
    const char *message;       /* FINISHED with PUNA_STOP_FAILED, zero-terminated; else "" */
    uint32_t prompt_tokens;    /* FINISHED: of the prompt */
    uint32_t cached_tokens;    /* FINISHED: of those, taken from the cache */
    uint32_t generated_tokens; /* FINISHED */
    uint32_t stop_index_valid; /* 1 if stop_index is meant */
    uint64_t queued_ns;        /* FINISHED: waited for a place in the batch */
    uint64_t prompt_ns;        /* FINISHED: from then to the first token */
    uint64_t generate_ns;      /* FINISHED: from the first token to the last */
    uint32_t dropped_tokens;   /* FINISHED: that PUNA_GENERATE_SHIFT took out of a full context */
    uint32_t logit_count;      /* LOGITS: one for each token of the model's vocabulary */
    const float *logits;       /* LOGITS: of what comes next; valid until the next call about this sequence, or step;
                                  NULL where such a call came before the event was taken */
    uint32_t drafted_tokens;   /* FINISHED: guessed ahead and computed */
    uint32_t accepted_tokens;  /* FINISHED: of those, right */
} puna_event;

/* Takes the next event of the last step. Returns 1, or 0 when there is none left. */
PUNA_API int32_t puna_engine_next_event(puna_engine *engine, puna_event *event);

/* What a text's vector is made of: the last states of its tokens. */
enum {
    PUNA_POOL_MODEL = 0,  /* what the file says; where it says nothing, the mean, or a decoder's last token */
    PUNA_POOL_MEAN = 1,
    PUNA_POOL_FIRST = 2,  /* an encoder's [CLS] */
    PUNA_POOL_LAST = 3,
    PUNA_POOL_SCORES = 4, /* a classifier's numbers, as they come: one for each label */
    PUNA_POOL_NONE = 5    /* nothing: a vector for each token */
};

typedef struct puna_input {
    const int32_t *ids;     /* of one text, or of a pair: puna_tokenize_pair */
    const uint32_t *types;  /* [count] token types, each less than the model's; NULL: all 0. A model that tells
                               none apart looks at none */
    uint64_t count;         /* 1 to the context length */
} puna_input;

typedef struct puna_embedding {
    uint32_t size;
    uint32_t pooling;    /* PUNA_POOL_* */
    uint32_t dimensions; /* the first so many numbers of each vector (Matryoshka); 0: all */
    uint32_t normalize;  /* 1: to length 1, after that */
    uint32_t truncate;   /* 1: of a text that is too long the context's first tokens are taken, and its last one where
                            that is a control token; 0: it is PUNA_CONTEXT_FULL */
    uint32_t reserved;
} puna_embedding;

PUNA_API void puna_embedding_default(puna_embedding *how); /* the model's pooling, all dimensions, as they are */

/* Vectors of texts, one after the other in their order, each as long as the embedding, as `dimensions`, or as there
   are labels; with PUNA_POOL_NONE one for each token. Many texts share a step; none changes another one's bits.
   `capacity` counts floats (PUNA_BUFFER_TOO_SMALL: needed says how many; vectors may be NULL with capacity 0, which
   computes nothing). `task` (may be NULL) counts tokens and cancels (PUNA_CANCELLED). An encoder has nothing else to
   do; a decoder's engine must have no active sequence (PUNA_BUSY), idle ones may lose their pages, and its first call
   takes memory for activations that the engine keeps (`embedding` of puna_memory_plan) until puna_engine_trim.
   PUNA_UNSUPPORTED: the model can't; the message says what it can. PUNA_INVALID_ARGUMENT (an id beyond the
   vocabulary, a type beyond the table, an empty text), PUNA_CONTEXT_FULL, PUNA_NOT_FINITE, PUNA_OUT_OF_MEMORY: what
   was written to vectors is to be disregarded. */
PUNA_API puna_status puna_engine_embed(puna_engine *engine, const puna_input *inputs, uint64_t count,
                                       const puna_embedding *how, float *vectors, uint64_t capacity, puna_task *task,
                                       puna_error *error);

/* What a masked language model says of some tokens of a text: a row of logits, as long as the model's vocabulary, for
   each of `positions`. Errors as above; PUNA_INVALID_ARGUMENT also for a position beyond the text. */
PUNA_API puna_status puna_engine_fill(puna_engine *engine, const puna_input *input, const uint32_t *positions,
                                      uint64_t position_count, float *logits, uint64_t capacity, puna_error *error);

/* ---- 7. Expert ------------------------------------------------------------------------------------------------ */

/* The logits after each of `ids`, computed from an empty cache in a sequence of its own: row i is what the model says
   after ids[0..i]. `logits` has room for `capacity` floats, (count - first) * vocabulary at least
   (PUNA_BUFFER_TOO_SMALL), and receives rows first to count - 1. `task` (may be NULL) cancels (PUNA_CANCELLED). Not
   while sequences of this engine are active (PUNA_BUSY); idle ones may lose their pages. PUNA_CONTEXT_FULL,
   PUNA_INVALID_ARGUMENT, PUNA_OUT_OF_MEMORY. Numbers that are not finite come out as they are. */
PUNA_API puna_status puna_engine_logits(puna_engine *engine, const int32_t *ids, uint64_t count, uint64_t first,
                                        float *logits, uint64_t capacity, puna_task *task, puna_error *error);

/* The adapters that puna_engine_logits, puna_engine_answer_logits, puna_engine_embed and puna_engine_fill use from now
   on; a count of 0: none. Generations say themselves what they use. The engine holds them. PUNA_INVALID_ARGUMENT (more
   than PUNA_MAX_ADAPTERS, another model's, a weight that is not finite), PUNA_OUT_OF_MEMORY, PUNA_BUSY: nothing has
   changed. */
PUNA_API puna_status puna_engine_adapt(puna_engine *engine, const puna_adapter_use *adapters, uint32_t count,
                                       puna_error *error);
/* puna_engine_logits of an encoder-decoder that reads `source`: row 0 is what it says after its first token, row i + 1
   after that and ids[0..i]. Rows first to count are computed; ids may be NULL with count 0. */
PUNA_API puna_status puna_engine_answer_logits(puna_engine *engine, const int32_t *source, uint64_t source_count,
                                               const int32_t *ids, uint64_t count, uint64_t first, float *logits,
                                               uint64_t capacity, puna_task *task, puna_error *error);

/* Where an engine's time goes. Switched on, its threads look at the clock around every piece of work; switched off, a
   profile costs nothing. Its sums begin at 0 whenever it is switched on, and its memory is given back when it is
   switched off; both between two steps, also of sequences that generate. Results stay what they are.
   PUNA_INVALID_ARGUMENT, PUNA_BUSY (another thread is inside), PUNA_OUT_OF_MEMORY: nothing has changed. */
enum { PUNA_PROFILE_OFF = 0, PUNA_PROFILE_ON = 1 };

PUNA_API puna_status puna_engine_profile(puna_engine *engine, uint32_t on, puna_error *error);

/* What a row is about. */
enum {
    PUNA_PROFILE_PHASE = 1, /* what threads do between two barriers: of a model's layers those that are alike are one
                               row, in the order in which they are computed. They add up to run_ns of puna_profile */
    PUNA_PROFILE_OP = 2     /* an op, whatever phases it is part of; only calls and busy_ns are known. A phase of
                               products counts as a whole */
};

/* Which of an engine's computations a row is of. */
enum {
    PUNA_PROFILE_MODEL = 0,  /* logits; all that an encoder computes */
    PUNA_PROFILE_STATES = 1, /* a decoder's vectors of texts */
    PUNA_PROFILE_SOURCE = 2, /* an encoder-decoder reads its source */
    PUNA_PROFILE_DRAFT = 3   /* the draft model's */
};

typedef struct puna_profile {
    uint32_t size;
    uint32_t threads;          /* that compute */
    uint64_t elapsed_ns;       /* since it was switched on */
    uint64_t engine_ns;        /* of these, inside calls of the engine */
    uint64_t run_ns;           /* of these, computing models; the rest schedules, looks up, samples, makes texts */
    uint64_t runs;             /* batches that were computed */
    uint64_t steps;            /* since then; so are those below, which are as in puna_engine_info */
    uint64_t prompt_tokens;
    uint64_t generated_tokens;
} puna_profile;

typedef struct puna_profile_row {
    uint32_t size;
    uint32_t kind;       /* PUNA_PROFILE_PHASE, PUNA_PROFILE_OP */
    uint32_t part;       /* PUNA_PROFILE_MODEL ... */
    uint32_t threads;    /* that take part */
    uint64_t calls;      /* phases of a layer count each */
    uint64_t wall_ns;    /* from the begin of a phase's first piece to the end of its last */
    uint64_t busy_ns;    /* of all threads together */
    uint64_t barrier_ns; /* before a phase: from the end of the one in front of it to its begin */
    uint64_t idle_ns;    /* of all threads together: threads * (wall_ns + barrier_ns) - busy_ns */
    uint64_t bytes;      /* of weights, or of keys and values, that it had to read; 0: not known */
    uint64_t products;   /* multiply-adds of its products or its attention; 0: not known */
    char name[96];       /* ops by their names; of products also the inputs and the outputs of each, "linear
                            2048>2048,256,256" */
} puna_profile_row;

/* The sums until now, of a profile that is on (else PUNA_INVALID_ARGUMENT). `profile` may be NULL. Rows lie as far
   apart as the first one's size says, which is sizeof(puna_profile_row) at least (or 0: as in version 1); each says how
   much of it was filled. *count: how many rows there are; PUNA_BUFFER_TOO_SMALL as for puna_tokenize. PUNA_BUSY. */
PUNA_API puna_status puna_engine_profile_read(puna_engine *engine, puna_profile *profile, puna_profile_row *rows,
                                              uint64_t capacity, uint64_t *count, puna_error *error);

/* What this machine can do at most, measured now, with so many threads (0: as many as an engine takes, at most 256):
   what a profile's rates are shares of. A quarter of a second, in which 320 MiB are taken; what else runs lowers it.
   PUNA_INVALID_ARGUMENT, PUNA_UNSUPPORTED as puna_cpu_describe, PUNA_OUT_OF_MEMORY. Any thread. */
typedef struct puna_ceilings {
    uint32_t size;
    uint32_t threads;
    double reads;    /* bytes a second from memory, of all threads together */
    double products; /* int8 multiply-adds a second by the best instruction of the tier in use; 0: not known */
} puna_ceilings;

PUNA_API puna_status puna_ceilings_measure(uint32_t threads, puna_ceilings *ceilings, puna_error *error);

typedef struct puna_memory_plan {
    uint32_t size;
    uint32_t context_length;
    uint64_t weights;        /* bytes of packed weights */
    uint64_t cache_position; /* bytes of keys and values a position */
    uint64_t cache;          /* bytes of the whole budget */
    uint64_t scratch;        /* bytes of activations, logits and tables */
    uint64_t total;          /* weights + vocabulary + cache + scratch + sequences, and see `embedding` */
    uint64_t available;      /* bytes free on this machine now */
    uint64_t vocabulary;     /* bytes of the tokenizer, of the file's metadata, and of tables about the weights */
    uint64_t sequences;      /* bytes of max_sequences that fill the cache, beside it: ids, samplers, lists of pages.
                                Penalties, stop strings and logits that are shown come on top */
    uint64_t embedding;      /* bytes that puna_engine_embed takes of a model that generates, from its first text until
                                puna_engine_trim. `total` has them where the file says how texts are pooled, since it
                                is there for that; else they come on top. 0 of an encoder: they are its scratch */
} puna_memory_plan;

/* What a model with such an engine would need, from the metadata alone: no weight is read. `total` is what is then
   accounted to both when the cache is full (memory_bytes of puna_model_info and puna_engine_info), within 2%. Errors as
   for loading it and for creating the engine. */
PUNA_API puna_status puna_plan(const puna_file *file, const puna_engine_options *options, puna_memory_plan *plan,
                               puna_error *error);

/* Writing a GGUF file of any size: entries and tensors are named, then the front is written, then the tensors' bytes as
   they come, in their order. One thread at a time. A file of this name appears at the end, whole, or not at all. */
typedef struct puna_writer puna_writer;

PUNA_API puna_status puna_writer_create(puna_writer **writer, puna_error *error);
PUNA_API void puna_writer_close(puna_writer *writer); /* what was begun and not ended leaves no file */

/* Entries, in their order: `number` points to one of the type in this machine's own form (a boolean is a uint8_t),
   `numbers` to `count` of them. `texts` are `count` texts without anything between, of `lengths` bytes. Everything is
   copied. PUNA_INVALID_ARGUMENT (no such type, a key that is empty or no UTF-8), PUNA_OUT_OF_MEMORY. */
PUNA_API puna_status puna_writer_scalar(puna_writer *writer, const char *key, uint32_t type, const void *number,
                                        puna_error *error);
PUNA_API puna_status puna_writer_text(puna_writer *writer, const char *key, const char *text, uint64_t length,
                                      puna_error *error);
PUNA_API puna_status puna_writer_array(puna_writer *writer, const char *key, uint32_t element_type,
                                       const void *numbers, uint64_t count, puna_error *error);
PUNA_API puna_status puna_writer_texts(puna_writer *writer, const char *key, const char *texts,
                                       const uint64_t *lengths, uint64_t count, puna_error *error);

/* A tensor that will come: GGUF's type number, 1 to 4 dimensions, the fastest-varying one first. */
PUNA_API puna_status puna_writer_tensor(puna_writer *writer, const char *name, uint32_t type, uint32_t dimensions,
                                        const uint64_t *shape, puna_error *error);

/* Begin writes all but the tensors to a temporary file beside `path` (PUNA_INVALID_ARGUMENT where a name was given
   twice); put writes the next bytes of the tensors; end gives the file its name. PUNA_IO: the temporary file is gone,
   and it may be begun again. */
PUNA_API puna_status puna_writer_begin(puna_writer *writer, const char *path, puna_error *error);
PUNA_API puna_status puna_writer_put(puna_writer *writer, const void *bytes, uint64_t count, puna_error *error);
PUNA_API puna_status puna_writer_end(puna_writer *writer, puna_error *error);

/* `count` numbers of one tensor type as another one has them, to the nearest; as llama.cpp's reference quantizers do
   where blocks share a scale. Whole blocks of both types. `*bytes` is how many were written. PUNA_UNSUPPORTED (a type
   that is not decoded, or not encoded: K- and I-formats, MXFP4), PUNA_INVALID_ARGUMENT, PUNA_BUFFER_TOO_SMALL. Any
   thread. */
PUNA_API puna_status puna_convert_numbers(uint32_t from, const void *numbers, uint64_t count, uint32_t to, void *blocks,
                                          uint64_t capacity, uint64_t *bytes, puna_error *error);

/* Every public struct's size and field offsets as the library sees them: a line each, "name size field@offset ...".
   Bindings compare it with their own at load. Static storage. */
PUNA_API const char *puna_abi_layout(void);

#ifdef __cplusplus
}
#endif

#endif
