// SPDX-License-Identifier: Apache-2.0
/*
 * How the families of byte-level vocabularies cut a text into words: the steps of each, for text/pre.def.
 *
 * The patterns are those of the models' own tokenizer.json files (which the package tokenizers reads) where llama.cpp
 * has simpler ones: a model was trained on transformers' ids. An original leaves pieces between its matches; here they
 * are the last alternative, so that a step takes each character once. A step without one looks for the next match.
 *
 * Not at hand were the originals of afmoe, chameleon, exaone-moe, jais-2, seed-coder, superbpe, ufakzeka and youtu:
 * those follow the originals' patterns as llama.cpp's source quotes them, or its own.
 */
#ifndef PUNA_TEXT_PRE_RULES_H
#define PUNA_TEXT_PRE_RULES_H

#include "text/pre.h"

#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES "|\\s+(?!\\S)|\\s+"
#define LINES "|\\s*[\\r\\n]+"
#define WORD "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define MARKS "| ?[^\\s\\p{L}\\p{N}]+"

#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+" MARKS SPACES
#define LLAMA3(numbers) CONTRACTION "|" WORD numbers MARKS "[\\r\\n]*" LINES SPACES

/* Words of capitals, then small letters; letters of scripts without cases, and marks, are both. */
#define CASED(but, tail) \
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}" but "]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}" but "]+" tail \
    "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}" but "]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}" but "]*" tail
#define O200K(tail, numbers) CASED("", tail) "|" numbers MARKS "[\\r\\n/]*" LINES SPACES

/* Runs of a class and of what is not in it; runs with one space in front. */
#define RUNS(class) "[" class "]+|[^" class "]+"
#define LED_RUNS(class) "\\s?[" class "]+"
#define DIGITS "\\p{N}|\\P{N}+"
#define THREES "\\p{N}{1,3}|\\P{N}+"

#define LINE_ENDS "[\\r\\n]|[^\\r\\n]+"
#define ENDING_SPACES "\\s+(?![\\s\\S])|(?:\\s*\\S)+"

#define DEEPSEEK_LETTERS \
    "A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}" \
    "\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}\\x{388}-\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}" \
    "\\x{3A3}-\\x{3F5}\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}" \
    "\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}" \
    "\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}\\x{1F18}-\\x{1F1D}\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}" \
    "\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}" \
    "\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}" \
    "\\x{1FF2}-\\x{1FF4}\\x{1FF6}-\\x{1FFC}\\x{2102}\\x{2107}\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}" \
    "\\x{2124}\\x{2126}\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}" \
    "\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}" \
    "\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}\\x{A771}-\\x{A787}" \
    "\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}" \
    "\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}" \
    "\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}"
#define DEEPSEEK_MARKS \
    "!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}"
#define DEEPSEEK_CJK "\\x{800}-\\x{9FA5}\\x{AC00}-\\x{D7FF}"
#define DEEPSEEK3_CJK "\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{30FF}"
#define DEEPSEEK3(marks) \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+" marks SPACES

/* The range of compatibility ideographs begins at U+F900, which llama.cpp's source spells as U+8C48, as NFC has it. */
#define AFMOE_SCRIPTS \
    "\\x{4E00}-\\x{9FFF}\\x{3400}-\\x{4DBF}\\x{F900}-\\x{FAFF}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}" \
    "\\x{FF65}-\\x{FF9F}\\x{2F00}-\\x{2FDF}\\x{E40}-\\x{E7F}\\x{E80}-\\x{EFF}\\x{1780}-\\x{17FF}" \
    "\\x{1000}-\\x{109F}\\x{AA60}-\\x{AA7F}\\x{A9E0}-\\x{A9FF}\\x{AC00}-\\x{D7AF}\\x{1100}-\\x{11FF}"

#define YOUTU_SCRIPTS \
    "[\\x{AC00}-\\x{D7A3}\\x{3131}-\\x{318E}]+" \
    "|[\\x{FF01}\\x{2026}\\x{201C}\\x{201D}\\x{2018}\\x{2019}\\x{2014}\\x{FF1A}\\x{FF1B}\\x{FF0C}" \
    "\\x{3001}-\\x{303F}\\x{FE30}-\\x{FE4F}]+|[\\x{3105}-\\x{312F}]+|[" DEEPSEEK3_CJK "]+"

/* The punctuation of the package tokenizers: ASCII's marks with the category P of an older Unicode. */
#define NEWER_PUNCTUATION \
    "\\x{61D}\\x{9FD}\\x{A76}\\x{C77}\\x{C84}\\x{1B4E}-\\x{1B4F}\\x{1B7D}-\\x{1B7F}\\x{2E43}-\\x{2E4F}" \
    "\\x{2E52}-\\x{2E5D}\\x{10D6E}\\x{10EAD}\\x{10F55}-\\x{10F59}\\x{10F86}-\\x{10F89}\\x{113D4}-\\x{113D5}" \
    "\\x{113D7}-\\x{113D8}\\x{1144B}-\\x{1144F}\\x{1145A}-\\x{1145B}\\x{1145D}\\x{11660}-\\x{1166C}\\x{116B9}" \
    "\\x{1183B}\\x{11944}-\\x{11946}\\x{119E2}\\x{11A3F}-\\x{11A46}\\x{11A9A}-\\x{11A9C}\\x{11A9E}-\\x{11AA2}" \
    "\\x{11B00}-\\x{11B09}\\x{11BE1}\\x{11C41}-\\x{11C45}\\x{11C70}-\\x{11C71}\\x{11EF7}-\\x{11EF8}" \
    "\\x{11F43}-\\x{11F4F}\\x{11FFF}\\x{12FF1}-\\x{12FF2}\\x{16D6D}-\\x{16D6F}\\x{16E97}-\\x{16E9A}\\x{16FE2}" \
    "\\x{1E5FF}\\x{1E95E}-\\x{1E95F}"
#define PUNCTUATION "\\p{P}$+<=>\\^`|~\\x{166D}\\x{111C9}&&[^" NEWER_PUNCTUATION "]"

/* The marks that end a word of BLOOM's; all else is a word, with a space in front if there is one. */
#define BLOOM_ENDS "()|\\s.,!?\\x{2026}\\x{3002}\\x{FF0C}\\x{3001}\\x{964}\\x{6D4}\\x{60C}"
#define BLOOM " ?[^" BLOOM_ENDS "]+|(?:[" BLOOM_ENDS "&&[^ ]]| (?![^" BLOOM_ENDS "]))+"

/* \w of the library behind tokenizers, but for the digits: it ends what may be cut in threes. */
#define WORD_LETTERS \
    "\\p{L}\\p{M}\\p{Nl}\\p{Pc}\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}\\x{24B6}-\\x{24E9}\\x{1F130}-\\x{1F149}" \
    "\\x{1F150}-\\x{1F169}\\x{1F170}-\\x{1F189}"
#define WHOLE_NUMBERS "\\d+(?![\\d" WORD_LETTERS "])|(?:\\D|\\d+[" WORD_LETTERS "])+"

#define CUT(name, ...) static const pre_rule name = {.steps = {__VA_ARGS__}};

CUT(rule_gpt2, {PRE_CUT, GPT2})
CUT(rule_digits, {PRE_CUT, DIGITS}, {PRE_CUT, GPT2})
CUT(rule_llama3, {PRE_CUT, LLAMA3("\\p{N}{1,3}")})
CUT(rule_qwen2, {PRE_CUT, LLAMA3("\\p{N}")})
CUT(rule_qwen35, {PRE_CUT,
    CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"
                  LINES SPACES})
CUT(rule_minicpm5, {PRE_CUT, THREES}, {PRE_CUT, LLAMA3("\\p{N}+")})
CUT(rule_seed_coder, {PRE_CUT, CONTRACTION "|" WORD "\\p{N}| ?[^\\s\\p{L}\\p{N}\\r\\n]+" LINES SPACES})
CUT(rule_bailing, {PRE_CUT, CONTRACTION "|" WORD "\\p{N}" MARKS "[\\r\\n]*|\\s*[\\r\\n]" SPACES})
CUT(rule_ufakzeka, {PRE_CUT, WORD "\\p{N}" MARKS "[\\r\\n]*" LINES SPACES})
CUT(rule_exaone_moe, {PRE_CUT, CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}" MARKS
                      "[\\r\\n/]?|\\s*[\\r\\n]" SPACES})
/* The original has one pattern, in which spaces are cut by \s{512}(?!\S)|\s{256}(?!\S)|...: what llama3 takes as a
   piece of spaces, cut from the left. As a step of its own it takes no quadratic time. */
CUT(rule_jais2, {PRE_CUT, LLAMA3("\\p{N}{1,3}")},
    {PRE_CUT_BLANKS, "\\s{512}|\\s{256}|\\s{128}|\\s{64}|\\s{32}|\\s{16}|\\s{8}|\\s{4}|\\s{1,2}"})

/* Runs of line ends begin a piece. (llama.cpp makes them pieces of their own.) */
CUT(rule_laguna, {PRE_CUT, "(?:\\r?\\n)+(?:[^\\r\\n]|\\r(?!\\n))*|(?:[^\\r\\n]|\\r(?!\\n))+"},
    {PRE_CUT, LLAMA3("\\p{N}")})

CUT(rule_tekken, {PRE_CUT, O200K("", "\\p{N}")})
CUT(rule_o200k, {PRE_CUT, O200K(CONTRACTION "?", "\\p{N}{1,3}")})
CUT(rule_kimi, {PRE_CUT,
    "\\p{Han}+|" CASED("&&[^\\p{Han}]", CONTRACTION "?") "|\\p{N}{1,3}" MARKS "[\\r\\n]*" LINES SPACES})
CUT(rule_youtu, {PRE_CUT, YOUTU_SCRIPTS}, {PRE_CUT, O200K(CONTRACTION "?", "\\p{N}")})

/* Digits in threes from the right: all runs that no letter follows; all; zero-width, as SuperBPE has it. */
CUT(rule_tiny_aya, {PRE_CUT, WHOLE_NUMBERS}, {PRE_CUT_THREES, "\\d+"}, {PRE_CUT, O200K(CONTRACTION "?", "\\p{N}{1,3}")})
CUT(rule_afmoe, {PRE_CUT, RUNS("\\p{N}")}, {PRE_CUT_THREES, "\\p{N}+"}, {PRE_CUT, RUNS(AFMOE_SCRIPTS)},
    {PRE_CUT, DEEPSEEK3("| ?[\\p{P}\\p{S}]+[\\r\\n]*" LINES)})
CUT(rule_superbpe, {PRE_CUT, RUNS("\\p{N}")}, {PRE_CUT_BEFORE_THREES, "\\d+"})

CUT(rule_deepseek, {PRE_CUT, LINE_ENDS}, {PRE_CUT, LED_RUNS(DEEPSEEK_LETTERS)}, {PRE_CUT, LED_RUNS(DEEPSEEK_MARKS)},
    {PRE_CUT, ENDING_SPACES}, {PRE_CUT, RUNS(DEEPSEEK_CJK)}, {PRE_CUT, DIGITS})
CUT(rule_deepseek_coder, {PRE_CUT, LINE_ENDS}, {PRE_CUT, LED_RUNS("\\p{L}")}, {PRE_CUT, LED_RUNS("\\p{P}")},
    {PRE_CUT, RUNS(DEEPSEEK_CJK)}, {PRE_CUT, DIGITS})
CUT(rule_deepseek3, {PRE_CUT, THREES}, {PRE_CUT, RUNS(DEEPSEEK3_CJK)},
    {PRE_CUT, DEEPSEEK3("| ?[\\p{P}\\p{S}]+[\\r\\n]*" LINES)})
CUT(rule_spark, {PRE_CUT, THREES}, {PRE_CUT, RUNS(DEEPSEEK3_CJK)}, {PRE_CUT, DEEPSEEK3("| ?[\\p{P}\\p{S}]+|[\\r\\n]")},
    {PRE_CUT, DIGITS})

/* Falcon's last two steps see the byte-level alphabet, in which B2, B3, B9, BC, BD and BE are digits, too: it cuts
   within characters ("м" is D0 BC). llama.cpp does not. */
CUT(rule_falcon, {PRE_CUT, RUNS(PUNCTUATION)}, {PRE_CUT, GPT2}, {PRE_CUT_BYTES, RUNS("\\p{N}")},
    {PRE_CUT_BYTES, "[0-9][0-9][0-9]"})
CUT(rule_chameleon, {PRE_CUT, "<sentinel:[0-9]+>"}, {PRE_CUT, "IMGIMG[A-I]{1,4}Z"}, {PRE_CUT, "[\\t\\n]|    |  "},
    {PRE_CUT, DIGITS}, {PRE_CUT, "[" PUNCTUATION "]|[^" PUNCTUATION "]+"}, {PRE_CUT, GPT2})
CUT(rule_bloom, {PRE_CUT, BLOOM})
CUT(rule_viking, {PRE_CUT, BLOOM}, {PRE_CUT, DIGITS})

/* llama.cpp's own, for files that name none of the others. */
CUT(rule_default, {PRE_CUT, RUNS("\\p{P}$+<=>\\^~|")}, {PRE_CUT, GPT2}, {PRE_CUT, RUNS("\\p{N}")},
    {PRE_CUT, "[0-9][0-9][0-9]"})

#undef CUT

#endif
