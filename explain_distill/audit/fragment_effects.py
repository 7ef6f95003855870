"""Which kinds of fragments move the property most: their mean share, and what taking one off does.

A kind's share in a molecule's score is its Shapley value against methane. Its mean over the
molecules that have the kind says which way it moves the property, and how far, as a model sees it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explain_distill._types import FloatArray, IntArray
from explain_distill.audit.comparison import Comparison
from explain_distill.audit.known_molecules import TEACHER, asked, default_score, said_of
from explain_distill.data.fragments import CARBON, KINDS, fragments_of
from explain_distill.data.molecules import molecule_of, numbers_of, smiles_of
from explain_distill.metrics.intervals import Estimate, mean

LEAST_MOLECULES = 5
LEAST_LEFT = 3  # heavy atoms


@dataclass(frozen=True)
class TakenOff:
    """A molecule, the same without its fragments of a kind, and what each model says of both.

    Parameters
    ----------
    smiles, without : str
    said : dict of str to tuple of two floats
        Of each model, of the molecule and of what is left: the value, or the probability of the
        class.
    """

    smiles: str
    without: str
    said: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class FragmentEffect:
    """The share of one kind of fragment in the score.

    Parameters
    ----------
    kind : str
    n : int
        The attributed molecules that have it.
    shares : dict of str to Estimate
        The mean share of each model, in units of the score.
    example : TakenOff or None
        None where the teacher was not kept, or no sound molecule is left of any.
    """

    kind: str
    n: int
    shares: dict[str, Estimate]
    example: TakenOff | None


def fragment_effects(
    comparison: Comparison,
    student: str,
    *,
    score: int | None = None,
    least: int = LEAST_MOLECULES,
) -> tuple[FragmentEffect, ...]:
    """Give the mean share of each kind of fragment, of teacher and student.

    Parameters
    ----------
    comparison : Comparison
        Of molecules, with its rows.
    student : str
    score : int, optional
        Which class; the last where left out.
    least : int, default=5
        Kinds that fewer attributed molecules have are left out.

    Returns
    -------
    tuple of FragmentEffect
        By the size of the teacher's mean share, largest first. Intervals are those of means of
        molecules (`intervals.mean`), or of groups of molecules.

    References
    ----------
    Lundberg & Lee (2017), A unified approach to interpreting model predictions.
    """
    reasons, data = comparison.reasons, comparison.data
    if data is None or reasons.present is None:
        return ()
    score = default_score(data.task) if score is None else score
    groups = None if data.groups is None else data.groups[reasons.rows]
    found = []
    for kind in np.flatnonzero(reasons.present.sum(axis=0) >= least).tolist():
        places = np.flatnonzero(reasons.present[:, kind])
        among = None if groups is None else groups[places]
        shares = {
            model: reasons.reference[model].values[places, kind, score]
            for model in (TEACHER, student)
        }
        found.append(
            FragmentEffect(
                KINDS[kind],
                len(places),
                {model: mean(each, among) for model, each in shares.items()},
                _example(comparison, student, score, kind, places, shares[TEACHER]),
            )
        )
    return tuple(sorted(found, key=lambda effect: -abs(effect.shares[TEACHER].value)))


def _example(
    comparison: Comparison,
    student: str,
    score: int,
    kind: int,
    places: IntArray,
    shares: FloatArray,
) -> TakenOff | None:
    """Take a kind off the molecule in which it can be read, and its share is nearest the mean."""
    data, reasons = comparison.data, comparison.reasons
    assert data is not None
    if comparison.teacher is None:
        return None
    rows = reasons.rows[places].tolist()
    off = np.abs(shares - shares.mean()).tolist()
    readable = [_readable(float(numbers_of(data.X[[row]])[0]), KINDS[kind]) for row in rows]
    for _, _, row in sorted(zip(readable, off, rows, strict=True)):
        both = np.stack([data.X[row], data.X[row]])
        both[1, kind] = 0.0
        whole, left = (float(number) for number in numbers_of(both))
        if not _is_one_molecule(left):
            continue
        said = {}
        for model in (TEACHER, student):
            told = asked(comparison, model, both)
            assert told is not None
            before, after = said_of(told, data.task, score).tolist()
            said[model] = (before, after)
        return TakenOff(smiles_of(whole), smiles_of(left), said)
    return None


def _is_one_molecule(number: float) -> bool:
    """Whether what is left is a molecule of carbon and a few atoms, in one part."""
    atoms = [atom.GetAtomicNum() for atom in molecule_of(number).GetAtoms()]
    return len(atoms) >= LEAST_LEFT and CARBON in atoms and "." not in smiles_of(number)


def _readable(number: float, kind: str) -> int:
    """Say how hard it is to read what taking a kind off does, from 0.

    Least where there is one such fragment, and one bond to it: hydrogen takes its place.
    """
    molecule = molecule_of(number)
    found = [set(each.atoms) for each in fragments_of(molecule) if each.kind == kind]
    if len(found) > 1:
        return 2
    bonds = ({bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()} for bond in molecule.GetBonds())
    return int(sum(len(bond & found[0]) == 1 for bond in bonds) > 1)
