"""Writes crates/eval/tests/golden/spec.json: spec hashes by PyYAML and Python's json, as upstream PUMA makes them.

Usage: python3 scripts/golden/spec.py > crates/eval/tests/golden/spec.json
Needs PyYAML (6.0.3 wrote the committed file). The defaults below are upstream's; the texts are ours.
"""

import copy
import hashlib
import json
import sys

import yaml

DEFAULTS = {
    "sample_size": 100,
    "adaptation": {"strategy": ["zero-shot"], "cot": [False]},
    "inference": {"temperature": 0.0, "seed": 42, "max_tokens": 256, "logprobs": False, "top_logprobs": 0, "format": None},
    "perturbations": [],
    "metrics": ["f1_macro"],
    "sustainability": {"codecarbon": False, "country_iso": "ESP"},
    "repeat": 1,
    "profile_required": None,
}

HEAD = "id: t\nscenario: triage_jira\nmodels: [m]\n"

TEXTS = [
    HEAD,
    HEAD + "sample_size: 0x10\nrepeat: 1_0\n",
    HEAD + "sample_size: 012\n",
    HEAD + "sample_size: 1:40\n",
    HEAD + "sample_size: +7\n",
    HEAD + "inference: {temperature: 1}\n",
    HEAD + "inference: {temperature: 1e-1}\n",
    HEAD + "inference: {temperature: 0.30000000000000004, seed: 4294967295}\n",
    HEAD + "inference: {temperature: .5, top_logprobs: 20, logprobs: Yes}\n",
    HEAD + "inference: {temperature: 1.5e-05}\n",
    HEAD + "inference: {temperature: 2.}\n",
    HEAD + "inference:\n  format: json\n",
    HEAD + "inference:\n  format: {type: object, required: [b, a], properties: {a: {enum: [1, 2.5, true, null, 'x']}}}\n",
    HEAD + "adaptation: {cot: [on, off, TRUE], strategy: [egi, rcoif]}\n",
    "id: \"Gr\\xF6\\xDFe \\u2028 \\U0001F600 \\\"\"\nscenario: estimation_tawos\nmodels: ['it''s', \"a:b\\t\\e\", c:d]\n",
    "id: >-\n  folded\n  text\nscenario: prioritization_jira\nmodels:\n- >\n  a\n  b\n\n  c\n- |\n  x\n- y # comment\n- 'z # none'\n",
    "defaults: &d {seed: 7, max_tokens: 9}\nid: t\nscenario: triage_jira\nmodels: &m [a, b]\n",
    "id: t\nscenario: triage_jira\nmodels: [m]\ninference: &i {seed: 1}\nsustainability: {country_iso: 'NO', codecarbon: on}\n",
    "{id: 'null', scenario: triage_jira, models: [\"1\", '~', qwen2.5:3b-instruct-q4_K_M], metrics: [ece, mae]}",
    "%YAML 1.1\n---\nid: 2026-11-20x\nscenario: triage_jira\nmodels: [m]\nperturbations: [case_upper, tech_noise]\nprofile_required: gpu-mid\n...\n",
    "id: plain words, with a comma\nscenario: triage_jira\nmodels:\n    -   deep\n    -   indent\nadaptation:\n    strategy:\n    - few-shot-8\n",
]


def full(payload):
    out = copy.deepcopy(DEFAULTS)
    for key, value in payload.items():
        if isinstance(out.get(key), dict):
            out[key].update(value)
        else:
            out[key] = value
    out["inference"]["temperature"] = float(out["inference"]["temperature"])
    for unknown in set(out) - set(DEFAULTS) - {"id", "scenario", "models"}:
        del out[unknown]
    return out


def main():
    cases = []
    for text in TEXTS:
        canonical = json.dumps(full(yaml.safe_load(text)), sort_keys=True, default=str)
        cases.append([text, hashlib.sha256(canonical.encode()).hexdigest()[:16], canonical])
    json.dump(cases, sys.stdout, indent=1)
    sys.stdout.write("\n")


main()
