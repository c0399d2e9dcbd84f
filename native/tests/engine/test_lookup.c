// SPDX-License-Identifier: Apache-2.0
/* Prompt lookup: what it proposes is what the best place of a plain search is followed by; what it believes of it. */
#include "engine/lookup.h"
#include "testing.h"

#define MOST 600

static memory_account account;

/* Tokens before two places that are the same, LOOKUP_LONG at most. */
static uint32_t plain_common(const int32_t *tokens, uint32_t a, uint32_t b) {
    uint32_t n = 0;
    while (n < LOOKUP_LONG && n < a && tokens[a - 1 - n] == tokens[b - 1 - n]) n++;
    return n;
}

static lookup *read(const int32_t *tokens, uint32_t count) {
    lookup *l = lookup_new(&account);
    CHECK(l && lookup_read(&account, l, tokens, count));
    return l;
}

static void a_match_is_always_the_same_tokens(void) {
    for (int round = 0; round < 200; round++) {
        int32_t tokens[MOST];
        uint32_t count = 1 + testing_below(MOST - 1), letters = 2 + testing_below(30);
        for (uint32_t i = 0; i < count; i++) tokens[i] = (int32_t)testing_below(letters) * 1000003;
        lookup *l = lookup_new(&account);
        for (uint32_t known = 0; known < count;) {
            uint32_t more = known + 1 + testing_below(5);
            known = more < count ? more : count;
            CHECK(lookup_read(&account, l, tokens, known));
            if (!l->match) continue;
            CHECK(l->match < known && l->length >= 2 && l->length <= l->match);
            for (uint32_t i = 1; i <= l->length; i++)
                if (tokens[l->match - i] != tokens[known - i]) testing_fail(__FILE__, __LINE__, "%u", i);
        }
        lookup_free(&account, l);
    }
    CHECK_EQUAL(memory_used(&account), 0);
}

/* Where few places end alike, none is missed: the match is as long as the longest of all. */
static void the_longest_match_is_found(void) {
    for (int round = 0; round < 200; round++) {
        int32_t tokens[MOST];
        for (uint32_t i = 0; i < MOST; i++) tokens[i] = (int32_t)testing_below(400);
        for (int n = 0; n < 4; n++) { /* a few repetitions */
            uint32_t length = 2 + testing_below(20), from = testing_below(250), to = 300 + testing_below(250);
            memmove(tokens + to, tokens + from, length * sizeof *tokens);
        }
        uint32_t count = 300 + testing_below(MOST - 300), longest = 0;
        for (uint32_t place = 1; place < count; place++) {
            uint32_t n = plain_common(tokens, place, count);
            if (n > longest) longest = n;
        }
        lookup *l = read(tokens, count);
        CHECK_EQUAL(l->match ? l->length : 0, longest < 2 ? 0 : longest);
        lookup_free(&account, l);
    }
    CHECK_EQUAL(memory_used(&account), 0);
}

static void what_followed_is_proposed(void) {
    const int32_t tokens[] = {9, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3};
    int32_t proposal[20];
    lookup *l = read(tokens, 12);
    CHECK_EQUAL(l->match, 4);
    lookup_propose(l, tokens, 20, proposal);
    for (uint32_t i = 0; i < 20; i++) /* beyond the end it goes on with itself: 4 .. 8 1 2 3, again and again */
        CHECK_EQUAL(proposal[i], i % 8 < 5 ? (int32_t)(4 + i % 8) : (int32_t)(i % 8 - 4));
    lookup_free(&account, l);
}

static void nothing_is_proposed_where_nothing_repeats(void) {
    int32_t tokens[MOST];
    for (int32_t i = 0; i < MOST; i++) tokens[i] = i;
    for (uint32_t count = 0; count <= 3; count++) {
        lookup *l = read(tokens, count);
        CHECK(lookup_chance(l, 0) == 0);
        lookup_free(&account, l);
    }
    lookup *l = read(tokens, MOST);
    CHECK(lookup_chance(l, 0) == 0);
    CHECK_EQUAL(memory_used(&account), lookup_bytes(MOST));
    lookup_forget(l);
    CHECK(lookup_read(&account, l, tokens, 10) && l->count == 10 && !l->match);
    lookup_free(&account, l);
    CHECK_EQUAL(memory_used(&account), 0);
}

/* A text that repeats pairs, but never what comes after them, and one that repeats itself. */
static void trust_follows_the_text(void) {
    int32_t false_friends[MOST], loop[MOST];
    for (int32_t i = 0; i < MOST; i++) {
        false_friends[i] = i % 3 < 2 ? i % 3 : 10 + i;
        loop[i] = i % 7;
    }
    lookup *l = read(false_friends, MOST - 1);
    CHECK(l->match && l->length == 2 && lookup_chance(l, 0) < 0.05f);
    lookup_free(&account, l);
    l = read(loop, MOST);
    CHECK(lookup_chance(l, 0) > 0.95f && lookup_chance(l, 100) > 0.95f);
    lookup_free(&account, l);
}

static bool refuse(void *context, size_t bytes) {
    (void)context;
    return bytes < 1024;
}

static void without_memory_nothing_is_proposed(void) {
    int32_t tokens[MOST];
    for (int32_t i = 0; i < MOST; i++) tokens[i] = i % 5;
    lookup *l = read(tokens, 60);
    CHECK(lookup_chance(l, 0) > 0);
    memory_set_gate(refuse, NULL);
    CHECK(!lookup_read(&account, l, tokens, MOST));
    memory_set_gate(NULL, NULL);
    CHECK(lookup_chance(l, 0) == 0);
    CHECK(lookup_read(&account, l, tokens, MOST) && lookup_chance(l, 0) > 0.9f);
    lookup_free(&account, l);
    CHECK_EQUAL(memory_used(&account), 0);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    memory_account_init(&account);
    TEST(a_match_is_always_the_same_tokens);
    TEST(the_longest_match_is_found);
    TEST(what_followed_is_proposed);
    TEST(nothing_is_proposed_where_nothing_repeats);
    TEST(trust_follows_the_text);
    TEST(without_memory_nothing_is_proposed);
    return testing_end();
}
