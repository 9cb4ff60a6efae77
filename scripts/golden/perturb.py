"""Writes crates/eval/tests/golden/perturb.json: upstream's eight perturbations by an independent Python version.

Usage: python3 scripts/golden/perturb.py [JIRA_CSV] > crates/eval/tests/golden/perturb.json
Standard library only. `own` holds whole texts for inputs written for this project. `upstream` holds short hashes of
the perturbed title and description of issues of upstream's jira_balanced_200.csv (JIRA_CSV), so that no upstream
text is kept here; without JIRA_CSV it is empty.
"""

import csv
import hashlib
import json
import random
import sys

LEET = dict(zip("aeiostbglzAEIOSTBG", "431057691243105786"))
MEN = ["John", "Michael", "David", "James", "Robert"]
WOMEN = ["Mary", "Patricia", "Jennifer", "Linda", "Elizabeth"]
CASUAL = """is experiencing>is having|has been observed>we saw|exhausted>dying|cannot establish>can't make
is unable to>can't|has encountered>hit|is failing>is broken|investigation required>need to check
production server>prod box|intermittently>on and off|immediate>ASAP|configuration>config|application>app
database>DB|request>call|response>reply|endpoint>URL|deployment>rollout|currently>right now"""
CASUAL = [pair.split(">") for pair in CASUAL.replace("\n", "|").split("|")]

OWN = [
    "",
    "x",
    "zebra",
    "Checkout cannot establish a session with the payment database",
    "The application is unable to load its configuration.\n\nIt is currently retrying the request immediately;\ta response "
    "from the endpoint never arrives and the pool is exhausted after the deployment.",
    "Überweisung schlägt fehl \u2014 the IBAN field rejects \u00a0 spaces; see #4411 \U0001F914",
    "production server is experiencing disk pressure, which has been observed intermittently since Monday. "
    "investigation required",
    "GREAT BIG TITLE IN CAPITALS, 100% OF IT",
]


def typos(seed, text):
    at = [i for i, c in enumerate(text) if c in LEET]
    if not at:
        return text
    out = list(text)
    for i in random.Random(seed).sample(at, max(1, int(len(at) * 0.05))):
        out[i] = LEET[out[i]]
    return "".join(out)


def noise(seed, text):
    r = random.Random(seed)
    words = text.split()
    for _ in range(3):
        words.insert(r.randint(0, len(words)), r.choice(["TODO", "FIXME", "deprecated"]))
    return " ".join(words)


def reported(names, seed, text):
    head = int.from_bytes(hashlib.sha256(f"{seed}:{text}".encode()).digest()[:4], "big")
    return f"{names[head % 5]} Smith reported: {text}"


def casual(text):
    for formal, short in CASUAL:
        text = text.replace(formal, short)
    return text


ALL = {
    "typos_5pct": typos,
    "case_upper": lambda seed, text: text.upper(),
    "case_lower": lambda seed, text: text.lower(),
    "truncate_50pct": lambda seed, text: text[: max(1, int(len(text) * 0.5))],
    "tech_noise": noise,
    "gender_swap_prefix_male": lambda seed, text: reported(MEN, seed, text),
    "gender_swap_prefix_female": lambda seed, text: reported(WOMEN, seed, text),
    "register_shift_informal": lambda seed, text: casual(text),
}


def short(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def main():
    own = [[name, seed, text, change(seed, text)] for name, change in ALL.items() for seed in (42, 7) for text in OWN]
    upstream = []
    if len(sys.argv) > 1:
        rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
        for row in rows[::5] + [row for row in rows if row["issue_key"] in ("CRIT-002", "MAJR-014", "TRIV-050")]:
            for name, change in ALL.items():
                upstream.append([row["issue_key"], name, short(change(42, row["title"])), short(change(42, row["description"]))])
    json.dump({"own": own, "upstream_seed42": upstream}, sys.stdout, indent=None, separators=(",", ":"))
    sys.stdout.write("\n")


main()
