# SPDX-License-Identifier: Apache-2.0
"""Writes native/src/base/unicode_table.c from the Unicode Character Database.

    pip install unicodedata2==16.0.0 regex
    python tools/make_unicode.py            # writes the table
    python tools/make_unicode.py --check    # exit status 1 if the file is not what would be written

The categories come from the package unicodedata2, whose version is the Unicode version; White_Space comes from the package
regex (the property has not changed since Unicode 6.3). The version is chosen, not the newest: 16.0 is what the
Oniguruma library inside the package tokenizers knows, and a text has to be cut into words exactly as there.
"""
import importlib.metadata
import pathlib
import sys

import regex
import unicodedata2

UNICODE = "16.0.0"
TARGET = pathlib.Path(__file__).resolve().parent.parent / "native/src/base/unicode_table.c"
CATEGORIES = ("Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co").split()


def runs(value):
    """(first code point, value) wherever the value differs from the code point's before."""
    before = None
    for code_point in range(0x110000):
        now = value(chr(code_point))
        if now != before:
            yield code_point, now
            before = now


def rows(cells, width=8):
    return "\n".join("    " + " ".join(cells[i:i + width]) for i in range(0, len(cells), width))


def table():
    if unicodedata2.unidata_version != UNICODE:
        sys.exit(f"unicodedata2 is {unicodedata2.unidata_version}; this needs unicodedata2=={UNICODE}")
    number = {name: index for index, name in enumerate(CATEGORIES)}
    categories = [f"0x{first:06X}{number[name]:02X}," for first, name in runs(unicodedata2.category)]
    space = regex.compile(r"\p{White_Space}")
    edges = [(first, is_space) for first, is_space in runs(lambda c: space.fullmatch(c) is not None)]
    spaces = [f"{{0x{first:04X}, 0x{edges[i + 1][0] - 1:04X}}}," for i, (first, is_space) in enumerate(edges) if is_space]
    return f"""// SPDX-License-Identifier: Apache-2.0
/* Written by tools/make_unicode.py: general categories of Unicode {UNICODE} (package unicodedata2
   {importlib.metadata.version("unicodedata2")}), White_Space (package regex). Do not edit. */
#include "base/unicode.h"

const char unicode_version[] = "{UNICODE}";

const uint32_t unicode_runs[] = {{
{rows(categories)}
}};
const size_t unicode_run_count = sizeof unicode_runs / sizeof unicode_runs[0];

const unicode_range unicode_spaces[] = {{
{rows(spaces, 6)}
}};
const size_t unicode_space_count = sizeof unicode_spaces / sizeof unicode_spaces[0];
"""


def main():
    text = table()
    if "--check" in sys.argv[1:]:
        # The packages' patch versions may differ; the tables may not.
        body = lambda s: s[s.index("const char"):]
        if body(TARGET.read_text()) != body(text):
            sys.exit(f"{TARGET} is not what tools/make_unicode.py writes")
        print(f"{TARGET.name}: as generated, Unicode {UNICODE}")
    else:
        TARGET.write_text(text)


main()
