# SPDX-License-Identifier: Apache-2.0
"""What ./puna computes against what transformers computes from the same file. check.sh runs this.

Tiny models, made anew with weights of a fresh seed: logits of every position within 1e-4 (F32, F16, BF16), or within twice
what rounding activations to int8 does (quantized). SmolLM2 on english.txt: the mean KL divergence from the f32 reference,
and from ourselves with an f32 cache, each type of cache within a bound of its own (CACHES).
"""

import argparse
import hashlib
import json
import math
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

import corpus  # noqa: E402
import families  # noqa: E402
import gguf_reference  # noqa: E402
import make_tiny  # noqa: E402
import vocabularies  # noqa: E402

BOUND = 1e-4
CASES = ("7", "33", "130", "600")
SMOLLM2_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CHUNK, CHUNKS, FIRST, LAST = 512, 2, 256, 510  # two chunks, each from its own position 0; positions 256 to 510 count
LLAMA_CPP_KL = 0.002285  # its mean over those 510 positions (without flash attention; 0.002315 with it)
PROMISED = 1.03 * LLAMA_CPP_KL  # docs/numerics.md: whatever the cache
# Of each type of cache: the mean KL from the reference that was measured, and from our own f32 cache. Our bits are the
# same on every processor, so the first moves only by the reference's own rounding, of another torch or another processor,
# and the second not at all while the arithmetic is what it is; a wrong scale or a stale page is far beyond both.
CACHES = {"f32": (0.001623, 0.0), "f16": (0.001624, 0.001778), "q8_0": (0.002261, 0.002497)}
REFERENCE_ROOM, CACHE_ROOM = 1.1, 1.5


def puna(*arguments: str) -> str:
    done = subprocess.run([str(ROOT / "puna"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"oracle: ./puna {arguments[0]} ended with status {done.returncode}")
    return done.stdout


def read_logits(out: pathlib.Path, ids: list[int]) -> np.ndarray:
    values = np.fromfile(out, "<f4")
    out.unlink()
    if values.size == 0 or values.size % len(ids):
        raise SystemExit(f"oracle: {values.size} logits for {len(ids)} positions")
    return values.reshape(len(ids), -1)


def puna_logits(model, ids: list[int], folder: pathlib.Path, *options: str) -> np.ndarray:
    out = folder / "logits.f32"
    puna("logits", "-m", str(model), *options, "--tokens", ",".join(map(str, ids)), "-o", str(out))
    return read_logits(out, ids)


class Logits:
    """What `puna logits` writes, for many tiny models by one Java program: Java's start takes longer than they do."""

    def __init__(self, java: str):
        puna("--version")  # builds what is missing
        launcher = ROOT / "target" / "launcher"
        app = launcher / (launcher / "current").read_text().strip()
        self.program = subprocess.Popen(
            [java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED",
             f"-Dpuna.library.path={app / 'libpuna.so'}", "-cp", str(app / "*"), str(ROOT / "ci" / "oracle" / "Logits.java")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stdin.close()
        self.program.wait()

    def of(self, model: pathlib.Path, ids: list[int], folder: pathlib.Path) -> np.ndarray:
        out = folder / "logits.f32"
        self.program.stdin.write(f"{model}\t{out}\t{','.join(map(str, ids))}\n")
        self.program.stdin.flush()
        answer = self.program.stdout.readline().strip()
        if answer != "written":
            raise SystemExit(f"oracle: {model}: {answer or 'ci/oracle/Logits.java ended'}")
        return read_logits(out, ids)


def golden(path: pathlib.Path) -> tuple[dict, dict]:
    """The file's own keys, and its cases."""
    head, cases, current = {}, {}, None
    for line in path.read_text(encoding="utf-8").split("\n"):
        key, _, value = line.partition(": ")
        if key == "case":
            current = cases.setdefault(value, {})
        elif key:
            (head if current is None else current)[key] = value
    return head, cases


def plain_frequencies(rope: dict, width: int) -> np.ndarray:
    return rope["rope_theta"] ** (-np.arange(0, width, 2) / width)


def yarn_frequencies(rope: dict, width: int) -> np.ndarray:
    base, original = rope["rope_theta"], rope["original_max_position_embeddings"]

    def dimension(turns: float) -> float:
        return width * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))

    low, high = dimension(rope.get("beta_fast") or 32.0), dimension(rope.get("beta_slow") or 1.0)
    if rope.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, width - 1)
    keeps = 1 - np.clip((np.arange(width // 2) - low) / max(high - low, 0.001), 0, 1)
    plain = plain_frequencies(rope, width)
    return plain / rope["factor"] * (1 - keeps) + plain * keeps


FREQUENCIES = {"default": plain_frequencies, "yarn": yarn_frequencies}


def exact_frequencies(model) -> None:
    """transformers computes frequencies in single precision, operation by operation: up to 1e-7 off, which at position
    600 is most of BOUND where logits are large. So the reference gets them in double, rounded once, where they are the
    same formula's; yarn's have to be."""
    ropes = getattr(model.config, "rope_parameters", None) or {}
    for name, buffer in model.named_buffers():
        name = name.rpartition(".")[2]
        if not name.endswith("inv_freq") or "original" in name:
            continue
        rope = ropes.get(name.removesuffix("_inv_freq"), ropes)  # some have one for each type of layer
        frequencies = FREQUENCIES.get(rope.get("rope_type"))
        if frequencies is None or "rope_theta" not in rope:
            continue
        given, exact = buffer.double().numpy(), frequencies(rope, 2 * len(buffer))
        if np.abs(given / exact - 1).max() <= 1e-6:
            buffer.copy_(torch.from_numpy(exact))
        elif frequencies is not plain_frequencies:  # those may have factors of the file's upon them
            raise SystemExit(f"oracle: transformers' frequencies are {given}, not {exact}")


def check_tiny(folder: pathlib.Path, seed: int, logits: Logits) -> int:
    failures = 0
    for name in make_tiny.MODELS:
        if name in make_tiny.WITHOUT_GOLDENS:
            continue
        made = make_tiny.make(name, folder, seed)
        path = folder / f"{name}.gguf"
        head, cases = golden(path.with_suffix(".golden"))
        noise = float(head["activation_noise"])
        bound, worst = 2 * noise if noise else BOUND, 0.0
        model = made if made.config.model_type in families.ARCHITECTURES else gguf_reference.load(path)
        exact_frequencies(model)
        for case in CASES:
            ids = [int(i) for i in cases[case]["ids"].split()]
            expected, ours = gguf_reference.logits(model, ids), logits.of(path, ids, folder)
            if ours.shape != expected.shape or not np.isfinite(ours).all():
                raise SystemExit(f"oracle: {name}: shape {ours.shape}, or a logit that is not finite")
            worst = max(worst, float(np.abs(ours - expected).max()))
        right = worst <= bound
        failures += not right
        print(f"{name:16} largest difference {worst:.2e}, bound {bound:.2e}{'' if right else '  FAILED'}", flush=True)
    return failures


def sha256(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def strings(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def smollm2() -> pathlib.Path:
    """The default model's file, fetched by Puna itself; known by its checksum."""
    puna("pull", "smollm2")
    home = pathlib.Path.home()
    data = pathlib.Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    store = pathlib.Path(os.environ.get("PUNA_HOME") or data / "puna") / "models"
    named = [pathlib.Path(s) for s in strings(json.loads(puna("list", "--json"))) if s.endswith(".gguf")]
    for path in [*named, *(store / p for p in named), *store.glob("*.gguf")]:
        if path.is_file() and sha256(path) == SMOLLM2_SHA256:
            return path
    raise SystemExit("oracle: ./puna pull smollm2 left no file with SmolLM2's checksum; give --model FILE")


def log_softmax(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float64)
    rows -= rows.max(-1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(-1, keepdims=True))


def mean_divergence(expected: list[np.ndarray], ours: list[np.ndarray]) -> tuple[float, float]:
    """The mean over all positions, and its standard error."""
    every = np.concatenate([(np.exp(e) * (e - o)).sum(-1) for e, o in zip(expected, ours)])
    return float(every.mean()), float(every.std() / len(every) ** 0.5)


def check_cache(cache: str, theirs: list[np.ndarray], plain: list[np.ndarray], ours: list[np.ndarray]) -> int:
    measured, apart = CACHES[cache]
    bound, apart_bound = min(REFERENCE_ROOM * measured, PROMISED), CACHE_ROOM * apart
    mean, deviation = mean_divergence(theirs, ours)
    moved, _ = mean_divergence(plain, ours)
    same = np.concatenate([t.argmax(-1) == o.argmax(-1) for t, o in zip(theirs, ours)]).mean()
    right = mean <= bound and moved <= apart_bound  # False for NaN, too
    print(f"SmolLM2 Q4_1, cache in {cache}: mean KL {mean:.6f} +- {deviation:.6f} (bound {bound:.6f}, llama.cpp "
          f"{LLAMA_CPP_KL}), from an f32 cache {moved:.3e} (bound {apart_bound:.3e}), best token equal {same:.4f}"
          f"{'' if right else '  FAILED'}", flush=True)
    return not right


def check_fidelity(folder: pathlib.Path, path: pathlib.Path) -> int:
    if sha256(path) != SMOLLM2_SHA256:
        raise SystemExit(f"oracle: {path} is not the file that llama.cpp was measured with")
    tokenizer = vocabularies.from_gguf(path).reference(control=False)
    ids = tokenizer.encode(corpus.english(), add_special_tokens=False).ids
    model = gguf_reference.load(path)
    chunks = [ids[start:start + CHUNK] for start in range(0, CHUNK * CHUNKS, CHUNK)]
    theirs = [log_softmax(gguf_reference.logits(model, chunk)[FIRST:LAST + 1]) for chunk in chunks]
    ours = {cache: [log_softmax(puna_logits(path, chunk, folder, "--cache-type", cache)[FIRST:LAST + 1])
                    for chunk in chunks] for cache in CACHES}
    return sum(check_cache(cache, theirs, ours["f32"], ours[cache]) for cache in CACHES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=None, help="of the tiny models' weights and prompts; random without it")
    parser.add_argument("--model", type=pathlib.Path, help="SmolLM2's file; fetched without it")
    parser.add_argument("--only", choices=("tiny", "fidelity"))
    parser.add_argument("--java", required=True, help="the program java of a JDK 25")
    arguments = parser.parse_args()
    seed = secrets.randbelow(10**6) if arguments.seed is None else arguments.seed
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if arguments.only != "fidelity":
            started = time.monotonic()
            print(f"tiny models, seed {seed}", flush=True)
            with Logits(arguments.java) as logits:
                failures += check_tiny(folder, seed, logits)
            print(f"tiny models: {time.monotonic() - started:.0f} s", flush=True)
        if arguments.only != "tiny":
            started = time.monotonic()
            failures += check_fidelity(folder, arguments.model or smollm2())
            print(f"fidelity: {time.monotonic() - started:.0f} s", flush=True)
    if failures:
        raise SystemExit(f"oracle: {failures} comparisons failed")
    print("oracle: all comparisons passed")


if __name__ == "__main__":
    main()
