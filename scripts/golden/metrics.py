#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy==2.4.6", "scipy==1.17.1", "scikit-learn==1.9.1"]
# ///
"""Writes crates/eval/tests/golden/metrics.json: what scikit-learn, SciPy and NumPy say about random records.

The packages are pinned in scripts/golden/requirements.txt; the tests run the script with a fresh seed where they may
install packages. Run from the repository root, with another seed for other records:
    python3 scripts/golden/metrics.py crates/eval/tests/golden/metrics.json [SEED]

Where the libraries have no such metric, or count missing answers in another way, the definition is written out here, and
it is asserted to equal the library wherever both speak of the same thing.
"""

import math
import random
import sys
import warnings

import golden_file
import numpy as np
from scipy import stats
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

warnings.filterwarnings("ignore")
RNG = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 20_26)
NOTHING = "(no answer)"
AGREEMENT = ("mcc", "cohen_kappa", "quadratic_weighted_kappa")
LABELS = ["Critical", "Major", "Minor", "Trivial"]
DECK = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def weighted_kappa(labels, gold, answer):
    """Quadratic weights by place; no answer is as far from each label as the two ends are from each other."""
    far = len(labels) - 1

    def distance(a, b):
        return 1.0 if b is None else ((labels.index(a) - labels.index(b)) / far) ** 2

    observed = np.mean([distance(g, a) for g, a in zip(gold, answer)])
    expected = np.mean([distance(g, a) for g in gold for a in answer])
    kappa = 1 - observed / expected
    if None not in answer:
        assert close(kappa, sk.cohen_kappa_score(gold, answer, labels=labels, weights="quadratic"))
    return kappa


def agreement(labels, gold, answer):
    """Scores beyond chance, which one right label alone does not have."""
    if len(set(gold)) < 2:
        return {}
    given = [NOTHING if a is None else a for a in answer]
    return {
        "mcc": sk.matthews_corrcoef(gold, given),
        "cohen_kappa": sk.cohen_kappa_score(gold, given),
        "quadratic_weighted_kappa": weighted_kappa(labels, gold, answer),
    }


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
            expect[f"per_class.{label}.support"] = gold.count(label)
        expect |= agreement(labels, gold, answer)
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
        "majority_class": {name: value for name, value in floor.items() if not name.startswith(("per_class", *AGREEMENT))},
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
        relative = error / y
        assert close(relative.mean(), sk.mean_absolute_percentage_error(y, p))
        expect["mmre"] = relative.mean()
        expect["mdmre"] = np.median(relative)
        if n > 1:
            answered = [i for i in range(n) if answer[i] is not None]
            guess = [abs(gold[i] - gold[j]) for i in answered for j in range(n) if j != i]
            if np.mean(guess) > 0:
                expect["standardised_accuracy"] = 1 - error.mean() / np.mean(guess)
                expect["guess_effect_size"] = (np.mean(guess) - error.mean()) / np.std(guess) if np.std(guess) > 1e-9 else None
            anywhere = np.median([abs(gold[i] - gold[j]) for i in range(n) for j in range(i)])
            if anywhere > 0:
                expect["standardised_accuracy_median"] = 1 - np.median(error) / anywhere
        for name, low, high in (("up_to_3", -np.inf, 3), ("3_to_8", 3, 8), ("8_to_21", 8, 21), ("above_21", 21, np.inf)):
            inside = (y > low) & (y <= high)
            if inside.any():
                expect[f"mae_by_bin.{name}"] = error[inside].mean()
    expect["pred_25"] = np.mean([a is not None and abs(g - a) <= 0.25 * g for g, a in zip(gold, answer)])
    if n == 1 and pairs:
        # Nothing to guess from, and nothing to guess.
        expect["mae_imputed"] = expect["mae"]
    if n > 1:
        guess = [np.mean([abs(gold[i] - gold[j]) for j in range(n) if j != i]) for i in range(n)]
        imputed = np.mean([guess[i] if answer[i] is None else abs(gold[i] - answer[i]) for i in range(n)])
        expect["mae_imputed"] = imputed
        if np.mean(guess) > 0:
            expect["standardised_accuracy_imputed"] = 1 - imputed / np.mean(guess)
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
        "expect": {name: float(value) for name, value in expect.items() if value is not None},
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


def equal_mass(confidence, right):
    """Each bin's answers and right answers as scikit-learn's calibration_curve puts them into 15 bins of equal mass."""
    edges = np.percentile(confidence, np.linspace(0, 1, 16) * 100)
    place = np.searchsorted(edges[1:-1], confidence)
    bins = [(confidence[place == b], right[place == b]) for b in range(15) if (place == b).any()]
    rates, means = calibration_curve(right, confidence, n_bins=15, strategy="quantile")
    assert np.allclose([c.mean() for c, _ in bins], means) and np.allclose([r.mean() for _, r in bins], rates)
    return bins


def murphy(confidence, right):
    """Reliability, resolution, uncertainty over 15 bins of equal width."""
    place = np.minimum((confidence * 15 + 1e-9).astype(int), 14)
    reliability, resolution = 0.0, 0.0
    for b in set(place):
        c, r = confidence[place == b], right[place == b]
        reliability += len(c) / len(right) * (c.mean() - r.mean()) ** 2
        resolution += len(c) / len(right) * (r.mean() - right.mean()) ** 2
    return reliability, resolution, right.mean() * (1 - right.mean())


def selective(confidence, right):
    """Expected share of wrong answers among the k surest for each k, over the orders of equal confidences."""
    risks = []
    for k in range(1, len(right) + 1):
        border = sorted(confidence, reverse=True)[k - 1]
        above, at = confidence > border, confidence == border
        wrong = (1 - right[above]).sum() + (k - above.sum()) * (1 - right[at]).mean()
        risks.append(wrong / k)
    return risks


def near(probabilities, gold):
    """Whether fewer than two other labels are at least as probable as the right one."""
    of_gold = probabilities[LABELS.index(gold)]
    return sum(p >= of_gold for label, p in zip(LABELS, probabilities) if label != gold) < 2


def calibration_case(n, edges, silence):
    gold, answer, confidence, probabilities = [], [], [], []
    for _ in range(n):
        mass = RNG.choice([1.0, 0.9, RNG.random()])
        cuts = sorted(RNG.random() for _ in range(3))
        shares = [mass * (b - a) for a, b in zip([0, *cuts], [*cuts, 1])]
        if edges and RNG.random() < 0.1:
            shares = [mass, 0.0, 0.0, 0.0]
        gold.append(RNG.choice(LABELS))
        best = LABELS[int(np.argmax(shares))]
        answer.append(best if RNG.random() < 0.8 else gold[-1])
        own = shares[LABELS.index(answer[-1])]
        confidence.append(RNG.choice([own, RNG.randint(0, 15) / 15, RNG.randint(0, 10) / 10]) if edges else own)
        probabilities.append(shares)
        if RNG.random() < silence:
            answer[-1] = None
    expect, curves = {}, {}
    said = [i for i in range(n) if answer[i] is not None]
    right = np.array([float(g == a) for g, a in zip(gold, answer)])
    if said:
        c, r = np.array(confidence)[said], right[said]
        expect["ece"], expect["mce"] = gaps(c, r, 15)
        expect["ece_10"] = gaps(c, r, 10)[0]
        bins = equal_mass(c, r)
        expect["ece_equal_mass"] = sum(len(a) / len(c) * abs(a.mean() - b.mean()) for a, b in bins)
        expect["brier"] = sk.brier_score_loss(r, c, pos_label=1)
        reliability, resolution, uncertainty = murphy(c, r)
        expect["brier_reliability"], expect["brier_resolution"] = reliability, resolution
        expect["brier_uncertainty"] = uncertainty
        expect["brier_remainder"] = expect["brier"] - (reliability - resolution + uncertainty)
        curves["reliability_equal_mass"] = [[float(a.mean()), float(b.mean())] for a, b in bins]
        if not edges:
            rates, means = calibration_curve(r, c, n_bins=15, strategy="uniform")
            curves["reliability"] = [[float(a), float(b)] for a, b in zip(means, rates)]
        risks = selective(np.array([c if a is not None else -1 for c, a in zip(confidence, answer)]), right)
        expect["aurc"] = np.mean(risks)
        for percent in (50, 80, 90):
            expect[f"selective_accuracy_at_{percent}"] = 1 - risks[-(-n * percent // 100) - 1]
    # What is no label is an outcome of its own.
    full = np.array([[*p, max(0.0, 1 - sum(p))] for p in probabilities])
    hot = np.array([[float(label == g) for label in [*LABELS, NOTHING]] for g in gold])
    of_gold = np.array([p[LABELS.index(g)] for p, g in zip(probabilities, gold)])
    expect["brier_multiclass"] = ((full - hot) ** 2).sum(axis=1).mean()
    expect["log_loss"] = -np.log(np.clip(of_gold, 1e-15, 1)).mean()
    expect["top_2_accuracy"] = np.mean([a is not None and near(p, g) for p, g, a in zip(probabilities, gold, answer)])
    if not edges:
        # scikit-learn wants the labels sorted, and "(" comes before all letters.
        sorted_full = np.column_stack([full[:, -1], full[:, :-1]])
        assert close(expect["log_loss"], sk.log_loss(gold, sorted_full, labels=[NOTHING, *LABELS]))
        if None not in answer:
            assert close(expect["top_2_accuracy"], sk.top_k_accuracy_score(gold, full[:, :-1], k=2, labels=LABELS))
    return {
        "gold": gold,
        "answer": answer,
        "confidence": confidence,
        "probabilities": probabilities,
        "expect": {name: float(value) for name, value in expect.items()},
        "curves": curves,
    }


def calibration():
    # With these sizes no inner quantile falls onto an answer, where NumPy's last bit would choose the bin.
    sizes = [n for n in range(2, 60) if math.gcd(n - 1, 15) == 1]
    cases = [calibration_case(1, True, 0)]
    for index in range(60):
        silence = [0, 0, 0.3][index % 3]
        case = calibration_case(RNG.choice(sizes), index % 2 == 0, silence)
        while math.gcd(max(sum(a is not None for a in case["answer"]) - 1, 1), 15) != 1:
            case = calibration_case(RNG.choice(sizes), index % 2 == 0, silence)
        cases.append(case)
    return cases


def ranking_case(issues, pairs, skill, silence):
    names = [f"P-{i}" for i in range(issues)]
    priority = [RNG.randint(0, 3) for _ in names]
    shown, gold, answer, wins, met = [], [], [], [0] * issues, [0] * issues
    for _ in range(pairs):
        a, b = RNG.sample(range(issues), 2)
        shown.append(f"{names[a]}|{names[b]}")
        gold.append("A" if priority[a] >= priority[b] else "B")
        other = "B" if gold[-1] == "A" else "A"
        answer.append(None if RNG.random() < silence else gold[-1] if RNG.random() < skill else other)
        # No answer counts for the other issue.
        first = a if (answer[-1] or other) == "A" else b
        wins[first] += 1
        met[a] += 1
        met[b] += 1
    seen = [i for i in range(issues) if met[i]]
    score, truth = [wins[i] / met[i] for i in seen], [priority[i] for i in seen]
    expect = {}
    tau = stats.kendalltau(score, truth, variant="b").statistic
    if not math.isnan(tau):
        expect["kendall_tau"] = tau
    if any(truth):
        expect["ndcg"] = sk.ndcg_score([truth], [score])
    known = dict(zip(names, priority))
    ties = [known[a] == known[b] for a, b in (pair.split("|") for pair in shown)]
    points = [0 if a is None else 0.5 if tie else float(a == g) for a, g, tie in zip(answer, gold, ties)]
    expect["pairwise_accuracy"] = np.mean(points)
    accuracy = {place: [float(a == g) for a, g, tie in zip(answer, gold, ties) if g == place and not tie] for place in "AB"}
    if accuracy["A"] and accuracy["B"]:
        expect["position_bias"] = np.mean(accuracy["A"]) - np.mean(accuracy["B"])
    return {
        "priorities": known,
        "pairs": shown,
        "gold": gold,
        "answer": answer,
        "expect": {name: float(value) for name, value in expect.items()},
    }


def ranking():
    cases = [ranking_case(2, 1, 1, 0), ranking_case(2, 3, 0, 1)]
    for _ in range(60):
        issues = RNG.randint(2, 30)
        cases.append(ranking_case(issues, RNG.randint(1, 3 * issues), RNG.random(), RNG.choice([0, 0, 0.2])))
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
        "ranking": ranking(),
        "latency": latency(),
        "wilson": intervals(),
        "mcnemar": paired(),
        "quantile": quantiles(),
        "normal_quantile": normal(),
    }
    golden_file.write(sys.argv[1], golden)


main()
