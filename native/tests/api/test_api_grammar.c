// SPDX-License-Identifier: Apache-2.0
/* Constrained generations through puna.h: what comes out follows the grammar, whatever the model would rather say. */
#include <math.h>
#include <stdlib.h>

#include "api/bed.h"

static const char json[] =
    "root ::= object\n"
    "value ::= object | array | string | number | \"true\" | \"false\" | \"null\"\n"
    "object ::= \"{\" ( string \":\" value (\", \" string \":\" value){0,3} )? \"}\"\n"
    "array ::= \"[\" ( value (\", \" value){0,3} )? \"]\"\n"
    "string ::= \"\\\"\" ([^\"\\\\\\x00-\\x1F] | \"\\\\\" ([\"\\\\bfnrt/] | \"u\" [0-9a-fA-F]{4})){0,6} \"\\\"\"\n"
    "number ::= \"-\"? (\"0\" | [1-9] [0-9]{0,5}) (\".\" [0-9]{1,3})?\n";

/* A second opinion: a JSON text, read by recursive descent. Returns what stands behind the value, NULL if it is none.
   */
static const char *read_value(const char *at);

static const char *read_string(const char *at) {
    if (*at++ != '"') return NULL;
    for (; *at != '"'; at++) {
        if ((uint8_t)*at < 0x20) return NULL;
        if (*at == '\\' && !strchr("\"\\/bfnrtu", *++at)) return NULL;
    }
    return at + 1;
}

static const char *read_list(const char *at, char close, bool named) {
    at++;
    if (*at == close) return at + 1;
    for (;; at += 2) {
        if (named && (!(at = read_string(at)) || *at++ != ':')) return NULL;
        if (!(at = read_value(at))) return NULL;
        if (*at == close) return at + 1;
        if (at[0] != ',' || at[1] != ' ') return NULL;
    }
}

static const char *read_value(const char *at) {
    static const char *const words[] = {"true", "false", "null"};
    if (*at == '{') return read_list(at, '}', true);
    if (*at == '[') return read_list(at, ']', false);
    if (*at == '"') return read_string(at);
    for (int i = 0; i < 3; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0) return at + strlen(words[i]);
    char *end;
    if (*at != '-' && (*at < '0' || *at > '9')) return NULL;
    strtod(at, &end);
    return end;
}

static puna_grammar *compile(bed *b, const char *text) {
    puna_grammar *g;
    if (puna_grammar_compile(puna_model_tokenizer(b->model), text, strlen(text), &g, &b->error) != PUNA_OK)
        testing_fail(__FILE__, __LINE__, "%s", b->error.message);
    return g;
}

static puna_generation random_generation(uint32_t max_tokens, puna_grammar *g, puna_stage *stage, uint64_t seed) {
    puna_generation generation;
    puna_generation_default(&generation);
    *stage = (puna_stage){.kind = PUNA_SAMPLE_TEMPERATURE, .value = 1.0f + (float)(seed % 3) / 2};
    generation.stages = stage;
    generation.stage_count = 1;
    generation.seed = seed;
    generation.max_tokens = max_tokens;
    generation.grammar = g;
    return generation;
}

static const int32_t prompt[] = {40, 41, 42};

/* Random seeds at high temperatures: whatever ended by itself is JSON; what was cut is the beginning of some. */
static void what_ends_is_whole(void) {
    bed b;
    puna_engine_options o = bed_options(2, 64, 16, PUNA_CACHE_F16);
    NEED(bed_open(&b, "tiny-chat.gguf", &o));
    puna_grammar *g = compile(&b, json);
    NEED(g);
    enum { COUNT = TESTING_THIN(96, 32, 16) };
    static bed_result results[COUNT];
    int ended = 0;
    for (int i = 0; i < COUNT; i++) {
        puna_stage stage;
        puna_generation generation = random_generation(200, g, &stage, (uint64_t)i);
        if (i % 5 == 0) generation.flags = PUNA_GENERATE_IGNORE_EOS;
        NEED(bed_start(&b, &results[i], prompt, 3, &generation) == PUNA_OK);
    }
    puna_grammar_close(g); /* the generations hold it */
    bed_run(&b, results, COUNT, 20000);
    for (int i = 0; i < COUNT; i++) {
        bed_result *r = &results[i];
        CHECK_EQUAL(r->text[0], '{');
        if (r->stop == PUNA_STOP_END) {
            const char *end = read_value(r->text);
            ended++;
            if (!end || *end) testing_fail(__FILE__, __LINE__, "no JSON: %s", r->text);
        } else if (r->stop != PUNA_STOP_LENGTH) {
            testing_fail(__FILE__, __LINE__, "stop %u: %s", r->stop, r->message);
        }
    }
    CHECK(ended > COUNT / 4);
    bed_close(&b);
}

/* Greedy: the best of the allowed tokens; log-probabilities are of the whole distribution. */
static void the_best_allowed_token_is_chosen(void) {
    bed b;
    NEED(bed_open(&b, "tiny-chat.gguf", NULL));
    puna_grammar *g = compile(&b, "root ::= [0-9]{3} \"x\"");
    NEED(g);
    puna_generation generation;
    puna_generation_default(&generation);
    generation.logprobs = 1;
    generation.grammar = g;
    bed_result r;
    NEED(bed_start(&b, &r, prompt, 3, &generation) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    CHECK_EQUAL(r.stop, PUNA_STOP_END);
    CHECK(r.text_length == 4 && r.text[3] == 'x');
    int32_t ids[3 + 8];
    memcpy(ids, prompt, sizeof prompt);
    memcpy(ids + 3, r.tokens, r.count * sizeof *ids);
    uint32_t width = (uint32_t)b.info.vocabulary;
    float *rows = malloc((r.count + 2) * (size_t)width * sizeof *rows);
    NEED(puna_engine_logits(b.engine, ids, r.count + 2, 2, rows, (uint64_t)r.count * width, NULL, &b.error) == PUNA_OK);
    char text[8] = "";
    size_t used = 0;
    for (uint32_t step = 0; step < r.count; step++) {
        const float *row = rows + step * (size_t)width;
        double sum = 0, max = row[r.tokens[step]];
        int32_t best = -1;
        for (int32_t id = 0; id < b.info.vocabulary; id++) {
            puna_token token = {.size = sizeof token};
            sum += exp((double)row[id] - max);
            if (puna_tokenizer_token(puna_model_tokenizer(b.model), id, &token, &b.error) != PUNA_OK) continue;
            bool allowed = token.bytes_length > 0 && used + token.bytes_length <= 4;
            for (size_t i = 0; allowed && i < token.bytes_length; i++) {
                char c = token.bytes[i];
                allowed = used + i < 3 ? c >= '0' && c <= '9' : c == 'x';
            }
            if (allowed && (best < 0 || row[id] > row[best])) best = id;
        }
        CHECK_EQUAL(r.tokens[step], best);
        double off = (double)r.logprobs[step] + log(sum);
        CHECK(off < 1e-4 && off > -1e-4);
        puna_token token = {.size = sizeof token};
        NEED(puna_tokenizer_token(puna_model_tokenizer(b.model), r.tokens[step], &token, &b.error) == PUNA_OK);
        memcpy(text + used, token.bytes, token.bytes_length);
        used += token.bytes_length;
    }
    CHECK_TEXT(text, r.text);
    free(rows);
    puna_grammar_close(g);
    bed_close(&b);
}

static uint64_t digest_of(const char *tier, uint32_t threads, uint32_t step_tokens, uint32_t sequences, bool *there) {
    bed b;
    puna_engine_options o = bed_options(threads, step_tokens, sequences, PUNA_CACHE_F16);
    uint64_t digest = 14695981039346656037u;
    *there = bed_tier(tier);
    if (!*there || !bed_open(&b, "tiny-chat.gguf", &o)) return 0;
    puna_grammar *g = compile(&b, json);
    enum { COUNT = 7 };
    static bed_result results[COUNT];
    for (int i = 0; i < COUNT; i++) {
        puna_stage stage;
        puna_generation generation = random_generation(60, g, &stage, (uint64_t)(100 + i));
        if (bed_start(&b, &results[i], prompt, 3, &generation) != PUNA_OK)
            testing_fail(__FILE__, __LINE__, "%s", b.error.message);
    }
    bed_run(&b, results, COUNT, 5000);
    for (int i = 0; i < COUNT; i++) digest = bed_digest(digest, results[i].tokens, results[i].count * sizeof(int32_t));
    puna_grammar_close(g);
    bed_close(&b);
    return digest;
}

static void tokens_are_equal_everywhere(void) {
    bool there;
    uint64_t wanted = digest_of("ref", 1, 64, 7, &there);
    static const char *const tiers[] = {"ref", "avx2", "avxvnni", "avx512"};
    for (int tier = 0; tier < 4; tier++)
        for (uint32_t threads = 1; threads <= 3; threads++) {
            uint64_t digest = digest_of(tiers[tier], threads, threads == 2 ? 1 : 64, threads == 3 ? 1 : 7, &there);
            if (there) CHECK_EQUAL(digest, wanted);
        }
    bed_tier(NULL);
}

/* What a generation can't do is an error or an end with a reason, never a hang. */
static void misuse_is_answered(void) {
    bed b, other;
    NEED(bed_open(&b, "tiny-chat.gguf", NULL));
    NEED(bed_open(&other, "llama_q4_0.gguf", NULL));
    puna_grammar *g;
    const puna_tokenizer *t = puna_model_tokenizer(b.model);
    CHECK_EQUAL(puna_grammar_compile(NULL, "x", 1, &g, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_grammar_compile(t, NULL, 1, &g, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_grammar_compile(t, "x", 1, NULL, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK_EQUAL(puna_grammar_compile(t, "root ::= \"a", 11, &g, &b.error), PUNA_INVALID_ARGUMENT);
    CHECK(g == NULL);
    CHECK_EQUAL(b.error.offset, 9);
    puna_grammar_close(NULL);
    g = compile(&b, "root ::= \"abc\" [a-z]*");
    NEED(g);
    puna_generation generation = bed_generation(5);
    generation.grammar = g;
    bed_result r;
    CHECK_EQUAL(bed_start(&other, &r, prompt, 3, &generation), PUNA_INVALID_ARGUMENT);
    CHECK(strstr(other.error.message, "another model") != NULL);
    NEED(bed_start(&b, &r, prompt, 3, &generation) == PUNA_OK);
    bed_run(&b, &r, 1, 100);
    CHECK_EQUAL(r.stop, PUNA_STOP_LENGTH);
    CHECK(strncmp(r.text, "abc", 3) == 0);
    puna_grammar_close(g);
    bed_close(&b);
    bed_close(&other);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(what_ends_is_whole);
    TEST(the_best_allowed_token_is_chosen);
    TEST(tokens_are_equal_everywhere);
    TEST(misuse_is_answered);
    return testing_end();
}
