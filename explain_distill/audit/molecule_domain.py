"""Whether a molecule is like those that were trained on, and which of them are nearest.

Like is the Tanimoto similarity of `fingerprints`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from explain_distill._types import FloatArray
from explain_distill.audit.fingerprints import packed
from explain_distill.audit.near_molecules import KEPT_TO, kept_to
from explain_distill.data.chemical_features import names_and_units
from explain_distill.data.molecules import molecule_of, number_of

USUAL = 0.05  # of training molecules are less like their nearest other one
SAMPLED = 500  # training molecules whose nearest other one is looked for


@dataclass(frozen=True)
class Neighbour:
    """A training molecule: its place among them, and how alike it is, from 0 to 1."""

    place: int
    similarity: float


class Domain:
    """The molecules that were trained on, by their Morgan fingerprints and descriptors.

    A molecule is outside the domain where its nearest training molecule is less like it than 19 of
    20 training molecules are to their nearest other one, or where its weight, logP or polar surface
    area lies outside theirs. It is a warning, no proof: a molecule within may be told badly too.

    Parameters
    ----------
    smiles : sequence of str
        Canonical, of the training molecules.

    References
    ----------
    Sheridan, Feuston, Maiorov & Kearsley (2004), Similarity to molecules in
    the training set is a good discriminator for prediction accuracy in QSAR, Journal of Chemical
    Information and Computer Sciences 44, 1912-1928.
    """

    def __init__(self, smiles: Sequence[str]) -> None:
        self.smiles = tuple(smiles)
        self._prints = [packed(molecule_of(number_of(each))) for each in self.smiles]

    def nearest(self, smiles: str, n: int = 4) -> tuple[Neighbour, ...]:
        """Give the training molecules that are most like one, by Tanimoto similarity."""
        alike = self._similarities(packed(molecule_of(number_of(smiles))))
        order = np.argsort(-alike, kind="stable")[:n]
        return tuple(Neighbour(int(place), float(alike[place])) for place in order)

    @cached_property
    def usual(self) -> float:
        """The similarity to the nearest other one that 19 of 20 training molecules have."""
        n = len(self.smiles)
        chosen = np.random.default_rng(0).permutation(n)[:SAMPLED]
        nearest = []
        for place in chosen:
            alike = self._similarities(self._prints[place])
            alike[place] = -1.0
            nearest.append(alike.max())
        return float(np.quantile(nearest, USUAL))

    @cached_property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest value of each of `KEPT_TO` among training molecules."""
        told = kept_to([*map(number_of, self.smiles)])
        return dict(zip(KEPT_TO, zip(told.min(axis=0), told.max(axis=0), strict=True), strict=True))

    def doubts(self, smiles: str) -> tuple[str, ...]:
        """Say why a molecule is outside the domain; nothing where it is within."""
        found = []
        alike = self.nearest(smiles, 1)[0].similarity
        if alike < self.usual:
            found.append(
                f"its nearest training molecule has a similarity of {alike:.2f}, and 19 of 20 "
                f"training molecules have one of {self.usual:.2f} or more to another"
            )
        units = dict(names_and_units())
        for name, value in zip(KEPT_TO, kept_to([number_of(smiles)])[0], strict=True):
            low, high = self.ranges[name]
            if not low <= value <= high:
                unit = f" {units[name]}" if units[name] else ""
                found.append(
                    f"its {name} is {value:.4g}{unit}, and training molecules have "
                    f"{low:.4g} to {high:.4g}"
                )
        return tuple(found)

    def _similarities(self, fingerprint: Any) -> FloatArray:
        from rdkit import DataStructs

        return np.array(DataStructs.BulkTanimotoSimilarity(fingerprint, self._prints))
