"""Figures turned into worded, graded statements by rules that anyone can check.

A grade follows from the end of an interval or from a bound, never from a figure as estimated: what
is not shown is not granted. The rules are `RULES`, and every statement carries the figures that it
rests on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from explain_distill._types import Json

if TYPE_CHECKING:
    from explain_distill.audit.compare import Comparison

Grade = Literal["yes", "partly", "no", "not shown"]
About = Literal["answers", "reasons", "deferral", "regions"]

RULES: dict[str, str] = {
    "answers": (
        "The lower end of the interval of agreement (of R² for values): yes from 0.95, partly from "
        "0.85, else no."
    ),
    "reasons": (
        "The certificate's relative bound: yes up to 0.15, partly up to 0.4, else no. Without a "
        "certificate it is not shown."
    ),
    "deferral": (
        "The share of rows that the stated rule keeps, on rows that did not choose it: yes from "
        "0.8, partly below; not shown where no threshold passed."
    ),
    "regions": "Yes where no region was confirmed, partly where one was.",
}
ANSWERS_YES, ANSWERS_PARTLY = 0.95, 0.85
REASONS_YES, REASONS_PARTLY = 0.15, 0.4
KEPT_YES = 0.8


@dataclass(frozen=True)
class Finding:
    """One statement on a student.

    Parameters
    ----------
    about : {"answers", "reasons", "deferral", "regions"}
    grade : {"yes", "partly", "no", "not shown"}
        Whether it may be relied upon in this.
    words : str
    figures : tuple of str
        What it rests on, by the names of results.json.
    """

    about: About
    grade: Grade
    words: str
    figures: tuple[str, ...]

    def to_json(self) -> Json:
        """Give the statement as a JSON object."""
        return asdict(self) | {"figures": list(self.figures), "rule": RULES[self.about]}


def findings(comparison: Comparison, name: str) -> tuple[Finding, ...]:
    """Give what may be said of a student, in the order in which it is asked."""
    told = [_answers(comparison, name)]
    if name in comparison.trust:
        told += [
            _reasons(comparison, name),
            _deferral(comparison, name),
            _regions(comparison, name),
        ]
    return tuple(each for each in told if each is not None)


def _answers(comparison: Comparison, name: str) -> Finding | None:
    metric = "fidelity.agreement"
    found = comparison.get(name, metric)
    if found is None:
        metric = "fidelity.r2"
        found = comparison.get(name, metric)
    if found is None:
        return None
    low = found.value if found.low is None else found.low
    values = metric == "fidelity.r2"
    shown = f"{found.value:.3f}" if values else f"{found.value:.1%}"
    end = f"{low:.3f}" if values else f"{low:.1%}"
    what = (
        f"R² of its values {shown}" if values else f"the same answer in {shown} of {found.n} rows"
    )
    grade: Grade = "no"
    words = f"It does not give the teacher's answers: {what}, at least {end}."
    if low >= ANSWERS_YES:
        grade, words = "yes", f"It gives the teacher's answers: {what}, at least {end}."
    elif low >= ANSWERS_PARTLY:
        grade, words = "partly", f"It mostly gives the teacher's answers: {what}, at least {end}."
    return Finding("answers", grade, words, (metric,))


def _reasons(comparison: Comparison, name: str) -> Finding:
    certificate = comparison.trust[name].certificate
    figures = ("attribution.relative_gap_bound", "attribution.gap_bound")
    if certificate is None or certificate.relative_bound is None:
        why = (
            "held-out rows are too few for a certificate"
            if certificate is None
            else "the teacher gives no feature any weight"
        )
        return Finding("reasons", "not shown", f"Whether its reasons are the teacher's: {why}.", ())
    bound = certificate.relative_bound
    what = (
        f"over the teacher's leading {len(certificate.leading)} features its attributions are off "
        f"by at most {bound:.0%} of the teacher's own, on the mean"
    )
    if bound <= REASONS_YES:
        words = f"Its reasons may be read as the teacher's: {what}."
        return Finding("reasons", "yes", words, figures)
    if bound <= REASONS_PARTLY:
        words = f"Its reasons are roughly the teacher's, in order more than in size: {what}."
        return Finding("reasons", "partly", words, figures)
    words = f"Do not read its reasons as the teacher's: {what}."
    return Finding("reasons", "no", words, figures)


def _deferral(comparison: Comparison, name: str) -> Finding:
    rule = comparison.trust[name].deferrals[0]
    figures = ("deferral.kept", "deferral.disagreement_bound")
    sure = f"with {1 - rule.delta:.0%} confidence it disagrees with the teacher in at most"
    if rule.threshold is None or rule.kept is None:
        words = (
            f"No rule was found by which {sure} {rule.alpha:.0%} of the rows that it keeps; "
            f"{rule.n_calibration} rows were there to show it, and {rule.least_rows} without any "
            "disagreement are needed at least."
        )
        return Finding("deferral", "not shown", words, figures)
    kept = rule.kept.value
    words = f"It need leave no row to the teacher: {sure} {rule.alpha:.0%} of the rows."
    if not rule.keeps_all:
        left = "few rows" if kept > 0.99 else f"{1 - kept:.0%} of the rows"
        words = f"If it leaves {left} to the teacher, {sure} {rule.alpha:.0%} of the others."
    return Finding("deferral", "yes" if kept >= KEPT_YES else "partly", words, figures)


def _regions(comparison: Comparison, name: str) -> Finding:
    regions = comparison.trust[name].regions
    if not regions:
        words = "No part of the rows was found in which it disagrees more often than elsewhere."
        return Finding("regions", "yes", words, ())
    first = regions[0]
    more = f" {len(regions) - 1} more are listed." if len(regions) > 1 else ""
    words = (
        f"It does not speak for the teacher where {first.words}: they disagree in "
        f"{first.inside.value:.0%} of such rows, and in {first.outside.value:.0%} of the others."
        f"{more}"
    )
    return Finding("regions", "partly", words, ())
