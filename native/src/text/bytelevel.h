// SPDX-License-Identifier: Apache-2.0
/*
 * The alphabet of byte-level vocabularies: each byte is written as one printable character, so that any bytes make a
 * readable spelling. Printable bytes of Latin-1 stand for themselves; the other 68 are written as U+0100, U+0101, ...
 * in ascending order of the bytes (the scheme of GPT-2).
 */
#ifndef PUNA_TEXT_BYTELEVEL_H
#define PUNA_TEXT_BYTELEVEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character that stands for a byte. */
uint32_t bytelevel_character(uint8_t byte);

/* The bytes that a spelling stands for, at most `length`; false where a character is none of the alphabet. */
bool bytelevel_decode(const char *spelling, size_t length, char *bytes, size_t *count);

#endif
