# SPDX-License-Identifier: Apache-2.0
"""A llama of any shape with random weights, in F16: for speed, not for sense.

    tools/make_random_model.py OUT.gguf [--layers 22] [--width 2048] [--hidden 5632] [--heads 32] [--kv-heads 4]
                               [--vocabulary 32000] [--context 8192] [--seed 1]

The shape by default is TinyLlama's, 1.1 billion weights, with room for 4,096 positions and more behind them. The
vocabulary is sentencepiece's kind: three control tokens, the bytes, then made-up words. Weights are normal, so scaled that
activations neither grow nor vanish. Quantize it with llama.cpp's llama-quantize: what it computes is not worth reading, but
each product costs what it costs in a real model.
"""

import argparse
import pathlib

import gguf
import numpy as np


def vocabulary(writer: gguf.GGUFWriter, count: int) -> None:
    kinds = gguf.TokenType
    tokens = [("<unk>", kinds.UNKNOWN), ("<s>", kinds.CONTROL), ("</s>", kinds.CONTROL)]
    tokens += [(f"<0x{byte:02X}>", kinds.BYTE) for byte in range(256)]
    tokens += [(f"\u2581w{n}", kinds.NORMAL) for n in range(count - len(tokens))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _ in tokens])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_token_scores([-float(n) for n in range(count)])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)


def tensors(a: argparse.Namespace) -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes, rows first, in the order of the file."""
    kv = a.width // a.heads * a.kv_heads
    layer = [("attn_norm", (a.width,)), ("attn_q", (a.width, a.width)), ("attn_k", (kv, a.width)),
             ("attn_v", (kv, a.width)), ("attn_output", (a.width, a.width)), ("ffn_norm", (a.width,)),
             ("ffn_gate", (a.hidden, a.width)), ("ffn_up", (a.hidden, a.width)), ("ffn_down", (a.width, a.hidden))]
    return [("token_embd.weight", (a.vocabulary, a.width)),
            *((f"blk.{n}.{name}.weight", shape) for n in range(a.layers) for name, shape in layer),
            ("output_norm.weight", (a.width,)), ("output.weight", (a.vocabulary, a.width))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    for name, value in (("layers", 22), ("width", 2048), ("hidden", 5632), ("heads", 32), ("kv-heads", 4),
                        ("vocabulary", 32000), ("context", 8192), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    a = parser.parse_args()
    writer = gguf.GGUFWriter(a.out, "llama")
    writer.add_name(f"random {a.layers} x {a.width}")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_block_count(a.layers)
    writer.add_context_length(a.context)
    writer.add_embedding_length(a.width)
    writer.add_feed_forward_length(a.hidden)
    writer.add_head_count(a.heads)
    writer.add_head_count_kv(a.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(a.width // a.heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(a.vocabulary)
    vocabulary(writer, a.vocabulary)
    shapes = tensors(a)
    for name, shape in shapes:
        kind = np.float32 if len(shape) == 1 else np.float16
        writer.add_tensor_info(name, shape, np.dtype(kind), int(np.prod(shape)) * np.dtype(kind).itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    random = np.random.default_rng(a.seed)
    for _, shape in shapes:
        if len(shape) == 1:
            writer.write_tensor_data(np.ones(shape, np.float32))
            continue
        numbers = random.standard_normal(shape, np.float32)
        numbers *= shape[1] ** -0.5
        writer.write_tensor_data(numbers.astype(np.float16))
    writer.close()


if __name__ == "__main__":
    main()
