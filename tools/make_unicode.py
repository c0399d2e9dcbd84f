# SPDX-License-Identifier: Apache-2.0
"""Writes native/src/base/unicode_table.c and normalize_table.c from the Unicode Character Database.

    pip install unicodedata2==16.0.0 regex
    python tools/make_unicode.py            # writes the tables
    python tools/make_unicode.py --check    # exit status 1 if the files are not what would be written

The categories come from the package unicodedata2, whose version is the Unicode version; White_Space comes from the package
regex (the property has not changed since Unicode 6.3), and so does the script Han, of which only what 16.0 assigns is
taken. The version is chosen, not the newest: 16.0 is what the Oniguruma library inside the package tokenizers knows, and
a text has to be cut into words exactly as there.

Normalizing is of another version there, 9.0: what later versions gave a combining class or a decomposition (NEWER) is left
as it is. The list was found by comparing tokenizers.normalizers.NFC with unicodedata2 16.0 on every character that has one
or the other; ci/text compares again.
"""
import importlib.metadata
import pathlib
import sys

import regex
import unicodedata2

UNICODE = "16.0.0"
BASE = pathlib.Path(__file__).resolve().parent.parent / "native/src/base"
NEWER = [
    (0x7FD, 0x7FD), (0x897, 0x89F), (0x8CA, 0x8D3), (0x9FE, 0x9FE), (0xC3C, 0xC3C), (0xD3B, 0xD3C), (0xEBA, 0xEBA),
    (0x1715, 0x1715), (0x1ABF, 0x1ACE), (0x1DF6, 0x1DFA), (0xA82C, 0xA82C), (0x105C9, 0x105C9), (0x105E4, 0x105E4),
    (0x10D24, 0x10D27), (0x10D69, 0x10D6D), (0x10EAB, 0x10EAC), (0x10EFD, 0x10EFF), (0x10F46, 0x10F50), (0x10F82, 0x10F85),
    (0x11070, 0x11070), (0x1133B, 0x1133B), (0x11383, 0x11385), (0x1138E, 0x11391), (0x113C5, 0x113D0), (0x1145E, 0x1145E),
    (0x11839, 0x1183A), (0x11938, 0x11943), (0x119E0, 0x119E0), (0x11A34, 0x11A34), (0x11A47, 0x11A47), (0x11A99, 0x11A99),
    (0x11D42, 0x11D45), (0x11D97, 0x11D97), (0x11F41, 0x11F42), (0x16121, 0x16128), (0x1612F, 0x1612F), (0x16D68, 0x16D6A),
    (0x16FF0, 0x16FF1), (0x1E08F, 0x1E08F), (0x1E130, 0x1E136), (0x1E2AE, 0x1E2AE), (0x1E2EC, 0x1E2EF), (0x1E4EC, 0x1E4EF),
    (0x1E5EE, 0x1E5EF)]
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


def ranges(holds, width=6):
    """Rows of {first, last}."""
    edges = [*runs(holds), (0x110000, False)]
    cells = [f"{{0x{first:04X}, 0x{edges[i + 1][0] - 1:04X}}}," for i, (first, held) in enumerate(edges) if held]
    return rows(cells, width)


def head(what):
    return f"// SPDX-License-Identifier: Apache-2.0\n/* Written by tools/make_unicode.py: {what} Do not edit. */\n"


def categories():
    number = {name: index for index, name in enumerate(CATEGORIES)}
    cells = [f"0x{first:06X}{number[name]:02X}," for first, name in runs(unicodedata2.category)]
    space, han = regex.compile(r"\p{White_Space}"), regex.compile(r"\p{Han}")
    return head(f"""general categories of Unicode {UNICODE} (package unicodedata2
   {importlib.metadata.version("unicodedata2")}), White_Space and the script Han (package regex).""") + f"""#include "base/unicode.h"

const char unicode_version[] = "{UNICODE}";

const uint32_t unicode_runs[] = {{
{rows(cells)}
}};
const size_t unicode_run_count = sizeof unicode_runs / sizeof unicode_runs[0];

const unicode_range unicode_spaces[] = {{
{ranges(lambda c: space.fullmatch(c) is not None)}
}};
const size_t unicode_space_count = sizeof unicode_spaces / sizeof unicode_spaces[0];

const unicode_range unicode_han[] = {{
{ranges(lambda c: han.fullmatch(c) is not None and unicodedata2.category(c) != "Cn")}
}};
const size_t unicode_han_count = sizeof unicode_han / sizeof unicode_han[0];
"""


def normalizing():
    newer = {c for first, last in NEWER for c in range(first, last + 1)}
    combining = lambda c: 0 if ord(c) in newer else unicodedata2.combining(c)
    classes = [*runs(combining), (0x110000, 0)]
    pairs = []  # character, first, second or 0, whether the two never become the character
    for c in map(chr, range(0x110000)):
        parts = unicodedata2.decomposition(c)
        if parts and parts[0] != "<" and ord(c) not in newer:
            parts = [int(p, 16) for p in parts.split()] + [0]
            decomposed = unicodedata2.normalize("NFD", c)
            pairs.append((ord(c), parts[0], parts[1], unicodedata2.normalize("NFC", decomposed) != c))
    composing = sorted((first, second, i) for i, (_, first, second, excluded) in enumerate(pairs) if not excluded)
    seconds = {second for _, second, _ in composing} | {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
    changing = {c for c, _, _, excluded in pairs if excluded}
    unsure = lambda c: combining(c) != 0 or ord(c) in seconds or ord(c) in changing
    return head(f"""canonical decompositions and combining classes of Unicode 9.0 (package
   unicodedata2 {importlib.metadata.version("unicodedata2")}, less what is newer).""") + f"""#include "base/normalize_table.h"

const normalize_class normalize_classes[] = {{
{rows([f"{{0x{first:04X}, 0x{classes[i + 1][0] - 1:04X}, {held}}}," for i, (first, held) in enumerate(classes[:-1]) if held], 5)}
}};
const size_t normalize_class_count = sizeof normalize_classes / sizeof normalize_classes[0];

const normalize_pair normalize_pairs[] = {{
{rows([f"{{0x{c:04X}, 0x{first:04X}, 0x{second:04X}}}," for c, first, second, _ in pairs], 4)}
}};
const size_t normalize_pair_count = sizeof normalize_pairs / sizeof normalize_pairs[0];

const uint16_t normalize_compositions[] = {{
{rows([f"{i}," for _, _, i in composing], 16)}
}};
const size_t normalize_composition_count = sizeof normalize_compositions / sizeof normalize_compositions[0];

const unicode_range normalize_unsure[] = {{
{ranges(unsure)}
}};
const size_t normalize_unsure_count = sizeof normalize_unsure / sizeof normalize_unsure[0];
"""


def main():
    if unicodedata2.unidata_version != UNICODE:
        sys.exit(f"unicodedata2 is {unicodedata2.unidata_version}; this needs unicodedata2=={UNICODE}")
    for name, text in (("unicode_table.c", categories()), ("normalize_table.c", normalizing())):
        target = BASE / name
        if "--check" not in sys.argv[1:]:
            target.write_text(text)
            continue
        # The packages' patch versions may differ; the tables may not.
        body = lambda s: s[s.index("#include"):]
        if body(target.read_text()) != body(text):
            sys.exit(f"{target} is not what tools/make_unicode.py writes")
        print(f"{name}: as generated, Unicode {UNICODE}")


main()
