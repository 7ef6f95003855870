"""Molecules as rows of a table: numbered, standardised, and mixed by the kinds of their fragments.

A row has one column for each kind of fragment, and a cell says by a number which molecule its
fragments of that kind come from. A molecule's row holds its number in every cell; a coalition, as
the columns of two rows are mixed, holds two numbers, and is the molecule that is made of the kept
fragments of both. Mixed with a row of zeros, it is a molecule from which fragments were taken off.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from explain_distill._types import BoolArray, FloatArray, Rows
from explain_distill.data.features import Feature, Schema
from explain_distill.data.fragments import CARBON, KINDS, chem, fragments_of, spliced
from explain_distill.exceptions import DataError

NUMBER_BITS = 52  # a number is exact as a float64
NOTHING = "C"
"""Methane stands for what no fragment is left of; its number is 0, and it has no fragments."""

NON_METALS = frozenset({1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 34, 35, 53})
MOST_ATOMS = 300
PARSED = 5_000  # molecules that are kept parsed
SHOWN = 5  # rows without a molecule that a note names

_SMILES: dict[float, str] = {0.0: NOTHING}
_MIXED: dict[tuple[float, float, int, int], float] = {}


def number_of(smiles: str) -> float:
    """Give the number of a molecule by its canonical SMILES, the same in every process.

    Raises
    ------
    DataError
        Where another molecule has the number, which among a million happens with a probability of
        1e-4.
    """
    if smiles == NOTHING:
        return 0.0
    digest = hashlib.blake2b(smiles.encode(), digest_size=8).digest()
    number = float(int.from_bytes(digest, "big") >> (64 - NUMBER_BITS))
    known = _SMILES.setdefault(number, smiles)
    if known != smiles:
        raise DataError(
            f"Molecules must have numbers of their own; however, {known} and {smiles} share one. "
            "Leave one of them out."
        )
    return number


def smiles_of(number: float) -> str:
    """Give the canonical SMILES of a molecule that was numbered before.

    Raises
    ------
    DataError
        Where it was not, in this process.
    """
    if number not in _SMILES:
        raise DataError(
            "A molecule must be known by its SMILES; however, the rows hold a number that this "
            "process never gave. Read the table again, or take xd.Study.open."
        )
    return _SMILES[number]


@lru_cache(maxsize=PARSED)
def molecule_of(number: float) -> Any:
    """Give a numbered molecule as RDKit has it."""
    return chem().MolFromSmiles(smiles_of(number))


@lru_cache(maxsize=PARSED)
def kinds_of(number: float) -> tuple[int, ...]:
    """Give the kind of each atom of a numbered molecule, by its place in `KINDS`; none of 0."""
    if number == 0:
        return ()
    molecule = molecule_of(number)
    kinds = [0] * molecule.GetNumAtoms()
    for fragment in fragments_of(molecule):
        for atom in fragment.atoms:
            kinds[atom] = KINDS.index(fragment.kind)
    return tuple(kinds)


def molecule_schema(column: str = "smiles") -> Schema:
    """Give the columns of a table of molecules: one a kind of fragment."""
    return Schema(tuple(Feature(kind, "fragment", part_of=column) for kind in KINDS))


def rows_of(smiles: Iterable[str]) -> Rows:
    """Give the rows of molecules, told by canonical SMILES: ``(n, n_kinds)``."""
    numbers = np.array([number_of(each) for each in smiles], dtype=np.float64)
    return np.repeat(numbers[:, None], len(KINDS), axis=1)


def present_kinds(rows: Rows) -> BoolArray:
    """Say which kinds of fragments each row's molecule has: ``(n, n_kinds)``."""
    found = np.zeros((len(rows), len(KINDS)), dtype=bool)
    for row, number in enumerate(numbers_of(rows)):
        found[row, list(set(kinds_of(float(number))))] = True
    return found


def rows_of_column(cells: pd.Series) -> Rows:
    """Give the rows of a column of SMILES, each standardised: ``(n, n_kinds)``.

    Raises
    ------
    DataError
        Names the first row that holds no molecule.
    """
    told, refused = standardised(cells, Standardiser())
    for place, why in refused.items():
        raise DataError(
            f"Column {cells.name!r} must hold molecules as SMILES; however, row {place + 1} "
            f"holds {str(cells.iloc[place])[:60]!r}: {why}. Mend that row, or remove it."
        )
    return rows_of(told.values())


def standardised(
    cells: Iterable[Any], standard: Standardiser
) -> tuple[dict[int, str], dict[int, str]]:
    """Read each cell that holds a molecule as SMILES.

    Parameters
    ----------
    cells : iterable of n cells
    standard : Standardiser

    Returns
    -------
    told : dict of int to str
        The canonical SMILES of each cell that holds a molecule, by its place.
    refused : dict of int to str
        Why each other cell holds none, by its place.
    """
    told: dict[int, str] = {}
    refused: dict[int, str] = {}
    for place, cell in enumerate(cells):
        try:
            told[place] = standard("" if pd.isna(cell) else str(cell).strip())
        except ValueError as why:
            refused[place] = str(why)
    return told, refused


def refusal(number: int, cell: Any, why: str) -> str:
    """Name a row that holds no molecule, counted from 1, with the reason."""
    text = "" if pd.isna(cell) else " ".join(str(cell).split())
    return f"row {number} ({f'{text[:40]}: ' if text else ''}{why})"


def first_of(refusals: Sequence[str], count: int) -> str:
    """List the first of `count` refusals, and say how many more there are."""
    more = f", and {count - SHOWN} more" if count > SHOWN else ""
    return f"{'; '.join(refusals[:SHOWN])}{more}"


def rows_of_kept(cells: Iterable[Any], rdkit: str | None) -> Rows:
    """Give the rows of canonical SMILES that were standardised before: ``(n, n_kinds)``.

    Parameters
    ----------
    cells : iterable of n cells
    rdkit : str or None
        The version that wrote them. Another may have another canonical form, which is then not
        asked for.

    Raises
    ------
    ValueError
        Where one is no molecule, or not of the form that is kept: one part, and canonical.
    """
    chem()
    by_this_rdkit = rdkit == version("rdkit")
    told = list(cells)
    for cell in dict.fromkeys(told):
        if not _is_molecule(cell):
            raise ValueError(f"{str(cell)[:60]!r} is no molecule")
        if "." in cell or (by_this_rdkit and _canonical(cell) != cell):
            raise ValueError(f"{cell[:60]!r} is no canonical SMILES of one part")
    return rows_of(told)


def _canonical(smiles: str) -> str:
    return str(chem().MolToSmiles(chem().MolFromSmiles(smiles)))


def _is_molecule(cell: Any) -> bool:
    """Whether a kept cell is a SMILES of whole atoms, and nothing else."""
    if not isinstance(cell, str) or cell.split() != [cell]:
        return False
    molecule = chem().MolFromSmiles(cell)
    atoms = [] if molecule is None else list(molecule.GetAtoms())
    return 0 < len(atoms) <= MOST_ATOMS and all(atom.GetAtomicNum() for atom in atoms)


def numbers_of(rows: Rows) -> FloatArray:
    """Give the number of each row's molecule ``(n,)``, making those that mix two.

    Raises
    ------
    DataError
        Where a row mixes more than two molecules, or one that is not known.
    """
    first = rows.min(axis=1)
    second = rows.max(axis=1)
    numbers = first.copy()
    of_second = rows == second[:, None]
    mixed = np.flatnonzero(first != second)
    if (~of_second[mixed] & (rows[mixed] != first[mixed, None])).any():
        raise DataError(
            "A row of molecules may mix the fragments of two; however, there are rows of three or "
            "more. Take coalitions or training rows as the transfer set."
        )
    for place in mixed:
        numbers[place] = _mixed(first[place], second[place], of_second[place])
    return numbers


def _mixed(first: float, second: float, of_second: np.ndarray) -> float:
    """Give the number of the molecule that is made of fragments of two."""
    ours, theirs = kinds_of(float(first)), kinds_of(float(second))
    kept = tuple(atom for atom, kind in enumerate(ours) if not of_second[kind])
    also = tuple(atom for atom, kind in enumerate(theirs) if of_second[kind])
    if len(kept) == len(ours) and not also:
        return float(first)
    if len(also) == len(theirs) and not kept:
        return float(second)
    key = (float(first), float(second), _bits(ours, kept), _bits(theirs, also))
    if key not in _MIXED:
        made = spliced(molecule_of(key[0]), kept, molecule_of(key[1]), also)
        _MIXED[key] = 0.0 if made is None else number_of(chem().MolToSmiles(made[0]))
    return _MIXED[key]


def _bits(kinds: Sequence[int], atoms: Sequence[int]) -> int:
    bits = 0
    for atom in atoms:
        bits |= 1 << kinds[atom]
    return bits


@contextmanager
def forgetting() -> Iterator[None]:
    """Forget, at the end, the molecules that were first met inside; what was known stays known.

    For blocks of rows that nobody asks for again. Their rows mean nothing afterwards, nor may
    another thread meet molecules meanwhile.
    """
    kept: tuple[dict[Any, Any], ...] = (_SMILES, _MIXED)
    counts = [len(each) for each in kept]
    try:
        yield
    finally:
        for each, count in zip(kept, counts, strict=True):
            while len(each) > count:
                each.popitem()  # the last that came
        molecule_of.cache_clear()
        kinds_of.cache_clear()


class Standardiser:
    """Brings molecules into one form, and counts what it changed.

    Salts and solvents are taken off (the largest organic part stays), charges neutralised where a
    proton does it, groups written in one way; stereochemistry and isotopes stay.

    Attributes
    ----------
    changed : Counter of str
        How many molecules were changed, by what.
    """

    def __init__(self) -> None:
        chem()
        from rdkit import RDLogger
        from rdkit.Chem.MolStandardize import rdMolStandardize

        RDLogger.DisableLog("rdApp.*")
        self._largest = rdMolStandardize.LargestFragmentChooser(preferOrganic=True)
        self._neutral = rdMolStandardize.Uncharger()
        self._cleaned = rdMolStandardize.Cleanup
        self.changed: Counter[str] = Counter()

    def __call__(self, text: str) -> str:
        """Give the canonical SMILES of the standardised molecule.

        Raises
        ------
        ValueError
            Says why a molecule cannot be taken.
        """
        Chem = chem()
        if ">" in text.replace("->", ""):  # that is a bond of a metal
            raise ValueError("a reaction, not a molecule")
        # RDKit takes what stands behind a SMILES for a name: "C is for cat" would be methane.
        first, *others = text.split() or [""]
        molecule = Chem.MolFromSmiles(first)
        if molecule is None or not molecule.GetNumAtoms():
            raise ValueError(_why_not(first))
        if others:
            raise ValueError("text after the SMILES")
        if any(atom.GetAtomicNum() == 0 for atom in molecule.GetAtoms()):
            raise ValueError("an open end (*), not a whole molecule")
        if molecule.GetNumAtoms() > MOST_ATOMS:
            raise ValueError(f"{molecule.GetNumAtoms()} atoms, and {MOST_ATOMS} is the most")
        plain = all(_is_plain(atom) for atom in molecule.GetAtoms())
        cleaned = molecule if plain else self._cleaned(molecule)
        parted = len(Chem.GetMolFrags(cleaned)) > 1
        alone = self._largest.choose(cleaned) if parted else cleaned
        if not any(atom.GetAtomicNum() == CARBON for atom in alone.GetAtoms()):
            raise ValueError("no carbon")
        self.changed["salts, solvents or other parts taken off"] += parted
        if plain:
            return str(Chem.MolToSmiles(alone))
        same = Chem.MolToSmiles(cleaned) == Chem.MolToSmiles(molecule)
        alone, changed = _with_sulfoxides(alone)
        self.changed["groups written in one way"] += changed or not same
        written = Chem.MolToSmiles(alone)
        told = str(Chem.MolToSmiles(self._neutral.uncharge(alone)))
        self.changed["charges neutralised"] += told != written
        again = Chem.MolFromSmiles(told)
        if again is None:
            raise ValueError(f"{written}, its largest part, cannot stand without its charge")
        return str(Chem.MolToSmiles(again))


def _with_sulfoxides(molecule: Any) -> tuple[Any, bool]:
    """Write ``[S+][O-]`` as ``S=O``, as sulfoxides without charges are; and say whether any was."""
    Chem = chem()
    pattern = Chem.MolFromSmarts("[S+;X3:1]-[O-;X1:2]")
    matches = molecule.GetSubstructMatches(pattern)
    if not matches:
        return molecule, False
    made = Chem.RWMol(molecule)
    for sulfur, oxygen in matches:
        for atom in (sulfur, oxygen):
            made.GetAtomWithIdx(atom).SetFormalCharge(0)
        made.GetBondBetweenAtoms(sulfur, oxygen).SetBondType(Chem.BondType.DOUBLE)
    Chem.SanitizeMol(made)
    return made.GetMol(), True


def _is_plain(atom: Any) -> bool:
    """Whether an atom can be written in one way only: no charge, and no metal."""
    return atom.GetFormalCharge() == 0 and atom.GetAtomicNum() in NON_METALS


def _why_not(text: str) -> str:
    """Say why RDKit reads no molecule."""
    Chem = chem()
    if not text.strip():
        return "empty"
    loose = Chem.MolFromSmiles(text, sanitize=False)
    if loose is None:
        return "not a SMILES"
    problems = Chem.DetectChemistryProblems(loose)
    return problems[0].Message().rstrip(".") if problems else "no atoms"


def scaffold_of(smiles: str) -> str:
    """Give the Bemis–Murcko scaffold of a molecule as SMILES; empty without a ring.

    References
    ----------
    Bemis & Murcko (1996), The properties of known drugs. 1. Molecular frameworks, Journal of
    Medicinal Chemistry 39, 2887-2893.
    """
    from rdkit.Chem.Scaffolds import MurckoScaffold

    return str(
        MurckoScaffold.MurckoScaffoldSmiles(
            mol=chem().MolFromSmiles(smiles), includeChirality=False
        )
    )
