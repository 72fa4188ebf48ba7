"""Numbers by formula: the same weights, images and labels in C (src/run/doctor/formula.c) and in Python, without files.

u(name, i) in [-1, 1): h = FNV-1a 64 of the name's bytes (start 14695981039346656037, prime 1099511628211); then
splitmix64's i-th output from state h, i from 0:
    z = h + (i + 1) * 0x9E3779B97F4A7C15
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;  z ^= z >> 31
    u = (double)(z >> 11) * 2^-52 - 1
all modulo 2^64. Elements are numbered in row-major order of PyTorch's layout; values are computed in double and rounded
to float32 once. Tensors of a network, by name and shape:
    rank 4                 u / sqrt(fan_in), fan_in = shape[1] * shape[2] * shape[3]
    bias of such a tensor  u / sqrt(fan_in) of its weight
    BN weight              1 + 0.1 u      BN bias      0.1 u
    running_mean           0.1 u          running_var  1 + 0.3 |u|
    num_batches_tracked    0 (int64)
"""
import math

import numpy as np

MASK = (1 << 64) - 1


def fnv1a(name):
    h = 14695981039346656037
    for byte in name.encode():
        h = (h ^ byte) * 1099511628211 & MASK
    return h


def uniform(name, shape):
    """float64 array of u(name, 0), u(name, 1), ..."""
    count = math.prod(shape)
    with np.errstate(over="ignore"):
        z = np.uint64(fnv1a(name)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(11)).astype(np.float64) * 2.0 ** -52 - 1).reshape(shape)


def integers(name, shape, bound):
    """Integers 0 .. bound - 1, (int)floor((u + 1) / 2 * bound), for labels and 8-bit images."""
    return np.floor((uniform(name, shape) + 1) / 2 * bound).astype(np.uint8)


def fill_state(shapes):
    """{name: shape} of a state dict -> {name: array} by the rules above."""
    state = {}
    for name, shape in shapes.items():
        u, (prefix, _, last) = uniform(name, shape), name.rpartition(".")
        if last == "num_batches_tracked":
            state[name] = np.zeros(shape, np.int64)
            continue
        if last == "running_var":
            values = 1 + 0.3 * np.abs(u)
        elif last == "running_mean" or f"{prefix}.running_mean" in shapes:
            values = 1 + 0.1 * u if last == "weight" else 0.1 * u
        else:
            values = u / math.sqrt(math.prod(shapes[prefix + ".weight"][1:]))
        state[name] = values.astype(np.float32)
    return state
