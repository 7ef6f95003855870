"""Matched molecular pairs: molecules of one core that differ by one substituent.

What the change of a substituent does was measured in each pair; the models' predictions of both say
whether they know it. See `cores` for how pairs are found.

References
----------
Hussain & Rea (2010), Computationally efficient algorithm to identify matched molecular pairs (MMPs)
in large data sets, Journal of Chemical Information and Modeling 50, 339-348.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from explain_distill._types import FloatArray, IntArray
from explain_distill.audit.cores import pairs_of_one_core
from explain_distill.audit.known_molecules import TEACHER, KnownMolecules
from explain_distill.audit.substituents import spoken_part
from explain_distill.metrics.intervals import Estimate, mean

LEAST_PAIRS = 5
MOST_APART = 20
NOTHING = 1e-9  # changes that differ by less are the same


@dataclass(frozen=True)
class MatchedPair:
    """Two molecules that differ by one substituent; changes are of the second less the first.

    Parameters
    ----------
    first, second : str
        Canonical SMILES.
    change : tuple of two str
        The substituents as SMILES, open at ``[*:1]``.
    training : tuple of two bool
        Whether each is a training molecule, of which the models saw the value.
    measured : float
        The change in the value; of classes in whether it is of the class: -1, 0 or 1.
    said : dict of str to float
        The change in what each model says: the value, or the probability of the class.
    """

    first: str
    second: str
    change: tuple[str, str]
    training: tuple[bool, bool]
    measured: float
    said: dict[str, float]


@dataclass(frozen=True)
class Transformation:
    """One substituent in place of another, over all pairs that differ by it.

    Parameters
    ----------
    name : str
        In words that chemists use: ``"H → Cl"``.
    n, n_training : int
        Pairs, and those among them with a training molecule.
    measured : Estimate
        The mean change; pairs that share a molecule count as belonging together.
    said : dict of str to Estimate
        The mean change in what each model says.
    """

    name: str
    n: int
    n_training: int
    measured: Estimate
    said: dict[str, Estimate]


@dataclass(frozen=True)
class MatchedPairs:
    """All pairs of a study's molecules that differ by one substituent.

    Parameters
    ----------
    n_molecules, n_pairs, n_training : int
        Molecules looked at, pairs found, and pairs with a training molecule.
    apart : tuple of MatchedPair
        Those in whose change teacher and student differ most, each molecule once.
    transformations : tuple of Transformation
        Of five pairs and more, the most frequent first.
    """

    n_molecules: int
    n_pairs: int
    n_training: int
    apart: tuple[MatchedPair, ...] = field(repr=False)
    transformations: tuple[Transformation, ...] = field(repr=False)


def matched_pairs(
    known: KnownMolecules, *, least: int = LEAST_PAIRS, most: int = MOST_APART
) -> MatchedPairs:
    """Find the pairs of a study's molecules that differ by one substituent.

    Parameters
    ----------
    known : KnownMolecules
        Of the teacher and one student.
    least : int, default=5
        Transformations of fewer pairs are not told of.
    most : int, default=20
        Pairs in which teacher and student differ.
    """
    places, changes = pairs_of_one_core(known.smiles)
    measured, training = known.measured, known.training
    delta = {model: _change(known.said(model), places) for model in known.models}
    with_training = training[places].any(axis=1)
    told = np.abs(delta[TEACHER] - delta[known.models[-1]])
    order = [at for at in np.argsort(-told, kind="stable").tolist() if told[at] > NOTHING]
    apart: list[MatchedPair] = []
    used: set[int] = set()
    for at in order:
        one, other = places[at].tolist()
        if len(apart) == most or {one, other} & used:
            continue
        used |= {one, other}
        apart.append(
            MatchedPair(
                known.smiles[one],
                known.smiles[other],
                changes[at],
                (bool(training[one]), bool(training[other])),
                float(measured[other] - measured[one]),
                {model: float(each[at]) for model, each in delta.items()},
            )
        )
    return MatchedPairs(
        len(known),
        len(places),
        int(with_training.sum()),
        tuple(apart),
        tuple(_transformations(known, places, changes, delta, least)),
    )


def _change(values: FloatArray, places: IntArray) -> FloatArray:
    return np.asarray(values[places[:, 1]] - values[places[:, 0]])


def _transformations(
    known: KnownMolecules,
    places: IntArray,
    changes: list[tuple[str, str]],
    delta: dict[str, FloatArray],
    least: int,
) -> list[Transformation]:
    """Take pairs of one change together, the most frequent change first."""
    alike: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for at, change in enumerate(changes):
        alike[change].append(at)
    measured = _change(known.measured, places)
    within = (-1.0, 1.0) if known.classifies else (-np.inf, np.inf)
    found = []
    for change, chosen in alike.items():
        if len(chosen) < least:
            continue
        pairs = places[chosen]
        groups = joined_pairs(pairs, known.groups)
        found.append(
            Transformation(
                " → ".join(map(spoken_part, change)),
                len(chosen),
                int(known.training[pairs].any(axis=1).sum()),
                mean(measured[chosen], groups, within=within),
                {model: mean(each[chosen], groups, within=within) for model, each in delta.items()},
            )
        )
    return sorted(found, key=lambda each: (-each.n, each.name))


def joined_pairs(places: IntArray, groups: IntArray | None = None) -> IntArray:
    """Say which pairs belong together: those that share a molecule, or a group of molecules.

    Parameters
    ----------
    places : ndarray of shape (n_pairs, 2)
    groups : ndarray of shape (n_molecules,), optional

    Returns
    -------
    ndarray of shape (n_pairs,)
        A code each.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    of = places if groups is None else np.unique(groups, return_inverse=True)[1][places]
    n = int(of.max(initial=-1)) + 1
    links = coo_matrix((np.ones(len(of)), (of[:, 0], of[:, 1])), shape=(n, n))
    return np.asarray(connected_components(links, directed=False)[1][of[:, 0]], dtype=np.int64)
