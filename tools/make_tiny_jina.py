# SPDX-License-Identifier: Apache-2.0
"""Tiny random Jina Embeddings 2 in GGUF, and what torch computes from them: transformers has no class for it.

    python make_tiny_jina.py [OUT]     (OUT: native/tests/data/encoders)

The computation is written anew here, from the papers (arXiv:2310.19923; ALiBi arXiv:2108.12409, its distances taken to both
sides) and the published models' configuration, in torch's own layers; files and records are make_tiny_encoders.py's.
"""

import math
import pathlib
import sys
from types import SimpleNamespace

import gguf
import numpy as np
import torch
from torch.nn import functional

import make_tiny_encoders as tiny

EPSILON = 1e-12
# name: width, heads, inner width, whether queries and keys are normed and the input added twice (as the models for code are)
MODELS = {"jina_bert": (32, 4, 64, False), "jina_bert_code": (48, 3, 96, True)}


def slopes(heads: int) -> list[float]:
    """As the authors of ALiBi publish them."""
    def of_power(n: int) -> list[float]:
        start = 2 ** (-(2 ** -(math.log2(n) - 3)))
        return [start * start ** i for i in range(n)]
    if math.log2(heads).is_integer():
        return of_power(heads)
    below = 2 ** math.floor(math.log2(heads))
    return of_power(below) + slopes(2 * below)[0::2][:heads - below]


def weights(name: str, width: int, inner: int, code: bool) -> dict[str, torch.Tensor]:
    all_weights = {}

    def matrix(key: str, rows: int, cols: int, scale: float) -> None:
        all_weights[f"{key}.weight"] = torch.randn(rows, cols, generator=tiny.seeded(f"{name} {key}", 1)) * scale

    def vector(key: str, kind: str, length: int, center: float) -> None:
        all_weights[f"{key}.{kind}"] = center + 0.1 * torch.randn(length, generator=tiny.seeded(f"{name} {key} {kind}", 1))

    def norm(key: str) -> None:
        vector(key, "weight", width, 1)
        vector(key, "bias", width, 0)

    matrix("token_embd", tiny.VOCABULARY, width, 0.3)
    matrix("token_types", 2, width, 0.3)
    norm("token_embd_norm")
    for layer in range(2):
        block = f"blk.{layer}."
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            matrix(block + part, width, width, width ** -0.5)
            vector(block + part, "bias", width, 0)
        for part in ("attn_q_norm", "attn_k_norm", "attn_norm_2") if code else ():
            norm(block + part)
        norm(block + "attn_output_norm")
        if code:
            matrix(block + "ffn_gate", inner, width, width ** -0.5)
        matrix(block + "ffn_up", inner if code else 2 * inner, width, width ** -0.5)
        matrix(block + "ffn_down", width, inner, inner ** -0.5)
        vector(block + "ffn_down", "bias", width, 0)
        norm(block + "layer_output_norm")
    return all_weights


@torch.no_grad()
def states(w: dict[str, torch.Tensor], heads: int, code: bool, ids: list[int], types: list[int]) -> torch.Tensor:
    width, count = w["token_embd.weight"].shape[1], len(ids)
    norm = lambda x, key: functional.layer_norm(x, (width,), w[key + ".weight"], w[key + ".bias"], EPSILON)
    linear = lambda x, key: functional.linear(x, w[key + ".weight"], w.get(key + ".bias"))
    places = torch.arange(count)
    bias = -torch.tensor(slopes(heads))[:, None, None] * (places[:, None] - places[None, :]).abs()
    split = lambda x: x.view(count, heads, -1).transpose(0, 1)
    x = norm(w["token_embd.weight"][ids] + w["token_types.weight"][types], "token_embd_norm")
    for layer in range(2):
        b = f"blk.{layer}."
        q, k, v = (linear(x, b + part) for part in ("attn_q", "attn_k", "attn_v"))
        if code:
            q, k = norm(q, b + "attn_q_norm"), norm(k, b + "attn_k_norm")
        mixed = functional.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=bias)
        middle = norm(x + linear(mixed.transpose(0, 1).reshape(count, width), b + "attn_output"), b + "attn_output_norm")
        if code:
            middle = norm(x + middle, b + "attn_norm_2")
            gate, up = linear(middle, b + "ffn_gate"), linear(middle, b + "ffn_up")
        else:
            gate, up = linear(middle, b + "ffn_up").chunk(2, -1)
        x = norm(middle + linear(functional.gelu(gate) * up, b + "ffn_down"), b + "layer_output_norm")
    return x


def write(path: pathlib.Path, w: dict[str, torch.Tensor], width: int, heads: int, inner: int) -> None:
    writer = gguf.GGUFWriter(path, "jina-bert-v2")
    config = SimpleNamespace(model_type="jina-bert-v2", max_position_embeddings=tiny.CONTEXT, hidden_size=width,
                             intermediate_size=inner, num_hidden_layers=2, num_attention_heads=heads, layer_norm_eps=EPSILON,
                             architectures=["JinaBertModel"])
    tiny.metadata(writer, path.stem, SimpleNamespace(config=config))
    tiny.vocabulary(writer)
    for name, tensor in w.items():
        writer.add_tensor(name, np.ascontiguousarray(tensor.numpy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else tiny.OUT
    for name, (width, heads, inner, code) in MODELS.items():
        w = weights(name, width, inner, code)
        write(out / f"{name}.gguf", w, width, heads, inner)
        lines = [f"file: {name}.gguf", "activation_noise: 0"]
        for length in tiny.LENGTHS:
            ids = torch.randint(5, 300, (length,), generator=tiny.seeded(f"prompt {length}", 1)).tolist()
            types = [int(i > length // 2) for i in range(length)]
            hidden = states(w, heads, code, ids, types)
            lines += [f"case: {length}", f"ids: {tiny.numbers(ids)}", f"types: {tiny.numbers(types)}",
                      f"means: {tiny.numbers(hidden.mean(1))}", f"first: {tiny.numbers(hidden[0])}",
                      f"last: {tiny.numbers(hidden[-1])}", f"pooled: {tiny.numbers(hidden.mean(0))}"]
        (out / f"{name}.golden").write_text("\n".join(lines) + "\n")
        print(f"{name:20} {(out / f'{name}.gguf').stat().st_size / 1e3:6.0f} kB")


if __name__ == "__main__":
    main()
