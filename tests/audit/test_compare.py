import dataclasses
import re

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.report.judgement import reasons_words

STUDENTS = ("soft-tree", "decision-tree", "boosted-trees", "mlp")


class Itself(xd.Student):
    """The teacher in a student's clothes, for a table of numbers alone."""

    NAME = "itself"

    def __init__(self, teacher=None, task="classification", temperature=1.0, random_state=None):
        self.teacher, self.task = teacher, task
        self.temperature, self.random_state = temperature, random_state

    def predict_score(self, X):
        return self.teacher.predict_score(X)

    def write(self, folder):
        return {}


@pytest.fixture(scope="module")
def itself(wine, wine_teacher):
    return xd.compare(wine_teacher, {"itself": Itself(wine_teacher)}, wine[1])


def value(study, model, metric):
    return study.comparison.get(model, metric).value


def test_a_student_that_is_the_teacher_is_perfect(itself):
    assert value(itself, "itself", "fidelity.agreement") == 1.0
    assert value(itself, "itself", "fidelity.score_r2") == 1.0
    assert value(itself, "itself", "fidelity.kl") == pytest.approx(0.0, abs=1e-12)
    assert value(itself, "itself", "attribution.rank_correlation") == pytest.approx(1.0)


def test_the_ceiling_is_the_teacher_against_itself_on_independent_draws(itself):
    ceiling = value(itself, "teacher", "attribution.rank_correlation")
    assert 0.95 <= ceiling < 1.0
    assert itself.comparison.reasons.ceiling == pytest.approx(ceiling)
    assert "reached" in itself.comparison.reasons.describe()


def test_a_figure_has_its_interval_and_its_number_of_rows(wine, wine_study):
    for metric in wine_study.comparison.metrics:
        if metric.metric.split(".")[0] in ("performance", "fidelity", "attribution"):
            assert metric.n in (len(wine[1]), len(wine_study.comparison.reasons.rows))
            if metric.low is None:
                bound = metric.metric.endswith("_bound") or metric.metric == "performance.ece"
                # The variance of these may rest on a row or two.
                unlimited = metric.metric.endswith(("log_loss", "log_loss_difference", "kl"))
                assert metric.value in (0.0, 1.0) or bound or unlimited
                continue
            assert metric.low <= metric.value <= metric.high, metric
            assert metric.level == 0.95


def test_fidelity_is_of_students_and_performance_of_all(wine_study):
    comparison = wine_study.comparison
    assert comparison.get("teacher", "fidelity.agreement") is None
    for model in ("teacher", *STUDENTS):
        for metric in ("performance.accuracy", "cost.row_milliseconds", "cost.bytes"):
            assert comparison.get(model, metric) is not None
        chance = comparison.get(model, "attribution.top_k_overlap").chance
        assert chance == pytest.approx(5 / 13)


def test_the_summary_has_a_row_for_each_figure(wine_study):
    table = wine_study.summary()
    assert list(table.columns) == ["value", "low", "high", "n", "level"]
    assert len(table) == len(wine_study.comparison.metrics)
    assert table.loc[("mlp", "fidelity.agreement"), "value"] > 0.9


def test_attributions_of_every_model_add_up_to_its_score(wine_study):
    reasons, scores = wine_study.comparison.reasons, wine_study.comparison.scores
    for name in wine_study.comparison.models:
        told = reasons.own[name]
        assert told.residual(scores[name][reasons.rows]) < 1e-4


def test_students_on_coalitions_give_the_teachers_reasons_better_than_on_training_rows(
    wine, wine_teacher
):
    train, test = wine
    student = xd.MLP(hidden=(32,), n_steps=800)
    made = {
        transfer.NAME: xd.distill(wine_teacher, student, train, transfer=transfer)
        for transfer in (xd.Coalitions(), xd.TrainingRows())
    }
    study = xd.compare(wine_teacher, made, test)
    metric = "attribution.rank_correlation"
    assert value(study, "coalitions", metric) > value(study, "training-rows", metric)


def test_the_same_seed_measures_the_same(wine, wine_teacher, wine_students):
    one = {"mlp": wine_students["mlp"]}
    first, again = (xd.compare(wine_teacher, one, wine[1]).summary() for _ in range(2))
    timeless = [metric for metric in first.index if not metric[1].startswith("cost.")]
    assert first.loc[timeless].equals(again.loc[timeless])


def test_rows_without_a_background_are_refused(wine, wine_teacher, wine_students):
    with pytest.raises(DataError, match=r"second part of `data\.split"):
        xd.compare(wine_teacher, wine_students, wine[0])


@pytest.mark.parametrize("name", ["teacher", "../up", "", ".hidden", "a/b"])
def test_a_name_that_makes_no_folder_is_refused(name, wine, wine_teacher, wine_students):
    with pytest.raises(DataError, match="A student's name must"):
        xd.compare(wine_teacher, {name: wine_students["mlp"]}, wine[1])


def test_no_student_is_refused(wine, wine_teacher):
    with pytest.raises(DataError, match="at least one student"):
        xd.compare(wine_teacher, {}, wine[1])


def test_a_table_with_every_kind_of_column_is_judged(mixed, mixed_teacher, mixed_students):
    study = xd.compare(mixed_teacher, mixed_students, mixed[1])
    reasons = study.comparison.reasons
    assert reasons.reference["mlp"].values.shape[1] == 3
    assert np.isfinite(study.summary()["value"]).all()


def test_a_student_of_class_names_is_refused_not_mirrored(mixed, mixed_teacher):
    train, test = mixed
    words = np.array(train.task.class_names)[train.y]
    student = xd.SoftTree(depth=1, n_steps=50).fit(train.readable(), words)
    with pytest.raises(DataError, match="class codes of the data; however, 'tree' is not"):
        xd.compare(mixed_teacher, {"tree": student}, test)


def test_intervals_of_grouped_rows_are_wider(wine, wine_teacher, wine_students):
    test = dataclasses.replace(wine[1], groups=np.arange(len(wine[1])) // 9)
    one = {"soft-tree": wine_students["soft-tree"]}
    rows, groups = (xd.compare(wine_teacher, one, data) for data in (wine[1], test))
    for study in (rows, groups):
        assert np.isfinite(study.summary()["value"]).all()
    agreement = [s.comparison.get("soft-tree", "fidelity.agreement") for s in (rows, groups)]
    assert agreement[1].high - agreement[1].low > agreement[0].high - agreement[0].low


def test_a_teacher_that_knows_nothing_calls_for_caution(wine_study):
    assert wine_study.comparison.caution is None
    rng = np.random.default_rng(0)
    train, test = xd.load_dataset("wine").split(seed=0)
    noise = dataclasses.replace(train, y=rng.permutation(train.y))
    blind = xd.NeuralTeacher(members=1, width=8, max_epochs=3).fit(noise)
    shuffled = dataclasses.replace(test, y=rng.permutation(test.y))
    student = xd.distill(blind, xd.MLP(hidden=(8,), n_steps=100), train)
    caution = xd.compare(blind, {"mlp": student}, shuffled).comparison.caution
    assert caution is not None
    assert "cannot be told from one that knows nothing (area under the ROC curve" in caution


class Constant(xd.Teacher):
    """Knows nothing, and says so of every row."""

    def __init__(self, task):
        self.task = task

    def predict_score(self, X):
        return np.zeros((len(X), self.task.n_scores))

    def describe(self):
        return "a teacher that knows nothing"


def test_a_constant_teacher_has_no_reasons_and_calls_for_caution(mixed, mixed_students):
    train, test = mixed
    student = {"mlp": mixed_students["mlp"]}
    study = xd.compare(Constant(train.task), student, test, n_draws=4, quick=True)
    assert "knows nothing" in study.comparison.caution
    certificate = study.comparison.trust["mlp"].certificate
    assert certificate.leading == ()
    assert "gives no column weight" in reasons_words(study, "mlp")
    for figure in ("deletion", "insertion"):
        found = study.comparison.get("teacher", f"faithfulness.{figure}")
        assert found is None or abs(found.value) < 1e-6


def test_test_rows_that_are_training_rows_are_counted(mixed, mixed_teacher, mixed_students):
    train, test = mixed
    student = {"mlp": mixed_students["mlp"]}
    again = dataclasses.replace(test, X=np.concatenate([test.background[:3], test.X[3:]]))
    study = xd.compare(mixed_teacher, student, again, n_draws=1, quick=True)
    known = sum((row == train.X).all(axis=1).any() for row in again.X)
    assert known >= 1
    told = [note for note in study.about.notes if "in all columns as a training row" in note]
    assert len(told) == 1
    assert int(told[0].split()[0]) >= known


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda t, s, d: xd.compare(t, s, d.frame()), "data must be a Dataset; however, got"),
        (lambda t, s, d: xd.redistill(t, s, d.frame()), "data must be a Dataset; however, got"),
        (lambda t, s, d: xd.run(d.frame()), "data must be a Dataset; however, got DataFrame"),
        (lambda t, s, d: xd.compare(t, s["mlp"], d), "Students must be given by name; however"),
        (lambda t, s, d: xd.compare(t, [s["mlp"]], d), "A student's name must begin"),
        (lambda t, s, d: xd.compare(t, {3: s["mlp"]}, d), "not be 'teacher'; however, got 3"),
        (lambda t, s, d: xd.compare(t, {"a": 3}, d), "however, 'a' is a int"),
        (lambda t, s, d: xd.compare(t, s, d, n_draws=0), "multiple of 4; however, got 0"),
        (lambda t, s, d: xd.compare(t, s, d, seed=-1), "0 or more; however, got -1"),
        (lambda t, s, d: d.split(seed="a"), "whole number, 0 or more; however, got 'a'"),
        (lambda t, s, d: xd.run(d, sizes=[4, "a"]), "whole numbers from 2 to"),
        (lambda t, s, d: xd.run(d, budget=3), "A budget must be text; however, got 3"),
        (lambda t, s, d: xd.Coalitions("a"), "1 or more; however, got 'a'"),
        (lambda t, s, d: xd.load_dataset(3), "however, got 3"),
    ],
)
def test_what_is_of_another_kind_is_refused_in_one_line(call, said, mixed, mixed_teacher):
    train, test = mixed
    student = xd.MLP(hidden=(4,), n_steps=20)
    students = {"mlp": xd.distill(mixed_teacher, student, train, transfer=xd.Coalitions(100))}
    with pytest.raises((DataError, UnknownNameError), match=re.escape(said)):
        call(mixed_teacher, students, test)


class Uncentred(xd.Teacher):
    """Says log-probabilities as they are."""

    def __init__(self, teacher, shift):
        self.teacher, self.shift, self.task = teacher, shift, teacher.task

    def predict_score(self, X):
        return self.shift(self.teacher.predict_score(X))

    def describe(self):
        return "a teacher of another form"


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (lambda s: s + 5, "must be centred, those of a row summing to 0; however, Uncentred"),
        (lambda s: s[:, 0], "one column a class or one for a value; however, Uncentred gives"),
        (lambda s: s[:-1], "however, Uncentred gives"),
    ],
)
def test_scores_of_another_form_are_refused(shift, said, mixed, mixed_teacher, mixed_students):
    train, test = mixed
    teacher = Uncentred(mixed_teacher, shift)
    with pytest.raises(DataError, match=said):
        xd.distill(teacher, xd.MLP(hidden=(4,), n_steps=20), train)
    with pytest.raises(DataError, match=said):
        xd.compare(teacher, {"mlp": mixed_students["mlp"]}, test, quick=True, n_draws=1)
