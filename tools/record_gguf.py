# SPDX-License-Identifier: Apache-2.0
"""Writes native/tests/data/gguf/types.gguf with the PyPI package gguf: every metadata type, arrays of each, tensors.

    pip install gguf==0.19.0 numpy
    python tools/record_gguf.py

The C test of the reader knows what is in it, and the writer must make the same bytes from it.
"""

import pathlib

import numpy as np
from gguf import GGMLQuantizationType, GGUFValueType, GGUFWriter, quants

SCALARS = [
    (GGUFValueType.UINT8, 250),
    (GGUFValueType.INT8, -5),
    (GGUFValueType.UINT16, 65000),
    (GGUFValueType.INT16, -300),
    (GGUFValueType.UINT32, 4000000000),
    (GGUFValueType.INT32, -70000),
    (GGUFValueType.FLOAT32, 0.15625),
    (GGUFValueType.BOOL, True),
    (GGUFValueType.STRING, "Grüße, 世界"),
    (GGUFValueType.UINT64, 2**64 - 2),
    (GGUFValueType.INT64, -(2**40)),
    (GGUFValueType.FLOAT64, 1e300),
]


def main():
    path = pathlib.Path(__file__).resolve().parent.parent / "native" / "tests" / "data" / "gguf" / "types.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = GGUFWriter(path, "llama")
    for kind, value in SCALARS:
        writer.add_key_value(f"one.{kind.name.lower()}", value, kind)
    for kind, value in SCALARS:
        writer.add_key_value(f"many.{kind.name.lower()}", [value] * 3, GGUFValueType.ARRAY, sub_type=kind)
    writer.add_array("words", [f"word {i} " + "x" * (i % 5) for i in range(100)])
    writer.add_array("nested", [[1, 2, 3], [4], [5, 6]])
    steps = np.arange(64 * 3, dtype=np.float32).reshape(3, 64) / 16 - 6
    writer.add_tensor("plain", steps[:, :5].copy())
    writer.add_tensor("half", steps.astype(np.float16))
    kind = GGMLQuantizationType.Q4_1
    writer.add_tensor("quantized", quants.quantize(steps, kind), raw_dtype=kind)
    writer.add_tensor("last", np.ones(7, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
