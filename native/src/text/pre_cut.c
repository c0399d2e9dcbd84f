// SPDX-License-Identifier: Apache-2.0
/* Cutting: from the outermost step to the innermost, each within the piece of the one before. */
#include "base/unicode.h"
#include "base/utf8.h"
#include "text/pre.h"

static size_t match(const pre *p, size_t step, const char *text, size_t length) {
    bool bytes = p->rule->steps[step].way == PRE_CUT_BYTES;
    return bytes ? regex_match_bytes(p->patterns[step], text, length) : regex_match(p->patterns[step], text, length);
}

static size_t character(const char *text, size_t length) {
    size_t used;
    (void)utf8_decode(text, length, &used);
    return used;
}

/* Bytes of the first characters. */
static size_t characters(const char *text, size_t length, size_t count) {
    size_t at = 0;
    for (; count && at < length; count--) at += character(text + at, length - at);
    return at;
}

static size_t count_characters(const char *text, size_t length) {
    size_t count = 0;
    for (size_t at = 0; at < length; count++) at += character(text + at, length - at);
    return count;
}

/* A match, or all up to the next one. */
static size_t cut(const pre *p, size_t step, const char *text, size_t length) {
    bool bytes = p->rule->steps[step].way == PRE_CUT_BYTES;
    size_t at = match(p, step, text, length);
    if (at) return at;
    do at += bytes ? 1 : character(text + at, length - at);
    while (at < length && !match(p, step, text + at, length - at));
    return at;
}

static size_t cut_threes(const pre *p, size_t step, pre_cutter *cutter, size_t end) {
    const char *text = cutter->text + cutter->at;
    size_t length = end - cutter->at;
    if (cutter->at < cutter->run_end) return characters(text, length, 3);
    if (match(p, step, text, length) < length) return length;
    size_t rest = count_characters(text, length) % 3;
    cutter->run_end = end;
    return characters(text, length, rest ? rest : 3);
}

static size_t cut_before_threes(const pre *p, size_t step, pre_cutter *cutter, size_t end) {
    size_t begin = cutter->at, at = begin;
    if (at < cutter->run_end) {
        at += characters(cutter->text + at, end - at, 3);
        if (at < cutter->run_end) return at - begin;
    }
    while (at < end) {
        const char *text = cutter->text + at;
        size_t run = match(p, step, text, end - at);
        if (!run) {
            at += character(text, end - at);
            continue;
        }
        size_t count = count_characters(text, run), first = count % 3;
        if (first == 0 && at == begin) first = 3;
        if (first < count) {
            cutter->run_end = at + run;
            return at + characters(text, run, first) - begin;
        }
        at += run;
    }
    return at - begin;
}

static bool ends_blank(const char *text, size_t length) {
    size_t begin = length - 1, used;
    while (begin > 0 && length - begin < 4 && ((unsigned char)text[begin] & 0xC0) == 0x80) begin--;
    return text[begin] != '\r' && text[begin] != '\n'
        && unicode_is_space(utf8_decode(text + begin, length - begin, &used));
}

static size_t take(const pre *p, size_t step, pre_cutter *cutter, size_t end) {
    switch (p->rule->steps[step].way) {
    case PRE_CUT_BLANKS:
        if (!ends_blank(cutter->text + cutter->at, end - cutter->at)) return end - cutter->at;
        return cut(p, step, cutter->text + cutter->at, end - cutter->at);
    case PRE_CUT_THREES: return cut_threes(p, step, cutter, end);
    case PRE_CUT_BEFORE_THREES: return cut_before_threes(p, step, cutter, end);
    default: return cut(p, step, cutter->text + cutter->at, end - cutter->at);
    }
}

size_t pre_next(const pre *p, pre_cutter *cutter, const char **word) {
    size_t end = cutter->length, begin = cutter->at;
    if (begin == end) return 0;
    *word = cutter->text + begin;
    for (size_t step = 0; step < p->step_count; step++) {
        if (cutter->ends[step] == begin) cutter->ends[step] += take(p, step, cutter, end);
        end = cutter->ends[step];
    }
    cutter->at = end;
    return end - begin;
}
