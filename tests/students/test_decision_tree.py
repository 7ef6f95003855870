import itertools
import json

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.exceptions import DataError
from explain_distill.students.cuts import Cuts, short_between
from explain_distill.students.decision_tree_words import path_words, questions
from explain_distill.students.leaf_answers import Answers, Labelled, scores_of
from explain_distill.students.splits import EVERYTHING, Splits, numbered
from explain_distill.students.tree_growth import grow, regrow
from explain_distill.students.tree_pruning import judged, prune
from explain_distill.students.tree_refinement import refine


def soft_rows(n=400, d=4, n_classes=3, seed=0, missing=0.1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)).round(1)
    logits = 3 * np.c_[X[:, 0] * X[:, 1], X[:, 2], -X[:, 0]][:, :n_classes]
    soft = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    X[rng.random(X.shape) < missing] = np.nan
    return X, soft, rng.uniform(0.5, 2, n)


def loss_of(splits, codes, labelled):
    sums = labelled.sums(splits.leaves_of(codes), splits.n_leaves)
    return float(labelled.loss(sums.answers(), sums).sum())


@pytest.mark.parametrize("seed", range(5))
def test_refining_never_raises_the_loss(seed):
    X, soft, weights = soft_rows(seed=seed)
    codes, labelled = Cuts.fit(X).codes(X), Labelled(soft, weights, True)
    grown = grow(codes, soft, weights, 12)
    refined = refine(grown, codes, labelled)
    assert loss_of(refined, codes, labelled) < loss_of(grown, codes, labelled)
    assert refined.n_leaves <= grown.n_leaves
    refined.check(X.shape[1])


def test_refining_finds_what_growing_greedily_misses():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(600, 2))
    y = (X[:, 0] > 0) ^ (X[:, 1] > 0)  # no first split gains anything
    labels = np.eye(2)[y.astype(int)]
    tree = xd.DecisionTree(max_leaves=4).fit(X, labels)
    assert tree.score(X, y.astype(int)) > 0.98


def all_prunings(splits, child=0):
    """Every subtree that keeps the root's place: sets of nodes that become leaves."""
    if child < 0:
        return [[child]]
    below = [all_prunings(splits, int(c)) for c in splits.children[child]]
    return [[child]] + [a + b for a, b in itertools.product(*below)]


@pytest.mark.parametrize("most_leaves", [1, 2, 3, 5, 7])
def test_pruning_finds_the_best_of_all_subtrees(most_leaves):
    X, soft, weights = soft_rows(n=120)
    codes, labelled = Cuts.fit(X).codes(X), Labelled(soft, weights, True)
    splits = grow(codes, soft, weights, 8)
    sums = labelled.sums(splits.leaves_of(codes), splits.n_leaves)
    as_leaf, at_leaves = judged(splits, sums, labelled)
    best = min(
        sum(as_leaf[c] if c >= 0 else at_leaves[-1 - c] for c in kept)
        for kept in all_prunings(splits)
        if len(kept) <= most_leaves
    )
    pruned = prune(splits, most_leaves, as_leaf, at_leaves)
    pruned.check(X.shape[1])
    assert pruned.n_leaves <= most_leaves
    sums = labelled.sums(pruned.leaves_of(codes), pruned.n_leaves)
    assert labelled.loss(sums.answers(), sums).sum() == pytest.approx(best)


def test_growing_further_keeps_what_was_there():
    X, soft, weights = soft_rows()
    codes = Cuts.fit(X).codes(X)
    before = grow(codes, soft, weights, 5)
    after = regrow(before, codes, soft, weights, 3)
    after.check(X.shape[1])
    assert 5 < after.n_leaves <= 15
    leaves = {}
    for old, new in zip(before.leaves_of(codes), after.leaves_of(codes), strict=True):
        assert leaves.setdefault(new, old) == old


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_thresholds_are_short_and_decide_the_rows_as_the_tree_that_was_grown(task):
    X, soft, weights = soft_rows()
    X = X * [1e-5, 1.0, 1e7, 1.0] + [0, 1e6, 0, -3e-4]
    cuts = Cuts.fit(X)
    codes = cuts.codes(X)
    grown = grow(codes, soft, weights, 20)
    assert np.array_equal(cuts.in_raw_units(grown).leaves_of(X), grown.leaves_of(codes))


def test_a_feature_of_very_many_values_is_cut_between_quantiles():
    x = np.random.default_rng(0).normal(size=(5000, 1))
    cuts = Cuts.fit(x)
    assert cuts.most < 1024
    counts = np.bincount(cuts.codes(x)[:, 0].astype(int))
    assert counts.max() <= 6
    assert (cuts.below[0] < cuts.above[0]).all()


@pytest.mark.parametrize(
    ("low", "high", "short"),
    [(0.31, 0.39, 0.35), (0.0, 1.0, 0.5), (1.0, np.nextafter(1.0, 2), 1.0), (-1e300, 1e300, 0.0)],
)
def test_the_number_between_two_is_short(low, high, short):
    assert short_between(low, high) == short


def test_the_words_decide_every_row_as_the_tree_does(mixed, mixed_students):
    tree, readable = mixed_students["decision-tree"], mixed[0].readable()
    names = {feature.name: i for i, feature in enumerate(tree.readable_features())}
    names |= {name.replace("=", " is "): i for name, i in names.items()}
    for split, question in enumerate(asked.words() for asked in questions(tree)):
        column = readable[:, tree.feature_[split]]
        if question.endswith(" is missing"):
            said = np.isnan(column)
        elif " > " in question:
            name, _, rest = question.partition(" > ")
            assert names[name] == tree.feature_[split]
            said = column > float(rest.replace("−", "-").split(" ")[0])
        else:
            assert names[question.removesuffix(" or missing")] == tree.feature_[split]
            said = column == 1
        if question.endswith(" or missing"):
            said |= np.isnan(column)
        assert np.array_equal(said, tree.splits.goes_right(split, column))


def test_a_rows_way_ends_in_its_leaf(mixed, mixed_students):
    tree, readable = mixed_students["decision-tree"], mixed[1].readable()
    for row in range(10):
        leaf = tree.splits.leaves_of(readable[[row]])[0]
        assert path_words(tree, readable[[row]])[-1].endswith(f"(leaf {leaf + 1})")


def test_missing_values_go_where_they_belong():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    X[rng.random(300) < 0.3, 0] = np.nan
    y = np.isnan(X[:, 0]).astype(int)
    tree = xd.DecisionTree(max_leaves=2).fit(X, y)
    assert tree.score(X, y) == 1
    assert tree.threshold_[0] == EVERYTHING
    assert tree.rules()[0] == "x0 is missing?"
    assert tree.predict([[1e6, 0.0], [np.nan, 0.0]]).tolist() == [0, 1]


def test_no_leaf_is_quite_sure_of_hard_labels():
    X = np.arange(40.0)[:, None]
    tree = xd.DecisionTree(max_leaves=2).fit(X, (X[:, 0] > 19).astype(int))
    assert tree.predict_proba(X).min() == pytest.approx(0.5 / 21, rel=1e-3)


def test_a_leaf_answers_as_most_of_its_rows_do():
    # Two rows say the first class barely, one says the second strongly.
    X = np.zeros((3, 1))
    soft = np.array([[0.55, 0.45], [0.55, 0.45], [0.01, 0.99]])
    tree = xd.DecisionTree().fit(X, soft)
    assert tree.predict(X).tolist() == [0, 0, 0]
    assert tree.predict_proba(X)[0] == pytest.approx([0.5, 0.5], abs=1e-5)
    assert tree.complexity() == {"leaves": 1.0, "depth": 0.0, "features_per_split": 0.0}
    assert len(tree.rules()) == 1


@pytest.mark.parametrize("max_leaves", [1, 0, 2000, 4.0])
def test_a_number_of_leaves_out_of_range_is_refused(max_leaves):
    X = np.arange(20.0)[:, None]
    with pytest.raises(DataError, match="max_leaves must be a whole number from 2 to 1024"):
        xd.DecisionTree(max_leaves=max_leaves).fit(X, (X[:, 0] > 9).astype(int))


@pytest.mark.parametrize("n_queries", [0, -3, 10.0])
def test_a_number_of_questions_out_of_range_is_refused(n_queries):
    X = np.arange(20.0)[:, None]
    with pytest.raises(DataError, match="n_queries must be a whole number of at least 1"):
        xd.DecisionTree(n_queries=n_queries).fit(X, (X[:, 0] > 9).astype(int))


def test_a_leafs_probabilities_are_the_closest_that_have_its_class_on_top():
    means = np.array([[0.5, 0.4, 0.1], [0.2, 0.5, 0.3]])
    scores = scores_of(Answers(means, np.array([2, 1])))
    assert scores.argmax(axis=1).tolist() == [2, 1]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert probabilities == pytest.approx(
        np.array([[1 / 3, 1 / 3, 1 / 3], [0.2, 0.5, 0.3]]), abs=1e-5
    )


def test_as_many_leaves_as_asked_for_and_no_more():
    X, soft, _ = soft_rows(n=2000)
    for max_leaves in (2, 3, 8, 33):
        tree = xd.DecisionTree(max_leaves=max_leaves).fit(X, soft)
        assert len(tree.leaf_outputs_) == max_leaves


def test_a_kept_tree_predicts_the_same_bits(tmp_path):
    X, soft, _ = soft_rows()
    tree = xd.DecisionTree().fit(X, soft)
    config = json.loads(json.dumps(tree.write(tmp_path)))
    opened = xd.DecisionTree()
    opened.read(tmp_path, config)
    assert np.array_equal(opened.predict_score(X), tree.predict_score(X))


TREE = Splits(
    np.array([[1, 2], [-1, -2], [-3, -4]]), np.array([0, 1, 1]), np.zeros(3), np.zeros(3, bool)
)


@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("children_", (1, 0), 0, "reached once"),
        ("children_", (1, 0), 1, "reached once"),
        ("children_", (1, 0), 2, "reached once"),
        ("children_", (2, 0), -2, "each leaf must be reached once"),
        ("children_", (2, 0), -9, "each leaf must be reached once"),
        ("children_", (2, 0), 10**15, "reached once"),
        ("feature_", 0, 4, "a feature that is not there"),
        ("feature_", 0, -1, "a feature that is not there"),
        ("threshold_", 0, np.nan, "not finite"),
        ("leaf_outputs_", (0, 0), np.inf, "not finite"),
    ],
)
def test_a_tampered_tree_is_refused(name, place, value, message, tmp_path):
    from safetensors.numpy import load_file, save_file

    X, soft, _ = soft_rows()
    tree = xd.DecisionTree(max_leaves=4).fit(X, soft)
    tree.children_ = TREE.children.copy()
    tree.write(tmp_path)
    arrays = load_file(tmp_path / "model.safetensors")
    arrays[name][place] = value
    save_file(arrays, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=message):
        xd.DecisionTree().read(tmp_path, {})


def test_a_split_before_its_parent_is_refused():
    swapped = Splits(np.array([[2, -1], [-2, -3], [1, -4]]), *(TREE.features,), *(np.zeros(3),) * 2)
    with pytest.raises(ValueError, match="must come after"):
        swapped.check(2)


def test_splits_are_numbered_level_by_level_and_leaves_from_left_to_right():
    children = np.array([[-1, -1], [3, -1], [-1, -1], [0, 2]])
    found = numbered(1, children, np.arange(4), np.arange(4.0), np.zeros(4, bool))
    assert found.children.tolist() == [[1, -5], [2, 3], [-1, -2], [-3, -4]]
    assert found.features.tolist() == [1, 3, 0, 2]
    assert found.depth == 3


@pytest.mark.parametrize(("unit", "offset"), [(1, 1e8), (1e-9, 0), (1e200, 0), (1e-3, 7.0)])
def test_values_in_any_unit_and_far_from_zero_are_learned_alike(unit, offset):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(400, 2))
    y = np.sin(3 * X[:, 0]) + 0.5 * X[:, 1]
    plain, other = (
        xd.DecisionTree(max_leaves=16, task="regression", random_state=0).fit(X, values)
        for values in (y, y * unit + offset)
    )
    assert (other.predict(X) - offset) / unit == pytest.approx(plain.predict(X), abs=1e-6)
