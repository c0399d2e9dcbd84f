# SPDX-License-Identifier: Apache-2.0
"""Writes native/src/text/bert_table.c: how BERT's normalizer and pre-tokenizer take each code point.

    pip install tokenizers==0.23.3
    python tools/make_bert_table.py            # writes the table
    python tools/make_bert_table.py --check    # exit status 1 if the file is not what would be written

The PyPI package tokenizers is asked about every code point by itself, since its parts know different versions of Unicode:
what clean_text drops or takes for a space, what handle_chinese_chars sets apart, which marks strip_accents drops, which
characters BertPreTokenizer cuts at or drops, and what lowercase makes of each.
"""
import pathlib
import sys

from tokenizers import normalizers, pre_tokenizers

OUT = pathlib.Path(__file__).resolve().parent.parent / "native/src/text/bert_table.c"
DROPPED, SPACE, BLANK, PUNCTUATION, MARK, HAN = 1, 2, 4, 8, 16, 32
OFF = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)


def normalizer(name):
    return normalizers.BertNormalizer(**OFF | {name: True}).normalize_str


CLEAN, CHINESE, STRIP, LOWER = map(normalizer, ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"))
CUT = pre_tokenizers.BertPreTokenizer().pre_tokenize_str


def bits(c):
    cleaned, pieces = CLEAN(f"a{c}b"), [p for p, _ in CUT(f"a{c}b")]
    value = DROPPED * (cleaned == "ab") | SPACE * (cleaned == "a b") | HAN * (CHINESE(c) != c) | MARK * (STRIP(c) == "")
    return value | PUNCTUATION * (pieces == ["a", c, "b"]) | BLANK * (pieces == ["a", "b"])


def rows(cells, width):
    return "\n".join("    " + " ".join(cells[i:i + width]) for i in range(0, len(cells), width))


def runs(points):
    before, cells = None, []
    for point in points:
        now = 0 if 0xD800 <= point <= 0xDFFF else bits(chr(point))
        if now != before:
            cells.append(f"0x{point:06X}{now:02X},")
            before = now
    return cells


def lower(points):
    """Stretches of characters `step` apart whose lower case is `delta` away; what becomes two characters is told apart."""
    found, two = [], []
    for point in points:
        after = "" if 0xD800 <= point <= 0xDFFF else LOWER(chr(point))
        if len(after) > 1:
            two.append((point, *map(ord, after)))
        elif after and ord(after) != point:
            found.append((point, ord(after) - point))
    cells, i = [], 0
    while i < len(found):
        first, delta = found[i]
        step = found[i + 1][0] - first if i + 1 < len(found) and found[i + 1] in ((first + 1, delta), (first + 2, delta)) else 1
        last = first
        while i + 1 < len(found) and found[i + 1] == (last + step, delta):
            i, last = i + 1, last + step
        cells.append(f"{{0x{first:04X}, 0x{last:04X}, {step}, {delta}}},")
        i += 1
    if two != [(0x130, 0x69, 0x307)]:
        raise SystemExit(f"more than one character becomes two: {two}")
    return cells


def table():
    return f"""// SPDX-License-Identifier: Apache-2.0
/* Written by tools/make_bert_table.py from the PyPI package tokenizers. Do not edit. */
#include "text/bert_table.h"

const uint32_t bert_runs[] = {{
{rows(runs(range(0x110000)), 9)}
}};
const size_t bert_run_count = sizeof bert_runs / sizeof bert_runs[0];

const bert_lower bert_lowers[] = {{
{rows(lower(range(0x110000)), 4)}
}};
const size_t bert_lower_count = sizeof bert_lowers / sizeof bert_lowers[0];
"""


if __name__ == "__main__":
    if "--check" in sys.argv:
        same = OUT.read_text() == table()
        print(f"{OUT.name} is {'what' if same else 'not what'} tools/make_bert_table.py writes")
        sys.exit(0 if same else 1)
    OUT.write_text(table())
