# SPDX-License-Identifier: Apache-2.0
"""Tiny byte-level BPE vocabularies for each pre-tokenizer, as GGUF fields and as reference tokenizers.

The reference is the PyPI package tokenizers, put together as the models' own tokenizer.json files do it.
"""

import dataclasses
import json

from gguf import GGUFReader, GGUFWriter
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # GGUF's token types

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def _split(pattern: str):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


# tokenizer.ggml.pre: how a text is cut before the merges
PRE_TOKENIZERS = {
    "gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                       pre_tokenizers.ByteLevel(add_prefix_space=False)]),
    "llama-bpe": _split(LLAMA3),
    "qwen2": _split(LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")),
}

# The special tokens that models with this pre-tokenizer have, and whether they stand first in the vocabulary or last.
SPECIALS = {
    "gpt-2": (["<|endoftext|>"], "last"),
    "smollm": (["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<file_sep>"], "first"),
    "llama-bpe": (["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
                  "last"),
    "qwen2": (["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>", "</tool_call>"], "last"),
}
NAMED = {  # ids that metadata name
    "gpt-2": {"bos": "<|endoftext|>", "eos": "<|endoftext|>"},
    "smollm": {"bos": "<|im_start|>", "eos": "<|im_end|>", "unknown": "<|endoftext|>", "padding": "<|im_end|>"},
    "llama-bpe": {"bos": "<|begin_of_text|>", "eos": "<|eot_id|>"},
    "qwen2": {"bos": "<|endoftext|>", "eos": "<|im_end|>", "padding": "<|endoftext|>"},
}
PLAIN = {"<tool_call>", "</tool_call>"}  # user-defined: found in any text, where control tokens need asking for


@dataclasses.dataclass
class Vocabulary:
    pre: str
    tokens: list[str]
    types: list[int]
    merges: list[str]
    add_bos: bool = False

    def id(self, token: str) -> int:
        return self.tokens.index(token)

    def write(self, writer: GGUFWriter) -> None:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(self.pre)
        writer.add_token_list(self.tokens)
        writer.add_token_types(self.types)
        writer.add_token_merges(self.merges)
        for name, token in NAMED[self.pre].items():
            writer.add_uint32(f"tokenizer.ggml.{name}_token_id", self.id(token))
        writer.add_add_bos_token(self.add_bos)

    def reference(self, control: bool) -> Tokenizer:
        """The reference tokenizer; `control`: spelled-out control tokens become their ids."""
        bpe = models.BPE(vocab={t: i for i, t in enumerate(self.tokens)},
                         merges=[tuple(m.split(" ")) for m in self.merges], ignore_merges=self.pre == "llama-bpe")
        tokenizer = Tokenizer(bpe)
        tokenizer.pre_tokenizer = PRE_TOKENIZERS[self.pre]
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.add_tokens([AddedToken(t, normalized=False) for t, kind in zip(self.tokens, self.types)
                              if kind == USER_DEFINED or control and kind == CONTROL])
        return tokenizer


def from_gguf(path) -> Vocabulary:
    fields = GGUFReader(path).fields
    get = lambda name: fields["tokenizer.ggml." + name].contents()
    add_bos = "tokenizer.ggml.add_bos_token" in fields and get("add_bos_token")
    return Vocabulary(get("pre"), get("tokens"), get("token_type"), get("merges"), add_bos)


def train(pre: str, size: int, text: str, across: bool = False) -> Vocabulary:
    """A vocabulary of `size` tokens. `across`: merges may cross every border (spaces, digits, lines), so that a wrong cut
    shows in the ids."""
    specials, place = SPECIALS[pre]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = (pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False) if across else
                               PRE_TOKENIZERS[pre])
    lines = text.splitlines(True)
    parts = ["".join(lines[i:i + 3]) for i in range(0, len(lines), 3)]
    tokenizer.train_from_iterator(parts, trainers.BpeTrainer(
        vocab_size=size - len(specials), show_progress=False, max_token_length=12,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    ordinary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    if len(ordinary) != size - len(specials):
        raise ValueError(f"{pre}: the text gives {len(ordinary)} tokens, not {size - len(specials)}")
    merges = [" ".join(m) for m in _merges(tokenizer)]
    kinds = [USER_DEFINED if s in PLAIN else CONTROL for s in specials]
    normal = [NORMAL] * len(ordinary)
    return Vocabulary(pre, specials + ordinary if place == "first" else ordinary + specials,
                      kinds + normal if place == "first" else normal + kinds, merges, add_bos=pre == "llama-bpe")


def _merges(tokenizer: Tokenizer) -> list[list[str]]:
    return [m if isinstance(m, list) else m.split(" ") for m in json.loads(tokenizer.to_str())["model"]["merges"]]
