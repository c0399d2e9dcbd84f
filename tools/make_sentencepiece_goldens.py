# SPDX-License-Identifier: Apache-2.0
"""Four tiny SentencePiece vocabularies, two of BPE and two of unigrams, and the ids that the PyPI package sentencepiece gives for strings.txt and special.txt.

    python make_sentencepiece_goldens.py

After make_tokenizer_goldens.py, which writes those strings; both write to native/tests/data/tokenizer.
"""

import io
import re

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

import corpus
import sentencepiece_reference

OUT = corpus.DATA / "tokenizer"
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}


def strings(name: str) -> list[str]:
    plain = lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else ESCAPES[m[1]]
    lines = (OUT / name).read_bytes().decode("utf-8").split("\n")[:-1]
    return [re.sub(r"\\(x..|.)", plain, line) for line in lines]


def train(model_type="bpe", normalization_rule_name="identity", **options) -> sentencepiece_model_pb2.ModelProto:
    model = io.BytesIO()
    sentencepiece.set_random_generator_seed(1)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus.training_text().split("\n")), model_writer=model, model_type=model_type,
        num_threads=1, normalization_rule_name=normalization_rule_name, allow_whitespace_only_pieces=True, max_sentence_length=1 << 16,
        control_symbols=["<|im_start|>", "<|im_end|>"], minloglevel=2, **options)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    # What a file does not keep: names, paths and the trainer's settings.
    spec = proto.trainer_spec
    kept = sentencepiece_model_pb2.TrainerSpec(model_type=spec.model_type, byte_fallback=spec.byte_fallback, unk_id=spec.unk_id,
                                               bos_id=spec.bos_id, eos_id=spec.eos_id)
    proto.trainer_spec.CopyFrom(kept)
    return proto


def usual() -> sentencepiece_model_pb2.ModelProto:
    """As LLaMA's: byte tokens, a space in front."""
    return train(vocab_size=1200, character_coverage=0.98, byte_fallback=True, split_digits=True, remove_extra_whitespaces=False,
                 user_defined_symbols=["<tool_call>", "</tool_call>", "\u2581\u2581", "\n\n", "12"])


def bare() -> sentencepiece_model_pb2.ModelProto:
    """Everything the other way round; pieces that are unused, and pieces that reach over spaces."""
    proto = train(vocab_size=900, character_coverage=0.98, remove_extra_whitespaces=True, add_dummy_prefix=False,
                  split_by_whitespace=False, user_defined_symbols=["<tool_call>", "</tool_call>", "of\u2581the"])
    normal = [p for p in proto.pieces if p.type == p.NORMAL]
    for piece in normal[3::7]:
        piece.type = piece.UNUSED
    for piece in normal[5::40]:  # scores need not fall from piece to piece, and may be equal
        piece.score = -20.0
    return proto


def unigram() -> sentencepiece_model_pb2.ModelProto:
    """As T5's: NFKC and more, extra spaces removed, a space in front, user-defined tokens."""
    proto = train("unigram", "nmt_nfkc", vocab_size=900, character_coverage=0.98, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
                  user_defined_symbols=["<tool_call>", "</tool_call>", "12"])
    for piece in [p for p in proto.pieces if p.type == p.NORMAL][3::17]:
        piece.type = piece.UNUSED
    return proto


def unigram_bare() -> sentencepiece_model_pb2.ModelProto:
    """Byte tokens, pieces that reach over spaces, NFKC with small letters, equal scores."""
    proto = train("unigram", "nmt_nfkc_cf", vocab_size=1100, character_coverage=0.98, byte_fallback=True, split_by_whitespace=False,
                  remove_extra_whitespaces=False, add_dummy_prefix=False, user_defined_symbols=["<tool_call>"])
    for piece in [p for p in proto.pieces if p.type == p.NORMAL][5::9]:
        piece.score = -9.0
    return proto


def record(name: str, proto) -> None:
    sentencepiece_reference.write(proto, OUT / f"{name}.gguf", f"tiny vocabulary {name}")
    reference = sentencepiece_reference.Reference(proto)
    plain, special = strings("strings.txt"), strings("special.txt")
    for texts, control, ending in ((plain, False, ""), (special, False, ".special_off"), (special, True, ".special_on")):
        lines = [" ".join(map(str, reference.encode(t, control))) for t in texts]
        (OUT / f"{name}{ending}.ids").write_bytes(("\n".join(lines) + "\n").encode())
        print(f"{name}{ending}.ids: {len(lines)} lines")


if __name__ == "__main__":
    record("spm", usual())
    record("spm-bare", bare())
    record("unigram", unigram())
    record("unigram-bare", unigram_bare())
