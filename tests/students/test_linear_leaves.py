import re

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.metrics.fidelity import score_r2
from explain_distill.metrics.scores import probabilities_of_score, score_of_margin
from explain_distill.students.decision_tree_words import path_words
from explain_distill.students.leaf_answers import Labelled
from explain_distill.students.linear_leaves import LeafLesson


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
    tree = xd.DecisionTree(max_leaves=2, leaves="linear", max_leaf_features=2, task="regression")
    tree.fit(X, value)
    linear = tree.linear_leaves_
    assert set(linear.columns[0]) == {3, 4}
    assert set(linear.columns[1]) == {1, 2}
    # The tree cuts where a value lies, so that one row in thousands is on the other side.
    assert tree.score(X, value) > 0.999


def test_scores_of_classes_are_found_as_well():
    X, value = sloped()
    tree = xd.DecisionTree(max_leaves=16, leaves="linear", max_leaf_features=2).fit(X, soft(value))
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
    tree = xd.DecisionTree(max_leaves=8, leaves="linear", max_leaf_features=most).fit(
        X, soft(value)
    )
    origin, linear = tree.preparation_.origin, tree.linear_leaves_
    for columns, weights in zip(linear.columns, linear.weights, strict=True):
        assert len(set(origin[columns[(weights != 0).any(axis=1)]])) <= most
    assert tree.n_leaf_features.max() == most
    assert tree.complexity()["features_per_leaf"] <= most


def test_a_value_and_its_absence_count_as_one_feature():
    rng = np.random.default_rng(0)
    x, lacks = rng.normal(size=2000), rng.random(2000) < 0.3
    X = np.c_[np.where(lacks, np.nan, x), rng.normal(size=2000)]
    value = np.where(lacks, 5.0, 2 * x)
    tree = xd.DecisionTree(max_leaves=2, leaves="linear", max_leaf_features=1, task="regression")
    assert tree.fit(X, value).score(X, value) > 0.99


def lesson(X, values, most=4):
    """Give what linear leaves learn of values, one column a feature."""
    return LeafLesson(X, np.arange(X.shape[1]), Labelled(values, np.ones(len(X)), False), most)


def test_a_leaf_of_few_rows_weighs_few_features():
    rng = np.random.default_rng(0)
    X, leaves = rng.normal(size=(60, 4)), np.repeat([0, 1, 2], [9, 25, 26])
    found = lesson(X, X @ rng.normal(size=(4, 1))).fit_leaves(leaves, 4)
    assert found.n_features(np.arange(4)).tolist() == [0, 2, 2, 0]  # a leaf without rows, too


def test_the_features_that_explain_most_together_are_taken():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4000))
    # The third alone explains most, and nothing more once the first two are taken.
    X = np.c_[a, b, (a + b) / np.sqrt(2) + 0.3 * rng.normal(size=4000), rng.normal(size=4000)]
    found = lesson(X, (a + b)[:, None], 3).fit_leaves(np.zeros(4000, np.int64), 1)
    assert found.slopes(0, 4)[:, 0] == pytest.approx([1, 1, 0, 0], abs=0.02)


def test_noise_is_not_weighed():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 20))
    value = X[:, 0] - X[:, 1] + rng.normal(size=2000)
    found = lesson(X, value[:, None], 8).fit_leaves(np.repeat(np.arange(4), 500), 4)
    assert found.n_features(np.arange(20)).sum() <= 4 * 2 + 1
    nothing = lesson(X, rng.normal(size=(2000, 1)), 8).fit_leaves(np.zeros(2000, np.int64), 1)
    assert nothing.n_features(np.arange(20))[0] <= 1


def test_a_row_far_off_changes_no_slope_in_another_leaf():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    X[0] = -1.0, 1e4
    value = np.where(X[:, 0] > 0, 3 * X[:, 1], -8.0)
    tree = xd.DecisionTree(max_leaves=2, leaves="linear", task="regression").fit(X, value)
    rows = X[(X[:, 0] > 0.1) & (np.abs(X[:, 1]) < 2)]
    assert tree.predict(rows) == pytest.approx(3 * rows[:, 1], abs=0.2)


def test_a_target_that_is_one_sum_needs_one_leaf():
    X = np.random.default_rng(0).normal(size=(2000, 3))
    tree = xd.DecisionTree(max_leaves=16, leaves="linear", task="regression")
    tree.fit(X, X @ [1.0, 2.0, -1.0])
    assert len(tree.leaf_outputs_) == 1
    assert tree.score(X, X @ [1.0, 2.0, -1.0]) > 0.999


def test_the_surer_a_label_the_surer_the_leaf():
    X = np.sort(np.random.default_rng(0).uniform(-4, 4, size=(4000, 1)), axis=0)
    p = np.round(1 / (1 + np.exp(-2 * X[:, 0])), 2)  # of which many are 0 and 1
    tree = xd.DecisionTree(max_leaves=2, leaves="linear").fit(X, np.c_[1 - p, p])
    assert (np.diff(tree.predict_proba(X)[:, 1]) > -0.05).all()
    assert np.abs(tree.predict_proba(X)[:, 1] - p).mean() < 0.05


def test_what_weighs_nothing_adds_nothing_even_beyond_all_numbers():
    rng = np.random.default_rng(0)
    X = np.c_[1e-10 * rng.normal(size=1000), rng.normal(size=1000)]
    tree = xd.DecisionTree(max_leaves=2, leaves="linear").fit(X, soft(3 * np.sign(X[:, 1])))
    with np.errstate(over="ignore"):
        assert np.isfinite(tree.predict_score(np.array([[1e300, -1.0], [1e300, 1.0]]))).all()


def test_the_words_of_a_leaf_give_its_answer():
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(-120, 2, 3000), rng.normal(37, 2, 3000)]  # far from 0, as longitudes are
    value = np.where(X[:, 0] > -120, 1.37 * (X[:, 1] - 37), -0.93 * (X[:, 1] - 37)) + 0.4
    tree = xd.DecisionTree(max_leaves=4, leaves="linear").fit(X, soft(value))
    margin = np.diff(tree.predict_score(X), axis=1)[:, 0]
    leaves, told = tree.leaves_of(X), [line for line in tree.rules() if "log-odds" in line]
    assert told
    for line in told:
        name, words, leaf = re.search(r"log-odds of (\d) = (.*) \(leaf (\d+)", line).groups()
        words = re.sub(r"x(\d)", r"X[:, \1]", words.replace("−", "-").replace("×", "*"))
        said = eval(words, {"X": X}) * (1 if name == "1" else -1)
        here = leaves == int(leaf) - 1
        assert np.abs(said - margin)[here].max() < 0.1


def test_a_leaf_stays_constant_where_a_sum_is_no_better():
    X = np.random.default_rng(0).normal(size=(2000, 3))
    value = np.where(X[:, 0] > 0, 3.0, -3.0)
    tree = xd.DecisionTree(max_leaves=2, leaves="linear").fit(X, soft(value))
    assert np.median(np.abs(tree.predict_proba(X) - soft(value))) < 0.01
    assert tree.n_leaf_features.max() <= 1


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
    probability = tree.predict_proba(row)[0, best]
    assert here == f"Of this row: class {best} with probability {probability:.2f}"


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
    with pytest.raises(DataError, match="max_leaf_features must be a whole number of at least 1"):
        xd.DecisionTree(leaves="linear", max_leaf_features=most).fit(X, soft(value))


def test_a_kind_of_leaf_that_is_not_known_is_refused():
    X, value = sloped(100)
    with pytest.raises(UnknownNameError, match="leaves must be one of"):
        xd.DecisionTree(leaves="lineal").fit(X, soft(value))
