import json

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.app.size_charts import against_sizes, size_table
from explain_distill.audit.compare import compare
from explain_distill.audit.front import Front, front_of, judge_sizes, set_apart
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Feature, Schema
from explain_distill.metrics.fidelity import variance_parts
from explain_distill.metrics.paired import paired_share_bound
from explain_distill.report.wording import called

SIZES = {"tree-2": 2, "tree-4": 4, "tree-8": 8}


def rows(n, shares, seed=0):
    """Losses of 0 and 1, one so often as `shares` says, on rows that are hard for all sizes."""
    chance = np.random.default_rng(seed).random((n, 1))
    return {"agreement": (chance < np.array(shares)).astype(float)}


def judged(losses, groups=None, **options):
    ladder = judge_sizes("tree", "leaves", SIZES, losses, groups, **options)
    return [step.verdict for step in ladder.steps], ladder.chosen.size


def test_the_smallest_size_that_errs_on_the_same_rows_is_chosen():
    assert judged(rows(400, [0.05, 0.05, 0.05])) == (["as faithful", "as faithful", "largest"], 2)


def test_a_size_that_errs_more_often_is_less_faithful_and_the_next_is_chosen():
    found = judged(rows(400, [0.2, 0.05, 0.05]))
    assert found == (["less faithful", "as faithful", "largest"], 4)


def test_on_few_rows_nothing_is_shown_and_the_largest_is_chosen():
    """That no difference is found on 40 rows does not show that there is none."""
    assert judged(rows(40, [0.0, 0.0, 0.0])) == (["not shown", "not shown", "largest"], 8)


def test_many_rows_show_a_small_difference_and_that_it_is_within_the_margin():
    losses = rows(20_000, [0.06, 0.05, 0.05])
    ladder = judge_sizes("tree", "leaves", SIZES, losses)
    gap = ladder.steps[0].gaps[0]
    assert 0 < gap.least < gap.excess < gap.most < 0.02
    assert ladder.chosen.size == 2


def test_a_size_is_held_against_the_best_larger_one_even_if_the_largest_is_poor():
    losses = rows(2000, [0.3, 0.05, 0.3])
    ladder = judge_sizes("tree", "leaves", SIZES, losses)
    assert ladder.steps[0].verdict == "less faithful"
    assert ladder.steps[0].gaps[0].excess == pytest.approx(0.25, abs=0.03)
    assert ladder.chosen.size == 4


def test_every_measure_must_hold():
    rng = np.random.default_rng(0)
    losses = rows(400, [0.05, 0.05, 0.05])
    losses["score_r2"] = rng.exponential([0.2, 0.01, 0.01], (400, 3))
    assert judged(losses) == (["less faithful", "as faithful", "largest"], 4)


def test_after_a_failure_no_smaller_size_is_shown():
    losses = rows(400, [0.0, 0.1, 0.0])
    assert judged(losses) == (["not shown", "less faithful", "largest"], 8)


def test_groups_count_as_groups():
    losses = rows(600, [0.0, 0.0, 0.0])
    assert judged(losses)[1] == 2
    assert judged(losses, np.repeat(np.arange(20), 30))[1] == 8


@pytest.mark.parametrize("n_groups", [None, 83])
def test_fewer_rows_than_are_told_show_it_of_no_size(n_groups):
    """Even where the larger students err, and the small one does not."""
    losses = {"agreement": np.zeros((83 * (30 if n_groups else 1), 3))}
    losses["agreement"][:3, 1:] = 1
    groups = None if n_groups is None else np.repeat(np.arange(n_groups), 30)
    assert judged(losses, groups)[1] == 8
    most = judge_sizes("tree", "leaves", SIZES, losses, groups).steps[0].gaps[0].most
    assert most >= paired_share_bound(0, 0, 83) > 0.02


def test_a_size_beyond_the_margin_is_chosen_as_seldom_as_it_says():
    """The size errs on 2% more rows, just the margin: of 300 draws some 5% may choose it."""
    wrong = sum(judged(rows(500, [0.07, 0.05, 0.05], seed))[1] == 2 for seed in range(300))
    assert wrong <= 0.08 * 300


class Grown(xd.Teacher):
    """Answers by the boxes of a tree of four leaves, or by eight, with smooth steps."""

    def __init__(self, data, columns):
        self.task, self.columns = data.task, columns

    def predict_score(self, X):
        steps = np.tanh(8 * X[:, self.columns])
        margin = 3 * steps[:, 0] + 3 * np.prod(steps, axis=1)
        return np.stack([-margin / 2, margin / 2], axis=1)


def boxes(n=1200):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 4))
    schema = Schema(tuple(Feature(f"x{i}") for i in range(4)))
    y = (X[:, 0] > 0).astype(np.int64)
    return Dataset("boxes", X, y, schema, Task("classification", "y", ("no", "yes")))


def test_validation_rows_are_a_third_of_the_training_rows_and_no_group_stands_on_both_sides(mixed):
    learned, validation = set_apart(mixed[0], seed=0)
    assert len(learned) + len(validation) == len(mixed[0])
    assert len(validation) == pytest.approx(len(mixed[0]) / 3, abs=2)
    groups = np.arange(len(mixed[0])) // 3
    grouped = Dataset("g", mixed[0].X, mixed[0].y, mixed[0].schema, mixed[0].task, groups=groups)
    learned, validation = set_apart(grouped, seed=0)
    assert not set(learned.groups) & set(validation.groups)


def test_a_teacher_of_four_boxes_is_read_with_four_leaves():
    train, test = boxes().split(seed=0)
    learned, validation = set_apart(train, seed=0)
    teacher = Grown(train, [0, 1])
    sizes = {f"soft-tree-{size}": size for size in (2, 4, 8)}
    students = {
        name: xd.distill(teacher, xd.SoftTree(n_steps=500).with_size(size), learned)
        for name, size in sizes.items()
    }
    front = front_of(compare(teacher, students, test), sizes, validation)
    (ladder,) = front.ladders
    assert ladder.kind == "soft-tree"
    assert ladder.steps[0].verdict == "less faithful"
    assert ladder.chosen.student == "soft-tree-4"
    assert all(gap.most < 0.05 for gap in ladder.tested)
    assert Front.from_json(json.loads(json.dumps(front.to_json())), set(students)) == front


def test_no_more_than_everything_is_explained():
    for seed in range(20):
        losses = {"score_r2": np.random.default_rng(seed).exponential(0.05, (6, 3)) ** 2}
        ladder = judge_sizes("tree", "leaves", SIZES, losses)
        for gap in (gap for step in ladder.steps for gap in step.gaps):
            assert gap.loss.low is None or gap.loss.low >= 0


def test_one_row_or_one_group_shows_nothing_of_values():
    for row in ([0.01, 0.005, 0.004], [0.5, 0.01, 0.0]):
        losses = {"score_r2": np.array([row])}
        assert judged(losses) == (["not shown", "not shown", "largest"], 8)
        many = {"score_r2": np.tile(losses["score_r2"], (50, 1))}
        verdicts, chosen = judged(many, np.zeros(50, dtype=int))
        assert (verdicts, chosen) == (["not shown", "not shown", "largest"], 8)


@pytest.mark.parametrize("true", [0.018, 0.022])
def test_a_loss_in_units_of_the_variance_is_bounded_as_a_ratio(true):
    """Errors of one size, while the variance that they are told in is estimated on the same rows.

    Without its part in the uncertainty a third of verdicts would be wrong.
    """
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(100):
        teacher = rng.standard_t(5, size=(300, 1))
        variance = np.square(teacher - teacher.mean()).mean()
        losses = {"score_r2": np.tile([true * 5 / 3, 0.0, 0.0], (300, 1)) / variance}
        (first, *_), _ = judged(losses, parts=variance_parts(teacher))
        wrong += first == ("less faithful" if true < 0.02 else "as faithful")
    assert wrong <= 10


def test_values_that_differ_in_no_row_need_as_many_rows_as_answers_do():
    def alike(n):
        return {"score_r2": np.tile(np.full(3, 0.01), (n, 1))}

    assert judged(alike(148))[1] == 8
    assert judged(alike(149))[1] == 2


@pytest.mark.parametrize("sizes", [[8, 16], [2, 8, 32]])
def test_a_kind_that_ends_below_the_sizes_is_made_at_its_largest(sizes, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    data = Dataset(
        "three", X, X[:, 0] * X[:, 1] + X[:, 2], Schema(tuple(map(Feature, "abc"))),
        Task("regression", "y"),
    )  # fmt: skip
    made = xd.run(data, students=["additive"], sizes=sizes, quick=True)
    (ladder,) = made.front.ladders
    assert ladder.sizes == ((3,) if sizes == [8, 16] else (2, 3))
    assert list(made.students) == [f"additive-{size}" for size in ladder.sizes]
    text = made.report(tmp_path / "report.html").read_text()
    assert ("3 pairs, the only size that was tried." in text) == (sizes == [8, 16])
    table = size_table(made.comparison, ladder, "score_r2")
    drawn = against_sizes(table, ladder, "Additive model", called("fidelity.score_r2", None), 0.0)
    low, high = drawn.to_dict()["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert low < 3 < high
