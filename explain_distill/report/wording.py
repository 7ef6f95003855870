"""How figures, models and counts are called in a report."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from explain_distill._rounding import down, up
from explain_distill.data.dataset import Task
from explain_distill.report.blocks import Figure, Form
from explain_distill.students.names import STUDENTS

MANY_FEATURES = 10  # of a question, beyond which it is no longer read

STUDENT_KINDS = {
    "soft-tree": "soft tree",
    "decision-tree": "decision tree",
    "boosted-trees": "boosted trees",
    "mlp": "small neural network",
    "additive": "additive model",
}


@dataclass(frozen=True)
class Called:
    """How a figure is called, written, and which way is better."""

    name: str
    form: Form = "number"
    better: str = ""

    @property
    def labelled(self) -> str:
        """The name with an arrow that says which way is better."""
        return f"{self.name} {ARROWS[self.better]}" if self.better else self.name


HIGHER, LOWER = "higher is better", "lower is better"
ARROWS = {HIGHER: "↑", LOWER: "↓"}

FIGURES = {
    "performance.accuracy": Called("Accuracy", "share", HIGHER),
    "performance.balanced_accuracy": Called("Balanced accuracy", "share", HIGHER),
    "performance.roc_auc": Called("Area under the ROC curve", "share", HIGHER),
    "performance.log_loss": Called("Log loss, nats", "number", LOWER),
    "performance.brier": Called("Brier score, 0 to 2", "number", LOWER),
    "performance.ece": Called("Calibration error", "number", LOWER),
    "performance.r2": Called("R² against the truth", "share", HIGHER),
    "performance.mae": Called("Mean absolute error", "number", LOWER),
    "performance.rmse": Called("Root mean squared error", "number", LOWER),
    "performance.accuracy_difference": Called("Accuracy less the teacher's", "share", HIGHER),
    "performance.log_loss_difference": Called("Log loss less the teacher's", "number", LOWER),
    "performance.mae_difference": Called("Mean absolute error less the teacher's", "number", LOWER),
    "fidelity.agreement": Called("Same answer as the teacher", "share", HIGHER),
    "fidelity.beyond_usual": Called("Beyond always the usual answer", "share", HIGHER),
    "fidelity.score_r2": Called("R² of the score", "share", HIGHER),
    "fidelity.kl": Called("Divergence from the teacher, nats", "number", LOWER),
    "fidelity.r2": Called("R² against the teacher", "share", HIGHER),
    "fidelity.mae": Called("Mean absolute distance", "number", LOWER),
    "attribution.rank_correlation": Called("Rank correlation of reasons", "share", HIGHER),
    "attribution.top_k_overlap": Called("Overlap of the leading columns", "share", HIGHER),
    "attribution.sign_agreement": Called("Same sign of the leading columns", "share", HIGHER),
    "attribution.member_rank_correlation": Called(
        "Rank correlation, one member of the teacher", "share", HIGHER
    ),
    "attribution.member_top_k_overlap": Called(
        "Overlap of the leading columns, one member", "share", HIGHER
    ),
    "attribution.member_sign_agreement": Called(
        "Same sign of the leading columns, one member", "share", HIGHER
    ),
    "attribution.retrained_rank_correlation": Called(
        "Rank correlation, teacher trained again", "share", HIGHER
    ),
    "attribution.retrained_top_k_overlap": Called(
        "Overlap of the leading columns, teacher trained again", "share", HIGHER
    ),
    "attribution.retrained_sign_agreement": Called(
        "Same sign of the leading columns, teacher trained again", "share", HIGHER
    ),
    "validation.agreement": Called("Same answer, validation rows", "share", HIGHER),
    "validation.score_r2": Called("R² of the score, validation rows", "share", HIGHER),
    "complexity.size": Called("Size, in its own unit", "count"),
    "complexity.leaves": Called("Leaves", "count"),
    "attribution.rank_agreement": Called("Leading features in the same place", "share", HIGHER),
    "attribution.signed_rank_agreement": Called("The same, with the same sign", "share", HIGHER),
    "attribution.pairwise_rank_agreement": Called("Pairs in the same order", "share", HIGHER),
    "attribution.gap_bound": Called("Largest gap of reasons, at most", "number", LOWER),
    "attribution.relative_gap_bound": Called("Relative gap of reasons, at most", "share", LOWER),
    "faithfulness.deletion": Called("Deletion curve", "share", LOWER),
    "faithfulness.insertion": Called("Insertion curve", "share", HIGHER),
    "faithfulness.infidelity": Called("Infidelity", "share", LOWER),
    "faithfulness.sensitivity": Called("Change of reasons by a small move", "share", LOWER),
    "stability.top_k_overlap": Called("Leading columns shared when made again", "share", HIGHER),
    "stability.rank_correlation": Called("Rank correlation when made again", "share", HIGHER),
    "stability.split_overlap": Called("Splits shared when made again", "share", HIGHER),
    "stability.same_answer": Called("Same answer when made again", "share", HIGHER),
    "stability.score_spread": Called("Spread of scores when made again", "share", LOWER),
    "deferral.kept": Called("Rows it may keep", "share", HIGHER),
    "deferral.disagreement_bound": Called("Disagreement in kept rows, at most", "share", LOWER),
    "complexity.depth": Called("Depth", "count"),
    "complexity.terms": Called("Functions of a feature or two", "count"),
    "complexity.parameters": Called("Parameters", "count"),
    "complexity.features_per_split": Called("Features in a question, at most", "count"),
    "complexity.features_per_leaf": Called("Features in a leaf, on average"),
    "cost.fit_seconds": Called("Time to fit", "seconds", LOWER),
    "cost.row_milliseconds": Called("Time for one row", "milliseconds", LOWER),
    "cost.row_milliseconds_p99": Called(
        "Time of the slowest row in a hundred", "milliseconds", LOWER
    ),
    "cost.rows_per_second": Called("Rows a second, in batches", "count", HIGHER),
    "cost.processors": Called("CPUs at work, in batches"),
    "cost.money_per_million": Called("Money per million predictions, in batches", "number", LOWER),
    "cost.bytes": Called("Size on disk", "bytes", LOWER),
}

GROUPS = {
    "performance": "Performance: closeness to the truth",
    "fidelity": "Fidelity: closeness to the teacher",
    "attribution": "Reasons: agreement with the teacher's attributions",
    "validation": "Fidelity on validation rows, which chose the sizes",
    "faithfulness": "Faithfulness: whether each model's own attributions say what it does",
    "deferral": "Deferral: when it leaves the answer to the teacher",
    "stability": "Stability: what it shares with itself, distilled again (rows: the repeats)",
    "complexity": "Complexity",
    "cost": "Cost",
}

IN_UNITS = (
    *("performance.mae", "performance.rmse"),
    *("performance.mae_difference", "fidelity.mae"),
)


def called(metric: str, task: Task, price: float | None = None) -> Called:
    """Say how a figure is called, in the target's unit, or at the price, where it has one."""
    known = FIGURES.get(metric)
    if known is None:
        return Called(metric)
    if metric in IN_UNITS and task.unit:
        return Called(f"{known.name}, {task.unit}", known.form, known.better)
    if metric == "cost.money_per_million" and price is not None:
        return Called(f"{known.name}, {price_words(price)}", known.form, known.better)
    return known


def price_words(price: float) -> str:
    """Say a price: ``"at 0.05 an hour of one CPU"``."""
    return f"at {price:g} an hour of one CPU"


def spoken(name: str) -> str:
    """Say a model in a sentence: ``"the soft tree"``, ``"the student “small one”"``."""
    if name == "teacher":
        return "the teacher"
    kind, _, size = name.rpartition("-")
    if kind in STUDENT_KINDS and size.isdecimal():
        return f"the {STUDENT_KINDS[kind]} with {int(size):,} {STUDENTS[kind].SIZE_UNIT}"
    return f"the {STUDENT_KINDS[name]}" if name in STUDENT_KINDS else f"the student “{name}”"


def how_many(n: int) -> str:
    """Write a small number as a word, to begin a sentence."""
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[n] if n < len(words) else f"{n:,}"


def count(n: int, one: str, many: str | None = None) -> str:
    """Say how many: ``"1 row"``, ``"1,200 rows"``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def joined(words: Iterable[str], most: int = 8, last: str = "and") -> str:
    """Write names one after another, the rest as a count."""
    names = list(words)
    if len(names) > most:
        return ", ".join(names[:most]) + f" {last} {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + f" {last} {names[-1]}"


def told_apart(names: Iterable[str]) -> list[str]:
    """Put names that hold a comma in quotation marks, so that a list of them can be read."""
    return [f"“{name}”" if "," in name else name for name in names]


def many_features_words(most: int) -> str:
    """Say of a question of many features that nobody reads it; nothing of few."""
    if most <= MANY_FEATURES:
        return ""
    return (
        "Nobody weighs so many at once: the drawing names the two heaviest terms of a question. "
        "With --max-features 5 a question has five features at the most. "
    )


def hundreds(share: float) -> str:
    """Say a share as so many of 100; what is not all of them is not written as 100."""
    if not math.isfinite(share):
        return "an unknown number"
    digits = next((d for d in range(4) if share in (0, 1) or 0 < round(100 * share, d) < 100), 4)
    return f"{100 * share:.{digits}f}"


def percent(share: float) -> str:
    """Say a share in percent: ``"31%"``, ``"2.4%"``, ``"<0.1%"``."""
    if 0 < share < 0.001:
        return "<0.1%"
    if 0.0095 <= share < 0.01:
        return "<1%"
    return f"{share:.0%}" if share >= 0.095 or share == 0 else f"{100 * share:.1f}%"


def started(words: str) -> str:
    """Begin a sentence."""
    return words[:1].upper() + words[1:]


def interval_words(figure: Figure, *, of_hundred: bool = False) -> str:
    """Say an interval: ``"95% interval 0.95 to 1.00"``, or of 100 rows ``"… 95.1 to 99.6"``."""
    if figure.low is None or figure.high is None or figure.level is None:
        return "no interval"
    told = figure.interval
    if of_hundred:
        told = f"{down(100 * figure.low, 1):.1f} to {up(100 * figure.high, 1):.1f}"
    return f"{figure.level:.0%} interval {told}"
