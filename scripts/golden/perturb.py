"""Writes crates/eval/tests/golden/perturb.json: every perturbation of texts and orders by an independent Python version.

Usage: python3 scripts/golden/perturb.py [JIRA_CSV] > crates/eval/tests/golden/perturb.json
Standard library only. `own` holds whole texts for inputs written for this project. `upstream` holds short hashes of
the perturbed title and description of issues of upstream's jira_balanced_200.csv (JIRA_CSV), so that no upstream
text is kept here; without JIRA_CSV it is empty. `label_order` holds orders of options and of eight examples.
"""

import csv
import hashlib
import json
import random
import re
import sys
import unicodedata

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
    "  Two spaces first.  Then two between; a tab\there.\r\nA Windows line!\r\n\r\nA second paragraph (with a bracket.) And more. ",
    "Steps to reproduce:\n1. Open the board\n2. Drag a card, e.g. the first one\n3. Drop it\n\nExpected: it stays. Actual: it "
    "jumps back?! Version 1.2.3 is affected... 2.0 is not.",
    "最初の文。次の文はもっと長いです！最後？ Yes.",
    "\n \t\n",
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


def other_white_space(seed, text):
    r = random.Random(seed)
    out = []
    inner = text.strip()
    if not inner:
        return text
    for piece in re.split(r"(\s+)", inner):
        if not piece.isspace():
            out.append(piece)
            continue
        draw = r.randrange(4)
        if "\n" in piece:
            if draw == 0:
                piece = "  " + piece
            elif draw == 1:
                piece = piece.replace("\n", "\n\n", 1)
        elif draw == 0:
            piece = "\t"
        elif draw == 1:
            piece = piece * 2
        out.append(piece)
    start = text.index(inner)
    return text[:start] + "".join(out) + "  " + text[start + len(inner) :]


# By name and not by code point, so that a slip in one of the two tables shows.
TWINS = {
    "CYRILLIC SMALL LETTER": dict(
        a="A", c="ES", d="KOMI DE", e="IE", h="SHHA", i="BYELORUSSIAN-UKRAINIAN I", j="JE", o="O", p="ER", q="QA", s="DZE",
        w="WE", x="HA", y="U",
    ),
    "CYRILLIC CAPITAL LETTER": dict(
        A="A", B="VE", C="ES", E="IE", G="KOMI SJE", H="EN", I="BYELORUSSIAN-UKRAINIAN I", J="JE", K="KA", M="EM", O="O",
        P="ER", S="DZE", T="TE", W="WE", X="HA", Y="STRAIGHT U",
    ),
    "GREEK SMALL LETTER": dict(v="NU"),
    "GREEK CAPITAL LETTER": dict(N="NU", Z="ZETA"),
}
TWINS = {latin: unicodedata.lookup(f"{kind} {name}") for kind, row in TWINS.items() for latin, name in row.items()}


def twins(seed, text):
    at = [i for i, c in enumerate(text) if c in TWINS]
    if not at:
        return text
    out = list(text)
    for i in random.Random(seed).sample(at, max(1, len(at) // 10)):
        out[i] = TWINS[out[i]]
    return "".join(out)


SENTENCE_END = re.compile(r"""[\n\r。！？]|[.!?…][)\]}"'”’»]*(?=\s+(\S|$))""")


def shorter(text):
    ends = []
    for end in SENTENCE_END.finditer(text):
        following = end.group(1)
        if not (following and following.islower()):
            ends.append(end.end())
    sentences = [text[:end].rstrip() for end in ends + [len(text)]]
    sentences = [sentence for sentence in sentences if sentence.strip()]
    if not sentences:
        return text
    kept = max([s for s in sentences if len(s) <= len(text) // 2], key=len, default=sentences[0])
    return text if kept == text.rstrip() else kept


def label_order(seed, key, labels, examples):
    r = random.Random(int.from_bytes(hashlib.sha256(f"{seed}:label_order:{key}".encode()).digest()[:8], "big"))
    order = list(labels)
    while order == labels:
        r.shuffle(order)
    shown = list(range(examples))
    r.shuffle(shown)
    return order, shown


OPTIONS = {
    "triage_jira": ["Critical", "Major", "Minor", "Trivial"],
    "estimation_tawos": ["1", "2", "3", "5", "8", "13", "21"],
    "prioritization_jira": ["A", "B"],
}
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


MORE = {
    "whitespace": other_white_space,
    "unicode_confusables": twins,
    "shorten_sentences": lambda seed, text: shorter(text),
}


def short(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def main():
    own = [[name, seed, text, change(seed, text)] for name, change in (ALL | MORE).items() for seed in (42, 7) for text in OWN]
    upstream = []
    if len(sys.argv) > 1:
        rows = list(csv.DictReader(open(sys.argv[1], encoding="utf-8")))
        for row in rows[::5] + [row for row in rows if row["issue_key"] in ("CRIT-002", "MAJR-014", "TRIV-050")]:
            for name, change in ALL.items():
                upstream.append([row["issue_key"], name, short(change(42, row["title"])), short(change(42, row["description"]))])
    orders = [
        [scenario, seed, f"KEY-{number}", *label_order(seed, f"KEY-{number}", labels, 8)]
        for scenario, labels in OPTIONS.items()
        for seed in (42, 7)
        for number in range(20)
    ]
    json.dump({"own": own, "label_order": orders, "upstream_seed42": upstream}, sys.stdout, indent=None, separators=(",", ":"))
    sys.stdout.write("\n")


main()
