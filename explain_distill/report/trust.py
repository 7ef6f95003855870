"""Can a student be trusted? What it may claim, how far, and on what rows that rests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explain_distill._rounding import percent, short, up
from explain_distill.audit.certificate import Certificate
from explain_distill.audit.deferral import MEANING, Deferral
from explain_distill.audit.findings import RULES, Finding, findings
from explain_distill.report.blocks import (
    Block,
    Cell,
    Figure,
    Form,
    Listing,
    Paragraph,
    RowGroup,
    Section,
    Table,
)
from explain_distill.report.wording import count, spoken, started

if TYPE_CHECKING:
    from explain_distill.audit.comparison import Comparison
    from explain_distill.audit.regions import Region
    from explain_distill.audit.row_gap import RowGap
    from explain_distill.audit.stability import Stability
    from explain_distill.metrics.intervals import Estimate
    from explain_distill.study.study import Study

GRADES = {"yes": "Yes", "partly": "Partly", "no": "No", "not shown": "Not shown"}
MOST_WRITTEN = 100_000_000  # coalitions; nobody will draw as many
NOT_REPEATED = (
    " Whether a student is the same each time was not asked: the option stability of a run, or "
    "redistill in Python, asks it."
)
HASTY = (
    " This was a quick run, for a first look: a quarter of the training, and a twentieth of the "
    "draws."
)
RIGHT = (
    "All answers are about the teacher: whether it is right itself is told by its performance on "
    "the same rows."
)
QUESTIONS = {
    "answers": "The teacher's answers?",
    "reasons": "The teacher's reasons?",
    "deferral": "Alone, rarely disagreeing?",
    "regions": "Everywhere alike?",
    "stability": "The same each time?",
}
DEFINITIONS = {
    "answers": "Agreement: the share of test rows in which student and teacher give the same most "
    "probable class; of values, R² of the student's against the teacher's.",
    "reasons": "The certificate: an upper bound on the mean distance between the student's and the "
    "teacher's Shapley values of the score, feature by feature, measured on held-out rows with "
    "fresh coalitions.",
    "deferral": "Deferral: where the student is not reliable enough, the teacher is asked. The "
    "threshold is chosen on one half of the test rows so that disagreement among kept rows is "
    "bounded, and judged on the other half.",
    "regions": "Regions: parts of the rows, described by at most three conditions, found on one "
    "half of the test rows and confirmed on the other, corrected for how many were tried, of all "
    "students together.",
    "stability": "Stability: the student distilled again, on resampled training rows and from "
    "other seeds, the teacher staying as it is. Splits are the same where they part the test rows "
    "alike, wherever in the tree they stand.",
}


def trust_section(study: Study) -> Section:
    """Say what each student may claim."""
    comparison = study.leading
    blocks: list[Block] = [
        Paragraph(
            "May a student be read or run in its teacher's place? Each answer follows by a fixed "
            "rule from the end of an interval or from a bound: what is not shown is not granted."
        ),
        _answers_table(study),
        *(_named(name, findings(comparison, name)) for name in comparison.students),
        Paragraph("The rules:"),
        Listing(tuple(f"{QUESTIONS[about]} {rule}" for about, rule in RULES.items())),
    ]
    tables = (asked_of(comparison, name, about) for name in comparison.trust for about in QUESTIONS)
    blocks += [table for table in tables if table is not None]
    blocks.append(Paragraph(assumptions(study)))
    return Section("trust", "Can I trust it?", tuple(blocks))


def trust_words(study: Study) -> list[str]:
    """Say in a few lines whether the student that is to be read can be trusted."""
    name = study.recommended
    told = findings(study.comparison, name)
    lines = [f"Can {spoken(name)} be trusted?"]
    return lines + [f"  {QUESTIONS[f.about]} {GRADES[f.grade]}. {f.words}" for f in told]


def _answers_table(study: Study) -> Table:
    """Give the grades: a row a question, a column a student."""
    comparison = study.leading
    names = list(comparison.students)
    told = {name: {each.about: each for each in findings(comparison, name)} for name in names}
    rows = []
    for about, question in QUESTIONS.items():
        found = [told[name].get(about) for name in names]  # type: ignore[call-overload]
        cells: list[Cell] = ["" if each is None else GRADES[each.grade] for each in found]
        if any(cells):
            rows.append((question, *cells))
    return Table("", ("Does it give", *names), (RowGroup("", tuple(rows)),))


def _named(name: str, told: tuple[Finding, ...]) -> Listing:
    return Listing(tuple(f"{started(spoken(name))}: {each.words}" for each in told))


def asked_of(comparison: Comparison, name: str, about: str) -> Table | None:
    """Give the table that one answer on a student rests on, where there is one."""
    trust = comparison.trust.get(name)
    if trust is None:
        return None
    if about == "reasons" and trust.certificate is not None and trust.certificate.leading:
        n_scores = comparison.reasons.reference["teacher"].values.shape[2]
        return gaps_table(spoken(name), trust.certificate, n_scores)
    if about == "deferral":
        return deferrals_table(spoken(name), trust.deferrals, trust.tolerance)
    if about == "regions" and trust.regions:
        return regions_table(spoken(name), trust.regions, trust.tolerance)
    if about == "stability" and trust.stability is not None:
        chance = comparison.reasons.chance()["top_k_overlap"]
        return stability_table(spoken(name), trust.stability, chance)
    return None


def gaps_table(name: str, certificate: Certificate, n_scores: int) -> Table:
    """Give the certificate of the features that matter most to the teacher."""
    unit = "the value" if n_scores == 1 else "the score"
    largest = " Of each row that class counts in which a figure is largest." if n_scores > 2 else ""
    bound = certificate.leading_bound
    together = ""
    if bound is not None and len(certificate.leading) > 1:
        together = (
            f"; the leading {len(certificate.leading)}, chosen on other rows, are together off by "
            f"at most {percent(bound, up)} of the teacher's own"
        )
    rows = [
        (
            each.player,
            Figure(each.importance),
            Figure(each.gap),
            Figure(each.bound),
            Figure(each.bound_without_tails),
            "more" if each.leaning > 0 else "less" if each.leaning < 0 else "undecided",
        )
        for each in certificate.leading
    ]
    title = (
        f"{started(name)}: how far its reasons can be from the teacher's, in units of {unit}, "
        f"with {certificate.level:.0%} confidence for all features together. "
        f"{count(certificate.n, 'held-out row')}, {certificate.n_draws} fresh coalitions each. "
        f"Shown are the features that matter most to the teacher on these draws{together}."
        f"{largest} "
        "The student says more, or less, where it is shown to make more, or less, of a feature "
        "than the teacher does, on the mean; else which of the two is undecided. "
        "The bound for any n holds for any number of rows if no row's gap exceeds "
        f"{short(certificate.highest, 3)}, which is twice the largest that was seen."
    )
    columns = (
        "Feature",
        "The teacher's own",
        "Gap as measured",
        "Gap at most",
        "At most, for any n",
        "The student says",
    )
    return Table(title, columns, (RowGroup("", tuple(rows)),))


def _disagree(tolerance: float | None) -> str:
    """Say when two values disagree; nothing of classes, which are the same or not."""
    if tolerance is None:
        return ""
    return f" Values disagree that are further apart than {short(tolerance)}."


def regions_table(name: str, regions: tuple[Region, ...], tolerance: float | None) -> Table:
    """Give the regions in which a student disagrees more often than elsewhere."""
    rows = tuple(
        (
            region.words,
            Figure.of(region.inside, "share"),
            Figure.of(region.outside, "share"),
            f"{region.inside.n:,}",
        )
        for region in regions
    )
    title = f"{started(name)}: where it disagrees with the teacher more often than elsewhere"
    if tolerance is not None:
        title += f".{_disagree(tolerance)}"
    columns = ("Where", "Disagreement there", "Elsewhere", "Rows there")
    return Table(title, columns, (RowGroup("", rows),))


def row_gap_table(told: RowGap, names: Sequence[str], shown: int) -> Table:
    """Give the columns of one row that matter most to the teacher, and how far apart reasons are.

    Columns that are not shown are named by the largest of their bounds.
    """
    order = np.argsort(-np.abs(told.teacher), kind="stable")
    rows: list[tuple[Cell, ...]] = [
        (
            names[i],
            Figure(told.teacher[i]),
            Figure(told.student[i]),
            Figure(told.student[i] - told.teacher[i], told.low[i], told.high[i])
            if told.met[i]
            else "none met",
            Figure(told.most[i]) if told.met[i] else "",
        )
        for i in order[:shown]
    ]
    left = order[shown:]
    if len(left):
        words = f"each of {count(len(left), 'further feature')}"
        most = float(told.most[left].max())
        rows.append((words, "", "", "", Figure(most) if told.met[left].any() else ""))
    title = (
        f"Shapley values of this row's score by {told.n_walks:,} fresh walks, the same for both. "
        f"All differences together lie in their intervals with {told.level:.0%} confidence, if no "
        "walk of a kind that is rarer than one in some hundred differs much more: such a one may "
        "not have been met. What is uncertain is the walks, and no other row is spoken of."
    )
    columns = ("Feature", "The teacher", "The student", "Difference", "Apart by at most")
    return Table(title, columns, (RowGroup("", tuple(rows)),))


def stability_table(name: str, told: Stability, chance: float) -> Table:
    """Give what a student has in common with itself distilled again."""
    spread = told.estimates().get("stability.score_spread")
    figures: tuple[tuple[str, Estimate | None, Form], ...] = (
        (
            f"Leading features of a row that both give (chance: {chance:.0%})",
            told.top_k_overlap,
            "share",
        ),
        ("Rank correlation of their reasons", told.rank_correlation, "number"),
        ("Splits that both make", told.split_overlap, "share"),
        ("Rows given the same answer", told.same_answer, "share"),
        ("Spread of a row's score, in that of all rows", spread, "number"),
    )
    rows = tuple(
        (words, Figure.of(each, form)) for words, each, form in figures if each is not None
    )
    title = (
        f"{started(name)}: what it shares with itself, distilled again "
        f"{count(told.n_repeats, 'time')}. {choice_words(told)}"
    )
    return Table(title, ("", "Mean"), (RowGroup("", rows),))


def choice_words(told: Stability) -> str:
    """Say whether fresh coalitions would choose the same of all distillations each time."""
    choice, of = told.choice, f"Of the {told.n_repeats + 1} distillations"
    if choice.reproducible:
        which = "this one"
        if choice.chosen:
            which = f"the repeat {choice.chosen}, which is kept in the study's folder,"
        return (
            f"{of}, {which} is closest to the teacher; {choice.n_coalitions:,} fresh coalitions "
            "choose it again with 95% confidence."
        )
    if choice.needed is None:
        return f"{of}, two are equally close to the teacher: no number of coalitions parts them."
    return (
        f"{of}, which is closest to the teacher cannot be told from {choice.n_coalitions:,} fresh "
        f"coalitions; {_about(choice.needed)} would be needed."
    )


def _about(count: int) -> str:
    """Write a large count with two digits that mean something, rounded upwards."""
    if count > MOST_WRITTEN:
        return f"more than {MOST_WRITTEN:,}"
    unit = 10 ** max(len(str(count)) - 2, 0)
    return f"about {-(-count // unit) * unit:,}"


def deferrals_table(name: str, deferrals: tuple[Deferral, ...], tolerance: float | None) -> Table:
    """Give what each way to tell reliability makes of the rows; the first is the stated one."""
    rows = []
    for rule in deferrals:
        cells: tuple[Cell, ...] = ("none passed", "", "")
        if rule.kept is not None:
            bound = "" if rule.bound is None else Figure(rule.bound, form="share")
            seen: Cell = "" if rule.disagreement is None else Figure.of(rule.disagreement, "share")
            cells = (Figure.of(rule.kept, "share"), bound, seen)
        rows.append((f"{rule.reliability}: {MEANING[rule.reliability]}", *cells))
    stated = deferrals[0]
    title = (
        f"{started(name)}: rows that it may keep so that, with {100 * (1 - stated.delta):.10g}% "
        f"confidence, at most {100 * stated.alpha:.10g}% of them disagree.{_disagree(tolerance)} "
        "The first line is the rule that is stated; the others, for comparison, each hold by "
        "themselves."
    )
    columns = ("Reliability", "Kept", "Disagreement at most", "Disagreement seen")
    return Table(title, columns, (RowGroup("", tuple(rows)),))


def assumptions(study: Study) -> str:
    """Say on which rows it rests, and what is assumed of them."""
    rows = next(iter(study.leading.trust.values())).deferrals[0].n_calibration
    drawn = ", and draws its background rows from the training rows"
    if study.about.schema.molecules is not None:
        drawn = ", and tells them against methane"
    return (
        f"All of it rests on the {count(study.about.n_test, 'test row')}, and on that the rows of "
        "which the student will be used are drawn as these are. The certificate takes all of them, "
        f"since nothing is chosen for it{drawn}; "
        f"{rows:,} of them chose thresholds and regions, the others judged them."
        f"{'' if study.comparison.repeats else NOT_REPEATED}"
        f"{HASTY if study.about.configuration.get('quick') else ''} {RIGHT}"
    )
