# SPDX-License-Identifier: Apache-2.0
"""Adapters of the tiny encoder-decoders and encoders, for make_adapters.py: of each set the logits, the greedy answer and a beam
search with its log-probabilities; of encoders alone what make_tiny_encoders.py records. By transformers and peft in float32."""

import math
import pathlib

import gguf
import torch
from gguf import GGMLQuantizationType as Type

import make_tiny_encoders
import make_tiny_t5
from make_tiny_t5 import NEW, VOCABULARY, numbers, searched, seeded, until_end

ATTENTION = ["q", "k", "v", "o"]
BERT = ["query", "key", "value", "output.dense", "intermediate.dense"]

# name: (model, settings of peft, type in the GGUF file)
ADAPTERS = {
    "t5_law": ("t5", dict(r=2, lora_alpha=4, target_modules=ATTENTION + ["wi", "wo", "lm_head"]), Type.F32),
    "t5_cross": ("t5", dict(r=3, lora_alpha=6, target_modules=r".*decoder.*EncDecAttention\.(k|v)"), Type.F16),
    "t5_gated_law": ("t5_gated", dict(r=2, lora_alpha=3, target_modules=ATTENTION + ["wi_0", "wi_1", "wo", "lm_head"],
                                      use_rslora=True, rank_pattern={"wo": 5}), Type.F32),
    "t5encoder_tone": ("t5encoder", dict(r=2, lora_alpha=4, target_modules=["q", "v", "o", "wi_0", "wi_1", "wo"]), Type.F32),
    "bert_masked_tone": ("bert_masked", dict(r=2, lora_alpha=4, target_modules=BERT), Type.F32),
    "bert_classes_tone": ("bert_classes", dict(r=2, lora_alpha=4, target_modules=BERT), Type.F32),
}

# model: sets, by name, of (adapter, weight)
SETS = {
    "t5": {"law": [("t5_law", 1.0)], "cross": [("t5_cross", 1.0)], "both": [("t5_law", 0.75), ("t5_cross", -1.5)]},
    "t5_gated": {"law": [("t5_gated_law", 0.5)]},
    "t5encoder": {"tone": [("t5encoder_tone", 1.0)]},
    "bert_masked": {"tone": [("bert_masked_tone", 1.0)]},
    "bert_classes": {"tone": [("bert_classes_tone", 1.0)]},
}
LENGTHS = ((7, 3), (130, 70))  # of a source and of an answer's beginning
BEAMS = 4


def architecture(config) -> str:
    return "t5encoder" if config.architectures == ["T5EncoderModel"] else config.model_type


def gguf_name(config, path: str) -> str:
    number = next(a for a, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture(config))
    if config.model_type != "t5":
        return make_tiny_encoders.gguf_name(config, path + ".weight", gguf.get_tensor_name_map(number, config.num_hidden_layers))
    return gguf.get_tensor_name_map(number, max(config.num_layers, config.num_decoder_layers)).get_name(path) + ".weight"


def build(base: str):
    """The model, and what it is for in peft's words."""
    if base in make_tiny_t5.MODELS:
        return make_tiny_t5.build(base), "SEQ_2_SEQ_LM"
    return make_tiny_encoders.build(base), "FEATURE_EXTRACTION"


def tokens(what: str, count: int) -> torch.Tensor:
    return torch.randint(3, VOCABULARY, (1, count), generator=seeded(f"{what} {count}"))


def answers(model, source: torch.Tensor, answer: torch.Tensor) -> list[str]:
    first = torch.cat([torch.zeros(1, 1, dtype=torch.long), answer], 1)
    logits = model(input_ids=source, decoder_input_ids=first, use_cache=False).logits[0]
    asked = dict(max_new_tokens=NEW, do_sample=False, return_dict_in_generate=True, output_scores=True, use_cache=False)
    greedy = model.generate(source, num_beams=1, **asked)
    found = model.generate(source, num_beams=BEAMS, length_penalty=1.0, early_stopping=False, **asked)
    return [f"source: {numbers(source[0])}", f"ids: {numbers(answer[0])}", f"means: {numbers(logits.mean(1))}",
            f"last: {numbers(logits[-1])}", f"greedy: {numbers(until_end(greedy))}"] + [
                f"{what}: {value}" for what, value in zip(("beams", "score", "logprobs"), searched(model, found))]


def states(model, ids: list[int]) -> list[str]:
    types = [int(model.config.model_type == "bert" and i > len(ids) // 2) for i in range(len(ids))]
    return make_tiny_encoders.case(model, ids, types)[1:]


def moved(model, source: torch.Tensor) -> float:
    """How far the adapters that are in use take a source's states from where the model has them."""
    inner = model.base_model.model
    more = dict(decoder_input_ids=torch.zeros(1, 1, dtype=torch.long), use_cache=False) if architecture(inner.config) == "t5" else {}
    value = lambda: inner(input_ids=source, **more)[0]
    changed = value()
    with model.disable_adapter():
        return float((changed - value()).abs().max())


@torch.no_grad()
def record(out: pathlib.Path, base: str, model, use) -> None:
    inner = model.base_model.model
    lines = [f"file: {base}.gguf", f"vocabulary: {VOCABULARY}"]
    for case, chosen in SETS[base].items():
        use(chosen)
        for length, begun in LENGTHS:
            source = tokens("source", length)
            distance = moved(model, source)
            if not (math.isfinite(distance) and distance > 0.1):
                raise ValueError(f"{case}: the adapters change the model by {distance}")
            lines.append(f"case: {case} {length}")
            if base in make_tiny_t5.MODELS:
                lines += answers(inner, source, tokens("answer", begun))
            else:
                lines += states(inner, source[0].tolist())
    (out / f"{base}.golden").write_text("\n".join(lines) + "\n", encoding="utf-8")
