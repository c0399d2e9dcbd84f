#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints what the generated bindings depend on as two checksums: puna.h without comments and white space, and the list of
# names. A change of a comment in puna.h needs no new bindings.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
header=$here/../../native/include/puna.h
code() { # the header without comments, each run of white space one line break
    awk '{
        line = $0; out = ""
        while (length(line) > 0) {
            if (comment) {
                end = index(line, "*/")
                if (end == 0) { line = ""; break }
                line = substr(line, end + 2); comment = 0; out = out " "
            } else {
                start = index(line, "/*"); rest = index(line, "//")
                if (rest > 0 && (start == 0 || rest < start)) { out = out substr(line, 1, rest - 1); line = ""; break }
                if (start == 0) { out = out line; line = ""; break }
                out = out substr(line, 1, start - 1); line = substr(line, start + 2); comment = 1
            }
        }
        print out
    }' "$header" | tr -s ' \t\r' '\n\n\n' | sed '/^$/d'
}
echo "header $(code | sha256sum | cut -d ' ' -f 1)"
echo "names $(sed -e 's/#.*//' -e '/^ *$/d' "$here/includes.txt" | sha256sum | cut -d ' ' -f 1)"
