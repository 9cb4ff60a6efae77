#!/usr/bin/env python3
"""Writes crates/eval/tests/golden/baselines.json: what scikit-learn makes of the same texts and the same right answers.

Needs numpy, scipy and scikit-learn (made with 2.4.6, 1.17.1 and 1.9.1). Run from the repository root:
    python3 scripts/golden/baselines.py crates/eval/tests/golden/baselines.json
With a folder of Deep-SE files (issuekey,title,description,storypoint,split_mark) it prints scikit-learn's scores on them:
    python3 scripts/golden/baselines.py --deepse FOLDER
"""

import csv
import json
import math
import random
import re
import sys
from pathlib import Path

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.metrics import brier_score_loss, log_loss

csv.field_size_limit(10**9)
RNG = random.Random(20_27)
LABELS = ["Critical", "Major", "Minor", "Trivial"]
PIECES = ["Crash", "crash", "login", "DB", "x", "été", "naïve", "b-tree", "foo_bar", "42", "don't", "日本語", "a", "...", "\n", "ÜBER", "No.7"]


def vectorizer():
    return TfidfVectorizer(sublinear_tf=True)


def weights():
    cases = []
    for _ in range(60):
        texts = [" ".join(RNG.choices(PIECES, k=RNG.randint(0, 14))) for _ in range(RNG.randint(2, 9))]
        texts.append("login crash crash")
        trained = RNG.randint(2, len(texts))
        # The training texts must hold a word.
        order = [len(texts) - 1, *range(len(texts) - 1)]
        texts = [texts[i] for i in order]
        model = vectorizer().fit(texts[:trained])
        words = model.get_feature_names_out().tolist()
        matrix = model.transform(texts).toarray()
        rows = [{words[j]: float(v) for j, v in enumerate(row) if v} for row in matrix]
        cases.append({"texts": texts, "trained": trained, "rows": rows})
    return cases


def ridge():
    cases = []
    for _ in range(40):
        n = RNG.randint(3, 30)
        texts = [" ".join(RNG.choices(PIECES, k=RNG.randint(0, 14))) for _ in range(n)] + ["login crash"]
        targets = [RNG.choice([1, 2, 3, 5, 8, 13]) for _ in texts]
        alpha = RNG.choice([0.1, 1.0, 10.0])
        matrix = vectorizer().fit_transform(texts).toarray()
        model = Ridge(alpha=alpha, solver="cholesky").fit(matrix, targets)
        cases.append({"texts": texts, "targets": targets, "alpha": alpha, "fitted": model.predict(matrix).tolist()})
    return cases


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def text(row):
    return row["title"] + "\n" + row["description"]


def split(rows, mark):
    return [row for row in rows if row["split_mark"] == mark]


def answers():
    """The judge of text on the sample sets, trained on their train split."""
    issues = rows_of("assets/data/triage_sample.csv")
    train, test = split(issues, "train"), split(issues, "test")
    model = vectorizer()
    matrix = model.fit_transform([text(row) for row in train])
    judge = RidgeClassifier(solver="cholesky").fit(matrix.toarray(), [row["priority"] for row in train])
    labels = judge.predict(model.transform([text(row) for row in test]).toarray())
    order = Ridge(solver="cholesky").fit(matrix.toarray(), [-LABELS.index(row["priority"]) for row in train])
    urgency = order.predict(model.transform([text(row) for row in issues]).toarray())
    stories = rows_of("assets/data/stories_sample.csv")
    train, story_test = split(stories, "train"), split(stories, "test")
    points = fitted_points(train, story_test)
    return {
        "labels": {row["issue_key"]: label for row, label in zip(test, labels.tolist())},
        "urgency": {row["issue_key"]: value for row, value in zip(issues, urgency.tolist())},
        "points": {row["issue_key"]: value for row, value in zip(story_test, points.tolist())},
    }


def story_points(row):
    return float(row.get("story_points") or row["storypoint"])


def fitted_points(train, test):
    model = vectorizer()
    matrix = model.fit_transform([text(row) for row in train])
    logs = [math.log(story_points(row)) for row in train]
    judge = Ridge(solver="sparse_cg", tol=1e-12, max_iter=10_000).fit(matrix, logs)
    return np.exp(judge.predict(model.transform([text(row) for row in test])))


def constants():
    cases = []
    for _ in range(60):
        present = RNG.sample(LABELS, RNG.randint(2, 4))
        train = present + RNG.choices(present, k=RNG.randint(0, 30))
        gold = RNG.choices(present, k=RNG.randint(1, 30))
        rows = np.zeros((len(train), 1)), np.zeros((len(gold), 1))
        prior = DummyClassifier(strategy="prior").fit(rows[0], train)
        shares = np.zeros((len(gold), len(LABELS)))
        for j, label in enumerate(prior.classes_):
            shares[:, LABELS.index(label)] = prior.predict_proba(rows[1])[:, j]
        # scikit-learn breaks ties by the alphabet, which is the order of these labels.
        constant = DummyClassifier(strategy="most_frequent").fit(rows[0], train).predict(rows[1])
        share = {label: train.count(label) / len(train) for label in LABELS}
        drawn = sum(share[g] for g in gold) / len(gold)
        points, right = RNG.choices([1, 2, 3, 5, 8, 13], k=len(train)), RNG.choices([1, 2, 3, 5, 8, 13], k=len(gold))
        case = {
            "train": train,
            "gold": gold,
            "most_frequent accuracy": float(np.mean(constant == np.array(gold))),
            "prior log_loss": log_loss(gold, shares, labels=LABELS),
            "prior brier_multiclass": brier_score_loss(gold, shares, labels=LABELS, scale_by_half=False),
            "stratified accuracy": drawn,
            "uniform accuracy": 1 / len(LABELS),
            "train_points": points,
            "points": right,
        }
        for strategy in ("mean", "median"):
            guess = DummyRegressor(strategy=strategy).fit(rows[0], points).predict(rows[1])
            case[f"{strategy} mae"] = float(np.mean(np.abs(guess - right)))
            case[f"{strategy} rmse"] = float(np.sqrt(np.mean((guess - right) ** 2)))
        cases.append(case)
    return cases


def words(row):
    """What makes two texts one: their words."""
    return tuple(re.findall(r"\w+", text(row).lower()))


def print_deepse(folder):
    """The table of docs/results/baselines.md as scikit-learn computes it."""
    for path in sorted(Path(folder).glob("*.csv")):
        rows = [row for row in rows_of(path) if row["title"].strip() and story_points(row) > 0]
        train, test = split(rows, "train"), split(rows, "test")
        judged = {words(row) for row in test}
        unseen = [row for row in train if words(row) not in judged]
        right = np.array([story_points(row) for row in test])
        learned = np.array([story_points(row) for row in train])
        guessing = np.abs(right[:, None] - right[None, :]).sum() / (len(right) * (len(right) - 1))
        print(f"{path.stem}: {len(train)} train ({len(unseen)} not judged), {len(test)} test, random guess MAE {guessing:.4f}")
        guesses = {"median": np.median(learned), "mean": learned.mean(), "tfidf_linear": fitted_points(unseen, test)}
        for name, guess in guesses.items():
            error = np.abs(guess - right)
            mae, mdae = error.mean(), np.median(error)
            print(f"  {name:<13} MAE {mae:.4f}  MdAE {mdae:.4f}  RMSE {np.sqrt((error**2).mean()):.4f}  SA {1 - mae / guessing:.4f}")


def main():
    if sys.argv[1] == "--deepse":
        return print_deepse(sys.argv[2])
    golden = {"weights": weights(), "ridge": ridge(), "constants": constants(), "answers": [answers()]}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        # One case a line: small, and a change shows which case changed.
        file.write("{\n")
        for i, (name, cases) in enumerate(golden.items()):
            file.write(f"{json.dumps(name)}: [\n")
            file.write(",\n".join(json.dumps(case, separators=(",", ":"), ensure_ascii=False) for case in cases))
            file.write("\n]" + ("," if i + 1 < len(golden) else "") + "\n")
        file.write("}\n")


main()
