"""Figures turned into worded, graded statements by rules that anyone can check.

A grade follows from the end of an interval or from a bound, never from a figure as estimated: what
is not shown is not granted. The rules are `RULES`, and every statement carries the figures that it
rests on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from explain_distill._rounding import digits_that_part, down, percent, short, up
from explain_distill._types import Json

if TYPE_CHECKING:
    from explain_distill.audit.comparison import Comparison, Metric
    from explain_distill.audit.deferral import Deferral
    from explain_distill.audit.stability import Stability
    from explain_distill.metrics.intervals import Estimate

Grade = Literal["yes", "partly", "no", "not shown"]
About = Literal["answers", "reasons", "deferral", "regions", "stability"]

RULES: dict[str, str] = {
    "answers": (
        "Yes where agreement (R² for values) is shown to be at least 0.95, partly where at least "
        "0.85, no where it is shown to be below 0.85; else, and without an interval, not shown. "
        "Not shown, too, where always giving the teacher's most frequent answer is not shown to "
        "agree in fewer rows. "
        "Yes, too, where values are exactly the teacher's in each row. Of values, fewer than 20 "
        "rows, or groups of rows, show nothing."
    ),
    "reasons": (
        "All gaps of attributions together, as a share of all of the teacher's importance: yes "
        "where they are shown to be at most 0.15, partly at most 0.4, no where they are shown to "
        "be more than 0.4; else not shown."
    ),
    "deferral": (
        "The share of rows that the stated rule keeps, on rows that did not choose it: yes where "
        "it is shown to be at least 0.8, partly where less is; not shown where no threshold passed."
    ),
    "regions": (
        "Partly where a region was confirmed. Where none was, yes if a region of a tenth of the "
        "rows with a fifth of them wrong would have shown more errors than there were; else not "
        "shown."
    ),
    "stability": (
        "Distilled again on resampled rows, by what other repeats would give: yes where it is "
        "shown to share at least 0.7 of a row's leading features with itself, of what chance "
        "leaves, and, if it is a tree, of its splits; partly where at least 0.4 of both; no where "
        "less of one; else not shown. A yes takes 12 repeats or more, 23 where half of all "
        "features lead."
    ),
}
ANSWERS_YES, ANSWERS_PARTLY = 0.95, 0.85
LEAST_VALUES = 20
REASONS_YES, REASONS_PARTLY = 0.15, 0.4
KEPT_YES = 0.8
SAME_YES, SAME_PARTLY = 0.7, 0.4
REGION_SHARE, REGION_WRONG = 0.1, 0.2


@dataclass(frozen=True)
class Finding:
    """One statement on a student.

    Parameters
    ----------
    about : {"answers", "reasons", "deferral", "regions", "stability"}
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
        stability = comparison.trust[name].stability
        if stability is not None:
            told.append(_stability(stability, comparison.reasons.chance()["top_k_overlap"]))
    return tuple(told)


def _answers(comparison: Comparison, name: str) -> Finding:
    metric = "fidelity.agreement"
    found = comparison.get(name, metric)
    if found is None:
        metric = "fidelity.r2"
        found = comparison.get(name, metric)
    if found is None:
        words = "Whether it gives the teacher's answers: the teacher's do not vary."
        return Finding("answers", "not shown", words, ())
    values = metric == "fidelity.r2"
    shown = _share_words(found.value, found.value, values)
    what = (
        f"R² of its values {shown}" if values else f"the same answer in {shown} of {found.n} rows"
    )
    enough = not values or _independent_rows(comparison, name, found) >= LEAST_VALUES
    if values and enough and found.value == 1 and found.low is None:
        words = f"It gave the teacher's values in each of {found.n} rows."
        return Finding("answers", "yes", words, (metric,))
    if found.low is None or found.high is None or not enough:
        words = f"Whether it gives the teacher's answers: {what}, which are too few to say more."
        return Finding("answers", "not shown", words, (metric,))
    beyond = comparison.get(name, "fidelity.beyond_usual")
    if beyond is not None and (beyond.low or 0.0) <= 0 and found.low >= ANSWERS_PARTLY:
        usual = found.value - beyond.value
        same = _share_words(usual, usual, values=False)
        words = (
            f"Whether it gives the teacher's answers: {what}, and always giving the teacher's most "
            f"frequent answer would do in {same}, which is not shown to be less often."
        )
        return Finding("answers", "not shown", words, (metric,))
    end = _share_words(found.low, found.value, values, down)
    most = _share_words(found.high, found.value, values, up)
    grade: Grade = "not shown"
    words = f"Whether it gives the teacher's answers is not decided: {what}, from {end} to {most}."
    if found.low >= ANSWERS_YES:
        grade, words = "yes", f"It gives the teacher's answers: {what}, at least {end}."
    elif found.low >= ANSWERS_PARTLY:
        grade, words = "partly", f"It mostly gives the teacher's answers: {what}, at least {end}."
    elif found.high < ANSWERS_PARTLY:
        grade, words = "no", f"It does not give the teacher's answers: {what}, at most {most}."
    return Finding("answers", grade, words, (metric,))


def _independent_rows(comparison: Comparison, name: str, found: Metric) -> int:
    """Give the rows that a figure rests on, or the groups that they come in; 0 of too few."""
    trust = comparison.trust.get(name)
    if trust is None:
        return found.n or 0
    return min(found.n or 0, trust.certificate.n_independent) if trust.certificate else 0


def _share_words(
    value: float, of: float, values: bool, towards: Callable[[float, int], float] = round
) -> str:
    """Write an agreement in percent or an R², its bounds rounded away from what they bound.

    So many digits are written that what is not whole is not written as whole. How far below 0 an R²
    lies says nothing more.
    """
    if value < 0:
        return "less than 0"
    unit, least, sign = (1, 3, "") if values else (100, 1, "%")
    digits = digits_that_part(unit * of, unit, least)
    return f"{towards(unit * value, digits):.{digits}f}{sign}"


def _reasons(comparison: Comparison, name: str) -> Finding:
    certificate = comparison.trust[name].certificate
    figures = ("attribution.relative_gap_bound", "attribution.gap_bound")
    if certificate is None or certificate.relative_bound is None:
        grouped = comparison.trust[name].deferrals[0].n_groups is not None
        why = (
            f"held-out {'groups of rows' if grouped else 'rows'} are too few for a certificate"
            if certificate is None
            else "the teacher is not shown to give any feature weight"
        )
        return Finding("reasons", "not shown", f"Whether its reasons are the teacher's: {why}.", ())
    bound, least = certificate.relative_bound, certificate.relative_least
    what = (
        "over all features, on the mean, its attributions are off by at most "
        f"{percent(bound, up)} of the teacher's own"
    )
    if bound == 0:
        words = f"Its reasons were the teacher's in each of {certificate.n} rows."
        return Finding("reasons", "yes", words, figures)
    if bound <= REASONS_YES:
        words = f"Its reasons may be read as the teacher's: {what}."
        return Finding("reasons", "yes", words, figures)
    if bound <= REASONS_PARTLY:
        words = f"Its reasons are roughly the teacher's: {what}."
        return Finding("reasons", "partly", words, figures)
    if least is not None and least > REASONS_PARTLY:
        words = (
            "Do not read its reasons as the teacher's: over all features, on the mean, its "
            f"attributions are off by {percent(least, down)} of the teacher's own or more."
        )
        return Finding("reasons", "no", words, figures)
    words = f"Do not read its reasons as the teacher's, which was not shown: {what}."
    return Finding("reasons", "not shown", words, figures)


def _deferral(comparison: Comparison, name: str) -> Finding:
    rule, apart = comparison.trust[name].deferrals[0], _apart(comparison, name)
    figures = ("deferral.kept", "deferral.disagreement_bound")
    alpha, confidence = f"{100 * rule.alpha:.10g}%", f"{100 * (1 - rule.delta):.10g}%"
    sure = f"with {confidence} confidence it disagrees with the teacher in at most"
    there = f"{rule.n_calibration} rows"
    if rule.n_groups is not None:
        there = f"{rule.n_groups} groups of rows that belong together"
        apart += ", if groups that were not seen are no larger than those that were"
    if rule.threshold is None or rule.kept is None:
        words = (
            f"No rule was found by which {sure} {alpha} of the rows that it keeps{apart}; "
            f"{there} were there to show it, and {rule.least_rows} without any disagreement are "
            "needed at least."
        )
        return Finding("deferral", "not shown", words, figures)
    kept = rule.kept.value
    words = f"It need leave no row to the teacher: {sure} {alpha} of the rows{apart}."
    if not rule.keeps_all:
        left = "few rows" if kept > 0.99 else f"{1 - kept:.0%} of the rows"
        words = f"If it leaves {left} to the teacher, {sure} {alpha} of the others{apart}."
    words += _judged_words(rule)
    shown = rule.kept.low is not None and rule.kept.low >= KEPT_YES
    return Finding("deferral", "yes" if shown else "partly", words, figures)


def _judged_words(rule: Deferral) -> str:
    """Say how often the student disagreed in the kept rows that had no say in the rule."""
    seen = rule.disagreement
    if seen is None or not seen.n or seen.value == 0 or seen.high is None:
        return ""
    most = percent(seen.high, up)
    return (
        f" Of {seen.n:,} kept rows that had no say in this, it disagreed in "
        f"{round(seen.value * seen.n):,}, which leaves up to {most} open."
    )


def _apart(comparison: Comparison, name: str) -> str:
    """Say what it is for values to disagree; nothing of classes."""
    apart = comparison.trust[name].tolerance
    return "" if apart is None else f" (values disagree that are over {short(apart)} apart)"


def _regions(comparison: Comparison, name: str) -> Finding:
    trust = comparison.trust[name]
    regions = trust.regions
    if not regions:
        words = "No part of the rows was found in which it disagrees more often than elsewhere"
        share = trust.most_disagreement
        if share is not None and share < REGION_SHARE * REGION_WRONG:
            return Finding("regions", "yes", f"{words}.", ())
        words += ", but there were too few rows, or too many errors, to rule out a small one."
        return Finding("regions", "not shown", words, ())
    first = regions[0]
    more = f" {len(regions) - 1} more are listed." if len(regions) > 1 else ""
    words = (
        f"It does not speak for the teacher where {first.words}: they disagree in "
        f"{first.inside.value:.0%} of such rows, and in {first.outside.value:.0%} of the others"
        f"{_apart(comparison, name)}."
        f"{more}"
    )
    return Finding("regions", "partly", words, ())


def _stability(told: Stability, chance: float) -> Finding:
    overlap, splits, least = told.top_k_overlap, told.split_overlap, told.least_split_overlap
    figures = ["stability.top_k_overlap"] + ([] if splits is None else ["stability.split_overlap"])
    shares = [_beyond(overlap, chance)] if chance < 1 else []
    shares += [] if splits is None else [_beyond(splits, 0.0)]
    grade: Grade = max((_graded(*share) for share in shares), key=_ORDER.index, default="not shown")
    shared = f"{overlap.value:.0%} of a row's leading features"
    if splits is not None and least is not None:
        shared += f" and {splits.value:.0%} of its splits (at the least {least:.0%})"
    words = {
        "yes": "It is much the same each time",
        "partly": "Parts of it change each time",
        "no": "It is another each time, so do not read what it asks as a fact about the teacher",
        "not shown": "Whether it is the same each time is not shown",
    }[grade]
    words += f": distilled again {told.n_repeats} times on resampled rows, it shares {shared}."
    alike = bool(shares) and all(value >= SAME_YES for _, value, _ in shares)
    if grade in ("partly", "not shown") and alike and (least is None or least >= SAME_PARTLY):
        words = (
            f"On the mean, it was much the same the {told.n_repeats} times that it was distilled "
            f"again on resampled rows, which do not show it of others: it shares {shared}."
        )
    return Finding("stability", grade, words, tuple(figures))


_ORDER: tuple[Grade, ...] = ("yes", "partly", "not shown", "no")


def _beyond(shared: Estimate, chance: float) -> tuple[float, float, float]:
    """Give a share's lower end, itself and its upper end, of what chance leaves."""
    ends = (shared.low or 0.0, shared.value, 1.0 if shared.high is None else shared.high)
    low, value, high = ((each - chance) / (1 - chance) for each in ends)
    return low, value, high


def _graded(low: float, _: float, high: float) -> Grade:
    if low >= SAME_YES:
        return "yes"
    if low >= SAME_PARTLY:
        return "partly"
    return "no" if high < SAME_PARTLY else "not shown"
