import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from explain_distill.students.both_ways import BothWays
from explain_distill.students.matching import SMALLEST, cross_entropy, matched_mixture
from explain_distill.students.tree_network import TreeNetwork, path_probabilities
from explain_distill.students.tree_shape import complete, reached


def network_of(depth, answer="probabilities", penalty=0.0, n_inputs=5, n_scores=3):
    torch.manual_seed(depth)
    network = TreeNetwork(n_inputs, n_scores, depth, answer, np.full(n_scores, 2.0))
    network.penalty = penalty
    with torch.no_grad():
        network.log_inverse_temperatures.normal_(0, 0.3)
        network.biases.normal_()
    return network


def autograd_of(network, loss):
    network.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in network.named_parameters()}


@pytest.mark.parametrize("depth", [1, 2, 5])
@pytest.mark.parametrize("answer", ["probabilities", "scores"])
def test_gradients_by_hand_are_those_of_autograd(depth, answer):
    network, rows = network_of(depth, answer, penalty=0.1), torch.randn(40, 5)
    network.sharpness = 1.7
    wanted = torch.randn(3, 40)
    outputs = network(rows).T
    loss = (outputs - wanted).square().mean() + 0.1 * network.imbalance
    expected = autograd_of(network, loss)

    def judge(mixed):
        ahead = (mixed.log() if answer == "probabilities" else mixed) - wanted
        slope = 2 * ahead / ahead.numel()
        along_mixed = slope / mixed if answer == "probabilities" else slope
        return ahead.square().mean().item(), along_mixed

    by_hand = network.set_gradients(BothWays(rows), judge)
    assert by_hand == pytest.approx(loss.item(), rel=1e-5)
    for name, parameter in network.named_parameters():
        assert torch.allclose(parameter.grad, expected[name], atol=1e-6), name


def test_leaf_entropy_is_each_leafs_cross_entropy_weighted_by_its_path():
    network, rows = network_of(3), torch.randn(20, 5)
    labels = torch.rand(3, 20).softmax(dim=0)
    gates = network.gates(rows).detach().numpy()
    paths = reached(complete(3), expit(gates), expit(-gates))[7:]
    leaves = network.outputs().detach().numpy()
    expected = -(paths * (leaves.T @ labels.numpy())).sum() / 20

    def judge(outputs):
        return -(labels * outputs).sum().item() / 20, -labels / 20

    assert network.set_gradients(BothWays(rows), judge, each_leaf=True) == pytest.approx(
        expected, rel=1e-5
    )


def test_linear_leaves_add_a_linear_model_to_each_leaf():
    torch.manual_seed(0)
    network = TreeNetwork(5, 3, 2, "scores", np.ones(3), linear=True)
    with torch.no_grad():
        network.slopes.normal_()
    rows = torch.randn(10, 5)
    gates = network.gates(rows)
    paths = path_probabilities(complete(2), gates.T)
    held = torch.einsum("np,lpk->nlk", rows, network.leaf_slopes()) + network.outputs().T
    assert torch.allclose(network(rows), torch.einsum("nl,nlk->nk", paths, held), atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    depth=st.sampled_from([1, 3, 12]),
    size=st.sampled_from([0.0, 1.0, 1e2, 1e4]),
    seed=st.integers(0, 2**16),
)
def test_leaf_probabilities_sum_to_one_whatever_the_logits(depth, size, seed):
    rng = np.random.default_rng(seed)
    logits = rng.uniform(-size, size, (2**depth - 1, 3))
    paths = reached(complete(depth), expit(logits), expit(-logits))[len(logits) :]
    assert np.isfinite(paths).all()
    assert paths.sum(axis=0) == pytest.approx(1.0, abs=1e-6)
    quick = path_probabilities(complete(depth), torch.from_numpy(logits.T).float())
    assert quick.sum(dim=1).numpy() == pytest.approx(1.0, abs=1e-6)


@settings(max_examples=10, deadline=None)
@given(depth=st.sampled_from([2, 12]), size=st.sampled_from([1e2, 1e4]), seed=st.integers(0, 99))
def test_a_step_with_extreme_logits_holds_no_nan(depth, size, seed):
    torch.manual_seed(seed)
    rows = torch.randn(4, 2)
    network = TreeNetwork(2, 3, depth, "probabilities", np.ones(3))
    network.penalty = 0.1
    with torch.no_grad():
        network.weights.uniform_(-size, size)
    labels = torch.rand(3, 4).softmax(dim=0)

    def judge(mixed):
        ahead = mixed.log() - labels.log()
        slope = (2 * ahead / ahead.numel() / mixed).masked_fill(mixed <= float(SMALLEST), 0.0)
        return ahead.square().mean().item(), slope

    assert np.isfinite(network.set_gradients(BothWays(rows), judge))
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def judged(kind, mixed, labels, logs):
    if kind == "scores":
        return matched_mixture(mixed, labels, logs, 0.7, 0.3)
    return cross_entropy(mixed, labels, logs, 0.5, kind == "leaf-entropy")


def expected_loss(kind, network, rows, labels, logs):
    if kind == "leaf-entropy":
        gates = network.gates(rows)
        paths = path_probabilities(complete(network.depth), gates.T)
        return -(labels * (network.outputs() @ paths.T)).sum() / len(rows)
    outputs = network(rows).T
    if kind == "entropy":
        return -(labels * outputs).sum() / len(rows)
    beyond = outputs - logs
    matched = (beyond - beyond.mean(dim=0)).square().mean()
    divergence = (labels * (logs - outputs)).sum(dim=0).mean()
    return 0.7 * matched + 0.3 * divergence


@pytest.mark.parametrize("kind", ["scores", "entropy", "leaf-entropy"])
@pytest.mark.parametrize(("depth", "n", "penalty"), [(1, 1, 0.0), (1, 7, 0.1), (4, 33, 0.1)])
def test_the_losses_that_trees_learn_by_have_the_gradients_of_autograd(kind, depth, n, penalty):
    network = network_of(depth, penalty=penalty)
    rows, labels = torch.randn(n, 5), torch.rand(3, n).softmax(dim=0)
    logs = labels.log()
    loss = expected_loss(kind, network, rows, labels, logs)
    if penalty:
        network(rows)  # sets the imbalance
        loss = loss + penalty * network.imbalance
    expected = autograd_of(network, loss)

    def judge(mixed):
        _, found, slope = judged(kind, mixed, labels, logs)
        return found, slope

    network.zero_grad()
    by_hand = network.set_gradients(BothWays(rows), judge, each_leaf=kind == "leaf-entropy")
    assert by_hand == pytest.approx(loss.item(), rel=1e-4)
    for name, parameter in network.named_parameters():
        scale = expected[name].abs().max()
        assert torch.allclose(parameter.grad, expected[name], atol=float(1e-4 * scale + 1e-7)), name


def test_gradients_lie_where_they_are_looked_for_after_they_were_cleared():
    network, rows = network_of(2), torch.randn(8, 5)
    labels = torch.rand(3, 8).softmax(dim=0)

    def judge(mixed):
        return judged("scores", mixed, labels, labels.log())[1:]

    network.set_gradients(BothWays(rows), judge)
    first = {name: p.grad.clone() for name, p in network.named_parameters()}
    network.zero_grad()
    network.set_gradients(BothWays(rows[:3]), lambda mixed: (0.0, torch.zeros_like(mixed)))
    assert not any(p.grad.any() for p in network.parameters())
    network.set_gradients(BothWays(rows), judge)
    for name, parameter in network.named_parameters():
        assert torch.allclose(parameter.grad, first[name]), name


def test_gradients_that_were_cleared_are_set_anew():
    network = TreeNetwork(2, 3, 2, "probabilities", np.ones(3))
    rows = BothWays(torch.randn(5, 2))

    def judge(mixed):
        return 0.0, torch.ones_like(mixed) * mixed

    network.set_gradients(rows, judge)
    wanted = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
    network.leaves.grad = None
    network.set_gradients(rows, judge)
    for name, slope in wanted.items():
        assert torch.equal(network.get_parameter(name).grad, slope), name


def test_what_leaves_hold_beyond_float32_is_not_hidden():
    network = TreeNetwork(2, 2, 1, "probabilities", np.full(2, 2.0))
    with torch.no_grad():
        network.leaves[0, 0] = 3e38
    loss = network.set_gradients(
        BothWays(torch.randn(5, 2)), lambda mixed: (mixed.sum().item(), torch.ones_like(mixed))
    )
    assert np.isnan(loss)
