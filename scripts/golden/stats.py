#!/usr/bin/env python3
"""Writes what SciPy, statsmodels and NumPy say about random samples, for crates/eval/tests/stats_golden.rs.

The packages are pinned in scripts/golden/requirements.txt. Run from the repository root:
    python3 scripts/golden/stats.py crates/eval/tests/golden/stats.json
With a number after the file, that is the seed; the tests run the script with a fresh one where they may install packages.
"""

import math
import random
import sys
import warnings
from types import SimpleNamespace

import golden_file
import numpy as np
from scipy import optimize, special, stats
from statsmodels.stats import contingency_tables, multitest, power, proportion

warnings.filterwarnings("ignore")
RNG = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 20_26)
ALTERNATIVES = ["two-sided", "less", "greater"]


def differences(n, kind):
    """Paired differences: without ties, with many, equal, with zeros, all zero, of right and wrong."""
    if kind == "distinct":
        signs = [RNG.choice([-1, 1]) for _ in range(n)]
        values = RNG.sample(range(1, 40 * n + 2), n)
        shift = RNG.choice([0, 0, 10 * n])
        return [s * v / 8 if s > 0 or RNG.random() > shift / (20 * n + 1) else v / 8 for s, v in zip(signs, values)]
    if kind == "ties":
        return [RNG.choice([-5, -3, -2, -1, 1, 2, 3, 5, 8]) for _ in range(n)]
    if kind == "zeros":
        return [RNG.choice([-2, -1, 0, 0, 0, 1, 1, 2.5]) for _ in range(n)]
    if kind == "binary":
        lean = RNG.random()
        return [RNG.choice([0, 1]) - (RNG.random() < lean) for _ in range(n)]
    return [{"equal": 1.5, "all zero": 0.0}[kind]] * n


def number(value):
    """None where the oracle says NaN."""
    value = float(value)
    return None if math.isnan(value) else value


def wilcoxon():
    cases = []
    for index in range(420):
        kind = RNG.choice(["distinct", "distinct", "ties", "zeros", "binary", "equal", "all zero"])
        n = 1 if index < 14 else RNG.choice([2, 3, 5, 8, 9, 14, 20, 35, 50, 51, 70])
        if index % 60 == 59:
            # The largest at which SciPy tries all signs in spite of ties, which takes it a second.
            n = 13
        d = differences(n, kind)
        methods = ["auto", "asymptotic"] + (["exact"] if kind == "distinct" else [])
        if n == 1 and 0 in d:
            # SciPy cannot flip the sign of a single value.
            methods = ["asymptotic"]
        case = {
            "zeros": RNG.choice(["wilcox", "pratt", "zsplit"]),
            "alternative": RNG.choice(ALTERNATIVES),
            "continuity": RNG.random() < 0.4,
            "method": RNG.choice(methods),
        }
        result = stats.wilcoxon(
            d,
            zero_method=case["zeros"],
            correction=case["continuity"],
            alternative=case["alternative"],
            method=case["method"],
        )
        case |= {"d": d, "statistic": float(result.statistic)}
        case |= {"p": number(result.pvalue), "z": number(getattr(result, "zstatistic", math.nan))}
        if not any(d):
            # Without any difference every sign gives the observed sum; approximations of that are 0/0 or nearly 1/2.
            case |= {"p": None, "z": None}
        cases.append(case)
    return cases


def permutation():
    cases = []
    for _ in range(100):
        kind = RNG.choice(["distinct", "ties", "zeros", "binary", "equal", "all zero"])
        d = differences(RNG.randint(2, 10), kind)
        alternative = RNG.choice(ALTERNATIVES)
        result = stats.permutation_test(
            (d,), lambda x, axis: np.mean(x, axis=axis), permutation_type="samples", alternative=alternative, n_resamples=np.inf
        )
        cases.append({"d": d, "alternative": alternative, "mean": float(result.statistic), "p": float(result.pvalue)})
    return cases


def sign():
    cases = []
    for index in range(120):
        d = differences(1 if index < 6 else RNG.randint(2, 90), RNG.choice(["ties", "zeros", "binary", "equal", "all zero"]))
        up, down = sum(x > 0 for x in d), sum(x < 0 for x in d)
        alternative = RNG.choice(ALTERNATIVES)
        p = stats.binomtest(up, up + down, alternative=alternative).pvalue if up + down else 1
        cases.append({"d": d, "alternative": alternative, "p": float(p)})
    return cases


def binomial():
    cases = []
    for _ in range(150):
        n = RNG.choice([1, 2, 7, 20, 99, 500, 3000])
        p = RNG.choice([0, 1, 0.5, RNG.random(), RNG.random() * 0.05])
        k = RNG.choice([0, n, RNG.randint(0, n), min(n, int(n * p))])
        alternative = RNG.choice(ALTERNATIVES)
        case = {"k": k, "n": n, "p": p, "alternative": alternative}
        case |= {"expect": float(stats.binomtest(k, n, p, alternative).pvalue)}
        cases.append(case | {"mass": float(stats.binom.pmf(k, n, p)), "at_most": float(stats.binom.cdf(k, n, p))})
    return cases


def newcombe(both, first, second, neither, confidence):
    """Newcombe 1998, method 10, from statsmodels' Wilson intervals."""
    n = both + first + second + neither
    p1, p2 = (both + first) / n, (both + second) / n
    l1, u1 = proportion.proportion_confint(both + first, n, 1 - confidence, "wilson")
    l2, u2 = proportion.proportion_confint(both + second, n, 1 - confidence, "wilson")
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    product = both * neither - first * second
    if product > 0:
        product = max(product - n / 2, 0)
    phi = product / math.sqrt(margins) if margins else 0
    lower = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    upper = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return [p1 - p2 - math.sqrt(max(lower, 0)), p1 - p2 + math.sqrt(max(upper, 0))]


def paired_counts():
    cases = []
    for index in range(150):
        counts = [RNG.choice([0, 1, RNG.randint(0, 30), RNG.randint(0, 400)]) for _ in range(4)]
        if index < 4:
            counts = [0, 0, 0, 0]
            counts[index] = 1
        both, b, c, neither = counts
        if sum(counts) == 0:
            continue
        table = [[both, b], [c, neither]]
        confidence = RNG.choice([0.8, 0.9, 0.95, 0.99])
        mid = stats.binomtest(min(b, c), b + c).pvalue - stats.binom.pmf(b, b + c, 0.5) if b + c else 0.5
        if b == c:
            mid = 1 - stats.binom.pmf(b, b + c, 0.5) / 2
        case = {"counts": counts, "confidence": confidence, "mid_p": float(mid)}
        case["p"] = float(contingency_tables.mcnemar(table, exact=True).pvalue) if b + c else 1.0
        case["interval"] = [float(x) for x in newcombe(both, b, c, neither, confidence)]
        if b and c:
            low, high = proportion.proportion_confint(b, b + c, 1 - confidence, "wilson")
            case["odds"] = [b / c, float(low / (1 - low)), float(high / (1 - high))]
            case["g"] = b / (b + c) - 0.5
        cases.append(case)
    return cases


def wilson():
    cases = []
    for _ in range(120):
        n = RNG.choice([1, 2, 5, 10, 50, 200, 10_000, 1_000_000])
        k = RNG.choice([0, n, RNG.randint(0, n)])
        confidence = RNG.choice([0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
        low, high = proportion.proportion_confint(k, n, 1 - confidence, "wilson")
        cases.append({"k": k, "n": n, "confidence": confidence, "interval": [float(low), float(high)]})
    return cases


def effects():
    cases = []
    for index in range(120):
        first = [RNG.choice([1, 2, 3, 5, 8, RNG.randint(0, 99) / 4]) for _ in range(1 if index < 5 else RNG.randint(1, 30))]
        second = [RNG.choice([1, 2, 3, 5, 8, RNG.randint(0, 99) / 4]) for _ in range(1 if index < 5 else RNG.randint(1, 30))]
        u = stats.mannwhitneyu(first, second, method="asymptotic").statistic
        share = u / (len(first) * len(second))
        d = np.array(first)
        spread = d.std(ddof=1) if len(d) > 1 else 0.0
        p1, p2 = RNG.random(), RNG.choice([0, 1, RNG.random()])
        cases.append({
            "first": first,
            "second": second,
            "delta": float(2 * share - 1),
            "a12": float(share),
            "dz": float(d.mean() / spread) if spread > 0 else None,
            "shares": [p1, p2],
            "h": float(proportion.proportion_effectsize(p1, p2)),
        })
    return cases


def families():
    cases = []
    for index in range(100):
        n = 1 if index < 3 else RNG.randint(2, 25)
        p = [RNG.choice([0.0, 1.0, 0.01, 0.05, RNG.random(), RNG.random() ** 6]) for _ in range(n)]
        case = {"p": p}
        for name, method in (("holm", "holm"), ("bh", "fdr_bh")):
            case[name] = [float(x) for x in multitest.multipletests(p, method=method)[1]]
        cases.append(case)
    return cases


def bca():
    """Ends of intervals from given resampled values; SciPy computes the leave-one-out values itself."""
    functions = {
        "mean": lambda x, axis=-1: np.mean(x, axis=axis),
        "median": lambda x, axis=-1: np.median(x, axis=axis),
        "deviation": lambda x, axis=-1: np.std(x, axis=axis),
    }
    cases = []
    for index in range(60):
        name = RNG.choice(list(functions))
        function = functions[name]
        n = 2 if index < 3 else RNG.randint(3, 25)
        data = [RNG.choice([RNG.randint(0, 9), RNG.randint(0, 300) / 8]) for _ in range(n)]
        if index % 15 == 0:
            data = [2.5] * n
        resampled = [float(function(np.array(RNG.choices(data, k=n)))) for _ in range(80)]
        confidence = RNG.choice([0.5, 0.8, 0.9, 0.95])
        given = SimpleNamespace(bootstrap_distribution=np.array(resampled))
        result = stats.bootstrap(
            (np.array(data, float),),
            function,
            vectorized=True,
            n_resamples=0,
            bootstrap_result=given,
            confidence_level=confidence,
            method="BCa",
        ).confidence_interval
        bounds = [number(result.low), number(result.high)]
        left_out = [float(function(np.array(data[:i] + data[i + 1 :]))) for i in range(n)]
        outside = (1 - confidence) / 2
        cases.append({
            "value": float(function(np.array(data))),
            "resampled": resampled,
            "left_out": left_out,
            "confidence": confidence,
            "bca": bounds if None not in bounds else None,
            "percentile": [float(x) for x in np.quantile(resampled, [outside, 1 - outside])],
        })
    return cases


def normal():
    cases = []
    for _ in range(150):
        z = RNG.choice([RNG.uniform(-6, 6), RNG.uniform(-36, 8)])
        p = RNG.choice([RNG.random(), 10 ** RNG.uniform(-290, 0)])
        x = RNG.uniform(-4, 26)
        case = {"z": z, "cdf": float(stats.norm.cdf(z)), "p": p, "quantile": float(stats.norm.ppf(p))}
        cases.append(case | {"x": x, "erfc": float(special.erfc(x))})
    return cases


def mcnemar_power(n, discordance, effect, alpha):
    """Of every possible outcome; the conditional test rejects where its p-value is at most alpha."""
    total = 0.0
    for m in range(1, n + 1):
        wins = np.arange(m + 1)
        p = np.minimum(2 * stats.binom.cdf(np.minimum(wins, m - wins), m, 0.5), 1)
        rejected = p <= alpha
        total += stats.binom.pmf(m, n, discordance) * stats.binom.pmf(wins, m, (1 + effect / discordance) / 2)[rejected].sum()
    return float(total)


def powers():
    cases = []
    for _ in range(60):
        n, alpha, wanted = RNG.choice([5, 20, 60, 150]), RNG.choice([0.01, 0.05, 0.1]), RNG.choice([0.8, 0.9])
        sd, effect = RNG.uniform(0.5, 9), RNG.uniform(0.1, 3)
        discordance = RNG.uniform(0.1, 0.6)
        gap = RNG.uniform(0, discordance)
        reference, shift = RNG.uniform(0.1, 0.7), RNG.uniform(0, 0.25)
        low, high = proportion.binom_test_reject_interval(reference, n, alpha)
        hits = stats.binom(n, reference + shift)
        null, other = math.sqrt(discordance), math.sqrt(discordance - gap * gap)
        z = stats.norm.isf(alpha / 2)
        root, small = math.sqrt(n) * gap, max(gap, 0.01)
        short_by = lambda size, n=n, alpha=alpha, wanted=wanted: power.normal_power(size, n, alpha) - wanted
        few_by = lambda size, d=effect / sd, alpha=alpha, wanted=wanted: power.normal_power(d, size, alpha) - wanted
        needed = optimize.brentq(few_by, 1e-9, 1e7, xtol=1e-9)
        cases.append({
            "n": n,
            "alpha": alpha,
            "wanted": wanted,
            "sd": sd,
            "effect": effect,
            "mean": float(power.normal_power(effect / sd, n, alpha)),
            "mean_needed": math.ceil(needed - 1e-6),
            "mean_detectable": sd * float(optimize.brentq(short_by, 0, 20 / math.sqrt(n), xtol=1e-15, rtol=1e-14)),
            "discordance": discordance,
            "gap": gap,
            "paired": mcnemar_power(n, discordance, gap, alpha),
            "paired_normal": float(stats.norm.sf((z * null - root) / other) + stats.norm.cdf((-root - z * null) / other)),
            "paired_needed_one_tail": float(
                power.normal_sample_size_one_tail(small, wanted, alpha / 2, null, math.sqrt(discordance - small * small))
            ),
            "reference": reference,
            "shift": shift,
            "fixed": float(hits.cdf(low) + hits.sf(high - 1)),
        })
    return cases


def main():
    golden = {
        "wilcoxon": wilcoxon(),
        "permutation": permutation(),
        "sign": sign(),
        "binomial": binomial(),
        "paired_counts": paired_counts(),
        "wilson": wilson(),
        "effects": effects(),
        "families": families(),
        "bca": bca(),
        "normal": normal(),
        "power": powers(),
    }
    golden_file.write(sys.argv[1], golden)
    print(sum(len(cases) for cases in golden.values()), "cases")


main()
