// SPDX-License-Identifier: Apache-2.0
#include "text/bytelevel.h"

#include "base/utf8.h"

static bool stands_for_itself(uint32_t byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

uint32_t bytelevel_character(uint8_t byte) {
    if (stands_for_itself(byte)) return byte;
    if (byte <= 0x20) return 0x100u + byte;          /* 0x00 to 0x20: 33 bytes */
    if (byte <= 0xA0) return 0x121u + (byte - 0x7Fu); /* 0x7F to 0xA0: 34 bytes */
    return 0x143u;                                   /* 0xAD */
}

static bool byte_of(uint32_t character, char *byte) {
    uint32_t value;
    if (character <= 0xFF && stands_for_itself(character)) value = character;
    else if (character >= 0x100 && character <= 0x120) value = character - 0x100;
    else if (character >= 0x121 && character <= 0x142) value = character - 0x121 + 0x7F;
    else if (character == 0x143) value = 0xAD;
    else return false;
    *byte = (char)(unsigned char)value;
    return true;
}

bool bytelevel_decode(const char *spelling, size_t length, char *bytes, size_t *count) {
    size_t at = 0, written = 0, used;
    while (at < length) {
        uint32_t character = utf8_decode(spelling + at, length - at, &used);
        if (!byte_of(character, &bytes[written])) return false;
        written++;
        at += used;
    }
    *count = written;
    return true;
}
