"""Matched molecular pairs: molecules of one core that differ by one substituent.

What the change of a substituent does was measured in each pair; the models' predictions of both say
whether they know it. Bonds are cut as RDKit's matched-pair analysis does; a substituent can be
hydrogen, where the core with it is a molecule of the study.

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
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from explain_distill._types import FloatArray, IntArray
from explain_distill.audit.known_molecules import TEACHER, KnownMolecules
from explain_distill.audit.substituents import ATTACHED, HYDROGEN, spoken_part
from explain_distill.data.fragments import chem
from explain_distill.data.molecules import molecule_of, number_of
from explain_distill.metrics.intervals import Estimate, mean

MOST_CHANGED = 10  # heavy atoms of a substituent
MOST_CUT = 200  # bonds of a molecule
LEAST_PAIRS = 5
MOST_APART = 20
ATOM = re.compile(r"\[[^\]]*\]|Br|Cl|[A-Za-z]")  # of a SMILES
NOT_HEAVY = frozenset({ATTACHED, "[H]"})
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

    A substituent has ten heavy atoms at the most, and fewer than the core. Of a pair that can be
    cut in several ways, the largest core counts.

    Parameters
    ----------
    known : KnownMolecules
        Of the teacher and one student.
    least : int, default=5
        Transformations of fewer pairs are not told of.
    most : int, default=20
        Pairs in which teacher and student differ.
    """
    places, changes = _pairs(known.smiles)
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


def _pairs(smiles: tuple[str, ...]) -> tuple[IntArray, list[tuple[str, str]]]:
    """Give the places ``(n_pairs, 2)`` of two molecules of one core, and what changes."""
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
