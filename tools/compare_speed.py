# SPDX-License-Identifier: Apache-2.0
"""Puna beside llama.cpp on this machine: tokens a second of 1, 8 and 32 sequences, from the same file.

    tools/compare_speed.py LLAMA_CPP_BIN MODEL.gguf [--rounds 5] [--threads 2] [--parallel 1,8,32] [--prompt 128]
                           [--generate 64] [--depth 1024] [--json FILE] [--busy]

LLAMA_CPP_BIN is the folder of llama-batched-bench; native/build/release/bench/bench_model must be built. Both run in
turns, `rounds` times, so that what else the machine does meets both; medians, the least and the most are printed as
Markdown. llama-batched-bench: -npp PROMPT -ntg GENERATE -npl PARALLEL -t THREADS -tb THREADS -c enough, an F16 cache, all
else as it is by default. bench_model: a prompt as long for each sequence, then as many tokens behind it. A second table
has Puna alone, with an F16 and a Q8_0 cache behind a long context (--depth 0 leaves it out).

--busy is for a machine that has other work: one thread each, and seconds of the processor instead of the clock's, of what a
run takes more than another that reads or generates a third as much.
"""

import argparse
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "native/build/release/bench/bench_model"


def run(command: list[str], **environment: str) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, **environment})
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


def theirs(folder: pathlib.Path, a: argparse.Namespace) -> dict:
    positions = max(a.parallel) * (a.prompt + a.generate)
    out = run([str(folder / "llama-batched-bench"), "-m", str(a.model), "-c", str(positions), "-npp", str(a.prompt),
               "-ntg", str(a.generate), "-npl", ",".join(map(str, a.parallel)), "-t", str(a.threads),
               "-tb", str(a.threads), "--output-format", "jsonl"], LD_LIBRARY_PATH=str(folder))
    rows = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    if len(rows) != len(a.parallel):
        raise SystemExit(f"llama-batched-bench gave {len(rows)} rows:\n{out}")
    keys = (("prompt", "speed_pp"), ("generate", "speed_tg"))
    return {(test, row["pl"]): row[key] for row in rows for test, key in keys}


def ours(a: argparse.Namespace, depth: int, parallel: list[int], cache: str = "f16", prompt: int = 0) -> dict:
    out = run([str(BENCH), str(a.model), "--prompt", str(prompt), "--generate", str(a.generate), "--depth", str(depth),
               "--parallel", ",".join(map(str, parallel)), "--threads", str(a.threads), "--repeat", "1",
               "--cache", cache, "--json"])
    return {(r["test"], r["parallel"]): r["tokens_per_second"]["median"] for r in json.loads(out)["runs"]}


def seconds(command: list[str], **environment: str) -> float:
    """Of the processor."""
    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    before = spent()
    run(command, **environment)
    return spent() - before


def busy(a: argparse.Namespace, n: int) -> dict:
    """Rates of n sequences, by what three times the tokens take more. bench_model measures twice: it warms up."""
    def llama(prompt: int, generate: int) -> float:
        return seconds([str(a.peer / "llama-batched-bench"), "-m", str(a.model), "-c", str(n * (prompt + generate)), "-npp",
                        str(prompt), "-ntg", str(generate), "-npl", str(n), "-t", "1", "-tb", "1"],
                       LD_LIBRARY_PATH=str(a.peer))

    def puna(prompt: int, generate: int) -> float:
        return seconds([str(BENCH), str(a.model), "--prompt", str(prompt), "--generate", str(generate), "--depth",
                        str(a.prompt), "--parallel", str(n), "--threads", "1", "--repeat", "1"])

    p, g = a.prompt, a.generate
    return {"llama.cpp": {("prompt", n): 2 * p * n / (llama(3 * p, 1) - llama(p, 1)),
                          ("generate", n): 2 * g * n / (llama(p, 3 * g) - llama(p, g))},
            "puna": {("prompt", n): 4 * p * n / (puna(3 * p, 0) - puna(p, 0)),
                     ("generate", n): 4 * g * n / (puna(0, 3 * g) - puna(0, g))}}


def measure_busy(a: argparse.Namespace) -> None:
    rounds = []
    for _ in range(a.rounds):
        rounds.append({"llama.cpp": {}, "puna": {}})
        for n in a.parallel:
            for who, rates in busy(a, n).items():
                rounds[-1][who].update(rates)
    print(f"{a.model.name}, {processor()}, one thread, {a.rounds} rounds in turns, load {os.getloadavg()[0]:.0f}; tokens a "
          f"second of the processor, median (least to most); the ratio is the median of the rounds'.\n")
    table(rounds, list(rounds[0]["puna"]), {"puna": "Puna", "llama.cpp": "llama.cpp"}, "puna", "llama.cpp")


def shown(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def ratio(rounds: list[dict], key, above: str, below: str) -> str:
    """The median of each round's ratio: what disturbed a round disturbed both."""
    return f"{statistics.median(r[above][key] / r[below][key] for r in rounds):.2f}"


def processor() -> str:
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def table(rounds: list[dict], keys: list, names: dict, above: str, below: str) -> None:
    print(f"| test | sequences | {names[above]} | {names[below]} | ratio |\n|---|---|---|---|---|")
    for key in keys:
        cells = [shown([r[who][key] for r in rounds]) for who in (above, below)]
        print(f"| {key[0]} | {key[1]} | {cells[0]} | {cells[1]} | {ratio(rounds, key, above, below)} |")
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--parallel", type=lambda text: [int(n) for n in text.split(",")], default=[1, 8, 32])
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--generate", type=int, default=64)
    parser.add_argument("--depth", type=int, default=1024)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--busy", action="store_true")
    a = parser.parse_args()
    if a.busy:
        measure_busy(a)
        return
    rounds = []
    for n in range(a.rounds):
        rounds.append({"load": os.getloadavg()[0], "llama.cpp": theirs(a.peer, a),
                       "puna": ours(a, a.prompt, a.parallel, prompt=a.prompt)})
        if a.depth:
            some = [p for p in a.parallel if p <= 8]
            rounds[-1].update({cache: ours(a, a.depth, some, cache) for cache in ("f16", "q8_0")})
        print(f"round {n + 1} of {a.rounds}, load {rounds[-1]['load']:.1f}", file=sys.stderr, flush=True)
    loads = sorted(r["load"] for r in rounds)
    print(f"{a.model.name}, {processor()}, {a.threads} threads, {a.rounds} rounds in turns, load before them "
          f"{loads[0]:.1f} to {loads[-1]:.1f}; tokens a second, median (least to most); the ratio is the median of the "
          f"rounds'.\n")
    table(rounds, list(rounds[0]["puna"]), {"puna": "Puna", "llama.cpp": "llama.cpp"}, "puna", "llama.cpp")
    if a.depth:
        print(f"Behind {a.depth} tokens:\n")
        table(rounds, list(rounds[0]["f16"]), {"q8_0": "Puna, Q8_0 cache", "f16": "Puna, F16 cache"}, "q8_0", "f16")
    if a.json:
        plain = [{who: value if who == "load" else {f"{test} {n}": rate for (test, n), rate in value.items()}
                  for who, value in r.items()} for r in rounds]
        a.json.write_text(json.dumps(plain, indent=1) + "\n")


if __name__ == "__main__":
    main()
