# SPDX-License-Identifier: Apache-2.0
"""Tiny byte-level BPE vocabularies for each pre-tokenizer, as GGUF fields and as reference tokenizers.

The reference is the PyPI package tokenizers, put together as the models' own tokenizer.json files do it.
"""

import dataclasses
import json

from gguf import GGUFReader, GGUFWriter
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # GGUF's token types

CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
ENDS = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + ENDS
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


def _cased(but, tail):
    upper, lower = rf"[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}{but}]", rf"[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}{but}]"
    head = r"[^\r\n\p{L}\p{N}]?"
    return f"{head}{upper}*{lower}+{tail}|{head}{upper}+{lower}*{tail}"


O200K = _cased("", CONTRACTION + "?") + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + ENDS
TEKKEN = _cased("", "") + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + ENDS
KIMI = (r"[\p{Han}]+|" + _cased(r"&&[^\p{Han}]", CONTRACTION + "?") + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + ENDS)
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
DEEPSEEK_LETTERS = (
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376"
    "\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-"
    "\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a"
    "\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4"
    "\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc"
    "\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f"
    "\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b"
    "\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a"
    "\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2"
    "\U000118a0-\U000118df\U0001e900-\U0001e943")
DEEPSEEK_CJK = "[一-龥ࠀ-一가-\ud7ff]+"
DEEPSEEK3_CJK = "[一-龥\u3040-ゟ゠-ヿ]+"
DEEPSEEK3 = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
             r"| ?[\p{P}\p{S}]+[\r\n]*" + ENDS)
AFMOE_SCRIPTS = ("[一-鿿㐀-\u4dbf\uf900-\ufaff\u3040-ゟ゠-ヿ･-ﾟ\u2f00-\u2fdf\u0e40-\u0e7f\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f"
                 "\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+")
YOUTU_SCRIPTS = ("[\uac00-\ud7a3\u3131-\u318e]+|[！…“”‘’—：；，\u3001-\u303f\ufe30-\ufe4f]+|[\u3105-\u312f]+"
                 "|[一-龥\u3040-ゟ゠-ヿ]+")


def _split(pattern: str, behavior: str = "isolated"):
    return pre_tokenizers.Split(Regex(pattern), behavior)


def _digits(individual=True):
    return pre_tokenizers.Digits(individual_digits=individual)


def _words():
    """GPT-2's: the pattern is the library's own."""
    return pre_tokenizers.ByteLevel(add_prefix_space=False)


def _bytes():
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)


def _sequence(*steps):
    return pre_tokenizers.Sequence(list(steps))


# By tokenizer.ggml.pre: how a text is cut before the merges, one name for each rule of native/src/text/pre_rules.h, put
# together as in the model's own tokenizer.json. What llama.cpp alone knows (the originals were not to be had) is as there:
# afmoe, chameleon, default, exaone-moe, jais-2, seed-coder, superbpe, ufakzeka, youtu.
PRE_TOKENIZERS = {
    "gpt-2": _words(),
    "smollm": _sequence(_digits(), _words()),
    "llama-bpe": _sequence(_split(LLAMA3), _bytes()),
    "qwen2": _sequence(_split(QWEN2), _bytes()),
    "qwen35": _sequence(_split(QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}", r"[^\s\p{L}\p{M}")),
                        _bytes()),
    "minicpm5": _sequence(_split(r"\p{N}{1,3}"), _split(LLAMA3.replace("{1,3}", "+")), _bytes()),
    "seed-coder": _sequence(_split(CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+" + ENDS),
                            _bytes()),
    "bailingmoe": _sequence(_split(r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*"
                                   r"|\s*[\r\n]|\s+(?!\S)|\s+"), _bytes()),
    "ufakzeka": _sequence(_split(QWEN2.split("|", 7)[7]), _bytes()),
    "exaone-moe": _sequence(_split(CONTRACTION + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"
                                   r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"), _bytes()),
    "jais-2": _sequence(_split(LLAMA3.removesuffix(r"|\s+(?!\S)|\s+") + "".join(
        rf"|\s{{{n}}}(?!\S)" for n in (512, 256, 128, 64, 32, 16, 8, 4, "1,2")) + r"|\s{1}"), _bytes()),
    "laguna": _sequence(_split(r"(?:\r?\n)+(?!\r?\n)", "merged_with_next"), _split(QWEN2), _bytes()),
    "gpt-4o": _sequence(_split(O200K), _bytes()),
    "tekken": _sequence(_split(TEKKEN), _bytes()),
    "kimi-k2": _sequence(_split(KIMI), _bytes()),
    "youtu": _sequence(_split(YOUTU_SCRIPTS), _split(O200K.replace(r"\p{N}{1,3}", r"\p{N}")), _bytes()),
    "tiny_aya": _sequence(_split(r"\d{1,3}(?=(?:\d{3})*\b)"), _split(O200K), _bytes()),
    "afmoe": _sequence(_split(r"\p{N}+"), _split(r"\p{N}{1,3}(?=(?:\p{N}{3})*\z)"), _split(AFMOE_SCRIPTS), _split(DEEPSEEK3),
                       _bytes()),
    "superbpe": _sequence(_split(r"\p{N}+"), _split(r"(?=(\d{3})+(?!\d))"), _bytes()),
    "deepseek-llm": _sequence(_split("[\r\n]"), _split(rf"\s?[{DEEPSEEK_LETTERS}]+"),
                              _split("\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"), _split(r"\s+$"), _split(DEEPSEEK_CJK), _digits(),
                              _bytes()),
    "deepseek-coder": _sequence(_split("[\r\n]"), _split(r"\s?\p{L}+"), _split(r"\s?\p{P}+"), _split(DEEPSEEK_CJK),
                                _digits(), _bytes()),
    "deepseek-v3": _sequence(_split(r"\p{N}{1,3}"), _split(DEEPSEEK3_CJK), _split(DEEPSEEK3), _bytes()),
    "spark2_5": _sequence(_split(r"\p{N}{1,3}"), _split(DEEPSEEK3_CJK),
                          _split(DEEPSEEK3.replace(r"[\r\n]*|\s*[\r\n]+", r"|[\r\n]")), _digits(), _bytes()),
    "falcon": _sequence(pre_tokenizers.Punctuation("contiguous"), _words(), _digits(False), _split("[0-9][0-9][0-9]")),
    "chameleon": _sequence(_split("<sentinel:[0-9]+>"), _split("(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z"),
                           _split(r"([\t\n]|    |  )"), _digits(), pre_tokenizers.Punctuation("isolated"), _words()),
    "bloom": _sequence(_split(BLOOM), _bytes()),
    "viking": _sequence(_split(BLOOM), _digits(), _bytes()),
    "default": _sequence(_split(r"[\p{P}\$\+<=>\^~\|]+"), _split(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+"
                         r"| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"), _split(r"\p{N}+"), _split("[0-9][0-9][0-9]"), _bytes()),
}
# Whose tokenizers compose letters and marks first, which a GGUF file does not say.
NFC = {"qwen2", "qwen35", "tiny_aya"}
# A word that is a token is taken as a whole.
WHOLE = {"llama-bpe", "minicpm5", "tekken", "youtu"}


def assemble(pre: str, tokens: list[str], merges: list[str]) -> Tokenizer:
    """The package's tokenizer, without special tokens."""
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)},
                                     merges=[tuple(m.split(" ")) for m in merges], ignore_merges=pre in WHOLE))
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[pre]
    if pre in NFC:
        tokenizer.normalizer = normalizers.NFC()
    return tokenizer


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
        for name, token in NAMED.get(self.pre, {}).items():
            if token in self.tokens:
                writer.add_uint32(f"tokenizer.ggml.{name}_token_id", self.id(token))
        writer.add_add_bos_token(self.add_bos)

    def reference(self, control: bool) -> Tokenizer:
        """The reference tokenizer; `control`: spelled-out control tokens become their ids."""
        tokenizer = assemble(self.pre, self.tokens, self.merges)
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
    specials, place = SPECIALS.get(pre, ([], "last"))
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
