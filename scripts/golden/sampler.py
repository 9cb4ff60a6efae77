"""Writes crates/eval/tests/golden/sampler.json: draws of NumPy, pandas and CPython for crates/eval/src/sample.

Usage: python3 scripts/golden/sampler.py [JIRA_CSV] > crates/eval/tests/golden/sampler.json
Needs numpy and pandas. JIRA_CSV is upstream PUMA's jira_balanced_200.csv; only issue keys are taken from it. Without
it the keys are made up the same way: 50 rows of each class, sorted by class, numbered from 001.
Versions that wrote the committed file: CPython 3.11.7, NumPy 2.4.6, pandas 3.1.1.
"""

import json
import random
import sys

import numpy as np
import pandas as pd


def stratified(frame, count, seed):
    """The triage sampler of upstream, on pandas itself."""
    if count >= len(frame):
        return frame
    groups = [frame[frame.priority == name] for name in sorted(frame.priority.unique())]
    per_class = max(1, count // len(groups))
    parts = [group.sample(min(per_class, len(group)), random_state=seed) for group in groups]
    chosen = pd.concat(parts)
    if len(chosen) < count:
        rest = frame[~frame.index.isin(chosen.index)]
        chosen = pd.concat([chosen, rest.sample(count - len(chosen), random_state=seed)])
    return chosen.head(count)


def jira(path):
    if path:
        return pd.read_csv(path)[["issue_key", "priority"]]
    names = {"CRIT": "Critical", "MAJR": "Major", "MINR": "Minor", "TRIV": "Trivial"}
    rows = [(f"{key}-{number:03}", name) for key, name in names.items() for number in range(1, 51)]
    return pd.DataFrame(rows, columns=["issue_key", "priority"])


def python_draws(seed):
    r = random.Random(seed)
    draws = {"seed": seed, "getrandbits": [[bits, r.getrandbits(bits)] for bits in (1, 5, 31, 32, 33, 48, 63)]}
    draws["random_times_2_53"] = [int(r.random() * 2**53) for _ in range(3)]
    draws["randint_9"] = [r.randint(0, 9) for _ in range(8)]
    draws["choice_of_7"] = [r.choice(range(7)) for _ in range(8)]
    draws["sample"] = [[n, k, r.sample(range(n), k)] for n, k in
                       ((10, 3), (21, 5), (22, 5), (85, 6), (86, 6), (200, 12), (1000, 40), (3, 3), (1, 0), (22, 6), (25, 6), (30, 6), (40, 9), (25, 20))]
    items = list(range(12))
    r.shuffle(items)
    draws["shuffle_12"] = items
    return draws


def main():
    frame = jira(sys.argv[1] if len(sys.argv) > 1 else None)
    uneven = ["b"] * 3 + ["a"] * 40 + ["c"] * 7
    uneven_frame = pd.DataFrame({"priority": uneven})
    positions = lambda n, k, seed: pd.DataFrame({"x": range(n)}).sample(k, random_state=seed).x.tolist()
    golden = {
        "permutation": [[n, seed, np.random.RandomState(seed).permutation(n)[:12].tolist()]
                        for seed in (0, 42, 123, 4294967295) for n in (1, 2, 10, 50, 200, 9020)],
        "dataframe_sample": [[n, k, seed, positions(n, k, seed)] for seed in (42, 7) for n, k in ((10, 4), (33, 33), (500, 9))],
        "jira": [[seed, count, stratified(frame, count, seed).issue_key.tolist()]
                 for seed in (42, 123) for count in (1, 3, 5, 10, 15, 20, 30, 50, 100, 120, 199)],
        "uneven_classes": [[seed, count, stratified(uneven_frame, count, seed).index.tolist()]
                           for seed in (42, 5) for count in (1, 2, 6, 12, 30, 49)],
        "tawos_9020_seed42": positions(9020, 200, 42),
        "python": [python_draws(seed) for seed in (0, 42, 123, 2**40 + 7)],
    }
    json.dump(golden, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")


main()
