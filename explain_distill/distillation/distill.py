"""The one verb that makes a student out of a teacher."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar, get_args

from sklearn.base import clone

from explain_distill._arrays import is_count, take_number
from explain_distill._random import generator, integer_seed
from explain_distill._ranges import Range, check_ranges
from explain_distill._types import Json
from explain_distill.data.dataset import Dataset, check_dataset
from explain_distill.distillation.names import transfer_set
from explain_distill.distillation.oracle import TeacherOracle
from explain_distill.distillation.stream import Stream
from explain_distill.distillation.targets import Labeller, OnBadLabel
from explain_distill.distillation.techniques import Technique
from explain_distill.distillation.transfer_sets import (
    Coalitions,
    FragmentCoalitions,
    Mixture,
    Pool,
    TrainingRows,
    TransferSet,
    is_transfer_set,
)
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.students.base import OnStep, Student
from explain_distill.teachers.wrapped import as_teacher

RANGES = {
    "temperature": Range(0.1, 1000, remedy="1 keeps the teacher's own probabilities."),
    "hard_weight": Range(0, 1, remedy="0 learns from the teacher alone."),
}
AnyStudent = TypeVar("AnyStudent", bound=Student)


@dataclass(frozen=True)
class Distillation:
    """How a student came to be.

    Parameters
    ----------
    transfer : str
        The transfer set's name.
    n_rows : int
        How many labelled rows the student saw; a row seen again counts again.
    temperature, hard_weight : float
    techniques : tuple of str
        The names of the techniques besides.
    seed : int
    fit_seconds : float
        Wall-clock seconds, the teacher's labelling included.
    """

    transfer: str
    n_rows: int
    temperature: float
    hard_weight: float
    techniques: tuple[str, ...]
    seed: int
    fit_seconds: float

    def to_json(self) -> Json:
        """Give the fields as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, json: Json) -> Distillation:
        """Read what `to_json` wrote; ValueError, KeyError or TypeError where it was altered."""
        words = [json["transfer"], *json["techniques"]]
        if not all(isinstance(word, str) for word in words):
            raise TypeError(f"{words} are not the names of a transfer set and of techniques")
        if not (is_count(json["n_rows"]) and type(json["seed"]) is int):
            raise TypeError("the number of rows or the seed is no whole number")
        return cls(
            transfer=json["transfer"],
            n_rows=json["n_rows"],
            temperature=take_number(json, "temperature", positive=True),
            hard_weight=take_number(json, "hard_weight"),
            techniques=tuple(json["techniques"]),
            seed=json["seed"],
            fit_seconds=take_number(json, "fit_seconds"),
        )


def distill(
    teacher: Any,
    student: AnyStudent,
    data: Dataset,
    *,
    transfer: TransferSet | str | None = None,
    temperature: float = 1.0,
    hard_weight: float = 0.0,
    techniques: Sequence[Technique] = (),
    on_bad_label: OnBadLabel = "raise",
    seed: int = 0,
    on_step: OnStep | None = None,
) -> AnyStudent:
    """Teach a student what its teacher says.

    A student that trains in steps (`fit_stream`) gets fresh rows of the transfer set in each step;
    one that asks (`fit_oracle`) draws rows of it, and has rows of its own labelled besides; another
    gets one large draw, or each training row once where the transfer set is those.

    Parameters
    ----------
    teacher : Teacher or a fitted object with `predict_proba` or `predict`
    student : Student
        Not fitted; it stays as it is, and a fitted copy is returned, whose task is the data's.
    data : Dataset
        The training rows.
    transfer : TransferSet or str, default=Coalitions()
        Where the student learns, or its name, as the command line has it. `TrainingRows()` is what
        distillation commonly does.
    temperature : float, default=1.0
        At which the teacher's probabilities are softened; ignored for regression. A probability
        below 1e-300 is then taken for that, so that scores further apart than 690 times the
        temperature are learned as so far.
    hard_weight : float, default=0.0
        The share of rows that carry their true label in place of the teacher's, from 0 to 1.
    techniques : sequence of Technique, default=()
        What is done besides, each at most once: `GradientMatching`, `AttributionMatching`,
        `SpreadWeights`, `ActiveQueries`, `Hints`.
    on_bad_label : {"raise", "drop"}, default="raise"
        Where the teacher gives a row no finite score: stop and name the row, or draw another.
    seed : int, default=0
        Of the draws and of the student, whose `random_state` is set from it.
    on_step : callable, optional
        Called with step, number of steps, loss and fidelity (score R²) so far.

    Returns
    -------
    Student
        A fitted copy, which knows the names of its features and classes and has a `Distillation`
        as `distillation_`.

    Raises
    ------
    DataError
        Where an option is out of range or of another kind, the student or the teacher does not
        suit a technique, or the teacher gives a row no finite score.
    UnknownNameError

    References
    ----------
    Hinton, Vinyals & Dean (2015), Distilling the knowledge in a neural network.

    Examples
    --------
    >>> import explain_distill as xd
    >>> train, test = xd.load_dataset("wine").split(seed=0)
    >>> teacher = xd.NeuralTeacher(members=2).fit(train)
    >>> tree = xd.distill(teacher, xd.SoftTree(depth=2, n_steps=200), train)
    >>> tree.predict_proba(test.readable()).shape == (len(test), 3)
    True
    """
    check_options(temperature, hard_weight)
    _check_kinds(student, data, techniques, seed)
    _check_techniques(techniques, student, on_bad_label)
    teacher = as_teacher(teacher, data)
    transfer = transfer_of(transfer)
    if data.schema.molecules is not None:
        transfer = pooled(transfer)
    classify = data.task.kind == "classification"
    softened = temperature if classify else 1.0
    rng = generator(seed, "distill", student.NAME)
    fitted = clone(student).set_params(
        task=data.task.kind, temperature=softened, random_state=integer_seed(rng)
    )
    fitted.check_parameters()
    fitted.set_names(data.schema, data.task.class_names)
    student.get_ready()
    started = time.perf_counter()
    labeller = Labeller(
        teacher, data, transfer, softened, hard_weight, rng, techniques, on_bad_label
    )
    n_rows = _fit(fitted, labeller, on_step)
    fitted.distillation_ = Distillation(
        transfer=transfer.NAME,
        n_rows=n_rows,
        temperature=softened,
        hard_weight=hard_weight,
        techniques=tuple(technique.NAME for technique in techniques),
        seed=seed,
        fit_seconds=time.perf_counter() - started,
    )
    return fitted


def _fit(student: Student, labeller: Labeller, on_step: OnStep | None) -> int:
    """Fit the student, and give the number of labelled rows it saw."""
    if hasattr(student, "fit_stream"):
        student.fit_stream(Stream(labeller, student), on_step=on_step)
        return int(student.batch_size * student.n_steps)
    n_rows = labeller.transfer.n_rows
    asks = hasattr(student, "fit_oracle") and labeller.hard_weight < 1 and not labeller.weighing
    # A mixture of two molecules of a leaf need not come to the leaf.
    asks = asks and labeller.data.schema.molecules is None
    if n_rows is not None and asks:
        oracle = TeacherOracle(labeller)
        student.fit_oracle(oracle, on_step=on_step)
        return oracle.n_rows
    batch = labeller.all_rows() if n_rows is None else labeller.draw(n_rows)
    student.fit(batch.rows, batch.labels, batch.weights, on_step=on_step)
    return len(batch.rows)


def _check_kinds(student: Any, data: Any, techniques: Any, seed: Any) -> None:
    """Refuse what is not of the kind that it must be.

    Raises
    ------
    DataError
    """
    check_ranges({"seed": seed}, {"seed": Range(0, whole=True)})
    check_dataset(data)
    if not isinstance(student, Student):
        raise DataError(
            f"student must be a student, such as xd.SoftTree(); however, got {student!r}. Make one."
        )
    if student.task == "regression" and data.task.kind == "classification":
        raise DataError(
            "A student of a table of classes must not be of task='regression'; however, that of "
            f"{data.name!r} is. Leave task out: it is the table's."
        )
    listed = isinstance(techniques, Sequence)
    if not listed or not all(isinstance(each, Technique) for each in techniques):
        raise DataError(
            "techniques must be a list of techniques, such as [xd.GradientMatching()]; however, "
            f"got {techniques!r}. Put them in a list, each made by a call."
        )


def transfer_of(transfer: Any) -> TransferSet:
    """Give the transfer set of a name, or coalitions where none was chosen.

    Raises
    ------
    DataError, UnknownNameError
    """
    if transfer is None:
        return Coalitions()
    if isinstance(transfer, str):
        return transfer_set(transfer)
    if not is_transfer_set(transfer):
        raise DataError(
            "transfer must be a transfer set, such as xd.Coalitions(), with NAME, n_rows and draw, "
            f"or the name of one; however, got {transfer!r}. Leave it out for coalitions."
        )
    made: TransferSet = transfer
    return made


def pooled(transfer: TransferSet) -> TransferSet:
    """Draw molecules once, from a transfer set that mixes two at the most.

    Raises
    ------
    DataError
    """
    if isinstance(transfer, Pool):
        return transfer
    parts = transfer.parts if isinstance(transfer, Mixture) else (transfer,)
    if not all(isinstance(part, Coalitions | FragmentCoalitions | TrainingRows) for part in parts):
        raise DataError(
            "The transfer set of molecules must be coalitions or training-rows; however, got "
            f"{transfer.NAME}. It would mix the values of columns, of which molecules have none."
        )
    of_fragments = [
        FragmentCoalitions(part.n_rows) if isinstance(part, Coalitions) else part for part in parts
    ]
    if isinstance(transfer, Mixture):
        return Pool(Mixture(*of_fragments, shares=transfer.shares))
    return Pool(of_fragments[0])


def _check_techniques(
    techniques: Sequence[Technique], student: Student, on_bad_label: OnBadLabel
) -> None:
    for technique in techniques:
        technique.check(student)
    names = [technique.NAME for technique in techniques]
    if len(set(names)) < len(names):
        raise DataError(
            f"Each technique must be given once; however, got {', '.join(names)}. "
            "Leave out the second of a kind."
        )
    if on_bad_label not in get_args(OnBadLabel):
        raise UnknownNameError.of("on_bad_label", on_bad_label, get_args(OnBadLabel))


def check_options(temperature: float, hard_weight: float = 0.0) -> None:
    """Refuse a temperature or a hard weight out of range.

    Raises
    ------
    DataError
    """
    check_ranges({"temperature": temperature, "hard_weight": hard_weight}, RANGES)
