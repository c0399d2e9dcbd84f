// SPDX-License-Identifier: Apache-2.0
/* Grammars: what they allow against a plain matcher, masks against one token after the other, mistakes, limits. */
#include <stdlib.h>

#include "base/os.h"
#include "base/utf8.h"
#include "constrain/grammar.h"
#include "constrain/reference.h"

static puna_error error = PUNA_ERROR_INIT;
static gguf_file *file;
static tokenizer *vocabulary;

static bool load(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", PUNA_TEST_DATA, name);
    puna_status status = gguf_open(path, &file, &error);
    if (status == PUNA_OK) status = tokenizer_load(file, &vocabulary, &error);
    if (status != PUNA_OK) testing_fail(__FILE__, __LINE__, "%s: %s", name, error.message);
    return status == PUNA_OK;
}

static void unload(void) {
    tokenizer_free(vocabulary);
    gguf_close(file);
    vocabulary = NULL;
    file = NULL;
}

static puna_status compile(const char *text, grammar **g) {
    return grammar_compile(vocabulary, text, strlen(text), g, &error);
}

/* -1: not allowed; 0: a beginning; 1: whole; 2: whole, and nothing can follow. */
static int verdict(grammar *g, const char *text, size_t length) {
    matcher *m;
    if (matcher_create(g, vocabulary, &m, &error) != PUNA_OK) return -2;
    puna_status status = matcher_take(m, text, length, &error);
    int v = status == PUNA_OK ? matcher_whole(m) + matcher_over(m) : status == PUNA_INVALID_ARGUMENT ? -1 : -2;
    matcher_free(m);
    return v;
}

static int quick(const char *text, const char *word) {
    grammar *g;
    if (compile(text, &g) != PUNA_OK) {
        testing_fail(__FILE__, __LINE__, "%s: %s", text, error.message);
        return -3;
    }
    int v = verdict(g, word, strlen(word));
    grammar_release(g);
    return v;
}

static void small_grammars_mean_what_they_say(void) {
    NEED(load("tokenizer/gpt-2.gguf"));
    CHECK_EQUAL(quick("root ::= \"yes\" | \"no\"", "ye"), 0);
    CHECK_EQUAL(quick("root ::= \"yes\" | \"no\"", "no"), 2);
    CHECK_EQUAL(quick("root ::= \"yes\" | \"no\"", "nox"), -1);
    CHECK_EQUAL(quick("root ::= a{2,3} # counted\na ::= [x-z]", "x"), 0);
    CHECK_EQUAL(quick("root ::= a{2,3}\n\n# a comment\na ::= [x-z]\n", "xy"), 1);
    CHECK_EQUAL(quick("root ::= a{2,3}\r\na ::= [x-z]\r\n", "xyz"), 2);
    CHECK_EQUAL(quick("root ::= (\"a\"\n  | \"b\" |\n \"c\")+", "abc"), 1);
    CHECK_EQUAL(quick("root ::= [^\\]\\-a-c]*", "d\xE2\x82\xAC!"), 1);
    CHECK_EQUAL(quick("root ::= [^\\]\\-a-c]*", "d]"), -1);
    CHECK_EQUAL(quick("root ::= [a-]+", "-a-"), 1);
    CHECK_EQUAL(quick("root ::= .", "\n"), 2);
    CHECK_EQUAL(quick("root ::= .", "\xE2\x82"), 0);
    CHECK_EQUAL(quick("root ::= .", "\xED\xA0"), -1); /* a surrogate */
    CHECK_EQUAL(quick("root ::= .", "\xC0"), -1);
    CHECK_EQUAL(quick("root ::= \"\\x41\\u20AC\\U0001F600\\t\\\\\\\"\"", "A\xE2\x82\xAC\xF0\x9F\x98\x80\t\\\""), 2);
    CHECK_EQUAL(quick("root ::= \"(\" root \")\" | \"\"", "((()"), 0);
    CHECK_EQUAL(quick("root ::= \"(\" root \")\" | \"\"", "((()))"), 2);
    CHECK_EQUAL(quick("root ::= \"(\" root \")\" | \"\"", "())"), -1);
    CHECK_EQUAL(quick("root ::= (\"a\"* \"b\"?)*", "aabab"), 1);
    CHECK_EQUAL(quick("root ::= \"a\"{0} \"b\"", "b"), 2);
    CHECK_EQUAL(quick("root ::= \"ab\"{0,} \"c\"", "ababc"), 2);
    CHECK_EQUAL(quick("root ::= list\nlist ::= \"x\" | \"x\" \",\" list", "x,x,x"), 1);
    unload();
}

/* A class holds exactly its characters, whatever their encoding's length. */
static void classes_hold_what_they_say(void) {
    NEED(load("tokenizer/gpt-2.gguf"));
    static const uint32_t borders[] = {0, 0x20, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FF, 0xE000, 0xFFFF,
                                       0x10000, 0x1FFFF, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFF};
    enum { BORDERS = sizeof borders / sizeof *borders };
    for (int round = 0; round < 60; round++) {
        uint32_t a = borders[testing_below(BORDERS)] + testing_below(3), b = borders[testing_below(BORDERS)];
        uint32_t low = a < b ? a : b, high = a < b ? b : a;
        char text[100], bytes[4];
        if (!utf8_encode(low, bytes) || !utf8_encode(high, bytes)) continue;
        bool negated = testing_below(2);
        if (negated && low == 0 && high == 0x10FFFF) continue;
        snprintf(text, sizeof text, "root ::= [%s\\U%08x-\\U%08x]", negated ? "^" : "", low, high);
        grammar *g;
        NEED(compile(text, &g) == PUNA_OK);
        for (int i = 0; i < 300; i++) {
            uint32_t c = i < 2 * BORDERS ? borders[i / 2] + (uint32_t)(i % 2) : testing_below(0x110000);
            if (i % 7 == 0) c = low + (uint32_t)i % 3 - 1;
            if (i % 7 == 1) c = high + (uint32_t)i % 3 - 1;
            size_t length = utf8_encode(c, bytes);
            if (length) CHECK_EQUAL(verdict(g, bytes, length), (c >= low && c <= high) != negated ? 2 : -1);
        }
        grammar_release(g);
    }
    unload();
}

static size_t spell(const uint32_t *text, size_t length, char *out) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) used += utf8_encode(text[i], out + used);
    return used;
}

/* Random grammars and texts: the next characters that are allowed are those of the backtracking reference. */
static void random_grammars_allow_what_backtracking_allows(void) {
    NEED(load("tokenizer/gpt-2.gguf"));
    static reference r;
    static char printed[1 << 16];
    int compiled = 0, asked = 0, yes = 0, ambiguous = 0;
    for (int round = 0; round < 1500; round++) {
        grammar *g;
        reference_random(&r);
        reference_print(&r, printed, sizeof printed);
        if (compile(printed, &g) != PUNA_OK) {
            CHECK_EQUAL(error.status, PUNA_INVALID_ARGUMENT);
            continue;
        }
        compiled++;
        if (round % 2) grammar_bound(g, 2000); /* tables are cleared all the time */
        for (int word = 0; word < 6; word++) {
            uint32_t text[9];
            char bytes[40];
            for (size_t length = 0; length < 8; length++) {
                uint32_t allowed[8], count = 0;
                bool given_up = false;
                for (size_t c = 0; c < reference_letters && !given_up; c++) {
                    reference_answer answer;
                    text[length] = reference_alphabet[c];
                    given_up = !reference_ask(&r, text, length + 1, 20000, &answer);
                    if (given_up) break;
                    int v = verdict(g, bytes, spell(text, length + 1, bytes));
                    asked++;
                    yes += answer.begins;
                    given_up = v == -2; /* too many stacks: allowed to happen, in few of these grammars */
                    ambiguous += given_up;
                    if (given_up) break;
                    if ((v >= 0) != answer.begins || (v >= 1) != answer.whole)
                        testing_fail(__FILE__, __LINE__, "verdict %d, but begins %d whole %d of %.*s in %s", v,
                                     answer.begins, answer.whole, (int)spell(text, length + 1, bytes), bytes, printed);
                    if (answer.begins) allowed[count++] = reference_alphabet[c];
                }
                if (given_up || count == 0) break;
                text[length] = allowed[testing_below(count)];
            }
        }
        grammar_release(g);
    }
    CHECK(compiled > 300);
    CHECK(asked > 10000 && yes > 3000 && ambiguous < asked / 100);
    unload();
}

static const char json[] =
    "root ::= object\n"
    "value ::= object | array | string | number | \"true\" | \"false\" | \"null\"\n"
    "object ::= \"{\" ws ( string \":\" ws value (\",\" ws string \":\" ws value)* )? \"}\" ws\n"
    "array ::= \"[\" ws ( value (\",\" ws value)* )? \"]\" ws\n"
    "string ::= \"\\\"\" ([^\"\\\\\\x00-\\x1F] | \"\\\\\" ([\"\\\\bfnrt/] | \"u\" [0-9a-fA-F]{4}))* \"\\\"\" ws\n"
    "number ::= \"-\"? (\"0\" | [1-9] [0-9]*) (\".\" [0-9]+)? ([eE] [-+]? [0-9]+)? ws\n"
    "ws ::= [ \\t\\n]{0,3}\n";

/* Each bit of a mask is what taking the token's bytes says. */
static void check_mask(grammar *g, matcher *m, const char *text, size_t length) {
    enum { WORDS = 1024 };
    static uint64_t bits[WORDS];
    int32_t size = tokenizer_size(vocabulary);
    NEED(size <= WORDS * 64);
    NEED(matcher_allow(m, true, bits, WORDS, &error) == PUNA_OK);
    static char whole[1 << 16];
    memcpy(whole, text, length);
    for (int32_t id = 0; id < WORDS * 64; id++) {
        bool expected = false, found = bits[id / 64] >> (id % 64) & 1;
        puna_token token = {0};
        if (id < size && tokenizer_token(vocabulary, id, &token, &error) == PUNA_OK) {
            if (token.ends_generation) expected = verdict(g, text, length) >= 1;
            else if (token.kind != PUNA_TOKEN_CONTROL && token.kind != PUNA_TOKEN_UNKNOWN && token.bytes_length) {
                memcpy(whole + length, token.bytes, token.bytes_length);
                expected = verdict(g, whole, length + token.bytes_length) >= 0;
            }
        }
        if (found != expected)
            testing_fail(__FILE__, __LINE__, "token %d is %d behind %.*s", id, found, (int)length, text);
    }
}

static void masks_equal_one_token_after_the_other(void) {
    static const char *const vocabularies[] = {"tokenizer/gpt-2.gguf", "tokenizer/spm.gguf", "tiny/tiny-chat.gguf"};
    for (int v = 0; v < 3; v++) {
        NEED(load(vocabularies[v]));
        grammar *g;
        NEED(compile(json, &g) == PUNA_OK);
        for (int bound = 0; bound < 2; bound++) {
            if (bound) grammar_bound(g, 1000);
            matcher *m;
            NEED(matcher_create(g, vocabulary, &m, &error) == PUNA_OK);
            const char text[] = "{\"k\xC3\xA9y\": [1.5e-7, {\"a\":\"\\u00e9\"}, [[[[]]]]], \"b\":null}  ";
            for (size_t i = 0; i + 1 < sizeof text; i++) {
                if (i % 5 == 0 || text[i] & 0x80) check_mask(g, m, text, i);
                NEED(matcher_take(m, text + i, 1, &error) == PUNA_OK);
            }
            CHECK(matcher_whole(m) && !matcher_over(m));
            matcher_free(m);
        }
        grammar_release(g);
        unload();
    }
}

/* Many matchers of one grammar, at different places, while the tables are cleared under them. */
static void matchers_share_tables_that_are_cleared(void) {
    NEED(load("tokenizer/gpt-2.gguf"));
    grammar *g;
    NEED(compile(json, &g) == PUNA_OK);
    grammar_bound(g, 1);
    enum { COUNT = 12, LENGTH = 400 };
    static uint64_t bits[1024];
    static char texts[COUNT][LENGTH + 1];
    matcher *m[COUNT];
    for (int i = 0; i < COUNT; i++) NEED(matcher_create(g, vocabulary, &m[i], &error) == PUNA_OK);
    size_t lengths[COUNT] = {0};
    for (int step = 0; step < LENGTH; step++) {
        int i = (int)testing_below(COUNT);
        static const char letters[] = "{}[]\":,a1 \\n";
        for (int attempt = 0; attempt < 40; attempt++) {
            char c = letters[testing_below(sizeof letters - 1)];
            if (matcher_take(m[i], &c, 1, &error) != PUNA_OK) continue;
            texts[i][lengths[i]++] = c;
            break;
        }
        if (step % 20 == 0) NEED(matcher_allow(m[testing_below(COUNT)], true, bits, 1024, &error) == PUNA_OK);
        CHECK_EQUAL(verdict(g, texts[i], lengths[i]), matcher_whole(m[i]) + matcher_over(m[i]));
    }
    for (int i = 0; i < COUNT; i++) {
        if (i % 4 == 0) check_mask(g, m[i], texts[i], lengths[i]);
        matcher_free(m[i]);
    }
    grammar_release(g);
    unload();
}

typedef struct walker { grammar *g; uint64_t digest; } walker;

/* A fixed walk: the masks on its way, as one number. */
static void walk(void *context) {
    walker *w = context;
    static const char text[] = "{\"a\": [1, {\"b\":\"\\u00e9 x\"}, [[]], -2.5e7], \"c\":null}";
    uint64_t bits[64] = {0};
    matcher *m;
    puna_error own = PUNA_ERROR_INIT;
    for (int round = 0; round < 20; round++) {
        if (matcher_create(w->g, vocabulary, &m, &own) != PUNA_OK) return;
        for (size_t i = 0; i + 1 < sizeof text; i++) {
            if (matcher_allow(m, true, bits, 64, &own) != PUNA_OK) break;
            if (matcher_take(m, text + i, 1, &own) != PUNA_OK) break;
            for (int k = 0; k < 64; k++) w->digest = (w->digest ^ bits[k]) * 1099511628211u;
        }
        matcher_free(m);
    }
}

static void threads_share_a_grammar(void) {
    NEED(load("tokenizer/gpt-2.gguf"));
    CHECK(tokenizer_size(vocabulary) <= 64 * 64);
    enum { THREADS = 4 };
    grammar *g;
    walker alone = {NULL, 1}, w[THREADS];
    NEED(compile(json, &g) == PUNA_OK);
    alone.g = g;
    walk(&alone);
    grammar_release(g);
    NEED(compile(json, &g) == PUNA_OK);
    grammar_bound(g, 20000);
    os_thread threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        w[i] = (walker){g, 1};
        NEED(os_thread_start(&threads[i], walk, &w[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        os_thread_join(threads[i]);
        CHECK(w[i].digest == alone.digest);
    }
    grammar_release(g);
    unload();
}

static void refuses(const char *text, puna_status status, long long offset, const char *words) {
    grammar *g;
    error = (puna_error)PUNA_ERROR_INIT;
    puna_status found = compile(text, &g);
    if (found != status || g || !strstr(error.message, words) || (offset >= 0 && error.offset != (uint64_t)offset))
        testing_fail(__FILE__, __LINE__, "%s: status %d, offset %lld: %s", text, found, (long long)error.offset,
                     error.message);
    grammar_release(g);
}

static void mistakes_are_named(void) {
    NEED(load("tokenizer/gpt-2.gguf"));
    refuses("", PUNA_INVALID_ARGUMENT, 0, "no rule \"root\"");
    refuses("x ::= \"a\"", PUNA_INVALID_ARGUMENT, 0, "no rule \"root\"");
    refuses("root ::= \"a\" b", PUNA_INVALID_ARGUMENT, 13, "not defined");
    refuses("root ::= \"a", PUNA_INVALID_ARGUMENT, 9, "not closed");
    refuses("root ::= [a", PUNA_INVALID_ARGUMENT, 9, "not closed");
    refuses("root ::= [z-a]", PUNA_INVALID_ARGUMENT, 10, "goes down");
    refuses("root ::= [^\\x00-\\U0010FFFF]", PUNA_INVALID_ARGUMENT, 9, "no character");
    refuses("root ::= []", PUNA_INVALID_ARGUMENT, 9, "no character");
    refuses("root ::= (\"a\"", PUNA_INVALID_ARGUMENT, 9, "not closed");
    refuses("root ::= \"a\")", PUNA_INVALID_ARGUMENT, 12, "needed");
    refuses("root ::= \"\\q\"", PUNA_INVALID_ARGUMENT, 10, "escape");
    refuses("root ::= \"\\uD800\"", PUNA_INVALID_ARGUMENT, -1, "no character has this number");
    refuses("root ::= \"\\x4\"", PUNA_INVALID_ARGUMENT, -1, "hexadecimal");
    refuses("root ::= \"\xFF\"", PUNA_INVALID_ARGUMENT, 10, "UTF-8");
    refuses("root = \"a\"", PUNA_INVALID_ARGUMENT, 5, "::=");
    refuses("root ::= \"a\"{2,1}", PUNA_INVALID_ARGUMENT, 12, "wrong way round");
    refuses("root ::= \"a\"{x}", PUNA_INVALID_ARGUMENT, 13, "number");
    refuses("root ::= \"a\"{100001}", PUNA_INVALID_ARGUMENT, 13, "100000");
    refuses("root ::= \"a\"\nroot ::= \"b\"", PUNA_INVALID_ARGUMENT, 13, "defined before");
    refuses("root ::= *", PUNA_INVALID_ARGUMENT, 9, "needed");
    refuses("root ::= <think>", PUNA_UNSUPPORTED, 9, "token");
    refuses("root ::= root \"a\" | \"a\"", PUNA_INVALID_ARGUMENT, 0, "left-recursive");
    refuses("root ::= a\na ::= ws b\nb ::= a \"x\" | \"y\"\nws ::= \" \"*", PUNA_INVALID_ARGUMENT, -1,
            "left-recursive");
    refuses("root ::= \"a\" root", PUNA_INVALID_ARGUMENT, 0, "never end");
    refuses("root ::= \"a\" | \"b\" x\nx ::= \"c\" x", PUNA_INVALID_ARGUMENT, -1, "\"x\"");
    refuses("root ::= \"\"", PUNA_INVALID_ARGUMENT, -1, "empty text");
    unload();
}

/* Counts of counts are rules that call rules: a million characters cost a few thousand states. */
static void counts_multiply(void) {
    NEED(load("tokenizer/gpt-2.gguf"));
    grammar *g;
    NEED(compile("root ::= ((\"a\"{100}){100}){100}", &g) == PUNA_OK);
    CHECK(grammar_memory(g) < 1 << 20);
    size_t length = 1000000;
    char *text = malloc(length + 1);
    memset(text, 'a', length + 1);
    size_t matched;
    bool whole;
    for (int more = -1; more <= 1; more++) {
        NEED(grammar_match(g, text, length + (size_t)more, &matched, &whole, &error) == PUNA_OK);
        CHECK_EQUAL(matched, more < 0 ? length - 1 : length);
        CHECK_EQUAL(whole, more == 0);
    }
    CHECK(grammar_memory(g) < (uint64_t)4 * GRAMMAR_TABLE_BYTES);
    free(text);
    grammar_release(g);
    unload();
}

/* What costs too much is refused, in a moment. */
static void limits_hold(void) {
    NEED(load("tokenizer/gpt-2.gguf"));
    refuses("root ::= (\"ab\"{100000}) (\"cd\"{100000})", PUNA_INVALID_ARGUMENT, -1, "too large");
    grammar *g;
    static char deep[4000] = "root ::= ";
    size_t used = strlen(deep);
    for (int i = 0; i < 1000; i++) deep[used++] = '(';
    deep[used] = 0;
    refuses(deep, PUNA_INVALID_ARGUMENT, -1, "nested");
    used = strlen("root ::= ");
    used += (size_t)sprintf(deep + used, "\"a\"");
    for (int i = 0; i < 600; i++) deep[used++] = '*'; /* loops of loops that eat nothing */
    deep[used] = 0;
    NEED(compile(deep, &g) == PUNA_OK);
    CHECK_EQUAL(verdict(g, "aaaa", 4), 1);
    grammar_release(g);
    /* more stacks than can be told apart */
    NEED(compile("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"a\" root \"b\" \"d\" | \"a\"", &g) == PUNA_OK);
    char word[64];
    memset(word, 'a', sizeof word);
    CHECK_EQUAL(verdict(g, word, 4), 0);
    matcher *m;
    NEED(matcher_create(g, vocabulary, &m, &error) == PUNA_OK);
    CHECK_EQUAL(matcher_take(m, word, sizeof word, &error), PUNA_UNSUPPORTED);
    CHECK(strstr(error.message, "ambiguous") != NULL);
    CHECK_EQUAL(matcher_take(m, word, 2, &error), PUNA_OK); /* it goes on from where it was */
    matcher_free(m);
    grammar_release(g);
    char *long_text = malloc(GRAMMAR_TABLE_BYTES);
    memset(long_text, ' ', GRAMMAR_TABLE_BYTES);
    CHECK_EQUAL(grammar_compile(vocabulary, long_text, GRAMMAR_TABLE_BYTES, &g, &error), PUNA_INVALID_ARGUMENT);
    free(long_text);
    unload();
}

static void the_order_of_freeing_does_not_matter(void) {
    NEED(load("tokenizer/gpt-2.gguf"));
    grammar *g;
    matcher *m;
    NEED(compile("root ::= [a-z]+", &g) == PUNA_OK);
    NEED(matcher_create(g, vocabulary, &m, &error) == PUNA_OK);
    grammar_release(g);
    unload();
    CHECK_EQUAL(matcher_take(m, "abc", 3, &error), PUNA_OK);
    NEED(load("tokenizer/gpt-2.gguf")); /* the same file, but another vocabulary */
    NEED(compile("root ::= [a-z]+", &g) == PUNA_OK);
    tokenizer_free(vocabulary);
    NEED(tokenizer_load(file, &vocabulary, &error) == PUNA_OK);
    matcher *other;
    CHECK_EQUAL(matcher_create(g, vocabulary, &other, &error), PUNA_INVALID_ARGUMENT);
    matcher_free(m);
    grammar_release(g);
    unload();
}

static long countdown;
static bool gate(void *context, size_t bytes) {
    (void)context;
    (void)bytes;
    return countdown-- > 0;
}

/* Memory that runs out anywhere is an error, and what was there stays usable. */
static void memory_may_run_out_anywhere(void) {
    NEED(load("tokenizer/gpt-2.gguf"));
    static uint64_t bits[1024];
    for (long allowed = 0, done = 0; !done && allowed < 4000; allowed++) {
        grammar *g = NULL;
        matcher *m = NULL;
        memory_set_gate(gate, NULL);
        countdown = allowed;
        puna_status status = compile(json, &g);
        if (status == PUNA_OK) grammar_bound(g, allowed % 2 ? 1 : 1 << 20);
        if (status == PUNA_OK) status = matcher_create(g, vocabulary, &m, &error);
        for (int i = 0; status == PUNA_OK && i < 20; i++) {
            status = matcher_take(m, "{\"a\":[[[[\"xyz\\u0041\"" + i, 1, &error);
            if (status == PUNA_OK) status = matcher_allow(m, true, bits, 1024, &error);
        }
        memory_set_gate(NULL, NULL);
        CHECK(status == PUNA_OK || status == PUNA_OUT_OF_MEMORY);
        done = status == PUNA_OK;
        if (m) CHECK_EQUAL(matcher_allow(m, true, bits, 1024, &error), PUNA_OK);
        matcher_free(m);
        grammar_release(g);
        if (allowed > 3900) testing_fail(__FILE__, __LINE__, "it never ends");
    }
    unload();
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(small_grammars_mean_what_they_say);
    TEST(classes_hold_what_they_say);
    TEST(random_grammars_allow_what_backtracking_allows);
    TEST(masks_equal_one_token_after_the_other);
    TEST(matchers_share_tables_that_are_cleared);
    TEST(threads_share_a_grammar);
    TEST(mistakes_are_named);
    TEST(counts_multiply);
    TEST(limits_hold);
    TEST(the_order_of_freeing_does_not_matter);
    TEST(memory_may_run_out_anywhere);
    return testing_end();
}
