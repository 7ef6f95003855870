import numpy as np
import pytest
import xgboost

import explain_distill as xd
from explain_distill.metrics.scores import score_of_probabilities
from explain_distill.students.booster_form import booster_of, trees_of
from explain_distill.students.export.of_students import as_double


def test_soft_labels_of_three_classes_are_learned_as_scores_not_by_their_largest():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(800, 2))
    logits = np.stack([X[:, 0], X[:, 1], -X[:, 0]], axis=1)
    soft = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    student = xd.BoostedTrees(n_trees=200, random_state=0).fit(X, soft)
    gap = student.predict_score(X) - score_of_probabilities(soft)
    assert np.abs(gap).max() < 0.2


def test_confident_soft_labels_keep_their_confidence():
    X = np.linspace(-1, 1, 400)[:, None]
    margin = 12 * X[:, 0]
    soft = np.stack([1 / (1 + np.exp(margin)), 1 / (1 + np.exp(-margin))], axis=1)
    student = xd.BoostedTrees(n_trees=300, random_state=0).fit(X, soft)
    score = student.predict_score(X)
    assert score[:, 1] - score[:, 0] == pytest.approx(margin, abs=0.3)


def test_soft_and_hard_labels_are_learned_in_the_same_trees():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(600, 1))
    p = 1 / (1 + np.exp(-4 * X[:, 0]))
    labels = np.stack([1 - p, p], axis=1)
    labels[::2] = np.eye(2)[(rng.random(300) < p[::2]).astype(int)]
    student = xd.BoostedTrees(n_trees=60, random_state=0).fit(X, labels)
    assert np.abs(student.predict_proba(X)[:, 1] - p).mean() < 0.08


def test_sums_of_leaves_are_exact_in_single_precision_in_any_order(wine, wine_students):
    student, readable = wine_students["boosted-trees"], wine[1].readable()
    few = np.concatenate([student.booster_of(readable[i : i + 1]) for i in range(len(readable))])
    assert np.array_equal(student.booster_of(readable), few)
    n, half = student.n_trees, student.n_trees // 2
    first, second = (
        student.booster_.inplace_predict(readable, iteration_range=part)
        for part in ((0, half), (half, n))
    )
    assert np.array_equal(first.astype(float) + second, student.booster_of(readable))


def test_a_row_takes_the_way_of_its_single_precision_where_a_value_meets_a_threshold(mixed):
    data = mixed[0]
    student = xd.BoostedTrees(n_trees=30, random_state=0).fit(data.readable(), data.y)
    arrays = student.tree_arrays_
    rows = []
    for node in np.flatnonzero(~arrays.is_leaf)[:200]:
        middle, _ = as_double(arrays.thresholds[node])
        for value in (middle, np.nextafter(middle, -np.inf), np.nextafter(middle, np.inf)):
            rows.append(data.readable()[0])
            rows[-1][arrays.features[node]] = value
    rows = np.array(rows)
    single = np.concatenate([student.booster_of(row[None]) for row in rows])
    assert np.array_equal(student.booster_of(rows), single)


def test_rounding_the_leaves_moves_the_score_by_little():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    rows = xgboost.QuantileDMatrix(X, X[:, 0] * X[:, 1])
    booster = xgboost.train({"base_score": 0.0, "max_depth": 3}, rows, 300)
    before = booster.inplace_predict(X)
    after = booster_of(trees_of(booster, 1).on_a_grid(), 3).inplace_predict(X)
    assert np.abs(before - after).max() < 1e-4 * np.std(before)


def test_fidelity_is_told_while_training():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    told = []
    xd.BoostedTrees(n_trees=20, task="regression").fit(
        X, X[:, 0], on_step=lambda *s: told.append(s)
    )
    assert [step for step, _, _, _ in told] == list(range(1, 21))
    assert told[-1][3] > told[0][3]
