// SPDX-License-Identifier: Apache-2.0
/*
 * Faults of memory and files, one at a time through a whole life: a model loaded, a prompt read, tokens generated. Each
 * is a status, all memory comes back, and who was not hit gives the tokens of a quiet run.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/os.h"
#include "base/os_gate.h"
#include "format/gguf_write.h"
#include "hostile/hostile_file.h"
#include "testing.h"

#if !defined(_WIN32)
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#endif

#define PATH "test_faults.gguf"
#define STATE "test_faults.state"
#define FOLDER_MARK "test_faults_saved"

static bool model_file(void) {
    hostile_file file;
    hostile_lie truth = {.kind = HOSTILE_NOTHING};
    bool made = hostile_make(&file, HOSTILE_SPM, &truth);
    FILE *out = fopen(PATH, "wb");
    made = made && out && fwrite(file.bytes, 1, file.used, out) == file.used;
    if (out) made = fclose(out) == 0 && made;
    hostile_free(&file);
    return made;
}

/* ---- One life ---- */

enum { MOST = 64 };

static const char *path = PATH;
static bool guessing; /* with a draft model; tokens are those of the quiet run, which has none */

typedef struct life {
    puna_model *model;
    puna_engine *engine;
    puna_grammar *grammar;
    puna_error error;
    int32_t ids[MOST];
    uint64_t count;
    int32_t tokens[2 * MOST];
    uint32_t token_count;
    puna_status failed; /* the status of an event */
} life;

static void take_events(life *l) {
    for (puna_event e = {.size = sizeof e}; puna_engine_next_event(l->engine, &e);) {
        if (e.kind == PUNA_EVENT_TOKEN && l->token_count < 2 * MOST) l->tokens[l->token_count++] = e.token;
        if (e.kind == PUNA_EVENT_FINISHED && e.stop == PUNA_STOP_FAILED) l->failed = e.status;
    }
}

static puna_status run(life *l) {
    puna_step step = {.size = sizeof step, .active = 1};
    for (int n = 0; step.active && n < 400; n++) {
        puna_status status = puna_engine_step(l->engine, &step, &l->error);
        /* Nothing was done then, and nothing is lost: it is asked again. With no memory at all there is an end. */
        if (status != PUNA_OK && (status != PUNA_OUT_OF_MEMORY || n > 200)) return status;
        take_events(l);
    }
    return l->failed;
}

static puna_status generate(life *l, uint64_t sequence) {
    static const puna_stage stages[] = {
        {.kind = PUNA_SAMPLE_PENALTIES, .window = 16, .repeat = 1.1f},
        {.kind = PUNA_SAMPLE_DRY, .value = 0.5f, .base = 1.5f, .allowed_length = 2, .window = -1},
        {.kind = PUNA_SAMPLE_TOP_K, .value = 8},
        {.kind = PUNA_SAMPLE_TEMPERATURE, .value = 0.9f}};
    static const puna_text stops[] = {{"bbbbbbbb", 8}};
    static const puna_bias biases[] = {{5, 0.5f}};
    static const puna_text breakers[] = {{"x", 1}};
    puna_generation g;
    puna_generation_default(&g);
    g.max_tokens = 12;
    g.seed = 5;
    g.flags = PUNA_GENERATE_IGNORE_EOS;
    g.stages = stages;
    g.stage_count = 4;
    g.stops = stops;
    g.stop_count = 1;
    g.biases = biases;
    g.bias_count = 1;
    g.breakers = breakers;
    g.breaker_count = 1;
    g.grammar = l->grammar;
    g.top_logprobs = 3;
    g.logprobs = 1;
    puna_status status = puna_sequence_generate(l->engine, sequence, l->ids, l->count, &g, &l->error);
    return status == PUNA_OK ? run(l) : status;
}

/* What was saved in memory and in a file, restored from both; *restored is the one of the file. */
static puna_status save_and_restore(life *l, uint64_t sequence, uint64_t *restored) {
    uint64_t length = 0, copy = 0;
    puna_status status = puna_sequence_save(l->engine, sequence, NULL, 0, &length, &l->error);
    if (status != PUNA_BUFFER_TOO_SMALL) return status;
    uint8_t *bytes = malloc((size_t)length);
    if (!bytes) return PUNA_OUT_OF_MEMORY;
    status = puna_sequence_save(l->engine, sequence, bytes, length, &length, &l->error);
    if (status == PUNA_OK) status = puna_sequence_restore(l->engine, bytes, length, &copy, &l->error);
    free(bytes);
    if (status == PUNA_OK) status = puna_sequence_close(l->engine, copy, &l->error);
    if (status == PUNA_OK) status = puna_sequence_save_file(l->engine, sequence, STATE, &l->error);
    if (status == PUNA_OK) status = puna_sequence_restore_file(l->engine, STATE, restored, &l->error);
    return status;
}

static puna_status live(life *l) {
    static const char grammar[] = "root ::= (\"a\" | \"b\" | [xy])+";
    puna_model_options how;
    puna_engine_options o;
    uint64_t first = 0, second = 0, third = 0;
    memset(l, 0, sizeof *l);
    l->error = (puna_error)PUNA_ERROR_INIT;
    puna_model_options_default(&how);
    how.threads = 1;
    puna_status status = puna_model_load(path, &how, NULL, &l->model, &l->error);
    if (status != PUNA_OK) return status;
    puna_engine_options_default(&o);
    o.threads = 1;
    o.context_length = 96;
    o.max_sequences = 2;
    if (guessing) { /* of the model itself, which does not pay: it is made to */
        o.speculation = PUNA_SPECULATE_DRAFT;
        o.draft = l->model;
        o.draft_least = 3;
    }
    const puna_tokenizer *t = puna_model_tokenizer(l->model);
    status = puna_engine_create(l->model, &o, &l->engine, &l->error);
    if (status == PUNA_OK)
        status = puna_tokenize(t, "ab a b [T] xy aab", 17, PUNA_TOKENIZE_AFFIXES, l->ids, MOST, &l->count, &l->error);
    if (status == PUNA_OK) status = puna_grammar_compile(t, grammar, strlen(grammar), &l->grammar, &l->error);
    if (status == PUNA_OK) status = puna_sequence_open(l->engine, &first, &l->error);
    if (status == PUNA_OK) status = generate(l, first);
    if (status == PUNA_OK) status = puna_sequence_fork(l->engine, first, l->count, &second, &l->error);
    if (status == PUNA_OK) status = puna_sequence_rewind(l->engine, first, 2, &l->error);
    if (status == PUNA_OK) status = generate(l, second);
    if (status == PUNA_OK) status = save_and_restore(l, second, &third);
    if (status == PUNA_OK) status = generate(l, third);
    if (status == PUNA_OK) status = puna_engine_trim(l->engine, &l->error);
    return status;
}

static void die(life *l) {
    puna_grammar_close(l->grammar);
    puna_engine_close(l->engine);
    puna_model_close(l->model);
    while (puna_log_next(&(puna_log_entry){.size = sizeof(puna_log_entry)})) {}
}

static life quiet;

static void same_tokens(const life *l) {
    CHECK(l->token_count == quiet.token_count && memcmp(l->tokens, quiet.tokens, sizeof l->tokens) == 0);
}

static void a_quiet_run(void) {
    NEED(model_file());
    uint64_t before = memory_used_by_all();
    puna_status status = live(&quiet);
    if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%d: %s", status, quiet.error.message);
    CHECK_EQUAL(quiet.token_count, 36);
    die(&quiet);
    CHECK_EQUAL(memory_used_by_all(), before);
}

/* ---- Memory ---- */

static uint32_t allowed;
static bool only_one, refused;

static bool ration(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    if (only_one && refused) return true;
    if (allowed-- > 0) return true;
    allowed = 0;
    return !(refused = true);
}

static void each_allocation_fails(bool one) {
    static life l;
    only_one = one;
    for (uint32_t n = 0; n < 5000; n++) {
        uint64_t before = memory_used_by_all();
        allowed = n;
        refused = false;
        memory_set_gate(ration, NULL);
        puna_status status = live(&l);
        memory_set_gate(NULL, NULL);
        die(&l);
        CHECK_EQUAL(memory_used_by_all(), before);
        if (!refused) {
            CHECK_EQUAL(status, PUNA_OK);
            same_tokens(&l);
            CHECK(n > 100);
            printf("       %u allocations\n", n);
            return;
        }
        if (status == PUNA_OK) {
            CHECK(one || guessing); /* it could be done without, or a step was made again */
            same_tokens(&l);
        } else if (status != PUNA_OUT_OF_MEMORY || (l.failed == PUNA_OK && l.error.needed == 0)) {
            testing_fail(__FILE__, __LINE__, "allocation %u: status %d: %s", n, status, l.error.message);
        }
    }
    CHECK(!"it never ended");
}

static void each_allocation_fails_once(void) { each_allocation_fails(true); }

/* Guesses are done without. */
static void each_allocation_fails_with_guesses(void) {
    guessing = true;
    each_allocation_fails(true);
    each_allocation_fails(false);
    guessing = false;
}

/* Attention beside recurrent layers: pages of both kinds. */
static void each_allocation_fails_with_states(void) {
    life before = quiet;
    path = PUNA_TEST_DATA "/tiny/granitehybrid.gguf";
    CHECK_EQUAL(live(&quiet), PUNA_OK);
    CHECK_EQUAL(quiet.token_count, 36);
    die(&quiet);
    each_allocation_fails(true);
    each_allocation_fails(false);
    quiet = before;
    path = PATH;
}

static void from_each_allocation_on_all_fail(void) { each_allocation_fails(false); }

/* ---- Files that are read ---- */

typedef struct trouble {
    uint32_t calls, at;  /* call number `at`, from 1; 0: none */
    os_call call;
    os_fault fault;
    size_t most;         /* bytes a read or write gets, 0: all */
    bool interrupts;     /* every second call is interrupted */
    const char *cut;     /* a file that is cut to half at that call */
} trouble;

static os_fault make_trouble(void *context, os_call call, size_t *count) {
    trouble *t = context;
    t->calls++;
    if (t->most && count && *count > t->most) *count = t->most;
    if (t->interrupts && t->calls % 2) return OS_FAULT_INTERRUPTED;
    if (call != t->call || !t->at || --t->at) return OS_NO_FAULT;
#if !defined(_WIN32)
    if (t->cut && truncate(t->cut, 15000) != 0) return OS_FAULT;
#endif
    return t->fault;
}

static puna_status in_trouble(life *l, trouble *t) {
    uint64_t before = memory_used_by_all();
    os_set_gate(make_trouble, t);
    puna_status status = live(l);
    os_set_gate(NULL, NULL);
    die(l);
    CHECK_EQUAL(memory_used_by_all(), before);
    return status;
}

static void short_and_interrupted_reads_change_nothing(void) {
    static life l;
    for (size_t most = 1; most < 100000; most = 3 * most + 5) {
        trouble t = {.most = most, .interrupts = most % 2};
        CHECK_EQUAL(in_trouble(&l, &t), PUNA_OK);
        same_tokens(&l);
    }
}

static void each_read_fails(void) {
    static life l;
    uint32_t failures = 0;
    for (uint32_t n = 1; n < 1000; n++) {
        trouble t = {.at = n, .call = OS_CALL_READ, .fault = OS_FAULT};
        puna_status status = in_trouble(&l, &t);
        if (t.at) {
            CHECK_EQUAL(status, PUNA_OK);
            break;
        }
        failures++;
        CHECK_EQUAL(status, PUNA_IO);
        CHECK(strstr(l.error.subject, "test_faults.") && strlen(l.error.message) > 10);
    }
    CHECK(failures > 10);
    trouble t = {.at = 1, .call = OS_CALL_OPEN, .fault = OS_FAULT};
    CHECK_EQUAL(in_trouble(&l, &t), PUNA_IO);
    printf("       %u reads\n", failures);
}

#if !defined(_WIN32)

/* Another process cuts the file while it is read: with a mapping, that ends the process. */
static void a_file_is_cut_while_it_is_read(void) {
    static life l;
    uint32_t cuts = 0;
    for (uint32_t n = 1; n < 1000; n++) {
        NEED(model_file());
        trouble t = {.at = n, .call = OS_CALL_READ, .fault = OS_NO_FAULT, .cut = PATH};
        puna_status status = in_trouble(&l, &t);
        if (t.at) break;
        cuts++;
        if (status == PUNA_OK) same_tokens(&l); /* all of it had been read */
        else if (status != PUNA_IO && !(n == 1 && status == PUNA_INVALID_FILE))
            testing_fail(__FILE__, __LINE__, "read %u: status %d: %s", n, status, l.error.message);
        if (status == PUNA_IO) CHECK(strstr(l.error.message, "cut short"));
    }
    CHECK(cuts > 10);
    NEED(model_file());
}

/* Cut, replaced and removed after it was loaded: nobody notices. */
static void a_file_is_lost_while_it_is_used(void) {
    static life l;
    uint64_t before = memory_used_by_all();
    for (int how = 0; how < 3; how++) {
        NEED(model_file());
        memset(&l, 0, sizeof l);
        l.error = (puna_error)PUNA_ERROR_INIT;
        puna_engine_options o;
        puna_engine_options_default(&o);
        o.threads = 1;
        o.context_length = 96;
        NEED(puna_model_load(PATH, NULL, NULL, &l.model, &l.error) == PUNA_OK);
        if (how == 0) CHECK(truncate(PATH, 10) == 0);
        if (how == 1) CHECK(truncate(PATH, 0) == 0 && truncate(PATH, 1 << 20) == 0);
        if (how == 2) CHECK(remove(PATH) == 0);
        NEED(puna_engine_create(l.model, &o, &l.engine, &l.error) == PUNA_OK);
        uint64_t sequence;
        NEED(puna_sequence_open(l.engine, &sequence, &l.error) == PUNA_OK);
        memcpy(l.ids, quiet.ids, sizeof l.ids);
        l.count = quiet.count;
        static const char grammar[] = "root ::= (\"a\" | \"b\" | [xy])+";
        NEED(puna_grammar_compile(puna_model_tokenizer(l.model), grammar, strlen(grammar), &l.grammar,
             &l.error) == PUNA_OK);
        CHECK_EQUAL(generate(&l, sequence), PUNA_OK);
        CHECK(l.token_count == 12 && memcmp(l.tokens, quiet.tokens, 12 * sizeof *l.tokens) == 0);
        uint64_t index;
        CHECK_EQUAL(puna_file_find(puna_model_file(l.model), "tokenizer.chat_template", &index, &l.error), PUNA_OK);
        const char *text;
        uint64_t length;
        CHECK_EQUAL(puna_file_string(puna_model_file(l.model), index, 0, &text, &length, &l.error), PUNA_OK);
        CHECK(length > 40 && memcmp(text, "{% for m", 8) == 0);
        die(&l);
    }
    CHECK_EQUAL(memory_used_by_all(), before);
    NEED(model_file());
}

static volatile sig_atomic_t signals;

static void on_signal(int number) {
    (void)number;
    signals = signals + 1;
}

/* A signal each millisecond, whose handler does not restart calls. */
static void signals_change_nothing(void) {
    static life l;
    struct sigaction action = {.sa_handler = on_signal}, old;
    struct itimerval each = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, &old);
    setitimer(ITIMER_REAL, &each, NULL);
    for (int n = 0; n < 400 && (n < 5 || signals < 50); n++) {
        CHECK_EQUAL(live(&l), PUNA_OK);
        same_tokens(&l);
        die(&l);
    }
    setitimer(ITIMER_REAL, &none, NULL);
    sigaction(SIGALRM, &old, NULL);
    CHECK(signals >= 50);
}

/* ---- Files that are written ---- */

static int leftovers(void) {
    int count = 0;
    DIR *folder = opendir(".");
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += strncmp(entry->d_name, FOLDER_MARK, strlen(FOLDER_MARK)) == 0;
    if (folder) closedir(folder);
    return count;
}

/* The model, copied by the writer, over what stood there: "old". */
/* A file that is copied alone is written in one go; with an entry more, tensor by tensor. */
static bool with_entry, streamed; /* streamed: with an entry more, too, and the tensors' bytes as they come */

/* What follows when the writer holds the file: its tensors announced once more, then put a little at a time. */
static puna_status stream(gguf_writer *writer, const gguf_file *file, puna_error *error) {
    uint8_t piece[1 << 14];
    puna_status status = gguf_write_values(writer, file, true, error);
    for (uint64_t i = 0; i < gguf_tensor_count(file) && status == PUNA_OK; i++) {
        const gguf_tensor *tensor = gguf_tensor_at(file, i);
        char name[80];
        snprintf(name, sizeof name, "%.*s", (int)tensor->name.length, tensor->name.data);
        status = gguf_write_announced(writer, name, tensor->type, tensor->dimensions, tensor->shape, error);
    }
    if (status == PUNA_OK) status = gguf_write_u32(writer, "test.entry", 1, error);
    if (status == PUNA_OK) status = gguf_writer_begin(writer, FOLDER_MARK, error);
    for (uint64_t i = 0; i < gguf_tensor_count(file) && status == PUNA_OK; i++) {
        const gguf_tensor *tensor = gguf_tensor_at(file, i);
        for (uint64_t at = 0; at < tensor->bytes && status == PUNA_OK; at += sizeof piece) {
            size_t n = tensor->bytes - at < sizeof piece ? (size_t)(tensor->bytes - at) : sizeof piece;
            status = gguf_tensor_bytes(file, tensor, at, piece, n, error);
            if (status == PUNA_OK) status = gguf_writer_put(writer, piece, n, error);
        }
    }
    return status == PUNA_OK ? gguf_writer_end(writer, error) : status;
}

static puna_status copy(puna_error *error) {
    gguf_file *file = NULL;
    gguf_writer *writer = NULL;
    FILE *out = fopen(FOLDER_MARK, "wb");
    CHECK(out && fwrite("old", 1, 3, out) == 3 && fclose(out) == 0);
    puna_status status = gguf_open(PATH, &file, error);
    if (status == PUNA_OK) status = gguf_writer_create(3, &writer, error);
    if (status == PUNA_OK && streamed) {
        status = stream(writer, file, error);
        gguf_writer_free(writer);
        gguf_close(file);
        return status;
    }
    if (status == PUNA_OK) status = gguf_write_file(writer, file, error);
    if (status == PUNA_OK && with_entry) status = gguf_write_u32(writer, "test.entry", 1, error);
    if (status == PUNA_OK) status = gguf_writer_save(writer, FOLDER_MARK, error);
    gguf_writer_free(writer);
    gguf_close(file);
    return status;
}

static bool has_the_entry(void) {
    gguf_file *file = NULL;
    puna_error error = PUNA_ERROR_INIT;
    bool has = gguf_open(FOLDER_MARK, &file, &error) == PUNA_OK && gguf_find(file, "test.entry");
    gguf_close(file);
    return has;
}

static void nothing_half_written(puna_status status) {
    size_t size = 0;
    uint8_t *bytes = testing_read(FOLDER_MARK, &size);
    if (status == PUNA_OK && with_entry) {
        CHECK(has_the_entry());
    } else if (status == PUNA_OK) {
        size_t whole = 0;
        uint8_t *original = testing_read(PATH, &whole);
        CHECK(bytes && original && size == whole && memcmp(bytes, original, size) == 0);
        free(original);
    } else {
        CHECK(bytes && size == 3 && memcmp(bytes, "old", 3) == 0);
    }
    free(bytes);
    CHECK_EQUAL(leftovers(), 1);
}

static void each_write_fails_here(bool entry) {
    static const os_call calls[] = {OS_CALL_OPEN, OS_CALL_READ, OS_CALL_WRITE, OS_CALL_SYNC, OS_CALL_RENAME};
    uint32_t failures = 0;
    with_entry = entry;
    for (int c = 0; c < 5; c++) {
        for (uint32_t n = 1; n < 1000; n++) {
            puna_error error = PUNA_ERROR_INIT;
            trouble t = {.at = n, .call = calls[c], .fault = OS_FAULT};
            os_set_gate(make_trouble, &t);
            puna_status status = copy(&error);
            os_set_gate(NULL, NULL);
            nothing_half_written(status);
            CHECK_EQUAL(status, t.at ? PUNA_OK : PUNA_IO);
            if (t.at) break;
            failures++;
        }
    }
    CHECK(failures > (entry ? 20 : 8));
    for (size_t most = 1; most < 5000; most = 7 * most + 2) {
        puna_error error = PUNA_ERROR_INIT;
        trouble t = {.most = most, .interrupts = true};
        os_set_gate(make_trouble, &t);
        puna_status status = copy(&error);
        os_set_gate(NULL, NULL);
        CHECK_EQUAL(status, PUNA_OK);
        nothing_half_written(status);
    }
    with_entry = false;
    printf("       %u failures\n", failures);
}

static void each_write_fails(void) {
    each_write_fails_here(false);
    each_write_fails_here(true);
    streamed = true;
    each_write_fails_here(true);
    streamed = false;
}

/* The system's own refusal in the middle of a write, as of a full disk. */
static void the_disk_is_full(void) {
    struct rlimit old, less;
    puna_error error = PUNA_ERROR_INIT;
    struct stat info;
    NEED(getrlimit(RLIMIT_FSIZE, &old) == 0 && stat(PATH, &info) == 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    for (rlim_t room = 100; room < (rlim_t)info.st_size; room = 3 * room + 1) {
        less = (struct rlimit){room, old.rlim_max};
        CHECK(setrlimit(RLIMIT_FSIZE, &less) == 0);
        puna_status status = copy(&error);
        CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
        CHECK_EQUAL(status, PUNA_IO);
        nothing_half_written(status);
    }
    signal(SIGXFSZ, handler);
}

/* A folder that can't be written to. (Who may do everything writes all the same.) */
static void the_folder_is_gone(void) {
    puna_error error = PUNA_ERROR_INIT;
    os_output *output = NULL;
    CHECK_EQUAL(os_output_open("test_faults_nowhere/x", &output, &error), PUNA_NOT_FOUND);
    CHECK(output == NULL);
}

#endif

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    remove(FOLDER_MARK);
    if (!model_file()) return 1;
    TEST(a_quiet_run);
    if (quiet.token_count == 0 && live(&quiet) == PUNA_OK) die(&quiet); /* one test alone needs it, too */
    TEST(each_allocation_fails_once);
    TEST(from_each_allocation_on_all_fail);
    TEST(each_allocation_fails_with_guesses);
    TEST(each_allocation_fails_with_states);
    TEST(short_and_interrupted_reads_change_nothing);
    TEST(each_read_fails);
#if !defined(_WIN32)
    TEST(a_file_is_cut_while_it_is_read);
    TEST(a_file_is_lost_while_it_is_used);
    TEST(signals_change_nothing);
    TEST(each_write_fails);
    TEST(the_disk_is_full);
    TEST(the_folder_is_gone);
#endif
    remove(PATH);
    remove(STATE);
    remove(FOLDER_MARK);
    return testing_end();
}
