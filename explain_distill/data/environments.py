"""Environments of atoms as readable features: each is a substructure that can be drawn.

References
----------
Rogers & Hahn (2010), Extended-connectivity fingerprints, Journal of Chemical Information and
Modeling 50, 742-754.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from explain_distill._types import FloatArray
from explain_distill.data.dataset import Dataset
from explain_distill.data.features import MOST_ENVIRONMENTS, Environment
from explain_distill.data.fragments import chem
from explain_distill.data.molecules import molecule_of, numbers_of
from explain_distill.exceptions import DataError

RADIUS = 2  # bonds around an atom
LEAST = 5  # molecules that have an environment


def environments_of(train: Dataset, n: int) -> tuple[Environment, ...]:
    """Choose the environments of atoms that part molecules best, for students to count.

    An environment is an atom with all within one or two bonds of it, as Morgan fingerprints have
    them. Chosen are those that nearest to a half of the molecules have, one of those that the same
    molecules have as often, and none that fewer than five have; no label is looked at.
    `Dataset.counting` lets students count them.

    Parameters
    ----------
    train : Dataset
        Of molecules.
    n : int
        How many at most, from 1 to 1024.

    Returns
    -------
    tuple of Environment

    Raises
    ------
    DataError
        Where the rows are no molecules, or `n` is out of range.
    """
    if train.schema.molecules is None:
        raise DataError(
            f"Environments of atoms must be of molecules; however, {train.name!r} has none. Leave "
            "--environments out."
        )
    if not 1 <= n <= MOST_ENVIRONMENTS:
        raise DataError(
            f"The number of environments must lie between 1 and {MOST_ENVIRONMENTS}; however, got "
            f"{n}. Give 64."
        )
    numbers = [float(number) for number in numbers_of(train.X)]
    counts: dict[int, dict[int, int]] = defaultdict(dict)
    for place, number in enumerate(numbers):
        for key, count in _counts(number).items():
            counts[key][place] = count
    share = {key: len(had) / len(numbers) for key, had in counts.items() if len(had) >= LEAST}
    seen: set[tuple[tuple[int, int], ...]] = set()
    found: list[Environment] = []
    for key in sorted(share, key=lambda key: (-share[key] * (1 - share[key]), key)):
        told = tuple(sorted(counts[key].items()))
        if len(found) == n:
            break
        if told not in seen and _is_more_than_an_atom(numbers[told[0][0]], key):
            seen.add(told)
            found.append(_described(key, round(share[key], 4), [numbers[p] for p, _ in told]))
    return tuple(found)


def _described(key: int, share: float, numbers: Sequence[float]) -> Environment:
    """Write an environment as it stands in the first molecule that has it."""
    written = [_written(number, atoms) for number in numbers for atoms in atoms_of(number, key)]
    # An atom is aromatic by what is around it, of which a small environment sees a part.
    structures = len({each.lower() for each in written})
    return Environment(key, written[0], share, structures)


def environment_names(environments: Iterable[Environment]) -> tuple[str, ...]:
    """Name environments by their structures, those that are written alike by a number."""
    told: dict[str, int] = defaultdict(int)
    names = []
    for each in environments:
        told[each.smiles] += 1
        again = f" ({told[each.smiles]})" if told[each.smiles] > 1 else ""
        names.append(f"environments {each.smiles}{again}")
    return tuple(names)


def environment_counts(numbers: Sequence[float], environments: Sequence[Environment]) -> FloatArray:
    """Count environments in numbered molecules: ``(n, n_environments)``."""
    told = np.zeros((len(numbers), len(environments)))
    for row, number in enumerate(numbers):
        counts = _counts(number)
        told[row] = [counts.get(each.key, 0) for each in environments]
    return told


def atoms_of(number: float, key: int) -> Iterator[tuple[int, ...]]:
    """Give the atoms of each place of an environment in a numbered molecule."""
    molecule = molecule_of(number)
    for centre, radius in _places(molecule).get(key, ()):
        if not radius:
            yield (centre,)
            continue
        bonds = chem().FindAtomEnvironmentOfRadiusN(molecule, radius, centre)
        ends = (molecule.GetBondWithIdx(bond) for bond in bonds)
        yield tuple(sorted({a for b in ends for a in (b.GetBeginAtomIdx(), b.GetEndAtomIdx())}))


def _is_more_than_an_atom(number: float, key: int) -> bool:
    """Whether there are bonds; in a small molecule, two bonds from an atom may be none at all."""
    return len(next(atoms_of(number, key))) > 1


def _written(number: float, atoms: Sequence[int]) -> str:
    told = chem().MolFragmentToSmiles(
        molecule_of(number), atoms, isomericSmiles=False, allHsExplicit=True
    )
    return str(told)


@cache
def _generator() -> Any:
    chem()
    from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

    # With redundant ones, whether an environment is told does not depend on the others.
    return GetMorganGenerator(radius=RADIUS, includeRedundantEnvironments=True)


def _counts(number: float) -> dict[int, int]:
    told = _generator().GetSparseCountFingerprint(molecule_of(number)).GetNonzeroElements()
    return dict(told)


def _places(molecule: Any) -> dict[int, tuple[tuple[int, int], ...]]:
    """Give atom and radius of each environment, by its identifier."""
    from rdkit.Chem.rdFingerprintGenerator import AdditionalOutput

    output = AdditionalOutput()
    output.AllocateBitInfoMap()
    _generator().GetSparseCountFingerprint(molecule, additionalOutput=output)
    return dict(output.GetBitInfoMap())
