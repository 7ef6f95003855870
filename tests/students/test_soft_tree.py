import re

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss

import explain_distill as xd
from explain_distill._preparation import Preparation
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.students.base import Batch
from explain_distill.students.nodes import tree_nodes
from explain_distill.students.rules import path_words, questions
from explain_distill.students.tree_network import TreeNetwork


def by_hand(tree, X):
    """The mixture of the leaves, node by node, as the paper writes it."""
    z = tree.preparation_(X)
    answers = []
    for row in z:
        answer = 0
        for leaf in range(2**tree.depth):
            node, probability = 0, 1.0
            for level in reversed(range(tree.depth)):
                gate = row @ tree.gate_weights_[:, node] + tree.gate_biases_[node]
                right = expit(tree.inverse_temperatures_[node] * gate)
                goes_right = (leaf >> level) & 1
                probability *= right if goes_right else 1 - right
                node = 2 * node + 1 + goes_right
            answer = answer + probability * softmax(tree.leaf_outputs_[leaf])
        answers.append(answer)
    return np.array(answers)


def test_the_answer_is_the_mixture_of_the_leaves_by_their_path_probabilities(mixed, mixed_students):
    tree, readable = mixed_students["soft-tree"], mixed[1].readable()
    assert tree.predict_proba(readable) == pytest.approx(by_hand(tree, readable), abs=1e-9)


def test_path_probabilities_sum_to_one(mixed, mixed_students):
    tree = mixed_students["soft-tree"]
    paths = tree.path_probabilities(mixed[1].readable())
    assert paths.sum(axis=1) == pytest.approx(1.0)


def test_the_most_probable_path_answers_with_one_leaf(mixed, mixed_students):
    tree, readable = mixed_students["soft-tree"], mixed[1].readable()
    leaf = tree.path_probabilities(readable).argmax(axis=1)
    tree.inference = "path"
    try:
        answers = tree.predict_proba(readable)
        assert tree.gradient_model() is None
    finally:
        tree.inference = "mixture"
    assert answers == pytest.approx(softmax(tree.leaf_outputs_[leaf], axis=1))


def test_the_penalty_is_that_of_the_paper():
    torch.manual_seed(0)
    network = TreeNetwork(3, 2, 2, "probabilities", np.ones(2))
    network.penalty = 1.0
    rows = torch.randn(50, 3)
    network(rows)
    gates = torch.sigmoid(network.gates(rows).T)
    reach = torch.stack([torch.ones(50), 1 - gates[:, 0], gates[:, 0]], dim=1)
    alpha = (reach * gates).sum(dim=0) / reach.sum(dim=0)
    weight = torch.tensor([1.0, 0.5, 0.5])
    expected = -(weight * 0.5 * (alpha.log() + (1 - alpha).log())).sum()
    assert network.imbalance.item() == pytest.approx(expected.item(), rel=1e-4)


def test_questions_in_raw_units_decide_as_the_gates_do(mixed, mixed_students):
    tree, readable = mixed_students["soft-tree"], mixed[1].readable()
    features = [f.name for f in tree.readable_features()]
    missing = np.isnan(readable)
    filled = np.where(missing, tree.preparation_.fill, readable)
    values = {name: filled[:, i] for i, name in enumerate(features)}
    values |= {f"{name} is missing": missing[:, i] for i, name in enumerate(features)}
    for node, question in enumerate(questions(tree)):
        total = sum(term.coefficient * values[term.feature] for term in question.terms)
        asked = tree.gates(readable)[:, node]
        assert total - question.threshold == pytest.approx(asked, rel=1e-2, abs=1e-2)
        assert sum(term.share for term in question.terms) == pytest.approx(1.0)


def test_a_tree_of_one_feature_asks_a_plain_question_in_raw_units():
    ages = np.linspace(20, 90, 200)[:, None]
    tree = xd.SoftTree(depth=1, n_steps=600, random_state=0).fit(
        ages, (ages[:, 0] > 54).astype(int)
    )
    (question,) = questions(tree)
    words = question.words()
    assert words.startswith(("x0 > ", "x0 < "))
    assert float(words.split()[-1]) == pytest.approx(54, abs=2)


def test_rules_name_every_question_and_leaf(mixed_students):
    rules = mixed_students["soft-tree"].rules()
    assert len(rules) == 3 + 4
    assert rules[0].startswith("Question 1: ")
    assert "with probability" in rules[-1]
    assert [rule.split(":")[0] for rule in rules] == [
        "Question 1",
        "  Question 2",
        "    Leaf 1",
        "    Leaf 2",
        "  Question 3",
        "    Leaf 3",
        "    Leaf 4",
    ]
    assert any("[years]" in rule for rule in rules)


def test_words_of_features_far_from_0_can_be_followed():
    """Of years, degrees of Kelvin and milliseconds since 1970 a rounded weight moves the sum."""
    rng = np.random.default_rng(0)
    X = np.stack(
        [
            rng.integers(2008, 2024, 600),
            rng.normal(310, 1, 600),
            rng.integers(1_600_000_000_000, 1_700_000_000_000, 600),
        ],
        axis=1,
    ).astype(float)
    score = (X - X.mean(axis=0)) / X.std(axis=0) @ [1.0, -2.0, 1.5]
    tree = xd.SoftTree(depth=2, n_steps=300, random_state=0).fit(X, (score > 0).astype(int))
    for node, question in enumerate(questions(tree)):
        left, threshold = question.words().replace("−", "-").rsplit(" > ", 1)
        terms = re.findall(r"([+-]?) ?([\d.e+-]+) × x(\d)", left)
        assert len(terms) == 3
        total = sum(float(sign + size) * X[:, int(column)] for sign, size, column in terms)
        asked = tree.gates(X)[:, node]
        assert total - float(threshold) == pytest.approx(asked, rel=1e-2, abs=0.1)


def test_terms_are_ranked_by_what_they_move_where_they_are_asked():
    """Below a question of x0 all rows have the same x0, so that it moves nothing there."""
    rng = np.random.default_rng(0)
    X = np.stack([rng.integers(0, 2, 400), rng.normal(size=400)], axis=1).astype(float)
    tree = xd.SoftTree(depth=2, n_steps=20, random_state=0).fit(X, (X[:, 0] > 0).astype(int))
    tree.gate_weights_ = np.array([[50.0, 9.0, 9.0], [0.0, 1.0, 1.0]])
    tree.gate_biases_[:] = 0.0
    shares = [
        {term.feature: term.share for term in node.question.terms}
        for node in tree_nodes(tree, X)
        if node.question is not None
    ]
    assert shares[0]["x0"] == 1.0
    assert all(share["x1"] > 0.9 for share in shares[1:])
    (first, *rest) = questions(tree)
    assert all(question.terms[0].feature == "x0" for question in (first, *rest))


def test_that_a_value_is_missing_weighs_as_often_as_it_is():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 2))
    X[:10, 0] = np.nan
    y = (np.nan_to_num(X[:, 0]) + X[:, 1] > 0).astype(int)
    tree = xd.SoftTree(depth=1, n_steps=50, random_state=0).fit(X, y)
    tree.gate_weights_ = np.array([[1.0], [1.0], [1.0]])
    for asked in (questions(tree)[0], tree_nodes(tree, X)[0].question):
        shares = {term.feature: term.share for term in asked.terms}
        assert shares["x0 is missing"] == pytest.approx(0.012, abs=0.003)
        assert shares["x0"] == pytest.approx(shares["x1"], abs=0.05)


def test_the_path_of_a_row_is_said_question_by_question(mixed, mixed_students):
    tree = mixed_students["soft-tree"]
    words = path_words(tree, mixed[1].readable()[:1])
    assert len(words) == tree.depth + 1
    assert words[-1].startswith("Leaf ")


def test_nodes_hold_the_share_of_rows_that_reach_them(mixed, mixed_students):
    tree = mixed_students["soft-tree"]
    nodes = tree_nodes(tree, mixed[1].readable())
    assert len(nodes) == 7
    assert nodes[0].reach == pytest.approx(1.0)
    assert sum(node.reach for node in nodes if node.question is None) == pytest.approx(1.0)
    mean = tree.predict_proba(mixed[1].readable()).mean(axis=0)
    assert nodes[0].output == pytest.approx(mean)


def test_an_inference_that_is_not_known_is_refused():
    X = np.linspace(0, 1, 30)[:, None]
    with pytest.raises(UnknownNameError, match="inference must be one of hard, mixture, path"):
        xd.SoftTree(inference="paths").fit(X, (X[:, 0] > 0.5).astype(int))


def test_gradients_leave_torchs_random_numbers_alone(mixed_students):
    state = torch.random.get_rng_state()
    mixed_students["soft-tree"].gradient_model()
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("depth", [0, 13, 30])
def test_a_depth_out_of_range_is_refused_with_the_memory_it_takes(depth):
    X = np.zeros((30, 1))
    X[::2] = 1
    with pytest.raises(DataError, match=f"from 1 to 12; however, got {depth}.*3 MB.*860 GB"):
        xd.SoftTree(depth=depth).fit(X, X[:, 0])


def test_by_entropy_soft_labels_are_learned_as_hard_ones_are():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((300, 4))
    classes = (rows[:, 0] * rows[:, 1] > 0).astype(int)
    nearly = np.where(np.eye(2)[classes] == 1, 1 - 1e-9, 1e-9)

    def fitted(labels, loss):
        tree = xd.SoftTree(depth=3, loss=loss, n_steps=300, random_state=0)
        tree._scale_outputs = lambda _: set_unit_scale(tree)
        return tree.fit(rows, labels).predict_proba(rows)

    def set_unit_scale(tree):
        tree.output_centre_, tree.output_scale_ = np.zeros(2), np.ones(2)

    assert fitted(nearly, "entropy") == pytest.approx(fitted(classes, "scores"), abs=0.02)


ROWS = np.random.default_rng(0).standard_normal((300, 6))
CURVED = (ROWS[:, 0] * ROWS[:, 1] + ROWS[:, 2] > 0).astype(int)


def fitted(**parameters):
    return xd.SoftTree(**{"depth": 3, "n_steps": 400, "random_state": 0} | parameters).fit(
        ROWS, CURVED
    )


@pytest.mark.parametrize("most", [1, 2, 6])
def test_a_gate_weighs_at_most_the_features_that_it_may(most):
    tree = fitted(max_features=most)
    assert (tree.gate_weights_ != 0).sum(axis=0).max() == most
    assert tree.complexity()["features_per_split"] == most


def test_a_feature_and_whether_it_is_missing_count_once():
    rows = ROWS.copy()
    rows[::3, 0] = np.nan
    tree = xd.SoftTree(depth=2, n_steps=300, max_features=1, random_state=0).fit(rows, CURVED)
    origin = tree.preparation_.origin
    for gate in tree.gate_weights_.T:
        assert len(set(origin[gate != 0])) <= 1


@pytest.mark.parametrize("most", [0, 7])
def test_more_features_than_there_are_is_refused(most):
    with pytest.raises(DataError, match=rf"from 1 to 6; however, got {most}\. There are 6"):
        fitted(max_features=most)


def test_sharp_gates_let_the_most_probable_path_speak_for_the_mixture():
    soft, sharp = fitted(), fitted(sharpening=16.0)
    apart = []
    for tree in (soft, sharp):
        mixture = tree.predict_proba(ROWS)
        path = tree.set_params(inference="path").predict_proba(ROWS)
        apart.append(np.abs(mixture - path).mean())
    assert apart[1] < apart[0] / 2


def test_refinement_of_the_path_brings_it_closer_to_the_labels():
    losses = [
        log_loss(CURVED, fitted(inference="hard", refinements=rounds).predict_proba(ROWS))
        for rounds in (0, 2)
    ]
    assert losses[1] < losses[0]


def test_pruning_takes_out_branches_and_changes_no_answer_much():
    full = fitted(sharpening=30.0, depth=5, penalty=0.0)
    pruned = fitted(sharpening=30.0, depth=5, penalty=0.0, pruning=1e-3)
    assert pruned.complexity()["leaves"] < full.complexity()["leaves"]
    assert pruned.predict_proba(ROWS) == pytest.approx(full.predict_proba(ROWS), abs=0.05)


def test_linear_leaves_follow_a_slope():
    values = 3 * ROWS[:, 0] + np.where(ROWS[:, 1] > 0, 5 * ROWS[:, 2], -5 * ROWS[:, 2])
    scores = [
        xd.SoftTree(depth=2, leaves=leaves, task="regression", n_steps=800, random_state=0)
        .fit(ROWS, values)
        .score(ROWS, values)
        for leaves in ("constant", "linear")
    ]
    assert scores[1] > 0.99
    assert scores[0] < 0.9


@pytest.mark.parametrize(
    ("n_classes", "parameters", "linear"),
    [
        (16, {}, False),
        (17, {}, True),
        (17, {"leaves": "constant"}, False),
        (17, {"max_features": 2}, False),
        (17, {"loss": "entropy"}, False),
        (17, {"refinements": 1, "inference": "hard"}, False),
        (3, {"leaves": "linear"}, True),
    ],
)
def test_leaves_are_linear_for_more_classes_than_a_usual_tree_has_leaves(
    n_classes, parameters, linear, tmp_path
):
    y = np.arange(len(ROWS)) % n_classes
    tree = xd.SoftTree(depth=2, n_steps=3, random_state=0, **parameters).fit(ROWS, y)
    assert (tree.leaf_weights_ is not None) == linear
    tree.write(tmp_path)
    opened = xd.SoftTree(**tree.get_params())
    opened.read(tmp_path, {})
    opened.classes_ = tree.classes_
    assert np.array_equal(opened.predict_score(ROWS), tree.predict_score(ROWS))


def test_a_greedy_start_asks_single_features_first():
    tree = fitted(start="greedy", n_steps=1, learning_rate=1e-9)
    first, second = np.sort(np.abs(tree.gate_weights_), axis=0)[-1:-3:-1]
    asks = first > 1.5  # some branches were pure before
    assert asks[0]
    assert asks.sum() >= 5
    assert (second[asks] < 0.2).all()


def test_the_leaves_own_entropy_may_be_learned():
    assert fitted(loss="leaf-entropy").score(ROWS, CURVED) > 0.85


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"leaves": "linear"},
        {"inference": "hard", "refinements": 1},
        {"inference": "path"},
        {"pruning": 1e-2, "sharpening": 20.0},
        {"max_features": 2},
        {"loss": "leaf-entropy"},
    ],
)
def test_a_tree_saved_and_opened_answers_the_same_bits(parameters, tmp_path):
    tree = fitted(**parameters)
    tree.write(tmp_path)
    opened = xd.SoftTree(**tree.get_params())
    opened.read(tmp_path, {})
    opened.classes_ = tree.classes_
    assert np.array_equal(opened.predict_score(ROWS), tree.predict_score(ROWS))


def test_the_gradient_model_answers_as_the_tree():
    for parameters in ({}, {"leaves": "linear"}, {"pruning": 1e-2, "sharpening": 20.0}):
        tree = fitted(**parameters)
        model = tree.gradient_model()
        scores = model.score(torch.from_numpy(tree.preparation_(ROWS))).numpy()
        assert scores == pytest.approx(tree.predict_score(ROWS), abs=1e-9)


def test_a_hard_tree_follows_the_more_probable_side_of_each_question():
    tree = fitted(inference="hard")
    gates, nodes = tree.gates(ROWS), np.zeros(len(ROWS), dtype=int)
    for _ in range(3):
        right = gates[np.arange(len(ROWS)), nodes] > 0
        nodes = tree.children_[nodes, right.astype(int)]
    assert tree.answering_leaf(ROWS).tolist() == (-1 - nodes).tolist()
    assert tree.predict_proba(ROWS) == pytest.approx(
        softmax(tree.leaf_outputs_[-1 - nodes], axis=1)
    )


@pytest.mark.parametrize("n_steps", [5, 20, 300])
def test_a_gate_weighs_no_more_features_however_short_the_training(n_steps):
    tree = fitted(max_features=1, n_steps=n_steps)
    assert (tree.gate_weights_ != 0).sum(axis=0).max() == 1


def test_a_constant_column_takes_no_features_place():
    rows = np.concatenate([ROWS[:, :2], np.ones((len(ROWS), 5))], axis=1)
    tree = xd.SoftTree(depth=4, max_features=1, n_steps=100, random_state=0).fit(rows, CURVED)
    assert (tree.gate_weights_[2:] == 0).all()
    assert tree.complexity()["features_per_split"] <= 1


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        (
            {"refinements": 1.5, "inference": "hard"},
            "refinements must be a whole number of",
        ),
        ({"refinements": 2}, "refinements must be of a tree with inference='hard'"),
        ({"sharpening": 0}, "sharpening must be at least 1"),
        ({"pruning": 1.0}, "pruning must be from 0 to less than 1"),
        ({"penalty": -1}, "penalty must be at least 0"),
        ({"loss": "entropy", "leaves": "linear"}, "must be of classes and constant leaves"),
        ({"max_features": 2.5}, "max_features must be a whole number"),
        ({"loss": "entropy", "temperature": 3.0}, "hard ones at temperature 1"),
    ],
)
def test_what_a_tree_cannot_do_is_refused_and_leaves_it_unfitted(parameters, words):
    tree = xd.SoftTree(depth=2, n_steps=20, random_state=0).fit(ROWS, CURVED)
    with pytest.raises(DataError, match=words):
        tree.set_params(**parameters).fit(ROWS, CURVED)
    with pytest.raises(NotFittedError):
        tree.predict(ROWS)


def test_refinement_counts_rows_by_their_weight():
    rows, values = np.concatenate([ROWS, ROWS]), np.repeat([1.0, -10.0], len(ROWS))
    stream = [Batch(rows, values, np.repeat([1.0, 1e-6], len(ROWS)))] * 60
    tree = xd.SoftTree(
        depth=2, n_steps=60, inference="hard", refinements=2, task="regression", random_state=0
    )
    assert tree.fit_stream(stream).predict(ROWS) == pytest.approx(1.0, abs=0.3)


def test_a_batch_with_infinity_is_refused():
    bad = np.full((4, 6), np.inf)
    with pytest.raises(DataError, match="one holds infinity"):
        xd.SoftTree(n_steps=30, task="regression").fit_stream(
            [(ROWS, CURVED.astype(float))] * 16 + [(bad, np.ones(4))]
        )


def test_few_rows_say_nothing_of_what_terms_move():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 12))
    tree = xd.SoftTree(depth=2, n_steps=50, inference="hard", random_state=0)
    tree.fit(X, (X.sum(axis=1) > 0).astype(int))
    tree.gate_biases_[0] = 1e6  # all go right
    alone = tree_nodes(tree, X)[1].question
    assert sum(term.share for term in alone.terms) == pytest.approx(1)
    assert [term.feature for term in alone.terms] == [
        term.feature for term in questions(tree)[1].terms
    ]


def test_weights_are_told_with_three_digits_at_least_and_as_many_as_the_log_odds_need():
    X = np.random.default_rng(0).normal(size=(200, 1))
    tree = xd.SoftTree(depth=1, n_steps=50, leaves="linear", task="regression", random_state=0)
    told = tree.fit(X, 0.7 * X[:, 0]).rules()[-1]
    assert re.search(r"the value = −?0\.\d{1,3} × x0", told)


def test_preparations_of_older_files_do_not_say_how_many_were_missing():
    X = np.random.default_rng(0).normal(size=(200, 2))
    X[::4, 0] = np.nan
    new = Preparation.fit(X).to_arrays()
    assert new["preparation.missing"] == pytest.approx([0.25])
    assert Preparation.from_arrays(new).to_arrays().keys() == new.keys()
    old = {name: array for name, array in new.items() if name != "preparation.missing"}
    read = Preparation.from_arrays(old)
    assert read.to_arrays().keys() == old.keys()
    assert read.spread(np.zeros(2, bool)).shape == (3,)
    with pytest.raises(ValueError, match="must be shares"):
        Preparation.from_arrays(new | {"preparation.missing": np.array([1.5])})
