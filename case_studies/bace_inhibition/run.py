"""What makes a molecule inhibit BACE-1: what a teacher and its readable student say.

    python case_studies/bace_inhibition/run.py            # measure
    python case_studies/bace_inhibition/run.py --show     # print what was measured

tells the mean share of each kind of fragment in the score, on the balanced scaffold split of seed
0, beside the tables over seeds, splits and transfer sets that ``benchmarks/molecules.py`` makes.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from molecule_cases import tell_of_fragments  # noqa: E402 - it stands beside this folder

if __name__ == "__main__":
    tell_of_fragments(HERE, "bace", __doc__.splitlines()[0], descriptors=False)
