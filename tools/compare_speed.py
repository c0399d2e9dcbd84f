# SPDX-License-Identifier: Apache-2.0
"""Puna beside llama.cpp and its kin on this machine: tokens a second of the same work, from the same files, in turns.

    tools/compare_speed.py --out FILE.json --peer 'NAME=BIN FLAGS' [--peer ...] [--case NAME ...] [--threads 2,1]
                           [--rounds 7] [--seconds S] [--neighbour CPU] MODEL.gguf ...
    tools/compare_speed.py --out FILE.json --table

A peer is the folder of its llama-bench (and llama-batched-bench) with the flags that it shall get, for example
'ik=/path/to/bin -fa 1 -rtr 1'; one with two sets of flags is two peers. native/build/release/bench must be built.

Cases, all with keys and values in F16:

    prompt512, prompt4096      reading so many tokens at once
    generate128                128 tokens one by one behind an empty cache
    depth4096                  the same behind 4,096 tokens
    parallel1, 8, 32           so many sequences generating together, 128 tokens each, behind prompts of 128
    first                      from nothing to one token: seconds of the whole process, loading and leaving included.
                               Before each, as much memory as the file has is taken and given back: a virtual machine may
                               have to ask its host for fresh memory, which whoever comes first would pay for all

A round is one run of each program, whose order turns from round to round; beside each round stands the read bandwidth
that was measured then (bench_ceilings), since it changes while one looks. The ratio is the median of the rounds' ratios
to the peer with the better median. Peak memory is what the system says of each process; it counts what a program maps.

Every finished round is written to FILE at once. The same command goes on where an earlier one ended; with --seconds none
begins a round that would not end in time, and the exit status is 3 while something is missing. A peer that fails at a
case is left out of it, and the table says so. --neighbour pins a
process that only counts to a processor, for as long as the programs run; its figures are cases of their own.
--table prints what FILE has, as Markdown.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "native/build/release/bench"
CASES = ("prompt512", "prompt4096", "generate128", "depth4096", "parallel1", "parallel8", "parallel32", "first")
WARMED = 64  # tokens of a prompt that warm a program up, where the case itself would take as long again


class Failed(Exception):
    """A program that ended by a fault, with what it said last."""


class Peer:
    def __init__(self, text: str):
        self.name, equals, command = text.partition("=")
        words = shlex.split(command)
        if not equals or not words:
            raise SystemExit(f"--peer {text}: NAME=FOLDER FLAGS is wanted")
        self.folder, self.flags = pathlib.Path(words[0]), words[1:]
        if not (self.folder / "llama-bench").exists():
            raise SystemExit(f"{self.folder} has no llama-bench")
        self.gp = "-gp <" in run([str(self.folder / "llama-bench"), "--help"], self.folder)[0]

    def bench(self, model: pathlib.Path, threads: int, test: list[str], warm: bool) -> tuple[str, int, float]:
        cold = [] if warm else ["-w", "0"] if self.gp else ["--no-warmup"]
        return run([str(self.folder / "llama-bench"), "-m", str(model), "-t", str(threads), "-r", "1", "-o", "json",
                    *test, *cold, *self.flags], self.folder)

    def batched(self, model: pathlib.Path, threads: int, count: int) -> tuple[str, int, float]:
        return run([str(self.folder / "llama-batched-bench"), "-m", str(model), "-c", str(count * 256 + 256), "-b",
                    "2048", "-ub", "512", "-npp", "128", "-ntg", "128", "-npl", str(count), "-t", str(threads), "-tb",
                    str(threads), "--output-format", "jsonl", *self.flags], self.folder)

    def measure(self, case: str, model: pathlib.Path, threads: int) -> dict:
        kind, number = split(case)
        if kind == "parallel":
            out, memory, _ = self.batched(model, threads, number)
            return {"rate": rows_of(out)[0]["speed_tg"], "memory": memory}
        if kind == "first":
            _, memory, seconds = self.bench(model, threads, ["-p", "0", "-n", "1"], warm=False)
            return {"seconds": seconds, "memory": memory}
        test = {"prompt": ["-p", str(number), "-n", "0"], "generate": ["-p", "0", "-n", str(number)],
                "depth": ["-p", "0", "-n", "0", "-gp", f"{number},128"] if self.gp
                else ["-p", "0", "-n", "128", "-d", str(number)]}[kind]
        out, memory, _ = self.bench(model, threads, test, warm=number < 1000)
        return {"rate": json.loads(out[out.index("["):])[-1]["avg_ts"], "memory": memory}


class Puna:
    name = "Puna"

    def measure(self, case: str, model: pathlib.Path, threads: int) -> dict:
        kind, number = split(case)
        command = [str(BENCH / "bench_model"), str(model), "--threads", str(threads), "--repeat", "1", "--json"]
        test = {"prompt": ["--prompt", str(number), "--generate", "0"],
                "generate": ["--prompt", "0", "--generate", str(number)],
                "depth": ["--prompt", "0", "--generate", "128", "--depth", str(number)],
                "parallel": ["--prompt", "0", "--generate", "128", "--depth", "128", "--parallel", str(number)],
                "first": ["--prompt", "0", "--generate", "0"]}[kind]
        out, memory, seconds = run([*command, *test, *(["--warm", str(WARMED)] if number >= 1000 else [])], None)
        if kind == "first":
            return {"seconds": seconds, "memory": memory}
        return {"rate": json.loads(out)["runs"][-1]["tokens_per_second"]["median"], "memory": memory}


def split(case: str) -> tuple[str, int]:
    kind = case.rstrip("0123456789")
    return kind, int(case[len(kind):] or 0)


def rows_of(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def run(command: list[str], libraries: pathlib.Path | None) -> tuple[str, int, float]:
    """What it printed, the most memory that it held in bytes, the seconds that it took."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)} if libraries else None
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, env=environment)
    # both pipes are drained before the process is waited for: wait4 gives its memory, communicate would not
    out, errors = process.communicate() if not hasattr(os, "wait4") else drain(process)
    seconds = time.monotonic() - begin
    if process.returncode:
        raise Failed(f"{shlex.join(command)} ended with status {process.returncode}:\n{errors[-1000:]}")
    return out, getattr(process, "peak", 0), seconds


def drain(process: subprocess.Popen) -> tuple[str, str]:
    import threading
    errors: list[str] = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
    reader.start()
    out = process.stdout.read()
    reader.join()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.peak = usage.ru_maxrss * (1 if platform.system() == "Darwin" else 1024)
    return out, errors[0]


@contextlib.contextmanager
def neighbour(cpu: int | None):
    """A process that counts on one processor, meanwhile."""
    if cpu is None:
        yield
        return
    code = f"import os\nos.sched_setaffinity(0, {{{cpu}}})\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def load(file: pathlib.Path) -> dict:
    return json.loads(file.read_text()) if file.exists() else {"processor": processor(), "cases": {}}


def save(file: pathlib.Path, results: dict) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(results, indent=1) + "\n")
    part.replace(file)


def processor() -> str:
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def one_round(programs: list, case: str, model: pathlib.Path, threads: int, number: int, cpu: int | None) -> dict:
    begin = time.monotonic()
    probe, _, _ = run([str(BENCH / "bench_ceilings"), "--threads", str(threads), "--json"], None)
    result = {"load": os.getloadavg()[0], "reads": json.loads(probe)["reads"]}
    turn = number % len(programs)
    with neighbour(cpu):
        for program in programs[turn:] + programs[:turn]:
            if case == "first":
                run([sys.executable, "-c", f"bytes(b'1') * {model.stat().st_size * 5 // 4}"], None)
            try:
                result[program.name] = program.measure(case, model, threads)
            except Failed as failure:
                if isinstance(program, Puna):
                    raise
                print(failure, file=sys.stderr, flush=True)
                result[program.name] = {"failed": str(failure)[-300:]}
    result["took"] = time.monotonic() - begin
    return result


def measure(a: argparse.Namespace) -> bool:
    """Whether all is there."""
    deadline = time.monotonic() + a.seconds if a.seconds else None
    programs = [Puna(), *map(Peer, a.peer)]
    names = [p.name for p in programs]
    complete = True
    for model in a.models:
        for case in a.case or CASES:
            for threads in a.threads:
                key = f"{model.name}|{case}|{threads}" + ("" if a.neighbour is None else "|neighbour")
                rounds = [r for r in load(a.out)["cases"].get(key, []) if all(n in r for n in names)]
                while len(rounds) < a.rounds:
                    longest = max((r["took"] for r in rounds), default=0)
                    if deadline and time.monotonic() + longest > deadline:
                        complete = False
                        break
                    rounds.append(one_round(programs, case, model, threads, len(rounds), a.neighbour))
                    results = load(a.out)
                    results["cases"][key] = rounds
                    results.setdefault("peers", {}).update(
                        {p.name: " ".join(p.flags) for p in programs if isinstance(p, Peer)})
                    save(a.out, results)
                    print(f"{key}: round {len(rounds)} of {a.rounds}, {rounds[-1]['took']:.0f} s", file=sys.stderr,
                          flush=True)
    return complete


def value(result: dict) -> float:
    """Larger is better."""
    return result["rate"] if "rate" in result else 1 / result["seconds"]


def shown(results: list[dict]) -> str:
    median = statistics.median(map(value, results))
    low, high = min(map(value, results)), max(map(value, results))
    if "rate" not in results[0]:
        return f"{1 / median:.2f} s ({1 / high:.2f} to {1 / low:.2f})"
    digits = 0 if median >= 100 else 1
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def table(results: dict) -> None:
    cases = results["cases"]
    peers = sorted({name for rounds in cases.values() for r in rounds for name, v in r.items()
                    if isinstance(v, dict) and name != "Puna"})
    print(f"{results['processor']}. Tokens a second (`first`: seconds), median (least to most); peak memory in MB of the "
          "same order; GB/s read by as many threads beside each round.\n")
    for name in peers:
        print(f"- {name}: `{results.get('peers', {}).get(name, '')}`")
    print("\n| model | case | threads | rounds | Puna | " + " | ".join(peers) + " | ratio to the faster | memory | reads |")
    print("|---" * (8 + len(peers)) + "|")
    for key, rounds in cases.items():
        model, case, threads, *extra = key.split("|")
        there = [p for p in peers if all("memory" in r.get(p, {}) for r in rounds)]
        if not there:
            continue
        best = max(there, key=lambda p: statistics.median(value(r[p]) for r in rounds))
        ratio = statistics.median(value(r["Puna"]) / value(r[best]) for r in rounds)
        cells = [shown([r[p] for r in rounds]) if p in there else "fails" if any(p in r for r in rounds) else ""
                 for p in peers]
        memory = " / ".join(f"{statistics.median(r[p]['memory'] for r in rounds) / 1e6:.0f}" for p in ["Puna", *there])
        reads = [r["reads"] for r in rounds]
        print(f"| {model.removesuffix('.gguf')} | {' with '.join([case, *extra])} | {threads} | {len(rounds)} | "
              f"{shown([r['Puna'] for r in rounds])} | " + " | ".join(cells) +
              f" | {ratio:.2f} ({best}) | {memory} | {min(reads):.0f} to {max(reads):.0f} |")


def main() -> None:
    try:
        work()
    except Failed as failure:
        raise SystemExit(str(failure)) from None


def work() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--case", action="append", choices=CASES)
    parser.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=[2, 1])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--neighbour", type=int, metavar="CPU")
    parser.add_argument("--table", action="store_true")
    a = parser.parse_args()
    complete = True
    if a.models:
        if not a.peer:
            raise SystemExit("no --peer to compare with")
        complete = measure(a)
    if a.table or not a.models:
        table(load(a.out))
    sys.exit(0 if complete else 3)


if __name__ == "__main__":
    main()
