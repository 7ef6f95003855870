"""Counterfactual molecules: the nearest ones of which a model says something else.

Near is the Tanimoto similarity of fingerprints. Looked at are the training molecules and what is
made of the molecule (see `near_molecules`), within the training molecules' range of weight, logP
and polar surface. None that is made was checked for whether it could be made in a flask.

References
----------
Wellawatte, Seshadri & White (2022), Model agnostic generation of counterfactual explanations for
molecules, Chemical Science 13, 3697-3705 (exmol).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from explain_distill._types import BoolArray, FloatArray, Scores
from explain_distill.attribution.own import Model, score_rows
from explain_distill.audit.near_molecules import Candidates, Near
from explain_distill.data.molecules import Standardiser, rows_of
from explain_distill.exceptions import DataError

MOST = 5
BLOCK = 64  # molecules of which a model is asked at a time, the nearest first


@dataclass(frozen=True)
class Counterfactual:
    """A molecule near another one, of which the model says something else.

    Parameters
    ----------
    molecule : Near
    scores : dict of str to tuple of float
        What each model that was asked says of it: its scores.
    """

    molecule: Near
    scores: dict[str, tuple[float, ...]]


def counterfactuals(
    model: Model,
    smiles: str,
    candidates: Candidates,
    *,
    others: Mapping[str, Model] | None = None,
    name: str = "teacher",
    least: float | None = None,
    most: int = MOST,
) -> tuple[Counterfactual, ...]:
    """Find the molecules nearest to one of which a model says something else.

    Parameters
    ----------
    model : Teacher or Student
        Whose answer is to differ.
    smiles : str
        The molecule; it is standardised as those of tables are.
    candidates : Candidates
    others : mapping of str to Teacher or Student, optional
        Asked of the same molecules, for comparison.
    name : str, default="teacher"
        How `model` is called in what is given.
    least : float, optional
        By how much a value must differ, either way, in the target's unit; of classes the most
        probable one must. One standard deviation of the training values where left out.
    most : int, default=5

    Returns
    -------
    tuple of Counterfactual
        The most similar first; never the molecule itself. Fewer than `most` where there are no
        more.

    Raises
    ------
    DataError
        Where `smiles` is no molecule, or `least` is not positive.
    """
    try:
        smiles = Standardiser()(smiles)
    except ValueError as why:
        raise DataError(
            f"smiles must be a molecule; however, {smiles[:60]!r} is none: {why}. Mend it."
        ) from None
    data = candidates.data
    classify = data.task.kind == "classification"
    least = float(np.std(data.y)) if least is None else least
    if not classify and not least > 0:
        raise DataError(
            f"least must be above 0; however, got {least!r}. Leave it out for one standard "
            "deviation of the training values."
        )
    near, features = candidates.near(smiles), data.readable_features
    own = score_rows(model, rows_of([smiles]), features)[0]
    models = {name: model, **(others or {})}
    found: list[Counterfactual] = []
    for start in range(0, len(near), BLOCK):
        block = near[start : start + BLOCK]
        rows = rows_of([each.smiles for each in block])
        differs = _differs(score_rows(model, rows, features), own, least, classify)
        differs[differs] = candidates.within(rows[differs])
        chosen = np.flatnonzero(differs)[: most - len(found)]
        if len(chosen):
            told = {key: score_rows(each, rows[chosen], features) for key, each in models.items()}
            for place, at in enumerate(chosen.tolist()):
                said = {key: tuple(scores[place].tolist()) for key, scores in told.items()}
                found.append(Counterfactual(block[at], said))
        if len(found) >= most:
            break
    return tuple(found)


def _differs(scores: Scores, own: FloatArray, least: float, classify: bool) -> BoolArray:
    """Say of which molecules a model says something else: ``(n,)``."""
    if classify:
        return np.asarray(scores.argmax(axis=1) != own.argmax())
    return np.asarray(np.abs(scores[:, 0] - own[0]) >= least)
