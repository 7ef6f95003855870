"""Environments of atoms as readable features: each is a substructure that can be drawn.

References
----------
Rogers & Hahn (2010), Extended-connectivity fingerprints, Journal of Chemical Information and
Modeling 50, 742-754.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from explain_distill._types import FloatArray
from explain_distill.data.dataset import Dataset
from explain_distill.data.features import Environment
from explain_distill.data.fragments import chem
from explain_distill.data.molecules import molecule_of, numbers_of
from explain_distill.exceptions import DataError

RADIUS = 2  # bonds around an atom
MOST = 1024


def with_environments(data: Dataset, n: int) -> Dataset:
    """Let students of molecules count the environments of atoms that part the molecules best.

    An environment is an atom with all within one or two bonds of it, as Morgan fingerprints have
    them.
    Identifiers have 32 bits and are not folded, so that hardly ever two share one; a note counts
    those that do among these molecules. Chosen are the environments that nearest to a half of the
    molecules have, one of those that the same molecules have as often; no label is looked at.

    Parameters
    ----------
    data : Dataset
        Of molecules.
    n : int
        How many at most, from 1 to 1024; 0 takes them off.

    Returns
    -------
    Dataset
        Whose readable features have the counts of environments behind the others.

    Raises
    ------
    DataError
        Where the rows are no molecules, or `n` is out of range.
    """
    if data.schema.molecules is None:
        raise DataError(
            f"Environments of atoms must be of molecules; however, {data.name!r} has none. Leave "
            "--environments out."
        )
    if not 0 <= n <= MOST:
        raise DataError(
            f"The number of environments must lie between 0 and {MOST}; however, got {n}. Give 64."
        )
    numbers = [float(number) for number in numbers_of(data.X)]
    chosen, doubled = _chosen(numbers, n)
    note = (
        f"Students also count {len(chosen)} environments of atoms, of radius up to {RADIUS}; "
        f"{doubled or 'none'} of them stand{'s' if doubled == 1 else ''} for more than one "
        "structure among these molecules."
    )
    notes = (*data.notes, note) if n else data.notes
    return replace(data, schema=replace(data.schema, environments=chosen), notes=notes)


def _chosen(numbers: Sequence[float], n: int) -> tuple[tuple[Environment, ...], int]:
    """Choose environments, and count those that stand for several structures."""
    counts: dict[int, dict[int, int]] = defaultdict(dict)
    for place, number in enumerate(numbers):
        for key, count in _counts(number).items():
            counts[key][place] = count
    share = {key: len(had) / len(numbers) for key, had in counts.items()}
    order = sorted(counts, key=lambda key: (-share[key] * (1 - share[key]), key))
    seen: set[tuple[tuple[int, int], ...]] = set()
    keys: list[int] = []
    for key in order:
        told = tuple(sorted(counts[key].items()))
        if len(keys) == n:
            break
        if told not in seen and _is_more_than_an_atom(numbers[told[0][0]], key):
            seen.add(told)
            keys.append(key)
    found, doubled = [], 0
    for key in keys:
        written = list(
            dict.fromkeys(
                _written(numbers[place], atoms)
                for place in counts[key]
                for atoms in atoms_of(numbers[place], key)
            )
        )
        # An atom is aromatic by what is around it, of which a small environment sees a part.
        doubled += len({each.lower() for each in written}) > 1
        found.append(Environment(key, written[0], round(share[key], 4)))
    return tuple(found), doubled


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
    return _places(molecule_of(number))[key][0][1] > 0


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
