#!/usr/bin/env python3
"""Writes crates/eval/tests/golden/across.json: robustness, fairness and stability of random records, by other hands.

The packages are pinned in scripts/golden/requirements.txt. Run from the repository root:
    python3 scripts/golden/across.py crates/eval/tests/golden/across.json
With a number after the file, that is the seed; the tests run the script with a fresh one where they may install packages.
"""

import json
import random
import sys
import warnings

import krippendorff
import numpy as np
from scipy import stats
from sklearn import metrics as sk

warnings.filterwarnings("ignore")
RNG = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 4_04)
NOTHING = "(no answer)"
LABELS = ["Critical", "Major", "Minor", "Trivial"]
DECK = [1, 2, 3, 5, 8, 13, 21]


def answers(gold, right, silent, choices):
    given = [g if RNG.random() < right else RNG.choice(choices) for g in gold]
    return [None if RNG.random() < silent else a for a in given]


def perturbed(base, keep, silent, choices):
    return [a if RNG.random() < keep else (None if RNG.random() < silent else RNG.choice(choices)) for a in base]


def named(given):
    return [NOTHING if a is None else a for a in given]


def label_case():
    n = RNG.choice([1, 2, 7, 30, 60])
    gold = [RNG.choice(LABELS) for _ in range(n)]
    base = answers(gold, RNG.random(), RNG.choice([0, 0.2, 1]), LABELS)
    other = perturbed(base, RNG.choice([0, 0.7, 1]), RNG.choice([0, 0.5, 1]), LABELS)
    a, b = named(base), named(other)
    f1 = lambda given: sk.f1_score(gold, given, labels=LABELS, average="macro", zero_division=0)
    hit_a, hit_b = [g == x for g, x in zip(gold, a)], [g == x for g, x in zip(gold, b)]
    flips = [x != y for x, y in zip(a, b)]
    gained = sum(not x and y for x, y in zip(hit_a, hit_b))
    lost = sum(x and not y for x, y in zip(hit_a, hit_b))
    expect = {
        "robustness.delta.accuracy": sk.accuracy_score(gold, b) - sk.accuracy_score(gold, a),
        "robustness.delta.f1_macro": f1(b) - f1(a),
        "robustness.delta.coverage": np.mean([x is not None for x in other]) - np.mean([x is not None for x in base]),
        "robustness.flip_rate": np.mean(flips),
        "robustness.consistency": 1 - np.mean(flips),
        "robustness.mcnemar_p": stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0,
        "robustness.worst_case_accuracy": np.mean([x and y for x, y in zip(hit_a, hit_b)]),
    }
    expect["robustness.p_holm"] = expect["robustness.mcnemar_p"]
    expect["robustness.score.accuracy"] = max(0.0, min(1.0, 1 - abs(expect["robustness.delta.accuracy"])))
    if any(flips):
        expect["robustness.flips_to_correct"] = gained / sum(flips)
        expect["robustness.flips_to_wrong"] = lost / sum(flips)
    return {"gold": gold, "base": base, "other": other, "expect": {k: float(v) for k, v in expect.items()}}


def number_case():
    n = RNG.choice([1, 2, 9, 40])
    gold = [RNG.choice(DECK) for _ in range(n)]
    base = answers(gold, 0.3, RNG.choice([0, 0.2, 1]), DECK)
    other = perturbed(base, RNG.choice([0, 0.6, 1]), RNG.choice([0, 0.3]), DECK)
    both = [(g, x, y) for g, x, y in zip(gold, base, other) if x is not None and y is not None]
    expect = {
        "robustness.flip_rate": np.mean([x != y for x, y in zip(base, other)]),
        "robustness.delta.coverage": np.mean([x is not None for x in other]) - np.mean([x is not None for x in base]),
    }
    if both:
        g, x, y = (np.array(column, float) for column in zip(*both))
        expect["robustness.delta.mae"] = sk.mean_absolute_error(g, y) - sk.mean_absolute_error(g, x)
        expect["robustness.mean_change"] = np.mean(y - x)
        worse = np.abs(y - g) - np.abs(x - g)
        expect["robustness.wilcoxon_p"] = stats.wilcoxon(worse).pvalue if worse.any() else 1.0
        expect["robustness.p_holm"] = expect["robustness.wilcoxon_p"]
        expect["robustness.mean_absolute_change"] = np.mean(np.abs(y - x))
    guess = [np.mean([abs(g - h) for j, h in enumerate(gold) if j != i]) if n > 1 else None for i, g in enumerate(gold)]
    errors = lambda i: [guess[i] if v is None else abs(v - gold[i]) for v in (base[i], other[i])]
    worst = [[e for e in errors(i) if e is not None] for i in range(n)]
    worst = [max(errors) for errors in worst if errors]
    if worst:
        expect["robustness.worst_case_mae"] = np.mean(worst)
    return {"gold": gold, "base": base, "other": other, "expect": {k: float(v) for k, v in expect.items()}}


def part_case():
    n = 60
    gold = [RNG.choice(LABELS) for _ in range(n)]
    parts = [RNG.choice(["MESOS", "XD", "XD", "TDQ", "TDQ", "TDQ", "RARE"][: RNG.choice([4, 7])]) for _ in range(n)]
    given = answers(gold, RNG.random(), 0.1, LABELS)
    hit = np.array([g == a for g, a in zip(gold, named(given))])
    names = sorted(set(parts))
    members = {name: np.array([p == name for p in parts]) for name in names}
    accuracy = {name: float(hit[members[name]].mean()) for name in names}
    large = [name for name in names if members[name].sum() >= 10]
    gap = max(accuracy[n] for n in large) - min(accuracy[n] for n in large) if len(large) > 1 else None
    worst = min(large, key=lambda name: accuracy[name]) if len(large) > 1 else None
    return {"gold": gold, "answers": given, "parts": parts, "accuracy": accuracy, "gap": gap, "worst": worst, "overall": float(hit.mean())}


def deal_case():
    """Two parts of ten: every way to deal them, not a sample."""
    first = [float(RNG.random() < 0.7) for _ in range(10)]
    second = [float(RNG.random() < 0.4) for _ in range(10)]
    gap = lambda x, y, axis: np.abs(np.mean(x, axis=axis) - np.mean(y, axis=axis))
    found = stats.permutation_test((first, second), gap, n_resamples=np.inf, alternative="greater", vectorized=True)
    return {"first": first, "second": second, "p": float(found.pvalue)}


def repeated_case(numbers):
    """None is no answer, "failed" a failure of the backend."""
    units, repeats = RNG.choice([2, 5, 25]), RNG.choice([2, 3, 5])
    choices = DECK if numbers else LABELS
    rows = []
    for _ in range(units):
        own = RNG.choice(choices)
        row = [own if RNG.random() < 0.6 else RNG.choice(choices) for _ in range(repeats)]
        row = [None if RNG.random() < 0.1 else x for x in row]
        rows.append(["failed" if RNG.random() < 0.05 else x for x in row])
    kept = [row for row in rows if sum(x != "failed" for x in row) > 1]
    pairs = lambda row: [x == y for i, x in enumerate(row) for y in row[i + 1 :]]
    asked = [[x for x in row if x != "failed"] for row in kept]
    expect = {}
    if asked:
        expect["stability.all_equal"] = np.mean([all(pairs(row)) for row in asked])
        expect["stability.pairwise_agreement"] = np.mean([np.mean(pairs(row)) for row in asked])
    codes = {label: float(index) for index, label in enumerate(LABELS + [NOTHING])}
    nan = float("nan")
    if numbers:
        value = lambda x: nan if x in ("failed", None) else float(x)
    else:
        value = lambda x: nan if x == "failed" else codes[NOTHING if x is None else x]
    data = np.array([[value(x) for x in row] for row in kept], float).T
    judged = data[:, np.sum(~np.isnan(data), axis=0) > 1] if kept else np.zeros((0, 0))
    if judged.size and len(np.unique(judged[~np.isnan(judged)])) > 1:
        expect["stability.alpha" + ("_interval" if numbers else "")] = krippendorff.alpha(data, level_of_measurement="interval" if numbers else "nominal")
    return {"rows": rows, "expect": {k: float(v) for k, v in expect.items()}}


def spread_case():
    values = [RNG.choice([0.0, 0.25, 0.5, RNG.random()]) for _ in range(RNG.choice([1, 2, 3, 5, 10]))]
    mean, sd = float(np.mean(values)), float(np.std(values))
    if len(values) == 1 or sd == 0:
        stability = 1.0
    elif mean == 0:
        stability = 0.0
    else:
        stability = max(0.0, min(1.0, 1 - sd / abs(mean)))
    return {"values": values, "stability": stability}


golden = {
    "labels": [label_case() for _ in range(120)],
    "numbers": [number_case() for _ in range(80)],
    "parts": [part_case() for _ in range(40)],
    "deals": [deal_case() for _ in range(6)],
    "repeated_labels": [repeated_case(False) for _ in range(60)],
    "repeated_numbers": [repeated_case(True) for _ in range(60)],
    "spreads": [spread_case() for _ in range(60)],
}
with open(sys.argv[1], "w", encoding="utf-8") as out:
    json.dump(golden, out, separators=(",", ":"))
    out.write("\n")
