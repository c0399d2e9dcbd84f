# SPDX-License-Identifier: Apache-2.0
"""Vectors of ./puna embed beside those of transformers in float32: all-MiniLM-L6-v2, the mean of a text's states, at length 1.

    python ci/embeddings/compare.py FOLDER WORK

1 - cosine is at most 1e-5 in F32, and 1e-3 in Q8_0, for each of some hundred texts. Single words are farthest away: they have
no mean that errors drown in.
"""
import json
import pathlib
import random
import subprocess
import sys

import numpy as np
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BOUNDS = {"F32": 1e-5, "Q8_0": 1e-3}
OTHERS = ["x", "!", "the", "again,", "you", "London", "and", "a", "1", "running",
          "Zoë's café: naïve, Straße", "The [MASK] of [CLS] and [SEP]", "今日は良い天気です。", "Привет, мир! Как дела?",
          "שלום עולם", "नमस्ते दुनिया", "👍🏽 done", "3.14159 1,000,000 0xFF 1e-10", "def f(x):\treturn x**2  # squares",
          "supercalifragilisticexpialidocious " * 3, "a" * 101, "e\u0301te\u0301", "end of\u00a0line\u200b."]


def texts() -> list[str]:
    """Of one to 350 words; no line breaks, since a line is a text."""
    words = (ROOT / "native/tests/data/english.txt").read_text(encoding="utf-8").split()
    draw = random.Random(1)
    cuts = []
    for _ in range(150):
        count = min(350, 1 + int(draw.lognormvariate(2.7, 1)))
        begin = draw.randrange(len(words) - count)
        cuts.append(" ".join(words[begin:begin + count]))
    return cuts + OTHERS


@torch.no_grad()
def theirs(folder: str, all_texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Vectors and numbers of tokens. Texts are read one by one: then nothing is padded."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    rows, counts = [], []
    for text in all_texts:
        # marks that are spelled out in a text are text to us
        ids = tokenizer(text, return_tensors="pt", split_special_tokens=True)
        state = model(input_ids=ids["input_ids"], token_type_ids=ids["token_type_ids"]).last_hidden_state[0].mean(0)
        rows.append((state / state.norm()).numpy())
        counts.append(ids["input_ids"].shape[1] - 2)
    return np.array(rows, np.float64), np.array(counts)


def puna(*arguments: str, lines: list[str]) -> str:
    done = subprocess.run([str(ROOT / "puna"), *arguments], input="\n".join(lines) + "\n", stdout=subprocess.PIPE,
                          encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"embeddings: ./puna {arguments[0]} ended with status {done.returncode}")
    return done.stdout


def main() -> None:
    folder, work = sys.argv[1], pathlib.Path(sys.argv[2])
    all_texts = texts()
    expected, counts = theirs(folder, all_texts)
    wrong = 0
    for kind, bound in BOUNDS.items():
        file = work / f"minilm-{kind}.gguf"
        puna("convert", folder, "-o", str(file), "--type", kind, lines=[])
        ours = np.array(json.loads(puna("embed", "-m", str(file), "--normalize", "--json", lines=all_texts)), np.float64)
        if ours.shape != expected.shape:
            raise SystemExit(f"embeddings: {ours.shape} numbers, not {expected.shape}")
        lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(expected, axis=1)
        away = 1 - (ours * expected).sum(1) / lengths
        print(f"all-MiniLM-L6-v2 {kind}: {len(all_texts)} texts, 1 - cosine on average {away.mean():.2g}, at most "
              f"{away.max():.2g}, of one or two tokens {away[counts < 3].max():.2g} (bound {bound:g})")
        for i in np.flatnonzero(~(away <= bound)):
            wrong += 1
            print(f"  {away[i]:.2g} for {all_texts[i][:80]!r}")
    sys.exit(1 if wrong else 0)


main()
