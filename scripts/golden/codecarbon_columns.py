"""Writes the columns of CodeCarbon's emissions.csv, in order, as its own class declares them.

    pip install codecarbon==3.3.2
    python scripts/golden/codecarbon_columns.py > crates/cli/tests/it/golden/codecarbon_columns.txt
"""

import dataclasses

from codecarbon.output_methods.emissions_data import EmissionsData

print("\n".join(field.name for field in dataclasses.fields(EmissionsData)))
