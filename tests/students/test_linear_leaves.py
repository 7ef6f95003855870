import numpy as np
import pytest

import explain_distill as xd
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.metrics.fidelity import score_r2
from explain_distill.metrics.scores import probabilities_of_score, score_of_margin
from explain_distill.students.decision_tree_words import path_words
from explain_distill.students.linear_leaves import fit_linear_leaves


def sloped(n=3000, seed=0):
    """Give rows, and a value that is another sum of two features on either side of a third."""
    X = np.random.default_rng(seed).normal(size=(n, 6))
    value = np.where(X[:, 0] > 0, 2 * X[:, 1] - X[:, 2], 3 * X[:, 3] + X[:, 4])
    return X, value + 4.0 * (X[:, 0] > 0)


def soft(value):
    """Give probabilities of two classes of which `value` is the log-odds."""
    p = 1 / (1 + np.exp(-value))
    return np.c_[1 - p, p]


def test_each_leaf_finds_its_own_sum():
    X, value = sloped()
    tree = xd.DecisionTree(max_leaves=2, leaves="linear", max_features=2, task="regression")
    tree.fit(X, value)
    linear = tree.linear_leaves_
    assert set(linear.columns[0]) == {3, 4}
    assert set(linear.columns[1]) == {1, 2}
    # The tree cuts where a value lies, so that one row in thousands is on the other side.
    assert tree.score(X, value) > 0.999


def test_scores_of_classes_are_found_as_well():
    X, value = sloped()
    tree = xd.DecisionTree(max_leaves=16, leaves="linear", max_features=2).fit(X, soft(value))
    score = tree.predict_score(X)
    assert np.abs(score.sum(axis=1)).max() < 1e-9
    assert score_r2(score_of_margin(value), score) > 0.95


def test_they_follow_a_slope_closer_than_constant_leaves():
    X, value = sloped()
    agreement = [
        (xd.DecisionTree(max_leaves=8, leaves=leaves).fit(X, soft(value)).predict(X) == (value > 0))
        for leaves in ("constant", "linear")
    ]
    wrong = [1 - same.mean() for same in agreement]
    assert wrong[1] < 0.5 * wrong[0]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_leaf_weighs_more_features_than_asked(most):
    X, value = sloped()
    X[::7, 3] = np.nan
    tree = xd.DecisionTree(max_leaves=8, leaves="linear", max_features=most).fit(X, soft(value))
    origin = tree.preparation_.origin
    for columns, weights in zip(
        tree.linear_leaves_.columns, tree.linear_leaves_.weights, strict=True
    ):
        weighed = (weights != 0).any(axis=1)
        assert len(set(origin[columns[weighed]])) <= most


def test_a_value_and_its_absence_count_as_one_feature():
    rng = np.random.default_rng(0)
    x, lacks = rng.normal(size=2000), rng.random(2000) < 0.3
    X = np.c_[np.where(lacks, np.nan, x), rng.normal(size=2000)]
    value = np.where(lacks, 5.0, 2 * x)
    tree = xd.DecisionTree(max_leaves=2, leaves="linear", max_features=1, task="regression")
    assert tree.fit(X, value).score(X, value) > 0.99


def test_a_leaf_of_few_rows_weighs_few_features():
    rng = np.random.default_rng(0)
    X, leaves = rng.normal(size=(60, 4)), np.repeat([0, 1, 2], [9, 25, 26])
    found = fit_linear_leaves(
        X, np.arange(4), X @ rng.normal(size=(4, 1)), np.ones(60), leaves, 4, 4
    )
    assert found.n_weighed.tolist() == [0, 2, 2, 0]  # a leaf without rows, too


def test_the_features_that_explain_most_together_are_taken():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4000))
    # The third alone explains most, and nothing more once the first two are taken.
    X = np.c_[a, b, (a + b) / np.sqrt(2) + 0.3 * rng.normal(size=4000), rng.normal(size=4000)]
    found = fit_linear_leaves(
        X, np.arange(4), (a + b)[:, None], np.ones(4000), np.zeros(4000, np.int64), 1, 3
    )
    assert found.slopes(0, 4)[:, 0] == pytest.approx([1, 1, 0, 0], abs=0.02)


def test_a_leaf_stays_constant_where_a_sum_is_no_better():
    X = np.random.default_rng(0).normal(size=(2000, 3))
    value = np.where(X[:, 0] > 0, 3.0, -3.0)
    tree = xd.DecisionTree(max_leaves=2, leaves="linear").fit(X, soft(value))
    assert np.median(np.abs(tree.predict_proba(X) - soft(value))) < 0.01
    assert tree.linear_leaves_.n_weighed.min() == 0


def test_hard_labels_are_learned():
    X, value = sloped()
    y = (value + np.random.default_rng(1).logistic(size=len(value)) > 0).astype(int)
    tree = xd.DecisionTree(max_leaves=2, leaves="linear").fit(X[:2000], y[:2000])
    constant = xd.DecisionTree(max_leaves=2).fit(X[:2000], y[:2000])
    assert tree.score(X[2000:], y[2000:]) > constant.score(X[2000:], y[2000:])


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_unit_of_features_and_values_does_not_matter(unit, offset):
    X, value = sloped()
    plain = xd.DecisionTree(max_leaves=4, leaves="linear", task="regression")
    other = xd.DecisionTree(max_leaves=4, leaves="linear", task="regression")
    expected = plain.fit(X, value).predict(X)
    found = other.fit(X * unit + offset * unit, value * unit + offset).predict(
        X * unit + offset * unit
    )
    assert (found - offset) / unit == pytest.approx(expected, abs=0.05)


def test_a_rows_way_ends_with_what_its_leaf_makes_of_it():
    X, value = sloped()
    tree = xd.DecisionTree(max_leaves=2, leaves="linear").fit(X, soft(value))
    row = X[:1]
    last, here = path_words(tree, row)[-2:]
    assert "on average; the log-odds of" in last
    best = int(tree.predict(row)[0])
    assert here == f"Of this row: {best} with probability {tree.predict_proba(row)[0, best]:.2f}"


def test_each_class_of_several_has_a_score():
    X = np.random.default_rng(0).normal(size=(2000, 3))
    labels = probabilities_of_score(2 * X)
    rules = xd.DecisionTree(max_leaves=2, leaves="linear").fit(X, labels).rules()
    assert "on average; the score of " in rules[-1]


def test_a_kept_tree_predicts_the_same_bits(tmp_path):
    X, value = sloped()
    X[::5, 1] = np.nan
    tree = xd.DecisionTree(max_leaves=6, leaves="linear").fit(X, soft(value))
    config = tree.write(tmp_path)
    opened = xd.DecisionTree(**tree.get_params())
    opened.read(tmp_path, config)
    opened.classes_ = tree.classes_
    assert np.array_equal(opened.predict_score(X), tree.predict_score(X))


def test_one_row_is_answered_as_many_are():
    X, value = sloped(6000)
    tree = xd.DecisionTree(max_leaves=6, leaves="linear").fit(X, soft(value))
    alone = np.concatenate([tree.predict_score(X[[i]]) for i in (0, 1, 5999)])
    assert alone == pytest.approx(tree.predict_score(X)[[0, 1, 5999]], abs=1e-12)


@pytest.mark.parametrize("most", [0, -1, 2.5, None])
def test_a_number_of_features_out_of_range_is_refused(most):
    X, value = sloped(100)
    with pytest.raises(DataError, match="max_features must be a whole number of at least 1"):
        xd.DecisionTree(leaves="linear", max_features=most).fit(X, soft(value))


def test_a_kind_of_leaf_that_is_not_known_is_refused():
    X, value = sloped(100)
    with pytest.raises(UnknownNameError, match="leaves must be one of"):
        xd.DecisionTree(leaves="lineal").fit(X, soft(value))
