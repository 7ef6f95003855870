"""What lets a molecule cross the blood-brain barrier: what teacher and readable student say.

    python case_studies/blood_brain_barrier/run.py            # measure
    python case_studies/blood_brain_barrier/run.py --show     # print what was measured

tells the mean share of each kind of fragment in the score, on the balanced scaffold split of seed
0, beside the tables over seeds, splits and transfer sets that ``benchmarks/molecules.py`` makes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from molecule_cases import (  # noqa: E402 - it stands beside this folder
    effects_of,
    effects_table,
    keep,
    study_of,
    table_of,
)

TABLE, SPLITS = "bbbp", ("balanced-scaffold", "ordered-scaffold")


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    if not parser.parse_args().show:
        keep(HERE, TABLE, {"effects": effects_of(study_of(HERE, TABLE, SPLITS[0]))})
    told = json.loads((HERE / "results" / f"{TABLE}.json").read_text())
    tables = [table_of(TABLE, split) for split in SPLITS]
    print("\n\n".join([*filter(None, tables), effects_table(told["effects"])]))


if __name__ == "__main__":
    main()
