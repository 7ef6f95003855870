"""Transfer sets, techniques, teachers and batches of a user's own that are not as they must be."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.distillation.techniques import PairedRows, RowWeights
from explain_distill.exceptions import DataError
from explain_distill.metrics.fidelity import score_r2


class Teacher(xd.Teacher):
    """Scores two classes by a function of raw rows."""

    def __init__(self, data, margin):
        self.task, self.schema, self.margin = data.task, data.schema, margin

    def predict_score(self, X):
        margin = self.margin(X)
        return np.stack([-margin, margin], axis=1) / 2


@dataclass(frozen=True)
class Weighing(RowWeights):
    weight: float
    NAME: ClassVar[str] = "weighing"

    def weights(self, teacher, rows):
        return np.full(len(rows), self.weight)


@dataclass(frozen=True)
class Paired(PairedRows):
    weight: float
    NAME: ClassVar[str] = "paired"

    def pairs(self, transfer, X, n, rng):
        return transfer.draw(X, 2 * n, rng)

    def pair_weight(self, n_columns):
        return self.weight


@pytest.fixture(scope="module")
def two_classes():
    return xd.load_dataset("breast-cancer").split(seed=0)[0]


@pytest.mark.parametrize("seed", range(3))
def test_half_of_the_rows_may_be_dropped_throughout_a_long_training(seed, mixed):
    train = mixed[0]
    teacher = Teacher(train, lambda X: np.where(X[:, 1] == 1, np.nan, X[:, 1] - 1))
    student = xd.MLP(hidden=(4,), n_steps=800, batch_size=128)
    fitted = xd.distill(teacher, student, train, on_bad_label="drop", seed=seed)
    assert np.isfinite(fitted.predict_score(train.readable())).all()


def test_a_teacher_that_scores_almost_nothing_is_told_by_its_share(mixed):
    train = mixed[0]
    oldest = np.nanmax(train.X[:, 0])

    class Older(xd.Coalitions):
        def draw(self, X, n, rng):
            return super().draw(X, n, rng) + np.array([100.0, 0.0, 0.0])

    teacher = Teacher(train, lambda X: np.where(X[:, 0] > oldest, np.nan, X[:, 2]))
    with pytest.raises(DataError, match=r"finite scores to 1 in 20 rows .* to \d+ of \d+\. Mend"):
        xd.distill(teacher, xd.MLP(n_steps=20), train.take(~np.isnan(train.X[:, 0])),
                   transfer=Older(), on_bad_label="drop")  # fmt: skip


def test_a_student_that_dropped_rows_is_distilled_again_so(mixed):
    train = mixed[0]
    teacher = Teacher(train, lambda X: np.where(X[:, 1] == 1, np.nan, X[:, 1] - 1))
    students = {"tree": xd.distill(teacher, xd.DecisionTree(), train, on_bad_label="drop")}
    again = xd.redistill(teacher, students, train, minutes=0.001, on_bad_label="drop")
    assert len(again["tree"]) >= 3


@pytest.mark.parametrize("weight", [0.0, 1e300, 1e-300, np.nan, -1.0])
def test_weights_that_no_student_can_learn_by_are_refused(weight, wine, wine_teacher):
    for student in (xd.MLP(n_steps=20), xd.BoostedTrees(n_trees=2)):
        with pytest.raises(DataError, match="Weights of rows must be"):
            xd.distill(wine_teacher, student, wine[0], techniques=[Weighing(weight)])


def test_weights_may_fall_off_as_a_kernel_does(wine, wine_teacher):
    @dataclass(frozen=True)
    class Near(RowWeights):
        NAME: ClassVar[str] = "near"

        def weights(self, teacher, rows):
            return np.exp(-8 * ((rows[:, 0] - 14) / 0.2) ** 2)

    for student in (xd.MLP(n_steps=20), xd.BoostedTrees(n_trees=2), xd.Additive(n_pairs=0)):
        fitted = xd.distill(
            wine_teacher, student, wine[0], transfer=xd.Coalitions(2000), techniques=[Near()]
        )
        assert np.isfinite(fitted.predict_score(wine[1].readable())).all()


@pytest.mark.parametrize("weight", [-5.0, 0.0, np.nan, np.inf, "1"])
def test_a_pair_must_count_for_what_is_learned(weight, wine, wine_teacher):
    with pytest.raises(
        DataError, match="What a pair counts must be above 0, at most 1e\\+09; however, Paired says"
    ):
        xd.distill(wine_teacher, xd.MLP(n_steps=20), wine[0], techniques=[Paired(weight)])


@pytest.mark.parametrize(("n_steps", "share"), [(16, 0.25), (160, 0.95)])
def test_hints_leave_steps_for_what_the_teacher_says(n_steps, share, wine, wine_teacher):
    student, hints = xd.MLP(n_steps=n_steps), [xd.Hints(share)]
    with pytest.raises(DataError, match=f"however, of {n_steps}, {n_steps} would learn hints"):
        xd.distill(wine_teacher, student, wine[0], techniques=hints)


@pytest.mark.parametrize("code", [9.0, 0.5, -1.0])
def test_a_level_that_no_category_has_is_refused(code, mixed, mixed_teacher):
    class Codes(xd.Coalitions):
        def draw(self, X, n, rng):
            rows = super().draw(X, n, rng)
            rows[:, 1] = code
            return rows

    message = f"levels of 'site', whole numbers from 0 to 2, .* it gave {code:g}"
    for student in (xd.MLP(n_steps=20), xd.BoostedTrees(n_trees=2), xd.DecisionTree()):
        with pytest.raises(DataError, match=message):
            xd.distill(mixed_teacher, student, mixed[0], transfer=Codes(1000))


@pytest.mark.parametrize(
    ("mixed_up", "message"),
    [
        (lambda rows: rows[:20] / 2 + rows[20:40] / 2, "must ask for levels of 'site'"),
        (lambda rows: rows[:20, :2], "must ask for raw rows of numbers"),
        (lambda rows: rows[:20].tolist(), "must ask for raw rows of numbers"),
    ],
)
def test_rows_that_are_none_are_not_asked_for(mixed_up, message, mixed, mixed_teacher):
    class Asking(xd.BoostedTrees):
        def fit_oracle(self, oracle, on_step=None):
            return self.fit(*oracle.ask(mixed_up(oracle.rows)))

    with pytest.raises(DataError, match=f"A student {message}"):
        xd.distill(mixed_teacher, Asking(n_trees=2), mixed[0])


def test_a_draw_of_objects_is_refused(wine, wine_teacher):
    class Odd(xd.Coalitions):
        def draw(self, X, n, rng):
            return super().draw(X, n, rng).astype(object)

    with pytest.raises(DataError, match="raw rows of numbers"):
        xd.distill(wine_teacher, xd.MLP(n_steps=20), wine[0], transfer=Odd())


def test_a_transfer_set_without_name_or_size_is_refused_before_training(wine, wine_teacher):
    class Bare:
        def draw(self, X, n, rng):
            return X[:n]

    class Nameless(Bare):
        n_rows = 100

    class Unsized(Bare):
        NAME = "unsized"
        n_rows = 0

    for transfer in (Bare(), Nameless(), Unsized()):
        with pytest.raises(DataError, match="with NAME, n_rows and draw"):
            xd.distill(wine_teacher, xd.MLP(n_steps=20), wine[0], transfer=transfer)
        with pytest.raises(DataError, match="A mixture must be of transfer sets"):
            xd.Mixture(xd.Coalitions(), transfer)
    with pytest.raises(DataError, match="A mixture must be of transfer sets"):
        xd.Mixture("coalitions", "munge")


@pytest.mark.parametrize(
    "make",
    [
        lambda: xd.Munge(swap="a"),
        lambda: xd.Munge(local_variance="x"),
        lambda: xd.ConditionalCoalitions(bandwidth="x"),
        lambda: xd.ConditionalCoalitions(candidates=2.5),
        lambda: xd.GradientMatching(weight="1"),
        lambda: xd.GradientMatching(step=None),
        lambda: xd.ActiveQueries("x"),
        lambda: xd.Hints("x"),
        lambda: xd.EnsembleTeacher(3, None),
        lambda: xd.Mixture(xd.Coalitions(), xd.Munge(), shares="ab"),
    ],
)
def test_options_of_another_kind_are_refused(make):
    with pytest.raises(DataError, match=r"must .*; however, got"):
        make()


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        (lambda X, p: [(X, p.argmax(axis=1))], r"as many labels, \(n, n_classes\)"),
        (lambda X, p: [(X, p[:, :1] * 0 + 1)], r"of two classes or more"),
        (lambda X, p: [(X, p), (X, np.full((len(X), 4), 0.25))], "must have the same columns"),
        (lambda X, p: [(X, p), (X[:, 1:], p)], "must have the same columns"),
        (lambda X, p: [(X[:0], p[:0])], r"holds rows \(0, 5\) and labels \(0, 2\)"),
        (lambda X, p: [(X, p[:-1])], "as many labels"),
        (lambda X, p: [(X, p, -np.ones(len(X)))], "weights, one a row and none below 0"),
        (lambda X, p: [(X, p, np.ones(3))], "weights, one a row"),
        (lambda X, p: [(X, p, None, np.ones(len(X)))], "weights of pairs, for two rows each"),
        (lambda X, p: [(X, p, None, None, np.ones((3, 2)))], "hints, some for each row"),
    ],
)
def test_batches_that_cannot_be_learned_are_refused(batches, message, mixed):
    X = np.nan_to_num(mixed[0].readable())
    p = np.random.default_rng(0).dirichlet(np.ones(2), len(X))
    for student in (xd.MLP(n_steps=5), xd.SoftTree(depth=2, n_steps=5)):
        with pytest.raises(DataError, match=message):
            student.fit_stream(batches(X, p))
        assert not hasattr(student, "preparation_")


def test_a_student_that_diverges_says_so(wine, wine_teacher):
    with pytest.raises(DataError, match="this MLP diverged"):
        xd.distill(wine_teacher, xd.MLP(n_steps=50, learning_rate=1e30), wine[0])


def test_what_is_told_while_learning_is_the_score_r2_of_unequal_classes(two_classes):
    teacher = Teacher(two_classes, lambda X: (X[:, 0] - 14) / 3.5 - 3)
    rows = xd.Coalitions().draw(two_classes.X, 4000, np.random.default_rng(1))
    for student in (
        xd.SoftTree(depth=3, n_steps=600),
        xd.MLP(hidden=(16,), n_steps=600),
        xd.BoostedTrees(n_trees=3),
    ):
        told = []
        fitted = xd.distill(
            teacher, student, two_classes, transfer=xd.Coalitions(5000),
            on_step=lambda *step, told=told: told.append(step[3]),
        )  # fmt: skip
        found = score_r2(
            teacher.predict_score(rows),
            fitted.predict_score(two_classes.readable_features.transform(rows)),
        )
        assert told[-1] == pytest.approx(found, abs=0.15)


def test_a_student_that_cannot_be_kept_has_no_bytes(wine, wine_teacher):
    class Own(xd.Student):
        NAME = "own"

        def __init__(self, *, task="classification", temperature=1.0, random_state=None):
            self.task, self.temperature, self.random_state = task, temperature, random_state

        def _fit_labels(self, X, labels, weights, on_step):
            self.mean_ = np.log(labels).mean(axis=0)

        def predict_score(self, X):
            return np.tile(self.mean_ - self.mean_.mean(), (len(self._checked_rows(X)), 1))

    own = xd.distill(wine_teacher, Own(), wine[0], transfer=xd.Coalitions(500))
    study = xd.compare(wine_teacher, {"own": own}, wine[1], quick=True)
    assert study.comparison.get("own", "cost.bytes") is None
    assert study.comparison.get("own", "fidelity.agreement") is not None


def test_a_teacher_that_is_asked_once_gives_no_rows_their_shape(wine, wine_teacher):
    assert xd.CachedTeacher(wine_teacher).predict_score(wine[1].X[:0]).shape == (0, 3)
