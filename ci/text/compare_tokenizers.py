# SPDX-License-Identifier: Apache-2.0
"""Compares the ids of random texts with those of the PyPI packages tokenizers (byte-level BPE) or sentencepiece, for a GGUF
file's own vocabulary.

    python ci/text/compare_tokenizers.py TOKENIZE_LINES MODEL.gguf [--count 20000] [--seed N]
    python ci/text/compare_tokenizers.py TOKENIZE_LINES rules      [--count 2000] [--seed N]
    python ci/text/compare_tokenizers.py TOKENIZE_LINES pieces     [--count 7000] [--seed N]

TOKENIZE_LINES is the program of ci/text/tokenize_lines.c. The vocabulary and merges are read with the package gguf, the
other tokenizer is built from them. Every text is compared twice: with special tokens as plain text, and parsed. `rules`
compares one small vocabulary behind each way of cutting and normalizing that we have (tools/vocabularies.py); its merges
cross every border, so that a wrong cut shows. WordPiece's texts are compared once more two by two, as pairs with their token
types. `pieces` compares the two small SentencePiece vocabularies with and without a
space in front, and with extra spaces kept and removed.
"""
import argparse
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time
import unicodedata

from gguf import GGUFReader, GGUFWriter
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))

import corpus  # noqa: E402
import sentencepiece_reference  # noqa: E402
import vocabularies  # noqa: E402

# `Digits` asks Rust's standard library, which knows Unicode 17; all else is cut by Oniguruma's 16.
NEW_DIGITS = {*range(0x11DE0, 0x11DEA), *range(0x16FF4, 0x16FF7)}


def build(path):
    """Two functions from texts to ids: one takes special tokens for plain text, one parses them."""
    fields = GGUFReader(path).fields
    if fields["tokenizer.ggml.model"].contents() in ("llama", "t5"):
        return build_sentencepiece(path)
    if fields["tokenizer.ggml.model"].contents() == "bert":
        return build_wordpiece(fields)
    tokens = fields["tokenizer.ggml.tokens"].contents()
    kinds = fields["tokenizer.ggml.token_type"].contents()
    merges = fields["tokenizer.ggml.merges"].contents()
    name = fields["tokenizer.ggml.pre"].contents()
    special = [t for t, kind in zip(tokens, kinds) if kind in (2, 3)]
    both = []
    for parsed in (False, True):
        tokenizer = vocabularies.assemble(name, tokens, merges)
        tokenizer.add_tokens([AddedToken(t, normalized=False) for t, kind in zip(tokens, kinds) if kind == 4])
        if parsed:
            tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in special])
        both.append(lambda texts, t=tokenizer: [e.ids for e in t.encode_batch(texts, add_special_tokens=False)])
    return both, special, name


def compare_pairs(program, path, encode, texts, seed):
    """As compare, of pairs: ids and token types in turns."""
    pairs = list(zip(texts[::2], texts[1::2]))
    different = 0
    for pair, a, b in zip(pairs, ours(program, path, 1024, [t for pair in pairs for t in pair]), encode(pairs), strict=True):
        if a != b:
            different += 1
            if different <= 5:
                print(f"different pair: {pair!r}\n  ours   {a}\n  theirs {b}")
    print(f"{pathlib.Path(path).name} (pairs, types): {len(pairs)} pairs, {different} different (--seed {seed})")
    return different


def build_pairs(path):
    """From pairs to ids and token types in turns; None: not WordPiece."""
    fields = GGUFReader(path).fields
    if fields["tokenizer.ggml.model"].contents() != "bert":
        return None
    tokenizer = wordpiece(fields, False)
    ends = [(fields["tokenizer.ggml.tokens"].contents()[i], i)
            for i in (fields[f"tokenizer.ggml.{k}_token_id"].contents() for k in ("seperator", "cls"))]
    tokenizer.post_processor = processors.BertProcessing(*ends)
    return lambda pairs: [[n for both in zip(e.ids, e.type_ids) for n in both] for e in tokenizer.encode_batch(pairs)]


def wordpiece(fields, parsed):
    """A file spells what begins a word with U+2581, what follows without ##."""
    tokens, kinds = (fields[f"tokenizer.ggml.{k}"].contents() for k in ("tokens", "token_type"))
    lower = fields.get("tokenizer.ggml.normalizer.lowercase")
    special = [t for t, kind in zip(tokens, kinds) if kind == 3]
    theirs = [t if kind == 3 else t[1:] if t.startswith("\u2581") and len(t) > 1 else "##" + t for t, kind in zip(tokens, kinds)]
    # Added by somebody else's id, special tokens can't be found in a text.
    tokenizer = Tokenizer(models.WordPiece(vocab={t: i for i, t in enumerate(theirs)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower is None or lower.contents())
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if parsed:
        tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in special])
    return tokenizer


def build_wordpiece(fields):
    tokens, kinds = (fields[f"tokenizer.ggml.{k}"].contents() for k in ("tokens", "token_type"))
    special = [t for t, kind in zip(tokens, kinds) if kind == 3]
    both = [lambda texts, t=wordpiece(fields, parsed): [e.ids for e in t.encode_batch(texts, add_special_tokens=False)]
            for parsed in (False, True)]
    return both, special, "wordpiece"


def build_sentencepiece(path):
    proto = sentencepiece_reference.from_gguf(path)
    reference = sentencepiece_reference.Reference(proto)
    defined = [p.piece.replace(sentencepiece_reference.MARK, " ") for p in proto.pieces if p.type == p.USER_DEFINED]
    both = [reference.encode_all, lambda texts: [reference.encode(t, True) for t in texts]]
    return both, list(reference.special) + defined, "sentencepiece"


BLOCKS = [(0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x590, 0x5FF),
          (0x600, 0x6FF), (0x900, 0x97F), (0xE00, 0xE7F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1E00, 0x1FFF),
          (0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x214F), (0x2150, 0x218F), (0x2200, 0x23FF), (0x2460, 0x24FF),
          (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xE000, 0xF8FF), (0xFF00, 0xFFEF), (0x10000, 0x10FFF),
          (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF), (0x20000, 0x2A6DF), (0xE0000, 0xE01EF)]
WORDS = """the of and Once upon a time there was a little girl's don't won't I'll I'd we've they're I'm 'S 'LL 'Ve naïve
café Straße ſ 'ſ İstanbul ﬁn ½ ² Ⅷ ٣ ३ ๓ 一二三 12 345 6789 3.14159 1,000,000 0xFF 1e-10 2024-01-31 def return self.x == != -> => //
/* */ {} [] () <div> </div> &amp; http://example.org/a?b=c#d x_y camelCase __init__ \\n \\t "quoted" «guillemets» 你好世界 こんにちは
안녕하세요 Привет мир שלום عليكم नमस्ते สวัสดี ქართული Ελληνικά 👍🏽 👨‍👩‍👧‍👦 🇩🇪 e\u0301 a\u0308\u0323 \u200b \u200d \ufeff \ufffd \u00ad""".split()
SPACES = [" ", " ", " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n", "\n ", "\u00a0", "\u3000", "\u2009", "\u0085", "\u2028", "\x0b",
          "\x0c", "\x1c", "\u200b", "\u180e", "\u2581", ""]


# Pairs that a vocabulary for comparing cuts should merge, and sentences may lack.
SCRIPTS = " ".join(WORDS) + "".join(a + b for a in "a1 .\n中м½'" for b in "b2 ,\r文и²s") + "  \n\n \t\t\r\n 12345 !?... \u2026\u3002"


def code_point(draw):
    low, high = draw.choice(BLOCKS) if draw.random() < 0.8 else (1, 0x10FFFF)
    c = draw.randint(low, high)
    return "" if 0xD800 <= c <= 0xDFFF or c in NEW_DIGITS else chr(c)


def piece(draw, special):
    kind = draw.random()
    if kind < 0.35:
        return draw.choice(WORDS)
    if kind < 0.55:
        return draw.choice(SPACES) * draw.choice((1, 1, 1, 2, 5, draw.choice((1, 9, 700))))
    if kind < 0.70:
        return "".join(code_point(draw) for _ in range(draw.randint(1, 8)))
    if kind < 0.78:
        return str(draw.randint(0, 10 ** draw.randint(1, 12)))
    if kind < 0.86:
        return "".join(draw.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ") for _ in range(draw.randint(1, 40)))
    if kind < 0.93:
        return "".join(draw.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for _ in range(draw.randint(1, 6)))
    if kind < 0.97 and special:
        spelling = draw.choice(special)
        return spelling if draw.random() < 0.6 else spelling[:draw.randint(1, len(spelling))]
    return draw.choice(WORDS).upper()


def text(draw, special):
    joined = "".join(piece(draw, special) + (draw.choice(SPACES) if draw.random() < 0.5 else "")
                     for _ in range(draw.choice((0, 1, 2, 3, 5, 10, 20, 60))))
    return unicodedata.normalize("NFD", joined) if draw.random() < 0.05 else joined


def ours(program, path, flags, texts):
    data = b"".join(struct.pack("<I", len(t)) + t for t in (t.encode() for t in texts))
    run = subprocess.run([program, path, str(flags)], input=data, capture_output=True)
    if run.returncode:
        sys.exit(f"{program} failed: {run.stderr.decode()}")
    return [[int(i) for i in line.split()] for line in run.stdout.decode().split("\n")[:-1]]


def compare(program, path, both, name, texts, seed, drops=False):
    """Prints what is different; returns how many texts are."""
    different = tokens = 0
    for flags, other in enumerate(both):
        theirs = other(texts)
        found = ours(program, path, flags + 256 * (name in vocabularies.NFC) + 512 * drops, texts)
        if len(found) != len(texts):
            sys.exit(f"{len(found)} answers for {len(texts)} texts")
        for t, a, b in zip(texts, found, theirs):
            tokens += len(a)
            if a != b:
                different += 1
                if different <= 5:
                    print(f"different (special tokens {'parsed' if flags else 'plain'}): {t!r}\n  ours   {a}\n  theirs {b}")
    times = "twice, " if len(both) > 1 else ""
    print(f"{pathlib.Path(path).name} ({name}): {len(texts)} texts {times}{tokens} tokens, {different} different (--seed {seed})")
    return different


def rules(program, count, seed):
    draw = random.Random(seed)
    plain = vocabularies.train("gpt-2", 4096, corpus.training_text() + SCRIPTS * 3, across=True)
    names = ["<sentinel:12>", "IMGIMGABZ", "IMGIMGABCDEZ", "\r\r\n", "1234½", "12½345", "ab1234", "1234ab", "x_1", "1234567890"]
    texts = [text(draw, names) for _ in range(count)]
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in vocabularies.PRE_TOKENIZERS:
            path = pathlib.Path(folder) / f"{name}.gguf"
            writer = GGUFWriter(path, "llama")
            vocabularies.Vocabulary(name, plain.tokens, plain.types, plain.merges).write(writer)
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.close()
            tokenizer = vocabularies.assemble(name, plain.tokens, plain.merges)
            encode = lambda texts: [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
            different += compare(program, path, [encode], name, texts, seed)
    return different


def pieces(program, count, seed):
    draw = random.Random(seed)
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in ("spm", "spm-bare"):
            proto = sentencepiece_reference.from_gguf(corpus.DATA / "tokenizer" / f"{name}.gguf")
            texts = [text(draw, ["<tool_call>", "of the", "12", "  ", "\n\n"]) for _ in range(count)]
            for prefix in (False, True):
                for remove in (False, True):
                    proto.normalizer_spec.add_dummy_prefix = prefix
                    proto.normalizer_spec.remove_extra_whitespaces = remove
                    path = pathlib.Path(folder) / f"{name}-{'prefix' if prefix else 'bare'}-{'less' if remove else 'all'}.gguf"
                    sentencepiece_reference.write(proto, path, name)
                    reference = sentencepiece_reference.Reference(proto)
                    different += compare(program, path, [reference.encode_all], "sentencepiece", texts, seed, True)
    return different


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    for name, kind in (("rules", rules), ("pieces", pieces)):
        if arguments.model == name:
            sys.exit(1 if kind(arguments.program, arguments.count, arguments.seed) else 0)
    both, special, name = build(arguments.model)
    draw = random.Random(arguments.seed)
    texts = [text(draw, special) for _ in range(arguments.count)]
    different = compare(arguments.program, arguments.model, both, name, texts, arguments.seed)
    pairs = build_pairs(arguments.model)
    if pairs:
        different += compare_pairs(arguments.program, arguments.model, pairs, texts, arguments.seed)
    sys.exit(1 if different else 0)


main()
