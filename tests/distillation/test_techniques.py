import numpy as np
import pytest
import torch

import explain_distill as xd
from explain_distill.distillation.stream import BATCHES, Stream
from explain_distill.distillation.targets import Labeller
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.metrics.fidelity import score_r2
from explain_distill.students.base import Batch

TECHNIQUES = (
    xd.AttributionMatching(),
    xd.GradientMatching(),
    xd.SpreadWeights(),
    xd.ActiveQueries(),
    xd.Hints(),
)


def small_mlp(n_steps=400):
    return xd.MLP(hidden=(16,), n_steps=n_steps, batch_size=128)


def stream_of(teacher, train, student, *techniques, **options):
    rng = np.random.default_rng(0)
    labeller = Labeller(teacher, train, xd.Coalitions(), 1.0, 0.0, rng, techniques, **options)
    return Stream(labeller, student)


def first(stream):
    return Batch(*next(iter(stream)))


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda each: each.NAME)
def test_a_student_follows_its_teacher_with_each_technique(technique, mixed, mixed_teacher):
    train, test = mixed
    fitted = xd.distill(mixed_teacher, small_mlp(), train, techniques=[technique])
    told = mixed_teacher.predict_score(test.X)
    assert score_r2(told, fitted.predict_score(test.readable())) > 0.9
    assert fitted.distillation_.techniques == (technique.NAME,)


def test_all_techniques_go_together(mixed, mixed_teacher):
    train, test = mixed

    def taught():
        where = xd.Mixture(xd.Coalitions(), xd.Munge())
        student = xd.distill(
            mixed_teacher, small_mlp(), train, transfer=where, techniques=TECHNIQUES,
            hard_weight=0.2, temperature=2.0,
        )  # fmt: skip
        return student.predict_score(test.readable())

    score = taught()
    assert score_r2(mixed_teacher.predict_score(test.X), score) > 0.8
    assert np.array_equal(score, taught())


def test_a_regressor_learns_with_all_techniques():
    train, test = xd.load_dataset("diabetes").split(seed=0)
    teacher = xd.NeuralTeacher(members=2, width=32, max_epochs=60).fit(train)
    fitted = xd.distill(teacher, small_mlp(), train, techniques=TECHNIQUES)
    assert score_r2(teacher.predict_score(test.X), fitted.predict_score(test.readable())) > 0.9


# -- pairs ----------------------------------------------------------------------------------------


def test_a_pair_of_coalitions_differs_in_one_column():
    X = np.arange(60.0).reshape(20, 3)
    rows = xd.AttributionMatching().pairs(xd.Coalitions(), X, 500, np.random.default_rng(0))
    one, other = rows[::2], rows[1::2]
    differing = (one != other).sum(axis=1)
    assert differing.max() == 1  # none differs where x and b are the same row
    assert (differing == 1).mean() > 0.9


def test_the_mean_difference_of_pairs_is_the_shapley_value():
    # Of f = x0 x1 + x2 with independent columns, φ0(x) and φ1(x) are both
    # (x0 x1 - E x0 E x1 + x0 E x1 - x1 E x0) / 2 and its mirror image, and φ2 = x2 - E x2.
    rng = np.random.default_rng(0)
    X = rng.normal([1.0, 2.0, 0.0], size=(2000, 3))
    x = np.array([[2.0, 3.0, 1.5]])
    once = xd.AttributionMatching()

    class Fixed:  # draws x for the first rows and a background row for the second
        def __init__(self):
            self.rng, self.calls = np.random.default_rng(1), 0

        def integers(self, high, size):
            self.calls += 1
            return np.full(size, 2000) if self.calls == 1 else self.rng.integers(high, size=size)

        def random(self, *arguments):
            return self.rng.random(*arguments)

    rows = once.pairs(xd.Coalitions(), np.concatenate([X, x]), 200_000, Fixed())
    value = rows[:, 0] * rows[:, 1] + rows[:, 2]
    change, moved = value[::2] - value[1::2], (rows[::2] != rows[1::2])
    shapley = [change[moved[:, column]].mean() for column in range(3)]
    mean = X.mean(axis=0)
    product = x[0, 0] * x[0, 1] - (X[:, 0] * X[:, 1]).mean()
    lean = x[0, 0] * mean[1] - x[0, 1] * mean[0]
    expected = [(product + lean) / 2, (product - lean) / 2, 1.5 - mean[2]]
    assert shapley == pytest.approx(expected, abs=0.05)


def test_a_gradients_pair_lies_a_step_apart_along_numbers_only(mixed, mixed_teacher):
    train, _ = mixed
    ready = xd.GradientMatching(step=0.1).ready(mixed_teacher, train)
    rows = ready.pairs(xd.TrainingRows(), train.X, 4000, np.random.default_rng(0))
    apart = rows[::2] - rows[1::2]
    assert np.nanstd(apart[:, 0]) == pytest.approx(0.1 * np.nanstd(train.X[:, 0]), rel=0.05)
    assert not apart[:, 1:].any()
    assert np.isnan(rows[:, 0]).mean() == pytest.approx(np.isnan(train.X[:, 0]).mean(), abs=0.01)


def test_a_pairs_loss_is_the_mean_square_of_the_slopes_error():
    # Teacher 3 z, student 0: the slope's error is 3 per standard deviation, its square 9.
    technique = xd.GradientMatching(step=0.1)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 1))
    rows = technique.pairs(xd.TrainingRows(), X, 20_000, rng)
    errors = torch.as_tensor(3 * rows / X.std())
    from explain_distill.students.matching import difference_of_errors

    pairs = torch.full((20_000,), technique.pair_weight(1), dtype=torch.float64)
    assert float(difference_of_errors(errors.T, pairs)) == pytest.approx(9, rel=0.05)


def test_half_of_a_batch_comes_in_pairs_shared_by_the_techniques(mixed, mixed_teacher):
    both = (xd.AttributionMatching(), xd.GradientMatching())
    batch = first(stream_of(mixed_teacher, mixed[0], small_mlp(), *both))
    assert batch.rows.shape == (128, 5)
    assert len(batch.pairs) == 32
    assert batch.pairs[:16].tolist() == [2 * 3.0] * 16
    assert batch.pairs[16:] == pytest.approx([2 * 100.0] * 16)


@pytest.mark.parametrize("technique", TECHNIQUES[:2], ids=lambda each: each.NAME)
def test_matching_differences_beside_training_rows_brings_them_closer(
    technique, wine, wine_teacher
):
    train, test = wine
    ready = technique.ready(wine_teacher, train)
    rows = ready.pairs(xd.TrainingRows(), test.X, 4000, np.random.default_rng(7))

    def error(*techniques):
        student = xd.distill(
            wine_teacher, small_mlp(600), train, transfer=xd.TrainingRows(), techniques=techniques
        )
        distance = wine_teacher.predict_score(rows) - student.predict_score(rows)
        return np.square(distance[::2] - distance[1::2]).mean()

    assert error(technique) < 0.5 * error()


# -- weights --------------------------------------------------------------------------------------


def test_members_that_agree_have_no_spread_and_their_mean_is_the_score(wine, wine_teacher):
    train, test = wine
    spread = wine_teacher.spread(test.X)
    assert spread.shape == (len(test),)
    assert spread.min() > 0
    twice = xd.EnsembleTeacher([wine_teacher, wine_teacher], train)
    assert twice.spread(test.X) == pytest.approx(np.zeros(len(test)))
    assert twice.predict_score(test.X) == pytest.approx(wine_teacher.predict_score(test.X))
    assert "the mean of a deep ensemble" in twice.describe()
    assert twice.single_members() == (wine_teacher, wine_teacher)


def test_a_row_of_usual_spread_counts_one(wine, wine_teacher):
    train, _ = wine
    weights = xd.SpreadWeights().ready(wine_teacher, train).weights(wine_teacher, train.X)
    assert np.median(weights) == pytest.approx(1, abs=0.01)
    order = np.argsort(wine_teacher.spread(train.X))
    assert (np.diff(weights[order]) <= 0).all()
    batch = first(stream_of(wine_teacher, train, small_mlp(), xd.SpreadWeights()))
    assert batch.weights.shape == (128,)


def test_rows_without_spread_do_not_set_the_usual_one(wine, wine_teacher):
    class HalfSure(type(wine_teacher)):
        def spread(self, X):
            return np.where(np.arange(len(X)) % 3 == 0, 4.0, 0.0)

    teacher = HalfSure(members=2)
    weights = xd.SpreadWeights().ready(teacher, wine[0]).weights(teacher, wine[0].X)
    assert sorted(set(weights)) == [1, 2]


def test_members_that_never_disagree_are_refused(wine, wine_teacher):
    twice = xd.EnsembleTeacher([wine_teacher, wine_teacher], wine[0])
    with pytest.raises(DataError, match="members that disagree; however, those of the mean of"):
        xd.distill(twice, small_mlp(), wine[0], techniques=[xd.SpreadWeights()])


def test_a_weighted_loss_counts_rows_by_their_weight(mixed, mixed_teacher):
    train, test = mixed
    rows = train.readable()
    labels = mixed_teacher.predict_proba(train.X)
    upside_down = labels[:, ::-1]
    both = np.concatenate([rows, rows]), np.concatenate([labels, upside_down])
    weights = np.repeat([1.0, 0.0], len(rows))
    student = small_mlp(300).set_params(random_state=0)
    student.fit_stream((*both, weights) for _ in iter(int, 1))
    told = mixed_teacher.predict_score(test.X)
    assert score_r2(told, student.predict_score(test.readable())) > 0.9


def test_boosted_trees_take_weights_too(wine, wine_teacher):
    train, test = wine
    for transfer in (xd.Coalitions(2000), xd.TrainingRows()):
        fitted = xd.distill(
            wine_teacher, xd.BoostedTrees(n_trees=40), train,
            transfer=transfer, techniques=[xd.SpreadWeights()],
        )  # fmt: skip
        same = fitted.predict(test.readable()) == wine_teacher.predict(test.X)
        assert same.mean() > 0.9


# -- queries and hints ----------------------------------------------------------------------------


def test_the_rows_asked_again_are_those_with_the_largest_errors(mixed, mixed_teacher):
    student = small_mlp(60)
    batches, disagreement = [], []
    stream = stream_of(mixed_teacher, mixed[0], student, xd.ActiveQueries(share=0.25))
    ask = student.score_so_far

    def watched(rows):
        score = ask(rows)
        disagreement.append((rows, score))
        return score

    student.score_so_far = watched

    def kept():
        for batch in stream:
            batches.append(batch)
            yield batch

    student.fit_stream(kept())
    rows, score = disagreement[0]
    labels = np.concatenate([y for _, y in batches[:BATCHES]])
    distance = np.abs(score[:, 1] - score[:, 0] - np.log(labels[:, 1] / labels[:, 0]))
    hardest = rows[np.argsort(-distance)[: BATCHES * 32]]
    again = np.concatenate([X[-32:] for X, _ in batches[BATCHES : 2 * BATCHES]])
    assert {*map(bytes, again)} == {*map(bytes, hardest)}


def test_a_student_scores_while_it_learns_and_not_afterwards(mixed, mixed_teacher):
    student = small_mlp(20)
    rows = mixed[1].readable()
    seen = []
    stream = stream_of(mixed_teacher, mixed[0], student)
    student.fit_stream(stream, on_step=lambda *_: seen.append(student.score_so_far(rows)))
    assert student.score_so_far(rows) is None
    assert seen[-1] == pytest.approx(student.predict_score(rows), abs=1e-4)


def test_hints_come_first_and_are_standardised(mixed, mixed_teacher):
    student = small_mlp(80)
    stream = stream_of(mixed_teacher, mixed[0], student, xd.Hints(share=0.4))
    batches = [batch for _, batch in zip(range(3 * BATCHES), stream, strict=False)]
    hinted = [len(batch) == 5 and batch[4] is not None for batch in batches]
    assert hinted == [True] * 2 * BATCHES + [False] * BATCHES
    hints = np.concatenate([batch[4] for batch in batches[: 2 * BATCHES]])
    assert hints.shape[1] == 2 * 32
    assert np.abs(hints.mean(axis=0)).mean() < 0.5


@pytest.mark.parametrize("technique", [xd.Hints(share=0.01), xd.ActiveQueries(share=0.001)])
def test_a_small_share_is_at_least_something(technique, mixed, mixed_teacher):
    stream = stream_of(mixed_teacher, mixed[0], small_mlp(20), technique)
    assert stream.n_hinted + stream.n_again == 1


def test_a_student_of_hints_alone_guesses_the_teachers_layer(mixed, mixed_teacher):
    student = small_mlp(320).set_params(random_state=0)
    losses = []
    stream = stream_of(mixed_teacher, mixed[0], student, xd.Hints(share=0.95))
    student.fit_stream(stream, on_step=lambda step, n, loss, fit: losses.append(loss))
    assert np.mean(losses[250:300]) < 0.5 * np.mean(losses[:16])


# -- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("student", "technique", "message"),
    [
        (xd.BoostedTrees(), xd.GradientMatching(), "needs a student that trains in steps"),
        (xd.BoostedTrees(), xd.ActiveQueries(), "BoostedTrees does not. Take SoftTree or MLP"),
        (xd.SoftTree(), xd.Hints(), "Hints need a student with hidden layers"),
        (xd.MLP(hidden=()), xd.Hints(), "Hints need a student with hidden layers"),
    ],
)
def test_students_that_cannot_learn_so_are_refused(student, technique, message, mixed):
    with pytest.raises(DataError, match=message):
        xd.distill(object(), student, mixed[0], techniques=[technique])


@pytest.mark.parametrize("technique", [xd.SpreadWeights(), xd.Hints()])
def test_teachers_that_do_not_show_it_are_refused(technique, wine):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=5000).fit(wine[0].X, wine[0].y)
    with pytest.raises(DataError, match="a fitted LogisticRegression"):
        xd.distill(model, small_mlp(), wine[0], techniques=[technique])


def test_slopes_need_a_number(mixed, mixed_teacher):
    from dataclasses import replace

    from explain_distill.data.features import Schema

    train, _ = mixed
    no_numbers = replace(train, X=train.X[:, 1:], schema=Schema(train.schema.features[1:]))
    with pytest.raises(DataError, match="needs a column of numbers"):
        xd.GradientMatching().ready(mixed_teacher, no_numbers)


def test_an_ensemble_needs_two_members(wine, wine_teacher):
    with pytest.raises(DataError, match="at least two members; however, got 1"):
        xd.EnsembleTeacher([wine_teacher], wine[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: xd.GradientMatching(weight=0), "weight must be a number above 0; however, got 0"),
        (lambda: xd.GradientMatching(step=0), "step must be above 0 and at most 1"),
        (lambda: xd.AttributionMatching(weight=-1), "weight must be a number above 0"),
        (lambda: xd.ActiveQueries(share=0.6), "above 0 and at most 0.5; however, got 0.6"),
        (lambda: xd.Hints(share=0), "share must be above 0 and below 1; however, got 0"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(DataError, match=message):
        make()


def test_a_batch_too_small_for_pairs_is_refused(mixed, mixed_teacher):
    tiny = xd.MLP(batch_size=3)
    with pytest.raises(DataError, match="batch_size must be at least 4, for half of"):
        xd.distill(mixed_teacher, tiny, mixed[0], techniques=[xd.AttributionMatching()])


def test_as_many_rows_may_be_asked_again_as_are_new(mixed, mixed_teacher):
    half = [xd.ActiveQueries(share=0.5), xd.AttributionMatching()]
    student = xd.MLP(hidden=(8,), n_steps=40, batch_size=6)
    assert np.isfinite(
        xd.distill(mixed_teacher, student, mixed[0], techniques=half).weights_[0]
    ).all()


def test_a_technique_comes_once(mixed, mixed_teacher):
    twice = [xd.GradientMatching(), xd.GradientMatching(weight=2)]
    with pytest.raises(DataError, match="given once; however, got gradient-matching, gradient"):
        xd.distill(mixed_teacher, small_mlp(), mixed[0], techniques=twice)


# -- bad labels -----------------------------------------------------------------------------------


class Gappy(xd.Teacher):
    """Has no score where the first column is above a limit."""

    def __init__(self, teacher, limit):
        self.teacher, self.task, self.limit = teacher, teacher.task, limit

    def predict_score(self, X):
        score = self.teacher.predict_score(X)
        score[X[:, 0] > self.limit] = np.nan
        return score


@pytest.mark.parametrize("transfer", [xd.Coalitions(500), xd.TrainingRows()])
@pytest.mark.parametrize("student", [xd.BoostedTrees(n_trees=5), small_mlp(20)])
def test_a_row_without_a_score_is_named(transfer, student, mixed, mixed_teacher):
    gappy = Gappy(mixed_teacher, 60)
    message = r"gives \d+ of \d+ drawn rows another, first \[nan, nan\] to the row age = \d.*years"
    with pytest.raises(DataError, match=message):
        xd.distill(gappy, student, mixed[0], transfer=transfer)


@pytest.mark.parametrize("transfer", [xd.Coalitions(500), xd.TrainingRows()])
@pytest.mark.parametrize(
    "student", [xd.BoostedTrees(n_trees=30), small_mlp(300), xd.DecisionTree(max_leaves=16)]
)
def test_rows_without_a_score_are_left_out_where_asked(transfer, student, mixed, mixed_teacher):
    train, test = mixed
    gappy = Gappy(mixed_teacher, 60)
    fitted = xd.distill(gappy, student, train, transfer=transfer, on_bad_label="drop")
    spoken = test.take(~(test.X[:, 0] > 60))
    told = mixed_teacher.predict_score(spoken.X)
    assert score_r2(told, fitted.predict_score(spoken.readable())) > 0.7


def test_pairs_are_left_out_together(mixed, mixed_teacher):
    student, matching = small_mlp(20), xd.AttributionMatching()
    gappy = Gappy(mixed_teacher, 60)
    batch = first(stream_of(gappy, mixed[0], student, matching, on_bad_label="drop"))
    assert (batch.rows[:, 0] > 60).sum() == 0
    assert np.isfinite(batch.labels).all()
    pairs = batch.rows[: 2 * len(batch.pairs)]
    columns = np.array([0, 1, 1, 1, 2])
    differs = ~((pairs[::2] == pairs[1::2]) | (np.isnan(pairs[::2]) & np.isnan(pairs[1::2])))
    assert all(len(set(columns[row])) <= 1 for row in differs)


def test_a_teacher_that_never_scores_is_refused(mixed, mixed_teacher):
    silent = Gappy(mixed_teacher, -np.inf)
    with pytest.raises(DataError, match="must give some training row a finite score"):
        xd.distill(silent, small_mlp(), mixed[0].take(~np.isnan(mixed[0].X[:, 0])),
                   on_bad_label="drop")  # fmt: skip


def test_an_unknown_way_with_bad_labels_is_named(mixed, mixed_teacher):
    with pytest.raises(UnknownNameError, match="on_bad_label must be one of drop, raise"):
        xd.distill(mixed_teacher, small_mlp(), mixed[0], on_bad_label="skip")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: np.full_like(w, np.nan), "gives nan to nan"),
        (lambda w: -np.ones_like(w), "gives -1 to -1"),
        (lambda w: w[:, None], r"gives \(\d+, 1\) for"),
        (lambda w: w[:-1], r"gives \(\d+,\) for"),
    ],
)
def test_weights_that_are_not_one_a_row_are_refused(change, said, wine, wine_teacher):
    class Odd(xd.SpreadWeights):
        def weights(self, teacher, rows):
            return change(np.ones(len(rows)))

    with pytest.raises(DataError, match=said):
        xd.distill(wine_teacher, xd.MLP(hidden=(4,), n_steps=20), wine[0], techniques=[Odd()])


@pytest.mark.parametrize(
    "change", [lambda X: X[:5], lambda X: X[:, :2], lambda X: X.tolist(), lambda X: None]
)
def test_a_draw_of_another_shape_is_refused(change, wine, wine_teacher):
    class Odd(xd.Coalitions):
        def draw(self, X, n, rng):
            return change(X)

    with pytest.raises(DataError, match="must draw raw rows of numbers"):
        xd.distill(wine_teacher, xd.MLP(hidden=(4,), n_steps=20), wine[0], transfer=Odd())
