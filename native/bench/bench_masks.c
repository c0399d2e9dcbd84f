// SPDX-License-Identifier: Apache-2.0
/*
 * What constrained output costs a step: the time to find out which tokens may come, the first time in a state and when
 * it is known, over the tokens of a JSON text.
 *
 *     bench_masks MODEL.gguf
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "constrain/grammar.h"
#include "text/token_tree.h"

static const char json[] =
    "root ::= object\n"
    "value ::= object | array | string | number | \"true\" | \"false\" | \"null\"\n"
    "object ::= \"{\" ws ( string \":\" ws value (ws \",\" ws string \":\" ws value)* ws )? \"}\"\n"
    "array ::= \"[\" ws ( value (ws \",\" ws value)* ws )? \"]\"\n"
    "string ::= \"\\\"\" ([^\"\\\\\\x00-\\x1F] | \"\\\\\" ([\"\\\\bfnrt/] | \"u\" [0-9a-fA-F]{4}))* \"\\\"\"\n"
    "number ::= \"-\"? (\"0\" | [1-9] [0-9]{0,17}) (\".\" [0-9]{1,16})? ([eE] [-+]? [0-9]{1,2})?\n"
    "ws ::= (\" \" | \"\\n\" [ \\t]{0,16})?\n";

static const char form[] =
    "root ::= \"{\\\"name\\\": \" string \", \\\"story\\\": \" long \", \\\"age\\\": \" [0-9]{1,3} \"}\"\n"
    "string ::= \"\\\"\" char{0,40} \"\\\"\"\n"
    "long ::= \"\\\"\" char{0,2000} \"\\\"\"\n"
    "char ::= [^\"\\\\\\x00-\\x1F] | \"\\\\\" [\"\\\\bfnrt/]\n";

static const char json_text[] =
    "{\n  \"name\": \"Ada Lovelace\",\n  \"born\": 1815,\n  \"works\": [{\"title\": \"Notes on the Analytical "
    "Engine\", \"year\": 1843, \"pages\": null}],\n  \"quote\": \"That brain of mine is something more than merely "
    "mortal; as time will show. \\u00e9 \\\"so\\\"\",\n  \"scores\": [1.5, -2e10, [[[]]], true, false]\n}";

static const char form_text[] =
    "{\"name\": \"Ada Lovelace\", \"story\": \"She wrote a programme for a machine that was never built, and knew "
    "what it could do.\", \"age\": 36}";

static tokenizer *load(const char *path) {
    puna_error error = PUNA_ERROR_INIT;
    gguf_file *file;
    tokenizer *t = NULL;
    if (gguf_open(path, &file, &error) == PUNA_OK) {
        if (tokenizer_load(file, &t, &error) != PUNA_OK) t = NULL;
        gguf_close(file);
    }
    if (!t) fprintf(stderr, "%s\n", error.message);
    return t;
}

static int run(const tokenizer *t, const char *name, const char *text, const char *answer) {
    puna_error error = PUNA_ERROR_INIT;
    grammar *g;
    static int32_t ids[1000];
    size_t count, words = ((size_t)tokenizer_size(t) + 63) / 64;
    uint64_t *bits = malloc(words * sizeof *bits), begun = os_clock_ns();
    puna_status status = grammar_compile(t, text, strlen(text), &g, &error);
    double compiled = (double)(os_clock_ns() - begun) / 1e3;
    if (status == PUNA_OK) status = tokenizer_encode(t, answer, strlen(answer), 0, ids, 1000, &count, &error);
    for (int pass = 0; status == PUNA_OK && pass < 2; pass++) {
        matcher *m;
        double sum = 0, worst = 0;
        uint64_t accepting = 0;
        status = matcher_create(g, t, &m, &error);
        for (size_t i = 0; status == PUNA_OK && i <= count; i++) {
            uint64_t start = os_clock_ns();
            status = matcher_allow(m, true, bits, words, &error);
            double took = (double)(os_clock_ns() - start) / 1e3;
            sum += took;
            if (took > worst) worst = took;
            start = os_clock_ns();
            if (status == PUNA_OK && i < count) status = matcher_accept(m, t, ids[i], &error);
            accepting += os_clock_ns() - start;
        }
        printf("%s: %s, %zu steps: mask %.1f us mean, %.1f us worst, token %.2f us mean\n", name,
               pass ? "known" : "first", count + 1, sum / (double)(count + 1), worst,
               (double)accepting / 1e3 / (double)count);
        matcher_free(m);
    }
    if (status == PUNA_OK)
        printf("%s: compiled in %.0f us, %.2f MiB\n", name, compiled, (double)grammar_memory(g) / (1 << 20));
    else fprintf(stderr, "%s: %s\n", name, error.message);
    grammar_release(g);
    free(bits);
    return status != PUNA_OK;
}

int main(int argc, char **argv) {
    tokenizer *t = argc == 2 ? load(argv[1]) : NULL;
    if (!t) {
        fprintf(stderr, "usage: bench_masks MODEL.gguf\n");
        return 2;
    }
    puna_error error = PUNA_ERROR_INIT;
    token_tree *tree;
    uint64_t begun = os_clock_ns();
    if (tokenizer_tree(t, &tree, &error) != PUNA_OK) return 1;
    printf("%d tokens: their tree took %.1f ms\n", tokenizer_size(t), (double)(os_clock_ns() - begun) / 1e6);
    int failed = run(t, "json", json, json_text) | run(t, "form", form, form_text);
    uint64_t tree_bytes = tokenizer_memory(t);
    printf("tokenizer with its tree: %.2f MiB\n", (double)tree_bytes / (1 << 20));
    token_tree_release(tree);
    tokenizer_free(t);
    return failed;
}
