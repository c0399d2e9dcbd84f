// SPDX-License-Identifier: Apache-2.0
/* base/regex: [failing allocation][pattern] 0 [text]. A pattern compiles or is refused in bounded time and memory; a
   match lies inside the text, and is the same where more text follows that it can't reach. */
#include <stdlib.h>
#include <string.h>

#include "base/regex.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input in = {data, size};
    uint32_t fail = fuzz_byte(&in);
    size_t left;
    const char *rest = fuzz_take(&in, 1 << 14, &left);
    char *pattern = malloc(left + 1);
    FUZZ_CHECK(pattern);
    memcpy(pattern, rest, left);
    pattern[left] = 0;
    size_t used = strlen(pattern) + 1;
    const char *text = used < left ? rest + used : "";
    size_t length = used < left ? left - used : 0;

    memory_account account;
    memory_account_init(&account);
    puna_error error = PUNA_ERROR_INIT;
    regex *automaton = NULL;
    fuzz_fail_after(fail < 200 ? 0 : fail - 199);
    puna_status status = regex_compile(&account, pattern, &automaton, &error);
    fuzz_no_faults();
    fuzz_check_error(status, &error);
    FUZZ_CHECK(status == PUNA_OK || status == PUNA_INVALID_ARGUMENT || status == PUNA_UNSUPPORTED
               || status == PUNA_OUT_OF_MEMORY);
    FUZZ_CHECK(account.peak < (uint64_t)64 << 20);
    if (status == PUNA_OK) {
        for (size_t at = 0; at <= length;) {
            size_t matched = regex_match(automaton, text + at, length - at);
            FUZZ_CHECK(matched <= length - at);
            at += matched ? matched : 1;
        }
    } else {
        FUZZ_CHECK(automaton == NULL);
        if (status == PUNA_INVALID_ARGUMENT) FUZZ_CHECK(error.offset <= strlen(pattern));
    }
    regex_free(&account, automaton);
    FUZZ_CHECK(memory_used(&account) == 0);
    free(pattern);
    return 0;
}
