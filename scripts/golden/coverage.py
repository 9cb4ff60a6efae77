#!/usr/bin/env python3
"""How often 95 % bootstrap intervals hold the true value, percentile against BCa (docs/decisions/0022-bca-bootstrap.md).

Samples are made up, so the true value is known: mean and median of skewed errors, macro F1 of four uneven classes. Needs
numpy and scipy (scripts/golden/requirements.txt); about a minute.
"""

import numpy as np
from scipy.stats import norm

RNG = np.random.default_rng(7)
STUDIES, RESAMPLES = 1000, 1000
CLASSES = [0.55, 0.25, 0.12, 0.08]
RIGHT = [0.8, 0.6, 0.4, 0.3]


def errors(n):
    return RNG.exponential(3, n).round(1)


def cells(n):
    """Each judged issue as gold * 4 + answer."""
    gold = RNG.choice(4, n, p=CLASSES)
    right = RNG.random(n) < np.array(RIGHT)[gold]
    return gold * 4 + np.where(right, gold, (gold + RNG.integers(1, 4, n)) % 4)


def macro_f1(rows):
    counts = (rows[..., None] == np.arange(16)).sum(axis=-2).reshape(*rows.shape[:-1], 4, 4)
    hits, of = np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(-1) + counts.sum(-2)
    return np.where(of > 0, 2 * hits / np.maximum(of, 1), 0).mean(-1)


def intervals(data, statistic):
    n = len(data)
    value = statistic(data)
    resampled = np.sort(statistic(data[RNG.integers(0, n, (RESAMPLES, n))]))
    left_out = statistic(np.array([np.delete(data, i) for i in range(n)]))
    away = left_out.mean() - left_out
    spread = (away**2).sum() ** 1.5
    share = ((resampled < value).sum() + (resampled <= value).sum()) / (2 * RESAMPLES)
    ends = np.array([0.025, 0.975])
    percentile = np.quantile(resampled, ends)
    if spread == 0 or not 0 < share < 1:
        return percentile, percentile
    bias, skew = norm.ppf(share), (away**3).sum() / (6 * spread)
    from_centre = bias + norm.ppf(ends)
    return percentile, np.quantile(resampled, norm.cdf(bias + from_centre / (1 - skew * from_centre)))


def study(name, draw, statistic, n):
    truth = np.mean([statistic(draw(200_000)) for _ in range(3)])
    held, below, above = np.zeros(2), np.zeros(2), np.zeros(2)
    for _ in range(STUDIES):
        for which, (low, high) in enumerate(intervals(draw(n), statistic)):
            held[which] += low <= truth <= high
            below[which] += high < truth
            above[which] += low > truth
    for which, method in enumerate(["percentile", "BCa"]):
        shares = [100 * x[which] / STUDIES for x in (held, below, above)]
        print(f"{name:8} n={n:4} {method:10} holds {shares[0]:5.1f} %, lies below {shares[1]:4.1f} %, above {shares[2]:4.1f} %", flush=True)


for size in (30, 100):
    study("mean", errors, lambda x: x.mean(-1), size)
    study("median", errors, lambda x: np.median(x, -1), size)
    study("macro F1", cells, macro_f1, size)
