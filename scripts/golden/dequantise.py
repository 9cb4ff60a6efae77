#!/usr/bin/env python3
"""Writes crates/kernels/tests/golden/dequantised.txt: random blocks of every tensor type and the numbers they hold.

The oracle is PyPI's gguf (made with gguf 0.19.0 and numpy 2.4.6), which knows all types but Q8_K; that one is read here by
the definition of ggml's block_q8_K. A line is: type, the blocks in hexadecimal, the bits of the f32 numbers in hexadecimal.
Run from the repository root:
    python3 scripts/golden/dequantise.py crates/kernels/tests/golden/dequantised.txt
"""

import sys

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

# Where a block keeps its binary16 numbers.
HALVES = {
    "F16": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0], "IQ4_XS": [0],
}
TYPES = [*HALVES, "F32", "BF16", "MXFP4", "Q8_K"]
# Ordinary, negative, subnormal, largest, zero.
SCALES = np.array([0.0137, -0.21, 3e-7, 65504.0, 0.0, 1.5e-3, 1.0, -7e-5], np.float16)
EXPONENTS = [0, 1, 2, 100, 127, 128, 129, 200]


def blocks(name, random):
    length, size = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    data = random.integers(0, 256, (2 if length == 256 else 8 if length == 32 else 32, size), np.uint8)
    for i, block in enumerate(data):
        for j, at in enumerate(HALVES.get(name, [])):
            block[at : at + 2] = SCALES[(i + j) % len(SCALES) : (i + j) % len(SCALES) + 1].view(np.uint8)
        if name == "MXFP4":
            block[0] = EXPONENTS[i]
        if name in ("F32", "Q8_K"):
            block[:4] = random.normal(0, 0.1, 1).astype(np.float32).view(np.uint8)
        if name == "BF16":
            block[:] = random.normal(0, 0.1, 1).astype(np.float32).view(np.uint8)[2:]
    return data


def numbers(name, data):
    if name == "Q8_K":
        d = np.ascontiguousarray(data[:, :4]).view(np.float32)
        return d * np.ascontiguousarray(data[:, 4:260]).view(np.int8).astype(np.float32)
    return dequantize(data, GGMLQuantizationType[name]).astype(np.float32)


def main():
    random = np.random.default_rng(5)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        for name in TYPES:
            data = blocks(name, random)
            for part in np.split(data, len(data) if GGML_QUANT_SIZES[GGMLQuantizationType[name]][0] == 256 else 1):
                bits = numbers(name, part).reshape(-1).view(np.uint32)
                file.write(f"{name} {part.tobytes().hex()} {''.join(f'{number:08x}' for number in bits)}\n")


main()
