"""The certificate on functions whose Shapley values are known by enumeration."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explain_distill.audit.certificate import (
    Certificate,
    beyond_seen,
    certificates,
    certify,
)
from explain_distill.audit.gap_shares import leading_elsewhere
from explain_distill.audit.gaps import Gaps, affordable_draws, cross_fitted, measured_gaps
from explain_distill.exceptions import DataError
from explain_distill.metrics.mean_bounds import bounded_mean_bound, group_means

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from synthetic_pairs import Function, exact_shapley, pair, smooth


def certified(of, n=200, n_draws=16, seed=0, **options):
    rng = np.random.default_rng(seed)
    data = of.draw(n, rng)
    gaps = measured_gaps(of.teacher, {"s": of.student}, data, of.background, n_draws, rng)
    return certify(gaps, "s", data.schema.names, **options)


@pytest.mark.parametrize("n_scores", [1, 3])
@pytest.mark.parametrize("n_draws", [1, 4])
def test_walks_estimate_the_shapley_values_without_bias(n_scores, n_draws):
    of = pair("near", n_scores, population=12, background=5)
    rows = of.population.take(np.repeat(np.arange(12), 400))
    gaps = measured_gaps(
        of.teacher, {"s": of.student}, rows, of.background, n_draws, np.random.default_rng(0)
    )
    told = np.mean(gaps.students["s"], axis=0).reshape(12, 400, 6, n_scores)
    error = 4 * told.std(axis=1) / np.sqrt(400)
    assert (np.abs(told.mean(axis=1) - of.shapley) <= error + 1e-12).all()


@pytest.mark.parametrize("student", ["near", "wrong in places"])
@pytest.mark.parametrize("n_scores", [1, 3])
def test_the_bounds_hold_for_all_features_together(student, n_scores):
    of = pair(student, n_scores, population=200, background=10)
    low = np.zeros(2)
    for seed in range(100):
        told = certified(of, n=50, n_draws=4, seed=seed)
        bounds = np.array([[p.bound, p.bound_without_tails] for p in told.players])
        low += (bounds < of.gaps[:, None]).any(axis=0)
    assert (low <= 10).all()  # 5 of 100 are expected at the most


def test_more_draws_bring_the_gap_down_to_the_truth():
    of = pair("near", population=200, background=10)
    gaps = [np.array([p.gap for p in certified(of, 1000, m).players]) for m in (1, 4, 16, 64)]
    assert (np.diff([each.sum() for each in gaps]) < 0).all()
    assert gaps[-1] == pytest.approx(of.gaps, abs=0.02)
    assert (gaps[-1] > of.gaps - 0.01).all()


def test_a_student_that_is_the_teacher_has_no_gap():
    of = pair("near", population=100, background=10)
    told = certified(replace(of, student=of.teacher))
    assert told.relative_gap == told.relative_bound == told.relative_least == 0.0
    assert told.largest.bound == 0.0
    assert all(p.bound_without_tails == 0 for p in told.players)


def test_a_liar_that_is_right_on_the_rows_is_refused():
    """A student equal to the teacher on the rows, and something else wherever columns are mixed."""
    of = pair("near", population=300, background=30)
    known = {row.tobytes() for row in of.population.X}

    def lying(X):
        seen = np.array([row.tobytes() in known for row in np.ascontiguousarray(X)])
        return np.where(seen[:, None], smooth(X), -smooth(X))

    liar = Function(lying, of.teacher.task)
    assert np.array_equal(liar.predict_score(of.population.X), smooth(of.population.X))
    told = certified(replace(of, student=liar))
    assert told.relative_bound > 0.5
    assert certified(of).relative_bound < 0.5


def test_a_student_that_takes_one_column_for_another_that_goes_with_it_is_refused():
    of = pair("near", population=400, background=30)
    rng = np.random.default_rng(0)
    X = of.population.X.copy()
    X[:, 1] = X[:, 0] + 0.05 * rng.normal(size=len(X))
    background = of.background.copy()
    background[:, 1] = background[:, 0]
    task = of.teacher.task
    teacher = Function(lambda rows: 2 * rows[:, [0]] + rows[:, [3]], task)
    student = Function(lambda rows: 2 * rows[:, [1]] + rows[:, [3]], task)
    swapped = replace(
        of,
        teacher=teacher,
        student=student,
        population=replace(of.population, X=X),
        background=background,
    )
    told = certified(swapped)
    by_name = {p.player: p for p in told.players}
    assert by_name["v0"].relative > 0.9
    assert by_name["v3"].relative < 0.01
    # Together the two columns say the same.
    rng = np.random.default_rng(0)
    players = [np.array([0, 1]), *(np.array([i]) for i in range(2, 6))]
    data = swapped.draw(200, rng)
    gaps = measured_gaps(teacher, {"s": student}, data, background, 16, rng, players)
    together = certify(gaps, "s", ["v0 and v1", "v2", "v3", "v4", "v5"])
    assert together.players[0].relative < 0.1


def test_players_that_move_together_have_the_shapley_values_of_their_group():
    of = pair("near", population=6, background=4)
    rows = of.population.take(np.repeat(np.arange(6), 600))
    players = [np.array([0, 5]), np.array([3]), np.array([1, 2, 4])]
    gaps = measured_gaps(
        of.teacher, {"s": of.student}, rows, of.background, 4, np.random.default_rng(0), players
    )
    told = np.mean(gaps.students["s"], axis=0).reshape(6, 600, 3, 1)

    def of_groups(chosen):
        numbers = chosen.astype(int)
        mixed = np.empty((len(chosen), 6))
        for player, columns in enumerate(players):
            source = numbers[:, player]
            mixed[:, columns] = np.where(
                (source >= 0)[:, None],
                of.population.X[np.maximum(source, 0)][:, columns],
                of.background[np.maximum(-1 - source, 0)][:, columns],
            )
        return of.student.predict_score(mixed) - of.teacher.predict_score(mixed)

    ours = np.tile(np.arange(6.0)[:, None], 3)
    exact = exact_shapley(of_groups, ours, -1 - np.tile(np.arange(4.0)[:, None], 3))
    assert told.mean(axis=1) == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("players", [[[0, 1], [2, 3]], [[0, 1, 2], [2, 3, 4, 5]]])
def test_a_column_without_a_player_or_with_two_is_refused(players):
    of = pair("near", population=30, background=4)
    given = [np.array(columns) for columns in players]
    with pytest.raises(DataError, match="Each column must belong to one player"):
        measured_gaps(
            of.teacher, {}, of.population, of.background, 4, np.random.default_rng(0), given
        )


@pytest.mark.parametrize("n_draws", [0, 2, 6, -4])
def test_a_number_of_draws_that_cannot_be_halved_is_refused(n_draws):
    of = pair("near", population=30, background=4)
    with pytest.raises(DataError, match="Draws must be 1 or a multiple of 4"):
        measured_gaps(
            of.teacher, {}, of.population, of.background, n_draws, np.random.default_rng(0)
        )


def test_too_few_rows_certify_nothing():
    of = pair("near", population=100, background=4)
    with pytest.raises(DataError, match="needs at least 20 held-out rows; however, there are 19"):
        certified(of, n=19)
    few = of.population.take(np.arange(19))
    assert certificates(of.teacher, {"s": of.student}, few, of.background, 0) == {}


def test_groups_widen_the_bounds():
    of = pair("near", population=200, background=10)
    rng = np.random.default_rng(0)
    data = of.draw(40, rng)
    twice = data.take(np.repeat(np.arange(40), 5))
    gaps = measured_gaps(of.teacher, {"s": of.student}, twice, of.background, 4, rng)
    alone = certify(gaps, "s", data.schema.names)
    grouped = certify(gaps, "s", data.schema.names, np.repeat(np.arange(40), 5))
    assert grouped.n_independent == 40
    assert grouped.relative_bound > alone.relative_bound


def test_groups_of_unequal_size_count_once_each():
    """A large group that was not drawn cannot be reckoned with, so that each counts once."""
    rng = np.random.default_rng(0)
    low = 0
    for _ in range(200):
        wrong = rng.random(60) < 0.02
        sizes = np.where(wrong, 50, 1)
        figure = np.repeat(wrong.astype(float), sizes)
        groups = np.repeat(np.arange(60), sizes)
        means, ones = group_means(figure, groups)
        low += bounded_mean_bound(means, ones, 1.0, level=0.95) < 0.02
    assert low <= 16


def test_importance_is_estimated_from_below():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(4000, 3, 1)) * [[[0.0], [0.1], [1.0]]]
    first, second = (truth + rng.normal(size=truth.shape) for _ in range(2))
    true = np.abs(truth).mean(axis=(0, 2))
    found = cross_fitted(first, second).mean(axis=0)
    assert (found < true + 0.03).all()
    assert found[0] == pytest.approx(0, abs=0.03)
    assert found[2] > 0.4


def linear_pair(teacher, student):
    """Give a pair of weighted sums of the six columns."""
    of = pair("near", population=400, background=30)
    task = of.teacher.task

    def of_weights(weights):
        return Function(lambda X: (X @ np.array(weights))[:, None], task)

    return replace(of, teacher=of_weights(teacher), student=of_weights(student))


def test_a_student_that_leans_on_what_the_teacher_does_not_use_is_charged_for_it():
    told = certified(linear_pair([1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 5]))
    assert told.relative_least > 0.5


def test_features_that_hardly_matter_hardly_count():
    told = certified(linear_pair([1, 1e-6, 1e-6, 1e-6, 1e-6, 0], [1, 0, 0, 0, 0, 0]))
    assert told.relative_bound < 1e-4


@pytest.mark.parametrize("n", [50, 200])
def test_the_share_of_importance_is_bounded_from_both_sides(n):
    teacher, student = np.array([1.0, 0.8, 0.5, 0.3, 0.0, 0.0]), np.array([1, 0.6, 0.5, 0.5, 0, 0])
    of = linear_pair(teacher, student)
    size = np.abs(of.population.X - of.background.mean(axis=0)).mean(axis=0)
    true = (np.abs(student - teacher) @ size) / (teacher @ size)
    misses = np.zeros(2)
    for seed in range(100):
        told = certified(of, n=n, n_draws=4, seed=seed)
        misses += [told.relative_bound < true, told.relative_least > true]
    assert (misses <= 10).all()


def test_whether_a_student_says_more_or_less_is_told_where_it_is_sure():
    told = certified(linear_pair([1, 1, 1, 1, 0, 0], [2, 0.5, 1, 1, 0, 0]), n_draws=16)
    more, less, same, *_ = (each.leaning for each in told.players)
    assert more > 0.3
    assert less < -0.2
    assert same == 0.0
    assert certified(linear_pair([1] * 6, [2] * 6), n_draws=1).players[0].leaning == 0.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_named_with_its_model_and_row(value):
    of = pair("near", population=100, background=10)
    broken = Function(lambda X: np.where(X[:, [0]] > 1, value, smooth(X)), of.teacher.task)
    with pytest.raises(DataError, match=r"however, teacher gives .* the first being v0=1"):
        certified(replace(of, teacher=broken))


def test_a_teacher_that_gives_no_feature_weight_leaves_nothing_relative():
    of = pair("near", population=100, background=10)
    constant = Function(lambda X: np.zeros((len(X), 1)), of.teacher.task)
    told = certified(replace(of, teacher=constant))
    assert told.relative_gap is None
    assert told.relative_least is None
    assert told.relative_bound is None
    assert told.largest.bound > 0


def test_the_draws_follow_a_budget():
    assert affordable_draws(100, 30) == 256
    assert affordable_draws(1000, 30) == 64
    assert affordable_draws(10_000, 300) == 1


def test_a_certificate_is_kept_as_json():
    told = certified(pair("near", population=100, background=10))
    assert Certificate.from_json(told.to_json()) == told


@pytest.mark.parametrize(
    "altered",
    [
        {"level": "0.95"},
        {"players": []},
        {"relative_gap": [1]},
        {"n": None},
        {"players": [{"player": 3}]},
    ],
)
def test_an_altered_certificate_is_refused(altered):
    told = certified(pair("near", population=60, background=4), n=30, n_draws=1).to_json()
    with pytest.raises((ValueError, TypeError, KeyError)):
        Certificate.from_json(told | altered)


def test_a_gap_that_was_not_seen_may_be_as_far_off_as_the_longest_tail_says():
    even, tailed = np.ones(50), np.r_[np.full(49, 0.1), 0.2]
    figures = np.stack([even, tailed, np.zeros(50)], axis=1)
    tops = beyond_seen(figures, 1.0)
    length = 0.2 / tailed.mean()
    assert tops == pytest.approx([length, 1.5 * 0.2, 1.0])
    far = np.r_[np.full(49, 0.1), 10.0]
    assert beyond_seen(np.stack([even, far], axis=1), 10.0) == pytest.approx([3.0, 15.0])
    assert beyond_seen(even[:, None], 1.0) == pytest.approx([1.5])


def test_a_player_that_is_noise_moves_no_other_bound():
    rng = np.random.default_rng(0)
    gaps = rng.exponential(size=(80, 3))
    noise = np.zeros((80, 1))
    noise[7] = 1e-15
    before = beyond_seen(gaps, gaps.max())
    after = beyond_seen(np.hstack([gaps, noise]), gaps.max())
    assert after[:3].tolist() == before.tolist()


def test_no_bound_is_above_the_largest_gap_that_is_known_to_be_possible():
    rng = np.random.default_rng(0)
    differences = np.stack([np.full(30, 0.9), np.r_[np.full(29, 0.001), 0.5]], axis=1)[:, :, None]
    teacher = rng.normal(size=(30, 2, 1))
    gaps = Gaps((teacher, teacher), {"s": (differences, differences)}, 4)
    told = certify(gaps, "s", ("a", "b"), highest=1.0)
    assert max(each.bound for each in told.players) <= 1


@pytest.mark.parametrize("n_draws", [4, 16])
def test_the_least_share_holds_where_features_interact(n_draws):
    """Few draws tell the teacher's importance too small by halves, and too large as measured."""
    rng = np.random.default_rng(0)
    of = pair("near", population=200, background=10)
    signs = (np.sign(of.population.X), np.sign(of.background))
    of = replace(of, population=replace(of.population, X=signs[0]), background=signs[1])

    def teacher(X):
        return (X[:, :3].prod(axis=1) + X[:, 3:].prod(axis=1))[:, None]

    of = replace(
        of,
        teacher=Function(teacher, of.teacher.task),
        student=Function(lambda X: teacher(X) + 0.3 * X[:, [0]], of.teacher.task),
    )
    too_high = 0
    for _ in range(50):
        told = certified(of, n=100, n_draws=n_draws, seed=int(rng.integers(1 << 30)))
        too_high += told.relative_least > of.share
    assert too_high <= 5  # 2.5 of 50 are expected at the most


def test_where_there_is_no_leaning_seldom_is_one_told():
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(100):
        halves = rng.normal(size=(4, 40, 10, 1))
        gaps = Gaps((halves[0], halves[1]), {"s": (halves[2], halves[3])}, 4)
        found = certify(gaps, "s", [f"v{i}" for i in range(10)])
        told += any(player.leaning for player in found.players)
    assert told <= 10  # 5 of 100 are expected


def test_a_highest_gap_below_one_that_was_seen_is_refused():
    with pytest.raises(DataError, match=r"highest must be .*; however, got 0\.01"):
        certified(pair("near", population=100, background=10), highest=0.01)


def test_the_leading_features_are_not_chosen_where_their_importance_is_counted():
    """Of 30 equal features, the five that seem to lead are not as important as they seem.

    The student is far off in every second one, so that it matters which are chosen.
    """
    rng = np.random.default_rng(0)
    apart = np.where(np.arange(30) % 2 == 0, 0.2, 0.05)
    low = 0
    for _ in range(60):
        true = rng.normal(size=(50, 30, 1))
        teacher = tuple(true + rng.normal(0, 0.1, true.shape) for _ in range(2))
        gaps = apart[:, None] * rng.normal(size=true.shape)
        told = certify(Gaps(teacher, {"s": (gaps, gaps)}, 64), "s", [str(i) for i in range(30)])
        chosen = leading_elsewhere(cross_fitted(*teacher), None).mean(axis=0)
        low += told.leading_bound < chosen @ apart / chosen.sum()
    assert low <= 6  # 3 of 60 are expected at the most


def test_the_leading_features_together_are_bounded():
    of = pair("near", population=200, background=10)
    told = certified(of, n=100, n_draws=16)
    places = [int(player.player[1:]) for player in told.leading]
    true = of.gaps[places].sum() / of.importance[places].sum()
    assert true < told.leading_bound < 3 * true
    assert told.leading_gap < told.leading_bound
    same = certified(replace(of, student=of.teacher))
    assert same.leading_gap == same.leading_bound == 0.0
