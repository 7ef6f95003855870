"""What is near a molecule: training molecules, and the molecule with fragments off or exchanged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from explain_distill._types import BoolArray, FloatArray, Rows
from explain_distill.audit.fingerprints import Bits, fingerprints, similarities
from explain_distill.data.chemical_features import descriptors
from explain_distill.data.dataset import Dataset
from explain_distill.data.fragments import Fragment, chem, fragments_of, spliced
from explain_distill.data.molecules import molecule_of, number_of, numbers_of, smiles_of
from explain_distill.exceptions import DataError

MOST_PARTS = 60
MOST_PARTED = 500  # training molecules that give fragments
KEPT_TO = ("molecular weight", "logP (Crippen)", "polar surface area")
TRAINING = "a training molecule"
UNCOUNTED = ("ine", "alkyl", "nitro", "hydroxyl", "other")
"""How kinds end that are said without an article: bromine, nitro; an amine is an exception."""


@dataclass(frozen=True)
class Near:
    """A molecule that is near another.

    Parameters
    ----------
    smiles : str
        Canonical.
    similarity : float
        Tanimoto, from 0 to 1.
    made : str
        What it is, or how it differs, in words.
    measured : float or None
        The value or the class's code, where it is a training molecule.
    """

    smiles: str
    similarity: float
    made: str
    measured: float | None = None


@dataclass(frozen=True, eq=False)
class Candidates:
    """What can be near a molecule: training molecules, and fragments of theirs.

    Parameters
    ----------
    data : Dataset
        Training molecules.
    bits : ndarray of shape (n_train, n_bits)
        Their fingerprints.
    low, high : ndarray of shape (3,)
        The range of their weight in g/mol, logP and polar surface in Å².
    parts : tuple of tuple
        Fragments that most molecules have, one of each structure: the number of a molecule that has
        it, the fragment, and how many bonds hold it.
    """

    data: Dataset
    bits: Bits = field(repr=False)
    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    parts: tuple[tuple[float, Fragment, int], ...] = field(repr=False)

    @classmethod
    def of(cls, train: Dataset | None) -> Candidates:
        """Prepare the training molecules of a study, once for all that is asked.

        Raises
        ------
        DataError
            Where the rows are no molecules.
        """
        if train is None:
            raise DataError(
                "Candidates must be training molecules; however, got None, as a study that was "
                "not made by xd.run keeps none. Give the molecules that were trained on."
            )
        if train.schema.molecules is None:
            raise DataError(
                f"Candidates must be molecules; however, the columns of {train.name!r} are "
                f"{', '.join(train.schema.names[:5])}. Read a table with a column of SMILES."
            )
        numbers = [float(number) for number in numbers_of(train.X)]
        bits = fingerprints([molecule_of(number) for number in numbers])
        told = kept_to(numbers)
        low, high = told.min(axis=0), told.max(axis=0)
        return cls(
            train, bits, low, high, tuple(_parts(numbers[:: -(-len(numbers) // MOST_PARTED)]))
        )

    def within(self, rows: Rows) -> BoolArray:
        """Say which molecules are in the range of the training molecules: ``(n,)``."""
        told = kept_to([float(number) for number in numbers_of(rows)])
        return np.asarray(((told >= self.low) & (told <= self.high)).all(axis=1))

    def near(self, smiles: str) -> list[Near]:
        """Give all that is near a molecule, the most similar first.

        Training molecules, then the molecule with each set of one or two fragments off, and with a
        fragment of a training molecule in place of each that as many bonds hold. What is made has
        no stereochemistry; the molecule itself is not among them.

        Raises
        ------
        DataError
            Where it is no molecule.
        """
        molecule = chem().MolFromSmiles(smiles)
        if molecule is None or not molecule.GetNumAtoms():
            raise DataError(
                f"smiles must be a molecule; however, got {smiles[:60]!r}. Standardise it first."
            )
        bits = fingerprints([molecule])
        known = [smiles_of(float(number)) for number in numbers_of(self.data.X)]
        alike = similarities(bits, self.bits)[0].tolist()
        found = [
            Near(told, similarity, TRAINING, float(truth))
            for told, similarity, truth in zip(known, alike, self.data.y, strict=True)
        ]
        not_new = {chem().MolToSmiles(molecule, isomericSmiles=False), *known}
        made: dict[str, str] = {}
        for told, how in (*_taken_off(molecule), *_exchanged(molecule, self.parts)):
            made.setdefault(told, how)
        made = {told: how for told, how in made.items() if told not in not_new}
        bits_made = fingerprints([molecule_of(number_of(told)) for told in made])
        alike = similarities(bits, bits_made)[0].tolist()
        for (told, how), similarity in zip(made.items(), alike, strict=True):
            found.append(Near(told, similarity, how))
        # Of molecules that are equally near, those that were measured come first.
        found.sort(key=lambda each: (-each.similarity, each.measured is None))
        return [each for each in found if each.smiles != smiles]


Made = tuple[Any, list[int]]  # a molecule, and where its atoms come from


def _taken_off(molecule: Any) -> Iterator[tuple[str, str]]:
    """Take each fragment off a molecule, and each two."""
    fragments, n_atoms = fragments_of(molecule), molecule.GetNumAtoms()
    for n in (1, 2):
        for chosen in combinations(fragments, n):
            off = {atom for fragment in chosen for atom in fragment.atoms}
            kept = [atom for atom in range(n_atoms) if atom not in off]
            made = spliced(molecule, kept, molecule, ())
            told = None if made is None else _told(made)
            if told is not None:
                yield told, f"without {_spoken(fragment.kind for fragment in chosen)}"


def _exchanged(
    molecule: Any, parts: tuple[tuple[float, Fragment, int], ...]
) -> Iterator[tuple[str, str]]:
    """Put another fragment in place of each, of as many bonds."""
    n_atoms, ends = molecule.GetNumAtoms(), _ends(molecule)
    for fragment in fragments_of(molecule):
        bonds = _bonds(ends, fragment)
        kept = [atom for atom in range(n_atoms) if atom not in set(fragment.atoms)]
        for number, part, theirs in parts:
            if bonds != theirs:
                continue
            made = spliced(molecule, kept, molecule_of(number), part.atoms, between=True)
            told = None if made is None else _told(made)
            if made is not None and told is not None:
                put, out = _spoken(_put_in(made)), _spoken([fragment.kind])
                yield told, f"{put} in place of {'another' if put == out else out}"


def _told(made: Made) -> str | None:
    """Give the canonical SMILES of a molecule that was made; None of what lies in parts."""
    again = chem().MolFromSmiles(chem().MolToSmiles(made[0]))
    told = "." if again is None else str(chem().MolToSmiles(again))
    return None if "." in told else told


def _put_in(made: Made) -> list[str]:
    """Name what a fragment of another molecule has become: hydroxyl next to C=O is an acid."""
    molecule, origin = made
    new = {atom for atom, place in enumerate(origin) if place < 0}
    return [each.kind for each in fragments_of(molecule) if new & set(each.atoms)]


def _parts(numbers: list[float]) -> Iterator[tuple[float, Fragment, int]]:
    first: dict[tuple[str, int], tuple[float, Fragment, int]] = {}
    counts: Counter[tuple[str, int]] = Counter()
    for number in dict.fromkeys(numbers):
        molecule = molecule_of(number)
        ends = _ends(molecule)
        for fragment in fragments_of(molecule):
            bonds, atoms = _bonds(ends, fragment), list(fragment.atoms)
            if bonds:
                told = chem().MolFragmentToSmiles(molecule, atoms, isomericSmiles=False)
                key = (str(told), bonds)
                first.setdefault(key, (number, fragment, bonds))
                counts[key] += 1
    for key, _ in counts.most_common(MOST_PARTS):
        yield first[key]


def _ends(molecule: Any) -> list[tuple[int, int]]:
    """Give the atoms of each bond."""
    return [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds()]


def _bonds(ends: list[tuple[int, int]], fragment: Fragment) -> int:
    """Count the bonds between a fragment and the rest of its molecule."""
    inside = set(fragment.atoms)
    return sum((begin in inside) != (end in inside) for begin, end in ends)


def kept_to(numbers: Sequence[float]) -> FloatArray:
    """Give weight, logP and polar surface of numbered molecules: ``(n, 3)``."""
    measures = [measure for name, _, measure in descriptors() if name in KEPT_TO]
    molecules = [molecule_of(number) for number in numbers]
    told = [[measure(each) for measure in measures] for each in molecules]
    return np.array(told, dtype=np.float64).reshape(-1, len(KEPT_TO))


def _spoken(kinds: Iterable[str]) -> str:
    """Say kinds of fragments: ``"an ester and chlorine"``."""
    return " and ".join(
        kind
        if kind.endswith(UNCOUNTED) and not kind.endswith("amine")
        else f"{'an' if kind[0] in 'aei' else 'a'} {kind}"
        for kind in dict.fromkeys(kinds)
    )
