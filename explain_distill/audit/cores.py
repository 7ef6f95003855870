"""Molecules of one core: which of many differ by one substituent, and by which.

Bonds are cut as RDKit's matched-pair analysis does. A substituent can be hydrogen, where the core
with it is one of the molecules.

References
----------
Hussain & Rea (2010), Computationally efficient algorithm to identify matched molecular pairs (MMPs)
in large data sets, Journal of Chemical Information and Modeling 50, 339-348.
Dalke, Hert & Kramer (2018), mmpdb: an open-source matched molecular pair platform for large
multiproperty data sets, Journal of Chemical Information and Modeling 58, 902-910 (hydrogen).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from explain_distill._types import IntArray
from explain_distill.audit.substituents import ATTACHED, HYDROGEN
from explain_distill.data.fragments import chem
from explain_distill.data.molecules import molecule_of, number_of

MOST_CHANGED = 10  # heavy atoms of a substituent
MOST_CUT = 200  # bonds of a molecule
ATOM = re.compile(r"\[[^\]]*\]|Br|Cl|[A-Za-z]")  # of a SMILES
NOT_HEAVY = frozenset({ATTACHED, "[H]"})


def pairs_of_one_core(smiles: Sequence[str]) -> tuple[IntArray, list[tuple[str, str]]]:
    """Find the pairs of molecules that differ by one substituent.

    It has ten heavy atoms at the most, and fewer than the core. Of a pair that can be cut in
    several ways, the largest core counts.

    Parameters
    ----------
    smiles : sequence of n str
        Canonical, each once.

    Returns
    -------
    places : ndarray of shape (n_pairs, 2)
        The molecule of the smaller substituent first.
    changes : list of tuple of two str
        The substituents of each pair, open at ``[*:1]``.
    """
    place = {told: at for at, told in enumerate(smiles)}
    known = {_elements(told) for told in smiles}
    of_core: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for at, told in enumerate(smiles):
        for core, part in _cuts(told):
            of_core[core][at] = part
            bare = _with_hydrogen(core) if _elements(core) in known else None
            if bare in place:
                of_core[core][place[bare]] = HYDROGEN
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for core in sorted(of_core, key=lambda core: (-_heavy(core), core)):
        for (one, part), (other, its) in combinations(sorted(of_core[core].items()), 2):
            if part != its and (one, other) not in found and (other, one) not in found:
                swap = (_heavy(part), part) > (_heavy(its), its)
                key, change = ((other, one), (its, part)) if swap else ((one, other), (part, its))
                found[key] = change
    places = np.array(list(found), dtype=np.int64).reshape(-1, 2)
    return places, list(found.values())


def _cuts(smiles: str) -> Iterator[tuple[str, str]]:
    """Cut each bond that can be cut: core and substituent, each open at ``[*:1]``."""
    from rdkit.Chem import rdMMPA

    molecule = molecule_of(number_of(smiles))
    cut = rdMMPA.FragmentMol(molecule, maxCuts=1, maxCutBonds=MOST_CUT, resultsAsMols=False)
    for _, parted in cut:
        one, other = parted.split(".")
        for core, part in ((one, other), (other, one)):
            if _heavy(part) <= MOST_CHANGED and _heavy(part) < _heavy(core):
                yield core, part


def _heavy(part: str) -> int:
    """Count the heavy atoms of a part that is open at ``[*:1]``."""
    return sum(atom not in NOT_HEAVY for atom in ATOM.findall(part))


def _elements(smiles: str) -> str:
    """Give the letters of a SMILES but for hydrogen: a molecule's are those of its core."""
    return "".join(
        sorted(letter for letter in smiles.upper() if letter.isalpha() and letter != "H")
    )


def _with_hydrogen(core: str) -> str:
    """Close a core by hydrogen."""
    return str(chem().MolToSmiles(chem().MolFromSmiles(core.replace(ATTACHED, "[H]"))))
