"""The main job in one call: split, train a teacher, distil students, judge them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from explain_distill._arrays import is_count
from explain_distill._ranges import check_ranges
from explain_distill._types import Json
from explain_distill.audit.budget import check_priced, read_limits, within_budget
from explain_distill.audit.compare import compare
from explain_distill.audit.comparison import Comparison
from explain_distill.audit.deferral import ALPHA, DELTA, check_risk
from explain_distill.audit.front import front_of, set_apart, unexplained_shares
from explain_distill.audit.redistillation import MINUTES, redistill
from explain_distill.data.dataset import Dataset, check_dataset
from explain_distill.data.environments import environments_of
from explain_distill.distillation.distill import check_options, distill, pooled
from explain_distill.distillation.names import transfer_set
from explain_distill.distillation.transfer_sets import TransferSet
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.metrics.cost import check_price
from explain_distill.students.base import Student
from explain_distill.students.names import DEFAULT_STUDENTS, STUDENTS
from explain_distill.students.soft_tree import SoftTree, check_max_features
from explain_distill.study.about import About
from explain_distill.study.study import Study
from explain_distill.teachers.base import Teacher
from explain_distill.teachers.fingerprints import FingerprintTeacher
from explain_distill.teachers.molecules import MolecularTeacher
from explain_distill.teachers.neural import NeuralTeacher

Advance = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and a word on how it goes."""

QUICK: dict[str, Json] = {
    "soft-tree": {"n_steps": 1500},
    "decision-tree": {},
    "boosted-trees": {"n_trees": 200},
    "mlp": {"n_steps": 1500},
    "additive": {},
}
QUICK_ROWS = 50_000
QUICK_MOLECULES: Json = {"members": 1, "n_epochs": 20}
QUICK_POOL = 5_000
MOST_SIZE = 4096


class Progress:
    """Told how a run goes; this one is silent. The command line shows it."""

    @contextmanager
    def stage(self, name: str) -> Iterator[Advance]:
        """Enter a stage, and give what its steps are told to."""
        yield lambda done, total, word: None


def run(
    data: Dataset,
    *,
    students: Sequence[str] = DEFAULT_STUDENTS,
    transfer: str = "coalitions",
    temperature: float = 1.0,
    sizes: Sequence[int] = (),
    max_features: int | None = None,
    budget: str = "",
    stability: float | None = None,
    seed: int = 0,
    quick: bool = False,
    retrain_teacher: bool = False,
    price: float | None = None,
    alpha: float = ALPHA,
    delta: float = DELTA,
    teacher: str | None = None,
    environments: int = 0,
    command: str = "",
    progress: Progress | None = None,
) -> Study:
    """Do the main job: split, train a teacher, distil students, judge them.

    With sizes, each student is made at each of them and named for it, as in ``"soft-tree-8"``. They
    learn from two thirds of the training rows; the rest, validation rows, says which sizes do as
    well as every larger one, and so which student is to be read. See `audit.front`.

    Parameters
    ----------
    data : Dataset
    students : sequence of str
        Of `STUDENTS`.
    transfer : str, default="coalitions"
        Of `TRANSFER_SETS`, or several in equal shares: ``"coalitions+munge"``.
    temperature : float, default=1.0
    sizes : sequence of int, default=()
        Two or more, each counted in the student's own unit; see `Student.with_size`.
    max_features : int, optional
        The most readable features that a question of the soft tree weighs; all, if left out.
    budget : str, default=""
        Limits of cost and size, ``"row_milliseconds<=0.2,leaves<=16"``: of the students within them
        the one that is closest to the teacher on validation rows is to be read. See `audit.budget`.
    stability : float, optional
        Minutes in which the students are distilled again, to see how much they change; not done, if
        left out. See `audit.redistillation`.
    seed : int, default=0
        Of everything: the split, the teacher, the draws.
    quick : bool, default=False
        A quarter of the training, for a first look.
    retrain_teacher : bool, default=False
        Train the teacher again with the next seed, and say how far its reasons agree with the
        teacher's: a ceiling for students. It takes as long as the teacher, and half as long as its
        reasons.
    price : float, optional
        Of an hour of one CPU, in any money: what a million predictions cost is then told, too.
    alpha, delta : float, default=0.05
        What the deferral rule is to hold: among the rows that a student keeps it disagrees with the
        teacher in at most a share `alpha`, with a probability of at least ``1 - delta``.
    teacher : {"graph", "fingerprint"}, optional
        Of molecules: a `MolecularTeacher`, which is the default, or a `FingerprintTeacher`, which
        trains in seconds.
    environments : int, default=0
        How many environments of atoms students of molecules count besides, chosen on the training
        molecules by `environments_of`.
    command : str
        What redoes it, for the record.
    progress : Progress, optional

    Returns
    -------
    Study

    Raises
    ------
    UnknownNameError, DataError, MissingDependencyError
    """
    check_dataset(data)
    chosen = _check_students(students)
    check_price(price)
    check_risk(alpha, delta)
    limits = read_limits(budget) if budget else ()
    if stability is not None:
        check_ranges({"stability": stability}, {"stability": MINUTES})
    check_priced(limits, price)
    check_options(temperature)
    where = _where_to_learn(transfer, data, quick)
    new_teacher = _kind_of_teacher(teacher, data, quick)
    progress = progress or Progress()
    plain: dict[str, Student] = {
        name: STUDENTS[name](**(QUICK[name] if quick else {})) for name in chosen
    }
    if max_features is not None:
        _limit_features(plain, max_features, data)
    size_of = _named_for_sizes(plain, sizes, len(data.readable_features.features))
    wanted = {name: plain[kind].with_size(size) for name, (kind, size) in size_of.items()} or plain
    train, test = data.split(seed=seed)
    if environments:
        counted = environments_of(train, environments)
        train, test = train.counting(counted), test.counting(counted)
    learned, validation = set_apart(train, seed) if sizes or limits else (train, None)
    taught = _taught(new_teacher(seed=seed), train, progress)
    options: Json = {"transfer": where, "seed": seed}
    fitted = _distilled(taught, wanted, learned, options | {"temperature": temperature}, progress)
    risk = {"alpha": alpha, "delta": delta}
    judged: Json = {"seed": seed, "quick": quick, "price": price, "repeats": {}} | risk
    if stability is not None:
        with progress.stage("distilled again") as advance:
            options |= {"minutes": stability, "on_step": advance}
            judged["repeats"] = redistill(taught, fitted, learned, **options)
    if retrain_teacher:
        judged["retrained"] = _taught(new_teacher(seed=seed + 1), train, progress, "teacher again")
    comparison = _judged(taught, fitted, test, judged, progress)
    front = None
    if sizes and validation is not None:
        front = front_of(comparison, {n: size for n, (_, size) in size_of.items()}, validation)
        comparison = replace(comparison, metrics=(*comparison.metrics, *front.metrics()))
    within = None
    if limits and validation is not None:
        within = within_budget(comparison, limits, unexplained_shares(comparison, validation))
    configuration = {
        "command": command,
        "seed": seed,
        "students": chosen,
        "transfer": transfer,
        "temperature": temperature,
        "sizes": list(sizes),
        "max_features": max_features,
        "budget": budget,
        "stability": stability,
        "quick": quick,
        **risk,
        "grouped": data.groups is not None,
        "by_time": data.times is not None,
        "cores": os.cpu_count(),
    }
    if retrain_teacher:
        configuration["retrain_teacher"] = True
    if teacher is not None:
        configuration["teacher"] = teacher
    if environments:
        configuration["environments"] = environments
    if price is not None:
        configuration["price"] = price
    about = About.of(taught, fitted, train, test, configuration, sha256=data.sha256)
    return Study(about, comparison, train, front, within)


def _where_to_learn(transfer: str, data: Dataset, quick: bool) -> TransferSet:
    """Make the transfer set of a name; molecules are dear, and all students learn from one pool."""
    if data.schema.molecules is None:
        return transfer_set(transfer, n_rows=QUICK_ROWS if quick else None)
    return pooled(transfer_set(transfer, n_rows=QUICK_POOL if quick else None))


def _kind_of_teacher(
    name: str | None, data: Dataset, quick: bool
) -> Callable[..., NeuralTeacher | MolecularTeacher]:
    """Choose a teacher by its name, or by what the rows are."""
    if data.schema.molecules is None:
        if name is not None:
            raise DataError(
                f"A teacher is chosen for molecules only; however, {data.name!r} has none, and "
                f"the teacher is {name!r}. Leave --teacher out."
            )
        return NeuralTeacher
    options = QUICK_MOLECULES if quick else {}
    kinds: dict[str, Callable[..., NeuralTeacher | MolecularTeacher]]
    kinds = {"graph": partial(MolecularTeacher, **options), "fingerprint": FingerprintTeacher}
    if (name or "graph") not in kinds:
        raise UnknownNameError.of("The teacher", str(name), list(kinds))
    return kinds[name or "graph"]


def _taught(
    teacher: NeuralTeacher | MolecularTeacher,
    train: Dataset,
    progress: Progress,
    stage: str = "teacher",
) -> NeuralTeacher | MolecularTeacher:
    with progress.stage(stage) as advance:
        teacher.fit(
            train,
            on_epoch=lambda epoch, loss: advance(
                epoch, teacher.max_epochs, f"validation loss {loss:.3f}"
            ),
        )
    return teacher


def _distilled(
    teacher: Teacher,
    wanted: dict[str, Student],
    learned: Dataset,
    options: Json,
    progress: Progress,
) -> dict[str, Student]:
    """Distil each student, in a stage of its own."""
    fitted = {}
    for name, student in wanted.items():
        with progress.stage(name) as advance:
            on_step = partial(_say_step, advance)
            fitted[name] = distill(teacher, student, learned, on_step=on_step, **options)
    return fitted


def _judged(
    teacher: Teacher,
    students: dict[str, Student],
    test: Dataset,
    options: Json,
    progress: Progress,
) -> Comparison:
    n_stages = 3 * (len(students) + 1) + 3 + len(options["repeats"])
    done = iter(range(n_stages + 1))
    with progress.stage("comparison") as advance:
        return compare(
            teacher,
            students,
            test,
            **options,
            on_stage=lambda word: advance(next(done), n_stages, word),
        )


def _say_step(advance: Advance, step: int, total: int, loss: float, fidelity: float) -> None:
    advance(step, total, f"loss {loss:.4f}, score R² {fidelity:.4f}")


def _check_students(students: Sequence[str]) -> list[str]:
    if isinstance(students, str):
        students = (students,)
    for name in students:
        if name not in STUDENTS:
            raise UnknownNameError.of("A student", name, STUDENTS)
        STUDENTS[name].check_installed()
    if not students:
        raise UnknownNameError.of("A student", "", STUDENTS)
    return list(dict.fromkeys(students))


def _limit_features(students: dict[str, Student], most: int, data: Dataset) -> None:
    """Let the soft tree's questions weigh so many features, before anything is trained."""
    if SoftTree.NAME not in students:
        raise DataError(
            "max_features is of the soft tree alone; however, the students are "
            f"{', '.join(students)}. Add soft-tree, or leave max_features out."
        )
    check_max_features(most, len(data.readable_features.features))
    students[SoftTree.NAME].set_params(max_features=most)


def _named_for_sizes(
    students: Mapping[str, Student], sizes: Sequence[int], n_features: int
) -> dict[str, tuple[str, int]]:
    """Name each kind of student at each size: ``{"soft-tree-8": ("soft-tree", 8), …}``.

    Of a kind that ends below some of the sizes, the largest stands for these.
    """
    chosen = sorted(set(sizes)) if all(map(is_count, sizes)) else []
    if sizes and (len(chosen) < 2 or not 2 <= chosen[0] <= chosen[-1] <= MOST_SIZE):
        raise DataError(
            f"Sizes must be at least two whole numbers from 2 to {MOST_SIZE}; however, got "
            f"{', '.join(map(str, sizes))}. Give 2, 4, 8, 16, 32, say."
        )
    of_kind = {
        kind: [min(size, student.largest_size(n_features) or size) for size in chosen]
        for kind, student in students.items()
    }
    return {f"{kind}-{size}": (kind, size) for kind, own in of_kind.items() for size in own}
