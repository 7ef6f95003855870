"""Activity cliffs: molecules that are alike, and whose measured values are far apart.

References
----------
Maggiora (2006), On outliers and activity cliffs: why QSAR often disappoints, Journal of Chemical
Information and Modeling 46, 1535.
Guha & Van Drie (2008), Structure-activity landscape index: identifying and quantifying activity
cliffs, Journal of Chemical Information and Modeling 48, 646-658.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from explain_distill._types import BoolArray, FloatArray, IntArray
from explain_distill.audit.fingerprints import fingerprints, similarities
from explain_distill.audit.known_molecules import KnownMolecules
from explain_distill.audit.matched_pairs import joined_pairs
from explain_distill.data.molecules import molecule_of, number_of
from explain_distill.metrics.intervals import Estimate, proportion

LEAST_SIMILARITY = 0.6
LEAST_DEVIATIONS = 2.0
SEEN = 0.5  # of the measured change, which a model must predict


@dataclass(frozen=True)
class Cliff:
    """Two molecules that are alike, and of other values; the first has the lower one.

    Parameters
    ----------
    first, second : str
        Canonical SMILES.
    similarity : float
        Tanimoto, at least 0.6.
    steepness : float
        The landscape index ``|Δy| / (1 - similarity)``, in units of the value; infinite where the
        fingerprints are the same.
    training : tuple of two bool
        Whether each is a training molecule, of which the models saw the value.
    measured : tuple of two float
        Values or class codes.
    said : dict of str to tuple of two floats
        What each model says of both: the value, or the probability of the class that is told of.
    seen : dict of str to bool
        Whether each model sees the cliff.
    """

    first: str
    second: str
    similarity: float
    steepness: float
    training: tuple[bool, bool]
    measured: tuple[float, float]
    said: dict[str, tuple[float, float]]
    seen: dict[str, bool]


@dataclass(frozen=True)
class Cliffs:
    """The cliffs among a study's molecules, one of each pair being a test molecule.

    Parameters
    ----------
    n_molecules, n_alike : int
        Molecules looked at, and pairs that are alike.
    least : float
        How far apart values are at a cliff; 0 for classes, which differ.
    steepest : tuple of Cliff
        All of them, the steepest first.
    seen : dict of str to Estimate
        The share of cliffs that each model sees; empty without cliffs. Cliffs that share a molecule
        count as belonging together.
    """

    n_molecules: int
    n_alike: int
    least: float
    steepest: tuple[Cliff, ...] = field(repr=False)
    seen: dict[str, Estimate] = field(default_factory=dict, repr=False)


def activity_cliffs(
    known: KnownMolecules,
    *,
    similarity: float = LEAST_SIMILARITY,
    deviations: float = LEAST_DEVIATIONS,
) -> Cliffs:
    """Find the pairs of a test molecule and any other that are alike, and of other values.

    A model sees a cliff of values if it predicts at least half of the measured change, the same
    way; a cliff of classes if it gives each of the two its own class.

    Parameters
    ----------
    known : KnownMolecules
    similarity : float, default=0.6
        The least Tanimoto similarity.
    deviations : float, default=2.0
        How many standard deviations of all values two values are apart, at least; of classes, the
        two differ.
    """
    places, alike = _alike(known, similarity)
    y = np.asarray(known.truth, dtype=np.float64)
    least = 0.0 if known.classifies else deviations * float(y.std())
    apart = np.abs(y[places[:, 1]] - y[places[:, 0]])
    chosen = np.flatnonzero((apart >= least) & (apart > 0))
    steepness = _steepness(np.ones_like(apart) if known.classifies else apart, alike)
    order = chosen[np.lexsort((-apart[chosen], -steepness[chosen]))]
    low_first = y[places[:, 0]] <= y[places[:, 1]]
    places = np.where(low_first[:, None], places, places[:, ::-1])[order]
    said = {model: known.said(model) for model in known.models}
    seen = {model: _seen(known, model, places) for model in known.models}
    cliffs = tuple(
        Cliff(
            known.smiles[one],
            known.smiles[other],
            float(alike[at]),
            float(steepness[at]),
            (bool(known.training[one]), bool(known.training[other])),
            (float(y[one]), float(y[other])),
            {model: (float(each[one]), float(each[other])) for model, each in said.items()},
            {model: bool(each[number]) for model, each in seen.items()},
        )
        for number, (at, (one, other)) in enumerate(
            zip(order.tolist(), places.tolist(), strict=True)
        )
    )
    groups = joined_pairs(places, known.groups)
    shares = {model: proportion(each, groups) for model, each in seen.items() if len(each)}
    return Cliffs(len(known), len(alike), least, cliffs, shares)


def _steepness(apart: FloatArray, alike: FloatArray) -> FloatArray:
    """Give the landscape index of pairs."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(apart > 0, apart / (1 - alike), 0.0))


def _alike(known: KnownMolecules, least: float) -> tuple[IntArray, FloatArray]:
    """Give the pairs ``(n_pairs, 2)`` of a test molecule and any other that are alike, and how."""
    bits = fingerprints([molecule_of(number_of(told)) for told in known.smiles])
    test = np.flatnonzero(~known.training)
    told = similarities(bits[test], bits)
    ours, theirs = np.nonzero(told >= least)
    # Of two test molecules, and of one with itself, one order is enough.
    once = known.training[theirs] | (test[ours] < theirs)
    ours, theirs = ours[once], theirs[once]
    return np.column_stack([test[ours], theirs]).astype(np.int64), told[ours, theirs]


def _seen(known: KnownMolecules, model: str, places: IntArray) -> BoolArray:
    """Say of each cliff whether a model sees it."""
    if known.classifies:
        right = known.scores[model].argmax(axis=1) == known.truth
        return np.asarray(right[places].all(axis=1))
    said, y = known.said(model), np.asarray(known.truth, dtype=np.float64)
    predicted, measured = (each[places[:, 1]] - each[places[:, 0]] for each in (said, y))
    return np.asarray(predicted >= SEEN * measured)
