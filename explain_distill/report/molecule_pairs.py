"""Pairs of molecules in a report: one substituent changed, and alike but of other values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from explain_distill.audit.activity_cliffs import LEAST_SIMILARITY, Cliff, Cliffs
from explain_distill.audit.matched_pairs import LEAST_PAIRS, MatchedPair, MatchedPairs
from explain_distill.audit.substituents import spoken_part
from explain_distill.report.blocks import (
    Block,
    Cell,
    Figure,
    Form,
    Paragraph,
    RowGroup,
    Structure,
    StructureRow,
    Structures,
    Table,
    written,
)
from explain_distill.report.molecule_words import (
    change_words,
    measured_change_words,
    measured_words,
    named,
    of_unit,
    truth_words,
    value_words,
    what_words,
)
from explain_distill.report.wording import count, interval_words, joined, spoken, started

if TYPE_CHECKING:
    from explain_distill.audit.molecule_insight import MoleculeInsight
    from explain_distill.data.dataset import Task

MOST_ROWS = 8
MOST_DRAWN = 4
WHERE_FROM = ("a test molecule", "a training molecule")


# -- matched pairs ---------------------------------------------------------------------------------


def pairs_blocks(task: Task, insight: MoleculeInsight) -> list[Block]:
    """Tell of changes of one substituent, the commonest and those that are told apart."""
    pairs = insight.pairs
    if not pairs.n_pairs:
        return []
    blocks: list[Block] = [
        Paragraph(
            "What does a change of one substituent do? Matched pairs are molecules of one core "
            "that differ by one substituent, of ten heavy atoms at the most and smaller than the "
            f"core. Among {_among(pairs.n_molecules, insight.n_all)} there are "
            f"{count(pairs.n_pairs, 'such pair')}. In {pairs.n_training:,} of them one or both are "
            "training molecules, whose values the models saw."
        )
    ]
    if pairs.transformations:
        blocks.append(_transformations(task, pairs))
    if pairs.apart:
        caption = (
            f"Pairs in whose change teacher and {named(insight.student)} differ most, each "
            f"molecule once; changes of {what_words(task)}, from left to right"
        )
        rows = tuple(_pair(pair, task) for pair in pairs.apart[:MOST_DRAWN])
        blocks.append(Structures(caption, rows))
    return blocks


def _among(n: int, n_all: int) -> str:
    if n < n_all:
        return f"{n:,} molecules, drawn at random of {n_all:,},"
    return f"the {n:,} molecules"


def _transformations(task: Task, pairs: MatchedPairs) -> Table:
    """List the commonest changes."""
    shown = pairs.transformations[:MOST_ROWS]
    form: Form = "number" if task.kind == "regression" else "share"
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            each.name,
            Figure(each.n, form="count"),
            Figure(each.n_training, form="count"),
            Figure.of(each.measured, form),
            *(Figure.of(estimate, form) for estimate in each.said.values()),
        )
        for each in shown
    )
    models = tuple(f"Predicted, {named(model)}" for model in shown[0].said)
    caption = (
        f"The commonest changes of one substituent, {len(shown)} of {len(pairs.transformations)} "
        f"in at least {LEAST_PAIRS} pairs. Measured is the mean change of "
        f"{measured_words(task)}; predicted that of {what_words(task)}. 95% intervals, for which "
        "pairs that share a molecule belong together; none where too few of them decide a mean"
    )
    columns = ("Change", "Pairs", "With training molecules", "Measured", *models)
    return Table(caption, columns, (RowGroup("", rows),))


def _pair(pair: MatchedPair, task: Task) -> StructureRow:
    lines = (
        WHERE_FROM[pair.training[1]],
        f"measured change: {measured_change_words(pair.measured, task)}",
        *(f"{named(model)}: {change_words(each, task)}" for model, each in pair.said.items()),
    )
    return StructureRow(
        " → ".join(map(spoken_part, pair.change)),
        (
            Structure(pair.first, (WHERE_FROM[pair.training[0]],)),
            Structure(pair.second, lines),
        ),
    )


# -- cliffs ----------------------------------------------------------------------------------------


def cliffs_blocks(task: Task, insight: MoleculeInsight) -> list[Block]:
    """Tell of molecules that are alike, and of other values; whether the models see it."""
    cliffs = insight.cliffs
    apart = "another class"
    sees = "it gives each of the two its own class"
    if task.kind == "regression":
        apart = (
            f"values at least {written(cliffs.least, decimals=2)}{of_unit(task)} apart (two "
            "standard deviations)"
        )
        sees = "it predicts at least half of the measured change"
    words = (
        "Activity cliffs are pairs of molecules that are alike, with a Tanimoto similarity of "
        f"{LEAST_SIMILARITY} or more, and of {apart}. Looked at were pairs of a test molecule and "
        f"any other among {_among(cliffs.n_molecules, insight.n_all)}: "
        f"{count(cliffs.n_alike, 'pair is alike', 'pairs are alike')}, "
    )
    if not cliffs.steepest:
        return [Paragraph(f"{words}and none is a cliff.")]
    words += (
        f"{count(len(cliffs.steepest), 'is a cliff', 'are cliffs')}. "
        f"A model sees a cliff if {sees}. {_seen_words(cliffs)}"
    )
    rows = tuple(_cliff(cliff, task) for cliff in _each_once(cliffs.steepest))
    caption = (
        "The steepest cliffs, each molecule once; steepness is the measured change by one less the "
        f"similarity. {started(what_words(task))}, as each model predicts it"
    )
    return [Paragraph(words), Structures(caption, rows)]


def _seen_words(cliffs: Cliffs) -> str:
    """Say how many cliffs each model sees."""
    told = []
    for model, estimate in cliffs.seen.items():
        seen = sum(cliff.seen[model] for cliff in cliffs.steepest)
        words = interval_words(Figure.of(estimate, "share"))
        told.append(f"{spoken(model)} sees {seen} of them (as a share, {words})")
    return f"{started(joined(told))}; cliffs that share a molecule belong together."


def _each_once(cliffs: Iterable[Cliff]) -> Iterator[Cliff]:
    """Give the first few of which none shares a molecule with one before."""
    used: set[str] = set()
    for cliff in cliffs:
        if {cliff.first, cliff.second} & used or len(used) >= 2 * MOST_DRAWN:
            continue
        used |= {cliff.first, cliff.second}
        yield cliff


def _cliff(cliff: Cliff, task: Task) -> StructureRow:
    seen = [spoken(model) for model, sees in cliff.seen.items() if sees]
    steep = "the same fingerprint"
    if cliff.similarity < 1:
        steep = f"steepness {cliff.steepness:.3g}"
    title = f"Similarity {cliff.similarity:.2f}, {steep}; seen by {joined(seen) or 'neither'}"
    return StructureRow(
        title,
        tuple(
            Structure(
                smiles,
                (
                    f"measured: {truth_words(cliff.measured[place], task)}, "
                    f"{WHERE_FROM[cliff.training[place]]}",
                    *(
                        f"{named(model)}: {value_words(told[place], task)}"
                        for model, told in cliff.said.items()
                    ),
                ),
            )
            for place, smiles in enumerate((cliff.first, cliff.second))
        ),
    )
