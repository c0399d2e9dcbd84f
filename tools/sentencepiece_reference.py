# SPDX-License-Identifier: Apache-2.0
"""SentencePiece vocabularies in GGUF files, and the PyPI package sentencepiece as their reference tokenizer."""

import re

from gguf import GGUFReader, GGUFWriter
from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2

UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 2, 3, 4, 5, 6  # the same numbers in both formats
MARK = "\u2581"  # how pieces spell a space


class Reference:
    """What sentencepiece makes of a text; spelled-out control tokens are its own business only where asked for."""

    def __init__(self, proto):
        self.processor = SentencePieceProcessor(model_proto=proto.SerializeToString())
        self.special, spellings = {}, []
        for i, piece in enumerate(proto.pieces):
            if piece.type in (UNKNOWN, CONTROL):
                self.special[piece.piece] = i
            if piece.type in (UNKNOWN, CONTROL, USER_DEFINED):
                spellings.append(piece.piece.replace(MARK, " ") if piece.type == USER_DEFINED else piece.piece)
        self.pattern = re.compile("|".join(re.escape(s) for s in sorted(spellings, key=len, reverse=True)))

    def encode_all(self, texts: list[str]) -> list[list[int]]:
        """Of many texts at once, spelled-out control tokens being plain text."""
        return self.processor.encode(texts)

    def encode(self, text: str, control: bool) -> list[int]:
        """`control`: spelled-out control tokens become their ids, and what stands between two of them is a text."""
        if not control:
            return self.processor.encode(text)
        ids, begin = [], 0
        for found in self.pattern.finditer(text):
            if found.group() not in self.special:  # user-defined: sentencepiece finds it again
                continue
            ids += self.processor.encode(text[begin:found.start()]) + [self.special[found.group()]]
            begin = found.end()
        return ids + self.processor.encode(text[begin:])


def from_gguf(path):
    """The model that a GGUF file's vocabulary was made from, as far as the file tells."""
    fields = GGUFReader(path).fields

    def get(name, fallback=None):
        field = fields.get("tokenizer.ggml." + name)
        return fallback if field is None else field.contents()

    proto = sentencepiece_model_pb2.ModelProto()
    kinds = get("token_type")
    for token, score, kind in zip(get("tokens"), get("scores"), kinds):
        # BPE files spell a user-defined token as it stands in a text.
        proto.pieces.add(piece=token.replace(" ", MARK) if kind == USER_DEFINED else token, score=score, type=kind)
    unigram = get("model") == "t5"
    proto.trainer_spec.model_type = getattr(sentencepiece_model_pb2.TrainerSpec, "UNIGRAM" if unigram else "BPE")
    proto.trainer_spec.byte_fallback = BYTE in kinds
    proto.normalizer_spec.name = "identity"
    proto.normalizer_spec.precompiled_charsmap = bytes(get("precompiled_charsmap", []))
    proto.normalizer_spec.add_dummy_prefix = get("add_space_prefix", True)
    proto.normalizer_spec.remove_extra_whitespaces = get("remove_extra_whitespaces", False)
    return proto


def write(proto, path, name: str) -> None:
    """A GGUF file without tensors."""
    kinds = [p.type for p in proto.pieces]
    writer = GGUFWriter(path, "llama")
    writer.add_name(name)
    unigram = proto.trainer_spec.model_type == sentencepiece_model_pb2.TrainerSpec.UNIGRAM
    writer.add_tokenizer_model("t5" if unigram else "llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([p.piece.replace(MARK, " ") if p.type == USER_DEFINED else p.piece for p in proto.pieces])
    writer.add_token_scores([p.score for p in proto.pieces])
    writer.add_token_types(kinds)
    if proto.trainer_spec.bos_id >= 0:
        writer.add_bos_token_id(proto.trainer_spec.bos_id)
    writer.add_eos_token_id(proto.trainer_spec.eos_id)
    writer.add_unk_token_id(proto.trainer_spec.unk_id)
    if unigram and proto.normalizer_spec.precompiled_charsmap:
        writer.add_precompiled_charsmap(proto.normalizer_spec.precompiled_charsmap)
    if not unigram:
        writer.add_add_bos_token(True)
    writer.add_add_space_prefix(proto.normalizer_spec.add_dummy_prefix)
    if proto.normalizer_spec.remove_extra_whitespaces:
        writer.add_remove_extra_whitespaces(True)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
