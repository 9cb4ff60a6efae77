#!/usr/bin/env python3
"""Writes crates/host/tests/golden/speed_model.json: the constants and errors of the speed model, found with SciPy.

The Rust code reweights and eliminates; here scipy.optimize minimises Huber's loss, the scale being set anew from the
residuals until it stands still. Needs numpy and scipy (made with 2.4.6 and 1.17.1). Run from the repository root:
    python3 scripts/golden/speed_model.py crates/host/tests/golden/speed_model.json
"""

import csv
import json
import math
import sys

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import norm

MAD = 1 / norm.ppf(0.75)
GIB = 2**30
EMBEDDING = 32_000 * 4096
PARAMETERS = 6_738_415_616 - EMBEDDING
CACHE = 64 * 2 * 32 * 4096 * 2
BYTES = {
    "f16": 12.55 * GIB - EMBEDDING * 2 + CACHE,
    "q8_0": 6.67 * GIB - EMBEDDING * 34 / 32 + CACHE,
    "q4_0": 3.56 * GIB - EMBEDDING * 18 / 32 + CACHE,
}
STACKED, INTEL = ("H100 SXM", "A100 80 GB"), ("Arc A770", "Arc B580")


def table(name):
    with open(f"assets/hardware/{name}.csv", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def huber(rows, targets):
    rows, targets = np.array(rows, float), np.array(targets, float)
    solution = np.linalg.lstsq(rows, targets, rcond=None)[0]
    scale = 0.0
    for _ in range(1000):
        new = np.median(np.abs(targets - rows @ solution)) * MAD
        if new < 1e-12 or abs(new - scale) < 1e-14:
            break
        scale = new
        solution = least_squares(
            lambda p: targets - rows @ p, solution, jac=lambda p: -rows, loss="huber", f_scale=1.345 * scale,
            ftol=1e-15, xtol=1e-15, gtol=1e-15, x_scale="jac",
        ).x
    return solution


def errors(log_ratios):
    percent = np.abs(np.expm1(log_ratios)) * 100
    return {
        "count": len(percent),
        "median_percent": float(np.median(percent)),
        "mean_percent": float(np.mean(percent)),
        "max_percent": float(np.max(percent)),
    }


def spread(log_ratios):
    sizes = np.sort(np.abs(log_ratios))
    rank = math.ceil(0.9 * (len(sizes) + 1))
    return float(np.exp(sizes[rank - 1] if rank <= len(sizes) else 1.5 * sizes[-1]))


def decode(samples, terms, efficiency=None):
    """samples: dicts with group, roof, ms and the terms."""

    def known(s):
        return 0 if efficiency is None else s["roof"] / efficiency

    def fit(some):
        return huber([[s[t] / s["ms"] for t in terms] for s in some], [1 - known(s) / s["ms"] for s in some])

    def ratio(s, p):
        return math.log(s["ms"] / (known(s) + sum(s[t] * x for t, x in zip(terms, p))))

    p = fit(samples)
    held_out = [ratio(s, fit([o for o in samples if o["group"] != s["group"]])) for s in samples]
    found = dict(zip(terms, map(float, p)))
    return {
        "efficiency": efficiency or 1 / found["roof"],
        "overhead_ms_per_layer": found["layers"],
        "overhead_ms_per_layer_by_generation": found.get("by_generation", 0.0),
        "mixture_ms_per_layer": found.get("mixture", 0.0),
        "spread": spread(held_out),
        "errors_in_sample": errors([ratio(s, p) for s in samples]),
        "errors_held_out": errors(held_out),
    }


def m_series():
    for row in table("m_series_llama7b"):
        for weights, size in BYTES.items():
            yield row["chip"], int(row["chip"][1]), int(row["gpu_cores"]), float(row["bandwidth_gb_s"]), weights, size, row


def m_series_decode():
    for _, generation, _, bandwidth, weights, size, row in m_series():
        if row[f"{weights}_tg128"]:
            ms = 1000 / float(row[f"{weights}_tg128"])
            roof = size / 1e6 / bandwidth
            yield {"group": generation, "roof": roof, "ms": ms, "layers": 32, "by_generation": 32 / generation}


def engine_decode(engine):
    for row in table("engine_speeds"):
        if row["engine"] == engine and row["decode"] == "fit" and row["machine"] not in STACKED + INTEL:
            layers, mixture = int(row["layers"]), int(row["mixture"])
            yield {
                "group": row["machine"],
                "roof": 1000 * float(row["active_gb"]) / float(row["bandwidth_gb_s"]),
                "ms": 1000 / float(row["tg_tok_s"]),
                "layers": layers,
                "mixture": layers * mixture,
            }


def prefill():
    attention = 1 / (1 + 512 * 32 * 4096 / PARAMETERS)
    chips, generations, rest, targets = [], [], [], []
    for chip, generation, cores, _, weights, _, row in m_series():
        if row[f"{weights}_pp512"]:
            chips.append(chip)
            generations.append(generation)
            rest.append([float(weights == "f16"), float("Ultra" in chip)])
            rate = float(row[f"{weights}_pp512"])
            targets.append(math.log(rate * 2 * PARAMETERS / attention / 1e9 / cores))
    chips, generations, rest, targets = map(np.array, (chips, generations, rest, targets))
    each = np.column_stack([generations[:, None] == np.arange(1, 5), rest])
    trend = np.column_stack([np.ones(len(targets)), generations, rest])

    def held_out(columns, groups):
        ratios = np.zeros(len(targets))
        for group in set(groups):
            out = groups == group
            ratios[out] = columns[out] @ huber(columns[~out], targets[~out]) - targets[out]
        return ratios

    p = huber(each, targets)
    by_chip, by_generation = held_out(each, chips), held_out(trend, generations)
    room = math.log(1.15)
    return {
        "gflops_per_core": [float(x) for x in np.exp(p[:4])],
        "growth": float(np.exp(huber(trend, targets)[1])),
        "float_factor": float(np.exp(p[4])),
        "two_dies_factor": float(np.exp(p[5])),
        "spread": math.exp(math.hypot(math.log(spread(by_chip)), room)),
        "spread_unknown_generation": math.exp(math.hypot(math.log(spread(by_generation)), room)),
        "errors_in_sample": errors(each @ p - targets),
        "errors_chip_held_out": errors(by_chip),
        "errors_generation_held_out": errors(by_generation),
    }


def main(path):
    metal_2025 = decode(list(m_series_decode()), ["roof", "layers", "by_generation"])
    efficiency = metal_2025["efficiency"]
    metal_2026 = decode(list(engine_decode("metal_2026")), ["layers", "mixture"], efficiency)
    cuda = decode(list(engine_decode("cuda")), ["roof", "layers"])
    vulkan = decode(list(engine_decode("vulkan")), ["layers"], efficiency)
    for borrows in (metal_2025, cuda, vulkan):
        borrows["mixture_ms_per_layer"] = metal_2026["mixture_ms_per_layer"]
    golden = {
        "metal_2025": metal_2025,
        "metal_2026": metal_2026,
        "cuda": cuda,
        "vulkan": vulkan,
        "apple_prefill": prefill(),
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
