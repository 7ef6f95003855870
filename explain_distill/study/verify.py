"""Every figure of a study computed again from what its folder holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from explain_distill._types import FloatArray, Json
from explain_distill.attribution.own import Model
from explain_distill.audit.budget import read_limits, within_budget
from explain_distill.audit.compare import bytes_on_disk, compare
from explain_distill.audit.comparison import Comparison, Metric
from explain_distill.audit.findings import findings
from explain_distill.audit.front import Front, front_of, set_apart, unexplained_shares
from explain_distill.exceptions import StudyFormatError
from explain_distill.metrics.fidelity import classification_fidelity, regression_fidelity
from explain_distill.metrics.intervals import Estimate
from explain_distill.study.folder import FIGURES, changed_files, figures_number
from explain_distill.study.study import Study

TIMES = (
    *("cost.fit_seconds", "cost.row_milliseconds"),
    *("cost.row_milliseconds_p99", "cost.rows_per_second"),
    *("cost.processors", "cost.money_per_million"),
)
"""Figures of the machine and of the moment, which are never computed again."""

RELATIVE, ABSOLUTE = 1e-6, 1e-9  # by which figures may differ: other machines add up otherwise


@dataclass(frozen=True)
class Verification:
    """What came of computing a study's figures again.

    Parameters
    ----------
    differences : tuple of str
        What is not as the folder says, a line each.
    computed : int
        Figures that were computed again.
    not_computed : tuple of str
        Figures that could not be, and why, a line each.
    """

    differences: tuple[str, ...]
    computed: int
    not_computed: tuple[str, ...]

    @property
    def status(self) -> int:
        """The exit status: 0 all as it was, 1 something differs, 3 some could not be computed."""
        return 1 if self.differences else 3 if self.not_computed else 0


def verify(folder: str | Path, on_stage: Callable[[str], None] | None = None) -> Verification:
    """Compute every figure of a study again, and compare it with the one that is kept.

    Times are of the machine and the moment, and left out, and so are all figures of a study made by
    a version that measured otherwise. Each file is compared with the
    fingerprint that was kept of it, too.

    Parameters
    ----------
    folder : str or Path
    on_stage : callable, optional
        Told what is under way.

    Raises
    ------
    StudyFormatError
        Where the folder holds no study.
    """
    folder = Path(folder)
    differences = [f"{name}: not as it was written" for name in changed_files(folder)]
    try:
        study = Study.open(folder)
    except StudyFormatError as error:
        return Verification((*differences, str(error)), 0, ())
    told = study.comparison
    if figures_number(folder) != FIGURES:
        why = "it was made by another version, which measured otherwise"
        of_another = (f"{m.model} {m.metric}: {why}" for m in told.metrics if m.metric not in TIMES)
        return Verification(tuple(differences), 0, tuple(of_another))
    if told.teacher is None or told.data is None or told.data.background is None:
        return _partly(study, differences)
    if study.about.configuration.get("grouped") and told.data.groups is None:
        return _partly(study, differences)
    again, front = _again(study, on_stage)
    left = _left_out(told)
    differences += _figures([m for m in told.metrics if m not in left], again.metrics)
    differences += _arrays(told, again)
    differences += _trusted(told, again)
    differences += _findings(folder, again)
    differences += _chosen(study, front)
    n_computed = sum(metric.metric not in TIMES for metric in told.metrics) - len(left)
    why = "the teacher that was trained again was not kept"
    not_computed = tuple(f"{metric.model} {metric.metric}: {why}" for metric in left)
    return Verification(tuple(differences), n_computed, not_computed)


def _left_out(told: Comparison) -> list[Metric]:
    """Give the figures of a teacher that was trained again and not kept."""
    if told.retrained is not None:
        return []
    return [m for m in told.metrics if m.metric.startswith("attribution.retrained_")]


def _again(study: Study, on_stage: Callable[[str], None] | None) -> tuple[Comparison, Front | None]:
    """Judge all models, and their sizes, anew, by the seeds and draws of the study."""
    told = study.comparison
    assert told.data is not None
    draws = [t.certificate.n_draws for t in told.trust.values() if t.certificate is not None]
    seed = int(study.about.configuration.get("seed", 0))
    alpha, delta = study.about.risk
    again = compare(
        told.teacher,
        told.students,
        told.data,
        seed=seed,
        n_draws=draws[0] if draws else None,
        quick=bool(study.about.configuration.get("quick")),
        repeats=told.repeats,
        retrained=told.retrained,
        alpha=alpha,
        delta=delta,
        on_stage=on_stage,
    )
    if study.front is None or study.train is None:
        return again, None
    _, validation = set_apart(study.train, seed)
    sizes = {step.student: step.size for ladder in study.front.ladders for step in ladder.steps}
    front = front_of(again, sizes, validation)
    return replace(again, metrics=(*again.metrics, *front.metrics())), front


def _figures(kept: Sequence[Metric], again: tuple[Metric, ...]) -> Iterator[str]:
    computed = {(each.model, each.metric): each for each in again}
    for each in kept:
        if each.metric in TIMES:
            continue
        other = computed.pop((each.model, each.metric), None)
        name = f"results.json: {each.model} {each.metric}"
        if other is None:
            yield f"{name} is kept, and was not measured"
            continue
        for part in ("value", "low", "high", "n", "level", "chance"):
            before, after = getattr(each, part), getattr(other, part)
            if not _same(before, after):
                yield f"{name} ({part}) is {_written(before)}, computed {_written(after)}"
    for model, metric in computed:
        if metric not in TIMES:
            yield f"results.json: {model} {metric} was measured, and is not there"


def _same(before: Any, after: Any) -> bool:
    if before is None or after is None:
        return before is after
    return bool(np.isclose(before, after, rtol=RELATIVE, atol=ABSOLUTE))


def _written(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"


def _arrays(kept: Comparison, again: Comparison) -> Iterator[str]:
    """Compare scores and attributions, row by row."""
    for name, scores in kept.scores.items():
        if not _close(scores, again.scores[name]):
            yield f"scores.parquet: the scores of {name} are not those of the model"
    for name in kept.models:
        pairs = (
            (kept.reasons.reference[name], again.reasons.reference[name]),
            (kept.reasons.own[name], again.reasons.own[name]),
        )
        if not all(_close(first.values, second.values) for first, second in pairs):
            yield f"attributions/{name}.parquet: the attributions are not those of the model"
    others = zip(_other_teachers(kept), _other_teachers(again), strict=False)
    if not all(_close(first, second) for first, second in others):
        yield "attributions/teacher.parquet: other teachers' attributions are not theirs"


def _other_teachers(told: Comparison) -> list[FloatArray]:
    """Give the attributions of members, and of the teacher trained again where it is kept."""
    values = [member.values for member in told.reasons.members]
    if told.retrained is not None and told.reasons.retrained is not None:
        values.append(told.reasons.retrained.values)
    return values


def _close(first: FloatArray, second: FloatArray) -> bool:
    return first.shape == second.shape and np.allclose(first, second, rtol=RELATIVE, atol=1e-7)


def _trusted(kept: Comparison, again: Comparison) -> Iterator[str]:
    """Compare what each student may claim."""
    for name, trust in kept.trust.items():
        for line in _differing(trust.to_json(), again.trust[name].to_json()):
            yield f"trust.json: {name} {line}"


def _chosen(study: Study, front: Front | None) -> Iterator[str]:
    """Compare which sizes do as well as larger ones, and what a budget allows.

    What a budget limits is of the machine and of the moment, and so taken as it is kept.
    """
    if study.front is not None and front is not None:
        for line in _differing(study.front.to_json(), front.to_json()):
            yield f"study.json: front {line}"
    if study.budget is None or study.train is None:
        return
    told = study.comparison
    _, validation = set_apart(study.train, study.about.configuration.get("seed", 0))
    limits = read_limits(",".join(study.budget.limits))
    budget = within_budget(told, limits, unexplained_shares(told, validation))
    for line in _differing(study.budget.to_json(), budget.to_json()):
        yield f"study.json: budget {line}"


def _differing(kept: Json, again: Json) -> Iterator[str]:
    """Name what differs in two JSON values, numbers beyond their rounding."""
    for where, before, after in _leaves(kept, again):
        numbers = isinstance(before, (int, float)) and isinstance(after, (int, float))
        if before != after and not (numbers and _same(before, after)):
            yield f"{where} is {before}, computed {after}"


def _findings(folder: Path, again: Comparison) -> Iterator[str]:
    """Compare the findings that are kept with those that follow from the figures."""
    if not again.trust or not (folder / "trust.json").is_file():
        return
    kept = json.loads((folder / "trust.json").read_text(encoding="utf-8"))["students"]
    for name in again.students:
        told = [finding.to_json() for finding in findings(again, name)]
        if kept.get(name, {}).get("findings", told) != told:
            yield f"trust.json: the findings on {name} are not those that follow from the figures"


def _leaves(before: Any, after: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Give the places at which two JSON values may differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            yield from _leaves(before.get(key), after.get(key), f"{where} {key}".strip())
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _leaves(one, other, f"{where} {place + 1}")
    else:
        yield where, before, after


def _sizes_of_models(study: Study) -> dict[tuple[str, str], Json]:
    """Compute how large the models are that were kept, which takes no rows."""
    told = study.comparison
    models: dict[str, Model] = {**told.students}
    if told.teacher is not None:
        models["teacher"] = told.teacher
    figures: dict[tuple[str, str], float] = {}
    for name, model in models.items():
        for key, value in model.complexity().items():
            figures[name, f"complexity.{key}"] = value
        size = bytes_on_disk(model)
        if size is not None:
            figures[name, "cost.bytes"] = size
    for ladder in () if study.front is None else study.front.ladders:
        figures |= {(step.student, "complexity.size"): step.size for step in ladder.steps}
    return {key: vars(Estimate(float(value))) for key, value in figures.items()}


def _partly(study: Study, differences: list[str]) -> Verification:
    """Compute what models, scores and attributions alone tell, and name the rest."""
    told = study.comparison
    why = "its rows were not kept"
    if told.teacher is None:
        why = "its teacher was not kept"
    elif told.data is not None and told.data.background is not None:
        why = "it was not kept which of its rows belong together"
    again: dict[tuple[str, str], Json] = _sizes_of_models(study)
    if not study.about.configuration.get("grouped"):
        classify = study.about.task.kind == "classification"
        fidelity = classification_fidelity if classify else regression_fidelity
        for name in told.students:
            figures = fidelity(told.scores["teacher"], told.scores[name])
            again |= {(name, f"fidelity.{key}"): vars(each) for key, each in figures.items()}
        for name in told.models:
            agreement = told.reasons.agreement(name)
            if name == "teacher":
                agreement |= told.reasons.ceilings()
            again |= {(name, f"attribution.{key}"): vars(each) for key, each in agreement.items()}
    left = []
    n_computed = 0
    for metric in told.metrics:
        figures_again = again.get((metric.model, metric.metric))
        if figures_again is None:
            if metric.metric not in TIMES:
                left.append(f"{metric.model} {metric.metric}: {why}")
            continue
        n_computed += 1
        for part, after in figures_again.items():
            before = getattr(metric, part)
            if not _same(before, after):
                differences.append(
                    f"results.json: {metric.model} {metric.metric} ({part}) is "
                    f"{_written(before)}, computed {_written(after)}"
                )
    return Verification(tuple(differences), n_computed, tuple(left))
