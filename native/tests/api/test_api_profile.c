// SPDX-License-Identifier: Apache-2.0
/* Where an engine's time goes: what the rows add up to, what they count, and when they are there. */
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "api/bed.h"
#include "base/os.h"

enum { MOST = 128, TOKENS = 20 };

typedef struct told {
    puna_profile sums;
    puna_profile_row rows[MOST];
    uint64_t count;
} told;

static puna_status read_all(bed *b, told *t) {
    memset(t, 0, sizeof *t);
    t->sums.size = sizeof t->sums;
    t->rows->size = sizeof *t->rows;
    return puna_engine_profile_read(b->engine, &t->sums, t->rows, MOST, &t->count, &b->error);
}

static void make_ids(int32_t *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) ids[i] = (int32_t)(20 + i * 7 % 90);
}

static const puna_profile_row *find(const told *t, uint32_t kind, uint32_t part, const char *prefix) {
    for (uint64_t i = 0; i < t->count; i++)
        if (t->rows[i].kind == kind && t->rows[i].part == part &&
            strncmp(t->rows[i].name, prefix, strlen(prefix)) == 0)
            return &t->rows[i];
    testing_fail(__FILE__, __LINE__, "no row of part %u is named %s", part, prefix);
    return NULL;
}

/* Phases, one after the other, are what a run takes; threads that don't compute wait. */
static void check_sums(const told *t, uint32_t threads) {
    uint64_t wall = 0, busy = 0, ops = 0;
    CHECK_EQUAL(t->sums.size, sizeof t->sums);
    CHECK_EQUAL(t->sums.threads, threads);
    CHECK(t->sums.runs > 0 && t->sums.run_ns > 0);
    CHECK(t->sums.run_ns <= t->sums.engine_ns && t->sums.engine_ns <= t->sums.elapsed_ns);
    for (uint64_t i = 0; i < t->count; i++) {
        const puna_profile_row *r = &t->rows[i];
        CHECK_EQUAL(r->size, sizeof *r);
        CHECK_EQUAL(r->threads, threads);
        CHECK(r->name[0] && memchr(r->name, 0, sizeof r->name) && r->calls > 0 && r->part <= PUNA_PROFILE_DRAFT);
        if (r->kind == PUNA_PROFILE_OP) {
            CHECK(r->wall_ns == 0 && r->barrier_ns == 0 && r->idle_ns == 0 && r->bytes == 0 && r->products == 0);
            ops += r->busy_ns;
            continue;
        }
        CHECK_EQUAL(r->kind, PUNA_PROFILE_PHASE);
        CHECK_EQUAL(r->busy_ns + r->idle_ns, threads * (r->wall_ns + r->barrier_ns));
        for (uint64_t k = 0; k < i; k++)
            CHECK(t->rows[k].part != r->part || t->rows[k].kind != r->kind || strcmp(t->rows[k].name, r->name) != 0);
        wall += r->wall_ns + r->barrier_ns;
        busy += r->busy_ns;
    }
    CHECK(wall <= t->sums.run_ns && busy <= threads * wall);
    CHECK(ops <= busy && ops > 0);
}

/* Of a run's time, the part that phases and their barriers are. */
static double covered(const told *t) {
    uint64_t wall = 0;
    for (uint64_t i = 0; i < t->count; i++)
        if (t->rows[i].kind == PUNA_PROFILE_PHASE) wall += t->rows[i].wall_ns + t->rows[i].barrier_ns;
    return (double)wall / (double)t->sums.run_ns;
}

static bool switched(bed *b, uint32_t on) {
    puna_status status = puna_engine_profile(b->engine, on, &b->error);
    if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s", b->error.message);
    return status == PUNA_OK;
}

/* ---- what is counted ---- */

/* A prompt in one step, then `generated` tokens one by one. */
static void profile_model(const char *name, uint32_t threads, uint32_t generated, told *t) {
    bed b;
    bed_result r;
    int32_t ids[TOKENS];
    puna_engine_options o = bed_options(threads, 64, 2, PUNA_CACHE_F16);
    puna_generation g = bed_generation(generated);
    t->count = 0;
    NEED(bed_open(&b, name, &o));
    make_ids(ids, TOKENS);
    NEED(switched(&b, PUNA_PROFILE_ON) && bed_start(&b, &r, ids, TOKENS, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    CHECK_EQUAL(read_all(&b, t), PUNA_OK);
    CHECK_EQUAL(t->sums.generated_tokens, r.count);
    check_sums(t, threads);
    bed_close(&b);
}

/* "linear 64>128": so many numbers of W for each of `rows` rows of each call. */
static void check_product(const puna_profile_row *r, const char *op, uint64_t rows) {
    unsigned in = 0, out = 0;
    char form[64];
    NEED(r != NULL);
    snprintf(form, sizeof form, "%s %%u>%%u", op);
    NEED(sscanf(r->name, form, &in, &out) == 2 && !strchr(r->name, ','));
    CHECK_EQUAL(r->products, (uint64_t)in * out * rows * r->calls);
    CHECK(r->bytes > 0);
}

static void rows_add_up_and_count(void) {
    static told t;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        profile_model("llama_q8_0.gguf", threads, 8, &t);
        CHECK_EQUAL(t.sums.prompt_tokens, TOKENS);
        CHECK_EQUAL(t.sums.runs, t.sums.steps);
        find(&t, PUNA_PROFILE_PHASE, PUNA_PROFILE_MODEL, "rotary tables");
        const puna_profile_row *attend = find(&t, PUNA_PROFILE_PHASE, PUNA_PROFILE_MODEL, "attend");
        const puna_profile_row *op = find(&t, PUNA_PROFILE_OP, PUNA_PROFILE_MODEL, "attend");
        NEED(attend && op);
        CHECK(attend->bytes > 0 && attend->products > 0);
        CHECK(attend->calls == op->calls && attend->busy_ns == op->busy_ns);
        find(&t, PUNA_PROFILE_OP, PUNA_PROFILE_MODEL, "rms_norm");
    }
}

/* What is left is a run's preparation and the profile's own work. */
static void phases_are_nearly_all_of_a_run(void) {
    static told t;
    double most = 0, wanted = TESTING_THIN(0.8, 0.6, 0.4);
    for (int n = 0; n < 40 && most < wanted; n++) {
        profile_model("llama_q8_0.gguf", 2, 20, &t);
        if (covered(&t) > most) most = covered(&t);
    }
    if (most < wanted) testing_fail(__FILE__, __LINE__, "phases are %.0f%% of the runs' time", 100 * most);
}

/* A prompt alone is one batch of known rows. */
static void products_are_those_of_the_matrices(void) {
    static told t;
    profile_model("llama_q8_0.gguf", 2, 1, &t);
    CHECK_EQUAL(t.sums.runs, 1);
    uint64_t checked = 0;
    for (uint64_t i = 0; i < t.count; i++) {
        const puna_profile_row *r = &t.rows[i];
        bool layers = r->kind == PUNA_PROFILE_PHASE && strncmp(r->name, "linear", 6) == 0 && r->calls > 1;
        if (!layers || strchr(r->name, ',')) continue; /* the output matrix has one row, and comes once */
        check_product(r, "linear", TOKENS);
        checked++;
    }
    CHECK(checked > 0);
    profile_model("olmoe.gguf", 2, 1, &t); /* each token goes to some experts */
    const puna_profile_row *gate = NULL;
    for (uint64_t i = 0; i < t.count && !gate; i++)
        if (t.rows[i].kind == PUNA_PROFILE_PHASE && strstr(t.rows[i].name, "expert_linear")) gate = &t.rows[i];
    NEED(gate != NULL);
    CHECK(gate->products > 0 && gate->products % TOKENS == 0 && gate->bytes > 0);
    find(&t, PUNA_PROFILE_OP, PUNA_PROFILE_MODEL, "route");
}

static void every_kind_of_model_has_one(void) {
    static const char *const names[] = {"mamba.gguf", "gpt2.gguf", "gemma3.gguf", "deepseek_v2.gguf", "gpt_oss.gguf",
                                        "granitehybrid.gguf", "mixtral.gguf"};
    static told t;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) profile_model(names[i], 2, 4, &t);
}

/* ---- an engine's parts ---- */

static void embed_some(bed *b, uint32_t texts) {
    int32_t ids[TOKENS];
    float *vectors = calloc((size_t)texts * 4096, sizeof *vectors);
    puna_input inputs[8];
    NEED(vectors != NULL && texts <= 8);
    make_ids(ids, TOKENS);
    for (uint32_t i = 0; i < texts; i++) inputs[i] = (puna_input){ids, NULL, TOKENS - i};
    puna_embedding how;
    puna_embedding_default(&how);
    puna_status status = puna_engine_embed(b->engine, inputs, texts, &how, vectors, texts * 4096, NULL, &b->error);
    if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s", b->error.message);
    free(vectors);
}

static void encoders_and_vectors_of_decoders(void) {
    static told t;
    bed b;
    puna_engine_options o = bed_options(2, 64, 4, PUNA_CACHE_F16);
    NEED(bed_open(&b, "../encoders/bert.gguf", &o) && switched(&b, PUNA_PROFILE_ON));
    embed_some(&b, 3);
    CHECK_EQUAL(read_all(&b, &t), PUNA_OK);
    check_sums(&t, 2);
    CHECK_EQUAL(t.sums.prompt_tokens, 3 * TOKENS - 3);
    find(&t, PUNA_PROFILE_PHASE, PUNA_PROFILE_MODEL, "attend");
    bed_close(&b);
    /* What computes a decoder's states is made by the first one who wants some, before or after. */
    for (int before = 0; before < 2; before++) {
        NEED(bed_open(&b, "llama_q8_0.gguf", &o));
        if (before) embed_some(&b, 1);
        NEED(switched(&b, PUNA_PROFILE_ON));
        embed_some(&b, 2);
        CHECK_EQUAL(read_all(&b, &t), PUNA_OK);
        check_sums(&t, 2);
        find(&t, PUNA_PROFILE_PHASE, PUNA_PROFILE_STATES, "attend");
        for (uint64_t i = 0; i < t.count; i++) CHECK_EQUAL(t.rows[i].part, PUNA_PROFILE_STATES);
        bed_close(&b);
    }
}

static void encoder_decoders_have_two_parts(void) {
    static told t;
    profile_model("../text_to_text/t5.gguf", 2, 4, &t);
    find(&t, PUNA_PROFILE_PHASE, PUNA_PROFILE_SOURCE, "attend");
    find(&t, PUNA_PROFILE_PHASE, PUNA_PROFILE_MODEL, "attend");
    const puna_profile_row *source = find(&t, PUNA_PROFILE_OP, PUNA_PROFILE_SOURCE, "attend");
    const puna_profile_row *answer = find(&t, PUNA_PROFILE_OP, PUNA_PROFILE_MODEL, "attend");
    NEED(source && answer);
    CHECK(source->calls < answer->calls); /* once, and once a token */
}

static void a_draft_model_is_one_more(void) {
    static told t;
    bed small, b;
    bed_result r;
    int32_t ids[TOKENS];
    puna_engine_options o = bed_options(2, 64, 2, PUNA_CACHE_F16);
    puna_generation g = bed_generation(12);
    NEED(bed_open(&small, "llama_q8_0.gguf", NULL));
    o.speculation = PUNA_SPECULATE_DRAFT;
    o.draft = small.model;
    o.draft_least = 2; /* it does not pay here */
    NEED(bed_open(&b, "llama_q8_0.gguf", &o) && switched(&b, PUNA_PROFILE_ON));
    make_ids(ids, TOKENS);
    NEED(bed_start(&b, &r, ids, TOKENS, &g) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    CHECK_EQUAL(read_all(&b, &t), PUNA_OK);
    check_sums(&t, 2);
    CHECK(t.sums.runs > t.sums.steps);
    find(&t, PUNA_PROFILE_PHASE, PUNA_PROFILE_DRAFT, "linear");
    bed_close(&b);
    bed_close(&small);
}

/* ---- on and off ---- */

static uint64_t memory_of(const bed *b) {
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(b->engine, &info);
    return info.memory_bytes;
}

static void step_once(bed *b, bed_result *r) {
    CHECK_EQUAL(puna_engine_step(b->engine, NULL, &b->error), PUNA_OK);
    bed_take(b, r, 1);
}

static void on_and_off_between_steps(void) {
    static told t;
    bed b;
    bed_result quiet, r;
    int32_t ids[TOKENS];
    puna_generation g = bed_generation(40);
    puna_engine_options o = bed_options(2, 64, 2, PUNA_CACHE_F16);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    make_ids(ids, TOKENS);
    NEED(bed_start(&b, &quiet, ids, TOKENS, &g) == PUNA_OK);
    bed_run(&b, &quiet, 1, 100);
    NEED(bed_start(&b, &r, ids, TOKENS, &g) == PUNA_OK);
    for (uint32_t n = 0; n < 20; n++) {
        step_once(&b, &r);
        uint64_t before = memory_of(&b);
        CHECK_EQUAL(read_all(&b, &t), PUNA_INVALID_ARGUMENT);
        NEED(switched(&b, PUNA_PROFILE_ON));
        uint64_t took = memory_of(&b) - before;
        CHECK(took > 1000 && took < 1 << 20);
        CHECK_EQUAL(read_all(&b, &t), PUNA_OK);
        CHECK_EQUAL(t.count, 0);
        CHECK_EQUAL(t.sums.runs, 0);
        step_once(&b, &r);
        uint64_t on = memory_of(&b);
        CHECK_EQUAL(read_all(&b, &t), PUNA_OK);
        CHECK_EQUAL(t.sums.steps, 1);
        CHECK_EQUAL(t.sums.generated_tokens, 1);
        CHECK(t.count > 0);
        if (n % 2) { /* from zero */
            NEED(switched(&b, PUNA_PROFILE_ON));
            CHECK_EQUAL(memory_of(&b), on);
            CHECK_EQUAL(read_all(&b, &t), PUNA_OK);
            CHECK(t.count == 0 && t.sums.run_ns == 0 && t.sums.steps == 0);
        }
        NEED(switched(&b, PUNA_PROFILE_OFF) && switched(&b, PUNA_PROFILE_OFF));
        CHECK_EQUAL(on - memory_of(&b), took);
    }
    bed_run(&b, &r, 1, 100);
    CHECK_EQUAL(r.count, quiet.count);
    CHECK(memcmp(r.tokens, quiet.tokens, r.count * sizeof *r.tokens) == 0);
    NEED(switched(&b, PUNA_PROFILE_ON)); /* closed while it is on */
    bed_close(&b);
}

typedef struct other {
    bed *bed;
    _Atomic uint32_t read, wrong, over;
} other;

static void rest(void) {
    struct timespec t = {0, 20000};
    nanosleep(&t, NULL);
}

/* Switches and reads whenever it gets in. */
static void switch_and_read(void *context) {
    static told t;
    other *o = context;
    for (uint32_t n = 0; !o->over; n++) {
        puna_status status = puna_engine_profile(o->bed->engine, n % 7 < 5, NULL);
        if (status != PUNA_OK && status != PUNA_BUSY) o->wrong++;
        rest();
        t.sums.size = sizeof t.sums;
        t.rows->size = sizeof *t.rows;
        status = puna_engine_profile_read(o->bed->engine, &t.sums, t.rows, MOST, &t.count, NULL);
        if (status != PUNA_OK && status != PUNA_BUSY && status != PUNA_INVALID_ARGUMENT) o->wrong++;
        if (status == PUNA_OK) o->read++;
        if (status == PUNA_OK && t.sums.run_ns > t.sums.engine_ns) o->wrong++;
        rest();
    }
}

static void another_thread_switches_it_while_one_steps(void) {
    static bed b;
    other o = {.bed = &b};
    os_thread thread;
    int32_t ids[TOKENS];
    puna_engine_options options = bed_options(2, 64, 2, PUNA_CACHE_F16);
    puna_generation g = bed_generation(60);
    NEED(bed_open(&b, "llama_q8_0.gguf", &options));
    make_ids(ids, TOKENS);
    NEED(os_thread_start(&thread, switch_and_read, &o));
    for (uint32_t n = 0, steps = 0; n < 200000 && (steps < 300 || o.read < 20); n++) {
        puna_step step = {.size = sizeof step};
        puna_status status = puna_engine_step(b.engine, &step, NULL);
        if (status == PUNA_OK && !step.active) {
            uint64_t id;
            if (puna_sequence_open(b.engine, &id, NULL) == PUNA_OK)
                (void)puna_sequence_generate(b.engine, id, ids, TOKENS, &g, NULL);
        }
        steps += status == PUNA_OK;
        if (status != PUNA_OK && status != PUNA_BUSY) o.wrong++;
        rest();
    }
    o.over = 1;
    os_thread_join(thread);
    CHECK_EQUAL(o.wrong, 0);
    CHECK(o.read > 0);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(rows_add_up_and_count);
    TEST(phases_are_nearly_all_of_a_run);
    TEST(products_are_those_of_the_matrices);
    TEST(every_kind_of_model_has_one);
    TEST(encoders_and_vectors_of_decoders);
    TEST(encoder_decoders_have_two_parts);
    TEST(a_draft_model_is_one_more);
    TEST(on_and_off_between_steps);
    TEST(another_thread_switches_it_while_one_steps);
    return testing_end();
}
