# SPDX-License-Identifier: Apache-2.0
"""Ids that were recorded elsewhere, against ours. Needs no package.

    python ci/text/recorded.py TOKENIZE_LINES MODEL.gguf lines STRINGS.txt IDS [FLAGS]      native/tests/data/tokenizer/
    python ci/text/recorded.py TOKENIZE_LINES MODEL.gguf ggml TEXTS.inp IDS.out [FLAGS]     llama.cpp's test vocabularies

With 256 in FLAGS the vocabulary normalizes texts. llama.cpp does not: of such a file, texts that are not in form C (a few, of
llama.cpp's own making) are left out.
"""
import re
import struct
import subprocess
import sys
import unicodedata

ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}


def unescape(line):
    return re.sub(r"\\(x..|.)", lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" else ESCAPES[m[1]], line)


def texts(kind, path):
    content = open(path, "rb").read()
    if kind == "ggml":
        return content.split(b"\n__ggml_vocab_test__\n")
    return [unescape(line).encode() for line in content.decode().split("\n")[:-1]]


def main():
    program, model, kind, inputs, outputs = sys.argv[1:6]
    flags = sys.argv[6] if len(sys.argv) > 6 else "0"
    wanted = texts(kind, inputs)
    data = b"".join(struct.pack("<I", len(t)) + t for t in wanted)
    run = subprocess.run([program, model, flags], input=data, capture_output=True)
    if run.returncode:
        sys.exit(f"{program} failed: {run.stderr.decode()}")
    ours = [line.split() for line in run.stdout.decode().split("\n")[:-1]]
    theirs = [line.split() for line in open(outputs).read().split("\n")[:len(wanted)]]
    if int(flags) & 256:
        kept = [i for i, t in enumerate(wanted) if unicodedata.is_normalized("NFC", t.decode())]
        ours, theirs, wanted = ([all[i] for i in kept] for all in (ours, theirs, wanted))
    if not len(ours) == len(theirs) == len(wanted) > 40:
        sys.exit(f"{len(wanted)} texts, {len(ours)} answers, {len(theirs)} recorded")
    different = [(t, a, b) for t, a, b in zip(wanted, ours, theirs) if a != b]
    for t, a, b in different[:5]:
        print(f"different: {t!r}\n  ours     {' '.join(a)}\n  recorded {' '.join(b)}")
    print(f"{outputs.rsplit('/', 1)[-1]}: {len(wanted)} texts, {len(different)} different")
    sys.exit(1 if different else 0)


main()
