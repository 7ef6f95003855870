import numpy as np
import pytest
import torch
from scipy.special import expit, softmax

import explain_distill as xd
from explain_distill.exceptions import DataError, UnknownNameError
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
    network.learn(rows)
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
        assert total - question.threshold == pytest.approx(tree.gates(readable)[:, node])
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
    assert any("[years]" in rule for rule in rules)


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
    with pytest.raises(UnknownNameError, match="inference must be one of mixture, path"):
        xd.SoftTree(inference="paths").fit(X, (X[:, 0] > 0.5).astype(int))


def test_gradients_leave_torchs_random_numbers_alone(mixed_students):
    state = torch.random.get_rng_state()
    mixed_students["soft-tree"].gradient_model()
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_depth_out_of_range_is_refused():
    X = np.zeros((30, 1))
    X[::2] = 1
    with pytest.raises(
        DataError, match="depth must be a whole number from 1 to 12; however, got 13"
    ):
        xd.SoftTree(depth=13).fit(X, X[:, 0])


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
