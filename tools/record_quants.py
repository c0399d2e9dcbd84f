# SPDX-License-Identifier: Apache-2.0
"""Records what the reference quantizers of the PyPI package gguf make of some numbers: native/tests/data/quants/.

    pip install gguf==0.19.0 numpy
    python tools/record_quants.py

input.f32 holds the numbers (little-endian singles), NAME.blocks what each format stores of them, NAME.f32 what those
blocks decode to. Of the formats that gguf only decodes, NAME.blocks are random. The C test of the formats compares its own
with them bit for bit.
"""

import pathlib

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

FORMATS = ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]

# Formats that we only read, and where the halves are in a block: any bytes but for those, of moderate size.
READ = {"Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0],
        "MXFP4": []}


def numbers():
    """Rows of 32: ordinary ones over many scales, then those that go wrong easily."""
    random = np.random.default_rng(20260101)
    scales = 10.0 ** random.uniform(-6, 4, size=(40, 1))
    rows = [random.normal(size=(40, 32)) * scales, random.uniform(-1, 1, size=(8, 32))]
    steps = np.arange(32, dtype=np.float64)
    rows += [
        [np.zeros(32)],
        [np.where(steps < 4, -1e-3, 1e-3)],  # the first of equals decides
        [np.full(32, 0.75)],
        [np.full(32, -3.0)],
        [np.where(steps == 17, 5.0, 0.0)],
        [np.where(steps == 31, -5.0, 0.0)],
        [np.where(steps % 2 == 0, 2.0, -2.0)],  # the largest magnitude twice, of both signs
        [np.where(steps % 2 == 0, -2.0, 2.0)],
        [(steps - 16) / 2],  # halves between steps
        [(steps - 15.5) / 8],
        [(steps * 8 - 127) / 2],
        [steps - 16],
        [steps * 1e-7],  # half scales become denormal
        [(steps + 1) * 1e-9],  # and zero
        [(steps - 16) * 3000.0],
        [1.0 + steps * 2.0**-11],  # ties of half and bfloat
    ]
    return np.concatenate([np.asarray(part, dtype=np.float32) for part in rows])


def any_blocks(name):
    """Blocks for 4,096 numbers: random bytes; the first two all zero bits and all one bits but for the halves."""
    kind = GGMLQuantizationType[name]
    random = np.random.default_rng([20261101, kind.value])
    length, size = GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, size=(4096 // length, size), dtype=np.uint8)
    blocks[0], blocks[1] = 0, 255
    for at in READ[name]:
        halves = (random.normal(size=len(blocks)) * 10.0 ** random.uniform(-7, 1, size=len(blocks))).astype("<f2")
        blocks[:, at : at + 2] = halves.view(np.uint8).reshape(-1, 2)
    if name == "MXFP4":
        blocks[1:, 0] = np.minimum(blocks[1:, 0], 250)
    return blocks


def main():
    folder = pathlib.Path(__file__).resolve().parent.parent / "native" / "tests" / "data" / "quants"
    folder.mkdir(parents=True, exist_ok=True)
    values = numbers()
    values.astype("<f4").tofile(folder / "input.f32")
    for name in FORMATS:
        kind = GGMLQuantizationType[name]
        blocks = quants.quantize(values, kind)
        blocks.view(np.uint8).tofile(folder / f"{name}.blocks")
        quants.dequantize(blocks, kind).astype("<f4").tofile(folder / f"{name}.f32")
    for name in READ:
        blocks = any_blocks(name)
        blocks.tofile(folder / f"{name}.blocks")
        quants.dequantize(blocks, GGMLQuantizationType[name]).astype("<f4").tofile(folder / f"{name}.f32")
    print(f"{values.size} numbers, {len(FORMATS) + len(READ)} formats in {folder}")


if __name__ == "__main__":
    main()
