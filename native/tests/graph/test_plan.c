// SPDX-License-Identifier: Apache-2.0
#include "graph/plan.h"
#include "testing.h"

static bool quantizes(uint32_t type) { return type != 0; }

/* Two layers shaped like a llama's; widths that make reuse worthwhile. */
static graph_value layer(graph *g, graph_value x, uint32_t type, uint32_t table) {
    uint32_t cache = graph_add_cache_layer(g, 2, 16, 16, 0);
    graph_weight norm = graph_add_weight(g, 0, 0, 1, 96), q = graph_add_weight(g, 1, type, 96, 96),
                 k = graph_add_weight(g, 2, type, 32, 96), v = graph_add_weight(g, 3, type, 32, 96),
                 o = graph_add_weight(g, 4, type, 96, 96), up = graph_add_weight(g, 5, type, 160, 96),
                 gate = graph_add_weight(g, 6, type, 160, 96), down = graph_add_weight(g, 7, type, 96, 160);
    graph_value n = graph_rms_norm(g, x, norm, 1e-5f);
    graph_value a = graph_linear(g, n, q, GRAPH_ABSENT), b = graph_linear(g, n, k, GRAPH_ABSENT),
                c = graph_linear(g, n, v, GRAPH_ABSENT);
    a = graph_rope(g, a, 6, 16, true, table);
    b = graph_rope(g, b, 2, 16, true, table);
    graph_store(g, b, c, cache);
    x = graph_add(g, x, graph_linear(g, graph_attend(g, a, 6, 0.25f, 0, cache), o, GRAPH_ABSENT));
    n = graph_rms_norm(g, x, norm, 1e-5f);
    graph_value both = graph_silu_mul(g, graph_linear(g, n, gate, GRAPH_ABSENT), graph_linear(g, n, up, GRAPH_ABSENT));
    return graph_add(g, graph_linear(g, both, down, GRAPH_ABSENT), x);
}

static puna_status model(graph *g, memory_account *account, uint32_t type, puna_error *error) {
    float frequencies[8] = {1, 0.5f, 0.25f, 0.125f, 0.06f, 0.03f, 0.01f, 0.005f};
    graph_init(g, account);
    uint32_t table = graph_add_table(g, frequencies, 8, 1.0f);
    graph_weight embedding = graph_add_weight(g, 8, type, 384, 96);
    graph_value x = graph_embed(g, embedding);
    for (int i = 0; i < 2; i++) x = layer(g, x, type, table);
    return graph_finish(g, graph_linear(g, graph_select(g, x), embedding, GRAPH_ABSENT), error);
}

static plan_options options(bool fuse, bool reuse) { return (plan_options){33, 3, fuse, reuse, quantizes, 0, false}; }

static void fused_plans_have_few_phases(void) {
    memory_account account;
    memory_account_init(&account);
    graph g;
    plan p;
    puna_error error = PUNA_ERROR_INIT;
    NEED(model(&g, &account, 3, &error) == PUNA_OK);
    plan_options o = options(true, true);
    NEED(plan_create(&g, &o, &account, &p, &error) == PUNA_OK);
    /* embed+norm+quantize | qkv | rope+store | attend | quantize | o | norm.. | gate, up, silu.. | down | ... */
    CHECK_EQUAL(p.phase_count, 2 * 9 + 2);
    for (uint32_t i = 0; i < p.step_count; i++) CHECK(p.steps[i].kind != GRAPH_ADD_OP);
    uint32_t residuals = 0;
    for (uint32_t i = 0; i < p.step_count; i++) residuals += p.steps[i].residual != PLAN_NO_BUFFER;
    CHECK_EQUAL(residuals, 4);
    plan_free(&p);
    graph_free(&g);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void plain_plans_keep_every_step_apart(void) {
    memory_account account;
    memory_account_init(&account);
    graph g;
    plan p;
    puna_error error = PUNA_ERROR_INIT;
    NEED(model(&g, &account, 3, &error) == PUNA_OK);
    plan_options o = options(false, false);
    NEED(plan_create(&g, &o, &account, &p, &error) == PUNA_OK);
    CHECK_EQUAL(p.phase_count, p.step_count);
    for (uint32_t i = 0; i < p.buffer_count; i++)
        for (uint32_t k = 0; k < i; k++)
            CHECK(p.buffers[i].offset >= p.buffers[k].offset + p.buffers[k].bytes ||
                  p.buffers[k].offset >= p.buffers[i].offset + p.buffers[i].bytes);
    plan_free(&p);
    graph_free(&g);
}

static void lives_that_meet_do_not_share_memory(void) {
    memory_account account;
    memory_account_init(&account);
    graph g;
    plan fused, apart;
    puna_error error = PUNA_ERROR_INIT;
    NEED(model(&g, &account, 3, &error) == PUNA_OK);
    plan_options o = options(true, true), large = options(true, false);
    NEED(plan_create(&g, &o, &account, &fused, &error) == PUNA_OK);
    NEED(plan_create(&g, &large, &account, &apart, &error) == PUNA_OK);
    for (uint32_t i = 0; i < fused.buffer_count; i++) {
        const plan_buffer_info *a = &fused.buffers[i];
        CHECK(a->offset % 64 == 0 && a->offset + a->bytes <= fused.arena_bytes);
        for (uint32_t k = 0; k < i; k++) {
            const plan_buffer_info *b = &fused.buffers[k];
            bool meet = a->first <= b->last && b->first <= a->last;
            CHECK(!meet || a->offset >= b->offset + b->bytes || b->offset >= a->offset + a->bytes);
        }
    }
    CHECK(fused.arena_bytes * 3 < apart.arena_bytes);
    CHECK(fused.buffers[fused.results[GRAPH_LOGITS]].last == fused.phase_count);
    plan_free(&fused);
    plan_free(&apart);
    graph_free(&g);
}

static void float_weights_need_no_quantized_input(void) {
    memory_account account;
    memory_account_init(&account);
    graph g;
    plan p;
    puna_error error = PUNA_ERROR_INIT;
    NEED(model(&g, &account, 0, &error) == PUNA_OK);
    plan_options o = options(true, true);
    NEED(plan_create(&g, &o, &account, &p, &error) == PUNA_OK);
    for (uint32_t i = 0; i < p.step_count; i++) CHECK(p.steps[i].kind != GRAPH_QUANTIZE_OP);
    plan_free(&p);
    graph_free(&g);
}

static void mistakes_are_remembered(void) {
    memory_account account;
    memory_account_init(&account);
    graph g;
    puna_error error = PUNA_ERROR_INIT;
    graph_init(&g, &account);
    graph_weight w = graph_add_weight(&g, 0, 0, 10, 20);
    graph_value x = graph_embed(&g, w);
    graph_value y = graph_linear(&g, x, w, GRAPH_ABSENT);    /* 20 in, gives 10 */
    graph_value z = graph_add(&g, x, y);                     /* 20 + 10 does not fit */
    CHECK(z == GRAPH_ABSENT);
    CHECK_EQUAL(graph_finish(&g, z, &error), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(error.message, "add") != NULL);
    graph_free(&g);
    graph_init(&g, &account);
    x = graph_embed(&g, graph_add_weight(&g, 0, 0, 10, 20));
    CHECK_EQUAL(graph_finish(&g, x, &error), PUNA_INVALID_ARGUMENT); /* a row a token is no result */
    graph_free(&g);
    CHECK_EQUAL(memory_used(&account), 0);
}

static void fine_products_have_two_terms(void) {
    memory_account account;
    memory_account_init(&account);
    puna_error error = PUNA_ERROR_INIT;
    for (uint32_t type = 0; type <= 3; type += 3) {
        graph g;
        plan p;
        graph_init(&g, &account);
        graph_weight w = graph_add_weight(&g, 0, type, 384, 96);
        NEED(graph_finish(&g, graph_linear_fine(&g, graph_select(&g, graph_embed(&g, w)), w, GRAPH_ABSENT),
                          &error) == PUNA_OK);
        plan_options o = options(true, true);
        NEED(plan_create(&g, &o, &account, &p, &error) == PUNA_OK);
        bool quantized = type != 0;
        const plan_step *last = &p.steps[p.step_count - 1];
        CHECK_EQUAL(last->kind, quantized ? GRAPH_FOLD_OP : GRAPH_LINEAR_OP);
        CHECK_EQUAL(p.buffers[p.results[GRAPH_LOGITS]].doubled, quantized);
        CHECK_EQUAL(p.buffers[p.results[GRAPH_LOGITS]].bytes, 384 * 4 * o.max_outputs * (quantized ? 2 : 1));
        plan_free(&p);
        graph_free(&g);
    }
    CHECK_EQUAL(memory_used(&account), 0);
}

static int allowed;
static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return allowed-- > 0;
}

static void every_failing_allocation_is_a_status(void) {
    for (int n = 0;; n++) {
        memory_account account;
        memory_account_init(&account);
        graph g;
        plan p = {0};
        puna_error error = PUNA_ERROR_INIT;
        allowed = n;
        memory_set_gate(gate, NULL);
        puna_status status = model(&g, &account, 3, &error);
        plan_options o = options(true, true);
        if (status == PUNA_OK) status = plan_create(&g, &o, &account, &p, &error);
        memory_set_gate(NULL, NULL);
        plan_free(&p);
        graph_free(&g);
        CHECK_EQUAL(memory_used(&account), 0);
        if (status == PUNA_OK) {
            CHECK(n > 10);
            return;
        }
        CHECK_EQUAL(status, PUNA_OUT_OF_MEMORY);
        NEED(n < 500);
    }
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(fused_plans_have_few_phases);
    TEST(plain_plans_keep_every_step_apart);
    TEST(lives_that_meet_do_not_share_memory);
    TEST(float_weights_need_no_quantized_input);
    TEST(fine_products_have_two_terms);
    TEST(mistakes_are_remembered);
    TEST(every_failing_allocation_is_a_status);
    return testing_end();
}
