# SPDX-License-Identifier: Apache-2.0
"""How the PyPI package tokenizers cuts and normalizes strings: native/tests/data/tokenizer/cuts.*, nfc.txt.

    python make_cut_goldens.py

cuts.txt: a string a line, of those in strings.txt (after make_tokenizer_goldens.py) and some that the rules treat
differently. cuts.golden: for each rule `rule: NAME` and a line a string, the bytes of each word; of the string in form C where
the rule normalizes. nfc.txt: strings, and below each its form C. Escapes as in strings.txt.
"""

import random

from tokenizers import normalizers

import corpus
import vocabularies
from golden_lines import escaped
from make_sentencepiece_goldens import strings

OUT = corpus.DATA / "tokenizer"
ODD = ["1234567", "12345678 x", "12½3456", "1234½", "½1234", "abc1234", "1234abc", "x_1234", "1234_x", "1,234,567.89", "٣٤٥٦٧٨", "12Ⅷ345",
       "a1b22c333d4444", "4444 55555\n666666", "HELLO World helloWORLD McDonald's DON'T", "日本語HELLO日本", "你好ABC世界abc 中 文",
       "こんにちは、世界！", "안녕 하세요 한국어ㄱㄴ", "ㄅㄆㄇ…“引”——：；，、〿", "наука и мир 999", "ünïcödé Ünïcödé ǅ ǆ", "e\u0301 a\u0308\u0323x E\u0301A",
       "\u0301abc \u0301\u0323", "नमस्ते दुनिया।", "สวัสดี ครับ", "မင်္ဂလာပါ ភាសាខ្មែរ ລາວ", "<sentinel:123><sentinel:x>", "IMGIMGABCZ IMGIMGABCDEZ IMGIMGZ",
       "a\r\n\r\nb\n\rc\r\r\nd \n e\n", "\n\n\n", "  \n  \n  x", " " * 600 + "x", " " * 1100, "\t\t\tx\t", " " * 7 + "\n" + " " * 9 + "y",
       "x" + "\u3000" * 5 + "y\u3000", "a \u00a0\u2009 b", "//path/to/file.txt\n/", "http://a.b/c?d=e#f\r\n", "#include <x.h>\n\tint a[3]={1,2};",
       "$100 + 20% = £5 ~ `x` ^y| <z>", "...!!!???…。，、।۔،(a)|b", "x . y , z", "'s 'S 'll 'LL' 've're'd 'ſ 'T", "it's IT'S It’s we'd've",
       "🙂👍🏽👨‍👩‍👧 🇫🇷", "\x01\x02\x03abc\x04 \x05", "\u200babc\ufeff\u2060def", "\ue000\ue001x", "\u166d\u111c9 \u2e43\u2e52 \ua9c1", "a_b__c___",
       "don't-stop.now:ok;yes/no\\maybe", "(x) [y] {z} «q» „r“", "1e-10 0xFF 3.14.15 1/2", "x² y₃ z¼ ①②", "Ⓐ1234 1234Ⓐ 12345\u0300",
       "a  b   c    d     e", "K Å Ω ﬁ ｱ ﾞ", "\u0958\u0959 \u09dc \u0344 \u2126\u212b", "\u1100\u1161\u11a8 \uac00\u11a8 \u1161\u11a8"]


def marked(draw) -> str:
    """Letters and marks in any order."""
    marks = [0x300, 0x301, 0x302, 0x303, 0x304, 0x306, 0x307, 0x308, 0x30A, 0x30C, 0x31B, 0x323, 0x327, 0x328, 0x338, 0x340, 0x344, 0x345,
             0x5B0, 0x653, 0x654, 0x93C, 0x94D, 0x9BE, 0xCD5, 0xDCF, 0x1037, 0x1AB0, 0x1DFA, 0x302A, 0x3099, 0x309A, 0x11127, 0x1E2AE, 0x16FF0]
    bases = [*map(ord, "aeiouAEOUcdnsyz<= 1"), 0xE2, 0xEA, 0x1EA1, 0x1A0, 0x3B1, 0x3B9, 0x3C9, 0x1F00, 0x418, 0x438, 0x627, 0x915, 0x928,
             0x9A1, 0x9C7, 0xCC6, 0xDD9, 0x1025, 0x3046, 0x304B, 0x30CF, 0x1100, 0x1161, 0x11A8, 0xAC00, 0xAC01, 0x212B, 0x2126, 0x2ADC,
             0xF900, 0xFB1D, 0x11131, 0x1D15E, 0x105D2, 0x11935]
    return "".join(chr(draw.choice(marks if draw.random() < 0.6 else bases)) for _ in range(draw.randint(1, 9)))


def write(name: str, lines) -> None:
    lines = list(lines)
    (OUT / name).write_bytes(("\n".join(lines) + "\n").encode())
    print(f"{name}: {len(lines)} lines")


if __name__ == "__main__":
    draw = random.Random(7)
    texts = [*ODD, *(t for t in draw.sample(strings("strings.txt"), 400) if 0 < len(t.encode()) < 120)][:260]
    write("cuts.txt", map(escaped, texts))
    lines = []
    for name, cut in vocabularies.PRE_TOKENIZERS.items():
        compose = normalizers.NFC().normalize_str if name in vocabularies.NFC else str
        lines.append(f"rule: {name}")
        # Words come in the byte-level alphabet, a character a byte.
        lines += [" ".join(str(len(word)) for word, _ in cut.pre_tokenize_str(compose(t))) for t in texts]
    write("cuts.golden", lines)
    texts = [*ODD, *(marked(draw) for _ in range(600))]
    write("nfc.txt", [escaped(line) for t in texts for line in (t, normalizers.NFC().normalize_str(t))])
