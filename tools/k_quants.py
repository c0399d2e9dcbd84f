# SPDX-License-Identifier: Apache-2.0
"""Plain quantizers for the formats that the PyPI package gguf only decodes: enough for test files, no search for the best.

Each takes rows of float32 and gives rows of bytes; native/src/format/quant/NAME.c has the layouts.
"""

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import quants

UNEVEN = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32)


def halves(x):
    return np.asarray(x, np.float32).astype("<f2")


def raw(x):
    """The bytes of one half a block."""
    return halves(x).reshape(-1, 1).view(np.uint8)


def nearest(x, top, low=0):
    return np.clip(np.rint(x), low, top).astype(np.int32)


def inverse(x):
    return np.divide(1, x, out=np.zeros_like(x), where=x != 0)


def with_minimums(units, top, scale_top):
    """[blocks, units, n] to numbers, scales and minimums of few bits, d and dmin: number = d s q - dmin m."""
    least = np.minimum(units.min(-1), 0)
    step = (units.max(-1) - least) / top
    d, dmin = (halves(x.max(-1) / scale_top).astype(np.float32) for x in (step, -least))
    s = nearest(step * inverse(d)[:, None], scale_top)
    m = nearest(-least * inverse(dmin)[:, None], scale_top)
    q = nearest((units + (dmin[:, None] * m)[..., None]) * inverse(d[:, None] * s)[..., None], top)
    return q, s, m, d, dmin


def symmetric(units, low, scale_low):
    """[blocks, units, n] to signed numbers from `low`, signed scales, d: number = d s q."""
    order = np.abs(units).argmax(-1, keepdims=True)
    step = np.take_along_axis(units, order, -1)[..., 0] / low
    d = halves(np.take_along_axis(step, np.abs(step).argmax(-1, keepdims=True), -1)[..., 0] / scale_low).astype(np.float32)
    s = nearest(step * inverse(d)[:, None], -scale_low - 1, scale_low)
    q = nearest(units * inverse(d[:, None] * s)[..., None], -low - 1, low)
    return q, s, d


def nibbles(q, n):
    """Numbers n apart in the low and the high half of a byte."""
    q = q.reshape(len(q), -1, 2, n)
    return (q[:, :, 0] | q[:, :, 1] << 4).reshape(len(q), -1).astype(np.uint8)


def six_bits(s, m):
    first, last = slice(0, 4), slice(4, 8)
    return np.concatenate([s[:, first] | s[:, last] >> 4 << 6, m[:, first] | m[:, last] >> 4 << 6,
                           s[:, last] & 15 | (m[:, last] & 15) << 4], -1).astype(np.uint8)


def crumbs(q):
    """Numbers 32 apart as two bits of a byte, in halves of 128."""
    q = q.reshape(len(q), 2, 4, 32)
    return (q[:, :, 0] | q[:, :, 1] << 2 | q[:, :, 2] << 4 | q[:, :, 3] << 6).reshape(len(q), -1).astype(np.uint8)


def bits(q):
    """Bit j of byte l is that of number 32 j + l."""
    q = q.reshape(len(q), 8, 32)
    return sum(q[:, j] << j for j in range(8)).astype(np.uint8)


def q2_k(x):
    q, s, m, d, dmin = with_minimums(x.reshape(len(x), 16, 16), 3, 15)
    return [(s | m << 4).astype(np.uint8), crumbs(q), raw(d), raw(dmin)]


def q3_k(x):
    q, s, d = symmetric(x.reshape(len(x), 16, 16), -4, -32)
    q, s = q.reshape(len(x), 256) + 4, s + 32
    packed = [s[:, :8] & 15 | (s[:, 8:] & 15) << 4, sum((s[:, 4 * i : 4 * i + 4] >> 4) << 2 * i for i in range(4))]
    return [bits(q >> 2), crumbs(q & 3), np.concatenate(packed, -1).astype(np.uint8), raw(d)]


def q4_k(x):
    q, s, m, d, dmin = with_minimums(x.reshape(len(x), 8, 32), 15, 63)
    return [raw(d), raw(dmin), six_bits(s, m), nibbles(q, 32)]


def q5_k(x):
    q, s, m, d, dmin = with_minimums(x.reshape(len(x), 8, 32), 31, 63)
    return [raw(d), raw(dmin), six_bits(s, m), bits(q >> 4), nibbles(q & 15, 32)]


def q6_k(x):
    q, s, d = symmetric(x.reshape(len(x), 16, 16), -32, -128)
    q = q.reshape(len(x), 256) + 32
    return [nibbles(q & 15, 64), crumbs(q >> 4), s.astype(np.int8).view(np.uint8), raw(d)]


def uneven(x, d):
    return np.abs((x * inverse(d)[..., None])[..., None] - UNEVEN).argmin(-1)


def iq4_nl(x):
    d = halves(np.abs(x).max(-1) / 113).astype(np.float32)
    return [raw(d), nibbles(uneven(x, d), 16)]


def iq4_xs(x):
    units = x.reshape(len(x), 8, 32)
    step = np.abs(units).max(-1) / 113
    d = halves(step.max(-1) / 31).astype(np.float32)
    s = nearest(step * inverse(d)[:, None], 31)
    q, s = uneven(units, d[:, None] * s), s + 32
    high = sum((s[:, u] >> 4) << 2 * u for u in range(8)).astype("<u2").reshape(-1, 1).view(np.uint8)
    return [raw(d), high, (s[:, ::2] & 15 | (s[:, 1::2] & 15) << 4).astype(np.uint8), nibbles(q, 16)]


OWN = {Type.Q2_K: (256, q2_k), Type.Q3_K: (256, q3_k), Type.Q4_K: (256, q4_k), Type.Q5_K: (256, q5_k),
       Type.Q6_K: (256, q6_k), Type.IQ4_NL: (32, iq4_nl), Type.IQ4_XS: (256, iq4_xs)}


def quantize(w: np.ndarray, kind: Type) -> np.ndarray:
    """As quants.quantize, for those too."""
    if kind not in OWN:
        return quants.quantize(w, kind)
    length, encode = OWN[kind]
    blocks = np.concatenate(encode(w.reshape(-1, length)), -1)
    return blocks.reshape(*w.shape[:-1], -1)
