"""What the readable features of one molecule add to a student's score, put on their atoms.

A count of something is put on the atoms of that something, an area on the atoms that make it. What
is neither, such as molecular weight and logP, or what the molecule lacks, is the remainder.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from explain_distill._types import FloatArray, ReadableRows
from explain_distill.attribution.one_molecule import PlayerShares
from explain_distill.attribution.shapley import Draws, sampled_shapley
from explain_distill.data.environments import atoms_of
from explain_distill.data.fragments import chem, fragments_of
from explain_distill.data.molecules import molecule_of, number_of, rows_of
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.students.base import Student

OF_FRAGMENTS = "fragments of "
RINGS = ("rings",)
AROMATIC = ("aromatic rings", "share of aromatic atoms")


@dataclass(frozen=True, eq=False)
class OnNoAtom:
    """The share of a feature that is on no atom ``(n_scores,)``, and its standard error."""

    name: str
    share: FloatArray
    error: FloatArray


@dataclass(frozen=True, eq=False)
class FeaturesOnAtoms:
    """A student's score of one molecule: base, atoms and remainder add up to it.

    Parameters
    ----------
    atoms : ndarray of shape (n_atoms, n_scores)
    base : ndarray of shape (n_scores,)
        The mean score of the background molecules.
    rest : tuple of OnNoAtom
        The features that are on no atom, the largest first.
    """

    atoms: FloatArray
    base: FloatArray
    rest: tuple[OnNoAtom, ...]


def features_on_atoms(
    student: Student,
    smiles: str,
    background: ReadableRows,
    features: ReadableFeatures,
    rng: np.random.Generator,
) -> FeaturesOnAtoms:
    """Put what a student's features add to its score on the atoms that make them.

    Parameters
    ----------
    student : Student
    smiles : str
        Canonical.
    background : ndarray of shape (n_background, n_readable)
        Readable features of other molecules, against which the shares are told: an order of the
        features and its reverse for each.
    features : ReadableFeatures
    rng : Generator

    Returns
    -------
    FeaturesOnAtoms
    """
    told = feature_shares(student, smiles, background, features, rng)
    molecule = molecule_of(number_of(smiles))
    atoms = np.zeros((molecule.GetNumAtoms(), told.shares.shape[1]))
    rest: list[OnNoAtom] = []
    keys = {
        name: each.key
        for name, each in zip(
            features.names[len(features.names) - len(features.schema.environments) :],
            features.schema.environments,
            strict=True,
        )
    }
    assert told.errors is not None
    for name, share, error in zip(features.names, told.shares, told.errors, strict=True):
        weights = _weights(smiles, name, keys.get(name))
        if weights.sum() > 0:
            atoms += np.outer(weights / weights.sum(), share)
        elif np.any(share):
            rest.append(OnNoAtom(name, share, error))
    rest.sort(key=lambda each: -float(np.abs(each.share).max()))
    return FeaturesOnAtoms(atoms, told.base, tuple(rest))


def feature_shares(
    student: Student,
    smiles: str,
    background: ReadableRows,
    features: ReadableFeatures,
    rng: np.random.Generator,
) -> PlayerShares:
    """Give the Shapley values of readable features, against a background: ``(n_readable, …)``.

    Parameters and errors are those of `features_on_atoms`.
    """
    own, n = features.transform(rows_of([smiles])), len(background)
    drawn = Draws.draw(n, own.shape[1], 1, n, rng)
    draws = Draws(drawn.orders, np.arange(n)[:, None])  # each molecule of the background once
    told = sampled_shapley(student.predict_score, np.repeat(own, n, axis=0), background, draws)
    errors = told.values.std(axis=0, ddof=1) / n**0.5
    return PlayerShares(told.values.mean(axis=0), told.base.mean(axis=0), errors)


def _weights(smiles: str, name: str, key: int | None) -> FloatArray:
    """Say how much of a feature each atom makes: ``(n_atoms,)``, all zero where none does."""
    number = number_of(smiles)
    molecule = molecule_of(number)
    weights = np.zeros(molecule.GetNumAtoms())
    if key is not None:
        for atoms in atoms_of(number, key):
            weights[list(atoms)] += 1
    elif name.startswith(OF_FRAGMENTS):
        kind = name.removeprefix(OF_FRAGMENTS)
        for fragment in fragments_of(molecule):
            weights[list(fragment.atoms)] += fragment.kind == kind
    elif name in _patterns():
        for match in molecule.GetSubstructMatches(_patterns()[name]):
            weights[list(match)] += 1
    elif name == "polar surface area":
        from rdkit.Chem import rdMolDescriptors

        weights[:] = rdMolDescriptors._CalcTPSAContribs(molecule)
    elif name in (*RINGS, *AROMATIC):
        for place, atom in enumerate(molecule.GetAtoms()):
            weights[place] = atom.IsInRing() if name in RINGS else atom.GetIsAromatic()
    elif name == "heavy atoms":
        weights[:] = 1
    return weights


@cache
def _patterns() -> dict[str, Any]:
    """Give the patterns of the features that are counts of matches, by name."""
    chem()
    from rdkit.Chem import Fragments, Lipinski

    from explain_distill.data.chemical_features import groups

    counted = sorted(Fragments.fns)
    found = {
        name: count.__defaults__[1] for (name, _), (_, count) in zip(groups(), counted, strict=True)
    }
    return found | {
        "hydrogen-bond donors": Lipinski.HDonorSmarts,
        "hydrogen-bond acceptors": Lipinski.HAcceptorSmarts,
        "heteroatoms": Lipinski.HeteroatomSmarts,
    }
