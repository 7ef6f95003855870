"""What a medicinal chemist reads of a study: what moves the property, as the models see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explain_distill.audit.counterfactuals import Counterfactual
from explain_distill.audit.fragment_effects import FragmentEffect, TakenOff
from explain_distill.audit.molecule_insight import LEAST_SIMILARITY, MoleculeInsight
from explain_distill.data.fragments import KINDS
from explain_distill.data.molecules import kinds_of, number_of
from explain_distill.report.blocks import (
    Block,
    Cell,
    Figure,
    Paragraph,
    RowGroup,
    Section,
    Structure,
    StructureRow,
    Structures,
    Table,
    written,
)
from explain_distill.report.molecule_pairs import cliffs_blocks, pairs_blocks
from explain_distill.report.molecule_words import (
    named,
    of_unit,
    said_lines,
    score_words,
    truth_words,
    value_words,
    what_words,
)
from explain_distill.report.wording import count, started

if TYPE_CHECKING:
    from explain_distill.data.dataset import Task
    from explain_distill.study.study import Study

MOST_ROWS = 8
MOST_DRAWN = 4
ACROSS = 4


def molecules_section(study: Study) -> Section | None:
    """Say which fragments move the property; None where no molecules are known."""
    insight = study.molecule_insight
    if insight is None:
        return None
    blocks = [
        *_effects(study, insight.effects),
        *pairs_blocks(study.about.task, insight),
        *cliffs_blocks(study.about.task, insight),
        *_near(study, insight),
    ]
    if not blocks:
        return None
    return Section("molecules", "Molecules: what moves the property", tuple(blocks))


# -- fragments -------------------------------------------------------------------------------------


def _effects(study: Study, effects: tuple[FragmentEffect, ...]) -> list[Block]:
    """List the kinds that move the property most, and draw what taking some off does."""
    task, shown = study.about.task, effects[:MOST_ROWS]
    if not shown:
        return []
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            effect.kind,
            Figure(effect.n, form="count"),
            *(Figure.of(estimate) for estimate in effect.shares.values()),
        )
        for effect in shown
    )
    n = len(study.comparison.reasons.rows)
    models = tuple(f"Mean share, {named(model)}" for model in shown[0].shares)
    caption = (
        f"Kinds of fragments by the size of the teacher's mean share in {score_words(task)}: "
        f"{len(shown)} of {len(effects)} kinds that at least 5 of {n} attributed test molecules "
        "have; 95% intervals"
    )
    blocks: list[Block] = [
        Paragraph(
            "A fragment's share is what it adds to the predicted value, on the mean over all "
            "orders in which the molecule's fragments can be put in, from methane on. The mean "
            "is over the molecules that have the kind of fragment. These are the models' "
            "reasons, not measurements; a student that gives its teacher's has the same signs "
            "and sizes. An interval is left out where too few of the molecules decide the mean."
        ),
        Table(caption, ("Kind of fragment", "Molecules", *models), (RowGroup("", rows),)),
    ]
    drawn = [effect for effect in shown if effect.example is not None][:MOST_DRAWN]
    if drawn:
        pairs = tuple(
            StructureRow(started(effect.kind), _taken_off(effect.kind, effect.example, task))
            for effect in drawn
            if effect.example is not None
        )
        caption = (
            "A test molecule that has it, and the same with it taken off and hydrogen in its "
            f"place, or its ends joined; {what_words(task)}, as each model predicts it"
        )
        blocks.append(Structures(caption, pairs))
    return blocks


def _taken_off(kind: str, example: TakenOff, task: Task) -> tuple[Structure, ...]:
    """Tell of a molecule with and without its fragments of a kind."""
    kinds = kinds_of(number_of(example.smiles))
    has_it = tuple(atom for atom, place in enumerate(kinds) if KINDS[place] == kind)
    return tuple(
        Structure(
            smiles,
            tuple(
                f"{named(model)}: {value_words(told[place], task)}"
                for model, told in example.said.items()
            ),
            () if place else has_it,
        )
        for place, smiles in enumerate((example.smiles, example.without))
    )


# -- counterfactuals -------------------------------------------------------------------------------


def _near(study: Study, insight: MoleculeInsight) -> list[Block]:
    """Draw molecules near a few, of which the teacher says something else."""
    task = study.about.task
    if not insight.near or study.train is None:
        return []
    other = "which another class is the most probable"
    if task.kind == "regression":
        least = written(float(np.std(study.train.y)), decimals=2)
        other = f"which the value is at least {least}{of_unit(task)} off, one standard deviation"
    rows = tuple(
        StructureRow(
            f"Test molecule {number}, and what is near it",
            (
                Structure(each.smiles, said_lines(each.scores, task), ()),
                *(_counterfactual(found, task) for found in each.near[: ACROSS - 1]),
            ),
        )
        for number, each in enumerate(insight.near, 1)
    )
    caption = (
        f"Molecules near {count(len(rows), 'test molecule')} of {other}, as the teacher predicts "
        f"it; {what_words(task)} as each model predicts it"
    )
    words = Paragraph(
        "What would have to change for another answer? Looked at were the training molecules, the "
        "molecule with one or two fragments taken off, and with one of them exchanged for a "
        "fragment of a training molecule; none beyond the training molecules' weight, logP or "
        "polar surface area. Nobody checked whether those that are made can be made in a flask; "
        "they have no stereochemistry. Similarity is Tanimoto's, of Morgan fingerprints (radius "
        f"2), of {LEAST_SIMILARITY} at the least, and what differs is marked."
    )
    return [words, Structures(caption, rows)]


def _counterfactual(found: Counterfactual, task: Task) -> Structure:
    near = found.molecule
    lines = [*said_lines(found.scores, task), f"similarity {near.similarity:.2f}"]
    if near.measured is None:
        lines.append(near.made)
    else:
        lines.append(f"a training molecule, measured: {truth_words(near.measured, task)}")
    return Structure(near.smiles, tuple(lines))
