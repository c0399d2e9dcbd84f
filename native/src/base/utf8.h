// SPDX-License-Identifier: Apache-2.0
/* UTF-8 (RFC 3629): strict, no overlong forms, no surrogates, at most U+10FFFF. */
#ifndef PUNA_BASE_UTF8_H
#define PUNA_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_INVALID 0xFFFFFFFFu

/* The character at text[0..length), length >= 1: its code point and its bytes in *used. Where the bytes are not UTF-8:
   UTF8_INVALID, and *used = 1. */
uint32_t utf8_decode(const char *text, size_t length, size_t *used);

/* Writes a code point; returns its bytes (1 to 4), 0 if it is no Unicode scalar value. */
size_t utf8_encode(uint32_t code_point, char out[4]);

/* Length of the longest prefix of text that holds no cut-off last character: bytes that can't become UTF-8 any more
   count as complete; a valid beginning of a character at the end does not. */
size_t utf8_complete(const char *text, size_t length);

/* Length of the longest valid prefix. */
size_t utf8_valid(const char *text, size_t length);

#endif
