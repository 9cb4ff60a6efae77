"""Says of each processor in assets/hardware/cpu_power.csv whether CodeCarbon's own table lists the same power.

    pip install codecarbon==3.3.2
    python scripts/golden/cpu_power.py        # rewrites the column `source`
"""

import csv
import importlib.resources
import pathlib
import re

OURS = pathlib.Path(__file__).parents[2] / "assets/hardware/cpu_power.csv"


def normal(name):
    name = re.sub(r"\((r|tm)\)", " ", name.lower())
    name = re.sub(r"@.*|\b(cpu|processor|\d+-core|with .*)\b.*", " ", name)
    return " ".join(name.replace("-", " ").split())


def number(text):
    try:
        return float(text)
    except ValueError:
        return None  # a few rows hold two numbers run together


with (importlib.resources.files("codecarbon") / "data/hardware/cpu_power.csv").open() as file:
    theirs = {normal(row["Name"]): number(row["TDP"]) for row in csv.DictReader(file)}

with OURS.open() as file:
    rows = list(csv.DictReader(file))
for row in rows:
    listed = theirs.get(normal(row["model"]))
    if listed is None:
        row["source"] = "unchecked"
    elif listed == float(row["tdp_w"]):
        row["source"] = "as CodeCarbon 3.3.2"
    else:
        row["source"] = f"base power; CodeCarbon 3.3.2 has {listed:g} W"
with OURS.open("w", newline="") as file:
    writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
