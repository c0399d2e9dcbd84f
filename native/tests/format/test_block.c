// SPDX-License-Identifier: Apache-2.0
/* Block formats against what the PyPI package gguf made of the same numbers (tools/record_quants.py), bit for bit. */
#include "format/block.h"

#include <math.h>
#include <stdlib.h>

#include "testing.h"

static const uint32_t decoded[] = {BLOCK_F32, BLOCK_F16, BLOCK_BF16, BLOCK_Q4_0, BLOCK_Q4_1, BLOCK_Q8_0, BLOCK_Q5_0,
                                   BLOCK_Q5_1, BLOCK_Q2_K, BLOCK_Q3_K, BLOCK_Q4_K, BLOCK_Q5_K, BLOCK_Q6_K, BLOCK_IQ4_NL,
                                   BLOCK_IQ4_XS, BLOCK_MXFP4};
enum { DECODED = sizeof decoded / sizeof decoded[0] };

static uint8_t *golden(const char *name, const char *suffix, size_t *size) {
    char path[512];
    snprintf(path, sizeof path, "%s/quants/%s.%s", PUNA_TEST_DATA, name, suffix);
    return testing_read(path, size);
}

static float *floats(const char *name, size_t *count) {
    uint8_t *bytes = golden(name, "f32", count);
    if (!bytes) return NULL;
    *count /= 4;
    float *numbers = malloc(*count * sizeof(float));
    if (numbers) block_find(BLOCK_F32)->decode(bytes, *count, numbers);
    free(bytes);
    return numbers;
}

static void check_format(const block_format *format, const float *input, size_t count) {
    size_t block_bytes, decoded_count;
    uint8_t *blocks = golden(format->name, "blocks", &block_bytes);
    float *expected = floats(format->name, &decoded_count);
    NEED(blocks && expected);
    if (!format->encode) count = decoded_count; /* blocks of any bytes */
    NEED(count >= 2048);
    CHECK_EQUAL(decoded_count, count);
    CHECK_EQUAL(block_bytes, count / format->length * format->bytes);
    uint8_t *ours = malloc(block_bytes + 1);
    float *numbers = malloc(count * sizeof(float));
    NEED(ours && numbers);
    /* Both at an odd address: a file's tensors may lie anywhere. */
    if (format->encode) format->encode(input, count, ours + 1);
    else memcpy(ours + 1, blocks, block_bytes);
    for (size_t i = 0; i < block_bytes; i++)
        if (ours[1 + i] != blocks[i])
            testing_fail(__FILE__, __LINE__, "%s: byte %zu of block %zu is %u, not %u", format->name,
                         i % format->bytes, i / format->bytes, ours[1 + i], blocks[i]);
    memcpy(ours + 1, blocks, block_bytes);
    format->decode(ours + 1, count, numbers);
    for (size_t i = 0; i < count; i++)
        if (memcmp(&numbers[i], &expected[i], sizeof(float)) != 0)
            testing_fail(__FILE__, __LINE__, "%s: number %zu is %a, not %a", format->name, i, numbers[i], expected[i]);
    free(blocks);
    free(expected);
    free(ours);
    free(numbers);
}

static void equal_to_the_reference(void) {
    size_t count;
    float *input = floats("input", &count);
    NEED(input);
    CHECK_EQUAL(count, 2048);
    for (int i = 0; i < DECODED; i++)
        if (decoded[i] != BLOCK_F32) check_format(block_find(decoded[i]), input, count);
    free(input);
}

static void singles_are_kept(void) {
    const uint8_t bytes[] = {9, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x80, 0xFF, 0xFF, 0x7F, 0x7F, 1, 0, 0, 0};
    const block_format *f32 = block_find(BLOCK_F32);
    float numbers[4];
    uint8_t back[16];
    f32->decode(bytes + 1, 4, numbers);
    CHECK(numbers[0] == 1.0f);
    CHECK(numbers[1] == 0.0f && signbit(numbers[1]));
    CHECK(numbers[2] == 3.402823466e38f);
    CHECK(numbers[3] == 0x1p-149f);
    f32->encode(numbers, 4, back);
    CHECK(memcmp(back, bytes + 1, 16) == 0);
}

/* Blocks made by hand from the layout comments. */
static void layouts(void) {
    uint8_t block[34] = {0, 0x40}; /* half 2.0 */
    float numbers[32];
    for (int j = 0; j < 16; j++) block[2 + j] = (uint8_t)(j | (15 - j) << 4);
    block_find(BLOCK_Q4_0)->decode(block, 32, numbers);
    for (int j = 0; j < 16; j++) CHECK(numbers[j] == 2.0f * (float)(j - 8) && numbers[j + 16] == 2.0f * (float)(7 - j));
    memmove(block + 4, block + 2, 16);
    block[2] = 0;
    block[3] = 0xBC; /* half -1.0 */
    block_find(BLOCK_Q4_1)->decode(block, 32, numbers);
    for (int j = 0; j < 16; j++)
        CHECK(numbers[j] == 2.0f * (float)j - 1 && numbers[j + 16] == 2.0f * (float)(15 - j) - 1);
    for (int j = 0; j < 32; j++) block[2 + j] = (uint8_t)(j * 8 - 128);
    block_find(BLOCK_Q8_0)->decode(block, 32, numbers);
    for (int j = 0; j < 32; j++) CHECK(numbers[j] == 2.0f * (float)(int8_t)(uint8_t)(j * 8 - 128));
}

/* What comes back is near what went in. */
static void near_after_a_round(void) {
    /* In parts of the largest magnitude: half a step (Q4_0: a whole one, at the end without -8), and the scale's own
       rounding to a half, 1/2048 of it, times the steps. Q4_1's range is at most twice the largest. */
    static const struct { uint32_t type; float part; } bounds[] = {{BLOCK_F16, 1.0f / 2048},
                                                                   {BLOCK_BF16, 1.0f / 256},
                                                                   {BLOCK_Q4_0, 1.0f / 8 + 1.0f / 2048},
                                                                   {BLOCK_Q4_1, 1.0f / 15 + 3.0f / 2048},
                                                                   {BLOCK_Q5_0, 1.0f / 16 + 1.0f / 2048},
                                                                   {BLOCK_Q5_1, 1.0f / 31 + 3.0f / 2048},
                                                                   {BLOCK_Q8_0, 1.0f / 254 + 1.0f / 2048}};
    for (size_t f = 0; f < sizeof bounds / sizeof bounds[0]; f++) {
        const block_format *format = block_find(bounds[f].type);
        for (int round = 0; round < 200; round++) {
            float input[64], output[64], largest = 0;
            uint8_t blocks[64 * 2];
            for (int i = 0; i < 64; i++) input[i] = testing_normal();
            for (int i = 0; i < 64; i++) largest = fmaxf(largest, fabsf(input[i]));
            format->encode(input, 64, blocks);
            format->decode(blocks, 64, output);
            for (int i = 0; i < 64; i++) CHECK(fabsf(input[i] - output[i]) <= largest * bounds[f].part * 1.001f);
        }
    }
}

/* What is not finite, or overflows, encodes to something and breaks nothing. */
static void odd_numbers_do_no_harm(void) {
    const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1e-45f, -0.0f, 7e4f};
    for (int f = 0; f < DECODED; f++) {
        const block_format *format = block_find(decoded[f]);
        if (!format->encode) continue;
        for (size_t o = 0; o < sizeof odd / sizeof odd[0]; o++) {
            float values[32], back[32];
            uint8_t blocks[128];
            for (int i = 0; i < 32; i++) values[i] = i == 9 ? odd[o] : testing_normal();
            format->encode(values, 32, blocks);
            format->decode(blocks, 32, back);
            for (int i = 0; i < 32; i++) values[i] = odd[o];
            format->encode(values, 32, blocks);
            format->decode(blocks, 32, back);
        }
    }
    float large[32], back[32];
    uint8_t blocks[64];
    for (int i = 0; i < 32; i++) large[i] = i % 2 ? 1e6f : -1e6f;
    block_find(BLOCK_F16)->encode(large, 32, blocks); /* saturates, as the contract says */
    block_find(BLOCK_F16)->decode(blocks, 32, back);
    for (int i = 0; i < 32; i++) CHECK(back[i] == (i % 2 ? 65504.0f : -65504.0f));
}

/* What the formats' files say of exact sums: no bytes give a larger number, and some give that one. */
static void the_largest_numbers(void) {
    static const struct { uint32_t type, unit; int most; } said[] = {
        {BLOCK_Q5_0, 32, 16}, {BLOCK_Q5_1, 32, 31}, {BLOCK_Q2_K, 16, 3}, {BLOCK_Q3_K, 16, 4}, {BLOCK_Q4_K, 32, 15},
        {BLOCK_Q5_K, 32, 31}, {BLOCK_Q6_K, 16, 32}, {BLOCK_IQ4_NL, 32, 127}, {BLOCK_IQ4_XS, 32, 127},
        {BLOCK_MXFP4, 32, 12},
    };
    for (size_t f = 0; f < sizeof said / sizeof *said; f++) {
        const block_format *format = block_find(said[f].type);
        int most = 0, sum = 0;
        CHECK_EQUAL(format->unit, said[f].unit);
        for (int round = 0; round < 1000; round++) {
            uint8_t block[BLOCK_BYTES_MAX];
            int8_t numbers[BLOCK_LENGTH_MAX];
            float scales[BLOCK_LENGTH_MAX / 16], minimums[BLOCK_LENGTH_MAX / 16];
            for (uint32_t i = 0; i < format->bytes; i++)
                block[i] = round == 0 ? 0 : round == 1 ? 255 : (uint8_t)testing_below(256);
            format->parts(block, numbers, scales, minimums);
            for (uint32_t k = 0; k < format->length; k++) {
                int size = numbers[k] < 0 ? -numbers[k] : numbers[k];
                if (size > most) most = size;
            }
        }
        for (uint32_t k = 0; k < format->unit; k++) sum += most * 127;
        CHECK_EQUAL(most, said[f].most);
        CHECK((int)(float)sum == sum && sum < 1 << 24);
    }
    /* Q8_0 keeps its bytes as they are: -128 is one of them. */
    uint8_t block[34];
    float numbers[32];
    memset(block, 0x80, sizeof block);
    block[0] = 0, block[1] = 0x3C; /* 1 */
    block_find(BLOCK_Q8_0)->decode(block, 32, numbers);
    CHECK(numbers[0] == -128 && numbers[31] == -128);
}

static void the_table(void) {
    static const struct { uint32_t type, length, bytes; const char *name; } rows[] = {
        {0, 1, 4, "F32"},      {1, 1, 2, "F16"},      {2, 32, 18, "Q4_0"},   {3, 32, 20, "Q4_1"},
        {6, 32, 22, "Q5_0"},   {7, 32, 24, "Q5_1"},   {8, 32, 34, "Q8_0"},   {10, 256, 84, "Q2_K"},
        {11, 256, 110, "Q3_K"}, {12, 256, 144, "Q4_K"}, {13, 256, 176, "Q5_K"}, {14, 256, 210, "Q6_K"},
        {15, 256, 292, "Q8_K"}, {16, 256, 66, "IQ2_XXS"}, {20, 32, 18, "IQ4_NL"}, {23, 256, 136, "IQ4_XS"},
        {24, 1, 1, "I8"},      {28, 1, 8, "F64"},     {29, 256, 56, "IQ1_M"}, {30, 1, 2, "BF16"},
        {34, 256, 54, "TQ1_0"}, {39, 32, 17, "MXFP4"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t length = 0, bytes = 0;
        CHECK(block_type_shape(rows[i].type, &length, &bytes));
        CHECK_EQUAL(length, rows[i].length);
        CHECK_EQUAL(bytes, rows[i].bytes);
        CHECK_TEXT(block_type_name(rows[i].type), rows[i].name);
    }
    for (uint32_t type = 0; type < 1000; type++) {
        const block_format *format = block_find(type);
        bool ours = false;
        for (int i = 0; i < DECODED; i++) ours = ours || decoded[i] == type;
        CHECK_EQUAL(format != NULL, ours);
        if (!format) continue;
        CHECK_EQUAL(format->type, type);
        CHECK(format->length <= BLOCK_LENGTH_MAX && format->bytes <= BLOCK_BYTES_MAX);
        CHECK(!format->parts || (format->unit >= 16 && format->unit <= 32 && format->length % format->unit == 0));
    }
    char names[128], few[13];
    CHECK_TEXT(block_names(names, sizeof names), 
               "F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, IQ4_XS, BF16, MXFP4");
    CHECK_TEXT(block_names(few, sizeof few), "F32, F16"); /* Q4_0 and its end don't fit */
    CHECK_TEXT(block_names(few, 1), "");
    static const uint32_t unknown[] = {4, 5, 31, 32, 33, 36, 37, 38, 42, 77, UINT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        uint32_t length, bytes;
        CHECK(block_type_name(unknown[i]) == NULL);
        CHECK(!block_type_shape(unknown[i], &length, &bytes));
    }
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(equal_to_the_reference);
    TEST(singles_are_kept);
    TEST(layouts);
    TEST(near_after_a_round);
    TEST(odd_numbers_do_no_harm);
    TEST(the_largest_numbers);
    TEST(the_table);
    return testing_end();
}
