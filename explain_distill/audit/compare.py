"""Measure everything of a teacher and its students, side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from explain_distill._random import generator
from explain_distill._types import IntArray, Rows, Scores
from explain_distill.attribution.own import Model, score_rows
from explain_distill.audit.comparison import Comparison, Metric, Role, check_names
from explain_distill.audit.deferral import ALPHA, DELTA, check_risk
from explain_distill.audit.effort import FULL, MOLECULES, QUICK, QUICK_MOLECULES, Effort
from explain_distill.audit.faithfulness import faithfulness
from explain_distill.audit.gaps import affordable_draws, check_finite
from explain_distill.audit.reasons import Reasons, reasons_of
from explain_distill.audit.sensitivity import sensitivity
from explain_distill.audit.stability import LEAST_REPEATS
from explain_distill.audit.trust import Trust, trust_in
from explain_distill.data.chemical_features import forgotten
from explain_distill.data.dataset import Dataset
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.metrics.cost import check_price, speed
from explain_distill.metrics.fidelity import classification_fidelity, regression_fidelity
from explain_distill.metrics.intervals import Estimate
from explain_distill.metrics.performance import (
    classification_difference,
    classification_performance,
    regression_difference,
    regression_performance,
)
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.students.base import Student
from explain_distill.teachers.base import Teacher
from explain_distill.teachers.wrapped import as_teacher


def compare(
    teacher: Any,
    students: Mapping[str, Student],
    data: Dataset,
    *,
    seed: int = 0,
    n_draws: int | None = None,
    quick: bool = False,
    repeats: Mapping[str, Sequence[Student]] | None = None,
    retrained: Any = None,
    price: float | None = None,
    alpha: float = ALPHA,
    delta: float = DELTA,
    on_stage: Callable[[str], None] | None = None,
) -> Comparison:
    """Judge students beside their teacher, on rows that none of them has seen.

    Parameters
    ----------
    teacher : Teacher or a fitted object with `predict_proba` or `predict`
    students : mapping of str to Student
        Fitted, by the names they are to have; ``"teacher"`` is taken.
    data : Dataset
        Test rows, as `Dataset.split` gives them: attributions are told against the training rows
        that they remember as their background.
    seed : int, default=0
        Of the draws.
    n_draws : int, optional
        Fresh coalitions a row for the certificate: 1, or a multiple of 4. As many as a budget of
        2 000 000 rows affords, 256 at most, if left out.
    quick : bool, default=False
        A twentieth of the draws, and fewer rows and members: intervals and bounds are then wider.
        See `audit.effort`.
    repeats : mapping of str to sequence of Student, optional
        The same students distilled again, as `redistill` gives them: how much they change is then
        told as their stability.
    retrained : Teacher or a fitted object, optional
        The same teacher fitted again with another seed: how far its reasons agree with the
        teacher's is a ceiling for students. It takes half as long as the teacher's reasons.
    price : float, optional
        Of an hour of one CPU, in any money: what a million predictions cost is then told, too.
    alpha, delta : float, default=0.05
        What the deferral rule is to hold: among the rows that a student keeps it disagrees with the
        teacher in at most a share `alpha`, with a probability of at least ``1 - delta``.
    on_stage : callable, optional
        Told what is under way.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        Where there is no student, a name is taken, the rows have no background, `retrained` is the
        teacher itself, the price is no number above 0, or `alpha` or `delta` is not within 0 and 1.
    """
    check_names(students)
    check_price(price)
    check_risk(alpha, delta)
    again = _checked_retrained(retrained, teacher, data)
    teacher = as_teacher(teacher, data)
    background = _checked_background(data)
    repeated = _checked_repeats(students, repeats or {})
    for name, student in students.items():
        for each in (student, *repeated.get(name, ())):
            _check_student(name, each, data)
    models: dict[str, Model] = {"teacher": teacher, **students}
    features = data.readable_features
    say = on_stage or (lambda _: None)
    scores = {name: score_rows(model, data.X, features) for name, model in models.items()}
    for name, told in scores.items():
        check_finite(name, told, data.X, data)
    effort = _effort(data, quick)
    reasons = reasons_of(
        teacher, students, data, data.baseline, seed, on_stage, effort=effort, retrained=again
    )
    say("what each student may claim")
    if n_draws is None:
        n_draws = affordable_draws(len(data), len(data.schema), effort.evaluations)
    trust = trust_in(
        teacher,
        students,
        data,
        background,
        scores,
        seed,
        alpha=alpha,
        delta=delta,
        n_draws=n_draws,
        repeats=repeated,
        on_stage=on_stage,
    )
    groups = None if data.groups is None else data.groups[reasons.rows]
    metrics: list[Metric] = []
    for name, model in models.items():
        say(f"figures of {name}")
        role: Role = "teacher" if name == "teacher" else "student"
        figures = _judged(name, scores, data) | _measured(model, data, effort, price)
        agreement = reasons.agreement(name, groups)
        if name == "teacher":
            agreement |= reasons.ceilings(groups)
        chance = reasons.chance()
        metrics += [Metric(name, role, key, **asdict(figure)) for key, figure in figures.items()]
        metrics += [
            Metric(name, role, f"attribution.{key}", **asdict(figure), chance=chance[key])
            for key, figure in agreement.items()
        ]
        if name in trust:
            metrics += _claimed(name, trust[name], chance)
        say(f"faithfulness of {name}")
        metrics += _faithful(name, model, reasons, data, data.baseline, groups, seed, effort)
    kept = dict(students)
    judged = (tuple(metrics), scores, reasons, trust, repeated, again)
    return Comparison(teacher, kept, data, *judged)


def _effort(data: Dataset, quick: bool) -> Effort:
    if data.schema.molecules is not None:
        return QUICK_MOLECULES if quick else MOLECULES
    return QUICK if quick else FULL


def _checked_repeats(
    students: Mapping[str, Student], repeats: Mapping[str, Sequence[Student]]
) -> dict[str, tuple[Student, ...]]:
    """Refuse repeats of students that are not there, or of another kind, or too few.

    Raises
    ------
    DataError
    """
    for name, again in repeats.items():
        if name not in students:
            raise UnknownNameError.of("repeats", name, students)
        kind = students[name].NAME
        if len(again) < LEAST_REPEATS or any(kind != each.NAME for each in again):
            raise DataError(
                f"repeats must hold, for names of students, at least {LEAST_REPEATS} students of "
                f"the same kind; however, got {len(again)} for {name!r}. Take what redistill gives."
            )
    return {name: tuple(again) for name, again in repeats.items()}


def _faithful(
    name: str,
    model: Model,
    reasons: Reasons,
    data: Dataset,
    background: Rows,
    groups: IntArray | None,
    seed: int,
    effort: Effort,
) -> list[Metric]:
    """Measure whether a model's own attributions say what it does; chance is a random order."""
    features, rows = data.readable_features, data.X[reasons.rows]
    told = faithfulness(
        lambda rows: score_rows(model, rows, features),
        reasons.own[name].values,
        rows,
        background,
        generator(seed, "faithfulness"),
        groups,
        effort.faithful_rows,
    )
    rng = generator(seed, "sensitivity")
    changed = sensitivity(model, rows, background, features, rng, groups, effort.sensitive_rows)
    figures: dict[str, tuple[Estimate | None, float | None]] = {
        "deletion": (told.deletion, told.random_deletion),
        "insertion": (told.insertion, told.random_insertion),
        "infidelity": (told.infidelity, None),
        "sensitivity": (changed, None),
    }
    role: Role = "teacher" if name == "teacher" else "student"
    return [
        Metric(name, role, f"faithfulness.{key}", **asdict(figure), chance=chance)
        for key, (figure, chance) in figures.items()
        if figure is not None
    ]


def _claimed(name: str, trust: Trust, chance: Mapping[str, float]) -> list[Metric]:
    """Give the figures of what a student may claim, its stability beside what chance gives."""
    figures: dict[str, Estimate] = {}
    if trust.certificate is not None:
        bound, certificate = trust.certificate.largest.bound, trust.certificate
        figures["attribution.gap_bound"] = Estimate(bound, n=certificate.n, level=certificate.level)
        if certificate.relative_bound is not None:
            figures["attribution.relative_gap_bound"] = Estimate(
                certificate.relative_bound, n=certificate.n, level=certificate.level
            )
    if trust.stability is not None:
        figures |= trust.stability.estimates()
    stated = trust.deferrals[0]
    if stated.kept is not None:
        figures["deferral.kept"] = stated.kept
    else:
        figures["deferral.kept"] = Estimate(0.0, n=stated.n_calibration)
    if stated.bound is not None:
        level = 1 - stated.delta
        figures["deferral.disagreement_bound"] = Estimate(
            stated.bound, n=stated.n_calibration, level=level
        )
    floors = {f"stability.{key}": value for key, value in chance.items()}
    return [
        Metric(name, "student", key, **asdict(figure), chance=floors.get(key))
        for key, figure in figures.items()
    ]


def _checked_background(data: Dataset) -> Rows:
    if data.background is None or not len(data):
        raise DataError(
            "compare needs test rows that remember their training rows; however, the data have "
            "none. Pass the second part of `data.split(seed=0)`."
        )
    return data.background


def _checked_retrained(retrained: Any, teacher: Any, data: Dataset) -> Teacher | None:
    """Take a teacher that was trained again; None where there is none."""
    if retrained is None:
        return None
    if retrained is teacher:
        raise DataError(
            "retrained must be a teacher that was fitted again; however, got the teacher itself. "
            "Fit another with another seed: NeuralTeacher(seed=1).fit(train), say."
        )
    again = as_teacher(retrained, data)
    check_finite("retrained", again.predict_score(data.X), data.X, data)
    return again


def _check_student(name: str, student: Student, data: Dataset) -> None:
    """Refuse a student whose features, task or classes are not those of the data."""
    if not isinstance(student, Student):
        raise DataError(
            f"A student must be one of the package's, or of its base class; however, {name!r} is a "
            f"{type(student).__name__}. As the teacher it can be any fitted model."
        )
    n_readable = len(data.readable_features.features)
    codes = list(range(data.task.n_scores))
    fits = (
        student.task == data.task.kind
        and getattr(student, "n_features_in_", n_readable) == n_readable
        and (student.task == "regression" or list(getattr(student, "classes_", codes)) == codes)
    )
    if not fits:
        raise DataError(
            f"A student must be fitted on the readable features and the class codes of the data; "
            f"however, {name!r} is not. Use `distill`, or fit it on `data.readable()` and `data.y`."
        )


def _judged(name: str, scores: dict[str, Scores], data: Dataset) -> dict[str, Estimate]:
    """Measure the performance of a model, and the fidelity of a student."""
    own, teacher = scores[name], scores["teacher"]
    if data.task.kind == "classification":
        own_shares, shares = probabilities_of_score(own), probabilities_of_score(teacher)
        performance = classification_performance(data.y, own_shares, data.groups)
        if name != "teacher":
            performance |= classification_difference(data.y, own_shares, shares, data.groups)
        fidelity = classification_fidelity(teacher, own, data.groups) if name != "teacher" else {}
    else:
        performance = regression_performance(data.y, own[:, 0], data.groups)
        if name != "teacher":
            performance |= regression_difference(data.y, own[:, 0], teacher[:, 0], data.groups)
        fidelity = regression_fidelity(teacher, own, data.groups) if name != "teacher" else {}
    return {f"performance.{key}": figure for key, figure in performance.items()} | {
        f"fidelity.{key}": figure for key, figure in fidelity.items()
    }


def _measured(
    model: Model, data: Dataset, effort: Effort, price: float | None
) -> dict[str, Estimate]:
    """Measure the complexity and the cost of a model."""
    figures = {f"complexity.{key}": value for key, value in model.complexity().items()}
    calls = effort.one_row_calls, effort.batch_calls
    if data.schema.molecules is None:
        timed = speed(
            lambda rows: score_rows(model, rows, data.readable_features), data.X, price, calls=calls
        )
    else:
        timed = speed(lambda rows: _score_anew(model, rows, data), data.X, price, calls, len(data))
    figures |= {f"cost.{key}": value for key, value in timed.items()}
    size = bytes_on_disk(model)
    if size is not None:
        figures["cost.bytes"] = size
    seconds = getattr(model, "fit_seconds", None)
    if hasattr(model, "distillation_"):
        seconds = model.distillation_.fit_seconds
    if seconds is not None:
        figures["cost.fit_seconds"] = seconds
    return {key: Estimate(float(value)) for key, value in figures.items()}


def _score_anew(model: Model, rows: Rows, data: Dataset) -> Scores:
    """Score molecules as if none had been seen before."""
    with forgotten(), model.forgetful() if isinstance(model, Teacher) else nullcontext():
        return score_rows(model, rows, data.readable_features)


def bytes_on_disk(model: Model) -> float | None:
    """Give the size of a model's arrays as a study keeps them; None where it cannot be kept."""
    kept = model.can_be_saved if isinstance(model, Teacher) else type(model).write != Student.write
    if not kept:
        return None
    with tempfile.TemporaryDirectory() as folder:
        model.write(Path(folder))
        return float(sum(file.stat().st_size for file in Path(folder).iterdir()))
