// SPDX-License-Identifier: Apache-2.0
#include "base/unicode.h"

unicode_category unicode_category_of(uint32_t code_point) {
    if (code_point > UNICODE_LAST) return UNICODE_CN;
    size_t low = 0, high = unicode_run_count; /* the run lies in [low, high) */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (unicode_runs[middle] >> 8 <= code_point) low = middle;
        else high = middle;
    }
    return (unicode_category)(unicode_runs[low] & 0xFF);
}

bool unicode_is_space(uint32_t code_point) {
    for (size_t i = 0; i < unicode_space_count && unicode_spaces[i].first <= code_point; i++) {
        if (code_point <= unicode_spaces[i].last) return true;
    }
    return false;
}

uint32_t unicode_categories_named(const char *name, size_t length) {
    static const char names[UNICODE_CATEGORIES][3] = {
        "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
        "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
    };
    uint32_t bits = 0;
    if (length < 1 || length > 2) return 0;
    for (uint32_t i = 0; i < UNICODE_CATEGORIES; i++) {
        if (names[i][0] == name[0] && (length == 1 || names[i][1] == name[1])) bits |= 1u << i;
    }
    return bits;
}
