"""Figures and findings in words: labels, numbers, sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from explain_distill._rounding import down, up
from explain_distill.audit.comparison import Comparison, Metric
from explain_distill.audit.reasons import Reasons
from explain_distill.data.dataset import Task
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.report.blocks import Form
from explain_distill.report.judgement import FAITHFULNESS_WORDS, SENSITIVITY_WORDS, ceiling_words
from explain_distill.report.reading import known_rows
from explain_distill.report.wording import FIGURES, how_many, many_features_words
from explain_distill.students.additive import Additive
from explain_distill.students.base import Student
from explain_distill.students.decision_tree import DecisionTree
from explain_distill.students.decision_tree_words import missing_words
from explain_distill.students.nodes import ReadableTree, has_linear_leaves, linear_leaves_words
from explain_distill.students.soft_tree import SoftTree
from explain_distill.study.about import About
from explain_distill.study.study import Study

NARROW_SPACE = "\u202f"
NAMED_CLASSES = 6
NO_WALKS = "The teacher and the rows are needed for this; this study does not hold both."
OTHER_WALKS = (
    "These walks are others, and for this row more, than those of the bars above, which serve for "
    "all rows and models; both are estimates, and the bars come without an interval."
)
NOT_KEPT = "The rows' values were not kept in this study; scores and attributions were."
OWN_NOTE = (
    "Each model is told here by the method that suits its kind. The methods differ, and so do the "
    "sizes they give: read each panel for itself, and compare models under 'same draws'."
)
SUMS_NOTE = (
    "The base is the model's mean score over the background rows that were drawn for this row; "
    "another row has drawn others. The features' shares, added to it, give the model's score of "
    "this row. One row's shares rest on its draws alone, so small ones, and their order, are "
    "uncertain: the switch below tells by how much."
)
OWN_SUMS_NOTE = (
    "The base is where each model's own method begins. The features' shares, added to it, give the "
    "model's score of this row."
)
SUMS_OF_MOLECULES = (
    "The base is the score of methane, which stands for nothing. The fragments' shares, added to "
    "it, give the model's score of this molecule."
)
SIZES_NOTE = (
    "Filled marks are of validation rows, which choose; hollow ones of test rows, which judge. The "
    "chosen size is blue."
)
TOO_DEEP = "This tree has too many questions to draw; its words are below."
MARKDOWN = frozenset("&\\`*_{}[]()#+-.!|$<>~:")


# -- numbers ---------------------------------------------------------------------------------------


def significant(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits, without an exponent."""
    if not math.isfinite(value):
        return "not defined"
    size = math.floor(math.log10(abs(value))) if value else 0
    return _grouped(value, max(0, digits - 1 - size))


def signed(value: float, digits: int = 3) -> str:
    """Write a change with its sign."""
    told = significant(value, digits)
    return told if told.startswith("−") or value == 0 else f"+{told}"


def share(value: float) -> str:
    """Write a figure whose best is 1, with three decimals."""
    if value == 0:
        return "0"
    return _grouped(value, 3) if math.isfinite(value) else "not defined"


def percent(value: float) -> str:
    """Write a share as a percentage with one decimal: ``99.3%``."""
    return f"{100 * value:.1f}%"


def size(n_bytes: float) -> str:
    """Write a size on disk: ``5.6 kB``."""
    for unit, scale in (("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= scale:
            return f"{significant(n_bytes / scale)} {unit}"
    return f"{n_bytes:.0f} bytes"


def value(number: float, form: Form) -> str:
    """Write a figure by its form."""
    match form:
        case "share":
            return share(number)
        case "count":
            return _grouped(number, 0)
        case "bytes":
            return size(number)
        case "seconds":
            return f"{significant(number)} s"
        case "milliseconds":
            return f"{significant(number)} ms"
        case _:
            return significant(number)


def figure(metric: Metric) -> str:
    """Write a figure with its interval: ``0.993 [0.961, 1.000]``."""
    form = form_of(metric.metric)
    if metric.low is None or metric.high is None:
        return value(metric.value, form)
    low, high = value(metric.low, form), value(metric.high, form)
    return f"{value(metric.value, form)} [{low}, {high}]"


def form_of(metric: str) -> Form:
    """Say how a metric is written."""
    known = FIGURES.get(metric)
    return "number" if known is None else known.form


def _grouped(number: float, decimals: int) -> str:
    text = f"{number:,.{decimals}f}".replace(",", NARROW_SPACE)
    return text.replace("-", "−")


def plain(text: str) -> str:
    """Guard a name against being read as Markdown."""
    return "".join(f"\\{mark}" if mark in MARKDOWN else mark for mark in text)


def listed(names: Sequence[str], word: str = "and") -> str:
    """Join names as a sentence does: ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {word} {names[-1]}"


def counted(n: int, noun: str) -> str:
    """Count a noun: ``1 row``, ``1 203 rows``."""
    return f"{_grouped(n, 0)} {noun}{'' if n == 1 else 's'}"


# -- what a study is -------------------------------------------------------------------------------


def lead(study: Study) -> str:
    """Say in a sentence or two who teaches, who learned and on what it was judged."""
    names = [plain(name) for name in study.leading.students]
    learned = "student learned" if len(names) == 1 else "students learned"
    who = f"{how_many(len(names))} {learned} from it: {listed(names)}."
    if study.front is not None:
        ladders = study.front.ladders
        sizes = f"the sizes {listed([f'{size}' for size in study.front.sizes])}"
        sizes = sizes if study.front.alike else f"{sizes}, as far as it has them"
        kinds = "kind of student" if len(ladders) == 1 else "kinds of student"
        who = (
            f"{how_many(len(ladders))} {kinds} learned from it, each at {sizes}; what "
            f"follows is told of {listed(names)}."
        )
    teacher = plain(study.about.teacher or "a model that is not described")
    return (
        f"The teacher is {teacher}. {who} "
        f"All are judged on {counted(study.about.n_test, 'test row')} on which none of them was "
        f"trained, their reasons on {_grouped(len(study.comparison.reasons.rows), 0)} of these."
    )


def data_line(about: About) -> str:
    """Say in a line what the data are."""
    if about.schema.molecules is not None:
        return (
            f"{counted(about.n_rows, 'molecule')} ({_grouped(about.n_train, 0)} to train on, "
            f"{_grouped(about.n_test, 0)} to judge on), with fragments of up to "
            f"{len(about.schema)} kinds; predicted is {target(about.task)}."
        )
    kinds = [feature.kind for feature in about.schema.features]
    spoken = {"number": "number", "category": "category", "boolean": "yes-or-no column"}
    plural = {"number": "numbers", "category": "categories", "boolean": "yes-or-no columns"}
    parts = [
        f"{n} {spoken[kind] if n == 1 else plural[kind]}"
        for kind in spoken
        if (n := kinds.count(kind))  # type: ignore[arg-type]
    ]
    return (
        f"{counted(about.n_rows, 'row')} ({_grouped(about.n_train, 0)} to train on, "
        f"{_grouped(about.n_test, 0)} to judge on) and {counted(len(kinds), 'column')} "
        f"({listed(parts)}); predicted is {target(about.task)}."
    )


def target(task: Task) -> str:
    """Say what is predicted: the target and its classes, or its unit."""
    name = f"**{plain(task.target)}**"
    if task.kind == "regression":
        return f"{name}, in {plain(task.unit)}" if task.unit else f"{name}, a value"
    names = [plain(name) for name in task.class_names]
    if len(names) > NAMED_CLASSES:
        return f"{name}, one of {len(names)} classes, from {names[0]} to {names[-1]}"
    return f"{name}, {listed(names, 'or')}"


def asked(about: About) -> list[tuple[str, str]]:
    """Say how the study came to be, as pairs of a word and its value."""
    configuration = about.configuration
    pairs = [
        ("Command", str(configuration.get("command", ""))),
        ("Seed", str(configuration.get("seed", ""))),
        ("Made", about.created.replace("T", " ").replace("+00:00", " UTC")),
        ("Quick look", "yes, with a quarter of the training" if configuration.get("quick") else ""),
    ]
    for name, told in about.distillations.items():
        rows = told.get("n_rows")
        seen = f"{_grouped(rows, 0)} labelled rows" if rows else "labelled rows"
        temperature = f"temperature {told.get('temperature', 1):g}"
        pairs.append((name, f"{seen} of transfer set '{told.get('transfer', '')}', {temperature}"))
    pairs.append(("Versions", ", ".join(f"{k} {v}" for k, v in about.versions.items())))
    pairs.append(("Rows' SHA-256", about.sha256))
    return [(word, text) for word, text in pairs if text]


# -- findings --------------------------------------------------------------------------------------


def verdict(comparison: Comparison, name: str) -> str:
    """Say how far a student speaks for its teacher: its answers, its reasons, its size."""
    parts = [answers_verdict(comparison, name), reasons_verdict(comparison, name)]
    mine, teachers = comparison.get(name, "cost.bytes"), comparison.get("teacher", "cost.bytes")
    if mine is not None:
        beside = f", the teacher {size(teachers.value)}" if teachers is not None else ""
        parts.append(f"It takes {size(mine.value)} on disk{beside}.")
    return " ".join(part for part in parts if part)


def answers_verdict(comparison: Comparison, name: str) -> str:
    """Say how often a student answers as its teacher does."""
    same = comparison.get(name, "fidelity.agreement")
    if same is not None:
        return (
            f"It gives the teacher's class for {percent(same.value)} of "
            f"{counted(same.n or 0, 'test row')}{_interval_of_hundred(same)}."
        )
    explained = comparison.get(name, "fidelity.r2")
    if explained is not None:
        return (
            f"It explains {percent(explained.value)} of the variance of the teacher's values in "
            f"{counted(explained.n or 0, 'test row')}{_interval_of_hundred(explained)}."
        )
    return ""


def reasons_verdict(comparison: Comparison, name: str) -> str:
    """Say how far a student gives its teacher's reasons."""
    found = comparison.get(name, "attribution.rank_correlation")
    if found is None:
        return ""
    return (
        "It ranks the features of a row as the teacher does at a correlation of "
        f"{share(found.value)}{_interval(found, share)}."
    )


def floor_and_ceiling(comparison: Comparison) -> str:
    """Say between what a correlation of reasons stands."""
    found = comparison.get("teacher", "attribution.rank_correlation")
    if found is None or found.chance is None:
        return ""
    told = (
        f"For that correlation, chance gives {share(found.chance)}, and the teacher against itself "
        f"on other draws {share(found.value)}{_interval(found, share)}."
    )
    return " ".join([told, *map(plain, ceiling_words(comparison))])


def _interval(metric: Metric, write: object) -> str:
    if metric.low is None or metric.high is None or metric.level is None or not callable(write):
        return ""
    return f" ({metric.level:.0%} interval {write(metric.low)} to {write(metric.high)})"


def _interval_of_hundred(metric: Metric) -> str:
    """Say an interval in percent, its ends rounded outwards, as findings are."""
    if metric.low is None or metric.high is None or metric.level is None:
        return ""
    low, high = down(100 * metric.low, 1), up(100 * metric.high, 1)
    return f" ({metric.level:.0%} interval {percent(low / 100)} to {percent(high / 100)})"


def reasons_note(reasons: Reasons) -> str:
    """Say what agreement of reasons, its floor and its ceiling are."""
    return (
        "Reasons are the features' shares in a row's score (interventional Shapley values), "
        "computed for every model on the same draws. The floor is what a random order of the "
        "features gets. The ceiling is the teacher on other draws, compared with itself; students "
        "share the teacher's draws, so a very close one can lie above it. "
        f"{reasons.describe()[0].upper()}{reasons.describe()[1:]}."
    )


def reasons_rest(reasons: Reasons) -> str:
    """Say on what the reasons rest."""
    return f"Rests on {reasons.describe()}."


def rest_note(rest: dict[str, float]) -> str:
    """Say how much of the importance lies in features that are not shown."""
    parts = [f"{plain(name)} {percent(part)}" for name, part in rest.items()]
    return f"Of all importance, the features not shown hold: {', '.join(parts)}."


def interval_note(comparison: Comparison) -> str:
    """Say what the brackets are."""
    levels = {m.level for m in comparison.metrics if m.level is not None}
    told = listed([f"{level:.0%}" for level in sorted(levels)])
    return (
        f"In brackets: {told} intervals, over test rows where no others are named. Figures without "
        "one, such as sizes and times, are measured once, or rest on too few rows that differ. "
        "Times are of the machine that made the study."
    )


def sensitivity_note(comparison: Comparison) -> str:
    """Say what it is for reasons to change by a small move; nothing where it was not measured."""
    if comparison.get("teacher", "faithfulness.sensitivity") is None:
        return ""
    return f"{FAITHFULNESS_WORDS}{SENSITIVITY_WORDS}"


def size_note(comparison: Comparison) -> str:
    """Say why size on disk stands for complexity, and what each model's own measure is."""
    parts = []
    for name in comparison.models:
        found = [
            f"{_grouped(m.value, 0)} {FIGURES[key].name.lower()}"
            for key in ("complexity.leaves", "complexity.parameters")
            if (m := comparison.get(name, key)) is not None
        ]
        if found:
            parts.append(f"{plain(name)} has {listed(found)}")
    told = f" In their own counts: {'; '.join(parts)}." if parts else ""
    return (
        f"Kinds of model count their complexity differently; size on disk is common to all.{told}"
    )


def unit(task: Task) -> str:
    """Give the unit of attributions."""
    return (task.unit or "units of the value") if task.kind == "regression" else "score"


def score_note(task: Task) -> str:
    """Say in which unit attributions are told."""
    if task.kind == "regression":
        unit = f" ({task.unit})" if task.unit else ""
        return f"Shares are in units of the predicted value{unit}."
    return (
        "Shares are in units of the score: the logarithm of the class's probability, less the mean "
        "over all classes. Above zero speaks for the class, below zero against it."
    )


# -- one row ---------------------------------------------------------------------------------------


def answer(task: Task, scores: np.ndarray) -> str:
    """Say a model's answer to a row of scores ``(n_scores,)``: ``benign (0.98)``, or a value."""
    if task.kind == "regression":
        return output(task, [float(scores[0])])
    return output(task, probabilities_of_score(scores[None])[0].tolist())


def output(task: Task, told: Sequence[float]) -> str:
    """Say an answer: probabilities of the classes, or one value."""
    if task.kind == "regression":
        return significant(told[0], 4) + (f" {task.unit}" if task.unit else "")
    best = int(np.argmax(told))
    return f"{task.class_names[best]} ({told[best]:.2f})"


def truth(task: Task, y: float) -> str:
    """Say what is true of a row."""
    return output(task, [float(y)]) if task.kind == "regression" else task.class_names[int(y)]


def tree_note(study: Study) -> str:
    """Say of which rows the shares in a drawn tree are."""
    rows = known_rows(study)
    if rows is None:
        return "The study keeps no rows, so how many of them take each branch is not known."
    return f"Drawn as {counted(len(rows), 'training row')} take it."


def followed_note(tree: ReadableTree) -> str:
    """Say what the leaves of a tree show where the way of one row is drawn."""
    return "Each leaf shows its answer to this row." if has_linear_leaves(tree) else ""


# -- students --------------------------------------------------------------------------------------


def kind(student: Student) -> str:
    """Say in a sentence what sort of model a student is."""
    if isinstance(student, SoftTree):
        size = student.complexity()
        leaves, depth = int(size["leaves"]), int(size["depth"])
        most = int(size["features_per_split"])
        return (
            f"A soft tree: {counted(leaves - 1, 'question')}, at most {depth} on the way to one of "
            f"{leaves} leaves. Each question weighs at most {counted(most, 'feature')} "
            "and sends a row both ways, more to the one than to the other; the answer is the "
            f"leaves' mixture. {many_features_words(most)}{linear_leaves_words(student)}".rstrip()
        )
    if isinstance(student, DecisionTree):
        size = student.complexity()
        leaves, depth = int(size["leaves"]), int(size["depth"])
        return (
            f"A decision tree: {counted(leaves - 1, 'question')}, at most {depth} on the way to "
            f"one of {leaves} leaves. Each question is of one feature, and a row goes one way."
            f" {missing_words(student)} {linear_leaves_words(student)}".rstrip()
        )
    if isinstance(student, Additive):
        return (
            "An additive model: its score is a sum of functions of one feature or two, the "
            "strongest of which are drawn and told below."
        )
    return "This student is no single tree, so there is no path to walk."
