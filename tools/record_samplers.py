# SPDX-License-Identifier: Apache-2.0
"""Records what llama.cpp's samplers make of some rows of logits: native/tests/data/samplers/llama_cpp.golden.

    python tools/record_samplers.py LIBLLAMA COMMIT

LIBLLAMA is a libllama.so (llama.cpp's library, with its libggml beside it) and COMMIT says which version it is; only
llama_sampler_* functions are called, no model is needed. Samplers that draw are left out, but for XTC with probability 1.
The file's form is told in native/tests/data/README.md; tests/sample/test_sampler_goldens.c compares.
"""

import ctypes
import math
import pathlib
import sys

OUT = pathlib.Path(__file__).parent.parent / "native/tests/data/samplers/llama_cpp.golden"
SHOWN = 150  # of a large set the best ones: their probabilities tell of the others, too
MIN_KEEP = 1

# Fields of puna_stage in their order, and what they are where a stage does not say.
FIELDS = {"kind": 0, "value": 0, "window": 0, "repeat": 1, "frequency": 0, "presence": 0, "threshold": 0, "rate": 0,
          "base": 1, "allowed_length": 1, "range": 0, "exponent": 1, "decay": 0}
KINDS = {"temperature": 1, "top_k": 2, "top_p": 3, "min_p": 4, "penalties": 5, "typical": 6, "top_n_sigma": 7, "xtc": 8,
         "dry": 11, "dynamic_temperature": 12}


class Token(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("logit", ctypes.c_float), ("p", ctypes.c_float)]


class Tokens(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(Token)), ("size", ctypes.c_size_t), ("selected", ctypes.c_int64),
                ("sorted", ctypes.c_bool)]


class Bias(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("value", ctypes.c_float)]


def row(count):
    """Logits from -6 to 10, most of them low, no two equal, each exactly a float32; the C test makes the same."""
    x, logits = count, []
    for i in range(count):
        x = (x * 1664525 + 1013904223) % 2**32
        a = x >> 20
        logits.append((a * a >> 12) / 256 - 6 + i / 2**20)
    return logits


class Library:
    def __init__(self, path):
        self.c = ctypes.CDLL(path)
        for name in ["top_k", "top_p", "min_p", "typical", "temp", "temp_ext", "xtc", "top_n_sigma", "penalties", "dry",
                     "logit_bias"]:
            getattr(self.c, f"llama_sampler_init_{name}").restype = ctypes.c_void_p

    def make(self, s, vocabulary):
        init = lambda name, *arguments: getattr(self.c, f"llama_sampler_init_{name}")(*arguments)
        f, size = ctypes.c_float, ctypes.c_size_t
        value = f(s.get("value", 0))
        match s["name"]:
            case "temperature":
                return init("temp", value)
            case "top_k":
                return init("top_k", int(s["value"]))
            case "top_p" | "min_p" | "typical":
                return init(s["name"], value, size(MIN_KEEP))
            case "top_n_sigma":
                return init("top_n_sigma", value)
            case "xtc":
                return init("xtc", value, f(s["threshold"]), size(MIN_KEEP), ctypes.c_uint32(1))
            case "dynamic_temperature":
                return init("temp_ext", value, f(s["range"]), f(s["exponent"]))
            case "penalties":
                return init("penalties", vocabulary, s["window"], f(s["repeat"]), f(s.get("frequency", 0)),
                            f(s.get("presence", 0)))
            case "dry":
                return init("dry", None, value, f(s["base"]), s["allowed_length"], s["window"], None, size(0))
        raise ValueError(s)

    def apply(self, case):
        logits = row(case["row"])
        data = (Token * len(logits))(*[Token(i, v, 0) for i, v in enumerate(logits)])
        tokens = Tokens(data, len(logits), -1, False)
        samplers = [self.make(s, len(logits)) for s in case["stages"]]
        if case["biases"]:
            biases = (Bias * len(case["biases"]))(*[Bias(*b) for b in case["biases"]])
            samplers.insert(0, self.c.llama_sampler_init_logit_bias(len(logits), len(biases), biases))
        for s in samplers:
            for token in case["accepted"]:
                self.c.llama_sampler_accept(ctypes.c_void_p(s), token)
            self.c.llama_sampler_apply(ctypes.c_void_p(s), ctypes.byref(tokens))
            self.c.llama_sampler_free(ctypes.c_void_p(s))
        left = [(tokens.data[i].logit, tokens.data[i].id) for i in range(tokens.size)]
        return sorted([x for x in left if x[0] > -math.inf], key=lambda x: (-x[0], x[1]))


def stage(name, **settings):
    return {"name": name, **settings}


def cases():
    history = [3, 9, 4, 3, 9, 4, 7, 3, 9, 4, 3, 9, 11, 22, 22, 22, 3, 9, 4, 3, 9, 4]

    def case(rows, *stages, biases=(), accepted=()):
        for count in rows:
            yield {"row": count, "stages": stages, "biases": biases, "accepted": accepted}

    every = [24, 400, 4000]
    for k in [1, 7, 40, 2000]:
        yield from case(every, stage("top_k", value=k))
    for p in [0.1, 0.5, 0.9, 0.95, 0.985]:  # nearer to 1, llama.cpp's sums in single precision keep a few other tokens
        yield from case(every, stage("top_p", value=p))
        yield from case(every, stage("typical", value=p))
    for p in [0.01, 0.05, 0.3, 0.9, 1]:
        yield from case(every, stage("min_p", value=p))
    for n in [0.25, 1, 2.5]:
        yield from case(every, stage("top_n_sigma", value=n))
    for t in [0.2, 0.8, 1.5, 5]:
        yield from case(every, stage("temperature", value=t))
        for r, e in [(0.1, 1), (0.5, 1), (2, 1.7)]:
            yield from case(every, stage("dynamic_temperature", value=t, range=r, exponent=e))
    for t in [0.002, 0.01, 0.03, 0.1, 0.4]:
        yield from case(every, stage("xtc", value=1, threshold=t))
    for window in [5, 64]:
        for repeat, frequency, presence in [(1.3, 0, 0), (0.7, 0, 0), (1, 0.25, 0), (1, 0, 1.5), (1.1, 0.5, -0.75)]:
            yield from case(every, stage("penalties", window=window, repeat=repeat, frequency=frequency,
                                         presence=presence), accepted=history)
    for multiplier, base, length, window in [(0.8, 1.75, 2, 64), (0.5, 1.2, 1, 64), (2, 3, 3, 10), (1, 1, 2, 22),
                                             (1, 2, 5, 64)]:
        for end in [len(history), 12, 16]:
            yield from case([24, 4000], stage("dry", value=multiplier, base=base, allowed_length=length, window=window),
                            accepted=history[:end])
    biases = [(5, 2.5), (3, -math.inf), (20, -4.25), (9, 11)]
    yield from case(every, biases=biases)
    yield from case(every, stage("top_p", value=0.8), biases=biases)
    penalties = stage("penalties", window=64, repeat=1.1, frequency=0.1, presence=0.2)
    dry = stage("dry", value=0.8, base=1.75, allowed_length=2, window=64)
    yield from case(every, penalties, dry, stage("top_k", value=300), stage("typical", value=0.95),
                    stage("top_p", value=0.95), stage("min_p", value=0.05), stage("xtc", value=1, threshold=0.1),
                    stage("temperature", value=0.8), biases=biases, accepted=history)
    yield from case(every, stage("temperature", value=1.7), stage("min_p", value=0.02),
                    stage("dynamic_temperature", value=1, range=0.7, exponent=1.3), stage("top_p", value=0.9))


def numbers(values):
    return " ".join(f"{v:.9g}" for v in values)


def lines(library, commit):
    yield f"reference: llama.cpp {commit}"
    for number, case in enumerate(cases()):
        yield f"case: {number} {'-'.join(s['name'] for s in case['stages']) or 'biases'}"[:63]
        yield f"row: {case['row']}"
        for i, s in enumerate(case["stages"]):
            fields = {**FIELDS, **s, "kind": KINDS[s["name"]]}
            yield f"stage{i}: {numbers(fields[name] for name in FIELDS)}"
        if case["biases"]:
            yield f"biases: {numbers(v for b in case['biases'] for v in b)}"
        if case["accepted"]:
            yield f"accepted: {' '.join(map(str, case['accepted']))}"
        left = library.apply(case)
        weights = [math.exp(v - left[0][0]) for v, _ in left]
        total = math.fsum(weights)
        yield f"count: {len(left)}"
        yield f"ids: {' '.join(str(i) for _, i in left[:SHOWN])}"
        yield "probabilities: " + " ".join(f"{w / total:.6g}" for w in weights[:SHOWN])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_bytes(("\n".join(lines(Library(sys.argv[1]), sys.argv[2])) + "\n").encode())
