"""What a study of molecules tells a chemist, gathered once."""

from __future__ import annotations

from dataclasses import dataclass, field

from explain_distill.audit.comparison import Comparison
from explain_distill.audit.fragment_effects import FragmentEffect, fragment_effects
from explain_distill.data.dataset import Dataset


@dataclass(frozen=True)
class MoleculeInsight:
    """Which fragments move the property.

    Parameters
    ----------
    student : str
        Who is told of beside the teacher.
    effects : tuple of FragmentEffect
    """

    student: str
    effects: tuple[FragmentEffect, ...] = field(repr=False)


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
    return MoleculeInsight(student, fragment_effects(comparison, student))
