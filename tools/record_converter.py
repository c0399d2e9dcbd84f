# SPDX-License-Identifier: Apache-2.0
"""What llama.cpp's converter makes of the folders of make_folders.py: metadata, and a checksum of each tensor.

    python record_converter.py LLAMA_CPP      its source, as in the PyPI package llama-cpp-python's vendor/llama.cpp

FOLDER.gguf.txt beside each folder, lines of tabs: `entry KEY TYPE VALUE` and `tensor NAME SHAPE F32 Q8_0`: each tensor's type in a
file of F32 and one of Q8_0, and the first 16 digits of its bytes' SHA-256. A float is its bits in hexadecimal, a truth 0 or 1; an
array is its length and the checksum of its elements, a line each. The name of the way in which
a tokenizer cuts words is not llama.cpp's: it knows published vocabularies alone.
"""

import hashlib
import json
import pathlib
import struct
import sys
import tempfile

import corpus

FOLDERS = corpus.DATA / "folders"
PRE = "not known"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def spelled(value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return struct.pack(">f", value).hex() if isinstance(value, float) else str(value).replace("\n", "\\n")


def value(field) -> str:
    contents = field.contents()
    if isinstance(contents, list):
        return f"{len(contents)} {digest(chr(10).join(map(spelled, contents)).encode())}"
    return spelled(contents)


def convert(main, folder: pathlib.Path, kind: str, out: pathlib.Path) -> None:
    sys.argv = ["convert_hf_to_gguf.py", str(folder), "--outtype", kind, "--outfile", str(out)]
    main()


def record(gguf, main, folder: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        readers = {}
        for kind in ("f32", "q8_0"):
            path = pathlib.Path(place) / f"{kind}.gguf"
            convert(main, folder, kind, path)
            readers[kind] = gguf.GGUFReader(path)
        lines = []
        for field in readers["f32"].fields.values():
            if not field.name.startswith("GGUF."):
                kind = "/".join(t.name for t in field.types)
                lines.append(f"entry\t{field.name}\t{kind}\t{value(field)}")
        quantized = {t.name: t for t in readers["q8_0"].tensors}
        for tensor in readers["f32"].tensors:
            shape = "x".join(str(int(n)) for n in tensor.shape)
            sums = [f"{t.tensor_type.name}:{digest(t.data.tobytes())}" for t in (tensor, quantized[tensor.name])]
            lines.append(f"tensor\t{tensor.name}\t{shape}\t" + "\t".join(sums))
        (folder.parent / f"{folder.name}.gguf.txt").write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
        print(folder.name, len(lines))


def main() -> None:
    source = pathlib.Path(sys.argv[1])
    names = sys.argv[2:]
    sys.path[:0] = [str(source), str(source / "gguf-py")]
    import convert_hf_to_gguf
    import gguf
    from conversion import base
    base.TextModel.get_vocab_base_pre = lambda self, tokenizer: PRE
    load = base.ModelBase.load_hparams  # by way of transformers, which forgets what it does not know: GPT-NeoX's rotary_pct
    base.ModelBase.load_hparams = staticmethod(
        lambda folder, is_mistral_format: json.loads((folder / "config.json").read_text()) | load(folder, is_mistral_format))
    for folder in sorted(p for p in FOLDERS.iterdir() if p.is_dir() and (not names or p.name in names)):
        try:
            record(gguf, convert_hf_to_gguf.main, folder)
        except Exception as e:  # what it can't convert has no record
            print(f"{folder.name}: {type(e).__name__}: {e}", file=sys.stderr)


if __name__ == "__main__":
    main()
