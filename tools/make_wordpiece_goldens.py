# SPDX-License-Identifier: Apache-2.0
"""A tiny WordPiece vocabulary and the ids that the PyPI package tokenizers gives for strings.txt and special.txt.

    python make_wordpiece_goldens.py

After make_tokenizer_goldens.py, which writes those strings; both write to native/tests/data/tokenizer. Two vocabularies of the
same words: wordpiece makes letters small and takes accents off, as bert-base-uncased does; wordpiece-cased does neither.
"""

from gguf import GGUFWriter
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

import corpus
import make_sentencepiece_goldens

OUT = corpus.DATA / "tokenizer"
SIZE = 1400
CONTROL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<|im_start|>", "<|im_end|>"]


def pieces() -> list[str]:
    """Letters, then the commonest beginnings and continuations of words: which ones does not matter to the comparison."""
    words: dict[str, int] = {}
    for kept in (False, True):
        normalizer = normalizers.BertNormalizer(lowercase=not kept)
        cut = pre_tokenizers.BertPreTokenizer()
        for word, _ in cut.pre_tokenize_str(normalizer.normalize_str(corpus.training_text())):
            words[word] = words.get(word, 0) + 1
    counts: dict[str, int] = {}
    letters = sorted({c for w in words for c in w})
    for word, count in words.items():
        for begin in range(len(word)):
            for end in range(begin + 2, min(len(word), begin + 9) + 1):
                piece = ("##" if begin else "") + word[begin:end]
                counts[piece] = counts.get(piece, 0) + count * (end - begin - 1)
    every = letters[::2] + ["##" + c for c in letters[::3]]  # some letters begin no word, some continue none
    every += [c for c in "etaoinshrdlu" if c not in every] + ["##" + c for c in "etaoinshrdlu" if "##" + c not in every]
    best = sorted(counts, key=lambda p: (-counts[p], p))
    return (CONTROL + every + best)[:SIZE]


def reference(vocabulary: list[str], lower: bool, parsed: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(vocab={p: i for i, p in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if parsed:
        tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in CONTROL])
    return tokenizer


def write(name: str, vocabulary: list[str], lower: bool) -> None:
    """As llama.cpp's converter: what begins a word has U+2581 in front, what continues one has nothing."""
    writer = GGUFWriter(OUT / f"{name}.gguf", "bert")
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([p if i < len(CONTROL) else p[2:] if p.startswith("##") and len(p) > 2 else "\u2581" + p
                           for i, p in enumerate(vocabulary)])
    writer.add_token_types([3 if i < len(CONTROL) else 1 for i in range(len(vocabulary))])
    if not lower:
        writer.add_bool("tokenizer.ggml.normalizer.lowercase", False)
    writer.add_unk_token_id(1)
    writer.add_sep_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_uint32("tokenizer.ggml.cls_token_id", 2)
    writer.add_mask_token_id(4)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def main() -> None:
    vocabulary = pieces()
    for name, lower in (("wordpiece", True), ("wordpiece-cased", False)):
        write(name, vocabulary, lower)
        for strings, parsed, end in (("strings.txt", False, "ids"), ("special.txt", False, "special_off.ids"),
                                     ("special.txt", True, "special_on.ids")):
            tokenizer = reference(vocabulary, lower, parsed)
            lines = [" ".join(map(str, tokenizer.encode(text, add_special_tokens=False).ids))
                     for text in make_sentencepiece_goldens.strings(strings)]
            (OUT / f"{name}.{end}").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(name, len(vocabulary))


if __name__ == "__main__":
    main()
