"""What a study of molecules tells a chemist, gathered once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from explain_distill.audit.activity_cliffs import Cliffs, activity_cliffs
from explain_distill.audit.comparison import Comparison
from explain_distill.audit.counterfactuals import Counterfactual, counterfactuals
from explain_distill.audit.fragment_effects import FragmentEffect, fragment_effects
from explain_distill.audit.known_molecules import TEACHER, known_molecules
from explain_distill.audit.matched_pairs import MatchedPairs, matched_pairs
from explain_distill.audit.near_molecules import Candidates
from explain_distill.data.dataset import Dataset
from explain_distill.data.molecules import numbers_of, smiles_of

LEAST_KINDS = 3
TOLD, TRIED = 3, 12  # molecules of which counterfactuals are told, and of which they are asked
LEAST_SIMILARITY = 0.35  # below, two molecules have little in common


@dataclass(frozen=True)
class NearAnswers:
    """A test molecule, and those near it of which the teacher says something else.

    Parameters
    ----------
    smiles : str
    scores : dict of str to tuple of float
        What teacher and student say of it.
    near : tuple of Counterfactual
        The most similar first, one of each way in which it differs.
    """

    smiles: str
    scores: dict[str, tuple[float, ...]]
    near: tuple[Counterfactual, ...]


@dataclass(frozen=True)
class MoleculeInsight:
    """What moves a property, as teacher and student see it.

    Parameters
    ----------
    student : str
        Who is told of beside the teacher.
    effects : tuple of FragmentEffect
    pairs : MatchedPairs
    cliffs : Cliffs
    n_all : int
        How many molecules there are; pairs and cliffs are those of 2 000 at most, drawn at random.
    near : tuple of NearAnswers
        Of a few test molecules; empty without the teacher or the training rows.
    """

    student: str
    effects: tuple[FragmentEffect, ...] = field(repr=False)
    pairs: MatchedPairs
    cliffs: Cliffs
    n_all: int
    near: tuple[NearAnswers, ...] = field(default=(), repr=False)


def molecule_insight(
    comparison: Comparison, train: Dataset | None, student: str
) -> MoleculeInsight | None:
    """Gather what is told of a study's molecules; None where it has none, or kept no rows.

    Parameters
    ----------
    comparison : Comparison
    train : Dataset or None
    student : str
    """
    data = comparison.data
    if data is None or data.schema.molecules is None:
        return None
    known = known_molecules(comparison, train, student)
    return MoleculeInsight(
        student,
        fragment_effects(comparison, student),
        matched_pairs(known),
        activity_cliffs(known),
        known.n_all,
        near_answers(comparison, train, student),
    )


def near_answers(
    comparison: Comparison, train: Dataset | None, student: str
) -> tuple[NearAnswers, ...]:
    """Find counterfactuals of a few attributed molecules, those of several kinds first."""
    teacher, data, present = comparison.teacher, comparison.data, comparison.reasons.present
    if teacher is None or train is None or data is None or present is None:
        return ()
    candidates, others = Candidates.of(train), {student: comparison.students[student]}
    told: list[NearAnswers] = []
    order = np.argsort(present.sum(axis=1) < LEAST_KINDS, kind="stable")
    for row in comparison.reasons.rows[order[:TRIED]].tolist():
        smiles = smiles_of(float(numbers_of(data.X[[row]])[0]))
        found = counterfactuals(teacher, smiles, candidates, others=others)
        first: dict[str, Counterfactual] = {}
        for each in found:
            near = each.molecule
            if near.similarity >= LEAST_SIMILARITY:
                first.setdefault(near.made if near.measured is None else near.smiles, each)
        if first:
            scores = {
                name: tuple(comparison.scores[name][row].tolist()) for name in (TEACHER, student)
            }
            told.append(NearAnswers(smiles, scores, tuple(first.values())))
        if len(told) == TOLD:
            break
    return tuple(told)
