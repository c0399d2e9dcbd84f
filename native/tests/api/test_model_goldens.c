// SPDX-License-Identifier: Apache-2.0
/* Right answers: tiny models against transformers' logits, recorded by tools/make_tiny.py. */
#include <math.h>
#include <stdlib.h>

#include "api/bed.h"
#include "api/golden.h"

#define MAX_IDS 1024
#define VOCABULARY 384

typedef struct section {
    int32_t ids[MAX_IDS], argmax[MAX_IDS];
    double means[MAX_IDS], margins[MAX_IDS], last[VOCABULARY];
    size_t count;
} section;

static bool read_section(const golden *g, const char *at, section *s) {
    s->count = golden_ids(g, at, "ids", s->ids, MAX_IDS);
    return s->count > 0 && s->count <= MAX_IDS && golden_ids(g, at, "argmax", s->argmax, MAX_IDS) == s->count &&
           golden_floats(g, at, "logits_mean", s->means, MAX_IDS) == s->count &&
           golden_floats(g, at, "margins", s->margins, MAX_IDS) == s->count &&
           golden_floats(g, at, "logits_last", s->last, VOCABULARY) == VOCABULARY;
}

static double worst;

static void far(const char *file, const char *name, const char *what, size_t row, double is, double should,
                double bound) {
    double difference = fabs(is - should);
    if (difference > worst) worst = difference;
    if (!(difference <= bound))
        testing_fail(__FILE__, __LINE__, "%s, case %s, %s of row %zu: %.7g, not %.7g (bound %.1g)", file, name, what,
                     row, is, should, bound);
}

static void compare(const char *file, const char *name, const section *s, const float *logits, double bound) {
    for (size_t row = 0; row < s->count; row++) {
        const float *l = logits + row * VOCABULARY;
        double sum = 0;
        int best = 0;
        for (int i = 0; i < VOCABULARY; i++) {
            sum += l[i];
            if (l[i] > l[best]) best = i;
        }
        far(file, name, "the mean", row, sum / VOCABULARY, s->means[row], bound);
        if (s->margins[row] > 2 * bound && best != s->argmax[row])
            testing_fail(__FILE__, __LINE__, "%s, case %s, row %zu: best is %d, not %d", file, name, row, best,
                         s->argmax[row]);
    }
    for (int i = 0; i < VOCABULARY; i++)
        far(file, name, "a logit", s->count - 1, logits[(s->count - 1) * VOCABULARY + i], s->last[i], bound);
}

static void check_greedy(bed *b, const golden *g, const char *at, double bound) {
    int32_t ids[MAX_IDS], continuation[64];
    double margins[64];
    size_t count = golden_ids(g, at, "ids", ids, MAX_IDS), length = golden_ids(g, at, "continuation", continuation, 64);
    NEED(length == golden_floats(g, at, "margins", margins, 64) && length > 0 && length <= 64);
    bed_result r;
    puna_generation generation = bed_generation((uint32_t)length);
    NEED(bed_start(b, &r, ids, count, &generation) == PUNA_OK);
    bed_run(b, &r, 1, 100);
    CHECK_EQUAL(r.count, length);
    for (size_t i = 0; i < length && margins[i] > 2 * bound; i++) CHECK_EQUAL(r.tokens[i], continuation[i]);
}

static void check_with(const char *name, uint32_t cache_type, double allowed) {
    char path[512], file[64], section_name[64];
    golden g;
    bed b;
    double noise = 0;
    static section s;
    snprintf(path, sizeof path, "%s/tiny/%s.golden", PUNA_TEST_DATA, name);
    snprintf(file, sizeof file, "%s.gguf", name);
    puna_engine_options options = bed_options(2, 64, 4, cache_type);
    NEED(golden_open(&g, path));
    NEED(golden_floats(&g, NULL, "activation_noise", &noise, 1) == 1);
    NEED(bed_open(&b, file, &options));
    double bound = allowed > 0 ? allowed : noise > 0 ? 2 * noise : 1e-4;
    float *logits = malloc(MAX_IDS * VOCABULARY * sizeof *logits);
    uint32_t cases = 0;
    worst = 0;
    for (const char *at = golden_next(&g, NULL, section_name); at; at = golden_next(&g, at, section_name)) {
        cases++;
        if (strcmp(section_name, "greedy") == 0) {
            check_greedy(&b, &g, at, bound);
            continue;
        }
        NEED(read_section(&g, at, &s));
        NEED(puna_engine_logits(b.engine, s.ids, s.count, 0, logits, MAX_IDS * VOCABULARY, NULL, &b.error) == PUNA_OK);
        compare(file, section_name, &s, logits, bound);
    }
    CHECK(cases >= 5);
    printf("       %-20s %u cases, largest difference %.2g (bound %.2g)\n", name, cases, worst, bound);
    free(logits);
    bed_close(&b);
    golden_close(&g);
}

static void check_file(const char *name) { check_with(name, PUNA_CACHE_F32, 0); }

static void llama(void) { check_file("llama"); }
static void llama_linear(void) { check_file("llama_linear"); }
static void llama_llama3(void) { check_file("llama_llama3"); }
static void llama_biased(void) { check_file("llama_biased"); }
static void llama_f16(void) { check_file("llama_f16"); }
static void llama_bf16(void) { check_file("llama_bf16"); }
static void llama_q8_0(void) { check_file("llama_q8_0"); }
static void llama_q4_0(void) { check_file("llama_q4_0"); }
static void llama_q4_1(void) { check_file("llama_q4_1"); }
static void llama_wide_q4_1(void) { check_file("llama_wide_q4_1"); }
static void llama_q5_0(void) { check_file("llama_q5_0"); }
static void llama_q5_1(void) { check_file("llama_q5_1"); }
static void llama_iq4_nl(void) { check_file("llama_iq4_nl"); }
static void llama_mxfp4(void) { check_file("llama_mxfp4"); }
static void llama_q4_k(void) { check_file("llama_q4_k"); }
static void llama_q5_k(void) { check_file("llama_q5_k"); }
static void llama_q6_k(void) { check_file("llama_q6_k"); }
static void llama_q3_k(void) { check_file("llama_q3_k"); }
static void llama_q2_k(void) { check_file("llama_q2_k"); }
static void llama_iq4_xs(void) { check_file("llama_iq4_xs"); }
static void llama_yarn(void) { check_file("llama_yarn"); }
static void llama_yarn_set(void) { check_file("llama_yarn_set"); }
static void mistral(void) { check_file("mistral"); }
static void mistral_q8_0(void) { check_file("mistral_q8_0"); }
static void qwen2(void) { check_file("qwen2"); }
static void qwen3(void) { check_file("qwen3"); }
static void qwen3_q4_1(void) { check_file("qwen3_q4_1"); }
static void smollm3(void) { check_file("smollm3"); }
static void granite(void) { check_file("granite"); }
static void olmo2(void) { check_file("olmo2"); }
static void gemma(void) { check_file("gemma"); }
static void gemma2(void) { check_file("gemma2"); }
static void gemma3(void) { check_file("gemma3"); }
static void gemma3_capped(void) { check_file("gemma3_capped"); }
static void gemma3_q8_0(void) { check_file("gemma3_q8_0"); }

static void gpt2(void) { check_file("gpt2"); }
static void gptneox(void) { check_file("gptneox"); }
static void gptneox_serial(void) { check_file("gptneox_serial"); }
static void falcon(void) { check_file("falcon"); }
static void falcon_new(void) { check_file("falcon_new"); }
static void phi2(void) { check_file("phi2"); }
static void starcoder2(void) { check_file("starcoder2"); }
static void stablelm(void) { check_file("stablelm"); }
static void stablelm_12b(void) { check_file("stablelm_12b"); }
static void command_r(void) { check_file("command_r"); }
static void command_r_plus(void) { check_file("command_r_plus"); }
static void cohere2(void) { check_file("cohere2"); }
static void phi3(void) { check_file("phi3"); }
static void phi3_short(void) { check_file("phi3_short"); }
static void phi4_mini(void) { check_file("phi4_mini"); }
static void mpt(void) { check_file("mpt"); }
static void mpt_clamped(void) { check_file("mpt_clamped"); }
static void bloom(void) { check_file("bloom"); }
static void glm4(void) { check_file("glm4"); }
static void exaone4(void) { check_file("exaone4"); }
static void exaone4_small(void) { check_file("exaone4_small"); }
static void openai_gpt(void) { check_file("openai_gpt"); }
static void olmo(void) { check_file("olmo"); }
static void olmo3(void) { check_file("olmo3"); }
static void nemotron(void) { check_file("nemotron"); }
static void mixtral(void) { check_file("mixtral"); }
static void qwen2moe(void) { check_file("qwen2moe"); }
static void qwen3moe(void) { check_file("qwen3moe"); }
static void olmoe(void) { check_file("olmoe"); }
static void granitemoe(void) { check_file("granitemoe"); }
static void granitemoe_shared(void) { check_file("granitemoe_shared"); }
static void deepseek_v2(void) { check_file("deepseek_v2"); }
static void deepseek_v3(void) { check_file("deepseek_v3"); }
static void gpt_oss(void) { check_file("gpt_oss"); }

/* Keys and values in fewer bits; weights are F32, so that what is seen is the cache's rounding: of 11 bits, and of 8,
   whose steps are 16 times as large: a third of what int8 activations do to quantized models (their
   activation_noise). */
static void mamba(void) { check_file("mamba"); }
static void mamba2(void) { check_file("mamba2"); }
static void lfm2(void) { check_file("lfm2"); }
static void granitehybrid(void) { check_file("granitehybrid"); }
static void granitehybrid_dense(void) { check_file("granitehybrid_dense"); }

static void caches_of_other_types(void) {
    check_with("llama", PUNA_CACHE_F16, 0.01);
    check_with("gemma3", PUNA_CACHE_F16, 0.01);
    check_with("llama", PUNA_CACHE_Q8_0, 0.2);
    check_with("qwen3", PUNA_CACHE_Q8_0, 0.2);
    check_with("gemma3", PUNA_CACHE_Q8_0, 0.2);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(llama);
    TEST(llama_linear);
    TEST(llama_llama3);
    TEST(llama_biased);
    TEST(llama_f16);
    TEST(llama_bf16);
    TEST(llama_q8_0);
    TEST(llama_q4_0);
    TEST(llama_q4_1);
    TEST(llama_wide_q4_1);
    TEST(llama_q5_0);
    TEST(llama_q5_1);
    TEST(llama_iq4_nl);
    TEST(llama_mxfp4);
    TEST(llama_q4_k);
    TEST(llama_q5_k);
    TEST(llama_q6_k);
    TEST(llama_q3_k);
    TEST(llama_q2_k);
    TEST(llama_iq4_xs);
    TEST(llama_yarn);
    TEST(llama_yarn_set);
    TEST(mistral);
    TEST(mistral_q8_0);
    TEST(qwen2);
    TEST(qwen3);
    TEST(qwen3_q4_1);
    TEST(smollm3);
    TEST(granite);
    TEST(olmo2);
    TEST(gemma);
    TEST(gemma2);
    TEST(gemma3);
    TEST(gemma3_capped);
    TEST(gemma3_q8_0);
    TEST(gpt2);
    TEST(gptneox);
    TEST(gptneox_serial);
    TEST(falcon);
    TEST(falcon_new);
    TEST(phi2);
    TEST(starcoder2);
    TEST(stablelm);
    TEST(stablelm_12b);
    TEST(command_r);
    TEST(command_r_plus);
    TEST(cohere2);
    TEST(phi3);
    TEST(phi3_short);
    TEST(phi4_mini);
    TEST(mpt);
    TEST(mpt_clamped);
    TEST(bloom);
    TEST(glm4);
    TEST(exaone4);
    TEST(exaone4_small);
    TEST(openai_gpt);
    TEST(olmo);
    TEST(olmo3);
    TEST(nemotron);
    TEST(mixtral);
    TEST(qwen2moe);
    TEST(qwen3moe);
    TEST(olmoe);
    TEST(granitemoe);
    TEST(granitemoe_shared);
    TEST(deepseek_v2);
    TEST(deepseek_v3);
    TEST(gpt_oss);
    TEST(mamba);
    TEST(mamba2);
    TEST(lfm2);
    TEST(granitehybrid);
    TEST(granitehybrid_dense);
    TEST(caches_of_other_types);
    return testing_end();
}
