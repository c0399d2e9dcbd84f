# SPDX-License-Identifier: Apache-2.0
"""Thousands of strings in many scripts and their ids by the PyPI package tokenizers: native/tests/data/tokenizer.

    python make_tokenizer_goldens.py SMOLLM2.gguf

Writes strings.txt and special.txt (a string a line), four tiny vocabularies, one a pre-tokenizer, and for each of them and
for SmolLM2's vocabulary (which stays where it is: the argument) the ids, line for line. native/tests/data/README.md has
the formats.
"""

import random
import sys
import unicodedata

from gguf import GGUFWriter

import corpus
import vocabularies
from golden_lines import escaped

OUT = corpus.DATA / "tokenizer"
SIZE = 2048
SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\r", " \n", "\n ", "\t\t", "\v", "\f", "\x85", "\u00a0", "\u1680",
          "\u2003", "\u2009", "\u200b", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff", "\x1c", "\x1f"]
MARKS = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + ["...", "--", "—", "…", "«", "»", "“", "”", "‘", "’", "、", "。", "？", "،",
                                                      "؟", "।", "->", "=>", "::", "//", "/*", "*/", "##", "```", "¡", "¿", "·", "№"]
NUMBERS = ["0", "7", "10", "42", "007", "123", "1234", "12345", "1234567890", "3.14", "1,000,000", "1e-5", "0x1F", "½", "²",
           "x²", "Ⅷ", "①", "١٩٨٤", "۱۲۳", "१२३४", "๑๒๓", "〇一二", "１２３", "𝟘𝟙𝟚", "1a2b3c", "9½", "1²3", "৪৫", "㊿", "12三4"]
CONTRACTIONS = [w + a + s for w in ("I", "they", "don", "X", " ", "", "9") for a in ("'", "’", "''", " '", "' ")
                for s in ("s", "t", "re", "ve", "m", "ll", "d", "S", "T", "RE", "Ve", "M", "lL", "D", "x", "sx", "l", "r", "")]
ODD = ["\x00", "\x01", "\x07", "\x08", "\x1b[0m", "\x7f", "\x80", "\x9f", "\u00ad", "\u0300", "\u0301\u0323", "e\u0301",
       "\u00e9", "\u200d", "\u200c", "\u202e", "\u2060", "\u034f", "\u0378", "\u0e5c", "\ue000", "\uf8ff", "\ufdd0", "\ufffd",
       "\ufffe", "\uffff", "\U0001f1e6", "\U0001f3fd", "\ufe0f", "\U000e0001", "\U000f0000", "\U0010ffff", "\u1100\u1161\u11a8",
       "\uac01", "\ufb01", "\u0130", "\u0131", "\u1e9e", "\u00df", "\u01c5", "\u02b0", "\u0374", "\u1d2c", "\U0001d400", "\U00020000",
       "\u20ac", "\u2163", "\u00aa", "\u0903", "\u0488", "\u180b", "\ua9b4", "\U0001f469\u200d\U0001f4bb"]
RANGES = [(0x20, 0x7e), (0xa0, 0xff), (0x100, 0x24f), (0x250, 0x2ff), (0x300, 0x36f), (0x370, 0x3ff), (0x400, 0x52f),
          (0x531, 0x58f), (0x591, 0x5f4), (0x600, 0x6ff), (0x700, 0x74f), (0x901, 0x97f), (0x981, 0x9fb), (0xa01, 0xa75),
          (0xb82, 0xbfa), (0xe01, 0xe5b), (0xe81, 0xedf), (0xf00, 0xfda), (0x1000, 0x109f), (0x10a0, 0x10ff), (0x1100, 0x11ff),
          (0x1200, 0x137c), (0x13a0, 0x13f4), (0x1780, 0x17f9), (0x1800, 0x1878), (0x1e00, 0x1eff), (0x1f00, 0x1ffe),
          (0x2000, 0x206f), (0x2070, 0x209c), (0x20a0, 0x20bf), (0x2100, 0x218b), (0x2190, 0x23ff), (0x2500, 0x27bf),
          (0x2c00, 0x2c5f), (0x3000, 0x30ff), (0x3105, 0x312f), (0x3131, 0x318e), (0x4e00, 0x9fa5), (0xa000, 0xa48c),
          (0xac00, 0xd7a3), (0xf900, 0xfad9), (0xfe30, 0xfe6b), (0xff01, 0xffee), (0x10000, 0x100fa), (0x10330, 0x1034a),
          (0x12000, 0x12399), (0x1d400, 0x1d7ff), (0x1f300, 0x1f64f), (0x1f680, 0x1f6d5), (0x20000, 0x2a6d6)]


# Bytes that SmolLM2's vocabulary lacks (tokenizers leaves them out, and what stood around them may merge), and a letter that
# is another's upper case (the long s, so 'ſ is a contraction where case is ignored).
RARE = ["\x04", "th\x04e", "the\x13 the", " \x14 \x14the\x16", "a\x06\x06b\x1d", "x\U00040000y", "\U000bfffe the", "I'ſ", "they'ſ x",
        "'ſt", "=\x04=", " -\x13-\x14-\x16-", ".\x04.\x06.", "<\x1d!--", "(\U00040000)", "}\U000bfffe;"]


def assigned(first: int, last: int) -> list[str]:
    return [chr(c) for c in range(first, last + 1) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]


def strings(seed: int) -> list[str]:
    chance = random.Random(seed)
    sentences = [line for text in corpus.SENTENCES.values() for line in text.splitlines()]
    paragraphs = [p for p in corpus.english().splitlines() if p]
    words = sorted({w for s in sentences + paragraphs for w in s.split(" ")})
    letters = [assigned(*r) for r in RANGES]
    every = [c for r in letters for c in r]
    pick = chance.choice

    def mixed() -> str:
        kinds = [lambda: pick(words), lambda: pick(words), lambda: pick(SPACES), lambda: pick(SPACES), lambda: pick(MARKS),
                 lambda: pick(NUMBERS), lambda: pick(ODD), lambda: pick(CONTRACTIONS), lambda: pick(every)]
        return "".join(pick(kinds)() for _ in range(chance.randint(2, 14)))

    def cut(text: str) -> str:
        start = chance.randrange(len(text))
        return text[start:start + chance.randint(1, 60)]

    def of_one_script() -> str:
        script = pick(letters)
        return "".join(pick(script) if chance.random() < 0.85 else pick([" ", "1", ".", "\n", "'"])
                       for _ in range(chance.randint(1, 24)))

    result = ["", " ", "a", *sentences, *paragraphs[:8], *SPACES, *MARKS, *NUMBERS, *CONTRACTIONS, *ODD]
    result += [pick(words) + s + pick(words) for s in SPACES for _ in range(4)]
    result += [s + pick(words) for s in SPACES] + [pick(words) + s for s in SPACES]
    result += ["".join(pick(SPACES) for _ in range(chance.randint(2, 8))) for _ in range(150)]
    result += [pick([" ", "", "\n"]) + "".join(pick("0123456789") for _ in range(n)) + pick(["", " ", "a", "."])
               for n in range(1, 14) for _ in range(6)]
    result += [pick(NUMBERS) + pick(["", " ", "."]) + pick(NUMBERS) for _ in range(80)]
    result += ["a" * 600, "ab" * 300, " " * 300, "\n" * 200, "0" * 250, "'" * 90, "é" * 200, "é" * 120, "한" * 150, "👍🏽" * 40,
               "aA1 " * 90, "=" * 333, "\x00" * 70, "the the " * 70, " \n" * 80]
    result += [cut(pick(sentences)) for _ in range(700)] + [cut(pick(paragraphs)) for _ in range(250)]
    result += [of_one_script() for _ in range(900)] + [mixed() for _ in range(1200)]
    result += ["".join(pick(every) for _ in range(chance.randint(1, 12))) for _ in range(250)] + RARE
    return list(dict.fromkeys(result))


def special_strings(seed: int) -> list[str]:
    """Texts with the spellings of special tokens in them, whole, cut and doubled."""
    chance = random.Random(seed)
    spellings = sorted({t for tokens, _ in vocabularies.SPECIALS.values() for t in tokens})
    result = list(spellings) + [" ".join(spellings), "".join(spellings)]
    result += [f"{s}{t}" for s in spellings for t in spellings]
    result += [s[:n] for s in spellings for n in range(1, len(s))] + [s[n:] for s in spellings for n in range(1, 4)]
    result += [f"{a}{s}{b}" for s in spellings for a, b in (
        ("Hi", "there"), ("Hi ", " there"), ("\n", "\n"), ("<", ">"), ("<|", "|>"), ("é", "안"), ("12", "34"), ("'", "s"))]
    result += ["<|im_start|>user\nWhy is the sky blue?<|im_end|>\n<|im_start|>assistant\n",
               "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>", "<|im_start|>" * 40,
               "<|IM_END|>", "<|im_end|", "<|im _end|>", "< |im_end|>", "<|im_end|>>", "<<|im_end|>", "<|im_<|im_end|>end|>"]
    pieces = spellings + ["<|", "|>", "<", ">", " ", "\n", "user", "Hi", "1", "'", "tool_call", "안녕"]
    result += ["".join(chance.choice(pieces) for _ in range(chance.randint(2, 9))) for _ in range(250)]
    return list(dict.fromkeys(result))


def write(name: str, lines) -> None:
    text = "\n".join(lines) + "\n"
    (OUT / name).write_bytes(text.encode("utf-8"))
    print(f"{name:28} {len(lines):5} lines {len(text.encode()) / 1e3:6.0f} kB")


def record(name: str, vocabulary: vocabularies.Vocabulary, plain: list[str], special: list[str]) -> None:
    for control, texts, ending in ((False, plain, ""), (False, special, ".special_off"), (True, special, ".special_on")):
        tokenizer = vocabulary.reference(control)
        ids = [tokenizer.encode(t, add_special_tokens=False).ids for t in texts]
        write(f"{name}{ending}.ids", [" ".join(map(str, i)) for i in ids])


def main(smollm2: str) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    plain, special = strings(1), special_strings(2)
    write("strings.txt", [escaped(t) for t in plain])
    write("special.txt", [escaped(t) for t in special])
    record("smollm2", vocabularies.from_gguf(smollm2), plain, special)
    training = corpus.training_text() + "\n".join(random.Random(3).sample(plain, 400))
    for pre in vocabularies.SPECIALS:
        vocabulary = vocabularies.train(pre, SIZE, training, across=True)
        writer = GGUFWriter(OUT / f"{pre}.gguf", "llama")
        writer.add_name(f"tiny vocabulary {pre}")
        vocabulary.write(writer)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.close()
        record(pre, vocabulary, plain, special)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
