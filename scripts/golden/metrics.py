#!/usr/bin/env python3
"""Writes crates/eval/tests/golden/metrics.json: what scikit-learn, SciPy and NumPy say about random records.

Needs numpy, scipy and scikit-learn (made with 2.4.6, 1.17.1 and 1.9.1). Run from the repository root:
    python3 scripts/golden/metrics.py crates/eval/tests/golden/metrics.json
"""

import json
import random
import sys
import warnings

import numpy as np
from scipy import stats
from sklearn import metrics as sk

warnings.filterwarnings("ignore")
RNG = random.Random(20_26)
NOTHING = "(no answer)"
LABELS = ["Critical", "Major", "Minor", "Trivial"]
DECK = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]


def scored_labels(labels, gold, answer):
    """Scores of answers, None being no answer and wrong."""
    given = [NOTHING if a is None else a for a in answer]
    expect = {}
    if gold:
        for average in ("macro", "weighted", "micro"):
            expect[f"f1_{average}"] = sk.f1_score(gold, given, labels=labels, average=average, zero_division=0)
        expect["accuracy"] = sk.accuracy_score(gold, given)
        expect["balanced_accuracy"] = sk.balanced_accuracy_score(gold, given)
        p, r, f, _ = sk.precision_recall_fscore_support(gold, given, labels=labels, zero_division=0)
        expect["precision_macro"] = sk.precision_score(gold, given, labels=labels, average="macro", zero_division=0)
        expect["recall_macro"] = sk.recall_score(gold, given, labels=labels, average="macro", zero_division=0)
        for i, label in enumerate(labels):
            expect[f"per_class.{label}.precision"] = p[i]
            expect[f"per_class.{label}.recall"] = r[i]
            expect[f"per_class.{label}.f1"] = f[i]
    return {name: float(value) for name, value in expect.items()}


def confusion(labels, gold, answer):
    given = [NOTHING if a is None else a for a in answer]
    if not gold:
        return [[0] * (len(labels) + 1) for _ in labels]
    return sk.confusion_matrix(gold, given, labels=labels + [NOTHING])[: len(labels)].tolist()


def classification_case(n, labels, skill, silence, used=None):
    used = used or labels
    gold = [RNG.choice(used) for _ in range(n)]
    answer = []
    for g in gold:
        if RNG.random() < silence:
            answer.append(None)
        else:
            answer.append(g if RNG.random() < skill else RNG.choice(used))
    kept = [(g, a) for g, a in zip(gold, answer) if a is not None]
    majority = max(labels, key=lambda label: (gold.count(label), -labels.index(label)))
    floor = scored_labels(labels, gold, [majority] * n)
    return {
        "labels": labels,
        "gold": gold,
        "answer": answer,
        "wrong": scored_labels(labels, gold, answer),
        "dropped": scored_labels(labels, [g for g, _ in kept], [a for _, a in kept]),
        "confusion": confusion(labels, gold, answer),
        "majority_class": {name: value for name, value in floor.items() if not name.startswith("per_class")},
    }


def classification():
    cases = []
    for _ in range(70):
        labels = LABELS if RNG.random() < 0.6 else [f"c{i}" for i in range(RNG.randint(2, 7))]
        cases.append(classification_case(RNG.randint(1, 40), labels, RNG.random(), RNG.choice([0, 0, 0.1, 0.5])))
    cases.append(classification_case(1, LABELS, 1, 0))
    cases.append(classification_case(1, LABELS, 0, 1))
    cases.append(classification_case(12, LABELS, 0, 1))
    cases.append(classification_case(12, LABELS, 1, 0))
    cases.append(classification_case(9, LABELS, 0.5, 0, ["Minor"]))
    cases.append(classification_case(9, LABELS, 0.5, 0.3, ["Critical", "Trivial"]))
    cases.append(classification_case(5, ["only"], 1, 0.4))
    return cases


def regression_case(n, golds, whole, silence):
    gold = [RNG.choice(golds) for _ in range(n)]
    answer = []
    for g in gold:
        if RNG.random() < silence:
            answer.append(None)
        elif whole:
            answer.append(RNG.choice(DECK))
        else:
            answer.append(round(g * RNG.uniform(0.2, 3) + RNG.uniform(-1, 1), 3))
    expect = {}
    pairs = [(g, a) for g, a in zip(gold, answer) if a is not None]
    if pairs:
        y, p = np.array([g for g, _ in pairs], float), np.array([a for _, a in pairs], float)
        error = np.abs(y - p)
        expect["mae"] = sk.mean_absolute_error(y, p)
        expect["mdae"] = sk.median_absolute_error(y, p)
        expect["rmse"] = sk.root_mean_squared_error(y, p)
        if len(set(y)) > 1:
            expect["r2"] = sk.r2_score(y, p)
        if n > 1:
            guess = [
                np.mean([abs(gold[i] - gold[j]) for j in range(n) if j != i]) for i in range(n) if answer[i] is not None
            ]
            if np.mean(guess) > 0:
                expect["standardised_accuracy"] = 1 - error.mean() / np.mean(guess)
        for name, low, high in (("up_to_3", -np.inf, 3), ("3_to_8", 3, 8), ("8_to_21", 8, 21), ("above_21", 21, np.inf)):
            inside = (y > low) & (y <= high)
            if inside.any():
                expect[f"mae_by_bin.{name}"] = error[inside].mean()
    floor = {}
    if n > 1:
        y = np.array(gold, float)
        for name, statistic in (("median", np.median), ("mean", np.mean)):
            guess = np.array([statistic(np.delete(y, i)) for i in range(n)])
            floor[f"{name} mae"] = sk.mean_absolute_error(y, guess)
            floor[f"{name} mdae"] = sk.median_absolute_error(y, guess)
            floor[f"{name} rmse"] = sk.root_mean_squared_error(y, guess)
        floor["random_guess mae"] = np.mean([abs(a - b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    return {
        "gold": gold,
        "answer": answer,
        "expect": {name: float(value) for name, value in expect.items()},
        "baselines": {name: float(value) for name, value in floor.items()},
    }


def regression():
    cases = []
    for _ in range(50):
        golds = DECK if RNG.random() < 0.5 else [1, 2, 2.5, 4, 9, 12, 22, 33, 0.5]
        cases.append(regression_case(RNG.randint(1, 30), golds, RNG.random() < 0.5, RNG.choice([0, 0, 0.2, 0.7])))
    cases.append(regression_case(1, DECK, True, 0))
    cases.append(regression_case(8, DECK, True, 1))
    cases.append(regression_case(8, [3], True, 0))
    return cases


def gaps(confidence, right, bins):
    """ECE and MCE straight from the definition."""
    ece, mce = 0.0, 0.0
    for i in range(bins):
        low, high = i / bins, (i + 1) / bins
        inside = (confidence >= low) & ((confidence < high) | (i == bins - 1))
        if inside.any():
            gap = abs(confidence[inside].mean() - right[inside].mean())
            ece += inside.mean() * gap
            mce = max(mce, gap)
    return ece, mce


def calibration():
    cases = []
    for index in range(40):
        n = 1 if index == 0 else RNG.randint(2, 30)
        gold, answer, confidence, probabilities = [], [], [], []
        for _ in range(n):
            mass = RNG.choice([1.0, 0.9, RNG.random()])
            cuts = sorted(RNG.random() for _ in range(3))
            shares = [mass * (b - a) for a, b in zip([0, *cuts], [*cuts, 1])]
            if RNG.random() < 0.1:
                shares = [mass, 0.0, 0.0, 0.0]
            gold.append(RNG.choice(LABELS))
            best = LABELS[int(np.argmax(shares))]
            answer.append(best if RNG.random() < 0.8 else gold[-1])
            confidence.append(RNG.choice([shares[LABELS.index(answer[-1])], RNG.randint(0, 15) / 15, RNG.randint(0, 10) / 10]))
            probabilities.append(shares)
        c, right = np.array(confidence), np.array([float(g == a) for g, a in zip(gold, answer)])
        ece, mce = gaps(c, right, 15)
        # What is no label is an outcome of its own.
        full = np.array([[*p, max(0.0, 1 - sum(p))] for p in probabilities])
        hot = np.array([[float(label == g) for label in [*LABELS, NOTHING]] for g in gold])
        of_gold = np.array([p[LABELS.index(g)] for p, g in zip(probabilities, gold)])
        cases.append({
            "gold": gold,
            "answer": answer,
            "confidence": confidence,
            "probabilities": probabilities,
            "expect": {
                "ece": float(ece),
                "mce": float(mce),
                "ece_10": float(gaps(c, right, 10)[0]),
                "brier": float(sk.brier_score_loss(right, c, pos_label=1) if n else 0),
                "brier_multiclass": float(((full - hot) ** 2).sum(axis=1).mean()),
                "log_loss": float(-np.log(np.clip(of_gold, 1e-15, 1)).mean()),
            },
        })
    return cases


def latency():
    cases = []
    for index in range(30):
        n = 1 if index == 0 else RNG.randint(2, 60)
        ms = [round(RNG.lognormvariate(5, 1), RNG.choice([0, 2, 6])) for _ in range(n)]
        expect = {f"latency.p{q}": float(np.percentile(ms, q)) for q in (50, 90, 95, 99)}
        expect |= {"latency.mean": float(np.mean(ms)), "latency.min": min(ms), "latency.max": max(ms)}
        cases.append({"ms": ms, "expect": expect})
    return cases


def intervals():
    cases = []
    for _ in range(60):
        n = RNG.choice([1, 2, 5, 10, 50, 200, 10_000])
        k = RNG.choice([0, n, RNG.randint(0, n)])
        confidence = RNG.choice([0.8, 0.9, 0.95, 0.99])
        interval = stats.binomtest(k, n).proportion_ci(confidence, method="wilson")
        cases.append({"k": k, "n": n, "confidence": confidence, "low": float(interval.low), "high": float(interval.high)})
    return cases


def paired():
    cases = []
    for b, c in [(0, 0), (1, 0), (13, 6), (77, 10), (5000, 4800), (0, 40), (1, 1000)]:
        cases.append({"b": b, "c": c, "p": float(stats.binomtest(b, b + c).pvalue) if b + c else 1.0})
    for _ in range(60):
        b, c = RNG.randint(0, 60), RNG.randint(0, 60)
        cases.append({"b": b, "c": c, "p": float(stats.binomtest(b, b + c).pvalue) if b + c else 1.0})
    return cases


def quantiles():
    cases = []
    for _ in range(60):
        values = [RNG.gauss(0, 10) for _ in range(RNG.randint(1, 25))]
        q = RNG.choice([0, 1, 0.5, 0.025, 0.975, RNG.random()])
        cases.append({"values": values, "q": q, "expect": float(np.quantile(values, q))})
    return cases


def normal():
    return [{"p": p, "z": float(stats.norm.ppf(p))} for p in [1e-9, 1e-6, 0.001, *(RNG.random() for _ in range(40)), 0.999]]


def main():
    golden = {
        "classification": classification(),
        "regression": regression(),
        "calibration": calibration(),
        "latency": latency(),
        "wilson": intervals(),
        "mcnemar": paired(),
        "quantile": quantiles(),
        "normal_quantile": normal(),
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        # One case a line: small, and a change shows which case changed.
        file.write("{\n")
        for i, (name, cases) in enumerate(golden.items()):
            file.write(f"{json.dumps(name)}: [\n")
            file.write(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases))
            file.write("\n]" + ("," if i + 1 < len(golden) else "") + "\n")
        file.write("}\n")


main()
