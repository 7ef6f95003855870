"""Readable features of molecules: descriptors with units, and counts of fragments by name.

Descriptors and the further groups are RDKit's; fragments are those of `fragments.py`.

References
----------
Wildman & Crippen (1999), Prediction of physicochemical parameters by atomic contributions, Journal
of Chemical Information and Computer Sciences 39, 868-873 (logP, molar refractivity).
Ertl, Rohde & Selzer (2000), Fast calculation of molecular polar surface area as a sum of
fragment-based contributions, Journal of Medicinal Chemistry 43, 3714-3717.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

from explain_distill._types import FloatArray, ReadableRows
from explain_distill.data.fragments import KINDS, chem, fragments_of
from explain_distill.data.molecules import MOST_ATOMS, kinds_of, molecule_of

Measure = Callable[[Any], float]

_ROWS: dict[float, FloatArray] = {}


@cache
def descriptors() -> tuple[tuple[str, str | None, Measure], ...]:
    """Give name, unit and function of each descriptor."""
    chem()
    from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

    def aromatic_share(molecule: Any) -> float:
        return sum(a.GetIsAromatic() for a in molecule.GetAtoms()) / molecule.GetNumAtoms()

    def shape(molecule: Any) -> float:
        # Of stars, such as SF5, the definition divides by hardly anything; chains stay far below.
        return min(rdMolDescriptors.CalcKappa3(molecule), MOST_ATOMS)

    return (
        ("molecular weight", "g/mol", Descriptors.MolWt),
        ("logP (Crippen)", None, Crippen.MolLogP),
        ("molar refractivity (Crippen)", "cm³/mol", Crippen.MolMR),
        ("polar surface area", "Å²", rdMolDescriptors.CalcTPSA),
        ("hydrogen-bond donors", None, rdMolDescriptors.CalcNumHBD),
        ("hydrogen-bond acceptors", None, rdMolDescriptors.CalcNumHBA),
        ("rotatable bonds", None, rdMolDescriptors.CalcNumRotatableBonds),
        ("rings", None, rdMolDescriptors.CalcNumRings),
        ("aromatic rings", None, rdMolDescriptors.CalcNumAromaticRings),
        ("heavy atoms", None, lambda molecule: molecule.GetNumHeavyAtoms()),
        ("heteroatoms", None, rdMolDescriptors.CalcNumHeteroatoms),
        ("share of sp3 carbon", None, rdMolDescriptors.CalcFractionCSP3),
        ("share of aromatic atoms", None, aromatic_share),
        ("bridgehead atoms", None, rdMolDescriptors.CalcNumBridgeheadAtoms),
        ("spiro atoms", None, rdMolDescriptors.CalcNumSpiroAtoms),
        ("formal charge", None, lambda molecule: chem().GetFormalCharge(molecule)),
        ("connectivity (chi 0v)", None, rdMolDescriptors.CalcChi0v),
        ("shape (kappa 3)", None, shape),
    )


@cache
def groups() -> tuple[tuple[str, Measure], ...]:
    """Give name and function of RDKit's functional groups, as its documentation calls them."""
    chem()
    from rdkit.Chem import Fragments

    found = {}
    for key, count in sorted(Fragments.fns):
        words = (count.__doc__ or key).strip().split("\n")[0]
        words = words.removeprefix("Number of ").rstrip(".")
        found[f"{words} ({key})"] = count
    return tuple(found.items())


@cache
def names_and_units() -> tuple[tuple[str, str | None], ...]:
    """Give name and unit of each readable feature, in order."""
    told = [(name, unit) for name, unit, _ in descriptors()]
    told += [(f"fragments of {kind}", None) for kind in KINDS]
    return (*told, *((name, None) for name, _ in groups()))


def features_of(numbers: FloatArray) -> ReadableRows:
    """Give the readable features of numbered molecules: ``(n, n_readable)``."""
    told = numbers.tolist()
    for number in dict.fromkeys(told):
        if number not in _ROWS:
            _ROWS[number] = _features(molecule_of(number))
    return np.stack([_ROWS[number] for number in told]).astype(np.float64)


@contextmanager
def forgotten() -> Iterator[None]:
    """Parse molecules and compute their features anew; what was known comes back after."""
    global _ROWS
    known, _ROWS = _ROWS, {}
    molecule_of.cache_clear()
    kinds_of.cache_clear()
    try:
        yield
    finally:
        _ROWS = known


def _features(molecule: Any) -> FloatArray:
    counts = dict.fromkeys(KINDS, 0)
    for fragment in fragments_of(molecule):
        counts[fragment.kind] += 1
    told = [float(measure(molecule)) for _, _, measure in descriptors()]
    told += map(float, counts.values())
    told += [float(count(molecule)) for _, count in groups()]
    return np.array(told, dtype=np.float32)
