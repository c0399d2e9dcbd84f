# SPDX-License-Identifier: Apache-2.0
"""The goldens of a real model, from JSON to the lines that the C tests read: golden_lines.py IN.json OUT.golden"""

import json
import pathlib
import sys


def escaped(text: str) -> str:
    """One line: backslashes, control characters and line ends written as escapes (native/tests/data/README.md)."""
    plain = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(plain.get(c) or (c if ord(c) >= 32 and ord(c) != 127 else f"\\x{ord(c):02x}") for c in text)


def lines(golden: dict):
    yield f"file: {golden['model']['file']}"
    yield f"sha256: {golden['model']['sha256']}"
    for name, prompt in golden["prompts"].items():
        yield f"case: {name}"
        yield f"text: {escaped(prompt['text'])}"
        yield f"ids: {' '.join(map(str, prompt['ids']))}"
        yield f"prompt_logprobs: {' '.join(map(str, prompt['prompt_logprobs']))}"
        yield f"top10: {' '.join(f'{i} {p}' for i, p in prompt['first_step_top10'])}"
        yield f"continuation: {' '.join(map(str, prompt['continuation']))}"
        yield f"margins: {' '.join(map(str, prompt['margins']))}"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    source = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    pathlib.Path(sys.argv[2]).write_text("\n".join(lines(source)) + "\n", encoding="utf-8")
