"""How a report says what is measured of molecules, and what models predict of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explain_distill.audit.known_molecules import TEACHER, default_score, said_of
from explain_distill.report.blocks import written
from explain_distill.report.wording import spoken

if TYPE_CHECKING:
    from explain_distill.data.dataset import Task


def of_unit(task: Task) -> str:
    """Say the unit after a number: ``" log mol/L"``."""
    return f" {task.unit}" if task.unit else ""


def what_words(task: Task) -> str:
    """Say what a model tells of a molecule."""
    if task.kind == "regression":
        return f"“{task.target}”" + (f" in {task.unit}" if task.unit else "")
    return f"the probability of “{task.class_names[default_score(task)]}”"


def measured_words(task: Task) -> str:
    """Say what was measured of a molecule."""
    if task.kind == "regression":
        return what_words(task)
    return f"whether it is “{task.class_names[default_score(task)]}”, 1 or 0"


def score_words(task: Task) -> str:
    """Say in what shares are told."""
    if task.kind == "regression":
        return what_words(task)
    name = task.class_names[default_score(task)]
    if task.n_scores == 2:
        return f"the score of “{name}”, half its log-odds"
    return f"the score of “{name}”, its centred log-probability"


def value_words(value: float, task: Task) -> str:
    """Write what a model says: a value, or a probability in percent."""
    return f"{value:.0%}" if task.kind == "classification" else written(value, decimals=2)


def change_words(change: float, task: Task) -> str:
    """Write a change with its sign: of a value, or of a probability in percent points."""
    if task.kind == "classification":
        told = f"{abs(100 * change):.0f} points"
    else:
        told = written(abs(change), decimals=2)
    sign = "±" if not any(digit in told for digit in "123456789") else "−" if change < 0 else "+"
    return f"{sign}{told}"


def measured_change_words(change: float, task: Task) -> str:
    """Write a measured change: of a value, or into or out of a class."""
    if task.kind == "regression":
        return change_words(change, task)
    name = task.class_names[default_score(task)]
    return "none" if not change else f"{'into' if change > 0 else 'out of'} “{name}”"


def truth_words(truth: float, task: Task) -> str:
    """Write what was measured: a value, or a class."""
    return task.class_names[int(truth)] if task.class_names else value_words(truth, task)


def named(model: str) -> str:
    """Name a model before what it says: ``"teacher"``, ``"soft tree"``."""
    return "teacher" if model == TEACHER else spoken(model).removeprefix("the ")


def said_lines(scores: Mapping[str, Sequence[float]], task: Task) -> tuple[str, ...]:
    """Write what each model says of a molecule, from its scores."""
    told = {
        model: said_of(np.array([each]), task, default_score(task))[0]
        for model, each in scores.items()
    }
    return tuple(
        f"{named(model)}: {value_words(float(each), task)}" for model, each in told.items()
    )
