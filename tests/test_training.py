import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from explain_distill._training import FEWEST_UNITS, Recipe, descend, on_all_threads, one_cycle
from explain_distill.exceptions import DataError


def network():
    torch.manual_seed(0)
    return nn.Linear(5, 3)


@pytest.mark.parametrize(("n_steps", "warm_up"), [(1, 0.1), (2, 0.1), (7, 0.05), (100, 0.3)])
def test_the_schedule_is_torchs_one_cycle(n_steps, warm_up):
    optimizer = torch.optim.AdamW(network().parameters(), lr=0.3)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.3, total_steps=max(n_steps, 2), pct_start=max(warm_up, 2 / max(n_steps, 2))
    )
    rates, momenta = one_cycle(Recipe(n_steps, 0.3, warm_up=warm_up))
    for step in range(n_steps):
        group = optimizer.param_groups[0]
        assert rates[step] == pytest.approx(group["lr"], rel=1e-9)
        assert momenta[step] == pytest.approx(group["betas"][0], rel=1e-9)
        optimizer.step()
        if step + 1 < n_steps:
            theirs.step()


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_gradients_set_by_hand_move_a_network_as_autograd_does(decay):
    rng = np.random.default_rng(0)
    batches = [torch.from_numpy(rng.normal(size=(8, 5))).float() for _ in range(50)]
    by_torch, by_hand = network(), network()
    memory = torch.zeros(3, 5), torch.zeros(3)
    by_hand.weight.grad, by_hand.bias.grad = memory

    def loss_by_hand(batch):
        outputs = (batch @ by_hand.weight.T + by_hand.bias).detach()
        torch.mm(2 * outputs.T / 24, batch, out=memory[0])
        torch.sum(2 * outputs.T / 24, 1, out=memory[1])
        return outputs.square().mean().item()

    recipe = Recipe(50, 0.1, weight_decay=decay)
    descend(by_torch, iter(batches), lambda b: by_torch(b).square().mean(), recipe)
    descend(by_hand, iter(batches), loss_by_hand, recipe)
    for one, other in zip(by_torch.parameters(), by_hand.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_training_ends_where_on_step_asks():
    seen = []
    module = network()
    batches = (torch.ones(2, 5) for _ in range(100))
    descend(
        module,
        batches,
        lambda batch: module(batch).square().mean(),
        Recipe(100, 0.1),
        lambda step, _: bool(seen.append(step)) or step == 3,
    )
    assert seen == [1, 2, 3]


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def of_a_thread(calls):
    """Double rows, and note by which thread, on how many of torch's, and how many rows."""

    def doubled(rows):
        calls.append((threading.get_ident(), torch.get_num_threads(), len(rows)))
        return 2 * rows

    return doubled


@pytest.mark.parametrize("n", [0, 1, 79, 80, 161, 1000])
def test_blocks_on_all_threads_come_back_in_order(n, two_threads):
    rows, calls = np.arange(3.0 * n).reshape(n, 3), []
    assert np.array_equal(on_all_threads(of_a_thread(calls), rows, 10, 200), 2 * rows)
    assert all(length % 10 == 0 for _, _, length in calls[:-1]) or n % 10
    assert max(length for _, _, length in calls) <= max(200, 10 * FEWEST_UNITS)


def test_many_rows_are_shared_among_threads_of_their_own(two_threads):
    calls = []
    on_all_threads(of_a_thread(calls), np.zeros((1000, 1)), 10, 200)
    assert {threads for _, threads, _ in calls} == {1}
    assert threading.get_ident() not in {thread for thread, _, _ in calls}
    assert torch.get_num_threads() == 2


def test_few_rows_stay_where_they_are(two_threads):
    calls = []
    on_all_threads(of_a_thread(calls), np.zeros((80, 1)), 10, 200)
    assert calls == [(threading.get_ident(), 2, 80)]


def test_a_failure_in_a_thread_is_told_and_leaves_torch_its_threads(two_threads):
    def fails(rows):
        raise DataError("no score")

    with pytest.raises(DataError, match="no score"):
        on_all_threads(fails, np.zeros((1000, 1)), 10, 200)
    assert torch.get_num_threads() == 2
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2


def test_training_takes_least_numbers_for_zero_and_no_one_else_does():
    tiny, seen = torch.full((4,), 1e-40), []
    learned = torch.nn.Linear(1, 1)

    def loss(batch):
        seen.append(float((tiny * 1).sum()))
        return learned(batch).square().mean()

    def on_step(step, value):
        seen.append(float((tiny * 1).sum()))

    descend(learned, iter([torch.ones(2, 1)] * 2), loss, Recipe(2, 0.1), on_step)
    assert seen[0] == seen[2] == 0 < min(seen[1], seen[3])
