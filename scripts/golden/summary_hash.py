#!/usr/bin/env python3
"""Computes the predictions summary hash of a few awkward records with Python's csv module.

Usage: python3 scripts/golden/summary_hash.py > crates/eval/tests/golden/summary_hash.json
The recipe is upstream PUMA's integrity hash: CSV rows without header, sorted by instance, minimal quoting, floats with
six decimals, missing values empty, trailing line feeds stripped, SHA-256.
"""

import csv
import hashlib
import io
import json
import sys

RECORDS = [
    ["CRIT-001", "Critical", None, "f43378a9c0073473"],
    ["CRIT-010", None, None, "0000000000000000"],
    ["CRIT-002", "Minor", 0.1234565, "00000000000000ff"],
    ["A,B|C\"D", "A", 1.0, "1111111111111111"],
    ["line\nbreak", "2.5", 0.0000005, "2222222222222222"],
    ["\u00e9t\u00e9", "13", 0.5, "3333333333333333"],
    # No carriage return: Python quotes one only from 3.13 on; the recipe quotes it always.
    ["spaces  stay ", "1", 1e-12, "4444444444444444"],
]


def cell(value):
    if value is None:
        return ""
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def main():
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for record in sorted(RECORDS, key=lambda record: record[0]):
        writer.writerow([cell(value) for value in record])
    digest = hashlib.sha256(out.getvalue().rstrip("\n").encode()).hexdigest()
    json.dump({"records": RECORDS, "sha256": digest}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
