"""The environments of atoms that students count, drawn in molecules that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explain_distill.data.environments import atoms_of, environment_counts, environment_names
from explain_distill.data.molecules import numbers_of, smiles_of
from explain_distill.report.blocks import Block, Structure, StructureRow, Structures

if TYPE_CHECKING:
    from explain_distill.study.study import Study

SHOWN = 12
LOOKED_THROUGH = 300  # molecules, the smallest of which is drawn


def environment_blocks(study: Study) -> list[Block]:
    """Draw the first environments, each marked in the smallest molecule that has it.

    Nothing is drawn where students count none, or no molecules were kept.
    """
    environments = study.about.schema.environments[:SHOWN]
    data = study.train or study.comparison.data
    if not environments or data is None:
        return []
    numbers = [float(number) for number in numbers_of(data.X[:LOOKED_THROUGH])]
    numbers.sort(key=lambda number: (len(smiles_of(number)), number))
    counts = environment_counts(numbers, environments)
    rows = []
    for place, (each, name) in enumerate(
        zip(environments, environment_names(environments), strict=True)
    ):
        had = counts[:, place].nonzero()[0]
        if len(had):
            number = numbers[had[0]]
            words = (
                name.removeprefix("environments "),
                f"in {each.share:.0%} of the training molecules",
                *([f"or {each.structures - 1} more"] if each.structures > 1 else []),
            )
            marked = next(atoms_of(number, each.key))
            rows.append(StructureRow("", (Structure(smiles_of(number), words, marked),)))
    caption = (
        f"Environments of atoms that students count: {len(rows)} of "
        f"{len(study.about.schema.environments)}, each marked in a molecule that has it. Where "
        "an identifier stands for several structures, the first is shown, and the others counted"
    )
    return [Structures(caption, tuple(rows))]
