// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

/* What a first byte promises: its length (0: can't begin a character) and the range of the second byte, which is what
   keeps out overlong forms, surrogates and anything beyond U+10FFFF. */
typedef struct utf8_lead { uint8_t length, low, high; } utf8_lead;

static utf8_lead lead_of(uint8_t b) {
    if (b < 0x80) return (utf8_lead){ 1, 0, 0 };
    if (b < 0xC2) return (utf8_lead){ 0, 0, 0 };
    if (b < 0xE0) return (utf8_lead){ 2, 0x80, 0xBF };
    if (b == 0xE0) return (utf8_lead){ 3, 0xA0, 0xBF };
    if (b == 0xED) return (utf8_lead){ 3, 0x80, 0x9F };
    if (b < 0xF0) return (utf8_lead){ 3, 0x80, 0xBF };
    if (b == 0xF0) return (utf8_lead){ 4, 0x90, 0xBF };
    if (b < 0xF4) return (utf8_lead){ 4, 0x80, 0xBF };
    if (b == 0xF4) return (utf8_lead){ 4, 0x80, 0x8F };
    return (utf8_lead){ 0, 0, 0 };
}

/* How many of the bytes fit the character that text[0] begins: its length if whole, less if wrong or cut off. */
static size_t fitting(const char *text, size_t length, utf8_lead lead) {
    size_t i = 1;
    for (; i < lead.length && i < length; i++) {
        uint8_t b = (uint8_t)text[i];
        uint8_t low = i == 1 ? lead.low : 0x80, high = i == 1 ? lead.high : 0xBF;
        if (b < low || b > high) break;
    }
    return i;
}

uint32_t utf8_decode(const char *text, size_t length, size_t *used) {
    uint8_t first = (uint8_t)text[0];
    *used = 1;
    if (first < 0x80) return first;
    utf8_lead lead = lead_of(first);
    if (lead.length == 0 || lead.length > length || fitting(text, length, lead) != lead.length) return UTF8_INVALID;
    uint32_t c = first & (0x7Fu >> lead.length);
    for (size_t i = 1; i < lead.length; i++) c = c << 6 | ((uint8_t)text[i] & 0x3Fu);
    *used = lead.length;
    return c;
}

size_t utf8_encode(uint32_t c, char out[4]) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        if (c >= 0xD800 && c < 0xE000) return 0;
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    if (c > 0x10FFFF) return 0;
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

size_t utf8_complete(const char *text, size_t length) {
    /* A cut-off character is at most three bytes long: look for its first byte from the end. */
    for (size_t back = 1; back <= 3 && back <= length; back++) {
        const char *at = text + length - back;
        uint8_t b = (uint8_t)*at;
        if ((b & 0xC0) == 0x80) continue;
        utf8_lead lead = lead_of(b);
        return lead.length > back && fitting(at, back, lead) == back ? length - back : length;
    }
    return length;
}

size_t utf8_valid(const char *text, size_t length) {
    size_t at = 0;
    while (at < length) {
        size_t step;
        if (utf8_decode(text + at, length - at, &step) == UTF8_INVALID) break;
        at += step;
    }
    return at;
}
