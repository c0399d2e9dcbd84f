// SPDX-License-Identifier: Apache-2.0
/* Sequences in every state: prompts that share a beginning, a cache that others fill, and damaged weights. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "api/bed.h"
#include "base/os.h"

#define LONGEST 200u

static int32_t ids[LONGEST];

static void make_ids(void) {
    for (uint32_t i = 0; i < LONGEST; i++) ids[i] = (int32_t)(i * 37 % 101 + 3);
}

static puna_engine_options small(uint32_t sequences) {
    puna_engine_options o = bed_options(1, 64, sequences, PUNA_CACHE_F16);
    o.context_length = 256;
    return o;
}

/* Generates `most` tokens after ids[0 .. count) in an open sequence. */
static bool go_on(bed *b, bed_result *r, uint64_t sequence, uint32_t count, uint32_t most) {
    puna_generation g = bed_generation(most);
    memset(r, 0, sizeof *r);
    r->sequence = sequence;
    puna_status status = puna_sequence_generate(b->engine, sequence, ids, count, &g, &b->error);
    CHECK_EQUAL(status, PUNA_OK);
    if (status == PUNA_OK) bed_run(b, r, 1, 600);
    return status == PUNA_OK;
}

/* Shorter, longer, equal and other prompts, one after the other: the same as in a fresh sequence, and the common
   beginning comes from the cache. */
static void a_sequence_may_go_on_anywhere(void) {
    static const uint32_t lengths[] = {100, 100, 64, 65, 63, 1, 150, 130, 128, 2, 129, 129};
    bed b, lone;
    static bed_result again, fresh;
    puna_engine_options o = small(2);
    NEED(bed_open(&b, "llama_q8_0.gguf", &o) && bed_open(&lone, "llama_q8_0.gguf", &o));
    uint64_t kept, id, held = 0;
    int32_t last[LONGEST + 9];
    NEED(puna_sequence_open(b.engine, &kept, &b.error) == PUNA_OK);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        make_ids();
        if (i == 8) ids[20] = 90; /* another text from there on */
        NEED(puna_sequence_tokens(b.engine, kept, last, LONGEST + 9, &held, &b.error) == PUNA_OK);
        uint32_t common = 0; /* of what was computed: all but the last token said, and not the last of the prompt */
        while (common + 1 < held && common + 1 < lengths[i] && last[common] == ids[common]) common++;
        NEED(go_on(&b, &again, kept, lengths[i], 9));
        NEED(puna_engine_trim(lone.engine, &lone.error) == PUNA_OK); /* where nothing is known of it */
        NEED(puna_sequence_open(lone.engine, &id, &lone.error) == PUNA_OK);
        NEED(go_on(&lone, &fresh, id, lengths[i], 9));
        NEED(puna_sequence_close(lone.engine, id, &lone.error) == PUNA_OK);
        CHECK_EQUAL(fresh.cached_tokens, 0);
        /* whole pages of what it said in an earlier round may be known as well */
        CHECK(again.cached_tokens == common || (again.cached_tokens > common && again.cached_tokens % 64 == 0));
        CHECK_EQUAL(again.count, fresh.count);
        CHECK(memcmp(again.tokens, fresh.tokens, again.count * sizeof *ids) == 0);
    }
    bed_close(&lone);
    bed_close(&b);
}

/* Two idle sequences fill the cache; logits and a third one take it from them; they go on as if nothing had been. */
static void idle_sequences_give_up_their_pages(void) {
    bed b;
    static bed_result first, second, third, again;
    puna_engine_info info = {.size = sizeof info};
    puna_engine_options o = small(2);
    make_ids();
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    puna_engine_describe(b.engine, &info);
    puna_engine_close(b.engine);
    o.cache_bytes = 4 * info.page_bytes; /* one context */
    b.engine = NULL;
    NEED(puna_engine_create(b.model, &o, &b.engine, &b.error) == PUNA_OK);
    uint64_t sequences[3];
    for (int i = 0; i < 3; i++) NEED(puna_sequence_open(b.engine, &sequences[i], &b.error) == PUNA_OK);
    NEED(go_on(&b, &first, sequences[0], 110, 15));
    NEED(go_on(&b, &second, sequences[1], 100, 20));
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.pages_used, 3); /* the first page is one */
    size_t width = (size_t)b.info.vocabulary;
    float *logits = malloc(200 * width * sizeof *logits), *lone = malloc(width * sizeof *lone);
    NEED(logits && lone);
    NEED(puna_engine_logits(b.engine, ids, 200, 199, logits, width, NULL, &b.error) == PUNA_OK);
    NEED(puna_engine_logits(b.engine, ids, 200, 0, logits, 200 * width, NULL, &b.error) == PUNA_OK);
    NEED(puna_engine_logits(b.engine, ids, 200, 199, lone, width, NULL, &b.error) == PUNA_OK);
    CHECK(memcmp(lone, logits + 199 * width, width * sizeof *lone) == 0);
    puna_engine_describe(b.engine, &info);
    CHECK(info.pages_used <= 4);
    CHECK_EQUAL(info.sequences, 3);
    NEED(go_on(&b, &again, sequences[0], 110, 15));
    CHECK_EQUAL(again.cached_tokens, 0); /* the logits took all: they fill the cache */
    CHECK(again.count == first.count && memcmp(again.tokens, first.tokens, first.count * sizeof *ids) == 0);
    NEED(go_on(&b, &third, sequences[2], 190, 60));
    CHECK_EQUAL(third.count, 60);
    NEED(go_on(&b, &again, sequences[1], 100, 20));
    CHECK(again.count == second.count && memcmp(again.tokens, second.tokens, second.count * sizeof *ids) == 0);
    free(logits);
    free(lone);
    bed_close(&b);
}

/* Cancelled and closed while it waits, while its prompt is half computed, while it generates, while it is idle. */
static void it_may_end_in_any_state(void) {
    bed b;
    static bed_result r, other;
    puna_engine_options o = small(1);
    o.step_tokens = 10;
    make_ids();
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    puna_generation g = bed_generation(50);
    for (int state = 0; state < 4; state++) {
        for (int close = 0; close < 2; close++) {
            puna_step step = {.size = sizeof step};
            if (state == 0) NEED(bed_start(&b, &other, ids, 30, &g) == PUNA_OK);
            if (state == 0) NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
            g.max_tokens = state == 3 ? 1 : 50;
            NEED(bed_start(&b, &r, ids, 30, &g) == PUNA_OK);
            for (int n = 0; n < (state == 1 ? 1 : state ? 5 : 0); n++)
                NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
            puna_sequence_tokens(b.engine, r.sequence, NULL, 0, &(uint64_t){0}, &b.error);
            if (close) CHECK_EQUAL(puna_sequence_close(b.engine, r.sequence, &b.error), PUNA_OK);
            else CHECK_EQUAL(puna_sequence_cancel(b.engine, r.sequence, &b.error), PUNA_OK);
            r.stop = PUNA_STOP_NONE;
            NEED(puna_engine_step(b.engine, &step, &b.error) == PUNA_OK);
            bed_take(&b, &r, 1);
            CHECK_EQUAL(r.stop, close || state == 3 ? PUNA_STOP_NONE : PUNA_STOP_CANCELLED);
            CHECK_EQUAL(step.active, state == 0);
            if (state == 0) NEED(puna_sequence_close(b.engine, other.sequence, &b.error) == PUNA_OK);
            if (!close) CHECK_EQUAL(puna_sequence_close(b.engine, r.sequence, &b.error), PUNA_OK);
            CHECK_EQUAL(puna_sequence_cancel(b.engine, r.sequence, &b.error), PUNA_CLOSED);
            puna_engine_info info = {.size = sizeof info};
            puna_engine_describe(b.engine, &info);
            CHECK_EQUAL(info.pages_used + info.sequences + info.running + info.waiting, 0);
        }
    }
    bed_close(&b);
}

/* ---- damaged weights ---- */

#define DAMAGED "test_api_sequences.gguf"

/* A copy of a tiny model with one number of a tensor replaced. */
static bool damage(const char *model, const char *tensor, float number, uint64_t *offset) {
    char path[512];
    size_t size;
    puna_file *file;
    puna_error error = PUNA_ERROR_INIT;
    snprintf(path, sizeof path, "%s/tiny/%s", PUNA_TEST_DATA, model);
    uint8_t *bytes = testing_read(path, &size);
    bool found = false;
    if (!bytes || puna_file_open(path, &file, &error) != PUNA_OK) return false;
    for (uint64_t i = 0; i < puna_file_tensor_count(file); i++) {
        puna_tensor t = {.size = sizeof t};
        if (puna_file_tensor(file, i, &t, &error) != PUNA_OK || t.name_length != strlen(tensor) ||
            memcmp(t.name, tensor, strlen(tensor)) != 0 || t.type != 0)
            continue;
        *offset = t.offset + 12;
        memcpy(bytes + *offset, &number, sizeof number);
        found = true;
    }
    puna_file_close(file);
    FILE *out = fopen(DAMAGED, "wb");
    found = found && out && fwrite(bytes, 1, size, out) == size;
    if (out) fclose(out);
    free(bytes);
    return found;
}

static const char *const damageable[] = {"blk.0.attn_norm.weight", "output_norm.weight", "blk.1.attn_q.weight",
                                         "blk.0.attn_k.weight", "blk.1.ffn_down.weight"};

/* What is no number is found when it is loaded. */
static void a_weight_that_is_not_finite_is_refused(void) {
    const float numbers[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3 * sizeof damageable / sizeof *damageable; i++) {
        uint64_t offset = 0;
        puna_model *model;
        puna_error error = PUNA_ERROR_INIT;
        NEED(damage("llama.gguf", damageable[i / 3], numbers[i % 3], &offset));
        CHECK_EQUAL(puna_model_load(DAMAGED, NULL, NULL, &model, &error), PUNA_INVALID_FILE);
        CHECK(model == NULL);
        CHECK_EQUAL(error.offset, offset);
        CHECK(strstr(error.subject, DAMAGED ": tensor ") && strstr(error.subject, damageable[i / 3]));
    }
    remove(DAMAGED);
}

/* What overflows only when it is computed with is an event: the same one on each tier. */
static void a_number_that_overflows_is_an_event(void) {
    static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};
    int overflown = 0;
    make_ids();
    for (size_t i = 0; i < 2 * sizeof damageable / sizeof *damageable; i++) {
        uint32_t stop = PUNA_STOP_NONE;
        uint64_t offset;
        NEED(damage("llama.gguf", damageable[i / 2], i % 2 ? -FLT_MAX : FLT_MAX, &offset));
        for (int tier = 0; tier < 4; tier++) {
            puna_model *model;
            bed b = {.error = PUNA_ERROR_INIT};
            static bed_result r;
            puna_engine_options o = small(2);
            if (!bed_tier(tiers[tier])) continue;
            NEED(puna_model_load(DAMAGED, NULL, NULL, &model, &b.error) == PUNA_OK);
            NEED(puna_engine_create(model, &o, &b.engine, &b.error) == PUNA_OK);
            puna_generation g = bed_generation(5);
            for (int round = 0; round < 2; round++) { /* the engine goes on; nobody is shown such a row */
                if (round && stop == PUNA_STOP_FAILED) g.flags |= PUNA_GENERATE_LOGITS;
                NEED(bed_start(&b, &r, ids, 70, &g) == PUNA_OK);
                bed_run(&b, &r, 1, 50);
                if (stop == PUNA_STOP_NONE) stop = r.stop;
                CHECK_EQUAL(r.stop, stop);
                CHECK_EQUAL(r.status, stop == PUNA_STOP_FAILED ? PUNA_NOT_FINITE : PUNA_OK);
                CHECK_EQUAL(r.count, stop == PUNA_STOP_FAILED ? 0 : 5);
                CHECK(stop != PUNA_STOP_FAILED || strlen(r.message) > 20);
                CHECK_EQUAL(puna_sequence_close(b.engine, r.sequence, &b.error), PUNA_OK);
            }
            puna_engine_close(b.engine);
            puna_model_close(model);
        }
        overflown += stop == PUNA_STOP_FAILED;
    }
    CHECK(overflown > 0);
    bed_tier(NULL);
    remove(DAMAGED);
}

/* A copy of tiny llama in which one token's numbers can't be computed with: its embedding is zeros, and the norms have
   no epsilon. */
static bool starve(uint32_t token, size_t embedding) {
    static const char key[] = "llama.attention.layer_norm_rms_epsilon";
    char path[512];
    size_t size, at = 0, length = sizeof key - 1;
    puna_file *file;
    puna_tensor t = {.size = sizeof t};
    puna_error error = PUNA_ERROR_INIT;
    snprintf(path, sizeof path, "%s/tiny/llama.gguf", PUNA_TEST_DATA);
    uint8_t *bytes = testing_read(path, &size);
    if (!bytes || puna_file_open(path, &file, &error) != PUNA_OK) return false;
    bool found = false;
    for (uint64_t i = 0; i < puna_file_tensor_count(file) && !found; i++)
        found = puna_file_tensor(file, i, &t, &error) == PUNA_OK && t.name_length == 17 &&
                memcmp(t.name, "token_embd.weight", 17) == 0;
    while (found && at + length + 8 < size && memcmp(bytes + at, key, length) != 0) at++;
    memset(bytes + at + length + 4, 0, 4); /* behind its type */
    memset(bytes + t.offset + token * embedding * sizeof(float), 0, embedding * sizeof(float));
    puna_file_close(file);
    FILE *out = fopen(DAMAGED, "wb");
    found = found && out && fwrite(bytes, 1, size, out) == size;
    if (out) fclose(out);
    free(bytes);
    return found;
}

/* One token's embedding is damaged: whoever reads it ends, at once or later, and no bit of the others changes, alone,
   among them, or after them. */
static void one_that_fails_harms_nobody(void) {
    enum { OTHERS = 6, BAD = 333 };
    static bed_result others[OTHERS], failing, expected[OTHERS];
    bed b, whole;
    puna_engine_options o = small(4);
    puna_generation g = bed_generation(40);
    g.logprobs = 1;
    make_ids(); /* BAD is not among these */
    NEED(starve(BAD, 96));
    memset(&whole, 0, sizeof whole);
    whole.error = (puna_error)PUNA_ERROR_INIT;
    NEED(puna_model_load(DAMAGED, NULL, NULL, &whole.model, &whole.error) == PUNA_OK);
    NEED(puna_engine_create(whole.model, &o, &whole.engine, &whole.error) == PUNA_OK);
    for (uint32_t i = 0; i < OTHERS; i++) {
        NEED(bed_start(&whole, &expected[i], ids + i, 50 + 20 * i, &g) == PUNA_OK);
        bed_run(&whole, &expected[i], 1, 200);
    }
    memset(&b, 0, sizeof b);
    b.error = (puna_error)PUNA_ERROR_INIT;
    NEED(puna_model_load(DAMAGED, NULL, NULL, &b.model, &b.error) == PUNA_OK);
    NEED(puna_engine_create(b.model, &o, &b.engine, &b.error) == PUNA_OK);
    for (uint32_t round = 0; round < 3; round++) { /* it asks first, in the middle, last */
        int32_t bad[70];
        memcpy(bad, ids, sizeof bad);
        bad[round == 1 ? 69 : 20] = BAD; /* also as the only one that is not shared */
        for (uint32_t i = 0; i <= OTHERS; i++) {
            if (i == round * OTHERS / 2) NEED(bed_start(&b, &failing, bad, 70, &g) == PUNA_OK);
            if (i < OTHERS) NEED(bed_start(&b, &others[i], ids + i, 50 + 20 * i, &g) == PUNA_OK);
        }
        bed_result all[OTHERS + 1];
        memcpy(all, others, sizeof others);
        all[OTHERS] = failing;
        bed_run(&b, all, OTHERS + 1, 1000);
        CHECK_EQUAL(all[OTHERS].stop, PUNA_STOP_FAILED);
        CHECK_EQUAL(all[OTHERS].status, PUNA_NOT_FINITE);
        CHECK_EQUAL(all[OTHERS].count, 0);
        for (uint32_t i = 0; i < OTHERS; i++) {
            CHECK_EQUAL(all[i].stop, PUNA_STOP_LENGTH);
            CHECK(memcmp(all[i].tokens, expected[i].tokens, 40 * sizeof *ids) == 0);
            CHECK(memcmp(all[i].logprobs, expected[i].logprobs, 40 * sizeof(float)) == 0);
        }
    }
    bed_close(&b);
    bed_close(&whole);
    remove(DAMAGED);
}

/* ---- two threads ---- */

typedef struct visitor {
    puna_engine *engine;
    uint32_t opened, refused, other;
} visitor;

enum { VISITS = TESTING_THIN(4000, 4000, 1000) };

static void visit(void *context) {
    visitor *v = context;
    for (int n = 0; n < VISITS; n++) {
        uint64_t id;
        puna_error error = PUNA_ERROR_INIT;
        puna_status status = puna_sequence_open(v->engine, &id, &error);
        if (status == PUNA_BUSY) v->refused++;
        else if (status != PUNA_OK) v->other++;
        else v->opened++;
        while (status == PUNA_OK && puna_sequence_close(v->engine, id, &error) == PUNA_BUSY) {}
        puna_engine_info info = {.size = sizeof info}; /* never refused */
        puna_engine_describe(v->engine, &info);
        if (info.sequences > 3 || info.running + info.waiting > 1) v->other++;
    }
}

static void a_second_thread_is_refused_not_let_in(void) {
    bed b;
    static bed_result r;
    puna_engine_options o = small(1);
    make_ids();
    NEED(bed_open(&b, "llama_q8_0.gguf", &o));
    visitor visitors[2] = {{.engine = b.engine}, {.engine = b.engine}};
    puna_generation g = bed_generation(150);
    NEED(bed_start(&b, &r, ids, 30, &g) == PUNA_OK);
    os_thread threads[2];
    for (int i = 0; i < 2; i++) NEED(os_thread_start(&threads[i], visit, &visitors[i]));
    puna_step step = {.size = sizeof step, .active = 1};
    uint32_t tokens = 0;
    while (step.active) {
        puna_status status = puna_engine_step(b.engine, &step, &b.error);
        CHECK(status == PUNA_OK || status == PUNA_BUSY);
        if (status == PUNA_OK) tokens += step.tokens;
    }
    for (int i = 0; i < 2; i++) {
        os_thread_join(threads[i]);
        CHECK_EQUAL(visitors[i].opened + visitors[i].refused, VISITS);
        CHECK_EQUAL(visitors[i].other, 0);
    }
    CHECK_EQUAL(tokens, 150);
    puna_engine_info info = {.size = sizeof info};
    puna_engine_describe(b.engine, &info);
    CHECK_EQUAL(info.sequences, 1);
    bed_close(&b);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(a_sequence_may_go_on_anywhere);
    TEST(idle_sequences_give_up_their_pages);
    TEST(it_may_end_in_any_state);
    TEST(a_weight_that_is_not_finite_is_refused);
    TEST(a_number_that_overflows_is_an_event);
    TEST(one_that_fails_harms_nobody);
    TEST(a_second_thread_is_refused_not_let_in);
    return testing_end();
}
