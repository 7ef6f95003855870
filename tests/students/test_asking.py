"""Trees that ask their teacher."""

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.distillation.oracle import TeacherOracle
from explain_distill.distillation.targets import Labeller
from explain_distill.students.cuts import Cuts
from explain_distill.students.leaf_answers import Labelled
from explain_distill.students.leaf_queries import coalitions_within
from explain_distill.students.tree_growth import grow
from explain_distill.students.tree_search import Material


def oracle(teacher, train, hard_weight=0.0):
    rng = np.random.default_rng(0)
    return TeacherOracle(Labeller(teacher, train, xd.Coalitions(), 1.0, hard_weight, rng))


def test_mixtures_of_rows_in_a_leaf_lie_in_it(mixed, mixed_students):
    train, splits = mixed[0], mixed_students["decision-tree"].splits
    leaves = splits.leaves_of(train.readable())
    wanted = np.arange(splits.n_leaves)
    rows = coalitions_within(train.X, leaves, wanted, np.random.default_rng(0))
    counts = np.bincount(leaves, minlength=splits.n_leaves)
    landed = splits.leaves_of(train.readable_features.transform(rows))
    expected = np.where(counts > 1, wanted, 0)
    assert np.array_equal(np.bincount(landed, minlength=splits.n_leaves), expected)


def test_rows_that_are_added_share_the_weight_of_their_leaf():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(300, 2)), rng.normal(size=(300, 1))
    codes = Cuts.fit(X).codes(X)
    material = Material(codes, y, Labelled(y, rng.uniform(size=300), False))
    part = Material(codes[:40], y[:40], Labelled(y[:40], np.ones(40), False))
    splits = grow(codes, y, material.labelled.weights, 6)
    joined = material.joined(part, splits)
    assert len(joined.codes) == 340
    assert joined.sums(splits).total == pytest.approx(material.sums(splits).total)


def test_a_leaf_with_few_rows_is_asked_about(mixed, mixed_teacher):
    asked = oracle(mixed_teacher, mixed[0])
    n_known, n_drawn = len(mixed[0]), 300
    tree = xd.DecisionTree(n_queries=n_drawn, random_state=0).fit_oracle(asked)
    assert asked.n_rows > n_known + n_drawn
    assert tree.n_features_in_ == mixed[0].readable().shape[1]


def test_asking_brings_a_tree_closer_to_its_teacher_than_its_training_rows(wine, wine_teacher):
    train, test = wine
    teacher = wine_teacher.predict_score(test.X).argmax(axis=1)

    def agreement(transfer):
        tree = xd.distill(wine_teacher, xd.DecisionTree(), train, transfer=transfer)
        return np.mean(tree.predict(test.readable()) == teacher)

    assert agreement(xd.Coalitions()) > agreement(xd.TrainingRows())


def test_known_rows_come_first_in_the_order_of_the_raw_ones(mixed, mixed_teacher):
    train = mixed[0]
    rows, labels, weights = oracle(mixed_teacher, train, hard_weight=0.25).known()
    n = len(train)
    assert np.array_equal(rows[:n], train.readable(), equal_nan=True)
    assert np.array_equal(rows[n:], train.readable(), equal_nan=True)
    assert weights.tolist() == [0.75] * n + [0.25] * n
    assert (labels[:n] > 0).all()
    assert np.array_equal(labels[n:].argmax(axis=1), train.y)


def test_true_labels_alone_are_learned_without_asking(wine, wine_teacher):
    tree = xd.distill(wine_teacher, xd.DecisionTree(), wine[0], hard_weight=1.0)
    assert tree.score(wine[1].readable(), wine[1].y) > 0.8


def test_every_student_tells_how_many_rows_it_saw(wine, wine_teacher):
    tree = xd.distill(wine_teacher, xd.DecisionTree(n_queries=500), wine[0])
    assert tree.distillation_.n_rows >= len(wine[0]) + 500


def test_a_small_transfer_set_is_not_overdrawn(wine, wine_teacher):
    counts = [
        xd.distill(
            wine_teacher, xd.DecisionTree(max_leaves=2, n_queries=900), wine[0], transfer=transfer
        ).distillation_.n_rows
        for transfer in (xd.Coalitions(n_rows=50), xd.Coalitions())
    ]
    assert counts[0] <= len(wine[0]) + 50 + 900
    assert counts[1] >= len(wine[0]) + 900


def test_filling_leaves_keeps_to_the_number_of_queries(wine, wine_teacher):
    tree = xd.DecisionTree(max_leaves=64, n_queries=200)
    fitted = xd.distill(wine_teacher, tree, wine[0])
    assert fitted.distillation_.n_rows <= len(wine[0]) + 2 * 200
