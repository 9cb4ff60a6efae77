#!/usr/bin/env python3
"""Renders every prompt template with Python's Jinja2 over tricky instances.

Usage: python3 scripts/golden/prompts.py > crates/eval/tests/golden/prompts.json
Needs the package Jinja2 (any 3.x). The environment is upstream PUMA's: no autoescape, trim_blocks, lstrip_blocks.
The Rust test `prompt` renders the same inputs and compares bytes.
"""

import hashlib
import json
import pathlib
import sys

import jinja2

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXTS = [
    ("Login fails", "Users cannot log in since the update."),
    ("", ""),
    ("Ünïcödé 标题 😀 \u200f\u05d0", "Zeile eins\nZeile zwei\n\n\tTab und  Leerzeichen  "),
    ("\"Quotes\" and 'apostrophes'", "\"\"\"triple\"\"\" \\backslash\\ `ticks`"),
    ("{{ instance.title }} {% raw %} {# no comment #}", "{% for x in y %}{{ 7 * 7 }}{% endfor %}"),
    ("<b>HTML</b> & &amp; entities", "<script>alert(\"x\")</script>\r\nWindows line\rold Mac line"),
    ("\n leading newline", "trailing newlines\n\n\n"),
    ("long", "0123456789" * 12 + "é" * 300),
]
LABELS = {
    "triage_jira": ["Critical", "Major", "Minor", "Trivial"],
    "estimation_tawos": [],
    "prioritization_jira": ["A", "B"],
}
SCALE = ["1", "2", "3", "5", "8", "13", "21"]
# The options in another order, and under other names.
TURNED = {
    "triage_jira": ["Minor", "Critical", "Trivial", "Major"],
    "estimation_tawos": ["8", "1", "21", "13", "2", "5", "3"],
    "prioritization_jira": ["B", "A"],
}
RENAMED = {
    "triage_jira": dict(zip(LABELS["triage_jira"], ["P1", "P2", "P3", "P4"])),
    "prioritization_jira": {"A": "X", "B": "Y"},
}
ANSWER_FIELDS = {"triage_jira": "priority", "estimation_tawos": "story_points", "prioritization_jira": "higher_priority"}
# Templates that nobody ships, for what whitespace control, undefined values and printed lists do.
EXTRA = {
    "extra/blocks": "a\n  {% if instance.title %}\n  {{ instance.title }}\n  {% endif %}\nb\n\n",
    "extra/inline": "x {% if true %}y{% endif %} z\n{% if false %}no{% else %}  yes{% endif %}\n",
    "extra/minus": "a  {%- if true -%}  b  {%- endif %}  c\n   {#- comment -#}   d",
    "extra/plus": "a\n    {%+ if true %}\n    b\n    {%+ endif +%}\nc",
    "extra/undefined": "[{{ missing }}][{{ instance.missing }}]{% if instance.missing %}no{% endif %}{% for e in missing %}no{% endfor %}",
    "extra/printed": "{{ labels }}|{{ none }}|{{ true }}|{{ 1.0 }}|{{ 10 / 4 }}|{{ 3 }}|{{ instance.title | length }}",
    "extra/windows": "a\r\n{% if true %}\r\nb\r\n{% endif %}\r\nc\r\n",
    "extra/loop": "{% for e in examples %}{{ loop.index }}/{{ loop.length }}{{ ', ' if not loop.last }}{% endfor %}\n",
    "extra/slices": "{{ instance.title[:5] }}|{{ instance.title[2:] }}|{{ instance.description[:80] }}...",
    "extra/filters": "{{ instance.title | upper }}|{{ instance.title | trim }}|{{ instance.description | replace('e', 'E') }}|{{ labels | join(' / ') }}",
    "extra/set": "{% set n = labels | length %}\n{{ n }} {{ n + 1 }} {{ scenario ~ '!' }}\n",
}


def fields(scenario, a, b):
    if scenario == "prioritization_jira":
        return {"title_a": a[0], "description_a": a[1], "title_b": b[0], "description_b": b[1]}
    return {"title": a[0], "description": a[1]}


def example(scenario, number):
    a, b = TEXTS[number % len(TEXTS)], TEXTS[(number + 3) % len(TEXTS)]
    answer = {"triage_jira": "Minor", "estimation_tawos": "2.5", "prioritization_jira": "B"}[scenario]
    return fields(scenario, a, b) | {ANSWER_FIELDS[scenario]: answer, "reasoning": f"Reason {number}: \"{a[0]}\"."}


def options(scenario, order, names):
    """(labels, answers, shown) as templates see them."""
    shown = {answer: names.get(answer, answer) for answer in order}
    return [shown[answer] for answer in order if LABELS[scenario]], order, shown


def main():
    shipped = {
        f"{path.parent.name}/{path.stem}": path.read_bytes().decode()
        for path in sorted((ROOT / "assets/prompts").glob("*/*.jinja"))
    }
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(shipped | EXTRA), autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    cases = []

    def case(name, scenario, instance, count, order, names):
        labels, answers, shown = options(scenario, order, names)
        prompt = environment.get_template(name).render(
            instance=instance,
            examples=[example(scenario, number) for number in range(count)],
            labels=labels,
            answers=answers,
            shown=shown,
            scenario=scenario,
        )
        answers = [[answer, shown[answer]] for answer in answers]
        cases.append(
            {"template": name, "instance": instance, "examples": count, "labels": labels, "answers": answers, "prompt": prompt}
        )

    for name in shipped:
        scenario = name.split("/")[0]
        usual = LABELS[scenario] or SCALE
        # Eight examples show every text once, the long one too.
        counts = [0, 1, 8] if "few_shot" in name else [0]
        for number, text in enumerate(TEXTS):
            # All texts without examples; examples once each, or the file would be large.
            for count in counts if number == 0 else counts[:1]:
                instance = fields(scenario, text, TEXTS[(number + 1) % len(TEXTS)])
                case(name, scenario, instance, count, usual, {})
        instance = fields(scenario, TEXTS[0], TEXTS[1])
        case(name, scenario, instance, counts[-1], TURNED[scenario], {})
        if scenario in RENAMED:
            case(name, scenario, instance, counts[-1], usual, RENAMED[scenario])
    for name in EXTRA:
        for text in TEXTS:
            examples = [example("triage_jira", shown) for shown in range(3)]
            prompt = environment.get_template(name).render(
                instance=fields("triage_jira", text, text), examples=examples, labels=["Critical", "it's"], scenario="extra"
            )
            cases.append(
                {
                    "template": name,
                    "instance": fields("triage_jira", text, text),
                    "examples": len(examples),
                    "labels": ["Critical", "it's"],
                    "answers": [],
                    "prompt": prompt,
                }
            )
    for each in cases:
        each["hash"] = hashlib.sha256(each["prompt"].encode()).hexdigest()[:16]
    json.dump(
        {
            "jinja2": jinja2.__version__,
            "extra": EXTRA,
            # Cases say how many of these they show.
            "examples": {scenario: [example(scenario, shown) for shown in range(8)] for scenario in LABELS},
            "cases": cases,
        },
        sys.stdout,
        ensure_ascii=True,
        indent=0,
    )
    print()


if __name__ == "__main__":
    main()
