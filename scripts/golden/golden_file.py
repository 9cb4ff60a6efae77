"""How the oracle scripts write their files."""

import json


def write(path, golden):
    """Writes lists of cases by section, one case a line: small, and a change shows which case changed."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n")
        for i, (name, cases) in enumerate(golden.items()):
            file.write(f"{json.dumps(name)}: [\n")
            file.write(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases))
            file.write("\n]" + ("," if i + 1 < len(golden) else "") + "\n")
        file.write("}\n")
