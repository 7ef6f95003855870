"""How small a student may be: the sizes of each kind, in words, in a table and as plots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from explain_distill.audit.front import Front, Gap, Ladder, Step
from explain_distill.report.blocks import (
    Block,
    Cell,
    Figure,
    Listing,
    Panel,
    Paragraph,
    RowGroup,
    Section,
    Sizes,
    Table,
)
from explain_distill.report.wording import (
    STUDENT_KINDS,
    called,
    count,
    joined,
    started,
)

if TYPE_CHECKING:
    from explain_distill.audit.budget import Budget
    from explain_distill.study.study import Study

LOSSES = {"agreement": "Another answer than the teacher's", "score_r2": "Score left unexplained"}
"""What a loss is called, by the measure of fidelity that it is 1 less."""
VERDICTS = {
    "largest": "the largest",
    "as faithful": "does as well",
    "less faithful": "less faithful",
    "not shown": "not shown",
}
TEST_FIGURES = (
    "fidelity.agreement",
    "fidelity.score_r2",
    "attribution.rank_correlation",
    "performance.accuracy",
    "performance.r2",
    "complexity.parameters",
    "cost.bytes",
)


def front_section(study: Study, front: Front) -> Section:
    """Say which size of each kind of student is enough, and on what that rests."""
    blocks: list[Block] = [
        Paragraph(
            "Each kind of student was made at several sizes. The one to read is the smallest that "
            "is shown to do as well as every larger one."
        ),
        Listing(tuple(front_words(front, study.budget))),
        Paragraph(front_meaning(front)),
    ]
    blocks += [_plot(study, front, measure) for measure in _measures(front)]
    blocks += [_choice(front, study.budget), _tested(study, front)]
    return Section("sizes", "How small may a student be?", tuple(blocks))


def front_words(front: Front, budget: Budget | None = None) -> list[str]:
    """Say of each kind of student which size is to be read, and why none smaller is."""
    return [
        f"{started(_kind(ladder))}: {_chosen_words(front, ladder)}{_smaller_words(front, ladder)}"
        f"{_budget_words(ladder, budget)}"
        for ladder in front.ladders
    ]


def _budget_words(ladder: Ladder, budget: Budget | None) -> str:
    """Say where a budget chooses another size than fidelity does."""
    for step in ladder.steps:
        if _is_of_budget(step, budget) and step is not ladder.chosen:
            return (
                f" The budget, however, chooses {step.size:,} {ladder.unit}: it is this student "
                "that is told of here."
            )
    return ""


def _is_of_budget(step: Step, budget: Budget | None) -> bool:
    return budget is not None and step.student == budget.student


def _chosen_words(front: Front, ladder: Ladder) -> str:
    chosen = ladder.chosen
    size = f"{chosen.size:,} {ladder.unit}"
    if len(ladder.steps) == 1:
        return f"{size}, the only size that was tried."
    if chosen.verdict == "largest":
        return (
            f"{size}, the most that were tried, are to be read, since fewer are not shown to do as "
            "well."
        )
    told = (
        f"{size} are to be read. They do as well as every larger size: beside the best of these, "
        f"{joined(_most_words(gap) for gap in chosen.gaps)} ({front.level:.0%} confidence; "
        f"{_margin(front, chosen)} were allowed)."
    )
    if ladder.tested:
        tested = joined(_most_words(gap) for gap in ladder.tested)
        told += f" On the test rows, which had no say in this: {tested}."
    return told


def _smaller_words(front: Front, ladder: Ladder) -> str:
    """Say why the next smaller size is not read; nothing where there is none."""
    smaller = [step for step in ladder.steps if step.size < ladder.chosen.size]
    if not smaller:
        return ""
    step = smaller[-1]
    worse = _worse_words(front, smaller)
    if step.verdict == "less faithful":
        return worse
    failed = [gap for gap in step.gaps if (gap.most or 0) > front.margin]
    n = front.n_rows if front.n_groups is None else front.n_groups
    if n < front.fewest_rows:
        rows = count(n, "validation row" if front.n_groups is None else "group")
        return (
            f" {rows} are too few to show it of any size, which takes {front.fewest_rows}; that is "
            f"not to say that {'others' if worse else 'smaller ones'} do worse.{worse}"
        )
    return (
        f" Of {step.size:,} it is not shown, which is not to say that they do worse: "
        f"{joined(map(_up_to_words, failed))} {'is' if len(failed) == 1 else 'are'} not ruled out."
        f"{worse}"
    )


def _worse_words(front: Front, steps: Sequence[Step]) -> str:
    """Say which of some sizes are shown to do worse, and by how much the largest of them does."""
    worse = [step for step in steps if step.verdict == "less faithful"]
    if not worse:
        return ""
    largest = f", {worse[-1].size:,} by" if len(worse) > 1 else ":"
    gaps = [gap for gap in worse[-1].gaps if (gap.least or 0) > front.margin]
    sizes = joined([f"{step.size:,}" for step in worse])
    return f" {sizes} do worse{largest} {joined(map(_least_words, gaps))}."


def _most_words(gap: Gap) -> str:
    """Say by how much a size loses more than the best larger one, at the most."""
    most = _at_most(100 * max(gap.most or 0.0, 0.0), 1)
    if gap.measure == "agreement":
        return f"another answer than the teacher's on at most {most:.1f} more of 100 rows"
    return f"at most {most:.1f}% more of the score's variance unexplained"


def _up_to_words(gap: Gap) -> str:
    """Say what is not ruled out, as finely as a bound just beyond the margin asks for."""
    most = _at_most(100 * (gap.most or 0.0), 2)
    if gap.measure == "agreement":
        return f"another answer on up to {most:.2f} more of 100 rows"
    return f"up to {most:.2f}% more of the score's variance unexplained"


def _least_words(gap: Gap) -> str:
    """Say by how much a size loses more than the best larger one, and at the least."""
    excess, least = 100 * (gap.excess or 0.0), -_at_most(-100 * (gap.least or 0.0), 1)
    if gap.measure == "agreement":
        return (
            f"another answer than the teacher's on {excess:.1f} more of 100 rows (at least "
            f"{least:.1f})"
        )
    return f"{excess:.1f}% more of the score's variance unexplained (at least {least:.1f}%)"


def _at_most(bound: float, decimals: int) -> float:
    """Round a bound upwards, so that what is written is true."""
    return math.ceil(bound * 10**decimals - 1e-9) / 10**decimals


def _margin(front: Front, step: Step) -> str:
    both = any(gap.measure == "agreement" for gap in step.gaps)
    return (
        f"{100 * front.margin:g} of 100, and {front.margin:.0%}" if both else f"{front.margin:.0%}"
    )


def _kind(ladder: Ladder) -> str:
    return STUDENT_KINDS.get(ladder.kind, ladder.kind)


def front_meaning(front: Front) -> str:
    """Say on which rows the choice rests, and what its words mean."""
    rows = count(front.n_rows, "validation row")
    if front.n_groups is not None:
        rows += f" ({count(front.n_groups, 'group')})"
    return (
        f"The choice rests on {rows}: training rows of the teacher from which no student learned. "
        "Test rows chose nothing. To do as well is to lose no more beyond any larger student than "
        f"is allowed ({_margin(front, front.ladders[0].chosen)}), which must be shown on these "
        "rows; that no difference was found would not be enough, since on few rows none is ever "
        "found. Sizes are tested from the largest "
        "downwards until one fails, so that for each kind of student all that is said holds "
        f"together with {front.level:.0%} confidence."
    )


def _measures(front: Front) -> list[str]:
    return [gap.measure for gap in front.ladders[0].steps[0].gaps]


def _plot(study: Study, front: Front, measure: str) -> Sizes:
    panels = []
    for ladder in front.ladders:
        validation = tuple(
            Figure.of(next(g.loss for g in step.gaps if g.measure == measure), "share")
            for step in ladder.steps
        )
        test = tuple(_test_loss(study, step.student, measure) for step in ladder.steps)
        sizes = tuple(step.size for step in ladder.steps)
        panels.append(
            Panel(_kind(ladder), ladder.unit, sizes, validation, test, ladder.chosen.size)
        )
    named = LOSSES[measure]
    caption = f"{named}, against the size of a student, with 95% intervals (lower is better)"
    return Sizes(caption, named, tuple(panels))


def _test_loss(study: Study, student: str, measure: str) -> Figure:
    """Turn a fidelity on test rows into a loss."""
    found = study.comparison.get(student, f"fidelity.{measure}")
    if found is None:
        return Figure(float("nan"))
    low, high = (None if end is None else 1 - end for end in (found.high, found.low))
    return Figure(1 - found.value, low, high, found.n, found.level, "share")


def _choice(front: Front, budget: Budget | None) -> Table:
    """Give what the choice rests on: each size's losses, and how much more than larger ones."""
    measures = _measures(front)
    groups = []
    for ladder in front.ladders:
        rows = []
        for step in ladder.steps:
            cells: list[Cell] = [f"{step.size:,} {ladder.unit}"]
            for gap in step.gaps:
                cells.append(Figure.of(gap.loss, "share"))
                cells.append(_excess_words(gap))
            chosen = step is ladder.chosen
            told = ": to be read" if chosen else ""
            if _is_of_budget(step, budget) and not chosen:
                told = ": chosen by the budget"
            cells.append(VERDICTS[step.verdict] + told)
            rows.append(tuple(cells))
        groups.append(RowGroup(started(_kind(ladder)), tuple(rows)))
    columns = ["Size"]
    for measure in measures:
        columns += [LOSSES[measure], "More than the best larger one"]
    return Table(
        f"On {count(front.n_rows, 'validation row')}", (*columns, "Verdict"), tuple(groups)
    )


def _excess_words(gap: Gap) -> str:
    if gap.excess is None or gap.most is None:
        return ""
    return f"{gap.excess:+.3f}, at most {_at_most(gap.most, 3):+.3f}".replace("-", "−")


def _tested(study: Study, front: Front) -> Table:
    """Give the leading figures of every size, on test rows."""
    known = [m for m in TEST_FIGURES if any(s.metric == m for s in study.comparison.metrics)]
    named = [called(metric, study.about.task) for metric in known]
    groups = []
    for ladder in front.ladders:
        rows = []
        for step in ladder.steps:
            cells: list[Cell] = [step.student]
            for metric, of in zip(known, named, strict=True):
                found = study.comparison.get(step.student, metric)
                cells.append(Figure.of(found.estimate, of.form) if found else "")
            rows.append(tuple(cells))
        groups.append(RowGroup(started(_kind(ladder)), tuple(rows)))
    columns = ("Student", *(of.labelled for of in named))
    return Table(f"On {count(study.about.n_test, 'test row')}", columns, tuple(groups))
