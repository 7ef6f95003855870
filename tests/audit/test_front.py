import numpy as np

from explain_distill.audit.front import judge_sizes

SIZES = {"tree-2": 2, "tree-4": 4, "tree-8": 8}


def rows(n, shares, seed=0, apart=False):
    """Losses of 0 and 1 on `n` rows, so often 1; on rows of their own or on the same ones."""
    rng = np.random.default_rng(seed)
    chance = rng.random((n, len(shares))) if apart else rng.random((n, 1))
    return {"agreement": (chance < np.array(shares)).astype(float)}


def verdicts(losses, groups=None, **options):
    ladder = judge_sizes("tree", "leaves", SIZES, losses, groups, **options)
    return [step.verdict for step in ladder.steps], ladder.chosen.size


def test_the_smallest_size_that_errs_on_the_same_rows_is_chosen():
    assert verdicts(rows(400, [0.05, 0.05, 0.05])) == (["as faithful", "as faithful", "largest"], 2)


def test_a_size_that_errs_more_often_is_less_faithful_and_so_the_next_is_chosen():
    found = verdicts(rows(400, [0.2, 0.05, 0.05]))
    assert found == (["less faithful", "as faithful", "largest"], 4)


def test_on_few_rows_nothing_is_shown_and_the_largest_is_chosen():
    found = verdicts(rows(40, [0.0, 0.0, 0.0]))
    assert found == (["not shown", "not shown", "largest"], 8)
