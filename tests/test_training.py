import numpy as np
import pytest
import torch
from torch import nn

from explain_distill._training import Recipe, descend, one_cycle


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
